// A derivation for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tapegrad/explain/derivation.hpp"
#include "tapegrad/explain/typeset.hpp"

namespace tapegrad {
namespace {

using Kind = Expression::Kind;

// ---- formulas

std::string quantity_text(const Quantity& quantity) {
  // A name of several words, as `%7 relu`, would not hold together.
  const auto whole = [](const std::string& name) {
    return name.find(' ') == std::string::npos ? name : "(" + name + ")";
  };
  if (quantity.kind == Quantity::Kind::delta) return "δ(" + quantity.name + ")";
  if (quantity.kind == Quantity::Kind::value) return quantity.name;
  if (quantity.kind == Quantity::Kind::blank) return "__" + quantity.name + "__";
  return fmt::format("∂{}/∂{}", whole(quantity.of), whole(quantity.name));
}

class Formula {
 public:
  Formula(const Derivation& derivation, bool matrices)
      : derivation_(derivation), matrices_(matrices) {}

  BrokenLine set(std::string_view formula) && {
    set(expression(formula), 0);
    return std::move(line_);
  }

 private:
  bool is_derivative(const Expression& e) const {
    return e.kind == Kind::quantity && e.index < derivation_.quantities.size() &&
           derivation_.quantities[e.index].kind == Quantity::Kind::derivative;
  }

  void set(const Expression& e, int depth) {
    switch (e.kind) {
      case Kind::number:
      case Kind::name:
      case Kind::words:
      case Kind::places:
        return line_.put(e.text);
      case Kind::quantity:
        return line_.put(e.index < derivation_.quantities.size()
                             ? quantity_text(derivation_.quantities[e.index])
                             : "?");
      case Kind::dots:
        return line_.put("...");
      case Kind::call:
      case Kind::brackets:
        if (e.sum_over_index()) {
          line_.put("Σ_" + e.parts[1].text + " ");
          return set_in_brackets(e.parts[0], depth, e.parts[0].is_chain(Level::sum));
        }
        line_.put(e.text + "(");
        for (std::size_t i = 0; i < e.parts.size(); ++i) {
          if (i > 0) line_.put(e.signs[i]), line_.may_break(break_of_sum(depth + 1), true);
          set(e.parts[i], depth + 1);
        }
        return line_.put(")");
      case Kind::bars:
        line_.put("|");
        set(e.parts[0], depth + 1);
        return line_.put("|");
      case Kind::chain:
        return set_chain(e, depth);
      case Kind::power:
        set_base(e.parts[0], depth);
        return set_exponent(e.parts[1], depth);
      case Kind::transposed:
        set_base(e.parts[0], depth);
        return line_.put("ᵀ");
      case Kind::indexed:
        set_base(e.parts[0], depth);
        return set(e.parts[1], depth);
    }
  }

  void set_in_brackets(const Expression& e, int depth, bool needed) {
    if (needed) line_.put("(");
    set(e, depth);
    if (needed) line_.put(")");
  }

  void set_base(const Expression& e, int depth) { set_in_brackets(e, depth, is_derivative(e)); }

  void set_exponent(const Expression& e, int depth) {
    constexpr std::string_view digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    const bool whole =
        e.kind == Kind::number && e.text.find_first_not_of("0123456789") == std::string::npos;
    if (!whole) {
      line_.put("^");
      return set_in_brackets(e, depth, e.kind == Kind::chain || is_derivative(e));
    }
    for (const char c : e.text) line_.put(digits[c - '0']);
  }

