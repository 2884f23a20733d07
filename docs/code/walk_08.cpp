// Page 8 of docs/walk/: a batch through the three-layer network, by the rule of the textbooks in
// plain loops, and on the tape.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sections.hpp"
#include "walk_page.hpp"

namespace tg = tapegrad;
namespace {

using walk::agree;
using walk::factor;
using walk::number;

// ---------------------------------------------------------------- by hand

/// Numbers in rows. It adds and multiplies nothing: the loops below do.
struct Matrix {
  std::size_t rows, columns;
  std::vector<double> numbers;

  Matrix(std::size_t rows_, std::size_t columns_)
      : rows(rows_), columns(columns_), numbers(rows_ * columns_) {}
  explicit Matrix(const tg::Array& a)
      : rows(static_cast<std::size_t>(a.shape()[0])),
        columns(static_cast<std::size_t>(a.shape()[1])),
        numbers(a.values()) {}
  double& operator()(std::size_t row, std::size_t column) {
    return numbers[row * columns + column];
  }
  double operator()(std::size_t row, std::size_t column) const {
    return numbers[row * columns + column];
  }
  tg::Array array() const {
    return {tg::Shape{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)},
            numbers};
  }
};

struct Network {
  Matrix x, y, w0, w1;
};

Network three_layer() {
  tg::Random random{1};
  const auto x = tg::Array::from({{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {0, 0, 1}, {0, 0, 1}});
  const auto y = tg::Array::from({{0}, {1}, {1}, {0}, {0}});
  const tg::Array w0 = random.uniform(-1, 1, tg::Shape{3, 4});
  const tg::Array w1 = random.uniform(-1, 1, tg::Shape{4, 1});
  return {Matrix{x}, Matrix{y}, Matrix{w0}, Matrix{w1}};
}

double sigmoid(double net) { return 1 / (1 + std::exp(-net)); }

struct Forward {
  Matrix net1, l1, net2, l2;
  double loss = 0, mean_difference = 0;
};

Forward forward(const Network& n) {
  const std::size_t rows = n.x.rows, inputs = n.w0.rows, hidden = n.w0.columns;
  const std::size_t outputs = n.w1.columns;
  Forward f{{rows, hidden}, {rows, hidden}, {rows, outputs}, {rows, outputs}};
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t j = 0; j < hidden; ++j) {
      for (std::size_t i = 0; i < inputs; ++i) f.net1(r, j) += n.x(r, i) * n.w0(i, j);
      f.l1(r, j) = sigmoid(f.net1(r, j));
    }
    for (std::size_t k = 0; k < outputs; ++k) {
      for (std::size_t j = 0; j < hidden; ++j) f.net2(r, k) += f.l1(r, j) * n.w1(j, k);
      f.l2(r, k) = sigmoid(f.net2(r, k));
      const double difference = n.y(r, k) - f.l2(r, k);
      f.loss += 0.5 * difference * difference;
      f.mean_difference += std::abs(difference) / static_cast<double>(rows * outputs);
    }
  }
  return f;
}

struct Backward {
  Matrix delta2, delta1, slope1, slope0;  // dE/dnet2, dE/dnet1, dE/dw1, dE/dw0
};

// [by-hand]
Backward backward(const Network& n, const Forward& f) {
  const std::size_t rows = n.x.rows, inputs = n.w0.rows, hidden = n.w0.columns;
  const std::size_t outputs = n.w1.columns;
  Backward b{{rows, outputs}, {rows, hidden}, {hidden, outputs}, {inputs, hidden}};
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t k = 0; k < outputs; ++k)
      b.delta2(r, k) = (f.l2(r, k) - n.y(r, k)) * (f.l2(r, k) * (1 - f.l2(r, k)));
    for (std::size_t j = 0; j < hidden; ++j) {
      double sum = 0;  // over the paths from l1[r, j] to E: one through each output
      for (std::size_t k = 0; k < outputs; ++k) sum += b.delta2(r, k) * n.w1(j, k);
      b.delta1(r, j) = sum * (f.l1(r, j) * (1 - f.l1(r, j)));
    }
    // Each row adds its share: one weight serves them all.
    for (std::size_t j = 0; j < hidden; ++j)
      for (std::size_t k = 0; k < outputs; ++k) b.slope1(j, k) += f.l1(r, j) * b.delta2(r, k);
    for (std::size_t i = 0; i < inputs; ++i)
      for (std::size_t j = 0; j < hidden; ++j) b.slope0(i, j) += n.x(r, i) * b.delta1(r, j);
  }
  return b;
}
// [/by-hand]

