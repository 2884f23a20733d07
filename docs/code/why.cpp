// Why is a gradient zero, not a number, or huge? Three patients and their post-mortems.
#include <fmt/core.h>

#include <tapegrad/tapegrad.hpp>

#include "sections.hpp"

namespace tg = tapegrad;

namespace {

// [net]
struct Net {
  tg::Linear hidden, output;
  tg::Tensor operator()(const tg::Tensor& x) const { return output(sigmoid(hidden(x))); }
};
// [/net]

void zero() {
  // [zero]
  tg::Tape tape;
  tg::Random random{1};
  const Net net{tg::linear(tape, 3, 4, random), tg::linear(tape, 4, 1, random)};
  tg::name(net, "net");
  const tg::Tensor pixels = tape.input({{255, 128, 64}}).named("pixels");  // not scaled to 0..1
  net.hidden.weight.set({{1, -1, 2, -2}, {1, -1, 2, -2}, {1, -1, 2, -2}});
  const tg::Tensor target = tape.input({{1}}).named("target");
  const tg::Tensor loss = half_squared_error(net(pixels), target).named("loss");

  fmt::print("{}", why_zero(loss, net.hidden.weight));
  // [/zero]
}

void nan() {
  // [nan]
  tg::Tape tape;
  const tg::Tensor p = tape.parameter({0.5, 0.0}).named("p");
  const tg::Tensor entropy = -sum(p * log(p));
  const tg::Tensor slope = gradient(square(entropy), p);

  fmt::print("{}\n{}", slope, why_nan(slope));
  // [/nan]
}

void big() {
  // [big]
  tg::Tape tape;
  const tg::Tensor w = tape.parameter({{0.9, 0.8}, {0.8, 0.9}}).named("w");
  const tg::Tensor start = tape.parameter({{0.1, 0.2}}).named("start");
  tg::Tensor state = start;
  for (int step = 0; step < 50; ++step) state = matmul(state, w);

  fmt::print("{}", why_big(sum(state), start));
  // [/big]
}

void healthy() {
  // [healthy]
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({0.5, -1.0}).named("x");
  const tg::Tensor y = sum(tanh(x)).named("y");
  if (const tg::Why why = why_zero(y, x)) fmt::print("dead: {}\n", why.op);

  fmt::print("{}{}{}", why_zero(y, x), why_nan(y, x), why_big(y, x));
  // [/healthy]
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"zero", zero}, {"nan", nan}, {"big", big}, {"healthy", healthy}});
}
