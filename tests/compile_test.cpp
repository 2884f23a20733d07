// Recorded once, run many times: functions of arrays (compile) and the records some outputs need
// (program).
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using Numbers = std::vector<double>;

struct Line {
  tg::Tensor slope, offset;
  tg::Tensor operator()(const tg::Tensor& x) const { return slope * x + offset; }
};

BOOST_AUTO_TEST_SUITE(compile)

BOOST_AUTO_TEST_CASE(function_runs_once_for_each_combination_of_shapes) {
  tg::Tape tape;
  int recorded = 0;
  auto total = tg::compile(tape, [&](tg::Tensor x, tg::Tensor y) {
    ++recorded;
    return sum(x) + sum(y);
  });

  BOOST_TEST(total({1, 2}, {3}).item() == 6);
  BOOST_TEST(total({4, 5}, {6}).item() == 15);
  BOOST_TEST(recorded == 1);
  BOOST_TEST(total({1}, {2, 3}).item() == 6);    // the same sizes, exchanged
  BOOST_TEST(total({{1, 2}}, {3}).item() == 6);  // the same number of values, other axes
  BOOST_TEST(recorded == 3);
  BOOST_TEST(total({0, 1}, {0}).item() == 1);
  BOOST_TEST(recorded == 3);
  BOOST_TEST(total.shapes() == 3u);
}

BOOST_AUTO_TEST_CASE(repeated_calls_do_not_grow_the_tape) {
  tg::Tape tape;
  const Line line{tape.parameter(2.0), tape.parameter(1.0)};
  auto train = tg::compile(tape, [&](tg::Tensor x, tg::Tensor y) {
    const tg::Tensor loss = half_squared_error(line(x), y);
    return std::tuple{loss, gradient(loss, line)};
  });
  train({1, 2}, {3, 4});
  const std::size_t records = tape.size(), bytes = tape.bytes();
  for (int i = 0; i < 100; ++i) train({1.0 * i, 2}, {3, 4});
  BOOST_TEST(tape.size() == records);
  BOOST_TEST(tape.bytes() == bytes);
}

BOOST_AUTO_TEST_CASE(replayed_call_equals_recording_afresh) {
  tg::Tape tape, fresh;
  const auto f = [](tg::Tensor x, tg::Tensor y) {
    const tg::Tensor z = tanh(x) * y;
    return std::tuple{z, gradient(sum(z), x)};
  };
  auto g = tg::compile(tape, f);
  g({1, 2, 3}, {4, 5, 6});
  const auto& [z, slope] = g({0.5, -1, 2}, {3, 0.25, -1});
  const auto [wanted_z, wanted_slope] = f(fresh.input({0.5, -1, 2}), fresh.input({3, 0.25, -1}));
  BOOST_TEST((z.array() == wanted_z.array()));
  BOOST_TEST((slope.array() == wanted_slope.array()));
}

BOOST_AUTO_TEST_CASE(partial_last_batch_is_recorded_once_more) {
  tg::Tape tape;
  int recorded = 0;
  auto mean_of = tg::compile(tape, [&](tg::Tensor x) {
    ++recorded;
    return mean(x);
  });
  const Numbers data{1, 2, 3, 4, 5, 6, 7};
  for (int epoch = 0; epoch < 3; ++epoch) {
    Numbers means;
    for (std::size_t from = 0; from < data.size(); from += 3) {
      const auto first = data.begin() + static_cast<std::ptrdiff_t>(from);
      const auto count = static_cast<std::ptrdiff_t>(std::min<std::size_t>(3, data.size() - from));
      means.push_back(mean_of(Numbers(first, first + count)).item());
    }
    BOOST_TEST((means == Numbers{2, 5, 7}));
  }
  BOOST_TEST(recorded == 2);
}

BOOST_AUTO_TEST_CASE(arguments_may_be_braces_numbers_vectors_and_arrays) {
  tg::Tape tape;
  auto total = tg::compile(tape, [](tg::Tensor x) { return sum(x); });
  BOOST_TEST(total({{1, 2}, {3, 4}}).item() == 10);
  BOOST_TEST(total({1, 2.5}).item() == 3.5);
  BOOST_TEST(total(7).item() == 7);
  BOOST_TEST(total(std::vector<float>{1, 2}).item() == 3);
  BOOST_TEST(total(tg::Array(tg::Shape{2, 2}, {1, 2, 3, 5})).item() == 11);
  BOOST_TEST(total.shapes() == 3u);  // (2, 2), (2) and ()
}

