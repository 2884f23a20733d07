#include "tapegrad/base/shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "tapegrad/base/error.hpp"

namespace tapegrad {

Shape::Shape(std::span<const std::int64_t> extents) {
  if (extents.size() > max_rank)
    throw Error("shape", fmt::format("{} axes are more than the {} a tensor may have",
                                     extents.size(), max_rank));
  for (std::int64_t extent : extents) {
    if (extent < 0 || extent > std::numeric_limits<std::uint32_t>::max())
      throw Error("shape",
                  fmt::format("({}) has the impossible extent {}", joined(extents), extent));
    extents_[static_cast<std::size_t>(rank_++)] = static_cast<std::uint32_t>(extent);
  }
  double elements = 1;
  for (std::int64_t extent : extents) elements *= static_cast<double>(extent);
  if (elements > 0x1p62)
    throw Error("shape", fmt::format("({}) has too many elements", joined(extents)));
}

Shape Shape::with_axis(int axis, std::int64_t extent) const {
  std::array<std::int64_t, max_rank + 1> all{};
  std::copy(begin(), begin() + axis, all.begin());
  all[static_cast<std::size_t>(axis)] = extent;
  std::copy(begin() + axis, end(), all.begin() + axis + 1);
  return Shape(std::span<const std::int64_t>(all.data(), static_cast<std::size_t>(rank_ + 1)));
}

Shape Shape::without_axis(int axis) const {
  Shape result = *this;
  std::copy(begin() + axis + 1, end(), result.extents_.begin() + axis);
  result.extents_[static_cast<std::size_t>(--result.rank_)] = 0;
  return result;
}

std::string joined(std::span<const std::int64_t> numbers, std::string_view between) {
  std::string result;
  for (std::int64_t number : numbers) {
    if (!result.empty()) result += between;
    result += fmt::format_int(number).str();
  }
  return result;
}

std::string text(const Shape& shape) {
  const std::vector<std::int64_t> extents(shape.begin(), shape.end());
  return fmt::format("({})", joined(extents));
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape result = longer;
  const int lead = longer.rank() - shorter.rank();
  for (int axis = 0; axis < shorter.rank(); ++axis) {
    const std::int64_t m = longer[axis + lead], n = shorter[axis];
    if (m != n && m != 1 && n != 1) return std::nullopt;
    result.set(axis + lead, m == 1 ? n : m);
  }
  return result;
}

std::array<std::int64_t, Shape::max_rank> strides(const Shape& shape) {
  std::array<std::int64_t, Shape::max_rank> result{};
  std::int64_t step = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    result[static_cast<std::size_t>(axis)] = shape[axis] == 1 ? 0 : step;
    step *= shape[axis];
  }
  return result;
}

}  // namespace tapegrad

fmt::format_context::iterator fmt::formatter<tapegrad::Shape>::format(
    const tapegrad::Shape& shape, fmt::format_context& context) const {
  return fmt::formatter<fmt::string_view>::format(tapegrad::text(shape), context);
}
