// Elementwise functions against PyTorch, and against 400 digits of mpmath: values, first and second
// derivatives, at ordinary points and at extremes. Differences from PyTorch stand in one list, with
// our own numbers tested beside. What holds for every op is in catalogue_test.cpp, the singular
// points of the older ones in ops_test.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reference.hpp"
#include "refusal.hpp"
#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
using tg::Array, tg::Shape, tg::Tape, tg::Tensor;
using Numbers = std::vector<double>;
using Rows = std::vector<Numbers>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// A function of the vocabulary by its name: its op with these operands, for the rest the defaults.
Tensor call(const std::string& name, const std::vector<Tensor>& x) {
  if (name == "leaky_relu") return leaky_relu(x[0]);
  if (name == "elu") return elu(x[0]);
  if (name == "hardtanh") return hardtanh(x[0]);
  for (const tg::Op* op : tg::catalogue())
    if (op->name == name) return tg::record(*op, std::vector<tg::Arg>(x.begin(), x.end()));
  throw std::runtime_error("there is no function " + name);
}

/// Row i of a matrix; a vector is one column.
Numbers row(const Array& matrix, std::size_t i) {
  const Numbers all = matrix.values();
  const auto n = static_cast<std::ptrdiff_t>(matrix.shape()[1]);
  const auto start = all.begin() + static_cast<std::ptrdiff_t>(i) * n;
  return {start, start + n};
}
Rows rows(const Array& matrix) {
  Rows result;
  for (std::int64_t i = 0; i < matrix.shape()[0]; ++i)
    result.push_back(row(matrix, static_cast<std::size_t>(i)));
  return result;
}
/// The operands of a case: x itself, or the columns of its pairs.
Rows operands(const Array& x) {
  if (x.rank() == 1) return {x.values()};
  Rows columns(static_cast<std::size_t>(x.shape()[1]));
  for (const Numbers& pair : rows(x))
    for (std::size_t i = 0; i < pair.size(); ++i) columns[i].push_back(pair[i]);
  return columns;
}

/// Value, first and second derivatives, in the order of the data.
Rows derivatives(const std::string& name, const Rows& at, tg::Precision precision = tg::float64) {
  Tape tape(precision);
  std::vector<Tensor> x;
  for (const Numbers& values : at) x.push_back(tape.input(values));
  const Tensor y = call(name, x);
  Rows result = {y.values()};
  std::vector<Tensor> first(x.size());
  tg::gradients(sum(y), x, first);
  for (const Tensor& g : first) result.push_back(g.values());
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::vector<Tensor> second(x.size());
    tg::gradients(sum(first[i]) + 0 * (sum(x[0]) + sum(x.back())), x, second);
    for (std::size_t j = i; j < x.size(); ++j) result.push_back(second[j].values());
  }
  return result;
}

/// Where we differ from PyTorch on purpose: a row of a function at some operands, and our number.
struct Difference {
  std::string function;
  std::size_t row;  // 0 the value, then first and second derivatives
  Rows at;          // the operands, one or two
  double ours;
};

const std::vector<Difference>& differences() {
  static const std::vector<Difference> all = {
      // A NaN stays one, and does not become a slope (E17).
      {"sign", 0, {{not_a_number}}, not_a_number},
      {"abs", 1, {{not_a_number}}, not_a_number},
      {"elu", 1, {{not_a_number}}, not_a_number},
      {"elu", 2, {{not_a_number}}, not_a_number},
      {"selu", 1, {{not_a_number}}, not_a_number},
      {"selu", 2, {{not_a_number}}, not_a_number},
      // Of a NaN, the value is NaN and no slope is right.
      {"relu", 1, {{not_a_number}}, 0},
      {"hardtanh", 1, {{not_a_number}}, 0},
      // The limits, where PyTorch multiplies 0 by infinity or divides infinity by itself.
      {"atan", 2, {{infinity}, {-infinity}}, 0},
      {"erf", 2, {{infinity}, {-infinity}}, 0},
      {"erfc", 2, {{infinity}, {-infinity}}, 0},
      {"softsign", 1, {{infinity}, {-infinity}}, 0},
      {"softsign", 2, {{infinity}, {-infinity}}, 0},
      {"mish", 2, {{1000}}, 0},
      // Exact everywhere: from 20 on, PyTorch takes x for softplus.
      {"softplus", 2, {{20}}, 2.0611536139418e-9},
      // The slope at 0 is that of the left side, and so is its slope.
      {"elu", 2, {{0.0}, {-0.0}}, 1},
      {"selu", 2, {{0.0}, {-0.0}}, 1.0507009873554805 * 1.6732632423543772},
      // A clamp, whose slope is 1 on its bounds (E14).
      {"hardtanh", 1, {{1}, {-1}}, 1},
      // x^p at 0 (E6, E8): exactly 0 is the slope by x for p = 0, and by p for p >= 0.
      {"pow", 3, {{0, 0}}, 0},
      {"pow", 4, {{0, 0}}, 0},
      {"pow", 5, {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 0.5}}, 0},
      // The slope by p of p x^(p - 1) is 1 / x for p = 0, also where x^p is a constant.
      {"pow", 4, {{0.5, 0}}, 2},
      {"pow", 4, {{2, 0}}, 0.5},
      {"pow", 4, {{-3, 0}}, -1.0 / 3},
      {"pow", 4, {{infinity, 0}}, 0},
      // The length of a vector of zeros has the slope 0 (E3, E16).
      {"hypot", 1, {{0, 0}}, 0},
      {"hypot", 2, {{0, 0}}, 0},
      {"hypot", 3, {{0, 0}}, 0},
      {"hypot", 4, {{0, 0}}, 0},
      {"hypot", 5, {{0, 0}}, 0}};
  return all;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }
