// Copies between places of different layout: permutations, slices, and gathers along an axis.
#pragma once

#include <algorithm>
#include <array>
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
  std::array<std::int64_t, Shape::max_rank> at{};
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    f(i, offset);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const auto a = static_cast<std::size_t>(axis);
      offset += strides[a];
      if (++at[a] < shape[axis]) break;
      offset -= strides[a] * shape[axis];
      at[a] = 0;
    }
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
