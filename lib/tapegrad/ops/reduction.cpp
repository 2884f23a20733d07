// Sums, means, extremes over axes, and softmax, which normalises along one.
#include <fmt/format.h>

#include <boost/container/static_vector.hpp>
#include <cmath>
#include <limits>

#include "tapegrad/kernel/move.hpp"
#include "tapegrad/kernel/reduce.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

// Attributes of a reduction: [0] keepdim, [1...] the axes, ascending.
using Attributes = boost::container::static_vector<std::int64_t, Shape::max_rank + 1>;

std::span<const std::int64_t> axes_of(std::span<const std::int64_t> attributes) {
  return attributes.subspan(1);
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

Shape reduce_non_empty(const Operands& x) {
  for (std::int64_t axis : axes_of(x.attributes()))
    if (x[0][static_cast<int>(axis)] == 0)
      x.fail(fmt::format("axis {} is empty, and nothing has no largest element", axis));
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

/// A tensor of the result's shape, spread over the operand's shape again.
Tensor spread(const Vjp& v, const Arg& t) {
  const Shape x = v.x(0).shape();
  const Shape kept = reduced_shape(x, axes_of(v.attributes()), true);
  const Tensor column = t.tensor().shape() == kept ? t.tensor() : reshape(t, kept);
  return x == kept ? column : broadcast_to(column, x);
}
Adjoint spread(const Vjp& v, const Adjoint& a) { return Adjoint(spread(v, Arg(a))); }

Tensor reduce(const Op& op, const Arg& x, const Axes& axes, bool keep) {
  const int rank = shape_of(op.name, x).rank();
  Attributes attributes{keep};
  if (axes.count() > rank)
    refuse(op.name, {&x, 1}, {}, fmt::format("{} axes are named", axes.count()));
  if (axes.all()) {
    for (int axis = 0; axis < rank; ++axis) attributes.push_back(axis);
  } else {
    for (int axis : axes.list()) {
      const std::int64_t resolved = resolve_axis(op.name, x, axis);
      if (std::find(attributes.begin() + 1, attributes.end(), resolved) != attributes.end())
        refuse(op.name, {&x, 1}, {}, fmt::format("axis {} is named twice", axis));
      attributes.push_back(resolved);
    }
    std::sort(attributes.begin() + 1, attributes.end());
  }
  return record(op, {&x, 1}, attributes);
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

}  // namespace

constexpr Op sum_op = {
    .name = "sum",
    .notation = "sum({})",
    .kind = Kind::reduction,
    .shape = reduce_shape,
    .forward = kernel<[]<class T>(const Call& c) { sum_axes(split(c), c.from<T>(0), c.to<T>()); }>,
    .vjp = [](Vjp& v) { v.give(0, spread(v, v.ybar)); },
    .sample = {uniform(-2, 2)},
    .examples = reduction_examples_with_empty,
};

namespace {

constexpr Op mean_op = {
    .name = "mean",
    .notation = "mean({})",
    .kind = Kind::reduction,
    .shape = reduce_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      sum_axes(split(c), c.from<T>(0), c.to<T>());
      const auto n = static_cast<T>(c.in[0].shape->numel()) / static_cast<T>(c.count);
      for (std::int64_t i = 0; i < c.count; ++i) c.to<T>()[i] /= n;
    }>,
    .vjp =
        [](Vjp& v) {
          const auto n = static_cast<double>(v.x(0).numel()) / static_cast<double>(v.y.numel());
          v.give(0, spread(v, v.ybar * (1.0 / n)));
        },
    .sample = {uniform(-2, 2)},
    .examples = reduction_examples,
};

constexpr Op max_op = {
    .name = "max",
    .notation = "max({})",
    .kind = Kind::reduction,
    .shape = reduce_non_empty,
    .forward = kernel<[]<class T>(const Call& c) {
      const Split s = split(c);
      for_each_result(s, c.from<T>(0), [&](std::int64_t i, const T* first) {
        T largest = *first;
        for_each_reduced(s, first, [&](T x) { largest = x > largest || x != x ? x : largest; });
        c.to<T>()[i] = largest;
      });
    }>,
    .vjp =
        [](Vjp& v) {
          const Arg largest = equal(v.x(0), spread(v, v.y));
          const Tensor ties = record(sum_op, {&largest, 1}, v.attributes());
          const Tensor share = largest / spread(v, Arg(ties));
          v.give(0, spread(v, v.ybar) * share);
        },
    .sample = {uniform(-2, 2)},
    .examples = reduction_examples,
};

constexpr Op logsumexp_op = {
    .name = "logsumexp",
    .notation = "logsumexp({})",
    .kind = Kind::reduction,
    .shape = reduce_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      const Split s = split(c);
      using std::exp, std::isfinite, std::log;
      const T infinity = std::numeric_limits<T>::infinity();
      std::fill_n(c.to<T>(), c.count, -infinity);  // of nothing: log 0
      if (c.in[0].shape->numel() == 0) return;
      for_each_result(s, c.from<T>(0), [&](std::int64_t i, const T* first) {
        T largest = -infinity;
        for_each_reduced(s, first, [&](T x) { largest = x > largest || x != x ? x : largest; });
        if (!isfinite(largest)) {  // the terms are 0, infinite or NaN, and so is their sum
          c.to<T>()[i] = largest;
          return;
        }
        Wide<T> sum = 0;
        for_each_reduced(s, first, [&](T x) { sum += exp(x - largest); });
        c.to<T>()[i] = largest + static_cast<T>(log(sum));
      });
    }>,
    .vjp =
        [](Vjp& v) {
          // Where all terms are e^-infinity, their shares are 0, not exp(infinity - infinity).
          const Tensor y = spread(v, v.y);
          constexpr double infinity = std::numeric_limits<double>::infinity();
          const Tensor nothing = equal(y, -infinity), share = exp(v.x(0) - y);
          const Tensor slope = where(nothing, 0.0, share);
          v.give(0, spread(v, v.ybar) * slope);
        },
    .sample = {uniform(-2, 2)},
    .examples = reduction_examples_with_empty,
};

// ---- along one axis. Attributes: [0] the axis; argmax: [1] keepdim

Shape argmax_shape(const Operands& x) {
  const int axis = static_cast<int>(x.attribute(0));
  if (x[0][axis] == 0)
    x.fail(fmt::format("axis {} is empty, and nothing has no largest element", axis));
  const std::int64_t axes[] = {axis};
  return reduced_shape(x[0], axes, x.attribute(1) != 0);
}

void argmax_examples(Examples& example) {
  example({Shape{4}}, {0, 0});
  example({Shape{2, 3}}, {1, 0});
  example({Shape{2, 3, 2}}, {1, 1});
}

constexpr Op argmax_op = {
    .name = "argmax",
    .notation = "argmax({})",
    .kind = Kind::reduction,
    .shape = argmax_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      const AxisView view(*c.in[0].shape, c.attributes[0]);
      for (std::int64_t o = 0; o < view.outer; ++o)
        for (std::int64_t i = 0; i < view.inner; ++i) {
          const T* x = c.from<T>(0) + o * view.axis * view.inner + i;
          std::int64_t best = 0;
          for (std::int64_t a = 1; a < view.axis; ++a) {
            const T now = x[a * view.inner], then = x[best * view.inner];
            if ((now > then) || (now != now && then == then)) best = a;
          }
          c.to<T>()[o * view.inner + i] = static_cast<T>(best);
        }
    }>,
    .vjp = no_gradient,
    .sample = {uniform(-2, 2)},
    .examples = argmax_examples,
};

