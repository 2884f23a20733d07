// Ops of one's own, outside the library: docs/custom-ops.md walks through them.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <span>
#include <string>
#include <tapegrad/tapegrad.hpp>
#include <vector>

#include "sections.hpp"

namespace tg = tapegrad;

// [block]
namespace {

/// e^(-x^2), a bump around 0.
constexpr tg::Op bump_op = {
    .name = "bump",
    .notation = "bump({})",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) {
      using std::exp;
      return exp(-x * x);
    }>,
    // dy/dx = -2 x e^(-x^2) = -2 x y
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar * (-2.0 * v.x(0) * v.y)); },
    .sample = {tg::uniform(-2, 2)},
};

tg::Tensor bump(const tg::Arg& x) { return tg::record(bump_op, {x}); }

}  // namespace
// [/block]

namespace {

void use() {
  // [use]
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({-1, 0.5, 2}).named("x");
  const tg::Tensor y = bump(x);
  const tg::Tensor slope = gradient(sum(y), x);
  const tg::Tensor curvature = gradient(sum(slope), x);
  fmt::print("y          {}\nslope      {}\ncurvature  {}\n", y, slope, curvature);
  // [/use]
}

void check() {
  // [check]
  fmt::print("{}\n", tg::check_op(bump_op));
  fmt::print("{}", tg::self_test(bump_op));
  // [/check]
}

// [hypot]
/// sqrt(x^2 + y^2), by elements; the operands are broadcast.
constexpr tg::Op hypot_op = {
    .name = "hypot",
    .notation = "hypot({}, {})",
    .kind = tg::Kind::elementwise,
    .shape = tg::broadcast_operands,
    .forward = tg::elementwise_kernel<[](auto x, auto y) {
      using std::sqrt;
      return sqrt(x * x + y * y);
    }>,
    .vjp =
        [](tg::Vjp& v) {
          const tg::Tensor scale = 1.0 / v.y;
          if (v.wants(0)) v.give(0, v.ybar * (v.x(0) * scale));
          if (v.wants(1)) v.give(1, v.ybar * (v.x(1) * scale));
        },
    .sample = {tg::uniform(0.5, 2), tg::uniform(-2, -0.5)},
};
// [/hypot]

void two() {
  // [two]
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({{3, 6}, {5, 8}}), y = tape.parameter({4, 8});
  const tg::Tensor r = tg::record(hypot_op, {x, y});
  fmt::print("{}\n{}\n\n", r, gradient(sum(r), y));
  fmt::print("{}", tg::check_op(hypot_op));
  // [/two]
}

// [moving_sum]
tg::Tensor moving_sum(const tg::Arg& x, std::int64_t window);

/// y_i = x_i + ... + x_(i + window - 1): (n) -> (n - window + 1). The window is an attribute.
constexpr tg::Op moving_sum_op = {
    .name = "moving_sum",
    .notation = "moving_sum({})",
    .kind = tg::Kind::reduction,
    .shape =
        [](const tg::Operands& x) {
          const std::int64_t window = x.attribute(0);
          if (x[0].rank() != 1) x.fail("wants one axis", "reshape(x, {-1}) has one");
          if (window < 1 || window > x[0][0])
            x.fail(fmt::format("a window of {} does not fit into {} elements", window, x[0][0]));
          return tg::Shape{x[0][0] - window + 1};
        },
    .forward = tg::kernel<[]<class T>(const tg::Call& c) {
      const std::int64_t window = c.attributes[0], n = (*c.in[0].shape)[0];
      const T* x = c.from<T>(0);
      T *y = c.to<T>(), *sums = static_cast<T*>(c.scratch);  // sums[i] = x_0 + ... + x_(i-1)
      sums[0] = T(0);
      for (std::int64_t i = 0; i < n; ++i) sums[i + 1] = sums[i] + x[i];
      for (std::int64_t i = 0; i < c.count; ++i) y[i] = sums[i + window] - sums[i];
    }>,
    // x_j is in the windows that begin at j - window + 1, ..., j: a moving sum of ybar
    .vjp =
        [](tg::Vjp& v) {
          const std::int64_t window = v.attribute(0), beyond = window - 1;
          v.give(0, moving_sum(pad(v.ybar.tensor(), {{beyond, beyond}}), window));
        },
    .sample = {tg::uniform(-2, 2)},
    .examples =
        [](tg::Examples& example) {
          example({tg::Shape{5}}, {1});
          example({tg::Shape{5}}, {3});
          example({tg::Shape{5}}, {5});
        },
    .scratch = [](const tg::Operands& x) -> std::int64_t { return x[0][0] + 1; },
};

tg::Tensor moving_sum(const tg::Arg& x, std::int64_t window) {
  return tg::record(moving_sum_op, {x}, {window});
}
// [/moving_sum]

void window() {
  // [window]
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({1, 2, 3, 4, 5}).named("x");
  const tg::Tensor y = moving_sum(x, 3);
  fmt::print("{} {}\n\n", y, gradient(sum(y), x));
  fmt::print("{}\n{}", tg::check_op(moving_sum_op), tg::self_test(moving_sum_op));
  // [/window]
}

void misfit() {
  // [misfit]
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({1, 2, 3, 4, 5}).named("x");
  moving_sum(x, 7);
  // [/misfit]
}

// [copied]
constexpr tg::Op copied_op = {
    .name = "hypot",
    .notation = "hypot({}, {})",
    .kind = tg::Kind::elementwise,
    .shape = tg::broadcast_operands,
    .forward = tg::elementwise_kernel<[](auto x, auto y) {
      using std::sqrt;
      return sqrt(x * x + y * y);
    }>,
    .vjp =
        [](tg::Vjp& v) {
          v.give(0, v.ybar * (v.x(0) / v.y));
          v.give(1, v.ybar * (v.x(0) / v.y));  // copied, and one index forgotten
        },
    .sample = {tg::uniform(0.5, 2), tg::uniform(-2, -0.5)},
};
// [/copied]

void copied() { fmt::print("{}", tg::check_op(copied_op)); }

void softplus() {
  // [softplus]
  const auto my_softplus = [](const tg::Tensor& x) {
    return tg::with_vjp("my_softplus", log(1.0 + exp(x)), {x},
                        [](tg::Vjp& v) { v.give(0, v.ybar * sigmoid(v.x(0))); });
  };
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({0.0, 2.0, 800.0}).named("x");
  fmt::print("by the rules of log and exp  {}\n", gradient(sum(log(1.0 + exp(x))), x));
  fmt::print("by the rule of my own        {}\n\n", gradient(sum(my_softplus(x)), x));

  fmt::print("{}", tg::check_gradient(my_softplus, {{0.0, 2.0}}, {.order = 2}));
  // [/softplus]
}

void straight() {
  // [straight]
  const auto hard_sign = [](const tg::Tensor& x) {
    return tg::with_vjp("hard_sign", sign(x), {x}, [](tg::Vjp& v) { v.give(0, v.ybar); });
  };
  const auto clipped = [](const tg::Tensor& x, double most) {
    return tg::with_vjp("clipped", x, {x},
                        [most](tg::Vjp& v) { v.give(0, clamp(v.ybar.tensor(), -most, most)); });
  };
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({-0.5, 2.0}).named("x");
  fmt::print("{}\n", gradient(sum(3.0 * hard_sign(x)), x));
  fmt::print("{}\n", gradient(sum(square(clipped(x, 1.5))), x));
  // [/straight]
}

// [spring]
// A C library, as it were.
extern "C" void spring_energy(int n, const double* x, double stiffness, double* energy) {
  for (int i = 0; i < n; ++i) energy[i] = 0.5 * stiffness * x[i] * x[i];
}
extern "C" void spring_force(int n, const double* x, double stiffness, double* force) {
  for (int i = 0; i < n; ++i) force[i] = -stiffness * x[i];
}

tg::External spring(double stiffness) {
  return {.name = "spring",
          .forward =
              [stiffness](tg::External::Inputs x, std::span<double> y) {
                spring_energy(static_cast<int>(y.size()), x[0].data(), stiffness, y.data());
              },
          .backward =
              [stiffness](tg::External::Inputs x, std::span<const double>,
                          std::span<const double> ybar, tg::External::Outputs xbar) {
                std::span<double> out = xbar[0];
                spring_force(static_cast<int>(ybar.size()), x[0].data(), stiffness, out.data());
                for (std::size_t i = 0; i < out.size(); ++i) out[i] *= -ybar[i];
              }};
}
// [/spring]

void code_of_others() {
  // [code_of_others]
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({0.1, -0.2, 0.4}).named("x");
  const tg::Tensor energy = sum(tg::external(spring(50), {x}, tg::Shape{3}));
  fmt::print("{} {}\n\n", energy, gradient(energy, x));
  fmt::print("{}", tg::check_gradient(energy, x));
  // [/code_of_others]
}

/// Bump with another rule.
template <auto rule>
constexpr tg::Op bump_with = {
    .name = "bump",
    .notation = "bump({})",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = bump_op.forward,
    .vjp = rule,
    .sample = {tg::uniform(-2, 2)},
};

constexpr tg::Op impure_op = {
    .name = "impure",
    .notation = "impure({})",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) {
      static int calls = 0;
      return x * decltype(x)(1 + 1e-3 * (++calls % 2));
    }>,
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar); },
    .sample = {tg::uniform(-2, 2)},
};

