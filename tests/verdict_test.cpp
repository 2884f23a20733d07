#include "tapegrad/check/verdict.hpp"

#include <array>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "tapegrad/base/random.hpp"

using namespace tapegrad;

namespace {

using Function = std::function<double(double)>;

Judgement judged(double x, double analytic, const Function& f) {
  return judge(analytic, measure_slopes([&](double h) { return f(x + h); },
                                        {.scale = std::abs(x), .claimed = analytic, .x = x}));
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }
double relu(double x) { return x > 0 ? x : 0; }
float logistic_in_float(double x) { return 1 / (1 + std::exp(-static_cast<float>(x))); }

// A function at x with a derivative that is claimed, and the verdict. Where other checks pass what
// is wrong, or refuse what is right, is told in the name.
struct Hand {
  std::string name;
  double x, claimed;
  Function f;
  Verdict expected;
};
std::ostream& operator<<(std::ostream& out, const Hand& hand) { return out << hand.name; }

const double slope_of_logistic = logistic(0.3) * (1 - logistic(0.3));
const double in_float = logistic(0.75) * (1 - logistic(0.75));
const Function square = [](double x) { return x * x; };
const Function log_of = [](double x) { return std::log(x); };
const Function fast = [](double x) { return std::sin(1000 * x); };
const Function near_kink = [](double x) { return std::abs(x - 1.001); };
const Function barely = [](double x) { return 1 + 1e-14 * x; };
const Function saturated = [](double x) { return std::tanh(x); };
const Function root = [](double x) { return std::sqrt(x); };
const Function cube_root = [](double x) { return std::cbrt(x); };

const std::vector<Hand> hands = {
    {"right", 0.3, slope_of_logistic, logistic, Verdict::pass},
    {"one percent too large", 0.3, 1.01 * slope_of_logistic, logistic, Verdict::fail},
    {"one part in a million too large", 0.3, 1.000001 * slope_of_logistic, logistic, Verdict::fail},
    {"wrong sign of a slope of 1e-6", 0.3, -1e-6 * slope_of_logistic,
     [](double x) { return 1e-6 * logistic(x); }, Verdict::fail},
    {"one percent wrong behind a scale of 1e-6", 0.3, 1.01e-6 * slope_of_logistic,
     [](double x) { return 1e-6 * logistic(x); }, Verdict::fail},
    {"wrong sign of a slope of 1e-300", 0.3, -1e-300 * slope_of_logistic,
     [](double x) { return 1e-300 * logistic(x); }, Verdict::fail},
    {"a square at 1e8", 1e8, 2e8, square, Verdict::pass},
    {"a wrong square at 1e8", 1e8, 2.0001e8, square, Verdict::fail},
    {"a logarithm at 1e-5", 1e-5, 1e5, log_of, Verdict::pass},
    {"a wrong logarithm at 1e-5", 1e-5, 1.001e5, log_of, Verdict::fail},
    {"a sigmoid in float", 0.75, in_float, logistic_in_float, Verdict::pass},
    {"a wrong sigmoid in float", 0.75, 1.01 * in_float, logistic_in_float, Verdict::fail},
    {"fast oscillation", 1, 1000 * std::cos(1000.0), fast, Verdict::pass},
    {"wrong fast oscillation", 1, 1001 * std::cos(1000.0), fast, Verdict::fail},
    {"a kink a thousandth away", 1, -1, near_kink, Verdict::pass},
    {"the other side of that kink", 1, 1, near_kink, Verdict::fail},
    {"relu at 0, left", 0, 0, relu, Verdict::kink},
    {"relu at 0, middle", 0, 0.5, relu, Verdict::kink},
    {"relu at 0, right", 0, 1, relu, Verdict::kink},
    {"relu at 0, outside", 0, 2, relu, Verdict::fail},
    {"relu at 0, other side", 0, -0.1, relu, Verdict::fail},
    {"relu below 0", -1, 0, relu, Verdict::pass},
    {"relu below 0, wrong", -1, 1, relu, Verdict::fail},
    {"a slope lost in rounding", 1, 1e-14, barely, Verdict::inconclusive},
    {"a slope lost in rounding, wrong sign", 1, -1e-14, barely, Verdict::inconclusive},
    {"a slope that rounding would not hide", 1, 1e-12, barely, Verdict::fail},
    {"saturated", 18, 1 / std::pow(std::cosh(18.0), 2), saturated, Verdict::inconclusive},
    {"saturated, and wrong", 18, 1e-3, saturated, Verdict::fail},
    {"zero where the slope is zero", 0, 0, square, Verdict::pass},
    {"not zero where the slope is zero", 0, 1e-9, square, Verdict::fail},
    {"zero where the slope is not", 0.3, 0, logistic, Verdict::fail},
    {"vertical, called infinite", 0, INFINITY, cube_root, Verdict::kink},
    {"vertical, called zero", 0, 0, cube_root, Verdict::inconclusive},
    {"vertical at the edge, called zero", 0, 0, root, Verdict::inconclusive},
    {"without a slope, called zero", 0, 0,
     [](double x) { return x == 0 ? 0 : x * std::sin(1 / (x * x)); }, Verdict::inconclusive},
    {"nan", 0.3, std::nan(""), logistic, Verdict::fail},
    {"infinite", 0.3, INFINITY, logistic, Verdict::fail},
    {"a function that is nan", 0.3, 1, [](double) { return std::nan(""); }, Verdict::inconclusive},
};

// Smooth functions and their derivatives.
struct Smooth {
  double (*f)(double);
  double (*slope)(double);
};
const std::array<Smooth, 6> smooth = {{
    {[](double x) { return std::sin(x); }, [](double x) { return std::cos(x); }},
    {[](double x) { return std::exp(x); }, [](double x) { return std::exp(x); }},
    {[](double x) { return std::tanh(x); },
     [](double x) { return 1 / (std::cosh(x) * std::cosh(x)); }},
    {[](double x) { return x * x * x - 2 * x; }, [](double x) { return 3 * x * x - 2; }},
    {[](double x) { return logistic(x); },
     [](double x) { return logistic(x) * (1 - logistic(x)); }},
    {[](double x) { return std::log1p(x * x); }, [](double x) { return 2 * x / (1 + x * x); }},
}};

}  // namespace

