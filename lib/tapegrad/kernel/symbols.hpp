// Internal: numbers that remember how they were computed. A kernel that runs on them leaves behind
// the formula of each element it computes, with branches chosen by value. What a reader would not
// write down (1 x, x + 0, -(-x)) is left out as it is met.
#pragma once

#include <cstdint>

#include "tapegrad/kernel/number.hpp"

namespace tapegrad {

/// Beside its value, what a number of symbols() is: a symbol, or a function of one or two others.
struct SymbolTree final : Number::Value {
  enum class Form : std::uint8_t { symbol, unary, binary };

  SymbolTree(const NumberSystem& owner, std::uint32_t name, double number)
      : Value(owner), form(Form::symbol), symbol(name), value(number) {}
  SymbolTree(const NumberSystem& owner, Function f, Number operand, double number)
      : Value(owner), form(Form::unary), function(f), value(number), x(std::move(operand)) {}
  SymbolTree(const NumberSystem& owner, Function f, Number left, Number right, double number)
      : Value(owner),
        form(Form::binary),
        function(f),
        value(number),
        x(std::move(left)),
        y(std::move(right)) {}
  /// Trees may be as deep as a sum is long, so: no recursion.
  ~SymbolTree() override;

  Form form;
  Function function = Function::add;
  std::uint32_t symbol = 0;
  double value;
  mutable Number x, y;  // given away at the end
};

const NumberSystem& symbols();

/// A symbol with the value that branches are chosen by.
Number symbol(std::uint32_t name, double value);

/// What a number of symbols() was computed by, or nullptr for a literal.
inline const SymbolTree* tree_of(const Number& x) {
  return static_cast<const SymbolTree*>(x.value());
}

/// The double that it stands for.
inline double value_of(const Number& x) {
  return x.value() == nullptr ? x.literal() : tree_of(x)->value;
}

}  // namespace tapegrad
