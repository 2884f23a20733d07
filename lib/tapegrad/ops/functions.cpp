// Powers, roots, exponentials, logarithms and the error function, applied to each element.
#include <cmath>
#include <type_traits>

#include "tapegrad/kernel/elementwise.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

constexpr Op square_op = {
    .name = "square",
    .notation = "{}^2",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) { return x * x; }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * (2.0 * v.x(0))); },
    .sample = {uniform(-2, 2)},
};

constexpr Op sqrt_op = {
    .name = "sqrt",
    .notation = "sqrt({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::sqrt;
      return sqrt(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * (0.5 / v.y)); },
    .sample = {uniform(0.3, 3)},
};

constexpr Op rsqrt_op = {
    .name = "rsqrt",
    .notation = "1/sqrt({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::sqrt;
      return 1 / sqrt(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * (square(v.y) * v.y * -0.5)); },
    .sample = {uniform(0.3, 3)},
};

constexpr Op reciprocal_op = {
    .name = "reciprocal",
    .notation = "1/{}",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) { return 1 / x; }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * -square(v.y)); },
    .sample = {uniform(0.5, 2)},
};

constexpr Op exp_op = {
    .name = "exp",
    .notation = "exp({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::exp;
      return exp(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * v.y); },
    .sample = {uniform(-2, 2)},
};

constexpr Op expm1_op = {
    .name = "expm1",
    .notation = "expm1({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::expm1;
      return expm1(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * exp(v.x(0))); },
    .sample = {uniform(-2, 2)},
};

constexpr Op log_op = {
    .name = "log",
    .notation = "log({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::log;
      return log(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * (1.0 / v.x(0))); },
    .sample = {uniform(0.3, 3)},
};

constexpr Op log1p_op = {
    .name = "log1p",
    .notation = "log1p({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::log1p;
      return log1p(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * reciprocal(1.0 + v.x(0))); },
    .sample = {uniform(-0.5, 2)},
};

constexpr Op log2_op = {
    .name = "log2",
    .notation = "log2({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::log2;
      return log2(x);
    }>,
    .vjp =
        [](Vjp& v) {
          constexpr double one_over_log_2 = 1.4426950408889634;
          v.give(0, v.ybar * (one_over_log_2 / v.x(0)));
        },
    .sample = {uniform(0.3, 3)},
};

constexpr Op sign_op = {
    .name = "sign",
    .notation = "sign({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      const auto number = (x > 0) ? decltype(x)(1) : x < 0 ? decltype(x)(-1) : decltype(x)(0);
      return x != x ? x : number;
    }>,
    .vjp = zero_gradient,
    .sample = {uniform(0.1, 2)},
};

constexpr Op abs_op = {
    .name = "abs",
    .notation = "|{}|",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::abs;
      return abs(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * sign(v.x(0))); },
    .sample = {uniform(-2, -0.1)},
};

constexpr Op floor_op = {
    .name = "floor",
    .notation = "floor({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::floor;
      return floor(x);
    }>,
    .vjp = zero_gradient,
    .sample = {uniform(0.1, 0.9)},
};

constexpr double two_over_root_pi = 1.1283791670955126;

constexpr Op erf_op = {
    .name = "erf",
    .notation = "erf({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::erf;
      return erf(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * (two_over_root_pi * exp(-square(v.x(0))))); },
    .sample = {uniform(-2, 2)},
};

constexpr Op erfc_op = {
    .name = "erfc",
    .notation = "erfc({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::erfc;
      return erfc(x);
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * (-two_over_root_pi * exp(-square(v.x(0))))); },
    .sample = {uniform(-2, 2)},
};

constexpr Op pow_op = {
    .name = "pow",
    .notation = "{}^{}",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto p) {
      using std::pow;
      if constexpr (std::is_floating_point_v<decltype(x)>)  // the same, without the long way round
        if (p == 1 || p == 2) return p == 1 ? x : x * x;
      return pow(x, p);
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor x = v.x(0), p = v.x(1);
          // The first product is exactly 0 for p = 0, and cuts off the infinite slope at x = 0.
          if (v.wants(0)) {
            const Adjoint times_p = v.ybar * p;
            v.give(0, times_p * pow(x, p - 1.0));
          }
          // 0^p is 0 for all p > 0, where y log(x) would be 0 times -infinity.
          if (v.wants(1)) {
            const Tensor zero = equal(x, 0.0), at_zero = zero * (p >= 0.0), slope = v.y * log(x);
            v.give(1, v.ybar * where(at_zero, 0.0, slope));
          }
        },
    .sample = {uniform(0.3, 3), uniform(-2, 3)},
    .roles = {"base", "exponent"},
};

constexpr const Op* family[] = {&square_op, &sqrt_op,  &rsqrt_op, &reciprocal_op, &exp_op,
                                &expm1_op,  &log_op,   &log1p_op, &log2_op,       &sign_op,
                                &abs_op,    &floor_op, &erf_op,   &erfc_op,       &pow_op};

}  // namespace

Family function_family() { return family; }

Tensor square(const Arg& x) { return record(square_op, {x}); }
Tensor sqrt(const Arg& x) { return record(sqrt_op, {x}); }
Tensor rsqrt(const Arg& x) { return record(rsqrt_op, {x}); }
Tensor reciprocal(const Arg& x) { return record(reciprocal_op, {x}); }
Tensor exp(const Arg& x) { return record(exp_op, {x}); }
Tensor expm1(const Arg& x) { return record(expm1_op, {x}); }
Tensor log(const Arg& x) { return record(log_op, {x}); }
Tensor log1p(const Arg& x) { return record(log1p_op, {x}); }
Tensor log2(const Arg& x) { return record(log2_op, {x}); }
Tensor sign(const Arg& x) { return record(sign_op, {x}); }
Tensor abs(const Arg& x) { return record(abs_op, {x}); }
Tensor floor(const Arg& x) { return record(floor_op, {x}); }
Tensor erf(const Arg& x) { return record(erf_op, {x}); }
Tensor erfc(const Arg& x) { return record(erfc_op, {x}); }
Tensor pow(const Arg& x, const Arg& p) { return record(pow_op, {x, p}); }

}  // namespace tapegrad
