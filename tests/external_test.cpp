// Derivatives of the user's own making: code of others, and rules for composites.
#include "tapegrad/ops/external.hpp"

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/creation.hpp"
#include "tapegrad/base/error.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/program/compile.hpp"
#include "tapegrad/tape/listing.hpp"
#include "tapegrad/tape/tape.hpp"
#include "tapegrad/tape/trial.hpp"

namespace {

namespace tg = tapegrad;
using tg::Shape, tg::Tape, tg::Tensor, tg::External;
using Numbers = std::vector<double>;

/// y_i = x_i^2 w, as a C library might offer it.
extern "C" void scaled_squares(int n, const double* x, double w, double* y) {
  for (int i = 0; i < n; ++i) y[i] = x[i] * x[i] * w;
}
extern "C" void scaled_squares_backward(int n, const double* x, double w, const double* ybar,
                                        double* xbar, double* wbar) {
  *wbar = 0;
  for (int i = 0; i < n; ++i) {
    xbar[i] = 2 * x[i] * w * ybar[i];
    *wbar += x[i] * x[i] * ybar[i];
  }
}

External squares() {
  return {.name = "scaled_squares",
          .forward =
              [](External::Inputs x, std::span<double> y) {
                scaled_squares(static_cast<int>(y.size()), x[0].data(), x[1][0], y.data());
              },
          .backward =
              [](External::Inputs x, std::span<const double>, std::span<const double> ybar,
                 External::Outputs xbar) {
                scaled_squares_backward(static_cast<int>(ybar.size()), x[0].data(), x[1][0],
                                        ybar.data(), xbar[0].data(), xbar[1].data());
              }};
}

BOOST_AUTO_TEST_SUITE(external)

BOOST_AUTO_TEST_CASE(code_of_others_is_an_op_like_any_other) {
  Tape tape;
  const Tensor x = tape.input({1.0, -2.0, 3.0}), w = tape.parameter(0.5);
  const Tensor y = tg::external(squares(), {x, w}, Shape{3});
  BOOST_TEST(y.values() == Numbers({0.5, 2, 4.5}));
  const auto [gx, gw] = gradient(sum(y * y), x, w);  // sum of x^4 w^2
  BOOST_TEST(gx.values() == Numbers({1, -8, 27}));
  BOOST_TEST(gw.item() == (1 + 16 + 81) * 2 * 0.5);
  x.set({2.0, 0.0, -1.0});
  tape.replay(gx, gw);
  BOOST_TEST(gx.values() == Numbers({8, 0, -1}));
  BOOST_TEST(text(tape).find("scaled_squares %0, %1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_external_function_without_a_name_is_called_external) {
  Tape tape;
  tg::External nameless = squares();
  nameless.name.clear();
  tg::external(nameless, {tape.input({1.0, 2.0}), tape.input(1.0)}, Shape{2});
  BOOST_TEST(text(tape).find(" external %0, %1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_external_function_may_capture_and_the_tape_keeps_it_alive) {
  std::weak_ptr<double> watched;
  Tape tape;
  const Tensor x = tape.input(3.0);
  const tg::Mark before = tape.mark();
  Tensor y;
  {
    auto factor = std::make_shared<double>(7);
    watched = factor;
    y = tg::external({.name = "scaled",
                      .forward = [factor](External::Inputs in,
                                          std::span<double> out) { out[0] = *factor * in[0][0]; }},
                     {x}, Shape{});
  }
  BOOST_TEST(!watched.expired());
  x.set(2.0);
  tape.replay(y);
  BOOST_TEST(y.item() == 14);
  tape.rewind(before);
  BOOST_TEST(watched.expired());
}

BOOST_AUTO_TEST_CASE(a_second_derivative_of_code_of_others_is_refused_with_a_clear_error) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0}), w = tape.input(1.0);
  const Tensor y = tg::external(squares(), {x, w}, Shape{2});
  const Tensor g = gradient(sum(y), x);
  const std::size_t size = tape.size();
  const std::string text = refusal([&] { (void)gradient(sum(g), x); });
  BOOST_TEST(has(text, "scaled_squares"));
  BOOST_TEST(has(text, "cannot be differentiated again"));
  BOOST_TEST(has(text, "external_test.cpp:"));
  BOOST_TEST(tape.size() == size + 1);  // the sum
  BOOST_TEST(gradient(sum(detach(g)) + w, w).item() == 1);
}

BOOST_AUTO_TEST_CASE(what_an_external_function_cannot_do_is_said_at_the_call) {
  Tape tape, narrow(tg::float32);
  const Tensor x = tape.input({1.0, 2.0}), w = tape.input(1.0);
  BOOST_TEST(says([&] { tg::external({.name = "nothing"}, {x}, Shape{2}); },
                  "nothing: (2): the external function has no forward"));
  const Tensor f = narrow.input({1.0, 2.0});
  BOOST_TEST(says([&] { tg::external(squares(), {f, 1.0}, Shape{2}); }, "float64"));
  External forward_only = squares();
  forward_only.backward = {};
  const Tensor y = tg::external(forward_only, {x, w}, Shape{2});
  BOOST_TEST(says([&] { (void)gradient(sum(y), x); }, "without a backward"));
  BOOST_TEST(gradient(sum(detach(y) * x), x).values() == y.values());
}

BOOST_AUTO_TEST_CASE(what_the_function_does_not_write_is_nan) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0}), before = tape.input({5.0, 6.0});
  const External first_alone = {
      .name = "first_alone",
      .forward = [](External::Inputs, std::span<double> y) { y[0] = 7; },
      .backward = [](External::Inputs, std::span<const double>, std::span<const double>,
                     External::Outputs xbar) { xbar[0][0] = 8; }};
  {
    auto scope = tape.scope();
    before + x;  // leaves numbers where the function will not write
  }
  const Tensor y = tg::external(first_alone, {x}, Shape{2}), g = gradient(sum(y), x);
  for (int run = 0; run < 2; ++run) {
    BOOST_TEST(y.at(0) == 7);
    BOOST_TEST(std::isnan(y.at(1)));
    BOOST_TEST(g.at(0) == 8);
    BOOST_TEST(std::isnan(g.at(1)));
    tape.replay(y, g);
  }
}

