// Post-mortems: planted diseases, each of which must be named: cause, op, the user's line.
#include "tapegrad/inspect/why.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/kernel/elementwise.hpp"
#include "tapegrad/nn/linear.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/external.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/listing.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
using tg::Array, tg::Cause, tg::Shape, tg::Tape, tg::Tensor, tg::Why, tg::why_big, tg::why_nan,
    tg::why_zero;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Where and as what a tensor was recorded.
const tg::Node& node_of(const Tensor& t) {
  const tg::Recording& recording = tg::Recording::of(t, "test", tg::Site::here());
  return recording.node(recording.id_of(t, "test", tg::Site::here()));
}
std::string label_of(const Tensor& t) {
  const tg::Recording& recording = tg::Recording::of(t, "test", tg::Site::here());
  return recording.label(recording.id_of(t, "test", tg::Site::here()));
}

/// For BOOST_TEST: whether this cause is found, in this record.
boost::test_tools::assertion_result blames(const Why& why, Cause cause, const Tensor& record) {
  const tg::Node& n = node_of(record);
  boost::test_tools::assertion_result result(why.cause == cause && why.at == n.site &&
                                             why.label == label_of(record) &&
                                             (n.leaf() || why.op == n.op->name));
  result.message() << text(cause) << " in " << label_of(record) << " at " << text(n.site)
                   << " is expected; found: " << why.label << ' ' << why.op << "\n"
                   << why.text();
  return result;
}

/// All that must be true of a text, whatever it says.
boost::test_tools::assertion_result reads_well(const Why& why) {
  const std::string text = why.text();
  const std::string first = text.substr(0, text.find('\n'));
  std::size_t lines = 0, longest = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line); ++lines) longest = std::max(longest, line.size());
  boost::test_tools::assertion_result result(
      lines <= 12 && longest <= 110 && has(first, why.op) &&
      (!why || (has(first, tg::text(why.cause)) && has(first, tg::text(why.at)))));
  result.message() << lines << " lines, the longest has " << longest << " characters:\n" << text;
  return result;
}

