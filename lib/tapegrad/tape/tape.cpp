#include "tapegrad/tape/tape.hpp"

#include "tapegrad/base/error.hpp"

namespace tapegrad {

Scope::~Scope() { Recording::forget(tape_, mark_); }

Recording& Tape::get(Site at) const {
  if (!recording_) throw Error("tape", "this tape was moved from", at);
  return *recording_;
}

Tensor Tape::parameter(const Values& flat, const Shape& shape, Site at) {
  return leaf(LeafKind::parameter, flat.reshaped(shape, at), at);
}
Tensor Tape::input(const Values& flat, const Shape& shape, Site at) {
  return leaf(LeafKind::input, flat.reshaped(shape, at), at);
}
Tensor Tape::state(const Values& flat, const Shape& shape, Site at) {
  return leaf(LeafKind::state, flat.reshaped(shape, at), at);
}
Tensor Tape::constant(const Values& flat, const Shape& shape, Site at) {
  return leaf(LeafKind::constant, flat.reshaped(shape, at), at);
}

void Tape::commit(Site at) {
  const std::span<const Id> pending = get(at).pending();
  get(at).commit(std::vector<Id>(pending.begin(), pending.end()), at);
}

void Tape::replay_all(std::span<const Tensor> outputs, Site at) {
  Recording& recording = get(at);
  // The ids need room only while the plan is looked up; a sweep never runs at the same time.
  std::vector<Id>& ids = recording.sweep().wanted;
  ids.clear();
  for (const Tensor& output : outputs) ids.push_back(recording.id_of(output, "replay", at));
  recording.replay(ids, at);
}

}  // namespace tapegrad
