// Gradient checks of recorded tensors and of functions that record: what passes, what is found, and
// what is named.
#include "tapegrad/check/check_gradient.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/check/check_op.hpp"
#include "tapegrad/check/check_replay.hpp"
#include "tapegrad/check/mutant.hpp"
#include "tapegrad/check/self_test.hpp"
#include "tapegrad/kernel/elementwise.hpp"
#include "tapegrad/nn/linear.hpp"
#include "tapegrad/ops/external.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
using tg::Array, tg::Op, tg::Report, tg::Shape, tg::Tape, tg::Tensor, tg::Verdict, tg::Vjp;

/// x^2 with a rule to choose.
template <auto rule>
constexpr Op square_with = {
    .name = "my_square",
    .notation = "{}^2",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) { return x * x; }>,
    .vjp = rule,
    .sample = {tg::uniform(-2, 2)},
};
/// x y with a rule to choose.
template <auto rule>
constexpr Op multiply_with = {
    .name = "my_multiply",
    .notation = "{} * {}",
    .kind = tg::Kind::elementwise,
    .shape = tg::broadcast_operands,
    .forward = tg::elementwise_kernel<[](auto x, auto y) { return x * y; }>,
    .vjp = rule,
    .sample = {tg::uniform(-2, 2), tg::uniform(-2, 2)},
};

constexpr auto right = [](Vjp& v) { v.give(0, v.ybar * (2.0 * v.x(0))); };
constexpr auto wrong_sign = [](Vjp& v) { v.give(0, v.ybar * (-2.0 * v.x(0))); };
constexpr auto one_percent = [](Vjp& v) { v.give(0, v.ybar * (2.02 * v.x(0))); };
constexpr auto half = [](Vjp& v) { v.give(0, v.ybar * v.x(0)); };
constexpr auto twice = [](Vjp& v) { v.give(0, v.ybar * (4.0 * v.x(0))); };
constexpr auto nothing = [](Vjp&) {};
constexpr auto squared_adjoint = [](Vjp& v) {
  v.give(0, (v.ybar * v.ybar.tensor()) * (2.0 * v.x(0)));
};

template <auto rule>
Tensor my_square(const tg::Arg& x) {
  return tg::record(square_with<rule>, {x});
}

struct Net {
  tg::Linear hidden, output;
  Tensor operator()(const Tensor& x) const { return output(tanh(hidden(x))); }
};

struct Small {
  Tape tape;
  tg::Random random{3};
  Net net;
  Tensor x, t, loss;
  explicit Small(tg::Precision precision = tg::float64)
      : tape(precision),
        net{tg::linear(tape, 3, 4, random), tg::linear(tape, 4, 2, random)},
        x(tape.input(random.normal(0, 1, Shape{5, 3})).named("x")),
        t(tape.input(random.normal(0, 1, Shape{5, 2})).named("t")),
        loss(half_squared_error(net(x), t).named("loss")) {}
};

/// Where a tensor was recorded.
std::string line_of(const Tensor& t) {
  const tg::Recording& recording = tg::Recording::of(t, "test", tg::Site::here());
  return text(recording.node(recording.id_of(t, "test", tg::Site::here())).site);
}

bool noted(const Report& report, const std::string& sentence) {
  const auto& notes = report.notes();
  return std::find(notes.begin(), notes.end(), sentence) != notes.end();
}

/// The files that a text names lines of, each once.
std::set<std::string> files_named(const std::string& text) {
  static const std::regex line{"([\\w.-]+):\\d+"};
  std::set<std::string> files;
  for (std::sregex_iterator i{text.begin(), text.end(), line}, none; i != none; ++i)
    files.insert((*i)[1]);
  return files;
}
const std::set<std::string> only_this_file{"check_test.cpp"};

BOOST_AUTO_TEST_SUITE(check)

// ---------------------------------------------------------------- what is right passes

BOOST_AUTO_TEST_CASE(a_network_passes_by_its_struct_to_many_digits) {
  Small s;
  const Report report = tg::check_gradient(s.loss, s.net);
  BOOST_TEST(report);
  BOOST_TEST(report.count(Verdict::pass) >= 3 * 4 + 4 + 4 * 2 + 2);
  BOOST_TEST(report.digits() > 7);
  BOOST_TEST(has(report.text(), "loss"));
  BOOST_TEST(has(report.elements().front().where(), "hidden.weight[0,0]"));
}

BOOST_AUTO_TEST_CASE(some_tensors_one_tensor_or_all_leaves_may_be_asked_for) {
  Small s;
  BOOST_TEST(tg::check_gradient(s.loss, s.net.hidden.weight));
  BOOST_TEST(tg::check_gradient(s.loss, {s.net.hidden.weight, s.x}));
  const Report all = tg::check_gradient(s.loss);
  BOOST_TEST(all);
  BOOST_TEST(all.count(Verdict::pass) >= 26 + 15 + 10);
}

BOOST_AUTO_TEST_CASE(a_function_is_recorded_on_a_tape_of_the_checks_own) {
  BOOST_TEST(tg::check_gradient([](Tensor x) { return sum(tanh(x)); }, {{0.5, -1.0}}));
  BOOST_TEST(tg::check_gradient([](Tensor x, Tensor w) { return matmul(x, w); },
                                {{{1.0, 2.0}, {3.0, 4.0}}, Shape{2, 3}}));
  BOOST_TEST(tg::check_gradient([](const Tensor& x) { return x * x; }, {3.0}, {.order = 2}));
}

