// An op of one's own, outside the library: docs/house.md walks through it.
#include <fmt/format.h>

#include <cmath>
#include <tapegrad/tapegrad.hpp>

namespace tg = tapegrad;

// [block]
namespace {

/// x / (1 + |x|), a cheap relative of tanh.
constexpr tg::Op softsign_op = {
    .name = "softsign",
    .notation = "softsign({})",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) {
      using std::abs;
      return x / (1 + abs(x));
    }>,
    // dy/dx = 1 / (1 + |x|)^2 = (1 - |y|)^2
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar * square(1.0 - abs(v.y))); },
    .sample = {tg::uniform(0.1, 3)},  // away from 0, where |x| has a kink
};

tg::Tensor softsign(const tg::Arg& x) { return tg::record(softsign_op, {x}); }

}  // namespace
// [/block]

namespace {

void print_use() {
  // [use]
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({-2, 0.5, 3}).named("x");
  const tg::Tensor y = softsign(x);
  const tg::Tensor slope = gradient(sum(y), x);
  const tg::Tensor curvature = gradient(sum(slope), x);
  fmt::print("y          {}\nslope      {}\ncurvature  {}\n", y, slope, curvature);
  // [/use]
}

void print_check() {
  // [check]
  tg::Tape tape;
  const tg::Tensor x = tape.parameter(0.5);
  const tg::Tensor y = softsign(x);
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