/// Asserts all of this at once; prints the text if asked to by --log_level=message.
#define DISEASE(why, cause, record)            \
  do {                                         \
    const Why found = (why);                   \
    BOOST_TEST(blames(found, cause, record));  \
    BOOST_TEST(reads_well(found));             \
    BOOST_TEST_MESSAGE(#why << "\n" << found); \
  } while (false)

const tg::Precision both[] = {tg::float64, tg::float32};

BOOST_AUTO_TEST_SUITE(why)

// ---------------------------------------------------------------- zero

BOOST_AUTO_TEST_CASE(a_saturated_sigmoid_is_named) {
  for (const tg::Precision precision : both) {
    Tape tape{precision};
    const Tensor x = tape.parameter({38, 45, 800}).named("x");
    const Tensor h = sigmoid(x).named("h");
    const Tensor loss = sum(square(h)).named("loss");
    DISEASE(why_zero(loss, x), Cause::saturated, h);
    BOOST_TEST(why_zero(loss, x).share == 1);
    BOOST_TEST(has(why_zero(loss, x).text(), "from 38 to 800"));
    BOOST_TEST(has(why_zero(loss, x).sentence, "all 3"));
  }
}

BOOST_AUTO_TEST_CASE(units_without_an_adjoint_are_not_counted_as_saturated) {
  Tape tape;
  const Tensor x = tape.parameter({40, 40, 40, 0.1});
  const Tensor h = sigmoid(x);
  const Tensor loss = sum(h * tape.constant({1, 2, 3, 0}));
  DISEASE(why_zero(loss, x), Cause::saturated, h);
  BOOST_TEST(why_zero(loss, x).share == 0.75);
}

BOOST_AUTO_TEST_CASE(a_nearly_saturated_sigmoid_is_named_with_the_share_of_units) {
  Tape tape;
  const Tensor x = tape.parameter({40, 50, 25, 1});
  const Tensor h = sigmoid(x);
  const Tensor loss = sum(h * tape.constant({1, 1, 1, 0}));
  DISEASE(why_zero(loss, x), Cause::saturated, h);
  BOOST_TEST(why_zero(loss, x).share == 0.75);
  const Tensor weak = sum(h * tape.constant({1, 1, 1, 1e-11}));
  DISEASE(why_zero(weak, x), Cause::saturated, h);
  BOOST_TEST(why_zero(weak, x).share == 0.75);
}

BOOST_AUTO_TEST_CASE(a_saturated_tanh_is_named_however_far_out) {
  for (const tg::Precision precision : both)
    for (double far : {25.0, 1000.0}) {
      Tape tape{precision};
      const Tensor x = tape.parameter({-far, far});
      const Tensor h = tanh(x);
      DISEASE(why_zero(sum(h), x), Cause::saturated, h);
    }
}

BOOST_AUTO_TEST_CASE(a_saturated_softplus_exp_and_softmax_are_named) {
  Tape tape;
  const Tensor x = tape.parameter({-1000, -900});
  const Tensor p = softplus(x);
  DISEASE(why_zero(sum(p), x), Cause::saturated, p);
  const Tensor e = exp(x);
  DISEASE(why_zero(sum(e), x), Cause::saturated, e);
  const Tensor z = tape.parameter({0, 2000, -300});
  const Tensor s = softmax(z, 0);
  DISEASE(why_zero(sum(s * tape.constant({1, 2, 3})), z), Cause::saturated, s);
}

BOOST_AUTO_TEST_CASE(a_cross_entropy_whose_predictions_are_right_is_saturated_with_the_share) {
  for (const tg::Precision precision : both) {
    Tape tape{precision};
    const Tensor x = tape.parameter({{900, 0, -50}, {0, 0, 2000}, {-1000, 1000, 0}});
    const Tensor labels = tape.input({0, 2, 1});
    const Tensor losses = cross_entropy(x, labels, tg::Reduction::none);
    DISEASE(why_zero(sum(losses), x), Cause::saturated, losses);
    const Why all = why_zero(sum(losses), x);
    BOOST_TEST(all.share == 1);
    BOOST_TEST(
        has(all.text(),
            "cross_entropy is saturated in all 3 elements: the prediction is already right"));
    const Tensor heard = sum(losses * tape.constant({1, 0, 1}));
    DISEASE(why_zero(heard, x), Cause::saturated, losses);
    BOOST_TEST(std::abs(why_zero(heard, x).share - 2.0 / 3) < 1e-12);
    BOOST_TEST(has(why_zero(heard, x).text(), "in 2 of 3 elements"));
  }
}

BOOST_AUTO_TEST_CASE(a_saturated_log_softmax_is_named_though_its_results_are_among_its_operands) {
  Tape tape;
  const Tensor x = tape.parameter({{0, -2000}, {-3000, 0}});
  const Tensor p = log_softmax(x, 1);
  const Tensor loss = nll_loss(p, tape.input({0, 1}));
  DISEASE(why_zero(loss, x), Cause::saturated, p);
  BOOST_TEST(!has(why_zero(loss, x).text(), "already right"));  // it knows no labels
}

BOOST_AUTO_TEST_CASE(a_dead_relu_is_named) {
  for (const tg::Precision precision : both) {
    Tape tape{precision};
    tg::Random random{1};
    const Tensor w = tape.parameter({{-1, -2}, {-3, -4}}).named("w");
    const Tensor x = tape.input({{1, 2}, {3, 4}, {0.5, 1}});
    const Tensor net = matmul(x, w);
    const Tensor h = relu(net).named("hidden");
    const Tensor loss = mean(h);
    DISEASE(why_zero(loss, w), Cause::flat, h);
    BOOST_TEST(why_zero(loss, w).share == 1);
  }
}

BOOST_AUTO_TEST_CASE(a_maximum_with_zero_and_a_clamp_are_flat) {
  Tape tape;
  const Tensor x = tape.parameter({-3, -4});
  const Tensor m = maximum(x, 0);
  DISEASE(why_zero(sum(m), x), Cause::flat, m);
  const Tensor c = clamp(x, 0, 1);
  DISEASE(why_zero(sum(c), x), Cause::flat, c);
}

BOOST_AUTO_TEST_CASE(a_slope_that_is_zero_at_a_kink_by_convention_is_said_to_be_that) {
  Tape tape;
  const Tensor x = tape.parameter({0, 0});
  const Tensor r = relu(x);
  DISEASE(why_zero(sum(r), x), Cause::flat, r);
  BOOST_TEST(has(why_zero(sum(r), x).sentence, "kink"));
}

BOOST_AUTO_TEST_CASE(a_unit_that_is_nearly_alive_does_not_make_a_kink_of_dead_ones) {
  Tape tape;
  const Tensor x = tape.parameter({-3, -1e-5, -2});
  const Tensor h = relu(x);
  DISEASE(why_zero(sum(h), x), Cause::flat, h);
  BOOST_TEST(has(why_zero(sum(h), x).sentence, "relu is flat in all 3 elements"));
}

BOOST_AUTO_TEST_CASE(a_slope_that_is_zero_just_here_is_stationary) {
  Tape tape;
  const Tensor x = tape.parameter({0, 0});
  const Tensor s = square(x);
  DISEASE(why_zero(sum(s), x), Cause::stationary, s);
  const Tensor c = cos(x);
  DISEASE(why_zero(sum(c), x), Cause::stationary, c);
  const Tensor t = tape.input({0, 0});
  const Tensor loss = mse_loss(x, t);
  DISEASE(why_zero(loss, x), Cause::stationary, loss);
}

BOOST_AUTO_TEST_CASE(a_detach_on_every_way_is_named) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2}).named("x");
  const Tensor stopped = detach(x);
  const Tensor h = exp(stopped);
  DISEASE(why_zero(sum(h), x), Cause::detached, stopped);
}

BOOST_AUTO_TEST_CASE(an_index_on_every_way_is_named) {
  Tape tape;
  const Tensor x = tape.parameter({{1, 5, 2}, {7, 0, 1}});
  const Tensor best = max_with_index(x, 1).index;
  const Tensor y = sum(best * 2.0);
  const Why why = why_zero(y, x);
  BOOST_TEST((why.cause == Cause::detached));
  BOOST_TEST(why.op == "argmax");
  BOOST_TEST((why.at == node_of(best).site));
  BOOST_TEST(reads_well(why));
}

