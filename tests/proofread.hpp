// A derivation read by a strict reader: each printed number is computed again from what is printed
// in front of it, each formula from the values that the user's own tape holds.
#pragma once

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arithmetic.hpp"
#include "tapegrad/check/sample.hpp"
#include "tapegrad/explain/stages.hpp"
#include "tapegrad/explain/typeset.hpp"
#include "tapegrad/kernel/number_systems.hpp"
#include "tapegrad/tape/trial.hpp"
#include "tapegrad/tapegrad.hpp"

namespace proofread {

namespace tg = tapegrad;
using tg::Derivation;
using tg::Equation;
using tg::Quantity;
using tg::Side;

/// The digits of a printed number that are given.
inline int significant_digits(std::string_view number) {
  int digits = 0;
  bool begun = false;
  for (const char c : number) {
    if (c == 'e') break;
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) continue;
    begun = begun || c != '0';
    if (begun) ++digits;
  }
  return digits;
}

/// Half a unit of the last of so many digits.
inline double half_unit(double x, int digits) {
  if (x == 0) return 0;
  return 0.5 * std::pow(10.0, std::floor(std::log10(std::abs(x))) + 1 - digits);
}

/// Numbers in a formula: where they begin, and how long they are.
inline std::vector<std::pair<std::size_t, std::size_t>> numbers_in(std::string_view formula) {
  std::vector<std::pair<std::size_t, std::size_t>> result;
  for (std::size_t i = 0; i < formula.size();) {
    const auto byte = static_cast<unsigned char>(formula[i]);
    const auto part_of_name = [&](std::size_t at) {
      const auto c = static_cast<unsigned char>(formula[at]);
      return std::isalnum(c) != 0 || c >= 0x80 || c == '_' || c == '.';
    };
    if (std::isdigit(byte) == 0) {
      ++i;
      continue;
    }
    if (i > 0 && part_of_name(i - 1) && byte < 0x80 &&
        static_cast<unsigned char>(formula[i - 1]) < 0x80) {  // a name's digits
      while (i < formula.size() && part_of_name(i)) ++i;
      continue;
    }
    const std::string rest(formula.substr(i, 60));
    char* end = nullptr;
    std::strtod(rest.c_str(), &end);
    const auto length = static_cast<std::size_t>(end - rest.c_str());
    result.push_back({i, length});
    i += length;
  }
  return result;
}

using Evaluate = std::optional<double> (*)(std::string_view);

/// By how much a formula of rounded numbers may be off.
inline double uncertainty(const std::string& formula, int digits, Evaluate evaluate) {
  const double value = evaluate(formula).value();
  double sum = 0;
  for (const auto& [begin, length] : numbers_in(formula)) {
    const std::string number = formula.substr(begin, length);
    if (significant_digits(number) != digits) continue;  // exact, or not rounded
    const double x = std::strtod(number.c_str(), nullptr);
    double most = 0;
    for (const double sign : {-1.0, 1.0}) {
      const std::string moved = fmt::format("{:.17g}", x + sign * half_unit(x, digits));
      const double other =
          evaluate(formula.substr(0, begin) + moved + formula.substr(begin + length)).value();
      most = std::max(most, std::abs(other - value));
    }
    sum += most;
  }
  return 1.1 * sum + 1e-14 * std::abs(value);
}

/// A formula as it is printed in a terminal, in one line.
inline std::string in_text(const Derivation& d, const std::string& formula) {
  Derivation one;
  one.quantities = d.quantities;
  one.sections = {{"one", "", {Equation{.sides = {{.formula = formula}}}}}};
  const std::string line = text(one, {.width = 1000000});
  return line.substr(2, line.size() - 3);
}

/// What a section says of each quantity: the number at the end of its equation, or a block's.
struct Results : std::map<std::string, std::vector<double>> {
  const std::vector<double>& of(const std::string& quantity) const {
    const auto found = find(quantity);
    std::string known;
    for (const auto& [name, numbers] : *this) known += " " + name;
    BOOST_TEST_REQUIRE((found != end()), "nothing is said of " << quantity << ", only of" << known);
    return found->second;
  }
};
inline Results results(const Derivation& d, std::string_view section) {
  Results found;
  const Derivation part = d.section(section);
  for (const tg::Paragraph& line : part.sections[0].lines) {
    const auto* equation = std::get_if<Equation>(&line);
    if (equation == nullptr) continue;
    std::vector<double>& numbers = found[in_text(d, equation->sides[0].formula)];
    const Side& last = equation->sides.back();
    if (last.rows.empty()) numbers.push_back(evaluate_text(in_text(d, last.formula)).value());
    for (const auto& row : last.rows)
      for (const std::string& cell : row) numbers.push_back(std::strtod(cell.c_str(), nullptr));
  }
  return found;
}

