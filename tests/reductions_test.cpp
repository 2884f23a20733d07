// Reductions: against PyTorch's numbers, at zeros, ties and extremes, and along every axis alike.
// What ops_test.cpp says of sum, mean, max, logsumexp and softmax is not repeated.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reference.hpp"
#include "refusal.hpp"
#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
namespace tt = boost::test_tools;
using tg::Array, tg::Axes, tg::Shape, tg::Tape, tg::Tensor;
using Numbers = std::vector<double>;
using Function = std::function<Tensor(const Tensor&)>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// y = f(x), the gradient g of sum(y), and that of sum(g).
struct Results {
  Numbers y, g, h;
};
Results results(const Function& f, const tg::Values& values,
                tg::Precision precision = tg::float64) {
  Tape tape(precision);
  const Tensor x = tape.input(values), y = f(x), g = gradient(sum(y), x);
  return {y.values(), g.values(), gradient(sum(g), x).values()};
}

#define CHECK_NUMBERS(actual, expected, relative)                       \
  do {                                                                  \
    const Numbers a_ = (actual), e_ = (expected);                       \
    BOOST_TEST(a_ == e_, tt::tolerance(relative) << tt::per_element()); \
  } while (false)

BOOST_AUTO_TEST_SUITE(reductions)

// ---------------------------------------------------------------- PyTorch

Tensor called(const ReferenceCase& c, const Tensor& x) {
  const Numbers given = c.has("axes") ? c["axes"].values() : Numbers();
  const auto axis = [&](std::size_t i) { return static_cast<int>(given[i]); };
  if (c.name == "cumsum") return cumsum(x, axis(0));
  if (c.name == "softmax") return softmax(x, axis(0));
  if (c.name == "log_softmax") return log_softmax(x, axis(0));
  const Axes axes = given.empty()       ? Axes()
                    : given.size() == 1 ? Axes(axis(0))
                                        : Axes{axis(0), axis(1)};
  const bool keep = c["keepdim"].item() != 0;
  const double parameter = c.has("parameter") ? c["parameter"].item() : 0;
  if (c.name == "prod") return prod(x, axes, keep);
  if (c.name == "min") return min(x, axes, keep);
  if (c.name == "max") return max(x, axes, keep);
  if (c.name == "logsumexp") return logsumexp(x, axes, keep);
  if (c.name == "var") return var(x, axes, keep, static_cast<std::int64_t>(parameter));
  if (c.name == "std") return tg::std(x, axes, keep, static_cast<std::int64_t>(parameter));
  if (c.name == "norm") return norm(x, parameter, axes, keep);
  throw std::runtime_error("no function is called " + c.name);
}

BOOST_AUTO_TEST_CASE(values_and_two_derivatives_are_those_of_pytorch) {  // C8, E12, F1
  for (const auto& [precision, tolerance] : {std::pair{tg::float64, 1e-12}, {tg::float32, 5e-5}})
    for (const ReferenceCase& c : reference_cases("reductions.txt"))
      BOOST_TEST_CONTEXT(c.name << " of " << tg::text(c["x"].shape()) << ", "
                                << (c.has("axes") ? tg::text(c["axes"]) : "all") << ", "
                                << (c.has("parameter") ? c["parameter"].item() : 0)) {
        Tape tape(precision);
        const Tensor x = tape.input(c["x"]), v = tape.input(c["v"]), u = tape.input(c["u"]);
        const Tensor y = called(c, x), g = gradient(tg::seeded(y, v), x);
        const Tensor h = gradient(sum(u * g + 0 * x), x);  // g of a linear f lacks x
        BOOST_TEST(distance(y.array(), c["y"]) < tolerance);
        BOOST_TEST(distance(g.array(), c["g"]) < tolerance);
        BOOST_TEST(distance(h.array(), c["h"]) < tolerance);
      }
}

// ---------------------------------------------------------------- along every axis alike

