// Wrong gradients and how they are found: docs/gradient-checking.md walks through it.
#include <fmt/format.h>

#include <cmath>
#include <span>
#include <tapegrad/tapegrad.hpp>
#include <vector>

#include "sections.hpp"

namespace tg = tapegrad;

namespace {

// [net]
struct Net {
  tg::Linear hidden, output;
  tg::Tensor operator()(const tg::Tensor& x) const { return output(tanh(hidden(x))); }
};
// [/net]

void network() {
  // [network]
  tg::Tape tape;
  tg::Random random{1};
  const Net net{tg::linear(tape, 2, 3, random), tg::linear(tape, 3, 1, random)};
  const tg::Tensor x = tape.input({{0, 0}, {0, 1}, {1, 0}, {1, 1}}).named("x");
  const tg::Tensor loss =
      half_squared_error(net(x), tape.input({{0}, {1}, {1}, {0}})).named("loss");

  const tg::Report report = tg::check_gradient(loss, net);
  fmt::print("{}", report);
  // [/network]
}

void function() {
  // [function]
  const tg::Report report =
      tg::check_gradient([](tg::Tensor x, tg::Tensor w) { return sum(tanh(matmul(x, w))); },
                         {{{0.5, -1.0}, {2.0, 0.25}}, tg::Shape{2, 3}});
  fmt::print("{}", report);
  // [/function]
}

// [op]
// 1.7159 tanh(2/3 x), LeCun's sigmoid, with the derivative 1.7159 (1 - tanh^2): the 2/3 is missing.
constexpr tg::Op lecun_op = {
    .name = "lecun",
    .notation = "lecun({})",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) {
      using std::tanh;
      return decltype(x)(1.7159) * tanh(x * 2 / 3);
    }>,
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar * (1.7159 - square(v.y) / 1.7159)); },
    .sample = {tg::uniform(-3, 3)},
};
tg::Tensor lecun(const tg::Arg& x) { return tg::record(lecun_op, {x}); }
// [/op]

void guilty() {
  // [guilty]
  tg::Tape tape;
  const tg::Tensor x = tape.input({{0.5, -1.0}, {2.0, 0.25}}).named("x");
  const tg::Tensor w = tape.parameter({{0.3, -0.8}, {1.1, 0.4}}).named("w");
  const tg::Tensor v = tape.parameter({0.7, -0.2}).named("v");
  const tg::Tensor h = lecun(matmul(x, w)).named("h");
  const tg::Tensor loss = mean(square(matmul(h, v))).named("loss");

  fmt::print("{}", tg::check_gradient(loss, {w, v}));
  // [/guilty]
}

// [negative_cube]
// x^3 with the derivative -3 x^2.
constexpr tg::Op cube_op = {
    .name = "cube",
    .notation = "{}^3",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) { return x * x * x; }>,
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar * (-3.0 * square(v.x(0)))); },
    .sample = {tg::uniform(-2, 2)},
};
tg::Tensor cube(const tg::Arg& x) { return tg::record(cube_op, {x}); }
// [/negative_cube]

void small() {
  // [small]
  tg::Tape tape;
  const tg::Tensor x = tape.input(0.5).named("x");
  const tg::Tensor y = (1e-6 * cube(x)).named("y");

  // As most checks do it: a difference, an absolute and a relative tolerance.
  const auto f = [](double z) { return 1e-6 * z * z * z; };
  const double h = 1e-6, numeric = (f(0.5 + h) - f(0.5 - h)) / (2 * h);
  const double analytic = gradient(y, x).item();
  const bool accepted = std::abs(analytic - numeric) <= 1e-5 + 1e-3 * std::abs(numeric);
  fmt::print("analytic {:.3g}, numeric {:.3g}: {}\n\n", analytic, numeric,
             accepted ? "accepted" : "refused");

  fmt::print("{}", tg::check_gradient(y, x));
  // [/small]
}

