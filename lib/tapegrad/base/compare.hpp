// Questions about arrays: are they close, where is the largest number. For tensors, ask about
// x.array().
#pragma once

#include <cstdint>

#include "tapegrad/base/array.hpp"
#include "tapegrad/base/site.hpp"

namespace tapegrad {

/// Whether |a - b| <= atol + rtol |b| for all elements, NumPy's rule: an infinity is close to
/// itself only, a NaN to nothing. One number may be compared with many; other shapes must be equal,
/// where NumPy would broadcast (throws Error).
bool allclose(const Values& a, const Values& b, double rtol = 1e-5, double atol = 1e-8,
              Site at = Site::here());

/// The place of the largest element in row-major order; a tie goes to the first, and a NaN counts
/// as the largest. Throws Error for an empty array.
std::int64_t argmax(const Array& x, Site at = Site::here());
/// The places of the largest elements along an axis, without that axis.
Array argmax(const Array& x, Axis axis, Site at = Site::here());

}  // namespace tapegrad
