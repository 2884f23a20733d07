// Shape and place: what moves elements without changing them, and what stops or records a flow.
#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <boost/container/static_vector.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "tapegrad/kernel/elementwise.hpp"
#include "tapegrad/kernel/move.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

using Axis = std::int64_t;
using Extents = boost::container::static_vector<std::int64_t, Shape::max_rank>;

Extents extents(const Shape& shape) { return {shape.begin(), shape.end()}; }

// ---- permute. Attributes: for each axis of the result, the operand's axis

Shape permute_shape(const Operands& x) {
  Shape result = x[0];
  for (int axis = 0; axis < result.rank(); ++axis)
    result.set(axis, x[0][static_cast<int>(x.attribute(static_cast<std::size_t>(axis)))]);
  return result;
}

void permute_examples(Examples& example) {
  example({Shape{}}, {});
  example({Shape{2, 3}}, {1, 0});
  example({Shape{2, 3, 4}}, {2, 0, 1});  // not its own inverse
  example({Shape{2, 3, 4}}, {0, 2, 1});
  example({Shape{2, 1, 3, 2}}, {3, 1, 0, 2});
  example({Shape{0, 3}}, {1, 0});
}

constexpr Op permute_op = {
    .name = "permute",
    .notation = "permute({})",
    .kind = Kind::view,
    .shape = permute_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      const Strides from = strides(*c.in[0].shape);
      Strides moved{};
      for (std::size_t axis = 0; axis < static_cast<std::size_t>(c.shape->rank()); ++axis)
        moved[axis] = from[static_cast<std::size_t>(c.attributes[axis])];
      for_each_index(*c.shape, moved,
                     [&](std::int64_t i, std::int64_t x) { c.to<T>()[i] = c.from<T>(0)[x]; });
    }>,
    .vjp =
        [](Vjp& v) {
          Extents inverse(v.attributes().size());
          for (std::size_t axis = 0; axis < inverse.size(); ++axis)
            inverse[static_cast<std::size_t>(v.attribute(axis))] = static_cast<Axis>(axis);
          const Arg ybar = v.ybar;
          v.give(0, record(v.op(), {&ybar, 1}, inverse));
        },
    .sample = {uniform(-2, 2)},
    .examples = permute_examples,
};

// ---- reshape. Attributes: the extents

Shape attributes_as_shape(const Operands& x) { return Shape(x.attributes()); }

Shape reshape_shape(const Operands& x) {
  const Shape result = attributes_as_shape(x);
  if (result.numel() != x[0].numel())
    x.fail(fmt::format("{} elements do not fit into {}, which has {}", x[0].numel(), text(result),
                       result.numel()));
  return result;
}

void reshape_examples(Examples& example) {
  example({Shape{}}, {1, 1});
  example({Shape{2, 3}}, {3, 2});
  example({Shape{2, 3}}, {6});
  example({Shape{0, 3}}, {3, 0});
}

constexpr Op reshape_op = {
    .name = "reshape",
    .notation = "reshape({})",
    .kind = Kind::view,
    .shape = reshape_shape,
    .forward = no_kernel,
    .vjp = [](Vjp& v) { v.give(0, reshape(v.ybar, v.x(0).shape())); },
    .sample = {uniform(-2, 2)},
    .examples = reshape_examples,
    .alias = [](const Operands&) -> std::int64_t { return 0; },
};

// ---- broadcast_to. Attributes: the extents

Shape broadcast_to_shape(const Operands& x) {
  const Shape result = attributes_as_shape(x);
  const auto common = broadcast(x[0], result);
  if (!common || *common != result)
    x.fail(fmt::format("cannot be stretched to {}", text(result)),
           "aligned at the last axis, only extents of 1 stretch");
  return result;
}

void broadcast_to_examples(Examples& example) {
  example({Shape{}}, {2, 3});
  example({Shape{3}}, {2, 3});
  example({Shape{2, 1}}, {2, 3});
  example({Shape{2, 1, 3}}, {2, 2, 2, 3});
  example({Shape{1}}, {0});
}

