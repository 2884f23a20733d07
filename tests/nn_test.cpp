// Layers, the values of structs, and gradient descent.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using Numbers = std::vector<double>;

struct Net {
  tg::Linear hidden, output;
};

Net make(tg::Tape& tape, std::uint32_t seed = 1) {
  tg::Random random{seed};
  return {tg::linear(tape, 3, 4, random), tg::linear(tape, 4, 2, random)};
}

/// All values of a struct's tensors, one after the other.
template <class Struct>
Numbers all_values(const Struct& net) {
  Numbers result;
  tg::visit_tensors(net, [&](const tg::Tensor& t) {
    if (!t.defined()) return;
    for (double v : t.values()) result.push_back(v);
  });
  return result;
}

BOOST_AUTO_TEST_SUITE(nn)

// Linear.

BOOST_AUTO_TEST_CASE(linear_multiplies_each_row_by_the_weight_and_adds_the_bias) {
  tg::Tape tape;
  const tg::Linear layer{tape.parameter({{1, 2, 3}, {4, 5, 6}}), tape.parameter({10, 20, 30})};
  const tg::Tensor y = layer(tape.input({{1, 0}, {0, 1}, {2, -1}}));
  BOOST_TEST((y.shape() == tg::Shape{3, 3}));
  BOOST_TEST((y.values() == Numbers{11, 22, 33, 14, 25, 36, 8, 19, 30}));
}

BOOST_AUTO_TEST_CASE(linear_with_an_undefined_bias_adds_none) {
  tg::Tape tape;
  const tg::Linear layer{.weight = tape.parameter({{1, 2}, {3, 4}})};
  const std::size_t before = tape.size();
  const tg::Tensor x = tape.input({{1, 1}});
  const tg::Tensor y = layer(x);
  BOOST_TEST((y.values() == Numbers{4, 6}));
  BOOST_TEST(tape.size() == before + 2);  // x and one product
}

BOOST_AUTO_TEST_CASE(linear_takes_a_single_sample_as_a_vector) {
  tg::Tape tape;
  const tg::Linear layer{tape.parameter({{1, 2}, {3, 4}}), tape.parameter({5, 6})};
  const tg::Tensor y = layer(tape.input({1, 1}));
  BOOST_TEST((y.shape() == tg::Shape{2}));
  BOOST_TEST((y.values() == Numbers{9, 12}));
}

BOOST_AUTO_TEST_CASE(gradients_of_linear_are_the_textbook_products) {
  tg::Tape tape;
  const tg::Linear layer{tape.parameter({{1, 2}, {3, 4}}), tape.parameter({5, 6})};
  const tg::Tensor x = tape.input({{1, 2}, {3, 4}, {5, 6}});
  const tg::Tensor delta = tape.constant({{1, 0}, {0, 2}, {1, 1}});

  const tg::Tensor y = layer(x);
  const tg::Linear slope = gradient(tg::seeded(y, delta), layer);
  const tg::Tensor x_slope = gradient(tg::seeded(y, delta), x);

  BOOST_TEST((slope.weight.values() == Numbers{6, 11, 8, 14}));  // xT delta
  BOOST_TEST((slope.bias.values() == Numbers{2, 3}));            // delta summed over the rows
  BOOST_TEST((x_slope.values() == Numbers{1, 3, 4, 8, 3, 7}));   // delta WT
}

BOOST_AUTO_TEST_CASE(linear_fed_a_wrong_width_blames_the_line_that_called_it) {
  tg::Tape tape;
  tg::Random random{1};
  const tg::Linear layer = tg::linear(tape, 3, 4, random);
  const tg::Tensor x = tape.input({{1, 2}});
  const int line = __LINE__ + 2;
  try {
    layer(x);
    BOOST_ERROR("no error");
  } catch (const tg::Error& error) {
    BOOST_TEST(error.op() == "linear");
    BOOST_TEST(error.site().line == static_cast<std::uint32_t>(line));
    BOOST_TEST(has(error.site().file, "nn_test.cpp"));
    BOOST_TEST(has(error.what(), "weight of linear"));
    BOOST_TEST(has(error.what(), "(1, 2)"));
    BOOST_TEST(has(error.what(), "(3, 4)"));
  }
}