BOOST_AUTO_TEST_CASE(second_and_third_order_pass) {
  const auto f = [](Tensor x, Tensor y) { return sum(exp(x) * sin(y) / (1.0 + x * x)); };
  for (int order = 1; order <= 3; ++order)
    BOOST_TEST(tg::check_gradient(f, {{0.3, -0.7}, {1.1, 0.2}}, {.order = order}));
}

BOOST_AUTO_TEST_CASE(a_tensor_of_any_shape_is_checked_against_a_cotangent) {
  Tape tape;
  const Tensor x = tape.input({{1.0, 2.0}, {3.0, -1.0}});
  BOOST_TEST(tg::check_gradient(softmax(x, 1), x));
  BOOST_TEST(tg::check_gradient(tg::seeded(softmax(x, 1), tape.constant({{1, 0}, {0, 2}})), x));
}

BOOST_AUTO_TEST_CASE(a_computed_tensor_may_be_differentiated_by) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0}), net = (x * 3.0).named("net");
  const Report report = tg::check_gradient(sum(sigmoid(net) * x), net);
  BOOST_TEST(report);
  BOOST_TEST(has(report.text(), "net"));
}

BOOST_AUTO_TEST_CASE(a_tensor_may_be_listed_twice_or_be_computed_from_another_one) {
  Tape tape;
  const Tensor w = tape.parameter({0.5, -0.3}), h = tanh(w), y = sum(exp(h) * w);
  BOOST_TEST(tg::check_gradient(y, {w, w}));
  BOOST_TEST(tg::check_gradient(y, {w, h}));
  BOOST_TEST(tg::check_gradient(y, {h, w}));
  struct Tied {
    Tensor encoder, decoder;
  };
  BOOST_TEST(tg::check_gradient(y, Tied{w, w}));
}

BOOST_AUTO_TEST_CASE(a_seed_is_a_constant_even_if_it_was_computed_from_x) {
  Tape tape;
  const Tensor x = tape.parameter(0.5);
  const Report report = tg::check_gradient(seeded(x * x, x * 4.0), x);
  BOOST_TEST(report);
  BOOST_TEST(report.elements().front().judgement.analytic == 2.0);  // 4 x times 2 x, not 12 x^2
}

BOOST_AUTO_TEST_CASE(a_float32_tape_is_checked_in_float64) {
  Small s(tg::float32);
  const Report report = tg::check_gradient(s.loss, s.net);
  BOOST_TEST(report);
  BOOST_TEST(report.digits() > 7);
}

BOOST_AUTO_TEST_CASE(large_values_and_small_ones_are_no_false_alarm) {
  const auto squares = [](Tensor x) { return sum(x * x); };
  BOOST_TEST(tg::check_gradient(squares, {{1e8, -3e8}}));
  BOOST_TEST(tg::check_gradient([](Tensor x) { return sum(log(x)); }, {{1e-5, 3e-5}}));
  BOOST_TEST(tg::check_gradient([](Tensor x) { return 1e-6 * sum(sigmoid(x)); }, {{0.3, -0.7}}));
  BOOST_TEST(tg::check_gradient([](Tensor x) { return sum(sin(1000.0 * x)); }, {{0.3, -0.7}}));
}

BOOST_AUTO_TEST_CASE(forward_modes_certify_beside_differences) {
  const Report report = tg::check_gradient([](Tensor x) { return sum(exp(x)); }, {{0.5, -1.0}});
  std::string names;
  for (const tg::Oracle& oracle : report.oracles()) names += oracle.name + ";";
  BOOST_TEST(has(names, "differences"));
  BOOST_TEST(has(names, "dual numbers"));
  BOOST_TEST(has(names, "complex step"));
}

BOOST_AUTO_TEST_CASE(the_users_tape_is_only_read) {
  Small s;
  const std::size_t size = s.tape.size();
  const std::vector<double> before = s.net.hidden.weight.values();
  const double loss = s.loss.item();
  BOOST_TEST(tg::check_gradient(s.loss, s.net));
  BOOST_TEST(s.tape.size() == size);
  BOOST_TEST(s.net.hidden.weight.values() == before);
  BOOST_TEST(s.loss.item() == loss);
}

BOOST_AUTO_TEST_CASE(updates_take_no_effect_in_a_check) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0}), count = tape.state(5.0);
  const Tensor next = tg::assign(count, count + 1.0);
  BOOST_TEST(tg::check_gradient(sum(x * next), x));
  BOOST_TEST(count.item() == 5);
}

BOOST_AUTO_TEST_CASE(random_counters_stand_still_in_a_check) {
  Tape tape;
  tg::Random random{4};
  const Tensor x = tape.parameter(random.normal(0, 1, Shape{4, 5}));
  const Tensor noise = tg::noise(tape, 7);
  const Tensor y = sum(square(tg::dropout(x, 0.5, noise)));
  const std::vector<double> before = noise.values();
  BOOST_TEST(tg::check_gradient(y, x));
  BOOST_TEST(tg::check_gradient(y, x, {.order = 2}));
  BOOST_TEST(noise.values() == before);
}

