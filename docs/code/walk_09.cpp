// Page 9 of docs/walk/: a tape of one's own, and tapegrad's.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sections.hpp"
#include "walk_by_hand.hpp"

using walk::agree;
using walk::number;
using walk::say;

namespace {

// ---------------------------------------------------------------- a tape of one's own

// [tape]
struct Line {
  char op;                   // '+', '-', '*', 's' for the sigmoid; '.' for a number that is given
  std::size_t a = 0, b = 0;  // the lines that go in: earlier ones
  double value = 0;          // what comes out
  double slope = 0;          // dE by it, as far as it has come in
};

struct Tape {
  std::vector<Line> lines;

  std::size_t write(const Line& line) {
    lines.push_back(line);
    return lines.size() - 1;
  }
  double value(std::size_t n) const { return lines[n].value; }

  std::size_t given(double v) { return write({'.', 0, 0, v}); }
  std::size_t add(std::size_t a, std::size_t b) { return write({'+', a, b, value(a) + value(b)}); }
  std::size_t subtract(std::size_t a, std::size_t b) {
    return write({'-', a, b, value(a) - value(b)});
  }
  std::size_t multiply(std::size_t a, std::size_t b) {
    return write({'*', a, b, value(a) * value(b)});
  }
  std::size_t sigmoid(std::size_t a) { return write({'s', a, a, 1 / (1 + std::exp(-value(a)))}); }

  void backward();
};
// [/tape]

// [backward]
void Tape::backward() {
  lines.back().slope = 1;  // of E by itself
  for (std::size_t n = lines.size(); n-- > 0;) {
    const Line y = lines[n];
    Line &a = lines[y.a], &b = lines[y.b];
    if (y.op == '+') a.slope += y.slope, b.slope += y.slope;
    if (y.op == '-') a.slope += y.slope, b.slope -= y.slope;
    if (y.op == '*') a.slope += y.slope * b.value, b.slope += y.slope * a.value;
    if (y.op == 's') a.slope += y.slope * y.value * (1 - y.value);
  }
}
// [/backward]

/// The network of the course on such a tape, and where on it things are.
struct Recorded {
  Tape tape;
  std::size_t i1, i2, t1, t2, b1, b2, w[8], out_h1, out_h2, net_o1, net_o2, out_o1, out_o2, E;

  std::size_t neuron(std::size_t in1, std::size_t w1, std::size_t in2, std::size_t w2,
                     std::size_t bias) {
    // [neuron]
    const std::size_t first = tape.multiply(in1, w1);
    const std::size_t second = tape.multiply(in2, w2);
    const std::size_t sum = tape.add(first, second);
    return tape.add(sum, bias);  // net
    // [/neuron]
  }

  std::size_t half_square(std::size_t out, std::size_t target, std::size_t half) {
    const std::size_t d = tape.subtract(out, target);
    const std::size_t square = tape.multiply(d, d);
    return tape.multiply(half, square);
  }