/// To a scale of at least 1, which is what differences of rounded numbers can be held to.
bool close(double a, double b, double tolerance) {
  return same(a, b) || std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b));
}

const Difference* difference(const std::string& function, std::size_t row, const Numbers& x) {
  for (const Difference& d : differences())
    if (d.function == function && d.row == row)
      for (const Numbers& at : d.at)
        if (std::equal(at.begin(), at.end(), x.begin(), x.end(), same)) return &d;
  return nullptr;
}

/// The operands of element i.
Numbers point(const Rows& x, std::size_t i) {
  Numbers result;
  for (const Numbers& operand : x) result.push_back(operand[i]);
  return result;
}

void report(std::size_t row, const Numbers& x, double found, double expected) {
  BOOST_ERROR(fmt::format("row {} at {}: {}, not {}", row, fmt::join(x, ", "), found, expected));
}

/// How much the rounding of the operands, each by its own size, may move a number of rows 0 to n.
double swing(const Rows& exact, std::size_t row, const Numbers& x, std::size_t i) {
  const std::vector<std::vector<std::size_t>> slopes =
      x.size() == 1 ? std::vector<std::vector<std::size_t>>{{1}, {2}}
                    : std::vector<std::vector<std::size_t>>{{1, 2}, {3, 4}, {4, 5}};
  double sum = 0;
  for (std::size_t k = 0; k < x.size(); ++k) sum += std::abs(x[k] * exact[slopes[row][k]][i]);
  return sum;
}

bool is_float(double x) { return static_cast<double>(static_cast<float>(x)) == x; }

/// Compares with the exact numbers: value and slopes to a few times what rounding the operands
/// does to them, second derivatives to a scale of 1.
void compare_with_exact(const ReferenceCase& c, tg::Precision precision) {
  const bool narrow = precision == tg::float32;
  const double unit = narrow ? 0x1p-23 : 0x1p-52, least = narrow ? 0x1p-149 : 0;
  const Rows x = operands(c["at"]), exact = rows(c["exact"]);
  const Rows found = derivatives(c.name, x, precision);
  // Their slopes hold a 1 - y or 1 - y^2, of a y that may round to 1.
  const std::set<std::string> rounded = {"sigmoid", "tanh", "silu", "mish"};
  const bool by_result = rounded.count(c.name) != 0;
  BOOST_TEST_REQUIRE(found.size() == exact.size());
  for (std::size_t i = 0; i < found[0].size(); ++i) {
    const Numbers at = point(x, i);
    if (narrow && !std::all_of(at.begin(), at.end(), is_float)) continue;
    for (std::size_t r = 0; r < found.size(); ++r) {
      const double a = found[r][i];
      const double b = narrow ? static_cast<double>(static_cast<float>(exact[r][i])) : exact[r][i];
      if (a == b) continue;
      const bool fine =
          r > x.size() || (by_result && r > 0)
              ? close(a, b, 100 * unit)
              : std::abs(a - b) <= 4 * unit * (std::abs(b) + swing(exact, r, at, i)) + least;
      if (!fine) report(r, at, a, b);
    }
  }
}

BOOST_AUTO_TEST_SUITE(functions)

