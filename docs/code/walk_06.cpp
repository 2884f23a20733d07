// Page 6 of docs/walk/: the step, and what becomes of it ten thousand times over, in the right
// order and in the one that gives the most copied text's closing numbers.
#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <tapegrad/tapegrad.hpp>
#include <vector>

#include "sections.hpp"
#include "walk_by_hand.hpp"

using by_hand::backward;
using by_hand::forward;
using by_hand::Story;
using by_hand::Values;
using by_hand::Weights;
using walk::agree;
using walk::number;
using walk::require;
using walk::say;

namespace {

// [step]
constexpr double rate = 0.5;
constexpr auto hidden_weights = {&Weights::w1, &Weights::w2, &Weights::w3, &Weights::w4};
constexpr auto output_weights = {&Weights::w5, &Weights::w6, &Weights::w7, &Weights::w8};

void step(Weights& w) {
  const Weights slope = backward(w, forward(w)).slope;  // all of them, at one point
  for (auto weight : hidden_weights) w.*weight -= rate * slope.*weight;
  for (auto weight : output_weights) w.*weight -= rate * slope.*weight;
}
// [/step]

// [wrong-step]
void wrong_step(Weights& w) {
  const Values v = forward(w);
  Weights slope = backward(w, v).slope;
  for (auto weight : output_weights) w.*weight -= rate * slope.*weight;
  slope = backward(w, v).slope;  // hidden deltas of old values and new output weights
  for (auto weight : hidden_weights) w.*weight -= rate * slope.*weight;
}
// [/wrong-step]

Weights after_one(void (*how)(Weights&)) {
  Weights w;
  how(w);
  return w;
}

struct Named {
  std::string_view name;
  double Weights::*member;
};
constexpr Named weights[] = {{"w_1", &Weights::w1}, {"w_2", &Weights::w2}, {"w_3", &Weights::w3},
                             {"w_4", &Weights::w4}, {"w_5", &Weights::w5}, {"w_6", &Weights::w6},
                             {"w_7", &Weights::w7}, {"w_8", &Weights::w8}};

void symbols() {
  const auto [w, v, b] = Story();
  say(R"(| symbol | shape | value | what it is |
|---|---|---|---|
| $`w`$ | (2, 2) and (2, 2) | see below | any of the eight weights |
| $`\partial E / \partial w`$ | as $`w`$ | see below | its slope, from pages 4 and 5 |
| $`\eta`$ | () | @ | the learning rate: how far to go |
| $`w^+`$ | as $`w`$ | to be computed | the weight after the step |
| $`E`$ | () | @ | the loss before it |)",
      {rate, v.E});
}

void picture() {
  const TwoTwoTwo n;
  fmt::print("{}", draw_network(n.E, {.weights = true, .gradients = true}));
}

void update() {
  const auto [w, v, b] = Story();
  const Weights after = after_one(step);
  TwoTwoTwo n;
  tg::Sgd{.learning_rate = rate}.step(n.net, gradient(n.E, n.net));
  const std::vector<double> W1 = n.net.hidden.weight.values(), W2 = n.net.output.weight.values();
  const double on_tape[] = {W1[0], W1[2], W1[1], W1[3], W2[0], W2[2], W2[1], W2[3]};
  // As others have computed them.
  const double known[] = {0.00043856773447434653, 0.00087713546894869305, 0.00049771273526085988,
                          0.00099542547052171976, 0.08216704056423077,    0.082667627847533245,
                          -0.022602540477475071,  -0.022740242215978222};
  fmt::print("| | before | slope | after |\n|---|---:|---:|---:|\n");
  for (std::size_t i = 0; i < std::size(weights); ++i) {
    const auto [name, weight] = weights[i];
    agree(after.*weight, on_tape[i], "the weight by hand and on the tape");
    agree(b.slope.*weight, known[i], "the slope as it is known");
    fmt::print("| $`{}`$ | {:.2f} | {:.9f} | {:.9f} |\n", name, w.*weight, b.slope.*weight,
               after.*weight);
  }
}

void fallen() {
  const auto [w, v, b] = Story();
  const double after = forward(after_one(step)).E;
  double predicted = 0;
  for (const auto& [name, weight] : weights) predicted -= rate * b.slope.*weight * b.slope.*weight;
  TwoTwoTwo n;
  // [tape]
  tg::Sgd sgd{.learning_rate = 0.5};
  sgd.step(n.net, gradient(n.E, n.net));
  n.tape.replay(n.E);
  // [/tape]
  agree(after, n.E.item(), "E after the step, by hand and on the tape");
  agree(after, 0.29102777369359933, "E after the step, as it is known");
  agree(after - v.E, predicted, "the prediction", 1e-4);
  fmt::print(
      "You should see $`E`$ fall from `{:.9f}` to `{:.9f}`, by hand and on the tape. That is a "
      "change of {:.6f}. The slopes alone predict {:.6f}, minus the learning rate times the sum of "
      "their squares; the rest comes from the bend of $`E`$ on the way.\n",
      v.E, after, after - v.E, predicted);
}

