// Page 2 of docs/walk/: from the inputs to the outputs.
#include <fmt/format.h>

#include <cmath>
#include <tapegrad/tapegrad.hpp>

#include "sections.hpp"
#include "walk_by_hand.hpp"

using by_hand::i1;
using by_hand::i2;
using by_hand::sigmoid;
using by_hand::Story;
using by_hand::Weights;
using walk::agree;
using walk::require;
using walk::say;

namespace {

void symbols() {
  const Weights w;
  say(R"(| symbol | on the tape | shape | values | what it is |
|---|---|---|---|---|
| $`i_1`$, $`i_2`$ | `i` | (1, 2) | @, @ | the inputs |
| $`w_1`$, $`w_2`$ | first column of `W1` | (2, 2) | @, @ | weights from $`i_1`$ and $`i_2`$ to $`h_1`$ |
| $`w_3`$, $`w_4`$ | second column of `W1` | | @, @ | weights from $`i_1`$ and $`i_2`$ to $`h_2`$ |
| $`b_1`$ | `b1` | () | @ | the bias of $`h_1`$ and of $`h_2`$ |
| $`w_5`$, $`w_6`$ | first column of `W2` | (2, 2) | @, @ | weights from $`h_1`$ and $`h_2`$ to $`o_1`$ |
| $`w_7`$, $`w_8`$ | second column of `W2` | | @, @ | weights from $`h_1`$ and $`h_2`$ to $`o_2`$ |
| $`b_2`$ | `b2` | () | @ | the bias of $`o_1`$ and of $`o_2`$ |
| $`\mathit{net}_{h1}`$ to $`\mathit{net}_{o2}`$ | `net_h`, `net_o` | (1, 2) | to be computed | what goes into a neuron |
| $`\mathit{out}_{h1}`$ to $`\mathit{out}_{o2}`$ | `out_h`, `out_o` | (1, 2) | to be computed | what comes out of it |)",
      {i1, i2, w.w1, w.w2, w.w3, w.w4, w.b1, w.w5, w.w6, w.w7, w.w8, w.b2});
}

void picture() {
  const TwoTwoTwo n;
  fmt::print("{}", draw_network(n.out_o, {.values = true, .weights = true}));
}

void hidden() {
  const Story s;
  const Weights& w = s.w;
  say(R"(\begin{aligned}
\mathit{net}_{h1} &= i_1 w_1 + i_2 w_2 + b_1 = @ \cdot @ + @ \cdot @ + @ = @ \\
\mathit{net}_{h2} &= i_1 w_3 + i_2 w_4 + b_1 = @ \cdot @ + @ \cdot @ + @ = @ \\
\mathit{out}_{h1} &= \sigma(\mathit{net}_{h1}) = \sigma(@) = @ \\
\mathit{out}_{h2} &= \sigma(\mathit{net}_{h2}) = \sigma(@) = @
\end{aligned})",
      {i1, w.w1, i2, w.w2, w.b1, s.v.net_h1, i1, w.w3, i2, w.w4, w.b1, s.v.net_h2, s.v.net_h1,
       s.v.out_h1, s.v.net_h2, s.v.out_h2});
}

void output() {
  const auto [w, v, b] = Story();
  say(R"(\begin{aligned}
\mathit{net}_{o1} &= \mathit{out}_{h1} w_5 + \mathit{out}_{h2} w_6 + b_2 = @ \cdot @ + @ \cdot @ + @ = @ \\
\mathit{net}_{o2} &= \mathit{out}_{h1} w_7 + \mathit{out}_{h2} w_8 + b_2 = @ \cdot @ + @ \cdot @ + @ = @ \\
\mathit{out}_{o1} &= \sigma(\mathit{net}_{o1}) = \sigma(@) \approx @ \\
\mathit{out}_{o2} &= \sigma(\mathit{net}_{o2}) = \sigma(@) = @
\end{aligned})",
      {v.out_h1, w.w5, v.out_h2, w.w6, w.b2, v.net_o1, v.out_h1, w.w7, v.out_h2, w.w8, w.b2,
       v.net_o2, v.net_o1, v.out_o1, v.net_o2, v.out_o2});
}

