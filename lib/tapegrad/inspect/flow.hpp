// Internal: what a post-mortem looks at: how derivatives flow from y back to x. The records between
// the two, written out again on a tape of its own in the precision of the user's, with the adjoint
// of each; records carry the labels and lines they have on the user's tape, which is only read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/check/bench.hpp"
#include "tapegrad/check/subject.hpp"
#include "tapegrad/inspect/why.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tape.hpp"

namespace tapegrad {

bool all_zero(const Numbers& x);
bool all_finite(const Numbers& x);
/// The largest magnitude; 0 of nothing.
double largest(const Numbers& x);
/// `from -1 to 3`, `all 0`, `0` if it is one number.
std::string range_of(const Numbers& x, int digits = 4);

class Flow {
 public:
  /// The seed is ones if none is given. Throws Error if y, x or what y needs cannot be used.
  Flow(std::string_view doing, const Tensor& y, const Arg* seed, const Tensor& x, Site at);

  const Recording& recording() const { return tape_.recording(); }
  const Node& node(Id id) const { return recording().node(id); }
  Bench& bench() const { return bench_; }
  Numbers values(Id id) const { return recording().handle(id).values(); }
  Id y() const { return y_; }
  Id x() const { return x_; }

  /// Whether y needs the value of x, and the other way round.
  bool depends() const { return depends_[y_] != 0; }
  bool exchanged() const { return exchanged_; }
  /// Whether a derivative flows from y to x.
  bool connected() const { return !path_.empty(); }
  /// Records through which it flows, ascending: x first, y last.
  const std::vector<Id>& path() const { return path_; }
  bool on_path(Id id) const { return place(id) < path_.size(); }
  /// The place of a record on the path, or beyond its end.
  std::size_t place(Id id) const;
  bool way(Id id, std::size_t operand) const { return passes_on(recording(), id, operand); }
  /// The record nearest to y at which what depends on x stops being differentiated, and the operand
  /// that does. Precondition: depends() and not connected().
  std::pair<Id, std::size_t> stop() const;

  Array adjoint(Id id) const { return adjoints_[place(id)].array(); }
  Numbers adjoint_values(Id id) const { return adjoints_[place(id)].values(); }
  bool has_rule(Id id) const;
  /// What a record passes to each operand.
  std::vector<Array> shares(Id id) const;

  /// `%7 hidden`, and `hidden` or, of what has no name, `%7 relu`; as on the user's tape.
  std::string label(Id id) const;
  std::string called(Id id) const;
  /// Where a leaf got the values that it has, if that was later than it was made; else nothing.
  Site set_at(Id leaf) const;
  /// `[1,2]`; empty for a record that is one number.
  std::string index(Id id, std::size_t element) const;

  /// An answer about a record, with its operands described below it.
  Why blame(Id id, Cause cause, std::string sentence) const;
  /// The answer that nothing is wrong.
  Why healthy(std::string sentence) const;

 private:
  void find_ways();
  void find_adjoints(const Arg& seed);
  std::string described(Id id) const;

  const Recording& original_;
  Tape tape_;
  mutable Bench bench_;
  std::vector<Id> originals_;  // of each record, or Node::none
  Id y_ = 0, x_ = 0;
  bool exchanged_ = false;
  std::vector<std::uint8_t> depends_, feeds_;  // on x; y while a derivative flows
  std::vector<Id> path_;
  std::vector<Tensor> adjoints_;
};

}  // namespace tapegrad