BOOST_AUTO_TEST_CASE(whole_numbers_are_never_shifted) {
  const Report report = tg::check_gradient(
      [](Tensor logits, Tensor labels) { return cross_entropy(logits, labels.named("labels")); },
      {Shape{3, 4}, {0, 3, 1}});
  BOOST_TEST(report);
  BOOST_TEST(has(report.text(), "labels"));
  for (const tg::Element& e : report.elements()) BOOST_TEST(e.leaf != "labels");
}

// ---------------------------------------------------------------- what is wrong is named

BOOST_AUTO_TEST_CASE(a_wrong_sign_is_found_and_the_op_named_with_the_users_line) {
  Tape tape;
  const Tensor x = tape.input({0.5, -1.5}).named("x");
  const Tensor y = my_square<wrong_sign>(tanh(x));
  const std::string here = line_of(y);
  const Report report = tg::check_gradient(sum(y), x);
  BOOST_TEST(!report);
  BOOST_TEST(report.first_bad_op().op == "my_square");
  BOOST_TEST(text(report.first_bad_op().at) == here);
  BOOST_TEST((report.first_bad_op().mistake.mistake == tg::Mistake::sign));
  BOOST_TEST(has(report.headline(), "my_square"));
  BOOST_TEST(has(report.headline(), here));
}

BOOST_AUTO_TEST_CASE(a_wrong_factor_is_found_and_told) {
  const auto mistake = [](auto square) {
    Tape tape;
    const Tensor x = tape.input({{0.5, -1.5, 0.25}, {1.0, 2.0, -0.5}});
    const Report report = tg::check_gradient(sum(square(x)), x);
    BOOST_TEST(!report);
    return report.first_bad_op().mistake;
  };
  BOOST_TEST(std::abs(mistake(my_square<one_percent>).ratio - 1.01) < 1e-6);
  BOOST_TEST(std::abs(mistake(my_square<twice>).ratio - 2) < 1e-6);
  BOOST_TEST(std::abs(mistake(my_square<half>).ratio - 0.5) < 1e-6);
  BOOST_TEST((mistake(my_square<nothing>).mistake == tg::Mistake::all_zero));
}

// The blind spots of a check with tolerances: see the table in docs/gradient-checking.md.
BOOST_AUTO_TEST_CASE(a_small_gradient_with_a_wrong_sign_is_wrong) {
  Tape tape;
  const Tensor x = tape.input({0.5, -1.5});
  BOOST_TEST(!tg::check_gradient(1e-6 * sum(my_square<wrong_sign>(x)), x));
  BOOST_TEST(!tg::check_gradient(1e-7 * sum(my_square<one_percent>(x)), x));
  BOOST_TEST(tg::check_gradient(1e-7 * sum(my_square<right>(x)), x));
}

BOOST_AUTO_TEST_CASE(ops_whose_errors_cancel_are_both_found) {
  Tape tape;
  const Tensor x = tape.input({0.5, -1.5});
  const Tensor y = my_square<twice>(my_square<half>(x));
  const Report report = tg::check_gradient(sum(y), x);
  BOOST_TEST(!report);
  BOOST_TEST(report.findings().bad_ops.size() == 2u);
  BOOST_TEST((report.sections()[0].verdict == Verdict::pass));  // the gradient itself is right
  BOOST_TEST((report.sections()[1].verdict == Verdict::fail));
}

constexpr auto transposed = [](Vjp& v) {
  v.give(0, transpose(v.ybar * v.x(1)));
  v.give(1, v.ybar * v.x(0));
};
constexpr auto one_slice = [](Vjp& v) {
  v.give(0, v.ybar * v.x(1));
  v.give(1, reshape(slice(v.ybar * v.x(0), 0, 0, 1), v.x(1).shape()));
};

BOOST_AUTO_TEST_CASE(the_likely_mistake_is_read_from_the_numbers) {
  Tape tape;
  const Tensor x = tape.input({{0.5, -1.5}, {2.0, 0.25}}),
               w = tape.input({{1.0, 3.0}, {-2.0, 0.5}});
  const Report turned =
      tg::check_gradient(sum(square(tg::record(multiply_with<transposed>, {x, w}))), {x, w});
  BOOST_TEST(!turned);
  BOOST_TEST((turned.first_bad_op().mistake.mistake == tg::Mistake::transposed));
  BOOST_TEST(turned.first_bad_op().operand == 0);

  const Tensor b = tape.input({1.0, 3.0}).named("b");
  const Report sliced =
      tg::check_gradient(sum(square(tg::record(multiply_with<one_slice>, {x, b}))), {x, b});
  BOOST_TEST(!sliced);
  BOOST_TEST((sliced.first_bad_op().mistake.mistake == tg::Mistake::not_reduced));
  BOOST_TEST(sliced.first_bad_op().operand == 1);
}

BOOST_AUTO_TEST_CASE(a_share_that_overwrites_another_is_found_in_the_balance) {
  const auto multiply = [](const Tensor& x, const Tensor& y) { return x * y; };
  Tape tape;
  const Tensor x = tape.input({0.5, -1.5}).named("x");
  const Tensor a = multiply(x, x);
  const tg::Recording& recording = tape.recording();
  const Op& original = *recording.node(recording.id_of(a, "test", tg::Site::here())).op;
  const tg::Mutant mutant(original, tg::Mutation::not_accumulated, 1);
  const Tensor y = tg::record(mutant, {x, x});
  const Report report = tg::check_gradient(sum(y), x);
  BOOST_TEST(!report);
  BOOST_TEST(report.first_bad_op().op == "multiply");
  BOOST_TEST((report.first_bad_op().mistake.mistake == tg::Mistake::not_accumulated));
}

