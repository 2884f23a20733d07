#include "tapegrad/explain/spell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "tapegrad/inspect/notation.hpp"
#include "tapegrad/kernel/number_system.hpp"

namespace tapegrad {
namespace {

constexpr int deepest = 1000;  // functions in functions, beyond all that can be read
constexpr double rounding_noise = 4 * std::numeric_limits<double>::epsilon();

std::string_view name_of(Function f) {
  switch (f) {
    case Function::add:
      return "add";
    case Function::subtract:
      return "subtract";
    case Function::multiply:
      return "multiply";
    case Function::divide:
      return "divide";
    case Function::pow:
      return "pow";
    case Function::atan2:
      return "atan2";
    case Function::negate:
      return "negate";
    case Function::abs:
      return "abs";
    case Function::floor:
      return "floor";
    case Function::sqrt:
      return "sqrt";
    case Function::exp:
      return "exp";
    case Function::expm1:
      return "expm1";
    case Function::log:
      return "log";
    case Function::log1p:
      return "log1p";
    case Function::log2:
      return "log2";
    case Function::sin:
      return "sin";
    case Function::cos:
      return "cos";
    case Function::tan:
      return "tan";
    case Function::asin:
      return "asin";
    case Function::acos:
      return "acos";
    case Function::atan:
      return "atan";
    case Function::sinh:
      return "sinh";
    case Function::cosh:
      return "cosh";
    case Function::tanh:
      return "tanh";
    case Function::erf:
      return "erf";
    case Function::erfc:
      return "erfc";
  }
  return {};
}

bool is_function(const Number& x, Function f) {
  const SymbolTree* e = tree_of(x);
  return e != nullptr && e->form != SymbolTree::Form::symbol && e->function == f;
}

/// One term of a sum.
struct Term {
  bool minus;
  Number x;
};

/// The terms of a sum, from left to right. Sums nest as deep as a kernel adds, so: no recursion.
std::vector<Term> terms_of(const Number& x) {
  std::vector<Term> result, open{{false, x}};
  while (!open.empty()) {
    const Term t = std::move(open.back());
    open.pop_back();
    const SymbolTree* e = tree_of(t.x);
    if (is_function(t.x, Function::add) || is_function(t.x, Function::subtract)) {
      open.push_back({t.minus != (e->function == Function::subtract), e->y});
      open.push_back({t.minus, e->x});
    } else if (is_function(t.x, Function::negate)) {
      open.push_back({!t.minus, e->x});
    } else {
      result.push_back(t);
    }
  }
  return result;
}

/// The factors of a product, from left to right.
std::vector<Number> factors_of(const Number& x) {
  std::vector<Number> result, open{x};
  while (!open.empty()) {
    const Number f = std::move(open.back());
    open.pop_back();
    if (is_function(f, Function::multiply)) {
      open.push_back(tree_of(f)->y);
      open.push_back(tree_of(f)->x);
    } else {
      result.push_back(f);
    }
  }
  return result;
}

/// The symbols that occur, of which the first and whether one is kept is asked.
struct Occurring {
  std::uint32_t first = std::numeric_limits<std::uint32_t>::max();
  bool kept = false;
};
Occurring occurring(const Number& x, const SpellOptions& options) {
  Occurring result;
  std::vector<const SymbolTree*> open{tree_of(x)};
  while (!open.empty()) {
    const SymbolTree* e = open.back();
    open.pop_back();
    if (e == nullptr) continue;
    if (e->form == SymbolTree::Form::symbol) {
      result.first = std::min(result.first, e->symbol);
      result.kept = result.kept || (options.kept && options.kept(e->symbol));
      continue;
    }
    open.push_back(tree_of(e->x));
    if (e->form == SymbolTree::Form::binary) open.push_back(tree_of(e->y));
  }
  return result;
}

/// A part of a formula. A minus in front, if it has one, is apart; that of a number written for a
/// symbol belongs to the number.
struct Part {
  std::string text;
  int level = Level::closed;
  bool minus = false;
  bool below_zero = false;  // a number with a minus of its own
  double value = 0;         // with the minus
};

Part negative(Part p) {
  if (p.level < Level::product || p.below_zero) p = {.text = "(" + p.text + ")", .value = p.value};
  p.minus = !p.minus;
  p.value = -p.value;
  return p;
}

/// A part at a place that needs this level; behind an operator, a minus needs brackets.
std::string at(const Part& p, int least) {
  const bool minus = p.minus || p.below_zero;
  const bool brackets = p.level < least || (minus && least > Level::open);
  return fmt::format("{}{}{}{}", brackets ? "(" : "", p.minus ? "-" : "", p.text,
                     brackets ? ")" : "");
}

class Speller {
 public:
  explicit Speller(const SpellOptions& options) : options_(options) {}