BOOST_AUTO_TEST_CASE(empty_batch_is_a_shape_like_any_other) {
  tg::Tape tape;
  auto total = tg::compile(tape, [](tg::Tensor x) { return sum(x); });
  BOOST_TEST(total(Numbers{}).item() == 0);
  BOOST_TEST(total(Numbers{}).item() == 0);
  BOOST_TEST(total.shapes() == 1u);
}

BOOST_AUTO_TEST_CASE(function_may_take_no_argument_or_eight) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(3.0);
  auto squared = tg::compile(tape, [&] { return square(w); });
  BOOST_TEST(squared().item() == 9);
  w.set(4);
  BOOST_TEST(squared().item() == 16);

  using T = tg::Tensor;
  auto eight = tg::compile(tape, [](T a, T b, T c, T d, T e, T f, T g, T h) {
    return a + b + c + d + e + f + g + 2 * h;
  });
  eight(1, 1, 1, 1, 1, 1, 1, 1);
  BOOST_TEST(eight(1, 2, 3, 4, 5, 6, 7, 8).item() == 44);
}

BOOST_AUTO_TEST_CASE(struct_with_a_call_operator_is_a_function) {
  tg::Tape tape;
  const Line line{tape.parameter(2.0), tape.parameter(1.0)};
  auto predict = tg::compile(tape, line);
  BOOST_TEST((predict({1, 2}).values() == Numbers{3, 5}));
  line.offset.set(10);
  BOOST_TEST((predict({1, 2}).values() == Numbers{12, 14}));
}

BOOST_AUTO_TEST_CASE(result_may_be_a_struct_with_other_fields_and_undefined_tensors) {
  struct Result {
    tg::Tensor twice, nothing;
    int count;
  };
  tg::Tape tape;
  auto f = tg::compile(tape, [](tg::Tensor x) { return Result{2 * x, {}, 7}; });
  f(1);
  const Result& r = f(3);
  BOOST_TEST(r.twice.item() == 6);
  BOOST_TEST(!r.nothing.defined());
  BOOST_TEST(r.count == 7);
}

BOOST_AUTO_TEST_CASE(function_may_return_its_argument) {
  tg::Tape tape;
  auto same = tg::compile(tape, [](tg::Tensor x) { return x; });
  same({1, 2});
  BOOST_TEST((same({3, 4}).values() == Numbers{3, 4}));
}

BOOST_AUTO_TEST_CASE(results_for_one_shape_stay_readable_while_another_shape_runs) {
  tg::Tape tape;
  auto total = tg::compile(tape, [](tg::Tensor x) { return sum(x); });
  const tg::Tensor two = total({1, 2});
  total({1, 2, 3});
  BOOST_TEST(two.item() == 3);
}

BOOST_AUTO_TEST_CASE(parameters_set_between_calls_count_at_the_next_call) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(1.0);
  auto f = tg::compile(tape, [&](tg::Tensor x) { return w * x; });
  const tg::Tensor y = f(2);
  w.set(10);
  BOOST_CHECK_THROW(y.item(), tg::Error);  // out of date
  BOOST_TEST(f(2).item() == 20);
}

BOOST_AUTO_TEST_CASE(what_was_recorded_outside_is_computed_anew_if_it_is_needed) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(3.0);
  const tg::Tensor squared = square(w);
  auto f = tg::compile(tape, [&](tg::Tensor x) { return squared * x; });
  BOOST_TEST(f(2).item() == 18);
  w.set(1);
  BOOST_TEST(f(2).item() == 2);
}

BOOST_AUTO_TEST_CASE(compiled_functions_follow_a_tape_that_is_moved) {
  tg::Tape tape;
  auto f = tg::compile(tape, [](tg::Tensor x) { return 2 * x; });
  f(1);
  tg::Tape moved = std::move(tape);
  BOOST_TEST(f(4).item() == 8);
  BOOST_TEST(f({1, 2}).at(1) == 4);
  BOOST_TEST(moved.size() > 0u);
}

BOOST_AUTO_TEST_CASE(float32_tape_takes_double_arguments_and_rounds_them) {
  tg::Tape tape{tg::float32};
  auto f = tg::compile(tape, [](tg::Tensor x) { return x * 1; });
  f(0.5);
  BOOST_TEST(f(0.1).item() == static_cast<double>(0.1f));
}

// Shapes: the limit.

