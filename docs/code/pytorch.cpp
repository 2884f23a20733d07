// The code of docs/coming-from-pytorch.md: pytorch SECTION.
#include <fmt/core.h>

#include <tapegrad/tapegrad.hpp>
#include <tuple>

#include "sections.hpp"

namespace tg = tapegrad;

namespace {

struct Net {
  tg::Linear body, head;
  tg::Tensor operator()(const tg::Tensor& x) const { return head(relu(body(x))); }
};

Net small_net(tg::Tape& tape) {
  tg::Random random{1};
  return {tg::linear(tape, 2, 3, random), tg::linear(tape, 3, 1, random)};
}

/// Prints what a piece of code that must be refused is told.
template <class Code>
void refused(Code code) {
  try {
    code();
  } catch (const tg::Error& error) {
    fmt::print("{}\n", error.what());
  }
}

void gradients() {
  // [gradients]
  tg::Tape tape;
  tg::Tensor w = tape.parameter({1.0, 2.0}), b = tape.parameter(0.5);
  tg::Tensor loss = sum(square(w)) + b;
  auto [gw, gb] = gradient(loss, w, b);
  auto [gw_again, gb_again] = gradient(loss, w, b);  // the same numbers, not twice as much
  fmt::print("{} {}\n{} {}\n", gw, gb, gw_again, gb_again);
  // [/gradients]
}

void seed() {
  tg::Tape tape;
  // [seed]
  tg::Tensor x = tape.parameter({1.0, 2.0});
  tg::Tensor y = square(x);
  tg::Tensor v = tape.constant({1.0, 10.0});
  fmt::print("{}\n", gradient(seeded(y, v), x));
  // [/seed]
}

void training() {
  tg::Tape tape;
  Net net = small_net(tape);
  // [training]
  auto train = tg::compile(tape, [&](tg::Tensor x, tg::Tensor y) {
    tg::Tensor loss = mse_loss(net(x), y);
    return std::tuple{loss, gradient(loss, net)};
  });
  tg::Sgd sgd{.learning_rate = 0.1};
  for (int epoch = 0; epoch < 3; ++epoch) {
    auto [loss, gradients] = train({{1, 2}, {3, 4}}, {{1}, {2}});
    sgd.step(net, gradients);
    fmt::print("{:.4f}\n", loss.item());
  }
  // [/training]
}

void precision() {
  // [precision]
  tg::Tape tape, narrow{tg::float32};
  fmt::print("{} {}\n", text(tape.precision()), text(narrow.precision()));
  fmt::print("{} {}\n", tape.parameter(0.1) + 0.2, narrow.parameter(0.1) + 0.2);
  // [/precision]
}

void losses() {
  tg::Tape tape;
  refused([&] {
    // [losses]
    tg::Tensor prediction = tape.input({{1}, {2}, {3}}).named("prediction");  // (3, 1)
    tg::Tensor target = tape.input({1, 2, 3}).named("target");                // (3)
    fmt::print("{}\n", mse_loss(prediction, target));
    // [/losses]
  });
}

void half() {
  tg::Tape tape;
  // [half]
  tg::Tensor o = tape.parameter({{1.0, 2.0}, {3.0, 4.0}});
  tg::Tensor t = tape.constant({{0.0, 0.0}, {0.0, 0.0}});
  tg::Tensor half = half_squared_error(o, t), mse = mse_loss(o, t);
  fmt::print("{} {}\n{}\n{}\n", half, mse, gradient(half, o), gradient(mse, o));
  // [/half]
}

void cut() {
  tg::Tape tape;
  // [cut]
  tg::Tensor x = tape.parameter({0.0, 4.0});
  tg::Tensor y = where(x > 0, sqrt(x), 0.0);
  fmt::print("{}\n", gradient(sum(y), x));
  fmt::print("{}\n", gradient(sum(sqrt(x)), x));  // nothing is cut off here
  // [/cut]
}

void weight() {
  tg::Tape tape;
  tg::Random random{1};
  // [weight]
  const tg::Array theirs = tg::Array::from({{1, 2, 3}, {4, 5, 6}});  // PyTorch: (out, in) = (2, 3)
  tg::Linear layer = tg::linear(tape, 3, 2, random);
  layer.weight.set(transpose(tape.constant(theirs)).array());
  layer.bias.set({0, 0});
  fmt::print("{}\n", layer(tape.input({{1, 0, 0}, {0, 1, 0}})));
  // [/weight]
}

void weight_refused() {
  tg::Tape tape;
  tg::Random random{1};
  refused([&] {
    // [weight_refused]
    tg::Linear layer = tg::linear(tape, 3, 2, random);
    layer.weight.set({{1, 2, 3}, {4, 5, 6}});
    // [/weight_refused]
  });
}

void empty() {
  tg::Tape tape;
  refused([&] {
    // [empty]
    tg::Tensor x = tape.parameter(2.0).named("x"), w = tape.parameter(3.0).named("w");
    tg::Tensor loss = square(x);
    fmt::print("{}\n", gradient(loss, w));
    // [/empty]
  });
}

void linear() {
  tg::Tape tape;
  refused([&] {
    // [linear]
    tg::Tensor x = tape.parameter(2.0).named("x");
    tg::Tensor slope = gradient(3 * x, x);  // 3, whatever x is
    fmt::print("{}\n", gradient(slope, x));
    // [/linear]
  });
}

void empty_step() {
  tg::Tape tape;
  refused([&] {
    // [empty_step]
    struct Frozen {
      tg::Tensor table;
    };
    Frozen net{tape.constant({1, 2, 3})}, gradients;
    tg::Sgd{.learning_rate = 0.1}.step(net, gradients);
    // [/empty_step]
  });
}

void softmax() {
  tg::Tape tape;
  // [softmax]
  tg::Tensor logits = tape.input({{1.0, 2.0}, {3.0, 3.0}});
  fmt::print("{}\n{}\n", softmax(logits, 1), softmax(logits, 0));
  // [/softmax]
}

void ties() {
  tg::Tape tape;
  // [ties]
  tg::Tensor x = tape.parameter({1.0, 3.0, 3.0});
  auto [value, index] = max_with_index(x, 0);
  fmt::print("{} {}\n", gradient(max(x), x), gradient(value, x));
  // [/ties]
}

void detached() {
  tg::Tape tape;
  // [detached]
  tg::Tensor x = tape.parameter(3.0);
  tg::Tensor y = x * detach(x);  // the second factor counts as a number
  fmt::print("{} {}\n", gradient(y, x), gradient(x * x, x));
  x.set(4.0);
  tape.replay(y);
  fmt::print("{}\n", y);  // a replay follows x there too
  // [/detached]
}

void in_place() {
  tg::Tape tape;
  // [in_place]
  tg::Tensor a = tape.parameter(1.0);
  tg::Tensor b = a;
  a += 10;  // a names a new tensor; b is still the parameter
  fmt::print("{} {}\n", a, b);
  // [/in_place]
}

void compiled() {
  tg::Tape tape;
  // [compiled]
  tg::Tensor scale = tape.parameter(2.0);
  int times_recorded = 0;
  auto f = tg::compile(tape, [&](tg::Tensor x) {
    ++times_recorded;  // C++ in here runs while recording, not at each call
    return x * scale;
  });
  f({1, 2, 3});
  fmt::print("{}\n", f({4, 5, 6}));
  scale.set(10.0);  // a leaf, so the next call sees it
  fmt::print("{}, recorded {} time\n", f({1, 2, 3}), times_recorded);
  // [/compiled]
}

void states() {
  tg::Tape tape;
  // [states]
  tg::Tensor running = tape.state(0.0);
  auto normalise = tg::compile(tape, [&](tg::Tensor x) {
    return std::tuple{x - running, assign(running, 0.9 * running + 0.1 * mean(x))};
  });
  for (int i = 0; i < 2; ++i) {
    auto [centred, update] = normalise({1, 3});
    fmt::print("{} then {}\n", centred, running);
  }
  // [/states]
}

void handles() {
  tg::Tape tape;
  // [handles]
  Net net = small_net(tape);
  Net same = net;                    // handles: the same network
  Net other = tg::clone(net, tape);  // values: a network of its own
  net.head.bias.set({7.0});
  fmt::print("{} {}\n", same.head.bias.item() == 7.0, other.head.bias.item() == 7.0);
  // [/handles]
}

void freezing() {
  tg::Tape tape;
  Net net = small_net(tape);
  // [freezing]
  tg::Tensor loss = mse_loss(net(tape.input({{1, 2}})), tape.input({{1}}));
  tg::Sgd sgd{.learning_rate = 0.1};
  sgd.step(net.head, gradient(loss, net.head));  // the body is neither differentiated nor changed
  // [/freezing]
  fmt::print("{}\n", net.head.bias);
}

void old_numbers() {
  tg::Tape tape;
  refused([&] {
    // [old_numbers]
    tg::Tensor w = tape.parameter(3.0).named("w");
    tg::Tensor loss = square(w);
    tg::Sgd sgd{.learning_rate = 0.1};
    sgd.step(w, gradient(loss, w));
    fmt::print("{}\n", loss.item());  // looking is fine: it is the loss before the step
    fmt::print("{}\n", loss * 2);     // computing with it is not
    // [/old_numbers]
  });
}

void momentum() {
  tg::Tape tape;
  Net net = small_net(tape);
  // [momentum]
  Net velocity = tg::clone(net, tape);
  tg::each(velocity, [](std::string_view, const tg::Tensor& v) { v.set(tg::zeros(v.shape())); });
  auto train = tg::compile(tape, [&](tg::Tensor x, tg::Tensor y) {
    tg::Tensor loss = mse_loss(net(x), y);
    const Net gradients = gradient(loss, net);
    tg::visit_pairs(velocity, gradients,
                    [](const tg::Tensor& v, const tg::Tensor& g) { assign(v, 0.9 * v + g); });
    return loss;
  });
  tg::Sgd sgd{.learning_rate = 0.02};
  for (int epoch = 0; epoch < 3; ++epoch) {
    tg::Tensor loss = train({{1, 2}, {3, 4}}, {{1}, {2}});
    sgd.step(net, velocity);
    fmt::print("{:.4f}\n", loss.item());
  }
  // [/momentum]
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"gradients", gradients},
                      {"seed", seed},
                      {"training", training},
                      {"precision", precision},
                      {"losses", losses},
                      {"half", half},
                      {"cut", cut},
                      {"weight", weight},
                      {"weight_refused", weight_refused},
                      {"empty", empty},
                      {"linear", linear},
                      {"empty_step", empty_step},
                      {"softmax", softmax},
                      {"ties", ties},
                      {"detached", detached},
                      {"in_place", in_place},
                      {"compiled", compiled},
                      {"states", states},
                      {"handles", handles},
                      {"freezing", freezing},
                      {"old_numbers", old_numbers},
                      {"momentum", momentum}});
}