BOOST_AUTO_TEST_CASE(one_wrong_element_among_ten_thousand_is_found_and_named) {
  Tape tape;
  tg::Random random{5};
  std::vector<double> flips(10000, 1.0);
  flips[7777] = -1;
  const Tensor flip = tape.constant(Array(Shape{100, 100}, flips));
  const Tensor w = tape.parameter(random.normal(0, 1, Shape{100, 100})).named("w");
  const auto spoilt = [](const Tensor& x, const Tensor& f) {
    return tg::with_vjp("spoilt", x * x, {x, f},
                        [](Vjp& v) { v.give(0, v.ybar * (2.0 * v.x(0) * v.x(1))); });
  };
  const Report report = tg::check_gradient(sum(spoilt(w, flip)), w);
  BOOST_TEST(!report);
  BOOST_TEST(report.worst().where() == "w[77,77]");
  BOOST_TEST(report.first_bad_op().op == "spoilt");
}

BOOST_AUTO_TEST_CASE(a_rule_that_is_not_linear_in_the_adjoint_breaks_a_contract) {
  Tape tape;
  const Tensor x = tape.input({0.5, -1.5});
  const Report report = tg::check_gradient(my_square<squared_adjoint>(x), x);
  BOOST_TEST(!report);
  BOOST_TEST((report.sections().back().verdict == Verdict::fail));
  BOOST_TEST(has(report.text(), "linear"));
}

BOOST_AUTO_TEST_CASE(a_second_derivative_can_be_wrong_where_the_first_is_right) {
  // The slope is right in value, but the rule hides half of it from a further derivative.
  constexpr auto hidden = [](Vjp& v) { v.give(0, v.ybar * (v.x(0) + detach(v.x(0)))); };
  Tape tape;
  const Tensor x = tape.input({0.5, -1.5});
  BOOST_TEST(tg::check_gradient(sum(my_square<hidden>(x)), x));
  const Report second = tg::check_gradient(sum(my_square<hidden>(x)), x, {.order = 2});
  BOOST_TEST(!second);
}

BOOST_AUTO_TEST_CASE(a_slope_that_is_hidden_from_a_further_derivative_as_a_whole_is_found) {
  constexpr auto hidden = [](Vjp& v) { v.give(0, v.ybar * (2.0 * detach(v.x(0)))); };
  Tape tape;
  const Tensor x = tape.input({0.5, -1.5});
  BOOST_TEST(tg::check_gradient(sum(my_square<hidden>(x)), x));
  const Report second = tg::check_gradient(sum(my_square<hidden>(x)), x, {.order = 2});
  BOOST_TEST(second.count(Verdict::fail) > 0);
  const Report alone = tg::check_op(square_with<hidden>);
  BOOST_TEST(!alone);
  BOOST_TEST((alone.sections()[1].verdict == Verdict::pass));  // first derivatives
  BOOST_TEST((alone.sections()[2].verdict == Verdict::fail));  // second derivatives
}

BOOST_AUTO_TEST_CASE(the_second_derivative_of_a_linear_function_is_zero_and_may_be_expected_to_be) {
  const auto f = [](Tensor x) { return sum(3.0 * x); };
  const Report report = tg::check_gradient(f, {{0.5, -1.5}}, {.order = 2});
  BOOST_TEST(!report);
  BOOST_TEST(has(report.text(), "the derivative of order 2 is zero everywhere"));
  BOOST_TEST(tg::check_gradient(f, {{0.5, -1.5}}, {.order = 2, .expect_zero = true}));
}

BOOST_AUTO_TEST_CASE(a_check_of_the_second_order_looks_at_the_first_before) {
  Tape tape;
  const Tensor x = tape.input({0.5, -1.5}).named("x");
  // The detach is no part of any second derivative.
  const Report wrong = tg::check_gradient(sum(x * x + 3.0 * detach(x)), x, {.order = 2});
  BOOST_TEST(!wrong);
  BOOST_TEST(wrong.worst().order == 1);
  BOOST_TEST(has(wrong.text(), "order 2 is not looked at, as the one before is wrong"));

  const Report right = tg::check_gradient(sum(x * x * x), x, {.order = 3});
  BOOST_TEST(right);
  std::set<int> orders;
  for (const tg::Element& e : right.elements()) orders.insert(e.order);
  BOOST_TEST((orders == std::set<int>{1, 2, 3}));
  BOOST_TEST(has(right.headline(), "6 elements and 6 directions up to order 3, to at least "));
}

BOOST_AUTO_TEST_CASE(a_check_of_an_op_says_nothing_twice_and_no_name_that_it_guessed) {
  const std::string text = tg::check_op(square_with<wrong_sign>).text();
  BOOST_TEST(has(text, "a wrong derivative by operand 0 (sign)"));
  BOOST_TEST(!has(text, "operand 0 operand 0"));
  BOOST_TEST(has(text, "repeat: check_op(..., {.seed = 0})"));
}