BOOST_AUTO_TEST_CASE(a_line_has_the_same_bits_wherever_its_axis_lies) {
  const std::vector<std::pair<std::string_view, std::function<Tensor(const Tensor&, int)>>> all = {
      {"sum", [](const Tensor& x, int axis) { return sum(x, axis); }},
      {"prod", [](const Tensor& x, int axis) { return prod(x, axis); }},
      {"max", [](const Tensor& x, int axis) { return max(x, axis); }},
      {"min", [](const Tensor& x, int axis) { return min(x, axis); }},
      {"logsumexp", [](const Tensor& x, int axis) { return logsumexp(x, axis); }},
      {"var", [](const Tensor& x, int axis) { return var(x, axis); }},
      {"norm", [](const Tensor& x, int axis) { return norm(x, 2, axis); }},
      {"norm 3", [](const Tensor& x, int axis) { return norm(x, 3, axis); }},
      {"argmax", [](const Tensor& x, int axis) { return argmax(x, axis); }},
      {"argmin", [](const Tensor& x, int axis) { return argmin(x, axis); }}};
  const std::vector<std::pair<std::string_view, std::function<Tensor(const Tensor&, int)>>> same = {
      {"cumsum", [](const Tensor& x, int axis) { return cumsum(x, axis); }},
      {"softmax", [](const Tensor& x, int axis) { return softmax(x, axis); }},
      {"log_softmax", [](const Tensor& x, int axis) { return log_softmax(x, axis); }}};
  tg::Random random(5);
  for (const tg::Precision precision : {tg::float32, tg::float64})
    for (const std::int64_t n : {2, 5, 8, 13, 32, 33, 100, 257, 600})
      for (const std::int64_t lines : {2, 3, 64, 65, 130}) {
        Tape tape(precision);
        const Tensor last = tape.input(random.uniform(-2, 2, Shape{2, lines, n}));
        const Tensor middle = transpose(last, 1, 2), first = permute(last, {2, 0, 1});
        BOOST_TEST_CONTEXT(n << " numbers in " << 2 * lines << " lines") {
          for (const auto& [name, f] : all) BOOST_TEST_CONTEXT(name) {
              const Array expected = f(last, 2).array();
              BOOST_TEST((f(middle, 1).array() == expected));
              BOOST_TEST((f(first, 0).array() == expected));
            }
          for (const auto& [name, f] : same) BOOST_TEST_CONTEXT(name) {
              const Array expected = f(last, 2).array();
              BOOST_TEST((transpose(f(middle, 1), 1, 2).array() == expected));
              BOOST_TEST((permute(f(first, 0), {1, 2, 0}).array() == expected));
            }
        }
      }
}

BOOST_AUTO_TEST_CASE(a_nan_at_any_place_reaches_the_result) {
  for (std::size_t place = 0; place < 37; ++place)
    for (const bool columns : {false, true}) {
      Numbers numbers(37);
      for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = 1 + static_cast<double>(i % 5);
      numbers[place] = not_a_number;
      Tape tape;
      const Tensor line = tape.input(numbers);
      const Tensor x = columns ? tg::stack({line, line}, 1) : tg::stack({line, line}, 0);
      const int axis = columns ? 0 : 1;
      for (const Tensor& y : {max(x, axis), min(x, axis), prod(x, axis), logsumexp(x, axis),
                              var(x, axis), norm(x, 2, axis), norm(x, 3, axis), sum(x, axis)})
        BOOST_TEST(std::isnan(y.at(1)));
      BOOST_TEST(argmax(x, axis).at(1) == static_cast<double>(place));
      BOOST_TEST(argmin(x, axis).at(1) == static_cast<double>(place));
      for (const Tensor& y : {softmax(x, axis), log_softmax(x, axis)})
        for (const double share : y.values()) BOOST_TEST(std::isnan(share));
      BOOST_TEST(std::isnan(cumsum(x, axis).at(-1, -1)));
    }
}

// ---------------------------------------------------------------- nothing, and one

