// A calculation by hand, compared with the tape's: which deltas and gradients are right, and what
// mistake a wrong one looks like.
//
//   const tg::ManualReport report = tg::compare_manual(loss, {
//       {net_o, {{0.1385, -0.0381}}},                                  // dloss/dnet_o
//       {net.output.weight, {{0.0822, -0.0226}, {0.0827, -0.0227}}},   // dloss/dweight
//   });
//   fmt::print("{}", report);
//
// Steps are graded, not consequences: what follows from an earlier wrong number is said to follow.
// Everything is read from the records, and run anew from the leaves on a tape apart; the user's
// tape is only read.
#pragma once

#include <concepts>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/array.hpp"
#include "tapegrad/base/text_formatter.hpp"
#include "tapegrad/check/mistake.hpp"
#include "tapegrad/tape/fields.hpp"
#include "tapegrad/tape/names.hpp"

namespace tapegrad {

/// What numbers are: dy/dx, or the values a parameter has after one step of gradient descent.
enum class ManualKind { gradient, updated };

/// Numbers found by hand, about a tensor on the way to y, leaf or computed.
struct ManualNumbers {
  ManualNumbers(const Tensor& tensor, const Values& by_hand, ManualKind what = ManualKind::gradient)
      : of(tensor), numbers(Array::from(by_hand)), kind(what) {}

  Tensor of;
  Array numbers;
  ManualKind kind;
};

struct ManualOptions {
  /// Of the step of gradient descent. 0: unknown; then none can be compared with updated values,
  /// and one at which wrong numbers are explained is looked for.
  double learning_rate = 0;
  /// Significant digits of the numbers. 0: as many as they are written with.
  int digits = 0;
};

enum class Grade {
  right,
  carried,  // wrong, but what follows from earlier wrong numbers: this step is right
  wrong,
};
std::string_view text(Grade grade);
std::ostream& operator<<(std::ostream& out, Grade grade);

/// The judgement of one tensor's numbers.
struct ManualStep {
  std::string name = {};  // "net_o"
  ManualKind kind = ManualKind::gradient;
  Array given = {};  // by hand
  Array right = {};  // as the tape computes it
  Grade grade = Grade::right;
  int digits = 0;  // to which right numbers agree
  Diagnosis mistake = {};
  std::vector<std::string> more = {};  // elements that are wrong
};

struct ManualReport {
  std::string subject = {};            // "loss"
  std::vector<ManualStep> steps = {};  // in the order of the backward pass

  /// All numbers are right.
  explicit operator bool() const { return count(Grade::right) == steps.size(); }
  std::size_t count(Grade grade) const;
  /// The step about a tensor of this name; the first, if there are several. Throws Error if there
  /// is none.
  const ManualStep& step(std::string_view name) const;
  /// A headline, a line for each step, and below a wrong one what it looks like.
  std::string text() const;
};
std::ostream& operator<<(std::ostream& out, const ManualReport& report);

/// Compares numbers found by hand with dy/dx. y is one number, or has a seed.
///
/// A number is right if it differs from the exact one by at most one unit of its last digit: half
/// of it is for its own rounding, the other half for factors that were rounded before. The last
/// digit is that of the shortest decimal form: 0.1385 has four. As that forgets zeros at the end,
/// 0.5 beside it counts as 0.500. What follows from earlier numbers as they were rounded is right
/// too, to fewer digits.
///
/// A mistake is named only if it explains all numbers of a tensor, and if so much agreement can
/// hardly be chance. Numbers of a tensor may be given flat, in row-major order.
///
/// Throws Error for no numbers, for a number that is not finite, for a tensor of another tape or
/// one that y does not depend on, for updated values of what is no leaf or without a learning rate,
/// and if a leaf was never set.
ManualReport compare_manual(const Differentiated& y, std::span<const ManualNumbers> by_hand,
                            const ManualOptions& options = {});

inline ManualReport compare_manual(const Differentiated& y,
                                   std::initializer_list<ManualNumbers> by_hand,
                                   const ManualOptions& options = {}) {
  return compare_manual(y, std::span(by_hand.begin(), by_hand.size()), options);
}

/// Of a struct: `by_hand` holds, in the place of each parameter, its gradient, on any tape, or an
/// undefined tensor.
template <class Struct>
requires(!std::convertible_to<const Struct&, std::span<const ManualNumbers>>) ManualReport
    compare_manual(const Differentiated& y, const Struct& net, const Struct& by_hand,
                   const ManualOptions& options = {}) {
  name_fields(net);
  std::vector<ManualNumbers> all;
  visit_pairs(
      net, by_hand,
      [&](const Tensor& field, const Tensor& gradient) {
        if (field.defined() && gradient.defined())
          all.emplace_back(field, gradient.array(y.site()));
      },
      y.site());
  return compare_manual(y, all, options);
}

}  // namespace tapegrad

template <>
struct fmt::formatter<tapegrad::ManualReport> : tapegrad::TextFormatter<tapegrad::ManualReport> {};