BOOST_AUTO_TEST_CASE(an_exception_of_the_function_leaves_the_tape_as_before) {
  Tape tape;
  const Tensor x = tape.input(1.0);
  const std::size_t size = tape.size();
  BOOST_CHECK_THROW(
      tg::external(
          {.name = "fails",
           .forward = [](External::Inputs, std::span<double>) { throw std::range_error("no"); }},
          {x}, Shape{}),
      std::range_error);
  BOOST_TEST(tape.size() == size);
}

BOOST_AUTO_TEST_CASE(an_external_function_is_tried_in_doubles_and_in_no_other_arithmetic) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0}), w = tape.input(1.0);
  const Tensor y = tg::external(squares(), {x, w}, Shape{2});
  const tg::Id id = tape.recording().id_of(y, "test", tg::Site::here());
  const tg::Trial<double> trial(tape.recording(), std::vector{id}, {}, tg::Site::here());
  BOOST_TEST(trial.values(id)[1] == 4);
  BOOST_TEST(
      says([&] { tg::Trial<tg::Number>(tape.recording(), std::vector{id}, {}, tg::Site::here()); },
           "scaled_squares"));
}

BOOST_AUTO_TEST_CASE(an_external_function_of_nothing_gives_nothing) {
  Tape tape;
  const Tensor x = tape.input(Shape{0}), w = tape.input(1.0);
  x.set(Numbers{});
  const Tensor y = tg::external(squares(), {x, w}, Shape{0});
  const auto [gx, gw] = gradient(sum(y), x, w);
  BOOST_TEST(gx.values().empty());
  BOOST_TEST(gw.item() == 0);
}

// ---------------------------------------------------------------- the shape of a share

/// x + y, whose rule gives x a share of ones of a captured shape.
Tensor sum_with_share(const Tensor& x, const Tensor& y, const Shape& share) {
  return tg::with_vjp("strange", x + y, {x, y}, [share](tg::Vjp& v) {
    v.give(0, broadcast_to(0 * sum(v.x(0)) + 1.0, share));
  });
}

BOOST_AUTO_TEST_CASE(a_share_has_the_shape_of_its_operand_or_one_to_which_that_was_broadcast) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0, 3.0}).named("x"), y = tape.input(tg::full(Shape{2, 3}, 1));
  const auto gives = [&](const Shape& share) {
    const Tensor z = sum_with_share(x, y, share);
    return gradient(sum(z), x).values();
  };
  BOOST_TEST(gives(Shape{3}) == Numbers({1, 1, 1}));
  BOOST_TEST(gives(Shape{2, 3}) == Numbers({2, 2, 2}));
  BOOST_TEST(gives(Shape{1, 3}) == Numbers({1, 1, 1}));
  for (const Shape& wrong :
       {Shape{}, Shape{1}, Shape{3, 1}, Shape{2}, Shape{6}, Shape{2, 1}, Shape{2, 3, 1}}) {
    const std::size_t size = tape.size();
    const std::string here = line(), text = refusal([&] { gives(wrong); });
    BOOST_TEST(has(text, "strange: (3), (2, 3), (2, 3): its derivative rule gives operand 0"),
               text);
    BOOST_TEST(has(text, fmt::format("the shape {}, ", wrong)), text);
    BOOST_TEST(has(text, "neither the operand's, (3), nor one to which"), text);
    BOOST_TEST(has(text, "x "), text);
    BOOST_TEST(has(text, "external_test.cpp"), text);
    BOOST_TEST(tape.size() == size + 3, "the forward records alone stay");
  }
  const Tensor one = tape.input({1.0});
  const Tensor z = sum_with_share(one, y, Shape{});
  BOOST_TEST(says([&] { (void)gradient(sum(z), one); }, "gives operand 0 a share of the shape ()"));
}