BOOST_AUTO_TEST_CASE(reductions_of_nothing) {  // C9
  Tape tape;
  const Tensor none = tape.input(Array(Shape{0}, {})), columns = tape.input(Array(Shape{0, 2}, {}));
  BOOST_TEST(prod(none).item() == 1);
  BOOST_TEST(prod(columns, 0).values() == Numbers({1, 1}));
  BOOST_TEST(norm(none).item() == 0);
  BOOST_TEST(norm(columns, 3, 0).values() == Numbers(2));
  BOOST_TEST(norm(columns, 1, 0).values() == Numbers(2));
  for (const Tensor& y :
       {var(none), tg::std(none), mean(none), var(columns, 0), tg::std(columns, 0)})
    BOOST_TEST(std::isnan(y.values()[0]));
  for (const Tensor& y :
       {min(columns, 1), var(columns, 1), argmax(columns, 1), norm(columns, 2, 1)})
    BOOST_TEST((y.shape() == Shape{0}));
  BOOST_TEST((cumsum(columns, 0).shape() == Shape{0, 2}));
  for (const Tensor& y : {prod(columns), prod(columns, 1), norm(columns), tg::std(columns),
                          cumsum(columns, 0), min(columns, 1)}) {
    const Tensor g = gradient(sum(y), columns);
    BOOST_TEST((g.shape() == Shape{0, 2}));
    BOOST_TEST((gradient(sum(g * columns), columns).shape() == Shape{0, 2}));
  }
}

BOOST_AUTO_TEST_CASE(reductions_of_one_number) {
  Tape tape;
  const Tensor x = tape.input(-3.0);
  BOOST_TEST(prod(x).item() == -3);
  BOOST_TEST(min(x).item() == -3);
  BOOST_TEST(norm(x).item() == 3);
  BOOST_TEST(var(x, {}, false, 0).item() == 0);
  BOOST_TEST(std::isnan(var(x).item()));
  BOOST_TEST(argmax(x).item() == 0);
  BOOST_TEST(gradient(prod(x) * norm(x), x).item() == 6);  // -x^2
}

// ---------------------------------------------------------------- products

BOOST_AUTO_TEST_CASE(zeros_among_factors_have_the_slopes_of_the_polynomial) {  // E12
  const Function f = [](const Tensor& x) { return prod(x); };
  const Results one = results(f, {0.0, 2.0, 3.0});
  BOOST_TEST(one.y == Numbers({0}));
  BOOST_TEST(one.g == Numbers({6, 0, 0}));
  BOOST_TEST(one.h == Numbers({5, 3, 2}));  // xy, xz and yz bend by the third
  const Results two = results(f, {0.0, 0.0, 3.0});
  BOOST_TEST(two.g == Numbers(3));
  BOOST_TEST(two.h == Numbers({3, 3, 0}));
  const Results three = results(f, {0.0, 0.0, 0.0});
  BOOST_TEST(three.h == Numbers(3));
}

BOOST_AUTO_TEST_CASE(products_have_derivatives_of_any_order) {
  Tape tape;
  const Tensor x = tape.input({{0.0, 2.0}, {0.0, 3.0}});
  Tensor y = prod(x);
  for (int order = 0; order < 3; ++order) y = sum(gradient(y, x));
  BOOST_TEST(y.item() == 6 * 5);  // each of the four left alone by six orders of the other three
  BOOST_TEST(gradient(y, x).values() == Numbers(4, 6));
}

BOOST_AUTO_TEST_CASE(the_derivative_of_a_long_product_is_a_short_recording) {
  Tape tape;
  const Tensor x = tape.input(Numbers(1000, 1.001));
  const Tensor y = prod(x);
  const std::size_t before = tape.size();
  const Tensor g = gradient(y, x);
  BOOST_TEST(tape.size() - before < 200u);
  BOOST_TEST(g.at(0) == std::pow(1.001, 999), tt::tolerance(1e-12));
  BOOST_TEST(g.at(999) == std::pow(1.001, 999), tt::tolerance(1e-12));
}

// ---------------------------------------------------------------- extremes and places

