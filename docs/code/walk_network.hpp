// The network of docs/walk/: two inputs, two hidden and two output neurons, all of them sigmoid,
// E = sum of 1/2 (out_o - t)^2. Each tensor, and each of its elements, has the name it has there.
#pragma once

#include <cstdint>
#include <tapegrad/tapegrad.hpp>

namespace tg = tapegrad;

/// Most introductions leave the biases as they are, one for each layer. They can be trained: still
/// one for each layer, or one for each neuron.
enum class Biases : std::uint8_t { fixed, shared, own };

inline tg::Tensor bias(tg::Tape& tape, Biases biases, double value) {
  if (biases == Biases::fixed) return tape.constant(value);
  return biases == Biases::shared ? tape.parameter(value) : tape.parameter({value, value});
}

struct Net {
  tg::Linear hidden, output;
};

struct TwoTwoTwo {
  tg::Tape tape;
  Net net;
  tg::Tensor i, t, net_h, out_h, net_o, out_o, E;

  explicit TwoTwoTwo(Biases biases = Biases::fixed) {
    // A Linear keeps its weight as (in, out), one column for each neuron.
    net.hidden.weight = tape.parameter({{0.15, 0.25}, {0.20, 0.30}}).named("W1");
    net.hidden.bias = bias(tape, biases, 0.35).named("b1");
    net.output.weight = tape.parameter({{0.40, 0.50}, {0.45, 0.55}}).named("W2");
    net.output.bias = bias(tape, biases, 0.60).named("b2");
    tg::name_elements(net.hidden.weight, {"w1", "w3", "w2", "w4"});
    tg::name_elements(net.output.weight, {"w5", "w7", "w6", "w8"});

    i = tape.input({{0.05, 0.10}}).named("i");
    t = tape.input({{0.01, 0.99}}).named("t");
    // [forward]
    net_h = net.hidden(i).named("net_h");
    out_h = sigmoid(net_h).named("out_h");
    net_o = net.output(out_h).named("net_o");
    out_o = sigmoid(net_o).named("out_o");
    // [/forward]
    E = half_squared_error(out_o, t).named("E");
    tg::name_elements(i, {"i1", "i2"});
    tg::name_elements(t, {"t1", "t2"});
    tg::name_elements(net_h, {"net_h1", "net_h2"});
    tg::name_elements(out_h, {"out_h1", "out_h2"});
    tg::name_elements(net_o, {"net_o1", "net_o2"});
    tg::name_elements(out_o, {"out_o1", "out_o2"});
  }
};
