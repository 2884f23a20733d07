// Reductions over any axes: sums in a fixed, blocked order, and visits of what one result reduces.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <type_traits>

#include "tapegrad/base/shape.hpp"

namespace tapegrad {

/// What sums of a T that are not blocked are kept in: at least a double.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, T>;

/// Axes of one kind that can be walked as one.
struct AxisGroup {
  std::int64_t size, stride;
};

/// A shape split into kept and reduced axes, neighbours of one kind merged, outermost first.
struct Split {
  std::array<AxisGroup, Shape::max_rank> kept{}, reduced{};
  std::size_t kept_count = 0, reduced_count = 0;
  bool inner_reduced = false;  // is the innermost axis reduced?

  /// `axes`: ascending, each in [0, rank).
  Split(const Shape& shape, std::span<const std::int64_t> axes) {
    std::int64_t stride = 1;
    int last = -1;  // kind of the previous axis
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const std::int64_t extent = shape[axis];
      if (extent == 1) continue;
      const bool reduce = std::find(axes.begin(), axes.end(), axis) != axes.end();
      std::size_t& count = reduce ? reduced_count : kept_count;
      auto& groups = reduce ? reduced : kept;
      if (last == static_cast<int>(reduce))
        groups[count - 1].size *= extent;
      else
        groups[count++] = {extent, stride};
      if (last == -1) inner_reduced = reduce;
      last = reduce;
      stride *= extent;
    }
    std::reverse(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(kept_count));
    std::reverse(reduced.begin(), reduced.begin() + static_cast<std::ptrdiff_t>(reduced_count));
  }
};

/// Calls f(offset) for each index of the groups, the last one fastest.
template <class F>
void for_each_offset(std::span<const AxisGroup> groups, F f) {
  std::array<std::int64_t, Shape::max_rank> at{};
  for (const AxisGroup& g : groups)
    if (g.size == 0) return;
  std::int64_t offset = 0;
  for (;;) {
    f(offset);
    std::size_t i = groups.size();
    for (; i > 0; --i) {
      const AxisGroup& g = groups[i - 1];
      offset += g.stride;
      if (++at[i - 1] < g.size) break;
      offset -= g.size * g.stride;
      at[i - 1] = 0;
    }
    if (i == 0) return;
  }
}

/// For each result in order, calls f(result index, first element, split): visit its elements with
/// for_each_reduced.
template <class T, class F>
void for_each_result(const Split& split, const T* x, F f) {
  std::int64_t result = 0;
  for_each_offset({split.kept.data(), split.kept_count},
                  [&](std::int64_t offset) { f(result++, x + offset); });
}

template <class T, class F>
void for_each_reduced(const Split& split, const T* first, F f) {
  for_each_offset({split.reduced.data(), split.reduced_count},
                  [&](std::int64_t offset) { f(first[offset]); });
}

/// The sum of n elements in a fixed order whose rounding error grows with log n, not n: halves of
/// halves down to short runs, which are summed in eight lanes.
template <class T, class Term>
T blocked_sum(std::int64_t n, Term term, std::int64_t start = 0) {
  if (n < 8) {
    T sum = n > 0 ? term(start) : T(0);
    for (std::int64_t i = 1; i < n; ++i) sum += term(start + i);
    return sum;
  }
  if (n <= 256) {
    std::array<T, 8> lane;
    for (std::size_t l = 0; l < 8; ++l) lane[l] = term(start + static_cast<std::int64_t>(l));
    std::int64_t i = 8;
    for (; i + 8 <= n; i += 8)
      for (std::size_t l = 0; l < 8; ++l) lane[l] += term(start + i + static_cast<std::int64_t>(l));
    T sum =
        ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
    for (; i < n; ++i) sum += term(start + i);
    return sum;
  }
  const std::int64_t half = (n / 2 + 7) / 8 * 8;
  return blocked_sum<T>(half, term, start) + blocked_sum<T>(n - half, term, start + half);
}

/// Adds `rows` rows of `width` (at most 64) columns, `stride` apart, into `out`, halving as above.
template <class T>
void sum_rows(const T* x, std::int64_t rows, std::int64_t stride, std::int64_t width, T* out) {
  if (rows <= 16) {
    std::copy_n(x, width, out);
    for (std::int64_t r = 1; r < rows; ++r)
      for (std::int64_t c = 0; c < width; ++c) out[c] += x[r * stride + c];
    return;
  }
  std::array<T, 64> second;
  const std::int64_t half = rows / 2;
  sum_rows(x, half, stride, width, out);
  sum_rows(x + half * stride, rows - half, stride, width, second.data());
  for (std::int64_t c = 0; c < width; ++c) out[c] += second[static_cast<std::size_t>(c)];
}

/// out = sum of x over the reduced axes.
template <class T>
void sum_axes(const Split& split, const T* x, T* out) {
  for (std::size_t i = 0; i < split.reduced_count; ++i)
    if (split.reduced[i].size == 0) {
      std::int64_t results = 1;
      for (std::size_t k = 0; k < split.kept_count; ++k) results *= split.kept[k].size;
      std::fill_n(out, results, T(0));
      return;
    }
  if (split.reduced_count == 0) {  // nothing to add up: axes of extent 1
    for_each_result(split, x, [&](std::int64_t i, const T* first) { out[i] = *first; });
    return;
  }
  const AxisGroup inner = split.reduced[split.reduced_count - 1];
  const std::span<const AxisGroup> outer{split.reduced.data(), split.reduced_count - 1};
  if (split.inner_reduced || split.kept_count == 0) {
    for_each_result(split, x, [&](std::int64_t i, const T* first) {
      bool begun = false;
      for_each_offset(outer, [&](std::int64_t offset) {
        const T* run = first + offset;
        const T sum =
            blocked_sum<T>(inner.size, [&](std::int64_t j) { return run[j * inner.stride]; });
        out[i] = begun ? out[i] + sum : sum;
        begun = true;
      });
    });
    return;
  }
  // The innermost axis is kept: whole rows are added, in strips of 64 columns.
  const std::int64_t row = split.kept[split.kept_count - 1].size;
  std::int64_t result = 0;
  for_each_offset({split.kept.data(), split.kept_count - 1}, [&](std::int64_t kept) {
    for (std::int64_t column = 0; column < row; column += 64) {
      const std::int64_t width = std::min<std::int64_t>(64, row - column);
      std::array<T, 64> strip;
      bool begun = false;
      for_each_offset(outer, [&](std::int64_t offset) {
        T* to = begun ? strip.data() : out + result + column;
        sum_rows(x + kept + offset + column, inner.size, inner.stride, width, to);
        if (begun)
          for (std::int64_t c = 0; c < width; ++c)
            out[result + column + c] += strip[static_cast<std::size_t>(c)];
        begun = true;
      });
    }
    result += row;
  });
}

}  // namespace tapegrad