BOOST_AUTO_TEST_CASE(the_smallest_shares_a_tie_evenly_or_gives_it_to_the_first) {  // F1, F2
  Tape tape;
  const Tensor x = tape.input({3.0, 1.0, 1.0});
  BOOST_TEST(gradient(min(x), x).values() == Numbers({0, 0.5, 0.5}));
  const auto [values, index] = tg::min_with_index(x, -1);
  BOOST_TEST(values.item() == 1);
  BOOST_TEST(index.item() == 1);
  BOOST_TEST(gradient(values, x).values() == Numbers({0, 1, 0}));
  const Tensor table = tape.input({{4, 9, 3}, {7, 5, 8}});
  const auto columns = tg::min_with_index(table, 0, tg::keepdim);
  BOOST_TEST((columns.index.shape() == Shape{1, 3}));
  BOOST_TEST(columns.values.values() == Numbers({4, 5, 3}));
  BOOST_TEST(columns.index.values() == Numbers({0, 1, 0}));
}

BOOST_AUTO_TEST_CASE(places_are_whole_numbers_and_the_first_wins) {  // F5
  Tape tape;
  const Tensor x = tape.input({{1, 7, 2}, {7, 0, 0}});
  BOOST_TEST(argmax(x).item() == 1);
  BOOST_TEST(argmin(x).item() == 4);
  BOOST_TEST(argmax(x, 0).values() == Numbers({1, 0, 0}));
  BOOST_TEST(argmin(x, -1).values() == Numbers({0, 1}));
  BOOST_TEST((argmax(x, 0, tg::keepdim).shape() == Shape{1, 3}));
  BOOST_TEST((argmax(x, 1).shape() == Shape{2}));
  BOOST_TEST(argmax(tape.input({-infinity, -infinity})).item() == 0);
  BOOST_TEST(argmin(tape.input({-0.0, 0.0})).item() == 0);
  BOOST_TEST(argmax(tape.input({0.0, infinity, not_a_number, not_a_number})).item() == 2);
  BOOST_CHECK_THROW(gradient(sum(argmax(x, 0)), x), tg::Error);
  BOOST_TEST(gradient(sum(argmin(x, 0) * x), x).values() == Numbers({0, 1, 1, 0, 1, 1}));
}

BOOST_AUTO_TEST_CASE(infinities_are_extremes_like_others) {
  Tape tape;
  const Tensor x = tape.input({-infinity, 2.0, infinity});
  BOOST_TEST(min(x).item() == -infinity);
  BOOST_TEST(max(x).item() == infinity);
  BOOST_TEST(gradient(min(x), x).values() == Numbers({1, 0, 0}));
  const Tensor ties = tape.input({infinity, 1.0, infinity});
  BOOST_TEST(gradient(max(ties), ties).values() == Numbers({0.5, 0, 0.5}));
  BOOST_TEST(gradient(min(-ties), ties).values() == Numbers({-0.5, 0, -0.5}));
  BOOST_TEST(norm(x).item() == infinity);
  BOOST_TEST(norm(x, infinity).item() == infinity);
  BOOST_TEST(norm(x, 3).item() == infinity);
  BOOST_TEST(std::isnan(var(x).item()));
  BOOST_TEST(cumsum(tape.input({1.0, infinity, 1.0}), 0).values() ==
             Numbers({1, infinity, infinity}));
}

// ---------------------------------------------------------------- variance

BOOST_AUTO_TEST_CASE(equal_numbers_deviate_by_exactly_0_and_without_slope) {  // E5
  for (const tg::Precision precision : {tg::float32, tg::float64})
    for (const double constant : {0.0, 0.1, -1e-30, 1e30, 1.0 / 3}) {
      const Numbers x(7, constant);
      for (const std::int64_t ddof : {0, 1}) {
        const Results s =
            results([&](const Tensor& t) { return tg::std(t, {}, false, ddof); }, x, precision);
        BOOST_TEST(s.y == Numbers(1));
        BOOST_TEST(s.g == Numbers(7));
        BOOST_TEST(s.h == Numbers(7));
        const Results v =
            results([&](const Tensor& t) { return var(t, {}, false, ddof); }, x, precision);
        BOOST_TEST(v.y == Numbers(1));
        BOOST_TEST(v.g == Numbers(7));
      }
    }
}

