// Derivatives by a step in the imaginary direction, where nothing cancels.
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include "tapegrad/kernel/number_system.hpp"
#include "tapegrad/kernel/number_systems.hpp"

namespace tapegrad {
namespace {

using Complex = std::complex<double>;

constexpr double step = 1e-100;
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

struct Stepped {
  Complex z;

  Stepped(double real, double imaginary) : z(real, imaginary) {}
  explicit Stepped(double literal) : z(literal) {}
  explicit operator double() const { return z.real(); }
  friend bool operator<(const Stepped& x, const Stepped& y) { return x.z.real() < y.z.real(); }
  friend bool operator>(const Stepped& x, const Stepped& y) { return x.z.real() > y.z.real(); }
  friend bool operator==(const Stepped& x, const Stepped& y) { return x.z.real() == y.z.real(); }
  friend bool isfinite(const Stepped& x) { return std::isfinite(x.z.real()); }
};

/// 2 / sqrt(pi) exp(-x^2), for steps in erf, which std::complex does not have.
double bell(double x) { return 2 * std::numbers::inv_sqrtpi * std::exp(-x * x); }

/// The imaginary part of f(z), for a z close to the real axis, inside the domain of f.
double imaginary(Function f, const Complex& z) {
  const double x = z.real(), dx = z.imag();
  switch (f) {
    case Function::negate:
      return -dx;
    case Function::abs:
      return x > 0 ? dx : x < 0 ? -dx : 0;
    case Function::sqrt:
      return sqrt(z).imag();
    case Function::exp:
    case Function::expm1:
      return exp(z).imag();
    case Function::log:
      return log(z).imag();
    case Function::log1p:
      return log(1.0 + z).imag();
    case Function::log2:
      return log(z).imag() / std::numbers::ln2;
    case Function::sin:
      return sin(z).imag();
    case Function::cos:
      return cos(z).imag();
    case Function::tan:
      return tan(z).imag();
    case Function::asin:
      return asin(z).imag();
    case Function::acos:
      return acos(z).imag();
    case Function::atan:
      return atan(z).imag();
    case Function::sinh:
      return sinh(z).imag();
    case Function::cosh:
      return cosh(z).imag();
    case Function::tanh:
      return tanh(z).imag();
    case Function::erf:
      return bell(x) * dx;
    case Function::erfc:
      return -bell(x) * dx;
    default:  // floor
      return 0;
  }
}

/// Where x is negative, y must be whole: (-1)^y (-x)^y.
double imaginary_pow(const Complex& x, const Complex& y) {
  if (x.real() >= 0) return pow(x, y).imag();
  if (y.imag() != 0) return not_a_number;
  const double sign = std::fmod(y.real(), 2) == 0 ? 1 : -1;
  return sign * pow(-x, y).imag();
}

double imaginary(Function f, const Complex& x, const Complex& y) {
  switch (f) {
    case Function::add:
      return (x + y).imag();
    case Function::subtract:
      return (x - y).imag();
    case Function::multiply:
      return (x * y).imag();
    case Function::divide:
      return (x / y).imag();
    case Function::pow:
      return imaginary_pow(x, y);
    default:  // atan2, up to a real constant
      return atan(x / y).imag();
  }
}

// The real part is that of doubles: the step is too short to be seen in it, and a function of
// complex numbers is less exact, and defined where a real one is not.

Stepped evaluate(Function f, const Stepped& x) {
  const double y = tapegrad::evaluate(f, x.z.real());
  return {y, x.z.imag() == 0 ? 0 : std::isnan(y) ? y : imaginary(f, x.z)};
}

Stepped evaluate(Function f, const Stepped& x, const Stepped& y) {
  const double z = tapegrad::evaluate(f, x.z.real(), y.z.real());
  const bool constant = x.z.imag() == 0 && y.z.imag() == 0;
  return {z, constant ? 0 : std::isnan(z) ? z : imaginary(f, x.z, y.z)};
}

class ComplexStep final : public NumberSystemOf<Stepped, DualSystem> {
 public:
  Number dual(const Number& value, const Number& derivative) const override {
    return make({static_cast<double>(value), step * static_cast<double>(derivative)});
  }
  Number derivative(const Number& x) const override { return content(x).z.imag() / step; }
};

}  // namespace

const DualSystem& complex_step() {
  static const ComplexStep system;
  return system;
}

}  // namespace tapegrad