BOOST_AUTO_TEST_CASE(code_of_others_is_checked_by_differences) {
  const auto external = [](double factor) {
    return tg::External{.name = "cube",
                        .forward =
                            [](tg::External::Inputs x, std::span<double> y) {
                              for (std::size_t i = 0; i < y.size(); ++i)
                                y[i] = x[0][i] * x[0][i] * x[0][i];
                            },
                        .backward =
                            [factor](tg::External::Inputs x, std::span<const double>,
                                     std::span<const double> ybar, tg::External::Outputs xbar) {
                              for (std::size_t i = 0; i < ybar.size(); ++i)
                                xbar[0][i] = factor * x[0][i] * x[0][i] * ybar[i];
                            }};
  };
  Tape tape;
  const Tensor x = tape.input({0.5, -1.5});
  BOOST_TEST(tg::check_gradient(sum(sin(tg::external(external(3), {x}, Shape{2}))), x));
  const Report report = tg::check_gradient(sum(sin(tg::external(external(2), {x}, Shape{2}))), x);
  BOOST_TEST(!report);
  BOOST_TEST(report.first_bad_op().op == "cube");
}

BOOST_AUTO_TEST_CASE(a_function_that_is_not_pure_is_reported) {
  Tape tape;
  int calls = 0;
  const Tensor x = tape.input({0.5, -1.5});
  const Tensor y = tg::external({.name = "drifting",
                                 .forward =
                                     [&calls](tg::External::Inputs in, std::span<double> out) {
                                       ++calls;
                                       for (std::size_t i = 0; i < out.size(); ++i)
                                         out[i] = in[0][i] + 0.01 * calls;
                                     },
                                 .backward =
                                     [](tg::External::Inputs, std::span<const double>,
                                        std::span<const double> ybar, tg::External::Outputs xbar) {
                                       for (std::size_t i = 0; i < ybar.size(); ++i)
                                         xbar[0][i] = ybar[i];
                                     }},
                                {x}, Shape{2});
  const Report report = tg::check_gradient(sum(y), x);
  BOOST_TEST(!report);
  BOOST_TEST(has(report.text(), "not pure"));
}

// ---------------------------------------------------------------- kinks, doubt, zeros

BOOST_AUTO_TEST_CASE(a_kink_is_accepted_and_the_op_and_element_that_switch_are_named) {
  Tape tape;
  const Tensor x = tape.input({{1.0, 0.0}, {-2.0, 3.0}}).named("x");
  const Tensor y = relu(x);
  const std::string here = line_of(y);
  const Report report = tg::check_gradient(sum(y), x);
  BOOST_TEST(report);
  BOOST_TEST(report.count(Verdict::kink) == 1);
  BOOST_TEST(has(report.text(), "relu at " + here + " switches on element [0,1]"));
}

BOOST_AUTO_TEST_CASE(a_slope_outside_the_kink_is_wrong) {
  static constexpr Op steep_relu = {
      .name = "steep_relu",
      .notation = "relu({})",
      .kind = tg::Kind::elementwise,
      .shape = tg::same_as_operand,
      .forward = tg::elementwise_kernel<[](auto x) { return x < 0 ? decltype(x)(0) : x; }>,
      .vjp = [](Vjp& v) { v.give(0, v.ybar * where(tg::equal(v.x(0), 0.0), 2.0, v.x(0) > 0)); },
      .sample = {tg::uniform(0.1, 2)},
  };
  Tape tape;
  const Tensor x = tape.input({1.0, 0.0});
  BOOST_TEST(!tg::check_gradient(sum(tg::record(steep_relu, {x})), x));
}

BOOST_AUTO_TEST_CASE(no_slope_is_right_at_a_jump) {
  Tape tape;
  const Tensor x = tape.parameter({0.0, 1.0});
  const Report report = tg::check_gradient(sum(sign(x) + x * x * x + x), x);
  BOOST_TEST(report.elements().front().judgement.verdict == Verdict::inconclusive);
  BOOST_TEST(!report);
}

BOOST_AUTO_TEST_CASE(where_an_op_refuses_the_moved_operand_the_function_is_not_defined) {
  Tape tape;
  const Tensor p = tape.parameter({0.95, 0.02}), t = tape.input({1.0, 0.0});
  BOOST_TEST(tg::check_gradient(binary_cross_entropy(p, t), p));
  const Tensor near_one = tape.parameter(0.999);
  const tg::External arc_sine = {
      .name = "arc_sine",
      .forward =
          [](auto x, auto y) {
            if (x[0][0] > 1) throw std::domain_error("no sine is above 1");
            y[0] = std::asin(x[0][0]);
          },
      .backward = [](auto x, auto, auto ybar,
                     auto xbar) { xbar[0][0] = ybar[0] / std::sqrt(1 - x[0][0] * x[0][0]); }};
  BOOST_TEST(tg::check_gradient(tg::external(arc_sine, {near_one}, Shape{}), near_one));
  const auto certain = [](const Tensor& x) { return binary_cross_entropy(x, 0.5 + 0.0 * x); };
  const Report nearby =
      tg::check_gradient(certain, {Array(Shape{20}, std::vector<double>(20, 1.0 - 1e-6))});
  BOOST_TEST(has(nearby.text(), "is no probability"));
  const tg::ReplayReport replay = tg::check_replay(certain, {{0.5, 0.2}});
  BOOST_TEST(replay);
  BOOST_TEST(replay.trials >= 1);
  BOOST_TEST(replay.trials < 6);
}