constexpr tg::Op beyond_op = {
    .name = "beyond",
    .notation = "beyond({})",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) {
      using std::log;
      return log(x);
    }>,
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar * (1.0 / v.x(0))); },
    .sample = {tg::uniform(-2, 2)},
};

constexpr tg::Op unshaped_op = {
    .name = "unshaped",
    .notation = "unshaped({}, {})",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x, auto y) { return x * y; }>,
    .vjp =
        [](tg::Vjp& v) {
          v.give(0, v.ybar * v.x(1));
          v.give(1, v.ybar * v.x(0));
        },
    .sample = {tg::uniform(-2, 2), tg::uniform(-2, 2)},
};

/// What a check says of an op with a mistake: the sections that are bad, and the likely mistake; or
/// the error that the mistake is.
std::string said(const tg::Op& op) try {
  const tg::Report report = tg::check_op(op);
  std::string where;
  for (const tg::Section& section : report.sections())
    if (section.verdict == tg::Verdict::fail) where += (where.empty() ? " " : ", ") + section.name;
  const std::string& why = report.mistake().sentence;
  return fmt::format("{}{}{}", text(report.verdict()), where, why.empty() ? "" : ": " + why);
} catch (const tg::Error& error) {
  return fmt::format("Error: {}", error.text());
}