/// All sentences of a section, one in a line.
inline std::string sentences(const Derivation& d, std::string_view section) {
  Derivation only = d.section(section);
  std::erase_if(only.sections[0].lines, [](const tg::Paragraph& line) {
    return !std::holds_alternative<tg::Sentence>(line);
  });
  return text(only, {.width = 100000});
}

/// One derivation, and the program that it is of.
class Reader {
 public:
  /// `x`: as explain was asked; none: all parameters.
  Reader(const Derivation& derivation, const tg::Tensor& y, std::vector<tg::Tensor> x,
         int digits = 6, double rate = 0)
      : d_(derivation),
        digits_(digits),
        rate_(rate),
        stages_("proofread", y, x, tg::Site{}),
        y_(y),
        recording_(stages_.original()) {
    for (const tg::Id id : stages_.leaves()) note(id);
    for (const tg::Stage& stage : stages_.all()) note(stage.out());
  }

  /// Reads every equation. How many sides were computed again.
  struct Count {
    int numeric = 0, symbolic = 0, indexed = 0;
  };
  Count read() {
    for (const Derivation::Section& section : d_.sections)
      for (const tg::Paragraph& line : section.lines)
        if (const auto* equation = std::get_if<Equation>(&line)) {
          numbers(section.name, *equation);
          if (section.name != "matrices" && !equation->matrices) symbols(section.name, *equation);
          if (equation->matrices) blocks(section.name, *equation);
        }
    return count_;
  }

 private:
  struct Element {
    tg::Id id;  // of the stages
    std::size_t element;
  };

