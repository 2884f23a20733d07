// A network of your own is a struct of your own: no base class, no registration. This one has two
// hidden layers and learns exclusive or, which no network without a hidden layer can.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

#include <string_view>

namespace tg = tapegrad;

struct Xor {
  tg::Linear first, second, last;

  tg::Tensor operator()(tg::Tensor x) const {  // (batch, 2) -> (batch, 1)
    return sigmoid(last(tanh(second(tanh(first(x))))));
  }
};

struct Step {
  tg::Tensor loss;
  Xor gradient;  // the same struct, holding the gradient of each parameter in its place
};

int main() {
  const auto x = tg::Array::from({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  const auto y = tg::Array::from({{0}, {1}, {1}, {0}});

  // The tape holds the parameters; the struct holds handles to them. linear() draws the initial
  // weights, so the seed decides the whole run.
  tg::Tape tape;
  tg::Random random{1};
  Xor net{.first = tg::linear(tape, 2, 4, random),
          .second = tg::linear(tape, 4, 3, random),
          .last = tg::linear(tape, 3, 1, random)};

  // The library finds the parameters by walking the fields, and names them after the fields.
  tg::each(net, [](std::string_view name, const tg::Tensor& parameter) {
    fmt::print("{:<14}{}\n", name, text(parameter.shape()));
  });

  // compile() runs the function once to record it. After that a call fills in x and y and replays.
  auto step = tg::compile(tape, [&](tg::Tensor input, tg::Tensor target) {
    tg::Tensor loss = mse_loss(net(input), target);
    return Step{loss, gradient(loss, net)};
  });
  auto predict = tg::compile(tape, net);  // a struct that can be called is a function

  tg::Sgd sgd{.learning_rate = 1};
  for (int i = 0; i <= 3000; ++i) {
    const Step& now = step(x, y);
    if (i % 500 == 0) fmt::print("step {:>4}  loss {:.6f}\n", i, now.loss.item());
    sgd.step(net, now.gradient);
  }
  fmt::print("{:.4}\n", predict(x));
}
