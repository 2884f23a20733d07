// Page 3 of docs/walk/: one number that says how wrong the network is.
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <tapegrad/tapegrad.hpp>
#include <vector>

#include "sections.hpp"
#include "walk_by_hand.hpp"

using by_hand::Story;
using by_hand::t1;
using by_hand::t2;
using walk::agree;
using walk::number;
using walk::say;

namespace {

double share(double out, double t) { return 0.5 * (out - t) * (out - t); }

void symbols() {
  const auto [w, v, b] = Story();
  say(R"(| symbol | shape | value | what it is |
|---|---|---|---|
| $`\mathit{out}_{o1}`$, $`\mathit{out}_{o2}`$ | (1, 2) | @, @ | the outputs, from page 2 |
| $`t_1`$, $`t_2`$ | (1, 2) | @, @ | the targets: what the outputs should be |
| $`E_1`$, $`E_2`$ | | to be computed | each output's share of the loss |
| $`E`$ | () | to be computed | the loss, one number |)",
      {v.out_o1, v.out_o2, t1, t2});
}

void loss() {
  const auto [w, v, b] = Story();
  agree(share(v.out_o1, t1) + share(v.out_o2, t2), v.E, "the shares and E");
  say(R"(\begin{aligned}
E_1 &= \tfrac12\,(\mathit{out}_{o1} - t_1)^2 = \tfrac12\,(@ - @)^2 = @ \\
E_2 &= \tfrac12\,(\mathit{out}_{o2} - t_2)^2 = \tfrac12\,(@ - @)^2 \approx @ \\
E &= E_1 + E_2 = @
\end{aligned})",
      {v.out_o1, t1, share(v.out_o1, t1), v.out_o2, t2, share(v.out_o2, t2), v.E});
}

void on_tape() {
  const auto [w, v, b] = Story();
  say("You should see `@`, by hand and from `half_squared_error` on the tape.", {v.E});
}

void why_squares() {
  const auto [w, v, b] = Story();
  say("The differences are @ and @. One is too much, the other too little; just added they give @, "
      "as if part of one mistake made up for the other. Squares do not cancel.",
      {v.out_o1 - t1, v.out_o2 - t2, v.out_o1 - t1 + v.out_o2 - t2});
}

void nudge() {
  const auto [w, v, b] = Story();
  const double slope = v.out_o1 - t1;
  fmt::print(
      "| $`\\mathit{{out}}_{{o1}}`$ moved by $`h`$ | $`E`$ changes by | the change divided by "
      "$`h`$ |\n|---:|---:|---:|\n");
  double last = 0;
  for (double h : {0.1, 0.01, 0.001, 0.0001}) {
    const double change = share(v.out_o1 + h, t1) - share(v.out_o1, t1);
    last = change / h;
    agree(last, slope + h / 2, "what is left of the difference", 1e-9);
    fmt::print("| {} | {:.8f} | {:.6f} |\n", h, change, last);
  }
  say("\nThe quotient comes closer and closer to @.", {slope});
}

void slopes() {
  const auto [w, v, b] = Story();
  TwoTwoTwo n;
  const tg::Tensor slope = gradient(n.E, n.out_o);
  agree(v.out_o1 - t1, slope.at(0, 0), "dE/dout_o1");
  agree(v.out_o2 - t2, slope.at(0, 1), "dE/dout_o2");
  const auto first = [](double out) { return share(out, t1); };
  const auto second = [](double out) { return share(out, t2); };
  agree(v.out_o1 - t1, walk::difference(first, v.out_o1), "the difference", 1e-9);
  agree(v.out_o2 - t2, walk::difference(second, v.out_o2), "the difference", 1e-9);
  say(R"(\begin{aligned}
\frac{\partial E}{\partial \mathit{out}_{o1}} &= \mathit{out}_{o1} - t_1 = @ - @ = @ \\
\frac{\partial E}{\partial \mathit{out}_{o2}} &= \mathit{out}_{o2} - t_2 = @ - @ = @
\end{aligned})",
      {v.out_o1, t1, v.out_o1 - t1, v.out_o2, t2, v.out_o2 - t2});
}