BOOST_AUTO_TEST_CASE(linear_without_a_weight_is_an_error_not_a_crash) {
  tg::Tape tape;
  const tg::Tensor x = tape.input({{1, 2}});
  BOOST_CHECK_THROW(tg::Linear{}(x), tg::Error);
}

BOOST_AUTO_TEST_CASE(linear_draws_weight_then_bias_within_the_bound_of_pytorch) {
  tg::Tape tape;
  tg::Random random{7}, same{7};
  const tg::Linear layer = tg::linear(tape, 4, 3, random);  // bound 1 / sqrt(4)

  BOOST_TEST((layer.weight.shape() == tg::Shape{4, 3}));
  BOOST_TEST((layer.bias.shape() == tg::Shape{3}));
  for (double w : layer.weight.values()) BOOST_TEST(w == -0.5 + same.random());
  for (double b : layer.bias.values()) BOOST_TEST(b == -0.5 + same.random());
  BOOST_TEST((random == same));
}

BOOST_AUTO_TEST_CASE(linear_values_fill_the_whole_interval) {
  tg::Tape tape;
  tg::Random random{3};
  const Numbers w = tg::linear(tape, 100, 100, random).weight.values();
  double sum = 0, squares = 0, largest = 0;
  for (double v : w) {
    sum += v;
    squares += v * v;
    largest = std::max(largest, std::abs(v));
  }
  BOOST_TEST(largest < 0.1);
  BOOST_TEST(largest > 0.0999);
  BOOST_TEST(std::abs(sum / 10000) < 0.002);  // 0, give or take 3.5 deviations
  BOOST_TEST(std::abs(squares / 10000 - 0.01 / 3) < 0.0001);
}

BOOST_AUTO_TEST_CASE(linear_without_bias_draws_none) {
  tg::Tape tape;
  tg::Random random{7}, same{7};
  const tg::Linear layer = tg::linear(tape, 4, 3, random, {.bias = false});
  BOOST_TEST(!layer.bias.defined());
  same.random(tg::Shape{12});
  BOOST_TEST((random == same));
}

BOOST_AUTO_TEST_CASE(linear_on_a_float32_tape_is_the_float64_one_rounded) {
  tg::Tape wide, narrow{tg::float32};
  tg::Random random{7}, same{7};
  const Numbers w = tg::linear(wide, 4, 3, random).weight.values();
  const Numbers v = tg::linear(narrow, 4, 3, same).weight.values();
  for (std::size_t i = 0; i < w.size(); ++i) BOOST_TEST(v[i] == static_cast<float>(w[i]));
}

BOOST_AUTO_TEST_CASE(linear_refuses_extents_below_one) {
  tg::Tape tape;
  tg::Random random{1};
  const tg::Random before = random;
  BOOST_TEST(says([&] { tg::linear(tape, 0, 4, random); }, "0 inputs and 4 outputs"));
  BOOST_TEST(says([&] { tg::linear(tape, 3, -1, random); }, "3 inputs and -1 outputs"));
  BOOST_TEST((random == before));
  BOOST_TEST(tape.size() == 0u);
}

// name()

BOOST_AUTO_TEST_CASE(name_puts_a_prefix_before_each_field) {
  tg::Tape tape;
  const Net net = make(tape);
  tg::name(net, "generator");
  BOOST_TEST(net.hidden.weight.name() == "generator.hidden.weight");
  BOOST_TEST(net.output.bias.name() == "generator.output.bias");
}

BOOST_AUTO_TEST_CASE(name_of_a_single_tensor_is_the_prefix) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(1.0);
  tg::name(w, "w");
  BOOST_TEST(w.name() == "w");
}

BOOST_AUTO_TEST_CASE(name_replaces_an_earlier_name_but_meeting_a_struct_does_not) {
  tg::Tape tape;
  const Net net = make(tape);
  net.hidden.weight.named("mine");
  gradient(sum(net.output(net.hidden(tape.input({{1, 2, 3}})))), net);
  BOOST_TEST(net.hidden.weight.name() == "mine");
  BOOST_TEST(net.hidden.bias.name() == "hidden.bias");
  tg::name(net, "net");
  BOOST_TEST(net.hidden.weight.name() == "net.hidden.weight");
}