BOOST_AUTO_TEST_CASE(values_and_two_derivatives_are_those_of_pytorch) {  // E1, E2, E6 to E8, E13
  for (const ReferenceCase& c : reference_cases("functions.txt")) BOOST_TEST_CONTEXT(c.name) {
      const Rows x = operands(c["x"]), theirs = rows(c["pytorch"]);
      const Rows found = derivatives(c.name, x);
      BOOST_TEST_REQUIRE(found.size() == theirs.size());
      for (std::size_t r = 0; r < found.size(); ++r)
        for (std::size_t i = 0; i < found[r].size(); ++i) {
          const Numbers at = point(x, i);
          const Difference* differs = difference(c.name, r, at);
          const double expected = differs != nullptr ? differs->ours : theirs[r][i];
          if (!close(found[r][i], expected, 1e-13)) report(r, at, found[r][i], expected);
        }
    }
}

BOOST_AUTO_TEST_CASE(every_difference_from_pytorch_is_one) {
  std::map<std::string, ReferenceCase> cases;
  for (const ReferenceCase& c : reference_cases("functions.txt")) cases[c.name] = c;
  for (const Difference& d : differences()) BOOST_TEST_CONTEXT(d.function << " row " << d.row) {
      const Rows x = operands(cases[d.function]["x"]), theirs = rows(cases[d.function]["pytorch"]);
      std::size_t found = 0;
      for (std::size_t i = 0; i < x[0].size(); ++i)
        if (difference(d.function, d.row, point(x, i)) == &d) {
          BOOST_TEST(!same(theirs[d.row][i], d.ours));
          ++found;
        }
      BOOST_TEST(found >= d.at.size());
    }
}

BOOST_AUTO_TEST_CASE(values_and_slopes_are_as_exact_as_their_operands) {
  for (const ReferenceCase& c : reference_cases("functions.txt")) {
    if (!c.has("exact")) continue;
    for (const tg::Precision precision : {tg::float64, tg::float32})
      BOOST_TEST_CONTEXT(c.name << (precision == tg::float32 ? " in float32" : " in float64"))
    compare_with_exact(c, precision);
  }
}

// ---------------------------------------------------------------- extremes

BOOST_AUTO_TEST_CASE(activations_become_straight_lines_far_out) {  // E15, G5, G6
  struct Ends {
    std::string name;
    double left, right;  // the slopes
  };
  constexpr double lambda = 1.0507009873554805;
  for (const auto& [name, left, right] :
       {Ends{"sigmoid", 0, 0}, Ends{"logsigmoid", 1, 0}, Ends{"softplus", 0, 1}, Ends{"relu", 0, 1},
        Ends{"leaky_relu", 0.01, 1}, Ends{"elu", 0, 1}, Ends{"selu", 0, lambda}, Ends{"gelu", 0, 1},
        Ends{"gelu_tanh", 0, 1}, Ends{"silu", 0, 1}, Ends{"mish", 0, 1}, Ends{"softsign", 0, 0},
        Ends{"hardtanh", 0, 0}, Ends{"tanh", 0, 0}, Ends{"erf", 0, 0}, Ends{"atan", 0, 0}})
    for (const tg::Precision precision : {tg::float32, tg::float64})
      for (const double far : {1e20, precision == tg::float32 ? 1e30 : 1e200})
        BOOST_TEST_CONTEXT(name << " at " << far) {
          const Rows y = derivatives(name, {{-far, far}}, precision);
          BOOST_TEST(close(y[0][0] / far, -left, 1e-7));
          BOOST_TEST(close(y[0][1] / far, right, 1e-7));
          BOOST_TEST(close(y[1][0], left, 1e-7));
          BOOST_TEST(close(y[1][1], right, 1e-7));
          BOOST_TEST(std::abs(y[2][0]) < 1e-30);
          BOOST_TEST(std::abs(y[2][1]) < 1e-30);
        }
}

BOOST_AUTO_TEST_CASE(activations_have_finite_derivatives_where_e_to_the_x_has_not) {  // E15
  for (const tg::Op* op : tg::activation_family()) BOOST_TEST_CONTEXT(op->name) {
      Rows x = {{-1000, -104, -88, -40, 40, 88, 89, 104, 1000}};
      if (op->sample.count == 2) x.push_back(Numbers(x[0].size(), 0.5));
      for (const tg::Precision precision : {tg::float32, tg::float64})
        for (const Numbers& numbers : derivatives(std::string(op->name), x, precision))
          for (double number : numbers) BOOST_TEST(std::isfinite(number));
    }
}

