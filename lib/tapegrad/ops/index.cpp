// Elements chosen by an index that is itself a tensor.
#include <fmt/format.h>

#include <algorithm>
#include <boost/container/static_vector.hpp>
#include <utility>

#include "tapegrad/kernel/move.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

// ---- gather and its reverse. Attributes: [0] axis

/// Calls f(i, offset): i counts the elements of the index, offset is the element of x it selects.
template <class T, class F>
void for_each_gathered(const Shape& x, const Shape& index, const T* positions, std::int64_t axis,
                       F f) {
  Strides steps = strides(x);
  // 0 for an axis of extent 1, where the position is 0 too.
  const std::int64_t step = std::exchange(steps[static_cast<std::size_t>(axis)], 0);
  for_each_index(index, steps, [&](std::int64_t i, std::int64_t offset) {
    // No extent reaches 2^33. Beyond, and for a NaN, the conversion would be undefined.
    const bool in_range = positions[i] >= 0 && positions[i] < T(1LL << 33);
    const auto position = in_range ? static_cast<std::int64_t>(positions[i]) : -1;
    if (position < 0 || position >= x[static_cast<int>(axis)] ||
        static_cast<T>(position) != positions[i])
      throw KernelError{fmt::format("index {} is not a place on axis {}, whose extent is {}",
                                    static_cast<double>(positions[i]), axis,
                                    x[static_cast<int>(axis)])};
    f(i, offset + position * step);
  });
}

void check_index(const Operands& x, const Shape& values, const Shape& index, int axis) {
  if (values.rank() != index.rank())
    x.fail(fmt::format("x has {} axes, the index {}", values.rank(), index.rank()));
  for (int other = 0; other < index.rank(); ++other)
    if (other != axis && index[other] > values[other])
      x.fail(fmt::format("along axis {} the index has {} elements, x only {}", other, index[other],
                         values[other]));
}

constexpr Op gather_op = {
    .name = "gather",
    .notation = "gather({}, {})",
    .kind = Kind::view,
    .shape =
        [](const Operands& x) {
          check_index(x, x[0], x[1], static_cast<int>(x.attribute(0)));
          return x[1];
        },
    .forward = kernel<[]<class T>(const Call& c) {
      for_each_gathered(*c.in[0].shape, *c.in[1].shape, c.from<T>(1), c.attributes[0],
                        [&](std::int64_t i, std::int64_t x) { c.to<T>()[i] = c.from<T>(0)[x]; });
    }>,
    .vjp = [](Vjp& v) { v.give(0, scatter_add(v.ybar, v.x(1), v.attribute(0), v.x(0).shape())); },
    .sample = {uniform(-2, 2), whole(0, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{3}, Shape{4}}, {0});
          example({Shape{2, 3}, Shape{2, 1}}, {1});
          example({Shape{3, 2}, Shape{2, 2}}, {0});
        },
    .roles = {"x", "index"},
};

// Attributes: [0] axis, [1...] the extents of the result
constexpr Op scatter_add_op = {
    .name = "scatter_add",
    .notation = "scatter({}, {})",
    .kind = Kind::view,
    .shape = [](const Operands& x) { return Shape(x.attributes().subspan(1)); },
    .forward = kernel<[]<class T>(const Call& c) {
      std::fill_n(c.to<T>(), c.count, T(0));
      for_each_gathered(*c.shape, *c.in[1].shape, c.from<T>(1), c.attributes[0],
                        [&](std::int64_t i, std::int64_t x) { c.to<T>()[x] += c.from<T>(0)[i]; });
    }>,
    .vjp = [](Vjp& v) { v.give(0, gather(v.ybar, v.attribute(0), v.x(1))); },
    .sample = {uniform(-2, 2), whole(0, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{4}, Shape{4}}, {0, 3});
          example({Shape{2, 1}, Shape{2, 1}}, {1, 2, 3});
        },
    .roles = {"x", "index"},
};

constexpr const Op* family[] = {&gather_op, &scatter_add_op};

}  // namespace

Family index_family() { return family; }

Tensor scatter_add(const Arg& x, const Arg& index, std::int64_t axis, const Shape& shape) {
  boost::container::static_vector<std::int64_t, Shape::max_rank + 1> attributes{axis};
  attributes.insert(attributes.end(), shape.begin(), shape.end());
  const Arg operands[] = {x, index};
  return record(scatter_add_op, operands, attributes);
}

Tensor gather(const Arg& x, std::int64_t axis, const Arg& index) {
  return record(gather_op, {x, index}, {resolve_axis(gather_op.name, x, axis)});
}

}  // namespace tapegrad