BOOST_AUTO_TEST_CASE(one_shape_more_than_max_shapes_is_an_error_that_names_it_and_the_cure) {
  tg::Tape tape;
  int recorded = 0;
  const auto f = [&](tg::Tensor x, tg::Tensor y) {
    ++recorded;
    return sum(x) + y;
  };
  auto g = tg::compile(tape, f, {.max_shapes = 2});
  g({1}, 1);
  g({1, 2}, 1);
  const std::size_t records = tape.size();
  const auto third = [&] { g({{1, 2, 3}}, 1); };
  BOOST_TEST(says(third, "(1, 3), ()"));
  BOOST_TEST(says(third, "2 combinations"));
  BOOST_TEST(says(third, "max_shapes"));
  BOOST_TEST(recorded == 2);
  BOOST_TEST(tape.size() == records);
  BOOST_TEST(g({5}, 1).item() == 6);  // the shapes it knows still work
}

BOOST_AUTO_TEST_CASE(default_limit_is_64_shapes) {
  tg::Tape tape;
  auto total = tg::compile(tape, [](tg::Tensor x) { return sum(x); });
  for (std::size_t n = 1; n <= 64; ++n) total(Numbers(n, 1.0));
  BOOST_TEST(total.shapes() == 64u);
  BOOST_CHECK_THROW(total(Numbers(65, 1.0)), tg::Error);
}

// Rewinds, and the end of the tape.

BOOST_AUTO_TEST_CASE(function_is_recorded_again_after_a_rewind_forgot_it) {
  tg::Tape tape;
  int recorded = 0;
  auto f = tg::compile(tape, [&](tg::Tensor x) {
    ++recorded;
    return 2 * x;
  });
  {
    auto scope = tape.scope();
    BOOST_TEST(f(1).item() == 2);
  }
  BOOST_TEST(tape.size() == 0u);
  BOOST_TEST(f(3).item() == 6);
  BOOST_TEST(f(4).item() == 8);
  BOOST_TEST(recorded == 2);
  BOOST_TEST(f.shapes() == 1u);
}

BOOST_AUTO_TEST_CASE(function_is_recorded_again_when_other_records_took_its_place) {
  tg::Tape tape;
  auto f = tg::compile(tape, [](tg::Tensor x) { return 2 * x; });
  const tg::Mark mark = tape.mark();
  f(1);
  tape.rewind(mark);
  const tg::Tensor a = tape.input(100.0);
  const tg::Tensor b = a * 3;
  BOOST_TEST(f(5).item() == 10);
  BOOST_TEST(a.item() == 100);
  BOOST_TEST(b.item() == 300);
}

BOOST_AUTO_TEST_CASE(result_that_a_rewind_forgot_cannot_be_read) {
  tg::Tape tape;
  auto f = tg::compile(tape, [](tg::Tensor x) { return 2 * x; });
  tg::Tensor y;
  {
    auto scope = tape.scope();
    y = f(1);
  }
  BOOST_CHECK_THROW(y.item(), tg::Error);
}

BOOST_AUTO_TEST_CASE(shapes_that_a_rewind_forgot_do_not_count_towards_the_limit) {
  tg::Tape tape;
  auto f = tg::compile(tape, [](tg::Tensor x) { return sum(x); }, {.max_shapes = 2});
  {
    auto scope = tape.scope();
    f({1});
    f({1, 2});
  }
  BOOST_TEST(f({1, 2, 3}).item() == 6);
  BOOST_TEST(f({1, 2, 3, 4}).item() == 10);
}

BOOST_AUTO_TEST_CASE(call_after_a_rewind_that_forgot_a_captured_parameter_is_an_error) {
  tg::Tape tape;
  const tg::Mark mark = tape.mark();
  const tg::Tensor w = tape.parameter(2.0);
  auto f = tg::compile(tape, [&](tg::Tensor x) { return w * x; });
  f(1);
  tape.rewind(mark);
  BOOST_CHECK_THROW(f(1), tg::Error);
  BOOST_TEST(tape.size() == 0u);
}

BOOST_AUTO_TEST_CASE(call_after_the_end_of_the_tape_is_an_error) {
  const auto twice = [](tg::Tensor x) { return 2 * x; };
  std::optional<tg::Tape> tape(std::in_place);
  auto called = tg::compile(*tape, twice), never = tg::compile(*tape, twice);
  called(1);
  tape.reset();
  const tg::Tape other;  // may take the old one's place
  BOOST_TEST(says([&] { called(1); }, "tape is gone"));
  BOOST_TEST(says([&] { never(1); }, "tape is gone"));
  BOOST_TEST(other.size() == 0u);
}

