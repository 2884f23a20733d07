#include "tapegrad/explain/exercise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "tapegrad/base/error.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/explain/typeset.hpp"

namespace tapegrad {
namespace {

constexpr int fewest_digits = 3;  // of a result that nobody can guess

/// What stands in the place of a number, which has no sign.
using Replacement = std::function<std::string(const std::string& number)>;

bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
/// Of a name, as in `log1p`.
bool letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalpha(byte) != 0 || c == '_' || byte >= 0x80;
}

std::string in_formula(std::string_view text, const Replacement& replacement) {
  std::string result;
  while (!text.empty()) {
    std::size_t end = 1;
    const auto skip = [&](auto belongs) {
      while (end < text.size() && belongs(text[end])) ++end;
    };
    if (letter(text[0])) {
      skip([](char c) { return letter(c) || digit(c); });
    } else if (digit(text[0])) {
      skip([](char c) { return digit(c) || c == '.'; });
      if (end < text.size() && text[end] == 'e') {
        ++end;
        skip([](char c) { return digit(c) || c == '-' || c == '+'; });
      }
    }
    const std::string piece(text.substr(0, end));
    result += digit(text[0]) ? replacement(piece) : piece;
    text.remove_prefix(end);
  }
  return result;
}

std::string in_sentence(std::string_view text, const Replacement& replacement) {
  std::string result;
  for (const Span& span : spans(text))
    if (span.formula)
      result += fmt::format("`{}`", in_formula(span.text, replacement));
    else
      result += in_formula(span.text, [&](const std::string& number) {
        const std::string now = replacement(number);
        return now == number ? now : fmt::format("`{}`", now);
      });
  return result;
}

void in_side(Side& side, const Replacement& replacement) {
  side.formula = in_formula(side.formula, replacement);
  for (auto& row : side.rows)
    for (std::string& cell : row) cell = in_formula(cell, replacement);
}

void in_paragraph(Paragraph& paragraph, const Replacement& replacement) {
  if (auto* sentence = std::get_if<Sentence>(&paragraph)) {
    sentence->text = in_sentence(sentence->text, replacement);
  } else if (auto* equation = std::get_if<Equation>(&paragraph)) {
    for (Side& side : equation->sides) in_side(side, replacement);
    equation->note = in_sentence(equation->note, replacement);
  } else if (auto* table = std::get_if<Table>(&paragraph)) {
    for (auto& row : table->rows)
      for (std::string& cell : row) cell = in_sentence(cell, replacement);
  }
}

/// The number that an equation comes to, without its sign, if it is one that has to be computed.
std::string result_of(const Equation& equation) {
  const std::string& last = equation.sides.back().formula;
  if (equation.sides.size() < 2 || last.find_first_not_of("-+.e0123456789") != std::string::npos)
    return {};
  const std::string number = last.substr(last.starts_with('-') ? 1 : 0);
  const std::string mantissa = number.substr(0, number.find('e'));
  const auto first =
      std::find_if(mantissa.begin(), mantissa.end(), [](char c) { return digit(c) && c != '0'; });
  return std::count_if(first, mantissa.end(), digit) < fewest_digits ? "" : number;
}

/// A result that may be left out, what it is of, and its sign.
struct Result {
  std::string number;
  Side of;
  std::string sign;
};

/// Those that do not stand anywhere before they are computed.
std::vector<Result> results_of(const Derivation& derivation) {
  std::vector<Result> results;
  std::set<std::string> seen;
  const Replacement see = [&](const std::string& number) { return *seen.insert(number).first; };
  for (const Derivation::Section& section : derivation.sections)
    for (Paragraph paragraph : section.lines) {
      const auto* equation = std::get_if<Equation>(&paragraph);
      const std::string number = equation == nullptr ? "" : result_of(*equation);
      if (!number.empty()) {
        for (std::size_t i = 0; i + 1 < equation->sides.size(); ++i) {
          Side side = equation->sides[i];
          in_side(side, see);
        }
        if (!seen.contains(number))
          results.push_back({number, equation->sides.front(),
                             equation->sides.back().formula.starts_with('-') ? "-" : ""});
      }
      in_paragraph(paragraph, see);
    }
  return results;
}

}  // namespace

Exercise exercise(const Derivation& derivation, const ExerciseOptions& options, Site at) {
  Exercise result{.sheet = derivation, .answers = {}};
  std::erase_if(result.sheet.sections,
                [](const Derivation::Section& section) { return section.name == "check"; });
  const std::vector<Result> results = results_of(result.sheet);
  if (options.blanks < 1 || options.blanks > results.size())
    throw Error("exercise",
                fmt::format("{} blanks, but {} results that can be left out", options.blanks,
                            results.size()),
                at);
  std::vector<std::int64_t> chosen =
      Random(options.seed).permutation(static_cast<std::int64_t>(results.size()));
  chosen.resize(options.blanks);
  std::sort(chosen.begin(), chosen.end());

  Derivation::Section answers{.name = "answers", .title = std::string(options.words.answers)};
  std::map<std::string, std::string> blanks;
  for (const std::int64_t place : chosen) {
    const Result& left_out = results[static_cast<std::size_t>(place)];
    const std::string blank =
        result.sheet.quantity({Quantity::Kind::blank, fmt::format("{}", blanks.size() + 1)});
    blanks.emplace(left_out.number, blank);
    answers.lines.emplace_back(Equation{.sides = {left_out.of,
                                                  {.formula = left_out.sign + blank},
                                                  {.formula = left_out.sign + left_out.number}}});
  }
  const Replacement blank_of = [&](const std::string& number) {
    const auto found = blanks.find(number);
    return found == blanks.end() ? number : found->second;
  };
  for (Derivation::Section& section : result.sheet.sections)
    for (Paragraph& paragraph : section.lines) in_paragraph(paragraph, blank_of);
  result.answers.sections = {std::move(answers)};
  result.answers.quantities = result.sheet.quantities;
  return result;
}

}  // namespace tapegrad
