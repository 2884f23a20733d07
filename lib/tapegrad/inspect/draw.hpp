// The tape as a picture, one node for each record, in the language of Graphviz or of Mermaid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// What a graph is written in: DOT, for `dot -Tsvg`; or a Mermaid flowchart, which many viewers of
/// Markdown show as a picture.
enum class Picture : std::uint8_t { dot, mermaid };

struct DrawOptions {
  Picture format = Picture::dot;
  /// The numbers of each record.
  bool values = false;
  /// The gradient of the output by each record; the output must be one number.
  bool gradients = false;
  /// At each line, the derivative of the record it leads to by the one it comes from.
  bool local_derivatives = false;
  /// Also the records that gradients have added for those drawn, each tied to the record whose
  /// derivative rule made it.
  bool backward = false;
  /// Significant digits of all numbers.
  int digits = 4;
  /// Of more nodes than this, the first and the last are drawn, and one node for those between.
  std::size_t limit = 300;
};

/// The records that a tensor is computed from, as a graph from left to right: leaves as coloured
/// boxes with name and shape, ops as rounded boxes; a frame around each library composite (a linear
/// layer, a loss, a gradient) and around what belongs to one struct of parameters, by their names:
/// all of `hidden` around `hidden.weight`. Constants of one element stand in the op they go into.
/// In DOT every node has the user's line as its tooltip.
///
/// Numbers are computed anew from the leaves, in memory apart: the tape stays as it is, and none is
/// out of date. Up to six are written out, of more their range. A local derivative of an
/// elementwise op is one number for each element of the result; of any other op it is its Jacobian,
/// the elements of the result down, those of the operand across, or its extents if the result has
/// more than 64.
///
/// Throws Error for a tensor that cannot be used; if numbers are asked for, also for a leaf that
/// was never set; for gradients of more than one number; and for a backward that was not recorded.
std::string draw(const Tensor& output, const DrawOptions& options = {}, Site at = Site::here());

}  // namespace tapegrad