BOOST_AUTO_TEST_CASE(a_variance_without_a_degree_of_freedom_is_nan) {
  Tape tape;
  const Tensor x = tape.input({{1.0, 2.0}, {4.0, 8.0}});
  BOOST_TEST(var(x, 0).values() == Numbers({4.5, 18}));
  BOOST_TEST(var(x, 0, false, 0).values() == Numbers({2.25, 9}));
  for (const std::int64_t ddof : {2, 3})
    for (const Tensor& y : {var(x, 0, false, ddof), tg::std(x, 0, tg::keepdim, ddof)}) {
      for (const double number : y.values()) BOOST_TEST(std::isnan(number));
      for (const double number : gradient(sum(y), x).values()) BOOST_TEST(std::isnan(number));
    }
}

BOOST_AUTO_TEST_CASE(degrees_of_freedom_are_not_added) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0, 4.0});
  const std::size_t size = tape.size();
  BOOST_TEST(says([&] { var(x, 0, false, -1); }, "var: (3): ddof is -1, and must be at least 0"));
  BOOST_TEST(says([&] { tg::std(x, 0, false, -1); }, "std: (3): ddof is -1"));
  BOOST_TEST(says([&] { var(x, 0, false, -1); }, line()));
  BOOST_TEST(tape.size() == size);
}

BOOST_AUTO_TEST_CASE(a_variance_has_the_digits_of_the_differences) {
  Tape tape(tg::float32);
  Numbers far(100), outlier(100);  // exact in a float
  for (std::size_t i = 0; i < 100; ++i) {
    far[i] = 10000 + static_cast<double>(i) / 64;
    outlier[i] = i == 0 ? 1 << 26 : static_cast<double>(i);
  }
  BOOST_TEST(var(tape.input(far)).item() == 100.0 * 101 / 12 / 64 / 64, tt::tolerance(1e-6));
  double mean = 0, square = 0;
  for (double x : outlier) mean += x / 100;
  for (double x : outlier) square += (x - mean) * (x - mean) / 99;
  BOOST_TEST(tg::std(tape.input(outlier)).item() == std::sqrt(square), tt::tolerance(1e-6));
}

// ---------------------------------------------------------------- norms

BOOST_AUTO_TEST_CASE(the_norm_of_zeros_has_slope_0) {  // E3
  for (const double p : {0.5, 1.0, 1.5, 2.0, 3.0, infinity}) BOOST_TEST_CONTEXT("p = " << p) {
      const Results r = results([&](const Tensor& x) { return norm(x, p); }, {0.0, 0.0});
      BOOST_TEST(r.y == Numbers(1));
      BOOST_TEST(r.g == Numbers(2));
      BOOST_TEST(r.h == Numbers(2));
    }
  const Results rows =
      results([](const Tensor& x) { return norm(x, 2, 1); }, {{0.0, 0.0}, {3.0, 4.0}});
  BOOST_TEST(rows.y == Numbers({0, 5}));
  CHECK_NUMBERS(rows.g, Numbers({0, 0, 0.6, 0.8}), 1e-15);
  CHECK_NUMBERS(rows.h, Numbers({0, 0, 0.032, -0.024}), 1e-13);  // (1 - n n') / 5, times (1, 1)
}

