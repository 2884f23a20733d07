#include "tapegrad/explain/typeset.hpp"

#include <algorithm>
#include <cctype>
#include <limits>

namespace tapegrad {

// ---- characters

std::pair<char32_t, std::size_t> first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) < 0xc0 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  char32_t result = byte(0);
  if (length == 1 || length > text.size()) return {result, 1};
  result &= 0xffU >> (length + 1);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {byte(0), 1};
    result = result << 6U | (byte(i) & 0x3fU);
  }
  return {result, length};
}

std::size_t columns(std::string_view text) {
  std::size_t result = 0;
  for (; !text.empty(); text.remove_prefix(first_character(text).second)) ++result;
  return result;
}

namespace {
constexpr char32_t first_quantity = 0xF0000;
}

std::optional<std::size_t> quantity_of(char32_t character) {
  if (character < first_quantity) return {};
  return character - first_quantity;
}

std::string character_of(std::size_t quantity) {
  const std::size_t code = first_quantity + quantity;
  std::string result;
  for (const unsigned shift : {18U, 12U, 6U, 0U})
    result += static_cast<char>((shift == 18U ? 0xf0U : 0x80U) |
                                (code >> shift & (shift == 18U ? 0x07U : 0x3fU)));
  return result;
}

// ---- formulas

bool Expression::numeric() const {
  if (kind == Kind::number) return true;
  return (kind == Kind::brackets || kind == Kind::chain) &&
         std::all_of(parts.begin(), parts.end(), [](const Expression& e) { return e.numeric(); });
}

bool elementwise(const Expression& chain, std::size_t part, bool matrices) {
  const auto before = chain.parts.begin() + static_cast<std::ptrdiff_t>(part);
  return matrices && !before->numeric() &&
         !std::all_of(chain.parts.begin(), before, [](const Expression& e) { return e.numeric(); });
}

