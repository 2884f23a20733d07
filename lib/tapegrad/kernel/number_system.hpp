// Internal: a number system made of a type that has the usual operators and functions.
#pragma once

#include <utility>

#include "tapegrad/kernel/number.hpp"

namespace tapegrad {

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