BOOST_AUTO_TEST_CASE(the_logarithm_of_a_sigmoid_is_exact_far_out_in_both_precisions) {  // G6
  for (const tg::Precision precision : {tg::float32, tg::float64}) {
    const Rows y = derivatives("logsigmoid", {{-1000, 1000, 0}}, precision);
    BOOST_TEST(y[0][0] == -1000);
    BOOST_TEST(y[0][1] == 0);
    BOOST_TEST(y[0][2] == -std::log(2.0), boost::test_tools::tolerance(1e-7));
    BOOST_TEST(y[1] == Numbers({1, 0, 0.5}));
    BOOST_TEST(y[2] == Numbers({0, 0, -0.25}));
  }
}

BOOST_AUTO_TEST_CASE(the_far_tail_of_gelu_keeps_its_digits) {
  // Mills: the tail of the normal law is phi(x) / x (1 - 1/x^2 + 3/x^4 - ...).
  const double x = 35, density = std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0));
  const double series = 1 - std::pow(x, -2) + 3 * std::pow(x, -4) - 15 * std::pow(x, -6);
  // As a ratio, for Boost.Test takes 0 for close to every small number.
  const double ratio = derivatives("gelu", {{-x}})[0][0] / (-density * series);
  BOOST_TEST(ratio == 1, boost::test_tools::tolerance(1e-9));
}

// ---------------------------------------------------------------- singular points

BOOST_AUTO_TEST_CASE(asin_and_acos_are_infinitely_steep_at_both_ends) {  // E16
  for (const tg::Precision precision : {tg::float32, tg::float64}) {
    const Rows asin = derivatives("asin", {{-1, 1}}, precision);
    const Rows acos = derivatives("acos", {{-1, 1}}, precision);
    BOOST_TEST(asin[1] == Numbers({infinity, infinity}));
    BOOST_TEST(acos[1] == Numbers({-infinity, -infinity}));
    BOOST_TEST(asin[2] == Numbers({-infinity, infinity}));
    BOOST_TEST(acos[2] == Numbers({infinity, -infinity}));
  }
}

BOOST_AUTO_TEST_CASE(angles_and_lengths_of_tiny_and_huge_points_have_their_slopes) {  // E16
  for (const double size : {1e-300, 1e300}) {
    const Rows angle = derivatives("atan2", {{3 * size}, {-4 * size}});  // of (-4, 3), length 5
    BOOST_TEST(close(angle[1][0] * size, -4.0 / 25, 1e-15));
    BOOST_TEST(close(angle[2][0] * size, -3.0 / 25, 1e-15));
    const Rows length = derivatives("hypot", {{3 * size}, {-4 * size}});
    BOOST_TEST(close(length[0][0] / size, 5, 1e-15));
    BOOST_TEST(close(length[1][0], 0.6, 1e-15));
    BOOST_TEST(close(length[2][0], -0.8, 1e-15));
  }
}

BOOST_AUTO_TEST_CASE(a_choice_hides_the_angle_of_no_direction) {  // E13
  Tape tape;
  const Tensor y = tape.input({0.0, 3.0}), x = tape.input({0.0, 4.0});
  const Tensor angle = atan2(y, x), chosen = where(equal(hypot(x, y), 0), 0, angle);
  BOOST_TEST(std::isnan(gradient(sum(angle), y).at(0)));
  const auto [gy, gx] = gradient(sum(chosen), y, x);
  BOOST_TEST(gy.at(0) == 0);
  BOOST_TEST(gx.at(0) == 0);
  BOOST_TEST(close(gy.at(1), 4.0 / 25, 1e-15));
  BOOST_TEST(close(gx.at(1), -3.0 / 25, 1e-15));
}

BOOST_AUTO_TEST_CASE(floor_is_a_step_function) {  // E1
  const Rows y = derivatives("floor", {{-1.5, -1, -0.0, 0.5, 2, 2.999, 1e300}});
  BOOST_TEST(y[0] == Numbers({-2, -1, 0, 0, 2, 2, 1e300}));
  BOOST_TEST(y[1] == Numbers(7));
}

BOOST_AUTO_TEST_CASE(elu_falls_to_minus_its_alpha) {  // E15
  Tape tape;
  const Tensor x = tape.input({-1000.0, -1.0, 0.0, 2.0, 1000.0}), alpha = tape.input(1.5);
  const Tensor y = elu(x, alpha);
  const auto [gx, g_alpha] = gradient(sum(y), x, alpha);
  BOOST_TEST(y.at(0) == -1.5);
  BOOST_TEST(y.at(1) == 1.5 * std::expm1(-1.0));
  BOOST_TEST(y.at(4) == 1000);
  BOOST_TEST(gx.at(2) == 1.5);  // of the left side
  BOOST_TEST(gx.at(4) == 1);
  BOOST_TEST(close(g_alpha.item(), -1 + std::expm1(-1.0), 1e-15));
}

