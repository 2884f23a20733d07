// An op of your own, checked: first a right one, then one with a mistake, and the report that finds
// it. A block is all it takes; the tape, gradients of any order, replay and the check come with it.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

namespace tg = tapegrad;

namespace {

/// y = 1 / (1 + x^2), the shape of a spectral line: dy/dx = -2 x y^2
constexpr tg::Op lorentz_op = {
    .name = "lorentz",
    .notation = "lorentz({})",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) { return 1 / (1 + x * x); }>,
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar * (-2.0 * (v.x(0) * square(v.y)))); },
    .sample = {tg::uniform(-2, 2)}};
tg::Tensor lorentz(const tg::Arg& x) { return tg::record(lorentz_op, {x}); }

/// The same with a slip of the pen: the square is missing.
constexpr tg::Op slipped_op = [] {
  tg::Op op = lorentz_op;
  op.name = "slipped";
  op.vjp = [](tg::Vjp& v) { v.give(0, v.ybar * (-2.0 * (v.x(0) * v.y))); };
  return op;
}();
tg::Tensor slipped(const tg::Arg& x) { return tg::record(slipped_op, {x}); }

}  // namespace

int main() {
  tg::Tape tape;
  tg::Random random{1};
  const tg::Linear layer = tg::linear(tape, 3, 2, random);
  const tg::Tensor x = tape.input(random.normal(0, 1, tg::Shape{4, 3})).named("x");

  fmt::print("The op alone, one line:\n{}\n", tg::check_op(lorentz_op));
  fmt::print("In a network:\n{}\n", tg::check_gradient(sum(lorentz(layer(x))), layer));
  fmt::print("Would the check notice a mistake? {}\n", tg::self_test(lorentz_op));

  fmt::print("With the slip:\n{}", tg::check_gradient(sum(slipped(layer(x))), layer));
}