  void set_chain(const Expression& e, int depth) {
    const std::size_t n = e.parts.size();
    // What is tight would bind tighter than a division, or than the stroke of a derivative.
    const bool divided = std::find(e.signs.begin(), e.signs.end(), "/") != e.signs.end();
    const bool derivatives = std::any_of(e.parts.begin(), e.parts.end(),
                                         [&](const Expression& x) { return is_derivative(x); });
    const bool tight = e.level == Level::product && !derivatives && (!divided || n == 2) &&
                       std::none_of(e.parts.begin(), e.parts.end(), [&](const Expression& x) {
                         return x.is_chain(Level::juxtaposition);
                       });
    if (e.signs[0] == "-") line_.put("-");
    for (std::size_t i = 0; i < n; ++i) {
      if (i > 0) {
        const bool circle = e.signs[i] == "*" && elementwise(e, i, matrices_);
        const std::string sign = circle ? "⊙" : e.signs[i] == "*" ? "·" : e.signs[i];
        const std::string space = tight && !circle ? "" : " ";
        line_.may_break(e.level <= Level::sum ? break_of_sum(depth) : break_of_product(depth),
                        !space.empty());
        line_.put(sign + (sign.empty() ? "" : space));
      }
      set_in_brackets(e.parts[i], depth, i > 0 && e.parts[i].negative());
    }
  }

  const Derivation& derivation_;
  bool matrices_;
  BrokenLine line_;
};

// ---- words

std::string without_end_spaces(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

/// A formula is not broken between two lines, if it is not half as wide as one.
constexpr char unbroken = '\x1f';

std::string sentence(const Derivation& derivation, std::string_view text, std::size_t width) {
  std::string result;
  for (const Span& span : spans(text)) {
    if (!span.formula) {
      result += span.text;
      continue;
    }
    std::string formula = Formula(derivation, false).set(span.text).text();
    if (2 * columns(formula) < width) std::replace(formula.begin(), formula.end(), ' ', unbroken);
    result += formula;
  }
  return result;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n", 1), text.size());
    const std::string_view word = text.substr(0, end);
    const bool ended = word[0] == '\n';
    const std::size_t wide = columns(word);
    if (ended || (used > 0 && used + wide > width)) lines.emplace_back(), used = 0;
    const std::string_view bare = used == 0 && (word[0] == ' ' || ended) ? word.substr(1) : word;
    lines.back() += bare;
    used += columns(bare);
    text.remove_prefix(end);
  }
  for (std::string& line : lines) std::replace(line.begin(), line.end(), unbroken, ' ');
  return lines;
}

std::vector<std::string> set_sentence(const Derivation& derivation, std::string_view text,
                                      std::size_t width) {
  return wrapped(sentence(derivation, text, width), width);
}

// ---- matrices

/// Points under points; the marked element between arrows.
std::vector<std::string> set_matrix(const Derivation& derivation, Side side) {
  for (auto& row : side.rows)
    for (std::string& cell : row) cell = Formula(derivation, false).set(cell).text();
  struct Column {
    std::size_t before = 0, after = 0;
    bool marked = false;
  };
  const auto point = [](const std::string& cell) { return std::min(cell.find('.'), cell.size()); };
  std::vector<Column> laid;
  for (const auto& row : side.rows)
    for (std::size_t j = 0; j < row.size(); ++j) {
      if (j == laid.size()) laid.emplace_back();
      const std::size_t before = columns(row[j].substr(0, point(row[j])));
      laid[j].before = std::max(laid[j].before, before);
      laid[j].after = std::max(laid[j].after, columns(row[j]) - before);
      laid[j].marked = side.marked_row && side.marked_column == j;
    }
  std::vector<std::string> result;
  for (std::size_t i = 0; i < side.rows.size(); ++i) {
    std::string line = "[";
    for (std::size_t j = 0; j < side.rows[i].size(); ++j) {
      const std::string& cell = side.rows[i][j];
      const bool marked = side.marked_row == i && side.marked_column == j;
      const std::size_t before = columns(cell.substr(0, point(cell)));
      if (j > 0) line += "  ";
      line += std::string(laid[j].before - before, ' ');
      if (laid[j].marked) line += marked ? ">" : " ";
      line += cell;
      if (laid[j].marked) line += marked ? "<" : " ";
      line += std::string(laid[j].after - (columns(cell) - before), ' ');
    }
    result.push_back(line + "]");
  }
  return result;
}

// ---- equations

constexpr std::size_t indent = 2, gap = 3;
/// The widest first side after which signs of equations one below the other are still aligned.
constexpr std::size_t widest_aligned = 32;

/// Equations one below the other.
class Equations {
 public:
  Equations(const Derivation& derivation, const std::vector<const Equation*>& equations,
            std::size_t width)
      : derivation_(derivation), width_(width) {
    std::vector<std::string> firsts;
    std::size_t aligned = 0;
    for (const Equation* e : equations) {
      firsts.push_back(e->sides.empty() || !e->sides[0].rows.empty() || e->sides.size() == 1
                           ? ""
                           : set_side(*e, 0).text());
      if (columns(firsts.back()) <= widest_aligned)
        aligned = std::max(aligned, columns(firsts.back()));
    }
    std::vector<std::vector<std::string>> all;
    for (std::size_t i = 0; i < equations.size(); ++i) {
      const std::size_t own = columns(firsts[i]);
      std::string first = firsts[i] + std::string(own < aligned ? aligned - own : 0, ' ');
      all.push_back(set(*equations[i], firsts[i].empty() ? "" : first));
    }
    // Notes stand in a column of their own, if there is room behind the formulas.
    std::size_t note_column = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!equations[i]->note.empty() && fits(all[i].back(), *equations[i], 0))
        note_column = std::max(note_column, columns(all[i].back()) + gap);
    for (std::size_t i = 0; i < all.size(); ++i) {
      add_note(all[i], *equations[i], note_column);
      add_site(all[i], *equations[i]);
      lines_.insert(lines_.end(), all[i].begin(), all[i].end());
    }
  }

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  /// Of a line, without the place of the user's line at its end.
  std::size_t room(const Equation& e) const {
    const std::string site = text(e.at);
    const std::size_t taken = site.empty() ? 0 : columns(site) + gap;
    return width_ > taken + 20 ? width_ - taken : 20;
  }

