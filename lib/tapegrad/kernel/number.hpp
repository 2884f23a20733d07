// A number whose arithmetic is chosen at run time: the third scalar type of every kernel, beside
// float and double. So a tape can be run in fifty digits, in dual or complex numbers, or with its
// branches noted, without a second copy of any formula. Slow, and only for checks and explanations.
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "tapegrad/kernel/function.hpp"

namespace tapegrad {

class Number;

/// One way to compute. A system must outlive its numbers.
class NumberSystem {
 public:
  NumberSystem() = default;
  NumberSystem(const NumberSystem&) = delete;
  NumberSystem& operator=(const NumberSystem&) = delete;
  virtual ~NumberSystem() = default;

  /// The number that stands for a literal.
  virtual Number number(double literal) const = 0;
  virtual Number apply(Function f, const Number& x) const = 0;
  /// At least one operand is a number of this system, the other may be a literal.
  virtual Number apply(Function f, const Number& x, const Number& y) const = 0;
  virtual std::partial_ordering compare(const Number& x, const Number& y) const = 0;
  /// What `==` asks, apart from `compare`: whoever asks `x == 0` does not ask for the sign of x.
  virtual bool equal(const Number& x, const Number& y) const = 0;
  virtual bool finite(const Number& x) const = 0;
  /// The nearest double.
  virtual double value(const Number& x) const = 0;
};

/// A literal, or a value that belongs to a number system. Two literals are computed with as
/// doubles. Copies share the value; all copies must stay in one thread.
class Number {
 public:
  /// What a system keeps: it derives from this.
  class Value {
   public:
    explicit Value(const NumberSystem& owner) : system(owner) {}
    Value(const Value&) = delete;
    Value& operator=(const Value&) = delete;
    virtual ~Value() = default;
    const NumberSystem& system;

   private:
    friend Number;
    mutable std::uint32_t owners_ = 0;
  };

  Number() = default;
  /// Shares a value made by `new`; the last owner deletes it.
  explicit Number(const Value* value) : value_(value) { own(); }
  Number(const Number& other) : value_(other.value_), literal_(other.literal_) { own(); }
  Number(Number&& other) noexcept
      : value_(std::exchange(other.value_, nullptr)), literal_(other.literal_) {}
  Number& operator=(Number other) noexcept {
    std::swap(value_, other.value_);
    literal_ = other.literal_;
    return *this;
  }
  ~Number() {
    if (value_ != nullptr && --value_->owners_ == 0) delete value_;
  }
  template <class N>
  requires std::is_arithmetic_v<N> Number(N literal) : literal_(static_cast<double>(literal)) {}

  /// The value, or nullptr for a literal.
  const Value* value() const { return value_; }
  double literal() const { return literal_; }
  /// Whether there is a value, and no other number shares it.
  bool owns_alone() const { return value_ != nullptr && value_->owners_ == 1; }

  template <class N>
  requires std::is_arithmetic_v<N>
  explicit operator N() const { return static_cast<N>(rounded()); }

  friend Number operator+(const Number& x, const Number& y) { return apply(Function::add, x, y); }
  friend Number operator-(const Number& x, const Number& y) {
    return apply(Function::subtract, x, y);
  }
  friend Number operator*(const Number& x, const Number& y) {
    return apply(Function::multiply, x, y);
  }
  friend Number operator/(const Number& x, const Number& y) {
    return apply(Function::divide, x, y);
  }
  friend Number operator-(const Number& x) { return apply(Function::negate, x); }
  Number& operator+=(const Number& y) { return *this = *this + y; }
  Number& operator-=(const Number& y) { return *this = *this - y; }
  Number& operator*=(const Number& y) { return *this = *this * y; }
  Number& operator/=(const Number& y) { return *this = *this / y; }
  friend std::partial_ordering operator<=>(const Number& x, const Number& y) {
    return compare(x, y);
  }
  friend bool operator==(const Number& x, const Number& y) { return equal(x, y); }

  friend Number abs(const Number& x) { return apply(Function::abs, x); }
  friend Number floor(const Number& x) { return apply(Function::floor, x); }
  friend Number sqrt(const Number& x) { return apply(Function::sqrt, x); }
  friend Number exp(const Number& x) { return apply(Function::exp, x); }
  friend Number expm1(const Number& x) { return apply(Function::expm1, x); }
  friend Number log(const Number& x) { return apply(Function::log, x); }
  friend Number log1p(const Number& x) { return apply(Function::log1p, x); }
  friend Number log2(const Number& x) { return apply(Function::log2, x); }
  friend Number sin(const Number& x) { return apply(Function::sin, x); }
  friend Number cos(const Number& x) { return apply(Function::cos, x); }
  friend Number tan(const Number& x) { return apply(Function::tan, x); }
  friend Number asin(const Number& x) { return apply(Function::asin, x); }
  friend Number acos(const Number& x) { return apply(Function::acos, x); }
  friend Number atan(const Number& x) { return apply(Function::atan, x); }
  friend Number sinh(const Number& x) { return apply(Function::sinh, x); }
  friend Number cosh(const Number& x) { return apply(Function::cosh, x); }
  friend Number tanh(const Number& x) { return apply(Function::tanh, x); }
  friend Number erf(const Number& x) { return apply(Function::erf, x); }
  friend Number erfc(const Number& x) { return apply(Function::erfc, x); }
  friend Number pow(const Number& x, const Number& y) { return apply(Function::pow, x, y); }
  friend Number atan2(const Number& y, const Number& x) { return apply(Function::atan2, y, x); }
  friend Number hypot(const Number& x, const Number& y) { return sqrt(x * x + y * y); }
  friend bool isnan(const Number& x) { return x != x; }
  friend bool isfinite(const Number& x) {
    return x.value_ ? x.value_->system.finite(x) : std::isfinite(x.literal_);
  }

 private:
  static Number apply(Function f, const Number& x);
  // Inline for literals, of which an explanation of a large network multiplies millions.
  static Number apply(Function f, const Number& x, const Number& y) {
    return x.value_ == nullptr && y.value_ == nullptr ? Number(evaluate(f, x.literal_, y.literal_))
                                                      : apply_in_system(f, x, y);
  }
  static Number apply_in_system(Function f, const Number& x, const Number& y);
  static std::partial_ordering compare(const Number& x, const Number& y);
  static bool equal(const Number& x, const Number& y);
  double rounded() const { return value_ ? value_->system.value(*this) : literal_; }
  void own() const {
    if (value_ != nullptr) ++value_->owners_;
  }

  const Value* value_ = nullptr;
  double literal_ = 0;
};

}  // namespace tapegrad

template <>
struct std::numeric_limits<tapegrad::Number> {
  static constexpr bool is_specialized = true;
  static tapegrad::Number infinity() { return std::numeric_limits<double>::infinity(); }
  // NOLINTNEXTLINE(readability-identifier-naming): the name is the standard library's
  static tapegrad::Number quiet_NaN() { return std::numeric_limits<double>::quiet_NaN(); }
};
