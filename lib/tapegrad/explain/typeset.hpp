// Internal: what all forms of a derivation share: formulas read into a tree, sentences taken apart,
// and lines that know where they may be broken. No form is known here.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tapegrad/explain/derivation.hpp"
#include "tapegrad/inspect/notation.hpp"

namespace tapegrad {

// ---- characters

/// The first character of a text in UTF-8, and its length in bytes; bytes that are none count
/// singly. Precondition: the text is not empty.
std::pair<char32_t, std::size_t> first_character(std::string_view text);
/// How many columns of a terminal it takes: one for each character.
std::size_t columns(std::string_view text);
/// Which of Derivation::quantities a character stands for.
std::optional<std::size_t> quantity_of(char32_t character);
/// The character that stands for a quantity.
std::string character_of(std::size_t quantity);

// ---- formulas

/// A formula as a tree. Operators of one level are one chain, however many there are.
struct Expression {
  enum class Kind : std::uint8_t {
    number,      // text
    name,        // text
    quantity,    // index
    words,       // text: "axis 0", an argument that is no formula
    places,      // text: "[:, 1:3]"
    dots,        // what is left out
    call,        // text(parts), separated by signs
    brackets,    // (parts), separated by signs
    bars,        // |part|
    chain,       // parts, with a sign in front of each; the first is empty or a minus
    power,       // part ^ part
    transposed,  // part
    indexed,     // part, then places
  };
  Kind kind = Kind::name;
  std::string text = {};
  std::size_t index = 0;
  int level = Level::closed;  // of a chain: what kind of signs it has
  std::vector<Expression> parts = {};
  std::vector<std::string> signs = {};

  /// A sign in front: behind an operator it needs brackets.
  bool negative() const { return kind == Kind::chain && signs[0] == "-"; }
  bool is_chain(int of) const { return kind == Kind::chain && level == of; }
  /// `sum(x[k,2] * w[k,0], k)`: a sum over an index.
  bool sum_over_index() const {
    return kind == Kind::call && text == "sum" && parts.size() == 2 &&
           parts[1].kind == Kind::name && parts[1].text.size() == 1;
  }
  /// Made of numbers alone.
  bool numeric() const;
};

/// Reads any text: what is no formula comes out as names side by side.
Expression expression(std::string_view formula);

/// Of a chain of products, whether the sign in front of a part is one of whole tensors: not where
/// one of its sides is a number.
bool elementwise(const Expression& chain, std::size_t part, bool matrices);

// ---- sentences

struct Span {
  std::string text;
  bool formula = false;
};
/// Formulas stand between backquotes.
std::vector<Span> spans(std::string_view sentence);

/// Whether a table's column is all numbers, which stand at its right.
bool right_aligned(const Table& table, std::size_t column);

// ---- lines

/// A line made of pieces, in front of which it may be broken, at lower ranks first.
class BrokenLine {
 public:
  void put(std::string_view text) { put(text, columns(text)); }
  void put(std::string_view text, std::size_t width);
  /// What can be broken no more.
  void put(const BrokenLine& whole) { put(whole.text(), whole.width()); }
  void append(const BrokenLine& next);
  /// A line may begin here; if none does, maybe a space is here.
  void may_break(int rank, bool space);

  std::string text() const;
  std::size_t width() const;
  /// At most this wide, where it can be.
  std::vector<BrokenLine> lines(std::size_t width) const;

 private:
  struct Piece {
    std::string text = {};
    std::size_t width = 0;
    int rank = 0;
    bool space = false;  // in front of it

    std::size_t whole_width() const { return width + (space ? 1 : 0); }
  };
  std::vector<Piece> pieces_{1};
};

/// The ranks of a line's breaks, this deep in brackets.
constexpr int break_of_sum(int depth) { return 2 * depth; }
constexpr int break_of_product(int depth) { return 2 * depth + 1; }

// ---- pages

/// One of the forms a derivation is printed in: how it sets each part, ended by a new line.
class Form {
 public:
  virtual ~Form() = default;
  /// All parts, with an empty line between them.
  std::string page(const Derivation& derivation) const;

 protected:
  virtual std::string title(const std::string& title) const = 0;
  virtual std::string sentence(const std::string& text) const = 0;
  virtual std::string table(const Table& table) const = 0;
  /// Those that stand one below the other.
  virtual std::string equations(const std::vector<const Equation*>& equations) const = 0;
};

}  // namespace tapegrad
