// The sequence of records itself: what a Tape owns and a Tensor points into. Records, operands and
// values never move; they are appended at the end and forgotten from the end. Every reading of the
// tape (replay, gradient, listing, pictures) starts here. Users meet it through Tape and Tensor.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/base/arena.hpp"
#include "tapegrad/base/error.hpp"
#include "tapegrad/tape/node.hpp"
#include "tapegrad/tape/op.hpp"
#include "tapegrad/tape/plan.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// A point on a tape to rewind to.
struct Mark {
  std::uint64_t serial = 0;  // under which the youngest record before it was born, or the tape
  Id size = 0;
  std::uint32_t cell = 0;
  Arena::Mark values, parameters;
  std::uint64_t operands = 0, attributes = 0;
  std::uint32_t leaves = 0, frames = 0, frame = Node::none;
};

/// A value that was looked at while recording, and so may have decided what was recorded next.
struct Note {
  Id id;
  Id before;  // the records from here on were recorded afterwards
  Site site;
};

class Recording {
 public:
  Recording(Precision precision, Site made);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Handles.

  /// The tape a tensor lives on. Throws Error if the tensor cannot be used; `doing` says what for.
  static Recording& of(const Tensor& tensor, std::string_view doing, Site at);
  static bool usable(const Tensor& tensor);
  /// A reference that outlives the recording and notices.
  struct Ref {
    std::uint32_t cell = 0;
    std::uint64_t first_serial = 0;
  };
  Ref ref() const { return {cell_, first_serial_}; }
  static Recording& of(const Ref& ref, std::string_view doing, Site at);
  /// The place of a usable tensor on this tape. Throws Error, also if it lives on another tape; the
  /// text of that one begins with `of_two_tapes`.
  Id id_of(const Tensor& tensor, std::string_view doing, Site at) const;
  static constexpr std::string_view of_two_tapes = "operands from two tapes";
  Tensor handle(Id id) const { return {cell_, id, node(id).born}; }
  bool holds(const Tensor& tensor) const {
    return tensor.cell_ == cell_ && tensor.id_ < size_ && node(tensor.id_).born == tensor.born_;
  }
  /// Whether two handles are of one tensor.
  static bool same(const Tensor& a, const Tensor& b) {
    return a.cell_ == b.cell_ && a.id_ == b.id_ && a.born_ == b.born_;
  }

  // Reading the sequence.

  Id size() const { return size_; }
  const Node& node(Id id) const { return chunks_[id / chunk_size]->nodes[id % chunk_size]; }
  std::span<const Id> operands(Id id) const {
    const Node& n = node(id);
    return {n.count ? operands_.at(n.first) : nullptr, n.leaf() ? 0 : n.count};
  }
  std::span<const std::int64_t> attributes(Id id) const {
    const Node& n = node(id);
    return {n.attribute_count ? attributes_.at(n.attributes) : nullptr, n.attribute_count};
  }
  const Leaf& leaf(Id id) const { return leaves_[node(id).first]; }
  bool is(Id id, LeafKind kind) const { return node(id).leaf() && leaf(id).kind == kind; }
  std::string_view name(Id id) const;
  const Frame& frame(std::uint32_t index) const { return frames_[index]; }
  std::span<const Note> notes() const { return notes_; }
  Precision precision() const { return precision_; }
  std::size_t bytes() const;
  /// `%14 relu`, `%3 first.weight`: how errors and listings call a record.
  std::string label(Id id) const;
  std::string text() const;  // "the float64 tape made at main.cpp:12"
  const void* address(Id id) const { return address(node(id).slot); }

  // Recording.

  /// Records an op and computes it if its operands have values. Throws Error and leaves the tape as
  /// it was.
  Tensor record(const Op& op, std::span<const Arg> args, std::span<const std::int64_t> attributes);
  Tensor leaf(LeafKind kind, const Shape& shape, const Values* values, Site at);
  /// Who gives a name. A maker's yields to any other; a field's to the user's, and to a longer way
  /// to the same field, as of the whole network after one of its parts.
  enum class Namer : std::uint8_t { user, field, maker };
  void name(Id id, std::string_view name, Namer namer = Namer::user);
  /// Names for the single elements of a record, row-major, as many as it has.
  void name_elements(Id id, std::vector<std::string> names);
  /// The name of an element, or an empty text.
  std::string_view element_name(Id id, std::size_t element) const;
  /// A number as a tensor: the constant that holds it.
  Tensor number(double value) { return handle(constant(value)); }

  Mark mark() const;
  /// Whether the mark was made on this tape, which was not rewound past it since.
  bool holds(const Mark& mark) const;
  /// Forgets what was recorded since. Throws Error if the mark itself was forgotten.
  void rewind(const Mark& mark, Site at);
  /// The same without a check or an error, for the unwinding of a failed call.
  void truncate(const Mark& mark);
  /// For the end of a scope: nothing is left to do if its tape is gone, or its beginning forgotten.
  static void forget(const Ref& tape, const Mark& mark);

  /// Keeps something alive as long as the records that are made next.
  void keep(std::shared_ptr<const void> owned) { kept_.push_back({size_, std::move(owned)}); }

