// Elements chosen by an index that is itself a tensor.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/container/static_vector.hpp>
#include <iterator>
#include <utility>

#include "tapegrad/kernel/move.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

/// The place that an element of an index names.
template <class T>
std::int64_t place_of(const T& number, std::int64_t axis, std::int64_t extent) {
  // No extent reaches 2^33. Beyond, and for a NaN, the conversion would be undefined.
  const bool in_range = number >= 0 && number < T(1LL << 33);
  const auto place = in_range ? static_cast<std::int64_t>(number) : -1;
  if (place < 0 || place >= extent || static_cast<T>(place) != number)
    throw KernelError{fmt::format("index {} is not a place on axis {}, whose extent is {}",
                                  static_cast<double>(number), axis, extent)};
  return place;
}

// ---- gather and its reverse. Attributes: [0] axis

/// Calls f(i, offset): i counts the elements of the index, offset is the element of x it selects.
template <class T, class F>
void for_each_gathered(const Shape& x, const Shape& index, const T* positions, std::int64_t axis,
                       F f) {
  Strides steps = strides(x);
  // 0 for an axis of extent 1, where the position is 0 too.
  const std::int64_t step = std::exchange(steps[static_cast<std::size_t>(axis)], 0);
  for_each_index(index, steps, [&](std::int64_t i, std::int64_t offset) {
    f(i, offset + place_of(positions[i], axis, x[static_cast<int>(axis)]) * step);
  });
}

void check_index(const Operands& x, const Shape& values, const Shape& index, int axis) {
  if (values.rank() != index.rank())
    x.fail(
        fmt::format("x has {} axes, the index {}", values.rank(), index.rank()),
        "index_select(x, axis, index) takes whole rows, gather an element for each of the index");
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
    .notation_of = notation_along_first,
};

// Attributes: [0] axis, [1...] the extents of the result
constexpr Op scatter_add_op = {
    .name = "scatter_add",
    .notation = "scatter_add({}, {})",
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
    .notation_of = notation_along_first,
};

// ---- index_select and its reverse: whole runs behind one axis. Attributes: [0] axis

/// Calls f(offset in x, offset in the selection, run) for each run that the index selects.
template <class T, class F>
void for_each_selected(const Shape& x, const Shape& index, const T* positions, std::int64_t axis,
                       F f) {
  const AxisView view(x, axis);
  const std::int64_t n = index.numel();
  std::array<std::int64_t, 64> places;  // so many at a time, to look at each number once
  for (std::int64_t first = 0; first < n; first += std::ssize(places)) {
    const std::int64_t count = std::min(std::ssize(places), n - first);
    for (std::int64_t i = 0; i < count; ++i)
      places[static_cast<std::size_t>(i)] = place_of(positions[first + i], axis, view.axis);
    for (std::int64_t o = 0; o < view.outer; ++o)
      for (std::int64_t i = 0; i < count; ++i)
        f((o * view.axis + places[static_cast<std::size_t>(i)]) * view.inner,
          (o * n + first + i) * view.inner, view.inner);
  }
}

constexpr Op index_select_op = {
    .name = "index_select",
    .notation = "index_select({}, {})",
    .kind = Kind::view,
    .shape =
        [](const Operands& x) {
          // The axes of the index stand in the place of the axis.
          const int axis = static_cast<int>(x.attribute(0));
          if (x[0].rank() - 1 + x[1].rank() > Shape::max_rank) x.fail("too many axes");
          Shape result = x[0].without_axis(axis);
          for (int i = 0; i < x[1].rank(); ++i) result = result.with_axis(axis + i, x[1][i]);
          return result;
        },
    .forward = kernel<[]<class T>(const Call& c) {
      for_each_selected(*c.in[0].shape, *c.in[1].shape, c.from<T>(1), c.attributes[0],
                        [&](std::int64_t whole, std::int64_t part, std::int64_t run) {
                          if (run == 1)
                            c.to<T>()[part] = c.from<T>(0)[whole];
                          else
                            std::copy_n(c.from<T>(0) + whole, run, c.to<T>() + part);
                        });
    }>,
    .vjp = [](Vjp& v) { v.give(0, index_add(v.ybar, v.x(1), v.attribute(0), v.x(0).shape())); },
    .sample = {uniform(-2, 2), whole(0, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{3}, Shape{}}, {0});
          example({Shape{3}, Shape{4}}, {0});
          example({Shape{2, 3}, Shape{4}}, {1});
          example({Shape{3, 2}, Shape{2, 2}}, {0});
          example({Shape{2, 3, 2}, Shape{3}}, {1});
          example({Shape{3, 2}, Shape{0}}, {0});
          example({Shape{3, 0}, Shape{2}}, {0});
        },
    .roles = {"x", "index"},
    .notation_of = notation_along_first,
};