BOOST_AUTO_TEST_CASE(what_differences_cannot_decide_is_decided_in_fifty_digits) {
  const auto oracle = [](const Report& report, const std::string& name) {
    int count = 0;
    for (const tg::Oracle& o : report.oracles())
      if (o.name == name) count = o.count;
    return count;
  };
  const Report saturated = tg::check_gradient([](Tensor x) { return tanh(x); }, {18.0});
  BOOST_TEST(saturated);
  BOOST_TEST(oracle(saturated, "50 digits") == 1);
  const Report faint = tg::check_gradient([](Tensor x) { return 1.0 + 1e-14 * x; }, {0.5});
  BOOST_TEST(faint);
  BOOST_TEST(oracle(faint, "50 digits") == 1);
  // and so is what is wrong there
  Tape tape;
  const Tensor x = tape.input(0.5);
  const Tensor hidden = 1.0 + 1e-14 * my_square<one_percent>(x);
  BOOST_TEST(!tg::check_gradient(hidden, x));
}

BOOST_AUTO_TEST_CASE(a_gradient_of_nothing_but_zeros_is_red_unless_expected) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0});
  const Tensor y = sum(relu(-x));
  BOOST_TEST(!tg::check_gradient(y, x));
  BOOST_TEST(has(tg::check_gradient(y, x).text(), "zero"));
  BOOST_TEST(tg::check_gradient(y, x, {.expect_zero = true}));
}

BOOST_AUTO_TEST_CASE(a_slope_of_zero_that_rounding_hides_has_no_digits_to_tell) {
  // Probabilities add up to 1, so the slope is 0; in doubles it is some 1e-17.
  const auto f = [](Tensor x) { return sum(softmax(x, 0)); };
  const Report report = tg::check_gradient(f, {{0.3, -1.2, 0.7}}, {.expect_zero = true});
  BOOST_TEST(report);
  BOOST_TEST(std::isinf(report.digits()));
  BOOST_TEST(!has(report.headline(), "to at least"));
}

// ---------------------------------------------------------------- what stops a gradient

BOOST_AUTO_TEST_CASE(a_detach_between_x_and_y_is_noted_with_its_line) {
  Tape tape;
  const Tensor x = tape.input({0.5, -1.5});
  const Tensor stopped = detach(x);
  const Report report = tg::check_gradient(sum(x * stopped), x);
  BOOST_TEST(!report);
  const std::string sentence =
      "detach at " + line_of(stopped) + " stops the gradient here; measured slopes go through it";
  BOOST_TEST(noted(report, sentence));
  BOOST_TEST(has(report.text(), "note: detach at " + line_of(stopped)));
  // It is no news where the gradient arrives before, or never comes by.
  BOOST_TEST(tg::check_gradient(sum(stopped * 2.0), stopped).notes().empty());
  BOOST_TEST(tg::check_gradient(sum(x * detach(tape.input({1.0, 2.0}))), x).notes().empty());
  const Tensor own =
      tg::with_vjp("own", x * detach(x), {x}, [](Vjp& v) { v.give(0, v.ybar * (2.0 * v.x(0))); });
  BOOST_TEST(tg::check_gradient(sum(own), x).notes().empty());
}

BOOST_AUTO_TEST_CASE(a_detach_in_a_rule_is_noted_where_a_further_derivative_meets_it) {
  constexpr auto hidden = [](Vjp& v) { v.give(0, v.ybar * (v.x(0) + detach(v.x(0)))); };
  Tape tape;
  const Tensor x = tape.input({0.5, -1.5});
  const Tensor y = my_square<hidden>(x);
  BOOST_TEST(tg::check_gradient(sum(y), x).notes().empty());
  BOOST_TEST(noted(tg::check_gradient(sum(y), x, {.order = 2}),
                   "detach in the rule of my_square at " + line_of(y) +
                       " stops the gradient here; measured slopes go through it"));
}

BOOST_AUTO_TEST_CASE(a_state_that_is_updated_and_used_stops_the_gradient_too) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0}), kept = tape.state({0.0, 0.0});
  const Tensor next = tg::assign(kept, 3.0 * x);
  const Report report = tg::check_gradient(sum(x + next), x);
  BOOST_TEST(!report);
  BOOST_TEST(has(report.text(), "note: assign at " + line_of(next)));
}

// ---------------------------------------------------------------- dependencies

BOOST_AUTO_TEST_CASE(a_value_written_into_the_recording_is_found) {
  const Report report = tg::check_gradient([](Tensor x) { return sum(x * x.at(0)); }, {{2.0, 3.0}});
  BOOST_TEST(!report);
  BOOST_TEST(has(report.text(), "constant 2 was recorded"));
  BOOST_TEST(has(report.text(), "check_test.cpp"));
}

BOOST_AUTO_TEST_CASE(a_value_that_was_looked_at_is_a_warning) {
  Tape tape;
  const Tensor x = tape.input(2.0).named("x");
  const Tensor y = x.item() > 1 ? x * x : x;
  const Report report = tg::check_gradient(y, x);
  BOOST_TEST(report);
  BOOST_TEST(report.warnings().size() == 1u);
  BOOST_TEST(has(report.warnings().front(), "x was looked at while recording"));
}