void axis_examples(Examples& example) {
  example({Shape{4}}, {0});
  example({Shape{2, 3}}, {1});
  example({Shape{2, 3}}, {0});
  example({Shape{2, 3, 2}}, {1});
  example({Shape{0, 3}}, {1});
  example({Shape{3, 0}}, {1});
}

/// Calls f(first element in, first element out, number of elements, their distance) for each line
/// along the axis.
template <class T, class F>
void for_each_line(const Call& c, F f) {
  const AxisView view(*c.shape, c.attributes[0]);
  if (view.axis == 0) return;
  for (std::int64_t o = 0; o < view.outer; ++o)
    for (std::int64_t i = 0; i < view.inner; ++i) {
      const std::int64_t start = o * view.axis * view.inner + i;
      f(c.from<T>(0) + start, c.to<T>() + start, view.axis, view.inner);
    }
}

template <class T>
T largest_of(const T* x, std::int64_t n, std::int64_t step) {
  T largest = *x;
  for (std::int64_t a = 1; a < n; ++a) largest = std::max(largest, x[a * step]);
  return largest;
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
      for_each_line<T>(c, [](const T* x, T* y, std::int64_t n, std::int64_t step) {
        using std::exp;
        const T largest = largest_of(x, n, step);
        for (std::int64_t a = 0; a < n; ++a) y[a * step] = exp(x[a * step] - largest);
        const T sum = blocked_sum<T>(n, [&](std::int64_t a) { return y[a * step]; });
        for (std::int64_t a = 0; a < n; ++a) y[a * step] /= sum;
      });
    }>,
    .vjp =
        [](Vjp& v) {
          const Adjoint weighted = v.ybar * v.y;
          v.give(0, weighted - sum_along(v, weighted) * v.y);
        },
    .sample = {uniform(-2, 2)},
    .examples = axis_examples,
};

