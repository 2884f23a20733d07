#include "tapegrad/tape/names.hpp"

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

bool lacks_name(const Tensor& leaf) {
  if (!leaf.valid()) return false;
  const Recording& recording = Recording::of(leaf, "name", Site{});
  const Id id = recording.id_of(leaf, "name", Site{});
  const Node& node = recording.node(id);
  return node.leaf() && !recording.is(id, LeafKind::constant) &&
         (node.name == Node::none || (node.flags & Node::provisionally_named) != 0);
}

}  // namespace tapegrad
