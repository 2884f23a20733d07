// What goes along one axis: places of extremes, running sums, and softmax, which normalises.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numeric>

#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/reduce.hpp"

namespace tapegrad {
namespace {

// Attributes: [0] the axis

Split lines(const Call& c) { return Split(*c.in[0].shape, {c.attributes, 1}); }

// ---- places. Attributes: [0] the axis, or -1 for all, [1] keepdim

Split lines_or_all(const Call& c) {
  if (c.attributes[0] >= 0) return lines(c);
  std::array<std::int64_t, Shape::max_rank> axes;
  std::iota(axes.begin(), axes.end(), 0);
  return Split(*c.in[0].shape, axes);
}

Shape place_shape(const Operands& x) {
  const std::int64_t axis = x.attribute(0);
  const std::int64_t extent = axis < 0 ? x[0].numel() : x[0][static_cast<int>(axis)];
  if (extent == 0)
    x.fail(fmt::format("{} empty: there is nothing to choose from",
                       axis < 0 ? "the operand is" : fmt::format("axis {} is", axis)));
  return axis < 0 ? Shape{} : reduced_shape(x[0], {&axis, 1}, x.attribute(1) != 0);
}

void place_examples(Examples& example) {
  example({Shape{4}}, {0, 0});
  example({Shape{2, 3}}, {1, 0});
  example({Shape{2, 3, 2}}, {1, 1});
  example({Shape{2, 1, 3}}, {1, 0});
  example({Shape{2, 3}}, {-1, 0});
  example({Shape{}}, {-1, 0});
}

/// Where the first of the elements is that are chosen, or the first NaN.
template <class T>
void find_first(const Strip& s, const T* x, const Columns<T>& chosen, T* place) {
  const auto is_it = [&](std::int64_t i, std::int64_t column) {
    return x[i] == chosen.data()[column] || x[i] != x[i];
  };
  if (s.width == 1) {
    std::int64_t line = 0;
    while (!is_it(s.first + line * s.line.stride, 0)) ++line;
    *place = static_cast<T>(line);
    return;
  }
  for (std::int64_t line = s.line.size - 1; line >= 0; --line)
    s.across(s.first + line * s.line.stride, [&](std::int64_t i, std::int64_t column) {
      place[column] = is_it(i, column) ? static_cast<T>(line) : place[column];
    });
}

template <auto winner>
constexpr Op place_of(std::string_view name, std::string_view notation) {
  return {
      .name = name,
      .notation = notation,
      .kind = Kind::reduction,
      .shape = place_shape,
      .forward = kernel<[]<class T>(const Call& c) {
        const T* x = c.from<T>(0);
        for_each_strip(lines_or_all(c), [&](const Strip& s) {
          Columns<T> chosen;
          s.fold(
              chosen.data(), [&](std::int64_t i, std::int64_t) { return x[i]; }, winner);
          find_first(s, x, chosen, c.to<T>() + s.result);
        });
      }>,
      .vjp = no_gradient,
      .sample = {uniform(-2, 2)},
      .examples = place_examples,
      .notation_of =
          [](const Operands& x) {
            return x.attribute(0) < 0 ? std::string(x.op().notation) : notation_along_first(x);
          },
  };
}

constexpr Op argmax_op = place_of<larger>("argmax", "argmax({})");
constexpr Op argmin_op = place_of<smaller>("argmin", "argmin({})");

// ---- running sums. Attributes: [0] the axis, [1] whether from the end

constexpr Op cumsum_op = {
    .name = "cumsum",
    .notation = "cumsum({})",
    .kind = Kind::reduction,
    .shape = same_as_operand,
    .forward = kernel<[]<class T>(const Call& c) {
      const T* x = c.from<T>(0);
      T* y = c.to<T>();
      for_each_strip(lines(c), [&](const Strip& s) {
        const auto for_each_line = [&](auto add) {
          for (std::int64_t n = 0; n < s.line.size; ++n)
            add(s.first + (c.attributes[1] != 0 ? s.line.size - 1 - n : n) * s.line.stride);
        };
        if (s.width == 1) {
          Wide<T> sum = 0;
          return for_each_line([&](std::int64_t i) { y[i] = static_cast<T>(sum += x[i]); });
        }
        Columns<Wide<T>> sums;
        std::fill_n(sums.data(), s.width, Wide<T>(0));
        for_each_line([&](std::int64_t first) {
          s.across(first, [&](std::int64_t i, std::int64_t k) {
            y[i] = static_cast<T>(sums.data()[k] += x[i]);
          });
        });
      });
    }>,
    .vjp =
        [](Vjp& v) {  // x_i is in all sums from y_i on
          v.give(0, record(v.op(), {v.ybar}, {v.attribute(0), 1 - v.attribute(1)}));
        },
    .sample = {uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{4}}, {0, 0});
          example({Shape{4}}, {0, 1});
          example({Shape{2, 3}}, {1, 0});
          example({Shape{3, 2}}, {0, 1});
          example({Shape{2, 3, 2}}, {1, 0});
          example({Shape{2, 1}}, {1, 0});
          example({Shape{0, 3}}, {0, 0});
          example({Shape{3, 0}}, {0, 0});
        },
    .notation_of =
        [](const Operands& x) {
          return x.attribute(1) != 0 ? notation_with(x, "from the end") : notation_along_first(x);
        },
};

// ---- softmax

void axis_examples(Examples& example) {
  example({Shape{4}}, {0});
  example({Shape{2, 3}}, {1});
  example({Shape{2, 3}}, {0});
  example({Shape{2, 3, 2}}, {1});
  example({Shape{20, 3}}, {0});
  example({Shape{2, 1}}, {1});
  example({Shape{0, 3}}, {1});
  example({Shape{3, 0}}, {1});
}