BOOST_AUTO_TEST_CASE(norms_neither_overflow_nor_vanish) {  // G9
  for (const double size : {1e200, 1e-200, 1e300, 1e-300}) BOOST_TEST_CONTEXT(size) {
      const auto at = [&](double p) {
        return results([&](const Tensor& x) { return norm(x, p); }, {3 * size, 4 * size});
      };
      const Results two = at(2);
      CHECK_NUMBERS(two.y, Numbers({5 * size}), 1e-15);
      CHECK_NUMBERS(two.g, Numbers({0.6, 0.8}), 1e-15);
      CHECK_NUMBERS(two.h, Numbers({0.032 / size, -0.024 / size}), 1e-13);
      const Results three = at(3);
      CHECK_NUMBERS(three.y, Numbers({std::cbrt(91.0) * size}), 1e-14);
      CHECK_NUMBERS(three.g, Numbers({9 / std::cbrt(91.0 * 91), 16 / std::cbrt(91.0 * 91)}), 1e-14);
      const Results deviation =
          results([](const Tensor& x) { return tg::std(x); }, {3 * size, 4 * size});
      CHECK_NUMBERS(deviation.y, Numbers({std::sqrt(0.5) * size}), 1e-14);
    }
  Tape tape(tg::float32);
  BOOST_TEST(norm(tape.input({3e30, 4e30})).item() == 5e30, tt::tolerance(1e-6));
  BOOST_TEST(norm(tape.input({3e-30, 4e-30})).item() == 5e-30, tt::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(norms_with_zeros_among_the_numbers_have_finite_slopes) {
  const auto at = [](double p) {
    return results([&](const Tensor& x) { return norm(x, p); }, {0.0, -2.0, 0.0});
  };
  for (const double p : {0.5, 1.0, 1.5, 2.0, 3.0, infinity})
    CHECK_NUMBERS(at(p).g, Numbers({0, -1, 0}), 1e-15);
  CHECK_NUMBERS(at(2).h, Numbers({0.5, 0, 0.5}), 1e-15);
  BOOST_TEST(at(3).h == Numbers(3));
  const Results ties = results([](const Tensor& x) { return norm(x, infinity); }, {2.0, -2.0, 1.0});
  BOOST_TEST(ties.g == Numbers({0.5, -0.5, 0}));
}

BOOST_AUTO_TEST_CASE(a_norm_wants_an_exponent_above_0) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0});
  for (const double p : {0.0, -1.0, -infinity, not_a_number}) {
    const std::size_t size = tape.size();
    BOOST_TEST(says([&] { norm(x, p); }, "norm: (2): p must be above 0"));
    BOOST_TEST(says([&] { norm(x, p); }, line()));
    BOOST_TEST(tape.size() == size);
  }
}

// ---------------------------------------------------------------- running sums, and millions

BOOST_AUTO_TEST_CASE(the_derivative_of_a_running_sum_runs_backward) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0, 4.0}), v = tape.input({1.0, 10.0, 100.0});
  const Tensor y = cumsum(x, 0), g = gradient(tg::seeded(y, v), x);
  BOOST_TEST(y.values() == Numbers({1, 3, 7}));
  BOOST_TEST(g.values() == Numbers({111, 110, 100}));
  BOOST_TEST(gradient(tg::seeded(g, tape.constant({1, 2, 3})), v).values() == Numbers({1, 3, 6}));
}

BOOST_AUTO_TEST_CASE(a_million_floats_keep_their_digits) {  // C9, G9
  const std::int64_t n = 1'000'000;
  std::vector<float> numbers(static_cast<std::size_t>(n));
  tg::Random random(4);
  for (float& x : numbers) x = static_cast<float>(random.uniform(1, 3));
  double mean = 0, square = 0, deviation = 0;
  for (const float x : numbers) mean += static_cast<double>(x) / static_cast<double>(n);
  for (const float number : numbers) {
    const double x = static_cast<double>(number);
    square += x * x;
    deviation += (x - mean) * (x - mean);
  }
  Tape tape(tg::float32);
  const Tensor x = tape.input(numbers), columns = reshape(x, {n / 2, 2});
  BOOST_TEST(tg::mean(x).item() == mean, tt::tolerance(2e-7));
  BOOST_TEST(tg::mean(tg::mean(columns, 0)).item() == mean, tt::tolerance(2e-7));
  BOOST_TEST(norm(x).item() == std::sqrt(square), tt::tolerance(4e-7));
  BOOST_TEST(var(x).item() == deviation / static_cast<double>(n - 1), tt::tolerance(1e-6));
  BOOST_TEST(cumsum(x, 0).at(-1) == mean * static_cast<double>(n), tt::tolerance(1e-7));
}