  BrokenLine set_side(const Equation& e, std::size_t i) const {
    if (e.sides[i].rows.empty()) return Formula(derivation_, e.matrices).set(e.sides[i].formula);
    BrokenLine row;
    row.put(set_matrix(derivation_, e.sides[i])[0]);
    return row;
  }

  std::vector<std::string> set(const Equation& e, const std::string& first) const {
    const std::string start = std::string(indent, ' ') + first;
    if (e.sides.empty()) return {start};
    const std::size_t begin = first.empty() ? 0 : 1;
    const bool blocks = std::any_of(e.sides.begin(), e.sides.end(),
                                    [](const Side& side) { return side.rows.size() > 1; });
    std::string line = start;
    std::vector<BrokenLine> sides;
    for (std::size_t i = begin; i < e.sides.size(); ++i) {
      sides.push_back(set_side(e, i));
      line += sign(e, i) + sides.back().text();
    }
    if (!blocks && columns(line) <= room(e)) return {line};

    std::vector<std::string> lines;
    const std::string next(columns(start), ' ');
    for (std::size_t i = begin; i < e.sides.size(); ++i) {
      std::string front = (i == begin ? start : next) + sign(e, i);
      const std::string behind(columns(front), ' ');
      std::vector<std::string> side;
      if (e.sides[i].rows.size() > 1) {
        side = set_matrix(derivation_, e.sides[i]);
      } else {
        const std::size_t used = columns(front) + 2;
        for (const BrokenLine& part :
             sides[i - begin].lines(room(e) > used + 20 ? room(e) - used : 20))
          side.push_back((side.empty() ? "" : "  ") + part.text());
      }
      for (const std::string& part : side)
        lines.push_back(without_end_spaces(std::exchange(front, behind) + part));
    }
    return lines;
  }

  static std::string sign(const Equation& e, std::size_t i) {
    if (i == 0) return "";
    return e.sides[i].rounded ? " ≈ " : " = ";
  }

  bool fits(const std::string& line, const Equation& e, std::size_t column) const {
    const std::size_t note = columns(sentence(derivation_, e.note, width_));
    return std::max(columns(line) + gap, column) + note <= room(e);
  }