BOOST_AUTO_TEST_CASE(an_operand_that_only_chooses_is_named) {
  Tape tape;
  const Tensor x = tape.parameter({0.0, 1.0}), table = tape.parameter({{3, 4}, {5, 6}});
  const Tensor row = gather(table, 0, reshape(x, {1, 2}));
  DISEASE(why_zero(sum(row), x), Cause::constant, row);
  const Tensor chosen = where(x, 2.0, 3.0);
  DISEASE(why_zero(sum(chosen), x), Cause::constant, chosen);
}

BOOST_AUTO_TEST_CASE(sign_and_a_comparison_used_as_a_mask_have_no_slope) {
  Tape tape;
  const Tensor x = tape.parameter({-1, 2}), z = tape.input({3, 4});
  const Tensor s = sign(x);
  DISEASE(why_zero(sum(s * z), x), Cause::constant, s);
  const Tensor mask = x > 0;
  DISEASE(why_zero(sum(z * mask), x), Cause::constant, mask);
}

BOOST_AUTO_TEST_CASE(what_has_a_slope_elsewhere_is_named_before_what_never_has_one) {
  Tape tape;
  const Tensor x = tape.parameter({-1, -2});
  const Tensor h = relu(x);
  const Tensor step = sign(x);
  const Why why = why_zero(sum(h) + sum(step), x);
  DISEASE(why, Cause::flat, h);
  BOOST_TEST(has(why.text(), "sign is constant"));
}

BOOST_AUTO_TEST_CASE(a_mask_of_zeros_is_named) {
  for (const tg::Precision precision : both) {
    Tape tape{precision};
    const Tensor x = tape.parameter({1, 2, 3});
    const Tensor mask = tape.input({0, 0, 0}).named("mask");
    const Tensor y = x * mask;
    DISEASE(why_zero(sum(y), x), Cause::zero_factor, y);
    BOOST_TEST(has(why_zero(sum(y), x).sentence, "mask"));
  }
}

BOOST_AUTO_TEST_CASE(two_masks_that_leave_nothing_are_named_with_the_share) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2, 3, 4});
  const Tensor first = x * tape.constant({0, 0, 0, 1});
  const Tensor second = first * tape.constant({1, 1, 1, 0});
  DISEASE(why_zero(sum(second), x), Cause::zero_factor, first);
  BOOST_TEST(why_zero(sum(second), x).share == 0.75);
}

BOOST_AUTO_TEST_CASE(weights_that_are_zero_are_named_and_so_are_inputs) {
  Tape tape;
  const Tensor x = tape.input({{1, 2}}), w = tape.parameter({{1, -1}, {2, 1}}).named("w");
  const Tensor v = tape.parameter({{0}, {0}}).named("v");
  const Tensor h = tanh(matmul(x, w));
  const Tensor y = matmul(h, v);
  DISEASE(why_zero(sum(y), w), Cause::zero_factor, y);
  BOOST_TEST(has(why_zero(sum(y), w).sentence, "by v"));
  // A dead layer in front: the weights behind it have no gradient either, and the text says why.
  const Tensor dead = relu(matmul(x, w) - 100.0);
  const Tensor out = matmul(dead, tape.parameter({{1}, {1}}).named("u"));
  const Tensor u = tape.parameter({{1}, {1}});
  const Tensor z = matmul(dead, u);
  DISEASE(why_zero(sum(z), u), Cause::zero_factor, z);
  BOOST_TEST(has(why_zero(sum(z), u).text(), "what relu makes of"));
  BOOST_TEST(out.item() == 0);
}

BOOST_AUTO_TEST_CASE(rows_that_are_not_picked_are_named) {
  for (const tg::Precision precision : both) {
    Tape tape{precision};
    const Tensor a = tape.parameter({{1, 2}}).named("a"), b = tape.parameter({{3, 4}}).named("b");
    const Tensor both_rows = tg::concat({exp(a), exp(b)}, 0);
    const Tensor picked = slice(both_rows, 0, 0, 1);
    const Tensor loss = sum(sigmoid(picked));
    DISEASE(why_zero(loss, b), Cause::not_selected, picked);
    BOOST_TEST(!why_zero(loss, a));
    const Tensor gathered = gather(both_rows, 0, tape.constant({{0, 0}}));
    DISEASE(why_zero(sum(gathered), b), Cause::not_selected, gathered);
  }
}

BOOST_AUTO_TEST_CASE(a_max_that_picks_others_is_named) {
  Tape tape;
  const Tensor a = tape.parameter({1, 2}), b = tape.parameter({30, 40});
  const Tensor top = max(tg::concat({a, b}, 0));
  DISEASE(why_zero(top, a), Cause::not_selected, top);
}

BOOST_AUTO_TEST_CASE(the_other_branch_of_a_where_is_named) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2}), z = tape.parameter({5, 6});
  const Tensor y = where(x > 10, square(x), z);
  DISEASE(why_zero(sum(y), x), Cause::not_selected, y);
}

BOOST_AUTO_TEST_CASE(shares_that_cancel_are_named) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2}).named("x");
  const Tensor zero = x - x;
  DISEASE(why_zero(sum(zero), x), Cause::cancelled, zero);
  const Tensor up = 3.0 * x;
  const Tensor down = -3.0 * x;
  const Tensor y = sum(up + down);
  DISEASE(why_zero(y, x), Cause::cancelled, down);
  BOOST_TEST(has(why_zero(y, x).text(), "multiply  " + tg::text(node_of(up).site)));
}

