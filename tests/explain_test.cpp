// A derivation is right: its printed arithmetic gives the printed results, its formulas the values
// of the tape, its paths the gradient; and explaining changes nothing.
#include "tapegrad/explain/explain.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <regex>
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

// ---- numbers that are known from elsewhere

/// Equal to the 15 digits that the reference numbers carry.
void equal(const Numbers& got, const Numbers& wanted) {
  BOOST_TEST_REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    BOOST_TEST(got[i] == wanted[i], boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(the_worked_example_has_the_numbers_of_the_text) {
  const Worked w;
  const tg::ExplainOptions options{.digits = 17, .learning_rate = 0.5};
  const auto one = [&](const Tensor& x, const Index& index) {
    return tg::explain(w.E, x, index, options);
  };
  const Derivation w1 = one(w.net.hidden.weight, {0, 0});
  auto forward = proofread::results(w1, "forward");
  equal(forward.of("net_h1"), {0.3775});
  equal(forward.of("out_h1"), {0.59326999210718723});
  equal(forward.of("net_o1"), {1.10590596705977});
  equal(forward.of("net_o2"), {1.2249214040964653});
  equal(forward.of("out_o1"), {0.75136506955231575});
  equal(forward.of("out_o2"), {0.77292846532146253});
  equal(forward.of("E"), {0.29837110876000272});
  auto merged = proofread::results(w1, "merged");
  equal(merged.of("δ(net_o1)"), {0.13849856162855695});
  equal(merged.of("δ(net_o2)"), {-0.038098236516556236});
  equal(merged.of("δ(out_h1)"), {0.036350306393144662});
  equal(merged.of("δ(net_h1)"), {0.0087713546894869297});
  equal(merged.of("∂E/∂w1"), {0.00043856773447434653});
  // The two ways: through o1, and through o2.
  auto paths = proofread::results(w1, "paths");
  const double h = 0.59326999210718723 * (1 - 0.59326999210718723);
  const double first = 0.05 * h * 0.40 * 0.13849856162855695,
               second = 0.05 * h * 0.50 * -0.038098236516556236;
  equal(paths.of("∂E/∂w1"), {first + second});
  const Derivation part = w1.section("paths");
  const std::string sum = std::get<tg::Equation>(part.sections[0].lines.back()).sides[1].formula;
  const std::size_t minus = sum.find(" - ");
  BOOST_TEST_REQUIRE(minus != std::string::npos);
  equal({std::strtod(sum.c_str(), nullptr), std::strtod(sum.c_str() + minus + 3, nullptr)},
        {first, -second});
  // Every gradient, and every weight after one update.
  const std::pair<Index, double> hidden[] = {{{0, 0}, 0.00043856773447434653},
                                             {{1, 0}, 0.00087713546894869305},
                                             {{0, 1}, 0.00049771273526085988},
                                             {{1, 1}, 0.00099542547052171976}};
  const std::pair<Index, double> output[] = {{{0, 0}, 0.08216704056423077},
                                             {{1, 0}, 0.082667627847533245},
                                             {{0, 1}, -0.022602540477475071},
                                             {{1, 1}, -0.022740242215978222}};
  for (const auto& [index, slope] : hidden)
    equal({one(w.net.hidden.weight, index).value()}, {slope});
  for (const auto& [index, slope] : output)
    equal({one(w.net.output.weight, index).value()}, {slope});
  equal(proofread::results(w1, "update").of("w1+"), {.14978071613276281});
  const Derivation all = tg::explain(w.E, options);
  auto matrices = proofread::results(all, "matrices");
  equal(matrices.of("δ(net_o)"), {0.13849856162855695, -0.038098236516556236});
  equal(matrices.of("δ(out_h)"), {0.036350306393144662, 0.041370322648744698});
  equal(matrices.of("δ(net_h)"), {0.0087713546894869297, 0.0099542547052171963});
  equal(matrices.of("∂E/∂W1"), {0.00043856773447434653, 0.00049771273526085988,
                                0.00087713546894869305, 0.00099542547052171976});
  equal(matrices.of("∂E/∂W2"),
        {0.08216704056423077, -0.022602540477475071, 0.082667627847533245, -0.022740242215978222});
  auto update = proofread::results(all, "update");
  equal(update.of("W1+"),
        {.14978071613276281, .24975114363236958, .19956143226552567, .29950228726473915});
  equal(update.of("W2+"),
        {.35891647971788465, .5113012702387375, .4086661860762334, .56137012110798912});
  BOOST_TEST(has(proofread::sentences(all, "update"), "E is 0.2983711087600027"));
  BOOST_TEST(has(proofread::sentences(all, "update"), " and 0.291027773693599"));
  BOOST_TEST(has(proofread::sentences(w1, "update"), " and 0.291027773693599"));
  BOOST_CHECK_THROW(all.value(), tg::Error);
}

BOOST_AUTO_TEST_CASE(biases_of_the_worked_example_sum_what_reaches_them) {
  // A bias that two neurons share gets both their deltas.
  Worked w;
  equal({tg::explain(w.E, w.net.hidden.bias, Index{}).value()}, {0.018725609394704128});
  equal({tg::explain(w.E, w.net.output.bias, Index{}).value()}, {0.10040032511200071});
}

BOOST_AUTO_TEST_CASE(the_first_step_of_the_three_layer_network_is_that_of_the_manual_rule) {
  Tape tape;
  tg::Random random{1};
  const Tensor w0 = tape.parameter(random.uniform(-1, 1, tg::Shape{3, 4})).named("w0");
  const Tensor w1 = tape.parameter(random.uniform(-1, 1, tg::Shape{4, 1})).named("w1");
  const double x[5][3] = {{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {0, 0, 1}, {0, 0, 1}},
               y[5] = {0, 1, 1, 0, 0};
  const Tensor X = tape.input({{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {0, 0, 1}, {0, 0, 1}}).named("x");
  const Tensor Y = tape.input({{0}, {1}, {1}, {0}, {0}}).named("y");
  const Tensor l1 = sigmoid(matmul(X, w0)).named("l1"), l2 = sigmoid(matmul(l1, w1)).named("l2");
  const Tensor E = half_squared_error(l2, Y);
  // The script's rule, in plain loops.
  const Numbers a = w0.values(), b = w1.values();
  Numbers l1_of(20), delta1(20), new0 = a, new1 = b;
  double delta2[5], error = 0;
  for (std::size_t r = 0; r < 5; ++r) {
    double z2 = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      double z = 0;
      for (std::size_t i = 0; i < 3; ++i) z += x[r][i] * a[4 * i + j];
      l1_of[4 * r + j] = 1 / (1 + std::exp(-z));
      z2 += l1_of[4 * r + j] * b[j];
    }
    const double out = 1 / (1 + std::exp(-z2));
    error += (y[r] - out) * (y[r] - out) / 2;
    delta2[r] = (y[r] - out) * out * (1 - out);
    for (std::size_t j = 0; j < 4; ++j)
      delta1[4 * r + j] = delta2[r] * b[j] * l1_of[4 * r + j] * (1 - l1_of[4 * r + j]);
  }
  for (std::size_t r = 0; r < 5; ++r)
    for (std::size_t j = 0; j < 4; ++j) {
      new1[j] += l1_of[4 * r + j] * delta2[r];
      for (std::size_t i = 0; i < 3; ++i) new0[4 * i + j] += x[r][i] * delta1[4 * r + j];
    }
  const tg::ExplainOptions options{.digits = 17, .learning_rate = 1.0};
  const Derivation d = tg::explain(E, options);
  auto update = proofread::results(d, "update");
  equal(update.of("w0+"), new0);
  equal(update.of("w1+"), new1);
  equal(proofread::results(d, "forward").of("l1"), l1_of);
  equal(proofread::results(d, "forward").of("E"), {error});
  // In the text a delta is the error's share, here dE/dz: the other sign.
  for (double& v : delta1) v = -v;
  auto matrices = proofread::results(d, "matrices");
  equal(matrices.of("δ(z1)"), delta1);
  const Derivation element = tg::explain(E, w0, Index{2, 0}, options);
  equal(proofread::results(element, "update").of("w0[2,0]+"), {new0[8]});
  // Of five samples, the first does not see the weight: its input is 0.
  BOOST_TEST(has(proofread::sentences(element, "paths"), "4 paths lead from w0[2,0] to E."));
}

// ---- names

BOOST_AUTO_TEST_CASE(everything_has_one_name) {
  Tape tape;
  const Tensor w = tape.parameter({{0.5, -0.25}, {1, 2}}).named("z1");
  const Tensor x = tape.input({{1, 2}}).named("E");
  const Tensor b = tape.parameter({1, 2});
  tg::name_elements(b, {"a1", "W1"});
  const Tensor v = tape.parameter({{1, 2}, {3, 4}});
  const Tensor h = matmul(x, w) + b;
  const Tensor k = tanh(h).named("twice"), l = sin(k).named("twice"), m = matmul(l * k, v);
  const Derivation d = tg::explain(sum(m), w, Index{0, 0});
  const Derivation network = d.section("network");
  const auto* table = std::get_if<tg::Table>(&network.sections[0].lines.back());
  BOOST_TEST_REQUIRE(table != nullptr);
  std::vector<std::string> names;
  for (const auto& row : table->rows)
    names.push_back(proofread::in_text(d, row[0].substr(1, row[0].size() - 2)));
  const std::vector<std::string> wanted{"z1",    "E",       "b1", "W2", "z2",
                                        "twice", "twice_2", "a2", "z3", "a3"};
  BOOST_TEST(names == wanted, boost::test_tools::per_element());
  BOOST_TEST(has(text(d), "∂a3/∂z1[0,0]"));
  BOOST_TEST(has(text(d), "twice_2[0,0] = sin(twice[0,0]) = "));
  BOOST_TEST(has(text(d), "z2[0,0]      = E[0,0]·z1[0,0] + E[0,1]·z1[1,0] + a1 = "));
  read(sum(m), w, {{0, 0}, {1, 1}});
}

BOOST_AUTO_TEST_CASE(parameters_have_their_names_in_the_struct_and_steps_their_lines) {
  Small s(21);
  Layers net{s.linear(3, 2), s.linear(2, 1)};
  tg::name(net, "net");
  const Tensor target = s.input(tg::Shape{3, 1});
  std::string here;
  const Tensor E = (here = line(), mse_loss(net.output(tanh(net.hidden(s.x))), target));
  const Derivation d = tg::explain(E, net.hidden.weight, Index{1, 1});
  BOOST_TEST(has(text(d), "∂E/∂net.hidden.weight[1,1]"));
  BOOST_TEST(has(text(d), here));
  const Derivation all = tg::explain(E);
  for (const char* name :
       {"net.hidden.weight", "net.hidden.bias", "net.output.weight", "net.output.bias"})
    BOOST_TEST(has(text(all.section("matrices")), std::string("∂E/∂") + name));
  read(E, net.hidden.weight, {{1, 1}});
}

BOOST_AUTO_TEST_CASE(a_name_given_anew_is_used) {
  Tape tape;
  const Tensor w = tape.parameter(2.0).named("first");
  const Tensor y = square(w);
  w.named("second");
  const std::string page = text(tg::explain(y, w, Index{}));
  BOOST_TEST(has(page, "∂E/∂second"));
  BOOST_TEST(!has(page, "first"));
}

// ---- nothing changes

BOOST_AUTO_TEST_CASE(explaining_changes_nothing_on_the_tape) {
  Small s(23);
  const tg::Linear a = s.linear(3, 2);
  const Tensor h = tanh(a(s.x)), E = mse_loss(h, s.input(tg::Shape{3, 2}));
  const auto state = [&] {
    const tg::Recording& recording = s.tape.recording();
    std::string all = fmt::format("{} records, {} bytes\n", s.tape.size(), s.tape.bytes());
    for (tg::Id id = 0; id < recording.size(); ++id)
      all += fmt::format("{} {}\n", recording.label(id), recording.handle(id));
    return all;
  };
  const std::string before = state();
  const auto all = [&] {
    tg::explain(E, a.weight, Index{0, 0}, {.learning_rate = 0.1});
    tg::explain(E, a.weight, {.learning_rate = 0.1});
    return text(tg::explain(E, {.learning_rate = 0.1}));
  };
  const std::string first = all();
  BOOST_TEST(state() == before);
  // What is out of date stays so, and is explained all the same: with the new numbers.
  s.x.set(tg::ones(tg::Shape{3, 3}));
  const std::string stale = state();
  BOOST_TEST(has(stale, "out of date"));
  const std::string second = all();
  BOOST_TEST(state() == stale);
  BOOST_TEST(second != first);
  BOOST_CHECK_THROW(E.item(), tg::Error);
  s.tape.replay(E);
  BOOST_TEST(all() == second);
  read(E, a.weight, {{0, 0}});
}

BOOST_AUTO_TEST_CASE(what_was_never_run_is_explained) {
  Tape tape;
  const Tensor x = tape.input(tg::Shape{2}).named("x");
  const Tensor w = tape.parameter({1, 2}).named("w");
  const Tensor y = sum(square(w * x));
  BOOST_TEST(says([&] { tg::explain(y, w, Index{0}); }, "x"));
  x.set({3, 4});
  BOOST_TEST(tg::explain(y, w, Index{0}).value() == 18);
  BOOST_CHECK_THROW(y.item(), tg::Error);
}

BOOST_AUTO_TEST_CASE(a_float32_tape_is_explained_in_float64) {
  Tape tape{tg::float32};
  const Tensor w = tape.parameter({0.1, -0.3}).named("w");
  const Tensor x = tape.input({0.7, 0.2}).named("x");
  const Tensor y = square(tanh(sum(w * x)));
  const double u = double{0.1F} * double{0.7F} + double{-0.3F} * double{0.2F};
  const double wanted = 2 * std::tanh(u) * (1 - std::tanh(u) * std::tanh(u)) * double{0.7F};
  BOOST_TEST(tg::explain(y, w, Index{0}).value() == wanted, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(gradient(y, w).at(0) == wanted, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(a_tape_that_traps_what_is_not_finite_does_not_mind) {
  Tape tape;
  tape.trap_non_finite();
  const Tensor x = tape.parameter({0, 2}).named("x");
  const Tensor y = sum(sqrt(x));
  const Derivation d = tg::explain(y, x, Index{0}, {.learning_rate = 0.1});
  BOOST_TEST(d.value() == std::numeric_limits<double>::infinity());
}

BOOST_AUTO_TEST_CASE(what_is_drawn_stays_drawn) {
  Tape tape;
  const Tensor w = tape.parameter({{0.5, -0.25, 1, 2, 3}}).named("w"), source = noise(tape, 3);
  const Tensor y = sum(square(dropout(w, 0.5, source)));
  const Numbers slope = gradient(y, w).values(), state = source.values();
  for (std::int64_t i = 0; i < 5; ++i) {
    const double wanted = slope[static_cast<std::size_t>(i)];
    BOOST_TEST(tg::explain(y, w, Index{0, i}, {.learning_rate = 0.1}).value() == wanted);
    read(y, w, {{0, i}});
  }
  BOOST_TEST(source.values() == state);
}

// ---- what cannot be explained

BOOST_AUTO_TEST_CASE(what_cannot_be_explained_is_refused_with_a_reason) {
  Tape tape, other;
  const Tensor w = tape.parameter({1, 2, 3}).named("w"), u = tape.parameter(1.0).named("u");
  const Tensor far = other.parameter(1.0).named("far");
  const Tensor many = square(w).named("many"), y = sum(many).named("y");
  const Tensor unset = tape.input(tg::Shape{3}).named("unset");
  const Tensor label = tape.input({1.0}).named("label");
  const Tensor loss = cross_entropy(reshape(w, {1, 3}), label).named("loss");
  const Tensor cut = sum(detach(w) * u).named("cut");
  const auto refused = [&](const std::function<void()>& call,
                           std::initializer_list<const char*> parts) {
    const std::string text = refusal(call);
    for (const char* part : parts)
      BOOST_TEST(has(text, part), "'" << part << "' is not in: " << text);
    BOOST_TEST(has(text, "explain_test.cpp:"));
  };
  refused([&] { tg::explain(many, w, Index{0}); }, {"explain", "(3)", "many", "sum(y)"});
  refused([&] { tg::explain(u, u, Index{}); }, {"leaf", "u"});
  refused([&] { tg::explain(y, u, Index{}); }, {"does not depend", "y", "u"});
  refused([&] { tg::explain(cut, w, Index{0}); }, {"no derivative", "cut", "w"});
  refused([&] { tg::explain(loss, label, Index{0}); }, {"no derivative", "label"});
  refused([&] { tg::explain(y, w, Index{3}); }, {"[3]", "(3)", "w"});
  refused([&] { tg::explain(y, w, Index{0, 0}); }, {"[0,0]", "(3)", "w"});
  refused([&] { tg::explain(y, w, Index{}); }, {"[]", "(3)", "w"});
  refused([&] { tg::explain(y, w, Index{-4}); }, {"[-4]", "(3)"});
  refused([&] { tg::explain(sum(w * unset), w, Index{0}); }, {"unset", "never"});
  refused([&] { tg::explain(y, far, Index{}); }, {"far"});
  refused([&] { tg::explain(y, y, Index{}); }, {"itself", "y"});
  refused([&] { tg::explain(sum(detach(w))); }, {"no derivative"});
  refused([&] { tg::explain(sum(tape.input({1.0, 2.0}) * 2.0)); }, {"no parameter"});
  refused([&] { tg::explain(y, w, Index{0}, {.digits = 0}); }, {"0 digits"});
  refused([&] { tg::explain(y, w, Index{0}, {.digits = 18}); }, {"18 digits"});
  refused([&] { tg::explain(y, w, Index{0}, {.top = 0}); }, {"top"});
  for (const double rate :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    refused([&] { tg::explain(y, w, Index{0}, {.learning_rate = rate}); }, {"learning rate"});
  BOOST_CHECK_THROW(tg::explain(Tensor{}, w, Index{0}), tg::Error);
  BOOST_CHECK_THROW(tg::explain(y, Tensor{}, Index{0}), tg::Error);
  BOOST_TEST(tg::explain(y, w, Index{-1}).value() == 6);
}

// ---- singular cases

BOOST_AUTO_TEST_CASE(a_dead_unit_shows_where_the_derivative_is_lost) {
  Tape tape;
  const Tensor x = tape.input({{1, 2}}), w = tape.parameter({{-1, -2}, {-0.5, -1}}).named("w");
  const Tensor v = tape.parameter({{1}, {2}}).named("v"), h = relu(matmul(x, w)).named("h");
  const Tensor E = sum(square(matmul(h, v) + 0.5));
  const Derivation d = tg::explain(E, w, Index{0, 0}, {.learning_rate = 0.1});
  BOOST_TEST(d.value() == 0);
  equal(proofread::results(d, "local").of("∂h[0,0]/∂z1[0,0]"), {0});
  BOOST_TEST(has(text(d.section("paths")), "·0·"));
  read(E, w, {{0, 0}, {1, 1}});
}

BOOST_AUTO_TEST_CASE(a_weight_of_zero_behind_cuts_all_paths) {
  Tape tape;
  const Tensor x = tape.input({{1, 2}}), w = tape.parameter({{1, 2}, {3, 4}}).named("w");
  const Tensor v = tape.parameter({{0}, {0}}).named("v");
  const Tensor E = sum(matmul(matmul(x, w), v));
  const Derivation d = tg::explain(E, w, Index{0, 0}, {.learning_rate = 0.1});
  BOOST_TEST(d.value() == 0);
  BOOST_TEST(has(proofread::sentences(d, "paths"), "the derivative is 0"));
  read(E, w, {{0, 0}});
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_is_said) {
  Tape tape;
  const Tensor x = tape.parameter({0, 2}).named("x");
  const double inf = std::numeric_limits<double>::infinity();
  BOOST_TEST(tg::explain(sum(log(x)), x, Index{0}, {.learning_rate = 0.1}).value() == inf);
  const Derivation nan = tg::explain(sum(sqrt(x - 1.0)), x, Index{0}, {.learning_rate = 0.1});
  BOOST_TEST(std::isnan(nan.value()));
  BOOST_TEST(!has(text(nan), "-nan"));
  BOOST_TEST(!has(text(nan), "≈ nan"));
  read(sum(log(x)), x, {{0}, {1}});
}

BOOST_AUTO_TEST_CASE(a_cut_is_said) {
  Tape tape;
  const Tensor x = tape.parameter({0, 2}).named("x");
  const Tensor y = sum(where(x > 0.0, log(x) / sqrt(x), x * x));
  const Derivation d = tg::explain(y, x, Index{0});
  BOOST_TEST(d.value() == 0);
  const std::string locals = text(d.section("local"));
  BOOST_TEST(has(locals, "1/x[0] = 1/0 = inf"));
  BOOST_TEST(has(locals, tg::english.cut));
  BOOST_TEST(!has(text(d.section("paths")), "inf"));
}

BOOST_AUTO_TEST_CASE(cancellation_is_said) {
  Tape tape;
  const Tensor x = tape.parameter(1.0).named("x");
  const Tensor a = exp(x).named("a"), b = (a * 1.0001).named("b");
  const Derivation d = tg::explain(sum(square(b) * 0.5 - square(a) * 0.5), x, Index{});
  BOOST_TEST(has(proofread::sentences(d, "paths"), "They cancel"));
  read(sum(square(b) * 0.5 - square(a) * 0.5), x, {{}});
}

BOOST_AUTO_TEST_CASE(a_kink_is_no_disagreement) {
  Tape tape;
  const Tensor x = tape.parameter({0, 2}).named("x");
  BOOST_TEST(
      has(text(tg::explain(sum(relu(x)), x, Index{0}).section("check")), "a kink, from 0 to 1"));
}

BOOST_AUTO_TEST_CASE(numbers_alone_are_explained) {
  Tape tape;
  const Tensor x = tape.parameter(2.0).named("x");
  for (const Tensor& y : {x * 3.0, square(x), x * x + x, 1.0 / x, -x, x - 5.0, sin(x) * x})
    read(y, x, {{}});
  const Tensor w = tape.parameter({1, 2}).named("w");
  read(half_squared_error(w, tape.input({0.5, 1.0})), w, {{0}, {1}});
  read(sum(w), w, {{0}, {1}});
}

BOOST_AUTO_TEST_CASE(tensors_of_size_zero_do_not_mind) {
  Tape tape;
  const Tensor w = tape.parameter({1, 2}).named("w"),
               u = tape.parameter(tg::zeros(tg::Shape{0})).named("u");
  const Tensor y = sum(w) + sum(tape.input(tg::zeros(tg::Shape{0, 2})) * w) + sum(u);
  read(y, w, {{0}, {1}});
  BOOST_TEST(has(text(tg::explain(y, u)), "∂E/∂u"));
  BOOST_TEST(has(text(tg::explain(y)), "∂E/∂w"));
  BOOST_CHECK_THROW(tg::explain(y, u, Index{0}), tg::Error);
}

BOOST_AUTO_TEST_CASE(second_derivatives_are_explained) {
  Small s(25);
  const tg::Linear a = s.linear(3, 2), b = s.linear(2, 1);
  const Tensor E = sum(square(b(tanh(a(s.x)))));
  const Tensor y = sum(square(gradient(E, a.weight)));
  read(y, a.weight, {{0, 0}, {2, 1}});
  read(y, b.bias, {{0}});
}

// ---- large things

/// Seconds of processor time.
double seconds(const std::function<void()>& call) {
  const std::clock_t start = std::clock();
  call();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

BOOST_AUTO_TEST_CASE(a_network_for_digits_is_explained_in_a_moment) {
  Tape tape;
  tg::Random random{1};
  Layers net{tg::linear(tape, 784, 128, random), tg::linear(tape, 128, 10, random)};
  Numbers labels(64);
  for (std::size_t i = 0; i < 64; ++i) labels[i] = static_cast<double>(i % 10);
  const Tensor x = tape.input(random.uniform(0, 1, tg::Shape{64, 784})), y = tape.input(labels);
  const Tensor E = cross_entropy(net.output(relu(net.hidden(x))), y);
  const double slope = gradient(E, net.hidden.weight).at(5, 7);
  const double time = seconds([&] {
    const Derivation d = tg::explain(E, net.hidden.weight, Index{5, 7}, {.learning_rate = 1});
    BOOST_TEST(d.value() == slope, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(text(d).size() < 40'000);
  });
  BOOST_TEST_MESSAGE("784-128-10, 64 samples: " << time << " s");
}

BOOST_AUTO_TEST_CASE(a_long_chain_is_explained_without_deep_recursion) {
  const std::pair<const char*, std::function<Tensor(const Tensor&, const Tensor&)>> steps[] = {
      {"sin", [](const Tensor& h, const Tensor&) { return sin(h); }},
      {"times", [](const Tensor& h, const Tensor& x) { return h * x; }},
      {"plus", [](const Tensor& h, const Tensor& x) { return h + x; }},
      {"minus a number", [](const Tensor& h, const Tensor&) { return h - 0.001; }}};
  for (const auto& [name, step] : steps) BOOST_TEST_CONTEXT(name) {
      Tape tape;
      const Tensor x = tape.parameter(0.999).named("x");
      Tensor h = x;
      for (int i = 0; i < 20'000; ++i) h = step(h, x);
      const double slope = gradient(h, x).item();
      const double time = seconds([&] {
        const Derivation d = tg::explain(h, x, Index{});
        BOOST_TEST(d.value() == slope, boost::test_tools::tolerance(1e-9));
        BOOST_TEST(text(d).size() < 100'000);
        BOOST_TEST(text(tg::explain(h, x)).size() < 100'000);
      });
      BOOST_TEST_MESSAGE(name << ": " << time << " s");
    }
}

BOOST_AUTO_TEST_CASE(a_sum_of_a_million_terms_is_explained) {
  Tape tape;
  tg::Random random{1};
  const Tensor w = tape.parameter(random.uniform(-1, 1, tg::Shape{1'000'000})).named("w");
  for (const Tensor& y : {sum(square(w)), dot(w, w), mean(w), sum(w)}) {
    const Derivation d = tg::explain(y, w, Index{1});
    BOOST_TEST(d.value() == gradient(y, w).at(1), boost::test_tools::tolerance(1e-12));
    BOOST_TEST(text(d).size() < 40'000);
  }
}

BOOST_AUTO_TEST_CASE(three_hundred_parameters_are_explained) {
  Small s(27);
  std::vector<tg::Linear> layers;
  Tensor h = s.x;
  for (int i = 0; i < 150; ++i) {
    layers.push_back(s.linear(3, 3));
    h = tanh(layers.back()(h));
  }
  const Derivation d = tg::explain(sum(h), {.learning_rate = 0.1});
  BOOST_TEST(has(text(d), "each of 1800 parameters"));
  BOOST_TEST(has(text(d), "more steps like these"));
  BOOST_TEST(text(d).size() < 100'000);
}

// ---- sections and words

BOOST_AUTO_TEST_CASE(each_section_stands_alone) {
  const Worked w;
  const Derivation d = tg::explain(w.E, w.net.hidden.weight, Index{0, 0}, {.learning_rate = 0.5});
  const char* names[] = {"network", "forward",  "local",  "paths",
                         "merged",  "matrices", "update", "check"};
  BOOST_TEST(d.sections.size() == std::size(names));
  std::string together;
  for (std::size_t i = 0; i < std::size(names); ++i) {
    BOOST_TEST(d.sections[i].name == names[i]);
    const Derivation part = d.section(names[i]);
    BOOST_TEST(part.value() == d.value());
    BOOST_TEST(text(part).starts_with(d.sections[i].title + "\n"));
  }
  BOOST_TEST(
      text(d.section("paths")) ==
      "The paths\n---------\n\n2 paths lead from w1 to E. Along a path, slopes multiply; over "
      "paths, "
      "products add up.\n\nw1 → net_h1 → out_h1 → net_o1 → out_o1 → E\n\n"
      "  0.05·0.241301·0.4·0.186816·0.741365 ≈ 0.000668396   152.4 %\n\n"
      "w1 → net_h1 → out_h1 → net_o2 → out_o2 → E\n\n"
      "  0.05·0.241301·0.5·0.175510·(-0.217072) ≈ -0.000229828   -52.4 %\n\n"
      "Added up:\n\n"
      "  ∂E/∂w1 = 0.000668396 - 0.000229828 = 0.000438568\n\n"
      "An approximately-equal sign stands where the printed numbers are rounded and give another "
      "last\n"
      "digit; every result comes from full precision.\n");
  BOOST_TEST(says([&] { d.section("lemma"); },
                  "network, forward, local, paths, merged, matrices, update, check"));
  const Derivation all = tg::explain(w.E);
  BOOST_TEST(all.sections.size() == 4U);
}

BOOST_AUTO_TEST_CASE(a_struct_is_explained_or_a_part_of_it) {
  Tape tape;
  tg::Random random{1};
  const Layers net{tg::linear(tape, 2, 3, random), tg::linear(tape, 3, 1, random)};
  const Tensor x = tape.input({{0.5, -1}, {2, 0.25}}).named("x");
  const Tensor E = mean(square(net.output(tanh(net.hidden(x))))).named("E");
  const std::string whole = text(tg::explain(E, net));
  BOOST_TEST(whole == text(tg::explain(E)));
  BOOST_TEST(has(whole, "each of 13 parameters"));

  const std::string part = text(tg::explain(E, net.output, {.learning_rate = 0.1}));
  const Tensor x_of_part[] = {net.output.weight, net.output.bias};
  BOOST_TEST(part == text(tg::explain(E, x_of_part, {.learning_rate = 0.1})));
  for (const char* name : {"∂E/∂output.weight", "∂E/∂output.bias"}) BOOST_TEST(has(part, name));
  BOOST_TEST(!has(part, "∂E/∂hidden"));

  struct Nothing {
    int number = 0;
  };
  BOOST_TEST(says([&] { tg::explain(E, Nothing{}); }, "explain: no tensors to differentiate by"));
}

BOOST_AUTO_TEST_CASE(another_language_is_another_table) {
  tg::Words german;
  german.paths = "Die Wege";
  german.many_paths = "Nach `{1}` kommen von `{0}` keine zwei, sondern mehr Wege.";
  german.sum_of_paths = "die Summe";
  german.by_tape = "das Band, rückwärts";
  german.parameter = "Parameter";
  german.asked = "Gesucht ist `{}`: wie stark `{}` sich mit `{}` ändert, das {} ist.";
  const Worked w;
  const std::string page =
      text(tg::explain(w.E, w.net.hidden.weight, Index{0, 0}, {.words = german}));
  for (const char* part : {"Die Wege\n--------\n", "keine zwei, sondern mehr Wege.", "die Summe",
                           "das Band, rückwärts", "Parameter",
                           "Gesucht ist ∂E/∂w1: wie stark E sich mit w1 ändert, das 0.15 ist."})
    BOOST_TEST(has(page, part), part << " is not in " << page);
}

BOOST_AUTO_TEST_CASE(every_word_is_used) {
  // A word in the table that no derivation says is one too many to translate.
  const auto content = [](const std::string& name) {
    std::ifstream file(std::string(TAPEGRAD_SOURCE_DIR "/lib/tapegrad/explain/") + name);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  std::string code;
  for (const char* part : {"", "_forward", "_slopes", "_matrices", "_update"})
    code += content(std::string("explain") + part + ".cpp");
  code += content("explainer.cpp") + content("exercise.cpp");
  const std::string words = content("words.hpp");
  static const std::regex field("(\\w+) =(?=\\s)");
  int count = 0;
  for (std::sregex_iterator found(words.begin(), words.end(), field), end; found != end;
       ++found, ++count) {
    const std::regex use("words_?\\." + (*found)[1].str() + "\\b");
    BOOST_TEST(std::regex_search(code, use), "nothing says " << (*found)[1]);
  }
  BOOST_TEST(count > 50);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
