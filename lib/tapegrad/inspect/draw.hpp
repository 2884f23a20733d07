// The tape as a picture: Graphviz's language, one node for each record.
#pragma once

#include <string>

#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// The records that a tensor is computed from, as a DOT graph from left to right: leaves as
/// coloured boxes with name and shape, ops as rounded boxes, each library composite (a linear
/// layer, a loss, a gradient) as a frame around its records and what only they use. Constants of
/// one element stand in the op they go into. Every node has the user's line as its tooltip. Render
/// it with `dot -Tsvg`. Throws Error for a tensor that cannot be used; no value is looked at but
/// those of constants.
std::string draw(const Tensor& output, Site at = Site::here());

}  // namespace tapegrad
