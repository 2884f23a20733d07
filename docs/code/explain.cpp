// A derivation of one's own network: the programs behind the page.
#include <fmt/core.h>

#include <string>
#include <vector>

#include <tapegrad/tapegrad.hpp>

#include "sections.hpp"

namespace tg = tapegrad;

namespace {

// [net]
struct Net {
  tg::Linear hidden, output;
  tg::Tensor operator()(const tg::Tensor& x) const { return output(tanh(hidden(x))); }
};
// [/net]

/// A network with two inputs, three hidden units and two classes, and a batch of four.
struct Example {
  Example() {
    // [record]
    tg::Random random{1};
    net = {tg::linear(tape, 2, 3, random), tg::linear(tape, 3, 2, random)};
    tg::name(net, "net");
    x = tape.input({{0.5, -1}, {1.5, 0}, {-0.5, 2}, {1, 1}}).named("x");
    label = tape.input({0, 1, 1, 0}).named("label");
    loss = cross_entropy(net(x), label).named("loss");
    // [/record]
  }
  tg::Tape tape;
  Net net;
  tg::Tensor x, label, loss;
};

void one() {
  Example example;
  auto& [tape, net, x, label, loss] = example;
  // [one]
  const tg::Derivation d = tg::explain(loss, net.hidden.weight, tg::Index{1, 2});
  fmt::print("{}", d);
  // [/one]
}

void section() {
  Example example;
  auto& [tape, net, x, label, loss] = example;
  // [section]
  const tg::Derivation d =
      tg::explain(loss, net.hidden.weight, tg::Index{1, 2}, {.digits = 4, .top = 2});
  fmt::print("{}", markdown(d.section("merged")));
  // [/section]
}

void whole() {
  Example example;
  auto& [tape, net, x, label, loss] = example;
  // [whole]
  const tg::Derivation d = tg::explain(loss, {.digits = 4, .learning_rate = 0.1});
  fmt::print("{}\n{}", d.section("matrices"), d.section("update"));
  // [/whole]
}

void elements() {
  // [elements]
  tg::Tape tape;
  const tg::Tensor w = tape.parameter({0.5, -0.25}).named("w");
  const tg::Tensor x = tape.input({2, 4}).named("x");
  tg::name_elements(w, {"w1", "w2"});
  tg::name_elements(x, {"x1", "x2"});
  const tg::Tensor net = dot(w, x).named("net");
  const tg::Tensor E = square(sigmoid(net) - 1.0).named("E");
  fmt::print("{}", tg::explain(E, w, tg::Index{0}).section("merged"));
  // [/elements]
}

// [op]
constexpr tg::Op bump_op = {
    .name = "bump",
    .notation = "bump({})",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) {
      using std::exp;
      return exp(-x * x);
    }>,
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar * (-2.0 * v.x(0) * v.y)); },
    .sample = {tg::uniform(-2, 2)},
};
// [/op]

void own() {
  // [own]
  tg::Tape tape;
  const tg::Tensor x = tape.parameter(0.5).named("x");
  const tg::Tensor y = tg::record(bump_op, {3.0 * x}).named("y");
  const tg::Derivation d = tg::explain(y, x, tg::Index{});
  fmt::print("{}\n{}", d.section("forward"), d.section("local"));
  // [/own]
}

void words() {
  // [words]
  tg::Words german;
  german.merged = "Rückwärts, zusammengefasst";
  german.deltas = "`{}` steht für `{}`, und so bei jeder anderen Größe. `{}` ist das Ende.";
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(0.5).named("w");
  const tg::Tensor E = square(tanh(w)).named("E");
  fmt::print("{}", tg::explain(E, w, tg::Index{}, {.words = german}).section("merged"));
  // [/words]
}

void blanks() {
  // [blanks]
  tg::Tape tape;
  const tg::Tensor w = tape.parameter({0.5, -0.25}).named("w");
  const tg::Tensor x = tape.input({2, 1}).named("x");
  const tg::Tensor net = dot(w, x).named("net");
  const tg::Tensor E = square(sigmoid(net) - 1.0).named("E");
  const tg::Derivation d = tg::explain(E, w, tg::Index{0});
  const tg::Exercise e = tg::exercise(d.section("merged"), {.blanks = 2, .seed = 1});
  fmt::print("{}\n{}", e.sheet, e.answers);
  // [/blanks]
}

void errors() {
  const Example e;
  const auto report = [](auto ask) {
    try {
      ask();
    } catch (const tg::Error& error) {
      fmt::print("{}\n\n", error.what());
    }
  };
  report([&] { tg::explain(e.net(e.x), e.net.hidden.weight, tg::Index{0, 0}); });
  report([&] { tg::explain(e.loss, e.net.hidden.weight, tg::Index{2, 0}); });
  report([&] { tg::explain(e.loss, e.label); });
}

}  // namespace

int main(int count, char** words_given) {
  return run_section(count, words_given,
                     {{"one", one},
                      {"section", section},
                      {"whole", whole},
                      {"elements", elements},
                      {"own", own},
                      {"words", words},
                      {"blanks", blanks},
                      {"errors", errors}});
}