// Attributes: [0] axis, [1...] the extents of the result
constexpr Op index_add_op = {
    .name = "index_add",
    .notation = "index_add({}, {})",
    .kind = Kind::view,
    .shape = [](const Operands& x) { return Shape(x.attributes().subspan(1)); },
    .forward = kernel<[]<class T>(const Call& c) {
      std::fill_n(c.to<T>(), c.count, T(0));
      for_each_selected(*c.shape, *c.in[1].shape, c.from<T>(1), c.attributes[0],
                        [&](std::int64_t whole, std::int64_t part, std::int64_t run) {
                          const T* x = c.from<T>(0) + part;
                          T* y = c.to<T>() + whole;
                          for (std::int64_t i = 0; i < run; ++i) y[i] += x[i];
                        });
    }>,
    .vjp = [](Vjp& v) { v.give(0, index_select(v.ybar, v.attribute(0), v.x(1))); },
    .sample = {uniform(-2, 2), whole(0, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{}, Shape{}}, {0, 3});
          example({Shape{4}, Shape{4}}, {0, 3});
          example({Shape{2, 4}, Shape{4}}, {1, 2, 3});
          example({Shape{2, 2, 3}, Shape{2, 2}}, {0, 2, 3});
        },
    .roles = {"x", "index"},
    .notation_of = notation_along_first,
};

constexpr const Op* family[] = {&gather_op, &scatter_add_op, &index_select_op, &index_add_op};

}  // namespace

Family index_family() { return family; }

namespace {

/// A record of the reverse of a selection: attributes are the axis and the extents of the result.
Tensor record_reverse(const Op& op, const Arg& x, const Arg& index, std::int64_t axis,
                      const Shape& shape) {
  boost::container::static_vector<std::int64_t, Shape::max_rank + 1> attributes{axis};
  attributes.insert(attributes.end(), shape.begin(), shape.end());
  const Arg operands[] = {x, index};
  return record(op, operands, attributes);
}

}  // namespace

Tensor scatter_add(const Arg& x, const Arg& index, std::int64_t axis, const Shape& shape) {
  return record_reverse(scatter_add_op, x, index, axis, shape);
}

Tensor index_add(const Arg& x, const Arg& index, std::int64_t axis, const Shape& shape) {
  return record_reverse(index_add_op, x, index, axis, shape);
}

Tensor gather(const Arg& x, Axis axis, const Arg& index) {
  return record(gather_op, {x, index}, {resolve_axis(gather_op.name, x, axis)});
}

Tensor index_select(const Arg& x, Axis axis, const Arg& index) {
  return record(index_select_op, {x, index}, {resolve_axis(index_select_op.name, x, axis)});
}

Tensor index_select(const Arg& x, Axis axis, std::span<const std::int64_t> index) {
  const FrameScope frame(index_select_op.name, x);
  const Values places = index;
  Recording& recording = recording_of(index_select_op.name, {&x, 1});
  return index_select(x, axis,
                      recording.leaf(LeafKind::constant, places.shape(), &places, x.site()));
}

Tensor index_select(const Arg& x, Axis axis, std::initializer_list<std::int64_t> index) {
  return index_select(x, axis, std::span<const std::int64_t>(index.begin(), index.size()));
}

Tensor embedding(const Arg& table, const Arg& index) {
  const Arg both[] = {table, index};
  require_one_tape("embedding", both);
  if (shape_of("embedding", table).rank() != 2)
    refuse("embedding", both, index_select_op.roles, "the table must have one row for each index");
  const FrameScope frame("embedding", table);
  return index_select(table, 0, index);
}

}  // namespace tapegrad
