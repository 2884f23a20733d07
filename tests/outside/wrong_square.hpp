// An op of a consumer's own, whose derivative has the wrong sign: the checks must name it.
#pragma once

#include <tapegrad/tapegrad.hpp>

namespace tg = tapegrad;

inline constexpr tg::Op wrong_square_op = {
    .name = "wrong_square",
    .notation = "{}^2",
    .kind = tg::Kind::elementwise,
    .shape = tg::same_as_operand,
    .forward = tg::elementwise_kernel<[](auto x) { return x * x; }>,
    .vjp = [](tg::Vjp& v) { v.give(0, v.ybar * (-2.0 * v.x(0))); },
    .sample = {tg::uniform(-2, 2)},
};
inline tg::Tensor wrong_square(const tg::Arg& x) { return tg::record(wrong_square_op, {x}); }
