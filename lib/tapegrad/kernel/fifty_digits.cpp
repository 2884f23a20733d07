// Fifty decimal digits, by Boost.Multiprecision.
#include <boost/multiprecision/cpp_bin_float.hpp>

#include "tapegrad/kernel/number_system.hpp"
#include "tapegrad/kernel/number_systems.hpp"

namespace tapegrad {
namespace {

using Digits = boost::multiprecision::cpp_bin_float_50;  // its expression templates are off

class FiftyDigits final : public NumberSystemOf<Digits> {
 public:
  using NumberSystemOf::apply;
  Number apply(Function f, const Number& x, const Number& y) const override {
    if (f == Function::atan2 && (isnan(x) || isnan(y))) return x + y;  // Boost loses some NaNs
    return NumberSystemOf::apply(f, x, y);
  }
};

}  // namespace

const NumberSystem& fifty_digits() {
  static const FiftyDigits system;
  return system;
}

}  // namespace tapegrad
