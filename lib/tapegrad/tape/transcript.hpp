// Internal: records written out again on another tape: what some outputs need, in the same order,
// with the same names and lines. A check works on a transcript, in float64 and with ops replaced as
// it likes, and leaves the original untouched.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tape.hpp"

namespace tapegrad {

class Transcript {
 public:
  /// The op to record in place of a record's own.
  using Replace = std::function<const Op&(Id)>;

  /// Writes what the outputs need to the end of `to`. Leaves become leaves of the same kind with
  /// the same values; records in `inputs` become inputs with the values they have, and what lies
  /// behind them is left out. Throws Error if a leaf was never set.
  Transcript(const Recording& from, std::span<const Id> outputs, Tape& to, Site at,
             const Replace& replace = {}, std::span<const Id> inputs = {});

  bool has(Id original) const {
    return std::binary_search(originals_.begin(), originals_.end(), original);
  }
  /// What stands for a record of the original. Precondition: has(original).
  Tensor copy(Id original) const {
    const auto place = std::lower_bound(originals_.begin(), originals_.end(), original);
    return copies_[static_cast<std::size_t>(place - originals_.begin())];
  }
  /// The originals, in order.
  std::span<const Id> originals() const { return originals_; }

 private:
  std::vector<Id> originals_;  // ascending
  std::vector<Tensor> copies_;
};

}  // namespace tapegrad
