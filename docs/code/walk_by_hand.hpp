// The network of walk_network.hpp again, by hand: one line for each number, as on paper. Pages 2 to
// 6 of docs/walk/ show it in pieces.
#pragma once

#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "walk_network.hpp"
#include "walk_page.hpp"

namespace by_hand {

constexpr double i1 = 0.05, i2 = 0.10;  // the inputs
constexpr double t1 = 0.01, t2 = 0.99;  // the targets: what the outputs should be

struct Weights {
  double w1 = 0.15, w2 = 0.20;  // from i1 and i2 to the hidden neuron h1
  double w3 = 0.25, w4 = 0.30;  // from i1 and i2 to h2
  double w5 = 0.40, w6 = 0.45;  // from h1 and h2 to the output neuron o1
  double w7 = 0.50, w8 = 0.55;  // from h1 and h2 to o2
  double b1 = 0.35, b2 = 0.60;  // the biases of h1 and h2, and of o1 and o2
};

struct Values {
  double net_h1, net_h2, out_h1, out_h2, net_o1, net_o2, out_o1, out_o2, E;
};

inline double sigmoid(double net) { return 1 / (1 + std::exp(-net)); }

inline Values forward(const Weights& w) {
  Values v{};
  // [forward]
  v.net_h1 = i1 * w.w1 + i2 * w.w2 + w.b1;
  v.net_h2 = i1 * w.w3 + i2 * w.w4 + w.b1;
  v.out_h1 = sigmoid(v.net_h1);
  v.out_h2 = sigmoid(v.net_h2);
  v.net_o1 = v.out_h1 * w.w5 + v.out_h2 * w.w6 + w.b2;
  v.net_o2 = v.out_h1 * w.w7 + v.out_h2 * w.w8 + w.b2;
  v.out_o1 = sigmoid(v.net_o1);
  v.out_o2 = sigmoid(v.net_o2);
  // [/forward]
  // [loss]
  v.E = 0.5 * (v.out_o1 - t1) * (v.out_o1 - t1) + 0.5 * (v.out_o2 - t2) * (v.out_o2 - t2);
  // [/loss]
  return v;
}

struct Backward {
  double delta_o1, delta_o2, delta_h1, delta_h2;
  Weights slope;  // dE by each weight and bias
};

inline Backward backward(const Weights& w, const Values& v) {
  Backward b{};
  Weights& slope = b.slope;
  // [output]
  b.delta_o1 = (v.out_o1 - t1) * v.out_o1 * (1 - v.out_o1);
  b.delta_o2 = (v.out_o2 - t2) * v.out_o2 * (1 - v.out_o2);
  slope.w5 = b.delta_o1 * v.out_h1;
  slope.w6 = b.delta_o1 * v.out_h2;
  slope.w7 = b.delta_o2 * v.out_h1;
  slope.w8 = b.delta_o2 * v.out_h2;
  slope.b2 = b.delta_o1 + b.delta_o2;  // one bias for both neurons
  // [/output]
  // [hidden]
  b.delta_h1 = (b.delta_o1 * w.w5 + b.delta_o2 * w.w7) * v.out_h1 * (1 - v.out_h1);
  b.delta_h2 = (b.delta_o1 * w.w6 + b.delta_o2 * w.w8) * v.out_h2 * (1 - v.out_h2);
  slope.w1 = b.delta_h1 * i1;
  slope.w2 = b.delta_h1 * i2;
  slope.w3 = b.delta_h2 * i1;
  slope.w4 = b.delta_h2 * i2;
  slope.b1 = b.delta_h1 + b.delta_h2;
  // [/hidden]
  return b;
}

/// dE by one weight as a difference: the forward pass twice, and nothing of the chain rule.
inline double difference(double Weights::*weight) {
  const auto error = [&](double at) {
    Weights w;
    w.*weight = at;
    return forward(w).E;
  };
  return walk::difference(error, Weights{}.*weight);
}

inline void agree_with_tape(const Values& v) {
  const TwoTwoTwo n;
  const auto same = [](const tg::Tensor& tensor, double first, double second) {
    walk::agree(first, tensor.at(0, 0), "by hand and on the tape");
    walk::agree(second, tensor.at(0, 1), "by hand and on the tape");
  };
  same(n.net_h, v.net_h1, v.net_h2);
  same(n.out_h, v.out_h1, v.out_h2);
  same(n.net_o, v.net_o1, v.net_o2);
  same(n.out_o, v.out_o1, v.out_o2);
  walk::agree(v.E, n.E.item(), "E by hand and on the tape");
}

inline void agree_with_tape(const Backward& b) {
  TwoTwoTwo n(Biases::shared);
  const auto [net_o, net_h] = gradient(n.E, n.net_o, n.net_h);
  const Net slope = gradient(n.E, n.net);
  const auto same = [](std::initializer_list<double> hand, const tg::Tensor& tensor) {
    const std::vector<double> tape = tensor.values();
    walk::require(hand.size() == tape.size(), "as many numbers");
    for (std::size_t i = 0; i < tape.size(); ++i)
      walk::agree(hand.begin()[i], tape[i], "by hand and on the tape");
  };
  same({b.delta_o1, b.delta_o2}, net_o);
  same({b.delta_h1, b.delta_h2}, net_h);
  same({b.slope.w1, b.slope.w3, b.slope.w2, b.slope.w4}, slope.hidden.weight);
  same({b.slope.w5, b.slope.w7, b.slope.w6, b.slope.w8}, slope.output.weight);
  same({b.slope.b1}, slope.hidden.bias);
  same({b.slope.b2}, slope.output.bias);
}

/// What most sections begin with: every number, agreed upon.
struct Story {
  Weights w;
  Values v = forward(w);
  Backward b = backward(w, v);
  Story() {
    agree_with_tape(v);
    agree_with_tape(b);
  }
};

}  // namespace by_hand

namespace walk {

/// A number by hand and one computed differ in their last bits, which would show as zeros:
/// 0.0275000.
inline double rounded(double v) { return std::stod(fmt::format("{:.12g}", v)); }

/// Prints a text with a number in the place of each @, and of each ~@ a factor.
inline void say(std::string_view text, std::initializer_list<double> numbers = {}) {
  const double* next = numbers.begin();
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool as_factor = text.substr(i, 2) == "~@";
    if (!as_factor && text[i] != '@') {
      result += text[i];
      continue;
    }
    require(next != numbers.end(), "a number for each place");
    const double v = rounded(*next++);
    result += as_factor ? factor(v) : number(v);
    if (as_factor) ++i;
  }
  require(next == numbers.end(), "a place for each number");
  fmt::print("{}\n", result);
}

}  // namespace walk
