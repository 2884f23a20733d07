// A network as the command line describes it, in numbers and names, before anything is recorded.
#pragma once

#include <tapegrad/tapegrad.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "numbers.hpp"

/// What a tensor and its elements are called. Elements without a name are called `name[0,1]`.
struct Name {
  std::string whole;
  std::vector<std::string> elements = {};
};

struct Leaf {
  Name name = {};
  tapegrad::Array values = {};
};

struct Activation {
  std::string_view name;
  tapegrad::Tensor (*apply)(const tapegrad::Arg& net);  // nullptr: leaves it as it is
};

struct Loss {
  std::string_view name = {};
  tapegrad::Tensor (*apply)(const tapegrad::Arg& output, const tapegrad::Arg& target) = nullptr;
};

struct Layer {
  Leaf weight;  // (in, out): a row for each input, a column for each neuron
  std::optional<Leaf> bias;
  Activation activation;
  Name net, out;  // what goes into the activation, and what comes out
  bool trained_bias = true;
};

struct Plan {
  std::vector<Layer> layers = {};
  Loss loss = {};
  Leaf input = {}, target = {};
};

/// One of the networks that have a name. Throws std::runtime_error, as all functions here: for
/// another name, and for a seed if the network's weights are not drawn.
Plan named_network(const std::string& name, std::optional<std::uint32_t> seed);

/// Fully connected layers of these sizes, the input first, with weights as tapegrad::linear draws
/// them. Activations: one for each layer but the input, or one for all; cross_entropy has its own
/// behind the last. Input and target are to be set.
Plan layered_network(const std::vector<std::int64_t>& sizes,
                     const std::vector<std::string>& activations, const std::string& loss,
                     std::uint32_t seed);

/// A row for each sample; for cross_entropy the target may be one number, which class it is.
void set_input(Plan& plan, const std::vector<Row>& rows);
void set_target(Plan& plan, const std::vector<Row>& rows);

/// Weights as CSV: layer by layer a line for each row of the weight, then a line with the bias.
void set_weights(Plan& plan, const std::string& file);
std::string weights_as_csv(const Plan& plan);

// What there is, for a reader.
std::string networks_known();  // a line for each
std::string activations_known();
std::string losses_known();
