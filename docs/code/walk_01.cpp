// Page 1 of docs/walk/: one neuron.
#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <tapegrad/tapegrad.hpp>
#include <vector>

#include "sections.hpp"
#include "walk_by_hand.hpp"

using walk::agree;
using walk::number;
using walk::require;
using walk::say;

namespace {

// [by-hand]
double neuron(const std::vector<double>& inputs, const std::vector<double>& weights, double bias) {
  double net = bias;
  for (std::size_t k = 0; k < inputs.size(); ++k) net += inputs[k] * weights[k];
  return 1 / (1 + std::exp(-net));
}
// [/by-hand]

const std::vector<double> inputs{0.05, 0.10}, weights{0.15, 0.20};
constexpr double bias_of_h1 = 0.35;

double logit(double out) { return std::log(out / (1 - out)); }

void symbols() {
  say(R"(| symbol | on the tape | shape | value | what it is |
|---|---|---|---|---|
| $`i_1`$, $`i_2`$ | `i` | (1, 2) | @, @ | the inputs |
| $`w_1`$, $`w_2`$ | `h1.weight` | (2, 1) | @, @ | the weights, one for each input |
| $`b_1`$ | `h1.bias` | (1) | @ | the bias |
| $`\mathit{net}`$ | `net` | (1, 1) | to be computed | what goes in: the weighted sum, plus the bias |
| $`\mathit{out}`$ | `out` | (1, 1) | to be computed | what comes out: the activation, $`\sigma(\mathit{net})`$ |)",
      {inputs[0], inputs[1], weights[0], weights[1], bias_of_h1});
}

void sum() {
  const double out = neuron(inputs, weights, bias_of_h1), net = logit(out);
  agree(net, 0.05 * 0.15 + 0.10 * 0.20 + 0.35, "net");
  say(R"(\begin{aligned}
\mathit{net} &= i_1 w_1 + i_2 w_2 + b_1 = @ \cdot @ + @ \cdot @ + @ = @ \\
\mathit{out} &= \sigma(\mathit{net}) = \frac{1}{1 + e^{-\mathit{net}}} = \frac{1}{1 + e^{-@}} = @
\end{aligned})",
      {inputs[0], weights[0], inputs[1], weights[1], bias_of_h1, 0.3775, 0.3775, out});
}

void squashed() {
  std::string nets, squashed, line;
  for (double net : {-6, -2, 0, 2, 6}) {
    nets += fmt::format(" {:.0f} |", net);
    line += "---:|";
    squashed += fmt::format(" {:.4f} |", by_hand::sigmoid(net));
  }
  fmt::print("| $`\\mathit{{net}}`$ |{}\n|---|{}\n| $`\\sigma(\\mathit{{net}})`$ |{}\n", nets, line,
             squashed);
}

struct OnTape {
  // [tape]
  tg::Tape tape;
  tg::Tensor i = tape.input({{0.05, 0.10}});
  tg::Linear h1{tape.parameter({{0.15}, {0.20}}), tape.parameter({0.35})};
  tg::Tensor net = h1(i);
  tg::Tensor out = sigmoid(net);
  // [/tape]
  OnTape() {
    tg::name(h1, "h1");
    i.named("i"), net.named("net"), out.named("out");
    tg::name_elements(i, {"i1", "i2"});
    tg::name_elements(h1.weight, {"w1", "w2"});
    tg::name_elements(h1.bias, {"b1"});
    tg::name_elements(net, {"net"});
    tg::name_elements(out, {"out"});
  }
};

void picture() {
  const OnTape n;
  fmt::print("{}", draw_network(n.out, {.values = true, .weights = true}));
}

void on_tape() {
  const OnTape n;
  const double out = neuron(inputs, weights, bias_of_h1);
  agree(out, n.out.item(), "the neuron by hand and on the tape");
  say("You should see `@` for $`\\mathit{net}`$ and `@` for $`\\mathit{out}`$, by hand and on the "
      "tape.",
      {n.net.item(), n.out.item()});
}

/// The four rows of two inputs that are 0 or 1, and a neuron trained for them.
struct Trained {
  std::vector<double> out, weights;
  double bias = 0;
};

Trained train(const std::vector<double>& targets, bool with_bias) {
  tg::Tape tape;
  tg::Linear neuron{tape.parameter({{0.0}, {0.0}})};
  if (with_bias) neuron.bias = tape.parameter({0.0});
  const tg::Tensor x = tape.input({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  const tg::Tensor t = tape.input(tg::Array{tg::Shape{4, 1}, targets});
  const tg::Tensor out = sigmoid(neuron(x)), E = half_squared_error(out, t);
  tg::Sgd sgd{.learning_rate = 1};
  for (int round = 0; round < 10000; ++round) {
    sgd.step(neuron, gradient(E, neuron));
    tape.replay(E);
  }
  return {out.values(), neuron.weight.values(), with_bias ? neuron.bias.item() : 0};
}

void bias() {
  const std::vector<double> both{0, 0, 0, 1};
  const Trained with = train(both, true), without = train(both, false);
  fmt::print("| inputs | target | with a bias | without |\n|---|---|---|---|\n");
  for (std::size_t r = 0; r < both.size(); ++r) {
    require((with.out[r] > 0.5) == (both[r] > 0.5), "with a bias the answers are right");
    agree(without.out[r], 0.5, "without a bias the neuron does not know", 1e-9);
    fmt::print("| {}, {} | {} | {:.3f} | {:.3f} |\n", r / 2, r % 2, both[r], with.out[r],
               without.out[r]);
  }
  fmt::print(
      "\nAbove one half means yes. With a bias all four answers are right: the neuron has learned "
      "the weights {:.2f} and {:.2f} and the bias {:.2f}. Without one it says one half to "
      "everything.\n",
      with.weights[0], with.weights[1], with.bias);
}

void mistake() {
  const double wrong = neuron(inputs, weights, 0);
  say("> **The bias forgotten.** Then $`\\mathit{net}`$ is @ and $`\\mathit{out}`$ is @. If your "
      "number is close to one half, look for the bias first.",
      {logit(wrong), wrong});
  require(std::abs(wrong - neuron(inputs, weights, bias_of_h1)) > 0.05, "the mistake shows");
}

void answer_zero() {
  const double out = neuron(inputs, {0, 0}, 0);
  agree(out, 0.5, "sigma(0)", 0);
  say("@, because $`\\mathit{net}`$ is 0 whatever comes in, and $`\\sigma(0) = 1/(1 + 1)`$.",
      {out});
}

void answer_exclusive() {
  const Trained either = train({0, 1, 1, 0}, true);
  for (double out : either.out) agree(out, 0.5, "one neuron cannot tell", 1e-9);
  say("The trained neuron answers @ to all four: the best it can do is not to know.",
      {either.out[0]});
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"symbols", symbols},
                      {"sum", sum},
                      {"squashed", squashed},
                      {"picture", picture},
                      {"tape", on_tape},
                      {"bias", bias},
                      {"mistake", mistake},
                      {"answer-zero", answer_zero},
                      {"answer-exclusive", answer_exclusive}});
}