namespace {

using Kind = Expression::Kind;

// Longer ones first.
constexpr std::string_view relations[] = {":=", "<=", ">=", "==", "!=", "->",
                                          "→",  "≈",  "=",  "<",  ">"};
constexpr std::string_view sums[] = {"+", "-"};
constexpr std::string_view products[] = {"*", "/", "·"};
// Arguments that are no formulas begin so, and go on to the bracket.
constexpr std::string_view words[] = {"axis ", "axes ", "diagonal ", "from the end"};

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// By recursive descent over brackets; chains are loops.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  Expression whole() {
    Expression result = chain(Level::comparison);
    while (!ended()) {  // a bracket that was never opened
      Expression both{.kind = Kind::chain, .level = Level::juxtaposition, .signs = {"", "", ""}};
      both.parts.push_back(std::move(result));
      both.parts.push_back({.text = take(1)});
      if (!ended()) both.parts.push_back(chain(Level::comparison));
      both.signs.resize(both.parts.size());
      result = std::move(both);
    }
    return result;
  }

 private:
  bool ended() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    return rest_.empty();
  }
  std::string take(std::size_t length) {
    std::string result(rest_.substr(0, length));
    rest_.remove_prefix(result.size());
    return result;
  }
  bool took(std::string_view text) {
    if (ended() || !rest_.starts_with(text)) return false;
    if (text == "-" && rest_.starts_with("->")) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  template <std::size_t n>
  std::string took_one_of(const std::string_view (&signs)[n]) {
    for (const std::string_view sign : signs)
      if (took(sign)) return std::string(sign);
    return {};
  }
  bool operand_follows() {
    if (ended() || std::string_view("+-*/^,;)]:<>=!").find(rest_[0]) != std::string_view::npos)
      return false;
    for (const std::string_view sign : {"→", "≈", "·"})
      if (rest_.starts_with(sign)) return false;
    return rest_[0] != '|' || !in_bars_;
  }

  Expression chain(int level) {
    Expression result{.kind = Kind::chain, .level = level};
    std::string sign = level == Level::sum && took("-") ? "-" : "";
    do {
      result.signs.push_back(sign);
      result.parts.push_back(level == Level::comparison ? chain(Level::sum)
                             : level == Level::sum      ? chain(Level::product)
                             : level == Level::product  ? chain(Level::juxtaposition)
                                                        : power());
      sign = level == Level::comparison ? took_one_of(relations)
             : level == Level::sum      ? took_one_of(sums)
             : level == Level::product  ? took_one_of(products)
                                        : "";
      if (sign == "·") sign = "*";
    } while (!sign.empty() || (level == Level::juxtaposition && operand_follows()));
    if (result.parts.size() > 1 || result.negative()) return result;
    return Expression(std::move(result.parts[0]));
  }

  Expression power() {
    if (took("-")) {  // behind an operator
      Expression result{.kind = Kind::chain, .level = Level::sum, .signs = {"-"}};
      result.parts.push_back(power());
      return result;
    }
    Expression result = indexed();
    while (took("^")) {
      const bool transposed = rest_.starts_with('T') &&
                              (rest_.size() == 1 || (!is_letter(rest_[1]) && !is_digit(rest_[1])));
      Expression outer{.kind = transposed ? Kind::transposed : Kind::power};
      outer.parts.push_back(std::move(result));
      if (transposed)
        take(1);
      else
        outer.parts.push_back(took("-") ? negated(indexed()) : indexed());
      result = std::move(outer);
    }
    return result;
  }

  static Expression negated(Expression e) {
    Expression result{.kind = Kind::chain, .level = Level::sum, .signs = {"-"}};
    result.parts.push_back(std::move(e));
    return result;
  }

  Expression indexed() {
    Expression result = single();
    while (rest_.starts_with('[')) {
      Expression outer{.kind = Kind::indexed};
      outer.parts.push_back(std::move(result));
      outer.parts.push_back(places());
      result = std::move(outer);
    }
    return result;
  }

  Expression places() {
    return {.kind = Kind::places, .text = take(std::min(rest_.find(']'), rest_.size() - 1) + 1)};
  }

  Expression single() {
    if (ended()) return {};
    if (took("...")) return {.kind = Kind::dots};
    if (took("(")) return listed({.kind = Kind::brackets});
    if (rest_[0] == '[') return places();
    if (took("|")) {
      Expression result{.kind = Kind::bars};
      const bool before = std::exchange(in_bars_, true);
      result.parts.push_back(chain(Level::comparison));
      in_bars_ = before;
      took("|");
      return result;
    }
    const auto [character, length] = first_character(rest_);
    if (const auto quantity = quantity_of(character)) {
      take(length);
      return {.kind = Kind::quantity, .index = *quantity};
    }
    if (is_digit(rest_[0])) return {.kind = Kind::number, .text = take(number_length())};
    Expression result{.text = take(std::max(name_length(), length))};
    if (!rest_.starts_with('(')) return result;
    take(1);
    result.kind = Kind::call;
    return listed(std::move(result));
  }

  /// What stands between brackets.
  Expression listed(Expression result) {
    const bool before = std::exchange(in_bars_, false);
    std::string sign;
    while (!ended() && rest_[0] != ')') {
      result.signs.push_back(sign);
      const bool told = !ended() && std::any_of(std::begin(words), std::end(words),
                                                [&](auto word) { return rest_.starts_with(word); });
      result.parts.push_back(told
                                 ? Expression{.kind = Kind::words,
                                              .text = take(std::min(rest_.find(')'), rest_.size()))}
                                 : chain(Level::comparison));
      sign = took(",") ? "," : took(";") ? ";" : "";
      if (sign.empty()) break;
    }
    in_bars_ = before;
    took(")");
    return result;
  }

  std::size_t number_length() const {
    std::size_t n = 0;
    const auto digits = [&] {
      while (n < rest_.size() && is_digit(rest_[n])) ++n;
    };
    digits();
    if (n + 1 < rest_.size() && rest_[n] == '.' && is_digit(rest_[n + 1])) ++n, digits();
    if (n < rest_.size() && rest_[n] == 'e') {
      const std::size_t exponent = n + 1;
      const bool sign =
          exponent < rest_.size() && (rest_[exponent] == '-' || rest_[exponent] == '+');
      if (exponent + sign < rest_.size() && is_digit(rest_[exponent + sign]))
        n = exponent + sign, digits();
    }
    return n;
  }

  /// `hidden.weight`, `%7`
  std::size_t name_length() const {
    std::size_t n = rest_[0] == '%' ? 1 : 0;
    while (n < rest_.size()) {
      const auto [character, length] = first_character(rest_.substr(n));
      const char c = rest_[n];
      const bool point = c == '.' && n > 0 && n + 1 < rest_.size() &&
                         (is_letter(rest_[n + 1]) || is_digit(rest_[n + 1]));
      if (!is_letter(c) && !(is_digit(c) && n > 0) && !point) break;
      if (quantity_of(character)) break;
      if (n > 0 && (character == U'→' || character == U'≈' || character == U'·')) break;
      n += length;
    }
    return n;
  }

  std::string_view rest_;
  bool in_bars_ = false;
};

}  // namespace

