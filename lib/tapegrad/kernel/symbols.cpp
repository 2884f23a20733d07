#include "tapegrad/kernel/symbols.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "tapegrad/kernel/number_system.hpp"

namespace tapegrad {
namespace {

bool is(const Number& x, double literal) { return x.value() == nullptr && x.literal() == literal; }

/// The operand of a negation, or nullptr.
const Number* negated(const Number& x) {
  const SymbolTree* e = tree_of(x);
  const bool minus =
      e != nullptr && e->form == SymbolTree::Form::unary && e->function == Function::negate;
  return minus ? &e->x : nullptr;
}

/// `2 / x`, or nullptr.
const SymbolTree* fraction_of_a_literal(const Number& x) {
  const SymbolTree* e = tree_of(x);
  const bool fraction = e != nullptr && e->form == SymbolTree::Form::binary &&
                        e->function == Function::divide && e->x.value() == nullptr;
  return fraction ? e : nullptr;
}

class SymbolSystem final : public NumberSystem {
 public:
  Number number(double literal) const override { return literal; }

  Number apply(Function f, const Number& x) const override {
    if (f == Function::negate)
      if (const Number* twice = negated(x)) return *twice;
    return Number(new SymbolTree(*this, f, x, evaluate(f, value_of(x))));
  }

  Number apply(Function f, const Number& x, const Number& y) const override {
    switch (f) {
      case Function::add:
        if (is(x, 0)) return y;
        if (is(y, 0)) return x;
        if (const Number* minus = negated(y)) return x - *minus;
        break;
      case Function::subtract:
        if (is(y, 0)) return x;
        if (is(x, 0)) return -y;
        if (x.value() == y.value() && std::isfinite(value_of(x))) return 0;
        if (const Number* minus = negated(y)) return x + *minus;
        break;
      case Function::multiply:
        if (is(x, 0) || is(y, 0)) return value_of(x) * value_of(y);
        if (is(x, 1)) return y;
        if (is(y, 1)) return x;
        if (is(x, -1)) return -y;
        if (is(y, -1)) return -x;
        if (const Number* minus = negated(x)) return -(*minus * y);
        if (const Number* minus = negated(y)) return -(x * *minus);
        if (x.value() == y.value()) return pow(x, 2);
        if (const SymbolTree* e = fraction_of_a_literal(y); e != nullptr)
          if (x.value() == nullptr || is(e->x, 1)) return x * e->x / e->y;
        if (const SymbolTree* e = fraction_of_a_literal(x); e != nullptr)
          if (is(e->x, 1)) return y / e->y;
        break;
      case Function::divide:
        if (is(y, 1)) return x;
        if (is(x, 0)) return value_of(x) / value_of(y);
        if (const Number* minus = negated(x)) return -(*minus / y);
        break;
      case Function::pow:
        if (is(y, 1)) return x;
        break;
      default:
        break;
    }
    return Number(new SymbolTree(*this, f, x, y, evaluate(f, value_of(x), value_of(y))));
  }

  std::partial_ordering compare(const Number& x, const Number& y) const override {
    return value_of(x) <=> value_of(y);
  }
  bool equal(const Number& x, const Number& y) const override { return value_of(x) == value_of(y); }
  bool finite(const Number& x) const override { return std::isfinite(value_of(x)); }
  double value(const Number& x) const override { return value_of(x); }
};

}  // namespace

SymbolTree::~SymbolTree() {
  std::vector<Number> open;
  const auto take = [&](Number& part) {
    if (part.owns_alone() && tree_of(part)->form != Form::symbol) open.push_back(std::move(part));
  };
  take(x), take(y);
  while (!open.empty()) {
    const Number last = std::move(open.back());
    open.pop_back();
    take(tree_of(last)->x), take(tree_of(last)->y);
  }
}

const NumberSystem& symbols() {
  static const SymbolSystem system;
  return system;
}

Number symbol(std::uint32_t name, double value) {
  return Number(new SymbolTree(symbols(), name, value));
}

}  // namespace tapegrad
