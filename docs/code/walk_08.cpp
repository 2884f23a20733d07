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
  double error = 0, mean_difference = 0;
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
      f.error += 0.5 * difference * difference;
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
      double sum = 0;  // over the paths from l1[r, j] to the error: one through each output
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
constexpr std::size_t row = 1, input = 2, unit = 0;

struct Story {
  Network net = three_layer();
  Forward f = forward(net);
  Backward b = backward(net, f);
};

double difference(Network n, Matrix Network::*matrix, std::size_t i, std::size_t j) {
  double& w = (n.*matrix)(i, j);
  const auto error = [&](double at) {
    w = at;
    return forward(n).error;
  };
  return walk::difference(error, w);
}

// ---------------------------------------------------------------- on the tape

struct OnTape {
  tg::Tape tape;
  tg::Tensor x, y, w0, w1, net1, l1, net2, l2, error;
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
  x.named("x"), y.named("y");
  const tg::Tensor w0 = tape.parameter(random.uniform(-1, 1, tg::Shape{3, 4})).named("w0");
  const tg::Tensor w1 = tape.parameter(random.uniform(-1, 1, tg::Shape{4, 1})).named("w1");

  const tg::Tensor net1 = matmul(x, w0).named("net1");
  const tg::Tensor l1 = sigmoid(net1).named("l1");
  const tg::Tensor net2 = matmul(l1, w1).named("net2");
  const tg::Tensor l2 = sigmoid(net2).named("l2");
  const tg::Tensor error = half_squared_error(l2, y).named("E");