constexpr Op broadcast_to_op = {
    .name = "broadcast_to",
    .notation = "broadcast({})",
    .kind = Kind::elementwise,
    .shape = broadcast_to_shape,
    .forward = elementwise_kernel<[](auto x) { return x; }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar); },
    .sample = {uniform(-2, 2)},
    .examples = broadcast_to_examples,
};

// ---- slice. Attributes: [0] axis, [1] start, [2] extent of the result, [3] step

Shape slice_shape(const Operands& x) {
  Shape result = x[0];
  result.set(static_cast<int>(x.attribute(0)), x.attribute(2));
  return result;
}

/// Calls f(offset in the whole, offset in the slice, run) for the runs that a slice is made of.
template <class F>
void for_each_slice_run(const Shape& whole, const Shape& part, const std::int64_t* attributes,
                        F f) {
  const AxisView w(whole, attributes[0]), p(part, attributes[0]);
  for (std::int64_t o = 0; o < w.outer; ++o)
    for (std::int64_t a = 0; a < p.axis; ++a)
      f((o * w.axis + attributes[1] + a * attributes[3]) * w.inner, (o * p.axis + a) * w.inner,
        w.inner);
}

void slice_examples(Examples& example) {
  example({Shape{5}}, {0, 1, 3, 1});
  example({Shape{5}}, {0, 0, 3, 2});
  example({Shape{4, 3}}, {0, 1, 2, 1});
  example({Shape{4, 3}}, {1, 0, 2, 2});
  example({Shape{2, 4, 3}}, {1, 1, 2, 1});
  example({Shape{4}}, {0, 2, 0, 1});
}

constexpr Op slice_op = {
    .name = "slice",
    .notation = "slice({})",
    .kind = Kind::view,
    .shape = slice_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      for_each_slice_run(*c.in[0].shape, *c.shape, c.attributes,
                         [&](std::int64_t whole, std::int64_t part, std::int64_t n) {
                           std::copy_n(c.from<T>(0) + whole, n, c.to<T>() + part);
                         });
    }>,
    .vjp =
        [](Vjp& v) {
          v.give(0, place(v.ybar, v.attribute(0), v.attribute(1), v.attribute(3),
                          v.x(0).shape()[static_cast<int>(v.attribute(0))]));
        },
    .sample = {uniform(-2, 2)},
    .examples = slice_examples,
    .alias = [](const Operands& x) -> std::int64_t {
      const bool leading = x.attribute(0) == 0 && x.attribute(3) == 1 && x[0][0] > 0;
      return leading ? x.attribute(1) * (x[0].numel() / x[0][0]) : -1;
    },
};

// ---- place: the reverse of a slice, zeros elsewhere. Attributes: [0] axis, [1] start, [2] extent,
// [3] step

constexpr Op place_op = {
    .name = "place",
    .notation = "place({})",
    .kind = Kind::view,
    .shape = slice_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      std::fill_n(c.to<T>(), c.count, T(0));
      for_each_slice_run(*c.shape, *c.in[0].shape, c.attributes,
                         [&](std::int64_t whole, std::int64_t part, std::int64_t n) {
                           std::copy_n(c.from<T>(0) + part, n, c.to<T>() + whole);
                         });
    }>,
    .vjp =
        [](Vjp& v) {
          const std::int64_t extent = v.x(0).shape()[static_cast<int>(v.attribute(0))];
          v.give(0, record(slice_op, {v.ybar},
                           {v.attribute(0), v.attribute(1), extent, v.attribute(3)}));
        },
    .sample = {uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{3}}, {0, 1, 5, 1});
          example({Shape{3}}, {0, 0, 5, 2});
          example({Shape{2, 3}}, {1, 1, 4, 1});
        },
};

// ---- concat. Attributes: [0] axis

