// Internal: the backward pass as somebody might do it by hand: with some adjoints as given, and
// with one step done otherwise than the rule of its record says. What comes out is compared with
// numbers that are wrong, to find the mistake they were made by. No op is known by name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tapegrad/check/bench.hpp"
#include "tapegrad/check/mistake.hpp"
#include "tapegrad/check/subject.hpp"

namespace tapegrad {

/// What is done otherwise, when some records pass their adjoints on.
struct Variation {
  enum class How {
    nothing,
    without_slope,     // an elementwise record hands its adjoint on as it is
    slope_twice,       // the local derivative is multiplied in twice
    slope_at_result,   // f'(f(x)) for f'(x)
    slope_of_operand,  // the formula of f' in terms of the result, fed with the operand
    transposed,        // a square operand of a product stands the wrong way round
    other_value,       // another record's value stands in the place of an operand
    one_index,         // only the share of one index along an axis of the adjoint
    one_share,         // an operand takes the share of one consumer only
    moved,             // each parameter moves as soon as its gradient is known
  };
  How how = How::nothing;
  std::vector<Id> records = {};
  std::size_t operand = 0;
  Id other = Node::none;  // without_slope: what the adjoint is handed to, if not to the operand;
                          // other_value: the record; one_share: the consumer
  int axis = 0;
  std::int64_t index = 0;
  double rate = 0;              // moved: by minus this times the gradient
  std::vector<Id> leaves = {};  // moved: only these, if there are any
};

class HandPass {
 public:
  /// By what the subject is differentiated, and by all parameters.
  explicit HandPass(const Subject& subject);

  /// Adjoints that are given, not computed.
  using Held = std::map<Id, Array>;
  /// The adjoint of each record; no numbers where none arrives.
  using Adjoints = std::vector<Numbers>;
  Adjoints run(const Held& held = {}, const Variation& variation = {});

  bool on_path(Id id) const { return id < on_path_.size() && on_path_[id] != 0; }
  /// The records that pass something on to this one, ascending.
  const std::vector<Id>& consumers(Id id) const { return consumers_[id]; }
  /// Parameters on the path.
  std::vector<Id> parameters() const;

  /// Steps that may be done otherwise, the likeliest first; not `moved`.
  std::vector<Variation> variations();
  Diagnosis diagnosis(const Variation& variation) const;

  /// What is added to something as it is, such as a bias: leaves of any kind.
  std::vector<Id> added_leaves();
  /// What one leaf's consumers would pass on to it one by one, if they took no sum: by index along
  /// an axis, or by element. Each with the words for it.
  struct Unsummed {
    Array shares;
    std::string of;  // "axis 0 of net_o"
  };
  std::vector<Unsummed> unsummed(Id id, const Adjoints& adjoints);
  /// The shares whose sum is the adjoint of a record.
  std::vector<Contribution> contributions(Id id, const Adjoints& adjoints);

  /// `net_o`: of a record without a name, that of the next one upwards that has the same elements.
  std::string called(Id id) const;
  /// " (net.cpp:12)"
  std::string at_line(Id id) const;

 private:
  const Node& node(Id id) const { return recording_.node(id); }
  bool has_rule(Id id) const;
  std::vector<Array> step(Id id, std::vector<Array> operands, Array adjoint,
                          const Variation& variation);
  Numbers slopes(Id id, std::size_t operand);
  std::optional<std::size_t> only_way(Id id) const;
  std::string slope(Id id, std::size_t operand) const;
  void add_slopes(std::vector<Variation>& all);
  void add_products(std::vector<Variation>& all);
  void add_parts(std::vector<Variation>& all);

  const Subject& subject_;
  const Recording& recording_;
  Bench bench_;
  Id y_;
  std::vector<std::uint8_t> on_path_;
  std::vector<Id> path_;  // ascending
  std::vector<std::vector<Id>> consumers_;
};

}  // namespace tapegrad