/// The sum of an adjoint along the axis of the record, kept as an axis of extent 1.
Adjoint sum_along(const Vjp& v, const Adjoint& a) {
  return Adjoint(record(sum_op, {Arg(a)}, {1, v.attribute(0)}));
}

constexpr Op softmax_op = {
    .name = "softmax",
    .notation = "softmax({})",
    .kind = Kind::reduction,
    .shape = same_as_operand,
    .forward = kernel<[]<class T>(const Call& c) {
      const T* x = c.from<T>(0);
      T* y = c.to<T>();
      for_each_strip(lines(c), [&](const Strip& s) {
        if (s.empty()) return;
        Columns<T> largest, sum;
        s.fold(
            largest.data(), [&](std::int64_t i, std::int64_t) { return x[i]; }, larger);
        s.for_each([&](std::int64_t i, std::int64_t k) {
          using std::exp;
          y[i] = exp(x[i] - largest.data()[k]);
        });
        s.fold(
            sum.data(), [&](std::int64_t i, std::int64_t) { return y[i]; }, std::plus<>());
        s.for_each([&](std::int64_t i, std::int64_t k) { y[i] /= sum.data()[k]; });
      });
    }>,
    .vjp =
        [](Vjp& v) {
          const Adjoint weighted = v.ybar * v.y;
          v.give(0, weighted - sum_along(v, weighted) * v.y);
        },
    .sample = {uniform(-2, 2)},
    .examples = axis_examples,
    .notation_of = notation_along_first,
};

constexpr Op log_softmax_op = {
    .name = "log_softmax",
    .notation = "log_softmax({})",
    .kind = Kind::reduction,
    .shape = same_as_operand,
    .forward = kernel<[]<class T>(const Call& c) {
      const T* x = c.from<T>(0);
      for_each_strip(lines(c), [&](const Strip& s) {
        using std::exp, std::log;
        if (s.empty()) return;
        Columns<T> largest, sum;
        s.fold(
            largest.data(), [&](std::int64_t i, std::int64_t) { return x[i]; }, larger);
        s.fold(
            sum.data(),
            [&](std::int64_t i, std::int64_t k) { return exp(x[i] - largest.data()[k]); },
            std::plus<>());
        for (std::int64_t k = 0; k < s.width; ++k) sum.data()[k] = log(sum.data()[k]);
        s.for_each([&](std::int64_t i, std::int64_t k) {
          c.to<T>()[i] = x[i] - largest.data()[k] - sum.data()[k];
        });
      });
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor probability = exp(v.y);
          v.give(0, v.ybar - sum_along(v, v.ybar) * probability);
        },
    .sample = {uniform(-2, 2)},
    .examples = axis_examples,
    .notation_of = notation_along_first,
};

constexpr const Op* family[] = {&argmax_op, &argmin_op, &cumsum_op, &softmax_op, &log_softmax_op};

/// Records argmax or argmin along an axis counted from the front, or -1, for whoever is called.
Tensor record_place(const Op& op, std::string_view name, const Arg& x, std::int64_t axis,
                    bool keep) {
  constexpr std::int64_t most = 1 << 24;  // from there on, floats are more than 1 apart
  const Shape shape = shape_of(name, x);
  const std::int64_t n = axis < 0 ? shape.numel() : shape[static_cast<int>(axis)];
  if (n > most && recording_of(name, {&x, 1}).precision() == float32)
    refuse(name, {&x, 1}, {}, fmt::format("a float32 cannot tell {} places apart", n),
           "make the tape with tg::float64");
  return record(op, {x}, {axis, keep});
}

WithIndex with_index(const Op& op, std::string_view name, const Arg& x, std::int64_t axis,
                     bool keep) {
  const FrameScope frame(name, x);
  const std::int64_t a = resolve_axis(name, x, axis);
  const Tensor kept = record_place(op, name, x, a, true);
  const Tensor values = gather(x, a, kept);
  if (keep) return {values, kept};
  const Shape shape = kept.shape().without_axis(static_cast<int>(a));
  return {reshape(values, shape), reshape(kept, shape)};
}

}  // namespace

Family along_family() { return family; }

Tensor argmax(const Arg& x) { return record_place(argmax_op, argmax_op.name, x, -1, false); }
Tensor argmin(const Arg& x) { return record_place(argmin_op, argmin_op.name, x, -1, false); }
Tensor argmax(const Arg& x, Axis axis, Keepdim keep) {
  const std::int64_t a = resolve_axis(argmax_op.name, x, axis);
  return record_place(argmax_op, argmax_op.name, x, a, keep);
}
Tensor argmin(const Arg& x, Axis axis, Keepdim keep) {
  const std::int64_t a = resolve_axis(argmin_op.name, x, axis);
  return record_place(argmin_op, argmin_op.name, x, a, keep);
}
WithIndex max_with_index(const Arg& x, Axis axis, Keepdim keep) {
  return with_index(argmax_op, "max_with_index", x, axis, keep);
}
WithIndex min_with_index(const Arg& x, Axis axis, Keepdim keep) {
  return with_index(argmin_op, "min_with_index", x, axis, keep);
}

Tensor cumsum(const Arg& x, Axis axis) {
  return record(cumsum_op, {x}, {resolve_axis(cumsum_op.name, x, axis), 0});
}
Tensor softmax(const Arg& x, Axis axis) {
  return record(softmax_op, {x}, {resolve_axis(softmax_op.name, x, axis)});
}
Tensor log_softmax(const Arg& x, Axis axis) {
  return record(log_softmax_op, {x}, {resolve_axis(log_softmax_op.name, x, axis)});
}

}  // namespace tapegrad