BOOST_AUTO_TEST_CASE(a_sum_of_probabilities_and_signs_that_cancel_in_one_op_are_named) {
  Tape tape;
  const Tensor z = tape.parameter({0.0, 0.0, 0.0, 0.0});
  const Tensor p = softmax(z, 0);
  DISEASE(why_zero(sum(p), z), Cause::cancelled, p);
  const Tensor x = tape.parameter(2);
  const Tensor spread = x * tape.constant({1, -1});
  DISEASE(why_zero(sum(spread), x), Cause::cancelled, spread);
  const Tensor row = tape.parameter({{1, 2}});
  const Tensor product = matmul(row, tape.constant({{1, -1}, {2, -2}}));
  DISEASE(why_zero(sum(product), row), Cause::cancelled, product);
}

BOOST_AUTO_TEST_CASE(sixty_sigmoids_are_named_with_the_factor_of_each) {
  Tape tape;
  const Tensor x = tape.parameter({0.3, -0.2});
  Tensor h = x;
  tg::Site at;
  for (int i = 0; i < 60; ++i) h = sigmoid(h), at = tg::Site::here();
  const Tensor loss = sum(h);
  DISEASE(why_zero(loss, x), Cause::product, h);
  const Why why = why_zero(loss, x);
  BOOST_TEST(why.times == 60);
  BOOST_TEST(why.factor == 0.2249, boost::test_tools::tolerance(0.02));  // s (1 - s) at s = 0.659
  BOOST_TEST((why.at == at));
}

BOOST_AUTO_TEST_CASE(layers_at_many_lines_are_named_together) {
  Tape tape;
  const Tensor x = tape.parameter(0.5);
  const Tensor a = sigmoid(x - 8.0);
  const Tensor b = sigmoid(a - 8.0);
  const Tensor c = sigmoid(b - 8.0);
  const Tensor d = sigmoid(c - 8.0);
  DISEASE(why_zero(d, x), Cause::product, d);
  BOOST_TEST(why_zero(d, x).times == 4);
}

BOOST_AUTO_TEST_CASE(an_adjoint_that_underflows_is_named_with_what_shrank_it) {
  Tape tape{tg::float32};
  const Tensor x = tape.parameter({0.3, -0.2});
  Tensor h = x;
  for (int i = 0; i < 100; ++i) h = sigmoid(h);
  const Tensor loss = sum(h);
  const Why why = why_zero(loss, x);
  BOOST_TEST((why.cause == Cause::underflow));
  BOOST_TEST(why.op == "sigmoid");
  BOOST_TEST((why.at == node_of(h).site));
  BOOST_TEST(why.times > 60);
  BOOST_TEST(why.times < 80);
  BOOST_TEST(why.factor == 0.2249, boost::test_tools::tolerance(0.02));
  BOOST_TEST(reads_well(why));
  BOOST_TEST_MESSAGE(why);
}

BOOST_AUTO_TEST_CASE(one_tiny_factor_is_named) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2});
  const Tensor y = x * 1e-12;
  DISEASE(why_zero(sum(exp(y)), x), Cause::factor, y);
  BOOST_TEST(why_zero(sum(exp(y)), x).factor == 1e-12, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_tensor_that_y_does_not_need_is_unconnected) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2}).named("x"), w = tape.parameter({3, 4}).named("w");
  const Tensor y = sum(exp(w));
  DISEASE(why_zero(y, x), Cause::unconnected, x);
  BOOST_TEST(why_zero(y, x).op.empty());
  BOOST_TEST(!why_zero(y, w));
}

BOOST_AUTO_TEST_CASE(exchanged_arguments_are_noticed) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2}).named("x");
  const Tensor y = sum(exp(x)).named("y");
  const Why why = why_zero(x, y);
  BOOST_TEST((why.cause == Cause::unconnected));
  BOOST_TEST(has(why.text(), "exchanged"));
  BOOST_TEST(reads_well(why));
  BOOST_TEST_MESSAGE(why);
}

/// x^2 with a rule that forgets to give.
constexpr tg::Op forgetful_op = {
    .name = "forgetful",
    .notation = "{}^2",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) { return x * x; }>,
    .vjp = [](tg::Vjp&) {},
    .sample = {tg::uniform(-2, 2)},
};

BOOST_AUTO_TEST_CASE(a_rule_that_gives_nothing_is_named) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2});
  const Tensor y = tg::record(forgetful_op, {x});
  DISEASE(why_zero(sum(y), x), Cause::rule, y);
}

BOOST_AUTO_TEST_CASE(a_composite_is_looked_at_by_its_own_rule) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2});
  const Tensor inner = exp(x);
  const Tensor y = tg::with_vjp("own", inner, {x}, [](tg::Vjp& v) { v.give(0, v.ybar * v.y); });
  BOOST_TEST(!why_zero(sum(y), x));
  const Tensor h = relu(y - 100.0);
  DISEASE(why_zero(sum(h), x), Cause::flat, h);
  const Tensor mute =
      tg::with_vjp("mute", inner, {x}, [](tg::Vjp& v) { v.give(0, v.ybar * (0.0 * v.x(0))); });
  DISEASE(why_zero(sum(mute), x), Cause::rule, mute);
  BOOST_TEST(!has(why_zero(sum(mute), x).text(), "also"));
}

// ---------------------------------------------------------------- not finite