BOOST_AUTO_TEST_CASE(name_leaves_out_what_is_undefined) {
  tg::Tape tape;
  const tg::Linear layer{.weight = tape.parameter({{1}})};
  tg::name(layer, "layer");
  BOOST_TEST(layer.weight.name() == "layer.weight");
}

// snapshot and restore

BOOST_AUTO_TEST_CASE(snapshot_lists_fields_in_order_with_names_and_values) {
  tg::Tape tape;
  const Net net = make(tape);
  const tg::Snapshot s = tg::snapshot(net);
  BOOST_TEST_REQUIRE(s.size() == 4u);
  BOOST_TEST(s[0].first == "hidden.weight");
  BOOST_TEST(s[3].first == "output.bias");
  BOOST_TEST((s[0].second == net.hidden.weight.array()));
  BOOST_TEST((s[3].second == net.output.bias.array()));
}

BOOST_AUTO_TEST_CASE(snapshot_is_a_copy_that_outlives_the_tape) {
  tg::Snapshot s;
  Numbers before;
  {
    tg::Tape tape;
    const Net net = make(tape);
    before = net.hidden.bias.values();
    s = tg::snapshot(net);
    net.hidden.bias.set({0, 0, 0, 0});
  }
  BOOST_TEST((s[1].second.values() == before));
}

BOOST_AUTO_TEST_CASE(snapshot_of_an_unset_input_is_an_error) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(tg::Shape{2});
  BOOST_CHECK_THROW(tg::snapshot(x), tg::Error);
}

BOOST_AUTO_TEST_CASE(restore_puts_every_value_back) {
  tg::Tape tape;
  const Net net = make(tape);
  const Numbers before = all_values(net);
  const tg::Snapshot s = tg::snapshot(net);
  tg::visit_tensors(net, [](const tg::Tensor& t) { t.set(tg::Array::zeros(t.shape())); });
  BOOST_TEST((all_values(net) != before));

  tg::restore(net, s);
  BOOST_TEST((all_values(net) == before));
}

BOOST_AUTO_TEST_CASE(restore_of_a_float64_snapshot_rounds_on_a_float32_tape) {
  tg::Tape wide, narrow{tg::float32};
  const tg::Tensor a = wide.parameter(0.1), b = narrow.parameter(0.0);
  tg::restore(b, tg::snapshot(a));
  BOOST_TEST(b.item() == static_cast<double>(0.1f));
}

BOOST_AUTO_TEST_CASE(restore_makes_what_was_computed_out_of_date) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(2.0);
  const tg::Tensor y = w * w;
  const tg::Snapshot s = tg::snapshot(w);
  tg::restore(w, s);
  BOOST_CHECK_THROW(y.item(), tg::Error);
  tape.replay(y);
  BOOST_TEST(y.item() == 4);
}

BOOST_AUTO_TEST_CASE(restore_refuses_another_name_shape_or_count_and_changes_nothing) {
  tg::Tape tape;
  const Net net = make(tape);
  const Numbers before = all_values(net);
  const tg::Snapshot s = tg::snapshot(net);
  const auto with = [&](auto change) {
    tg::Snapshot changed = s;
    for (auto& [field, values] : changed) values = tg::Array::zeros(values.shape());
    change(changed);
    return [&net, changed] { tg::restore(net, changed); };
  };

  BOOST_TEST(says(with([](auto& c) { c[3].first = "other"; }), "output.bias"));
  BOOST_TEST(
      says(with([](auto& c) { c[3].second = tg::Array::zeros(tg::Shape{3}); }), "output.bias"));
  BOOST_TEST(says(with([](auto& c) { c.pop_back(); }), "no values for output.bias"));
  BOOST_TEST(says(with([](auto& c) { c.emplace_back("extra", tg::Array{}); }), "extra"));
  BOOST_TEST((all_values(net) == before));
}

