// A derivation as plain data: sections of sentences, equations and tables. explain() makes it from
// the records that were executed; text(), markdown() and latex() only set it in type.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tapegrad/base/site.hpp"

namespace tapegrad {

/// What a formula calls by name.
struct Quantity {
  /// A value: `net_h1`, `w5`, `hidden.weight[0,1]`. A delta: how the result changes with it,
  /// `δ(net_h1)`. A derivative, written as a fraction: of `of` by `name`, `∂E/∂w5`. A blank, with
  /// its number.
  enum class Kind : std::uint8_t { value, delta, derivative, blank };
  Kind kind = Kind::value;
  std::string name;
  std::string of = {};

  friend bool operator==(const Quantity&, const Quantity&) = default;
};

/// One side of an equation: a formula in the notation of ops ("a * (1 - b)", "sum(x, axis 0)",
/// "x w^T"), in which private-use characters stand for quantities (see Derivation::quantity), or a
/// block of numbers.
struct Side {
  std::string formula = {};
  /// Holds between what is printed only up to rounding: written with an approximately-equal sign.
  bool rounded = false;
  /// Rows of a matrix, as printed; "..." where it is shortened. Used if not empty.
  std::vector<std::vector<std::string>> rows = {};
  /// The element that is being explained.
  std::optional<std::size_t> marked_row = {}, marked_column = {};
};

/// `net_h1 = i1 * w1 + i2 * w2 + b1 = 0.05 * 0.15 + 0.1 * 0.2 + 0.35 = 0.3775`
struct Equation {
  std::vector<Side> sides;
  std::string note = {};  // behind it: the rule it comes from, a share; maybe with `formulas`
  Site at = {};           // the user's line
  bool matrices = false;  // of whole tensors: a product sign stands for an elementwise product
};

/// Words, in which formulas stand between backquotes.
struct Sentence {
  std::string text;
};

/// Cells are sentences.
struct Table {
  std::vector<std::string> head = {};
  std::vector<std::vector<std::string>> rows = {};
};

using Paragraph = std::variant<Sentence, Equation, Table>;

struct Derivation {
  struct Section {
    std::string name;   // "paths": what section() takes
    std::string title;  // as printed
    std::vector<Paragraph> lines = {};
  };

  std::vector<Section> sections = {};
  std::vector<Quantity> quantities = {};
  std::string footnote = {};  // what the sign for rounded sides means; empty where it is not used

  /// The derivative that is explained, as computed, unrounded. Throws Error if it is not one
  /// number: of a whole tensor, or a whole network.
  double value() const;
  std::optional<double> derivative = {};

  /// One part, for a slide: "network", "forward", "local", "paths", "merged", "matrices",
  /// "update" or "check". Throws Error for a name that it has not, listing those it has.
  Derivation section(std::string_view name) const;

  /// The character that stands for a quantity in formulas: U+F0000 and those after it.
  std::string quantity(const Quantity& quantity);
};

struct TextOptions {
  /// Of a line, in columns; a formula is broken at its signs.
  std::size_t width = 100;
};
/// For a terminal.
std::string text(const Derivation& derivation, const TextOptions& options = {});
/// With formulas in LaTeX, as code-hosting sites render it.
std::string markdown(const Derivation& derivation);

struct LatexOptions {
  /// A document that compiles alone (needs amsmath), not a fragment.
  bool document = false;
};
std::string latex(const Derivation& derivation, const LatexOptions& options = {});

std::ostream& operator<<(std::ostream& out, const Derivation& derivation);

}  // namespace tapegrad

/// `{}`: as text(derivation).
template <>
struct fmt::formatter<tapegrad::Derivation> : fmt::formatter<fmt::string_view> {
  fmt::format_context::iterator format(const tapegrad::Derivation& derivation,
                                       fmt::format_context& context) const;
};