Shape concat_shape(const Operands& x) {
  const int axis = static_cast<int>(x.attribute(0));
  Shape result = x[0];
  for (std::size_t i = 1; i < x.size(); ++i) {
    if (x[i].rank() != result.rank())
      x.fail(fmt::format("part 0 has {} axes, part {} has {}", result.rank(), i, x[i].rank()));
    for (int other = 0; other < result.rank(); ++other)
      if (other != axis && x[i][other] != x[0][other])
        x.fail(
            fmt::format("along axis {}, part 0 has {} elements, part {} has {}: only axis {} may "
                        "differ",
                        other, x[0][other], i, x[i][other], axis));
    result.set(axis, result[axis] + x[i][axis]);
  }
  return result;
}

constexpr Op concat_op = {
    .name = "concat",
    .notation = "concat({...})",
    .kind = Kind::view,
    .shape = concat_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      const AxisView whole(*c.shape, c.attributes[0]);
      std::int64_t start = 0;
      for (std::size_t i = 0; i < c.inputs; ++i) {
        const AxisView part(*c.in[i].shape, c.attributes[0]);
        const std::int64_t run = part.axis * part.inner;
        for (std::int64_t o = 0; o < part.outer; ++o)
          std::copy_n(c.from<T>(i) + o * run, run,
                      c.to<T>() + (o * whole.axis + start) * whole.inner);
        start += part.axis;
      }
    }>,
    .vjp =
        [](Vjp& v) {
          std::int64_t start = 0;
          for (std::size_t i = 0; i < v.size(); ++i) {
            const std::int64_t extent = v.x(i).shape()[static_cast<int>(v.attribute(0))];
            if (v.wants(i))
              v.give(i, record(slice_op, {v.ybar}, {v.attribute(0), start, extent, 1}));
            start += extent;
          }
        },
    .sample = {uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{2}, Shape{3}}, {0});
          example({Shape{2, 1}, Shape{2, 3}, Shape{2, 2}}, {1});
          example({Shape{1, 3}, Shape{2, 3}}, {0});
          example({Shape{0, 3}, Shape{2, 3}}, {0});
        },
};

// ---- gather and its reverse. Attributes: [0] axis; scatter_add: [1] extent of the result along it

/// Calls f(i, offset): i counts the elements of the index, offset is the element of x it selects.
template <class T, class F>
void for_each_gathered(const Shape& x, const Shape& index, const T* positions, std::int64_t axis,
                       F f) {
  Strides steps = strides(x);
  const std::int64_t step =
      [&] {  // strides() gives 0 for an axis of extent 1, where the position is 0 too
        return steps[static_cast<std::size_t>(axis)];
      }();
  steps[static_cast<std::size_t>(axis)] = 0;
  for_each_index(index, steps, [&](std::int64_t i, std::int64_t offset) {
    const auto position = static_cast<std::int64_t>(positions[i]);
    if (position < 0 || position >= x[static_cast<int>(axis)] ||
        static_cast<T>(position) != positions[i])
      throw KernelError{fmt::format("index {} is not a place on axis {}, whose extent is {}",
                                    positions[i], axis, x[static_cast<int>(axis)])};
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

// ---- flow

constexpr Op detach_op = {
    .name = "detach",
    .notation = "detach({})",
    .kind = Kind::view,
    .shape = same_as_operand,
    .forward = no_kernel,
    .vjp = no_gradient,
    .sample = {uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{2, 3}});
        },
    .alias = [](const Operands&) -> std::int64_t { return 0; },
};

constexpr Op assign_op = {
    .name = "assign",
    .notation = "{} := {}",
    .kind = Kind::effect,
    .shape =
        [](const Operands& x) {
          if (x[0] != x[1]) x.fail("a leaf takes values of its own shape only");
          return x[0];
        },
    .forward =
        kernel<[]<class T>(const Call& c) { std::copy_n(c.from<T>(1), c.count, c.to<T>()); }>,
    .vjp = no_gradient,
    .sample = {uniform(-2, 2), uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{2, 3}, Shape{2, 3}});
        },
    .roles = {"leaf", "value"},
};

constexpr const Op* family[] = {&permute_op, &reshape_op, &broadcast_to_op, &slice_op,  &place_op,
                                &concat_op,  &gather_op,  &scatter_add_op,  &detach_op, &assign_op};

}  // namespace

Family movement_family() { return family; }