// [halves]
// 2 x with the slope 1, and x / 2 with the slope 1: two wrong ops that make a right gradient.
constexpr tg::Op twice_op = {
    .name = "twice",
    .notation = "2 {}",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) { return x + x; }>,
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar); },
    .sample = {tg::uniform(-2, 2)},
};
constexpr tg::Op half_op = {
    .name = "half",
    .notation = "{} / 2",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) { return x / 2; }>,
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar); },
    .sample = {tg::uniform(-2, 2)},
};
// [/halves]

void cancel() {
  // [cancel]
  tg::Tape tape;
  const tg::Tensor x = tape.input({0.5, -1.5}).named("x");
  const tg::Tensor doubled = tg::record(twice_op, {x});
  const tg::Tensor y = sum(tg::record(half_op, {sin(doubled) + doubled}));

  fmt::print("{}", tg::check_gradient(y, x));
  // [/cancel]
}

void one_of_many() {
  // [one_of_many]
  tg::Tape tape;
  tg::Random random{5};
  const tg::Tensor w = tape.parameter(random.normal(0, 1, tg::Shape{100, 100})).named("w");
  std::vector<double> signs(10'000, 1.0);
  signs[7'777] = -1;  // row 77, column 77
  const tg::Tensor sign = tape.constant(tg::Array(tg::Shape{100, 100}, signs));
  const auto spoilt = [](tg::Vjp& v) { v.give(0, v.ybar * (2.0 * v.x(0) * v.x(1))); };
  const tg::Tensor y = tg::with_vjp("spoilt", w * w, {w, sign}, spoilt);

  fmt::print("{}", tg::check_gradient(sum(y), w));
  // [/one_of_many]
}

void kink() {
  // [kink]
  tg::Tape tape;
  const tg::Tensor x = tape.input({{1.0, 0.0}, {-2.0, 3.0}}).named("x");
  const tg::Tensor y = sum(relu(x)).named("y");

  fmt::print("{}", tg::check_gradient(y, x));
  // [/kink]
}

void digits() {
  // [digits]
  fmt::print("{}", tg::check_gradient([](tg::Tensor x) { return tanh(x); }, {18.0}));
  // [/digits]
}

void inconclusive() {
  // [inconclusive]
  const auto f = [](std::span<const double> x) { return std::tanh(x[0]); };
  const auto gradient_of_f = [](std::span<const double> x, std::span<double> g) {
    g[0] = 1 / (std::cosh(x[0]) * std::cosh(x[0]));
  };
  const std::vector<double> x = {18};
  fmt::print("{}", tg::check_gradient(f, gradient_of_f, x));
  // [/inconclusive]
}

void zero() {
  // [zero]
  tg::Tape tape;
  const tg::Tensor x = tape.input({1.0, 2.0}).named("x");
  const tg::Tensor y = sum(relu(-x)).named("y");
  fmt::print("{}\n", tg::check_gradient(y, x));
  fmt::print("{}", tg::check_gradient(y, x, {.expect_zero = true}));
  // [/zero]
}

void frozen() {
  // [frozen]
  const auto f = [](tg::Tensor x) { return sum(x * x.at(0)); };
  fmt::print("{}\n", tg::check_replay(f, {{2.0, 3.0}}));
  fmt::print("{}", tg::check_gradient(f, {{2.0, 3.0}}));
  // [/frozen]
}

void second() {
  // [second]
  tg::Tape tape;
  const tg::Tensor x = tape.input({0.5, -1.5}).named("x");
  const tg::Tensor y = sum(tg::with_vjp("my_square", x * x, {x}, [](tg::Vjp& v) {
    v.give(0, v.ybar * (v.x(0) + detach(v.x(0))));  // 2 x, half of it hidden
  }));
  fmt::print("{}\n", tg::check_gradient(y, x));
  fmt::print("{}", tg::check_gradient(y, x, {.order = 2}));
  // [/second]
}

// [rosenbrock]
// Rosenbrock's function, as it stands in many a test of an optimiser, and its gradient.
double rosenbrock(std::span<const double> x) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double off = x[i + 1] - x[i] * x[i];
    sum += 100 * off * off + (1 - x[i]) * (1 - x[i]);
  }
  return sum;
}

