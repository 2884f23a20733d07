// Numbers that remember how they were computed, and how they are written down.
#include "tapegrad/explain/spell.hpp"

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arithmetic.hpp"
#include "tapegrad/kernel/symbols.hpp"

namespace {

namespace tg = tapegrad;
using tg::Number;

std::string letter(std::uint32_t i) { return std::string(1, static_cast<char>('a' + i)); }

tg::Spelled spelled(const Number& x, bool numbers, int digits = 6, std::size_t terms = 1000) {
  tg::SpellOptions options;
  options.name = letter;
  options.numbers = numbers;
  options.digits = digits;
  options.terms = terms;
  return tg::spell(x, options);
}
std::string names(const Number& x) { return spelled(x, false).formula; }
std::string numbers(const Number& x) { return spelled(x, true).formula; }

struct Letters {
  Number a = tg::symbol(0, 2), b = tg::symbol(1, 3), c = tg::symbol(2, -0.5),
         d = tg::symbol(3, 1.0 / 3);
};

BOOST_AUTO_TEST_SUITE(spell)

BOOST_AUTO_TEST_CASE(numbers_are_printed_with_as_many_digits_as_they_need) {
  const std::pair<double, const char*> six[] = {{0.05, "0.05"},
                                                {0.1 + 0.2, "0.3"},
                                                {1, "1"},
                                                {-0.0, "0"},
                                                {1.0 / 3, "0.333333"},
                                                {2.0 / 3e-10, "6.66667e+09"},
                                                {0.5932699921, "0.593270"},
                                                {123456, "123456"},
                                                {1234567, "1.23457e+06"},
                                                {-1e-300, "-1e-300"},
                                                {999999.5, "1.00000e+06"},
                                                {std::nan(""), "nan"},
                                                {-std::nan(""), "nan"},
                                                {INFINITY, "inf"},
                                                {-INFINITY, "-inf"}};
  for (const auto& [number, text] : six) BOOST_TEST(tg::number_text(number, 6) == text);
  BOOST_TEST(tg::number_text(1.0 / 3, 1) == "0.3");
  BOOST_TEST(tg::number_text(1.0 / 3, 17) == "0.3333333333333333");
  BOOST_TEST(tg::number_text(150, 1) == "2e+02");
}

BOOST_AUTO_TEST_CASE(a_difference_is_as_noisy_as_what_it_is_a_difference_of) {
  BOOST_TEST(tg::number_text(1.44 - 1.6, 6, 1) == "-0.16");
  BOOST_TEST(tg::number_text(0.3 - 0.1 - 0.2, 6, 0.3) == "0");
  BOOST_TEST(tg::number_text(0.3 - 0.1 - 0.2, 6) == "-2.77556e-17");
}

BOOST_AUTO_TEST_CASE(what_a_reader_would_not_write_is_left_out) {
  const auto [a, b, c, d] = Letters{};
  BOOST_TEST(names(1 * a) == "a");
  BOOST_TEST(names(a + 0) == "a");
  BOOST_TEST(names(0 * a) == "0");
  BOOST_TEST(names(-(-a)) == "a");
  BOOST_TEST(names(a - a) == "0");
  BOOST_TEST(names(a * a) == "a^2");
  BOOST_TEST(names(2 * (0.5 * a)) == "a");
  BOOST_TEST(names(0.5 * (2 * a) * b) == "a * b");
  BOOST_TEST(names(a * -1) == "-a");
  BOOST_TEST(names(a * (1 / b)) == "a / b");
  BOOST_TEST(names((1 / b) * a) == "a / b");
  BOOST_TEST(names(3 * (2 / b)) == "6 / b");
  BOOST_TEST(names(a / 1) == "a");
  BOOST_TEST(names(0 / a) == "0");
  BOOST_TEST(names(a + (1 - 1)) == "a");
  BOOST_TEST(names((a + 1) + b - 1) == "a + b");
  BOOST_TEST(names((1 + a) + (b - 1)) == "a + b");
}

BOOST_AUTO_TEST_CASE(signs_and_brackets_stand_where_they_must) {
  const auto [a, b, c, d] = Letters{};
  BOOST_TEST(names(a - b) == "a - b");
  BOOST_TEST(names(a + -b) == "a - b");
  BOOST_TEST(names(a - -b) == "a + b");
  BOOST_TEST(names(-a + b) == "b - a");
  BOOST_TEST(names(-(a + b)) == "-a - b");
  BOOST_TEST(names(a - (b - c)) == "a - b + c");
  BOOST_TEST(names((a + b) * c) == "(a + b) * c");
  BOOST_TEST(names(-(a * b)) == "-a * b");
  BOOST_TEST(names(a * (-b)) == "-a * b");
  BOOST_TEST(names(a / (b * c)) == "a / (b * c)");
  BOOST_TEST(names(a / (b / c)) == "a / (b / c)");
  BOOST_TEST(names((a - b) / c) == "(a - b) / c");
  BOOST_TEST(names(-(a / b)) == "-a / b");
  BOOST_TEST(names(exp(-a)) == "exp(-a)");
  BOOST_TEST(names(pow(a + b, 2)) == "(a + b)^2");
  BOOST_TEST(names(pow(pow(a, 2), 3)) == "(a^2)^3");
  BOOST_TEST(names(pow(a, -b)) == "a^(-b)");
  BOOST_TEST(names(abs(a - b)) == "|a - b|");
  BOOST_TEST(names(2 - a) == "2 - a");
  BOOST_TEST(numbers(a * c) == "2 * (-0.5)");
  BOOST_TEST(numbers(c * a) == "(-0.5) * 2");
  BOOST_TEST(numbers(a + c) == "2 + (-0.5)");
  BOOST_TEST(numbers(c + a) == "2 + (-0.5)");
  BOOST_TEST(numbers(a - c) == "2 - (-0.5)");
  BOOST_TEST(numbers(pow(c, 2)) == "(-0.5)^2");
  BOOST_TEST(numbers(exp(c)) == "exp(-0.5)");
  BOOST_TEST(numbers(exp(-c)) == "exp(-(-0.5))");
  BOOST_TEST(numbers(-c) == "-(-0.5)");
  BOOST_TEST(numbers(1 - pow(c, 2)) == "1 - (-0.5)^2");
  BOOST_TEST(numbers(d * d) == "0.333333^2");
}

BOOST_AUTO_TEST_CASE(terms_stand_in_the_order_of_their_symbols_and_the_smallest_are_put_together) {
  const auto [a, b, c, d] = Letters{};
  BOOST_TEST(names(d + c + b + a) == "a + b + c + d");
  const tg::Spelled two = spelled(d + c + b + a, false, 6, 2);
  BOOST_TEST(two.formula == "a + b - 0.166667");
  BOOST_TEST(two.left_out == 2U);
  tg::SpellOptions options;
  options.name = letter;
  options.terms = 2;
  options.kept = [](std::uint32_t i) { return i == 3; };
  BOOST_TEST(tg::spell(d + c + b + a, options).formula == "b + d + 1.5");
}

/// Any formula of some letters, and its value by the rules of arithmetic.
struct Any {
  explicit Any(std::uint32_t seed) : choose{seed} {
    for (std::uint32_t i = 0; i < 4; ++i) {
      values.push_back(std::uniform_real_distribution<double>(-2, 2)(choose));
      if (i == 3) values[i] = std::round(values[i]);
      letters.push_back(tg::symbol(i, values[i]));
    }
    x = any(4);
  }
  Number any(int depth) {
    if (depth == 0 || choose() % 8 == 0) {
      const auto i = choose() % 6;
      if (i < 4) return letters[i];
      return i == 4 ? Number(static_cast<double>(choose() % 5) - 2) : Number(0.25);
    }
    const auto f = choose() % 12;
    const Number a = any(depth - 1);
    if (f == 0) return -a;
    if (f == 1) return exp(-abs(a));
    if (f == 2) return tanh(a);
    if (f == 3) return pow(a, 2);
    if (f == 4) return abs(a);
    const Number b = any(depth - 1);
    if (f < 7) return a + b;
    if (f < 9) return a - b;
    if (f < 11) return a * b;
    return a / (1 + b * b);
  }
  std::mt19937 choose;
  std::vector<double> values;
  std::vector<Number> letters;
  Number x;
};

BOOST_AUTO_TEST_CASE(any_formula_means_what_was_computed) {
  int read = 0;
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    const Any any(seed);
    const double value = tg::value_of(any.x);
    if (!std::isfinite(value)) continue;
    // With letters: each is put as a number in brackets.
    const std::string formula = spelled(any.x, false, 17).formula + " ";
    std::string with_values;
    for (std::size_t i = 0; i < formula.size(); ++i) {
      const bool in_word =
          (i > 0 && std::isalnum(static_cast<unsigned char>(formula[i - 1])) != 0) ||
          std::isalnum(static_cast<unsigned char>(formula[i + 1])) != 0;
      if (formula[i] >= 'a' && formula[i] <= 'd' && !in_word)
        with_values +=
            fmt::format("({:.17g})", any.values[static_cast<std::size_t>(formula[i] - 'a')]);
      else
        with_values += formula[i];
    }
    const double scale = std::max(1.0, std::abs(value));
    BOOST_TEST(std::abs(evaluate_text(with_values).value() - value) <= 1e-12 * scale,
               seed << ": " << formula << " is not " << value);
    // With numbers: as printed, it has the value that it says it has.
    const tg::Spelled printed = spelled(any.x, true, 4);
    BOOST_TEST(std::abs(evaluate_text(printed.formula).value() - printed.value) <=
                   1e-12 * std::max(1.0, std::abs(printed.value)),
               seed << ": " << printed.formula << " is not " << printed.value);
    ++read;
  }
  BOOST_TEST(read > 2500);
}

