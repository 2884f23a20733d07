// Every kind of picture, of the networks that introductions draw.
#include <fmt/core.h>

#include <tapegrad/tapegrad.hpp>

#include "sections.hpp"

namespace tg = tapegrad;

namespace {

void expression() {
  // [expression]
  tg::Tape tape;
  const tg::Tensor a = tape.parameter(2).named("a"), b = tape.parameter(-3).named("b");
  const tg::Tensor c = tape.parameter(10).named("c"), f = tape.parameter(-2).named("f");
  const tg::Tensor e = (a * b).named("e");
  const tg::Tensor d = (e + c).named("d");
  const tg::Tensor L = (d * f).named("L");
  fmt::print("{}", draw(L, {.values = true, .gradients = true, .local_derivatives = true}));
  // [/expression]
}

// [net]
struct Layer {
  tg::Tensor weight, bias;
  tg::Tensor operator()(const tg::Tensor& x) const { return sigmoid(matmul(x, weight) + bias); }
};
struct Net {
  Layer hidden, output;
};
// [/net]

struct Worked {
  tg::Tape tape;
  Net net;
  tg::Tensor i, t, E;

  Worked() {
    // [worked]
    net.hidden = {tape.parameter({{0.15, 0.25}, {0.20, 0.30}}), tape.parameter(0.35)};
    net.output = {tape.parameter({{0.40, 0.50}, {0.45, 0.55}}), tape.parameter(0.60)};
    tg::name_fields(net);
    i = tape.input({{0.05, 0.10}}).named("i");
    t = tape.input({{0.01, 0.99}}).named("t");
    const tg::Tensor h = net.hidden(i).named("h");
    const tg::Tensor o = net.output(h).named("o");
    E = half_squared_error(o, t).named("E");
    // [/worked]
    // [elements]
    tg::name_elements(i, {"i1", "i2"});
    tg::name_elements(net.hidden.weight, {"w1", "w3", "w2", "w4"});
    tg::name_elements(net.hidden.bias, {"b1"});
    tg::name_elements(h, {"h1", "h2"});
    tg::name_elements(net.output.weight, {"w5", "w7", "w6", "w8"});
    tg::name_elements(net.output.bias, {"b2"});
    tg::name_elements(o, {"o1", "o2"});
    // [/elements]
  }
};

void numbers() {
  const Worked w;
  const tg::Tensor& E = w.E;
  // [numbers]
  fmt::print("{}", draw(E, {.values = true, .gradients = true, .local_derivatives = true}));
  // [/numbers]
}

void backward() {
  const Worked w;
  const tg::Tensor& E = w.E;
  const Net& net = w.net;
  // [backward]
  gradient(E, net);
  fmt::print("{}", draw(E, {.backward = true}));
  // [/backward]
}

void mermaid() {
  const Worked w;
  const tg::Tensor& E = w.E;
  // [mermaid]
  fmt::print("{}", draw(E, {.format = tg::Picture::mermaid, .values = true}));
  // [/mermaid]
}

void network() {
  const Worked w;
  const tg::Tensor& E = w.E;
  // [network]
  fmt::print("{}", draw_network(E, {.values = true, .weights = true}));
  // [/network]
}

void slopes() {
  const Worked w;
  const tg::Tensor& E = w.E;
  // [slopes]
  fmt::print("{}", draw_network(E, {.weights = true, .gradients = true}));
  // [/slopes]
}

void three() {
  // [three]
  tg::Tape tape;
  tg::Random random{1};
  const tg::Tensor x = tape.input({{0, 0, 1}, {0, 1, 1}, {1, 0, 1}, {1, 1, 1}}).named("x");
  const tg::Tensor w0 = tape.parameter(random.uniform(-1, 1, tg::Shape{3, 4})).named("w0");
  const tg::Tensor w1 = tape.parameter(random.uniform(-1, 1, tg::Shape{4, 1})).named("w1");
  const tg::Tensor y = sigmoid(matmul(sigmoid(matmul(x, w0)), w1)).named("y");
  fmt::print("{}", draw_network(y, {.values = true, .weights = true, .sample = 2}));
  // [/three]
}

void large() {
  // [large]
  tg::Tape tape;
  tg::Random random{1};
  const tg::Linear first = tg::linear(tape, 784, 128, random);
  const tg::Linear last = tg::linear(tape, 128, 10, random);
  tg::name(first, "first");
  tg::name(last, "last");
  const tg::Tensor pixels = tape.input(tg::Shape{32, 784}).named("pixels");
  const tg::Tensor labels = tape.input(tg::Shape{32}).named("labels");
  fmt::print("{}", draw_network(cross_entropy(last(relu(first(pixels))), labels), {.limit = 8}));
  // [/large]
}

void refused() {
  // [refused]
  tg::Tape tape;
  tg::Random random{1};
  const tg::Tensor image = tape.input(tg::Shape{1, 1, 28, 28}).named("image");
  const tg::Tensor kernel =
      tape.parameter(random.uniform(-1, 1, tg::Shape{8, 1, 3, 3})).named("kernel");
  try {
    tg::draw_network(relu(conv2d(image, kernel)));
  } catch (const tg::Error& error) {
    fmt::print("{}\n", error.what());
  }
  // [/refused]
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"expression", expression},
                      {"numbers", numbers},
                      {"backward", backward},
                      {"mermaid", mermaid},
                      {"network", network},
                      {"slopes", slopes},
                      {"three", three},
                      {"large", large},
                      {"refused", refused}});
}
