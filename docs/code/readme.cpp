// The examples of README.md: a network learns the exclusive or, and a wrong derivative is found.
#include <fmt/format.h>

#include <tapegrad/tapegrad.hpp>
#include <tuple>

#include "sections.hpp"

namespace tg = tapegrad;

namespace {

// [network]
struct ThreeLayer {
  tg::Linear hidden, output;
  tg::Tensor operator()(const tg::Tensor& x) const { return sigmoid(output(sigmoid(hidden(x)))); }
};
// [/network]

void train() {
  // [train]
  tg::Tape tape;
  tg::Random random{1};
  ThreeLayer net{tg::linear(tape, 2, 4, random), tg::linear(tape, 4, 1, random)};
  auto train = tg::compile(tape, [&](tg::Tensor x, tg::Tensor y) {
    tg::Tensor loss = half_squared_error(net(x), y);
    return std::tuple{loss, gradient(loss, net)};  // the same struct, holding gradients
  });
  tg::Sgd sgd{.learning_rate = 2.0};
  for (int step = 0; step <= 4000; ++step) {
    auto [loss, gradients] = train({{0, 0}, {0, 1}, {1, 0}, {1, 1}}, {{0}, {1}, {1}, {0}});
    if (step % 1000 == 0) fmt::print("step {:4}  loss {:.5f}\n", step, loss.item());
    sgd.step(net, gradients);
  }
  // [/train]
}

// [swish]
// x sigmoid(x), with a derivative that lacks its second term.
tg::Tensor swish(const tg::Tensor& x) {
  return tg::with_vjp("swish", x * sigmoid(x), {x},
                      [](tg::Vjp& v) { v.give(0, v.ybar * sigmoid(v.x(0))); });
}
// [/swish]

void check() {
  // [check]
  tg::Tape tape;
  const tg::Tensor w = tape.parameter({0.5, -1.5}).named("w");
  const tg::Tensor loss = sum(square(swish(w)));
  fmt::print("{}", tg::check_gradient(loss, w));
  // [/check]
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words, {{"train", train}, {"check", check}});
}