BOOST_AUTO_TEST_CASE(restore_refuses_a_computed_tensor_and_changes_nothing) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(1.0);
  const std::vector<tg::Tensor> both{w, w * 2};
  tg::Snapshot s = tg::snapshot(both);
  s[0].second = tg::Array::from(5);
  BOOST_CHECK_THROW(tg::restore(both, s), tg::Error);
  BOOST_TEST(w.item() == 1);
}

// clone

BOOST_AUTO_TEST_CASE(copying_a_struct_names_the_same_network_twice) {
  tg::Tape tape;
  const Net net = make(tape);
  const Net copy = net;
  copy.hidden.bias.set({1, 2, 3, 4});
  BOOST_TEST((net.hidden.bias.values() == Numbers{1, 2, 3, 4}));
}

BOOST_AUTO_TEST_CASE(clone_has_equal_values_that_change_on_their_own) {
  tg::Tape tape;
  const Net net = make(tape);
  const Net twin = tg::clone(net, tape);
  BOOST_TEST((all_values(twin) == all_values(net)));

  const Numbers before = net.hidden.bias.values();
  twin.hidden.bias.set({1, 2, 3, 4});
  BOOST_TEST((net.hidden.bias.values() == before));
}

BOOST_AUTO_TEST_CASE(clone_on_another_tape_outlives_the_first) {
  tg::Tape other{tg::float32};
  Net twin;
  Numbers before;
  {
    tg::Tape tape;
    const Net net = make(tape);
    before = all_values(net);
    twin = tg::clone(net, other);
  }
  const Numbers now = all_values(twin);
  BOOST_TEST_REQUIRE(now.size() == before.size());
  for (std::size_t i = 0; i < now.size(); ++i) BOOST_TEST(now[i] == static_cast<float>(before[i]));
  BOOST_TEST((twin.hidden.weight.precision() == tg::float32));
}

BOOST_AUTO_TEST_CASE(clone_keeps_kinds_so_that_constants_stay_untrained) {
  tg::Tape tape;
  const tg::Linear layer{tape.parameter({{1.0}}), tape.constant({2.0})};
  const tg::Linear twin = tg::clone(layer, tape);
  const tg::Linear slope = gradient(sum(twin(tape.input({{3.0}}))), twin);
  BOOST_TEST(slope.weight.item() == 3);
  BOOST_TEST(!slope.bias.defined());
}

BOOST_AUTO_TEST_CASE(clone_of_a_tensor_in_two_places_is_one_tensor_in_two_places) {
  struct Tied {
    tg::Tensor in, out;
  };
  tg::Tape tape;
  const tg::Tensor w = tape.parameter({1, 2});
  const Tied twin = tg::clone(Tied{w, w}, tape);
  twin.in.set({3, 4});
  BOOST_TEST((twin.out.values() == Numbers{3, 4}));
  BOOST_TEST((w.values() == Numbers{1, 2}));
}

BOOST_AUTO_TEST_CASE(clone_leaves_undefined_fields_undefined) {
  tg::Tape tape;
  BOOST_TEST(!tg::clone(tg::Linear{.weight = tape.parameter({{1}})}, tape).bias.defined());
}

BOOST_AUTO_TEST_CASE(clone_refuses_a_computed_tensor) {
  tg::Tape tape;
  const tg::Linear layer{tape.parameter({{1}}) * 2, {}};
  BOOST_TEST(says([&] { tg::clone(layer, tape); }, "computed"));
}

BOOST_AUTO_TEST_CASE(clone_that_is_refused_leaves_nothing_on_the_tape) {
  tg::Tape tape, other;
  const tg::Linear computed{tape.parameter({{1}}), tape.parameter({1}) * 2};
  const tg::Linear unset{tape.parameter({{1}}), tape.input(tg::Shape{1})};
  BOOST_CHECK_THROW(tg::clone(computed, other), tg::Error);
  BOOST_CHECK_THROW(tg::clone(unset, other), tg::Error);
  BOOST_TEST(other.size() == 0u);
}

// copy_values

