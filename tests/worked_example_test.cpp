// Every number of the 2-2-2 example: forward, backward, one update, ten thousand; with the weights
// alone trained, with biases of each kind, and in the wrong order that a well-known text published.
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using Numbers = std::vector<double>;

enum class Bias { constant, shared, own };

struct Net {
  tg::Linear hidden, output;
};

/// Weights as (in, out): the text's matrices, one row per neuron, transposed.
Net make(tg::Tape& tape, Bias bias) {
  const auto layer = [&](const tg::Values& weight, double b) {
    tg::Linear result;
    result.weight = tape.parameter(weight);
    result.bias = bias == Bias::constant ? tape.constant(b)
                  : bias == Bias::shared ? tape.parameter(b)
                                         : tape.parameter({b, b});
    return result;
  };
  return {layer({{0.15, 0.25}, {0.20, 0.30}}, 0.35), layer({{0.40, 0.50}, {0.45, 0.55}}, 0.60)};
}

struct Pass {
  tg::Tensor net_h, out_h, net_o, out_o, E;
};

Pass forward(const Net& net, const tg::Tensor& x, const tg::Tensor& target) {
  Pass p;
  p.net_h = net.hidden(x).named("net_h");
  p.out_h = sigmoid(p.net_h);
  p.net_o = net.output(p.out_h).named("net_o");
  p.out_o = sigmoid(p.net_o);
  p.E = half_squared_error(p.out_o, target);
  return p;
}

struct Example {
  explicit Example(Bias bias = Bias::constant)
      : net(make(tape, bias)),
        x(tape.input({{0.05, 0.10}})),
        target(tape.input({{0.01, 0.99}})),
        pass(forward(net, x, target)) {}
  tg::Tape tape;
  Net net;
  tg::Tensor x, target;
  Pass pass;
};

/// The weights of a layer in the text's order, neuron by neuron.
Numbers by_neuron(const tg::Tensor& weight) { return transpose(weight).values(); }

/// Equal to the 15 digits that the reference numbers carry.
void equal(const Numbers& got, const Numbers& wanted) {
  BOOST_TEST_REQUIRE(got.size() == wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    BOOST_TEST(got[i] == wanted[i], boost::test_tools::tolerance(1e-15 * 5));
}

struct Trained {
  double E;
  Numbers out;
};

/// Output and error after some updates with learning rate 0.5.
Trained train(Bias bias, int rounds) {
  tg::Tape tape;
  const Net net = make(tape, bias);
  auto round = tg::compile(tape, [&](tg::Tensor x, tg::Tensor target) {
    const Pass p = forward(net, x, target);
    return std::tuple{p.E, p.out_o, gradient(p.E, net)};
  });
  tg::Sgd sgd{.learning_rate = 0.5};
  for (int i = 0; i < rounds; ++i) {
    const auto& [E, out, slopes] = round({{0.05, 0.10}}, {{0.01, 0.99}});
    sgd.step(net, slopes);
  }
  const auto& [E, out, slopes] = round({{0.05, 0.10}}, {{0.01, 0.99}});
  return {E.item(), out.values()};
}

/// Plain loops in which the output weights move before the hidden deltas are taken.
struct WrongOrder {
  std::array<double, 8> w{.15, .20, .25, .30, .40, .45, .50, .55};
  std::array<double, 2> out{};
  double E = 0;

  void look() { run(false); }
  void update() { run(true); }

 private:
  void run(bool update) {
    const double x[] = {.05, .10}, target[] = {.01, .99}, b1 = .35, b2 = .60;
    const auto squash = [](double net) { return 1 / (1 + std::exp(-net)); };
    double h[2], delta[2];
    for (std::size_t i = 0; i < 2; ++i) h[i] = squash(w[2 * i] * x[0] + w[2 * i + 1] * x[1] + b1);
    E = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      out[i] = squash(w[4 + 2 * i] * h[0] + w[5 + 2 * i] * h[1] + b2);
      E += (target[i] - out[i]) * (target[i] - out[i]) / 2;
      delta[i] = (out[i] - target[i]) * out[i] * (1 - out[i]);
    }
    if (!update) return;
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t j = 0; j < 2; ++j) w[4 + 2 * i + j] -= 0.5 * delta[i] * h[j];
    for (std::size_t j = 0; j < 2; ++j) {  // too late: w[4..7] are new
      const double sum = delta[0] * w[4 + j] + delta[1] * w[6 + j];
      for (std::size_t i = 0; i < 2; ++i) w[2 * j + i] -= 0.5 * sum * h[j] * (1 - h[j]) * x[i];
    }
  }
};

BOOST_AUTO_TEST_SUITE(worked_example)

BOOST_AUTO_TEST_CASE(forward_pass_gives_the_numbers_of_the_text) {
  const Example e;
  equal(e.pass.net_h.values(), {0.3775, 0.39249999999999996});
  equal(e.pass.out_h.values(), {0.59326999210718723, 0.59688437825976703});
  equal(e.pass.net_o.values(), {1.10590596705977, 1.2249214040964653});
  equal(e.pass.out_o.values(), {0.75136506955231575, 0.77292846532146253});
  equal({e.pass.E.item()}, {0.29837110876000272});
}

BOOST_AUTO_TEST_CASE(error_of_each_output_is_half_its_squared_error) {
  const Example e;
  const tg::Tensor each = 0.5 * square(e.target - e.pass.out_o);
  equal(each.values(), {0.27481108317615499, 0.023560025583847746});
}