BOOST_AUTO_TEST_SUITE(verdict)

BOOST_DATA_TEST_CASE(a_case_by_hand_is_judged_as_expected, boost::unit_test::data::make(hands)) {
  const Judgement judgement = judged(sample.x, sample.claimed, sample.f);
  BOOST_TEST(judgement.verdict == sample.expected, text(judgement.verdict)
                                                       << ": " << judgement.reason);
  BOOST_TEST(judgement.evaluations < 200);
}

BOOST_AUTO_TEST_CASE(of_ten_thousand_right_derivatives_none_is_called_wrong) {
  Random random(1);
  int undecided = 0, evaluations = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto& [f, slope] = smooth[static_cast<std::size_t>(i) % smooth.size()];
    const double scale = std::pow(10, random.uniform(-6, 6)), x = random.normal();
    const auto scaled = [&, g = f](double z) { return scale * g(z); };
    const Judgement judgement = judged(x, scale * slope(x), scaled);
    evaluations += judgement.evaluations;
    BOOST_TEST_REQUIRE(judgement.verdict != Verdict::fail, "x = " << x << ", function " << i % 6);
    if (judgement.verdict != Verdict::pass) ++undecided;
  }
  BOOST_TEST(undecided == 0);
  BOOST_TEST(evaluations < 15 * 10'000);
}

BOOST_AUTO_TEST_CASE(of_ten_thousand_wrong_derivatives_none_passes) {
  Random random(2);
  for (int i = 0; i < 10'000; ++i) {
    const auto& [f, slope] = smooth[static_cast<std::size_t>(i) % smooth.size()];
    const double scale = std::pow(10, random.uniform(-6, 6)), x = random.normal();
    const double off = std::pow(10, random.uniform(-2, 0));  // 1 % to 100 %
    const double factor = i % 3 == 0 ? -1 : random.random() < 0.5 ? 1 + off : 1 - off;
    const auto scaled = [&, g = f](double z) { return scale * g(z); };
    const Judgement judgement = judged(x, factor * scale * slope(x), scaled);
    BOOST_TEST_REQUIRE(judgement.verdict == Verdict::fail, "x = " << x << ", function " << i % 6);
  }
}

BOOST_AUTO_TEST_CASE(a_pass_says_how_many_digits_are_certified) {
  BOOST_TEST(judged(0.3, slope_of_logistic, logistic).digits >= 9.5);
  const double coarse = judged(0.75, in_float, logistic_in_float).digits;
  BOOST_TEST(coarse >= 3);
  BOOST_TEST(coarse <= 7);
  const Judgement zero = judged(0, 0, square);
  BOOST_TEST(std::isinf(zero.digits));
  BOOST_TEST(zero.reason == "zero");
}

BOOST_AUTO_TEST_CASE(what_is_not_decided_says_why) {
  const std::string reason = judged(18, 9e-16, saturated).reason;
  BOOST_TEST(reason.find("hardly more than its own rounding") != std::string::npos, reason);
  BOOST_TEST(reason.find("ulp") != std::string::npos, reason);
  BOOST_TEST(judged(0, 0.0, cube_root).reason ==
             "the slope grows without bound as the step shrinks");
  BOOST_TEST(judged(1, 0, [](double) { return std::nan(""); }).reason ==
             "the function itself is nan there");
}

BOOST_AUTO_TEST_CASE(a_kink_shows_both_sides) {
  const Judgement judgement = judged(0, 2, relu);
  BOOST_TEST(judgement.below == 0);
  BOOST_TEST(judgement.above == 1, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(judgement.reason == "a kink, outside the slopes 0 below and 1 above");
}

BOOST_AUTO_TEST_CASE(an_exact_slope_decides_to_the_last_digits) {
  BOOST_TEST(judge(1, Slopes::exactly(1, 5)).verdict == Verdict::pass);
  BOOST_TEST(judge(1, Slopes::exactly(1, 5)).digits > 15);
  BOOST_TEST(judge(1 + 1e-13, Slopes::exactly(1, 5)).verdict == Verdict::fail);
  // A number computed in float may be off by its own rounding.
  BOOST_TEST(judge(1 + 5e-7, Slopes::exactly(1, 5), {.epsilon = 0x1p-23}).verdict == Verdict::pass);
  BOOST_TEST(judge(1 + 5e-6, Slopes::exactly(1, 5), {.epsilon = 0x1p-23}).verdict == Verdict::fail);
}

BOOST_AUTO_TEST_CASE(a_worse_verdict_comes_before_a_greater_distance) {
  const Judgement fail = judge(2, Slopes::exactly(1, 0)), pass = judge(1, Slopes::exactly(1, 0));
  const Judgement farther = judge(3, Slopes::exactly(1, 0));
  BOOST_TEST(worse(fail, pass));
  BOOST_TEST(!worse(pass, fail));
  BOOST_TEST(worse(farther, fail));
}

BOOST_AUTO_TEST_SUITE_END()
