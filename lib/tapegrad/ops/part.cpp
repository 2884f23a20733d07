// Parts: slices of a tensor, and tensors joined into one.
#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <boost/container/static_vector.hpp>

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

/// A place in the whole or in the slice, and how far behind it the next run begins.
struct SliceRuns {
  std::int64_t start, apart;
};

/// Calls f(whole, part, number of runs, length of a run) for the runs that a slice is made of: as
/// long as they can be, and as many at a time.
template <class F>
void for_each_slice_runs(const Shape& whole, const Shape& part, const std::int64_t* attributes,
                         F f) {
  const AxisView w(whole, attributes[0]), p(part, attributes[0]);
  const std::int64_t row = w.axis * w.inner, part_row = p.axis * p.inner;
  const std::int64_t start = attributes[1] * w.inner, step = attributes[3];
  if (step == 1) return f(SliceRuns{start, row}, SliceRuns{0, part_row}, w.outer, part_row);
  for (std::int64_t o = 0; o < w.outer; ++o)
    f(SliceRuns{o * row + start, step * w.inner}, SliceRuns{o * part_row, w.inner}, p.axis,
      w.inner);
}

void slice_examples(Examples& example) {
  example({Shape{5}}, {0, 1, 3, 1});
  example({Shape{5}}, {0, 0, 3, 2});
  example({Shape{4, 3}}, {0, 1, 2, 1});
  example({Shape{4, 3}}, {1, 0, 2, 2});
  example({Shape{2, 4, 3}}, {1, 1, 2, 1});
  example({Shape{4}}, {0, 2, 0, 1});
  example({Shape{5}}, {0, 4, 5, -1});  // reversed
  example({Shape{5, 2}}, {0, 4, 2, -2});
  example({Shape{2, 5}}, {1, 3, 3, -1});
  example({Shape{2, 3, 2}}, {1, 2, 3, -1});
}

/// The places as NumPy writes them: `[:, 1:3]`.
std::string places(const Operands& x, std::int64_t count) {
  const std::int64_t start = x.attribute(1), step = x.attribute(3), stop = start + count * step;
  std::string result = "[";
  for (std::int64_t axis = 0; axis < x.attribute(0); ++axis) result += ":, ";
  result += fmt::format("{}:{}", start, stop < 0 ? "" : fmt::to_string(stop));
  if (step != 1) result += fmt::format(":{}", step);
  return result + "]";
}

constexpr Op slice_op = {
    .name = "slice",
    .notation = "slice({})",
    .kind = Kind::view,
    .shape = slice_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      for_each_slice_runs(*c.in[0].shape, *c.shape, c.attributes,
                          [&](SliceRuns whole, SliceRuns part, std::int64_t n, std::int64_t run) {
                            copy_runs(n, run, c.from<T>(0) + whole.start, whole.apart,
                                      c.to<T>() + part.start, part.apart);
                          });
    }>,
    .vjp =
        [](Vjp& v) {
          const std::int64_t axis = v.attribute(0), start = v.attribute(1), step = v.attribute(3);
          const std::int64_t extent = v.x(0).shape()[static_cast<int>(axis)];
          const bool reversed = step == -1 && v.attribute(2) == extent;  // its own inverse
          v.give(0, reversed ? record(v.op(), {v.ybar}, {axis, start, extent, step})
                             : place(v.ybar, axis, start, step, extent));
        },
    .sample = {uniform(-2, 2)},
    .examples = slice_examples,
    .alias = [](const Operands& x) -> std::int64_t {
      const bool leading = x.attribute(0) == 0 && x.attribute(3) == 1 && x[0][0] > 0;
      return leading ? x.attribute(1) * (x[0].numel() / x[0][0]) : -1;
    },
    .notation_of = [](const Operands& x) { return "{}" + places(x, x.attribute(2)); },
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
      for_each_slice_runs(*c.shape, *c.in[0].shape, c.attributes,
                          [&](SliceRuns whole, SliceRuns part, std::int64_t n, std::int64_t run) {
                            copy_runs(n, run, c.from<T>(0) + part.start, part.apart,
                                      c.to<T>() + whole.start, whole.apart);
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
          example({Shape{2, 2}}, {1, 3, 5, -2});
        },
    .notation_of =
        [](const Operands& x) {
          return notation_with(x, places(x, x[0][static_cast<int>(x.attribute(0))]));
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
        copy_runs(part.outer, run, c.from<T>(i), run, c.to<T>() + start * whole.inner,
                  whole.axis * whole.inner);
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
    .notation_of = notation_along_first,
};

constexpr const Op* family[] = {&slice_op, &place_op, &concat_op};

}  // namespace

Family part_family() { return family; }

Tensor slice(const Arg& x, Axis axis, std::int64_t start, std::int64_t stop, std::int64_t step) {
  const std::int64_t a = resolve_axis(slice_op.name, x, axis);
  if (step == 0) refuse(slice_op.name, {&x, 1}, {}, "the step is 0");
  const std::int64_t extent = x.tensor().shape()[static_cast<int>(a)];
  // The place behind the last one is `extent` on the way up, and -1 on the way down.
  const std::int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? extent : extent - 1;
  const auto inside = [&](std::int64_t i) {
    return std::clamp(i < 0 ? i + extent : i, lowest, highest);
  };
  const std::int64_t first = inside(start), last = inside(stop);
  const std::int64_t count = step > 0 ? (last > first ? 1 + (last - first - 1) / step : 0)
                                      : (first > last ? 1 + (last - first + 1) / step : 0);
  return record(slice_op, {x}, {a, count > 0 ? first : 0, count, step});
}