  const auto [delta2, delta1, slope1, slope0] = gradient(error, net2, net1, w1, w0);
  // [/tape]
  t.x = x, t.y = y, t.w0 = w0, t.w1 = w1, t.net1 = net1, t.l1 = l1, t.net2 = net2, t.l2 = l2;
  t.error = error, t.delta2 = delta2, t.delta1 = delta1, t.slope1 = slope1, t.slope0 = slope0;
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
    tape.replay(error, slope0, slope1);
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

std::string layout(const Matrix& m) { return text(m.array(), {.precision = 6}); }

void symbols() {
  const Story s;
  const auto line = [](std::string_view symbol, std::string_view script, const Matrix& m,
                       std::string_view meaning) {
    fmt::print("| {} | {} | ({}, {}) | {} |\n", symbol, script, m.rows, m.columns, meaning);
  };
  fmt::print("| symbol | in the script | shape | what it is |\n|---|---|---|---|\n");
  line("$x$", "`x`", s.net.x, "inputs, one sample in each row");
  line("$y$", "`y`", s.net.y, "targets");
  line("$w_0$", "`w0`", s.net.w0, "weights from input $i$ (row) to hidden unit $j$ (column)");
  line("$\\mathit{net}_1$", "`x w0`", s.f.net1, "what enters the hidden units");
  line("$l_1$", "`l1`", s.f.l1, "what leaves them");
  line("$w_1$", "`w1`", s.net.w1, "weights from hidden unit $j$ (row) to output $k$ (column)");
  line("$\\mathit{net}_2$", "`l1 w1`", s.f.net2, "what enters the output");
  line("$l_2$", "`l2`", s.f.l2, "what leaves it: the prediction");
  fmt::print("| $E$ | | () | the error, one number |\n");
  line("$\\delta_2$", "`-l2_delta`", s.b.delta2, "$\\partial E / \\partial \\mathit{net}_2$");
  line("$\\delta_1$", "`-l1_delta`", s.b.delta1, "$\\partial E / \\partial \\mathit{net}_1$");
}

std::string listed(const Matrix& m, std::size_t r, std::string_view format) {
  std::string result;
  for (std::size_t c = 0; c < m.columns; ++c)
    result += (c > 0 ? "&ensp;" : "") + fmt::format(fmt::runtime(format), m(r, c));
  return result;
}

void weights() {
  const Story s;
  fmt::print("w0 =\n{}\nw1 =\n{}\n", layout(s.net.w0), layout(s.net.w1));
}

void forward_pass() {
  const Story s;
  fmt::print("| row | $x$ | $l_1$ | $l_2$ | $y$ |\n|---|---|---|---|---|\n");
  for (std::size_t r = 0; r < s.net.x.rows; ++r)
    fmt::print("| {} | {} | {} | {} | {} |\n", r, listed(s.net.x, r, "{:.0f}"),
               listed(s.f.l1, r, "{:.6f}"), listed(s.f.l2, r, "{:.6f}"),
               listed(s.net.y, r, "{:.0f}"));
  fmt::print("\n$E$ = {}\n", number(s.f.error));
}

/// One row, one weight: all factors in one line.
void chain() {
  const Story s;
  const Network one = one_row(s.net, row);
  const Forward f = forward(one);
  const Backward b = backward(one, f);
  const double l1 = f.l1(0, unit), l2 = f.l2(0, 0);
  fmt::print(
      "```math\n"
      "\\frac{{\\partial E_{0}}}{{\\partial w_0[{1},{2}]}} = "
      "\\underbrace{{{3}}}_{{l_2 - y}} \\cdot \\underbrace{{{4}}}_{{l_2 (1 - l_2)}} \\cdot "
      "\\underbrace{{{5}}}_{{w_1[{2},0]}} \\cdot \\underbrace{{{6}}}_{{l_1 (1 - l_1)}} \\cdot "
      "\\underbrace{{{7}}}_{{x[{0},{1}]}} = {8}\n```\n",
      row, input, unit, factor(l2 - one.y(0, 0)), number(l2 * (1 - l2)), factor(one.w1(unit, 0)),
      number(l1 * (1 - l1)), number(one.x(0, input)), number(b.slope0(input, unit)));
  walk::you_should_see(b.slope0(input, unit), difference(one, &Network::w0, input, unit));
}

/// What each row has to say about one weight.
void rows() {
  const Story s;
  fmt::print("| row | $x[r,{0}]$ | $\\delta_1[r,{1}]$ | product |\n|---|---|---|---|\n", input,
             unit);
  double sum = 0;
  for (std::size_t r = 0; r < s.net.x.rows; ++r) {
    const double share = s.net.x(r, input) * s.b.delta1(r, unit);
    fmt::print("| {} | {} | {} | {} |\n", r, number(s.net.x(r, input)), number(s.b.delta1(r, unit)),
               number(share));
    sum += share;
  }
  fmt::print("| sum | | | {} |\n", number(sum));
  agree(sum, s.b.slope0(input, unit), "the sum over the rows");
  walk::you_should_see(sum, difference(s.net, &Network::w0, input, unit));
}

void slopes() {
  const Story s;
  fmt::print("```text\ndE/dw0 = xT delta1 =\n{}\ndE/dw1 = l1T delta2 =\n{}\n```\n",
             layout(s.b.slope0), layout(s.b.slope1));
  constexpr double bound = 1e-9;
  for (std::size_t j = 0; j < s.net.w1.rows; ++j)
    agree(s.b.slope1(j, 0), difference(s.net, &Network::w1, j, 0), "dE/dw1", bound);
  for (std::size_t i = 0; i < s.net.w0.rows; ++i)
    for (std::size_t j = 0; j < s.net.w0.columns; ++j)
      agree(s.b.slope0(i, j), difference(s.net, &Network::w0, i, j), "dE/dw0", bound);
  fmt::print("\nAll {} slopes agree with central differences to {:.0e}.\n",
             s.net.w0.numbers.size() + s.net.w1.numbers.size(), bound);
}

void agreement() {
  const Story s;
  const OnTape t = on_tape();
  agree(s.f.net1, t.net1, "net1");
  agree(s.f.l1, t.l1, "l1");
  agree(s.f.net2, t.net2, "net2");
  agree(s.f.l2, t.l2, "l2");
  agree(s.f.error, t.error.item(), "E");
  agree(s.b.delta2, t.delta2, "delta2");
  agree(s.b.delta1, t.delta1, "delta1");
  agree(s.b.slope1, t.slope1, "dE/dw1");
  agree(s.b.slope0, t.slope0, "dE/dw0");
  const auto line = [](const std::string& what, double by_hand, double by_tape) {
    fmt::print("| {} | {:.12f} | {:.12f} |\n", what, by_hand, by_tape);
  };
  fmt::print("| | by hand | on the tape |\n|---|---|---|\n");
  line("$E$", s.f.error, t.error.item());
  line(fmt::format("$\\delta_2[{},0]$", row), s.b.delta2(row, 0), t.delta2.at(row, 0));
  line(fmt::format("$\\delta_1[{},{}]$", row, unit), s.b.delta1(row, unit), t.delta1.at(row, unit));
  line(fmt::format("$\\partial E / \\partial w_1[{},0]$", unit), s.b.slope1(unit, 0),
       t.slope1.at(unit, 0));
  line(fmt::format("$\\partial E / \\partial w_0[{},{}]$", input, unit), s.b.slope0(input, unit),
       t.slope0.at(input, unit));
}

void explained() {
  const OnTape t = on_tape();
  const tg::Derivation derivation = explain(t.error, t.w0, tg::Index{2, 0});
  agree(derivation.value(), Story().b.slope0(input, unit), "the derivation's number");
  tg::Derivation merged = derivation.section("merged");
  merged.footnote.clear();
  fmt::print("{}", walk::formulas(merged, "merged"));
}

/// Six thousand steps of both.
void training() {
  Network by_hand = three_layer();
  OnTape t = on_tape();
  constexpr int often = 1000, steps = 6000;
  fmt::print("| step | by hand: $E$ | on the tape: $E$ | mean of $\\lvert y - l_2 \\rvert$ |\n");
  fmt::print("|---|---|---|---|\n");
  for (int step = 0;; ++step) {
    const Forward f = forward(by_hand);
    if (step % often == 0) {
      agree(f.error, t.error.item(), "E", 1e-14);
      agree(f.l2, t.l2, "l2", 1e-13);
      fmt::print("| {} | {:.12f} | {:.12f} | {:.12f} |\n", step, f.error, t.error.item(),
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

/// The slopes that follow from deltas: of the outputs, and a rule for those of the hidden units.
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
  const double right = s.b.slope0(input, unit), right_error = forward(after_step(s.net, s.b)).error;
  int climb = 0, fall_more = 0;
  const auto line = [&](std::string_view what, const Backward& b) {
    walk::require(&b == &s.b || std::abs(b.slope0(input, unit) - right) > 1e-6, "a mistake shows");
    const double error = forward(after_step(s.net, b)).error;
    climb += error > s.f.error ? 1 : 0;
    fall_more += error < right_error ? 1 : 0;
    fmt::print("| {} | {} | {} |\n", what, number(b.slope0(input, unit)), number(error));
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
      "| mistake | $\\partial E / \\partial w_0[{},{}]$ | $E$ after one step |\n|---|---|---|\n",
      input, unit);
  line("none", s.b);
  line("`=` where `+=` is meant: the last row overwrites the others", from_deltas(s, last, rule));
  line("mean over the rows instead of the sum", from_deltas(s, averaged, rule));
  line("$y - l_2$ with `-=`", from_deltas(s, turned, rule));
  line("hidden delta with the *new* $w_1$", from_deltas(s, s.b.delta2, by_new));
  line("no $l_2 (1 - l_2)$ in $\\delta_2$", from_deltas(s, bare, rule));
  line("no $l_1 (1 - l_1)$ in $\\delta_1$", from_deltas(s, s.b.delta2, no_slope));
  line("$\\sigma'(l_1)$ where $\\sigma'(\\mathit{net}_1)$ is meant",
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
  const double of_sum = gradient(half_squared_error(l2, y), w0).at(input, unit);
  const double of_half_mean =
      gradient(half_squared_error(l2, y, tg::Reduction::mean), w0).at(input, unit);
  const double of_mean = gradient(mse_loss(l2, y), w0).at(input, unit);
  const auto line = [&](std::string_view error, std::string_view code, double slope) {
    const double rate = of_sum / slope;
    agree(rate, std::round(10 * rate) / 10, "a round learning rate", 1e-12);
    agree(rate * slope, s.b.slope0(input, unit), "the same step");
    fmt::print("| {} | {} | {} | {:.1f} |\n", error, code, number(slope), rate);
  };
  fmt::print(
      "| error | on the tape | $\\partial / \\partial w_0[{},{}]$ | learning rate for the same "
      "step "
      "|\n|---|---|---|---|\n",
      input, unit);
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
      agree(n.w0(i, 0), n.w0(i, j), "equal units stay equal", 1e-12);
  fmt::print("w0 after {} steps from 0.5 =\n{}\n", steps, layout(n.w0));
}

/// How often exclusive or is not learned: 2 inputs, `hidden` hidden units with biases, 1 output.
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
      const tg::Tensor error = half_squared_error(output, y);
      return std::tuple{max(abs(output - y)), gradient(error, net)};
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
  fmt::print("| hidden units | not learned, of {} starts |\n|---|---|\n", runs);
  int least = runs;
  for (const std::int64_t hidden : {2, 3, 8}) {
    const int count = failures(hidden, runs);
    walk::require(count <= least, "more hidden units fail less often");
    least = count;
    fmt::print("| {} | {} |\n", hidden, count);
  }
}

// ---------------------------------------------------------------- the bias

void bias() {
  const Story s;
  tg::Tape tape;
  const tg::Tensor x = tape.input(s.net.x.array()), y = tape.input(s.net.y.array());
  struct Net {
    tg::Linear hidden, output;
  };
  const Net net{{tape.parameter(s.net.w0.array()), tape.parameter({0, 0, 0, 0})},
                {tape.parameter(s.net.w1.array()), tape.parameter({0})}};
  const tg::Tensor error = half_squared_error(sigmoid(net.output(sigmoid(net.hidden(x)))), y);
  const Net slope = gradient(error, net);
  double output = 0;
  Matrix hidden(1, s.net.w0.columns);
  for (std::size_t r = 0; r < s.net.x.rows; ++r) {
    output += s.b.delta2(r, 0);
    for (std::size_t j = 0; j < hidden.columns; ++j) hidden(0, j) += s.b.delta1(r, j);
  }
  agree(output, slope.output.bias.item(), "dE/db of the output");
  agree(hidden, slope.hidden.bias, "dE/db of the hidden layer");

  tg::Sgd sgd{.learning_rate = 1.0};
  sgd.step(net, slope);
  tape.replay(error);
  const double with = error.item(), without = forward(after_step(s.net, s.b)).error;
  fmt::print(
      "| | |\n|---|---|\n"
      "| $\\partial E / \\partial b_1 = \\sum_r \\delta_2[r,0]$ | {} |\n"
      "| $\\partial E / \\partial b_0[{}] = \\sum_r \\delta_1[r,{}]$ | {} |\n"
      "| mistake: \"the bias is 0, so its slope is 0\" | 0 |\n"
      "| $E$ after one step of weights and biases | {} |\n"
      "| mistake: $E$ after one step of the weights alone | {} |\n",
      number(output), unit, unit, number(hidden(0, unit)), number(with), number(without));
}

// ---------------------------------------------------------------- answers

void answer_1() {
  const Story s;
  const Network one = one_row(s.net, row);
  const Backward b = backward(one, forward(one));
  fmt::print("$l_1[{0},2] \\cdot \\delta_2[{0},0] = {1} \\cdot {2} = {3}$\n", row,
             number(s.f.l1(row, 2)), factor(s.b.delta2(row, 0)), number(b.slope1(2, 0)));
}

void answer_2() {
  const Network n = one_row(three_layer(), 0);
  const Backward b = backward(n, forward(n));
  for (const double v : b.slope0.numbers) walk::require(v == 0, "row 0 has no share in dE/dw0");
  fmt::print(
      "To $\\partial E / \\partial w_0$ nothing, because every share has the factor $x = 0$. "
      "To each $\\partial E / \\partial w_1[j,0]$ the same, $\\sigma(0) \\cdot \\delta_2[0,0] = "
      "{} \\cdot {} = {}$.\n",
      number(sigmoid(0)), factor(b.delta2(0, 0)), number(b.slope1(0, 0)));
}

void answer_3() {
  const Story s;
  Network n{{4, 3}, {4, 1}, s.net.w0, s.net.w1};
  for (std::size_t r = 0; r < 4; ++r) {
    for (std::size_t i = 0; i < 3; ++i) n.x(r, i) = s.net.x(r, i);
    n.y(r, 0) = s.net.y(r, 0);
  }
  const double without = backward(n, forward(n)).slope0(input, unit);
  agree(without + s.b.delta1(4, unit), s.b.slope0(input, unit), "the last row's share");
  fmt::print(
      "Its share is taken away: ${} - {} = {}$. Both rows say the same, so twice the sample is "
      "twice the weight.\n",
      number(s.b.slope0(input, unit)), factor(s.b.delta1(4, unit)), number(without));
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"symbols", symbols},
                      {"weights", weights},
                      {"forward", forward_pass},
                      {"chain", chain},
                      {"rows", rows},
                      {"slopes", slopes},
                      {"agreement", agreement},
                      {"explain", explained},
                      {"training", training},
                      {"mistakes", mistakes},
                      {"mean", mean_of_squares},
                      {"equal", equal_weights},
                      {"xor", exclusive_or},
                      {"bias", bias},
                      {"answer-1", answer_1},
                      {"answer-2", answer_2},
                      {"answer-3", answer_3}});
}
