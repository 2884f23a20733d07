// Normalisation: numbers of one channel are given mean 0 and variance 1. Batches and layers differ
// only in what a channel is.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tapegrad/kernel/move.hpp"
#include "tapegrad/kernel/reduce.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

// Here x has the shape (outer, channels, inner), and a channel's statistics (1, channels, 1).
// Variances are divided by n, not n - 1.
constexpr Axes within_channel{0, 2};

Tensor channel_variance(const Arg& x);
Tensor normalise(const Arg& x, const Arg& eps);

/// sums[c] = the sum of term(i, c) over the elements i of channel c, where a channel's elements are
/// single: rows are added, halving them, for as many columns as a strip holds.
template <class T, class Term>
void sum_strip(std::int64_t columns, Term term, std::int64_t row, std::int64_t rows,
               std::int64_t column, std::int64_t width, T* sums) {
  if (rows <= 16) {
    std::fill_n(sums, width, T(0));
    for (std::int64_t r = row; r < row + rows; ++r)
      for (std::int64_t c = 0; c < width; ++c)
        sums[c] += term(r * columns + column + c, column + c);
    return;
  }
  std::array<T, 64> second;
  const std::int64_t half = rows / 2;
  sum_strip(columns, term, row, half, column, width, sums);
  sum_strip(columns, term, row + half, rows - half, column, width, second.data());
  for (std::int64_t c = 0; c < width; ++c) sums[c] += second[static_cast<std::size_t>(c)];
}

/// sums[c] = the sum of term(i, c) over the elements i of channel c.
template <class T, class Term>
void sum_channels(const AxisView& x, Term term, T* sums) {
  if (x.inner == 1) {
    for (std::int64_t c = 0; c < x.axis; c += 64)
      sum_strip(x.axis, term, 0, x.outer, c, std::min<std::int64_t>(64, x.axis - c), sums + c);
    return;
  }
  for (std::int64_t c = 0; c < x.axis; ++c)
    sums[c] = blocked_sum<T>(x.outer, [&](std::int64_t o) {
      const std::int64_t start = (o * x.axis + c) * x.inner;
      return blocked_sum<T>(x.inner, [&](std::int64_t i) { return term(start + i, c); });
    });
}

/// Mean and variance of each channel, in two passes: the variance of numbers far from 0 is exact.
template <class T>
void measure_channels(const AxisView& view, const T* x, T* mean, T* variance) {
  const auto n = static_cast<T>(view.outer * view.inner);
  sum_channels(
      view, [&](std::int64_t i, std::int64_t) { return x[i]; }, mean);
  for (std::int64_t c = 0; c < view.axis; ++c) mean[c] /= n;
  const auto squared = [&](std::int64_t i, std::int64_t c) {
    const T distance = x[i] - mean[c];
    return distance * distance;
  };
  sum_channels(view, squared, variance);
  for (std::int64_t c = 0; c < view.axis; ++c) variance[c] /= n;
}

void channel_examples(Examples& example) {
  example({Shape{4, 1, 1}});
  example({Shape{1, 2, 3}});
  example({Shape{40, 3, 1}});
  example({Shape{2, 3, 4}});
  example({Shape{2, 0, 3}});
}

constexpr Op channel_variance_op = {
    .name = "channel_variance",
    .notation = "var({})",
    .kind = Kind::reduction,
    .shape =
        [](const Operands& x) {
          return Shape{1, x[0][1], 1};
        },
    .forward = kernel<[]<class T>(const Call& c) {
      measure_channels(AxisView(*c.in[0].shape, 1), c.from<T>(0), static_cast<T*>(c.scratch),
                       c.to<T>());
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor x = v.x(0);
          const double n = static_cast<double>(x.size(0) * x.size(2));
          v.give(0, v.ybar * (2 / n * (x - mean(x, within_channel, true))));
        },
    .sample = {uniform(-2, 2)},
    .examples = channel_examples,
    .scratch = [](const Operands& x) { return x[0][1]; },
};