BOOST_AUTO_TEST_CASE(the_log_of_zero_that_becomes_nan_later_is_named) {
  for (const tg::Precision precision : both) {
    Tape tape{precision};
    const Tensor x = tape.parameter({1, 0}).named("x");
    const Tensor l = log(x);
    const Tensor y = sum(square(l * tape.constant({1, 0})));
    DISEASE(why_nan(y, x), Cause::value, l);
    BOOST_TEST(has(why_nan(y, x).sentence, "-inf of 0 at [1]"));
    BOOST_TEST(why_nan(y, x).share == 0.5);
  }
}

BOOST_AUTO_TEST_CASE(zero_by_zero_is_named) {
  Tape tape;
  const Tensor a = tape.parameter({0, 1}), b = tape.parameter({0, 2});
  const Tensor q = a / b;
  DISEASE(why_nan(sum(q), a), Cause::value, q);
  BOOST_TEST(has(why_nan(sum(q), a).sentence, "nan of 0 and 0"));
}

BOOST_AUTO_TEST_CASE(an_infinite_slope_at_a_finite_value_is_named) {
  for (const tg::Precision precision : both) {
    Tape tape{precision};
    const Tensor x = tape.parameter({4, 0, 1, 0});
    const Tensor r = sqrt(x);
    DISEASE(why_nan(sum(r), x), Cause::slope, r);
    BOOST_TEST(why_nan(sum(r), x).share == 0.5);
    BOOST_TEST(has(why_nan(sum(r), x).sentence, "[1]"));
  }
}

BOOST_AUTO_TEST_CASE(the_norm_at_zero_is_named) {
  Tape tape;
  const Tensor x = tape.parameter({0, 0});
  const Tensor r = sqrt(sum(square(x)));
  DISEASE(why_nan(r, x), Cause::slope, r);
}

BOOST_AUTO_TEST_CASE(a_leaf_that_holds_nan_is_named) {
  for (const tg::Precision precision : both) {
    Tape tape{precision};
    const Tensor x = tape.input({{1, 2}, {3, 4}}).named("pixels");
    const Tensor w = tape.parameter({{1}, {2}});
    const Tensor loss = sum(square(matmul(transpose(transpose(x)), w)));
    x.set({{1, 2}, {3, NAN}});
    const std::string set_at = line(tg::Site::here(__builtin_FILE(), __builtin_LINE() - 1));
    DISEASE(why_nan(loss, w), Cause::leaf, x);
    const Why why = why_nan(loss, w);
    BOOST_TEST(why.op.empty());
    BOOST_TEST(has(why.sentence, "pixels holds nan at [1,1]"));
    BOOST_TEST(has(why.text(), set_at));
  }
}

BOOST_AUTO_TEST_CASE(a_nan_is_followed_through_views_to_its_element) {
  Tape tape;
  const Tensor a = tape.input({{1, infinity}}), b = tape.input({{3, NAN}}).named("b");
  const Tensor w = tape.parameter({2, 5});
  const Tensor late = slice(transpose(tg::concat({a, b}, 0)), 1, 1, 2);
  const Tensor y = sum(square(reshape(late, {2}) * w));
  DISEASE(why_nan(y, w), Cause::leaf, b);
  BOOST_TEST(has(why_nan(y, w).sentence, "[0,1]"));
}

BOOST_AUTO_TEST_CASE(the_overflow_of_exp_is_named) {
  Tape tape{tg::float32};
  const Tensor x = tape.parameter({1, 100});
  const Tensor e = exp(x);
  DISEASE(why_nan(sum(e), x), Cause::value, e);
  BOOST_TEST(has(why_nan(sum(e), x).sentence, "inf of 100"));
  Tape wide;
  const Tensor z = wide.parameter({1, 100});
  BOOST_TEST(!why_nan(sum(exp(z)), z));
}

BOOST_AUTO_TEST_CASE(infinity_less_infinity_is_traced_to_the_first_infinity) {
  Tape tape;
  const Tensor x = tape.parameter({800, 1});
  const Tensor e = exp(x);
  const Tensor d = square(e) - e;
  DISEASE(why_nan(sum(square(d)), x), Cause::value, e);
  const Tensor limit = tape.input({infinity, 1}).named("limit"), w = tape.parameter({1, 1});
  DISEASE(why_nan(sum(square(w * (limit - limit))), w), Cause::leaf, limit);
}

BOOST_AUTO_TEST_CASE(a_root_of_a_negative_number_is_named) {
  Tape tape;
  const Tensor x = tape.parameter({2, -2});
  const Tensor p = pow(x, 0.5);
  DISEASE(why_nan(sum(p), x), Cause::value, p);
  BOOST_TEST(has(why_nan(sum(p), x).sentence, "of -2 and 0.5"));
}

BOOST_AUTO_TEST_CASE(a_product_that_overflows_in_the_backward_pass_only_is_named) {
  Tape tape{tg::float32};
  const Tensor x = tape.parameter({1e-30});
  const Tensor h = x * 1e25;
  const Tensor y = sum(h * 1e25);
  DISEASE(why_nan(y, x), Cause::overflow, h);
}

BOOST_AUTO_TEST_CASE(shares_whose_sum_overflows_are_named) {
  Tape tape{tg::float32};
  const Tensor x = tape.parameter({1e-30}).named("x");
  const Tensor y = sum(x * 3e38) + sum(x * 2e38);
  DISEASE(why_nan(y, x), Cause::overflow, x);
}