  void add_note(std::vector<std::string>& lines, const Equation& e, std::size_t column) const {
    if (e.note.empty()) return;
    std::string& last = lines.back();
    if (fits(last, e, column)) {
      const std::size_t own = columns(last);
      last += std::string(std::max(own + gap, column) - own, ' ') +
              set_sentence(derivation_, e.note, width_ * 10)[0];
      return;
    }
    const std::string front(2 * indent, ' ');
    for (const std::string& line : set_sentence(derivation_, e.note, room(e) - front.size()))
      lines.push_back(front + line);
  }

  void add_site(std::vector<std::string>& lines, const Equation& e) const {
    const std::string site = text(e.at);
    if (site.empty()) return;
    const std::size_t used = columns(lines[0]) + columns(site);
    lines[0] += std::string(used + gap > width_ ? gap : width_ - used, ' ') + site;
  }

  const Derivation& derivation_;
  std::size_t width_;
  std::vector<std::string> lines_;
};

// ---- tables

std::vector<std::string> set_table(const Derivation& derivation, const Table& table,
                                   std::size_t width) {
  using Cell = std::vector<std::string>;
  std::vector<std::vector<std::string>> rows{table.head};
  rows.insert(rows.end(), table.rows.begin(), table.rows.end());
  std::size_t count = 0;
  for (const auto& row : rows) count = std::max(count, row.size());
  std::vector<std::size_t> widths(count);
  for (const auto& row : rows)
    for (std::size_t j = 0; j < row.size(); ++j)
      widths[j] = std::max(widths[j], columns(sentence(derivation, row[j], width)));
  // The widest column is wrapped, until the table fits.
  const auto total = [&] {
    std::size_t sum = indent;
    for (const std::size_t w : widths) sum += w + gap;
    return sum - gap;
  };
  while (count > 0 && total() > width) {
    std::size_t& widest = *std::max_element(widths.begin(), widths.end());
    if (widest <= 12) break;
    --widest;
  }
  std::vector<std::string> lines;
  const auto add = [&](const std::vector<std::string>& row, bool head) {
    std::vector<Cell> cells;
    std::size_t height = 1;
    for (std::size_t j = 0; j < row.size(); ++j) {
      cells.push_back(set_sentence(derivation, row[j], widths[j]));
      height = std::max(height, cells.back().size());
    }
    for (std::size_t i = 0; i < height; ++i) {
      std::string line(indent, ' ');
      for (std::size_t j = 0; j < cells.size(); ++j) {
        const std::string cell = i < cells[j].size() ? cells[j][i] : "";
        const std::size_t own = columns(cell);
        const std::string space(widths[j] > own ? widths[j] - own : 0, ' ');
        if (j > 0) line += std::string(gap, ' ');
        line += !head && right_aligned(table, j) ? space + cell : cell + space;
      }
      lines.push_back(without_end_spaces(std::move(line)));
    }
  };
  if (!table.head.empty()) {
    add(table.head, true);
    std::string rule(indent, ' ');
    for (std::size_t j = 0; j < count; ++j)
      rule += std::string(j > 0 ? gap : 0, ' ') + std::string(widths[j], '-');
    lines.push_back(rule);
  }
  for (const auto& row : table.rows) add(row, false);
  return lines;
}

class TextForm : public Form {
 public:
  TextForm(const Derivation& derivation, std::size_t width)
      : derivation_(derivation), width_(width) {}

 private:
  std::string title(const std::string& title) const override {
    return together({title, std::string(columns(title), '-')});
  }
  std::string sentence(const std::string& text) const override {
    return together(set_sentence(derivation_, text, width_));
  }
  std::string table(const Table& table) const override {
    return together(set_table(derivation_, table, width_));
  }
  std::string equations(const std::vector<const Equation*>& equations) const override {
    return together(Equations(derivation_, equations, width_).lines());
  }
  static std::string together(const std::vector<std::string>& lines) {
    return fmt::format("{}\n", fmt::join(lines, "\n"));
  }

  const Derivation& derivation_;
  std::size_t width_;
};

}  // namespace

std::string text(const Derivation& derivation, const TextOptions& options) {
  return TextForm(derivation, options.width).page(derivation);
}

}  // namespace tapegrad
