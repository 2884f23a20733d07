// Page 4 of docs/walk/: how the loss changes with w5, a weight of the output layer.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <tapegrad/tapegrad.hpp>

#include "sections.hpp"
#include "walk_by_hand.hpp"

using by_hand::sigmoid;
using by_hand::Story;
using by_hand::t1;
using by_hand::Weights;
using walk::agree;
using walk::number;
using walk::require;
using walk::say;

namespace {

void symbols() {
  const auto [w, v, b] = Story();
  say(R"(| symbol | shape | value | what it is |
|---|---|---|---|
| $`w_5`$ | one element of `W2`, (2, 2) | @ | the weight from $`h_1`$ to $`o_1`$ |
| $`\mathit{out}_{h1}`$ | one element of `out_h`, (1, 2) | @ | what $`h_1`$ sends |
| $`\mathit{net}_{o1}`$ | one element of `net_o`, (1, 2) | @ | what goes into $`o_1`$ |
| $`\mathit{out}_{o1}`$ | one element of `out_o`, (1, 2) | @ | what comes out |
| $`t_1`$ | one element of `t`, (1, 2) | @ | what should come out |
| $`\delta_{o1}`$ | one element of the slope by `net_o`, (1, 2) | to be computed | $`\partial E / \partial \mathit{net}_{o1}`$ |)",
      {w.w5, v.out_h1, v.net_o1, v.out_o1, t1});
}

void factors() {
  const Story s;
  const by_hand::Values& v = s.v;
  const auto by_output = [](double out) { return 0.5 * (out - t1) * (out - t1); };
  const auto net_o1 = [&](double w5) { return v.out_h1 * w5 + v.out_h2 * s.w.w6 + s.w.b2; };
  const auto line = [](std::string_view slope, std::string_view rule, double value,
                       double difference) {
    agree(value, difference, "the rule and the difference", 1e-9);
    fmt::print("| $`{}`$ | $`{}`$ | {} | {} |\n", slope, rule, number(value), number(difference));
  };
  fmt::print("| slope | rule | value | the difference says |\n|---|---|---:|---:|\n");
  line("\\partial E / \\partial \\mathit{out}_{o1}", "\\mathit{out}_{o1} - t_1", v.out_o1 - t1,
       walk::difference(by_output, v.out_o1));
  line("\\partial\\, \\mathit{out}_{o1} / \\partial\\, \\mathit{net}_{o1}",
       "\\mathit{out}_{o1}\\,(1 - \\mathit{out}_{o1})", v.out_o1 * (1 - v.out_o1),
       walk::difference(sigmoid, v.net_o1));
  line("\\partial\\, \\mathit{net}_{o1} / \\partial\\, w_5", "\\mathit{out}_{h1}", v.out_h1,
       walk::difference(net_o1, s.w.w5));
}

void chain() {
  const auto [w, v, b] = Story();
  fmt::print("```math\n");
  say(R"(\frac{\partial E}{\partial w_5} = \underbrace{@}_{\partial E / \partial \mathit{out}_{o1}} \cdot \underbrace{@}_{\partial \mathit{out}_{o1} / \partial \mathit{net}_{o1}} \cdot \underbrace{@}_{\partial \mathit{net}_{o1} / \partial w_5} \approx @)",
      {v.out_o1 - t1, v.out_o1 * (1 - v.out_o1), v.out_h1, b.slope.w5});
  fmt::print("```\n");
  walk::you_should_see(b.slope.w5, by_hand::difference(&Weights::w5));
}

void on_tape() {
  const Story agreed;
  const TwoTwoTwo n;
  // [explain]
  const tg::Derivation d = explain(n.E, n.net.output.weight, tg::Index{0, 0});
  // [/explain]
  fmt::print("{}", walk::formulas(d, "paths"));
  agree(d.value(), agreed.b.slope.w5, "the slope by hand and the one that is explained");
}

void delta() {
  const auto [w, v, b] = Story();
  say(R"(\delta_{o1} = \frac{\partial E}{\partial \mathit{net}_{o1}} = (\mathit{out}_{o1} - t_1)\; \mathit{out}_{o1}\,(1 - \mathit{out}_{o1}) = @ \cdot @ = @)",
      {v.out_o1 - t1, v.out_o1 * (1 - v.out_o1), b.delta_o1});
}

void sigmoid_slope() {
  double largest = 0;
  for (double net : {-6, -2, 0, 2, 6}) {
    const double a = sigmoid(net), slope = a * (1 - a);
    agree(slope, walk::difference(sigmoid, net), "the slope of the sigmoid", 1e-9);
    largest = std::max(largest, slope);
  }
  const double a = sigmoid(6);
  agree(largest, 0.25, "the slope at 0", 0);
  fmt::print(
      "The slope is {} at most, where $`\\mathit{{net}}`$ is 0. Where $`\\mathit{{net}}`$ is 6 or "
      "-6, it is {:.4f}: the sigmoid is flat there, and the neuron is called *saturated*.\n",
      largest, a * (1 - a));
}

