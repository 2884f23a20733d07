// Internal: whether windows fit into an image, asked by convolutions and pools.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tapegrad/kernel/window.hpp"
#include "tapegrad/tape/op.hpp"

namespace tapegrad {

/// Throws Error if one of the attributes at `first` and behind it, for height and width, is less
/// than the least, or beyond reason.
void require_steps(const Operands& operands, std::string_view what, std::size_t first,
                   std::int64_t least);

/// The shape with one extent, that of an image, replaced by how many windows stand there; `along`
/// need not know its `out`. Throws Error if none fits.
Shape with_windows(const Operands& operands, const Shape& shape, std::string_view name, int axis,
                   const WindowAxis& along);

}  // namespace tapegrad