BOOST_AUTO_TEST_CASE(copy_values_goes_from_the_second_to_the_first) {
  tg::Tape tape;
  const Net to = make(tape, 1), from = make(tape, 2);
  const Numbers wanted = all_values(from);
  BOOST_TEST((all_values(to) != wanted));
  tg::copy_values(to, from);
  BOOST_TEST((all_values(to) == wanted));
  BOOST_TEST((all_values(from) == wanted));
}

BOOST_AUTO_TEST_CASE(copy_values_crosses_tapes_and_precisions) {
  tg::Tape wide, narrow{tg::float32};
  const Net to = make(wide, 1), from = make(narrow, 2);
  tg::copy_values(to, from);
  BOOST_TEST((all_values(to) == all_values(from)));  // every float is a double
}

BOOST_AUTO_TEST_CASE(copy_values_refuses_other_shapes_and_changes_nothing) {
  tg::Tape tape;
  tg::Random random{1};
  const Net to = make(tape);
  const Net from{tg::linear(tape, 3, 4, random), tg::linear(tape, 4, 1, random)};
  const Numbers before = all_values(to);
  BOOST_TEST(says([&] { tg::copy_values(to, from); }, "(4, 1) does not fit (4, 2)"));
  BOOST_TEST((all_values(to) == before));
}

BOOST_AUTO_TEST_CASE(copy_values_refuses_a_field_that_only_one_has_and_changes_nothing) {
  tg::Tape tape;
  const tg::Linear with{tape.parameter({{1}}), tape.parameter({2})},
      without{.weight = tape.parameter({{3}})};
  BOOST_CHECK_THROW(tg::copy_values(with, without), tg::Error);
  BOOST_CHECK_THROW(tg::copy_values(without, with), tg::Error);
  BOOST_TEST(with.weight.item() == 1);
  BOOST_TEST(without.weight.item() == 3);
}

BOOST_AUTO_TEST_CASE(copy_values_refuses_lists_of_different_length) {
  tg::Tape tape;
  const std::vector<tg::Tensor> two{tape.parameter(1), tape.parameter(2)}, one{tape.parameter(3)};
  BOOST_CHECK_THROW(tg::copy_values(two, one), tg::Error);
  BOOST_TEST(two[0].item() == 1);
}

BOOST_AUTO_TEST_CASE(copy_values_into_a_computed_tensor_changes_nothing) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(1.0), a = tape.parameter(3.0), b = tape.parameter(4.0);
  const std::vector<tg::Tensor> to{w, w * 2}, from{a, b};
  BOOST_CHECK_THROW(tg::copy_values(to, from), tg::Error);
  BOOST_TEST(w.item() == 1);
}

BOOST_AUTO_TEST_CASE(copy_values_from_an_unset_input_changes_nothing) {
  tg::Tape tape;
  const tg::Tensor a = tape.input({1}), b = tape.input({2}), set = tape.input({3}),
                   unset = tape.input(tg::Shape{1});
  const std::vector<tg::Tensor> to{a, b}, from{set, unset};
  BOOST_CHECK_THROW(tg::copy_values(to, from), tg::Error);
  BOOST_TEST(a.item() == 1);
}

// Sgd

struct Line {
  tg::Tensor slope, offset;
};

BOOST_AUTO_TEST_CASE(sgd_subtracts_learning_rate_times_gradient) {
  tg::Tape tape;
  const Line line{tape.parameter({1, 2}), tape.parameter(3.0)};
  const tg::Tensor y = sum(square(line.slope)) + 10 * line.offset;
  tg::Sgd sgd{.learning_rate = 0.25};
  sgd.step(line, gradient(y, line));
  BOOST_TEST((line.slope.values() == Numbers{0.5, 1}));
  BOOST_TEST(line.offset.item() == 0.5);
}

BOOST_AUTO_TEST_CASE(sgd_works_in_the_precision_of_the_tape) {
  tg::Tape tape{tg::float32};
  const tg::Tensor w = tape.parameter(1.0);
  tg::Sgd sgd{.learning_rate = 0.1};
  sgd.step(w, gradient(w * 3, w));
  BOOST_TEST(w.item() == static_cast<double>(1.0f - 0.1f * 3.0f));
}

