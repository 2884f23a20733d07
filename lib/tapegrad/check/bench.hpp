// Internal: one record at a time, tried alone with operands and an adjoint of one's choice: what it
// would compute, what it would pass back, and what its function does at one element in more digits
// than the tape has. The recording is only read.
#pragma once

#include <optional>
#include <vector>

#include "tapegrad/base/array.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tape.hpp"

namespace tapegrad {

using Numbers = std::vector<double>;

class Bench {
 public:
  explicit Bench(const Recording& recording)
      : recording_(recording), tape_(recording.precision(), Site{}) {}

  /// The values of a record's operands.
  std::vector<Array> operands(Id record) const;
  /// What the op makes of others.
  Array value(Id record, const std::vector<Array>& operands);
  /// What it passes to each operand when its adjoint is this one. Its op must have a rule.
  std::vector<Array> shares(Id record, const std::vector<Array>& operands, const Array& adjoint);
  /// The same of an elementwise op in the shape of the result: what each element of the result
  /// passes, before broadcasting is undone.
  std::vector<Array> shares_by_element(Id record, const Array& adjoint);
  /// What the rule of an elementwise op passes to its only operand, if it takes `result` for the
  /// result.
  Array share_as_if(Id record, const Array& operand, const Array& result, const Array& adjoint);
  /// For an elementwise op: which element of an operand belongs to one of the result.
  std::size_t element(Id record, std::size_t operand, std::size_t of_result) const;

  /// An elementwise function at one element of the result, by one operand.
  struct Local {
    bool chooses;  // its kernel compares
    double slope;  // by forward mode in fifty digits: 0 only if it is exactly 0
  };
  /// Nothing if the op cannot be computed in other arithmetics.
  std::optional<Local> local(Id record, std::size_t operand, std::size_t of_result);
  /// How each element of the result changes as an operand moves along a direction, likewise in
  /// fifty digits.
  std::optional<Numbers> slopes(Id record, std::size_t operand, const Numbers& direction) const;

 private:
  const Recording& recording_;
  Tape tape_;
};

}  // namespace tapegrad
