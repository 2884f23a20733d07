#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/base/error.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/check/check_function.hpp"
#include "tapegrad/check/sample.hpp"

using namespace tapegrad;

namespace {

template <class T>
using In = std::span<const T>;
template <class T>
using Out = std::span<T>;

// sum of i'th weight * tanh(x_i), and its gradient
double weight(std::size_t i) { return 1 + 0.5 * std::sin(static_cast<double>(i)); }
template <class T>
T tanhs(In<T> x) {
  T sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<T>(weight(i)) * std::tanh(x[i]);
  return sum;
}
template <class T>
void gradient_of_tanhs(In<T> x, Out<T> g) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const T y = std::tanh(x[i]);
    g[i] = static_cast<T>(weight(i)) * (1 - y * y);
  }
}

std::vector<double> normals(std::size_t count, std::uint32_t seed = 3) {
  return Random(seed).normal(0, 1, Shape{static_cast<std::int64_t>(count)}).values();
}

// The gradient, of which one element has the wrong sign.
auto flipped(std::size_t element) {
  return [=](In<double> x, Out<double> g) {
    gradient_of_tanhs(x, g);
    g[element] = -g[element];
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(plain_check)

BOOST_AUTO_TEST_CASE(a_right_gradient_passes_element_by_element) {
  const Report report =
      check_gradient(tanhs<double>, gradient_of_tanhs<double>, normals(159), {.seed = 17});
  BOOST_TEST(report);
  BOOST_TEST(report.verdict() == Verdict::pass);
  BOOST_TEST(report.count(Verdict::pass) == 159);
  BOOST_TEST(report.digits() > 8);
  BOOST_TEST(report.evaluations() < 60 * 159);
}

BOOST_AUTO_TEST_CASE(the_place_may_be_given_in_braces) {
  const Report report = check_gradient(tanhs<double>, flipped(1), {0.5, -1.0, 2.0});
  BOOST_TEST(report.count(Verdict::pass) == 2);
  BOOST_TEST(report.count(Verdict::fail) == 1);
  BOOST_TEST(check_gradient(tanhs<double>, gradient_of_tanhs<double>, {0.5}, {.seed = 2}));
}

BOOST_AUTO_TEST_CASE(one_flipped_element_of_a_hundred_to_ten_thousand_is_found_and_named) {
  for (const std::size_t count : {100u, 900u, 10'000u})
    for (const std::size_t element : {count / 3, count - 2}) {
      const Report report = check_gradient(tanhs<double>, flipped(element), normals(count),
                                           {.max_evaluations = 20'000});
      BOOST_TEST(!report);
      BOOST_TEST(report.count(Verdict::fail) > 0);
      bool named = false;
      for (const Element& found : report.elements())
        named = named || (found.judgement.verdict == Verdict::fail && found.along.empty() &&
                          found.index == std::vector{static_cast<std::int64_t>(element)});
      BOOST_TEST(named, count << " elements, element " << element);
      BOOST_TEST(report.evaluations() <= 20'000);
    }
}

BOOST_AUTO_TEST_CASE(ten_thousand_right_elements_pass_in_a_sample_and_in_directions) {
  const Report report = check_gradient(tanhs<double>, gradient_of_tanhs<double>, normals(10'000),
                                       {.max_evaluations = 20'000});
  BOOST_TEST(report);
  BOOST_TEST(report.evaluations() < 2'000);
  BOOST_TEST_REQUIRE(report.notes().size() == 1u);
  BOOST_TEST(report.notes()[0].find("of 10000 elements measured") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(float_functions_are_checked_to_the_digits_they_have) {
  const std::vector<float> x = {0.5F, -1, 0.25F, 2};
  const Report right = check_gradient(tanhs<float>, gradient_of_tanhs<float>, x);
  BOOST_TEST(right);
  BOOST_TEST(right.digits() >= 3);
  BOOST_TEST(right.digits() < 8);
  const auto percent_wrong = [](In<float> z, Out<float> g) {
    gradient_of_tanhs(z, g);
    for (float& number : g) number *= 1.01F;
  };
  const Report wrong = check_gradient(tanhs<float>, percent_wrong, x);
  BOOST_TEST(wrong.verdict() == Verdict::fail);
  BOOST_TEST(wrong.mistake().mistake == Mistake::factor);
  BOOST_TEST(wrong.mistake().ratio == 1.01, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(the_likely_mistake_is_said) {
  const auto negated = [](In<double> x, Out<double> g) {
    gradient_of_tanhs(x, g);
    for (double& number : g) number = -number;
  };
  const Report report = check_gradient(tanhs<double>, negated, normals(5), {.seed = 17});
  BOOST_TEST(report.mistake().mistake == Mistake::sign);
  BOOST_TEST(report.headline().find("5 of 5 elements wrong (the sign is wrong); worst f by x[") !=
                 std::string::npos,
             report.headline());
  BOOST_TEST(report.repeat() == "check_gradient(..., {.seed = 17})");
}

BOOST_AUTO_TEST_CASE(kinks_are_accepted_and_listed) {
  const auto relus = [](In<double> x) {
    double sum = 0;
    for (const double number : x) sum += number > 0 ? number : 0;
    return sum;
  };
  const auto gradient = [](In<double> x, Out<double> g) {
    for (std::size_t i = 0; i < x.size(); ++i) g[i] = x[i] > 0 ? 1 : 0;
  };
  const Report report = check_gradient(relus, gradient, std::vector{-1.0, 0.0, 2.0});
  BOOST_TEST(report);
  BOOST_TEST(report.verdict() == Verdict::kink);
  BOOST_TEST(report.count(Verdict::kink) == 1);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_decided_is_red_unless_accepted) {
  const auto f = [](In<double> x) { return std::tanh(x[0]); };
  const auto gradient = [](In<double> x, Out<double> g) {
    g[0] = 1 / (std::cosh(x[0]) * std::cosh(x[0]));
  };
  const std::vector<double> x = {18};
  BOOST_TEST(!check_gradient(f, gradient, x));
  BOOST_TEST(check_gradient(f, gradient, x, {.inconclusive = Inconclusive::accept}));
}

BOOST_AUTO_TEST_CASE(a_gradient_of_zeros_is_red_unless_expected) {
  const auto f = [](In<double>) { return 2.0; };
  const auto gradient = [](In<double>, Out<double> g) { g[0] = 0; };
  const std::vector<double> x = {1, 2};
  const Report report = check_gradient(f, gradient, x);
  BOOST_TEST(!report);
  BOOST_TEST(report.headline() ==
             "gradient check: FAIL: the gradient is zero everywhere; if it should be, say "
             ".expect_zero = true");
  BOOST_TEST(check_gradient(f, gradient, x, {.expect_zero = true}));
  BOOST_TEST(!check_gradient(tanhs<double>, gradient_of_tanhs<double>, x, {.expect_zero = true}));
}

BOOST_AUTO_TEST_CASE(a_function_that_draws_random_numbers_is_refused) {
  Random random(1);
  const auto f = [&](In<double> x) { return x[0] + random.random(); };
  const auto gradient = [](In<double>, Out<double> g) { g[0] = 1; };
  const Report report = check_gradient(f, gradient, std::vector{1.0});
  BOOST_TEST(!report);
  BOOST_TEST(report.sections().at(0).verdict == Verdict::fail);
}

BOOST_AUTO_TEST_CASE(mistakes_in_the_call_are_errors) {
  const std::vector<double> none;
  BOOST_CHECK_THROW(check_gradient(tanhs<double>, gradient_of_tanhs<double>, none), Error);
  BOOST_CHECK_THROW(
      check_gradient(tanhs<double>, gradient_of_tanhs<double>, normals(2), {.order = 2}), Error);
  BOOST_CHECK_THROW(
      check_gradient(tanhs<double>, gradient_of_tanhs<double>, normals(2), {.max_evaluations = 0}),
      Error);
  BOOST_CHECK_THROW(
      check_gradient(tanhs<double>, gradient_of_tanhs<double>, normals(2), {.wrt = {"y"}}), Error);
  const auto nothing = [](auto&&...) {};
  BOOST_CHECK_THROW(check_vjp(nothing, nothing, {}), Error);
}

// y = a * b with a (2, 3) and b (3) broadcast over rows
template <class T>
void multiply(std::span<const In<T>> x, Out<T> y) {
  for (std::size_t i = 0; i < 6; ++i) y[i] = x[0][i] * x[1][i % 3];
}
template <class T>
void vjp_of_multiply(std::span<const In<T>> x, In<T> ybar, std::span<const Out<T>> xbar) {
  for (std::size_t i = 0; i < 6; ++i) {
    xbar[0][i] = ybar[i] * x[1][i % 3];
    xbar[1][i % 3] += ybar[i] * x[0][i];
  }
}
const KernelShapes multiply_shapes = {
    .operands = {{.shape = Shape{2, 3}, .name = "a"}, {.shape = Shape{3}, .name = "b"}},
    .result = Shape{2, 3}};

BOOST_AUTO_TEST_CASE(a_right_vjp_passes_in_both_precisions) {
  const Report in_double = check_vjp(multiply<double>, vjp_of_multiply<double>, multiply_shapes);
  BOOST_TEST(in_double);
  BOOST_TEST(in_double.count(Verdict::pass) == 9);
  BOOST_TEST(in_double.elements().back().where() == "b[2]");
  BOOST_TEST(check_vjp<float>(multiply<float>, vjp_of_multiply<float>, multiply_shapes));
}

BOOST_AUTO_TEST_CASE(a_vjp_that_does_not_accumulate_is_caught) {
  const auto forgetful = [](std::span<const In<double>> x, In<double> ybar,
                            std::span<const Out<double>> xbar) {
    for (std::size_t i = 0; i < 6; ++i) {
      xbar[0][i] = ybar[i] * x[1][i % 3];
      xbar[1][i % 3] = ybar[i] * x[0][i];
    }
  };
  const Report report = check_vjp(multiply<double>, forgetful, multiply_shapes);
  BOOST_TEST(report.count(Verdict::fail) == 3);
  BOOST_TEST(report.worst().leaf == "b");
  BOOST_TEST(check_vjp(multiply<double>, forgetful, multiply_shapes, {.wrt = {"a"}}));
}

BOOST_AUTO_TEST_CASE(a_vjp_that_is_not_linear_breaks_a_contract) {
  const auto squared = [](std::span<const In<double>> x, In<double> ybar,
                          std::span<const Out<double>> xbar) {
    vjp_of_multiply(x, ybar, xbar);
    xbar[0][0] = ybar[0] * ybar[0];
  };
  const Report report = check_vjp(multiply<double>, squared, multiply_shapes);
  BOOST_TEST(report.sections().at(0).sentence == "a: not linear in the adjoint of the result");
}

BOOST_AUTO_TEST_CASE(the_sample_holds_the_ends_of_every_axis_and_the_largest) {
  std::vector<double> gradient(2 * 30 * 50, 1.0);
  gradient[1234] = -7;
  const Shape shape{2, 30, 50};
  const std::vector<std::size_t> sample = representative_elements(gradient, shape, 40, 1);
  BOOST_TEST(sample.size() == 40u);
  for (const std::size_t wanted : {0u, 2999u, 1234u, 49u, 29u * 50, 1500u})
    BOOST_TEST(std::count(sample.begin(), sample.end(), wanted) == 1, wanted);
  BOOST_TEST((index_of(1234, shape) == std::vector<std::int64_t>{0, 24, 34}));
}

BOOST_AUTO_TEST_SUITE_END()