  Part part(const Number& x) {
    const SymbolTree* e = tree_of(x);
    if (e == nullptr) return literal(x.literal());
    if (e->form == SymbolTree::Form::symbol) return symbol(*e);
    if (depth_ == deepest) return literal(e->value);
    ++depth_;
    Part result = function(*e, x);
    --depth_;
    return result;
  }

  std::size_t left_out() const { return left_out_; }

 private:
  Part function(const SymbolTree& e, const Number& x) {
    switch (e.function) {
      case Function::add:
      case Function::subtract:
      case Function::negate:
        return sum(x);
      case Function::multiply:
        return product(x);
      case Function::divide: {
        const Part a = part(e.x), b = part(e.y);
        Part result{.text = fmt::format("{} / {}",
                                        at({a.text, a.level, false, a.below_zero}, Level::product),
                                        at(b, Level::product + 1)),
                    .level = Level::product};
        result.minus = a.minus;
        result.value = a.value / b.value;
        return result;
      }
      case Function::pow: {
        const Part a = part(e.x), b = part(e.y);
        return {.text = fmt::format("{}^{}", at(a, Level::power + 1), at(b, Level::power + 1)),
                .level = Level::power,
                .value = std::pow(a.value, b.value)};
      }
      default:
        return call(e);
    }
  }

  /// The number as it is printed, and what was printed.
  std::pair<std::string, double> rounded(double value) const {
    std::string text = number_text(value, options_.digits);
    const double printed = std::strtod(text.c_str(), nullptr);
    return {std::move(text), printed};
  }

  Part literal(double value) const {
    const auto [text, printed] = rounded(std::abs(value));
    const bool minus = value < 0;
    return {.text = text, .minus = minus, .value = minus ? -printed : printed};
  }

  Part symbol(const SymbolTree& e) const {
    const auto [text, printed] = rounded(e.value);
    if (!options_.numbers) return {.text = options_.name(e.symbol), .value = printed};
    return {.text = text, .below_zero = printed < 0, .value = printed};
  }

  Part call(const SymbolTree& e) {
    const Part a = part(e.x);
    if (e.form == SymbolTree::Form::binary) {
      const Part b = part(e.y);
      return {.text = fmt::format("{}({}, {})", name_of(e.function), at(a, Level::open),
                                  at(b, Level::open)),
              .value = evaluate(e.function, a.value, b.value)};
    }
    const std::string inside = at(a, Level::open);
    return {.text = e.function == Function::abs
                        ? "|" + inside + "|"
                        : fmt::format("{}({})", name_of(e.function), inside),
            .value = evaluate(e.function, a.value)};
  }

  Part product(const Number& x) {
    double number = 1;
    std::vector<Number> factors = factors_of(x);
    std::erase_if(factors, [&](const Number& f) {
      if (f.value() == nullptr) number *= f.literal();
      return f.value() == nullptr;
    });
    Part result{.text = "", .level = Level::product, .minus = number < 0, .value = 1};
    const auto multiply = [&](const Part& p) {
      result.text += (result.text.empty() ? "" : " * ") + at(p, Level::product);
      result.value *= p.value;
    };
    if (std::abs(number) != 1) multiply(literal(std::abs(number)));
    for (const Number& f : factors) multiply(part(f));
    if (result.minus) result.value = -result.value;
    return result;
  }

