// Internal: an op's notation, read as a formula: what stands between its places, and how tightly it
// holds them together. No record here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tapegrad {

/// How tightly a text holds together: as its loosest operator outside brackets.
struct Level {
  enum : int {
    open = 0,  // between brackets and commas anything may stand
    assignment = 10,
    comparison = 20,
    sum = 30,
    product = 40,
    juxtaposition = 50,  // matrices side by side
    power = 60,
    closed = 70,  // a name, a number, a call
  };
};

class Notation {
 public:
  struct Place {
    int least = Level::open;  // the level below which a text needs brackets here
    bool behind = false;      // an operator stands in front, so that no minus may follow
    bool all = false;         // of all operands
  };

  explicit Notation(std::string_view notation);

  /// What stands before, between and behind the places.
  const std::vector<std::string>& texts() const { return texts_; }
  const std::vector<Place>& places() const { return places_; }
  int level() const { return level_; }

 private:
  /// An operator, and what it requires on its sides: a level, or one more where an equal one needs
  /// brackets.
  struct Operator {
    std::string_view text;
    int level, left, right;
  };
  static const Operator operators[], side_by_side, sign;

  std::size_t read(std::string_view rest);
  void operand();
  void apply(const Operator& found);

  std::vector<std::string> texts_{1};
  std::vector<Place> places_;
  int level_ = Level::closed;

  std::string brackets_;        // those that are open
  int required_ = Level::open;  // of the next operand, by what stands in front of it
  bool after_operand_ = false, after_place_ = false;
};

}  // namespace tapegrad
