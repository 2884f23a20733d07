// Names for the leaves of a user's struct, taken from its fields, so that errors and listings can
// call them `hidden.weight`.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "tapegrad/tape/fields.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// Names a usable leaf by its way from a struct, if it has no name yet, or only the end of this
/// one.
void name_by_field(const Tensor& leaf, const reflection::Step* way);

/// Names each leaf of a struct by its field. Done on meeting a struct. Whoever met a part first,
/// `weight` of net.head, learns of the whole later: `head.weight`.
template <class Struct>
void name_fields(const Struct& net) {
  const auto visit = [](const reflection::Step* way, const Tensor& leaf) {
    name_by_field(leaf, way);
  };
  reflection::Walk<true, decltype(visit)>{visit, {}}.visit(nullptr, net);
}

/// Names each leaf of a struct `prefix.field`, also if it had a name.
template <class Struct>
void name(const Struct& net, std::string_view prefix) {
  each(net, [&](std::string_view field, const Tensor& leaf) {
    std::string whole(prefix);
    if (!field.empty()) whole.append(".").append(field);
    if (leaf.valid()) leaf.named(whole);
  });
}

/// Names for the single elements of a tensor, row-major: `name_elements(w, {"w1", "w3", "w2",
/// "w4"})`. Derivations and pictures call the elements so; others are called `w[0,1]`. Throws Error
/// if there are not as many names as elements, or one of them is empty.
void name_elements(const Tensor& tensor, std::initializer_list<std::string_view> names,
                   Site at = Site::here());
void name_elements(const Tensor& tensor, std::span<const std::string> names,
                   Site at = Site::here());

}  // namespace tapegrad