BOOST_AUTO_TEST_CASE(sgd_reads_the_learning_rate_at_every_step) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(0.0);
  const tg::Tensor g = gradient(w * 1, w);
  tg::Sgd sgd{.learning_rate = 1};
  sgd.step(w, g);
  tape.replay(g);
  sgd.learning_rate = 0.5;
  sgd.step(w, g);
  BOOST_TEST(w.item() == -1.5);
}

BOOST_AUTO_TEST_CASE(sgd_with_learning_rate_zero_changes_nothing) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(2.0);
  tg::Sgd{.learning_rate = 0}.step(w, gradient(square(w), w));
  BOOST_TEST(w.item() == 2);
}

BOOST_AUTO_TEST_CASE(sgd_updates_all_parameters_from_gradients_taken_at_one_point) {
  tg::Tape tape;
  const Line line{tape.parameter(2.0), tape.parameter(3.0)};
  tg::Sgd sgd{.learning_rate = 1};
  sgd.step(line, gradient(line.slope * line.offset, line));
  BOOST_TEST(line.slope.item() == -1);  // 2 - 3
  BOOST_TEST(line.offset.item() == 1);  // 3 - 2, not 3 - (-1)
}

BOOST_AUTO_TEST_CASE(sgd_changes_a_parameter_in_two_places_once) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(1.0);
  const Line tied{w, w};
  tg::Sgd sgd{.learning_rate = 1};
  sgd.step(tied, gradient(w * 0.25, tied));
  BOOST_TEST(w.item() == 0.75);
}

BOOST_AUTO_TEST_CASE(sgd_leaves_alone_what_has_no_gradient_and_what_is_no_parameter) {
  tg::Tape tape;
  const Line line{tape.parameter(1.0), tape.constant(2.0)};
  tg::Sgd sgd{.learning_rate = 1};
  sgd.step(line, gradient(line.slope * line.offset, line));
  BOOST_TEST(line.slope.item() == -1);
  BOOST_TEST(line.offset.item() == 2);

  const Line frozen{tape.parameter(1.0), tape.parameter(2.0)};
  const tg::Tensor y = frozen.slope * frozen.offset;
  tg::Sgd{.learning_rate = 1}.step(frozen, Line{gradient(y, frozen.slope), {}});
  BOOST_TEST(frozen.slope.item() == -1);
  BOOST_TEST(frozen.offset.item() == 2);
}

BOOST_AUTO_TEST_CASE(sgd_may_train_a_part_of_a_network) {
  tg::Tape tape;
  const Net net = make(tape);
  const tg::Snapshot before = tg::snapshot(net);
  const tg::Tensor y = sum(net.output(net.hidden(tape.input({{1, 2, 3}}))));
  tg::Sgd sgd{.learning_rate = 1};
  sgd.step(net.output, gradient(y, net.output));
  BOOST_TEST((net.hidden.weight.array() == before[0].second));
  BOOST_TEST((net.output.bias.values() ==
              Numbers{before[3].second.at(0) - 1, before[3].second.at(1) - 1}));
}

BOOST_AUTO_TEST_CASE(results_from_before_a_step_may_be_read_but_not_computed_with) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(2.0);
  const tg::Tensor y = square(w), g = gradient(y, w);
  tg::Sgd sgd{.learning_rate = 0.25};
  sgd.step(w, g);
  BOOST_TEST(y.item() == 4);  // the loss of the step, as every training loop prints it
  BOOST_TEST(g.item() == 4);
  BOOST_CHECK_THROW(y + 1, tg::Error);
  BOOST_CHECK_THROW(gradient(y, w), tg::Error);
  tape.replay(y, g);
  BOOST_TEST(y.item() == 1);
  BOOST_TEST((y + 1).item() == 2);
}

BOOST_AUTO_TEST_CASE(sgd_names_the_parameters_it_meets) {
  tg::Tape tape;
  const Line line{tape.parameter(1.0), tape.parameter(1.0)};
  const auto [a, b] = gradient(line.slope * line.offset, line.slope, line.offset);
  tg::Sgd{.learning_rate = 1}.step(line, Line{a, b});
  BOOST_TEST(line.slope.name() == "slope");
  BOOST_TEST(line.offset.name() == "offset");
}

