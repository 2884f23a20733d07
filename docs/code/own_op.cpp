// An op of one's own, outside the library: docs/house.md walks through it.
#include <fmt/format.h>

#include <cmath>
#include <tapegrad/tapegrad.hpp>

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

void print_use() {
  // [use]
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({-1, 0.5, 2}).named("x");
  const tg::Tensor y = bump(x);
  const tg::Tensor slope = gradient(sum(y), x);
  const tg::Tensor curvature = gradient(sum(slope), x);
  fmt::print("y          {}\nslope      {}\ncurvature  {}\n", y, slope, curvature);
  // [/use]
}

void print_check() {
  // [check]
  tg::Tape tape;
  const tg::Tensor x = tape.parameter(0.5);
  const tg::Tensor y = bump(x);
  const double by_rule = gradient(y, x).item(), h = 1e-5;
  const auto at = [&](double value) {
    x.set(value);
    tape.replay(y);
    return y.item();
  };
  const double by_difference = (at(0.5 + h) - at(0.5 - h)) / (2 * h);
  // [/check]
  fmt::print("by the rule        {:.9f}\nby the difference  {:.9f}\n", by_rule, by_difference);
}

}  // namespace

int main() {
  print_use();
  print_check();
}