void gradient_of_rosenbrock(std::span<const double> x, std::span<double> g) {
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double off = x[i + 1] - x[i] * x[i];
    g[i] = -400 * x[i] * off - 2 * (1 - x[i]);
    g[i + 1] = 200 * off;
  }
}
// [/rosenbrock]

void plain() {
  // [plain]
  const std::vector<double> x = {-1.2, 1.0, 0.7, 0.4};
  const tg::Report report = tg::check_gradient(rosenbrock, gradient_of_rosenbrock, x);
  fmt::print("{}", report);
  // [/plain]
}

// [kernel]
// y = a b, where each row of a is multiplied by the row b.
using Operands = std::span<const std::span<const double>>;
using Adjoints = std::span<const std::span<double>>;

void multiply(Operands x, std::span<double> y) {
  for (std::size_t i = 0; i < 6; ++i) y[i] = x[0][i] * x[1][i % 3];
}
void vjp_of_multiply(Operands x, std::span<const double> ybar, Adjoints xbar) {
  for (std::size_t i = 0; i < 6; ++i) {
    xbar[0][i] = ybar[i] * x[1][i % 3];
    xbar[1][i % 3] = ybar[i] * x[0][i];  // should be +=
  }
}
// [/kernel]

void vjp() {
  // [vjp]
  const tg::KernelShapes shapes = {
      .operands = {{.shape = tg::Shape{2, 3}, .name = "a"}, {.shape = tg::Shape{3}, .name = "b"}},
      .result = tg::Shape{2, 3}};
  fmt::print("{}", tg::check_vjp(multiply, vjp_of_multiply, shapes));
  // [/vjp]
}

void contracts() {
  // [contracts]
  tg::Tape tape;
  const tg::Tensor x = tape.input({0.5, -1.5}).named("x");
  const tg::Tensor y = tg::with_vjp("my_square", x * x, {x}, [](tg::Vjp& v) {
    v.give(0, v.ybar * v.ybar.tensor() * (2.0 * v.x(0)));  // ybar twice
  });
  fmt::print("{}", tg::check_gradient(sum(y), x));
  // [/contracts]
}

void control() {
  // [control]
  tg::Tape tape;
  const tg::Tensor x = tape.input({{0.5, -1.0}, {2.0, 0.25}}).named("x");
  const tg::Tensor w = tape.parameter({{0.3, -0.8}, {1.1, 0.4}}).named("w");
  const tg::Tensor loss = mean(square(tanh(matmul(x, w))));

  fmt::print("{}", tg::self_test(loss, {w, x}));
  // [/control]
}

void parts() {
  // [parts]
  tg::Tape tape;
  const tg::Tensor x = tape.input({0.5, -1.5}).named("x");
  const tg::Report report = tg::check_gradient(sum(lecun(x)), x);
  const tg::Element& worst = report.worst();
  fmt::print("{}: {:.4f}, measured {:.4f}\n", worst.where(), worst.judgement.analytic,
             worst.judgement.numeric);
  fmt::print("{} wrong; op {}, line {}\n", report.count(tg::Verdict::fail),
             report.first_bad_op().op, report.first_bad_op().at.line);
  // [/parts]
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"network", network},
                      {"function", function},
                      {"guilty", guilty},
                      {"small", small},
                      {"cancel", cancel},
                      {"one_of_many", one_of_many},
                      {"kink", kink},
                      {"digits", digits},
                      {"inconclusive", inconclusive},
                      {"zero", zero},
                      {"frozen", frozen},
                      {"second", second},
                      {"plain", plain},
                      {"vjp", vjp},
                      {"contracts", contracts},
                      {"control", control},
                      {"parts", parts}});
}
