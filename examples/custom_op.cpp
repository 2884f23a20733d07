// An op of your own, checked: first a right one, then one with a mistake, and the report that finds
// it. A block is all it takes; the tape, gradients of any order, replay and the check come with it.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

#include <cmath>

namespace tg = tapegrad;

namespace {

/// y = x / (1 + |x|): dy/dx = 1 / (1 + |x|)^2 = (1 - |y|)^2
constexpr tg::Op my_softsign_op = {
    .name = "my_softsign",
    .notation = "softsign({})",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) { using std::abs; return x / (1 + abs(x)); }>,
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar * square(1.0 - abs(v.y))); },
    .sample = {tg::uniform(0.1, 3)}};
tg::Tensor my_softsign(const tg::Arg& x) { return tg::record(my_softsign_op, {x}); }

/// The same with a slip of the pen: the square is missing.
constexpr tg::Op slipped_op = [] {
  tg::Op op = my_softsign_op;
  op.name = "slipped";
  op.vjp = [](tg::Vjp& v) { v.give(0, v.ybar * (1.0 - abs(v.y))); };
  return op;
}();
tg::Tensor slipped(const tg::Arg& x) { return tg::record(slipped_op, {x}); }

}  // namespace

int main() {
  tg::Tape tape;
  tg::Random random{1};
  const tg::Linear layer = tg::linear(tape, 3, 2, random);
  const tg::Tensor x = tape.input(random.normal(0, 1, tg::Shape{4, 3})).named("x");

  fmt::print("The op alone, one line:\n{}\n", tg::check_op(my_softsign_op).text());
  fmt::print("In a network:\n{}\n", tg::check_gradient(sum(my_softsign(layer(x))), layer).text());
  fmt::print("Would the check notice a mistake? {}\n", tg::self_test(my_softsign_op).text());

  fmt::print("With the slip:\n{}", tg::check_gradient(sum(slipped(layer(x))), layer).text());
}