constexpr Op normalise_op = {
    .name = "normalise",
    .notation = "normalise({}, {})",
    .kind = Kind::reduction,
    .shape =
        [](const Operands& x) {
          if (x[1].rank() != 0) x.fail("eps must be one number");
          return x[0];
        },
    .forward = kernel<[]<class T>(const Call& c) {
      using std::sqrt;
      const AxisView view(*c.shape, 1);
      const T* x = c.from<T>(0);
      const T eps = *c.from<T>(1);
      T *mean = static_cast<T*>(c.scratch), *scale = mean + view.axis, *y = c.to<T>();
      measure_channels(view, x, mean, scale);
      for (std::int64_t a = 0; a < view.axis; ++a) scale[a] = 1 / sqrt(scale[a] + eps);
      if (view.inner == 1) {
        for (std::int64_t o = 0; o < view.outer; ++o, x += view.axis, y += view.axis)
          for (std::int64_t a = 0; a < view.axis; ++a) y[a] = (x[a] - mean[a]) * scale[a];
        return;
      }
      for (std::int64_t o = 0; o < view.outer; ++o)
        for (std::int64_t a = 0; a < view.axis; ++a, x += view.inner, y += view.inner)
          for (std::int64_t i = 0; i < view.inner; ++i) y[i] = (x[i] - mean[a]) * scale[a];
    }>,
    // Mean and variance depend on x too: what the adjoint has in common with 1 and with y is lost.
    .vjp =
        [](Vjp& v) {
          const Tensor slope = 1.0 / sqrt(channel_variance(v.x(0)) + v.x(1));
          const auto mean_of = [](const Adjoint& a) {
            return Adjoint(mean(a, within_channel, true));
          };
          if (v.wants(0)) {
            const Adjoint scaled = v.ybar * slope;
            const Adjoint common = mean_of(scaled), along_y = mean_of(scaled * v.y) * v.y;
            v.give(0, scaled - common - along_y);
          }
          if (v.wants(1)) v.give(1, v.ybar * (v.y * (-0.5 * square(slope))));
        },
    .sample = {uniform(-2, 2), uniform(0.01, 0.5)},
    .examples =
        [](Examples& example) {
          example({Shape{4, 1, 1}, Shape{}});
          example({Shape{1, 2, 3}, Shape{}});
          example({Shape{40, 3, 1}, Shape{}});
          example({Shape{2, 3, 4}, Shape{}});
          example({Shape{2, 0, 3}, Shape{}});
          example({Shape{0, 2, 1}, Shape{}});
        },
    .roles = {"x", "eps"},
    .scratch = [](const Operands& x) { return 2 * x[0][1]; },
};

Tensor channel_variance(const Arg& x) { return record(channel_variance_op, {x}); }
Tensor normalise(const Arg& x, const Arg& eps) { return record(normalise_op, {x, eps}); }

constexpr const Op* family[] = {&channel_variance_op, &normalise_op};

// Without a record for what changes nothing.
Tensor scaled(const Tensor& x, const Arg& weight) {
  return weight.is_number() && weight.number() == 1 ? x : x * weight;
}
Tensor shifted(const Tensor& x, const Arg& bias) {
  return bias.is_number() && bias.number() == 0 ? x : x + bias;
}

}  // namespace

Family normalise_family() { return family; }