void new_weight() {
  const Story s;
  const Weights right = after_one(step), wrong = after_one(wrong_step);
  agree(wrong.w1, 0.14981763856120295, "w1 of the wrong order, as it is known");
  agree(forward(wrong).E, 0.291027923905442, "E of the wrong order, as it is known");
  fmt::print(
      "One step later $`w_1`$ is {:.9f} where {:.9f} is right, and $`E`$ is {:.9f} where {:.9f} is "
      "right. So small a difference is hard to notice, which is what makes the mistake so "
      "common.\n",
      wrong.w1, right.w1, forward(wrong).E, forward(right).E);
}

void refused() {
  TwoTwoTwo n;
  tg::Sgd sgd{.learning_rate = 0.5};
  sgd.step(n.net.output, gradient(n.E, n.net.output));
  try {
    gradient(n.E, n.net.hidden);
  } catch (const tg::Error& error) {
    fmt::print("{}\n", error.what());
  }
}

/// Ten thousand rounds by hand.
struct Rounds {
  double w1_after_one, E_after_one, E_before_last;
  Values last;
};

Rounds rounds(void (*how)(Weights&)) {
  Weights w;
  Rounds result{};
  for (int round = 1; round <= 10000; ++round) {
    how(w);
    if (round == 1) result.w1_after_one = w.w1, result.E_after_one = forward(w).E;
    if (round == 9999) result.E_before_last = forward(w).E;
  }
  result.last = forward(w);
  return result;
}

/// And on the tape.
struct Trained {
  double E_after_one, out_o1, out_o2, E;
};

Trained train(Biases biases) {
  TwoTwoTwo n(biases);
  tg::Sgd sgd{.learning_rate = 0.5};
  double E_after_one = 0;
  for (int round = 1; round <= 10000; ++round) {
    sgd.step(n.net, gradient(n.E, n.net));
    n.tape.replay(n.E);
    if (round == 1) E_after_one = n.E.item();
  }
  return {E_after_one, n.out_o.at(0, 0), n.out_o.at(0, 1), n.E.item()};
}

void published() {
  const Rounds right = rounds(step), wrong = rounds(wrong_step);
  const Trained tape = train(Biases::fixed);
  agree(right.E_after_one, tape.E_after_one, "E after one round, on the tape");
  agree(right.last.out_o1, tape.out_o1, "o1 at the end, on the tape", 1e-12);
  agree(right.last.out_o2, tape.out_o2, "o2 at the end, on the tape", 1e-12);
  agree(right.last.E, tape.E, "E at the end, on the tape", 1e-12);
  // As others have computed them.
  agree(right.last.out_o1, 0.015913620443550679, "o1, right", 1e-12);
  agree(right.last.out_o2, 0.98406427351462378, "o2, right", 1e-12);
  agree(right.last.E, 3.510187782978859e-05, "E, right", 1e-14);
  agree(wrong.last.out_o1, 0.0159121963260343, "o1, wrong", 1e-12);
  agree(wrong.last.out_o2, 0.984065734485629, "o2, wrong", 1e-12);
  agree(wrong.last.E, 3.50847862963e-05, "E, wrong", 1e-14);

  fmt::print(
      "| | old weights (right) | new weights (wrong) | the page prints |\n|---|---:|---:|---:|\n");
  // In which columns a printed number is found, digit for digit.
  const auto line = [](std::string_view what, double old, double updated, int digits,
                       std::string_view printed, int column) {
    std::string cells;
    int found = 0;
    for (int i : {1, 2}) {
      const std::string text = fmt::format("{:.{}f}", i == 1 ? old : updated, digits);
      if (text == printed) found = i;
      cells += text == printed ? fmt::format("**{}** | ", text) : fmt::format("{} | ", text);
    }
    require(found == column, what);
    fmt::print("| {} | {}{} |\n", what, cells, printed);
  };
  line("$`w_1`$ after one round", right.w1_after_one, wrong.w1_after_one, 9, "0.149780716", 1);
  line("$`E`$ after one round", right.E_after_one, wrong.E_after_one, 9, "0.291027924", 2);
  line("$`\\mathit{out}_{o1}`$ after 10,000", right.last.out_o1, wrong.last.out_o1, 9,
       "0.015912196", 2);
  line("$`\\mathit{out}_{o2}`$ after 10,000", right.last.out_o2, wrong.last.out_o2, 9,
       "0.984065734", 2);
  line("$`E`$ after 9,999", right.E_before_last, wrong.E_before_last, 10, "0.0000351085", 1);
  line("$`E`$ after 10,000", right.last.E, wrong.last.E, 10, "", 0);
}