// Errors.

BOOST_AUTO_TEST_CASE(exception_while_recording_leaves_nothing_on_the_tape) {
  tg::Tape tape;
  const tg::Tensor s = tape.state(0.0);
  bool fail = true;
  auto f = tg::compile(tape, [&](tg::Tensor x) {
    const tg::Tensor y = x + 12.5;  // a new constant as well
    assign(s, y);
    if (fail) throw std::runtime_error("of the user");
    return y;
  });
  const std::size_t records = tape.size();
  const std::string listing = text(tape);

  BOOST_CHECK_THROW(f(1), std::runtime_error);
  BOOST_TEST(tape.size() == records);
  BOOST_TEST(text(tape) == listing);
  BOOST_TEST(f.shapes() == 0u);
  tape.commit();
  BOOST_TEST(s.item() == 0);  // the update went as well

  fail = false;
  BOOST_TEST(f(1).item() == 13.5);
  BOOST_TEST(s.item() == 13.5);
}

BOOST_AUTO_TEST_CASE(function_that_returns_no_tensor_is_an_error_that_leaves_nothing) {
  tg::Tape tape;
  auto f = tg::compile(tape, [](tg::Tensor x) { return sum(x).item(); });
  BOOST_TEST(says([&] { f({1, 2}); }, "compile: the function returned no tensor"));
  BOOST_TEST(says([&] { f({1, 2}); }, "f(x).item()"));
  BOOST_TEST(tape.size() == 0u);
  BOOST_TEST(f.shapes() == 0u);

  const tg::Tensor s = tape.state(0.0);
  auto g = tg::compile(tape, [&](tg::Tensor x) {
    assign(s, x);
    return 1;
  });
  g(3);
  BOOST_TEST(s.item() == 3);  // an update is enough
}

BOOST_AUTO_TEST_CASE(arguments_beyond_the_limit_of_the_tape_leave_nothing) {
  tg::Tape tape;
  auto f = tg::compile(tape, [](tg::Tensor x, tg::Tensor y) { return sum(x) + sum(y); });
  f(1, 1);
  const std::size_t records = tape.size();
  tape.limit(tape.bytes());
  BOOST_CHECK_THROW(f(Numbers(100, 1.0), Numbers(1000000, 1.0)), tg::Error);
  BOOST_TEST(tape.size() == records);
  BOOST_TEST(f.shapes() == 1u);
  BOOST_TEST(f(2, 3).item() == 5);
}

BOOST_AUTO_TEST_CASE(shape_error_in_the_function_points_at_the_users_line) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter({{1, 2}, {3, 4}});
  const int line = __LINE__ + 1;
  auto f = tg::compile(tape, [&](tg::Tensor x) { return matmul(x, w); });
  try {
    f({{1, 2, 3}});
    BOOST_ERROR("no error");
  } catch (const tg::Error& error) {
    BOOST_TEST(error.op() == "matmul");
    BOOST_TEST(error.site().line == static_cast<std::uint32_t>(line));
  }
  BOOST_TEST(tape.size() == 1u);
  BOOST_TEST((f({{1, 2}}).values() == Numbers{7, 10}));
}

BOOST_AUTO_TEST_CASE(error_in_a_replay_leaves_the_function_usable) {
  tg::Tape tape;
  tape.trap_non_finite();
  auto f = tg::compile(tape, [](tg::Tensor x) { return log(x); });
  f(1);
  BOOST_CHECK_THROW(f(-1), tg::Error);
  BOOST_TEST(f(1).item() == 0);
  BOOST_TEST(f.shapes() == 1u);
}

BOOST_AUTO_TEST_CASE(result_of_a_replay_that_failed_is_not_an_old_number) {
  tg::Tape tape;
  tape.trap_non_finite();
  auto f = tg::compile(tape, [](tg::Tensor x) { return 1 + log(x); });
  const tg::Tensor y = f(1);
  BOOST_CHECK_THROW(f(-1), tg::Error);
  BOOST_CHECK_THROW(y.item(), tg::Error);
}

BOOST_AUTO_TEST_CASE(updates_of_a_replay_that_failed_do_not_take_effect) {
  tg::Tape tape;
  tape.trap_non_finite();
  const tg::Tensor count = tape.state(0.0);
  auto f = tg::compile(tape, [&](tg::Tensor x) {
    assign(count, count + 1);
    return log(x);
  });
  f(1);
  BOOST_CHECK_THROW(f(-1), tg::Error);
  BOOST_TEST(count.item() == 1);
}

