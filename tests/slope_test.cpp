#include "tapegrad/check/slope.hpp"

#include <algorithm>
#include <boost/math/differentiation/finite_difference.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

using namespace tapegrad;

namespace {

Slopes at(double x, const std::function<double(double)>& f, std::optional<double> claimed = {}) {
  return measure_slopes([&](double h) { return f(x + h); },
                        {.scale = std::abs(x), .claimed = claimed, .x = x});
}

// The truth lies within a few bars, and the bar is at most this part of the slope.
bool known(const Slope& slope, double truth, double part) {
  return std::abs(slope.value - truth) <= believed_bars * slope.bar &&
         slope.bar <= part * std::abs(truth);
}

double sine(double x) { return std::sin(x); }
double cusp(double x) { return std::abs(x); }

}  // namespace

BOOST_AUTO_TEST_SUITE(slope)

BOOST_AUTO_TEST_CASE(a_smooth_slope_is_known_to_eleven_digits) {
  for (const double x : {-3.0, -0.01, 0.0, 0.7, 20.0}) {
    BOOST_TEST(known(at(x, sine).central, std::cos(x), 1e-11));
    BOOST_TEST(known(at(x, [](double z) { return std::exp(z); }).central, std::exp(x), 1e-11));
  }
}

BOOST_AUTO_TEST_CASE(the_difference_of_another_library_lies_within_the_error_bars) {
  const auto f = [](double x) { return std::exp(std::sin(x)) / (1 + x * x); };
  for (double x = -4; x < 4; x += 0.37) {
    double their_bar = 0;
    const double theirs =
        boost::math::differentiation::finite_difference_derivative<decltype(f), double, 8>(
            f, x, &their_bar);
    const Slope ours = at(x, f).central;
    BOOST_TEST(std::abs(ours.value - theirs) <= believed_bars * (ours.bar + their_bar));
  }
}

BOOST_AUTO_TEST_CASE(a_claim_that_is_right_saves_evaluations_and_one_that_is_not_changes_nothing) {
  const Slopes alone = at(0.7, sine), right = at(0.7, sine, std::cos(0.7));
  BOOST_TEST(right.evaluations < 15);
  BOOST_TEST(alone.evaluations < 60);
  const Slopes wrong = at(0.7, sine, 1.5 * std::cos(0.7));
  BOOST_TEST(known(wrong.central, std::cos(0.7), 1e-11));
}

BOOST_AUTO_TEST_CASE(numbers_far_from_one_are_stepped_by_a_part_of_themselves) {
  BOOST_TEST(known(at(1e8, [](double x) { return x * x; }).central, 2e8, 1e-10));
  BOOST_TEST(known(at(1e-5, [](double x) { return std::log(x); }).central, 1e5, 1e-10));
  BOOST_TEST(known(at(1e-9, [](double x) { return std::cbrt(x); }).central,
                   std::pow(1e-9, -2.0 / 3) / 3, 1e-10));
}

BOOST_AUTO_TEST_CASE(steps_adapt_to_the_function_where_the_number_says_nothing_about_it) {
  BOOST_TEST(known(at(1e8, sine).central, std::cos(1e8), 1e-9));
  BOOST_TEST(known(at(1e-20, [](double x) { return std::exp(x); }).central, 1, 1e-10));
  BOOST_TEST(known(at(1, [](double x) { return std::sin(1000 * x); }).central,
                   1000 * std::cos(1000.0), 1e-8));
}

BOOST_AUTO_TEST_CASE(a_kink_nearby_is_not_stepped_over) {
  for (const double away : {1e-1, 1e-3, 1e-5, 1e-7}) {
    const Slopes slopes = at(1, [=](double x) { return std::abs(x - 1 - away) * x; });
    BOOST_TEST(known(slopes.central, away - 1, 1e-6));
    BOOST_TEST(!slopes.kink);
  }
}

BOOST_AUTO_TEST_CASE(a_kink_far_from_a_small_number_is_none_here) {
  const Slopes slopes = at(
      -0.7 / 25000, [](double x) { return 150 * std::min(-0.9, 25000 * x); }, 0);
  BOOST_TEST(!slopes.kink);
  BOOST_TEST(slopes.central.value == 0);
}

BOOST_AUTO_TEST_CASE(at_a_kink_the_two_sides_disagree) {
  const Slopes slopes = at(0, [](double x) { return x > 0 ? 3 * x : std::sin(x); });
  BOOST_TEST(slopes.kink);
  BOOST_TEST(known(slopes.below, 1, 1e-8));
  BOOST_TEST(known(slopes.above, 3, 1e-8));
  BOOST_TEST(known(slopes.central, 2, 1e-8));
  BOOST_TEST(!at(0, [](double x) { return x * std::abs(x); }).kink);  // its slope 2|x| has none
}

