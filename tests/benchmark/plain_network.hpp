// The three-layer network written out by hand, in plain loops with run-time sizes: the yardstick
// for speed, and the manual delta rule for tests. Knows nothing of tapegrad.
#pragma once

#include <cstddef>
#include <vector>

namespace plain {

/// A sigmoid network without biases, weights row-major: w0 (inputs, hidden), w1 (hidden, outputs).
struct Network {
  std::size_t rows, inputs, hidden, outputs;
  std::vector<double> w0, w1;
  std::vector<double> l1, l2, l1_delta, l2_delta, g0, g1;  // g: the slopes of the loss

  Network(std::size_t rows, std::size_t inputs, std::size_t hidden, std::size_t outputs,
          std::vector<double> w0, std::vector<double> w1);

  /// l1, l2, and the loss 1/2 sum (y - l2)^2. x (rows, inputs), y (rows, outputs).
  double forward(const double* x, const double* y);
  /// The deltas and the slopes of the loss, from the values of the last forward pass.
  void backward(const double* x, const double* y);
  /// w -= learning_rate * g
  void update(double learning_rate);
};

}  // namespace plain
