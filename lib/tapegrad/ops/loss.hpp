// Internal: what the families of losses share. Users' names are in ops.hpp.
#pragma once

#include <string_view>

#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/ops.hpp"

namespace tapegrad {

/// Shape rule: that of both operands, which must agree.
Shape equal_shapes(const Operands& x);
void equal_shape_examples(Examples& example);

/// The frame of a loss of two operands, which must live on one tape.
FrameScope frame_of_loss(std::string_view name, const Arg& prediction, const Arg& target);

/// The losses of single elements or samples, put together.
Tensor reduced(const Tensor& losses, Reduction reduction);

}  // namespace tapegrad
