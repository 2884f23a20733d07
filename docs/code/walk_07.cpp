// Page 7 of docs/walk/: the backward pass in matrices.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sections.hpp"
#include "walk_by_hand.hpp"

using walk::agree;
using walk::number;

namespace {

// ---------------------------------------------------------------- by hand

using Matrix = std::vector<std::vector<double>>;

Matrix transposed(const Matrix& a) {
  Matrix result(a[0].size(), std::vector<double>(a.size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[0].size(); ++j) result[j][i] = a[i][j];
  return result;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix result(a.size(), std::vector<double>(b[0].size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < b[0].size(); ++j)
      for (std::size_t k = 0; k < b.size(); ++k) result[i][j] += a[i][k] * b[k][j];
  return result;
}

Matrix elementwise(Matrix a, const Matrix& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[0].size(); ++j) a[i][j] *= b[i][j];
  return a;
}

/// a (1 - a): the slope of the sigmoid that gave a.
Matrix slope_of(Matrix a) {
  for (std::vector<double>& row : a)
    for (double& v : row) v *= 1 - v;
  return a;
}

Matrix inverse(const Matrix& a) {
  const double determinant = a[0][0] * a[1][1] - a[0][1] * a[1][0];
  return {{a[1][1] / determinant, -a[0][1] / determinant},
          {-a[1][0] / determinant, a[0][0] / determinant}};
}

struct Page {
  by_hand::Story s;
  Matrix i{{by_hand::i1, by_hand::i2}};
  Matrix W1{{s.w.w1, s.w.w3}, {s.w.w2, s.w.w4}}, W2{{s.w.w5, s.w.w7}, {s.w.w6, s.w.w8}};
  Matrix out_h{{s.v.out_h1, s.v.out_h2}}, out_o{{s.v.out_o1, s.v.out_o2}};
  Matrix dE_dout_o{{s.v.out_o1 - by_hand::t1, s.v.out_o2 - by_hand::t2}};
  Matrix delta_o, dE_dout_h, delta_h, dE_dW2, dE_dW1;

  Page() {
    // [backward]
    delta_o = elementwise(dE_dout_o, slope_of(out_o));  // (1, 2)
    dE_dW2 = product(transposed(out_h), delta_o);       // (2, 1) (1, 2) -> (2, 2)
    dE_dout_h = product(delta_o, transposed(W2));       // (1, 2) (2, 2) -> (1, 2)
    delta_h = elementwise(dE_dout_h, slope_of(out_h));  // (1, 2)
    dE_dW1 = product(transposed(i), delta_h);           // (2, 1) (1, 2) -> (2, 2)
    // [/backward]
    const auto same = [](const Matrix& a, const Matrix& b) {
      for (std::size_t r = 0; r < a.size(); ++r)
        for (std::size_t c = 0; c < a[0].size(); ++c)
          agree(a[r][c], b[r][c], "one by one and in matrices");
    };
    same(delta_o, {{s.b.delta_o1, s.b.delta_o2}});
    same(delta_h, {{s.b.delta_h1, s.b.delta_h2}});
    same(dE_dW2, {{s.b.slope.w5, s.b.slope.w7}, {s.b.slope.w6, s.b.slope.w8}});
    same(dE_dW1, {{s.b.slope.w1, s.b.slope.w3}, {s.b.slope.w2, s.b.slope.w4}});
  }

  /// E after a step with these slopes and the learning rate 1/2.
  double after_step(const Matrix& slope1, const Matrix& slope2) const {
    by_hand::Weights w = s.w;
    w.w1 -= 0.5 * slope1[0][0], w.w3 -= 0.5 * slope1[0][1];
    w.w2 -= 0.5 * slope1[1][0], w.w4 -= 0.5 * slope1[1][1];
    w.w5 -= 0.5 * slope2[0][0], w.w7 -= 0.5 * slope2[0][1];
    w.w6 -= 0.5 * slope2[1][0], w.w8 -= 0.5 * slope2[1][1];
    return by_hand::forward(w).E;
  }
};

// ---------------------------------------------------------------- how it is printed

std::string in_brackets(const Matrix& m) {
  std::string result = "\\begin{bmatrix} ";
  for (std::size_t i = 0; i < m.size(); ++i) {
    if (i > 0) result += " \\\\ ";
    for (std::size_t j = 0; j < m[i].size(); ++j) result += (j > 0 ? " & " : "") + number(m[i][j]);
  }
  return result + " \\end{bmatrix}";
}

void math(std::string_view formula) { fmt::print("```math\n{}\n```\n", formula); }

void symbols() {
  const Page p;
  const auto line = [](std::string_view symbol, const Matrix& m, std::string_view meaning) {
    fmt::print("| $`{}`$ | ({}, {}) | $`{}`$ | {} |\n", symbol, m.size(), m[0].size(),
               in_brackets(m), meaning);
  };
  fmt::print("| symbol | shape | value | what it is |\n|---|---|---|---|\n");
  line("i", p.i, "the inputs");
  line("W_1", p.W1, "the weights $`w_1, w_3`$ and $`w_2, w_4`$");
  line("\\mathit{out}_h", p.out_h, "what leaves the hidden layer");
  line("W_2", p.W2, "the weights $`w_5, w_7`$ and $`w_6, w_8`$");
  line("\\mathit{out}_o", p.out_o, "what leaves the output layer");
  line("\\delta_o", p.delta_o, "$`\\partial E / \\partial \\mathit{net}_o`$");
  line("\\delta_h", p.delta_h, "$`\\partial E / \\partial \\mathit{net}_h`$");
}

void weights() {
  const Page p;
  math(
      fmt::format("\\frac{{\\partial E}}{{\\partial W_2}} = \\mathit{{out}}_h^T\\, \\delta_o = "
                  "{} {} \\approx {}",
                  in_brackets(transposed(p.out_h)), in_brackets(p.delta_o), in_brackets(p.dE_dW2)));
  fmt::print("\nYou should see `{}` for $`w_5`$, as on page 4.\n", number(p.dE_dW2[0][0]));
}

void back() {
  const Page p;
  math(
      fmt::format("\\frac{{\\partial E}}{{\\partial \\mathit{{out}}_h}} = \\delta_o\\, W_2^T = "
                  "{} {} \\approx {}",
                  in_brackets(p.delta_o), in_brackets(transposed(p.W2)), in_brackets(p.dE_dout_h)));
  fmt::print("\nYou should see `{}` for $`h_1`$, as on page 5.\n", number(p.dE_dout_h[0][0]));
}

void diagonal() {
  const Page p;
  const Matrix slope = slope_of(p.out_h);
  const Matrix jacobian{{slope[0][0], 0}, {0, slope[0][1]}};
  const Matrix by_product = product(p.dE_dout_h, jacobian);
  agree(by_product[0][0], p.delta_h[0][0], "a diagonal matrix");
  agree(by_product[0][1], p.delta_h[0][1], "a diagonal matrix");
  fmt::print("\\delta_h = {0} {1} = {0} \\odot {2} \\approx {3}\n", in_brackets(p.dE_dout_h),
             in_brackets(jacobian), in_brackets(slope), in_brackets(p.delta_h));
}

void explained() {
  const Page p;
  TwoTwoTwo n;
  const tg::Derivation derivation = explain(n.E, n.net.hidden.weight, tg::Index{0, 0});
  agree(derivation.value(), p.dE_dW1[0][0], "the derivation's number");
  fmt::print("{}", walk::formulas(derivation, "matrices"));
}

// ---------------------------------------------------------------- mistakes, each with its number

void mistakes() {
  const Page p;
  fmt::print(
      "| mistake | $`\\partial E / \\partial w_1`$ | $`\\partial E / \\partial w_6`$ | $`E`$ after "
      "one step |\n|---|---:|---:|---:|\n");
  const auto line = [&](std::string_view what, double w1, double w6, double E) {
    walk::require(E < p.s.v.E, "the loss falls in spite of a mistake, as page 10 says");
    fmt::print("| {} | {} | {} | {:.9f} |\n", what, number(w1), number(w6), E);
  };
  fmt::print("| before the step | | | {:.9f} |\n", p.s.v.E);
  line("none", p.dE_dW1[0][0], p.dE_dW2[1][0], p.after_step(p.dE_dW1, p.dE_dW2));
  const auto through = [&](std::string_view what, const Matrix& weight) {
    const Matrix delta = elementwise(product(p.delta_o, weight), slope_of(p.out_h));
    const Matrix slope = product(transposed(p.i), delta);
    walk::require(std::abs(slope[0][0] - p.dE_dW1[0][0]) > 1e-6, "a mistake shows");
    line(what, slope[0][0], p.dE_dW2[1][0], p.after_step(slope, p.dE_dW2));
  };
  through("$`\\delta_o W_2`$: not transposed", p.W2);
  through("$`\\delta_o W_1^T`$: the weights that enter the layer", transposed(p.W1));
  through("$`\\delta_o W_2^{-1}`$: the inverse", inverse(p.W2));
  const Matrix turned = product(transposed(p.delta_o), p.out_h);
  line("$`\\delta_o^T \\mathit{out}_h`$ for $`\\partial E / \\partial W_2`$", p.dE_dW1[0][0],
       turned[1][0], p.after_step(p.dE_dW1, turned));
}

// ---------------------------------------------------------------- answers

void answer_columns() {
  const Page p;
  const Matrix slope = product(transposed(p.delta_h), p.i);
  agree(slope[0][1], p.s.b.slope.w2, "w2 in columns");
  fmt::print(
      "$`\\delta_h i^T`$, a column times a row. Its element in the first row and the second column "
      "belongs to the weight *to* hidden neuron 1 *from* input 2, $`w_2`$: $`{} \\cdot {} = "
      "{}`$.\n",
      number(p.delta_h[0][0]), number(p.i[0][1]), number(slope[0][1]));
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"symbols", symbols},
                      {"weights", weights},
                      {"back", back},
                      {"diagonal", diagonal},
                      {"explain", explained},
                      {"mistakes", mistakes},
                      {"answer-columns", answer_columns}});
}
