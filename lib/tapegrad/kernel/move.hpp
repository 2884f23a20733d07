// Copies between places of different layout: permutations, slices, and gathers along an axis.
#pragma once

#include <algorithm>
#include <array>
#include <boost/container/static_vector.hpp>
#include <cstdint>

#include "tapegrad/base/shape.hpp"
#include "tapegrad/kernel/call.hpp"

namespace tapegrad {

using Strides = std::array<std::int64_t, Shape::max_rank>;

/// Calls f(i, offset) for each index of a shape in row-major order: i counts, offset follows the
/// strides.
template <class F>
void for_each_index(const Shape& shape, const Strides& strides, F f) {
  const std::int64_t n = shape.numel();
  const int last = shape.rank() - 1;
  const std::int64_t row = last < 0 ? 1 : shape[last];
  const std::int64_t step = last < 0 ? 0 : strides[static_cast<std::size_t>(last)];
  std::array<std::int64_t, Shape::max_rank> at{};
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < n; i += row) {
    for (std::int64_t j = 0; j < row; ++j) f(i + j, offset + j * step);
    for (int axis = last - 1; axis >= 0; --axis) {
      const auto a = static_cast<std::size_t>(axis);
      offset += strides[a];
      if (++at[a] < shape[axis]) break;
      offset -= strides[a] * shape[axis];
      at[a] = 0;
    }
  }
}

/// y[i * to + j] = x[i * from + j] for i < n, j < run.
template <class T>
void copy_runs(std::int64_t n, std::int64_t run, const T* x, std::int64_t from, T* y,
               std::int64_t to) {
  constexpr std::int64_t short_run = 16, block = 64;
  if (run >= short_run) {
    for (std::int64_t i = 0; i < n; ++i) std::copy_n(x + i * from, run, y + i * to);
    return;
  }
  // The short ones side by side: a call for each would cost more than its elements.
  for (std::int64_t first = 0; first < n; first += block)
    for (std::int64_t j = 0; j < run; ++j)
      for (std::int64_t i = first; i < std::min(first + block, n); ++i)
        y[i * to + j] = x[i * from + j];
}

/// y[i * to + j] = x[i + j * from] for i < rows, j < columns: in tiles, so that what is read and
/// what is written both stay in the cache.
template <class T>
void copy_transposed(std::int64_t rows, std::int64_t columns, const T* x, std::int64_t from, T* y,
                     std::int64_t to) {
  constexpr std::int64_t tile = 16;
  for (std::int64_t i0 = 0; i0 < rows; i0 += tile)
    for (std::int64_t j0 = 0; j0 < columns; j0 += tile) {
      const std::int64_t i1 = std::min(i0 + tile, rows), j1 = std::min(j0 + tile, columns);
      for (std::int64_t i = i0; i < i1; ++i)
        for (std::int64_t j = j0; j < j1; ++j) y[i * to + j] = x[i + j * from];
    }
}

/// Copies x into a result of this shape; `from` says how far a step along each axis of the result
/// goes in x. Precondition: x holds the same elements, each once, without gaps.
template <class T>
void copy_permuted(const Shape& shape, const Strides& from, const T* x, T* y) {
  struct Loop {
    std::int64_t size, from, to;
  };
  // Innermost first. Neighbours that are neighbours in x too are one loop.
  boost::container::static_vector<Loop, Shape::max_rank> loops;
  std::int64_t to = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    const std::int64_t extent = shape[axis], step = from[static_cast<std::size_t>(axis)];
    if (extent == 1) continue;
    if (!loops.empty() && step == loops.back().from * loops.back().size)
      loops.back().size *= extent;
    else
      loops.push_back({extent, step, to});
    to *= extent;
  }
  if (to == 0) return;
  if (loops.empty()) loops.push_back({1, 1, 1});
  const auto row = std::find_if(loops.begin(), loops.end(), [](Loop l) { return l.from == 1; });
  const Loop rows = *row, columns = loops.front();
  const bool in_runs = row == loops.begin();
  loops.erase(row);
  if (!in_runs) loops.erase(loops.begin());
  std::array<std::int64_t, Shape::max_rank> at{};
  std::int64_t source = 0, place = 0;
  for (std::size_t i = 0;;) {
    if (in_runs)
      std::copy_n(x + source, rows.size, y + place);
    else
      copy_transposed(rows.size, columns.size, x + source, columns.from, y + place, rows.to);
    for (i = 0; i < loops.size(); ++i) {
      source += loops[i].from, place += loops[i].to;
      if (++at[i] < loops[i].size) break;
      source -= loops[i].from * loops[i].size, place -= loops[i].to * loops[i].size;
      at[i] = 0;
    }
    if (i == loops.size()) return;
  }
}

/// A shape seen from one axis: (outer, axis, inner).
struct AxisView {
  std::int64_t outer = 1, axis = 1, inner = 1;
  AxisView(const Shape& shape, std::int64_t which) {
    for (int i = 0; i < shape.rank(); ++i)
      (i < which ? outer : i == which ? axis : inner) *= shape[i];
  }
};

/// The elements of operand 0, one for one: for a result that may not lie inside its operand.
inline constexpr Kernel copy_kernel =
    kernel<[]<class T>(const Call& c) { std::copy_n(c.from<T>(0), c.count, c.to<T>()); }>;

}  // namespace tapegrad
