// batch_norm and layer_norm against PyTorch (data/normalise.txt, made by data/make_normalise.py),
// running statistics as states, and what they refuse.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "reference.hpp"
#include "refusal.hpp"
#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/program/compile.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
using tg::Array, tg::Shape, tg::Tape, tg::Tensor;
using Numbers = std::vector<double>;

constexpr tg::BatchNormOptions training{.training = true};

/// The numbers 0.5 sin(1), 0.5 sin(2), ... around an offset.
Array waves(const Shape& shape, double offset = 0) {
  Numbers values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = offset + 0.5 * std::sin(static_cast<double>(i + 1));
  return Array(shape, values);
}

BOOST_AUTO_TEST_SUITE(normalise)

BOOST_AUTO_TEST_CASE(values_gradients_and_running_statistics_equal_those_of_pytorch) {
  for (const auto& [precision, tolerance] : {std::pair{tg::float64, 1e-12}, {tg::float32, 5e-6}})
    for (const ReferenceCase& c : reference_cases("normalise.txt")) BOOST_TEST_CONTEXT(c.name) {
        Tape tape(precision);
        const Tensor x = tape.input(c["x"]), weight = tape.parameter(c["weight"]),
                     bias = tape.parameter(c["bias"]);
        const double eps = c["eps"].item();
        Tensor y, mean, var;
        if (c.has("momentum")) {
          mean = tape.state(c["running_mean"]), var = tape.state(c["running_var"]);
          y = batch_norm(x, mean, var, weight, bias,
                         {.training = c.name.starts_with("batch_norm/training"),
                          .momentum = c["momentum"].item(),
                          .eps = eps});
        } else {
          y = layer_norm(x, c["weight"].shape(), weight, bias, eps);
        }
        BOOST_TEST(distance(y.array(), c["y"]) < tolerance);
        const auto [gx, gw, gb] = gradient(seeded(y, tape.input(c["seed"])), x, weight, bias);
        BOOST_TEST(distance(gx.array(), c["gradient_x"]) < tolerance);
        BOOST_TEST(distance(gw.array(), c["gradient_weight"]) < tolerance);
        BOOST_TEST(distance(gb.array(), c["gradient_bias"]) < tolerance);
        const Tensor along = sum(gx * tape.input(c["direction"])) + 0 * sum(x);
        BOOST_TEST(distance(gradient(along, x).array(), c["second"]) < 10 * tolerance);
        if (!mean.defined()) continue;
        tape.commit();
        BOOST_TEST(distance(mean.array(), c["new_mean"]) < tolerance);
        BOOST_TEST(distance(var.array(), c["new_var"]) < tolerance);
      }
}

BOOST_AUTO_TEST_CASE(a_normalised_batch_equals_its_formula_to_second_order) {
  for (const Shape& shape : {Shape{5, 3}, Shape{40, 70}, Shape{2, 3, 4}}) {
    Tape tape;
    const Tensor x = tape.input(waves(shape));
    const tg::Axes axes = shape.rank() == 2 ? tg::Axes{0} : tg::Axes{0, 2};
    const Tensor centred = x - mean(x, axes, true);
    const Tensor formula = centred / sqrt(mean(square(centred), axes, true) + 1e-5);
    const Tensor block = batch_norm(x, {}, {}, 1, 0, training), factor = tape.input(waves(shape));
    BOOST_TEST(distance(block.array(), formula.array()) < 1e-12);
    const Tensor a = gradient(sum(factor * square(block)), x),
                 b = gradient(sum(factor * square(formula)), x);
    BOOST_TEST(distance(a.array(), b.array()) < 1e-11);
    const Array aa = gradient(sum(square(a)), x).array(), bb = gradient(sum(square(b)), x).array();
    BOOST_TEST(distance(aa, bb) < 1e-9);
  }
}

