// Losses of classes: cross-entropies of probabilities, of logits, and of labels.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "tapegrad/kernel/elementwise.hpp"
#include "tapegrad/kernel/move.hpp"
#include "tapegrad/kernel/reduce.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/loss.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

// ---- two classes, element by element

constexpr Op binary_cross_entropy_op = {
    .name = "binary_cross_entropy",
    .notation = "bce({}, {})",
    .kind = Kind::elementwise,
    .shape = equal_shapes,
    .forward = elementwise_kernel<[](auto p, auto t) {
      using std::log, std::log1p;
      if (p < 0 || (p > 1))
        throw KernelError{
            fmt::format("the prediction {} is no probability; of logits there is "
                        "binary_cross_entropy_with_logits",
                        static_cast<double>(p))};
      const auto cost = [](auto logarithm) {
        return logarithm < -100 ? decltype(logarithm)(100) : -logarithm;
      };
      return t * cost(log(p)) + (1 - t) * cost(log1p(-p));
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor p = v.x(0), t = v.x(1);
          if (v.wants(0)) {
            const Tensor spread = maximum(p * (1.0 - p), 1e-12);
            v.give(0, v.ybar * ((p - t) / spread));
          }
          if (v.wants(1)) {
            const Tensor yes = maximum(log(p), -100.0), no = maximum(log(1.0 - p), -100.0);
            v.give(1, v.ybar * (no - yes));
          }
        },
    .sample = {uniform(0.1, 0.9), uniform(0, 1)},
    .examples = equal_shape_examples,
    .roles = {"prediction", "target"},
};

constexpr Op binary_cross_entropy_with_logits_op = {
    .name = "binary_cross_entropy_with_logits",
    .notation = "bce(sigmoid({}), {})",
    .kind = Kind::elementwise,
    .shape = equal_shapes,
    .forward = elementwise_kernel<[](auto x, auto t) {  // for t in [0, 1] no term is negative
      using std::abs, std::exp, std::log1p;
      return ((x > 0) ? (1 - t) * x : -t * x) + log1p(exp(-abs(x)));
    }>,
    .vjp =
        [](Vjp& v) {
          if (v.wants(0)) v.give(0, v.ybar * (sigmoid(v.x(0)) - v.x(1)));
          if (v.wants(1)) v.give(1, v.ybar * -v.x(0));
        },
    .sample = {uniform(-3, 3), uniform(0, 1)},
    .examples = equal_shape_examples,
    .roles = {"logits", "target"},
};

// ---- classes along axis 1, (N, C, ...), and a label for each sample, (N, ...)

Tensor softmax_error(const Arg& logits, const Arg& labels);

/// (N, ...) as (N, 1, ...).
Tensor as_column(const Arg& x, const Shape& logits) {
  Shape column = logits;
  column.set(1, 1);
  return reshape(x, column);
}

Shape one_loss_for_each_label(const Operands& x) {
  if (x[0].rank() < 2)
    x.fail("there must be one row of classes for each sample: (samples, classes)");
  const Shape labels = x[0].without_axis(1);
  if (x[1] != labels)
    x.fail(fmt::format("the labels, a class number for each sample, must have the shape {}",
                       text(labels)),
           x[1].numel() == labels.numel() ? "reshape the labels" : "");
  return labels;
}

Shape like_the_logits(const Operands& x) {
  one_loss_for_each_label(x);
  return x[0];
}

void label_examples(Examples& example) {
  example({Shape{1, 2}, Shape{1}});
  example({Shape{4, 3}, Shape{4}});
  example({Shape{2, 3, 2}, Shape{2, 2}});
  example({Shape{2, 2, 1, 3}, Shape{2, 1, 3}});
  example({Shape{0, 3}, Shape{0}});
}

/// Throws unless a label names a class.
template <class T>
std::int64_t class_of(T label, std::int64_t sample, std::int64_t classes) {
  const bool in_range = label >= 0 && label < static_cast<T>(classes);
  const std::int64_t number = in_range ? static_cast<std::int64_t>(label) : -1;
  if (number < 0 || static_cast<T>(number) != label)
    throw KernelError{
        fmt::format("label {} of sample {} is none of the {} classes, numbered from 0",
                    static_cast<double>(label), sample, classes)};
  return number;
}