void see() {
  const auto [w, v, b] = Story();
  say("You should see `@` and `@` come out, where `@` and `@` are wanted. The network knows "
      "nothing yet: its weights are just those it began with.",
      {v.out_o1, v.out_o2, by_hand::t1, by_hand::t2});
}

void on_tape() {
  const Story agreed;
  const TwoTwoTwo n;
  fmt::print("{}", walk::formulas(explain(n.E, {.digits = 6}), "forward"));
}

void mistake() {
  const Story s;
  Weights swapped;
  swapped.w2 = s.w.w3, swapped.w3 = s.w.w2;
  const by_hand::Values turned = by_hand::forward(swapped);
  require(std::abs(turned.net_h1 - s.v.net_h1) > 1e-4, "the mistake shows");
  // The same on the tape: the matrix as texts print it, one row for each neuron.
  tg::Tape tape;
  const tg::Tensor x = tape.input({{0.05, 0.10}});
  const tg::Tensor W = tape.parameter({{0.15, 0.20}, {0.25, 0.30}});
  agree((matmul(x, W) + 0.35).at(0, 0), turned.net_h1, "the matrix typed in the other layout");
  say("> **The matrix turned.** Many texts write one *row* of weights for each neuron; a `Linear` "
      "keeps one *column* for each. Type the rows of the text into it, and $`w_2`$ and $`w_3`$ "
      "change places: $`\\mathit{net}_{h1}`$ is @ where @ is right. Two by two fits both ways, so "
      "no shape error warns you.",
      {turned.net_h1, s.v.net_h1});
  say(">\n> **A sigmoid left out.** With $`\\mathit{net}_{h1}`$ and $`\\mathit{net}_{h2}`$ sent on "
      "in the place of $`\\mathit{out}_{h1}`$ and $`\\mathit{out}_{h2}`$, $`\\mathit{net}_{o1}`$ "
      "is @ where @ is right.",
      {s.v.net_h1 * s.w.w5 + s.v.net_h2 * s.w.w6 + s.w.b2, s.v.net_o1});
}

void answer_change() {
  const Story s;
  Weights changed;
  changed.w4 = 0.40;
  const by_hand::Values v = by_hand::forward(changed);
  require(v.net_h1 == s.v.net_h1 && v.out_h1 == s.v.out_h1, "h1 does not see w4");
  require(v.net_o1 != s.v.net_o1 && v.net_o2 != s.v.net_o2, "both outputs do");
  say("$`w_4`$ leads to $`h_2`$: so $`\\mathit{net}_{h2}`$ changes, to @, and "
      "$`\\mathit{out}_{h2}`$, to @; from there both outputs, to @ and @. $`\\mathit{net}_{h1}`$ "
      "and $`\\mathit{out}_{h1}`$ stay as they are.",
      {v.net_h2, v.out_h2, v.out_o1, v.out_o2});
}

void answer_zero() {
  Weights none;
  none.w1 = none.w2 = none.w3 = none.w4 = none.w5 = none.w6 = none.w7 = none.w8 = 0;
  const by_hand::Values v = by_hand::forward(none);
  agree(v.out_o1, sigmoid(none.b2), "only the bias is left", 0);
  agree(v.out_o2, v.out_o1, "both outputs are the same", 0);
  say("Both are $`\\sigma(b_2) = \\sigma(@) = @`$, whatever the inputs are.", {none.b2, v.out_o1});
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"symbols", symbols},
                      {"picture", picture},
                      {"hidden", hidden},
                      {"output", output},
                      {"see", see},
                      {"tape", on_tape},
                      {"mistake", mistake},
                      {"answer-change", answer_change},
                      {"answer-zero", answer_zero}});
}