constexpr Op log_softmax_op = {
    .name = "log_softmax",
    .notation = "log_softmax({})",
    .kind = Kind::reduction,
    .shape = same_as_operand,
    .forward = kernel<[]<class T>(const Call& c) {
      for_each_line<T>(c, [](const T* x, T* y, std::int64_t n, std::int64_t step) {
        using std::exp, std::log;
        const T largest = largest_of(x, n, step);
        const T log_sum =
            log(blocked_sum<T>(n, [&](std::int64_t a) { return exp(x[a * step] - largest); }));
        for (std::int64_t a = 0; a < n; ++a) y[a * step] = x[a * step] - largest - log_sum;
      });
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor probability = exp(v.y);
          v.give(0, v.ybar - sum_along(v, v.ybar) * probability);
        },
    .sample = {uniform(-2, 2)},
    .examples = axis_examples,
};

constexpr const Op* family[] = {&sum_op,    &mean_op,    &max_op,        &logsumexp_op,
                                &argmax_op, &softmax_op, &log_softmax_op};

}  // namespace

Family reduction_family() { return family; }

Tensor sum(const Arg& x, const Axes& axes, bool keep) { return reduce(sum_op, x, axes, keep); }
Tensor mean(const Arg& x, const Axes& axes, bool keep) { return reduce(mean_op, x, axes, keep); }
Tensor max(const Arg& x, const Axes& axes, bool keep) { return reduce(max_op, x, axes, keep); }
Tensor logsumexp(const Arg& x, const Axes& axes, bool keep) {
  return reduce(logsumexp_op, x, axes, keep);
}

MaxWithIndex max_with_index(const Arg& x, std::int64_t axis, bool keep) {
  const FrameScope frame("max_with_index", x);
  const std::int64_t a = resolve_axis("max_with_index", x, axis);
  const Tensor kept = record(argmax_op, {x}, {a, 1});
  const Tensor values = gather(x, a, kept);
  if (keep) return {values, kept};
  const Shape shape = kept.shape().without_axis(static_cast<int>(a));
  return {reshape(values, shape), reshape(kept, shape)};
}

Tensor softmax(const Arg& x, std::int64_t axis) {
  return record(softmax_op, {x}, {resolve_axis(softmax_op.name, x, axis)});
}
Tensor log_softmax(const Arg& x, std::int64_t axis) {
  return record(log_softmax_op, {x}, {resolve_axis(log_softmax_op.name, x, axis)});
}

}  // namespace tapegrad
