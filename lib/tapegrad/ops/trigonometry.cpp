// Circular and hyperbolic functions, applied to each element.
#include <cmath>

#include "tapegrad/kernel/elementwise.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

constexpr Op sin_op = {
    .name = "sin",
    .notation = "sin({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::sin;
      return sin(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * cos(v.x(0))); },
    .sample = {uniform(-3, 3)},
};

constexpr Op cos_op = {
    .name = "cos",
    .notation = "cos({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::cos;
      return cos(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * -sin(v.x(0))); },
    .sample = {uniform(-3, 3)},
};

constexpr Op tan_op = {
    .name = "tan",
    .notation = "tan({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::tan;
      return tan(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * (1.0 + square(v.y))); },
    .sample = {uniform(-1, 1)},
};

/// 1 - x^2 without cancellation near -1 and 1, where asin and acos are steep.
constexpr Op one_minus_square_op = {
    .name = "one_minus_square",
    .notation = "1 - {}^2",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) { return (1 - x) * (1 + x); }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * (-2.0 * v.x(0))); },
    .sample = {uniform(-2, 2)},
};

Tensor one_minus_square(const Arg& x) { return record(one_minus_square_op, {x}); }

constexpr Op asin_op = {
    .name = "asin",
    .notation = "asin({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::asin;
      return asin(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * rsqrt(one_minus_square(v.x(0)))); },
    .sample = {uniform(-0.7, 0.7)},
};

constexpr Op acos_op = {
    .name = "acos",
    .notation = "acos({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::acos;
      return acos(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * -rsqrt(one_minus_square(v.x(0)))); },
    .sample = {uniform(-0.7, 0.7)},
};

constexpr Op atan_op = {
    .name = "atan",
    .notation = "atan({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::atan;
      return atan(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * reciprocal(1.0 + square(v.x(0)))); },
    .sample = {uniform(-2, 2)},
};

constexpr Op hypot_op = {
    .name = "hypot",
    .notation = "hypot({}, {})",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto y) {
      using std::hypot;
      return hypot(x, y);
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor at_zero = equal(v.y, 0.0);
          if (v.wants(0)) v.give(0, v.ybar * where(at_zero, 0.0, v.x(0) / v.y));
          if (v.wants(1)) v.give(1, v.ybar * where(at_zero, 0.0, v.x(1) / v.y));
        },
    .sample = {uniform(0.5, 2), uniform(-2, -0.5)},
};

constexpr Op atan2_op = {
    .name = "atan2",
    .notation = "atan2({}, {})",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto y, auto x) {
      using std::atan2;
      return atan2(y, x);
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor y = v.x(0), x = v.x(1);
          const Tensor r = hypot(y, x);  // divided by twice, for r^2 may overflow or vanish
          if (v.wants(0)) v.give(0, v.ybar * (x / r / r));
          if (v.wants(1)) v.give(1, v.ybar * (-y / r / r));
        },
    .sample = {uniform(0.5, 2), uniform(-2, -0.5)},
    .roles = {"y", "x"},
};

constexpr Op sinh_op = {
    .name = "sinh",
    .notation = "sinh({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::sinh;
      return sinh(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * cosh(v.x(0))); },
    .sample = {uniform(-2, 2)},
};

constexpr Op cosh_op = {
    .name = "cosh",
    .notation = "cosh({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::cosh;
      return cosh(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * sinh(v.x(0))); },
    .sample = {uniform(-2, 2)},
};

constexpr Op tanh_op = {
    .name = "tanh",
    .notation = "tanh({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::tanh;
      return tanh(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * (1.0 - square(v.y))); },
    .sample = {uniform(-2, 2)},
};

constexpr const Op* family[] = {&sin_op,   &cos_op,  &tan_op,  &one_minus_square_op,
                                &asin_op,  &acos_op, &atan_op, &hypot_op,
                                &atan2_op, &sinh_op, &cosh_op, &tanh_op};

}  // namespace

Family trigonometry_family() { return family; }

Tensor sin(const Arg& x) { return record(sin_op, {x}); }
Tensor cos(const Arg& x) { return record(cos_op, {x}); }
Tensor tan(const Arg& x) { return record(tan_op, {x}); }
Tensor asin(const Arg& x) { return record(asin_op, {x}); }
Tensor acos(const Arg& x) { return record(acos_op, {x}); }
Tensor atan(const Arg& x) { return record(atan_op, {x}); }
Tensor hypot(const Arg& x, const Arg& y) { return record(hypot_op, {x, y}); }
Tensor atan2(const Arg& y, const Arg& x) { return record(atan2_op, {y, x}); }
Tensor sinh(const Arg& x) { return record(sinh_op, {x}); }
Tensor cosh(const Arg& x) { return record(cosh_op, {x}); }
Tensor tanh(const Arg& x) { return record(tanh_op, {x}); }

}  // namespace tapegrad
