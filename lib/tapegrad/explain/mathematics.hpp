// Internal: formulas in LaTeX's mathematics, in macros that LaTeX with amsmath, MathJax and KaTeX
// all know (\operatorname is not one of them: code-hosting sites refuse it), and without raw
// characters beyond ASCII.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/explain/derivation.hpp"
#include "tapegrad/explain/typeset.hpp"

namespace tapegrad {

/// `net_h1`: \mathit{net}_{h1}, `w5`: w_{5}, `hidden.weight[0,1]`: \mathrm{hidden.weight}[0,1].
BrokenLine math_name(std::string_view name);

/// A character beyond ASCII that mathematics has a macro for, such as a Greek letter, or nothing.
std::string_view math_symbol(char32_t character);

/// In a line of text: fractions lie.
BrokenLine math_inline(const Derivation& derivation, std::string_view formula);

/// Rows of an aligned environment, one below the other.
struct MathRow {
  std::string text;
  std::size_t width = 0;  // in digits, roughly
  Site at = {};           // the user's line
};
std::vector<MathRow> math_rows(const Derivation& derivation, const Equation& equation);

/// Like \texttt, in mathematics.
std::string math_code(std::string_view text);

}  // namespace tapegrad