BOOST_AUTO_TEST_CASE(numbers_far_from_zero_are_normalised_in_float32) {
  for (const Shape& shape : {Shape{1000, 3}, Shape{10, 3, 100}}) {
    Tape narrow(tg::float32), wide;
    const Array data = waves(shape, 1000), as_floats = narrow.input(data).array();
    const Tensor a = batch_norm(narrow.input(data), {}, {}, 1, 0, training),
                 b = batch_norm(wide.input(as_floats), {}, {}, 1, 0, training);
    BOOST_TEST(distance(a.array(), b.array()) < 1e-3);  // x itself is known to 3e-5 of 0.35
  }
}

BOOST_AUTO_TEST_CASE(a_constant_channel_becomes_zeros_with_finite_slopes) {
  Tape tape;
  const Tensor x = tape.input({{3, 1}, {3, 2}}), y = batch_norm(x, {}, {}, 1, 0, training);
  BOOST_TEST(y.at(0, 0) == 0);
  BOOST_TEST(y.at(1, 0) == 0);
  for (double g : gradient(sum(square(y) * y), x).values()) BOOST_TEST(std::isfinite(g));
}

BOOST_AUTO_TEST_CASE(running_statistics_move_at_the_end_of_each_run_and_serve_in_evaluation) {
  Tape tape;
  const Tensor mean = tape.state({0}), var = tape.state({1});
  auto train = tg::compile(tape, [&](Tensor x) {
    return batch_norm(x, mean, var, 1, 0, {.training = true, .momentum = 0.5});
  });
  auto evaluate =
      tg::compile(tape, [&](Tensor x) { return batch_norm(x, mean, var, 1, 0, {.eps = 0}); });
  train({{1}, {3}});  // mean 2, unbiased variance 2
  BOOST_TEST(mean.item() == 1);
  BOOST_TEST(var.item() == 1.5);
  train({{6}, {8}});  // mean 7, unbiased variance 2
  BOOST_TEST(mean.item() == 4);
  BOOST_TEST(var.item() == 1.75);
  const Array normal = evaluate({{4}, {4 + std::sqrt(1.75)}}).array();
  BOOST_TEST(distance(normal, Array(Shape{2, 1}, {0, 1})) < 1e-14);
  BOOST_TEST(mean.item() == 4);  // evaluation moves nothing
}

BOOST_AUTO_TEST_CASE(a_layer_is_normalised_over_the_axes_that_are_named) {
  Tape tape;
  const Tensor x = tape.input(waves(Shape{2, 3, 4}));
  const Tensor one = layer_norm(x, Shape{4}), two = layer_norm(x, Shape{3, 4});
  const Array rows = mean(one, 2).array(), planes = mean(two, {1, 2}).array();
  BOOST_TEST(distance(rows, Array(Shape{2, 3}, Numbers(6))) < 1e-15);
  BOOST_TEST(distance(planes, Array(Shape{2}, Numbers(2))) < 1e-15);
  const Tensor row = slice(slice(x, 0, 0, 1), 1, 1, 2);
  BOOST_TEST(distance(layer_norm(row, Shape{4}).array(),
                      slice(slice(one, 0, 0, 1), 1, 1, 2).array()) < 1e-14);
  const Tensor whole = layer_norm(x, Shape{2, 3, 4});
  BOOST_TEST(std::abs(mean(whole).item()) < 1e-15);
}

BOOST_AUTO_TEST_CASE(nothing_is_normalised_to_nothing) {
  Tape tape;
  const Tensor none = tape.input(Numbers{}, Shape{0, 3}),
               empty = tape.input(Numbers{}, Shape{3, 0});
  BOOST_TEST((layer_norm(none, Shape{3}).shape() == Shape{0, 3}));
  BOOST_TEST((layer_norm(empty, Shape{0}).shape() == Shape{3, 0}));
  BOOST_TEST((batch_norm(empty, {}, {}, 1, 0, training).shape() == Shape{3, 0}));
}

