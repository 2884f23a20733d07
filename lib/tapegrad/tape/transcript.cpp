#include "tapegrad/tape/transcript.hpp"

#include <algorithm>

#include "tapegrad/tape/needed.hpp"

namespace tapegrad {
namespace {

Array values_of(const Recording& recording, Id id) {
  const Shape& shape = recording.node(id).shape;
  const auto copy = [&](const auto* from) {
    return Array(shape, std::vector(from, from + shape.numel()));
  };
  return recording.precision() == float32 ? copy(static_cast<const float*>(recording.address(id)))
                                          : copy(static_cast<const double*>(recording.address(id)));
}

}  // namespace

Transcript::Transcript(const Recording& from, std::span<const Id> outputs, Tape& to, Site at,
                       const Replace& replace, std::span<const Id> inputs) {
  Recording& target = to.recording(at);
  originals_ = needed(from, outputs, inputs);
  copies_.resize(originals_.size());
  std::vector<Arg> operands;
  for (std::size_t i = 0; i < originals_.size(); ++i) {
    const Id id = originals_[i];
    const Node& n = from.node(id);
    if (n.leaf() || std::find(inputs.begin(), inputs.end(), id) != inputs.end()) {
      if (n.leaf()) from.require_set(id, "replay", at);
      const Array array = values_of(from, id);
      const Values values = array;
      const LeafKind kind = n.leaf() ? from.leaf(id).kind : LeafKind::input;
      copies_[i] = target.leaf(kind, n.shape, &values, n.site);
    } else {
      operands.clear();
      for (Id operand : from.operands(id)) operands.emplace_back(copy(operand), n.site);
      copies_[i] = target.record(replace ? replace(id) : *n.op, operands, from.attributes(id));
    }
    if (const auto name = from.name(id); !name.empty())
      target.name(target.id_of(copies_[i], "transcript", at), name);
  }
}

}  // namespace tapegrad
