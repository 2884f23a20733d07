// Sums, means, products and extremes over axes.
#include <cmath>
#include <limits>

#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/reduce.hpp"

namespace tapegrad {

constexpr Op sum_op = {
    .name = "sum",
    .notation = "sum({})",
    .kind = Kind::reduction,
    .shape = reduce_shape,
    .forward = kernel<[]<class T>(const Call& c) { sum_axes(split(c), c.from<T>(0), c.to<T>()); }>,
    .vjp = [](Vjp& v) { v.give(0, spread(v, v.ybar)); },
    .sample = {uniform(-2, 2)},
    .examples = reduction_examples_with_empty,
    .notation_of = reduction_notation,
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
    .notation_of = reduction_notation,
};

/// For each element the product of all others along an axis of at least 2. One half is multiplied
/// by the other, and so on, which takes log n levels. Nothing is divided: zeros need no thought,
/// neither here nor in a derivative of any order.
Tensor product_of_others(const Tensor& x, std::int64_t axis) {
  const std::int64_t n = x.size(axis), half = n / 2;
  const Tensor a = slice(x, axis, 0, half), b = slice(x, axis, half, 2 * half);
  if (n == 2) return concat({b, a}, axis);
  const Tensor pairs = a * b;
  const bool odd = n % 2 != 0;
  const Tensor all = odd ? concat({pairs, slice(x, axis, n - 1, n)}, axis) : pairs;
  const Tensor others = product_of_others(all, axis);
  const Tensor of_pairs = odd ? slice(others, axis, 0, half) : others;
  const Tensor of_a = of_pairs * b, of_b = of_pairs * a;
  if (!odd) return concat({of_a, of_b}, axis);
  return concat({of_a, of_b, slice(others, axis, half, half + 1)}, axis);
}

constexpr Op prod_op = {
    .name = "prod",
    .notation = "prod({})",
    .kind = Kind::reduction,
    .shape = reduce_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      const T* x = c.from<T>(0);
      fold_axes(
          split(c), c.to<T>(), T(1), [x](std::int64_t i, std::int64_t) { return x[i]; },
          std::multiplies<>());
    }>,
    .vjp =
        [](Vjp& v) {
          // The others of an element are those of its line along the first axis, times the other
          // lines: the others of its line's product along the second axis, and so on.
          Adjoint share = spread(v, v.ybar);
          Tensor products = v.x(0);
          std::int64_t before = -1;
          for (std::int64_t axis : axes_of(v.attributes())) {
            if (products.size(axis) < 2) continue;
            if (before >= 0) products = record(v.op(), {products}, {1, before});
            share = share * product_of_others(products, axis);
            before = axis;
          }
          v.give(0, share);
        },
    .sample = {uniform(-2, 2)},
    .examples = reduction_examples_with_empty,
    .notation_of = reduction_notation,
};

/// The largest or the smallest element.
template <auto winner>
constexpr Op extreme(std::string_view name, std::string_view notation) {
  return {
      .name = name,
      .notation = notation,
      .kind = Kind::reduction,
      .shape = reduce_non_empty,
      .forward = kernel<[]<class T>(const Call& c) {
        const T* x = c.from<T>(0);
        fold_axes(
            split(c), c.to<T>(), T(0), [x](std::int64_t i, std::int64_t) { return x[i]; }, winner);
      }>,
      .vjp =
          [](Vjp& v) {
            const Arg chosen = equal(v.x(0), spread(v, v.y));
            const Tensor ties = record(sum_op, {&chosen, 1}, v.attributes());
            const Tensor share = chosen / spread(v, Arg(ties));
            v.give(0, spread(v, v.ybar) * share);
          },
      .sample = {uniform(-2, 2)},
      .examples = reduction_examples,
      .notation_of = reduction_notation,
  };
}

constexpr Op max_op = extreme<larger>("max", "max({})");
constexpr Op min_op = extreme<smaller>("min", "min({})");

constexpr Op logsumexp_op = {
    .name = "logsumexp",
    .notation = "logsumexp({})",
    .kind = Kind::reduction,
    .shape = reduce_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      const T* x = c.from<T>(0);
      for_each_strip(split(c), [&](const Strip& s) {
        using std::exp, std::isfinite, std::log;
        T* largest = c.to<T>() + s.result;
        std::fill_n(largest, s.width, -std::numeric_limits<T>::infinity());  // of nothing: log 0
        if (s.empty()) return;
        s.fold(
            largest, [&](std::int64_t i, std::int64_t) { return x[i]; }, larger);
        Columns<T> sum;
        s.fold(
            sum.data(), [&](std::int64_t i, std::int64_t k) { return exp(x[i] - largest[k]); },
            std::plus<>());
        for (std::int64_t k = 0; k < s.width; ++k)  // not finite: so is the sum, and the result
          if (isfinite(largest[k])) largest[k] += log(sum.data()[k]);
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
    .notation_of = reduction_notation,
};

constexpr const Op* family[] = {&sum_op, &mean_op, &prod_op, &max_op, &min_op, &logsumexp_op};

}  // namespace

Family reduction_family() { return family; }

Tensor sum(const Arg& x, const Axes& axes, Keepdim keep) { return reduce(sum_op, x, axes, keep); }
Tensor mean(const Arg& x, const Axes& axes, Keepdim keep) { return reduce(mean_op, x, axes, keep); }
Tensor prod(const Arg& x, const Axes& axes, Keepdim keep) { return reduce(prod_op, x, axes, keep); }
Tensor max(const Arg& x, const Axes& axes, Keepdim keep) { return reduce(max_op, x, axes, keep); }
Tensor min(const Arg& x, const Axes& axes, Keepdim keep) { return reduce(min_op, x, axes, keep); }
Tensor logsumexp(const Arg& x, const Axes& axes, Keepdim keep) {
  return reduce(logsumexp_op, x, axes, keep);
}

}  // namespace tapegrad
