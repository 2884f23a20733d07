// Internal: with how many digits numbers were written down. A double forgets it; its shortest
// decimal form remembers.
#pragma once

#include <vector>

#include "tapegrad/base/array.hpp"

namespace tapegrad {

/// With so many digits, numbers were not written by hand.
inline constexpr int exact_digits = 12;

struct Written {
  std::vector<double> units;  // of each number's last digit: 0.0001 for 0.1385
  int digits = 0;             // significant ones of the number that has the most
};

/// A double forgets zeros at the end: so 0.5 is 0.50, and beside 0.1385 it is 0.500; no number
/// counts as written to less than three digits (two, if no other has three), unless that goes
/// beyond the last place of all. A zero among nothing but zeros is exact. `digits` says how many
/// there are, if it is not 0.
Written written(const Array& numbers, int digits = 0);

}  // namespace tapegrad
