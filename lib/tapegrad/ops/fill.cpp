// Constants around or instead of elements: padding, and triangles of a matrix.
#include <fmt/format.h>

#include <algorithm>
#include <boost/container/static_vector.hpp>
#include <limits>
#include <string>

#include "tapegrad/kernel/move.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

// ---- pad. Attributes: for each axis, how many elements before and after. Negative numbers take
// elements away: so the reverse of a padding is one too.

using Widths = boost::container::static_vector<std::int64_t, 2 * Shape::max_rank>;

Shape pad_shape(const Operands& x) {
  if (x[1].rank() != 0) x.fail("the value must be one number");
  boost::container::static_vector<std::int64_t, Shape::max_rank> extents(x[0].begin(), x[0].end());
  for (std::size_t axis = 0; axis < extents.size(); ++axis)
    extents[axis] += x.attribute(2 * axis) + x.attribute(2 * axis + 1);
  return Shape(extents);
}

/// Copies what x and its padded form have in common, in runs along the last axis.
template <class T>
void copy_common(const Shape& x, const Shape& y, const std::int64_t* widths, const T* from, T* to) {
  Shape common = x;
  Strides x_strides = strides(x);
  const Strides y_strides = strides(y);
  std::int64_t x_start = 0, y_start = 0;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    const std::int64_t before = widths[2 * a], after = widths[2 * a + 1];
    const std::int64_t skipped = std::max<std::int64_t>(-before, 0);
    x_start += skipped * x_strides[a];
    y_start += std::max<std::int64_t>(before, 0) * y_strides[a];
    const std::int64_t kept = x[axis] - skipped - std::max<std::int64_t>(-after, 0);
    if (kept <= 0) return;
    common.set(axis, kept);
  }
  const int last = x.rank() - 1;
  const std::int64_t run = x.rank() == 0 ? 1 : common[last];
  if (x.rank() > 0) common.set(last, 1);
  for_each_index(common, x_strides, [&](std::int64_t i, std::int64_t offset) {
    std::int64_t place = y_start;
    for (int axis = last; axis >= 0; --axis) {
      place += i % common[axis] * y_strides[static_cast<std::size_t>(axis)];
      i /= common[axis];
    }
    std::copy_n(from + x_start + offset, run, to + place);
  });
}

constexpr Op pad_op = {
    .name = "pad",
    .notation = "pad({}, {})",
    .kind = Kind::view,
    .shape = pad_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      std::fill_n(c.to<T>(), c.count, *c.from<T>(1));
      copy_common(*c.in[0].shape, *c.shape, c.attributes, c.from<T>(0), c.to<T>());
    }>,
    .vjp =
        [](Vjp& v) {
          Widths back(v.attributes().begin(), v.attributes().end());
          for (std::int64_t& width : back) width = -width;
          if (v.wants(0)) {
            const Arg cut[] = {v.ybar, 0.0};
            v.give(0, record(v.op(), cut, back));
          }
          if (v.wants(1)) {
            constexpr double infinity = std::numeric_limits<double>::infinity();
            const Arg inside[] = {v.x(0) < -infinity, 1.0};  // zeros, whatever x is
            const Tensor around = record(v.op(), inside, v.attributes());
            v.give(1, where(around, v.ybar, 0.0));
          }
        },
    .sample = {uniform(-2, 2), uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{}, Shape{}});
          example({Shape{3}, Shape{}}, {1, 2});
          example({Shape{4}, Shape{}}, {-1, 2});
          example({Shape{4}, Shape{}}, {-2, -1});
          example({Shape{2, 3}, Shape{}}, {0, 1, 2, 0});
          example({Shape{2, 1, 3}, Shape{}}, {1, 0, 0, 2, 1, 1});
          example({Shape{0, 2}, Shape{}}, {1, 1, 0, 1});
        },
    .roles = {"x", "value"},
    .notation_of =
        [](const Operands& x) {
          std::string widths;
          for (std::size_t i = 0; i < x.attributes().size(); i += 2)
            widths +=
                fmt::format("{}({}, {})", i == 0 ? "" : ", ", x.attribute(i), x.attribute(i + 1));
          return notation_with(x, widths);
        },
};

// ---- triangles. Attributes: [0] which diagonal is the last one kept, counted upwards from the
// main one

Shape matrices(const Operands& x) {
  if (x[0].rank() < 2) x.fail("there is no matrix: two axes are needed");
  return x[0];
}

