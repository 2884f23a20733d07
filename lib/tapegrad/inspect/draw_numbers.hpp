// Internal: the numbers in a picture: values, gradients and local derivatives of records, computed
// anew from the leaves on a tape of its own. The user's is only read.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/check/bench.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/transcript.hpp"

namespace tapegrad {

class DrawnNumbers {
 public:
  /// Of what the outputs need. Throws Error if a leaf was never set.
  DrawnNumbers(const Recording& recording, std::span<const Id> outputs, Site at);

  Numbers values(Id id) const { return transcript_.copy(id).values(); }

  /// Finds the gradient of y by each of these. Throws Error if y is not one number.
  void differentiate(Id y, std::span<const Id> by, std::string_view doing, Site at);
  bool has_gradient(Id id) const { return id < gradients_.size() && gradients_[id].defined(); }
  Numbers gradient(Id id) const { return gradients_[id].values(); }

  /// The derivative of a record by an operand, as text; empty if it has none.
  std::string local_derivative(Id record, std::size_t operand, int digits);

 private:
  Id copy(Id id) const;

  const Recording& original_;
  Tape tape_;
  Transcript transcript_;
  Bench bench_;
  std::vector<Tensor> gradients_;  // by id of the original
};

}  // namespace tapegrad
