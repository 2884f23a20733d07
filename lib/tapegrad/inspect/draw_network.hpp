// A network as a picture for people: columns of neurons, and a line for each weight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

struct DrawNetworkOptions {
  /// In each neuron its numbers for one sample: what goes in above, what comes out below.
  bool values = false;
  /// The number at each line between layers of at most six neurons, and the bias at each neuron.
  bool weights = false;
  /// Lines by the gradient of the output by each weight; the output must be one number.
  bool gradients = false;
  /// Which sample of the batch.
  std::int64_t sample = 0;
  /// Significant digits of all numbers.
  int digits = 4;
  /// Of a layer with more neurons than this, the first and the last are drawn.
  std::size_t limit = 10;
};

/// The layers behind an output or a loss, as an SVG that needs nothing else. A layer is a product
/// with a matrix of parameters in which each result is connected with all operands of its sample,
/// with a bias that is added and what is computed from it element by element; so it is found
/// whatever ops are called. Lines are blue where a weight is positive and red where it is negative,
/// wide and dark where it is large. The tape is only read; numbers are computed anew from the
/// leaves.
///
/// Throws Error if the tensor cannot be used; if what it is computed from is not such a chain of
/// layers (a convolution, a recurrent network, a skip connection), which draw() can show; for a
/// sample that is not there; and if values or gradients are asked for, for a leaf that was never
/// set.
std::string draw_network(const Tensor& output, const DrawNetworkOptions& options = {},
                         Site at = Site::here());

}  // namespace tapegrad
