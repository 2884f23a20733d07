// Page 10 of docs/walk/: is it right? Differences, check_gradient, compare_manual, and the last
// section of a derivation.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>

#include "sections.hpp"
#include "walk_by_hand.hpp"

using by_hand::Weights;
using walk::agree;
using walk::number;
using walk::say;

namespace {

/// The loss as a function of w5 alone.
double E(double w5) {
  Weights w;
  w.w5 = w5;
  return by_hand::forward(w).E;
}

const by_hand::Story& story() {
  static const by_hand::Story s;
  return s;
}

/// How many digits of the number agree with the right one.
int digits(double v, double right) {
  return std::max(0, static_cast<int>(-std::log10(std::abs(v - right) / std::abs(right))));
}

// ---------------------------------------------------------------- differences

void central() {
  // [central]
  const double h = 1e-5, w5 = 0.40;
  const double difference = (E(w5 + h) - E(w5 - h)) / (2 * h);
  // [/central]
  walk::you_should_see(story().b.slope.w5, difference);
}

void steps() {
  const double w5 = Weights{}.w5, right = story().b.slope.w5;
  fmt::print(
      "| $`h`$ | $`(E(w + h) - E(w)) / h`$ | right digits | $`(E(w + h) - E(w - h)) / 2h`$ | right "
      "digits |\n|---:|---:|---:|---:|---:|\n");
  for (int power = 1; power <= 13; power += 3) {
    const double h = std::pow(10, -power);
    const double one_sided = (E(w5 + h) - E(w5)) / h;
    const double central = (E(w5 + h) - E(w5 - h)) / (2 * h);
    fmt::print("| {:.0e} | {:.10f} | {} | {:.10f} | {} |\n", h, one_sided, digits(one_sided, right),
               central, digits(central, right));
  }
}

/// All weights moved at once, each at a speed of its own.
void direction() {
  const auto& [w, v, b] = story();
  constexpr double Weights::*each[] = {&Weights::w1, &Weights::w2, &Weights::w3, &Weights::w4,
                                       &Weights::w5, &Weights::w6, &Weights::w7, &Weights::w8};
  const double speeds[] = {0.3, -0.8, 0.5, 0.9, -0.4, 0.7, -0.6, 0.2};  // drawn at random
  const auto along = [&](double h) {
    Weights moved;
    for (std::size_t i = 0; i < std::size(each); ++i) moved.*each[i] += h * speeds[i];
    return by_hand::forward(moved).E;
  };
  double expected = 0;
  for (std::size_t i = 0; i < std::size(each); ++i) {
    expected += b.slope.*each[i] * speeds[i];
    agree(b.slope.*each[i], by_hand::difference(each[i]), "each weight", 1e-9);
  }
  const double measured = walk::difference(along, 0);
  agree(expected, measured, "the direction", 1e-9);
  say("For the speeds 0.3, -0.8, 0.5, 0.9, -0.4, 0.7, -0.6, 0.2 of $`w_1`$ to $`w_8`$ you should "
      "see `@`, by the slopes of pages 4 and 5. The difference says `@`.",
      {expected, measured});
}

// ---------------------------------------------------------------- what the library checks

void check() {
  TwoTwoTwo n;
  // [check]
  const tg::Report report = tg::check_gradient(n.E, n.net);
  fmt::print("{}\n", report.text());
  // [/check]
  walk::require(static_cast<bool>(report), "the gradient is right");
}

void explained() {
  TwoTwoTwo n;
  const tg::Derivation derivation = explain(n.E, n.net.output.weight, tg::Index{0, 0});
  const tg::Derivation check = derivation.section("check");
  agree(check.value(), story().b.slope.w5, "the derivation's number");
  fmt::print("{}", walk::formulas(derivation, "check"));
}

// ---------------------------------------------------------------- numbers of one's own

void slope() {
  TwoTwoTwo n;
  // [slope]
  const tg::ManualReport report = tg::compare_manual(
      n.E, {{n.net_o, {0.1385, -0.0381}},
            {n.net_h, {0.03635, 0.04137}},
            {n.net.hidden.weight, {{0.001818, 0.002069}, {0.003635, 0.004137}}}});
  fmt::print("{}", report);
  // [/slope]
}

void order() {
  TwoTwoTwo n;
  constexpr auto updated = tg::ManualKind::updated;
  const tg::ManualReport report = tg::compare_manual(
      n.E,
      {{n.net.output.weight, {{0.35891648, 0.51130127}, {0.40866619, 0.56137012}}, updated},
       {n.net.hidden.weight, {{0.14981764, 0.24978819}, {0.19963528, 0.29957637}}, updated}},
      {.learning_rate = 0.5});
  fmt::print("{}", report);
}

// ---------------------------------------------------------------- mistakes, each with its number

void mistakes() {
  const double w5 = Weights{}.w5, right = story().b.slope.w5;
  fmt::print("| mistake | it says | should say |\n|---|---:|---:|\n");
  const auto line = [](std::string_view what, double says, double should) {
    fmt::print("| {} | {} | {} |\n", what, number(says), number(should));
  };
  const auto difference = [&](double h) { return (E(w5 + h) - E(w5 - h)) / (2 * h); };
  line("a step as small as possible, $`h`$ = 1e-15", difference(1e-15), right);
  line("divided by $`h`$ in the place of $`2h`$", 2 * difference(1e-5), right);
  // Moved up, measured, moved down by h instead of 2h: the weight is back where it was.
  line("moved back by $`h`$ only, so that one side is the middle", (E(w5 + 1e-5) - E(w5)) / 2e-5,
       right);
  const float h = 1e-5F;
  const auto in_float = [](double at) { return static_cast<float>(E(at)); };
  line("the loss as a `float`",
       static_cast<double>((in_float(w5 + 1e-5) - in_float(w5 - 1e-5)) / (2 * h)), right);
  const auto relu = [](double x) { return x > 0 ? x : 0; };
  line("relu at a kink, $`x = 0`$", walk::difference(relu, 0), 0);
}

// ---------------------------------------------------------------- answers

void answer_halved() {
  const double w5 = Weights{}.w5, right = story().b.slope.w5;
  const auto error = [&](double h) { return (E(w5 + h) - E(w5 - h)) / (2 * h) - right; };
  const double coarse = error(0.2), fine = error(0.1);
  say("With $`h`$ = 0.2 it is off by @, with 0.1 by @: a factor of @. The error of a central "
      "difference goes down as $`h^2`$, because the terms with $`h`$ cancel between both sides. "
      "One-sided, it would be a factor of about 2.",
      {coarse, fine, std::round(coarse / fine * 100) / 100});
}

void signs() {
  TwoTwoTwo n(Biases::own);
  // [sign]
  const tg::ManualReport report =
      tg::compare_manual(n.E, {{n.net_o, {-0.1385, 0.0381}},
                               {n.net.output.weight, {{-0.08217, 0.0226}, {-0.08267, 0.02274}}},
                               {n.net.output.bias, {0, 0}},
                               {n.net_h, {-0.03635, -0.04137}}});
  // [/sign]
  fmt::print("{}", report);
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"central", central},
                      {"steps", steps},
                      {"direction", direction},
                      {"check", check},
                      {"explain", explained},
                      {"slope", slope},
                      {"order", order},
                      {"mistakes", mistakes},
                      {"answer-halved", answer_halved},
                      {"sign", signs}});
}