void bias() {
  const auto [w, v, b] = Story();
  TwoTwoTwo own(Biases::own);
  const tg::Tensor slope = gradient(own.E, own.net.output.bias);
  agree(slope.at(0), b.delta_o1, "the slope of a bias of its own");
  agree(slope.at(1), b.delta_o2, "the slope of a bias of its own");
  agree(b.slope.b2, by_hand::difference(&Weights::b2), "the rule and the difference", 1e-9);
  say("Here $`o_1`$ and $`o_2`$ share the bias $`b_2`$. It reaches $`E`$ through both, and the "
      "slopes add up: $`\\partial E / \\partial b_2 = \\delta_{o1} + \\delta_{o2} = @ + ~@ "
      "\\approx @`$. Usually each neuron has a bias of its own, and then its slope is its delta.",
      {b.delta_o1, b.delta_o2, b.slope.b2});
}

void bias_at_zero() {
  const auto slope_at = [](double value) {
    Weights w;
    w.b2 = value;
    const by_hand::Values v = by_hand::forward(w);
    const double slope = by_hand::backward(w, v).slope.b2;
    const auto error = [&](double b2) {
      Weights moved = w;
      moved.b2 = b2;
      return by_hand::forward(moved).E;
    };
    agree(slope, walk::difference(error, value), "the rule and the difference", 1e-9);
    return slope;
  };
  require(std::abs(slope_at(0)) > 0.01, "a bias of 0 has a slope");
  say("With $`b_2 = 0`$ the slope is @, and not 0.", {slope_at(0)});
}

void mistake() {
  const auto [w, v, b] = Story();
  const double error = v.out_o1 - t1;
  const double again = sigmoid(v.out_o1);
  const double of_net = v.net_o1 * (1 - v.net_o1);
  fmt::print("| mistake | $`\\partial E / \\partial w_5`$ |\n|---|---:|\n");
  say("| none | @ |", {b.slope.w5});
  say("| $`\\mathit{out} (1 - \\mathit{out})`$ forgotten | @ |", {error * v.out_h1});
  say("| the sigmoid's slope at $`\\mathit{out}_{o1}`$: the sigmoid taken twice | @ |",
      {error * again * (1 - again) * v.out_h1});
  say("| $`\\mathit{net} (1 - \\mathit{net})`$: `a * (1 - a)` given $`\\mathit{net}`$ | @ |",
      {error * of_net * v.out_h1});
  say("| $`w_5`$ in the place of $`\\mathit{out}_{h1}`$ | @ |", {b.delta_o1 * w.w5});
  say("| $`t_1 - \\mathit{out}_{o1}`$ in the place of $`\\mathit{out}_{o1} - t_1`$ | @ |",
      {-b.slope.w5});
}

void answer_w8() {
  const auto [w, v, b] = Story();
  say("$`\\delta_{o2} = ~@ \\cdot @ \\cdot (1 - @) \\approx @`$, times $`\\mathit{out}_{h2} = @`$ "
      "gives @. It is negative: more weight would bring $`\\mathit{out}_{o2}`$ nearer to its "
      "target.",
      {v.out_o2 - by_hand::t2, v.out_o2, v.out_o2, b.delta_o2, v.out_h2, b.slope.w8});
}

void answer_predict() {
  const auto [w, v, b] = Story();
  Weights moved;
  moved.w5 -= 0.1;
  const double change = by_hand::forward(moved).E - v.E;
  agree(change, -0.1 * b.slope.w5, "the prediction", 1e-3);
  say("About $`@ \\cdot ~@ = @`$. The forward pass says @: the slope is the truth for small steps "
      "only.",
      {b.slope.w5, -0.1, -0.1 * b.slope.w5, change});
}

void answer_saturated() {
  Weights w;
  w.b2 = 10;
  const by_hand::Values v = by_hand::forward(w);
  const by_hand::Backward b = by_hand::backward(w, v);
  require(v.out_o1 - t1 > 0.98 && std::abs(b.slope.w5) < 1e-4, "far off, and no slope");
  fmt::print(
      "$`\\mathit{{out}}_{{o1}}`$ is {:.6f}, as wrong as can be, and $`\\partial E / \\partial "
      "w_5`$ is {:.7f}: almost nothing. The factor $`\\mathit{{out}} (1 - \\mathit{{out}})`$ is "
      "{:.7f}. A saturated neuron hardly learns.\n",
      v.out_o1, b.slope.w5, v.out_o1 * (1 - v.out_o1));
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"symbols", symbols},
                      {"factors", factors},
                      {"chain", chain},
                      {"tape", on_tape},
                      {"delta", delta},
                      {"sigmoid", sigmoid_slope},
                      {"bias", bias},
                      {"bias-at-zero", bias_at_zero},
                      {"mistake", mistake},
                      {"answer-w8", answer_w8},
                      {"answer-predict", answer_predict},
                      {"answer-saturated", answer_saturated}});
}