BOOST_AUTO_TEST_CASE(a_function_that_looks_at_a_value_is_a_warning) {
  const auto branch = [](Tensor x) { return x.named("x").item() > 1 ? x * x : x; };
  const Report report = tg::check_gradient(branch, {2.0});
  BOOST_TEST(report);
  BOOST_TEST_REQUIRE(report.warnings().size() == 1u);
  BOOST_TEST(has(report.warnings().front(), "x was looked at while recording, at check_test.cpp"));
  const auto dependencies =
      std::find_if(report.sections().begin(), report.sections().end(),
                   [](const tg::Section& section) { return section.name == "dependencies"; });
  BOOST_TEST(has(dependencies->sentence, "a value was looked at while recording"));
  const auto nothing = [](Tensor x) { return x * x; };
  BOOST_TEST(tg::check_gradient(nothing, {2.0}).warnings().empty());
}

BOOST_AUTO_TEST_CASE(a_replay_check_names_the_record_that_differs) {
  BOOST_TEST(tg::check_replay([](Tensor x) { return sum(tanh(x)); }, {{1.0, 2.0}}));
  const auto branch =
      tg::check_replay([](Tensor x) { return x.item() > 1 ? x * x : x + x; }, {2.0});
  BOOST_TEST(!branch);
  BOOST_TEST(has(branch.text(), "multiply was recorded; afresh it is add"));
  BOOST_TEST(has(branch.text(), "looked at while recording"));
  const auto captured = tg::check_replay([](Tensor x) { return x * x.item(); }, {2.0});
  BOOST_TEST(!captured);
  BOOST_TEST(captured.parting->op == "multiply");
  const auto loop = tg::check_replay(
      [](Tensor x) {
        Tensor y = x;
        for (int i = 0; i < static_cast<int>(std::abs(x.item())); ++i) y = tanh(y);
        return y;
      },
      {3.0});
  BOOST_TEST(!loop);
}

// ---------------------------------------------------------------- what cannot be checked

BOOST_AUTO_TEST_CASE(what_cannot_be_checked_is_said_at_the_call) {
  Small s;
  const Tensor alone = s.tape.input(1.0);
  BOOST_TEST(says([&] { (void)tg::check_gradient(s.loss, alone); }, "depends on none"));
  BOOST_TEST(says([&] { (void)tg::check_gradient(s.loss, s.net, {.wrt = {"decoder"}}); }, "wrt"));
  BOOST_TEST(says(
      [&] {
        (void)tg::check_gradient([](Tensor x) { return x; }, {1.0, 2.0});
      },
      "takes 1 tensors, 2 inputs are given"));
  const Tensor unset = s.tape.input(Shape{2});
  BOOST_TEST(says([&] { (void)tg::check_gradient(sum(unset), unset); }, "never set"));
  BOOST_TEST(says([&] { (void)tg::check_gradient(s.loss, s.net, {.order = 0}); }, "order 0"));
  // The user's line, not one of the check's.
  BOOST_TEST(says([&] { (void)tg::check_gradient([](Tensor) { return Tensor{}; }, {1.0}); },
                  "check_test.cpp"));
  BOOST_TEST(says([&] { (void)tg::check_gradient(s.loss, alone); }, "check_test.cpp"));
}

BOOST_AUTO_TEST_CASE(an_error_names_what_was_called_and_the_users_tensors) {
  Tape tape, other;
  const Tensor x = tape.input({1.0, 2.0}).named("x"), apart = tape.input(3.0);
  const Tensor unset = tape.input(Shape{2}), squares = x * x;
  const Tensor y = sum(squares), foreign = other.input(1.0), of_unset = sum(unset);
  const auto both = [&](const Tensor& of, const Tensor& by, const std::string& part) {
    BOOST_TEST(says([&] { (void)tg::check_gradient(of, by); }, "check_gradient: " + part));
    BOOST_TEST(says([&] { (void)tg::self_test(of, {by}); }, "self_test: " + part));
  };
  both(y, apart, "the tensor depends on none");
  both(y, apart, "the tensor depends on none of those asked for\n  of    %4 sum");
  both(y, foreign, "operands from two tapes");
  both(of_unset, unset, "%2 input was never set");
  BOOST_TEST(
      says([&] { (void)tg::self_test(tg::seeded(squares, 1.0), {x}); }, "self_test: the seed"));
  BOOST_TEST(says([&] { (void)tg::self_test(y, {}); }, "self_test: no tensors"));
  BOOST_TEST(says([&] { (void)tg::self_test(y, {x}, {.wrt = {"w"}}); }, "self_test: no name"));
}

BOOST_AUTO_TEST_CASE(a_self_test_spoils_no_share_of_labels) {
  Tape tape;
  const Tensor table = tape.parameter({{1.0, 2.0}, {3.0, 4.0}}).named("table");
  const Tensor labels = tape.input({1.0, 0.0, 1.0}).named("labels");
  BOOST_TEST(tg::self_test(sum(square(embedding(table, labels))), {table, labels}));
}

