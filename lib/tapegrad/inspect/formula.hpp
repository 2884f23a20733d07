// A tensor as a formula, read off its records: "ybar * (1 - y^2)". Each op is written by its own
// notation, with parentheses where precedence needs them. No op is known by name.
#pragma once

#include <cstddef>
#include <string>

#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

struct FormulaOptions {
  /// Of how many records the formula is made, each counted where it is written; what lies deeper is
  /// written as `...`.
  std::size_t limit = 200;
  /// Significant digits of the constants.
  int digits = 6;
};

/// What a tensor is computed by, in terms of leaves and of tensors that have a name; the name of
/// the tensor itself does not count. A leaf without a name is written as its number, if it is a
/// constant of rank 0, or as its record, `%3`. It is written as one would by hand: without what
/// leaves a value as it is (1 * x, x + 0), constants put together (2 * 0.5), a minus in front of a
/// product, a / b for a * (1 / b). Axes of extent 1 do not show, nor does broadcasting beside
/// another operand. Throws Error for a tensor that cannot be used.
std::string formula(const Tensor& t, const FormulaOptions& options = {}, Site at = Site::here());

}  // namespace tapegrad
