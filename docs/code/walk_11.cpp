// Page 11 of docs/walk/: cross-entropy and softmax.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "sections.hpp"
#include "walk_by_hand.hpp"

using by_hand::sigmoid;
using walk::agree;
using walk::number;
using walk::say;

namespace {

// ---------------------------------------------------------------- by hand

std::vector<double> softmax(const std::vector<double>& z) {
  std::vector<double> a;
  double sum = 0;
  for (const double logit : z) sum += std::exp(logit);
  for (const double logit : z) a.push_back(std::exp(logit) / sum);
  return a;
}

double cross_entropy(const std::vector<double>& z, std::size_t label) {
  return -std::log(softmax(z)[label]);
}

/// The outputs of the network, taken as logits of two classes; the second one is right.
struct Classes {
  by_hand::Story s;
  std::vector<double> z{s.v.net_o1, s.v.net_o2}, y{0, 1};
  std::size_t label = 1;
  std::vector<double> a = softmax(z);
  double L = cross_entropy(z, label);
  std::vector<double> by_paths = std::vector<double>(2);

  Classes() {
    for (std::size_t j = 0; j < 2; ++j)
      for (std::size_t k = 0; k < 2; ++k) {
        const double dL_da = -y[k] / a[k];
        const double da_dz = a[k] * ((k == j ? 1 : 0) - a[j]);
        by_paths[j] += dL_da * da_dz;
      }
    for (std::size_t j = 0; j < 2; ++j) agree(by_paths[j], a[j] - y[j], "a - y");
  }
};

// ---------------------------------------------------------------- one output

void symbols() {
  const Classes c;
  say(R"(| symbol | shape | value | what it is |
|---|---|---|---|
| $`o`$, $`t`$ | () | @, @ | the first output of the network, and its target |
| $`z_1`$, $`z_2`$ | (1, 2) | @, @ | logits: what enters the output layer, $`\mathit{net}_{o1}`$ and $`\mathit{net}_{o2}`$ |
| $`y_1`$, $`y_2`$ | (1, 2) | @, @ | the right answer: all of it is class 2 |
| $`a_1`$, $`a_2`$ | (1, 2) | @, @ | softmax of the logits: probabilities |
| $`L`$ | () | @ | the cross-entropy: the loss, in the place of $`E`$ |)",
      {c.s.v.out_o1, by_hand::t1, c.z[0], c.z[1], c.y[0], c.y[1], c.a[0], c.a[1], c.L});
}

