// Loops that apply a scalar function to a range of one to three operands. Broadcasting is not seen
// here: every operand advances by a step of 0 or 1.
#pragma once

#include "tapegrad/kernel/call.hpp"

namespace tapegrad {

template <class T, auto f>
void apply_unary(const Call& c) {
  T* out = c.to<T>();
  const T* x = c.from<T>(0);
  if (c.in[0].step == 1)
    for (std::int64_t i = 0; i < c.count; ++i) out[i] = f(x[i]);
  else
    for (std::int64_t i = 0; i < c.count; ++i) out[i] = f(*x);
}

/// The four combinations of steps have loops of their own, so that each can be vectorised.
template <class T, auto f>
void apply_binary(const Call& c) {
  T* out = c.to<T>();
  const T* x = c.from<T>(0);
  const T* y = c.from<T>(1);
  const std::int64_t n = c.count;
  if (n == 1) {
    *out = f(*x, *y);
  } else if (c.in[0].step == 1 && c.in[1].step == 1) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = f(x[i], y[i]);
  } else if (c.in[0].step == 1) {
    const T b = *y;
    for (std::int64_t i = 0; i < n; ++i) out[i] = f(x[i], b);
  } else if (c.in[1].step == 1) {
    const T a = *x;
    for (std::int64_t i = 0; i < n; ++i) out[i] = f(a, y[i]);
  } else {
    const T a = *x, b = *y;
    for (std::int64_t i = 0; i < n; ++i) out[i] = f(a, b);
  }
}

/// Calls g with a function from place to element: of an operand of every element, or of one number.
template <class T, class G>
void with_elements(const Input& operand, const G& g) {
  const T* x = static_cast<const T*>(operand.data);
  if (operand.step == 1)
    g([x](std::int64_t i) { return x[i]; });
  else
    g([number = *x](std::int64_t) { return number; });
}

template <class T, auto f>
void apply_ternary(const Call& c) {
  T* out = c.to<T>();
  with_elements<T>(c.in[0], [&](auto x) {
    with_elements<T>(c.in[1], [&](auto y) {
      with_elements<T>(c.in[2], [&](auto z) {
        for (std::int64_t i = 0; i < c.count; ++i) out[i] = f(x(i), y(i), z(i));
      });
    });
  });
}

/// How many numbers a scalar function takes: one to three.
template <auto f>
consteval std::uint32_t operand_count() {
  if constexpr (requires(double x) { f(x); })
    return 1;
  else if constexpr (requires(double x) { f(x, x); })
    return 2;
  else
    return 3;
}

template <class T, auto f>
void apply(const Call& c) {
  constexpr std::uint32_t operands = operand_count<f>();
  if constexpr (operands == 1)
    apply_unary<T, f>(c);
  else if constexpr (operands == 2)
    apply_binary<T, f>(c);
  else
    apply_ternary<T, f>(c);
}

/// A kernel from a scalar function: `elementwise_kernel<[](auto x) { return x * x; }>`.
template <auto f>
inline constexpr Kernel elementwise_kernel = {&apply<float, f>, &apply<double, f>,
                                              &apply<Number, f>, operand_count<f>()};

}  // namespace tapegrad
