// The three-layer sigmoid network against everything that knows its answers: the delta rule in
// plain loops, finite differences, forward-mode differentiation by Boost.Math, and published
// numbers.
#include <algorithm>
#include <array>
#include <boost/math/differentiation/autodiff.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmark/plain_network.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using Numbers = std::vector<double>;

struct ThreeLayer {
  tg::Tensor w0, w1;
  tg::Tensor operator()(const tg::Tensor& x) const {
    return sigmoid(matmul(sigmoid(matmul(x, w0)), w1));
  }
};

struct Step {
  tg::Tensor error, loss;
  ThreeLayer gradient;
};

struct Data {
  std::int64_t rows;
  Numbers x, y;  // (rows, 3), (rows, 1)
};
const Data classic{5, {0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1}, {0, 1, 1, 0, 0}};
const Data sibling{4, {0, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1}, {0, 1, 1, 0}};

tg::Array x_of(const Data& data) { return {tg::Shape{data.rows, 3}, data.x}; }
tg::Array y_of(const Data& data) { return {tg::Shape{data.rows, 1}, data.y}; }

ThreeLayer draw(tg::Tape& tape, std::uint32_t seed) {
  tg::Random random{seed};
  ThreeLayer net;
  net.w0 = tape.parameter(random.uniform(-1, 1, tg::Shape{3, 4}));
  net.w1 = tape.parameter(random.uniform(-1, 1, tg::Shape{4, 1}));
  return net;
}

plain::Network by_hand(const ThreeLayer& net, const Data& data) {
  return {static_cast<std::size_t>(data.rows), 3, 4, 1, net.w0.values(), net.w1.values()};
}

Step record(const ThreeLayer& net, const tg::Tensor& x, const tg::Tensor& y) {
  const tg::Tensor output = net(x), loss = half_squared_error(output, y);
  return {mean(abs(y - output)), loss, gradient(loss, net)};
}

/// The loss of the classic data as a function of its 16 weights, w0 then w1, for any kind of
/// number.
template <class T>
T loss_of(const std::array<T, 16>& w) {
  using std::exp;
  const auto squash = [](const T& net) { return T(1 / (1 + exp(-net))); };
  T loss = 0;
  for (std::size_t row = 0; row < 5; ++row) {
    T net = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      T hidden = 0;
      for (std::size_t i = 0; i < 3; ++i) hidden += classic.x[3 * row + i] * w[4 * i + j];
      net += squash(hidden) * w[12 + j];
    }
    const T error = classic.y[row] - squash(net);
    loss += error * error / 2;
  }
  return loss;
}

std::array<double, 16> flat(const ThreeLayer& net) {
  std::array<double, 16> w{};
  const Numbers w0 = net.w0.values(), w1 = net.w1.values();
  std::copy(w1.begin(), w1.end(), std::copy(w0.begin(), w0.end(), w.begin()));
  return w;
}

double largest_difference(const Numbers& a, const Numbers& b) {
  BOOST_TEST_REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double apart = std::abs(a[i] - b[i]);
    if (!(apart <= largest)) largest = apart;  // a NaN too
  }
  return largest;
}

/// Mean absolute errors before the update, every `every` steps of `steps`; the network ends up
/// trained.
Numbers train(const ThreeLayer& net, tg::Tape& tape, const Data& data, int steps, int every) {
  auto step = tg::compile(tape, [&](tg::Tensor x, tg::Tensor y) { return record(net, x, y); });
  const tg::Array x = x_of(data), y = y_of(data);
  tg::Sgd sgd{.learning_rate = 1};
  Numbers errors;
  for (int i = 0; i < steps; ++i) {
    const Step& now = step(x, y);
    if (i % every == 0) errors.push_back(now.error.item());
    sgd.step(net, now.gradient);
  }
  return errors;
}

BOOST_AUTO_TEST_SUITE(three_layer)