  Part sum(const Number& x) {
    struct Summand {
      Number x;
      bool minus;
      std::uint32_t order;
      bool kept;
      double size;
    };
    std::vector<Summand> summands;
    double literals = 0;
    bool literal_first = false, any_literal = false, shortened = false;
    for (const Term& t : terms_of(x)) {
      if (t.x.value() == nullptr) {
        literal_first = literal_first || summands.empty();
        any_literal = true;
        literals += t.minus ? -t.x.literal() : t.x.literal();
        continue;
      }
      const Occurring o = occurring(t.x, options_);
      summands.push_back({t.x, t.minus, o.first, o.kept, std::abs(value_of(t.x))});
    }
    if (summands.size() > options_.terms) {
      const auto worth = [](const Summand& a, const Summand& b) {
        return a.kept != b.kept ? a.kept : a.size > b.size;
      };
      std::stable_sort(summands.begin(), summands.end(), worth);
      for (std::size_t i = options_.terms; i < summands.size(); ++i)
        literals += summands[i].minus ? -value_of(summands[i].x) : value_of(summands[i].x);
      left_out_ += summands.size() - options_.terms;
      summands.resize(options_.terms);
      any_literal = shortened = true;
      literal_first = false;
    }
    std::stable_sort(summands.begin(), summands.end(),
                     [](const Summand& a, const Summand& b) { return a.order < b.order; });
    // What is no sum but one term.
    if (summands.size() == 1 && literals == 0 && !shortened) {
      Part only = part(summands[0].x);
      return summands[0].minus ? negative(std::move(only)) : only;
    }
    // A sum begins with a term that has no minus, if there is one.
    const auto positive =
        std::find_if(summands.begin(), summands.end(), [](const Summand& s) { return !s.minus; });
    if (positive != summands.end() && !(any_literal && literal_first))
      std::rotate(summands.begin(), positive, positive + 1);
    Part result{.text = "", .level = Level::sum};
    const auto add = [&](const Part& p) {
      const int least = p.minus ? Level::product : Level::sum;
      const Part term{p.text, p.level, false, p.below_zero};
      if (result.text.empty())
        result.text = (p.minus ? "-" : "") + at(term, p.minus ? least : Level::open);
      else
        result.text += fmt::format(" {} {}", p.minus ? "-" : "+", at(term, least));
      result.value += p.value;
    };
    if (any_literal && literal_first && literals != 0) add(literal(literals));
    for (const Summand& s : summands) add(s.minus ? negative(part(s.x)) : part(s.x));
    if (any_literal && !literal_first && (literals != 0 || shortened)) add(literal(literals));
    return result;
  }

  const SpellOptions& options_;
  std::size_t left_out_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string number_text(double number, int digits, double scale) {
  if (std::isnan(number)) return "nan";  // its sign means nothing
  if (!std::isfinite(number)) return fmt::format("{}", number);
  const double uncertain = rounding_noise * std::max(std::abs(number), scale);
  if (std::abs(number) <= uncertain) return "0";
  for (int few = 1; few <= digits; ++few) {
    std::string text = fmt::format("{:.{}g}", number, few);
    if (std::abs(std::strtod(text.c_str(), nullptr) - number) <= uncertain) return text;
  }
  std::string text = fmt::format("{:#.{}g}", number, digits);
  // One digit needs no point behind it.
  if (const std::size_t point = text.find('.');
      point != std::string::npos && (point + 1 == text.size() || text[point + 1] == 'e'))
    text.erase(point, 1);
  return text;
}

std::vector<std::vector<std::uint32_t>> products_of_symbols(const Number& x) {
  std::vector<std::vector<std::uint32_t>> result;
  for (const Term& t : terms_of(x)) {
    if (t.minus) return {};
    std::vector<std::uint32_t>& product = result.emplace_back();
    for (const Number& f : factors_of(t.x)) {
      const SymbolTree* e = tree_of(f);
      if (e == nullptr || e->form != SymbolTree::Form::symbol) return {};
      product.push_back(e->symbol);
    }
  }
  return result;
}

Spelled spell(const Number& x, const SpellOptions& options) {
  Speller speller(options);
  const Part p = speller.part(x);
  return {.formula = at(p, Level::open), .value = p.value, .left_out = speller.left_out()};
}

}  // namespace tapegrad
