#include "tapegrad/base/print.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>
#include <ostream>
#include <string_view>
#include <vector>

namespace tapegrad {
namespace {

// A finite number in decimal digits: integer.fraction, or integer.fraction x 10^exponent.
struct Decimal {
  std::string integer;   // with the sign if negative, of -0.0 too
  std::string fraction;  // without zeros at its end
  int exponent = 0;
};

constexpr int all_digits = std::numeric_limits<int>::max();

// Cuts "-1.250e+07" into its parts.
Decimal parsed(std::string_view written) {
  const std::size_t e = std::min(written.find('e'), written.size());
  const std::size_t point = std::min(written.find('.'), e);
  Decimal result;
  result.integer = written.substr(0, point);
  if (point < e) result.fraction = written.substr(point + 1, e - point - 1);
  result.fraction.erase(result.fraction.find_last_not_of('0') + 1);
  if (e < written.size()) {
    const bool plus = written[e + 1] == '+';  // from_chars refuses it
    std::from_chars(written.data() + e + 1 + plus, written.data() + written.size(),
                    result.exponent);
  }
  return result;
}

// The shortest digits that read back as x; where those are more than `precision` after the point,
// x itself rounded to that many (not its shortest digits: that would be rounding twice).
// Where they are fewer than `at_least`, more digits of x itself and not zeros, as in NumPy.
template <class T>
Decimal scientific(T x, int precision, int at_least = 0) {
  std::array<char, 64> buffer;
  char* const end = buffer.data() + buffer.size();
  const auto write = [&](auto... how) {
    return parsed({buffer.data(), std::to_chars(buffer.data(), end, x, how...).ptr});
  };
  Decimal result = write(std::chars_format::scientific);
  if (std::ssize(result.fraction) > precision)
    result = write(std::chars_format::scientific, precision);
  else if (std::ssize(result.fraction) < at_least)
    result = write(std::chars_format::scientific, at_least);
  return result;
}

// The same without an exponent; places left of the point count as negative ones.
// Precondition: |x| < 1e16, so that the buffer is long enough.
template <class T>
Decimal positional(T x, int precision, int at_least) {
  Decimal result = scientific(x, all_digits);
  const std::ptrdiff_t places = std::ssize(result.fraction) - result.exponent;
  if (places > precision || places < at_least) {
    std::array<char, 64> buffer;
    const auto written =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), x, std::chars_format::fixed,
                      places > precision ? precision : at_least);
    return parsed({buffer.data(), written.ptr});
  }
  // Move the point.
  const std::size_t shift = static_cast<std::size_t>(std::abs(result.exponent));
  if (result.exponent >= 0) {
    if (result.fraction.size() < shift) result.fraction.resize(shift, '0');
    result.integer += result.fraction.substr(0, shift);
    result.fraction.erase(0, shift);
  } else {
    result.fraction = std::string(shift - 1, '0') + result.integer.back() + result.fraction;
    result.integer.back() = '0';
  }
  return result;
}

// "+08", "-123".
std::string exponent_text(int exponent, int digits) {
  return fmt::format("{:+0{}}", exponent, digits + 1);
}

template <class T>
std::string not_finite(T x) {
  return std::isnan(x) ? "nan" : x < 0 ? "-inf" : "inf";
}

// One number on its own, as NumPy prints a scalar: 0.5, 3.0, 1e+20.
template <class T>
std::string number(T x, int precision) {
  if (!std::isfinite(x)) return not_finite(x);
  const double size = std::abs(static_cast<double>(x));
  if (size == 0 || (size < 1e16 && size >= 1e-4)) {
    const Decimal d = positional(x, precision, -all_digits);  // 86806940.0, filled up with zeros
    return fmt::format("{}.{}", d.integer, d.fraction.empty() ? "0" : d.fraction);
  }
  const Decimal d = scientific(x, precision);
  return fmt::format("{}{}{}e{}", d.integer, d.fraction.empty() ? "" : ".", d.fraction,
                     exponent_text(d.exponent, 2));
}

// Whether plain digits would be too long or too uneven for these numbers.
template <class T>
bool wants_exponents(const std::vector<T>& numbers) {
  T largest = 0, smallest = std::numeric_limits<T>::infinity();
  for (T x : numbers) {
    if (!std::isfinite(x) || x == 0) continue;
    largest = std::max(largest, std::abs(x));
    smallest = std::min(smallest, std::abs(x));
  }
  if (largest == 0) return false;
  return static_cast<double>(largest) >= 1e8 || static_cast<double>(smallest) < 1e-4 ||
         largest / smallest > T{1000};  // in T, as NumPy divides
}