// Updates.

BOOST_AUTO_TEST_CASE(update_takes_effect_at_the_end_of_every_call_the_first_included) {
  tg::Tape tape;
  const tg::Tensor total = tape.state(0.0);
  auto add = tg::compile(tape, [&](tg::Tensor x) {
    const tg::Tensor next = total + x;
    assign(total, next);  // an output without being returned
    return next;
  });
  BOOST_TEST(add(1).item() == 1);
  BOOST_TEST(total.item() == 1);
  BOOST_TEST(add(10).item() == 11);
  BOOST_TEST(add(100).item() == 111);
  BOOST_TEST(total.item() == 111);
}

BOOST_AUTO_TEST_CASE(outputs_show_the_state_before_the_update) {
  tg::Tape tape;
  const tg::Tensor s = tape.state(5.0);
  auto f = tg::compile(tape, [&](tg::Tensor x) {
    const tg::Tensor y = s * x;
    assign(s, x);
    return y;
  });
  BOOST_TEST(f(2).item() == 10);
  BOOST_TEST(f(3).item() == 6);
  BOOST_TEST(f(4).item() == 12);
}

BOOST_AUTO_TEST_CASE(updates_of_one_call_all_start_from_old_values) {
  tg::Tape tape;
  const tg::Tensor a = tape.state(1.0), b = tape.state(2.0);
  auto exchange = tg::compile(tape, [&] {
    assign(a, b * 1);
    assign(b, a * 1);
    return a + b;
  });
  exchange();
  BOOST_TEST(a.item() == 2);
  BOOST_TEST(b.item() == 1);
  exchange();
  BOOST_TEST(a.item() == 1);
  BOOST_TEST(b.item() == 2);
}

BOOST_AUTO_TEST_CASE(gradient_descent_may_be_recorded_as_updates) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(0.0);
  auto descend = tg::compile(tape, [&](tg::Tensor target) {
    const tg::Tensor loss = half_squared_error(w, target);
    assign(w, w - 0.5 * gradient(loss, w));
    return loss;
  });
  BOOST_TEST(descend(8).item() == 32);
  BOOST_TEST(descend(8).item() == 8);
  BOOST_TEST(descend(8).item() == 2);
  BOOST_TEST(w.item() == 7);
}

BOOST_AUTO_TEST_CASE(two_updates_of_one_leaf_in_one_call_are_an_error_that_leaves_nothing) {
  tg::Tape tape;
  const tg::Tensor s = tape.state(1.0);
  auto f = tg::compile(tape, [&](tg::Tensor x) {
    assign(s, x);
    assign(s, x + 1);
    return x;
  });
  BOOST_TEST(says([&] { f(1); }, "the leaf has an update"));
  BOOST_TEST(tape.size() == 1u);
  BOOST_TEST(s.item() == 1);
}

// program()

BOOST_AUTO_TEST_CASE(program_computes_only_what_its_outputs_need) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(2.0);
  const tg::Tensor needed = x * x, other = exp(x), y = needed + 1;
  tg::Program p = tg::program(y);
  BOOST_TEST(p.size() == 2u);

  x.set(3);
  p.run();
  BOOST_TEST(y.item() == 10);
  BOOST_TEST(needed.item() == 9);
  BOOST_CHECK_THROW(other.item(), tg::Error);
}

BOOST_AUTO_TEST_CASE(program_of_several_outputs_computes_what_they_share_once) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(2.0);
  const tg::Tensor shared = square(x), y = shared + 1, z = shared * 3;
  tg::Program p = tg::program(y, z);
  BOOST_TEST(p.size() == 3u);
  x.set(3);
  p.run();
  BOOST_TEST(y.item() == 10);
  BOOST_TEST(z.item() == 27);
}

BOOST_AUTO_TEST_CASE(program_of_a_leaf_has_nothing_to_compute) {
  tg::Tape tape;
  tg::Program p = tg::program(tape.input(2.0));
  BOOST_TEST(p.size() == 0u);
  p.run();
}

BOOST_AUTO_TEST_CASE(program_includes_the_gradient_it_is_asked_for) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(0.5);
  const tg::Tensor y = sin(x), slope = gradient(y, x);
  tg::Program p = tg::program(slope);
  x.set(1);
  p.run();
  BOOST_TEST(slope.item() == std::cos(1.0));
}

