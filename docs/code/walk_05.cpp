// Page 5 of docs/walk/: how the loss changes with w1, a weight of the hidden layer.
#include <fmt/format.h>

#include <cmath>
#include <string>
#include <tapegrad/tapegrad.hpp>

#include "sections.hpp"
#include "walk_by_hand.hpp"

using by_hand::i1;
using by_hand::i2;
using by_hand::sigmoid;
using by_hand::Story;
using by_hand::t1;
using by_hand::t2;
using by_hand::Weights;
using walk::agree;
using walk::require;
using walk::say;

namespace {

void symbols() {
  const auto [w, v, b] = Story();
  say(R"(| symbol | shape | value | what it is |
|---|---|---|---|
| $`w_1`$ | one element of `W1`, (2, 2) | @ | the weight from $`i_1`$ to $`h_1`$ |
| $`i_1`$ | one element of `i`, (1, 2) | @ | the input it multiplies |
| $`\mathit{out}_{h1}`$ | one element of `out_h`, (1, 2) | @ | what $`h_1`$ sends, to both outputs |
| $`w_5`$, $`w_7`$ | first row of `W2`, (2, 2) | @, @ | the weights that lead out of $`h_1`$ |
| $`\delta_{o1}`$, $`\delta_{o2}`$ | (1, 2) | @, @ | the output deltas, from page 4 |
| $`\delta_{h1}`$ | one element of (1, 2) | to be computed | $`\partial E / \partial \mathit{net}_{h1}`$ |)",
      {w.w1, i1, v.out_h1, w.w5, w.w7, b.delta_o1, b.delta_o2});
}

/// E by what h1 sends: the output layer alone, run again.
double by_out_h1(const by_hand::Values& v) {
  const auto error = [&](double out_h1) {
    const Weights w;
    const double first = sigmoid(out_h1 * w.w5 + v.out_h2 * w.w6 + w.b2) - t1;
    const double second = sigmoid(out_h1 * w.w7 + v.out_h2 * w.w8 + w.b2) - t2;
    return 0.5 * first * first + 0.5 * second * second;
  };
  return walk::difference(error, v.out_h1);
}

void sum() {
  const auto [w, v, b] = Story();
  TwoTwoTwo n;
  const double by_paths = b.delta_o1 * w.w5 + b.delta_o2 * w.w7;
  agree(by_paths, gradient(n.E, n.out_h).at(0, 0), "dE/dout_h1");
  fmt::print("```math\n");
  say(R"(\begin{aligned}
\frac{\partial E}{\partial \mathit{out}_{h1}} &= \underbrace{\delta_{o1}\, w_5}_{\text{through } o_1} + \underbrace{\delta_{o2}\, w_7}_{\text{through } o_2} \\
&= @ \cdot @ + ~@ \cdot @ \\
&= @ + ~@ \approx @
\end{aligned})",
      {b.delta_o1, w.w5, b.delta_o2, w.w7, b.delta_o1 * w.w5, b.delta_o2 * w.w7, by_paths});
  fmt::print("```\n");
  walk::you_should_see(by_paths, by_out_h1(v));
}

void delta() {
  const auto [w, v, b] = Story();
  const double slope = v.out_h1 * (1 - v.out_h1), sent = b.delta_o1 * w.w5 + b.delta_o2 * w.w7;
  say(R"(\begin{aligned}
\delta_{h1} &= \frac{\partial E}{\partial \mathit{out}_{h1}}\; \mathit{out}_{h1}\,(1 - \mathit{out}_{h1}) \\
&= @ \cdot @ \cdot (1 - @) = @ \cdot @ \approx @
\end{aligned})",
      {sent, v.out_h1, v.out_h1, sent, slope, b.delta_h1});
}

void weight() {
  const auto [w, v, b] = Story();
  fmt::print("```math\n");
  say(R"(\frac{\partial E}{\partial w_1} = \delta_{h1}\, i_1 = @ \cdot @ = @)",
      {b.delta_h1, i1, b.slope.w1});
  fmt::print("```\n");
  walk::you_should_see(b.slope.w1, by_hand::difference(&Weights::w1));
}

tg::Derivation derivation() {
  const Story s;
  const TwoTwoTwo n;
  // [explain]
  const tg::Derivation d = explain(n.E, n.net.hidden.weight, tg::Index{0, 0});
  // [/explain]
  agree(d.value(), s.b.slope.w1, "the slope by hand and the one that is explained");
  return d;
}

void paths() { fmt::print("{}", walk::formulas(derivation(), "paths")); }

