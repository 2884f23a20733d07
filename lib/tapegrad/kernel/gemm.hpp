// Products of row-major matrices, C = op(A) op(B). Every element is a sum over the inner index in
// ascending order, whichever loop computes it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tapegrad/kernel/move.hpp"

namespace tapegrad {

/// op(A) is (m, k), op(B) is (k, n). A transposed operand is stored the other way round.
struct Product {
  std::int64_t m, n, k;
  bool left_transposed, right_transposed;
};

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
  constexpr std::int64_t rows = 4, columns = 8;
  const auto edge = [&](std::int64_t i0, std::int64_t i1, std::int64_t j0, std::int64_t j1) {
    for (std::int64_t i = i0; i < i1; ++i)
      for (std::int64_t j = j0; j < j1; ++j) {
        T sum = k > 0 ? a[i * ai] * b[j] : T(0);
        for (std::int64_t q = 1; q < k; ++q) sum += a[i * ai + q * aq] * b[q * n + j];
        c[i * n + j] = sum;
      }
  };
  const std::int64_t whole_rows = k > 0 ? m / rows * rows : 0,
                     whole_columns = n / columns * columns;
  for (std::int64_t i = 0; i < whole_rows; i += rows) {
    for (std::int64_t j = 0; j < whole_columns; j += columns) {
      T sum[rows][columns];
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t s = 0; s < columns; ++s) sum[r][s] = a[(i + r) * ai] * b[j + s];
      for (std::int64_t q = 1; q < k; ++q)
        for (std::int64_t r = 0; r < rows; ++r) {
          const T x = a[(i + r) * ai + q * aq];
          for (std::int64_t s = 0; s < columns; ++s) sum[r][s] += x * b[q * n + j + s];
        }
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t s = 0; s < columns; ++s) c[(i + r) * n + j + s] = sum[r][s];
    }
    edge(i, i + rows, whole_columns, n);
  }
  if (n < columns || k == 0) return edge(whole_rows, m, 0, n);
  // The last rows, often the only one: whole rows of B are added, so that memory is read in order.
  for (std::int64_t i = whole_rows; i < m; ++i) {
    T* row = c + i * n;
    for (std::int64_t j = 0; j < n; ++j) row[j] = a[i * ai] * b[j];
    for (std::int64_t q = 1; q < k; ++q) {
      const T x = a[i * ai + q * aq];
      for (std::int64_t j = 0; j < n; ++j) row[j] += x * b[q * n + j];
    }
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