BOOST_AUTO_TEST_CASE(a_sum_may_be_as_long_as_it_likes) {
  Number sum = 0;
  double value = 0;
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    sum += tg::symbol(i, 1.0 / (1 + i));
    value += 1.0 / (1 + i);
  }
  const tg::Spelled s = spelled(sum, true, 6, 3);
  BOOST_TEST(s.left_out == 999'997U);
  BOOST_TEST(s.formula == "1 + 0.5 + 0.333333 + " + tg::number_text(value - 1 - 0.5 - 1.0 / 3, 6));
}

BOOST_AUTO_TEST_CASE(the_rest_of_a_sum_is_written_even_if_it_is_nothing) {
  const Number zero = tg::symbol(1, 0.0);
  const tg::Spelled s = spelled(tg::symbol(0, 2.0) + zero * tg::symbol(2, 3.0), false, 6, 1);
  BOOST_TEST(s.left_out == 1U);
  BOOST_TEST(s.formula == "a + 0");
}

BOOST_AUTO_TEST_CASE(functions_may_nest_as_deep_as_they_like) {
  Number x = tg::symbol(0, 0.5);
  for (int i = 0; i < 1'000'000; ++i) x = sin(x);
  BOOST_TEST(names(x).size() < 10'000U);
}

BOOST_AUTO_TEST_CASE(products_of_symbols_are_told_apart_from_other_sums) {
  const auto [a, b, c, d] = Letters{};
  using Products = std::vector<std::vector<std::uint32_t>>;
  BOOST_TEST((tg::products_of_symbols(a * b + c * d) == Products{{0, 1}, {2, 3}}));
  BOOST_TEST((tg::products_of_symbols(a) == Products{{0}}));
  BOOST_TEST(tg::products_of_symbols(a * b - c * d).empty());
  BOOST_TEST(tg::products_of_symbols(a * b + 2 * c).empty());
  BOOST_TEST(tg::products_of_symbols(a * b + exp(c)).empty());
}

BOOST_AUTO_TEST_CASE(branches_are_chosen_by_value) {
  const auto [a, b, c, d] = Letters{};
  BOOST_TEST(names(a < b ? a : b) == "a");
  BOOST_TEST((c < 0));
  BOOST_TEST((a == 2.0));
  BOOST_TEST(isnan(tg::symbol(0, std::nan(""))));
  BOOST_TEST(static_cast<double>(a * b + c) == 5.5);
  // 0 times what is not finite is no 0.
  BOOST_TEST(std::isnan(tg::value_of(0 * tg::symbol(0, INFINITY))));
  BOOST_TEST(std::isnan(tg::value_of(tg::symbol(0, INFINITY) - tg::symbol(1, INFINITY))));
  const Number inf = tg::symbol(0, INFINITY);
  BOOST_TEST(std::isnan(tg::value_of(inf - inf)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
