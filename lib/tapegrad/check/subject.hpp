// Internal: what a gradient check looks at: one number and its gradient, recorded in float64 on a
// tape that belongs to the check. Whatever is asked (a tensor with a cotangent, a higher order, a
// float32 tape, an op alone) becomes a subject first; then one probe serves all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/base/random.hpp"
#include "tapegrad/check/check_options.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tape.hpp"

namespace tapegrad {

struct Subject {
  /// What the user called, and at which line, for errors; no line: the check of an op alone.
  explicit Subject(std::string_view call, Site line = {})
      : tape(float64, line), doing(call), at(line) {}

  Tape tape;
  Tensor y;                              // of any shape, on the tape
  std::vector<Tensor> x;                 // by what it is differentiated
  std::vector<std::string> names = {};   // of x, for the report
  std::vector<std::string> labels = {};  // of records, as the user's tape has them; by id
  Tensor number = {};                 // <v, y> with a random v, or of higher order; set by derive
  std::vector<Tensor> gradient = {};  // of the number, by x
  std::string_view doing;
  Site at;

  Recording& recording() const { return tape.recording(); }
  Id id(const Tensor& t) const { return recording().id_of(t, "check", Site{}); }

  /// `%7 hidden`, as on the user's tape.
  std::string label(Id id) const { return id < labels.size() ? labels[id] : recording().label(id); }
  /// `hidden.weight`, or the label of what has no name.
  std::string called(Id id) const {
    const std::string_view name = recording().name(id);
    return name.empty() ? label(id) : std::string(name);
  }
  /// The records between the x and the number, both included.
  std::vector<Id> path() const;

  /// The records at which a derivative ends, on its way from the number, though their values depend
  /// on an x: a detach. In order.
  std::vector<Id> stops() const;

  /// Records the number and its gradient: y itself if it is one number, else its product with
  /// random signs and magnitudes. Order 2 is the gradient of <u, gradient> with a random u, and so
  /// on. Throws Error if y depends on none of the x. Precondition: the order is 1 or more.
  void derive(int order, Random& random);
};

/// A subject from what is recorded: y and x on their own tape, which is only read. Throws Error if
/// there is no x, or a leaf that they need was never set.
Subject subject_of(std::string_view doing, const Tensor& y, const Arg* seed,
                   std::span<const Tensor> x, Site at);

/// Leaves out of x what the options do not ask for, and what is whole numbers: the names of those
/// are the result. Throws Error if nothing is left.
std::vector<std::string> select(Subject& subject, const CheckOptions& options);

/// One record of a subject alone: its operands are the x (not those that are whole numbers), with
/// the values they have there. Operand numbers of x are written to `operands`.
Subject subject_alone(const Subject& whole, Id record, std::vector<int>& operands);

/// Numbers for a cotangent: magnitudes between a half and one and a half, random signs.
Array random_cotangent(const Shape& shape, Random& random);

/// Whether a leaf is used as whole numbers only (labels, indices): such numbers are never shifted.
bool whole_numbers(const Recording& recording, Id leaf, Id end);
/// Whether an operand of a record is whole numbers.
bool whole_operand(const Recording& recording, Id record, std::size_t operand);
/// Whether a rule may pass something to an operand: not to an index, a condition, or through a
/// detach.
bool passes_on(const Recording& recording, Id record, std::size_t operand);

}  // namespace tapegrad