// ---------------------------------------------------------------- bounds

BOOST_AUTO_TEST_CASE(one_bound_gives_the_slope_to_x_on_the_bound_and_to_the_bound_beyond) {  // E14
  Tape tape;
  const Tensor x = tape.input({-2.0, 1.0, 3.0, infinity, -infinity}), bound = tape.input(1.0);
  const Tensor above = clamp_min(x, bound), below = clamp_max(x, bound);
  BOOST_TEST(above.values() == Numbers({1, 1, 3, infinity, 1}));
  BOOST_TEST(below.values() == Numbers({-2, 1, 1, 1, -infinity}));
  const auto [ax, a_bound] = gradient(sum(above), x, bound);
  BOOST_TEST(ax.values() == Numbers({0, 1, 1, 1, 0}));
  BOOST_TEST(a_bound.item() == 2);
  const auto [bx, b_bound] = gradient(sum(below), x, bound);
  BOOST_TEST(bx.values() == Numbers({1, 1, 0, 0, 1}));
  BOOST_TEST(b_bound.item() == 2);
  BOOST_TEST(std::isnan(clamp_min(tape.input(not_a_number), 0).item()));
  BOOST_TEST(gradient(sum(ax), x).values() == Numbers(5));
}

BOOST_AUTO_TEST_CASE(functions_that_clamp_are_clamps) {
  Tape tape;
  const Tensor x = tape.input({-3.0, -0.5, 0.25, 3.0});
  BOOST_TEST(hardtanh(x).values() == clamp(x, -1, 1).values());
  BOOST_TEST(hardtanh(x, -0.25, 2).values() == clamp(x, -0.25, 2).values());
  BOOST_TEST(clamp_min(x, 0).values() == maximum(x, 0).values());
  BOOST_TEST(clamp_max(x, 0).values() == minimum(x, 0).values());
}

BOOST_AUTO_TEST_CASE(functions_that_clamp_blame_the_users_line) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0}), three = tape.input({1.0, 2.0, 3.0});
  const std::size_t size = tape.size();
  BOOST_TEST(says([&] { clamp_min(x, three); }, "clamp"));
  const std::string text = refusal([&] { hardtanh(x, three); }), here = line();
  BOOST_TEST(has(text, here), text);
  BOOST_TEST(has(text, "hardtanh"), text);
  BOOST_TEST(tape.size() == size);
}

// ---------------------------------------------------------------- numbers beside tensors

BOOST_AUTO_TEST_CASE(a_number_may_stand_in_any_place_beside_a_tensor) {
  Tape tape;
  const Tensor x = tape.input(0.5);
  BOOST_TEST(pow(2, x).item() == std::sqrt(2.0));
  BOOST_TEST(pow(x, 2).item() == 0.25);
  BOOST_TEST(atan2(1, x).item() == std::atan2(1, 0.5));
  BOOST_TEST(atan2(x, 1).item() == std::atan2(0.5, 1));
  BOOST_TEST(hypot(2, x).item() == std::hypot(2, 0.5));
  BOOST_TEST(hypot(x, 2).item() == std::hypot(0.5, 2));
  BOOST_TEST(maximum(2, x).item() == 2);
  BOOST_TEST(minimum(x, 2).item() == 0.5);
  BOOST_TEST(elu(-1, x).item() == 0.5 * std::expm1(-1.0));
  BOOST_TEST(leaky_relu(-2, x).item() == -1);
  BOOST_TEST(clamp(2, 0, x).item() == 0.5);
  BOOST_TEST(clamp_min(0, x).item() == 0.5);
  BOOST_TEST(clamp_max(2, x).item() == 0.5);
  BOOST_TEST(hardtanh(2, -1, x).item() == 0.5);
  BOOST_TEST(where(1, x, 3).item() == 0.5);
  BOOST_TEST((2 - x).item() == 1.5);
  BOOST_TEST((2 / x).item() == 4);
  BOOST_TEST((0 < x).item() == 1);
  BOOST_TEST(equal(0.5, x).item() == 1);
  BOOST_TEST(says([] { tg::atan2(1, 2); }, "numbers alone have no tape"));
  BOOST_TEST(says([] { tg::clamp_min(1, 2); }, "numbers alone have no tape"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