BOOST_AUTO_TEST_CASE(mse_loss_is_the_same_here_only_because_two_outputs_are_averaged) {
  const Example e;
  equal({mse_loss(e.pass.out_o, e.target).item()}, {e.pass.E.item()});
  equal({mse_loss(slice(e.pass.out_o, 1, 0, 1), slice(e.target, 1, 0, 1)).item()},
        {2 * 0.27481108317615499});
}

BOOST_AUTO_TEST_CASE(deltas_are_gradients_by_what_goes_into_a_neuron) {
  const Example e;
  const auto [delta_o, dE_dout_h, delta_h] =
      gradient(e.pass.E, e.pass.net_o, e.pass.out_h, e.pass.net_h);
  equal(delta_o.values(), {0.13849856162855695, -0.038098236516556236});
  equal(dE_dout_h.values(), {0.036350306393144662, 0.041370322648744698});
  equal(delta_h.values(), {0.0087713546894869297, 0.0099542547052171963});
}

BOOST_AUTO_TEST_CASE(gradients_by_the_weights_are_those_of_the_text) {
  const Example e;
  const Net slopes = gradient(e.pass.E, e.net);
  equal(by_neuron(slopes.output.weight),
        {0.08216704056423077, 0.082667627847533245, -0.022602540477475071, -0.022740242215978222});
  equal(by_neuron(slopes.hidden.weight), {0.00043856773447434653, 0.00087713546894869305,
                                          0.00049771273526085988, 0.00099542547052171976});
}

BOOST_AUTO_TEST_CASE(gradient_by_a_bias_of_its_own_is_the_delta) {
  const Example e(Bias::own);
  const Net slopes = gradient(e.pass.E, e.net);
  equal(slopes.output.bias.values(), {0.13849856162855695, -0.038098236516556236});
  equal(slopes.hidden.bias.values(), {0.0087713546894869297, 0.0099542547052171963});
}

BOOST_AUTO_TEST_CASE(gradient_by_a_shared_bias_is_the_sum_of_the_deltas) {
  const Example e(Bias::shared);
  const Net slopes = gradient(e.pass.E, e.net);
  equal({slopes.hidden.bias.item()}, {0.018725609394704128});
  equal({slopes.output.bias.item()}, {0.10040032511200071});
}

BOOST_AUTO_TEST_CASE(constant_bias_has_no_gradient_in_the_struct_but_may_be_asked_for) {
  const Example e;
  BOOST_TEST(!gradient(e.pass.E, e.net).hidden.bias.defined());
  equal({gradient(e.pass.E, e.net.hidden.bias).item()}, {0.018725609394704128});
}

BOOST_AUTO_TEST_CASE(one_step_moves_the_weights_to_those_of_the_text) {
  const Example e;
  tg::Sgd{.learning_rate = 0.5}.step(e.net, gradient(e.pass.E, e.net));
  equal(by_neuron(e.net.hidden.weight),
        {0.14978071613276281, 0.19956143226552567, 0.24975114363236958, 0.29950228726473915});
  equal(by_neuron(e.net.output.weight),
        {0.35891647971788465, 0.4086661860762334, 0.5113012702387375, 0.56137012110798912});
}

BOOST_AUTO_TEST_CASE(errors_after_one_step_are_known_for_each_kind_of_bias) {
  equal({train(Bias::constant, 1).E}, {0.29102777369359933});
  equal({train(Bias::shared, 1).E}, {0.28575088669929649});
  equal({train(Bias::own, 1).E}, {0.28047144679143016});
}

// The rounds amplify the last bits: 1e-12, relative, is left of the fifteen digits.
BOOST_AUTO_TEST_CASE(ten_thousand_steps_of_the_weights_alone_give_known_outputs,
                     *boost::unit_test::tolerance(1e-12)) {
  const Trained t = train(Bias::constant, 10000);
  BOOST_TEST(t.out[0] == 0.015913620443550679);
  BOOST_TEST(t.out[1] == 0.98406427351462378);
  BOOST_TEST(t.E == 3.510187782978859e-05);
}

BOOST_AUTO_TEST_CASE(ten_thousand_steps_with_own_biases_give_known_outputs,
                     *boost::unit_test::tolerance(1e-12)) {
  const Trained t = train(Bias::own, 10000);
  BOOST_TEST(t.out[0] == 0.011587527390870083);
  BOOST_TEST(t.out[1] == 0.98845893502567161);
  BOOST_TEST(t.E == 2.4475622359322466e-06);
}

BOOST_AUTO_TEST_CASE(published_closing_numbers_come_from_hidden_deltas_with_updated_weights,
                     *boost::unit_test::tolerance(1e-12)) {
  WrongOrder wrong;
  wrong.update();
  BOOST_TEST(wrong.w[0] == 0.14981763856120295);
  BOOST_TEST(wrong.w[4] == 0.35891647971788465);  // the output weights are right
  wrong.look();
  BOOST_TEST(wrong.E == 0.291027923905442);
  for (int i = 1; i < 10000; ++i) wrong.update();
  wrong.look();
  BOOST_TEST(wrong.out[0] == 0.0159121963260343);
  BOOST_TEST(wrong.out[1] == 0.984065734485629);
  BOOST_TEST(wrong.E == 3.50847862963e-05);
}

BOOST_AUTO_TEST_CASE(matrices_typed_one_row_per_neuron_give_other_numbers) {
  tg::Tape tape;
  const tg::Linear hidden{tape.parameter({{0.15, 0.20}, {0.25, 0.30}}), tape.constant(0.35)};
  equal(hidden(tape.input({{0.05, 0.10}})).values(), {0.3825, 0.39});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
