#include "tapegrad/tape/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

// ---------------------------------------------------------------- of records

std::string_view text(LeafKind kind) {
  switch (kind) {
    case LeafKind::parameter:
      return "parameter";
    case LeafKind::input:
      return "input";
    case LeafKind::state:
      return "state";
    case LeafKind::constant:
      break;
  }
  return "constant";
}

std::string_view Recording::name(Id id) const {
  const Node& n = node(id);
  return n.name == Node::none ? std::string_view{} : std::string_view{names_[n.name].text};
}

std::string Recording::label(Id id) const {
  const Node& n = node(id);
  if (n.name != Node::none) return fmt::format("%{} {}", id, name(id));
  return fmt::format("%{} {}", id, n.leaf() ? tapegrad::text(leaf(id).kind) : n.op->name);
}

std::string Recording::called(Id id) const {
  return node(id).name == Node::none ? label(id) : std::string(name(id));
}

std::string Recording::text() const {
  const std::string where = made_ ? " made at " + tapegrad::text(made_) : "";
  return fmt::format("the {} tape{}", tapegrad::text(precision_), where);
}

void Recording::name(Id id, std::string_view name, Namer namer) {
  Node& n = mutable_node(id);
  constexpr int namers = Node::named_by_maker | Node::named_by_field;
  const int flag = namer == Namer::maker   ? Node::named_by_maker
                   : namer == Namer::field ? Node::named_by_field
                                           : 0;
  n.flags = static_cast<std::uint8_t>((n.flags & ~namers) | flag);
  if (n.name == Node::none) {
    if (names_used_ == names_.size()) names_.emplace_back();
    n.name = names_used_++;
    names_[n.name].owner = id;
  }
  names_[n.name].text.assign(name);
}

void Recording::name_elements(Id id, std::vector<std::string> names) {
  element_names_.insert_or_assign(id, std::move(names));
}

std::string_view Recording::element_name(Id id, std::size_t element) const {
  const auto found = element_names_.find(id);
  return found == element_names_.end() ? std::string_view{} : found->second[element];
}

// ---------------------------------------------------------------- of fields

namespace {

/// Whether a way is longer than a name and ends in it, as `head.weight` in `weight`.
bool extends(const reflection::Step* way, std::string_view name) {
  char digits[20];
  while (way != nullptr) {
    std::string_view step = way->name;
    if (way->numbered) {
      const auto end = std::to_chars(digits, digits + sizeof digits, way->number).ptr;
      step = {digits, static_cast<std::size_t>(end - digits)};
    }
    if (!name.ends_with(step)) return false;
    name.remove_suffix(step.size());
    way = way->up;
    if (name.empty()) return way != nullptr;
    if (!name.ends_with('.')) return false;
    name.remove_suffix(1);
  }
  return false;
}

}  // namespace

void name_by_field(const Tensor& leaf, const reflection::Step* way) {
  if (way == nullptr || !leaf.valid()) return;
  Recording& recording = Recording::of(leaf, "name", Site{});
  const Id id = recording.id_of(leaf, "name", Site{});
  const Node& node = recording.node(id);
  if (!node.leaf() || recording.is(id, LeafKind::constant)) return;
  const bool waits = node.name == Node::none || (node.flags & Node::named_by_maker) != 0 ||
                     ((node.flags & Node::named_by_field) != 0 && extends(way, recording.name(id)));
  if (!waits) return;
  std::string name;
  reflection::append(name, way);
  recording.name(id, name, Recording::Namer::field);
}

// ---------------------------------------------------------------- of elements

void name_elements(const Tensor& tensor, std::span<const std::string> names, Site at) {
  constexpr std::string_view doing = "name_elements";
  Recording& recording = Recording::of(tensor, doing, at);
  const Id id = recording.id_of(tensor, doing, at);
  const auto refuse = [&](std::string text) {
    throw Error(std::string(doing), std::move(text), {recording.describe(id, "of")}, at, {});
  };
  if (std::cmp_not_equal(names.size(), recording.node(id).shape.numel()))
    refuse(fmt::format("{} names for {} elements", names.size(), recording.node(id).shape.numel()));
  if (std::any_of(names.begin(), names.end(), [](const auto& name) { return name.empty(); }))
    refuse("a name is empty");
  recording.name_elements(id, {names.begin(), names.end()});
}

void name_elements(const Tensor& tensor, std::initializer_list<std::string_view> names, Site at) {
  const std::vector<std::string> list(names.begin(), names.end());
  name_elements(tensor, std::span<const std::string>(list), at);
}

}  // namespace tapegrad
