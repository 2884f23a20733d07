// Internal: with how many digits numbers were written down. A double forgets it; its shortest
// decimal form remembers.
#pragma once

#include <vector>

#include "tapegrad/base/array.hpp"

namespace tapegrad {

struct Written {
  std::vector<double> units;  // of each number's last digit: 0.0001 for 0.1385
  int digits = 0;             // significant ones of the number that has the most
};

/// Numbers side by side are taken for written alike, to the same place after the point or to the
/// same number of digits, whichever is less, or to one digit fewer: so 0.5 beside 0.1385 is 0.500,
/// whose zeros a double forgets. Nothing is taken for written to less than two digits, and a zero
/// among nothing but zeros is exact. `digits` says how many there are, if it is not 0.
Written written(const Array& numbers, int digits = 0);

}  // namespace tapegrad
