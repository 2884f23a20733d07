#include "tapegrad/nn/values.hpp"

#include <fmt/format.h>

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {
namespace {

void check_leaf(const Tensor& tensor, std::string_view doing, Site at) {
  const Recording& recording = Recording::of(tensor, doing, at);
  const Id id = recording.id_of(tensor, doing, at);
  if (!recording.node(id).leaf())
    throw Error(std::string(doing), "a field of the struct holds a computed tensor, not a leaf",
                {recording.describe(id, "field")}, at, {});
}

}  // namespace

void check_restore(std::string_view field, const Tensor& leaf, const Snapshot& snapshot,
                   std::size_t place, Site at) {
  if (place >= snapshot.size())
    throw Error("restore", fmt::format("the snapshot has no values for {}", field), at);
  const auto& [name, array] = snapshot[place];
  check_leaf(leaf, "restore", at);
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

void set_leaf(const Tensor& leaf, const Values& values, Site at) {
  Recording& recording = Recording::of(leaf, "set", at);
  const Id id = recording.id_of(leaf, "set", at);
  if (!recording.is(id, LeafKind::constant)) recording.set(id, values, at);
}

void check_restored_all(const Snapshot& snapshot, std::size_t count, Site at) {
  if (count < snapshot.size())
    throw Error(
        "restore",
        fmt::format("the snapshot holds {}, which the struct does not have", snapshot[count].first),
        at);
}

void Cloning::check(const Tensor& leaf) const {
  check_leaf(leaf, "clone", at_);
  const Recording& recording = Recording::of(leaf, "clone", at_);
  recording.require_readable(recording.id_of(leaf, "clone", at_), "clone", at_);
}

void Cloning::clone(Tensor& result, const Tensor& leaf) {
  if (&result == &leaf)
    throw Error("clone", "the struct holds a shared_ptr: a copy of it would share its tensors", at_,
                "hold the part itself, or by unique_ptr or optional");
  if (!leaf.defined()) return;
  for (const auto& [from, to] : done_)
    if (Recording::same(from, leaf)) {
      result = to;
      return;
    }
  const Recording& recording = Recording::of(leaf, "clone", at_);
  const Id id = recording.id_of(leaf, "clone", at_);
  const Array values = leaf.array(at_);
  const Values view = values;
  result = tape_.recording(at_).leaf(recording.leaf(id).kind, values.shape(), &view, at_);
  done_.emplace_back(leaf, result);
}

void check_copy(const Tensor& to, const Tensor& from, Site at) {
  if (to.defined() != from.defined())
    throw Error("copy_values", "a field is undefined in one of the structs", at);
  if (!to.defined()) return;
  check_leaf(to, "copy_values", at);
  const Recording& recording = Recording::of(to, "copy_values", at);
  const Recording& source = Recording::of(from, "copy_values", at);
  source.require_readable(source.id_of(from, "copy_values", at), "copy_values", at);
  if (to.shape(at) != from.shape(at))
    throw Error("copy_values",
                fmt::format("{} does not fit {}", text(from.shape(at)), text(to.shape(at))),
                {recording.describe(recording.id_of(to, "copy_values", at), "to")}, at, {});
}

void copy_value(const Tensor& to, const Tensor& from, Site at) {
  if (to.defined()) set_leaf(to, from.array(at), at);
}

}  // namespace tapegrad