  /// If `shared`, w1 is used in the place of w3, too.
  explicit Recorded(const by_hand::Weights& start = {}, bool shared = false) {
    i1 = tape.given(by_hand::i1), i2 = tape.given(by_hand::i2);
    t1 = tape.given(by_hand::t1), t2 = tape.given(by_hand::t2);
    const double weights[] = {start.w1, start.w2, start.w3, start.w4,
                              start.w5, start.w6, start.w7, start.w8};
    for (std::size_t n = 0; n < 8; ++n) w[n] = tape.given(weights[n]);
    b1 = tape.given(start.b1), b2 = tape.given(start.b2);
    if (shared) w[2] = w[0];
    const std::size_t half = tape.given(0.5);
    out_h1 = tape.sigmoid(neuron(i1, w[0], i2, w[1], b1));
    out_h2 = tape.sigmoid(neuron(i1, w[2], i2, w[3], b1));
    net_o1 = neuron(out_h1, w[4], out_h2, w[5], b2);
    out_o1 = tape.sigmoid(net_o1);
    net_o2 = neuron(out_h1, w[6], out_h2, w[7], b2);
    out_o2 = tape.sigmoid(net_o2);
    const std::size_t E1 = half_square(out_o1, t1, half);
    const std::size_t E2 = half_square(out_o2, t2, half);
    E = tape.add(E1, E2);
  }
  double slope(std::size_t line) const { return tape.lines[line].slope; }
};

// ---------------------------------------------------------------- the page

/// The end of the tape, without the lines of the second output.
void lines() {
  Recorded r;
  r.tape.backward();
  const std::vector<std::pair<std::size_t, std::string_view>> names = {
      {r.net_o1, "net_o1"}, {r.out_o1, "out_o1"}, {r.E, "E"}};
  fmt::print(
      "On such a tape the network of this course has {} lines. Here is the end of it, without what "
      "belongs to the second output. Read the values from the top down and the slopes from the "
      "bottom up:\n\n```text\nline          value        slope\n",
      r.tape.lines.size());
  for (std::size_t n = r.net_o1 - 3; n < r.tape.lines.size(); ++n) {
    const Line& line = r.tape.lines[n];
    const std::size_t first_share = r.tape.lines[r.E].a;
    if ((n > r.out_o1 && n <= r.out_o2) || (n > first_share && n < r.E)) continue;
    std::string what = line.op == 's' ? fmt::format("sigmoid {}", line.a)
                                      : fmt::format("{} {} {}", line.a, line.op, line.b);
    std::string_view name;
    for (const auto& [at, known] : names)
      if (at == n) name = known;
    fmt::print("{:<4}{:<11}{:>9.6f}    {:>9.6f}", n, what, line.value, line.slope);
    fmt::print("{}{}\n", name.empty() ? "" : "  ", name);
  }
  fmt::print("```\n");
}

void agreement() {
  Recorded r;
  r.tape.backward();
  const by_hand::Story s;
  TwoTwoTwo n;
  const Net slope = gradient(n.E, n.net);
  const double by_hand[] = {s.b.slope.w1, s.b.slope.w2, s.b.slope.w3, s.b.slope.w4,
                            s.b.slope.w5, s.b.slope.w6, s.b.slope.w7, s.b.slope.w8};
  fmt::print("| | by deltas | on your tape | on tapegrad's |\n|---|---:|---:|---:|\n");
  for (std::int64_t k = 0; k < 8; ++k) {
    const tg::Tensor& matrix = k < 4 ? slope.hidden.weight : slope.output.weight;
    const double by_tape = matrix.at(k % 2, k % 4 / 2);
    const auto place = static_cast<std::size_t>(k);
    const double own = r.slope(r.w[place]);
    agree(own, by_hand[place], "your tape and by hand");
    agree(own, by_tape, "your tape and tapegrad's");
    if (k != 0 && k != 4) continue;  // one of each layer is shown
    fmt::print("| $`\\partial E / \\partial w_{}`$ | {:.12f} | {:.12f} | {:.12f} |\n", k + 1,
               by_hand[place], own, by_tape);
  }
  const auto [by_input, by_target] = gradient(n.E, n.i, n.t);
  agree(r.slope(r.i1), by_input.at(0, 0), "dE/di1");
  agree(r.slope(r.i2), by_input.at(0, 1), "dE/di2");
  agree(r.slope(r.t1), by_target.at(0, 0), "dE/dt1");
  agree(r.slope(r.t2), by_target.at(0, 1), "dE/dt2");
}

// ---------------------------------------------------------------- what goes wrong

/// The backward loop with one thing changed.
enum class Wrong { first_to_last, overwrites };
double slope_of_w1(Wrong wrong) {
  Recorded r;
  std::vector<Line>& lines = r.tape.lines;
  lines.back().slope = 1;
  for (std::size_t k = 0; k < lines.size(); ++k) {
    const Line y = lines[wrong == Wrong::first_to_last ? k : lines.size() - 1 - k];
    const auto give = [&](std::size_t to, double share) {
      if (wrong == Wrong::overwrites)
        lines[to].slope = share;
      else
        lines[to].slope += share;
    };
    if (y.op == '+') give(y.a, y.slope), give(y.b, y.slope);
    if (y.op == '-') give(y.a, y.slope), give(y.b, -y.slope);
    if (y.op == '*') {
      const double by_a = y.slope * r.tape.value(y.b), by_b = y.slope * r.tape.value(y.a);
      give(y.a, by_a), give(y.b, by_b);
    }
    if (y.op == 's') give(y.a, y.slope * y.value * (1 - y.value));
  }
  return r.slope(r.w[0]);
}

void mistakes() {
  Recorded right, twice;
  right.tape.backward();
  twice.tape.backward();
  twice.tape.backward();
  const double w1 = right.slope(right.w[0]);
  const auto line = [&](std::string_view what, double slope) {
    fmt::print("| {} | {} | {} |\n", what, number(slope),
               number(std::round(slope / w1 * 1e4) / 1e4));
  };
  fmt::print(
      "| mistake | $`\\partial E / \\partial w_1`$ | times the right one |\n|---|---:|---:|\n");
  line("none", w1);
  line("from the first line to the last", slope_of_w1(Wrong::first_to_last));
  line("`=` where `+=` is meant: the last share overwrites the others",
       slope_of_w1(Wrong::overwrites));
  line("`backward` twice, without setting the slopes to 0 in between", twice.slope(twice.w[0]));
}

/// Passes a share on as soon as it comes, path by path; counts the calls.
std::size_t pass(Tape& tape, std::size_t n, double share) {
  Line& y = tape.lines[n];
  y.slope += share;
  std::size_t calls = 1;
  if (y.op == '+') {
    calls += pass(tape, y.a, share);
    calls += pass(tape, y.b, share);
  }
  return calls;
}

void recursion() {
  constexpr int doublings = 20;
  Tape once, path_by_path;
  for (Tape* tape : {&once, &path_by_path}) {
    std::size_t x = tape->given(1);
    for (int i = 0; i < doublings; ++i) x = tape->add(x, x);
  }
  once.backward();
  const std::size_t calls = pass(path_by_path, path_by_path.lines.size() - 1, 1);
  agree(once.lines[0].slope, path_by_path.lines[0].slope, "both ways");
  say("Of $`x`$ doubled @ times the slope is @, which both ways find: line by line in @ visits, "
      "path by path in @.",
      {doublings, once.lines[0].slope, static_cast<double>(once.lines.size()),
       static_cast<double>(calls)});
}

// ---------------------------------------------------------------- tapegrad's tape

/// The records of the output layer: forward, and those of its gradient.
void records() {
  TwoTwoTwo n;
  static_cast<void>(gradient(n.E, n.net_o, n.net_h, n.net.output.weight, n.net.hidden.weight));
  std::istringstream listing(fmt::format("{}", n.tape));
  bool from_here = false;
  int products = 0;
  for (std::string line; products < 2 && std::getline(listing, line);) {
    const auto has = [&](std::string_view name) { return line.find(name) != std::string::npos; };
    from_here |= has(" out_h ");
    if (!from_here && !has(" W2 ") && !has(" b2 ") && !has(" t ")) continue;
    fmt::print("{}\n", line);
    if (line.front() == '~' && has("matmul")) ++products;
  }
}

void formulas() {
  TwoTwoTwo n;
  const auto [delta_o, delta_h, slope2, slope1] =
      gradient(n.E, n.net_o, n.net_h, n.net.output.weight, n.net.hidden.weight);
  delta_o.named("delta_o");
  delta_h.named("delta_h");
  fmt::print("delta_o = {}\n", tg::formula(delta_o));
  fmt::print("dE/dW2  = {}\n", tg::formula(slope2));
  fmt::print("delta_h = {}\n", tg::formula(delta_h));
  fmt::print("dE/dW1  = {}\n", tg::formula(slope1));
}

// ---------------------------------------------------------------- the other direction

/// d(E)/d(a line), carried along from the first line to the last.
double forward_mode(const Recorded& r, std::size_t by) {
  std::vector<double> rate(r.tape.lines.size());
  for (std::size_t n = 0; n < rate.size(); ++n) {
    const Line& y = r.tape.lines[n];
    if (y.op == '.') rate[n] = n == by ? 1 : 0;
    if (y.op == '+') rate[n] = rate[y.a] + rate[y.b];
    if (y.op == '-') rate[n] = rate[y.a] - rate[y.b];
    if (y.op == '*') rate[n] = rate[y.a] * r.tape.value(y.b) + r.tape.value(y.a) * rate[y.b];
    if (y.op == 's') rate[n] = rate[y.a] * y.value * (1 - y.value);
  }
  return rate.back();
}

void directions() {
  Recorded r;
  r.tape.backward();
  for (const std::size_t w : r.w) agree(forward_mode(r, w), r.slope(w), "both directions");
  constexpr int digits = 784 * 30 + 30 + 30 * 10 + 10;
  fmt::print(
      "For the {} weights of this network that would be {} sweeps; for the {} of a small network "
      "that reads handwritten digits, {}. Reverse mode needs one.\n",
      std::size(r.w), std::size(r.w), digits, digits);
}

void shared() {
  by_hand::Weights start;
  start.w3 = start.w1;
  Recorded two(start), one(start, true);
  two.tape.backward();
  one.tape.backward();
  const double first = two.slope(two.w[0]), second = two.slope(two.w[2]);
  agree(first + second, one.slope(one.w[0]), "the sum over the uses");
  agree(forward_mode(one, one.w[0]), one.slope(one.w[0]), "a shared weight");
  say("If $`w_1`$ stands in the place of $`w_3`$ as well, its slope is @: the sum of @ and @, of "
      "what two weights with that value would get.",
      {one.slope(one.w[0]), first, second});
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"lines", lines},
                      {"agreement", agreement},
                      {"mistakes", mistakes},
                      {"recursion", recursion},
                      {"records", records},
                      {"formulas", formulas},
                      {"directions", directions},
                      {"shared", shared}});
}