// Sgd: each mistake is an error, and changes nothing.

struct Mistake {
  tg::Tape tape;
  Line line{tape.parameter(1.0), tape.parameter(2.0)};
  Line slopes = gradient(line.slope * line.offset, line);
  tg::Sgd sgd{.learning_rate = 1};

  void changes_nothing(const std::function<void()>& step, const std::string& text) const {
    BOOST_TEST(says(step, text));
    BOOST_TEST(line.slope.item() == 1);
    BOOST_TEST(line.offset.item() == 2);
  }
};

BOOST_AUTO_TEST_CASE(sgd_refuses_a_learning_rate_that_is_missing_negative_or_not_finite) {
  Mistake m;
  m.sgd = tg::Sgd{};
  m.changes_nothing([&] { m.sgd.step(m.line, m.slopes); }, "learning rate");
  for (double rate : {-1.0, std::numeric_limits<double>::infinity()}) {
    m.sgd.learning_rate = rate;
    m.changes_nothing([&] { m.sgd.step(m.line, m.slopes); }, "learning rate");
  }
}

BOOST_AUTO_TEST_CASE(sgd_refuses_exchanged_arguments) {
  Mistake m;
  m.changes_nothing([&] { m.sgd.step(m.slopes, m.line); }, "step(net, gradients)");
}

BOOST_AUTO_TEST_CASE(sgd_refuses_parameters_as_their_own_gradients) {
  Mistake m;
  m.changes_nothing([&] { m.sgd.step(m.line, m.line); }, "gradient is the parameter itself");
}

BOOST_AUTO_TEST_CASE(sgd_refuses_a_gradient_of_another_shape) {
  Mistake m;
  m.slopes.offset = m.slopes.slope * m.tape.constant({1, 2});
  m.changes_nothing([&] { m.sgd.step(m.line, m.slopes); }, "(2)");
}

BOOST_AUTO_TEST_CASE(sgd_refuses_the_same_gradients_twice_without_a_replay) {
  Mistake m;
  m.sgd.step(m.line, m.slopes);
  BOOST_TEST(says([&] { m.sgd.step(m.line, m.slopes); }, "replay"));
  BOOST_TEST(m.line.slope.item() == -1);
}

BOOST_AUTO_TEST_CASE(sgd_refuses_gradients_that_a_set_made_out_of_date) {
  Mistake m;
  m.line.offset.set(2);
  m.changes_nothing([&] { m.sgd.step(m.line, m.slopes); }, "offset");
}

BOOST_AUTO_TEST_CASE(sgd_refuses_a_gradient_that_was_never_computed) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(1.0), x = tape.input(tg::Shape{});
  const tg::Tensor g = gradient(w * x, w);
  tg::Sgd sgd{.learning_rate = 1};
  BOOST_TEST(says([&] { sgd.step(w, g); }, "step"));
  BOOST_TEST(w.item() == 1);
}

BOOST_AUTO_TEST_CASE(sgd_refuses_a_struct_without_parameters) {
  tg::Tape tape;
  const Line line{tape.constant(1.0), tape.constant(1.0)};
  tg::Sgd sgd{.learning_rate = 1};
  BOOST_TEST(says([&] { sgd.step(line, Line{}); }, "no parameters"));
}

BOOST_AUTO_TEST_CASE(sgd_refuses_to_step_when_no_parameter_has_a_gradient) {
  Mistake m;
  m.changes_nothing([&] { m.sgd.step(m.line, Line{}); }, "no parameter has a gradient");
}

BOOST_AUTO_TEST_CASE(sgd_refuses_a_gradient_where_there_is_no_parameter) {
  Mistake m;
  const Line half{m.line.slope, {}};
  m.changes_nothing([&] { m.sgd.step(half, m.slopes); }, "no parameter");
}

