#include "tapegrad/ops/reduce.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/ops.hpp"

namespace tapegrad {

ReductionAttributes reduction_attributes(std::string_view name, const Arg& x, const Axes& axes,
                                         bool keep) {
  const int rank = shape_of(name, x).rank();
  ReductionAttributes attributes{keep};
  if (axes.count() > rank)
    refuse(name, {&x, 1}, {}, fmt::format("{} axes are named", axes.count()));
  if (axes.all()) {
    for (int axis = 0; axis < rank; ++axis) attributes.push_back(axis);
  } else {
    for (int axis : axes.list()) {
      const std::int64_t resolved = resolve_axis(name, x, axis);
      if (std::find(attributes.begin() + 1, attributes.end(), resolved) != attributes.end())
        refuse(name, {&x, 1}, {}, fmt::format("axis {} is named twice", axis));
      attributes.push_back(resolved);
    }
    std::sort(attributes.begin() + 1, attributes.end());
  }
  return attributes;
}

Tensor reduce(const Op& op, const Arg& x, const Axes& axes, bool keep) {
  return record(op, {&x, 1}, reduction_attributes(op.name, x, axes, keep));
}

Shape reduced_shape(const Shape& x, std::span<const std::int64_t> axes, bool keep) {
  Shape result = x;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    if (keep)
      result.set(static_cast<int>(*axis), 1);
    else
      result = result.without_axis(static_cast<int>(*axis));
  }
  return result;
}

Shape reduce_shape(const Operands& x) {
  return reduced_shape(x[0], axes_of(x.attributes()), x.attribute(0) != 0);
}

std::string reduction_notation(const Operands& x) {
  return notation_along(x, axes_of(x.attributes()));
}

Shape reduce_non_empty(const Operands& x) {
  for (std::int64_t axis : axes_of(x.attributes()))
    if (x[0][static_cast<int>(axis)] == 0)
      x.fail(fmt::format("axis {} is empty: there is nothing to choose from", axis));
  return reduce_shape(x);
}

/// The number of axes is not among a kernel's attributes; it is told by the two shapes. Without
/// keepdim it is their difference; with it, all listed axes have extent 1 in the result.
Split split(const Call& c) {
  const Shape& x = *c.in[0].shape;
  std::array<std::int64_t, Shape::max_rank> axes{};
  std::size_t count = 0;
  if (c.attributes[0] != 0) {
    for (int axis = 0; axis < x.rank(); ++axis)
      if (x[axis] != (*c.shape)[axis]) axes[count++] = axis;
  } else {
    count = static_cast<std::size_t>(x.rank() - c.shape->rank());
    std::copy_n(c.attributes + 1, count, axes.begin());
  }
  return Split(x, {axes.data(), count});
}

Tensor spread(const Vjp& v, const Arg& t) {
  const Shape x = v.x(0).shape();
  const Shape kept = reduced_shape(x, axes_of(v.attributes()), true);
  const Tensor column = t.tensor().shape() == kept ? t.tensor() : reshape(t, kept);
  return x == kept ? column : broadcast_to(column, x);
}

void reduction_examples(Examples& example) {
  example({Shape{}}, {0});
  example({Shape{3}}, {0, 0});
  example({Shape{2, 3}}, {0, 0, 1});
  example({Shape{2, 3}}, {1, 0});
  example({Shape{2, 3}}, {0, 1});
  example({Shape{2, 3, 4}}, {0, 1});
  example({Shape{2, 3, 4}}, {1, 0, 2});
  example({Shape{2, 1, 3}}, {0, 1});
  example({Shape{20, 3}}, {0, 0});
  example({Shape{2, 2, 2, 2, 2}}, {0, 1, 3});
}

void reduction_examples_with_empty(Examples& example) {
  reduction_examples(example);
  example({Shape{2, 0}}, {0, 0});
  example({Shape{0, 2}}, {0, 0});
}

}  // namespace tapegrad
