// Internal: what y is computed by, as the stages in which a reader would take it. A stage is one
// record, or a few that belong together: a product and the bias added to it, the records of one
// library composite. All are written out again on a tape of its own, in float64, with the gradient
// by each; the user's tape is only read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tapegrad/base/array.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tape.hpp"

namespace tapegrad {

struct Stage {
  std::vector<Id> records;  // ascending; the last one holds the result
  std::vector<Id> inputs;   // leaves and other stages' results that they read, without literals

  Id out() const { return records.back(); }
};

class Stages {
 public:
  /// `x`: by what y is differentiated; if none is given, all parameters that y depends on. Throws
  /// Error if y has more than one element or depends on none of the x, y is one of them, or a leaf
  /// was never set.
  Stages(std::string_view doing, const Tensor& y, std::span<const Tensor> x, Site at);

  const Recording& recording() const { return tape_.recording(); }
  const Node& node(Id id) const { return recording().node(id); }
  Shape shape(Id id) const { return node(id).shape; }
  Tensor tensor(Id id) const { return recording().handle(id); }
  double value(Id id, std::size_t element) const;

  Id y() const { return y_; }
  const std::vector<Id>& x() const { return x_; }
  /// In an order of evaluation.
  const std::vector<Stage>& all() const { return stages_; }
  /// The leaves that they read, literals apart, ascending.
  const std::vector<Id>& leaves() const { return leaves_; }
  /// Whether a derivative flows through it from one of the x to y: of an x, or a stage's result.
  bool on_way(Id id) const { return adjoints_.contains(id); }
  /// dy/d of what is on the way; a record of this tape.
  Tensor adjoint(Id id) const { return adjoints_.at(id); }
  double adjoint(Id id, std::size_t element) const;

  /// What the tensor is called: the user's name (`h_2` if it is the second of this name), or one
  /// given here: `z1` for a stage with a matrix product, `a1` for others, `W1`, `b1`, `x1` for
  /// leaves, `E` for y.
  const std::string& name(Id id) const { return names_.at(id); }
  /// What an element is called: `net_h1` by the user, or `net_h[0,1]`.
  std::string name(Id id, std::size_t element) const;
  /// Whether the user gave the element a name of its own.
  bool named(Id id, std::size_t element) const;
  /// Lets formulas of these records call one so.
  void call(Id id, std::string_view name) { tape_.recording().name(id, name); }
  /// By what a stage computes its result from an input: the library composites, `linear`, and ops
  /// between the two.
  std::string made_by(const Stage& stage, Id input) const;
  /// On the user's tape.
  bool literal(Id id) const;
  Id original(Id id) const { return originals_[id]; }
  const Recording& original() const { return original_; }

 private:
  void group(const std::vector<Id>& records);
  bool belongs(Id id, Id to, bool adds) const;
  std::uint32_t composite(Id id) const;
  void name_all();
  void find_adjoints(Site at);
  bool named(Id id) const;

  const Recording& original_;
  Tape tape_{float64};
  std::vector<Id> originals_;
  Id y_ = 0;
  std::vector<Id> x_;
  std::vector<Stage> stages_;
  std::vector<Id> leaves_;
  std::unordered_map<Id, Tensor> adjoints_;
  std::unordered_map<Id, std::string> names_;
};

}  // namespace tapegrad