/// The last line of the section: how many products are saved.
void saved() {
  tg::Derivation merged = derivation().section("merged");
  auto& lines = merged.sections.front().lines;
  lines.erase(lines.begin(), lines.end() - 1);
  fmt::print("{}", walk::formulas(merged, "merged"));
}

void deep() {
  std::string depths, line, slopes;
  for (int depth : {1, 2, 5, 10}) {
    tg::Tape tape;
    const tg::Tensor first = tape.parameter(1.0), other = tape.constant(1.0);
    tg::Tensor out = sigmoid(first * 0.5);
    for (int layer = 1; layer < depth; ++layer) out = sigmoid(other * out);
    const double slope = gradient(half_squared_error(out, 0), first).item();
    double value = 0.5, by_hand = 0.5;
    for (int layer = 0; layer < depth; ++layer) {
      value = sigmoid(value);
      by_hand *= value * (1 - value);
    }
    agree(by_hand * value, slope, "the chain by hand");
    require(slope < std::pow(0.25, depth), "a quarter for each sigmoid");
    depths += fmt::format(" {} |", depth);
    line += "---:|";
    slopes += fmt::format(" {:.9f} |", slope);
  }
  fmt::print("| sigmoids in a row |{}\n|---|{}\n| slope by the first weight |{}\n", depths, line,
             slopes);
}

void mistake() {
  const auto [w, v, b] = Story();
  const double slope = v.out_h1 * (1 - v.out_h1);
  Weights updated = w;
  for (auto weight : {&Weights::w5, &Weights::w6, &Weights::w7, &Weights::w8})
    updated.*weight -= 0.5 * b.slope.*weight;
  fmt::print("| mistake | $`\\partial E / \\partial w_1`$ |\n|---|---:|\n");
  say("| none | @ |", {b.slope.w1});
  say("| only the path through $`o_1`$ | @ |", {b.delta_o1 * w.w5 * slope * i1});
  say("| only the path through $`o_2`$ | @ |", {b.delta_o2 * w.w7 * slope * i1});
  say("| $`w_5`$ and $`w_6`$, which lead *into* $`o_1`$, in the place of $`w_5`$ and $`w_7`$ | @ |",
      {(b.delta_o1 * w.w5 + b.delta_o2 * w.w6) * slope * i1});
  say("| $`\\mathit{out}_{h1} (1 - \\mathit{out}_{h1})`$ forgotten | @ |",
      {(b.delta_o1 * w.w5 + b.delta_o2 * w.w7) * i1});
  say("| output weights that were updated already (page 6) | @ |",
      {by_hand::backward(updated, v).slope.w1});
}

void answer_w3() {
  const auto [w, v, b] = Story();
  const double sent = b.delta_o1 * w.w6 + b.delta_o2 * w.w8;
  say("$`\\partial E / \\partial \\mathit{out}_{h2} = \\delta_{o1} w_6 + \\delta_{o2} w_8 = @ "
      "\\cdot @ + ~@ \\cdot @ \\approx @`$. Times $`\\mathit{out}_{h2} (1 - \\mathit{out}_{h2}) = "
      "@`$ this is $`\\delta_{h2} = @`$, and times $`i_1`$ it is @.",
      {b.delta_o1, w.w6, b.delta_o2, w.w8, sent, v.out_h2 * (1 - v.out_h2), b.delta_h2,
       b.slope.w3});
}

void answer_twice() {
  const auto [w, v, b] = Story();
  agree(b.slope.w2, 2 * b.slope.w1, "twice the slope");
  say("Both share $`\\delta_{h1}`$ and differ in the last factor alone: $`i_2 = @`$ is twice $`i_1 "
      "= @`$.",
      {i2, i1});
}

void answer_input() {
  const auto [w, v, b] = Story();
  const double by_paths = b.delta_h1 * w.w1 + b.delta_h2 * w.w3;
  TwoTwoTwo n;
  agree(by_paths, gradient(n.E, n.i).at(0, 0), "dE/di1");
  say("$`i_1`$ reaches both hidden neurons: $`\\partial E / \\partial i_1 = \\delta_{h1} w_1 + "
      "\\delta_{h2} w_3 = @ \\cdot @ + @ \\cdot @ = @`$. Path by path there are four, two through "
      "each hidden neuron. On the tape: `gradient(E, i)`.",
      {b.delta_h1, w.w1, b.delta_h2, w.w3, by_paths});
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"symbols", symbols},
                      {"sum", sum},
                      {"delta", delta},
                      {"weight", weight},
                      {"paths", paths},
                      {"saved", saved},
                      {"deep", deep},
                      {"mistake", mistake},
                      {"answer-w3", answer_w3},
                      {"answer-twice", answer_twice},
                      {"answer-input", answer_input}});
}