void one_output() {
  const by_hand::Story s;
  const double o = s.v.out_o1, t = by_hand::t1;
  const double by_output = (o - t) / (o * (1 - o)), slope = o * (1 - o);
  agree(by_output * slope, o - t, "the product");
  say(R"(```math
\frac{\partial L}{\partial \mathit{net}_{o1}} = \frac{o - t}{o (1 - o)} \cdot o (1 - o) = @ \cdot @ \approx @
```)",
      {by_output, slope, o - t});
  const auto error = [&](double net) {
    const double out = sigmoid(net);
    return -(t * std::log(out) + (1 - t) * std::log(1 - out));
  };
  walk::you_should_see(o - t, walk::difference(error, s.v.net_o1));

  TwoTwoTwo n;
  const tg::Tensor logits = tg::slice(n.net_o, 1, 0, 1), target = tg::slice(n.t, 1, 0, 1);
  const tg::Tensor loss = binary_cross_entropy_with_logits(logits, target);
  agree(gradient(loss, logits).item(), o - t, "the tape");
}

void saturated() {
  fmt::print(
      "| $`\\mathit{{net}}`$ | $`o`$ | delta with the squared error, $`(o - t) o (1 - o)`$ | delta "
      "with the cross-entropy, $`o - t`$ |\n|---:|---:|---:|---:|\n");
  for (const double net : {0.0, -2.0, -4.0, -8.0}) {
    const double o = sigmoid(net);
    tg::Tape tape;
    const tg::Tensor x = tape.parameter({net}), one = tape.constant({1});
    const double squared = gradient(half_squared_error(tg::sigmoid(x), one), x).item();
    const double entropy = gradient(binary_cross_entropy_with_logits(x, one), x).item();
    agree(squared, (o - 1) * o * (1 - o), "the squared error");
    agree(entropy, o - 1, "the cross-entropy");
    fmt::print("| {:.0f} | {:.6f} | {:.6f} | {:.6f} |\n", net, o, squared, entropy);
  }
}

// ---------------------------------------------------------------- several classes

void probabilities() {
  const Classes c;
  say(R"(a_1 = \frac{e^{@}}{e^{@} + e^{@}} = @ \qquad a_2 = @ \qquad L = -\ln a_2 = @)",
      {c.z[0], c.z[0], c.z[1], c.a[0], c.a[1], c.L});
}

void paths() {
  const Classes c;
  say(R"(```math
\begin{aligned}
\frac{\partial L}{\partial z_1} &= 0 \cdot @ + ~@ \cdot ~@ = @ = a_1 - 0 \\
\frac{\partial L}{\partial z_2} &= 0 \cdot ~@ + ~@ \cdot @ = @ = a_2 - 1
\end{aligned}
```)",
      {c.a[0] * (1 - c.a[0]), -1 / c.a[1], -c.a[1] * c.a[0], c.by_paths[0], -c.a[0] * c.a[1],
       -1 / c.a[1], c.a[1] * (1 - c.a[1]), c.by_paths[1]});
  for (std::size_t j = 0; j < 2; ++j) {
    const auto loss = [&](double at) {
      std::vector<double> z = c.z;
      z[j] = at;
      return cross_entropy(z, c.label);
    };
    agree(c.by_paths[j], walk::difference(loss, c.z[j]), "the rule and the difference", 1e-9);
    if (j == 0) walk::you_should_see(c.by_paths[j], walk::difference(loss, c.z[j]));
  }
}

// ---------------------------------------------------------------- on the tape

void tape() {
  const Classes c;
  TwoTwoTwo n;
  // [tape]
  const tg::Tensor label = n.tape.input({1}).named("label");  // counted from 0: the second class
  const tg::Tensor loss = cross_entropy(n.net_o, label).named("L");
  const tg::Tensor delta_o = gradient(loss, n.net_o);
  fmt::print("L       = {:.9f}\n", loss.item());
  fmt::print("delta_o = {:.9}\n", delta_o);
  // [/tape]
  agree(loss.item(), c.L, "the loss");
  agree(delta_o.at(0, 0), c.a[0] - c.y[0], "delta of the first");
  agree(delta_o.at(0, 1), c.a[1] - c.y[1], "delta of the second");
  const tg::Tensor composed =
      -tg::sum(log(tg::softmax(n.net_o, 1)) * tg::Arg(n.tape.input({{0, 1}})));
  agree(gradient(composed, n.net_o).at(0, 0), delta_o.at(0, 0), "its composition");
}

void explained() {
  TwoTwoTwo n;
  const tg::Tensor label = n.tape.input({1}).named("label");
  const tg::Tensor loss = cross_entropy(n.net_o, label).named("L");
  const tg::Derivation derivation = explain(loss, n.net.output.weight);
  const Classes c;
  agree(gradient(loss, n.net.output.weight).at(0, 0), c.s.v.out_h1 * c.a[0], "dL/dw5");
  fmt::print("{}", walk::formulas(derivation, "matrices"));
}

// ---------------------------------------------------------------- mistakes, each with its number

void mistakes() {
  const Classes c;
  TwoTwoTwo n;
  const tg::Tensor label = n.tape.input({1});
  const tg::Tensor right = cross_entropy(n.net_o, label);
  const tg::Tensor twice = cross_entropy(tg::softmax(n.net_o, 1), label);
  const double o = c.a[0];
  fmt::print("| mistake | $`L`$ | $`\\partial L / \\partial z_1`$ |\n|---|---:|---:|\n");
  const auto line = [](std::string_view what, double E, double slope) {
    fmt::print("| {} | {} | {} |\n", what, number(E), number(slope));
  };
  line("none", right.item(), gradient(right, n.net_o).at(0, 0));
  line("`cross_entropy(softmax(z, 1), label)`: softmax twice", twice.item(),
       gradient(twice, n.net_o).at(0, 0));
  line("the slope $`a (1 - a)`$ kept as a factor", right.item(), o * o * (1 - o));
  line("only the path from $`z_1`$ through $`a_1`$", right.item(), 0);
  const tg::Tensor first = cross_entropy(n.net_o, n.tape.input({0}));
  line("classes counted from 1 in the data, from 0 here: the neighbour's label", first.item(),
       gradient(first, n.net_o).at(0, 0));
}

void overflow() {
  const std::vector<double> z{1000, 1001};
  const double naive = softmax(z)[1];
  walk::require(std::isnan(naive), "e^1000 is too large");
  tg::Tape tape;
  const double stable = cross_entropy(tape.input({z}), tape.input({1})).item();
  agree(stable, cross_entropy({0, 1}, 1), "only differences count");
  say("For the logits 1000 and 1001 the formula above gives $`a_2`$ = nan, because $`e^{1000}`$ is "
      "too large for a double. `cross_entropy` gives the loss @.",
      {stable});
}

// ---------------------------------------------------------------- answers

void answer_other_class() {
  const Classes c;
  say("$`a - y`$ = (@ - 1, @ - 0) = (@, @). Nothing else changes.",
      {c.a[0], c.a[1], c.a[0] - 1, c.a[1]});
}

void answer_sum() {
  const Classes c;
  agree(c.by_paths[0] + c.by_paths[1], 0, "deltas add up to 0");
  say("@ + ~@ = 0, because the probabilities add up to 1, and so does $`y`$. What one logit gains, "
      "the others lose: adding the same number to all logits changes nothing.",
      {c.by_paths[0], c.by_paths[1]});
}

void answer_sigmoid() {
  const Classes c;
  agree(sigmoid(c.z[1] - c.z[0]), c.a[1], "two classes");
  say("Divide above and below by $`e^{z_2}`$: $`a_2 = 1 / (1 + e^{-(z_2 - z_1)}) = \\sigma(z_2 - "
      "z_1)`$, here $`\\sigma(@)`$ = @. So one sigmoid output with cross-entropy is a softmax over "
      "two classes, one of whose logits is 0.",
      {c.z[1] - c.z[0], c.a[1]});
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"symbols", symbols},
                      {"one-output", one_output},
                      {"saturated", saturated},
                      {"probabilities", probabilities},
                      {"paths", paths},
                      {"tape", tape},
                      {"explain", explained},
                      {"mistakes", mistakes},
                      {"overflow", overflow},
                      {"answer-other-class", answer_other_class},
                      {"answer-sum", answer_sum},
                      {"answer-sigmoid", answer_sigmoid}});
}
