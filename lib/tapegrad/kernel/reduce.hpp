// Reductions over any axes: folds in a fixed, blocked order, and visits of memory in strips, so
// that no axis is walked in leaps.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
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
  bool inner_reduced = true;  // is the innermost axis reduced, or none left?

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

  /// How many elements one result is reduced from.
  std::int64_t reduced_numel() const {
    std::int64_t n = 1;
    for (std::size_t i = 0; i < reduced_count; ++i) n *= reduced[i].size;
    return n;
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

// ---- folds

/// The combination of n >= 1 terms in a fixed order, in which the rounding error of a sum grows
/// with log n, not n: halves of halves down to short runs, which are folded in eight lanes.
template <class T, class Term, class Combine>
T blocked_fold(std::int64_t n, Term term, Combine combine, std::int64_t start = 0) {
  if (n < 8) {
    T all = term(start);
    for (std::int64_t i = 1; i < n; ++i) all = combine(all, term(start + i));
    return all;
  }
  if (n <= 256) {
    std::array<T, 8> lane;
    for (std::size_t l = 0; l < 8; ++l) lane[l] = term(start + static_cast<std::int64_t>(l));
    std::int64_t i = 8;
    for (; i + 8 <= n; i += 8)
      for (std::size_t l = 0; l < 8; ++l)
        lane[l] = combine(lane[l], term(start + i + static_cast<std::int64_t>(l)));
    for (std::size_t step = 1; step < 8; step *= 2)
      for (std::size_t l = 0; l < 8; l += 2 * step) lane[l] = combine(lane[l], lane[l + step]);
    for (; i < n; ++i) lane[0] = combine(lane[0], term(start + i));
    return lane[0];
  }
  const std::int64_t half = (n / 2 + 7) / 8 * 8;
  const T first = blocked_fold<T>(half, term, combine, start);
  return combine(first, blocked_fold<T>(n - half, term, combine, start + half));
}

template <class T, class Term>
T blocked_sum(std::int64_t n, Term term) {
  return n == 0 ? T(0) : blocked_fold<T>(n, term, std::plus<>());
}

/// As many columns are folded side by side.
inline constexpr std::int64_t strip_width = 64;
template <class T>
using Columns = std::array<T, static_cast<std::size_t>(strip_width)>;

/// The same for each of `width` columns, in the same order, row by row: term(row, column).
template <class T, class Term, class Combine>
void blocked_fold_rows(std::int64_t n, std::int64_t width, T* out, Term term, Combine combine,
                       std::int64_t start = 0) {
  const auto add = [&](T* to, std::int64_t row) {
    for (std::int64_t c = 0; c < width; ++c) to[c] = combine(to[c], term(start + row, c));
  };
  const auto merge = [&](T* to, const T* from) {
    for (std::int64_t c = 0; c < width; ++c) to[c] = combine(to[c], from[c]);
  };
  if (n < 8) {
    for (std::int64_t c = 0; c < width; ++c) out[c] = term(start, c);
    for (std::int64_t row = 1; row < n; ++row) add(out, row);
  } else if (n <= 256) {
    std::array<Columns<T>, 8> lane;
    std::int64_t row = 0;
    for (Columns<T>& l : lane) {
      for (std::int64_t c = 0; c < width; ++c) l.data()[c] = term(start + row, c);
      ++row;
    }
    for (; row + 8 <= n; row += 8)
      for (std::size_t l = 0; l < 8; ++l) add(lane[l].data(), row + static_cast<std::int64_t>(l));
    for (std::size_t step = 1; step < 8; step *= 2)
      for (std::size_t l = 0; l < 8; l += 2 * step) merge(lane[l].data(), lane[l + step].data());
    std::copy_n(lane[0].data(), width, out);
    for (; row < n; ++row) add(out, row);
  } else {
    const std::int64_t half = (n / 2 + 7) / 8 * 8;
    Columns<T> second;
    blocked_fold_rows(half, width, out, term, combine, start);
    blocked_fold_rows(n - half, width, second.data(), term, combine, start + half);
    merge(out, second.data());
  }
}

// ---- strips

/// Lines of at most so many elements are walked side by side even if they follow one another: a
/// line alone costs more than its elements.
inline constexpr std::int64_t short_line = 32;

/// Up to `strip_width` neighbouring results, and all elements that belong to them: lines along the
/// innermost reduced axis, side by side, again and again at the offsets of the outer ones.
struct Strip {
  std::int64_t result;  // the first one
  std::int64_t first;   // its first element
  std::int64_t width;
  std::int64_t apart;  // from an element to its neighbour in the next column
  AxisGroup line;
  std::span<const AxisGroup> outer;

  bool empty() const {
    bool none = line.size == 0;
    for (const AxisGroup& g : outer) none = none || g.size == 0;
    return none;
  }

  /// Calls f(element, column) for an element of the first column, and its neighbours in the others.
  template <class F>
  void across(std::int64_t element, F f) const {
    if (apart == 1)
      for (std::int64_t c = 0; c < width; ++c) f(element + c, c);
    else
      for (std::int64_t c = 0; c < width; ++c) f(element + c * apart, c);
  }

  /// Calls f(element, column) for each element, in order along its column.
  template <class F>
  void for_each(F f) const {
    for_each_offset(outer, [&](std::int64_t offset) {
      offset += first;
      if (contiguous())
        for (std::int64_t i = 0; i < line.size; ++i) f(offset + i, std::int64_t{0});
      else
        for (std::int64_t i = 0; i < line.size; ++i) across(offset + i * line.stride, f);
    });
  }

  /// out[column] = the blocked fold of term(element, column). Not of an empty strip.
  template <class T, class Term, class Combine>
  void fold(T* out, Term term, Combine combine) const {
    bool begun = false;
    for_each_offset(outer, [&](std::int64_t offset) {
      Columns<T> more;
      T* to = begun ? more.data() : out;
      fold_lines(to, offset + first, term, combine);
      if (begun)
        for (std::int64_t c = 0; c < width; ++c) out[c] = combine(out[c], more.data()[c]);
      begun = true;
    });
  }

 private:
  bool contiguous() const { return width == 1 && line.stride == 1; }

  template <class T, class Term, class Combine>
  void fold_lines(T* out, std::int64_t at, Term term, Combine combine) const {
    if (contiguous())
      *out = blocked_fold<T>(
          line.size, [term, at](std::int64_t i) { return term(at + i, std::int64_t{0}); }, combine);
    else if (apart == 1)
      blocked_fold_rows(
          line.size, width, out,
          [term, at, stride = line.stride](std::int64_t row, std::int64_t c) {
            return term(at + row * stride + c, c);
          },
          combine);
    else
      blocked_fold_rows(
          line.size, width, out,
          [term, at, stride = line.stride, apart = apart](std::int64_t row, std::int64_t c) {
            return term(at + row * stride + c * apart, c);
          },
          combine);
  }
};

/// Calls f(strip) until all results are visited, in order.
template <class F>
void for_each_strip(const Split& split, F f) {
  const bool none = split.reduced_count == 0;
  const AxisGroup line = none ? AxisGroup{1, 1} : split.reduced[split.reduced_count - 1];
  const std::span outer(split.reduced.data(), none ? 0 : split.reduced_count - 1);
  // The innermost kept axis is cut into strips, unless longer lines lie behind it.
  const bool strips = !split.inner_reduced || (line.size <= short_line && split.kept_count > 0);
  const std::size_t rows = strips ? 1 : 0;
  const AxisGroup row = strips ? split.kept[split.kept_count - 1] : AxisGroup{1, 1};
  std::int64_t result = 0;
  for_each_offset({split.kept.data(), split.kept_count - rows}, [&](std::int64_t kept) {
    for (std::int64_t column = 0; column < row.size; column += strip_width)
      f(Strip{result + column, kept + column * row.stride, std::min(strip_width, row.size - column),
              row.stride, line, outer});
    result += row.size;
  });
}

/// out = the fold over the reduced axes of term(element, column), or `of_nothing`.
template <class T, class Term, class Combine>
void fold_axes(const Split& split, T* out, T of_nothing, Term term, Combine combine) {
  for_each_strip(split, [&](const Strip& s) {
    if (s.empty())
      std::fill_n(out + s.result, s.width, of_nothing);
    else
      s.fold(out + s.result, term, combine);
  });
}

/// out = sum of x over the reduced axes.
template <class T>
void sum_axes(const Split& split, const T* x, T* out) {
  fold_axes(
      split, out, T(0), [x](std::int64_t i, std::int64_t) { return x[i]; }, std::plus<>());
}

/// The larger or smaller of two numbers, or one that is NaN: for folds.
inline constexpr auto larger = [](const auto& a, const auto& b) {
  const auto& winner = b > a ? b : a;
  return b != b ? b : winner;
};
inline constexpr auto smaller = [](const auto& a, const auto& b) {
  const auto& winner = b < a ? b : a;
  return b != b ? b : winner;
};

}  // namespace tapegrad