std::int64_t resolve_axis(const Op& op, const Arg& x, std::int64_t axis) {
  const Shape shape = x.is_number() ? Shape{} : x.tensor().shape(x.site());
  if (axis < -shape.rank() || axis >= shape.rank())
    refuse(op.name, {&x, 1}, {}, fmt::format("there is no axis {}", axis));
  return axis < 0 ? axis + shape.rank() : axis;
}

void refuse(std::string_view name, std::span<const Arg> operands,
            std::span<const std::string_view> roles, std::string text, std::string hint) {
  const Recording& recording = recording_of(name, operands);
  std::vector<Error::Operand> described;
  std::string shapes;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    std::string role(i < roles.size() ? roles[i] : "operand");
    Error::Operand o{std::move(role), fmt::format("{}", operands[i].number()), Shape{},
                     operands[i].site()};
    if (!operands[i].is_number())
      o = recording.describe(recording.id_of(operands[i].tensor(), name, operands[i].site()),
                             o.role);
    shapes += (i == 0 ? "" : " and ") + tapegrad::text(o.shape);
    described.push_back(std::move(o));
  }
  throw Error(std::string(name), fmt::format("{}: {}", shapes, text), std::move(described),
              recording.blame(operands[0].site()), std::move(hint));
}

Tensor transpose(const Arg& x) {
  if (x.is_number() || x.tensor().rank(x.site()) < 2)
    refuse("transpose", {&x, 1}, {}, "there are no two axes to exchange");
  return transpose(x, -2, -1);
}

Tensor transpose(const Arg& x, std::int64_t axis, std::int64_t other) {
  const Axis a = resolve_axis(permute_op, x, axis), b = resolve_axis(permute_op, x, other);
  Extents order;
  for (int i = 0; i < x.tensor().rank(); ++i) order.push_back(i == a ? b : i == b ? a : i);
  return record(permute_op, {&x, 1}, order);
}

Tensor permute(const Arg& x, std::initializer_list<std::int64_t> axes) {
  const int rank = x.is_number() ? 0 : x.tensor().rank(x.site());
  if (static_cast<int>(axes.size()) != rank)
    refuse(permute_op.name, {&x, 1}, {}, fmt::format("{} axes are listed", axes.size()));
  Extents order;
  for (Axis axis : axes) {
    const Axis resolved = resolve_axis(permute_op, x, axis);
    if (std::find(order.begin(), order.end(), resolved) != order.end())
      refuse(permute_op.name, {&x, 1}, {}, fmt::format("axis {} is named twice", axis));
    order.push_back(resolved);
  }
  return record(permute_op, {&x, 1}, order);
}

Tensor reshape(const Arg& x, const Shape& shape) {
  return record(reshape_op, {&x, 1}, extents(shape));
}

Tensor reshape(const Arg& x, std::initializer_list<std::int64_t> extents) {
  const std::int64_t have = x.is_number() ? 1 : x.tensor().numel(x.site());
  std::int64_t known = 1;
  int open = 0;
  for (std::int64_t extent : extents) (extent == -1 ? (++open, known) : known *= extent);
  if (open > 1) refuse(reshape_op.name, {&x, 1}, {}, "more than one extent is -1");
  if (open == 1 && (known <= 0 || have % known != 0))
    refuse(
        reshape_op.name, {&x, 1}, {},
        fmt::format("{} elements do not divide by {}, so no extent can stand for -1", have, known));
  if (extents.size() > Shape::max_rank)
    refuse(reshape_op.name, {&x, 1}, {}, fmt::format("{} axes are too many", extents.size()));
  Extents whole;
  for (std::int64_t extent : extents) whole.push_back(extent == -1 ? have / known : extent);
  return record(reshape_op, {&x, 1}, whole);
}

Tensor broadcast_to(const Arg& x, const Shape& shape) {
  return record(broadcast_to_op, {&x, 1}, extents(shape));
}

