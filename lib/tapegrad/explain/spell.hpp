// Internal: a number of symbols() as a formula, written with names or with rounded numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tapegrad/kernel/symbols.hpp"

namespace tapegrad {

/// A number as it is printed: exactly where a few digits determine it, up to rounding noise; else
/// with so many significant digits, zeros at the end included. It is as noisy as numbers of the
/// size `scale`, if it is a difference of such.
std::string number_text(double number, int digits, double scale = 0);

struct SpellOptions {
  /// What a symbol is called.
  std::function<std::string(std::uint32_t)> name;
  /// Write numbers for symbols.
  bool numbers = false;
  int digits = 6;
  /// How many terms of a sum are written; the others are put together in one number.
  std::size_t terms = static_cast<std::size_t>(-1);
  /// Symbols whose terms are always written.
  std::function<bool(std::uint32_t)> kept = {};
};

struct Spelled {
  std::string formula;
  double value = 0;          // of the formula as printed, with rounded numbers
  std::size_t left_out = 0;  // terms of sums that were put together
};

/// Terms of sums stand in the order of their symbols. Sums may be as long as they like; of
/// functions nested a thousand deep, the innermost are put as numbers.
Spelled spell(const Number& x, const SpellOptions& options);

/// The terms of a sum, if each is a product of symbols without a minus: which symbols. Else empty.
std::vector<std::vector<std::uint32_t>> products_of_symbols(const Number& x);

}  // namespace tapegrad