Expression expression(std::string_view formula) { return Reader(formula).whole(); }

// ---- sentences

std::vector<Span> spans(std::string_view sentence) {
  std::vector<Span> result;
  for (bool formula = false;; formula = !formula) {
    const std::size_t end = std::min(sentence.find('`'), sentence.size());
    if (end > 0) result.push_back({std::string(sentence.substr(0, end)), formula});
    if (end == sentence.size()) return result;
    sentence.remove_prefix(end + 1);
  }
}

bool right_aligned(const Table& table, std::size_t column) {
  const auto numeric = [&](const std::vector<std::string>& row) {
    if (column >= row.size() || row[column].empty()) return true;
    const std::string_view cell = row[column];
    return cell.find_first_not_of("0123456789.-+e%`") == std::string_view::npos;
  };
  return std::all_of(table.rows.begin(), table.rows.end(), numeric);
}

// ---- lines

void BrokenLine::put(std::string_view text, std::size_t width) {
  pieces_.back().text += text;
  pieces_.back().width += width;
}

void BrokenLine::append(const BrokenLine& next) {
  put(next.pieces_[0].text, next.pieces_[0].width);
  pieces_.insert(pieces_.end(), next.pieces_.begin() + 1, next.pieces_.end());
}

void BrokenLine::may_break(int rank, bool space) {
  pieces_.push_back({.rank = rank, .space = space});
}

std::string BrokenLine::text() const {
  std::string result;
  for (const Piece& piece : pieces_) result += (piece.space ? " " : "") + piece.text;
  return result;
}

std::size_t BrokenLine::width() const {
  std::size_t result = 0;
  for (const Piece& piece : pieces_) result += piece.whole_width();
  return result;
}

std::vector<BrokenLine> BrokenLine::lines(std::size_t width) const {
  // Where a part is too wide, its outermost breaks are opened, until all parts fit.
  std::vector<bool> open(pieces_.size() + 1);
  open.front() = open.back() = true;
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t first = 0, end = 0; first < pieces_.size(); first = end) {
      std::size_t wide = 0;
      int lowest = std::numeric_limits<int>::max();
      for (end = first; end == first || !open[end]; ++end) {
        wide += pieces_[end].whole_width();
        if (end > first) lowest = std::min(lowest, pieces_[end].rank);
      }
      if (wide <= width) continue;
      for (std::size_t i = first + 1; i < end; ++i)
        if (pieces_[i].rank == lowest) open[i] = changed = true;
    }
  }
  std::vector<BrokenLine> result(1);
  for (std::size_t first = 0, end = 0; first < pieces_.size(); first = end) {
    std::size_t wide = 0;
    for (end = first; end == first || !open[end]; ++end) wide += pieces_[end].whole_width();
    if (first > 0 && result.back().width() + wide > width) result.emplace_back();
    for (std::size_t i = first; i < end; ++i) {
      if (pieces_[i].space && !result.back().pieces_[0].text.empty()) result.back().put(" ");
      result.back().put(pieces_[i].text, pieces_[i].width);
    }
  }
  return result;
}

// ---- pages

std::string Form::page(const Derivation& derivation) const {
  std::string result;
  const auto add = [&](const std::string& part) { result += (result.empty() ? "" : "\n") + part; };
  for (const Derivation::Section& section : derivation.sections) {
    if (!section.title.empty()) add(title(section.title));
    std::vector<const Equation*> together;
    for (const Paragraph& line : section.lines) {
      const auto* equation = std::get_if<Equation>(&line);
      if (equation != nullptr) together.push_back(equation);
      if (!together.empty() && (equation == nullptr || &line == &section.lines.back()))
        add(equations(std::exchange(together, {})));
      if (const auto* t = std::get_if<Table>(&line)) add(table(*t));
      if (const auto* s = std::get_if<Sentence>(&line)) add(sentence(s->text));
    }
  }
  if (!derivation.footnote.empty()) add(sentence(derivation.footnote));
  return result;
}

}  // namespace tapegrad
