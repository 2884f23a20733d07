// The derivation of the three-layer network with its numbers: docs/derivation.md shows what this
// program prints. Everything is computed three times: by hand in plain loops, by differences, and
// on the tape. If two of them do not agree, the program fails.
//
//   derivation [SECTION...]   prints the named sections, or all of them under their names
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <functional>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tapegrad/tapegrad.hpp>
#include <utility>
#include <vector>

namespace tg = tapegrad;

namespace {

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
  double error = 0;
};

/// Where a difference is taken: this element of this matrix is moved by h as soon as it is
/// computed.
struct Nudge {
  Matrix Forward::*matrix = nullptr;
  std::size_t row = 0, column = 0;
  double h = 0;
  void apply(Forward& f, Matrix Forward::*computed, std::size_t r, std::size_t c) const {
    if (matrix == computed && r == row && c == column) (f.*matrix)(r, c) += h;
  }
};

Forward forward(const Network& n, const Nudge& nudge = {}) {
  const std::size_t rows = n.x.rows, inputs = n.w0.rows, hidden = n.w0.columns;
  const std::size_t outputs = n.w1.columns;
  Forward f{{rows, hidden}, {rows, hidden}, {rows, outputs}, {rows, outputs}};
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t j = 0; j < hidden; ++j) {
      for (std::size_t i = 0; i < inputs; ++i) f.net1(r, j) += n.x(r, i) * n.w0(i, j);
      nudge.apply(f, &Forward::net1, r, j);
      f.l1(r, j) = sigmoid(f.net1(r, j));
      nudge.apply(f, &Forward::l1, r, j);
    }
    for (std::size_t k = 0; k < outputs; ++k) {
      for (std::size_t j = 0; j < hidden; ++j) f.net2(r, k) += f.l1(r, j) * n.w1(j, k);
      nudge.apply(f, &Forward::net2, r, k);
      f.l2(r, k) = sigmoid(f.net2(r, k));
      nudge.apply(f, &Forward::l2, r, k);
      const double difference = n.y(r, k) - f.l2(r, k);
      f.error += 0.5 * difference * difference;
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
Matrix descended(Matrix w, const Matrix& slope, double rate) {
  for (std::size_t i = 0; i < w.numbers.size(); ++i) w.numbers[i] -= rate * slope.numbers[i];
  return w;
}

Network after_step(Network n, const Backward& b, double rate = 1) {
  n.w0 = descended(n.w0, b.slope0, rate);
  n.w1 = descended(n.w1, b.slope1, rate);
  return n;
}

// ---------------------------------------------------------------- what is agreed upon

void require(bool holds, std::string_view what) {
  if (!holds) throw std::runtime_error(fmt::format("not so: {}", what));
}

void agree(double a, double b, double bound, std::string_view what) {
  require(std::abs(a - b) <= bound, fmt::format("{}: {} and {} agree to {}", what, a, b, bound));
}

void agree(const Matrix& by_hand, const tg::Tensor& by_tape, std::string_view what) {
  const std::vector<double> values = by_tape.values();
  require(values.size() == by_hand.numbers.size(), what);
  for (std::size_t i = 0; i < values.size(); ++i) agree(by_hand.numbers[i], values[i], 1e-15, what);
}

constexpr double h = 1e-5;
constexpr double bound_of_differences = 1e-9;

/// dE by an element of what the forward pass computes, as a central difference.
double difference(const Network& n, Matrix Forward::*matrix, std::size_t row, std::size_t column) {
  const double up = forward(n, {matrix, row, column, h}).error;
  const double down = forward(n, {matrix, row, column, -h}).error;
  return (up - down) / (2 * h);
}

/// dE by a weight or an input.
double difference(Network n, Matrix Network::*matrix, std::size_t row, std::size_t column) {
  double& w = (n.*matrix)(row, column);
  const double at = w;
  w = at + h;
  const double up = forward(n).error;
  w = at - h;
  return (up - forward(n).error) / (2 * h);
}

/// The same network with one of its rows only.
Network one_row(const Network& n, std::size_t row) {
  Network result{{1, n.x.columns}, {1, n.y.columns}, n.w0, n.w1};
  for (std::size_t i = 0; i < n.x.columns; ++i) result.x(0, i) = n.x(row, i);
  for (std::size_t k = 0; k < n.y.columns; ++k) result.y(0, k) = n.y(row, k);
  return result;
}

// ---------------------------------------------------------------- how it is printed

std::string number(double v) { return fmt::format("{:.6f}", v == 0 ? 0.0 : v); }  // no -0
/// As a factor: a negative number in parentheses.
std::string factor(double v) { return v < 0 ? "(" + number(v) + ")" : number(v); }

std::string layout(const Matrix& m) { return text(m.array(), {.precision = 6}); }

/// For a section that is one block: its fence stands on the page.
void plain(std::string_view content) { fmt::print("{}\n", content); }

void block(std::string_view language, std::string_view content) {
  fmt::print("```{}\n{}\n```\n", language, content);
}

void you_should_see(double by_rule, double by_difference) {
  agree(by_rule, by_difference, bound_of_differences, "the rule and the difference");
  fmt::print("\nYou should see `{}`. The difference says `{}`.\n", number(by_rule),
             number(by_difference));
}

// The row and the elements that the page follows.
constexpr std::size_t row = 1, input = 2, unit = 0;

/// Everything the sections need.
struct Story {
  Network net = three_layer();
  Forward f = forward(net);
  Backward b = backward(net, f);
  Network one = one_row(net, row);
  Forward of = forward(one);
  Backward ob = backward(one, of);
};

// ---------------------------------------------------------------- sections

void symbols(const Story& s) {
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

void values(const Story& s) {
  plain(fmt::format("x =\n{}\ny =\n{}\nw0 =\n{}\nw1 =\n{}", text(s.net.x.array()),
                    text(s.net.y.array()), layout(s.net.w0), layout(s.net.w1)));
}

void forward_values(const Story& s) {
  plain(fmt::format("net1 =\n{}\nl1 =\n{}\nnet2 =\n{}\nl2 =\n{}\nE = {}", layout(s.f.net1),
                    layout(s.f.l1), layout(s.f.net2), layout(s.f.l2), number(s.f.error)));
}

void row_forward(const Story& s) {
  std::string first, second;
  for (std::size_t i = 0; i < s.one.x.columns; ++i)
    first += fmt::format("{}{:.0f} \\cdot {}", i == 0 ? "" : " + ", s.one.x(0, i),
                         factor(s.one.w0(i, unit)));
  for (std::size_t j = 0; j < s.one.w0.columns; ++j)
    second += fmt::format("{}{} \\cdot {}", j == 0 ? "" : " + ", number(s.of.l1(0, j)),
                          factor(s.one.w1(j, 0)));
  plain(fmt::format(
      "\\begin{{aligned}}\n"
      "\\mathit{{net}}_1[{0},{1}] &= {2} = {3} \\\\\n"
      "l_1[{0},{1}] &= \\sigma({3}) = {4} \\\\\n"
      "\\mathit{{net}}_2[{0},0] &= {5} = {6} \\\\\n"
      "l_2[{0},0] &= \\sigma({6}) = {7} \\\\\n"
      "E_{0} &= \\tfrac12\\,({8:.0f} - {7})^2 = {9}\n"
      "\\end{{aligned}}",
      row, unit, first, number(s.of.net1(0, unit)), number(s.of.l1(0, unit)), second,
      number(s.of.net2(0, 0)), number(s.of.l2(0, 0)), s.one.y(0, 0), number(s.of.error)));
}

void step_1(const Story& s) {
  const double slope = s.of.l2(0, 0) - s.one.y(0, 0);
  block("math", fmt::format("\\frac{{\\partial E_{0}}}{{\\partial l_2[{0},0]}} = l_2[{0},0] - "
                            "y[{0},0] = {1} - {2:.0f} = {3}",
                            row, number(s.of.l2(0, 0)), s.one.y(0, 0), number(slope)));
  you_should_see(slope, difference(s.one, &Forward::l2, 0, 0));
}

void step_2(const Story& s) {
  const double l2 = s.of.l2(0, 0), slope = l2 * (1 - l2);
  block("math", fmt::format("\\frac{{d\\, l_2[{0},0]}}{{d\\, \\mathit{{net}}_2[{0},0]}} = "
                            "l_2[{0},0]\\,(1 - l_2[{0},0]) = {1} \\cdot (1 - {1}) = {2}",
                            row, number(l2), number(slope)));
  const double net = s.of.net2(0, 0);
  you_should_see(slope, (sigmoid(net + h) - sigmoid(net - h)) / (2 * h));
}

void step_3(const Story& s) {
  const double l2 = s.of.l2(0, 0);
  block("math",
        fmt::format("\\delta_2[{0},0] = \\frac{{\\partial E_{0}}}{{\\partial "
                    "\\mathit{{net}}_2[{0},0]}} = (l_2[{0},0] - y[{0},0])\\; l_2[{0},0]\\,(1 - "
                    "l_2[{0},0]) = {1} \\cdot {2} = {3}",
                    row, factor(l2 - s.one.y(0, 0)), number(l2 * (1 - l2)),
                    number(s.ob.delta2(0, 0))));
  you_should_see(s.ob.delta2(0, 0), difference(s.one, &Forward::net2, 0, 0));
}

void step_4(const Story& s) {
  block("math", fmt::format("\\frac{{\\partial E_{0}}}{{\\partial w_1[{1},0]}} = l_1[{0},{1}]\\; "
                            "\\delta_2[{0},0] = {2} \\cdot {3} = {4}",
                            row, unit, number(s.of.l1(0, unit)), factor(s.ob.delta2(0, 0)),
                            number(s.ob.slope1(unit, 0))));
  you_should_see(s.ob.slope1(unit, 0), difference(s.one, &Network::w1, unit, 0));
}

void step_5(const Story& s) {
  const double slope = s.ob.delta2(0, 0) * s.one.w1(unit, 0);
  block(
      "math",
      fmt::format("\\frac{{\\partial E_{0}}}{{\\partial l_1[{0},{1}]}} = \\delta_2[{0},0]\\; "
                  "w_1[{1},0] = {2} \\cdot {3} = {4}",
                  row, unit, factor(s.ob.delta2(0, 0)), factor(s.one.w1(unit, 0)), number(slope)));
  you_should_see(slope, difference(s.one, &Forward::l1, 0, unit));
}

void step_6(const Story& s) {
  const double l1 = s.of.l1(0, unit), slope = s.ob.delta2(0, 0) * s.one.w1(unit, 0);
  block("math",
        fmt::format(
            "\\delta_1[{0},{1}] = \\frac{{\\partial E_{0}}}{{\\partial "
            "\\mathit{{net}}_1[{0},{1}]}} = \\frac{{\\partial E_{0}}}{{\\partial "
            "l_1[{0},{1}]}}\\; l_1[{0},{1}]\\,(1 - l_1[{0},{1}]) = {2} \\cdot {3} \\cdot (1 - "
            "{3}) = {4}",
            row, unit, factor(slope), number(l1), number(s.ob.delta1(0, unit))));
  you_should_see(s.ob.delta1(0, unit), difference(s.one, &Forward::net1, 0, unit));
}

void step_7(const Story& s) {
  block("math", fmt::format("\\frac{{\\partial E_{0}}}{{\\partial w_0[{1},{2}]}} = x[{0},{1}]\\; "
                            "\\delta_1[{0},{2}] = {3:.0f} \\cdot {4} = {5}",
                            row, input, unit, s.one.x(0, input), factor(s.ob.delta1(0, unit)),
                            number(s.ob.slope0(input, unit))));
  you_should_see(s.ob.slope0(input, unit), difference(s.one, &Network::w0, input, unit));
}

/// All the factors of one weight's derivative in one line.
void chain(const Story& s) {
  const double l2 = s.of.l2(0, 0), l1 = s.of.l1(0, unit);
  plain(fmt::format(
      "\\frac{{\\partial E_{0}}}{{\\partial w_0[{1},{2}]}} = "
      "\\underbrace{{{3}}}_{{l_2 - y}} \\cdot \\underbrace{{{4}}}_{{l_2 (1 - l_2)}} \\cdot "
      "\\underbrace{{{5}}}_{{w_1}} \\cdot \\underbrace{{{6}}}_{{l_1 (1 - l_1)}} \\cdot "
      "\\underbrace{{{7:.0f}}}_{{x}} = {8}",
      row, input, unit, factor(l2 - s.one.y(0, 0)), number(l2 * (1 - l2)),
      factor(s.one.w1(unit, 0)), number(l1 * (1 - l1)), s.one.x(0, input),
      number(s.ob.slope0(input, unit))));
}

std::string listed(const Matrix& m) {
  std::string result;
  for (double v : m.numbers) result += fmt::format("{}{:.3f}", result.empty() ? "" : "  ", v);
  return result;
}

void graph(const Story& s) {
  Matrix slope_l2(1, 1), slope_l1(1, s.of.l1.columns), slope_x(1, s.one.x.columns);
  slope_l2(0, 0) = s.of.l2(0, 0) - s.one.y(0, 0);
  for (std::size_t j = 0; j < slope_l1.columns; ++j)
    slope_l1(0, j) = s.ob.delta2(0, 0) * s.one.w1(j, 0);
  for (std::size_t i = 0; i < slope_x.columns; ++i)
    for (std::size_t j = 0; j < s.one.w0.columns; ++j)
      slope_x(0, i) += s.ob.delta1(0, j) * s.one.w0(i, j);
  const auto node = [](std::string_view id, std::string_view name, const Matrix& value,
                       const Matrix& slope) {
    return fmt::format("  {}[\"{}<br/>{}<br/>slope {}\"]\n", id, name, listed(value),
                       listed(slope));
  };
  Matrix error(1, 1), slope_e(1, 1);
  error(0, 0) = s.of.error;
  slope_e(0, 0) = 1;
  plain("graph TD\n" + node("x", "x", s.one.x, slope_x) +
        node("net1", "net1", s.of.net1, s.ob.delta1) + node("l1", "l1", s.of.l1, slope_l1) +
        node("net2", "net2", s.of.net2, s.ob.delta2) + node("l2", "l2", s.of.l2, slope_l2) +
        node("E", "E", error, slope_e) +
        "  x -- w0 --> net1\n  net1 -- sigmoid --> l1\n  l1 -- w1 --> net2\n"
        "  net2 -- sigmoid --> l2\n  l2 -- half squared error --> E");
}

/// The four paths from one input to the error.
void paths(const Story& s) {
  fmt::print(
      "| through hidden unit | $w_0[{0},j]$ | $l_1\\,(1 - l_1)$ | $w_1[j,0]$ | $\\delta_2$ | "
      "product |\n"
      "|---|---|---|---|---|---|\n",
      input);
  double sum = 0;
  for (std::size_t j = 0; j < s.one.w0.columns; ++j) {
    const double local = s.of.l1(0, j) * (1 - s.of.l1(0, j));
    const double path = s.one.w0(input, j) * local * s.one.w1(j, 0) * s.ob.delta2(0, 0);
    fmt::print("| {} | {} | {} | {} | {} | {} |\n", j, number(s.one.w0(input, j)), number(local),
               number(s.one.w1(j, 0)), number(s.ob.delta2(0, 0)), number(path));
    sum += path;
  }
  fmt::print("| sum | | | | | {} |\n", number(sum));
  you_should_see(sum, difference(s.one, &Network::x, 0, input));
}

/// The five shares of the rows in one hidden weight's derivative.
void rows(const Story& s) {
  fmt::print("| row | $x[r,{0}]$ | $\\delta_1[r,{1}]$ | product |\n|---|---|---|---|\n", input,
             unit);
  double sum = 0;
  for (std::size_t r = 0; r < s.net.x.rows; ++r) {
    const double share = s.net.x(r, input) * s.b.delta1(r, unit);
    fmt::print("| {} | {:.0f} | {} | {} |\n", r, s.net.x(r, input), number(s.b.delta1(r, unit)),
               number(share));
    sum += share;
  }
  fmt::print("| sum | | | {} |\n", number(sum));
  agree(sum, s.b.slope0(input, unit), 1e-15, "the sum over the rows");
  you_should_see(sum, difference(s.net, &Network::w0, input, unit));
}

void matrices(const Story& s) {
  block("text", fmt::format("delta2 =\n{}\ndE/dw1 = l1T delta2 =\n{}\ndelta1 =\n{}\ndE/dw0 = xT "
                            "delta1 =\n{}",
                            layout(s.b.delta2), layout(s.b.slope1), layout(s.b.delta1),
                            layout(s.b.slope0)));
  double worst = 0;
  for (std::size_t j = 0; j < s.net.w1.rows; ++j)
    worst = std::max(worst, std::abs(s.b.slope1(j, 0) - difference(s.net, &Network::w1, j, 0)));
  for (std::size_t i = 0; i < s.net.w0.rows; ++i)
    for (std::size_t j = 0; j < s.net.w0.columns; ++j)
      worst = std::max(worst, std::abs(s.b.slope0(i, j) - difference(s.net, &Network::w0, i, j)));
  require(worst <= bound_of_differences, "the differences agree with all weights' derivatives");
  fmt::print("\nAll {} derivatives agree with central differences to {:.0e}.\n",
             s.net.w0.numbers.size() + s.net.w1.numbers.size(), bound_of_differences);
}

void update(const Story& s) {
  const Network next = after_step(s.net, s.b);
  block("text", fmt::format("w0 =\n{}\nw1 =\n{}", layout(next.w0), layout(next.w1)));
  double squares = 0;
  for (double g : s.b.slope0.numbers) squares += g * g;
  for (double g : s.b.slope1.numbers) squares += g * g;
  const double after = forward(next).error;
  fmt::print(
      "\n| | |\n|---|---|\n| $E$ before | {} |\n| $E$ after | {} |\n| change | {} |\n"
      "| change that the slope alone predicts, minus the sum of all squared derivatives | {} |\n",
      number(s.f.error), number(after), number(after - s.f.error), number(-squares));
}

/// The network on the tape, and everything asked of it.
struct OnTape {
  tg::Tape tape;
  tg::Tensor x, y, w0, w1, net1, l1, net2, l2, error;
  tg::Tensor delta2, delta1, slope1, slope0, slope_x;

  void step() const;
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
  t.slope_x = gradient(error, x);
  return t;
}

void OnTape::step() const {
  // [step]
  struct Net {
    tg::Tensor w0, w1;
  };
  tg::Sgd sgd{.learning_rate = 1.0};
  sgd.step(Net{w0, w1}, Net{slope0, slope1});
  // [/step]
}

void agreement(const Story& s) {
  OnTape t = on_tape();
  agree(s.f.net1, t.net1, "net1");
  agree(s.f.l1, t.l1, "l1");
  agree(s.f.net2, t.net2, "net2");
  agree(s.f.l2, t.l2, "l2");
  agree(s.f.error, t.error.item(), 1e-15, "E");
  agree(s.b.delta2, t.delta2, "delta2");
  agree(s.b.delta1, t.delta1, "delta1");
  agree(s.b.slope1, t.slope1, "dE/dw1");
  agree(s.b.slope0, t.slope0, "dE/dw0");
  const auto line = [](std::string_view what, double by_hand, double by_tape) {
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
  t.step();
  t.tape.replay(t.error);
  const Network next = after_step(s.net, s.b);
  agree(next.w0, t.w0, "w0 after the step");
  agree(next.w1, t.w1, "w1 after the step");
  agree(forward(next).error, t.error.item(), 1e-15, "E after the step");
  line("$E$ after the step", forward(next).error, t.error.item());
  fmt::print("\nThe two agree to 1e-15 in every element of every matrix.\n");
}

void records(const Story&) {
  const OnTape t = on_tape();
  const tg::Recording& recording = t.tape.recording();
  std::vector<tg::Id> ids(recording.id_of(t.slope0, "print", tg::Site::here()) + 1);
  std::iota(ids.begin(), ids.end(), tg::Id{0});
  fmt::print("{}", tg::listing(recording, ids));
}

// ---------------------------------------------------------------- mistakes, each with its number

void mistakes(const Story& s) {
  const double right = s.b.slope0(input, unit);
  const auto line = [&](std::string_view what, const Backward& b) {
    require(&b == &s.b || std::abs(b.slope0(input, unit) - right) > 1e-6, "a mistake shows");
    fmt::print("| {} | {} | {} |\n", what, number(b.slope0(input, unit)),
               number(forward(after_step(s.net, b)).error));
  };
  // The hidden deltas from any output deltas, w1, and local derivatives.
  const auto backward_with = [&](const Matrix& delta2, const Matrix& w1, auto local) {
    Network n = s.net;
    n.w1 = w1;
    Backward b = s.b;
    b.delta2 = delta2;
    for (double& v : b.slope0.numbers) v = 0;
    for (double& v : b.slope1.numbers) v = 0;
    for (std::size_t r = 0; r < n.x.rows; ++r)
      for (std::size_t j = 0; j < n.w0.columns; ++j) {
        b.delta1(r, j) = delta2(r, 0) * w1(j, 0) * local(s.f.l1(r, j));
        b.slope1(j, 0) += s.f.l1(r, j) * delta2(r, 0);
        for (std::size_t i = 0; i < n.w0.rows; ++i) b.slope0(i, j) += n.x(r, i) * b.delta1(r, j);
      }
    return b;
  };
  const auto from_output = [](double l) { return l * (1 - l); };
  const auto from_net = [](double l) { return sigmoid(l) * (1 - sigmoid(l)); };
  const auto left_out = [](double) { return 1.0; };
  Matrix bare = s.b.delta2, meaned = s.b.delta2, turned = s.b.delta2;
  for (std::size_t r = 0; r < bare.rows; ++r) {
    bare(r, 0) = s.f.l2(r, 0) - s.net.y(r, 0);
    meaned(r, 0) /= static_cast<double>(bare.rows);
    turned(r, 0) = -turned(r, 0);
  }

  fmt::print(
      "| mistake | $\\partial E / \\partial w_0[{},{}]$ | $E$ after one step |\n|---|---|---|\n",
      input, unit);
  line("none", s.b);
  line("hidden delta with the *new* $w_1$",
       backward_with(s.b.delta2, after_step(s.net, s.b).w1, from_output));
  line("no $l_2\\,(1 - l_2)$ in $\\delta_2$", backward_with(bare, s.net.w1, from_output));
  line("no $l_1\\,(1 - l_1)$ in $\\delta_1$", backward_with(s.b.delta2, s.net.w1, left_out));
  line("$\\sigma'(l_1)$ where $\\sigma'(\\mathit{net}_1)$ is meant",
       backward_with(s.b.delta2, s.net.w1, from_net));
  line("$y - l_2$ where $l_2 - y$ is meant", backward_with(turned, s.net.w1, from_output));
  line("mean over the rows instead of the sum", backward_with(meaned, s.net.w1, from_output));
}

// ---------------------------------------------------------------- the bias

void bias(const Story& s) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(s.net.x.array()), y = tape.input(s.net.y.array());
  // [bias]
  struct Net {
    tg::Linear hidden, output;
  };
  const Net net{{tape.parameter(s.net.w0.array()), tape.parameter({0, 0, 0, 0})},
                {tape.parameter(s.net.w1.array()), tape.parameter({0})}};
  const tg::Tensor error = half_squared_error(sigmoid(net.output(sigmoid(net.hidden(x)))), y);
  const Net slope = gradient(error, net);
  // [/bias]
  double output = 0;
  Matrix hidden(1, s.net.w0.columns);
  for (std::size_t r = 0; r < s.net.x.rows; ++r) {
    output += s.b.delta2(r, 0);
    for (std::size_t j = 0; j < hidden.columns; ++j) hidden(0, j) += s.b.delta1(r, j);
  }
  agree(output, slope.output.bias.item(), 1e-15, "dE/db of the output");
  agree(hidden, slope.hidden.bias, "dE/db of the hidden layer");

  tg::Sgd sgd{.learning_rate = 1.0};
  sgd.step(net, slope);
  tape.replay(error);
  const double with = error.item();
  net.hidden.bias.set({0, 0, 0, 0});
  net.output.bias.set({0});
  tape.replay(error);
  agree(error.item(), forward(after_step(s.net, s.b)).error, 1e-12, "the step without biases");
  fmt::print(
      "| | |\n|---|---|\n"
      "| $\\partial E / \\partial b_1 = \\sum_r \\delta_2[r,0]$ | {} |\n"
      "| $\\partial E / \\partial b_0[{}] = \\sum_r \\delta_1[r,{}]$ | {} |\n"
      "| mistake: \"the bias is 0, so its derivative is 0\" | {} |\n"
      "| $E$ after one step of weights and biases | {} |\n"
      "| mistake: $E$ after one step of the weights alone | {} |\n",
      number(output), unit, unit, number(hidden(0, unit)), number(0), number(with),
      number(error.item()));
}

// ---------------------------------------------------------------- what others print

/// The 2-2-2 network found in most introductions: one row, two outputs, one bias for each layer
/// that is not trained.
struct Published {
  double w[8] = {.15, .20, .25, .30, .40, .45, .50, .55};
  static constexpr double i[2] = {.05, .10}, t[2] = {.01, .99}, b1 = .35, b2 = .60, rate = .5;
  double h[2] = {}, o[2] = {};

  double error() {
    double e = 0;
    for (int j : {0, 1}) h[j] = sigmoid(w[2 * j] * i[0] + w[2 * j + 1] * i[1] + b1);
    for (int k : {0, 1}) {
      o[k] = sigmoid(w[4 + 2 * k] * h[0] + w[5 + 2 * k] * h[1] + b2);
      e += 0.5 * (t[k] - o[k]) * (t[k] - o[k]);
    }
    return e;
  }
  void step(bool new_weights_in_hidden_delta) {
    error();
    double old[8];
    std::copy(std::begin(w), std::end(w), std::begin(old));
    double d[2];
    for (int k : {0, 1}) {
      d[k] = (o[k] - t[k]) * o[k] * (1 - o[k]);
      for (int j : {0, 1}) w[4 + 2 * k + j] -= rate * d[k] * h[j];
    }
    const double* used = new_weights_in_hidden_delta ? w : old;
    for (int j : {0, 1}) {
      const double sum = d[0] * used[4 + j] + d[1] * used[6 + j];
      for (int n : {0, 1}) w[2 * j + n] -= rate * sum * h[j] * (1 - h[j]) * i[n];
    }
  }
};

void published(const Story&) {
  Published right, wrong;
  right.step(false);
  wrong.step(true);
  const double w1_right = right.w[0], w1_wrong = wrong.w[0];
  const double first_right = right.error(), first_wrong = wrong.error();
  for (int i = 1; i < 9999; ++i) {
    right.step(false);
    wrong.step(true);
  }
  const double before_right = right.error(), before_wrong = wrong.error();
  right.step(false);
  wrong.step(true);
  const double last_right = right.error(), last_wrong = wrong.error();
  // What the page prints, to half a unit of its last digit.
  agree(w1_right, 0.149780716, 5e-10, "the published w1");
  agree(first_wrong, 0.291027924, 5e-10, "the published error after one step");
  agree(wrong.o[0], 0.015912196, 5e-10, "the published first output");
  agree(wrong.o[1], 0.984065734, 5e-10, "the published second output");
  agree(before_right, 0.0000351085, 5e-11, "the published error at the end");
  const auto line = [](std::string_view what, double by_old, double by_new, int digits,
                       std::string_view printed) {
    const auto shown = [&](double v) {
      const std::string text = fmt::format("{:.{}f}", v, digits);
      return text == printed ? "**" + text + "**" : text;
    };
    fmt::print("| {} | {} | {} | {} |\n", what, shown(by_old), shown(by_new), printed);
  };
  fmt::print(
      "| | old weights (right) | new weights (wrong) | the page prints |\n|---|---|---|---|\n");
  line("$w_1$ after one step", w1_right, w1_wrong, 9, "0.149780716");
  line("$E$ after one step", first_right, first_wrong, 9, "0.291027924");
  line("first output after 10,000 steps", right.o[0], wrong.o[0], 9, "0.015912196");
  line("second output after 10,000 steps", right.o[1], wrong.o[1], 9, "0.984065734");
  line("$E$ after 9,999 steps", before_right, before_wrong, 10, "0.0000351085");
  line("$E$ after 10,000 steps", last_right, last_wrong, 10, "");
}

void mean_error(const Story& s) {
  double sum = 0;
  for (std::size_t r = 0; r < s.net.y.rows; ++r) sum += std::abs(s.net.y(r, 0) - s.f.l2(r, 0));
  fmt::print(
      "| | |\n|---|---|\n| mean of $\\lvert y - l_2 \\rvert$, which the script prints | {:.12f} |\n"
      "| $E$, whose slope it descends | {:.12f} |\n",
      sum / static_cast<double>(s.net.y.rows), s.f.error);
}

// ---------------------------------------------------------------- answers to the exercises

void answer_1(const Story& s) {
  fmt::print("$l_1[{0},2] \\cdot \\delta_2[{0},0] = {1} \\cdot {2} = {3}$\n", row,
             number(s.of.l1(0, 2)), factor(s.ob.delta2(0, 0)), number(s.ob.slope1(2, 0)));
}

void answer_2(const Story& s) {
  Network n = one_row(s.net, 0);
  const Backward b = backward(n, forward(n));
  for (double v : b.slope0.numbers) require(v == 0, "row 0 has no share in dE/dw0");
  fmt::print(
      "To $\\partial E / \\partial w_0$ nothing, because every share has the factor $x = 0$. "
      "To each $\\partial E / \\partial w_1[j,0]$ the same, $\\sigma(0) \\cdot \\delta_2[0,0] = "
      "{:.1f} \\cdot {} = {}$.\n",
      sigmoid(0), factor(b.delta2(0, 0)), number(b.slope1(0, 0)));
}

void answer_3(const Story& s) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(s.net.x.array()), y = tape.input(s.net.y.array());
  const tg::Tensor w0 = tape.parameter(s.net.w0.array()), w1 = tape.parameter(s.net.w1.array());
  const tg::Tensor loss = mse_loss(sigmoid(matmul(sigmoid(matmul(x, w0)), w1)), y);
  const double rate = static_cast<double>(s.net.y.rows) / 2,
               slope = gradient(loss, w0).at(input, unit);
  agree(rate * slope, s.b.slope0(input, unit), 1e-15, "the step of the mean");
  fmt::print(
      "The mean of $n = 5$ squares is $\\frac{{2}}{{n}} E$, so its slopes are $\\frac{{2}}{{n}}$ "
      "of "
      "ours, and the learning rate must be $\\frac{{n}}{{2}} = {:.1f}$. On the tape: "
      "`mse_loss` gives {} for $w_0[{},{}]$, times {:.1f} is {}.\n",
      rate, number(slope), input, unit, rate, number(rate * slope));
}

void answer_4(const Story& s) {
  const double delta = s.of.l2(0, 0) - s.one.y(0, 0);
  tg::Tape tape;
  const tg::Tensor net2 = tape.input(s.f.net2.array()), y = tape.input(s.net.y.array());
  const tg::Tensor l2 = sigmoid(net2);
  const tg::Tensor loss = -sum(y * log(l2) + (1 - y) * log(1 - l2));
  agree(delta, gradient(loss, net2).at(row, 0), 1e-15, "the delta of the cross-entropy");
  fmt::print(
      "$\\delta_2 = l_2 - y$: the derivative of the logarithm, $1 / l_2$ or $1 / (1 - l_2)$, "
      "cancels "
      "the sigmoid's. For row {} it is {}, where the squared error has {}.\n",
      row, number(delta), number(s.ob.delta2(0, 0)));
}

void answer_5(const Story& s) {
  Network n = s.net;
  for (double& w : n.w0.numbers) w = 0.5;
  for (double& w : n.w1.numbers) w = 0.5;
  for (int i = 0; i < 100; ++i) n = after_step(n, backward(n, forward(n)));
  for (std::size_t i = 0; i < n.w0.rows; ++i)
    for (std::size_t j = 1; j < n.w0.columns; ++j)
      agree(n.w0(i, 0), n.w0(i, j), 1e-12, "equal units stay equal");
  fmt::print(
      "All columns of $\\partial E / \\partial w_0$ are equal, because nothing in $\\delta_1[r,j]$ "
      "depends on $j$; so the units stay equal for ever. After a hundred steps from 0.5 the first "
      "row of $w_0$ is `{}`.\n",
      fmt::join(std::vector<std::string>(n.w0.columns, number(n.w0(0, 0))), " "));
}

void answer_6(const Story& s) {
  const OnTape t = on_tape();
  Matrix by_hand(s.net.x.rows, s.net.x.columns);
  for (std::size_t r = 0; r < s.net.x.rows; ++r)
    for (std::size_t i = 0; i < s.net.x.columns; ++i)
      for (std::size_t j = 0; j < s.net.w0.columns; ++j)
        by_hand(r, i) += s.b.delta1(r, j) * s.net.w0(i, j);
  agree(by_hand, t.slope_x, "dE/dx");
  fmt::print(
      "$\\partial E / \\partial x = \\delta_1\\, w_0^T$, (5, 4) times (4, 3). Its element [{},{}] "
      "is {}, "
      "the sum of the four paths above.\n",
      row, input, number(by_hand(row, input)));
}

const std::vector<std::pair<std::string_view, std::function<void(const Story&)>>> sections = {
    {"symbols", symbols},     {"values", values},         {"forward", forward_values},
    {"row", row_forward},     {"step-1", step_1},         {"step-2", step_2},
    {"step-3", step_3},       {"step-4", step_4},         {"step-5", step_5},
    {"step-6", step_6},       {"step-7", step_7},         {"chain", chain},
    {"graph", graph},         {"paths", paths},           {"rows", rows},
    {"matrices", matrices},   {"update", update},         {"agreement", agreement},
    {"records", records},     {"mistakes", mistakes},     {"bias", bias},
    {"published", published}, {"mean-error", mean_error}, {"answer-1", answer_1},
    {"answer-2", answer_2},   {"answer-3", answer_3},     {"answer-4", answer_4},
    {"answer-5", answer_5},   {"answer-6", answer_6},
};

void print_section(std::string_view wanted) {
  const Story story;
  for (const auto& [name, print] : sections)
    if (name == wanted) return print(story);
  throw std::runtime_error(fmt::format("there is no section {}", wanted));
}

}  // namespace

int main(int count, char** words) {
  try {
    for (int i = 1; i < count; ++i) print_section(words[i]);
    if (count > 1) return 0;
    for (const auto& [name, print] : sections) {
      fmt::print("[{}]\n", name);
      print_section(name);
      fmt::print("\n");
    }
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}\n", problem.what());
    return 1;
  }
}
