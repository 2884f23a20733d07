// Prints the picture of the three-layer network for Graphviz: docs/pictures/three_layer.dot.
#include <fmt/core.h>

#include <tapegrad/tapegrad.hpp>

namespace tg = tapegrad;

namespace {

struct ThreeLayer {
  tg::Linear hidden, output;
  tg::Tensor operator()(const tg::Tensor& x) const { return sigmoid(output(sigmoid(hidden(x)))); }
};

}  // namespace

int main() {
  tg::Tape tape;
  tg::Random random{1};
  ThreeLayer net{tg::linear(tape, 3, 4, random), tg::linear(tape, 4, 1, random)};
  tg::name_fields(net);
  const tg::Tensor x = tape.input(tg::Shape{5, 3}).named("x");
  const tg::Tensor y = tape.input(tg::Shape{5, 1}).named("y");
  // [draw]
  const tg::Tensor loss = half_squared_error(net(x), y).named("E");
  fmt::print("{}", draw(loss));
  // [/draw]
}
