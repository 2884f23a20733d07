// Losses: one number from a prediction and a target of the same shape.
#include "tapegrad/kernel/reduce.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

Shape one_number_from_equal_shapes(const Operands& x) {
  if (x[0] != x[1])
    x.fail("prediction and target must have the same shape",
           x[0].numel() == x[1].numel() ? "reshape one of them" : "");
  return Shape{};
}

void equal_shape_examples(Examples& example) {
  example({Shape{}, Shape{}});
  example({Shape{3}, Shape{3}});
  example({Shape{2, 3}, Shape{2, 3}});
  example({Shape{5, 3, 2}, Shape{5, 3, 2}});
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
    .notation = "1/2 |{} - {}|^2",
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
    .notation = "mean ({} - {})^2",
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

constexpr const Op* family[] = {&half_squared_error_op, &mse_loss_op};

}  // namespace

Family loss_family() { return family; }

Tensor half_squared_error(const Arg& prediction, const Arg& target) {
  return record(half_squared_error_op, {prediction, target});
}

Tensor mse_loss(const Arg& prediction, const Arg& target) {
  return record(mse_loss_op, {prediction, target});
}

Tensor cross_entropy(const Arg& logits, const Arg& labels) {
  constexpr std::string_view name = "cross_entropy", roles[] = {"logits", "labels"};
  const Arg both[] = {logits, labels};
  require_one_tape(name, both);
  const FrameScope frame(recording_of(name, both), name, logits.site());
  const Shape x = shape_of(name, logits), t = shape_of(name, labels);
  if (x.rank() != 2) refuse(name, both, roles, "logits must have the shape (samples, classes)");
  if (t.rank() != 1 || t[0] != x[0])
    refuse(name, both, roles, "there must be one label, a class number, for each row of logits");
  // (N, C) -> (N, 1): the log-probability of each sample's class
  const Tensor column = reshape(labels, {x[0], 1}), all = log_softmax(logits, 1);
  const Tensor chosen = gather(all, 1, column);
  return -mean(chosen);
}

}  // namespace tapegrad
