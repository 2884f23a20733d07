// The code of docs/tour.md: tour SECTION.
#include <fmt/core.h>

#include <cmath>
#include <tapegrad/tapegrad.hpp>
#include <tuple>
#include <vector>

#include "sections.hpp"

namespace tg = tapegrad;

namespace {

void replay() {
  tg::Tape tape;
  tg::Tensor x = tape.parameter(3.0).named("x");
  tg::Tensor y = x * x;
  tg::Tensor slope = gradient(y, x);
  // [replay]
  x.set(5.0);
  fmt::print("before: {}\n", y);
  tape.replay(y, slope);
  fmt::print("after:  {} and {}\n", y, slope);
  // [/replay]
}

void listing() {
  tg::Tape tape;
  tg::Tensor x = tape.parameter(3.0).named("x");
  tg::Tensor y = x * x;
  [[maybe_unused]] tg::Tensor slope = gradient(y, x);
  // [listing]
  fmt::print("{}", tape);
  // [/listing]
}

void higher() {
  tg::Tape tape;
  tg::Tensor x = tape.parameter(3.0).named("x");
  // [higher]
  tg::Tensor y = x * x * x;
  tg::Tensor first = gradient(y, x), second = gradient(first, x), third = gradient(second, x);
  fmt::print("{} {} {} {}\n", y, first, second, third);
  // [/higher]
}

// [net]
struct Curve {
  tg::Linear first, second;
  tg::Tensor operator()(const tg::Tensor& x) const { return second(tanh(first(x))); }
};
// [/net]

/// Rows of one number from -3 to 3, and their sines.
// [data]
struct Data {
  tg::Array x, y;
};
Data sine(int rows) {
  std::vector<double> x, y;
  for (int i = 0; i < rows; ++i) {
    x.push_back(-3 + 6.0 * i / (rows - 1));
    y.push_back(std::sin(x.back()));
  }
  return {tg::Array(tg::Shape{rows, 1}, x), tg::Array(tg::Shape{rows, 1}, y)};
}
// [/data]

void network() {
  // [leaves]
  tg::Tape tape;
  tg::Random random{1};
  Curve net{tg::linear(tape, 1, 8, random), tg::linear(tape, 8, 1, random)};
  // [/leaves]
  // [compile]
  auto train = tg::compile(tape, [&](tg::Tensor x, tg::Tensor y) {
    tg::Tensor loss = mse_loss(net(x), y);
    return std::tuple{loss, gradient(loss, net)};
  });
  auto validate =
      tg::compile(tape, [&](tg::Tensor x, tg::Tensor y) { return mse_loss(net(x), y); });
  // [/compile]
  // [train]
  const Data seen = sine(40), unseen = sine(7);
  tg::Sgd sgd{.learning_rate = 0.1};
  for (int step = 0; step <= 3000; ++step) {
    auto [loss, gradients] = train(seen.x, seen.y);
    if (step % 1000 == 0)
      fmt::print("step {:4}  loss {:.5f}  on unseen rows {:.5f}\n", step, loss.item(),
                 validate(unseen.x, unseen.y).item());
    sgd.step(net, gradients);
  }
  // [/train]
}

void names() {
  tg::Tape tape;
  tg::Random random{1};
  Curve net{tg::linear(tape, 1, 8, random), tg::linear(tape, 8, 1, random)};
  // [names]
  tg::each(net, [](std::string_view name, const tg::Tensor& t) {
    fmt::print("{:<14} {}\n", name, text(t.shape()));
  });
  // [/names]
}

void copies() {
  tg::Tape tape;
  tg::Random random{1};
  Curve net{tg::linear(tape, 1, 8, random), tg::linear(tape, 8, 1, random)};
  // [copies]
  net.second.bias.set(1.0);
  Curve same = net;                       // the same network under a second name
  Curve twin = tg::clone(net, tape);      // a network of its own, with the same values
  tg::Snapshot kept = tg::snapshot(net);  // the values, without a tape

  net.second.bias.set(2.0);
  fmt::print("same {}, twin {}\n", same.second.bias, twin.second.bias);
  tg::restore(net, kept);
  fmt::print("net  {}\n", net.second.bias);
  // [/copies]
}

// [cell]
struct Cell {
  tg::Tensor a, b;
  tg::Tensor operator()(const tg::Tensor& h, double x) const { return tanh(a * h + b * x); }
};
// [/cell]

void scopes() {
  tg::Tape tape;
  // [scopes]
  Cell cell{tape.parameter(0.5), tape.parameter(0.5)};
  tg::Sgd sgd{.learning_rate = 0.1};
  const std::vector<std::vector<double>> sequences = {{1, 2}, {1, 0, -1, 3}, {2}};
  for (const auto& sequence : sequences) {
    auto scope = tape.scope();  // forgets at the end of the block what is recorded from here on
    tg::Tensor h = tape.constant(0.0);
    for (double x : sequence) h = cell(h, x);
    tg::Tensor loss = half_squared_error(h, 0.5);
    sgd.step(cell, gradient(loss, cell));
    fmt::print("length {}: loss {:.4f}, {} records\n", sequence.size(), loss.item(), tape.size());
  }
  fmt::print("afterwards {} records\n", tape.size());
  // [/scopes]
}

void shapes() {
  tg::Tape tape;
  tg::Random random{1};
  Curve net{tg::linear(tape, 1, 8, random), tg::linear(tape, 8, 1, random)};
  // [shapes]
  auto predict = tg::compile(tape, [&](tg::Tensor x) { return net(x); });
  predict({{0.1}, {0.2}, {0.3}});
  predict({{0.4}, {0.5}, {0.6}});
  predict({{0.7}});
  fmt::print("{} shapes recorded\n", predict.shapes());
  // [/shapes]
}

void frozen() {
  tg::Tape tape;
  // [frozen]
  tg::Tensor x = tape.input(2.0).named("x");
  tg::Tensor y = (3 * x).named("y");
  tg::Tensor chosen = y.item() > 0 ? y : -y;  // chosen now, for good
  tg::Tensor positive = y > 0;
  tg::Tensor decided = where(positive, y, -y);  // decided at each run
  x.set(-2.0);
  tape.replay(chosen, decided);
  fmt::print("{} {}\n{}", chosen, decided, tape);
  // [/frozen]
}

void float32() {
  // [float32]
  tg::Tape narrow{tg::float32}, wide;
  tg::Random random{1};
  Curve net{tg::linear(narrow, 1, 8, random), tg::linear(narrow, 8, 1, random)};
  Curve check = tg::clone(net, wide);  // the same values, in float64
  tg::Tensor a = net(narrow.input({{0.5}})), b = check(wide.input({{0.5}}));
  fmt::print("{} {:.16}\n{} {:.16}\n", text(a.precision()), a, text(b.precision()), b);
  // [/float32]
}

void errors() {
  tg::Tape tape;
  try {
    // [errors]
    tg::Tensor batch = tape.input(tg::Shape{32, 784}).named("batch");
    tg::Tensor weight = tape.parameter(tg::Array::zeros(tg::Shape{128, 784})).named("weight");
    fmt::print("{}\n", matmul(batch, weight));
    // [/errors]
  } catch (const tg::Error& error) {
    fmt::print("{}\n", error.what());
  }
}

void trap() {
  tg::Tape tape;
  try {
    // [trap]
    tape.trap_non_finite();
    tg::Tensor p = tape.parameter(0.0).named("p");
    fmt::print("{}\n", -p * log(p));
    // [/trap]
  } catch (const tg::Error& error) {
    fmt::print("{}\n", error.what());
  }
}

void picture() {
  tg::Tape tape;
  // [picture]
  tg::Tensor x = tape.input({1, 2}).named("x");
  tg::Tensor w = tape.parameter({3, 4}).named("w");
  tg::Tensor y = sum(w * x);
  fmt::print("{}", draw(y));
  // [/picture]
}

void program_run() {
  tg::Tape tape;
  tg::Tensor x = tape.parameter(3.0).named("x");
  tg::Tensor y = x * x;
  tg::Tensor slope = gradient(y, x);
  // [program]
  tg::Program both = program(y, slope);
  for (double number : {5.0, 6.0}) {
    x.set(number);
    both.run();
    fmt::print("{} {}\n", y, slope);
  }
  // [/program]
}

void rewind() {
  tg::Tape tape;
  tg::Tensor x = tape.parameter(1.0).named("x");
  // [rewind]
  tg::Mark before = tape.mark();
  tg::Tensor tried = exp(x) * x;
  fmt::print("{}, {} records\n", tried, tape.size());
  tape.rewind(before);  // `tried` is stale now
  fmt::print("{} record\n", tape.size());
  // [/rewind]
}

void limit() {
  tg::Tape tape;
  try {
    // [limit]
    tape.limit(1'000'000);  // bytes
    tg::Tensor h = tape.parameter(0.5);
    while (true) h = tanh(h);
    // [/limit]
  } catch (const tg::Error& error) {
    fmt::print("{}\n", error.what());
  }
}

void division() {
  tg::Tape tape;
  tg::Tensor x = tape.parameter(3.0);
  // [division]
  fmt::print("{} {}\n", 1 / 2 * x, x / 2);
  // [/division]
}

void cancellation() {
  tg::Tape tape;
  // [cancellation]
  tg::Tensor x = tape.parameter(1e-5);
  tg::Tensor a = (1 - cos(x)) / square(x);
  tg::Tensor b = 0.5 * square(sin(x / 2) / (x / 2));  // the same function
  fmt::print("by a {:.1e}, by b {:.1e}, exactly {:.1e}\n", gradient(a, x).item(),
             gradient(b, x).item(), -1e-5 / 12);
  // [/cancellation]
}

void undefined() {
  try {
    // [undefined]
    tg::Tensor x;
    fmt::print("{}\n", 2 * x);
    // [/undefined]
  } catch (const tg::Error& error) {
    fmt::print("{}\n", error.what());
  }
}

void matrices() {
  tg::Tape tape;
  // [matrices]
  tg::Tensor x = tape.constant({{1, 2}, {3, 4}, {5, 6}});
  tg::Tensor w = tape.parameter({0.5, -0.25}), b = tape.parameter(0.1);
  tg::Tensor y = tanh(matmul(x, w) + b);
  tg::Tensor loss = mse_loss(y, tape.constant({0, 1, 1}));
  auto [jw, jb] = jacobian(y, w, b);  // (3, 2) and (3): outputs are rows
  tg::Tensor h = hessian(loss, w);    // (2, 2)
  fmt::print("dy/dw\n{:.4}\ndy/db\n{:.4}\nHessian by w\n{:.4}\n", jw, jb, h);
  // [/matrices]
  fmt::print("\n");
  // [products]
  tg::Tensor v = tape.constant({1, 0, 0}), u = tape.constant({0, 1});
  fmt::print("v J  {:.4}\nJ u  {:.4}\nH u  {:.4}\n", vjp(y, w, v), jvp(y, w, u), hvp(loss, w, u));
  // [/products]
}

void whole() {
  tg::Tape tape;
  tg::Random random{1};
  Curve net{tg::linear(tape, 1, 8, random), tg::linear(tape, 8, 1, random)};
  const Data data = sine(40);
  tg::Tensor loss = mse_loss(net(tape.constant(data.x)), tape.constant(data.y));
  // [whole]
  Curve slope = gradient(loss, net);
  Curve turn = hvp(loss, net, slope);         // along the gradient
  tg::Tensor rate = jvp(loss, net, slope);    // the gradient's length, squared
  tg::Tensor second = jvp(rate, net, slope);  // how that changes along it
  tg::Tensor matrix = hessian(loss, net);     // all parameters, in order of declaration
  fmt::print("{} {:.4f} {:.4f}\n", text(turn.first.weight.shape()), rate.item(), second.item());
  fmt::print("{}\n", text(matrix.shape()));
  // [/whole]
}

}  // namespace

int main(int count, char** words) {
  return run_section(
      count, words,
      {{"replay", replay},       {"listing", listing},     {"higher", higher},
       {"network", network},     {"names", names},         {"copies", copies},
       {"scopes", scopes},       {"shapes", shapes},       {"frozen", frozen},
       {"float32", float32},     {"errors", errors},       {"trap", trap},
       {"picture", picture},     {"program", program_run}, {"rewind", rewind},
       {"limit", limit},         {"division", division},   {"cancellation", cancellation},
       {"undefined", undefined}, {"matrices", matrices},   {"whole", whole}});
}
