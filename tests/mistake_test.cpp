#include "tapegrad/check/mistake.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tapegrad/base/random.hpp"

using namespace tapegrad;

namespace {

const Array right = Array::from({{0.5, -1, 2}, {3, 0.25, -4}});

template <class Change>
Array changed(const Array& from, const Change& change) {
  std::vector<double> values = from.values();
  for (double& value : values) value = change(value);
  return Array(from.shape(), values);
}
Array with(const Array& from, std::size_t element, double value) {
  std::vector<double> values = from.values();
  values[element] = value;
  return Array(from.shape(), values);
}
Array times(double factor) {
  return changed(right, [=](double value) { return factor * value; });
}
Diagnosis of(const Array& wrong, std::vector<double> bars = {}) {
  return diagnose({.wrong = wrong, .right = right, .bars = std::move(bars)});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mistake)

BOOST_AUTO_TEST_CASE(right_numbers_are_no_mistake) {
  BOOST_TEST(of(right).mistake == Mistake::none);
  BOOST_TEST(!of(right));
  BOOST_TEST(of(right).sentence.empty());
  const double nan = std::numeric_limits<double>::infinity();
  const Array infinite = Array::from({nan, 1});
  BOOST_TEST(diagnose({.wrong = infinite, .right = infinite}).mistake == Mistake::none);
}

BOOST_AUTO_TEST_CASE(the_error_bars_decide_what_is_the_same) {
  const Array near = changed(right, [](double value) { return value + 1e-4; });
  BOOST_TEST(of(near, std::vector<double>(6, 1e-5)).mistake == Mistake::none);
  BOOST_TEST(of(near).mistake == Mistake::offset);
}

BOOST_AUTO_TEST_CASE(the_sign_and_simple_factors_are_recognised) {
  BOOST_TEST(of(times(-1)).mistake == Mistake::sign);
  BOOST_TEST(of(times(-1)).ratio == -1);
  BOOST_TEST(of(times(2)).sentence == "a factor 2 too much");
  BOOST_TEST(of(times(0.5)).sentence == "a factor 2 is missing");
  BOOST_TEST(of(times(-2)).sentence == "a factor -2 too much");
  const Diagnosis percent = of(times(1.01));
  BOOST_TEST(percent.mistake == Mistake::factor);
  BOOST_TEST(percent.sentence == "the ratio is 1.0100 everywhere");
  BOOST_TEST(percent.ratio == 1.01, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(a_factor_is_found_within_the_error_bars) {
  Random random(1);
  const Array measured =
      changed(right, [&](double value) { return value + 1e-7 * random.normal(); });
  const Diagnosis guess =
      diagnose({.wrong = times(-2), .right = measured, .bars = std::vector<double>(6, 1e-7)});
  BOOST_TEST(guess.mistake == Mistake::factor);
  BOOST_TEST(guess.ratio == -2);
}

BOOST_AUTO_TEST_CASE(a_number_of_elements_points_to_sum_and_mean) {
  BOOST_TEST(of(times(3)).mistake == Mistake::count);
  BOOST_TEST(of(times(1.0 / 6)).mistake == Mistake::count);
  BOOST_TEST(of(times(1.0 / 6)).sentence ==
             "6 times too small, and 6 is a number of elements: a mean where a sum is meant?");
  BOOST_TEST(of(times(32)).mistake == Mistake::factor);
  BOOST_TEST(diagnose({.wrong = times(32), .right = right, .counts = {32}}).mistake ==
             Mistake::count);
}

BOOST_AUTO_TEST_CASE(no_gradient_at_all_is_told_from_one_that_is_missing) {
  BOOST_TEST(of(times(0)).mistake == Mistake::all_zero);
  const Diagnosis missing = of(with(right, 4, 0));
  BOOST_TEST(missing.mistake == Mistake::missing);
  BOOST_TEST(missing.sentence == "zero at element [1,1], where it should not be");
  BOOST_TEST(missing.element == 4);
  const Diagnosis two = of(with(with(right, 4, 0), 5, 0));
  BOOST_TEST(two.sentence == "zero at 2 of 6 elements, first [1,1], where it should not be");
}

BOOST_AUTO_TEST_CASE(a_gradient_where_none_should_be_is_leaked) {
  const Array zeros = with(with(right, 0, 0), 3, 0);
  BOOST_TEST(diagnose({.wrong = right, .right = zeros}).mistake == Mistake::leaked);
}

BOOST_AUTO_TEST_CASE(one_wrong_element_is_named) {
  const Diagnosis guess = of(with(right, 2, -2));
  BOOST_TEST(guess.mistake == Mistake::one_element);
  BOOST_TEST(guess.element == 2);
  BOOST_TEST(guess.sentence == "all right but element [0,2]: ratio -1");
}

BOOST_AUTO_TEST_CASE(a_nan_is_named) {
  const Diagnosis guess = of(with(right, 3, std::nan("")));
  BOOST_TEST(guess.mistake == Mistake::not_finite);
  BOOST_TEST(guess.sentence == "element [1,0] is nan");
}

BOOST_AUTO_TEST_CASE(transposed_numbers_are_recognised_in_either_shape) {
  const Array square = Array::from({{1, 2}, {3, 4}}), turned = Array::from({{1, 3}, {2, 4}});
  BOOST_TEST(diagnose({.wrong = turned, .right = square}).mistake == Mistake::transposed);
  const std::vector<double> columns = {0.5, 3, -1, 0.25, 2, -4};
  BOOST_TEST(of(Array(Shape{2, 3}, columns)).mistake == Mistake::transposed);
  BOOST_TEST(of(Array(Shape{3, 2}, columns)).mistake == Mistake::transposed);
}

BOOST_AUTO_TEST_CASE(another_shape_with_the_right_numbers_is_a_mistake_of_shape) {
  const Diagnosis guess = of(Array(Shape{6}, right.values()));
  BOOST_TEST(guess.mistake == Mistake::shape);
  BOOST_TEST(guess.sentence == "has shape (6) instead of (2, 3)");
  BOOST_TEST(of(Array::zeros(Shape{4})).sentence == "has 4 elements instead of 6");
}

BOOST_AUTO_TEST_CASE(an_element_of_a_sample_is_named_by_its_place_among_all) {
  const Array measured = Array::from({1, 2, 3});
  const auto guess = [&](const Array& wrong) {
    return diagnose(
        {.wrong = wrong, .right = measured, .sample = {0, 7, 99}, .whole = Shape{10, 10}});
  };
  const Diagnosis one = guess(Array::from({1, -2, 3}));
  BOOST_TEST(one.sentence == "all right but element [0,7], of 3 measured: ratio -1");
  BOOST_TEST(one.element == 7);
  BOOST_TEST(guess(Array::from({1, 0, 0})).sentence ==
             "zero at 2 of 3 elements measured, first [0,7], where it should not be");
  BOOST_TEST(guess(Array::from({2, 3, 1})).mistake == Mistake::unknown);  // no order of all
  BOOST_TEST(guess(times(3)).mistake == Mistake::shape);
  BOOST_TEST(guess(Array::from({3, 6, 9})).mistake == Mistake::factor);  // no number of elements
  BOOST_TEST(guess(Array::from({100, 200, 300})).mistake == Mistake::count);
}

BOOST_AUTO_TEST_CASE(rows_in_another_order_are_recognised) {
  const Array line = Array::from({1, 2, 3, 4, 5});
  const auto guess = [&](const Array& wrong) {
    return diagnose({.wrong = wrong, .right = line}).sentence;
  };
  BOOST_TEST(guess(Array::from({2, 3, 4, 5, 1})) == "the right elements, shifted by 1");
  BOOST_TEST(guess(Array::from({5, 1, 2, 3, 4})) == "the right elements, shifted by 1");
  BOOST_TEST(guess(Array::from({5, 4, 3, 2, 1})) == "the right elements, in reversed order");
  BOOST_TEST(guess(Array::from({1, 3, 2, 4, 5})) == "the right elements, in another order");
  const Array rows = Array::from({{3, 0.25, -4}, {0.5, -1, 2}});
  BOOST_TEST(of(rows).mistake == Mistake::permuted);
}

BOOST_AUTO_TEST_CASE(contributions_tell_what_was_lost_or_doubled) {
  const Array one = Array::from({1, 2}), two = Array::from({10, 30}), three = Array::from({-4, 5});
  const Array sum = Array::from({7, 37});
  const std::vector<Contribution> parts = {
      {"by op a", one.values()}, {"by op b", two.values()}, {"by op c", three.values()}};
  const auto guess = [&](const Array& wrong) {
    return diagnose({.wrong = wrong, .right = sum, .contributions = parts});
  };
  BOOST_TEST(guess(three).mistake == Mistake::not_accumulated);
  BOOST_TEST(guess(three).sentence ==
             "equals the contribution by op c alone, not the sum of all 3: `=` instead of `+=`?");
  BOOST_TEST(guess(Array::from({-3, 7})).mistake == Mistake::dropped);
  BOOST_TEST(guess(Array::from({-3, 7})).sentence == "the contribution by op b is missing");
  BOOST_TEST(guess(Array::from({8, 39})).mistake == Mistake::doubled);
}

BOOST_AUTO_TEST_CASE(a_share_that_was_not_summed_is_recognised) {
  const Array shares = Array::from({{1, 2, 3}, {10, 20, 40}});
  const Array over_rows = Array::from({11, 22, 43}), over_columns = Array::from({6, 70});
  const auto guess = [&](const Array& wrong, const Array& sum) {
    return diagnose({.wrong = wrong, .right = sum, .before_sum = &shares});
  };
  BOOST_TEST(guess(Array::from({10, 20, 40}), over_rows).sentence ==
             "equals the share of index 1 along axis 0, not the sum over that axis");
  BOOST_TEST(guess(Array::from({3, 40}), over_columns).sentence ==
             "equals the share of index 2 along axis 1, not the sum over that axis");
  BOOST_TEST(guess(shares, over_rows).sentence ==
             "equals the share of shape (2, 3) before it is summed");
}

BOOST_AUTO_TEST_CASE(lost_signs_are_recognised) {
  const Diagnosis guess = of(changed(right, [](double value) { return std::abs(value); }));
  BOOST_TEST(guess.mistake == Mistake::absolute);
  BOOST_TEST(guess.sentence == "the magnitudes are right, but 2 of 6 signs are not");
}

BOOST_AUTO_TEST_CASE(what_is_not_recognised_is_at_least_measured) {
  const Diagnosis guess = of(changed(right, [](double value) { return value * (1.1 + value); }));
  BOOST_TEST(guess.mistake == Mistake::unknown);
  BOOST_TEST(!guess);
  BOOST_TEST(guess.sentence == "6 of 6 elements are wrong, by 35 % to 390 %");
}

BOOST_AUTO_TEST_CASE(numbers_in_float_are_compared_as_such) {
  const Array wrong(Shape{2}, std::vector<float>{-0.1F, -0.3F});
  BOOST_TEST(diagnose({.wrong = wrong, .right = Array::from({0.1, 0.3})}).mistake == Mistake::sign);
}

BOOST_AUTO_TEST_SUITE_END()
