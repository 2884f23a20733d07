// The 2-2-2 network that introductions to back-propagation work through by hand: two inputs, two
// hidden and two output neurons, E = sum of 1/2 (target - output)^2, learning rate 0.5. Every
// number of the derivation is a tensor on the tape or a gradient by one. The closing numbers of the
// most copied text come out differently: the last lines show why.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

namespace tg = tapegrad;

namespace {

struct TwoTwoTwo {
  tg::Linear hidden, output;
};

// A Linear keeps its weight as (in, out), one column per neuron. The text writes one row per
// neuron, so its matrices are typed transposed: w1, w3 is the first row. (2 x 2 would fit both
// ways.) The text trains the weights only, hence biases that are constants, one for each layer.
TwoTwoTwo text_network(tg::Tape& tape) {
  return {.hidden = {tape.parameter({{0.15, 0.25}, {0.20, 0.30}}), tape.constant(0.35)},
          .output = {tape.parameter({{0.40, 0.50}, {0.45, 0.55}}), tape.constant(0.60)}};
}

// The weights in the text's order, neuron by neuron.
tg::Tensor by_neuron(tg::Tensor weight) { return reshape(transpose(weight), {4}); }

// One forward and one backward pass, number by number.
void derivation() {
  tg::Tape tape;
  TwoTwoTwo net = text_network(tape);
  tg::Tensor x = tape.input({{0.05, 0.10}}), target = tape.input({{0.01, 0.99}});

  tg::Tensor net_h = net.hidden(x), out_h = sigmoid(net_h);
  tg::Tensor net_o = net.output(out_h), out_o = sigmoid(net_o);
  tg::Tensor E = half_squared_error(out_o, target);
  fmt::print(
      "forward\n  net_h {:.9}\n  out_h {:.9}\n  net_o {:.9}\n  out_o {:.9}\n  E     {:.9}\n\n",
      net_h, out_h, net_o, out_o, E);

  // A delta is the gradient by what goes into a neuron. A gradient by any tensor can be asked for.
  auto [delta_o, dE_dout_h, delta_h] = gradient(E, net_o, out_h, net_h);
  auto [dE_dW_o, dE_dW_h] = gradient(E, net.output.weight, net.hidden.weight);
  fmt::print("backward\n  delta_o   {:.9}\n  dE/dw5..8 {:.9}\n", delta_o, by_neuron(dE_dW_o));
  fmt::print("  dE/dout_h {:.9}\n  delta_h   {:.9}\n  dE/dw1..4 {:.9}\n\n", dE_dout_h, delta_h,
             by_neuron(dE_dW_h));

  tg::Sgd{.learning_rate = 0.5}.step(net, gradient(E, net));
  tape.replay(E);
  fmt::print("after one step\n  w1..4 {:.9}\n  w5..8 {:.9}\n\n", by_neuron(net.hidden.weight),
             by_neuron(net.output.weight));
}

struct Round {
  tg::Tensor E, out_o;
  TwoTwoTwo gradient;
};

// Trains 10,000 rounds. The hidden deltas need the output weights: those of the forward pass, or,
// if `output_first`, those that the step has just changed.
void train(const char* how, bool output_first) {
  tg::Tape tape;
  TwoTwoTwo net = text_network(tape);
  auto round = tg::compile(tape, [&](tg::Tensor x, tg::Tensor target) {
    tg::Tensor out_h = sigmoid(net.hidden(x)), net_o = net.output(out_h), out_o = sigmoid(net_o);
    Round result{half_squared_error(out_o, target), out_o, {}};
    result.gradient = gradient(result.E, net);
    if (output_first) {
      // The old delta_o, sent back through new output weights: the gradient of nothing. detach,
      // because the new weights count as given numbers.
      tg::Tensor changed = net.output.weight - 0.5 * result.gradient.output.weight;
      tg::Tensor mixed = matmul(out_h, detach(changed)), delta_o = gradient(result.E, net_o);
      result.gradient.hidden.weight = gradient(seeded(mixed, delta_o), net.hidden.weight);
    }
    return result;
  });
  tg::Sgd sgd{.learning_rate = 0.5};
  double E_after_one = 0;
  for (int i = 0; i < 10000; ++i) {
    const Round& now = round({{0.05, 0.10}}, {{0.01, 0.99}});
    if (i == 1) E_after_one = now.E.item();
    sgd.step(net, now.gradient);
  }
  const Round& end = round({{0.05, 0.10}}, {{0.01, 0.99}});
  fmt::print("{:<22}{:<13.9f}{:.9f}  {:.9f}  {:.10f}\n", how, E_after_one, end.out_o.at(0, 0),
             end.out_o.at(0, 1), end.E.item());
}

}  // namespace

int main() {
  derivation();
  fmt::print("                      E after one  outputs after 10,000      E after 10,000\n");
  train("old output weights", false);
  train("new, as published", true);
  fmt::print(
      "The text's hidden deltas were taken with output weights already updated: no gradient.\n");
}