BOOST_AUTO_TEST_CASE(what_a_cut_protects_is_not_blamed) {
  Tape tape;
  const Tensor x = tape.parameter({0, 2}).named("x");
  const Tensor safe = where(x > 0, log(x) / sqrt(x), x * x);
  BOOST_TEST(!why_nan(sum(safe), x));
  // Beside a real one, the real one is named, in its own element.
  const Tensor z = tape.parameter({infinity, 0, 1});
  const Tensor r = sqrt(z);
  const Tensor y = sum(where(tape.constant({0, 1, 1}), r, 1.0));
  DISEASE(why_nan(y, z), Cause::slope, r);
  BOOST_TEST(has(why_nan(y, z).sentence, "[1]"));
}

BOOST_AUTO_TEST_CASE(a_finite_gradient_of_a_value_that_is_not_says_so) {
  Tape tape;
  const Tensor x = tape.parameter({1, 0}), w = tape.parameter({2, 3});
  const Tensor y = sum(log(x)) + sum(w);
  const Why why = why_nan(y, w);
  BOOST_TEST(!why);
  BOOST_TEST(has(why.text(), "log makes -inf of 0"));
  BOOST_TEST_MESSAGE(why);
}

BOOST_AUTO_TEST_CASE(a_seed_that_is_not_finite_or_zero_is_named) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2});
  const Tensor y = exp(x);
  const Why nan = why_nan(gradient(seeded(y, tape.constant({1, NAN})), x));
  BOOST_TEST((nan.cause == Cause::leaf));
  BOOST_TEST(has(nan.sentence, "seed"));
  BOOST_TEST(nan.op.empty());
  BOOST_TEST(has(why_zero(gradient(seeded(y, tape.constant({0, 0})), x)).sentence, "seed"));
}

// ---------------------------------------------------------------- huge

BOOST_AUTO_TEST_CASE(fifty_products_that_grow_are_named_with_the_factor_of_each) {
  for (const tg::Precision precision : both) {
    Tape tape{precision};
    const Tensor w = tape.parameter({{1.5, 0}, {0, 1.5}}).named("w");
    const Tensor x = tape.parameter({{1e-3, 2e-3}});
    Tensor h = x;
    for (int i = 0; i < 50; ++i) h = matmul(h, w);
    const Tensor loss = sum(h);
    DISEASE(why_big(loss, x), Cause::product, h);
    const Why why = why_big(loss, x);
    BOOST_TEST(why.times == 50);
    BOOST_TEST(why.factor == 1.5, boost::test_tools::tolerance(1e-5));
    BOOST_TEST((why_big(loss, w).cause == Cause::product));
  }
}

BOOST_AUTO_TEST_CASE(a_division_by_almost_nothing_is_named) {
  for (const tg::Precision precision : both) {
    Tape tape{precision};
    const Tensor x = tape.parameter({1, 2});
    const Tensor q = x / 1e-8;
    DISEASE(why_big(sum(sin(q)), x), Cause::factor, q);
    BOOST_TEST(why_big(sum(sin(q)), x).factor == 1e8, boost::test_tools::tolerance(1e-5));
  }
}

BOOST_AUTO_TEST_CASE(a_log_near_zero_an_exp_and_a_huge_weight_are_named) {
  Tape tape;
  const Tensor x = tape.parameter({0.5, 1e-12});
  const Tensor l = log(x);
  DISEASE(why_big(sum(l), x), Cause::factor, l);
  BOOST_TEST(why_big(sum(l), x).factor == 1e12, boost::test_tools::tolerance(1e-9));
  const Tensor z = tape.parameter({20, 1});
  const Tensor e = exp(z);
  DISEASE(why_big(sum(e), z), Cause::factor, e);
  BOOST_TEST(why_big(sum(e), z).factor == std::exp(20.0), boost::test_tools::tolerance(1e-9));
  const Tensor w = tape.parameter({{1, -2}, {1e6, 3}}).named("w");
  const Tensor h = matmul(reshape(z, {1, 2}), w);
  DISEASE(why_big(sum(h), z), Cause::factor, h);
  BOOST_TEST(has(why_big(sum(h), z).text(), "from -2 to 1e+06"));
}

BOOST_AUTO_TEST_CASE(one_number_in_many_elements_or_many_uses_is_named) {
  Tape tape;
  const Tensor x = tape.parameter(1.0).named("x");
  const Tensor many = x * tape.constant(std::vector<double>(5000, 1.0));
  DISEASE(why_big(sum(many), x), Cause::factor, many);
  BOOST_TEST(has(why_big(sum(many), x).sentence, "adding up 5000"));
  Tensor total = tape.constant(0), last;
  for (int i = 0; i < 2000; ++i) last = sin(x), total = total + last;
  BOOST_TEST((why_big(total, x).cause == Cause::uses));
  Tensor sum_of_uses = tape.constant(0);
  for (int i = 0; i < 2000; ++i) sum_of_uses = sum_of_uses + x * 1.0;
  const Why uses = why_big(sum_of_uses, x);
  BOOST_TEST((uses.cause == Cause::uses));
  BOOST_TEST(uses.times == 2000);
  BOOST_TEST(uses.factor == 2000);
  BOOST_TEST(reads_well(uses));
  BOOST_TEST_MESSAGE(uses);
}

