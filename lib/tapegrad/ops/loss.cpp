// Losses: what a prediction costs, by its difference from a target of the same shape. Those of
// classes are in classification.cpp.
#include "tapegrad/ops/loss.hpp"

#include <fmt/format.h>

#include "tapegrad/kernel/elementwise.hpp"
#include "tapegrad/kernel/reduce.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

Shape one_number_from_equal_shapes(const Operands& x) {
  equal_shapes(x);
  return Shape{};
}

template <class T>
T sum_of_squared_differences(const Call& c) {
  const T *x = c.from<T>(0), *t = c.from<T>(1);
  return blocked_sum<T>(c.in[0].shape->numel(), [&](std::int64_t i) {
    const T difference = x[i] - t[i];
    return difference * difference;
  });
}

constexpr Op half_squared_error_op = {
    .name = "half_squared_error",
    .notation = "0.5 * sum(({} - {})^2)",
    .kind = Kind::reduction,
    .shape = one_number_from_equal_shapes,
    .forward = kernel<[]<class T>(const Call& c) {
      *c.to<T>() = T(0.5) * sum_of_squared_differences<T>(c);
    }>,
    .vjp =
        [](Vjp& v) {
          if (v.wants(0)) v.give(0, v.ybar * (v.x(0) - v.x(1)));
          if (v.wants(1)) v.give(1, v.ybar * (v.x(1) - v.x(0)));
        },
    .sample = {uniform(-2, 2), uniform(-2, 2)},
    .examples = equal_shape_examples,
    .roles = {"prediction", "target"},
};

constexpr Op mse_loss_op = {
    .name = "mse_loss",
    .notation = "mean(({} - {})^2)",
    .kind = Kind::reduction,
    .shape = one_number_from_equal_shapes,
    .forward = kernel<[]<class T>(const Call& c) {
      *c.to<T>() = sum_of_squared_differences<T>(c) / static_cast<T>(c.in[0].shape->numel());
    }>,
    .vjp =
        [](Vjp& v) {
          const double factor = 2.0 / static_cast<double>(v.x(0).numel());
          if (v.wants(0)) v.give(0, v.ybar * (factor * (v.x(0) - v.x(1))));
          if (v.wants(1)) v.give(1, v.ybar * (factor * (v.x(1) - v.x(0))));
        },
    .sample = {uniform(-2, 2), uniform(-2, 2)},
    .examples = equal_shape_examples,
    .roles = {"prediction", "target"},
};

// A label of one of two classes.
constexpr Op plus_or_minus_one_op = {
    .name = "plus_or_minus_one",
    .notation = "{}",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto t) {
      if (!(t == 1) && !(t == -1))
        throw KernelError{fmt::format("target is {}, and must be 1 or -1", static_cast<double>(t))};
      return t;
    }>,
    .vjp = zero_gradient,
    .sample = {whole(1, 2)},
};

/// A target that is a number belongs to the tape of the prediction.
Tensor plus_or_minus_one(const Arg& target, const Arg& prediction) {
  if (!target.is_number()) return record(plus_or_minus_one_op, {target});
  Recording& recording = recording_of(plus_or_minus_one_op.name, {&prediction, 1});
  return record(plus_or_minus_one_op, {Arg(recording.number(target.number()), target.site())});
}

constexpr const Op* family[] = {&half_squared_error_op, &mse_loss_op, &plus_or_minus_one_op};

constexpr std::string_view unequal_shapes = "prediction and target must have the same shape";

std::string hint_for_unequal(const Shape& prediction, const Shape& target) {
  return prediction.numel() == target.numel() ? "reshape one of them" : "";
}

/// The frame of a loss that is a composition, opened if the shapes are equal.
FrameScope frame_of_equals(std::string_view name, const Arg& prediction, const Arg& target) {
  constexpr std::string_view roles[] = {"prediction", "target"};
  const Arg both[] = {prediction, target};
  const Shape x = shape_of(name, prediction), t = shape_of(name, target);
  if (x != t) refuse(name, both, roles, std::string(unequal_shapes), hint_for_unequal(x, t));
  return frame_of_loss(name, prediction, target);
}

}  // namespace

Family loss_family() { return family; }

Shape equal_shapes(const Operands& x) {
  if (x[0] != x[1]) x.fail(std::string(unequal_shapes), hint_for_unequal(x[0], x[1]));
  return x[0];
}

FrameScope frame_of_loss(std::string_view name, const Arg& prediction, const Arg& target) {
  const Arg both[] = {prediction, target};
  require_one_tape(name, both);
  return {recording_of(name, both), name, prediction.site()};
}