/// Calls f(k, start, label): the numbers of sample k begin at `start` and are `step` apart.
template <class T, class F>
void for_each_sample(const AxisView& x, const T* labels, F f) {
  for (std::int64_t o = 0; o < x.outer; ++o)
    for (std::int64_t i = 0; i < x.inner; ++i) {
      const std::int64_t k = o * x.inner + i;
      f(k, o * x.axis * x.inner + i, class_of(labels[k], o, x.axis));
    }
}

template <class T>
std::int64_t place_of_largest(const T* x, std::int64_t n, std::int64_t step) {
  std::int64_t best = 0;
  for (std::int64_t a = 1; a < n; ++a)
    if (x[a * step] > x[best * step]) best = a;
  return best;
}

constexpr Op cross_entropy_op = {
    .name = "cross_entropy",
    .notation = "cross_entropy({}, {})",
    .kind = Kind::reduction,
    .shape = one_loss_for_each_label,
    .forward = kernel<[]<class T>(const Call& c) {
      using std::exp, std::log1p;
      const AxisView view(*c.in[0].shape, 1);
      for_each_sample(view, c.from<T>(1),
                      [&](std::int64_t k, std::int64_t start, std::int64_t label) {
                        const T* x = c.from<T>(0) + start;
                        const std::int64_t best = place_of_largest(x, view.axis, view.inner);
                        const T largest = x[best * view.inner];
                        // Without the largest term, which is 1, so that small losses are exact.
                        const T others = blocked_sum<T>(view.axis, [&](std::int64_t a) {
                          return a == best ? T(0) : exp(x[a * view.inner] - largest);
                        });
                        c.to<T>()[k] = largest - x[label * view.inner] + log1p(others);
                      });
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor error = softmax_error(v.x(0), v.x(1));
          v.give(0, Adjoint(as_column(v.ybar, error.shape())) * error);
        },
    .sample = {uniform(-2, 2), whole(0, 2)},
    .examples = label_examples,
    .roles = {"logits", "labels"},
};

/// The derivative of cross_entropy by the logits, in one pass.
constexpr Op softmax_error_op = {
    .name = "softmax_error",
    .notation = "softmax({}) - onehot({})",
    .kind = Kind::reduction,
    .shape = like_the_logits,
    .forward = kernel<[]<class T>(const Call& c) {
      using std::exp;
      const AxisView view(*c.shape, 1);
      const std::int64_t class_axis = 1;
      const T *x = c.from<T>(0), *labels = c.from<T>(1);
      T* y = c.to<T>();
      for_each_strip(Split(*c.shape, {&class_axis, 1}), [&](const Strip& s) {
        Columns<std::int64_t> place;  // of the label
        s.across(s.first, [&](std::int64_t i, std::int64_t k) {
          const std::int64_t sample = (s.result + k) / view.inner;
          const std::int64_t label = class_of(labels[s.result + k], sample, view.axis);
          place.data()[k] = i + label * s.line.stride;
        });
        Columns<T> largest, own, others;
        s.fold(
            largest.data(), [&](std::int64_t i, std::int64_t) { return x[i]; }, larger);
        s.for_each([&](std::int64_t i, std::int64_t k) { y[i] = exp(x[i] - largest.data()[k]); });
        for (std::int64_t k = 0; k < s.width; ++k)
          own.data()[k] = std::exchange(y[place.data()[k]], T(0));
        s.fold(
            others.data(), [&](std::int64_t i, std::int64_t) { return y[i]; }, std::plus<>());
        for (std::int64_t k = 0; k < s.width; ++k) {
          y[place.data()[k]] = -others.data()[k];  // own / sum - 1, without cancellation
          others.data()[k] += own.data()[k];
        }
        s.for_each([&](std::int64_t i, std::int64_t k) { y[i] /= others.data()[k]; });
      });
    }>,
    .vjp =
        [](Vjp& v) {  // that of softmax
          const Tensor probability = softmax(v.x(0), 1);
          const Adjoint weighted = v.ybar * probability;
          v.give(0, weighted - Adjoint(sum(weighted.tensor(), 1, true)) * probability);
        },
    .sample = {uniform(-2, 2), whole(0, 2)},
    .examples = label_examples,
    .roles = {"logits", "labels"},
};