/// w -= rate * slope
void descend(Matrix& w, const Matrix& slope, double rate) {
  for (std::size_t i = 0; i < w.numbers.size(); ++i) w.numbers[i] -= rate * slope.numbers[i];
}

Network after_step(Network n, const Backward& b, double rate = 1) {
  descend(n.w0, b.slope0, rate);
  descend(n.w1, b.slope1, rate);
  return n;
}

/// The same network with one of its rows only.
Network one_row(const Network& n, std::size_t row) {
  Network result{{1, n.x.columns}, {1, n.y.columns}, n.w0, n.w1};
  for (std::size_t i = 0; i < n.x.columns; ++i) result.x(0, i) = n.x(row, i);
  for (std::size_t k = 0; k < n.y.columns; ++k) result.y(0, k) = n.y(row, k);
  return result;
}

// The elements that the page follows.
constexpr std::size_t row = 1, input = 2, neuron = 0;

struct Story {
  Network net = three_layer();
  Forward f = forward(net);
  Backward b = backward(net, f);
};

double difference(Network n, Matrix Network::*matrix, std::size_t i, std::size_t j) {
  double& w = (n.*matrix)(i, j);
  const auto loss = [&](double at) {
    w = at;
    return forward(n).loss;
  };
  return walk::difference(loss, w);
}

// ---------------------------------------------------------------- on the tape

struct OnTape {
  tg::Tape tape;
  tg::Tensor x, y, w0, w1, net1, l1, net2, l2, loss;
  tg::Tensor delta2, delta1, slope1, slope0;

  void train(int steps);
};