// The numbers as words of one width, points under points.
template <class T>
std::vector<std::string> aligned(const std::vector<T>& numbers, int precision) {
  const bool exponents = wants_exponents(numbers);
  std::vector<Decimal> decimals(numbers.size());
  std::size_t integer = 0, fraction = 0, not_finite_width = 0;
  int exponent_digits = 2;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!std::isfinite(numbers[i])) {
      not_finite_width = std::max(not_finite_width, not_finite(numbers[i]).size());
      continue;
    }
    Decimal& d = decimals[i];
    d = exponents ? scientific(numbers[i], precision)
                  : positional(numbers[i], precision, 0);  // 86806944.
    integer = std::max(integer, d.integer.size());
    fraction = std::max(fraction, d.fraction.size());
    if (std::abs(d.exponent) >= 100) exponent_digits = 3;
  }
  const std::size_t right =
      fraction + (exponents ? 2 + static_cast<std::size_t>(exponent_digits) : 0);
  if (not_finite_width > right + 1) integer = std::max(integer, not_finite_width - right - 1);

  std::vector<std::string> words;
  words.reserve(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!std::isfinite(numbers[i])) {
      words.push_back(fmt::format("{:>{}}", not_finite(numbers[i]), integer + 1 + right));
    } else if (exponents) {
      const Decimal d = scientific(numbers[i], precision, static_cast<int>(fraction));
      words.push_back(fmt::format("{:>{}}.{:0<{}}e{}", d.integer, integer, d.fraction, fraction,
                                  exponent_text(d.exponent, exponent_digits)));
    } else {
      const Decimal& d = decimals[i];
      words.push_back(fmt::format("{:>{}}.{:<{}}", d.integer, integer, d.fraction, fraction));
    }
  }
  return words;
}

// Visits the indices of an axis that are shown; `gap` stands for those left out between the edges.
constexpr std::int64_t gap = -1;
template <class F>
void each_shown(std::int64_t extent, std::int64_t edge, F visit) {
  const bool whole = extent <= 2 * edge;
  for (std::int64_t i = 0; i < (whole ? extent : edge); ++i) visit(i);
  if (whole) return;
  visit(gap);
  for (std::int64_t i = extent - edge; i < extent; ++i) visit(i);
}

template <class T>
void collect_shown(std::span<const T> values, const Shape& shape, int axis, std::int64_t row,
                   std::int64_t edge, std::vector<T>& shown) {
  if (axis == shape.rank()) return shown.push_back(values[static_cast<std::size_t>(row)]);
  each_shown(shape[axis], edge, [&](std::int64_t i) {
    if (i != gap) collect_shown(values, shape, axis + 1, row * shape[axis] + i, edge, shown);
  });
}

// Puts words, given in the order of reading, into brackets and lines.
struct Layout {
  const Shape& shape;
  std::int64_t edge;
  std::int64_t line_width;
  const std::string* next_word;

  // The part with `axis` indices chosen, from its '[' to its ']'. Lines after its first are
  // indented by the brackets still open; the caller indents the first.
  std::string block(int axis) { return axis + 1 == shape.rank() ? row(axis) : rows(axis); }

  std::string row(int axis) {
    const std::size_t indent = static_cast<std::size_t>(axis) + 1;
    const std::int64_t limit = line_width - axis - 1;  // the closing brackets must fit as well
    std::string lines, line(indent, ' ');
    each_shown(shape[axis], edge, [&](std::int64_t i) {
      const std::string& word = i == gap ? dots : *next_word++;
      if (line.size() > indent && std::ssize(line) + std::ssize(word) > limit) {
        lines.append(line, 0, line.find_last_not_of(' ') + 1).append("\n");
        line.assign(indent, ' ');
      }
      line.append(word).append(" ");
    });
    line.pop_back();
    lines += line;
    return fmt::format("[{}]", std::string_view(lines).substr(indent));
  }

  std::string rows(int axis) {
    const std::size_t indent = static_cast<std::size_t>(axis) + 1;
    // One line break between rows, one empty line more for each axis further out.
    const std::string between(static_cast<std::size_t>(shape.rank() - axis - 1), '\n');
    std::string lines;
    each_shown(shape[axis], edge, [&](std::int64_t i) {
      if (!lines.empty()) lines += between;
      lines.append(indent, ' ').append(i == gap ? dots : block(axis + 1));
    });
    return fmt::format("[{}]", std::string_view(lines).substr(indent));
  }

  const std::string dots = "...";
};

template <class T>
std::string text_of(std::span<const T> values, const Shape& shape, PrintOptions options,
                    int scalar_precision = all_digits) {
  assert(std::ssize(values) == shape.numel());
  if (shape.rank() == 0) return number(values[0], scalar_precision);
  if (values.empty()) return "[]";
  const std::int64_t edge =
      std::ssize(values) > options.threshold ? options.edge_items : shape.numel();
  std::vector<T> shown;
  collect_shown(values, shape, 0, 0, edge, shown);
  const std::vector<std::string> words = aligned(shown, options.precision);
  return Layout{shape, edge, options.line_width, words.data()}.block(0);
}

std::string text_of(const Array& array, PrintOptions options, int scalar_precision) {
  if (array.precision() == float64)
    return text_of(array.span<double>(), array.shape(), options, scalar_precision);
  return text_of(array.span<float>(), array.shape(), options, scalar_precision);
}

}  // namespace

std::string text(std::span<const double> values, const Shape& shape, PrintOptions options) {
  return text_of(values, shape, options);
}

std::string text(std::span<const float> values, const Shape& shape, PrintOptions options) {
  return text_of(values, shape, options);
}

std::string text(const Array& array, PrintOptions options) {
  return text_of(array, options, all_digits);
}

std::ostream& operator<<(std::ostream& out, const Array& array) { return out << text(array); }

}  // namespace tapegrad

fmt::format_context::iterator fmt::formatter<tapegrad::Array>::format(
    const tapegrad::Array& array, fmt::format_context& context) const {
  tapegrad::PrintOptions options;
  if (precision >= 0) options.precision = precision;
  const std::string text =
      tapegrad::text_of(array, options, precision >= 0 ? precision : tapegrad::all_digits);
  return std::copy(text.begin(), text.end(), context.out());
}
