#include "tapegrad/nn/values.hpp"

#include <fmt/format.h>

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

void check_restore(std::string_view field, const Tensor& leaf, const Snapshot& snapshot,
                   std::size_t place, Site at) {
  if (place >= snapshot.size())
    throw Error("restore", fmt::format("the snapshot has no values for {}", field), at);
  const auto& [name, array] = snapshot[place];
  if (name != field)
    throw Error("restore",
                fmt::format("field {} of the struct is {}, of the snapshot {}", place, field, name),
                at);
  if (array.shape() != leaf.shape(at))
    throw Error("restore",
                fmt::format("{} has the shape {}, its values in the snapshot {}", field,
                            text(leaf.shape(at)), text(array.shape())),
                at);
}

void check_restored_all(const Snapshot& snapshot, std::size_t count, Site at) {
  if (count < snapshot.size())
    throw Error(
        "restore",
        fmt::format("the snapshot holds {}, which the struct does not have", snapshot[count].first),
        at);
}

Tensor Cloning::clone(const Tensor& leaf) {
  for (const auto& [from, to] : done_)
    if (Recording::key(from) == Recording::key(leaf)) return to;
  const Recording& recording = Recording::of(leaf, "clone", at_);
  const Id id = recording.id_of(leaf, "clone", at_);
  if (!recording.node(id).leaf())
    throw Error("clone", "a field of the struct holds a computed tensor, not a leaf",
                {recording.describe(id, "field")}, at_, {});
  const Array values = leaf.array(at_);
  const Values view = values;
  const Tensor copy =
      tape_.recording(at_).leaf(recording.leaf(id).kind, values.shape(), &view, at_);
  done_.emplace_back(leaf, copy);
  return copy;
}

void check_copy(const Tensor& to, const Tensor& from, Site at) {
  if (to.defined() != from.defined())
    throw Error("copy_values", "a field is undefined in one of the structs", at);
  if (to.defined() && to.shape(at) != from.shape(at))
    throw Error(
        "copy_values", fmt::format("{} does not fit {}", text(from.shape(at)), text(to.shape(at))),
        {Recording::of(to, "copy_values", at)
             .describe(Recording::of(to, "copy_values", at).id_of(to, "copy_values", at), "to")},
        at, {});
}

void copy_value(const Tensor& to, const Tensor& from, Site at) {
  if (to.defined()) to.set(from.array(at), at);
}

}  // namespace tapegrad
