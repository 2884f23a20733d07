// A derivation is right: its printed arithmetic gives the printed results, its formulas the values
// of the tape, its paths the gradient; and explaining changes nothing.
#include "tapegrad/inspect/explain.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "proofread.hpp"
#include "refusal.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using tg::Derivation;
using tg::Index;
using tg::Tape;
using tg::Tensor;
using Numbers = std::vector<double>;

struct Layers {
  tg::Linear hidden, output;
};

/// The 2-2-2 network with the names of the text it comes from.
struct Worked {
  Worked() {
    tg::name_elements(net.hidden.weight, {"w1", "w3", "w2", "w4"});
    tg::name_elements(net.output.weight, {"w5", "w7", "w6", "w8"});
    tg::name_elements(x, {"i1", "i2"});
    tg::name_elements(t, {"t1", "t2"});
    tg::name_elements(net_h, {"net_h1", "net_h2"});
    tg::name_elements(out_h, {"out_h1", "out_h2"});
    tg::name_elements(net_o, {"net_o1", "net_o2"});
    tg::name_elements(out_o, {"out_o1", "out_o2"});
  }
  Tape tape;
  Layers net{
      {tape.parameter({{0.15, 0.25}, {0.20, 0.30}}).named("W1"), tape.constant(0.35).named("b1")},
      {tape.parameter({{0.40, 0.50}, {0.45, 0.55}}).named("W2"), tape.constant(0.60).named("b2")}};
  Tensor x = tape.input({{0.05, 0.10}}).named("i"), t = tape.input({{0.01, 0.99}}).named("t");
  Tensor net_h = net.hidden(x).named("net_h"), out_h = sigmoid(net_h).named("out_h");
  Tensor net_o = net.output(out_h).named("net_o"), out_o = sigmoid(net_o).named("out_o");
  Tensor E = half_squared_error(out_o, t).named("E");
};

/// Reads what is explained of some elements of x, and of all of it.
proofread::Reader::Count read(const Tensor& y, const Tensor& x, const std::vector<Index>& elements,
                              int digits = 6) {
  proofread::Reader::Count count;
  const double rate = 0.25;
  const auto read_one = [&](const Derivation& d, const std::vector<Tensor>& by) {
    const auto more = proofread::Reader(d, y, by, digits, rate).read();
    count.numeric += more.numeric;
    count.symbolic += more.symbolic;
    count.indexed += more.indexed;
  };
  for (const Index& index : elements) {
    BOOST_TEST_CONTEXT("element " << tg::text(index)) {
      const Derivation d = tg::explain(y, x, index, {.digits = digits, .learning_rate = rate});
      const Numbers slope = gradient(y, x).values();
      const double wanted = slope[index.element(x.shape())];
      BOOST_TEST(d.value() == wanted, boost::test_tools::tolerance(1e-13));
      read_one(d, {x});
    }
  }
  read_one(tg::explain(y, x, {.digits = digits, .learning_rate = rate}), {x});
  return count;
}

BOOST_AUTO_TEST_SUITE(explain)