Tensor flip(const Arg& x, const Axes& axes) {
  const int rank = shape_of("flip", x).rank();
  if (axes.count() > rank)
    refuse("flip", {&x, 1}, {}, fmt::format("{} axes are named", axes.count()));
  boost::container::static_vector<std::int64_t, Shape::max_rank> order;
  for (int axis : axes.list()) {
    order.push_back(resolve_axis("flip", x, axis));
    if (std::count(order.begin(), order.end(), order.back()) > 1)
      refuse("flip", {&x, 1}, {}, fmt::format("axis {} is named twice", axis));
  }
  if (axes.all())
    for (int axis = 0; axis < rank; ++axis) order.push_back(axis);
  const FrameScope frame("flip", x);
  Tensor result = x.tensor();
  for (std::int64_t axis : order) {
    const std::int64_t extent = result.shape()[static_cast<int>(axis)];
    result = record(slice_op, {result}, {axis, std::max<std::int64_t>(extent - 1, 0), extent, -1});
  }
  return order.empty() ? reshape(result, Shape{}) : result;
}

Tensor select(const Arg& x, Axis axis, std::int64_t index) {
  const Shape shape = shape_of("select", x);
  const std::int64_t a = resolve_axis("select", x, axis);
  const std::int64_t extent = shape[static_cast<int>(a)];
  if (index < -extent || index >= extent)
    refuse("select", {&x, 1}, {},
           fmt::format("there is no place {} on axis {}, whose extent is {}", index, axis, extent));
  const FrameScope frame("select", x);
  const Tensor kept = record(slice_op, {x}, {a, index < 0 ? index + extent : index, 1, 1});
  return reshape(kept, shape.without_axis(static_cast<int>(a)));
}

std::vector<Tensor> split(const Arg& x, std::span<const std::int64_t> sizes, Axis axis) {
  const std::int64_t a = resolve_axis("split", x, axis);
  const std::int64_t extent = shape_of("split", x)[static_cast<int>(a)];
  std::int64_t left = extent;
  bool fits = true;
  for (std::int64_t size : sizes) {
    fits = fits && size >= 0 && size <= left;
    if (fits) left -= size;
  }
  if (!fits || left != 0)
    refuse("split", {&x, 1}, {},
           fmt::format("parts of {} elements do not make up axis {}, which has {}", joined(sizes),
                       axis, extent));
  const FrameScope frame("split", x);
  std::vector<Tensor> parts;
  std::int64_t start = 0;
  for (std::int64_t size : sizes) {
    parts.push_back(record(slice_op, {x}, {a, start, size, 1}));
    start += size;
  }
  return parts;
}

std::vector<Tensor> split(const Arg& x, std::initializer_list<std::int64_t> sizes, Axis axis) {
  return split(x, std::span<const std::int64_t>(sizes.begin(), sizes.size()), axis);
}

std::vector<Tensor> split(const Arg& x, std::int64_t size, Axis axis) {
  const std::int64_t a = resolve_axis("split", x, axis);
  if (size <= 0) refuse("split", {&x, 1}, {}, fmt::format("parts of {} elements", size));
  std::vector<std::int64_t> sizes;
  std::int64_t left = shape_of("split", x)[static_cast<int>(a)];
  for (; left > size; left -= size) sizes.push_back(size);
  sizes.push_back(left);
  return split(x, sizes, axis);
}

std::vector<Tensor> chunk(const Arg& x, std::int64_t count, Axis axis) {
  const std::int64_t a = resolve_axis("chunk", x, axis);
  if (count <= 0) refuse("chunk", {&x, 1}, {}, fmt::format("{} parts", count));
  const std::int64_t extent = shape_of("chunk", x)[static_cast<int>(a)];
  return split(x, std::max<std::int64_t>(extent / count + (extent % count != 0), 1), axis);
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
  const int place = resolve_new_axis("stack", parts[0], axis);
  Parts longer;
  for (const Arg& part : parts) {
    if (part.is_number() || shape_of("stack", part) != shape)
      refuse("stack", parts.first(std::min<std::size_t>(parts.size(), 8)), {},
             "all parts must have the same shape");
    longer.emplace_back(reshape(part, shape.with_axis(place, 1)), part.site());
  }
  return join(longer, place, at);
}

Parts args(std::span<const Tensor> tensors, Site at) {
  Parts result;
  for (const Tensor& tensor : tensors) result.emplace_back(tensor, at);
  return result;
}

}  // namespace

Tensor concat(std::initializer_list<Arg> parts, Axis axis) {
  return join({parts.begin(), parts.size()}, axis, Site{});
}
Tensor concat(std::span<const Tensor> parts, Axis axis, Site at) {
  return join(args(parts, at), axis, at);
}
Tensor stack(std::initializer_list<Arg> parts, Axis axis) {
  return join_along_new_axis({parts.begin(), parts.size()}, axis, Site{});
}
Tensor stack(std::span<const Tensor> parts, Axis axis, Site at) {
  return join_along_new_axis(args(parts, at), axis, at);
}

}  // namespace tapegrad
