// Layout: other shapes and other orders of the same elements.
#include <fmt/format.h>

#include <algorithm>
#include <boost/container/static_vector.hpp>
#include <functional>
#include <iterator>
#include <numeric>

#include "tapegrad/kernel/elementwise.hpp"
#include "tapegrad/kernel/move.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

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
  example({Shape{2, 3, 2, 2}}, {1, 3, 0, 2});  // no two neighbours stay together
  example({Shape{3, 2, 2, 2}}, {2, 3, 0, 1});  // two blocks exchanged
  example({Shape{17, 18}}, {1, 0});            // more than one tile
  example({Shape{0, 3}}, {1, 0});
}

/// ^T where the last two axes change places.
std::string permute_notation(const Operands& x) {
  Extents exchanged(x.attributes().size());
  std::iota(exchanged.begin(), exchanged.end(), std::int64_t{0});
  if (exchanged.size() >= 2) std::swap(exchanged.end()[-1], exchanged.end()[-2]);
  if (exchanged.size() >= 2 &&
      std::equal(exchanged.begin(), exchanged.end(), x.attributes().begin()))
    return "{}^T";
  return notation_with(x, fmt::format("axes {}", fmt::join(x.attributes(), ", ")));
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
      copy_permuted(*c.shape, moved, c.from<T>(0), c.to<T>());
    }>,
    .vjp =
        [](Vjp& v) {
          Extents inverse(v.attributes().size());
          for (std::size_t axis = 0; axis < inverse.size(); ++axis)
            inverse[static_cast<std::size_t>(v.attribute(axis))] = static_cast<std::int64_t>(axis);
          const Arg ybar = v.ybar;
          v.give(0, record(v.op(), {&ybar, 1}, inverse));
        },
    .sample = {uniform(-2, 2)},
    .examples = permute_examples,
    .notation_of = permute_notation,
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

/// Axes of extent 1 come and go without a word.
std::string reshape_notation(const Operands& x) {
  const auto without_ones = [](std::span<const std::int64_t> shape) {
    Extents result;
    std::copy_if(shape.begin(), shape.end(), std::back_inserter(result),
                 [](std::int64_t n) { return n != 1; });
    return result;
  };
  const Extents from = extents(x[0]);
  return without_ones(from) == without_ones(x.attributes()) ? "{}" : std::string(x.op().notation);
}

constexpr Op reshape_op = {
    .name = "reshape",
    .notation = "reshape({})",
    .kind = Kind::view,
    .shape = reshape_shape,
    .forward = copy_kernel,
    .vjp = [](Vjp& v) { v.give(0, reshape(v.ybar, v.x(0).shape())); },
    .sample = {uniform(-2, 2)},
    .examples = reshape_examples,
    .alias = [](const Operands&) -> std::int64_t { return 0; },
    .notation_of = reshape_notation,
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
    .notation_of =
        [](const Operands& x) {
          return std::string(x[0] == attributes_as_shape(x) ? "{}" : x.op().notation);
        },
};

constexpr const Op* family[] = {&permute_op, &reshape_op, &broadcast_to_op};

}  // namespace

Family layout_family() { return family; }

Tensor transpose(const Arg& x) {
  if (shape_of("transpose", x).rank() < 2)
    refuse("transpose", {&x, 1}, {}, "there are no two axes to exchange");
  return transpose(x, -2, -1);
}

Tensor transpose(const Arg& x, Axis axis, Axis other) {
  const std::int64_t a = resolve_axis("transpose", x, axis),
                     b = resolve_axis("transpose", x, other);
  Extents order;
  for (int i = 0; i < x.tensor().rank(); ++i) order.push_back(i == a ? b : i == b ? a : i);
  return record(permute_op, {&x, 1}, order);
}

Tensor permute(const Arg& x, std::initializer_list<std::int64_t> axes) {
  return permute(x, std::span<const std::int64_t>(axes.begin(), axes.size()));
}