void equal_shape_examples(Examples& example) {
  example({Shape{}, Shape{}});
  example({Shape{3}, Shape{3}});
  example({Shape{2, 3}, Shape{2, 3}});
  example({Shape{5, 3, 2}, Shape{5, 3, 2}});
}

Tensor reduced(const Tensor& losses, Reduction reduction) {
  switch (reduction) {
    case Reduction::none:
      return losses;
    case Reduction::mean:
      return mean(losses);
    case Reduction::sum:
      return sum(losses);
    case Reduction::batch_mean:
      break;
  }
  const std::int64_t samples = losses.rank() == 0 ? 1 : losses.size(0);
  return sum(losses) / samples;
}

Tensor half_squared_error(const Arg& prediction, const Arg& target, Reduction reduction) {
  if (reduction == Reduction::sum) return record(half_squared_error_op, {prediction, target});
  const FrameScope frame = frame_of_equals(half_squared_error_op.name, prediction, target);
  return reduced(0.5 * square(prediction - target), reduction);
}

Tensor mse_loss(const Arg& prediction, const Arg& target, Reduction reduction) {
  if (reduction == Reduction::mean) return record(mse_loss_op, {prediction, target});
  const FrameScope frame = frame_of_equals(mse_loss_op.name, prediction, target);
  return reduced(square(prediction - target), reduction);
}

Tensor l1_loss(const Arg& prediction, const Arg& target, Reduction reduction) {
  const FrameScope frame = frame_of_equals("l1_loss", prediction, target);
  return reduced(abs(prediction - target), reduction);
}

Tensor huber_loss(const Arg& prediction, const Arg& target, const Arg& delta, Reduction reduction) {
  const FrameScope frame = frame_of_equals("huber_loss", prediction, target);
  require_range("huber_loss", prediction, "delta", delta, 0);
  const Arg low = delta.is_number() ? Arg(-delta.number()) : Arg(-delta);
  const Tensor difference = prediction - target, slope = clamp(difference, low, delta);
  return reduced(slope * (difference - 0.5 * slope), reduction);
}

Tensor hinge_loss(const Arg& prediction, const Arg& target, Reduction reduction) {
  const FrameScope frame = frame_of_equals("hinge_loss", prediction, target);
  return reduced(relu(1.0 - plus_or_minus_one(target, prediction) * prediction), reduction);
}

Tensor kl_div(const Arg& prediction, const Arg& target, Reduction reduction) {
  const FrameScope frame = frame_of_equals("kl_div", prediction, target);
  // t log t is 0 for t = 0, and what is never expected costs nothing, however improbable.
  const Tensor never = equal(target, 0.0), logarithm = log(where(never, 1.0, target));
  return reduced(where(never, 0.0, target * (logarithm - prediction)), reduction);
}

Tensor cosine_similarity(const Arg& x, const Arg& y, Axis axis) {
  constexpr std::string_view name = "cosine_similarity", roles[] = {"x", "y"};
  const Arg both[] = {x, y};
  require_one_tape(name, both);
  if (shape_of(name, x) != shape_of(name, y))
    refuse(name, both, roles, "x and y must have the same shape", "see broadcast_to");
  const int along = static_cast<int>(resolve_axis(name, x, axis));
  const FrameScope frame(recording_of(name, both), name, x.site());
  const auto length = [&](const Arg& of) { return sqrt(maximum(sum(square(of), along), 1e-16)); };
  const Tensor product = sum(x * y, along), of_x = length(x), of_y = length(y);
  return product / of_x / of_y;
}

Tensor cosine_embedding_loss(const Arg& x, const Arg& y, const Arg& target, const Arg& margin,
                             Reduction reduction) {
  constexpr std::string_view name = "cosine_embedding_loss", roles[] = {"x", "y", "target"};
  const Arg all[] = {x, y, target};
  require_one_tape(name, all);
  const Shape vectors = shape_of(name, x);
  if (vectors.rank() == 0 || shape_of(name, y) != vectors ||
      shape_of(name, target) != vectors.without_axis(vectors.rank() - 1))
    refuse(name, all, roles, "x and y must have the same shape, and one target for each vector");
  require_range(name, x, "margin", margin, -1, 1);
  const FrameScope frame(recording_of(name, all), name, x.site());
  const Tensor cosine = cosine_similarity(x, y, -1);
  const Tensor alike = 1.0 - cosine, unlike = relu(cosine - margin);
  return reduced(where(plus_or_minus_one(target, x) > 0.0, alike, unlike), reduction);
}

}  // namespace tapegrad
