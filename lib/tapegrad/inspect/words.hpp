// All fixed words of a derivation, in one table: another language is another table, and no code.
#pragma once

#include <string_view>

namespace tapegrad {

struct Words {
  std::string_view rounded =
      "An approximately-equal sign: the printed numbers are rounded, and rounded numbers give "
      "another last digit; the result comes from full precision.";
};

inline constexpr Words english{};

}  // namespace tapegrad
