// Products of row-major matrices, C = op(A) op(B). Every element is a sum over the inner index in
// ascending order, whichever loop computes it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tapegrad/kernel/move.hpp"

namespace tapegrad {

/// op(A) is (m, k), op(B) is (k, n). A transposed operand is stored the other way round.
struct Product {
  std::int64_t m, n, k;
  bool left_transposed, right_transposed;
};

/// As many numbers as one instruction of every processor handles. Said outright, because compilers
/// see it in a loop over an array only by chance.
template <class T>
struct Lanes {
  using type [[gnu::vector_size(16)]] = T;
};

/// A tile of a product, some rows of some vectors each: it stays in registers. (r, q) of A is at
/// r * ar + q * aq, the rows of B and C are n apart. Precondition: k > 0.
template <std::int64_t rows, std::int64_t vectors, class T>
void multiply_tile(std::int64_t n, std::int64_t k, const T* a, std::int64_t ar, std::int64_t aq,
                   const T* b, T* c) {
  using Vector = typename Lanes<T>::type;
  constexpr std::int64_t width = sizeof(Vector) / sizeof(T);
  Vector sum[rows][vectors], right[vectors];
  for (std::int64_t s = 0; s < vectors; ++s) std::memcpy(&right[s], b + s * width, sizeof(Vector));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t s = 0; s < vectors; ++s) sum[r][s] = a[r * ar] * right[s];
  for (std::int64_t q = 1; q < k; ++q) {
    for (std::int64_t s = 0; s < vectors; ++s)
      std::memcpy(&right[s], b + q * n + s * width, sizeof(Vector));
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t s = 0; s < vectors; ++s) sum[r][s] += a[r * ar + q * aq] * right[s];
  }
  for (std::int64_t r = 0; r < rows; ++r) std::memcpy(c + r * n, sum[r], sizeof(sum[r]));
}

/// A product of at least one tile. The last tile of a row or a column of tiles reaches back into
/// the one before it, and computes the same numbers again.
template <std::int64_t rows, std::int64_t vectors, class T>
void multiply_in_tiles(const Product& p, const T* a, std::int64_t ar, std::int64_t aq, const T* b,
                       T* c) {
  constexpr std::int64_t columns = vectors * sizeof(typename Lanes<T>::type) / sizeof(T);
  for (std::int64_t i = 0; i < p.m; i += rows)
    for (std::int64_t j = 0; j < p.n; j += columns) {
      const std::int64_t row = std::min(i, p.m - rows), column = std::min(j, p.n - columns);
      multiply_tile<rows, vectors>(p.n, p.k, a + row * ar, ar, aq, b + column,
                                   c + row * p.n + column);
    }
}

/// A product of few rows and a large B: whole rows of B are added, so that memory is read in order.
template <class T>
void multiply_rows(const Product& p, const T* a, std::int64_t ar, std::int64_t aq, const T* b,
                   T* c) {
  for (std::int64_t i = 0; i < p.m; ++i) {
    T* row = c + i * p.n;
    for (std::int64_t j = 0; j < p.n; ++j) row[j] = a[i * ar] * b[j];
    for (std::int64_t q = 1; q < p.k; ++q) {
      const T x = a[i * ar + q * aq];
      for (std::int64_t j = 0; j < p.n; ++j) row[j] += x * b[q * p.n + j];
    }
  }
}

template <class T>
void multiply(const Product& p, const T* a, const T* b, T* c, T* scratch) {
  const std::int64_t m = p.m, n = p.n, k = p.k;
  if (n == 1 && p.left_transposed)  // AT b is a row bT A, which is read in order
    return multiply({1, m, k, false, false}, b, a, c, scratch);
  // (i, q) of op(A) is at i * ai + q * aq
  const std::int64_t ai = p.left_transposed ? 1 : k, aq = p.left_transposed ? m : 1;
  if (p.right_transposed && n > 1) {
    copy_transposed(k, n, b, k, scratch, n);
    b = scratch;
  }
  constexpr std::int64_t cache = 4096;  // elements of B that surely stay near
  if (m < 4 && n > 1 && k > 0 && k * n > cache) return multiply_rows(p, a, ai, aq, b, c);
  if constexpr (std::is_floating_point_v<T>) {
    constexpr std::int64_t width = sizeof(typename Lanes<T>::type) / sizeof(T);
    if (n >= width && k > 0) {
      const bool wide = n >= 2 * width;
      const auto in_tiles = m >= 4 ? wide ? multiply_in_tiles<4, 2, T> : multiply_in_tiles<4, 1, T>
                            : wide ? multiply_in_tiles<1, 2, T>
                                   : multiply_in_tiles<1, 1, T>;
      return in_tiles(p, a, ai, aq, b, c);
    }
  }
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      T sum = k > 0 ? a[i * ai] * b[j] : T(0);
      for (std::int64_t q = 1; q < k; ++q) sum += a[i * ai + q * aq] * b[q * n + j];
      c[i * n + j] = sum;
    }
}

/// Computes anew the elements of a product that are NaN, leaving out the terms in which an adjoint
/// that is exactly zero meets a factor that is not finite (the cut of op `times`).
template <class T>
void cut_product(const Product& p, const T* a, const T* b, bool left_is_adjoint, T* c) {
  using std::isfinite, std::isnan;
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) {
      if (!isnan(c[i * p.n + j])) continue;
      T sum = 0;
      for (std::int64_t q = 0; q < p.k; ++q) {
        const T x = a[p.left_transposed ? q * p.m + i : i * p.k + q];
        const T y = b[p.right_transposed ? j * p.k + q : q * p.n + j];
        if (left_is_adjoint ? (x == 0 && !isfinite(y)) : (y == 0 && !isfinite(x))) continue;
        sum += x * y;
      }
      c[i * p.n + j] = sum;
    }
}

}  // namespace tapegrad