// ---------------------------------------------------------------- health, and how to ask

BOOST_AUTO_TEST_CASE(a_healthy_gradient_is_called_healthy) {
  for (const tg::Precision precision : both) {
    Tape tape{precision};
    tg::Random random{1};
    const auto net = tg::linear(tape, 3, 2, random);
    const Tensor x = tape.input({{1, 2, 3}}).named("x");
    const Tensor loss = half_squared_error(sigmoid(net(x)), tape.input({{0, 1}})).named("loss");
    for (const Why& why :
         {why_zero(loss, net.weight), why_nan(loss, net.weight), why_big(loss, net.weight)}) {
      BOOST_TEST(!why);
      BOOST_TEST(has(why.text(), "the gradient of loss by weight of linear is"));
      BOOST_TEST(why.more.empty());
      BOOST_TEST(reads_well(why));
      BOOST_TEST_MESSAGE(why);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_answer_prints_itself) {
  Tape tape;
  const Tensor x = tape.parameter({-1, -2}).named("x");
  const Tensor h = relu(x).named("hidden");
  const Why why = why_zero(sum(h), x);
  const std::string expected = "flat at " + tg::text(node_of(h).site) +
                               ": relu is flat in all 2 elements\n"
                               "  record   %1 hidden (2)  " +
                               tg::text(node_of(h).site) +
                               "  all 0\n"
                               "  operand  %0 x (2)  " +
                               tg::text(node_of(x).site) + "  from -2 to -1\n";
  BOOST_TEST(why.text() == expected);
  BOOST_TEST(fmt::format("{}", why) == expected);
  std::ostringstream out;
  out << why;
  BOOST_TEST(out.str() == expected);
}

BOOST_AUTO_TEST_CASE(lines_of_a_layer_are_those_of_its_user) {
  Tape tape;
  tg::Random random{1};
  const auto net = tg::linear(tape, 3, 2, random);
  name(net, "net");
  net.weight.set(std::vector<double>(6, 0.0));
  const Tensor x = tape.parameter({{1, 2, 3}});
  const Tensor out = net(x);
  const Why why = why_zero(sum(out), x);
  BOOST_TEST((why.cause == Cause::zero_factor));
  BOOST_TEST(has(why.sentence, "net.weight"));
  BOOST_TEST((why.at == node_of(out).site));
}

BOOST_AUTO_TEST_CASE(a_gradient_may_be_asked_about_instead_of_what_it_is_of) {
  Tape tape;
  const Tensor x = tape.parameter({-1, -2}), w = tape.parameter({3, 4}), u = tape.parameter({1, 1});
  const Tensor h = relu(x);
  const Tensor y = sum(h * w);
  const auto [gx, gw, gu] = gradient(y, x, w, u);
  DISEASE(why_zero(gx), Cause::flat, h);
  BOOST_TEST((why_zero(gw).cause == Cause::zero_factor));
  BOOST_TEST((why_zero(gu).cause == Cause::unconnected));
  BOOST_TEST(!why_nan(gx));
  BOOST_TEST(!why_big(gx));
  const Tensor big = gradient(seeded(h, tape.constant({1, 2})), x);
  DISEASE(why_zero(big), Cause::flat, h);
}

BOOST_AUTO_TEST_CASE(a_second_derivative_may_be_asked_about) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2});
  const Tensor h = relu(x);
  const Tensor slope = gradient(sum(square(h)), x);
  BOOST_TEST(!why_zero(sum(slope), x));
  const Tensor straight = gradient(sum(h * square(tape.constant({1, 2}))), x);
  const Why why = why_zero(sum(straight * x), x);
  BOOST_TEST(!why);
  const Why none = why_zero(sum(straight), x);
  BOOST_TEST(static_cast<bool>(none));
  BOOST_TEST_MESSAGE(none);
}

BOOST_AUTO_TEST_CASE(every_op_can_be_asked_about_whatever_it_is_given) {
  for (const tg::Op* op : tg::catalogue()) {
    tg::Examples examples;
    if (op->examples != nullptr)
      op->examples(examples);
    else
      examples.cases.push_back({std::vector<Shape>(op->sample.count, Shape{2, 3}), {}});
    for (const auto& example : examples.cases)
      for (double number : {0.4, 0.0, -900.0, 1e-200, 1e200, infinity, double{NAN}}) {
        Tape tape;
        std::vector<tg::Arg> operands;
        for (std::size_t i = 0; i < example.shapes.size(); ++i) {
          const double value = op->sample[i].whole ? op->sample[i].low : number;
          const auto count = static_cast<std::size_t>(example.shapes[i].numel());
          operands.emplace_back(
              tape.parameter(std::vector<double>(count, value), example.shapes[i]),
              tg::Site::here());
        }
        Tensor y;
        try {
          y = tg::record(*op, operands, example.attributes);
        } catch (const tg::Error&) {  // a probability of -900
          continue;
        }
        BOOST_TEST_CONTEXT(op->name << " of " << number)
        for (const tg::Arg& x : operands)
          for (const Why& why : {why_zero(sum(y), x.tensor()), why_nan(sum(y), x.tensor()),
                                 why_big(sum(y), x.tensor())})
            BOOST_TEST(reads_well(why));
      }
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_asked_about_is_refused_at_the_users_line) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2}).named("x");
  const Tensor y = sum(exp(x));
  BOOST_TEST(says([&] { why_zero(y); }, "why_zero: the tensor is not what gradient(...) returned"));
  BOOST_TEST(says([&] { why_big(y); }, line()));
  BOOST_TEST(says([&] { why_nan(Tensor{}, x); }, line()));
  BOOST_TEST(says([&] { why_nan(y, Tensor{}); }, "why_nan"));
  Tensor stale;
  {
    const auto scope = tape.scope();
    stale = sum(x);
  }
  BOOST_TEST(says([&] { why_zero(stale, x); }, line()));
  const Tensor open = tape.input(Shape{2}).named("open");
  BOOST_TEST(says([&] { why_zero(sum(open * x), x); }, "why_zero: open was never set"));
  BOOST_TEST(says([&] { why_zero(sum(open * x), x); }, line()));
  Tape other;
  BOOST_TEST(says([&] { why_zero(y, other.parameter({1})); }, line()));
}

