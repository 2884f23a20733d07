// What changes when: the rules of time, one after the other. A value is never an old number
// unnoticed.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using tg::Shape, tg::Tape, tg::Tensor;
using Numbers = std::vector<double>;

/// w x for one weight.
struct Scale {
  Tensor w;
  Tensor operator()(const Tensor& x) const { return w * x; }
};

/// A weight, an input, a loss 1/2 (w x - 1)^2 and its gradient.
struct Descent {
  Tape tape;
  Scale net{tape.parameter(2.0).named("w")};
  Tensor x = tape.input(3.0).named("x");
  Tensor loss = half_squared_error(net(x), tape.constant(1.0));
  Scale grads = gradient(loss, net);
  tg::Sgd sgd{.learning_rate = 0.1};

  Tensor step() {  // w = 2 - 0.1 (6 - 1) 3 = 0.5
    sgd.step(net, grads);
    return loss;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(time_rules)

// ---------------------------------------------------------------- you write an expression

BOOST_AUTO_TEST_CASE(an_expression_is_a_new_record_with_its_value_at_once) {
  Tape tape;
  const Tensor x = tape.input(3.0);
  const std::size_t size = tape.size();
  const Tensor y = square(x);
  BOOST_TEST(tape.size() == size + 1);
  BOOST_TEST(y.item() == 9.0);
  BOOST_TEST(x.item() == 3.0);
}

// ---------------------------------------------------------------- x.set(v)

BOOST_AUTO_TEST_CASE(set_changes_the_leaf_at_once) {
  Tape tape;
  const Tensor x = tape.input({1, 2});
  x.set({3, 4});
  BOOST_TEST(x.values() == (Numbers{3, 4}), boost::test_tools::per_element());
}

// B5
BOOST_AUTO_TEST_CASE(what_is_behind_a_set_leaf_is_out_of_date) {
  Tape tape;
  const Tensor x = tape.input({1, 2}).named("x");
  const Tensor near = x * 2.0, far = sum(exp(near));
  std::string where;
  x.set({3, 4}), where = line();

  for (const auto& said :
       {refusal([&] { far.item(); }), refusal([&] { near.at(0); }), refusal([&] { near.values(); }),
        refusal([&] { near.array(); }), refusal([&] { near.span<double>(); })}) {
    BOOST_TEST(has(said, "out of date: x was set at " + where));
    BOOST_TEST(has(said, "tape.replay"));
  }
}

BOOST_AUTO_TEST_CASE(computing_with_what_is_out_of_date_is_an_error_too) {
  Tape tape;
  const Tensor x = tape.input({1, 2}).named("x"), other = tape.input({1, 1});
  const Tensor y = x * 2.0, z = sum(y);
  x.set({3, 4});
  const std::size_t size = tape.size();
  BOOST_TEST(has(refusal([&] { y + 1.0; }), "x was set"));
  BOOST_TEST(has(refusal([&] { other* y; }), "x was set"));
  BOOST_TEST(has(refusal([&] { gradient(z, x); }), "x was set"));
  BOOST_TEST(has(refusal([&] { gradient(seeded(other * 2.0, y), other); }), "x was set"));
  BOOST_TEST(tape.size() == size + 1);  // other * 2.0
}

BOOST_AUTO_TEST_CASE(what_is_not_behind_a_set_leaf_stays) {
  Tape tape;
  const Tensor x = tape.input(1.0), other = tape.input(5.0);
  const Tensor y = 2.0 * x, z = 2.0 * other, both = y + z;
  x.set(3.0);
  BOOST_TEST(z.item() == 10.0);
  BOOST_TEST((z + 1.0).item() == 11.0);
  BOOST_TEST((z + x).item() == 13.0);
  BOOST_TEST(has(refusal([&] { both.item(); }), "out of date"));
}

BOOST_AUTO_TEST_CASE(setting_the_same_value_is_setting) {
  Tape tape;
  const Tensor x = tape.input(1.0);
  const Tensor y = 2.0 * x;
  x.set(1.0);
  BOOST_TEST(has(refusal([&] { y.item(); }), "out of date"));
}

BOOST_AUTO_TEST_CASE(parameters_and_states_that_are_set_leave_values_behind_too) {
  Tape tape;
  const Tensor p = tape.parameter(1.0), s = tape.state(1.0);
  const Tensor a = 2.0 * p, b = 2.0 * s;
  p.set(2.0);
  BOOST_TEST(has(refusal([&] { a.item(); }), "out of date"));
  BOOST_TEST(b.item() == 2.0);
  s.set(2.0);
  BOOST_TEST(has(refusal([&] { b.item(); }), "out of date"));
}

// ---------------------------------------------------------------- a run

BOOST_AUTO_TEST_CASE(a_replay_brings_up_to_date_what_its_outputs_need_and_nothing_else) {
  Tape tape;
  const Tensor x = tape.input(1.0).named("x");
  const Tensor y = square(x), z = exp(y), other = sin(x);
  x.set(3.0);
  tape.replay(y);
  BOOST_TEST(y.item() == 9.0);
  BOOST_TEST(has(refusal([&] { z.item(); }), "out of date"));
  BOOST_TEST(has(refusal([&] { other.item(); }), "out of date"));
  tape.replay(z, other);
  BOOST_TEST(z.item() == std::exp(9.0));
  BOOST_TEST(other.item() == std::sin(3.0));
}

BOOST_AUTO_TEST_CASE(a_program_dates_only_what_it_ran) {
  Tape tape;
  const Tensor x = tape.input(1.0);
  const Tensor y = square(x), kept = y + 1.0, left = y - 1.0;
  auto run = program(kept);
  x.set(2.0);
  run.run();
  BOOST_TEST(kept.item() == 5.0);
  BOOST_TEST(has(refusal([&] { left.item(); }), "out of date"));
}

BOOST_AUTO_TEST_CASE(after_a_replay_recording_goes_on_from_the_new_values) {
  Tape tape;
  const Tensor x = tape.input(1.0);
  const Tensor y = square(x);
  x.set(3.0);
  tape.replay(y);
  BOOST_TEST((y + 1.0).item() == 10.0);
  BOOST_TEST(gradient(y, x).item() == 6.0);
}

BOOST_AUTO_TEST_CASE(two_runs_give_the_same_bits) {
  Tape tape{tg::float32};
  tg::Random random{3};
  const Tensor x = tape.input(random.uniform(-1, 1, Shape{40, 30}));
  const Tensor w = tape.parameter(random.uniform(-1, 1, Shape{30, 20}));
  const Tensor loss = mean(square(tanh(matmul(x, w))));
  const Tensor slope = gradient(loss, w);
  const tg::Array once = slope.array(), value = loss.array();
  tape.replay(loss, slope);
  BOOST_TEST((slope.array() == once));
  BOOST_TEST((loss.array() == value));
}

BOOST_AUTO_TEST_CASE(a_replay_changes_no_leaf) {
  Descent d;
  d.tape.replay(d.loss, d.grads.w);
  BOOST_TEST(d.net.w.item() == 2.0);
  BOOST_TEST(d.x.item() == 3.0);
}

// ---------------------------------------------------------------- sgd.step

BOOST_AUTO_TEST_CASE(a_step_changes_the_parameters) {
  Descent d;
  d.step();
  BOOST_TEST(d.net.w.item() == 0.5);
}

BOOST_AUTO_TEST_CASE(after_a_step_loss_and_gradients_are_the_numbers_before_it) {
  Descent d;
  d.step();
  BOOST_TEST(d.loss.item() == 12.5);
  BOOST_TEST(d.grads.w.item() == 15.0);
  BOOST_TEST(fmt::format("{}", d.loss) == "12.5");
  BOOST_TEST(d.loss.values().at(0) == 12.5);
}

BOOST_AUTO_TEST_CASE(after_a_step_computing_with_old_values_is_an_error) {
  Descent d;
  std::string where;
  d.step(), where = line();
  for (const auto& said :
       {refusal([&] { d.loss * 2.0; }), refusal([&] { gradient(d.loss, d.x); }),
        refusal([&] { gradient(d.loss, d.net); }), refusal([&] { d.grads.w + 1.0; })}) {
    BOOST_TEST(has(said, "w changed at time_rules_test.cpp:"));
    BOOST_TEST(has(said, "tape.replay"));
  }
}

BOOST_AUTO_TEST_CASE(a_second_step_with_the_same_gradients_is_an_error) {
  Descent d;
  d.step();
  BOOST_TEST(has(refusal([&] { d.step(); }), "w changed"));
  BOOST_TEST(d.net.w.item() == 0.5);
}

BOOST_AUTO_TEST_CASE(a_replay_after_the_step_makes_all_current_again) {
  Descent d;
  d.step();
  d.tape.replay(d.loss, d.grads.w);
  BOOST_TEST(d.loss.item() == 0.125);  // 1/2 (1.5 - 1)^2
  BOOST_TEST((d.loss * 2.0).item() == 0.25);
  d.step();
  BOOST_TEST(d.net.w.item() == 0.5 - 0.1 * 0.5 * 3.0);
}

// B6
BOOST_AUTO_TEST_CASE(the_parameters_themselves_may_be_computed_with_after_a_step) {
  Descent d;
  d.step();
  BOOST_TEST((2.0 * d.net.w).item() == 1.0);
  BOOST_TEST(d.net(d.x).item() == 1.5);
}

BOOST_AUTO_TEST_CASE(what_does_not_depend_on_the_parameters_may_be_computed_with_after_a_step) {
  Descent d;
  const Tensor fixed = square(d.x);
  d.step();
  BOOST_TEST((fixed + 1.0).item() == 10.0);
}

BOOST_AUTO_TEST_CASE(gradients_of_before_a_set_are_refused_by_a_step) {
  Descent d;
  d.x.set(1.0);
  BOOST_TEST(has(refusal([&] { d.step(); }), "x was set"));
  BOOST_TEST(d.net.w.item() == 2.0);
}

BOOST_AUTO_TEST_CASE(a_run_of_the_loss_alone_does_not_make_its_gradients_fit_for_a_step) {
  Descent d;
  d.step();
  d.tape.replay(d.loss);
  BOOST_TEST(has(refusal([&] { d.step(); }), "w changed"));
  d.x.set(1.0);
  d.tape.replay(d.loss);
  BOOST_TEST(has(refusal([&] { d.step(); }), "x was set"));
  BOOST_TEST(d.net.w.item() == 0.5);
}

BOOST_AUTO_TEST_CASE(a_gradient_that_does_not_depend_on_its_parameter_serves_one_step_too) {
  Tape tape;
  const Scale net{tape.parameter({1, 2})};
  const Tensor loss = sum(net(tape.constant({3, 4})));
  const Scale grads = gradient(loss, net);
  tg::Sgd sgd{.learning_rate = 1.0};
  sgd.step(net, grads);
  BOOST_TEST(has(refusal([&] { sgd.step(net, grads); }), "changed"));
  tape.replay(grads.w);
  sgd.step(net, grads);
  BOOST_TEST(net.w.values() == (Numbers{-5, -6}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(views_of_a_parameter_keep_the_numbers_before_the_step_too) {
  Tape tape;
  const Scale net{tape.parameter({1, 2, 3, 4})};
  const Tensor shaped = reshape(net.w, {2, 2}), part = slice(net.w, 0, 0, 2);
  const Tensor apart = detach(net.w), again = reshape(part, {2, 1});
  const Tensor loss = sum(net.w);
  tg::Sgd sgd{.learning_rate = 1.0};
  sgd.step(net, gradient(loss, net));

  BOOST_TEST(net.w.at(0) == 0.0);
  BOOST_TEST(loss.item() == 10.0);
  BOOST_TEST(shaped.at(0, 0) == 1.0);
  BOOST_TEST(part.at(0) == 1.0);
  BOOST_TEST(apart.at(0) == 1.0);
  BOOST_TEST(again.at(0, 0) == 1.0);
}

// ---------------------------------------------------------------- recorded updates

BOOST_AUTO_TEST_CASE(a_recorded_update_takes_effect_at_the_end_of_its_run) {
  Tape tape;
  const Tensor s = tape.state(1.0);
  const Tensor before = 10.0 * s, update = assign(s, s + 1.0), after = 100.0 * s;
  tape.replay(before, update, after);
  BOOST_TEST(before.item() == 10.0);
  BOOST_TEST(after.item() == 100.0);  // the same run: the same numbers, wherever it was recorded
  BOOST_TEST(s.item() == 2.0);
}

BOOST_AUTO_TEST_CASE(outputs_of_a_run_with_updates_may_be_looked_at_but_not_computed_with) {
  Tape tape;
  const Tensor s = tape.state(1.0).named("s");
  const Tensor y = 10.0 * s, update = assign(s, s + 1.0);
  tape.replay(y, update);
  BOOST_TEST(y.item() == 10.0);
  BOOST_TEST(has(refusal([&] { y + 1.0; }), "s changed"));
  tape.replay(y);
  BOOST_TEST((y + 1.0).item() == 21.0);
}

BOOST_AUTO_TEST_CASE(a_compiled_function_carries_a_state_from_call_to_call) {
  Tape tape;
  const Tensor h = tape.state(0.0);
  auto accumulate = tg::compile(tape, [&](Tensor x) {
    const Tensor next = h + x;
    assign(h, next);
    return next;
  });
  BOOST_TEST(accumulate(1.0).item() == 1.0);  // while recording
  BOOST_TEST(h.item() == 1.0);
  BOOST_TEST(accumulate(2.0).item() == 3.0);  // replayed
  BOOST_TEST(accumulate(3.0).item() == 6.0);
  BOOST_TEST(h.item() == 6.0);
}

// The state that a run carries on is not what its gradients were taken by: the step is for them.
BOOST_AUTO_TEST_CASE(a_step_takes_gradients_of_a_run_that_carried_a_state_on) {
  Tape tape;
  const Scale net{tape.parameter(1.0)};
  const Tensor h = tape.state(1.0);
  auto train = tg::compile(tape, [&](Tensor x) {
    const Tensor next = net(h) + x;
    assign(h, next);
    return std::tuple{next, gradient(next, net)};
  });
  tg::Sgd sgd{.learning_rate = 0.5};
  for (const auto& [x, value, weight] :
       {std::tuple{1.0, 2.0, 0.5}, std::tuple{1.0, 2.0, -0.5}, std::tuple{3.0, 2.0, -1.5}}) {
    const auto& [next, grads] = train(x);  // w h + x, slope h
    BOOST_TEST(next.item() == value);
    sgd.step(net, grads);
    BOOST_TEST(net.w.item() == weight);
    BOOST_TEST(has(refusal([&, &g = grads] { sgd.step(net, g); }), "changed"));
  }
}

BOOST_AUTO_TEST_CASE(looking_and_formatting_never_let_an_update_take_effect) {
  Tape tape;
  const Tensor s = tape.state(1.0);
  const Tensor update = assign(s, s + 1.0);
  BOOST_TEST(update.item() == 2.0);
  BOOST_TEST(has(fmt::format("{} {}", update, tape), "assign"));
  draw(update);
  BOOST_TEST(s.item() == 1.0);
}

// ---------------------------------------------------------------- another shape

BOOST_AUTO_TEST_CASE(the_shape_of_an_input_is_part_of_the_recording) {
  Tape tape;
  const Tensor x = tape.input({{1, 2}, {3, 4}});
  const Tensor y = sum(x);
  BOOST_TEST(has(refusal([&] { x.set({{1, 2}, {3, 4}, {5, 6}}); }), "record again"));
  BOOST_TEST(y.item() == 10.0);  // nothing was set
}

BOOST_AUTO_TEST_CASE(compile_records_once_for_each_shape) {
  Tape tape;
  const Tensor w = tape.parameter(2.0);
  int recorded = 0;
  auto f = tg::compile(tape, [&](Tensor x) {
    ++recorded;
    return sum(w * x);
  });
  BOOST_TEST(f({1, 2, 3}).item() == 12.0);
  BOOST_TEST(f({1, 2}).item() == 6.0);
  const std::size_t size = tape.size();
  BOOST_TEST(f({4, 5, 6}).item() == 30.0);
  BOOST_TEST(f({0, 1}).item() == 2.0);
  BOOST_TEST(recorded == 2);
  BOOST_TEST(f.shapes() == 2u);
  BOOST_TEST(tape.size() == size);
}

BOOST_AUTO_TEST_CASE(results_of_one_shape_stay_readable_while_another_runs) {
  Tape tape;
  auto f = tg::compile(tape, [&](Tensor x) { return sum(x); });
  const Tensor two = f({1, 2});
  const Tensor three = f({1, 2, 3});
  BOOST_TEST(two.item() == 3.0);
  f({10, 20});
  BOOST_TEST(two.item() == 30.0);  // the same tensor, run anew
  BOOST_TEST(three.item() == 6.0);
}

// ---------------------------------------------------------------- choices of your C++

BOOST_AUTO_TEST_CASE(branches_loops_and_literals_are_recorded_as_they_were_taken) {
  Tape tape;
  const Tensor x = tape.input(2.0);
  double factor = 0.5;
  Tensor y = x * x;
  if (y.item() > 1) y = factor * y;
  for (int i = 0; i < 2; ++i) y = y + x;
  factor = 100;
  x.set(0.5);
  tape.replay(y);
  BOOST_TEST(y.item() == 0.5 * 0.25 + 0.5 + 0.5);
}

// ---------------------------------------------------------------- copies

BOOST_AUTO_TEST_CASE(a_copied_struct_is_the_same_network) {
  Descent d;
  const Scale copy = d.net;
  d.step();
  BOOST_TEST(copy.w.item() == 0.5);
}

BOOST_AUTO_TEST_CASE(a_snapshot_keeps_values_and_a_restore_sets_them) {
  Descent d;
  const auto kept = tg::snapshot(d.net);
  d.step();
  tg::restore(d.net, kept);
  BOOST_TEST(d.net.w.item() == 2.0);
  BOOST_TEST(has(refusal([&] { d.loss.item(); }), "w was set"));
  d.tape.replay(d.loss);
  BOOST_TEST(d.loss.item() == 12.5);
}

BOOST_AUTO_TEST_CASE(a_clone_does_not_follow_the_steps_of_its_original) {
  Descent d;
  const Scale apart = clone(d.net, d.tape);
  d.step();
  BOOST_TEST(apart.w.item() == 2.0);
}

// ---------------------------------------------------------------- leaving a scope

BOOST_AUTO_TEST_CASE(handles_made_in_a_scope_are_stale_after_it_and_leaves_before_it_stay) {
  Descent d;
  Tensor inside;
  {
    auto scope = d.tape.scope();
    inside = exp(d.x);
  }
  BOOST_TEST(has(refusal([&] { inside.item(); }), "stale"));
  BOOST_TEST(d.net.w.item() == 2.0);
  BOOST_TEST(d.loss.item() == 12.5);
}

// ---------------------------------------------------------------- gradient

BOOST_AUTO_TEST_CASE(a_gradient_appends_records_once_and_changes_no_value) {
  Descent d;
  const std::size_t before = d.tape.size();
  gradient(d.loss, d.x);
  const std::size_t after = d.tape.size();
  gradient(d.loss, d.x);
  gradient(d.loss, d.net);
  BOOST_TEST(after > before);
  BOOST_TEST(d.tape.size() == after);
  BOOST_TEST(d.loss.item() == 12.5);
  BOOST_TEST(d.net.w.item() == 2.0);
}

BOOST_AUTO_TEST_CASE(a_gradient_is_a_record_and_goes_out_of_date_like_one) {
  Tape tape;
  const Tensor x = tape.input(3.0);
  const Tensor y = square(x), slope = gradient(y, x);
  x.set(5.0);
  BOOST_TEST(has(refusal([&] { slope.item(); }), "out of date"));
  tape.replay(slope);
  BOOST_TEST(slope.item() == 10.0);
}

BOOST_AUTO_TEST_CASE(asking_again_for_a_gradient_after_a_run_of_y_alone_answers_for_now) {
  Tape tape;
  const Tensor x = tape.input(3.0);
  const Tensor y = square(x);
  gradient(y, x);
  x.set(5.0);
  tape.replay(y);
  const std::size_t size = tape.size();
  BOOST_TEST(gradient(y, x).item() == 10.0);
  BOOST_TEST(tape.size() == size);
}

BOOST_AUTO_TEST_CASE(a_gradient_does_not_let_updates_take_effect) {
  Tape tape;
  const Tensor s = tape.state(1.0), w = tape.parameter(3.0);
  const Tensor y = w * s;
  assign(s, s + 1.0);
  BOOST_TEST(gradient(y, w).item() == 1.0);
  BOOST_TEST(gradient(y, w).item() == 1.0);
  BOOST_TEST(s.item() == 1.0);
}

// ---------------------------------------------------------------- drawing and printing

BOOST_AUTO_TEST_CASE(drawing_and_printing_change_nothing_and_need_nothing_current) {
  Descent d;
  d.x.set(1.0);
  const std::size_t size = d.tape.size(), bytes = d.tape.bytes();
  BOOST_TEST(has(draw(d.loss), "digraph"));
  BOOST_TEST(has(fmt::format("{}", d.tape), "half_squared_error"));
  BOOST_TEST(has(fmt::format("{}", d.loss), "(out of date: x was set at time_rules_test.cpp:"));
  BOOST_TEST(d.tape.size() == size);
  BOOST_TEST(d.tape.bytes() == bytes);
  BOOST_TEST(has(refusal([&] { d.loss.item(); }), "out of date"));
  BOOST_TEST(d.tape.recording().notes().empty());
}

BOOST_AUTO_TEST_CASE(a_sweep_from_what_was_never_run_computes_nothing) {
  Tape tape;
  const Tensor w = tape.parameter(0.0), gate = exp(w), x = tape.input(Shape{});
  const Tensor loss = gate + x;
  w.set(1.0);
  const Tensor slope = gradient(loss, w);
  BOOST_TEST(has(refusal([&] { slope.item(); }), "not run since"));
  x.set(0.0);
  tape.replay(loss, slope);
  BOOST_TEST(slope.item() == std::exp(1.0));
}

BOOST_AUTO_TEST_CASE(a_remembered_gradient_waits_for_a_seed_that_was_never_set) {
  Tape tape;
  const Tensor x = tape.input({1, 2}), y = square(x), v = tape.input(Shape{2});
  const Tensor first = gradient(seeded(y, v), x);
  const Tensor again = gradient(seeded(y, v), x);
  v.set({1, 1});
  tape.replay(again);
  BOOST_TEST(first.values() == (Numbers{2, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_run_that_is_trapped_leaves_no_number_that_it_did_not_finish) {
  Tape tape;
  const Tensor w = tape.parameter(1.0), root = sqrt(w), y = 2.0 * root;
  tg::Sgd sgd{.learning_rate = 2.0};
  sgd.step(w, gradient(w * 1.0, w));
  tape.trap_non_finite();
  BOOST_TEST(has(refusal([&] { tape.replay(y); }), "made nan"));
  BOOST_TEST(has(refusal([&] { root.item(); }), "not run"));
  BOOST_TEST(has(refusal([&] { y.item(); }), "not run"));
}

BOOST_AUTO_TEST_SUITE_END()
