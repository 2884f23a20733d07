#include "tapegrad/tape/transcript.hpp"

#include <algorithm>

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
  const Id end = outputs.empty() ? 0 : *std::max_element(outputs.begin(), outputs.end()) + 1;
  std::vector<std::uint8_t> needed(end, 0);
  for (Id id : outputs) needed[id] = 1;
  const auto is_input = [&](Id id) {
    return std::find(inputs.begin(), inputs.end(), id) != inputs.end();
  };
  for (Id id = end; id-- > 0;)
    if (needed[id] != 0 && !is_input(id))
      for (Id operand : from.operands(id)) needed[operand] = 1;
  copies_.resize(end);
  std::vector<Arg> operands;
  for (Id id = 0; id < end; ++id) {
    if (needed[id] == 0) continue;
    originals_.push_back(id);
    const Node& n = from.node(id);
    if (n.leaf() || is_input(id)) {
      if (n.leaf()) from.require_set(id, "replay", at);
      const Array array = values_of(from, id);
      const Values values = array;
      const LeafKind kind = n.leaf() ? from.leaf(id).kind : LeafKind::input;
      copies_[id] = target.leaf(kind, n.shape, &values, n.site);
    } else {
      operands.clear();
      for (Id operand : from.operands(id)) operands.emplace_back(copies_[operand], n.site);
      copies_[id] = target.record(replace ? replace(id) : *n.op, operands, from.attributes(id));
    }
    if (const auto name = from.name(id); !name.empty())
      target.name(target.id_of(copies_[id], "transcript", at), name);
  }
}

}  // namespace tapegrad