  std::uint32_t open_frame(std::string_view name, Site site);
  void close_frame(std::uint32_t before) { frame_ = before; }
  std::uint32_t current_frame() const { return frame_; }

  // Time.

  void set(Id id, const Values& values, Site at);
  /// Marks a leaf as changed by an optimiser or an update: what depends on it may be looked at, not
  /// computed with.
  void stepped(std::span<const Id> leaves, Site at);
  /// Where a leaf's values lie, for who changes them and then says so by stepped().
  void* mutable_values(Id id) { return address(node(id).slot); }
  bool has_values(Id id) const { return ran(id) != 0; }
  /// Throws Error if looking at the record would show an old number, or none.
  void require_readable(Id id, std::string_view doing, Site at) const;
  /// What can happen to a leaf after a record was run, each with those before it: it is set, an
  /// optimiser steps it, a run updates it as a state.
  enum class Change : std::uint8_t { set, step, update };
  /// Throws Error if computing with the record would mix numbers of different times. An optimiser
  /// may use a gradient whose run has carried states on: for it, that is no change.
  void require_current(Id id, std::string_view doing, Site at, Change up_to = Change::update) const;
  /// The same for a gradient that is about to change a parameter, which it may do once.
  void require_unused(Id gradient, Id parameter, std::string_view doing, Site at) const;
  bool current(Id id) const { return ran(id) >= updated_ || !stale_leaf(id, Change::update); }
  /// Throws Error for a leaf that has no values yet.
  void require_set(Id leaf, std::string_view doing, Site at) const;
  /// Why the record cannot be read, or an empty text.
  std::string unreadable(Id id) const;
  void note_read(Id id, Site at);

  // Running.

  /// Computes the outputs anew from the leaves. Updates among them are committed at the end.
  void replay(std::span<const Id> outputs, Site at);
  void run(Plan& plan, Site at);
  Plan plan(std::span<const Id> outputs, Site at);
  /// Whether the outputs of a plan are still on the tape.
  bool holds(const Plan& plan) const;
  /// Notes an update that was recorded; it takes effect by a run that includes it, or by commit.
  void pend(Id update) { pending_.push_back(update); }
  /// The updates that were recorded and have not taken effect.
  std::span<const Id> pending() const { return pending_; }
  /// Where the run that is being recorded begins: updates pending before belong to another one.
  Id run_begin() const { return run_begin_; }
  void begin_run(Id first) { run_begin_ = first; }
  /// Lets updates take effect, all at once.
  void commit(std::span<const Id> updates, Site at);

  void limit(std::size_t bytes) { limit_ = bytes; }
  std::size_t limit() const { return limit_; }
  void trap_non_finite(bool on) { trap_ = on; }

  // Gradient sweeps.

  /// What a sweep needs while it runs; it belongs to the tape, so that steady-state training
  /// allocates nothing.
  struct Sweep {
    bool active = false;
    bool computes = true;               // whether y has values; if not, no record of the sweep has
    Id origin = Node::none;             // the record whose rule is being recorded
    std::vector<Id> adjoint;            // of each record, or Node::none
    std::vector<std::uint8_t> reaches;  // whether a record depends on a wanted one
    std::vector<Id> wanted;             // the tensors asked for
    std::vector<Id> answers;
    std::vector<Tensor> collected, answered;  // a struct's parameters, and their gradients
  };
  Sweep& sweep() { return sweep_; }
  void mark_adjoint(Id id);
  /// The answers that were recorded for the same question about y ("gradient", "jvp") with the same
  /// seeds and wanted tensors, or nothing.
  std::span<const Id> remembered(std::string_view question, Id y, std::span<const Id> seeds,
                                 std::span<const Id> wanted) const;
  /// `question` must be a literal.
  void remember(std::string_view question, Id y, std::span<const Id> seeds,
                std::span<const Id> wanted, std::span<const Id> answers);
  /// What a record is the gradient of, if a sweep answered with it.
  struct GradientOf {
    Id y, seed, by;  // seed: Node::none for one
  };
  std::optional<GradientOf> gradient_of(Id answer) const;

  // Errors.

  /// About a record that is about to be made, or was made, in this frame.
  Error error(const Op& op, std::span<const Id> operands, std::uint32_t frame, std::string text,
              std::string hint) const;
  Error::Operand describe(Id id, std::string role) const;
  /// Throws Error about a record at its own line.
  [[noreturn]] void fail(Id id, std::string text) const;
  /// The line to blame for what is being recorded: the current composite's caller, or `at`.
  Site blame(Site at) const { return frame_ == Node::none ? at : frames_[frame_].site; }

