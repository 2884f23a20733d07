// Names for the leaves of a user's struct, taken from its fields, so that errors and listings can
// call them `hidden.weight`.
#pragma once

#include <string>
#include <string_view>

#include "tapegrad/tape/fields.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// Whether the tensor is a usable leaf that still waits for a name.
bool lacks_name(const Tensor& leaf);

/// Names each leaf of a struct by its field, if it has no name yet. Done on first meeting a struct.
template <class Struct>
void name_fields(const Struct& net) {
  bool wanted = false;
  visit_tensors(net, [&](const Tensor& leaf) { wanted = wanted || lacks_name(leaf); });
  if (!wanted) return;
  each(net, [](std::string_view field, const Tensor& leaf) {
    if (lacks_name(leaf)) leaf.named(field);
  });
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

}  // namespace tapegrad
