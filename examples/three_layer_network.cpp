// The classic first network: three inputs, four hidden neurons, one output, sigmoids, no biases,
// trained on five rows. Textbooks train it with deltas worked out by hand. Here the gradients come
// from the tape, and one function, delta_rule, plays the same training by hand, to compare with.
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <tapegrad/tapegrad.hpp>

#include <boost/program_options.hpp>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <stdexcept>
#include <vector>

namespace tg = tapegrad;

namespace {

struct ThreeLayer {
  tg::Tensor w0, w1;  // (3, 4) and (4, 1)

  tg::Tensor operator()(tg::Tensor x) const {
    tg::Tensor l1 = sigmoid(matmul(x, w0));  // (5, 3) x (3, 4) -> (5, 4)
    return sigmoid(matmul(l1, w1));          // (5, 4) x (4, 1) -> (5, 1)
  }
};

struct Step {  // what one round of training computes
  tg::Tensor error, loss;
  ThreeLayer gradient;
};

/// All weights side by side: w0 row by row, then w1.
std::vector<double> flat(const ThreeLayer& net) {
  std::vector<double> weights = net.w0.values();
  for (double w : net.w1.values()) weights.push_back(w);
  return weights;
}

/// The slope of the loss by each weight, by textbook deltas: what the textbook adds is minus that.
std::vector<double> delta_rule(const std::vector<double>& weights, const tg::Array& x,
                               const tg::Array& y) {
  const auto sigmoid = [](double net) { return 1 / (1 + std::exp(-net)); };
  std::vector<double> slopes(16);
  const double *w0 = weights.data(), *w1 = w0 + 12;
  double *w0_slope = slopes.data(), *w1_slope = w0_slope + 12;
  for (int row = 0; row < 5; ++row) {
    double l1[4], l2_net = 0;
    for (int j = 0; j < 4; ++j) {
      double l1_net = 0;
      for (int i = 0; i < 3; ++i) l1_net += x.at(row, i) * w0[4 * i + j];
      l1[j] = sigmoid(l1_net);
      l2_net += l1[j] * w1[j];
    }
    const double l2 = sigmoid(l2_net);
    const double l2_delta = (y.at(row, 0) - l2) * (l2 * (1 - l2));
    for (int j = 0; j < 4; ++j) {
      const double l1_delta = (l2_delta * w1[j]) * (l1[j] * (1 - l1[j]));
      for (int i = 0; i < 3; ++i) w0_slope[4 * i + j] -= x.at(row, i) * l1_delta;
      w1_slope[j] -= l1[j] * l2_delta;
    }
  }
  return slopes;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= largest)) largest = std::abs(a[i] - b[i]);  // or NaN
  return largest;
}

struct Options {
  bool help = false;
  std::int64_t steps = 0, seed = 0;
  double learning_rate = 0;
};

/// Whether the tape and the delta rule agree.
bool train(const Options& options) {
  const auto x = tg::Array::from({{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {0, 0, 1}, {0, 0, 1}});
  const auto y = tg::Array::from({{0}, {1}, {1}, {0}, {0}});
  fmt::print("{}\n{}\n", text(x.shape()), text(y.shape()));

  tg::Tape tape;
  tg::Random random{static_cast<std::uint32_t>(options.seed)};
  ThreeLayer net;
  net.w0 = tape.parameter(random.uniform(-1, 1, tg::Shape{3, 4}));
  net.w1 = tape.parameter(random.uniform(-1, 1, tg::Shape{4, 1}));
  fmt::print("{}\n{}\n", net.w0, net.w1);

  // Recorded at its first call; later calls replay the records, the gradient's among them.
  auto step = tg::compile(tape, [&](tg::Tensor input, tg::Tensor target) {
    tg::Tensor output = net(input);
    tg::Tensor loss = half_squared_error(output, target);
    return Step{mean(abs(target - output)), loss, gradient(loss, net)};
  });
  tg::Sgd sgd{.learning_rate = options.learning_rate};

  std::vector<double> by_hand = flat(net);
  const double gradient_difference =
      largest_difference(flat(step(x, y).gradient), delta_rule(by_hand, x, y));

  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t i = 0; i < options.steps; ++i) {
    const Step& now = step(x, y);
    if (i % 1000 == 0) fmt::print("error{}\n", now.error.item());
    sgd.step(net, now.gradient);
  }
  const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;

  for (std::int64_t n = 0; n < options.steps; ++n) {
    const std::vector<double> slopes = delta_rule(by_hand, x, y);
    for (std::size_t i = 0; i < 16; ++i) by_hand[i] -= options.learning_rate * slopes[i];
  }
  const double weight_difference = largest_difference(flat(net), by_hand);

  fmt::print("\nlargest difference between tape and delta rule\n");
  fmt::print("  gradient at the first step  {:.2}\n", gradient_difference);
  fmt::print("  weights after the last      {:.2}\n", weight_difference);
  fmt::print("loss {}\n", step(x, y).loss.item());
  fmt::print("time per step {:.2f} us\n", time.count() / static_cast<double>(options.steps));
  return gradient_difference <= 1e-12 && weight_difference <= 1e-12;
}

Options parse(int argc, char** argv) {
  namespace po = boost::program_options;
  Options options;
  po::options_description known("The three-layer network, trained by gradients from a tape");
  auto option = known.add_options();
  option("help", po::bool_switch(&options.help), "print this text");
  option("steps", po::value(&options.steps)->default_value(6000), "how many, above 0");
  option("learning-rate", po::value(&options.learning_rate)->default_value(1), "above 0");
  option("seed", po::value(&options.seed)->default_value(1), "of the initial weights");
  po::variables_map values;
  po::store(po::command_line_parser(argc, argv).options(known).positional({}).run(), values);
  po::notify(values);
  if (options.help) fmt::print("{}", fmt::streamed(known));
  if (options.steps < 1) throw std::invalid_argument("--steps must be a whole number above 0");
  if (options.seed < 0 || options.seed > std::numeric_limits<std::uint32_t>::max())
    throw std::invalid_argument("--seed must be a whole number from 0 to 4294967295");
  if (!(options.learning_rate > 0) || !std::isfinite(options.learning_rate))
    throw std::invalid_argument("--learning-rate must be a number above 0");
  return options;
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options = parse(argc, argv);
  if (options.help || train(options)) return 0;
  fmt::print(stderr, "three_layer_network: tape and delta rule differ by more than 1e-12\n");
  return 1;
} catch (const std::exception& error) {
  fmt::print(stderr, "three_layer_network: {}\n", error.what());
  return 2;
}