Tensor batch_norm(const Arg& x, const Tensor& running_mean, const Tensor& running_var,
                  const Arg& weight, const Arg& bias, const BatchNormOptions& options) {
  constexpr std::string_view name = "batch_norm",
                             roles[] = {"x", "running_mean", "running_var", "weight", "bias"};
  const bool runs = running_mean.defined() && running_var.defined();
  if (!runs && (running_mean.defined() || running_var.defined() || !options.training))
    refuse(name, {&x, 1}, roles, "running mean and variance are missing",
           "in training both may be left out, in evaluation neither");
  std::vector<Arg> all{x, runs ? Arg(running_mean, x.site()) : Arg(0.0, x.site()),
                       runs ? Arg(running_var, x.site()) : Arg(1.0, x.site()), weight, bias};
  require_one_tape(name, all);
  const Shape shape = shape_of(name, x);
  if (shape.rank() < 2) refuse(name, {&x, 1}, roles, "x must have the shape (N, C) or (N, C, ...)");
  const AxisView view(shape, 1);
  const std::int64_t channels = view.axis, n = view.outer * view.inner;
  for (const Arg& one : all)
    if (&one != &all[0] && !one.is_number() && shape_of(name, one) != Shape{channels})
      refuse(name, all, roles,
             fmt::format("x has {} channels, and everything else must have one number for each",
                         channels));
  if (options.training && n < 2 && channels > 0)
    refuse(name, {&x, 1}, roles, "one value in a channel has no variance to train with");
  require_range(name, x, "eps", options.eps, 0);
  require_range(name, x, "momentum", options.momentum, 0, 1);

  const FrameScope frame(recording_of(name, all), name, x.site());
  Shape column = shape;  // (C) as (1, C, 1...)
  for (int axis = 0; axis < shape.rank(); ++axis) column.set(axis, axis == 1 ? channels : 1);
  const auto spread = [&](const Arg& t) { return t.is_number() ? t : Arg(reshape(t, column)); };
  const Arg factor = spread(weight), summand = spread(bias);
  if (!options.training) {
    const Tensor centred = x - spread(all[1]);
    const Tensor slope = 1.0 / sqrt(spread(all[2]) + options.eps);
    return shifted(centred * scaled(slope, factor), summand);
  }
  const Tensor three = reshape(x, {view.outer, channels, view.inner});
  if (runs) {
    const auto step = [&](const Tensor& leaf, const Tensor& to) {
      const Tensor rest = (1.0 - options.momentum) * leaf;
      assign(leaf, rest + options.momentum * reshape(to, {channels}));
    };
    step(running_mean, mean(three, within_channel));
    const double unbiased = static_cast<double>(n) / static_cast<double>(n - 1);
    step(running_var, unbiased * channel_variance(three));
  }
  const Tensor y = reshape(normalise(three, options.eps), shape);
  return shifted(scaled(y, factor), summand);
}

Tensor layer_norm(const Arg& x, const Shape& normalized, const Arg& weight, const Arg& bias,
                  const Arg& eps) {
  constexpr std::string_view name = "layer_norm", roles[] = {"x", "weight", "bias", "eps"};
  const Arg all[] = {x, weight, bias, eps};
  require_one_tape(name, all);
  const Shape shape = shape_of(name, x);
  bool fits = shape.rank() >= normalized.rank();
  for (int back = 1; fits && back <= normalized.rank(); ++back)
    fits = shape[-back] == normalized[-back];
  if (!fits)
    refuse(name, {&x, 1}, roles, fmt::format("the last axes of x are not {}", text(normalized)));
  for (const Arg* one : {&weight, &bias})
    if (!one->is_number() && shape_of(name, *one) != normalized)
      refuse(name, all, roles,
             fmt::format("weight and bias must have the shape {}", text(normalized)));
  require_range(name, x, "eps", eps, 0);
  const FrameScope frame(recording_of(name, all), name, x.site());
  const std::int64_t within = normalized.numel();
  const Shape channels{1, within == 0 ? 0 : shape.numel() / within, within};
  const Tensor y = reshape(normalise(reshape(x, channels), eps), shape);
  return shifted(scaled(y, weight), bias);
}
Tensor layer_norm(const Arg& x, std::initializer_list<std::int64_t> normalized, const Arg& weight,
                  const Arg& bias, const Arg& eps) {
  const Shape shape = shape_from("layer_norm", x, {normalized.begin(), normalized.size()});
  return layer_norm(x, shape, weight, bias, eps);
}

}  // namespace tapegrad
