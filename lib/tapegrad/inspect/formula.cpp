#include "tapegrad/inspect/formula.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tapegrad/inspect/notation.hpp"
#include "tapegrad/tape/recording.hpp"

namespace tapegrad {
namespace {

/// A part of a formula: its text without a sign, and whether a minus belongs in front.
struct Term {
  std::string text;
  int level = Level::closed;
  bool negative = false;
  std::optional<double> number = {};  // of a constant
  std::vector<Term> stretched = {};   // what was broadcast, where that is all

  bool is(double value) const { return number == value; }
};

std::string in_brackets(const Term& t, bool needed) {
  return fmt::format("{}{}{}{}", needed ? "(" : "", t.negative ? "-" : "", t.text,
                     needed ? ")" : "");
}

/// A term at a place of a notation. Matrices side by side keep apart from other products.
std::string placed(const Term& t, const Notation::Place& place) {
  const int level = t.negative ? std::min<int>(t.level, Level::product) : t.level;
  const bool minus = t.negative || t.text.starts_with('-');
  const bool two_products =
      level == Level::juxtaposition && place.least >= Level::product && place.least < level;
  return in_brackets(t, level < place.least || (minus && place.behind) || two_products);
}

// ---- arithmetic, as one would write it

constexpr std::string_view sum_notation = "{} + {}", difference_notation = "{} - {}",
                           product_notation = "{} * {}", quotient_notation = "{} / {}",
                           power_notation = "{}^{}", broadcast_notation = "broadcast({})",
                           negation_notation = "-{}", left_out = "...";

Term filled(std::string_view notation, std::span<const Term> operands);

Term negated(Term t) {
  if (t.level < Level::product) t = {.text = in_brackets(t, true)};
  t.negative = !t.negative;
  if (t.number) t.number = -*t.number;
  return t;
}

Term sum_of(const Term& a, const Term& b) {
  if (a.text == left_out && b.text == left_out) return a;
  if (a.is(0)) return b;
  if (b.is(0)) return a;
  const Term both[] = {a, {.text = b.text, .level = b.level}};
  if (b.negative) return filled(difference_notation, both);
  if (b.level != Level::sum || !b.text.starts_with('-')) return filled(sum_notation, both);
  const Term rest[] = {a, {.text = b.text.substr(1), .level = Level::product}};
  return filled(difference_notation, rest);  // a + (-b + c) = a - b + c
}

Term difference_of(const Term& a, const Term& b) {
  if (b.is(0)) return a;
  if (a.is(0)) return negated(b);
  const Term both[] = {a, {.text = b.text, .level = b.level}};
  return filled(b.negative ? sum_notation : difference_notation, both);
}

/// Behind `1 /` or `1/`, if that is how a quotient begins.
std::string_view denominator(const Term& t) {
  for (const std::string_view one : {"1 / ", "1/"})
    if (t.level == Level::product && t.text.starts_with(one))
      return std::string_view(t.text).substr(one.size());
  return {};
}

/// Numbers go to the front, and a minus before all; a * (1 / b) is a / b.
Term product_of(Term a, Term b) {
  if (b.number && !a.number) std::swap(a, b);
  const bool negative = a.negative != b.negative;
  a.negative = b.negative = false;
  const Term both[] = {a, b};
  const auto one = [](const Term& t) { return t.number && std::abs(*t.number) == 1; };
  Term result = one(a) ? b : one(b) ? a : filled(product_notation, both);
  if (const auto below = denominator(b); !below.empty() && !one(a)) {
    const Term quotient[] = {a, {.text = std::string(below)}};
    result = filled(quotient_notation, quotient);
  }
  if (negative && result.level < Level::product) return negated(result);
  result.negative = negative;
  return result;
}

Term quotient_of(Term a, Term b) {
  if (b.is(1)) return a;
  const bool negative = a.negative != b.negative;
  a.negative = b.negative = false;
  const Term both[] = {a, b};
  Term result = filled(quotient_notation, both);
  result.negative = negative;
  return result;
}

// ---- any notation

Term filled(std::string_view notation, std::span<const Term> operands) {
  if (notation == "{}") return operands[0];
  const Notation read(notation);
  Term result{.text = read.texts().front(), .level = read.level()};
  std::size_t next = 0;
  for (std::size_t i = 0; i < read.places().size(); ++i) {
    const std::size_t end = read.places()[i].all ? operands.size() : next + 1;
    for (std::size_t first = next; next < end; ++next)
      result.text += (next == first ? "" : ", ") + placed(operands[next], read.places()[i]);
    result.text += read.texts()[i + 1];
  }
  return result;
}

/// What a record computes, of the terms of its operands.
class Writer {
 public:
  Writer(const Recording& recording, const FormulaOptions& options)
      : recording_(recording), options_(options) {}