void shared_step(Weights& w) {
  const Weights slope = backward(w, forward(w)).slope;
  for (auto weight : hidden_weights) w.*weight -= rate * slope.*weight;
  for (auto weight : output_weights) w.*weight -= rate * slope.*weight;
  for (auto bias : {&Weights::b1, &Weights::b2}) w.*bias -= rate * slope.*bias;
}

void biases() {
  const Trained fixed = train(Biases::fixed), shared = train(Biases::shared),
                own = train(Biases::own);
  const Rounds by_hand = rounds(shared_step);
  agree(by_hand.E_after_one, shared.E_after_one, "shared biases, by hand");
  agree(by_hand.last.E, shared.E, "shared biases, by hand", 1e-12);
  // As others have computed them.
  agree(shared.E_after_one, 0.28575088669929649, "shared biases");
  agree(own.E_after_one, 0.28047144679143016, "own biases");
  agree(own.out_o1, 0.011587527390870083, "own biases", 1e-12);
  agree(own.E, 2.4475622359322466e-06, "own biases", 1e-14);
  require(own.E < shared.E && shared.E < fixed.E, "more to learn with");
  fmt::print("| biases | $`E`$ after one round | $`E`$ after 10,000 |\n|---|---:|---:|\n");
  const auto line = [](std::string_view how, const Trained& t) {
    fmt::print("| {} | {:.9f} | {:.10f} |\n", how, t.E_after_one, t.E);
  };
  line("fixed, as in that text", fixed);
  line("trained, one for each layer", shared);
  line("trained, one for each neuron", own);
}

void mistake() {
  const Story s;
  const auto E_after = [&](double of_hidden, double of_output) {
    Weights moved;
    for (auto weight : hidden_weights) moved.*weight -= of_hidden * s.b.slope.*weight;
    for (auto weight : output_weights) moved.*weight -= of_output * s.b.slope.*weight;
    return forward(moved).E;
  };
  const auto line = [](std::string_view what, double E) {
    fmt::print("| {} | {:.9f} |\n", what, E);
  };
  const double right = E_after(rate, rate), forgotten = E_after(1, 1);
  agree(right, forward(after_one(step)).E, "the step");
  require(forgotten < right && E_after(-rate, -rate) > s.v.E, "what the page says of mistakes");
  fmt::print("| mistake | $`E`$ after one round |\n|---|---:|\n");
  line("none", right);
  line("output weights updated first, hidden deltas after", forward(after_one(wrong_step)).E);
  line("`+=` in the place of `-=`: uphill", E_after(-rate, -rate));
  line("the learning rate forgotten", forgotten);
  line("only the output layer updated", E_after(0, rate));
}

void answer_w7() {
  const auto [w, v, b] = Story();
  say("$`w_7^+ = @ - @ \\cdot ~@ = @`$. Its slope is negative, so it grows.",
      {w.w7, rate, b.slope.w7, after_one(step).w7});
}

void answer_first() {
  Weights w;
  const Values v = forward(w);
  Weights slope = backward(w, v).slope;
  for (auto weight : hidden_weights) w.*weight -= rate * slope.*weight;
  slope = backward(w, v).slope;
  for (auto weight : output_weights) w.*weight -= rate * slope.*weight;
  const Weights right = after_one(step);
  require(backward(w, forward(w)).slope.w5 != slope.w5, "another forward pass, another slope");
  for (const auto& [name, weight] : weights) agree(w.*weight, right.*weight, "the same weights", 0);
  fmt::print(
      "Nothing, as long as the values are those of the forward pass: no slope of an output weight "
      "contains a hidden weight. $`w_5^+`$ is {:.9f} either way. But run the forward pass again in "
      "between, and it is wrong too.\n",
      w.w5);
}

void answer_two_signs() {
  const auto [w, v, b] = Story();
  // error = t - out, and then +=
  const double error = by_hand::t1 - v.out_o1;
  const double w5 = w.w5 + rate * error * v.out_o1 * (1 - v.out_o1) * v.out_h1;
  agree(w5, after_one(step).w5, "two minus signs cancel");
  say("$`@ + @ \\cdot ~@ \\cdot @ \\cdot @ = @`$: the same, because two minus signs cancel.",
      {w.w5, rate, error, v.out_o1 * (1 - v.out_o1), v.out_h1, w5});
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"symbols", symbols},
                      {"picture", picture},
                      {"update", update},
                      {"fallen", fallen},
                      {"new-weight", new_weight},
                      {"refused", refused},
                      {"published", published},
                      {"biases", biases},
                      {"mistake", mistake},
                      {"answer-w7", answer_w7},
                      {"answer-first", answer_first},
                      {"answer-two-signs", answer_two_signs}});
}