BOOST_AUTO_TEST_CASE(what_is_out_of_date_is_answered_for_the_leaves_as_they_are) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2});
  const Tensor h = relu(x);
  const Tensor y = sum(h);
  BOOST_TEST(!why_zero(y, x));
  x.set({-1, -2});
  DISEASE(why_zero(y, x), Cause::flat, h);
  BOOST_TEST(says([&] { y.item(); }, "out of date"));
}

BOOST_AUTO_TEST_CASE(the_tape_is_only_read) {
  Tape tape;
  const Tensor x = tape.parameter({-1, 0.5});
  const Tensor count = tape.state(1.0);
  const Tensor loss = sum(relu(x) / 1e-9 + log(x)) * count;
  assign(count, count + 1.0);
  const Tensor g = gradient(loss, x);
  const tg::Recording& recording = tape.recording();
  const std::string before = text(tape);
  const std::vector<double> bits = g.values();
  const std::size_t size = tape.size(), notes = recording.notes().size(), bytes = tape.bytes();
  for (int i = 0; i < 2; ++i) {
    why_zero(loss, x), why_nan(loss, x), why_big(loss, x);
    why_zero(g), why_nan(g), why_big(g);
  }
  BOOST_TEST(tape.size() == size);
  BOOST_TEST(tape.bytes() == bytes);
  BOOST_TEST(recording.notes().size() == notes);
  BOOST_TEST(text(tape) == before);
  BOOST_TEST(count.item() == 1);
  BOOST_TEST(std::isnan(bits[0]) == std::isnan(g.values()[0]));
  BOOST_TEST(g.values()[1] == bits[1]);
  BOOST_TEST(recording.pending().size() == 1);
}

BOOST_AUTO_TEST_CASE(shapes_without_axes_and_without_elements_are_answered) {
  Tape tape;
  const Tensor none = tape.parameter(std::vector<double>{});
  BOOST_TEST(!why_zero(sum(none), none));
  BOOST_TEST(!why_nan(sum(none), none));
  BOOST_TEST(!why_big(sum(none), none));
  const Tensor x = tape.parameter(-3);
  const Tensor y = relu(x);
  DISEASE(why_zero(y, x), Cause::flat, y);
  BOOST_TEST(!why_zero(x, x));
  BOOST_TEST(!why_big(x, x));
}

BOOST_AUTO_TEST_CASE(a_tape_of_twenty_thousand_records_is_answered_at_once) {
  Tape tape;
  const Tensor x = tape.parameter({0.3, -0.2});
  Tensor h = x;
  for (int i = 0; i < 10000; ++i) h = tanh(h) + 0.1;
  const Tensor dead = sum(relu(h - 100.0));
  const Tensor nan = sum(sqrt(h - h));
  const Tensor big = sum(h * 1e6);
  const auto seconds = [&](const char* what, const auto& f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    BOOST_TEST_MESSAGE(what << ": " << taken.count() << " s");
    return taken.count();
  };
  BOOST_TEST(seconds("zero", [&] { why_zero(dead, x); }) < 5);
  BOOST_TEST(seconds("vanished", [&] { why_zero(sum(h), x); }) < 5);
  BOOST_TEST(seconds("nan", [&] { why_nan(nan, x); }) < 5);
  BOOST_TEST(seconds("big", [&] { why_big(big, x); }) < 5);
}

BOOST_AUTO_TEST_CASE(wide_layers_are_answered_at_once) {
  Tape tape{tg::float32};
  const Tensor x = tape.input(std::vector<float>(256 * 1000, 1.0F), Shape{256, 1000});
  const Tensor w = tape.parameter(std::vector<float>(1000 * 1000, -0.1F), Shape{1000, 1000});
  const Tensor b = tape.parameter(std::vector<float>(1000, 0.0F));
  const Tensor h = relu(matmul(x, w) + b);
  const Tensor loss = mean(square(h));
  const auto start = std::chrono::steady_clock::now();
  BOOST_TEST((why_zero(loss, w).cause == Cause::stationary));
  BOOST_TEST(has(why_zero(loss, w).text(), "what relu makes of"));
  DISEASE(why_zero(sum(h), w), Cause::flat, h);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  BOOST_TEST_MESSAGE("wide: " << taken.count() << " s");
  BOOST_TEST(taken.count() < 10);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
