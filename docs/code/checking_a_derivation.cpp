// A calculation by hand, compared: docs/checking-a-derivation.md walks through it.
#include <fmt/core.h>

#include <tapegrad/tapegrad.hpp>

#include "sections.hpp"

namespace tg = tapegrad;

namespace {

// [net]
struct Net {
  tg::Linear hidden, output;
};

struct Example {
  tg::Tape tape;
  Net net{{tape.parameter({{0.15, 0.25}, {0.20, 0.30}}), tape.parameter({0.35, 0.35})},
          {tape.parameter({{0.40, 0.50}, {0.45, 0.55}}), tape.parameter({0.60, 0.60})}};
  tg::Tensor net_h, net_o, loss;

  Example() {
    tg::name_fields(net);
    const tg::Tensor x = tape.input({{0.05, 0.10}}), target = tape.input({{0.01, 0.99}});
    net_h = net.hidden(x).named("net_h");
    const tg::Tensor out_h = sigmoid(net_h).named("out_h");
    net_o = net.output(out_h).named("net_o");
    const tg::Tensor out_o = sigmoid(net_o).named("out_o");
    loss = half_squared_error(out_o, target).named("loss");
  }
};
// [/net]

void right() {
  const Example example;
  const auto& [tape, net, net_h, net_o, loss] = example;
  // [right]
  const tg::ManualReport report =
      tg::compare_manual(loss, {{net_o, {0.1385, -0.0381}},
                                {net.output.weight, {{0.0822, -0.0226}, {0.0827, -0.0227}}},
                                {net_h, {0.008771, 0.009954}},
                                {net.hidden.weight, {{4.386e-4, 4.977e-4}, {8.771e-4, 9.954e-4}}}});
  fmt::print("{}", report);
  // [/right]
}

void slope() {
  const Example example;
  const auto& [tape, net, net_h, net_o, loss] = example;
  // [slope]
  const tg::ManualReport report =
      tg::compare_manual(loss, {{net_o, {0.1385, -0.0381}},
                                {net_h, {0.03635, 0.04137}},
                                {net.hidden.weight, {{0.001818, 0.002069}, {0.003635, 0.004137}}}});
  fmt::print("{}", report);
  // [/slope]
}

void sign() {
  const Example example;
  const auto& [tape, net, net_h, net_o, loss] = example;
  // [sign]
  const tg::ManualReport report =
      tg::compare_manual(loss, {{net_o, {-0.1385, 0.0381}},
                                {net.output.weight, {{-0.08217, 0.0226}, {-0.08267, 0.02274}}},
                                {net.output.bias, {0, 0}},
                                {net_h, {-0.03635, -0.04137}}});
  fmt::print("{}", report);
  // [/sign]
}

void order() {
  const Example example;
  const auto& [tape, net, net_h, net_o, loss] = example;
  // [order]
  constexpr auto updated = tg::ManualKind::updated;
  const tg::ManualReport report = tg::compare_manual(
      loss,
      {{net.output.weight, {{0.35891648, 0.51130127}, {0.40866619, 0.56137012}}, updated},
       {net.hidden.weight, {{0.14981764, 0.24978819}, {0.19963528, 0.29957637}}, updated}},
      {.learning_rate = 0.5});
  fmt::print("{}", report);
  // [/order]
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"right", right}, {"slope", slope}, {"sign", sign}, {"order", order}});
}