constexpr Op nll_loss_op = {
    .name = "nll_loss",
    .notation = "nll({}, {})",
    .kind = Kind::reduction,
    .shape = one_loss_for_each_label,
    .forward = kernel<[]<class T>(const Call& c) {
      const AxisView view(*c.in[0].shape, 1);
      for_each_sample(view, c.from<T>(1),
                      [&](std::int64_t k, std::int64_t start, std::int64_t label) {
                        c.to<T>()[k] = -c.from<T>(0)[start + label * view.inner];
                      });
    }>,
    .vjp =
        [](Vjp& v) {
          const Shape shape = v.x(0).shape();
          const Tensor share = as_column(-v.ybar, shape), labels = as_column(v.x(1), shape);
          v.give(0, scatter_add(share, labels, 1, shape));
        },
    .sample = {uniform(-2, 2), whole(0, 2)},
    .examples = label_examples,
    .roles = {"log_probabilities", "labels"},
};

constexpr const Op* family[] = {&binary_cross_entropy_op, &binary_cross_entropy_with_logits_op,
                                &cross_entropy_op, &softmax_error_op, &nll_loss_op};

Tensor softmax_error(const Arg& logits, const Arg& labels) {
  return record(softmax_error_op, {logits, labels});
}

/// The losses of the samples, by labels or by probabilities.
Tensor cross_entropies(const Arg& logits, const Arg& target, bool labels) {
  if (labels) return record(cross_entropy_op, {logits, target});
  return -sum(target * log_softmax(logits, 1), 1);
}

}  // namespace

Family classification_family() { return family; }

Tensor binary_cross_entropy(const Arg& prediction, const Arg& target, Reduction reduction) {
  const FrameScope frame = frame_of_loss(binary_cross_entropy_op.name, prediction, target);
  return reduced(record(binary_cross_entropy_op, {prediction, target}), reduction);
}

Tensor binary_cross_entropy_with_logits(const Arg& logits, const Arg& target, Reduction reduction) {
  const FrameScope frame = frame_of_loss(binary_cross_entropy_with_logits_op.name, logits, target);
  return reduced(record(binary_cross_entropy_with_logits_op, {logits, target}), reduction);
}

Tensor cross_entropy(const Arg& logits, const Arg& target, Reduction reduction) {
  return cross_entropy(logits, target, CrossEntropyOptions{.reduction = reduction});
}

Tensor cross_entropy(const Arg& logits, const Arg& target, const CrossEntropyOptions& options) {
  constexpr std::string_view name = cross_entropy_op.name, roles[] = {"logits", "target"};
  const Arg both[] = {logits, target};
  const FrameScope frame = frame_of_loss(name, logits, target);
  const Shape shape = shape_of(name, logits);
  const bool labels = shape.rank() < 2 || shape != shape_of(name, target),
             ignores = options.ignore_index.has_value();
  if (ignores && !labels)
    refuse(name, both, roles, "the target holds probabilities, and ignore_index is a label");
  require_range(name, logits, "label_smoothing", options.label_smoothing, 0, 1);

  Tensor counts;  // 1 for samples that are not ignored
  Arg known = target;
  if (ignores) {
    counts = not_equal(target, *options.ignore_index);
    known = where(counts, target, 0.0);
  }
  Tensor losses = cross_entropies(logits, known, labels);
  if (options.label_smoothing != 0) {
    const Tensor even = options.label_smoothing * -mean(log_softmax(logits, 1), 1);
    losses = (1.0 - options.label_smoothing) * losses + even;
  }
  if (!ignores) return reduced(losses, options.reduction);
  losses = where(counts, losses, 0.0);
  if (options.reduction != Reduction::mean) return reduced(losses, options.reduction);
  const Tensor count = sum(counts);
  return sum(losses) / count;
}

Tensor nll_loss(const Arg& log_probabilities, const Arg& labels, Reduction reduction) {
  const FrameScope frame = frame_of_loss(nll_loss_op.name, log_probabilities, labels);
  return reduced(record(nll_loss_op, {log_probabilities, labels}), reduction);
}

}  // namespace tapegrad
