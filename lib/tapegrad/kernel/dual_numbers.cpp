// Forward mode by the rules of calculus, which are written here and, as vjps, in the ops: each side
// checks the other.
#include <cmath>

#include "tapegrad/kernel/number_system.hpp"
#include "tapegrad/kernel/number_systems.hpp"

namespace tapegrad {
namespace {

struct Dual {
  Number value, derivative;

  Dual(Number x, Number dx) : value(std::move(x)), derivative(std::move(dx)) {}
  explicit Dual(double literal) : value(literal) {}
  explicit operator double() const { return static_cast<double>(value); }
  friend bool operator<(const Dual& x, const Dual& y) { return x.value < y.value; }
  friend bool operator>(const Dual& x, const Dual& y) { return x.value > y.value; }
  friend bool operator==(const Dual& x, const Dual& y) { return x.value == y.value; }
  friend bool isfinite(const Dual& x) { return isfinite(x.value); }
};

/// 1 in the arithmetic of x, so that constants made of it have all its digits.
Number one(const Number& x) { return x.value() != nullptr ? x.value()->system.number(1) : 1; }

/// 2 / sqrt(pi) exp(-x^2)
Number bell(const Number& x) { return exp(-x * x) / sqrt(atan(one(x))); }

/// The derivative of y = f(x).
Number slope(Function f, const Number& x, const Number& y) {
  switch (f) {
    case Function::negate:
      return -1;
    case Function::abs:
      return (x > 0) - (x < 0);
    case Function::sqrt:
      return 1 / (2 * y);
    case Function::exp:
      return y;
    case Function::expm1:
      return exp(x);
    case Function::log:
      return 1 / x;
    case Function::log1p:
      return 1 / (1 + x);
    case Function::log2:
      return 1 / (x * log(2 * one(x)));
    case Function::sin:
      return cos(x);
    case Function::cos:
      return -sin(x);
    case Function::tan:
      return 1 + y * y;
    case Function::asin:
      return 1 / sqrt((1 - x) * (1 + x));
    case Function::acos:
      return -1 / sqrt((1 - x) * (1 + x));
    case Function::atan:
      return 1 / (1 + x * x);
    case Function::sinh:
      return cosh(x);
    case Function::cosh:
      return sinh(x);
    case Function::tanh: {
      const Number c = cosh(x);
      return 1 / (c * c);
    }
    case Function::erf:
      return bell(x);
    case Function::erfc:
      return -bell(x);
    default:  // floor
      return 0;
  }
}

/// The derivative of z = f(x, y) by x.
Number slope_by_first(Function f, const Number& x, const Number& y) {
  switch (f) {
    case Function::multiply:
      return y;
    case Function::divide:
      return 1 / y;
    case Function::pow:
      return y == 0 ? 0 : y * pow(x, y - 1);
    case Function::atan2:
      return y / (x * x + y * y);
    default:  // add, subtract
      return 1;
  }
}

/// The derivative of z = f(x, y) by y.
Number slope_by_second(Function f, const Number& x, const Number& y, const Number& z) {
  switch (f) {
    case Function::subtract:
      return -1;
    case Function::multiply:
      return x;
    case Function::divide:
      return -z / y;
    case Function::pow:
      return x == 0 && y > 0 ? 0 : z * log(x);
    case Function::atan2:
      return -x / (x * x + y * y);
    default:  // add
      return 1;
  }
}

Dual evaluate(Function f, const Dual& x) {
  const Number y = tapegrad::evaluate(f, x.value);
  if (x.derivative == 0) return {y, 0};
  return {y, isnan(y) ? y : x.derivative * slope(f, x.value, y)};
}

Dual evaluate(Function f, const Dual& x, const Dual& y) {
  const Number z = tapegrad::evaluate(f, x.value, y.value);
  const bool by_first = x.derivative != 0, by_second = y.derivative != 0;
  if (isnan(z) && (by_first || by_second)) return {z, z};
  Number dz = 0;
  if (by_first) dz += x.derivative * slope_by_first(f, x.value, y.value);
  if (by_second) dz += y.derivative * slope_by_second(f, x.value, y.value, z);
  return {z, dz};
}

class DualNumbers final : public NumberSystemOf<Dual, DualSystem> {
 public:
  /// Over doubles, or over another system.
  explicit DualNumbers(const NumberSystem* below = nullptr) : below_(below) {}

  Number number(double literal) const override { return make({lifted(literal), 0}); }
  Number dual(const Number& value, const Number& derivative) const override {
    return make({lifted(value), lifted(derivative)});
  }
  Number derivative(const Number& x) const override { return content(x).derivative; }

 private:
  Number lifted(const Number& x) const {
    return below_ != nullptr && x.value() == nullptr ? below_->number(x.literal()) : x;
  }

  const NumberSystem* below_;
};

}  // namespace

const DualSystem& dual_numbers() {
  static const DualNumbers system;
  return system;
}

const DualSystem& dual_fifty_digits() {
  static const DualNumbers system(&fifty_digits());
  return system;
}

}  // namespace tapegrad