constexpr tg::Op capped_op = {
    .name = "capped",
    .notation = "capped({}, {})",
    .kind = tg::Kind::elementwise,
    .shape = tg::broadcast_operands,
    .forward = tg::elementwise_kernel<[](auto x, auto y) { return x < y ? x : y; }>,
    .vjp =
        [](tg::Vjp& v) {
          v.give(0, 0 * v.x(1) + broadcast_to(1.0 * sum(v.ybar), {2, 3}));
        },
    .sample = {tg::uniform(-2, 2), tg::uniform(-2, 2)},
};

BOOST_AUTO_TEST_CASE(a_share_of_an_elementwise_op_is_no_larger_than_its_result) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0, 3.0}), rows = tape.input(tg::full(Shape{2, 3}, 1));
  const Tensor fits = tg::record(capped_op, {x, rows}), too_small = tg::record(capped_op, {x, 2.0});
  BOOST_TEST(gradient(sum(fits), x).values() == Numbers(3, 12));
  BOOST_TEST(says([&] { (void)gradient(sum(too_small), x); }, "a share of the shape (2, 3)"));
}

BOOST_AUTO_TEST_CASE(a_number_is_the_share_of_every_element) {
  Tape tape;
  const Tensor x = tape.input({{1.0, 2.0}, {3.0, 4.0}});
  const Tensor y = tg::with_vjp("constant_slope", sum(x), {x}, [](tg::Vjp& v) { v.give(0, 0.5); });
  BOOST_TEST(gradient(y, x).values() == Numbers(4, 0.5));
}

// ---------------------------------------------------------------- with_vjp

BOOST_AUTO_TEST_CASE(
    a_composite_with_a_rule_of_its_own_has_the_composites_value_and_the_rules_slope) {
  Tape tape;
  const auto softplus = [](const Tensor& x) {
    return tg::with_vjp("softplus", log(1.0 + exp(x)), {x},
                        [](tg::Vjp& v) { v.give(0, v.ybar * sigmoid(v.x(0))); });
  };
  const Tensor x = tape.input({0.0, 2.0, 800.0});
  const Tensor y = softplus(x);
  BOOST_TEST(y.at(1) == std::log(1 + std::exp(2.0)));
  const Tensor g = gradient(sum(y), x);
  BOOST_TEST(g.at(0) == 0.5);
  BOOST_TEST(g.at(2) == 1);  // by the ops' own rules, infinity / infinity
  const Tensor second = gradient(sum(g), x);
  BOOST_TEST(second.at(0) == 0.25);
  BOOST_TEST(second.at(2) == 0);
}

BOOST_AUTO_TEST_CASE(a_rule_may_capture_and_serve_several_operands) {
  Tape tape;
  const double strength = 0.25;
  const Tensor x = tape.input({1.0, -1.0}), w = tape.input({3.0, 4.0});
  const Tensor y = tg::with_vjp("damped", x * w, {x, w}, [strength](tg::Vjp& v) {
    v.give(0, v.ybar * (strength * v.x(1)));
    v.give(1, v.ybar * v.x(0));
  });
  const auto [gx, gw] = gradient(sum(y), x, w);
  BOOST_TEST(gx.values() == Numbers({0.75, 1.0}));
  BOOST_TEST(gw.values() == Numbers({1.0, -1.0}));
}

BOOST_AUTO_TEST_CASE(a_straight_through_estimator_is_one_line) {
  Tape tape;
  const Tensor x = tape.input({-0.5, 2.0});
  const Tensor y =
      tg::with_vjp("straight_through", sign(x), {x}, [](tg::Vjp& v) { v.give(0, v.ybar); });
  BOOST_TEST(y.values() == Numbers({-1, 1}));
  BOOST_TEST(gradient(sum(3 * y), x).values() == Numbers({3, 3}));
}

BOOST_AUTO_TEST_CASE(a_composite_works_in_a_compiled_function) {
  Tape tape;
  auto slope = tg::compile(tape, [](Tensor x) {
    const Tensor y =
        tg::with_vjp("square", x * x, {x}, [](tg::Vjp& v) { v.give(0, v.ybar * (2.0 * v.x(0))); });
    return gradient(sum(y), x);
  });
  BOOST_TEST(slope({1.0, 2.0}).values() == Numbers({2, 4}));
  BOOST_TEST(slope({3.0, -2.0}).values() == Numbers({6, -4}));
}

BOOST_AUTO_TEST_CASE(an_empty_rule_and_an_operand_that_is_none_are_errors) {
  Tape tape;
  const Tensor x = tape.input(1.0);
  BOOST_TEST(says([&] { tg::with_vjp("empty", x * x, {x}, {}); }, "the function is empty"));
  const Tensor y = tg::with_vjp("beyond", x * x, {x}, [](tg::Vjp& v) { v.give(2, v.ybar); });
  BOOST_TEST(says([&] { (void)gradient(y, x); }, "beyond: () and (): its derivative rule asks"));
  BOOST_TEST(says([&] { (void)gradient(y, x); }, "external_test.cpp"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
