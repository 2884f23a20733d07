#include "tapegrad/explain/explainer.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "tapegrad/check/sample.hpp"
#include "tapegrad/explain/spell.hpp"

namespace tapegrad {
namespace {

constexpr std::size_t longest_formula = 300;  // in characters; longer ones are shortened
constexpr std::size_t length_of_a_name = 8;
constexpr std::size_t shortest_sum = 3;   // that is written with an index
constexpr std::size_t most_alone = 256;   // stages by themselves that are kept, each has a tape
constexpr std::int64_t widest_block = 5;  // rows and columns of a matrix that is printed

}  // namespace

std::string Explainer::number(double value) const { return number_text(value, options_.digits); }

std::string Explainer::factor(double value) const {
  return value < 0 ? "(" + number(value) + ")" : number(value);
}

double Explainer::printed(double value) const {
  return std::strtod(number(value).c_str(), nullptr);
}

Side Explainer::result(double by_printed, double value) {
  const bool rounded =
      printed(by_printed) != printed(value) && !(std::isnan(by_printed) && std::isnan(value));
  if (rounded) d_.footnote = words_.rounded;
  return {.formula = number(value), .rounded = rounded};
}

std::string Explainer::meaning(const Symbols::Meaning& m) {
  const std::string element = stages_.name(m.id, m.element);
  return d_.quantity({m.delta ? Kind::delta : Kind::value, element});
}

StageAlone::SymbolOf Explainer::all_in(Symbols& symbols) const {
  return [this, &symbols](Id id, std::size_t element) {
    return symbols.make({id, element, false}, stages_.value(id, element));
  };
}

bool Explainer::shown(Id id, std::size_t element) const {
  const auto found = elements_.find(id);
  return found != elements_.end() &&
         std::find(found->second.begin(), found->second.end(), element) != found->second.end();
}

StageAlone& Explainer::alone(const Stage& stage) {
  const auto found = alone_.find(stage.out());
  if (found != alone_.end()) return *found->second;
  if (alone_.size() == most_alone) alone_.clear();
  return *alone_.emplace(stage.out(), std::make_unique<StageAlone>(stages_, stage)).first->second;
}

bool Explainer::asked(Id id) const {
  return std::find(stages_.x().begin(), stages_.x().end(), id) != stages_.x().end();
}

bool Explainer::tensors() const {
  const auto more = [&](Id id) { return stages_.shape(id).rank() > 0; };
  return std::any_of(stages_.leaves().begin(), stages_.leaves().end(), more);
}

bool Explainer::written(Id result, Section& section, bool& in_gap) const {
  const bool yes = !unwritten_.contains(result);
  if (!yes && !in_gap) say(section, words_.more_stages, unwritten_.size());
  in_gap = !yes;
  return yes;
}

void Explainer::append(Equation& equation, const Number& x, double value, const Symbols& symbols,
                       std::string notation) {
  SpellOptions spelling;
  spelling.digits = options_.digits;
  spelling.terms = std::max<std::size_t>(options_.top, 2);
  spelling.name = [&](std::uint32_t i) { return meaning(symbols.meanings[i]); };
  spelling.kept = [&](std::uint32_t i) {
    return shown(symbols.meanings[i].id, symbols.meanings[i].element);
  };
  const auto add = [&](Side side) {
    if (!side.formula.empty() && side.formula != equation.sides.back().formula)
      equation.sides.push_back(std::move(side));
  };
  add({.formula = std::move(notation)});
  add({.formula = over_an_index(x, symbols)});
  Spelled symbolic = spell(x, spelling);
  while (length(symbolic.formula) > longest_formula && spelling.terms > 1) {
    --spelling.terms;
    symbolic = spell(x, spelling);
  }
  if (length(symbolic.formula) > longest_formula) {
    add({.formula = number(value)});
    return;
  }
  spelling.numbers = true;
  const Spelled numeric = spell(x, spelling);
  add({.formula = symbolic.formula});
  add({.formula = numeric.formula});
  add(result(numeric.value, value));
  if (symbolic.left_out == 0) return;
  if (!equation.note.empty()) equation.note += "; ";
  equation.note += words_.left_out;
}

/// How long a formula is for a reader: in it, one character stands for a quantity.
std::size_t Explainer::length(const std::string& formula) const {
  std::size_t result = 0;
  for (const char c : formula) {
    const bool begins = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    const bool quantity = static_cast<unsigned char>(c) >= 0xF0U;
    result += quantity ? length_of_a_name : begins ? 1 : 0;
  }
  return result;
}

/// A sum of products that differ by one running index alone: `sum(x[k,2] * d[k,0], k)`. Empty if it
/// is no such sum, or a short one.
std::string Explainer::over_an_index(const Number& x, const Symbols& symbols) {
  const auto products = products_of_symbols(x);
  if (products.size() < shortest_sum) return {};
  const std::size_t factors = products[0].size();
  // Of each factor: its index in the first product, with -1 on the axis where others differ.
  std::vector<std::vector<std::int64_t>> patterns;
  std::vector<std::int64_t> counter(products.size(), -1);
  bool rows = true;
  for (std::size_t f = 0; f < factors; ++f) {
    const Symbols::Meaning& first = symbols.meanings[products[0][f]];
    const Shape shape = stages_.shape(first.id);
    std::vector<std::int64_t> pattern = index_of(first.element, shape);
    for (std::size_t t = 0; t < products.size(); ++t) {
      if (products[t].size() != factors) return {};
      const Symbols::Meaning& m = symbols.meanings[products[t][f]];
      if (m.id != first.id || m.delta != first.delta || stages_.named(m.id, m.element)) return {};
      const auto index = index_of(m.element, shape);
      for (std::size_t axis = 0; axis < index.size(); ++axis)
        if (pattern[axis] != index[axis]) pattern[axis] = -1;
    }
    const auto running = std::count(pattern.begin(), pattern.end(), -1);
    if (running > 1) return {};
    if (running == 1) {
      const auto axis = std::find(pattern.begin(), pattern.end(), -1) - pattern.begin();
      rows = rows && axis == 0 && pattern.size() > 1;
      for (std::size_t t = 0; t < products.size(); ++t) {
        const auto place = index_of(symbols.meanings[products[t][f]].element,
                                    shape)[static_cast<std::size_t>(axis)];
        if (counter[t] != -1 && counter[t] != place) return {};
        counter[t] = place;
      }
    }
    patterns.push_back(std::move(pattern));
  }
  if (std::set<std::int64_t>(counter.begin(), counter.end()).size() != products.size()) return {};
  const std::string letter = rows ? "r" : "k";
  std::string formula;
  for (std::size_t f = 0; f < factors; ++f) {
    const Symbols::Meaning& m = symbols.meanings[products[0][f]];
    std::string places;
    for (const std::int64_t place : patterns[f])
      places += (places.empty() ? "" : ",") + (place < 0 ? letter : std::to_string(place));
    formula += (f == 0 ? "" : " * ") +
               d_.quantity({m.delta ? Kind::delta : Kind::value,
                            fmt::format("{}{}", stages_.name(m.id),
                                        places.empty() ? "" : "[" + places + "]")});
  }
  return fmt::format("sum({}, {})", formula, letter);
}

void Explainer::append_values(Equation& equation, const Shape& shape,
                              std::span<const double> values,
                              std::optional<std::size_t> marked) const {
  Side side;
  if (shape.numel() == 0 || shape.rank() > 2) return;
  if (shape.rank() == 0) {
    if (number(values[0]) != equation.sides.back().formula)
      equation.sides.push_back({.formula = number(values[0])});
    return;
  }
  const std::int64_t columns = shape[-1], rows = shape.rank() == 2 ? shape[0] : 1;
  const auto chosen = [](std::int64_t n, std::optional<std::int64_t> keep) {
    std::vector<std::int64_t> places;  // -1: left out
    for (std::int64_t i = 0; i < n; ++i) {
      const bool shown = n <= widest_block || i < widest_block - 2 || i == n - 1 || i == keep;
      if (shown)
        places.push_back(i);
      else if (places.back() != -1)
        places.push_back(-1);
    }
    return places;
  };
  std::optional<std::int64_t> row, column;
  if (marked) {
    row = static_cast<std::int64_t>(*marked) / columns;
    column = static_cast<std::int64_t>(*marked) % columns;
  }
  const auto chosen_columns = chosen(columns, column);
  for (const std::int64_t i : chosen(rows, row)) {
    if (i == row) side.marked_row = side.rows.size();
    std::vector<std::string>& cells = side.rows.emplace_back();
    for (const std::int64_t j : chosen_columns) {
      if (j == column) side.marked_column = cells.size();
      cells.push_back(i < 0 || j < 0 ? "..."
                                     : number(values[static_cast<std::size_t>(i * columns + j)]));
    }
  }
  equation.sides.push_back(std::move(side));
}

}  // namespace tapegrad