/// Calls f(row, first column above the diagonal, offset of the row) for each row of each matrix.
template <class F>
void for_each_row(const Shape& shape, std::int64_t diagonal, F f) {
  const std::int64_t rows = shape[-2], columns = shape[-1], n = shape.numel();
  if (n == 0) return;
  for (std::int64_t row = 0, offset = 0; offset < n; offset += columns, row = (row + 1) % rows)
    f(offset, std::clamp<std::int64_t>(row + diagonal, 0, columns), columns);
}

void triangle_examples(Examples& example) {
  example({Shape{3, 3}}, {0});
  example({Shape{2, 4}}, {1});
  example({Shape{4, 2}}, {-1});
  example({Shape{2, 3, 3}}, {-5});
  example({Shape{2, 3, 2}}, {5});
  example({Shape{0, 3}}, {0});
}

std::string triangle_notation(const Operands& x) {
  return notation_with(x, x.attribute(0) == 0 ? "" : fmt::format("diagonal {}", x.attribute(0)));
}

constexpr Op tril_op = {
    .name = "tril",
    .notation = "tril({})",
    .kind = Kind::view,
    .shape = matrices,
    .forward = kernel<[]<class T>(const Call& c) {
      for_each_row(*c.shape, c.attributes[0] + 1,
                   [&](std::int64_t row, std::int64_t above, std::int64_t columns) {
                     std::copy_n(c.from<T>(0) + row, above, c.to<T>() + row);
                     std::fill_n(c.to<T>() + row + above, columns - above, T(0));
                   });
    }>,
    .vjp = [](Vjp& v) { v.give(0, tril(v.ybar, v.attribute(0))); },
    .sample = {uniform(-2, 2)},
    .examples = triangle_examples,
    .notation_of = triangle_notation,
};

constexpr Op triu_op = {
    .name = "triu",
    .notation = "triu({})",
    .kind = Kind::view,
    .shape = matrices,
    .forward = kernel<[]<class T>(const Call& c) {
      for_each_row(*c.shape, c.attributes[0],
                   [&](std::int64_t row, std::int64_t kept, std::int64_t columns) {
                     std::fill_n(c.to<T>() + row, kept, T(0));
                     std::copy_n(c.from<T>(0) + row + kept, columns - kept, c.to<T>() + row + kept);
                   });
    }>,
    .vjp = [](Vjp& v) { v.give(0, triu(v.ybar, v.attribute(0))); },
    .sample = {uniform(-2, 2)},
    .examples = triangle_examples,
    .notation_of = triangle_notation,
};

constexpr const Op* family[] = {&pad_op, &tril_op, &triu_op};

}  // namespace

Family fill_family() { return family; }

Tensor pad(const Arg& x, std::span<const Padding> widths, const Arg& value) {
  const int rank = shape_of(pad_op.name, x).rank();
  const Arg operands[] = {x, value};
  if (static_cast<int>(widths.size()) != rank)
    refuse(pad_op.name, operands, pad_op.roles,
           fmt::format("widths are given for {} axes of {}", widths.size(), rank));
  Widths attributes;
  for (const auto [before, after] : widths) {
    if (before < 0 || after < 0)
      refuse(pad_op.name, operands, pad_op.roles,
             fmt::format("the width {} is negative", std::min(before, after)),
             "slice takes elements away");
    if (constexpr auto most = std::numeric_limits<std::uint32_t>::max();
        before > most || after > most)
      refuse(pad_op.name, operands, pad_op.roles,
             fmt::format("the width {} is beyond any extent, at most {}", std::max(before, after),
                         most));
    attributes.push_back(before);
    attributes.push_back(after);
  }
  return record(pad_op, operands, attributes);
}

Tensor pad(const Arg& x, std::initializer_list<Padding> widths, const Arg& value) {
  return pad(x, std::span<const Padding>(widths.begin(), widths.size()), value);
}

namespace {

/// No matrix has more rows or columns: beyond, the sum with a row number could overflow.
std::int64_t diagonal_within(std::int64_t diagonal) {
  constexpr std::int64_t most = std::int64_t{1} << 33;
  return std::clamp(diagonal, -most, most);
}

}  // namespace

Tensor tril(const Arg& x, std::int64_t diagonal) {
  return record(tril_op, {x}, {diagonal_within(diagonal)});
}
Tensor triu(const Arg& x, std::int64_t diagonal) {
  return record(triu_op, {x}, {diagonal_within(diagonal)});
}

}  // namespace tapegrad
