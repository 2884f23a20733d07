// The number systems: every function in every system, against 55 digits by mpmath and against the
// standard library. That kernels agree in all of them is checked in catalogue_test.cpp.
#include "tapegrad/kernel/number.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tapegrad/kernel/number_systems.hpp"

namespace {

namespace tg = tapegrad;
using tg::Branch, tg::Number;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// ---------------------------------------------------------------- every function, by name

template <class T>
std::map<std::string, T (*)(const T&)> unary() {
  using namespace std;  // as kernels do: by name, for whatever T is
  return {
      {"negate", [](const T& x) -> T { return -x; }},
      {"abs", [](const T& x) -> T { return abs(x); }},
      {"floor", [](const T& x) -> T { return floor(x); }},
      {"sqrt", [](const T& x) -> T { return sqrt(x); }},
      {"exp", [](const T& x) -> T { return exp(x); }},
      {"expm1", [](const T& x) -> T { return expm1(x); }},
      {"log", [](const T& x) -> T { return log(x); }},
      {"log1p", [](const T& x) -> T { return log1p(x); }},
      {"log2", [](const T& x) -> T { return log2(x); }},
      {"sin", [](const T& x) -> T { return sin(x); }},
      {"cos", [](const T& x) -> T { return cos(x); }},
      {"tan", [](const T& x) -> T { return tan(x); }},
      {"asin", [](const T& x) -> T { return asin(x); }},
      {"acos", [](const T& x) -> T { return acos(x); }},
      {"atan", [](const T& x) -> T { return atan(x); }},
      {"sinh", [](const T& x) -> T { return sinh(x); }},
      {"cosh", [](const T& x) -> T { return cosh(x); }},
      {"tanh", [](const T& x) -> T { return tanh(x); }},
      {"erf", [](const T& x) -> T { return erf(x); }},
      {"erfc", [](const T& x) -> T { return erfc(x); }},
  };
}

template <class T>
std::map<std::string, T (*)(const T&, const T&)> binary() {
  using namespace std;
  return {
      {"add", [](const T& x, const T& y) -> T { return x + y; }},
      {"subtract", [](const T& x, const T& y) -> T { return x - y; }},
      {"multiply", [](const T& x, const T& y) -> T { return x * y; }},
      {"divide", [](const T& x, const T& y) -> T { return x / y; }},
      {"pow", [](const T& x, const T& y) -> T { return pow(x, y); }},
      {"atan2", [](const T& x, const T& y) -> T { return atan2(x, y); }},
  };
}

template <class T>
T call(const std::string& name, const std::vector<T>& x) {
  return x.size() == 1 ? unary<T>().at(name)(x[0]) : binary<T>().at(name)(x[0], x[1]);
}

// ---------------------------------------------------------------- 55 digits

/// -12e-5, by arithmetic in fifty digits.
Number read(const std::string& text) {
  const std::size_t e = text.find('e');
  Number x = tg::fifty_digits().number(0);
  for (const char c : text.substr(0, e))
    if (c != '-') x = 10 * x + (c - '0');
  for (int exponent = std::stoi(text.substr(e + 1)); exponent < 0; ++exponent) x /= 10;
  return text[0] == '-' ? -x : x;
}

/// |x - expected| / |expected|
double error(const Number& x, const Number& expected) {
  const Number off = abs(x - expected);
  return static_cast<double>(off == 0 ? off : off / abs(expected));
}

struct Reference {
  std::string name;
  std::vector<double> x;
  Number y;
  std::vector<Number> slopes;  // by each operand
};

std::string text(const Reference& r) {
  std::ostringstream out;
  out << r.name;
  for (const double x : r.x) out << " " << x;
  return out.str();
}

std::vector<Reference> references() {
  std::ifstream file(TAPEGRAD_TEST_DATA "/number.txt");
  std::vector<Reference> result;
  for (std::string line; std::getline(file, line);) {
    if (line[0] == '#') continue;
    std::istringstream words(line);
    Reference r;
    words >> r.name;
    r.x.resize(unary<double>().contains(r.name) ? 1 : 2);
    for (double& x : r.x) words >> x;
    std::string digits;
    words >> digits;
    r.y = read(digits);
    while (words >> digits) r.slopes.push_back(read(digits));
    result.push_back(std::move(r));
  }
  return result;
}

struct Systems {
  std::vector<Branch> log;
  tg::BranchNotes notes{log};
  std::map<std::string, const tg::NumberSystem*> all = {
      {"fifty digits", &tg::fifty_digits()},
      {"dual numbers", &tg::dual_numbers()},
      {"dual fifty digits", &tg::dual_fifty_digits()},
      {"complex step", &tg::complex_step()},
      {"branch notes", &notes},
  };
};

/// Calls f(system) for each, inside a context that says which.
template <class F>
void for_each_system(F f) {
  const Systems systems;
  for (const auto& [name, system] : systems.all) BOOST_TEST_CONTEXT(name) {
      f(*system);
    }
}

const std::vector<const tg::DualSystem*> dual_systems = {
    &tg::dual_numbers(), &tg::dual_fifty_digits(), &tg::complex_step()};

/// The derivative of f at x.
template <class F>
double slope(const tg::DualSystem& system, double x, F f) {
  return static_cast<double>(system.derivative(f(system.dual(x, 1))));
}

std::vector<Number> numbers(const tg::NumberSystem& system, const std::vector<double>& x) {
  std::vector<Number> result;
  for (const double each : x) result.push_back(system.number(each));
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(number)

// ---------------------------------------------------------------- values

BOOST_AUTO_TEST_CASE(every_function_has_references) {
  std::set<std::string> names, expected;
  for (const Reference& r : references()) names.insert(r.name);
  for (const auto& [name, f] : unary<double>()) expected.insert(name);
  for (const auto& [name, f] : binary<double>()) expected.insert(name);
  BOOST_TEST(names == expected, boost::test_tools::per_element());
  BOOST_TEST(names.size() == static_cast<std::size_t>(tg::Function::erfc) + 1);
}

BOOST_AUTO_TEST_CASE(fifty_digits_are_right_in_every_function) {
  for (const Reference& r : references())
    BOOST_TEST(error(call(r.name, numbers(tg::fifty_digits(), r.x)), r.y) < 1e-48, text(r));
}

BOOST_AUTO_TEST_CASE(the_nearest_double_is_that_of_the_standard_library_up_to_its_last_digits) {
  for (const Reference& r : references()) {
    const double expected = call(r.name, r.x);
    for_each_system([&](const tg::NumberSystem& system) {
      const auto y = static_cast<double>(call(r.name, numbers(system, r.x)));
      BOOST_TEST(std::abs(y - expected) <= 4e-16 * std::abs(expected), text(r));
    });
  }
}

BOOST_AUTO_TEST_CASE(a_step_too_small_for_doubles_is_seen_in_fifty_digits) {
  const tg::NumberSystem& fifty = tg::fifty_digits();
  const Number x = fifty.number(1), h = fifty.number(1e-20);
  BOOST_TEST(((x + h) - x == h));
  BOOST_TEST(static_cast<double>((exp(x + h) - exp(x)) / h) == std::exp(1),
             boost::test_tools::tolerance(1e-15));
  BOOST_TEST(((1 + Number(1e-20)) - 1 == 0), "two literals are doubles");
}

BOOST_AUTO_TEST_CASE(outside_its_domain_a_function_is_nan) {
  for_each_system([](const tg::NumberSystem& system) {
    const auto is_nan = [&](const char* name, std::vector<double> x) {
      BOOST_TEST(isnan(call(name, numbers(system, x))), name);
    };
    is_nan("sqrt", {-1});
    is_nan("log", {-1});
    is_nan("log1p", {-2});
    is_nan("log2", {-1});
    is_nan("asin", {2});
    is_nan("acos", {-2});
    is_nan("pow", {-2, 0.5});
    is_nan("divide", {0, 0});
    is_nan("subtract", {infinity, infinity});
    is_nan("atan2", {0, not_a_number});
    for (const auto& [name, f] : unary<double>()) is_nan(name.c_str(), {not_a_number});
    for (const auto& [name, f] : binary<double>()) {
      is_nan(name.c_str(), {not_a_number, 3});
      is_nan(name.c_str(), {3, not_a_number});
    }
  });
}

BOOST_AUTO_TEST_CASE(infinities_and_signed_zeros_are_those_of_doubles) {
  for_each_system([](const tg::NumberSystem& system) {
    const auto same = [&](const char* name, std::vector<double> x) {
      const auto y = static_cast<double>(call(name, numbers(system, x)));
      const double expected = call(name, x);
      BOOST_TEST(y == expected, name);
      BOOST_TEST(std::signbit(y) == std::signbit(expected), name);
    };
    for (const double x : {infinity, -infinity})
      for (const char* name : {"negate", "abs", "floor", "exp", "expm1", "atan", "sinh", "cosh",
                               "tanh", "erf", "erfc"})
        same(name, {x});
    for (const char* name : {"negate", "abs", "floor", "sqrt", "expm1", "log", "log1p", "log2",
                             "sin", "tan", "asin", "atan", "sinh", "tanh"})
      for (const double x : {0.0, -0.0}) same(name, {x});
    same("divide", {1, 0});
    same("divide", {1, -0.0});
    same("divide", {-3, infinity});
    same("multiply", {-0.0, 3});
    same("atan2", {0, -0.0});
    same("atan2", {-0.0, -0.0});
    same("pow", {0, 0});
    same("pow", {0, -2});
    same("pow", {-2, 3});
    same("pow", {-2, -2});
    same("pow", {infinity, -1});
  });
}

BOOST_AUTO_TEST_CASE(numbers_and_literals_are_ordered_by_value) {
  for_each_system([](const tg::NumberSystem& system) {
    const Number one = system.number(1), two = system.number(2);
    BOOST_TEST((one < two && two > one && one <= two && one != two && !(one >= two)));
    BOOST_TEST((one < 2 && 1 < two && one == 1 && 2 == two && one <= 1 && one >= 1));
    const Number none = system.number(not_a_number);
    BOOST_TEST(!(none < 1 || none > 1 || none == 1 || none == none || 1 < none || one >= none));
    BOOST_TEST((isnan(none) && !isnan(one)));
    BOOST_TEST((system.number(-0.0) == 0));
    BOOST_TEST((isfinite(one) && !isfinite(none) && !isfinite(system.number(-infinity))));
    BOOST_TEST((system.number(infinity) == std::numeric_limits<Number>::infinity()));
    BOOST_TEST(static_cast<int>(system.number(-2.75)) == -2);
    BOOST_TEST(system.value(system.number(0.1)) == 0.1);
    BOOST_TEST(system.value(system.number(5e-324)) == 5e-324);
  });
}

// ---------------------------------------------------------------- derivatives

BOOST_AUTO_TEST_CASE(derivatives_are_right_in_every_function_by_every_operand) {
  for (const Reference& r : references())
    for (std::size_t i = 0; i < r.x.size(); ++i)
      for (const tg::DualSystem* system : dual_systems) {
        std::vector<Number> x = numbers(*system, r.x);
        x[i] = system->dual(r.x[i], 1);
        const bool fifty = system == &tg::dual_fifty_digits();
        const double off = error(system->derivative(call(r.name, x)), r.slopes[i]);
        BOOST_TEST(off <= (fifty ? 1e-47 : 2e-15), text(r) << " by operand " << i);
      }
}

BOOST_AUTO_TEST_CASE(derivatives_go_through_functions_of_functions) {
  for (const tg::DualSystem* system : dual_systems)
    for (const double x : {-1.5, 0.25, 3.0}) {
      // d/dx sin(x^2) / (1 + e^x) + (x + 1)^3
      const double found = slope(*system, x, [](const Number& at) {
        return sin(at * at) / (1 + exp(at)) + pow(at + 1, 3);
      });
      const double s = 1 + std::exp(x);
      const double expected = 2 * x * std::cos(x * x) / s -
                              std::sin(x * x) * std::exp(x) / (s * s) + 3 * (x + 1) * (x + 1);
      BOOST_TEST(found == expected, boost::test_tools::tolerance(1e-14));
    }
}

BOOST_AUTO_TEST_CASE(an_angle_has_derivatives_on_both_axes) {
  for (const tg::DualSystem* system : dual_systems) {
    BOOST_TEST(slope(*system, 0, [](const Number& x) { return atan2(2, x); }) == -0.5);
    BOOST_TEST(slope(*system, 0, [](const Number& y) { return atan2(y, -2); }) == -0.5);
  }
}

BOOST_AUTO_TEST_CASE(branches_are_chosen_by_value_and_derived_as_chosen) {
  const auto leaky = [](const Number& x) { return x > 0 ? x : 0.25 * x; };
  for (const tg::DualSystem* system : dual_systems) {
    BOOST_TEST(slope(*system, 2, leaky) == 1.0, boost::test_tools::tolerance(1e-15));
    BOOST_TEST(slope(*system, -2, leaky) == 0.25, boost::test_tools::tolerance(1e-15));
    const auto magnitude = [](const Number& x) { return abs(x); };
    BOOST_TEST(slope(*system, -2, magnitude) == -1.0, boost::test_tools::tolerance(1e-15));
    BOOST_TEST(slope(*system, 0, magnitude) == 0.0);
    BOOST_TEST(slope(*system, 2.5, [](const Number& x) { return floor(x); }) == 0.0);
    BOOST_TEST((system->dual(1, 5) == 1));
    BOOST_TEST((system->dual(1, 5) < system->dual(2, -5)));
  }
}

BOOST_AUTO_TEST_CASE(a_derivative_of_zero_stays_zero_where_a_slope_is_infinite) {
  for (const tg::DualSystem* system : dual_systems) {
    const Number zero = system->number(0);
    for (const Number& y : {sqrt(zero), log(zero), 1 / zero, pow(zero, 0.5)})
      BOOST_TEST((system->derivative(y) == 0));
    BOOST_TEST((system->derivative(system->dual(0, 1) * system->number(2)) == 2));
    BOOST_TEST((system->derivative(infinity * system->dual(3, 0)) == 0));
  }
  BOOST_TEST(slope(tg::dual_numbers(), 0, [](const Number& x) { return sqrt(x); }) == infinity);
}

BOOST_AUTO_TEST_CASE(where_a_value_is_nan_its_derivative_is_nan_unless_nothing_moves) {
  const auto logarithm = [](const Number& x) { return log(x); };
  const auto root = [](const Number& x) { return pow(x, 0.5); };
  const auto quotient = [](const Number& x) { return x / 0.0; };
  for (const tg::DualSystem* system : dual_systems) {
    BOOST_TEST(std::isnan(slope(*system, -1, logarithm)));
    BOOST_TEST(std::isnan(slope(*system, -1, root)));
    BOOST_TEST(std::isnan(slope(*system, 0, quotient)));
    BOOST_TEST((system->derivative(logarithm(system->number(-1))) == 0));
    BOOST_TEST((system->derivative(root(system->number(-1))) == 0));
  }
}

BOOST_AUTO_TEST_CASE(a_negative_base_has_a_derivative_if_its_power_is_whole) {
  for (const tg::DualSystem* system : dual_systems) {
    const auto at = [&](double x, double y) {
      return slope(*system, x, [&](const Number& base) { return pow(base, y); });
    };
    BOOST_TEST(at(-2, 3) == 12.0, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(at(-2, -2) == 0.25, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(at(0, 1) == 1.0, boost::test_tools::tolerance(1e-13));
    BOOST_TEST(std::abs(at(0, 2)) < 1e-30);
    BOOST_TEST(at(-3, 0) == 0.0);
    BOOST_TEST(at(0, 0) == 0.0);
  }
}

// ---------------------------------------------------------------- branches

BOOST_AUTO_TEST_CASE(the_choice_that_switched_is_found_in_two_logs) {
  const auto logged = [](double x) {
    std::vector<Branch> log;
    const tg::BranchNotes notes(log);
    const Number at = notes.number(x);
    const Number hinge = at < 5 ? at : 5 + 0 * at, bent = hinge > 1 ? hinge * hinge : 2 * hinge;
    BOOST_TEST(notes.value(bent) == (x > 1 ? x * x : 2 * x));
    return log;
  };
  const std::vector<Branch> below = logged(0.75), above = logged(1.5), further = logged(2);
  BOOST_TEST_REQUIRE(below.size() == 2u);
  BOOST_TEST_REQUIRE(above.size() == 2u);
  BOOST_TEST(below[0].same_way(above[0]));
  BOOST_TEST(!below[1].same_way(above[1]));
  BOOST_TEST((below[1].by == Branch::By::order));
  BOOST_TEST(below[1].x == 0.75);
  BOOST_TEST(below[1].y == 1.0);
  BOOST_TEST(below[1].outcome == -1.0);
  BOOST_TEST(above[1].outcome == 1.0);
  for (std::size_t i = 0; i < 2; ++i) BOOST_TEST(above[i].same_way(further[i]));
}

BOOST_AUTO_TEST_CASE(each_kind_of_choice_is_noted_and_nothing_else) {
  std::vector<Branch> log;
  const tg::BranchNotes notes(log);
  const auto noted = [&](double x, auto f) {
    log.clear();
    f(notes.number(x));
    BOOST_TEST_REQUIRE(log.size() == 1u);
    BOOST_TEST((log[0].x == x || std::isnan(x)));
    return log[0];
  };
  const auto sign = [](const Number& x) { abs(x); };
  BOOST_TEST((noted(2, sign).by == Branch::By::sign));
  BOOST_TEST(noted(2, sign).outcome == 1.0);
  BOOST_TEST(noted(-2, sign).outcome == -1.0);
  BOOST_TEST(noted(0, sign).outcome == 0.0);
  const auto whole = [](const Number& x) { floor(x); };
  BOOST_TEST((noted(-2.5, whole).by == Branch::By::floor));
  BOOST_TEST(noted(-2.5, whole).outcome == -3.0);
  const auto zero = [](const Number& x) { return x == 0; };
  BOOST_TEST((noted(1, zero).by == Branch::By::equality));
  BOOST_TEST(noted(1, zero).same_way(noted(-1, zero)), "the sign was not asked for");
  BOOST_TEST(!noted(1, zero).same_way(noted(0, zero)));
  const auto finite = [](const Number& x) { return isfinite(x); };
  BOOST_TEST((noted(1, finite).by == Branch::By::finiteness));
  BOOST_TEST(!noted(1, finite).same_way(noted(infinity, finite)));
  const auto positive = [](const Number& x) { return x > 0; };
  BOOST_TEST(noted(not_a_number, positive).same_way(noted(not_a_number, positive)));
  BOOST_TEST(!noted(not_a_number, positive).same_way(noted(-1, positive)));
  log.clear();
  const Number x = notes.number(3);
  BOOST_TEST(notes.value(sqrt(x * x - 2 / x)) == std::sqrt(9 - 2.0 / 3));
  BOOST_TEST((Number(1) < 2 && abs(Number(-1)) == 1));
  BOOST_TEST(log.empty(), "arithmetic and literals choose nothing");
}

// ---------------------------------------------------------------- ownership

BOOST_AUTO_TEST_CASE(copies_share_a_value_and_the_last_one_frees_it) {
  static int alive;
  alive = 0;
  struct Counted : Number::Value {
    Counted() : Value(tg::fifty_digits()) { ++alive; }
    ~Counted() override { --alive; }
  };
  {
    const auto* value = new Counted;
    Number x(value);
    std::vector<Number> many(3, x);
    many.insert(many.begin(), 20, Number(2));
    many.erase(many.begin() + 1, many.end() - 1);
    BOOST_TEST(many.back().value() == value);
    Number& same = x;
    x = same;
    std::swap(x, many[0]);
    BOOST_TEST(x.value() == nullptr);
    BOOST_TEST(x.literal() == 2.0);
    BOOST_TEST(alive == 1);
    Number moved = std::move(many[0]);
    many.clear();
    BOOST_TEST(moved.value() == value);
    BOOST_TEST(alive == 1);
    moved = 3;
    BOOST_TEST(alive == 0);
    BOOST_TEST(moved.literal() == 3.0);
    x = Number(new Counted);
    BOOST_TEST(alive == 1);
  }
  BOOST_TEST(alive == 0);
}

BOOST_AUTO_TEST_SUITE_END()