BOOST_AUTO_TEST_CASE(program_text_lists_the_records_it_needs_and_their_leaves) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(2.0).named("x"), w = tape.parameter(3.0).named("w");
  const tg::Tensor y = (w * x).named("y");
  exp(x).named("z");
  const std::string text = tg::program(y).text();
  const auto lines = std::count(text.begin(), text.end(), '\n');
  BOOST_TEST(lines == 3, text);
  for (const char* part : {"x", "w", "y", "mul"})
    BOOST_TEST(text.find(part) != std::string::npos, text);
  BOOST_TEST(text.find("exp") == std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(program_with_an_unset_input_names_it_and_runs_once_it_is_set) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(tg::Shape{2}).named("pixels");
  const tg::Tensor y = 2 * x;
  tg::Program p = tg::program(y);
  BOOST_TEST(says([&] { p.run(); }, "pixels was never set"));
  x.set({1, 2});
  p.run();
  BOOST_TEST((y.values() == Numbers{2, 4}));
}

BOOST_AUTO_TEST_CASE(program_commits_the_updates_among_its_outputs_only) {
  tg::Tape tape;
  const tg::Tensor a = tape.state(1.0), b = tape.state(1.0);
  const tg::Tensor grow_a = assign(a, 2 * a);
  assign(b, 2 * b);
  tg::Program p = tg::program(grow_a);
  p.run();
  p.run();
  BOOST_TEST(a.item() == 4);
  BOOST_TEST(b.item() == 1);
}

BOOST_AUTO_TEST_CASE(program_whose_output_was_rewound_is_an_error) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(2.0);
  tg::Program p;
  {
    auto scope = tape.scope();
    p = tg::program(x * x);
  }
  BOOST_TEST(says([&] { p.run(); }, "rewound"));
  const tg::Tensor other = x + 1;  // takes the place of the product
  BOOST_TEST(says([&] { p.run(); }, "rewound"));
  BOOST_TEST(other.item() == 3);
}

BOOST_AUTO_TEST_CASE(program_text_after_a_rewind_is_an_error) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(2.0);
  tg::Program p;
  {
    auto scope = tape.scope();
    p = tg::program(exp(x * x));
  }
  BOOST_CHECK_THROW(p.text(), tg::Error);
}

BOOST_AUTO_TEST_CASE(program_after_the_end_of_its_tape_is_an_error) {
  tg::Program p;
  {
    tg::Tape tape;
    p = tg::program(2 * tape.input(1.0));
    p.run();
  }
  const tg::Tape other;
  BOOST_TEST(says([&] { p.run(); }, "tape is gone"));
  BOOST_TEST(says([&] { p.text(); }, "tape is gone"));
}

BOOST_AUTO_TEST_CASE(program_that_was_never_assigned_cannot_run) {
  BOOST_CHECK_THROW(tg::Program().run(), tg::Error);
}

BOOST_AUTO_TEST_CASE(program_of_tensors_from_two_tapes_is_an_error) {
  tg::Tape tape, other;
  const tg::Tensor x = tape.input(1.0), y = other.input(1.0);
  BOOST_TEST(says([&] { tg::program(x, y); }, "two tapes"));
}

BOOST_AUTO_TEST_CASE(model_that_owns_tape_net_and_program_may_be_moved) {
  struct Model {
    tg::Tape tape;
    Line line;
    tg::Tensor x, y;
    tg::Program predict;
  };
  const auto make = [] {
    Model m;
    m.line = {m.tape.parameter(2.0), m.tape.parameter(1.0)};
    m.x = m.tape.input(tg::Shape{});
    m.y = m.line(m.x);
    m.predict = tg::program(m.y);
    return m;
  };
  std::vector<Model> models;
  for (int i = 0; i < 3; ++i) models.push_back(make());
  models[1].x.set(5);
  models[1].predict.run();
  BOOST_TEST(models[1].y.item() == 11);
}

BOOST_AUTO_TEST_CASE(a_function_that_rewinds_below_its_start_brings_nothing_back) {
  tg::Tape tape;
  const tg::Mark start = tape.mark();
  const tg::Tensor w = tape.parameter(7.0);
  auto f = tg::compile(tape, [&](tg::Tensor x) {
    tape.rewind(start);
    return x * 2.0;
  });
  BOOST_CHECK_THROW(f(1.0), tg::Error);
  BOOST_TEST(tape.size() == 0u);
  BOOST_TEST(!w.valid());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