void mistakes() {
  struct Row {
    const char* what;
    const tg::Op& op;
  };
  const Row rows[] = {
      {"`v.ybar * (2.0 * v.x(0) * v.y)`: the sign",
       bump_with<[](tg::Vjp& v) { v.give(0, v.ybar * (2.0 * v.x(0) * v.y)); }>},
      {"`v.ybar * (-1.0 * v.x(0) * v.y)`: the 2",
       bump_with<[](tg::Vjp& v) { v.give(0, v.ybar * (-1.0 * v.x(0) * v.y)); }>},
      {"an empty rule: nothing is given", bump_with<[](tg::Vjp&) {}>},
      {"`-2.0 * v.x(0) * v.y`: `v.ybar` forgotten",
       bump_with<[](tg::Vjp& v) { v.give(0, -2.0 * v.x(0) * v.y); }>},
      {"`v.ybar * v.ybar.tensor() * ...`", bump_with<[](tg::Vjp& v) {
         v.give(0, (v.ybar * v.ybar.tensor()) * (-2.0 * v.x(0) * v.y));
       }>},
      {"`sum(...)`: a share of another shape",
       bump_with<[](tg::Vjp& v) { v.give(0, sum(v.ybar * (-2.0 * v.x(0) * v.y))); }>},
      {"`detach(v.y)` in the rule",
       bump_with<[](tg::Vjp& v) { v.give(0, v.ybar * (-2.0 * v.x(0) * detach(v.y))); }>},
      {"a kernel that remembers", impure_op},
      {"a `.sample` beyond the domain, of log", beyond_op},
      {"`same_as_operand` for two operands", unshaped_op},
  };
  fmt::print("| mistake | what `check_op` says |\n|---|---|\n");
  for (const Row& row : rows) fmt::print("| {} | {} |\n", row.what, said(row.op));
}

void report_error(void (*section)()) {
  try {
    section();
  } catch (const tg::Error& error) {
    fmt::print("{}\n", error.what());
  }
}

}  // namespace

int main(int count, char** words) {
  return run_section(count, words,
                     {{"use", use},
                      {"check", check},
                      {"two", two},
                      {"window", window},
                      {"misfit", [] { report_error(misfit); }},
                      {"copied", copied},
                      {"softplus", softplus},
                      {"straight", straight},
                      {"others", code_of_others},
                      {"mistakes", mistakes}});
}
