// dropout: what is kept and what it is worth, when draws repeat and when not, and the noise behind
// them.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/program/compile.hpp"
#include "tapegrad/program/program.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
using tg::Array, tg::Shape, tg::Tape, tg::Tensor;
using Numbers = std::vector<double>;

Array ones(const Shape& shape) {
  return Array(shape, Numbers(static_cast<std::size_t>(shape.numel()), 1.0));
}

BOOST_AUTO_TEST_SUITE(dropout)

BOOST_AUTO_TEST_CASE(
    kept_values_are_divided_by_the_probability_to_be_kept_and_so_are_slopes) {  // K5
  for (const auto precision : {tg::float32, tg::float64}) {
    Tape tape(precision);
    const Tensor noise = tg::noise(tape, 1), x = tape.input(ones(Shape{10000}));
    const Tensor y = tg::dropout(x, 0.2, noise);
    const double kept = precision == tg::float32 ? 1 / (1 - 0.2f) : 1 / (1 - 0.2);
    double count = 0;
    for (double value : y.values()) {
      BOOST_TEST_REQUIRE((value == 0 || value == kept));
      count += value != 0;
    }
    BOOST_TEST(std::abs(count - 8000) < 200);  // 5 deviations of 40
    BOOST_TEST(gradient(sum(y), x).values() == y.values());
  }
}

BOOST_AUTO_TEST_CASE(outside_training_dropout_is_the_identity) {  // K5
  Tape tape;
  const Tensor noise = tg::noise(tape, 1), x = tape.input({1, 2});
  const std::size_t size = tape.size();
  BOOST_TEST(tg::dropout(x, 0.5, noise, false).values() == Numbers({1, 2}));
  BOOST_TEST(tape.size() == size);
}

BOOST_AUTO_TEST_CASE(at_the_ends_everything_or_nothing_is_kept) {
  Tape tape;
  const Tensor noise = tg::noise(tape, 1), x = tape.input(ones(Shape{1000}));
  BOOST_TEST(tg::dropout(x, 0, noise).values() == x.values());
  const Tensor nothing = tg::dropout(x, 1, noise);
  BOOST_TEST(nothing.values() == Numbers(1000));
  BOOST_TEST(gradient(sum(nothing), x).values() == Numbers(1000));
}

BOOST_AUTO_TEST_CASE(two_calls_of_one_run_draw_differently) {
  Tape tape;
  const Tensor noise = tg::noise(tape, 1), x = tape.input(ones(Shape{64}));
  std::vector<Numbers> drawn;
  for (int i = 0; i < 5; ++i) drawn.push_back(tg::dropout(x, 0.5, noise).values());
  BOOST_TEST(std::set<Numbers>(drawn.begin(), drawn.end()).size() == 5u);
  // Another noise with the same seed draws the same.
  BOOST_TEST(tg::dropout(x, 0.5, tg::noise(tape, 1)).values() == drawn[0]);
}

BOOST_AUTO_TEST_CASE(a_run_draws_anew_after_one_that_took_effect_and_the_same_after_another) {
  Tape tape;
  const Tensor noise = tg::noise(tape, 1), y = tg::dropout(tape.input(ones(Shape{64})), 0.5, noise);
  const Numbers first = y.values();
  tape.replay(y);  // does not include the update
  BOOST_TEST(y.values() == first);
  tape.commit();
  BOOST_TEST(y.values() == first);  // still what it was
  tape.replay(y);
  BOOST_TEST(y.values() != first);
  noise.set({0, 1, 0, 0});
  tape.replay(y);
  BOOST_TEST(y.values() == first);
}

BOOST_AUTO_TEST_CASE(a_compiled_function_draws_anew_at_each_call_also_beside_a_pending_draw) {
  Tape tape;
  const Tensor noise = tg::noise(tape, 1);
  const Tensor outside = tg::dropout(tape.input(ones(Shape{64})), 0.5, noise);
  auto f = tg::compile(tape, [&](Tensor x) {
    const Tensor once = tg::dropout(x, 0.5, noise), twice = tg::dropout(x, 0.5, noise);
    return std::vector<Tensor>{once, twice};
  });
  BOOST_TEST(says([&] { f(ones(Shape{64})); }, "tape.commit()"));
  tape.commit();
  std::set<Numbers> drawn{outside.values()};
  for (int call = 0; call < 4; ++call)
    for (const Tensor& y : f(ones(Shape{64}))) drawn.insert(y.values());
  for (const Tensor& y : f(ones(Shape{65}))) drawn.insert(y.values());
  BOOST_TEST(drawn.size() == 1u + 4 * 2 + 2);
  BOOST_TEST(noise.values() == Numbers({0, 1, 0, 6}));
}

BOOST_AUTO_TEST_CASE(a_loop_that_records_anew_draws_anew_if_it_commits) {
  Tape tape;
  const Tensor noise = tg::noise(tape, 1), x = tape.input(ones(Shape{64}));
  std::set<Numbers> drawn;
  for (int i = 0; i < 4; ++i) {
    const auto scope = tape.scope();
    drawn.insert(tg::dropout(x, 0.5, noise).values());
    tape.commit();
  }
  BOOST_TEST(drawn.size() == 4u);
}

