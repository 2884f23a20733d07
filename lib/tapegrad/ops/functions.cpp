// Functions of one variable, applied to each element, and powers.
#include <cmath>

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

constexpr Op sign_op = {
    .name = "sign",
    .notation = "sign({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      return x != x ? x : static_cast<decltype(x)>((x > 0) - (x < 0));
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

constexpr Op sigmoid_op = {
    .name = "sigmoid",
    .notation = "sigmoid({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {  // e^-x may overflow to infinity: then this is 0
      using std::exp;
      return 1 / (1 + exp(-x));
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * (v.y * (1.0 - v.y))); },
    .sample = {uniform(-3, 3)},
};

constexpr Op relu_op = {
    .name = "relu",
    .notation = "relu({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {  // a NaN stays one
      return x < 0 ? decltype(x)(0) : x;
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * (v.x(0) > 0)); },
    .sample = {uniform(0.1, 2)},
};

constexpr Op leaky_relu_op = {
    .name = "leaky_relu",
    .notation = "leaky_relu({}, {})",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto slope) { return (x > 0) ? x : slope * x; }>,
    .vjp =
        [](Vjp& v) {
          if (v.wants(0)) v.give(0, v.ybar * where(v.x(0) > 0, 1.0, v.x(1)));
          if (v.wants(1)) v.give(1, v.ybar * where(v.x(0) > 0, 0.0, v.x(0)));
        },
    .sample = {uniform(-2, -0.1), uniform(0.01, 0.5)},
    .roles = {"x", "slope"},
};

constexpr Op softplus_op = {
    .name = "softplus",
    .notation = "softplus({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::abs, std::exp, std::log1p;
      return (x > 0 ? x : decltype(x)(0)) + log1p(exp(-abs(x)));
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * sigmoid(v.x(0))); },
    .sample = {uniform(-3, 3)},
};

constexpr Op pow_op = {
    .name = "pow",
    .notation = "{}^{}",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto p) {
      using std::pow;
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

constexpr const Op* family[] = {&square_op, &sqrt_op,       &exp_op,      &log_op,  &sign_op,
                                &abs_op,    &sin_op,        &cos_op,      &tanh_op, &sigmoid_op,
                                &relu_op,   &leaky_relu_op, &softplus_op, &pow_op};

}  // namespace

Family function_family() { return family; }

Tensor square(const Arg& x) { return record(square_op, {x}); }
Tensor sqrt(const Arg& x) { return record(sqrt_op, {x}); }
Tensor exp(const Arg& x) { return record(exp_op, {x}); }
Tensor log(const Arg& x) { return record(log_op, {x}); }
Tensor sign(const Arg& x) { return record(sign_op, {x}); }
Tensor abs(const Arg& x) { return record(abs_op, {x}); }
Tensor sin(const Arg& x) { return record(sin_op, {x}); }
Tensor cos(const Arg& x) { return record(cos_op, {x}); }
Tensor tanh(const Arg& x) { return record(tanh_op, {x}); }
Tensor sigmoid(const Arg& x) { return record(sigmoid_op, {x}); }
Tensor relu(const Arg& x) { return record(relu_op, {x}); }
Tensor leaky_relu(const Arg& x, const Arg& slope) { return record(leaky_relu_op, {x, slope}); }
Tensor softplus(const Arg& x) { return record(softplus_op, {x}); }
Tensor pow(const Arg& x, const Arg& p) { return record(pow_op, {x, p}); }

}  // namespace tapegrad