BOOST_AUTO_TEST_CASE(the_axes_of_a_layer_may_stand_in_braces) {
  Tape tape;
  const Tensor x = tape.input(waves(Shape{2, 3, 4}));
  BOOST_TEST((layer_norm(x, {3, 4}).array() == layer_norm(x, Shape{3, 4}).array()));
  BOOST_TEST((layer_norm(x, {4}, 2, 1).array() == layer_norm(x, Shape{4}, 2, 1).array()));
  BOOST_TEST(says([&] { layer_norm(x, {-4}); }, "layer_norm: (2, 3, 4): (-4) has the impossible"));
  BOOST_TEST(says([&] { layer_norm(x, {-4}); }, line()));
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused_with_the_range) {
  Tape tape;
  const Tensor x = tape.input(waves(Shape{4, 3})), mean = tape.state({1, 1, 1}),
               var = tape.state({1, 1, 1});
  const std::size_t size = tape.size();
  const auto refused = [&](const std::function<void()>& call, const char* text) {
    BOOST_TEST(says(call, text));
    BOOST_TEST(says(call, "normalise_test.cpp"));
    BOOST_TEST(tape.size() == size);
  };
  const auto batch = [&](const tg::BatchNormOptions& options) {
    return [&, options] { batch_norm(x, mean, var, 1, 0, options); };
  };
  refused(batch({.eps = -1}), "batch_norm: (4, 3): eps is -1, and must be at least 0");
  refused(batch({.training = true, .eps = std::nan("")}), "eps is nan, and must be at least 0");
  refused(batch({.momentum = 7}), "batch_norm: (4, 3): momentum is 7, and must be from 0 to 1");
  refused(batch({.training = true, .momentum = -0.1}), "momentum is -0.1");
  refused(batch({.training = true, .momentum = std::nan("")}), "momentum is nan");
  refused([&] { layer_norm(x, Shape{3}, 1, 0, -1e-5); }, "layer_norm: (4, 3): eps is -1e-05");
  refused([&] { layer_norm(x, Shape{3}, 1, 0, std::nan("")); }, "eps is nan");
  BOOST_TEST(std::isfinite(sum(layer_norm(x, Shape{3}, 1, 0, 0)).item()));
  batch({.training = true, .momentum = 1})();
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_at_the_callers_line) {
  Tape tape;
  const Tensor x = tape.input(waves(Shape{4, 3})), two = tape.state({0, 1}),
               three = tape.state({1, 1, 1}), row = slice(x, 0, 0, 1);
  const std::size_t size = tape.size();
  const auto refused = [&](const std::function<void()>& call, const char* part) {
    const std::string text = refusal(call);
    BOOST_TEST(has(text, part), text);
    BOOST_TEST(has(text, "normalise_test.cpp"), text);
    BOOST_TEST(tape.size() == size);
  };
  refused([&] { batch_norm(x, two, two); }, "x has 3 channels");
  refused([&] { batch_norm(x, three, three, two); }, "x has 3 channels");
  refused([&] { batch_norm(three, three, three); }, "(N, C)");
  refused([&] { batch_norm(x, {}, {}); }, "running mean and variance are missing");
  refused([&] { batch_norm(x, three, {}, 1, 0, training); }, "are missing");
  refused([&] { batch_norm(row, three, three, 1, 0, training); }, "one value in a channel");
  refused([&] { layer_norm(x, Shape{4}); }, "the last axes of x are not (4)");
  refused([&] { layer_norm(x, Shape{2, 4, 3}); }, "the last axes of x are not (2, 4, 3)");
  refused([&] { layer_norm(x, Shape{3}, two); }, "must have the shape (3)");
  refused([&] { batch_norm(x, x, x, 1, 0, training); }, "x has 3 channels");
  const Tensor input = tape.input({1, 1, 1});
  BOOST_TEST(
      says([&] { batch_norm(x, input, three, 1, 0, training); }, "only state and parameter"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