  Term number(double value) const {
    return {.text = fmt::format("{:.{}g}", std::abs(value), options_.digits),
            .negative = std::signbit(value),
            .number = value};
  }

  Term leaf(Id id) const {
    if (const std::string_view name = recording_.name(id); !name.empty())
      return {.text = std::string(name)};
    if (recording_.is(id, LeafKind::constant) && recording_.node(id).shape.rank() == 0)
      return number(recording_.handle(id).item());
    return {.text = fmt::format("%{}", id)};
  }

  Term op(Id id, std::span<const Term> operands) const {
    const Op& op = *recording_.node(id).op;
    const std::string notation = notation_of(id);
    if (op.kind == Kind::composite) operands = operands.first(operands.size() - 1);  // its value
    if (op.kind == Kind::elementwise && operands.size() > 1) return apart(notation, operands);
    if (notation == negation_notation) return negated(operands[0]);
    Term result = filled(notation, operands);
    if (notation == broadcast_notation) result.stretched = {operands[0]};
    return result;
  }

 private:
  std::string notation_of(Id id) const {
    const Op& op = *recording_.node(id).op;
    if (op.notation == "{...}") return fmt::format("{}({{...}})", op.name);
    if (op.notation_of == nullptr) return std::string(op.notation);
    return op.notation_of(
        Operands(op, recording_, recording_.operands(id), recording_.attributes(id)));
  }

  /// Of elementwise operands: that they are broadcast goes without saying.
  Term apart(std::string_view notation, std::span<const Term> operands) const {
    std::vector<Term> x(operands.begin(), operands.end());
    for (Term& t : x)
      if (!t.stretched.empty()) t = Term(t.stretched.front());
    const bool numbers = x.size() == 2 && x[0].number && x[1].number;
    if (notation == sum_notation)
      return numbers ? number(*x[0].number + *x[1].number) : sum_of(x[0], x[1]);
    if (notation == difference_notation)
      return numbers ? number(*x[0].number - *x[1].number) : difference_of(x[0], x[1]);
    if (notation == product_notation)
      return numbers ? number(*x[0].number * *x[1].number) : product_of(x[0], x[1]);
    if (notation == quotient_notation)
      return numbers ? number(*x[0].number / *x[1].number) : quotient_of(x[0], x[1]);
    if (notation == power_notation && x[1].is(1)) return x[0];
    return filled(notation, x);
  }

  const Recording& recording_;
  const FormulaOptions& options_;
};

}  // namespace

std::string formula(const Tensor& t, const FormulaOptions& options, Site at) {
  const Recording& recording = Recording::of(t, "formula", at);
  // Where a record is written, level by level: so what is left out lies deepest, and there is no
  // recursion.
  struct Spot {
    Id id;
    std::size_t first = 0, count = 0;  // the spots of its operands
    bool left_out = false;
  };
  std::vector<Spot> spots{{.id = recording.id_of(t, "formula", at)}};
  std::size_t written = 0;
  for (std::size_t i = 0; i < spots.size(); ++i) {
    const Id id = spots[i].id;
    if (recording.node(id).leaf() || (i > 0 && !recording.name(id).empty())) continue;
    spots[i].left_out = written == options.limit;
    if (spots[i].left_out) continue;
    ++written;
    const std::span<const Id> operands = recording.operands(id);
    spots[i].first = spots.size();
    spots[i].count = operands.size();
    for (Id operand : operands) spots.push_back({.id = operand});
  }
  const Writer writer(recording, options);
  std::vector<Term> terms(spots.size());
  for (std::size_t i = spots.size(); i-- > 0;) {
    const Spot& spot = spots[i];
    if (spot.left_out)
      terms[i].text = left_out;
    else if (spot.count == 0)
      terms[i] = writer.leaf(spot.id);
    else
      terms[i] = writer.op(spot.id, std::span(terms).subspan(spot.first, spot.count));
  }
  return in_brackets(terms.front(), false);
}

}  // namespace tapegrad