void half() {
  const auto [w, v, b] = Story();
  const auto after = [](bool with_half, double rate) {
    TwoTwoTwo n;
    const tg::Tensor squares = sum(square(n.out_o - n.t));
    const tg::Tensor loss = with_half ? 0.5 * squares : squares;
    const tg::Tensor slope = gradient(loss, n.out_o);
    tg::Sgd{.learning_rate = rate}.step(n.net, gradient(loss, n.net));
    struct Result {
      double loss, slope;
      std::vector<double> weights;
    };
    Result result{loss.item(), slope.at(0, 0), n.net.hidden.weight.values()};
    for (double weight : n.net.output.weight.values()) result.weights.push_back(weight);
    return result;
  };
  const auto with = after(true, 0.5), without = after(false, 0.25);
  agree(with.slope, v.out_o1 - t1, "the slope with 1/2");
  agree(without.slope, 2 * with.slope, "the slope without");
  for (std::size_t i = 0; i < with.weights.size(); ++i)
    agree(with.weights[i], without.weights[i], "the same step", 1e-15);
  say(R"(| | with the half | without |
|---|---:|---:|
| loss | @ | @ |
| $`\partial E / \partial \mathit{out}_{o1}`$ | @ | @ |
| learning rate | @ | @ |
| $`w_5`$ after one step | @ | @ |)",
      {with.loss, without.loss, with.slope, without.slope, 0.5, 0.25, with.weights[4],
       without.weights[4]});
}

/// The losses of the network for this many samples, all of them the one we have.
struct Losses {
  double half, mean;
};
Losses losses(std::int64_t samples) {
  TwoTwoTwo n;
  const tg::Tensor several = n.out_o + n.tape.constant(tg::Array::zeros(tg::Shape{samples, 2}));
  const tg::Tensor targets = n.t + n.tape.constant(tg::Array::zeros(tg::Shape{samples, 2}));
  return {half_squared_error(several, targets).item(), mse_loss(several, targets).item()};
}

void coincidence() {
  const Losses one = losses(1), two = losses(2);
  agree(one.half, one.mean, "half the sum of two is their mean");
  agree(two.half, 2 * two.mean, "and of four it is not");
  say("`half_squared_error` takes half the sum of the squares, `mse_loss` their mean. For one "
      "sample with two outputs, half and mean are the same: both say @. That is a coincidence. For "
      "the same sample twice the first says @, the second still @. What that does to the learning "
      "rate is on [page 8](08-the-batch.md#sum-or-mean).",
      {one.half, two.half, two.mean});
}

void mistake() {
  const auto [w, v, b] = Story();
  say(R"(> **The sign.** Whoever defines the error as $`t - \mathit{out}`$ and forgets the minus in front of
> $`\mathit{out}`$ when deriving gets @ where @ is right, and walks uphill.
>
> **Half a loss.** With $`E_1`$ alone, the loss is @ where @ is right: the second output is never taught.
>
> **The 2 kept.** The square's 2 and the half cancel. Who keeps the 2 gets @ where @ is right.)",
      {t1 - v.out_o1, v.out_o1 - t1, share(v.out_o1, t1), v.E, 2 * (v.out_o1 - t1), v.out_o1 - t1});
}

void answer_largest() {
  const double largest = share(1, t1) + share(0, t2);
  say("$`E`$ is 0 where both outputs are exactly on target. It is largest where "
      "$`\\mathit{out}_{o1}`$ comes close to 1 and $`\\mathit{out}_{o2}`$ close to 0: almost "
      "$`\\tfrac12 \\cdot @^2 + \\tfrac12 \\cdot @^2 = @`$. A sigmoid never reaches 0 or 1, so it "
      "is never quite as large. For the same reason a target of 1 could never be met; texts take @ "
      "and @.",
      {1 - t1, t2, largest, t1, t2});
}

void answer_predict() {
  const auto [w, v, b] = Story();
  const double h = -0.02, slope = v.out_o2 - t2;
  const double change = share(v.out_o2 + h, t2) - share(v.out_o2, t2);
  agree(change, slope * h, "the prediction", 1e-3);
  say("The slope is @, so $`E`$ changes by about $`~@ \\cdot ~@ \\approx @`$: it grows, because "
      "the output moves away from its target. Exactly it is @; the rest comes from the bend of the "
      "square.",
      {slope, slope, h, slope * h, change});
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"symbols", symbols},
                      {"loss", loss},
                      {"tape", on_tape},
                      {"squares", why_squares},
                      {"nudge", nudge},
                      {"slopes", slopes},
                      {"half", half},
                      {"coincidence", coincidence},
                      {"mistake", mistake},
                      {"answer-largest", answer_largest},
                      {"answer-predict", answer_predict}});
}
