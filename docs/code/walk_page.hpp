// What the programs of docs/walk/ share: how they print numbers, and how they make sure of them.
// Each number of a page is computed at least twice, by hand and on the tape or by a difference; if
// two of them do not agree, the program fails.
#pragma once

#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tg = tapegrad;

namespace walk {

/// Six significant digits, or fewer where these are all.
inline std::string number(double v) {
  if (v == 0) v = 0;  // no -0
  const std::string all = fmt::format("{}", v), six = fmt::format("{:#.6g}", v);
  return all.size() <= six.size() && all.find('e') == std::string::npos ? all : six;
}

/// A number that is multiplied: a negative one in parentheses.
inline std::string factor(double v) { return v < 0 ? "(" + number(v) + ")" : number(v); }

inline void require(bool holds, std::string_view what) {
  if (!holds) throw std::runtime_error(fmt::format("not so: {}", what));
}

inline void agree(double a, double b, std::string_view what, double bound = 1e-15) {
  require(std::abs(a - b) <= bound, fmt::format("{}: {} and {} agree to {}", what, a, b, bound));
}

/// The slope of f at x as a central difference: right to about nine digits after the point.
template <class F>
double difference(const F& f, double x) {
  constexpr double h = 1e-5;
  return (f(x + h) - f(x - h)) / (2 * h);
}

inline void you_should_see(double by_rule, double by_difference) {
  agree(by_rule, by_difference, "the rule and the difference", 1e-9);
  fmt::print("\nYou should see `{}`. The difference says `{}`.\n", number(by_rule),
             number(by_difference));
}

/// One section of a derivation, below a heading of the page's own. What an approximately-equal sign
/// means stands on page 2.
inline std::string formulas(const tg::Derivation& derivation, std::string_view section) {
  tg::Derivation part = derivation.section(section);
  part.sections.front().title.clear();
  part.footnote.clear();
  return markdown(part);
}

}  // namespace walk