BOOST_AUTO_TEST_CASE(draws_do_not_depend_on_what_else_was_recorded_or_on_the_precision) {
  const auto draws = [](Tape& tape, int others) {
    for (int i = 0; i < others; ++i) tape.input(1.0) + i;
    const Tensor noise = tg::noise(tape, 5), x = tape.input(ones(Shape{64}));
    Numbers both = tg::dropout(x, 0.5, noise).values();
    for (int i = 0; i < others; ++i) x* i;
    for (double value : tg::dropout(x, 0.5, noise).values()) both.push_back(value);
    return both;
  };
  Tape wide, later, narrow(tg::float32);
  const Numbers expected = draws(wide, 0);
  BOOST_TEST(draws(later, 7) == expected);
  BOOST_TEST(draws(narrow, 0) == expected);
}

BOOST_AUTO_TEST_CASE(seeds_and_runs_beyond_the_whole_numbers_of_a_float_stay_apart) {
  Tape tape(tg::float32);
  const Tensor x = tape.input(ones(Shape{64}));
  std::set<Numbers> drawn;
  for (const std::uint32_t seed : {0u, 1u, 0xFFFFFFFEu, 0xFFFFFFFFu})
    drawn.insert(tg::dropout(x, 0.5, tg::noise(tape, seed)).values());
  BOOST_TEST(drawn.size() == 4u);

  const Tensor noise = tape.state({0, 1, 0, 16777214});  // 2^24 - 2 runs
  auto f = tg::compile(tape, [&](Tensor t) { return tg::dropout(t, 0.5, noise); });
  for (int i = 0; i < 4; ++i) drawn.insert(f(ones(Shape{64})).values());
  BOOST_TEST(drawn.size() == 8u);
  BOOST_TEST(noise.values() == Numbers({0, 1, 1, 2}));
}

BOOST_AUTO_TEST_CASE(the_draws_are_those_of_philox) {
  Tape tape;
  const Tensor noise = tape.state({1, 2, 3, 4});
  const Tensor first = tg::dropout(tape.input(ones(Shape{6})), 0.5, noise);
  const Tensor second = tg::dropout(tape.input(ones(Shape{6})), 0.5, noise);
  const std::uint32_t runs = (3u << 24) + 4;
  for (std::uint32_t call = 0; call < 2; ++call)
    for (std::uint32_t i = 0; i < 6; ++i) {
      const auto word = tg::philox({i / 4, 0, runs, 0}, {(1u << 16) + 2, call})[i % 4];
      BOOST_TEST((call == 0 ? first : second).at(i) == (word < 0x80000000u ? 0 : 2));
    }
}

BOOST_AUTO_TEST_CASE(a_probability_can_be_a_tensor_and_has_a_slope) {
  Tape tape;
  const Tensor noise = tg::noise(tape, 1), p = tape.input(0.5), x = tape.input(ones(Shape{100}));
  const Tensor y = tg::dropout(x, p, noise);
  const double kept = sum(y).item() / 2;
  BOOST_TEST(gradient(sum(y), p).item() == kept * 4);  // 1 / (1 - p)^2
  p.set(0);
  tape.replay(y);
  BOOST_TEST(y.values() == x.values());
  p.set(-1);
  BOOST_TEST(says([&] { tape.replay(y); }, "p is -1, and must be from 0 to 1"));
}

BOOST_AUTO_TEST_CASE(second_derivatives_see_the_same_draw) {
  Tape tape;
  const Tensor noise = tg::noise(tape, 1), x = tape.input(ones(Shape{32}));
  const Tensor y = tg::dropout(x, 0.5, noise), g = gradient(sum(square(y)), x);
  const Tensor second = gradient(sum(g), x);
  for (std::int64_t i = 0; i < 32; ++i) {
    BOOST_TEST(g.at(i) == 2 * y.at(i) * y.at(i));
    BOOST_TEST(second.at(i) == 2 * y.at(i) * y.at(i));
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_probability_or_no_noise_is_refused) {
  Tape tape;
  const Tensor noise = tg::noise(tape, 1), x = tape.input({1, 2}),
               half = tape.state({0.5, 0, 0, 0});
  const std::size_t size = tape.size();
  for (const double p : {-0.1, 1.1, std::nan("")}) {
    std::string here;
    const std::string text = refusal([&] { here = line(), tg::dropout(x, p, noise); });
    BOOST_TEST(has(text, "and must be from 0 to 1"), text);
    BOOST_TEST(has(text, here), text);
  }
  BOOST_TEST(says([&] { tg::dropout(x, 0.5, x); }, "noise"));
  BOOST_TEST(says([&] { tg::dropout(x, 0.5, half); }, "the noise holds 0.5"));
  BOOST_TEST(tape.size() == size);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
