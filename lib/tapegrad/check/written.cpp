#include "tapegrad/check/written.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

namespace tapegrad {
namespace {

constexpr int least_digits = 2, enough_digits = 3;
constexpr int most_float_digits = 9;

struct Decimal {
  int digits, exponent;  // 0.1385: 4, -1
};

template <class T>
Decimal shortest(T number) {
  char buffer[64];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(number), std::chars_format::scientific)
          .ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const std::size_t e = text.find('e');
  const auto digits =
      static_cast<int>(std::count_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(e),
                                     [](char c) { return c != '.'; }));
  int exponent = 0;
  const std::string_view power = text.substr(e + (text[e + 1] == '+' ? 2 : 1));
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  return {std::max(digits, std::min(exponent, 15) + 1), exponent};  // 1250 has four
}

double unit(int exponent, int digits) { return std::pow(10.0, exponent - digits + 1); }

}  // namespace

Written written(const Array& numbers, int digits) {
  const std::vector<double> values = numbers.values();
  // Numbers that came through a float have its digits, not the longer ones of the same double.
  const bool floats = std::all_of(values.begin(), values.end(), [](double number) {
    return static_cast<double>(static_cast<float>(number)) == number;
  });
  std::vector<Decimal> decimals;
  Written result;
  for (const double number : values) {
    Decimal decimal = shortest(number);
    if (floats && decimal.digits > most_float_digits)
      decimal = shortest(static_cast<float>(number));
    if (digits != 0) decimal.digits = digits;
    decimal.digits = std::max(decimal.digits, least_digits);
    decimals.push_back(decimal);
    if (number != 0) result.digits = std::max(result.digits, decimal.digits);
  }
  double finest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != 0) finest = std::min(finest, unit(decimals[i].exponent, decimals[i].digits));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto [own_digits, exponent] = decimals[i];
    if (values[i] == 0)
      result.units.push_back(std::isfinite(finest) ? finest : 0);
    else
      result.units.push_back(
          std::min(unit(exponent, own_digits),
                   std::max(finest, unit(exponent, std::min(result.digits, enough_digits)))));
  }
  return result;
}

}  // namespace tapegrad
