// Internal: a number system made of a type that has the usual operators and functions.
#pragma once

#include <cmath>
#include <utility>

#include "tapegrad/kernel/number.hpp"

namespace tapegrad {

template <class T>
T evaluate(Function f, const T& x) {
  using std::abs, std::floor, std::sqrt, std::exp, std::expm1, std::log, std::log1p, std::log2;
  using std::sin, std::cos, std::tan, std::asin, std::acos, std::atan, std::sinh, std::cosh;
  using std::tanh, std::erf, std::erfc;
  switch (f) {
    case Function::negate:
      return -x;
    case Function::abs:
      return abs(x);
    case Function::floor:
      return floor(x);
    case Function::sqrt:
      return sqrt(x);
    case Function::exp:
      return exp(x);
    case Function::expm1:
      return expm1(x);
    case Function::log:
      return log(x);
    case Function::log1p:
      return log1p(x);
    case Function::log2:
      return log2(x);
    case Function::sin:
      return sin(x);
    case Function::cos:
      return cos(x);
    case Function::tan:
      return tan(x);
    case Function::asin:
      return asin(x);
    case Function::acos:
      return acos(x);
    case Function::atan:
      return atan(x);
    case Function::sinh:
      return sinh(x);
    case Function::cosh:
      return cosh(x);
    case Function::tanh:
      return tanh(x);
    case Function::erf:
      return erf(x);
    case Function::erfc:
      return erfc(x);
    default:
      return x;
  }
}

template <class T>
T evaluate(Function f, const T& x, const T& y) {
  using std::pow, std::atan2;
  switch (f) {
    case Function::add:
      return x + y;
    case Function::subtract:
      return x - y;
    case Function::multiply:
      return x * y;
    case Function::divide:
      return x / y;
    case Function::pow:
      return pow(x, y);
    case Function::atan2:
      return atan2(x, y);
    default:
      return x;
  }
}

/// Numbers that hold a T: a copyable type with the operators and functions above (or an `evaluate`
/// of its own for them), `<`, `>`, `==`, `isfinite`, and conversions from and to double.
/// A system that can do more is an Interface of its own.
template <class T, class Interface = NumberSystem>
class NumberSystemOf : public Interface {
 public:
  struct Held final : Number::Value {
    Held(const NumberSystem& owner, T x) : Value(owner), content(std::move(x)) {}
    T content;
  };

  Number make(T x) const { return Number(new Held(*this, std::move(x))); }
  /// What a number holds; a literal as a T.
  T content(const Number& x) const {
    return x.value() != nullptr ? static_cast<const Held*>(x.value())->content : T(x.literal());
  }

  Number number(double literal) const override { return make(T(literal)); }
  Number apply(Function f, const Number& x) const override { return make(evaluate(f, content(x))); }
  Number apply(Function f, const Number& x, const Number& y) const override {
    return make(evaluate(f, content(x), content(y)));
  }
  std::partial_ordering compare(const Number& x, const Number& y) const override {
    const T a = content(x), b = content(y);
    return a < b    ? std::partial_ordering::less
           : a > b  ? std::partial_ordering::greater
           : a == b ? std::partial_ordering::equivalent
                    : std::partial_ordering::unordered;
  }
  bool equal(const Number& x, const Number& y) const override { return content(x) == content(y); }
  bool finite(const Number& x) const override {
    using std::isfinite;
    return isfinite(content(x));
  }
  double value(const Number& x) const override { return static_cast<double>(content(x)); }
};

}  // namespace tapegrad
