// Layers: plain structs of tensors with a call operator, and functions that make them with initial
// values.
#pragma once

#include <cstdint>

#include "tapegrad/base/random.hpp"
#include "tapegrad/tape/tape.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// x W + b, one sample per row. weight (in, out), bias (out) or undefined: then none is added.
struct Linear {
  Tensor weight, bias{};
  /// (batch, in) -> (batch, out)
  Tensor operator()(const Arg& x) const;
};

struct LinearOptions {
  bool bias = true;
};

/// A Linear whose weight and bias are uniform in (-1/sqrt(in), 1/sqrt(in)), PyTorch's default.
/// Throws Error for extents below 1.
Linear linear(Tape& tape, std::int64_t in, std::int64_t out, Random& random,
              LinearOptions options = {}, Site at = Site::here());

}  // namespace tapegrad
