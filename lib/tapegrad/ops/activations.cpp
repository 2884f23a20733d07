// Activation functions of networks, applied to each element.
#include <cmath>

#include "tapegrad/kernel/elementwise.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

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

constexpr Op logsigmoid_op = {
    .name = "logsigmoid",
    .notation = "log(sigmoid({}))",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::abs, std::exp, std::log1p;
      return (x < 0 ? x : decltype(x)(0)) - log1p(exp(-abs(x)));
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * sigmoid(-v.x(0))); },
    .sample = {uniform(-3, 3)},
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

constexpr Op elu_op = {
    .name = "elu",
    .notation = "elu({}, {})",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto alpha) {
      using std::expm1;
      return (x > 0) ? x : alpha * expm1(x);
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor x = v.x(0), alpha = v.x(1), right = x > 0;
          if (v.wants(0)) v.give(0, v.ybar * where(right, 1.0, alpha * exp(x)));
          if (v.wants(1)) v.give(1, v.ybar * where(right, 0.0, expm1(x)));
        },
    .sample = {uniform(-2, -0.1), uniform(0.5, 2)},
    .roles = {"x", "alpha"},
};

// lambda and alpha keep mean 0 and variance 1 from layer to layer: Klambauer, Unterthiner, Mayr and
// Hochreiter, Self-normalizing neural networks, 2017.
constexpr double selu_lambda = 1.0507009873554805, selu_alpha = 1.6732632423543772;

constexpr Op selu_op = {
    .name = "selu",
    .notation = "selu({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::expm1;
      using T = decltype(x);
      return T(selu_lambda) * ((x > 0) ? x : T(selu_alpha) * expm1(x));
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor x = v.x(0), left = selu_lambda * selu_alpha * exp(x);
          v.give(0, v.ybar * where(x > 0, selu_lambda, left));
        },
    .sample = {uniform(-2, -0.1)},
};

constexpr Op gelu_op = {
    .name = "gelu",
    .notation = "gelu({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {  // erfc keeps the digits that 1 + erf would lose
      using std::erfc, std::sqrt;
      using T = decltype(x);
      return T(0.5) * x * erfc(-x / sqrt(T(2)));
    }>,
    // Phi(x) + x phi(x), with the distribution and the density of the normal law
    .vjp =
        [](Vjp& v) {
          constexpr double one_over_root_2 = 0.70710678118654752, root_2_pi = 2.5066282746310005;
          const Tensor x = v.x(0), distribution = 0.5 * erfc(-one_over_root_2 * x);
          const Tensor density = exp(-0.5 * square(x)) / root_2_pi;
          v.give(0, v.ybar * (distribution + x * density));
        },
    .sample = {uniform(-3, 3)},
};

// 1/2 x (1 + tanh(u)) = x sigmoid(2u), where 2u = a x (1 + c x^2)
constexpr double gelu_a = 1.5957691216057308 /* 2 sqrt(2/pi) */, gelu_c = 0.044715;

constexpr Op gelu_tanh_op = {
    .name = "gelu_tanh",
    .notation = "gelu_tanh({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::exp;
      using T = decltype(x);
      return x / (1 + exp(-T(gelu_a) * x * (1 + T(gelu_c) * x * x)));
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor x = v.x(0), bent = gelu_c * square(x);
          const Tensor s = sigmoid((1.0 + bent) * x * gelu_a), level = (1.0 - s) * s * x;
          const Tensor rise = (1.0 + 3.0 * bent) * gelu_a;
          // Two products with the adjoint: where the level is 0, the rise may be infinite.
          v.give(0, v.ybar * s);
          v.give(0, v.ybar * level * rise);
        },
    .sample = {uniform(-3, 3)},
};

constexpr Op silu_op = {
    .name = "silu",
    .notation = "silu({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {  // as for sigmoid
      using std::exp;
      return x / (1 + exp(-x));
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor s = sigmoid(v.x(0));
          v.give(0, v.ybar * (s + v.y * (1.0 - s)));
        },
    .sample = {uniform(-3, 3)},
};

constexpr Op mish_op = {
    .name = "mish",
    .notation = "mish({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    // tanh(log(1 + e^x)) = ((1 + e^x)^2 - 1) / ((1 + e^x)^2 + 1): shortened by e^2x where that is
    // large
    .forward = elementwise_kernel<[](auto x) {
      using std::exp;
      using T = decltype(x);
      const bool right = (x > 0);
      const T e = exp(right ? -x : x);
      const T above = right ? 1 + 2 * e : e * (e + 2);
      return x * (above / (above + 2 * (right ? e * e : T(1))));
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor x = v.x(0), t = tanh(softplus(x)), s = sigmoid(x);
          v.give(0, v.ybar * (t + x * (1.0 - square(t)) * s));
        },
    .sample = {uniform(-3, 3)},
};

constexpr Op softsign_op = {
    .name = "softsign",
    .notation = "softsign({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::abs;
      return x / (1 + abs(x));
    }>,
    .vjp = [](Vjp& v) { v.give(0, v.ybar * square(reciprocal(1.0 + abs(v.x(0))))); },
    .sample = {uniform(0.1, 3)},
};

constexpr const Op* family[] = {&sigmoid_op,    &logsigmoid_op, &softplus_op, &relu_op,
                                &leaky_relu_op, &elu_op,        &selu_op,     &gelu_op,
                                &gelu_tanh_op,  &silu_op,       &mish_op,     &softsign_op};

}  // namespace

Family activation_family() { return family; }

Tensor sigmoid(const Arg& x) { return record(sigmoid_op, {x}); }
Tensor logsigmoid(const Arg& x) { return record(logsigmoid_op, {x}); }
Tensor softplus(const Arg& x) { return record(softplus_op, {x}); }
Tensor relu(const Arg& x) { return record(relu_op, {x}); }
Tensor leaky_relu(const Arg& x, const Arg& slope) { return record(leaky_relu_op, {x, slope}); }
Tensor elu(const Arg& x, const Arg& alpha) { return record(elu_op, {x, alpha}); }
Tensor selu(const Arg& x) { return record(selu_op, {x}); }
Tensor gelu(const Arg& x) { return record(gelu_op, {x}); }
Tensor gelu_tanh(const Arg& x) { return record(gelu_tanh_op, {x}); }
Tensor silu(const Arg& x) { return record(silu_op, {x}); }
Tensor mish(const Arg& x) { return record(mish_op, {x}); }
Tensor softsign(const Arg& x) { return record(softsign_op, {x}); }
Tensor hardtanh(const Arg& x, const Arg& low, const Arg& high) {
  const Arg all[] = {x, low, high};
  const FrameScope frame(recording_of("hardtanh", all), "hardtanh", x.site());
  return clamp(x, low, high);
}

}  // namespace tapegrad
