// What a recording knows of time: which values are out of date, and which leaf is to blame. Each
// record keeps the clock of its last run, each leaf the clocks of its last set and step. One
// comparison answers most questions; ancestors are walked only on suspicion.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

/// The first leaf behind a record that satisfies a condition; visits each record once, without
/// recursion.
template <class Found>
const Leaf* Recording::find_leaf(Id id, Found found) const {
  if (visited_.size() < size_) visited_.resize(size_ + size_ / 2, 0);
  if (++visit_ == 0) {
    std::fill(visited_.begin(), visited_.end(), 0);
    visit_ = 1;
  }
  walk_.assign(1, id);
  visited_[id] = visit_;
  while (!walk_.empty()) {
    const Id next = walk_.back();
    walk_.pop_back();
    if (node(next).leaf()) {
      if (found(leaf(next))) return &leaf(next);
      continue;
    }
    for (Id operand : operands(next)) {
      if (visited_[operand] == visit_) continue;
      visited_[operand] = visit_;
      walk_.push_back(operand);
    }
  }
  return nullptr;
}

/// The first leaf behind a record that has changed since the record was run.
const Leaf* Recording::stale_leaf(Id id, Change up_to) const {
  if (node(id).leaf()) return nullptr;
  return find_leaf(id, [up_to, time = ran(id)](const Leaf& leaf) {
    const Change step = leaf.kind == LeafKind::state ? Change::update : Change::step;
    return leaf.set > time || (leaf.step > time && step <= up_to);
  });
}

std::string Recording::unreadable(Id id) const {
  if (ran(id) == 0) {
    if (const Leaf* leaf = find_leaf(id, [](const Leaf& l) { return l.set == 0; })) {
      if (leaf->id == id) return "it was never set";
      return fmt::format("it has no values: {} was never set", called(leaf->id));
    }
    return "it was not run since its inputs were set";
  }
  if (ran(id) >= set_) return {};
  if (const Leaf* leaf = stale_leaf(id, Change::set))
    return fmt::format("out of date: {} was set at {}", called(leaf->id),
                       tapegrad::text(leaf->set_at));
  return {};
}

void Recording::require_readable(Id id, std::string_view doing, Site at) const {
  if (ran(id) != 0 && ran(id) >= set_) return;
  std::string reason = unreadable(id);
  if (reason.empty()) return;
  throw refuse(doing, id, std::move(reason),
               node(id).leaf()              ? "give it values with set"
               : ran(id) == 0 && unset_ > 0 ? "set its inputs, then run it: tape.replay(...)"
                                            : "run it: tape.replay(...)",
               at);
}

void Recording::require_current(Id id, std::string_view doing, Site at, Change up_to) const {
  const std::uint64_t time = ran(id);
  if (time >= (up_to == Change::update ? updated_ : stepped_)) return;
  // A record that was never run may be recorded with as long as some input is still to be set.
  if (time == 0 && unset_ > 0) return;
  require_readable(id, doing, at);
  if (const Leaf* leaf = stale_leaf(id, up_to)) throw outdated(id, *leaf, doing, at);
  // Its numbers are those a run would give now: noted, so that the next question needs no walk.
  if (up_to == Change::update) chunks_[id / chunk_size]->ran[id % chunk_size] = clock_;
}

void Recording::require_unused(Id gradient, Id parameter, std::string_view doing, Site at) const {
  require_current(gradient, doing, at, Change::step);
  // Where the loss is linear the gradient does not depend on the parameter, but was used all the
  // same.
  if (!node(gradient).leaf() && has_values(gradient) && leaf(parameter).step > ran(gradient))
    throw outdated(gradient, leaf(parameter), doing, at);
}

Error Recording::outdated(Id id, const Leaf& changed, std::string_view doing, Site at) const {
  return refuse(doing, id,
                fmt::format("computing with an old value: {} changed at {}", called(changed.id),
                            tapegrad::text(changed.step_at)),
                "the value may be looked at; to compute with it, run it again: tape.replay(...)",
                at);
}

void Recording::require_set(Id id, std::string_view doing, Site at) const {
  if (leaf(id).set == 0)
    throw refuse(doing, id, fmt::format("{} was never set", called(id)), "give it values with set",
                 at);
}

void Recording::note_read(Id id, Site at) {
  constexpr std::size_t most_notes = 256;
  if (is(id, LeafKind::constant) || notes_.size() == most_notes) return;
  for (const Note& note : notes_)
    if (note.id == id && note.site == at) return;
  notes_.push_back({id, size_, at});
}

void Recording::set(Id id, const Values& values, Site at) {
  if (!node(id).leaf())
    throw refuse("set", id, "only leaves can be set, this is a computed tensor",
                 "set the inputs it depends on, then run it: tape.replay(...)", at);
  Leaf& leaf = leaves_[node(id).first];
  if (leaf.kind == LeafKind::constant)
    throw refuse("set", id, "a constant cannot be set", "make it with tape.input(...)", at);
  const Shape& shape = node(id).shape;
  const bool same = values.shape() == shape;
  if (!same && (values.shape().rank() > 1 || values.numel() != shape.numel()))
    throw refuse(
        "set", id,
        fmt::format("{} values of shape {} do not fit {} elements of shape {}", values.numel(),
                    tapegrad::text(values.shape()), shape.numel(), tapegrad::text(shape)),
        "a shape is part of the recording: for another one, record again (tg::compile does)", at);
  const auto n = static_cast<std::size_t>(shape.numel());
  if (precision_ == float32)
    values.copy_to(std::span<float>(reinterpret_cast<float*>(address(node(id).slot)), n));
  else
    values.copy_to(std::span<double>(reinterpret_cast<double*>(address(node(id).slot)), n));
  if (leaf.set == 0) --unset_;
  set_ = stepped_ = updated_ = leaf.set = ran(id) = ++clock_;
  leaf.set_at = at;
}

void Recording::stepped(std::span<const Id> leaves, Site at) {
  stepped_ = updated_ = ++clock_;
  for (Id id : leaves) {
    Leaf& leaf = leaves_[node(id).first];
    leaf.step = clock_;
    leaf.step_at = at;
  }
}

}  // namespace tapegrad
