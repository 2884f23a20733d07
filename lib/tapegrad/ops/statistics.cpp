// Variance, standard deviation, and the length of a vector.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/reduce.hpp"

namespace tapegrad {
namespace {

// ---- norms

/// out = scale * root(sum of power(|x| / scale)), where the scale is the largest |x|: so that no
/// power overflows or vanishes.
template <class T, class Power, class Root>
void scaled_norm(const Call& c, Power power, Root root) {
  const T* x = c.from<T>(0);
  for_each_strip(split(c), [&](const Strip& s) {
    using std::abs, std::isfinite;
    T* y = c.to<T>() + s.result;
    std::fill_n(y, s.width, T(0));
    if (s.empty()) return;
    s.fold(
        y, [&](std::int64_t i, std::int64_t) { return abs(x[i]); }, larger);
    Columns<T> sum;
    s.fold(
        sum.data(), [&](std::int64_t i, std::int64_t k) { return power(abs(x[i]) / y[k]); },
        std::plus<>());
    for (std::int64_t k = 0; k < s.width; ++k)
      if (y[k] > 0 && isfinite(y[k])) y[k] *= root(sum.data()[k]);
  });
}

constexpr Op norm_op = {
    .name = "norm",
    .notation = "norm({})",
    .kind = Kind::reduction,
    .shape = reduce_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      using std::sqrt;
      scaled_norm<T>(
          c, [](const T& ratio) { return ratio * ratio; }, [](const T& sum) { return sqrt(sum); });
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor y = spread(v, v.y), direction = v.x(0) / y, zero = equal(y, 0.0);
          const Tensor slope = where(zero, 0.0, direction);
          v.give(0, spread(v, v.ybar) * slope);
        },
    .sample = {uniform(0.3, 2)},
    .examples = reduction_examples,
    .notation_of = reduction_notation,
};

constexpr Op p_norm_op = {
    .name = "p_norm",
    .notation = "norm({}, {})",
    .kind = Kind::reduction,
    .shape = reduce_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      const T p = *c.from<T>(1);
      using std::pow;
      scaled_norm<T>(
          c, [&](const T& ratio) { return pow(ratio, p); },
          [&](const T& sum) { return pow(sum, 1 / p); });
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor x = v.x(0), p = v.x(1), y = spread(v, v.y), zero = equal(x, 0.0);
          const Tensor ratio = abs(x) / y;
          if (v.wants(0)) {
            const Tensor side = sign(x), slope = side * pow(ratio, p - 1.0);
            const Tensor local = where(zero, 0.0, slope);
            v.give(0, spread(v, v.ybar) * local);
          }
          if (v.wants(1)) {  // y / p times the sum of r^p log r
            const Tensor power = pow(ratio, p), term = power * log(ratio);
            const Arg terms = where(zero, 0.0, term);
            const Tensor sum = record(sum_op, {&terms, 1}, v.attributes());
            v.give(1, v.ybar * (v.y * sum / p));
          }
        },
    .sample = {uniform(0.3, 2), uniform(1.2, 4)},
    .examples =
        [](Examples& example) {
          example({Shape{}, Shape{}}, {0});
          example({Shape{3}, Shape{}}, {0, 0});
          example({Shape{2, 3}, Shape{}}, {1, 0});
          example({Shape{2, 3, 2}, Shape{}}, {0, 0, 2});
        },
    .roles = {"x", "p"},
    .notation_of = reduction_notation,
};

// ---- deviation

/// What a kernel reads of attributes: [0] the axes, one bit each.
Split split_of_bits(const Call& c) {
  std::array<std::int64_t, Shape::max_rank> axes{};
  std::size_t count = 0;
  for (int axis = 0; axis < c.shape->rank(); ++axis)
    if ((c.attributes[0] >> axis & 1) != 0) axes[count++] = axis;
  return Split(*c.shape, {axes.data(), count});
}