Tensor permute(const Arg& x, std::span<const std::int64_t> axes) {
  const int rank = shape_of(permute_op.name, x).rank();
  if (static_cast<int>(axes.size()) != rank)
    refuse(permute_op.name, {&x, 1}, {},
           fmt::format("{} of {} axes are listed", axes.size(), rank));
  Extents order;
  for (std::int64_t axis : axes) {
    const std::int64_t resolved = resolve_axis(permute_op.name, x, axis);
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
  const std::int64_t have = shape_of(reshape_op.name, x).numel();
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

Tensor broadcast_to(const Arg& x, std::initializer_list<std::int64_t> extents) {
  return broadcast_to(x, shape_from(broadcast_to_op.name, x, {extents.begin(), extents.size()}));
}

Tensor flatten(const Arg& x, Axis start, Axis end) {
  const Shape shape = shape_of("flatten", x);
  if (shape.rank() == 0 && (start == 0 || start == -1) && (end == 0 || end == -1))
    return reshape(x, Shape{1});
  const std::int64_t first = resolve_axis("flatten", x, start),
                     last = resolve_axis("flatten", x, end);
  if (first > last)
    refuse("flatten", {&x, 1}, {}, fmt::format("axis {} comes behind axis {}", start, end));
  Extents result;
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (axis > first && axis <= last)
      result.back() *= shape[axis];
    else
      result.push_back(shape[axis]);
  return reshape(x, Shape(result));
}

Tensor squeeze(const Arg& x, const Axes& axes) {
  const Shape shape = shape_of("squeeze", x);
  Shape result = shape;
  if (axes.count() > shape.rank())
    refuse("squeeze", {&x, 1}, {}, fmt::format("{} axes are named", axes.count()));
  Extents dropped;
  for (int axis : axes.list()) {
    dropped.push_back(resolve_axis("squeeze", x, axis));
    if (const std::int64_t extent = shape[axis]; extent != 1)
      refuse("squeeze", {&x, 1}, {},
             fmt::format("axis {} has {} elements, and only an axis of extent 1 can go", axis,
                         extent));
  }
  for (int axis = shape.rank() - 1; axis >= 0; --axis)
    if (axes.all() ? shape[axis] == 1
                   : std::find(dropped.begin(), dropped.end(), axis) != dropped.end())
      result = result.without_axis(axis);
  return reshape(x, result);
}

Tensor unsqueeze(const Arg& x, Axis axis) {
  const Shape shape = shape_of("unsqueeze", x);
  return reshape(x, shape.with_axis(resolve_new_axis("unsqueeze", x, axis), 1));
}

Tensor tile(const Arg& x, std::initializer_list<std::int64_t> repeats) {
  const Shape shape = shape_of("tile", x);
  const int rank = std::max(shape.rank(), static_cast<int>(repeats.size()));
  if (rank > Shape::max_rank)
    refuse("tile", {&x, 1}, {}, fmt::format("{} axes are too many", repeats.size()));
  for (std::int64_t times : repeats)
    if (times < 0) refuse("tile", {&x, 1}, {}, fmt::format("{} repeats", times));
  const FrameScope frame("tile", x);
  Extents whole(static_cast<std::size_t>(rank), 1);
  std::copy_backward(shape.begin(), shape.end(), whole.end());
  Tensor result = x.tensor();
  std::int64_t run = 1;
  for (std::size_t back = 1; back <= repeats.size(); ++back) {
    const std::int64_t times = repeats.end()[-static_cast<std::ptrdiff_t>(back)];
    const auto axis = whole.end() - static_cast<std::ptrdiff_t>(back);
    run *= *axis;
    if (times == 1) continue;
    // (outer, 1, run) -> (outer, times, run)
    const std::int64_t outer =
        std::accumulate(whole.begin(), axis, std::int64_t{1}, std::multiplies<>());
    const Tensor once = reshape(result, {outer, 1, run});
    result = record(broadcast_to_op, {once}, {outer, times, run});
    *axis *= times;
    run *= times;
  }
  return reshape(result, Shape(whole));
}

}  // namespace tapegrad
