// The tape as users hold it: it makes leaves, forgets and replays. Movable; its tensors follow it.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "tapegrad/base/array.hpp"
#include "tapegrad/base/precision.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

class Tape;

/// Forgets, at its end, what was recorded since its beginning.
class [[nodiscard("without a name the scope ends at once")]] Scope {
 public:
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope();

 private:
  friend class Tape;
  explicit Scope(const Recording& recording) : tape_(recording.ref()), mark_(recording.mark()) {}
  Recording::Ref tape_;
  Mark mark_;
};

class Tape {
 public:
  explicit Tape(Precision precision = float64, Site made = Site::here())
      : recording_(std::make_unique<Recording>(precision, made)) {}

  /// A leaf that is trained. Braces, numbers, spans and Arrays are values: `tape.parameter({{1, 2},
  /// {3, 4}})`.
  Tensor parameter(const Values& values, Site at = Site::here()) {
    return leaf(LeafKind::parameter, values, at);
  }
  Tensor parameter(const Values& flat, const Shape& shape, Site at = Site::here());
  /// A leaf that is set anew before a run.
  Tensor input(const Values& values, Site at = Site::here()) {
    return leaf(LeafKind::input, values, at);
  }
  /// An input that has a shape but no values yet: what depends on it is recorded, and computed by a
  /// replay.
  template <std::same_as<Shape> S>
  Tensor input(const S& shape, Site at = Site::here()) {
    return get(at).leaf(LeafKind::input, shape, nullptr, at);
  }
  Tensor input(const Values& flat, const Shape& shape, Site at = Site::here());
  /// A leaf that recorded updates change (see assign): a running statistic, a carried hidden state.
  Tensor state(const Values& values, Site at = Site::here()) {
    return leaf(LeafKind::state, values, at);
  }
  Tensor state(const Values& flat, const Shape& shape, Site at = Site::here());
  /// A leaf that never changes.
  Tensor constant(const Values& values, Site at = Site::here()) {
    return leaf(LeafKind::constant, values, at);
  }
  Tensor constant(const Values& flat, const Shape& shape, Site at = Site::here());

  /// Computes the outputs anew from the leaves: only the records they need. Updates among the
  /// outputs take effect together at the end. Throws Error if an input they need was never set.
  template <std::same_as<Tensor>... More>
  void replay(const Arg& output, const More&... more) {
    const std::array<Tensor, sizeof...(More) + 1> outputs{output.tensor(), more...};
    replay_all(outputs, output.site());
  }
  void replay_all(std::span<const Tensor> outputs, Site at = Site::here());
  /// Lets updates that were recorded but not yet run by a replay take effect, all at once.
  void commit(Site at = Site::here());

  /// `auto scope = tape.scope();` forgets at the end of the block what was recorded in it.
  Scope scope(Site at = Site::here()) { return Scope(get(at)); }
  Mark mark(Site at = Site::here()) const { return get(at).mark(); }
  /// Forgets all that was recorded since the mark, leaves included. Throws Error for a mark that
  /// was itself forgotten or belongs to another tape.
  void rewind(const Mark& mark, Site at = Site::here()) { get(at).rewind(mark, at); }

  /// Whether it holds a tape: not if it was moved from.
  bool defined() const { return recording_ != nullptr; }
  Precision precision(Site at = Site::here()) const { return get(at).precision(); }
  /// The number of records, leaves included.
  std::size_t size(Site at = Site::here()) const { return get(at).size(); }
  /// Memory in use by records and values.
  std::size_t bytes(Site at = Site::here()) const { return get(at).bytes(); }
  /// Sets the number of bytes (4 GiB at first) beyond which recording is an error that names the
  /// line at fault.
  void limit(std::size_t bytes, Site at = Site::here()) { get(at).limit(bytes); }
  /// Makes the first record that computes a NaN or an infinity throw Error, in forward values and
  /// adjoints.
  void trap_non_finite(bool on = true, Site at = Site::here()) { get(at).trap_non_finite(on); }

  /// The sequence of records, for what reads it: listings, pictures, programs.
  Recording& recording(Site at = Site::here()) const { return get(at); }

 private:
  Recording& get(Site at) const;
  Tensor leaf(LeafKind kind, const Values& values, Site at) {
    return get(at).leaf(kind, values.shape(), &values, at);
  }
  std::unique_ptr<Recording> recording_;
};

}  // namespace tapegrad
