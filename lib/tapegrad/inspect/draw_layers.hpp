// Internal: records seen as layers of neurons. No op is known by name: what a product connects is
// tried out on the bench.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

struct DrawnLayer {
  Id product;                                   // of what comes in with the weight
  Id data, weight;                              // its operands; the weight is a matrix
  bool out_first = false;                       // the weight is (out, in), else (in, out)
  std::size_t in = 0, out = 0;                  // numbers of neurons
  std::vector<std::size_t> from = {}, to = {};  // elements of data and of product: the sample's
  Id bias = Node::none;                         // a tensor that is added
  std::vector<std::size_t> bias_elements = {};
  Id net = Node::none, result = Node::none;  // with its bias; what the next layer is given
  std::vector<std::string> functions = {};   // between the two

  std::size_t weight_element(std::size_t from_neuron, std::size_t to_neuron) const {
    return out_first ? to_neuron * in + from_neuron : from_neuron * out + to_neuron;
  }
};

/// From the input on. Throws Error if there are none, if they are no chain, or for a sample that is
/// not there.
std::vector<DrawnLayer> find_layers(const Recording& recording, Id output, std::int64_t sample,
                                    Site at);

}  // namespace tapegrad