BOOST_AUTO_TEST_CASE(a_large_tensor_takes_a_time_in_proportion) {
  Tape tape;
  const Tensor x = tape.parameter(tg::Random{3}.normal(0, 1, Shape{400'000}));
  const auto before = std::chrono::steady_clock::now();
  BOOST_TEST(tg::check_gradient(sum(square(x)), x, {.max_evaluations = 200}));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - before;
  BOOST_TEST(seconds.count() < 60);  // comparing all elements with all: several minutes
}

BOOST_AUTO_TEST_CASE(where_a_large_tensor_is_wrong_no_more_is_said_than_was_measured) {
  Tape tape;
  const Tensor x = tape.input(tg::Random{3}.normal(0, 1, Shape{100, 100})).named("x");
  const auto rule = [](Vjp& v) { v.give(0, v.ybar * where(v.x(0) > 1.5, 0.0, 2.0 * v.x(0))); };
  const Report report = tg::check_gradient(sum(tg::with_vjp("spoilt", x * x, {x}, rule)), x);
  const std::string& sentence = report.first_bad_op().mistake.sentence;
  BOOST_TEST(
      std::regex_match(sentence, std::regex("zero at [0-9]+ of [0-9]+ elements measured, first "
                                            "\\[[0-9]+,[0-9]+\\], where it should not be")),
      sentence);
}

BOOST_AUTO_TEST_CASE(a_function_that_uses_a_tensor_of_another_tape_is_told_what_to_do) {
  Small s;
  const auto network = [&](Tensor x) { return sum(s.net(x)); };
  const auto loss = [&](Tensor) { return s.loss; };
  for (const std::string& text : {refusal([&] {
                                    (void)tg::check_gradient(network, {Shape{5, 3}});
                                  }),
                                  refusal([&] {
                                    (void)tg::check_replay(network, {Shape{5, 3}});
                                  }),
                                  refusal([&] { (void)tg::check_gradient(loss, {1.0}); })}) {
    BOOST_TEST(has(text, "operands from two tapes"));
    BOOST_TEST(has(text, "check_gradient(y, net)"));
    BOOST_TEST(has(text, "check_gradient(y, {w, b})"));
    BOOST_TEST((files_named(text) == only_this_file), text);
  }
}

BOOST_AUTO_TEST_CASE(an_error_inside_a_check_names_the_users_line_or_none) {
  Tape tape;
  const Tensor captured = tape.input({1.0, 2.0});
  const Tensor x = tape.input({0.5, -1.5}), m = tape.input({{1.0, 2.0}, {3.0, 4.0}});
  const auto rule = [captured](Vjp& v) { v.give(0, v.ybar * captured); };
  const Tensor y = tg::with_vjp("captures", x * x, {x}, rule);
  static Tensor foreign;
  foreign = captured;
  constexpr auto uses_foreign = [](Vjp& v) { v.give(0, v.ybar * foreign); };
  constexpr auto misfit = [](Vjp& v) { v.give(0, reshape(v.ybar.tensor(), {7, 3})); };
  static constexpr Op bare = {.name = "bare",
                              .notation = "bare({})",
                              .kind = tg::Kind::reduction,
                              .shape = tg::same_as_operand,
                              .forward = tg::elementwise_kernel<[](auto u) { return u; }>,
                              .vjp = [](Vjp& v) { v.give(0, v.ybar); },
                              .sample = {tg::uniform(0, 1)}};
  const std::string texts[] = {
      refusal([&] { (void)tg::check_gradient(sum(y), x); }),
      refusal([&] { (void)tg::check_op(square_with<uses_foreign>); }),
      refusal([&] { (void)tg::check_op(square_with<misfit>); }),
      refusal([&] { (void)tg::check_op(bare); }),
      refusal([&] { (void)tg::self_test(bare); }),
      refusal([&] { (void)tg::self_test(square_with<misfit>); }),
      refusal([&] { (void)tg::check_gradient(tg::seeded(m, x), m); }),
      refusal([&] { (void)tg::check_gradient(tg::seeded(x, 2.0), x); }),
      refusal([&] { (void)tg::check_gradient(sum(my_square<misfit>(x)), x); })};
  for (const std::string& text : texts) BOOST_TEST((files_named(text) == only_this_file), text);
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_refused) {
  Small s;
  const auto refused = [&](const tg::CheckOptions& options, const std::string& why) {
    BOOST_TEST(says([&] { (void)tg::check_gradient(s.loss, s.net, options); }, why));
    BOOST_TEST(says([&] { (void)tg::check_gradient(s.loss, s.net, options); }, "check_test.cpp"));
  };
  refused({.max_evaluations = 0}, "with max_evaluations = 0 nothing can be measured");
  refused({.max_evaluations = -5}, "max_evaluations = -5");
  refused({.order = -1}, "no derivative of order -1");
  refused({.wrt = {"hidden", "ouput"}}, "no name begins with \"ouput\", which wrt asks for");
  refused({.wrt = {"ouput"}}, "output.weight");  // the names there are
  const auto f = [](Tensor x) { return x * x; };
  BOOST_TEST(says([&] { (void)tg::check_gradient(f, {1.0}, {.max_evaluations = 0}); }, "= 0"));
  BOOST_TEST(says([&] { (void)tg::check_replay(f, {1.0}, {.max_evaluations = 0}); }, "= 0"));
  const auto op = [](const tg::CheckOptions& options) {
    return refusal([&] { (void)tg::check_op(square_with<right>, options); });
  };
  BOOST_TEST(has(op({.max_evaluations = 0}), "= 0"));
  BOOST_TEST(has(op({.order = 3}), "checked to order 2, not 3"));
  BOOST_TEST(has(op({.wrt = {"x"}}), "by all its operands"));
}

BOOST_AUTO_TEST_CASE(names_choose_what_is_checked) {
  Small s;
  const Report report = tg::check_gradient(s.loss, s.net, {.wrt = {"hidden"}});
  BOOST_TEST(report);
  for (const tg::Element& e : report.elements())
    BOOST_TEST((e.leaf.starts_with("hidden") || e.leaf == "all"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