BOOST_AUTO_TEST_CASE(gradients_equal_the_delta_rule_at_random_weights) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    tg::Tape tape;
    const ThreeLayer net = draw(tape, seed);
    plain::Network manual = by_hand(net, classic);

    const Step step = record(net, tape.input(x_of(classic)), tape.input(y_of(classic)));
    const double loss = manual.forward(classic.x.data(), classic.y.data());
    manual.backward(classic.x.data(), classic.y.data());

    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST(std::abs(step.loss.item() - loss) <= 1e-15);
      BOOST_TEST(largest_difference(step.gradient.w0.values(), manual.g0) <= 1e-15);
      BOOST_TEST(largest_difference(step.gradient.w1.values(), manual.g1) <= 1e-15);
    }
  }
}

BOOST_AUTO_TEST_CASE(gradients_equal_central_differences) {
  tg::Tape tape;
  const ThreeLayer net = draw(tape, 2);
  const Step step = record(net, tape.input(x_of(classic)), tape.input(y_of(classic)));
  const std::array<double, 16> slope = flat(step.gradient);
  const double h = 1e-5;  // the differences are then right to about h^2 and 1e-16 / h

  for (const tg::Tensor& parameter : {net.w0, net.w1}) {
    const Numbers at = parameter.values();
    for (std::size_t i = 0; i < at.size(); ++i) {
      const auto loss_at = [&](double shift) {
        Numbers shifted = at;
        shifted[i] += shift;
        parameter.set(tg::Array(parameter.shape(), shifted));
        tape.replay(step.loss);
        return step.loss.item();
      };
      const double difference = (loss_at(h) - loss_at(-h)) / (2 * h);
      parameter.set(tg::Array(parameter.shape(), at));
      BOOST_TEST(std::abs(slope[(at.size() == 12 ? 0 : 12) + i] - difference) <= 1e-10);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_gradient_equals_forward_mode) {
  using boost::math::differentiation::make_fvar;
  tg::Tape tape;
  const ThreeLayer net = draw(tape, 3);
  const Step step = record(net, tape.input(x_of(classic)), tape.input(y_of(classic)));
  const std::array<double, 16> w = flat(net), slope = flat(step.gradient);

  using Dual = decltype(make_fvar<double, 1>(0.0));
  for (std::size_t k = 0; k < 16; ++k) {
    std::array<Dual, 16> dual;
    for (std::size_t i = 0; i < 16; ++i) dual[i] = Dual(w[i]);
    dual[k] = make_fvar<double, 1>(w[k]);
    const double forward = loss_of(dual).derivative(1);
    BOOST_TEST_CONTEXT("weight " << k) {
      BOOST_TEST(forward != 0);
      BOOST_TEST(std::abs(slope[k] - forward) <= 1e-15);
    }
  }
}

BOOST_AUTO_TEST_CASE(classic_training_gives_the_published_errors) {
  tg::Tape tape;
  const Numbers errors = train(draw(tape, 1), tape, classic, 6000, 1000);

  const Numbers published{0.4719974039554016,   0.022862729504060507, 0.015513769314459858,
                          0.012440911635886792, 0.01065806095861919,  0.009461599902617876};
  BOOST_TEST(largest_difference(errors, published) <= 1e-12);
}

BOOST_AUTO_TEST_CASE(weights_after_training_equal_those_of_the_delta_rule) {
  tg::Tape tape;
  const ThreeLayer net = draw(tape, 1);
  plain::Network manual = by_hand(net, classic);

  train(net, tape, classic, 6000, 6000);
  for (int i = 0; i < 6000; ++i) {
    manual.forward(classic.x.data(), classic.y.data());
    manual.backward(classic.x.data(), classic.y.data());
    manual.update(1);
  }

  BOOST_TEST(largest_difference(net.w0.values(), manual.w0) <= 1e-12);
  BOOST_TEST(largest_difference(net.w1.values(), manual.w1) <= 1e-12);
}

BOOST_AUTO_TEST_CASE(training_with_float32_stays_near_the_published_errors) {
  tg::Tape tape{tg::float32};
  const Numbers errors = train(draw(tape, 1), tape, classic, 6000, 1000);

  const Numbers published{0.4719974039554016,   0.022862729504060507, 0.015513769314459858,
                          0.012440911635886792, 0.01065806095861919,  0.009461599902617876};
  for (std::size_t i = 0; i < published.size(); ++i)
    BOOST_TEST(errors[i] == published[i], boost::test_tools::tolerance(6e-5));
}

BOOST_AUTO_TEST_CASE(linear_without_bias_is_the_same_network) {
  struct Layers {
    tg::Linear hidden, output;
  };
  tg::Tape tape;
  const ThreeLayer net = draw(tape, 1);
  const Layers layers{{.weight = net.w0}, {.weight = net.w1}};
  const tg::Tensor x = tape.input(x_of(classic));

  const tg::Tensor output = sigmoid(layers.output(sigmoid(layers.hidden(x))));

  BOOST_TEST((output.array() == net(x).array()));
  BOOST_TEST(tg::count_tensors(gradient(sum(output), layers)) == 4u);
  BOOST_TEST(!gradient(sum(output), layers).hidden.bias.defined());
}

// The 3-4-1 network on four rows.

const Numbers sibling_errors{0.4964100319027255,   0.008584525653247157, 0.005789459862507807,
                             0.004629176776769983, 0.003958765280273649, 0.003510122567861676};

BOOST_AUTO_TEST_CASE(sibling_training_gives_the_published_errors_and_outputs) {
  tg::Tape tape;
  const ThreeLayer net = draw(tape, 1);

  // The published outputs are those of the 60000th pass, before its update.
  const Numbers errors = train(net, tape, sibling, 59999, 10000);
  const Numbers outputs = net(tape.input(x_of(sibling))).values();

  BOOST_TEST(largest_difference(errors, sibling_errors) <= 1e-12);
  BOOST_TEST(largest_difference(outputs, {0.00260572459995893, 0.9967220868897564,
                                          0.9970171078634206, 0.00386759309559767}) <= 1e-12);
}

BOOST_AUTO_TEST_CASE(sibling_training_with_float32_stays_near_the_published_errors) {
  tg::Tape tape{tg::float32};

  const Numbers errors = train(draw(tape, 1), tape, sibling, 60000, 10000);

  BOOST_TEST_REQUIRE(errors.size() == sibling_errors.size());
  for (std::size_t i = 0; i < errors.size(); ++i)
    BOOST_TEST(errors[i] == sibling_errors[i], boost::test_tools::tolerance(6e-5));
}

// Names the cause of the other numbers in circulation: a hidden delta taken after w1 has moved.
BOOST_AUTO_TEST_CASE(hidden_deltas_with_updated_weights_give_the_other_published_errors) {
  tg::Tape tape;
  plain::Network manual = by_hand(draw(tape, 1), sibling);
  const double *x = sibling.x.data(), *y = sibling.y.data();

  Numbers errors;
  for (int i = 0; i <= 20000; ++i) {
    manual.forward(x, y);
    if (i % 10000 == 0) {
      double error = 0;
      for (std::size_t row = 0; row < 4; ++row) error += std::abs(y[row] - manual.l2[row]) / 4;
      errors.push_back(error);
    }
    manual.backward(x, y);
    for (std::size_t j = 0; j < 4; ++j) manual.w1[j] -= manual.g1[j];
    manual.backward(x, y);  // the same l1 and l2, but the hidden delta goes through the new w1
    for (std::size_t j = 0; j < 12; ++j) manual.w0[j] -= manual.g0[j];
  }

  BOOST_TEST(largest_difference(errors, {0.4964100319027255, 0.008585073737962835,
                                         0.005790638403941807}) <= 1e-12);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
