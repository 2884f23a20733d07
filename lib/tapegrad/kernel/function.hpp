// The functions that kernels are made of, and how a type with the usual operators computes them.
#pragma once

#include <cmath>
#include <cstdint>

namespace tapegrad {

/// What kernels may compute with beside comparisons. Written with `using std::exp; exp(x)`.
enum class Function : std::uint8_t {
  add,
  subtract,
  multiply,
  divide,
  pow,
  atan2,  // of two numbers
  negate,
  abs,
  floor,
  sqrt,
  exp,
  expm1,
  log,
  log1p,
  log2,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  erf,
  erfc,
};

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

}  // namespace tapegrad
