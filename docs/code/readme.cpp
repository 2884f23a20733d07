// The first example of README.md: a network learns the exclusive or.
#include <fmt/core.h>

#include <tapegrad/tapegrad.hpp>
#include <tuple>

namespace tg = tapegrad;

namespace {

// [network]
struct ThreeLayer {
  tg::Linear hidden, output;
  tg::Tensor operator()(const tg::Tensor& x) const { return sigmoid(output(sigmoid(hidden(x)))); }
};
// [/network]

}  // namespace

int main() {
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