BOOST_AUTO_TEST_CASE(what_is_printed_of_the_worked_example_is_right_for_every_weight) {
  const Worked w;
  for (const int digits : {1, 2, 3, 6, 9, 15, 17})
    for (const Tensor& x : {w.net.hidden.weight, w.net.output.weight}) {
      const auto count = read(w.E, x, {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, digits);
      BOOST_TEST(count.numeric > 100);
      BOOST_TEST(count.symbolic > 80);
    }
  read(w.E, w.net_h, {{0, 0}, {0, 1}});
  read(w.E, w.x, {{0, 0}, {0, 1}});
  read(w.E, w.t, {{0, 0}, {0, 1}});
  read(w.E, w.net.hidden.bias, {{}});
}

BOOST_AUTO_TEST_CASE(what_is_printed_of_the_three_layer_network_is_right) {
  Tape tape;
  tg::Random random{1};
  const Tensor w0 = tape.parameter(random.uniform(-1, 1, tg::Shape{3, 4})).named("w0");
  const Tensor w1 = tape.parameter(random.uniform(-1, 1, tg::Shape{4, 1})).named("w1");
  const Tensor x = tape.input({{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {0, 0, 1}, {0, 0, 1}}).named("x");
  const Tensor y = tape.input({{0}, {1}, {1}, {0}, {0}}).named("y");
  const Tensor l1 = sigmoid(matmul(x, w0)), l2 = sigmoid(matmul(l1, w1));
  const Tensor E = half_squared_error(l2, y);
  const auto count = read(E, w0, {{0, 0}, {0, 3}, {1, 1}, {2, 0}, {2, 2}});
  BOOST_TEST(count.indexed > 10);
  read(E, w1, {{0, 0}, {3, 0}});
  read(E, l1, {{0, 0}, {4, 3}});
}

/// A small network of one hidden layer.
struct Small {
  explicit Small(std::uint32_t seed = 1, std::int64_t samples = 3) : random{seed} {
    x = tape.input(random.uniform(-1, 1, tg::Shape{samples, 3}));
  }
  tg::Linear linear(std::int64_t in, std::int64_t out) {
    tg::Linear l = tg::linear(tape, in, out, random);
    return l;
  }
  Tensor input(const tg::Shape& shape, double from = -1, double to = 1) {
    return tape.input(random.uniform(from, to, shape));
  }
  Tensor parameter(const tg::Shape& shape, double from = -1, double to = 1) {
    return tape.parameter(random.uniform(from, to, shape));
  }
  Tape tape;
  tg::Random random;
  Tensor x;
};

BOOST_AUTO_TEST_CASE(what_is_printed_of_xor_is_right) {
  Small s(3);
  const Tensor x = s.tape.input({{0, 0}, {0, 1}, {1, 0}, {1, 1}}),
               y = s.tape.input({{0}, {1}, {1}, {0}});
  const tg::Linear a = s.linear(2, 2), b = s.linear(2, 1);
  const Tensor h = tanh(a(x));
  const Tensor E = binary_cross_entropy_with_logits(b(h), y);
  read(E, a.weight, {{0, 0}, {1, 1}});
  read(E, a.bias, {{0}, {1}});
  read(E, b.weight, {{0, 0}});
  read(E, b.bias, {{0}});
}

using Activation = Tensor (*)(const tg::Arg&);

BOOST_AUTO_TEST_CASE(what_is_printed_of_activations_is_right) {
  const std::pair<const char*, Activation> activations[] = {{"tanh", &tg::tanh},
                                                            {"relu", &tg::relu},
                                                            {"softplus", &tg::softplus},
                                                            {"sigmoid", &tg::sigmoid},
                                                            {"gelu", &tg::gelu},
                                                            {"gelu_tanh", &tg::gelu_tanh},
                                                            {"silu", &tg::silu},
                                                            {"mish", &tg::mish},
                                                            {"softsign", &tg::softsign},
                                                            {"selu", &tg::selu},
                                                            {"logsigmoid", &tg::logsigmoid},
                                                            {"square", &tg::square},
                                                            {"abs", &tg::abs},
                                                            {"exp", &tg::exp},
                                                            {"expm1", &tg::expm1},
                                                            {"sin", &tg::sin},
                                                            {"cos", &tg::cos},
                                                            {"atan", &tg::atan},
                                                            {"erf", &tg::erf},
                                                            {"erfc", &tg::erfc},
                                                            {"sinh", &tg::sinh},
                                                            {"cosh", &tg::cosh},
                                                            {"tan", &tg::tan},
                                                            {"floor", &tg::floor},
                                                            {"sign", &tg::sign}};
  for (const auto& [name, f] : activations) BOOST_TEST_CONTEXT(name) {
      Small s(5);
      const tg::Linear a = s.linear(3, 2), b = s.linear(2, 2);
      const Tensor h = f(a(s.x));
      const Tensor E = mse_loss(b(h), s.input(tg::Shape{3, 2}));
      read(E, a.weight, {{0, 0}, {2, 1}});
      read(E, a.bias, {{1}});
      read(E, b.weight, {{1, 0}});
    }
}

BOOST_AUTO_TEST_CASE(what_is_printed_of_positive_numbers_is_right) {
  const std::pair<const char*, Activation> functions[] = {
      {"log", &tg::log},     {"sqrt", &tg::sqrt},
      {"rsqrt", &tg::rsqrt}, {"reciprocal", &tg::reciprocal},
      {"log1p", &tg::log1p}, {"log2", &tg::log2}};
  for (const auto& [name, f] : functions) BOOST_TEST_CONTEXT(name) {
      Small s(5);
      const Tensor w = s.parameter(tg::Shape{3, 2}, 0.1, 1.5).named("w");
      const Tensor E = sum(f(matmul(abs(s.x) + 0.1, w)));
      read(E, w, {{0, 0}, {2, 1}});
    }
}

BOOST_AUTO_TEST_CASE(what_is_printed_of_softmax_and_cross_entropy_is_right) {
  Small s(7);
  const tg::Linear a = s.linear(3, 4);
  const Tensor logits = a(s.x);
  const Tensor label = s.tape.input({2, 0, 3}).named("label");
  read(cross_entropy(logits, label), a.weight, {{0, 0}, {1, 2}});
  read(cross_entropy(logits, label, tg::Reduction::sum), a.bias, {{0}, {3}});
  read(nll_loss(log_softmax(logits, 1), label), a.weight, {{0, 0}, {1, 2}});
  read(sum(square(softmax(logits, 1))), a.weight, {{0, 0}, {1, 2}});
  read(cross_entropy(logits, softmax(s.input(tg::Shape{3, 4}), 1)), a.weight, {{2, 1}});
  read(kl_div(log_softmax(logits, 1), softmax(s.input(tg::Shape{3, 4}), 1)), a.weight, {{2, 1}});
  read(logsumexp(logits), a.weight, {{2, 1}});
}

BOOST_AUTO_TEST_CASE(what_is_printed_of_convolution_and_pooling_is_right) {
  Small s(1);
  const Tensor x = s.input(tg::Shape{2, 1, 6, 6}).named("x");
  const Tensor k = s.parameter(tg::Shape{2, 1, 3, 3}).named("k"),
               c = s.parameter(tg::Shape{2}).named("c");
  const tg::Linear l = s.linear(8, 3);
  const Tensor h = relu(conv2d(x, k, c)).named("h");
  const Tensor p = max_pool2d(h, {.kernel = {2, 2}}), q = avg_pool2d(h, {.kernel = {2, 2}});
  const Tensor label = s.tape.input({1, 2}).named("label");
  const Tensor E = cross_entropy(l(tg::reshape(p, {2, 8})), label);
  read(E, k, {{0, 0, 1, 1}, {1, 0, 2, 0}});
  read(E, c, {{0}, {1}});
  read(E, l.weight, {{0, 0}});
  read(cross_entropy(l(tg::reshape(q, {2, 8})), label), k, {{0, 0, 1, 1}, {1, 0, 2, 0}});
}

BOOST_AUTO_TEST_CASE(what_is_printed_of_normalisation_is_right) {
  Small s(9, 4);
  const tg::Linear a = s.linear(3, 3);
  const Tensor g = s.parameter(tg::Shape{3}).named("g"), b = s.parameter(tg::Shape{3}).named("b");
  const Tensor mean = s.tape.state({0, 0, 0}), variance = s.tape.state({1, 1, 1});
  const Tensor target = s.input(tg::Shape{4, 3});
  const Tensor trained = batch_norm(a(s.x), mean, variance, g, b, {.training = true});
  const Tensor used = batch_norm(a(s.x), mean, variance, g, b);
  const Tensor layer = layer_norm(a(s.x), tg::Shape{3}, g, b);
  for (const Tensor& h : {trained, used, layer}) {
    const Tensor E = mse_loss(tanh(h), target);
    read(E, a.weight, {{0, 0}, {2, 1}});
    read(E, g, {{1}});
    read(E, b, {{2}});
  }
}

BOOST_AUTO_TEST_CASE(what_is_printed_of_shared_weights_is_right) {
  Small s(11);
  const Tensor w = s.parameter(tg::Shape{2, 2}).named("w"),
               u = s.parameter(tg::Shape{3, 2}).named("u"),
               b = s.parameter(tg::Shape{2}).named("b");
  Tensor h = s.tape.input({{0.1, -0.2}, {0.3, 0.4}, {0, 0}}).named("h0");
  for (int step = 0; step < 3; ++step) h = tanh(matmul(s.x, u) + matmul(h, w) + b);
  const Tensor E = half_squared_error(h, s.input(tg::Shape{3, 2}));
  read(E, w, {{0, 0}, {1, 0}});
  read(E, u, {{0, 0}, {2, 1}});
  read(E, b, {{1}});
  const Tensor v = s.tape.parameter(0.5).named("v");
  Tensor z = s.tape.input(2.0).named("z");
  for (int step = 0; step < 3; ++step) z = tanh(v * z + 0.1);
  read(z, v, {{}});
}

BOOST_AUTO_TEST_CASE(what_is_printed_of_broadcasting_is_right) {
  Small s(13);
  const Tensor w = s.parameter(tg::Shape{3, 2}), row = s.parameter(tg::Shape{2}),
               column = s.parameter(tg::Shape{3, 1}), one = s.parameter(tg::Shape{}),
               wide = s.parameter(tg::Shape{1, 2});
  const Tensor E = sum(square((matmul(s.x, w) + row) * column - one / wide));
  read(E, w, {{0, 0}, {2, 1}});
  read(E, row, {{0}, {1}});
  read(E, column, {{0, 0}, {2, 0}});
  read(E, one, {{}});
  read(E, wide, {{0, 1}});
}

/// As in the document about ops of one's own.
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

BOOST_AUTO_TEST_CASE(what_is_printed_of_an_op_of_ones_own_is_right) {
  Small s(15);
  const tg::Linear a = s.linear(3, 2);
  const Tensor h = tg::record(bump_op, {a(s.x)});
  const auto count = read(sum(h), a.weight, {{0, 0}, {2, 1}});
  BOOST_TEST(count.symbolic > 20);
  const Derivation d = tg::explain(sum(h), a.weight, Index{0, 0});
  BOOST_TEST(has(text(d), "bump("));
}

BOOST_AUTO_TEST_CASE(what_is_printed_of_rules_and_functions_of_others_is_right) {
  Small s(17);
  const tg::Linear a = s.linear(3, 2);
  const Tensor z = a(s.x);
  const Tensor soft = tg::with_vjp("soft", log(1.0 + exp(z)), {z},
                                   [](tg::Vjp& v) { v.give(0, v.ybar * sigmoid(v.x(0))); });
  read(sum(soft), a.weight, {{0, 0}, {2, 1}});
  tg::External cube;
  cube.name = "cube";
  cube.forward = [](tg::External::Inputs x, std::span<double> y) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = x[0][i] * x[0][i] * x[0][i];
  };
  cube.backward = [](tg::External::Inputs x, std::span<const double>, std::span<const double> ybar,
                     tg::External::Outputs xbar) {
    for (std::size_t i = 0; i < ybar.size(); ++i) xbar[0][i] = 3 * x[0][i] * x[0][i] * ybar[i];
  };
  const Tensor cubes = tg::external(cube, {z}, z.shape());
  read(sum(square(cubes)), a.weight, {{0, 0}, {2, 1}});
}

BOOST_AUTO_TEST_CASE(what_is_printed_of_other_ops_is_right) {
  Small s(19);
  const Tensor w = s.parameter(tg::Shape{3, 3}).named("w");
  const Tensor h = matmul(s.x, w);
  read(sum(tg::einsum("ij,kj->ik", h, s.x) * 0.5), w, {{0, 0}, {1, 2}});
  read(sum(square(tg::embedding(w, s.tape.input({2, 0, 2})))), w, {{0, 0}, {2, 1}, {1, 0}});
  read(sum(tg::maximum(h, 0.1) + minimum(h, s.x)), w, {{0, 0}, {1, 2}});
  read(tg::max(h) + tg::min(h), w, {{0, 0}, {1, 2}});
  read(sum(where(h > 0.0, h, 0.1 * square(h))), w, {{0, 0}, {1, 2}});
  read(sum(clamp(h, -0.3, 0.3)), w, {{0, 0}, {1, 2}});
  read(sum(leaky_relu(h) + elu(h)), w, {{0, 0}, {1, 2}});
  read(prod(h), w, {{0, 0}, {1, 2}});
  read(norm(h), w, {{0, 0}, {1, 2}});
  read(mean(square(h)) / (1.0 + sum(square(w))), w, {{0, 0}, {1, 2}});
  read(sum(pow(abs(h) + 0.5, 2.5)), w, {{0, 0}, {1, 2}});
  read(sum(pow(2.0, h)), w, {{0, 0}, {1, 2}});
  read(sum(var(h, 0)) + sum(tg::std(h, 1)), w, {{0, 0}, {1, 2}});
  read(sum(cumsum(h, 0) * s.x), w, {{0, 0}, {1, 2}});
  read(sum(tg::concat({h, square(h)}, 0) * 3.0), w, {{0, 0}, {1, 2}});
  read(sum(transpose(h) * s.x), w, {{0, 0}, {1, 2}});
  read(sum(slice(h, 0, 1, 3) * select(h, 0, 0)), w, {{0, 0}, {1, 2}});
  read(huber_loss(h, s.x) + l1_loss(h, s.x), w, {{0, 0}, {1, 2}});
  read(sum(atan2(h, s.x) + hypot(h, s.x)), w, {{0, 0}, {1, 2}});
  read(sum(cosine_similarity(h, s.x, 1)), w, {{0, 0}, {1, 2}});
  read(-sum(h) + 2.0 - 3.0 * select(select(h, 0, 0), 0, 1), w, {{0, 0}, {1, 1}});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