BOOST_AUTO_TEST_CASE(sgd_belongs_to_the_struct_of_its_first_step) {
  Mistake m;
  const Line other{m.tape.parameter(1.0), m.tape.parameter(2.0)};
  m.sgd.step(other, gradient(other.slope * other.offset, other));
  m.changes_nothing([&] { m.sgd.step(m.line, m.slopes); }, "first step");
}

BOOST_AUTO_TEST_CASE(sgd_refuses_a_gradient_from_another_tape) {
  Mistake m, other;
  m.changes_nothing([&] { m.sgd.step(m.line, Line{m.slopes.slope, other.slopes.offset}); }, "tape");
}

BOOST_AUTO_TEST_CASE(sgd_refuses_a_gradient_that_a_rewind_forgot) {
  tg::Tape tape;
  const Line line{tape.parameter(1.0), tape.parameter(2.0)};
  Line slopes;
  {
    auto scope = tape.scope();
    slopes = gradient(line.slope * line.offset, line);
  }
  tg::Sgd sgd{.learning_rate = 1};
  BOOST_CHECK_THROW(sgd.step(line, slopes), tg::Error);
  BOOST_TEST(line.slope.item() == 1);
}

BOOST_AUTO_TEST_CASE(sgd_says_which_line_stepped) {
  Mistake m;
  const int line = __LINE__ + 2;
  try {
    m.sgd.step(m.slopes, m.line);
    BOOST_ERROR("no error");
  } catch (const tg::Error& error) {
    BOOST_TEST(error.op() == "step");
    BOOST_TEST(error.site().line == static_cast<std::uint32_t>(line));
  }
}

BOOST_AUTO_TEST_CASE(sgd_is_usable_after_a_refusal) {
  Mistake m;
  m.changes_nothing([&] { m.sgd.step(m.slopes, m.line); }, "step");
  m.sgd.step(m.line, m.slopes);
  BOOST_TEST(m.line.slope.item() == -1);
}

struct Shared {
  std::shared_ptr<tg::Linear> layer;
};

BOOST_AUTO_TEST_CASE(
    a_gradient_or_clone_of_a_shared_layer_is_refused_and_leaves_the_network_alone) {
  tg::Tape tape;
  const Shared net{std::make_shared<tg::Linear>(tg::Linear{.weight = tape.parameter({{3}})})};
  const tg::Tensor loss = sum(square(net.layer->weight));
  BOOST_TEST(has(refusal([&] { gradient(loss, net); }), "shared_ptr"));
  BOOST_TEST(has(refusal([&] { tg::clone(net, tape); }), "shared_ptr"));
  BOOST_TEST(net.layer->weight.item() == 3.0);
}

struct Scaled {
  tg::Tensor w, unit;
};

BOOST_AUTO_TEST_CASE(a_constant_in_a_struct_stays_while_its_neighbours_are_restored_and_copied) {
  tg::Tape tape;
  const Scaled net{tape.parameter(1.0), tape.constant(2.0)};
  const Scaled other{tape.parameter(5.0), tape.constant(7.0)};
  const tg::Snapshot kept = tg::snapshot(net);
  net.w.set(9.0);
  tg::restore(net, kept);
  BOOST_TEST(net.w.item() == 1.0);
  tg::copy_values(net, other);
  BOOST_TEST(net.w.item() == 5.0);
  BOOST_TEST(net.unit.item() == 2.0);
}

BOOST_AUTO_TEST_CASE(a_clone_that_fails_leaves_no_leaf_behind) {
  tg::Tape tape, small;
  const Net net = make(tape);
  small.limit(400);
  BOOST_TEST(has(refusal([&] { tg::clone(net, small); }), "limit"));
  BOOST_TEST(small.size() == 0u);
}

BOOST_AUTO_TEST_CASE(the_slope_of_a_sum_with_a_literal_is_a_record_of_its_own) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(1.0);
  const tg::Tensor slope = gradient(w + 1.0, w);
  tg::Sgd sgd{.learning_rate = 0.5};
  sgd.step(w, slope);
  BOOST_TEST(has(refusal([&] { sgd.step(w, slope); }), "old value"));
  slope.named("slope");
  BOOST_TEST((w * 1.0).item() == 0.5);
  BOOST_TEST(w.item() == 0.5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