// ---------------------------------------------------------------- shares of a whole

BOOST_AUTO_TEST_CASE(what_is_masked_by_minus_infinity_has_no_share_and_no_slope) {
  Tape tape;
  const Tensor x = tape.input({-infinity, 0.0, std::log(3.0)}), v = tape.constant({5, 1, 2});
  const Tensor shares = softmax(x, 0), logarithms = log_softmax(x, 0);
  CHECK_NUMBERS(shares.values(), Numbers({0, 0.25, 0.75}), 1e-15);
  BOOST_TEST(logarithms.at(0) == -infinity);
  CHECK_NUMBERS(gradient(sum(shares * v), x).values(), Numbers({0, -0.1875, 0.1875}), 1e-15);
  const Tensor kept = where(tape.constant({0, 1, 1}), logarithms * v, 0);
  CHECK_NUMBERS(gradient(sum(kept), x).values(), Numbers({0, 0.25, -0.25}), 1e-14);
  for (const double share : softmax(x * infinity, 0).values()) BOOST_TEST(std::isnan(share));
}

// ---------------------------------------------------------------- errors

BOOST_AUTO_TEST_CASE(errors_name_the_function_and_the_users_line) {
  Tape tape;
  const Tensor x = tape.input({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  const Tensor none = tape.input(Array(Shape{2, 0}, {}));
  const std::size_t size = tape.size();
  const auto check = [&](const std::function<void()>& call, std::string_view part,
                         tg::Site at = tg::Site::here()) {
    BOOST_TEST(says(call, part));
    BOOST_TEST(says(call, tg::text(at)));
    BOOST_TEST(tape.size() == size);
  };
  check([&] { prod(x, 2); }, "prod: (2, 3): there is no axis 2");
  check([&] { min(x, {0, -2}); }, "min: (2, 3): axis -2 is named twice");
  check([&] { var(x, -3); }, "var: (2, 3): there is no axis -3");
  check([&] { tg::std(x, {1, 1}); }, "std: (2, 3): axis 1 is named twice");
  check([&] { norm(x, 2, 2); }, "norm: (2, 3): there is no axis 2");
  check([&] { norm(x, 1, {0, 0}); }, "norm: (2, 3): axis 0 is named twice");
  check([&] { norm(x, 3, {0, 1, 2}); }, "norm: (2, 3): 3 axes are named");
  check([&] { cumsum(x, 2); }, "cumsum: (2, 3): there is no axis 2");
  check([&] { argmax(x, 2); }, "argmax: (2, 3): there is no axis 2");
  check([&] { argmin(x, -3); }, "argmin: (2, 3): there is no axis -3");
  check([&] { tg::min_with_index(x, 5); }, "min_with_index: (2, 3): there is no axis 5");
  check([&] { min(none); }, "min: (2, 0): axis 1 is empty");
  check([&] { min(none, 1); }, "min: (2, 0): axis 1 is empty");
  check([&] { argmax(none); }, "argmax: (2, 0): the operand is empty");
  check([&] { argmin(none, -1); }, "argmin: (2, 0): axis 1 is empty");
  check([&] { tg::max_with_index(none, 1); }, "axis 1 is empty");
  check([&] { norm(none, infinity); }, "axis 1 is empty");
}

BOOST_AUTO_TEST_CASE(a_float_does_not_number_more_places_than_it_can_tell_apart) {
  Tape tape(tg::float32), wide;
  const Shape many{(1 << 24) + 1};
  BOOST_TEST(
      says([&] { argmax(tape.input(many)); }, "a float32 cannot tell 16777217 places apart"));
  BOOST_TEST(says([&] { argmax(tape.input(many)); }, line()));
  BOOST_TEST((argmax(wide.input(many)).shape() == Shape{}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