OnTape on_tape() {
  OnTape t;
  tg::Tape& tape = t.tape;
  tg::Random random{1};
  // [tape]
  const tg::Tensor x = tape.input({{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {0, 0, 1}, {0, 0, 1}});
  const tg::Tensor y = tape.input({{0}, {1}, {1}, {0}, {0}});
  const tg::Tensor w0 = tape.parameter(random.uniform(-1, 1, tg::Shape{3, 4})).named("w0");
  const tg::Tensor w1 = tape.parameter(random.uniform(-1, 1, tg::Shape{4, 1})).named("w1");

  const tg::Tensor net1 = matmul(x, w0).named("net1");
  const tg::Tensor l1 = sigmoid(net1).named("l1");
  const tg::Tensor net2 = matmul(l1, w1).named("net2");
  const tg::Tensor l2 = sigmoid(net2).named("l2");
  const tg::Tensor loss = half_squared_error(l2, y).named("E");

  const auto [delta2, delta1, slope1, slope0] = gradient(loss, net2, net1, w1, w0);
  // [/tape]
  t.x = x, t.y = y, t.w0 = w0, t.w1 = w1, t.net1 = net1, t.l1 = l1, t.net2 = net2, t.l2 = l2;
  t.loss = loss, t.delta2 = delta2, t.delta1 = delta1, t.slope1 = slope1, t.slope0 = slope0;
  return t;
}

void OnTape::train(int steps) {
  // [train]
  struct Net {
    tg::Tensor w0, w1;
  };
  tg::Sgd sgd{.learning_rate = 1.0};
  for (int step = 0; step < steps; ++step) {
    sgd.step(Net{w0, w1}, Net{slope0, slope1});
    tape.replay(loss, slope0, slope1);
  }
  // [/train]
}

void agree(const Matrix& by_hand, const tg::Tensor& by_tape, std::string_view what,
           double bound = 1e-15) {
  const std::vector<double> values = by_tape.values();
  walk::require(values.size() == by_hand.numbers.size(), what);
  for (std::size_t i = 0; i < values.size(); ++i) agree(by_hand.numbers[i], values[i], what, bound);
}

// ---------------------------------------------------------------- the page

std::string in_brackets(const Matrix& m) {
  std::string result = "\\begin{bmatrix} ";
  for (std::size_t i = 0; i < m.rows; ++i) {
    if (i > 0) result += " \\\\ ";
    for (std::size_t j = 0; j < m.columns; ++j)
      result += fmt::format("{}{:.4f}", j > 0 ? " & " : "", m(i, j));
  }
  return result + " \\end{bmatrix}";
}

void symbols() {
  const Story s;
  const auto line = [](std::string_view symbol, std::string_view script, const Matrix& m,
                       std::string_view value, std::string_view meaning) {
    fmt::print("| {} | {} | ({}, {}) | {} | {} |\n", symbol, script, m.rows, m.columns, value,
               meaning);
  };
  const auto values = [](const Matrix& m) { return fmt::format("$`{}`$", in_brackets(m)); };
  fmt::print("| symbol | in the script | shape | value | what it is |\n|---|---|---|---|---|\n");
  line("$`x`$", "`x`", s.net.x, "see below", "inputs, one sample in each row");
  line("$`y`$", "`y`", s.net.y, "see below", "targets");
  line("$`w_0`$", "`w0`", s.net.w0, values(s.net.w0),
       "weights from input $`i`$ to hidden neuron $`j`$");
  line("$`w_1`$", "`w1`", s.net.w1, values(s.net.w1),
       "weights from hidden neuron $`j`$ to output $`k`$");
  line("$`l_1`$", "`l1`", s.f.l1, "see below", "what leaves the hidden neurons");
  line("$`l_2`$", "`l2`", s.f.l2, "see below", "what leaves the output");
  fmt::print("| $`E`$ | | () | {} | the loss, one number |\n", number(s.f.loss));
  line("$`\\delta_2`$", "`-l2_delta`", s.b.delta2, "to be computed",
       "$`\\partial E / \\partial \\mathit{net}_2`$");
  line("$`\\delta_1`$", "`-l1_delta`", s.b.delta1, "to be computed",
       "$`\\partial E / \\partial \\mathit{net}_1`$");
}

void forward_pass() {
  const Story s;
  fmt::print("| row $`r`$ | $`x`$ | $`l_1[r,{}]`$ | $`l_2`$ | $`y`$ |\n|---|---|---:|---:|---:|\n",
             neuron);
  for (std::size_t r = 0; r < s.net.x.rows; ++r)
    fmt::print("| {} | {}, {}, {} | {:.6f} | {:.6f} | {} |\n", r, s.net.x(r, 0), s.net.x(r, 1),
               s.net.x(r, 2), s.f.l1(r, neuron), s.f.l2(r, 0), s.net.y(r, 0));
}

/// One row, one weight: all factors in one line.
void chain() {
  const Story s;
  const Network one = one_row(s.net, row);
  const Forward f = forward(one);
  const Backward b = backward(one, f);
  const double l1 = f.l1(0, neuron), l2 = f.l2(0, 0);
  fmt::print(
      "```math\n"
      "\\frac{{\\partial E_{0}}}{{\\partial w_0[{1},{2}]}} = "
      "\\underbrace{{{3}}}_{{l_2 - y}} \\cdot \\underbrace{{{4}}}_{{l_2 (1 - l_2)}} \\cdot "
      "\\underbrace{{{5}}}_{{w_1[{2},0]}} \\cdot \\underbrace{{{6}}}_{{l_1 (1 - l_1)}} \\cdot "
      "\\underbrace{{{7}}}_{{x[{0},{1}]}} = {8}\n```\n",
      row, input, neuron, factor(l2 - one.y(0, 0)), number(l2 * (1 - l2)),
      factor(one.w1(neuron, 0)), number(l1 * (1 - l1)), number(one.x(0, input)),
      number(b.slope0(input, neuron)));
  walk::you_should_see(b.slope0(input, neuron), difference(one, &Network::w0, input, neuron));
}

/// What each row has to say about one weight.
void rows() {
  const Story s;
  fmt::print("| row | $`x[r,{0}]`$ | $`\\delta_1[r,{1}]`$ | product |\n|---|---:|---:|---:|\n",
             input, neuron);
  double sum = 0;
  for (std::size_t r = 0; r < s.net.x.rows; ++r) {
    const double share = s.net.x(r, input) * s.b.delta1(r, neuron);
    fmt::print("| {} | {} | {} | {} |\n", r, number(s.net.x(r, input)),
               number(s.b.delta1(r, neuron)), number(share));
    sum += share;
  }
  fmt::print("| sum | | | {} |\n", number(sum));
  agree(sum, s.b.slope0(input, neuron), "the sum over the rows");
  walk::you_should_see(sum, difference(s.net, &Network::w0, input, neuron));
}

void agreement() {
  const Story s;
  const OnTape t = on_tape();
  agree(s.f.net1, t.net1, "net1");
  agree(s.f.l1, t.l1, "l1");
  agree(s.f.net2, t.net2, "net2");
  agree(s.f.l2, t.l2, "l2");
  agree(s.f.loss, t.loss.item(), "E");
  agree(s.b.delta2, t.delta2, "delta2");
  agree(s.b.delta1, t.delta1, "delta1");
  agree(s.b.slope1, t.slope1, "dE/dw1");
  agree(s.b.slope0, t.slope0, "dE/dw0");
  for (std::size_t j = 0; j < s.net.w1.rows; ++j)
    agree(s.b.slope1(j, 0), difference(s.net, &Network::w1, j, 0), "dE/dw1", 1e-9);
  for (std::size_t i = 0; i < s.net.w0.rows; ++i)
    for (std::size_t j = 0; j < s.net.w0.columns; ++j)
      agree(s.b.slope0(i, j), difference(s.net, &Network::w0, i, j), "dE/dw0", 1e-9);
  const auto line = [](const std::string& what, double by_hand, double by_tape) {
    fmt::print("| {} | {:.12f} | {:.12f} |\n", what, by_hand, by_tape);
  };
  fmt::print("| | by hand | on the tape |\n|---|---:|---:|\n");
  line("$`E`$", s.f.loss, t.loss.item());
  line(fmt::format("$`\\delta_2[{},0]`$", row), s.b.delta2(row, 0), t.delta2.at(row, 0));
  line(fmt::format("$`\\delta_1[{},{}]`$", row, neuron), s.b.delta1(row, neuron),
       t.delta1.at(row, neuron));
  line(fmt::format("$`\\partial E / \\partial w_1[{},0]`$", neuron), s.b.slope1(neuron, 0),
       t.slope1.at(neuron, 0));
  line(fmt::format("$`\\partial E / \\partial w_0[{},{}]`$", input, neuron),
       s.b.slope0(input, neuron), t.slope0.at(input, neuron));
}

/// Six thousand steps of both.
void training() {
  Network by_hand = three_layer();
  OnTape t = on_tape();
  constexpr int often = 2000, steps = 6000;
  fmt::print(
      "| step | by hand: $`E`$ | on the tape: $`E`$ | mean of $`\\lvert y - l_2 \\rvert`$ |\n");
  fmt::print("|---:|---:|---:|---:|\n");
  for (int step = 0;; ++step) {
    const Forward f = forward(by_hand);
    if (step % often == 0) {
      agree(f.loss, t.loss.item(), "E", 1e-14);
      agree(f.l2, t.l2, "l2", 1e-13);
      fmt::print("| {} | {:.12f} | {:.12f} | {:.12f} |\n", step, f.loss, t.loss.item(),
                 f.mean_difference);
    }
    if (step == steps) break;
    by_hand = after_step(by_hand, backward(by_hand, f));
    t.train(1);
  }
  agree(by_hand.w0, t.w0, "w0", 1e-12);
  agree(by_hand.w1, t.w1, "w1", 1e-12);
  fmt::print("\nAll {} weights agree to 1e-12 after the last step.\n",
             by_hand.w0.numbers.size() + by_hand.w1.numbers.size());
}

// ---------------------------------------------------------------- mistakes, each with its number

/// The slopes that follow from deltas: of the outputs, and a rule for those of the hidden neurons.
template <class HiddenDelta>
Backward from_deltas(const Story& s, const Matrix& delta2, const HiddenDelta& hidden) {
  Backward b{delta2,
             {s.f.l1.rows, s.f.l1.columns},
             {s.net.w1.rows, s.net.w1.columns},
             {s.net.w0.rows, s.net.w0.columns}};
  for (std::size_t r = 0; r < s.net.x.rows; ++r)
    for (std::size_t j = 0; j < s.net.w0.columns; ++j) {
      b.delta1(r, j) = hidden(delta2(r, 0), j, s.f.l1(r, j));
      b.slope1(j, 0) += s.f.l1(r, j) * delta2(r, 0);
      for (std::size_t i = 0; i < s.net.w0.rows; ++i)
        b.slope0(i, j) += s.net.x(r, i) * b.delta1(r, j);
    }
  return b;
}

void mistakes() {
  const Story s;
  const double right = s.b.slope0(input, neuron), right_loss = forward(after_step(s.net, s.b)).loss;
  int climb = 0, fall_more = 0;
  const auto line = [&](std::string_view what, const Backward& b) {
    walk::require(&b == &s.b || std::abs(b.slope0(input, neuron) - right) > 1e-6,
                  "a mistake shows");
    const double loss = forward(after_step(s.net, b)).loss;
    climb += loss > s.f.loss ? 1 : 0;
    fall_more += loss < right_loss ? 1 : 0;
    fmt::print("| {} | {} | {} |\n", what, number(b.slope0(input, neuron)), number(loss));
  };
  const Matrix &w1 = s.net.w1, new_w1 = after_step(s.net, s.b).w1;
  const auto rule = [&](double delta2, std::size_t j, double l1) {
    return delta2 * w1(j, 0) * (l1 * (1 - l1));
  };
  const auto by_new = [&](double delta2, std::size_t j, double l1) {
    return delta2 * new_w1(j, 0) * (l1 * (1 - l1));
  };
  const auto no_slope = [&](double delta2, std::size_t j, double) { return delta2 * w1(j, 0); };
  const auto of_output = [&](double delta2, std::size_t j, double l1) {
    return delta2 * w1(j, 0) * (sigmoid(l1) * (1 - sigmoid(l1)));
  };
  Matrix bare = s.b.delta2, averaged = s.b.delta2, turned = s.b.delta2, last(5, 1);
  for (std::size_t r = 0; r < bare.rows; ++r) {
    bare(r, 0) = s.f.l2(r, 0) - s.net.y(r, 0);
    averaged(r, 0) /= static_cast<double>(bare.rows);
    turned(r, 0) = -turned(r, 0);
  }
  last(4, 0) = s.b.delta2(4, 0);

  fmt::print(
      "| mistake | $`\\partial E / \\partial w_0[{},{}]`$ | $`E`$ after one step "
      "|\n|---|---:|---:|\n",
      input, neuron);
  line("none", s.b);
  line("`=` where `+=` is meant: the last row overwrites the others", from_deltas(s, last, rule));
  line("mean over the rows instead of the sum", from_deltas(s, averaged, rule));
  line("$`y - l_2`$ with `-=`", from_deltas(s, turned, rule));
  line("hidden delta with the *new* $`w_1`$", from_deltas(s, s.b.delta2, by_new));
  line("no $`l_2 (1 - l_2)`$ in $`\\delta_2`$", from_deltas(s, bare, rule));
  line("no $`l_1 (1 - l_1)`$ in $`\\delta_1`$", from_deltas(s, s.b.delta2, no_slope));
  line("$`\\sigma'(l_1)`$ where $`\\sigma'(\\mathit{net}_1)`$ is meant",
       from_deltas(s, s.b.delta2, of_output));
  walk::require(climb == 1 && fall_more > 0, "what page 10 says of mistakes");
}

// ---------------------------------------------------------------- sum or mean

void mean_of_squares() {
  const Story s;
  tg::Tape tape;
  const tg::Tensor x = tape.input(s.net.x.array()), y = tape.input(s.net.y.array());
  const tg::Tensor w0 = tape.parameter(s.net.w0.array()), w1 = tape.parameter(s.net.w1.array());
  const tg::Tensor l2 = sigmoid(matmul(sigmoid(matmul(x, w0)), w1));
  const double of_sum = gradient(half_squared_error(l2, y), w0).at(input, neuron);
  const double of_half_mean =
      gradient(half_squared_error(l2, y, tg::Reduction::mean), w0).at(input, neuron);
  const double of_mean = gradient(mse_loss(l2, y), w0).at(input, neuron);
  const auto line = [&](std::string_view loss, std::string_view code, double slope) {
    const double rate = of_sum / slope;
    agree(rate, std::round(10 * rate) / 10, "a round learning rate", 1e-12);
    agree(rate * slope, s.b.slope0(input, neuron), "the same step");
    fmt::print("| {} | {} | {} | {:.1f} |\n", loss, code, number(slope), rate);
  };
  fmt::print(
      "| loss | on the tape | $`\\partial / \\partial w_0[{},{}]`$ | learning rate for the same "
      "step |\n|---|---|---:|---:|\n",
      input, neuron);
  line("sum of half squares", "`half_squared_error(l2, y)`", of_sum);
  line("mean of half squares", "`half_squared_error(l2, y, tg::Reduction::mean)`", of_half_mean);
  line("mean of squares", "`mse_loss(l2, y)`", of_mean);
}

// ---------------------------------------------------------------- weights to begin with

void equal_weights() {
  Network n = three_layer();
  for (double& w : n.w0.numbers) w = 0.5;
  for (double& w : n.w1.numbers) w = 0.5;
  constexpr int steps = 6000;
  for (int i = 0; i < steps; ++i) n = after_step(n, backward(n, forward(n)));
  for (std::size_t i = 0; i < n.w0.rows; ++i)
    for (std::size_t j = 1; j < n.w0.columns; ++j)
      agree(n.w0(i, 0), n.w0(i, j), "equal neurons stay equal", 1e-12);
  fmt::print(
      "After {} steps from 0.5 the weights out of input 0 are {:.6f}, {:.6f}, {:.6f} and {:.6f}: "
      "four neurons do the work of one.\n",
      steps, n.w0(0, 0), n.w0(0, 1), n.w0(0, 2), n.w0(0, 3));
}

/// How often exclusive or is not learned: 2 inputs, `hidden` hidden neurons with biases, 1 output.
int failures(std::int64_t hidden, int runs) {
  int count = 0;
  for (int run = 0; run < runs; ++run) {
    tg::Tape tape;
    tg::Random random{static_cast<std::uint32_t>(run)};
    struct Net {
      tg::Linear hidden, output;
    };
    Net net;
    net.hidden = tg::linear(tape, 2, hidden, random);
    net.output = tg::linear(tape, hidden, 1, random);
    auto step = tg::compile(tape, [&](tg::Tensor x, tg::Tensor y) {
      const tg::Tensor output = sigmoid(net.output(sigmoid(net.hidden(x))));
      const tg::Tensor loss = half_squared_error(output, y);
      return std::tuple{max(abs(output - y)), gradient(loss, net)};
    });
    const auto x = tg::Array::from({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
    const auto y = tg::Array::from({{0}, {1}, {1}, {0}});
    tg::Sgd sgd{.learning_rate = 2.0};
    for (int i = 0; i < 5000; ++i) sgd.step(net, std::get<1>(step(x, y)));
    if (std::get<0>(step(x, y)).item() > 0.4) ++count;
  }
  return count;
}

void exclusive_or() {
  constexpr int runs = 20;
  std::string sizes, line, counts;
  int least = runs;
  for (const std::int64_t hidden : {2, 3, 8}) {
    const int count = failures(hidden, runs);
    walk::require(count <= least, "more hidden neurons fail less often");
    least = count;
    sizes += fmt::format(" {} |", hidden);
    line += "---:|";
    counts += fmt::format(" {} |", count);
  }
  fmt::print("| hidden neurons |{}\n|---|{}\n| not learned, of {} starts |{}\n", sizes, line, runs,
             counts);
}

// ---------------------------------------------------------------- answers

void answer_one_row() {
  const Story s;
  const Network one = one_row(s.net, row);
  const Backward b = backward(one, forward(one));
  const double l2 = s.f.l2(row, 0);
  fmt::print(
      "$`l_1[{0},{1}] \\cdot \\delta_2[{0},0] = {2} \\cdot {3} \\cdot {4} = {5}`$. The first "
      "factor is what $`w_1[{1},0]`$ multiplies; the others are the output delta.\n",
      row, neuron, number(s.f.l1(row, neuron)), factor(l2 - s.net.y(row, 0)), number(l2 * (1 - l2)),
      number(b.slope1(neuron, 0)));
}

void answer_zeros() {
  const Network n = one_row(three_layer(), 0);
  const Backward b = backward(n, forward(n));
  for (const double v : b.slope0.numbers) walk::require(v == 0, "row 0 has no share in dE/dw0");
  fmt::print(
      "To $`\\partial E / \\partial w_0`$ nothing, because every share has the factor $`x = 0`$. "
      "To each $`\\partial E / \\partial w_1[j,0]`$ the same, $`\\sigma(0) \\cdot \\delta_2[0,0] = "
      "{} \\cdot {} \\approx {}`$.\n",
      number(sigmoid(0)), factor(b.delta2(0, 0)), number(b.slope1(0, 0)));
}

void answer_bias() {
  const Story s;
  tg::Tape tape;
  const tg::Tensor x = tape.input(s.net.x.array()), y = tape.input(s.net.y.array());
  const tg::Linear hidden{tape.parameter(s.net.w0.array())};
  const tg::Linear output{tape.parameter(s.net.w1.array()), tape.parameter({0})};
  const tg::Tensor loss = half_squared_error(sigmoid(output(sigmoid(hidden(x)))), y);
  double sum = 0;
  for (const double delta : s.b.delta2.numbers) sum += delta;
  agree(sum, gradient(loss, output.bias).item(), "dE/db of the output");
  fmt::print(
      "Not 0: a bias serves every row, and its factor in $`\\mathit{{net}}_2`$ is 1, so its slope "
      "is $`\\sum_r \\delta_2[r,0] = {}`$, whatever value it has.\n",
      number(sum));
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"symbols", symbols},
                      {"forward", forward_pass},
                      {"chain", chain},
                      {"rows", rows},
                      {"agreement", agreement},
                      {"training", training},
                      {"mistakes", mistakes},
                      {"mean", mean_of_squares},
                      {"equal", equal_weights},
                      {"xor", exclusive_or},
                      {"answer-one-row", answer_one_row},
                      {"answer-zeros", answer_zeros},
                      {"answer-bias", answer_bias}});
}