BOOST_AUTO_TEST_CASE(at_the_edge_of_the_domain_one_side_is_known) {
  const Slopes slopes =
      at(0, [](double x) { return x < 0 ? std::nan("") : x * std::sqrt(x) + 2 * x; });
  BOOST_TEST(!slopes.central.known());
  BOOST_TEST(!slopes.below.known());
  BOOST_TEST(slopes.above.value == 2, boost::test_tools::tolerance(1e-2));
  // The first steps leave the domain, smaller ones do not.
  BOOST_TEST(known(measure_slopes([](double h) { return std::sqrt(1e-3 + h); }, {}).central,
                   0.5 / std::sqrt(1e-3), 1e-8));
}

BOOST_AUTO_TEST_CASE(a_slope_without_bound_is_called_vertical) {
  BOOST_TEST(at(0, [](double x) { return std::cbrt(x); }).vertical);
  BOOST_TEST(at(0, [](double x) { return std::sqrt(x); }).vertical);
  BOOST_TEST(at(2, [](double x) { return std::floor(x); }).vertical);
  BOOST_TEST(!at(0, cusp).vertical);
  BOOST_TEST(!at(0, sine).vertical);
}

BOOST_AUTO_TEST_CASE(noise_is_measured) {
  const auto noise = [](const std::function<double(double)>& f) { return at(0.7, f).noise; };
  BOOST_TEST(noise(sine) < 1e-15);
  const double of_float = noise([](double x) { return static_cast<float>(std::sin(x)); });
  BOOST_TEST(of_float > 1e-8);
  BOOST_TEST(of_float < 1e-6);
  const double of_ripple = noise([](double x) { return std::sin(x) + 1e-9 * std::sin(1e15 * x); });
  BOOST_TEST(of_ripple > 1e-10);
  BOOST_TEST(of_ripple < 1e-8);
}

BOOST_AUTO_TEST_CASE(the_error_bar_of_a_coarse_function_is_as_wide_as_it_must_be) {
  const auto f = [](double x) { return static_cast<double>(std::tanh(static_cast<float>(x))); };
  const double x = 0.25, truth = 1 - std::tanh(x) * std::tanh(x);
  const Slope slope = at(x, f).central;
  BOOST_TEST(known(slope, truth, 1e-3));
  BOOST_TEST(slope.bar > 1e-8);
}

BOOST_AUTO_TEST_CASE(a_constant_has_slope_zero) {
  const Slopes slopes = at(1, [](double) { return 3.7; });
  BOOST_TEST(slopes.central.value == 0);
  BOOST_TEST(slopes.central.bar < 1e-12);
  BOOST_TEST(at(2.3, [](double x) { return std::floor(x); }).central.value == 0);
}

BOOST_AUTO_TEST_CASE(where_the_function_is_not_finite_nothing_is_known) {
  const Slopes slopes = at(1, [](double) { return std::nan(""); });
  BOOST_TEST(!slopes.central.known());
  BOOST_TEST(slopes.evaluations == 1);
}

BOOST_AUTO_TEST_CASE(evaluations_are_counted_and_limited) {
  int calls = 0;
  const Line line = [&](double h) {
    ++calls;
    return std::cbrt(h);
  };
  BOOST_TEST(measure_slopes(line).evaluations == calls);
  BOOST_TEST(calls <= 150);
  calls = 0;
  BOOST_TEST(measure_slopes(line, {.max_evaluations = 20}).evaluations == calls);
  BOOST_TEST(calls <= 20);
}

BOOST_AUTO_TEST_CASE(a_snapped_step_is_exact_on_both_sides) {
  for (const double x : {1.0, -0.1, 3.14159e8, 1e-30})
    for (const double part : {1e-1, 1e-3, 1e-9, 1e-20}) {
      const double h = snapped(part * std::abs(x), x);
      BOOST_TEST(h > 0);
      BOOST_TEST((x + h) - x == h);
      BOOST_TEST(x - (x - h) == h);
      const auto of_float = static_cast<float>(x);
      const double step = snapped(part * std::abs(x), static_cast<double>(of_float), 1e-7);
      const auto moved = static_cast<float>(static_cast<double>(of_float) + step);
      BOOST_TEST(static_cast<double>(moved) - static_cast<double>(of_float) == step);
    }
}

BOOST_AUTO_TEST_SUITE_END()
