// Parts: slices of a tensor, and tensors joined into one.
#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "tapegrad/kernel/move.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

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

constexpr const Op* family[] = {&slice_op, &place_op, &concat_op};

}  // namespace

Family part_family() { return family; }

Tensor slice(const Arg& x, std::int64_t axis, std::int64_t start, std::int64_t stop,
             std::int64_t step) {
  const std::int64_t a = resolve_axis(slice_op.name, x, axis);
  if (step <= 0)
    refuse(slice_op.name, {&x, 1}, {}, fmt::format("the step {} is not positive", step));
  const std::int64_t extent = x.tensor().shape()[static_cast<int>(a)];
  const auto inside = [extent](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? i + extent : i, 0, extent);
  };
  const std::int64_t first = inside(start), last = inside(stop);
  const std::int64_t count = last > first ? 1 + (last - first - 1) / step : 0;
  return record(slice_op, {x}, {a, first, count, step});
}

Tensor place(const Arg& x, std::int64_t axis, std::int64_t start, std::int64_t step,
             std::int64_t extent) {
  return record(place_op, {x}, {axis, start, extent, step});
}

namespace {

using Parts = boost::container::small_vector<Arg, 8>;

Tensor join(std::span<const Arg> parts, std::int64_t axis, Site at) {
  if (parts.empty()) throw Error(std::string(concat_op.name), "there is nothing to join", at);
  const std::int64_t attributes[] = {resolve_axis(concat_op.name, parts[0], axis)};
  return record(concat_op, parts, attributes);
}

Tensor join_along_new_axis(std::span<const Arg> parts, std::int64_t axis, Site at) {
  if (parts.empty()) throw Error("stack", "there is nothing to join", at);
  require_one_tape("stack", parts);
  const FrameScope frame("stack", parts[0]);
  const Shape shape = shape_of("stack", parts[0]);
  if (axis < -shape.rank() - 1 || axis > shape.rank())
    refuse("stack", {parts.data(), 1}, {}, fmt::format("there is no new axis {}", axis));
  if (axis < 0) axis += shape.rank() + 1;
  Parts longer;
  for (const Arg& part : parts) {
    if (part.is_number() || shape_of("stack", part) != shape)
      refuse("stack", parts.first(std::min<std::size_t>(parts.size(), 8)), {},
             "all parts must have the same shape");
    longer.emplace_back(reshape(part, shape.with_axis(static_cast<int>(axis), 1)), part.site());
  }
  return join(longer, axis, at);
}

Parts args(std::span<const Tensor> tensors, Site at) {
  Parts result;
  for (const Tensor& tensor : tensors) result.emplace_back(tensor, at);
  return result;
}

}  // namespace

Tensor concat(std::initializer_list<Arg> parts, std::int64_t axis) {
  return join({parts.begin(), parts.size()}, axis, Site{});
}
Tensor concat(std::span<const Tensor> parts, std::int64_t axis, Site at) {
  return join(args(parts, at), axis, at);
}
Tensor stack(std::initializer_list<Arg> parts, std::int64_t axis) {
  return join_along_new_axis({parts.begin(), parts.size()}, axis, Site{});
}
Tensor stack(std::span<const Tensor> parts, std::int64_t axis, Site at) {
  return join_along_new_axis(args(parts, at), axis, at);
}

}  // namespace tapegrad