/// x - mean(x). Exactly 0 where all are equal, and with the digits of the differences, not those of
/// x: the mean is taken of x - x[0], and then once more of what is left.
constexpr Op deviation_op = {
    .name = "deviation",
    .notation = "deviation({})",
    .kind = Kind::reduction,
    .shape = same_as_operand,
    .forward = kernel<[]<class T>(const Call& c) {
      const T* x = c.from<T>(0);
      T* y = c.to<T>();
      const Split split = split_of_bits(c);
      const auto n = static_cast<T>(split.reduced_numel());
      for_each_strip(split, [&](const Strip& s) {
        if (s.empty()) return;
        Columns<T> first, mean, rest;
        s.across(s.first, [&](std::int64_t i, std::int64_t k) { first.data()[k] = x[i]; });
        s.fold(
            mean.data(), [&](std::int64_t i, std::int64_t k) { return x[i] - first.data()[k]; },
            std::plus<>());
        for (std::int64_t k = 0; k < s.width; ++k)
          mean.data()[k] = first.data()[k] + mean.data()[k] / n;
        s.fold(
            rest.data(), [&](std::int64_t i, std::int64_t k) { return x[i] - mean.data()[k]; },
            std::plus<>());
        for (std::int64_t k = 0; k < s.width; ++k) rest.data()[k] /= n;
        s.for_each([&](std::int64_t i, std::int64_t k) {
          y[i] = (x[i] - mean.data()[k]) - rest.data()[k];
        });
      });
    }>,
    .vjp = [](Vjp& v) { v.give(0, record(v.op(), {v.ybar}, {v.attribute(0)})); },
    .sample = {uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{}}, {0});
          example({Shape{3}}, {1});
          example({Shape{2, 3}}, {1});
          example({Shape{2, 3}}, {2});
          example({Shape{2, 3, 4}}, {5});
          example({Shape{2, 1, 3}}, {2});
          example({Shape{20, 3}}, {1});
          example({Shape{2, 0}}, {2});
          example({Shape{0, 2}}, {2});
        },
    .notation_of =
        [](const Operands& x) {
          std::vector<std::int64_t> axes;
          for (int axis = 0; axis < x[0].rank(); ++axis)
            if ((x.attribute(0) >> axis & 1) != 0) axes.push_back(axis);
          return notation_along(x, axes);
        },
};

constexpr const Op* family[] = {&norm_op, &p_norm_op, &deviation_op};

/// What variance and standard deviation are made of.
struct Deviation {
  ReductionAttributes attributes;
  Tensor deviation;
  double freedom;  // n - ddof, or NaN if there is none

  Deviation(std::string_view name, const Arg& x, const Axes& axes, bool keep, std::int64_t ddof)
      : attributes(reduction_attributes(name, x, axes, keep)) {
    require_range(name, x, "ddof", ddof, 0);
    const Shape shape = shape_of(name, x);
    std::int64_t bits = 0, n = 1;
    for (std::int64_t axis : axes_of(attributes)) {
      bits |= std::int64_t{1} << axis;
      n *= shape[static_cast<int>(axis)];
    }
    deviation = record(deviation_op, {x}, {bits});
    freedom = n > ddof ? static_cast<double>(n - ddof) : std::numeric_limits<double>::quiet_NaN();
  }
};

}  // namespace

Family statistics_family() { return family; }

Tensor var(const Arg& x, const Axes& axes, Keepdim keep, std::int64_t ddof) {
  const FrameScope frame("var", x);
  const Deviation d("var", x, axes, keep, ddof);
  const Arg squares = square(d.deviation);
  return record(sum_op, {&squares, 1}, d.attributes) / d.freedom;
}

Tensor std(const Arg& x, const Axes& axes, Keepdim keep, std::int64_t ddof) {
  const FrameScope frame("std", x);
  const Deviation d("std", x, axes, keep, ddof);
  const Arg deviation = d.deviation;
  return record(norm_op, {&deviation, 1}, d.attributes) / std::sqrt(d.freedom);
}

Tensor norm(const Arg& x, double p, const Axes& axes, Keepdim keep) {
  if (p == 2) return reduce(norm_op, x, axes, keep);
  if (!(p > 0))
    refuse("norm", {&x, 1}, {}, fmt::format("p must be above 0, it is {}", p),
           "the length along axis 0 is norm(x, 2, 0)");
  const FrameScope frame("norm", x);
  const ReductionAttributes attributes = reduction_attributes("norm", x, axes, keep);
  if (p == 1 || std::isinf(p)) {
    const Arg size = abs(x);
    return p == 1 ? record(sum_op, {&size, 1}, attributes) : max(size, axes, keep);
  }
  const Arg operands[] = {x, p};
  return record(p_norm_op, operands, attributes);
}

}  // namespace tapegrad
