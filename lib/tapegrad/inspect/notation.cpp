#include "tapegrad/inspect/notation.hpp"

#include <algorithm>
#include <iterator>

namespace tapegrad {

// Longer ones first. To a reader, + and * are associative.
const Notation::Operator Notation::operators[] = {
    {":=", Level::assignment, Level::assignment + 1, Level::assignment + 1},
    {"<=", Level::comparison, Level::comparison + 1, Level::comparison + 1},
    {"==", Level::comparison, Level::comparison + 1, Level::comparison + 1},
    {"!=", Level::comparison, Level::comparison + 1, Level::comparison + 1},
    {"<", Level::comparison, Level::comparison + 1, Level::comparison + 1},
    {"+", Level::sum, Level::sum, Level::sum},
    {"-", Level::sum, Level::sum, Level::sum + 1},
    {"*", Level::product, Level::product, Level::product},
    {"/", Level::product, Level::product, Level::product + 1},
    {"^", Level::power, Level::power + 1, Level::power + 1},
};
const Notation::Operator Notation::side_by_side = {"", Level::juxtaposition, Level::juxtaposition,
                                                   Level::juxtaposition + 1};
const Notation::Operator Notation::sign = {"-", Level::product, Level::closed, Level::product};

Notation::Notation(std::string_view notation) {
  while (!notation.empty()) notation.remove_prefix(read(notation));
}

/// Reads what the rest begins with; returns its length.
std::size_t Notation::read(std::string_view rest) {
  for (const std::string_view form : {"{}", "{...}"})
    if (rest.starts_with(form)) {
      operand();
      places_.push_back(
          {.least = required_, .behind = required_ >= Level::sum, .all = form != "{}"});
      texts_.emplace_back();
      after_place_ = true;
      return form.size();
    }
  const char c = rest[0];
  const auto* found =
      std::find_if(std::begin(operators), std::end(operators),
                   [&](const Operator& known) { return rest.starts_with(known.text); });
  std::size_t length = 1;
  if (c == '(' || (c == '|' && brackets_.find('|') == std::string::npos)) {
    operand();
    brackets_ += c;
    required_ = Level::open;
    after_operand_ = false;
  } else if (c == ')' || c == '|') {
    brackets_.pop_back();
    after_operand_ = true;
    after_place_ = false;
  } else if (c == ',' || c == ';') {
    required_ = Level::open;
    after_operand_ = false;
  } else if (c == '[') {  // places on axes: of what stands in front, like an exponent
    if (after_place_) places_.back().least = std::max<int>(places_.back().least, Level::closed);
    length = std::min(rest.find(']'), rest.size() - 1) + 1;
  } else if (found != std::end(operators)) {
    apply(c == '-' && !after_operand_ ? sign : *found);
    length = found->text.size();
  } else if (c != ' ') {
    length = std::min(rest.find_first_of(" ()|[],;+-*/^<=!:{"), rest.size());
    const bool called = length < rest.size() && rest[length] == '(';
    if (!called) operand();  // its bracket will be one
  }
  texts_.back() += rest.substr(0, length);
  return length;
}

void Notation::operand() {
  if (after_operand_) apply(side_by_side);
  after_operand_ = true;
  after_place_ = false;
}

void Notation::apply(const Operator& found) {
  if (after_place_) places_.back().least = std::max(places_.back().least, found.left);
  if (brackets_.empty()) level_ = std::min(level_, found.level);
  required_ = found.right;
  after_operand_ = after_place_ = false;
}

}  // namespace tapegrad
