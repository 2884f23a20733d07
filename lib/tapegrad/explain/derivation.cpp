#include "tapegrad/explain/derivation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "tapegrad/base/error.hpp"
#include "tapegrad/explain/typeset.hpp"

namespace tapegrad {
namespace {

bool rounded(const Derivation::Section& section) {
  return std::any_of(section.lines.begin(), section.lines.end(), [](const Paragraph& line) {
    const auto* equation = std::get_if<Equation>(&line);
    return equation != nullptr && std::any_of(equation->sides.begin(), equation->sides.end(),
                                              [](const Side& side) { return side.rounded; });
  });
}

}  // namespace

double Derivation::value() const {
  if (!derivative)
    throw Error("value", "this derivation is not of one number", {},
                "explain one element: explain(y, x, Index{...})");
  return *derivative;
}

Derivation Derivation::section(std::string_view name) const {
  const auto found =
      std::find_if(sections.begin(), sections.end(),
                   [&](const Derivation::Section& section) { return section.name == name; });
  if (found == sections.end()) {
    std::string names;
    for (const Derivation::Section& section : sections)
      names += (names.empty() ? "" : ", ") + section.name;
    throw Error("section", fmt::format("there is no section '{}'", name), {},
                names.empty() ? "there is none at all" : "there are " + names);
  }
  return {.sections = {*found},
          .quantities = quantities,
          .footnote = rounded(*found) ? footnote : "",
          .derivative = derivative};
}

std::string Derivation::quantity(const Quantity& quantity) {
  const auto found = std::find(quantities.begin(), quantities.end(), quantity);
  const auto index = static_cast<std::size_t>(found - quantities.begin());
  if (found == quantities.end()) quantities.push_back(quantity);
  return character_of(index);
}

std::ostream& operator<<(std::ostream& out, const Derivation& derivation) {
  return out << text(derivation);
}

}  // namespace tapegrad

fmt::format_context::iterator fmt::formatter<tapegrad::Derivation>::format(
    const tapegrad::Derivation& derivation, fmt::format_context& context) const {
  return fmt::formatter<fmt::string_view>::format(tapegrad::text(derivation), context);
}