 private:
  static constexpr Id chunk_size = 512;
  struct Chunk {
    Node nodes[chunk_size];
    std::uint64_t
        ran[chunk_size];  // clock of the last run; apart, so that replays touch little memory
  };
  struct Constant {
    std::uint64_t bits = 0, born = 0;
    Id id = Node::none;
  };
  struct Name {
    std::string text;
    Id owner;
  };
  struct Remembered {
    std::string_view question;
    Id y;
    std::uint32_t first, seeds, wanted, answers;  // of remembered_ids_: where, and how many
    Id end;                                       // size of the tape afterwards
  };
  struct CachedPlan {
    Plan plan;
    std::uint64_t used = 0;
  };
  std::byte* address(Slot slot) const {
    return slot.parameter() ? parameters_.address({slot.bits & ~Slot::parameter_bit})
                            : values_.address(slot);
  }
  Node& mutable_node(Id id) { return chunks_[id / chunk_size]->nodes[id % chunk_size]; }
  std::uint64_t ran(Id id) const { return chunks_[id / chunk_size]->ran[id % chunk_size]; }
  std::uint64_t& ran(Id id) { return chunks_[id / chunk_size]->ran[id % chunk_size]; }
  Node& append();
  Id constant(double number);
  void grow_constants();
  /// Binds a record's kernel to addresses; false if it needs no nest of loops.
  bool bind(Id id, Input* inputs, Nest& nest, Step& step) const;
  std::size_t scratch_bytes(Id id) const;
  void compute(Id id);
  void run(const Step& step) const;
  void check_finite(Id id) const;
  /// Throws Error if one more record of this shape is too much.
  void check_limit(const Shape& shape, Site at) const;
  const Leaf* stale_leaf(Id id, Change up_to) const;
  template <class Found>
  const Leaf* find_leaf(Id id, Found found) const;
  Error outdated(Id id, const Leaf& changed, std::string_view doing, Site at) const;
  std::string called(Id id) const;  // the name, or the label
  Error refuse(std::string_view doing, Id id, std::string text, std::string hint, Site at) const;

  Precision precision_;
  Site made_;
  std::uint32_t cell_;
  std::uint64_t serial_, first_serial_;

  std::vector<std::unique_ptr<Chunk>> chunks_;
  Id size_ = 0;
  Pool<Id> operands_;
  Pool<std::int64_t> attributes_;
  Arena values_, parameters_;
  std::vector<Leaf> leaves_;
  std::vector<Name> names_;  // those from names_used_ on are kept for their memory
  std::uint32_t names_used_ = 0;
  std::map<Id, std::vector<std::string>> element_names_;
  std::vector<Frame> frames_;
  std::uint32_t frame_ = Node::none;
  std::vector<Note> notes_;
  struct Kept {
    Id before;
    std::shared_ptr<const void> owned;
  };
  std::vector<Kept> kept_;
  std::vector<Constant> constants_;      // a hash table with open addressing
  std::vector<Constant> old_constants_;  // its memory before it grew, used again when it does
  std::size_t constants_used_ = 0;

  std::uint32_t unset_ = 0;  // leaves that have no values yet
  std::uint64_t clock_ = 1;
  std::uint64_t set_ = 0;      // clock of the last set of any leaf
  std::uint64_t stepped_ = 0;  // clock of the last set or step of any leaf
  std::uint64_t updated_ = 0;  // clock of the last set, step or update of any leaf
  std::vector<Id> pending_;
  Id run_begin_ = 0;

  std::vector<Remembered> remembered_;
  std::vector<Id> remembered_ids_;
  Sweep sweep_;
  std::vector<CachedPlan> plans_;
  std::uint64_t plan_clock_ = 0;
  std::vector<Id> arg_ids_;
  std::vector<Input> inputs_;
  std::vector<std::byte> scratch_;
  mutable std::vector<Id> walk_;
  mutable std::vector<std::uint32_t> visited_;
  mutable std::uint32_t visit_ = 0;

  std::size_t limit_ = std::size_t{4} << 30;
  bool trap_ = false;
};

/// Records an op on the tape of its operands: the one entrance that every op function uses.
Tensor record(const Op& op, std::span<const Arg> args,
              std::span<const std::int64_t> attributes = {});
inline Tensor record(const Op& op, std::initializer_list<Arg> args,
                     std::initializer_list<std::int64_t> attributes = {}) {
  return record(op, std::span<const Arg>(args.begin(), args.size()),
                std::span<const std::int64_t>(attributes.begin(), attributes.size()));
}

/// The tape that operands live on; number operands have none. Throws Error if it cannot be told.
Recording& recording_of(std::string_view doing, std::span<const Arg> args);

/// Forgets what was recorded since its beginning, if it is left by an exception.
class Rollback {
 public:
  explicit Rollback(Recording& recording);
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;
  ~Rollback();

 private:
  Recording& recording_;
  Mark mark_;
  int exceptions_;
};

/// Groups the records of a library composite under a name and its caller's line, while it lives. If
/// it is left by an exception, what was recorded in it is forgotten.
class FrameScope {
 public:
  FrameScope(Recording& recording, std::string_view name, Site site);
  FrameScope(std::string_view name, const Arg& operand);
  FrameScope(const FrameScope&) = delete;
  FrameScope& operator=(const FrameScope&) = delete;
  ~FrameScope();

 private:
  Recording& recording_;
  Rollback rollback_;
  std::uint32_t before_;
};

}  // namespace tapegrad