  void note(tg::Id id) {
    const auto n = static_cast<std::size_t>(stages_.shape(id).numel());
    tensors_.emplace(stages_.name(id), id);
    if (n > 10'000) return;
    for (std::size_t e = 0; e < n; ++e) elements_.emplace(stages_.name(id, e), Element{id, e});
  }

  // ---- numbers by printed numbers

  std::string in_text(const std::string& formula) const { return proofread::in_text(d_, formula); }
  std::string set(const std::string& formula, bool as_text) const {
    if (as_text) return in_text(formula);
    Derivation one;
    one.quantities = d_.quantities;
    one.sections = {{"one", "", {Equation{.sides = {{.formula = formula}}}}}};
    std::string block = latex(one);
    const std::string_view begin = "\\begin{align*}\n", end = "\n\\end{align*}";
    const std::size_t first = block.find(begin) + begin.size();
    block = block.substr(first, block.find(end) - first);
    for (const std::string_view noise : {"&", "\\quad {}", "\\\\"})
      for (std::size_t at; (at = block.find(noise)) != std::string::npos;)
        block.replace(at, noise.size(), "");
    return block;
  }

  void numbers(const std::string& section, const Equation& equation) {
    for (const bool as_text : {true, false}) {
      const Evaluate evaluate = as_text ? &evaluate_text : &evaluate_latex;
      std::optional<double> before;
      std::string formula_before;
      for (const Side& side : equation.sides) {
        if (!side.rows.empty()) continue;
        const std::string formula = set(side.formula, as_text);
        std::optional<double> value;
        try {
          value = evaluate(formula);
        } catch (const std::exception& problem) {
          BOOST_ERROR(section << ": cannot be read: " << formula << ": " << problem.what());
          return;
        }
        const double own_digits = significant_digits(side.formula);
        if (value && before && std::isfinite(*value) && std::isfinite(*before)) {
          ++count_.numeric;
          const double ulp = value == 0. ? 0 : half_unit(*value, digits_);
          const bool equal =
              std::abs(*value - *before) <= ulp * (1 + 1e-7) + 1e-15 * std::abs(*value) &&
              (own_digits >= digits_ || *value == 0 ||
               std::abs(*value - *before) <= 1e-14 * std::abs(*value) ||
               std::abs(*value - *before) <= ulp);
          if (!side.rounded) {
            BOOST_TEST(equal, section << ": " << formula_before << " = " << formula << ", it is "
                                      << fmt::format("{:.17g}", *before));
          } else {
            const double bound = uncertainty(formula_before, digits_, evaluate) + ulp;
            BOOST_TEST(std::abs(*value - *before) <= bound,
                       section << ": " << formula_before << " ≈ " << formula << ", it is "
                               << fmt::format("{:.17g}, which is off by more than {:.3g}", *before,
                                              bound));
          }
        }
        before = value;
        formula_before = formula;
      }
    }
  }

  // ---- formulas by values of the user's tape

  std::optional<Element> find(std::string_view name) const {
    const auto found = elements_.find(name);
    if (found == elements_.end()) return {};
    return found->second;
  }
  double value_of(Element e) const {
    return recording_.handle(stages_.original(e.id)).values()[e.element];
  }
  double delta_of(Element e) {
    auto& known = deltas_[e.id];
    if (known.empty()) {
      const tg::Tensor by = recording_.handle(stages_.original(e.id));
      known = gradient(y_, by).values();
    }
    return known[e.element];
  }
  /// d of / d by, all other inputs of the stage held fixed: in dual numbers, on the user's tape.
  std::optional<double> slope_of(Element of, Element by) const {
    for (const tg::Stage& stage : stages_.all()) {
      if (stage.out() != of.id) continue;
      std::vector<tg::Id> free;
      for (const tg::Id id : stage.inputs) free.push_back(stages_.original(id));
      const tg::Id out[] = {stages_.original(of.id)};
      const tg::DualSystem& dual = tg::dual_numbers();
      try {
        tg::Trial<tg::Number> trial(recording_, out, free, tg::Site{});
        tg::Number& x = trial.free(stages_.original(by.id))[by.element];
        x = dual.dual(x, 1.0);
        trial.run();
        return static_cast<double>(dual.derivative(trial.values(out[0])[of.element]));
      } catch (const tg::Error&) {
        return {};
      }
    }
    return {};
  }
  std::optional<double> value_of(const Quantity& q) {
    const bool after = q.name.ends_with('+') && !find(q.name);
    const auto e = find(after ? q.name.substr(0, q.name.size() - 1) : q.name);
    if (!e) return {};
    if (after) return value_of(*e) - rate_ * delta_of(*e);
    if (q.kind == Quantity::Kind::value) return value_of(*e);
    if (q.kind == Quantity::Kind::delta) return delta_of(*e);
    const auto of = find(q.of);
    if (!of) return {};
    return in_local_ ? slope_of(*of, *e) : delta_of(*e);
  }

  /// With numbers in the place of quantities; nothing if one has none. Each number is moved by this
  /// much in turn.
  struct Put {
    std::string formula;
    int quantities = 0;
  };
  std::optional<Put> put(std::string_view formula, int moved = -1, char letter = 0, int place = 0) {
    Put result;
    while (!formula.empty()) {
      const auto [character, length] = tg::first_character(formula);
      if (const auto index = tg::quantity_of(character)) {
        Quantity q = d_.quantities.at(*index);
        if (letter != 0) {
          const std::size_t bracket = q.name.rfind('[');
          if (bracket == std::string::npos) return {};
          for (std::size_t i = bracket; i < q.name.size(); ++i)
            if (q.name[i] == letter) q.name.replace(i, 1, std::to_string(place));
        }
        auto value = value_of(q);
        if (!value || !std::isfinite(*value)) return {};
        if (result.quantities++ == moved) *value *= 1 + 1e-6;
        result.formula += fmt::format("({:.17g})", *value);
      } else {
        result.formula += formula.substr(0, length);
      }
      formula.remove_prefix(length);
    }
    return result;
  }

  void symbols(const std::string& section, const Equation& equation) {
    in_local_ = section == "local";
    const std::optional<Put> first = put(equation.sides[0].formula);
    if (!first || first->quantities == 0) return;
    const auto wanted = evaluate_text(in_text(first->formula));
    if (!wanted) return;
    for (std::size_t i = 1; i < equation.sides.size(); ++i) {
      const Side& side = equation.sides[i];
      if (!side.rows.empty()) continue;
      const std::string& formula = side.formula;
      if (const auto sum = over_an_index(formula)) {
        ++count_.indexed;
        BOOST_TEST(
            std::abs(sum->first - *wanted) <= 1e-12 * sum->second,
            section << ": " << in_text(formula) << " is " << sum->first << ", not " << *wanted);
        continue;
      }
      const auto whole = put(formula);
      if (!whole || whole->quantities == 0) {
        if (i + 1 == equation.sides.size() && whole) {  // the result
          const auto printed = evaluate_text(in_text(formula));
          BOOST_TEST_REQUIRE(printed.has_value());
          BOOST_TEST(std::abs(*printed - *wanted) <=
                         half_unit(*wanted, digits_) * (1 + 1e-7) + 1e-15 * std::abs(*wanted),
                     section << ": " << in_text(equation.sides[0].formula) << " is " << *wanted
                             << ", not " << *printed);
        }
        continue;
      }
      for (const bool as_text : {true, false}) {
        const Evaluate evaluate = as_text ? &evaluate_text : &evaluate_latex;
        const auto value = evaluate(set(whole->formula, as_text));
        if (!value) continue;
        double magnitude = std::abs(*value);
        for (int q = 0; q < whole->quantities; ++q)
          if (const auto other = evaluate(set(put(formula, q)->formula, as_text)))
            magnitude += std::abs(*other - *value) * 1e6;
        const double bound =
            1e-12 * magnitude + uncertainty(set(whole->formula, as_text), digits_, evaluate);
        ++count_.symbolic;
        BOOST_TEST(std::abs(*value - *wanted) <= bound,
                   section << ": " << in_text(formula) << " is " << fmt::format("{:.17g}", *value)
                           << ", not " << fmt::format("{:.17g}", *wanted));
      }
    }
  }

  /// `sum(..., k)`: the value, and the sum of the terms' magnitudes.
  std::optional<std::pair<double, double>> over_an_index(const std::string& formula) {
    if (!formula.starts_with("sum(") || formula.size() < 8) return {};
    const std::string_view end = std::string_view(formula).substr(formula.size() - 4);
    if (end != ", k)" && end != ", r)") return {};
    const std::string_view body = std::string_view(formula).substr(4, formula.size() - 8);
    double sum = 0, magnitude = 0;
    for (int place = 0;; ++place) {
      const auto term = put(body, -1, end[2], place);
      if (!term) break;
      const double value = evaluate_text(in_text(term->formula)).value();
      sum += value;
      magnitude += std::abs(value);
    }
    return std::pair{sum, magnitude};
  }

  // ---- blocks of numbers

  void blocks(const std::string& section, const Equation& equation) {
    in_local_ = false;
    if (equation.sides.empty()) return;
    const auto [character, length] = tg::first_character(equation.sides[0].formula);
    const auto index = tg::quantity_of(character);
    if (!index || length != equation.sides[0].formula.size()) return;
    Quantity q = d_.quantities.at(*index);
    const bool after = q.name.ends_with('+');
    if (after) q.name.pop_back();
    const auto found = tensors_.find(q.name);
    BOOST_TEST_REQUIRE((found != tensors_.end()), section << ": no tensor is called " << q.name);
    for (const Side& side : equation.sides) {
      if (side.rows.empty()) continue;
      const tg::Shape shape = stages_.shape(found->second);
      std::size_t e = 0;
      for (const auto& row : side.rows) {
        for (const std::string& cell : row) {
          if (cell == "...") return;  // shortened
          const Element element{found->second, e++};
          const double wanted = after ? value_of(element) - rate_ * delta_of(element)
                                : q.kind == Quantity::Kind::value ? value_of(element)
                                                                  : delta_of(element);
          const double printed = std::strtod(cell.c_str(), nullptr);
          ++count_.numeric;
          if (!std::isfinite(wanted)) {
            BOOST_TEST((printed == wanted || (std::isnan(printed) && std::isnan(wanted))));
            continue;
          }
          BOOST_TEST(std::abs(printed - wanted) <=
                         half_unit(wanted, digits_) * (1 + 1e-7) + 1e-15 * std::abs(wanted),
                     section << ": " << q.name << " has " << wanted << ", not " << cell);
        }
      }
      BOOST_TEST(e == static_cast<std::size_t>(shape.numel()));
    }
  }

  const Derivation& d_;
  int digits_;
  double rate_;
  tg::Stages stages_;
  tg::Tensor y_;
  const tg::Recording& recording_;
  std::map<std::string, Element, std::less<>> elements_;
  std::map<std::string, tg::Id, std::less<>> tensors_;
  std::map<tg::Id, std::vector<double>> deltas_;
  bool in_local_ = false;
  Count count_;
};

}  // namespace proofread