Tensor slice(const Arg& x, std::int64_t axis, std::int64_t start, std::int64_t stop,
             std::int64_t step) {
  const Axis a = resolve_axis(slice_op, x, axis);
  if (step <= 0)
    refuse(slice_op.name, {&x, 1}, {}, fmt::format("the step {} is not positive", step));
  const std::int64_t extent = x.tensor().shape()[static_cast<int>(a)];
  const auto inside = [extent](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? i + extent : i, 0, extent);
  };
  const std::int64_t first = inside(start), last = inside(stop);
  const std::int64_t count = last > first ? (last - first + step - 1) / step : 0;
  return record(slice_op, {x}, {a, first, count, step});
}

Tensor place(const Arg& x, std::int64_t axis, std::int64_t start, std::int64_t step,
             std::int64_t extent) {
  return record(place_op, {x}, {axis, start, extent, step});
}

Tensor scatter_add(const Arg& x, const Arg& index, std::int64_t axis, const Shape& shape) {
  boost::container::static_vector<std::int64_t, Shape::max_rank + 1> attributes{axis};
  attributes.insert(attributes.end(), shape.begin(), shape.end());
  const Arg operands[] = {x, index};
  return record(scatter_add_op, operands, attributes);
}

namespace {

using Parts = boost::container::small_vector<Arg, 8>;

Tensor join(std::span<const Arg> parts, std::int64_t axis) {
  if (parts.empty()) throw Error(std::string(concat_op.name), "there is nothing to join");
  const std::int64_t attributes[] = {resolve_axis(concat_op, parts[0], axis)};
  return record(concat_op, parts, attributes);
}

Tensor join_along_new_axis(std::span<const Arg> parts, std::int64_t axis) {
  if (parts.empty()) throw Error("stack", "there is nothing to join");
  const FrameScope frame("stack", parts[0]);
  const Shape shape = parts[0].tensor().shape(parts[0].site());
  if (axis < -shape.rank() - 1 || axis > shape.rank())
    refuse("stack", {parts.data(), 1}, {}, fmt::format("there is no new axis {}", axis));
  if (axis < 0) axis += shape.rank() + 1;
  Parts longer;
  for (const Arg& part : parts) {
    if (part.is_number() || part.tensor().shape(part.site()) != shape)
      refuse("stack", parts.first(std::min<std::size_t>(parts.size(), 8)), {},
             "all parts must have the same shape");
    longer.emplace_back(reshape(part, shape.with_axis(static_cast<int>(axis), 1)), part.site());
  }
  return join(longer, axis);
}

Parts args(std::span<const Tensor> tensors, Site at) {
  Parts result;
  for (const Tensor& tensor : tensors) result.emplace_back(tensor, at);
  return result;
}

}  // namespace

Tensor concat(std::initializer_list<Arg> parts, std::int64_t axis) {
  return join({parts.begin(), parts.size()}, axis);
}
Tensor concat(std::span<const Tensor> parts, std::int64_t axis, Site at) {
  return join(args(parts, at), axis);
}
Tensor stack(std::initializer_list<Arg> parts, std::int64_t axis) {
  return join_along_new_axis({parts.begin(), parts.size()}, axis);
}
Tensor stack(std::span<const Tensor> parts, std::int64_t axis, Site at) {
  return join_along_new_axis(args(parts, at), axis);
}

Tensor gather(const Arg& x, std::int64_t axis, const Arg& index) {
  return record(gather_op, {x, index}, {resolve_axis(gather_op, x, axis)});
}

Tensor detach(const Arg& x) { return record(detach_op, {x}); }

Tensor assign(const Tensor& leaf, const Arg& value) {
  const Arg operands[] = {Arg(leaf, value.site()), value};
  Recording& recording = recording_of(assign_op.name, operands);
  const Id id = recording.id_of(leaf, assign_op.name, value.site());
  constexpr std::string_view roles[] = {"leaf", "value"};
  if (!recording.is(id, LeafKind::state) && !recording.is(id, LeafKind::parameter))
    refuse(assign_op.name, operands, roles, "only state and parameter leaves can be assigned to",
           "make it with tape.state(...)");
  const Tensor update = record(assign_op, operands);
  recording.pend(recording.id_of(update, assign_op.name, value.site()));
  return update;
}

}  // namespace tapegrad
