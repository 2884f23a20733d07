// The number systems that checks compute in: fifty digits, derivatives carried along, branches
// noted. Each is made in a file of its own. What their numbers hold is not seen here: whoever reads
// a result uses the arithmetic of Number, and `value`.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "tapegrad/kernel/number.hpp"
#include "tapegrad/kernel/number_system.hpp"

namespace tapegrad {

/// Fifty decimal digits, and exponents far beyond those of double.
const NumberSystem& fifty_digits();
/// The distance from 1 to the next of its numbers, 2^-167, rounded up.
inline constexpr double fifty_digits_epsilon = 1e-50;
/// What is left in fifty digits of an error of doubles, if it is one of rounding: the quotient of
/// the epsilons, times a million for errors that were small in doubles by luck. A mistake does not
/// shrink.
inline constexpr double rounding_left =
    1e6 * fifty_digits_epsilon / std::numeric_limits<double>::epsilon();

/// Numbers that carry their derivative along one direction. They are compared, and branches are
/// chosen, by value. Where abs has its kink the derivative is 0. A derivative of exactly 0 stays 0
/// where the slope is not finite, as in the cut of op `times`; any other is NaN where the value is.
class DualSystem : public NumberSystem {
 public:
  /// A number and its derivative: literals, or numbers of the arithmetic below this one.
  virtual Number dual(const Number& value, const Number& derivative) const = 0;
  /// In the arithmetic below; `double(derivative(x))` is the nearest double.
  virtual Number derivative(const Number& x) const = 0;
};

/// Forward mode by the rules of calculus, in doubles. The rules know nothing of the vjps.
const DualSystem& dual_numbers();
/// The same over fifty_digits().
const DualSystem& dual_fifty_digits();

/// Forward mode without a rule, in doubles: the derivative of an analytic function is the imaginary
/// part of f(x + ih) / h, without cancellation, for h as small as 1e-100. Where the slope is
/// infinite the derivative may be finite and large.
const DualSystem& complex_step();

/// One choice made by value.
struct Branch {
  enum class By : std::uint8_t { order, equality, sign, floor, finiteness };
  By by;
  /// Of order and sign -1, 0, 1 or NaN; of equality and finiteness 0 or 1; of floor its result.
  double outcome;
  /// What was looked at; y is 0 except for order and equality.
  double x, y;

  /// True if the same was asked and answered, maybe of other numbers.
  bool same_way(const Branch& other) const;
};

/// Doubles that write each choice to a log, in the order of the run. Two runs of one kernel whose
/// logs go the same way used the same formula; where they part lies a kink, a jump, or a tie.
class BranchNotes final : public NumberSystemOf<double> {
 public:
  explicit BranchNotes(std::vector<Branch>& log) : log_(log) {}

  using NumberSystemOf::apply;
  Number apply(Function f, const Number& x) const override;
  std::partial_ordering compare(const Number& x, const Number& y) const override;
  bool equal(const Number& x, const Number& y) const override;
  bool finite(const Number& x) const override;

 private:
  std::vector<Branch>& log_;
};

}  // namespace tapegrad
