// Products of a vector with a Jacobian or a Hessian, without the matrix: one or two sweeps,
// whatever its size. Each is made of records, and so differentiable again. Asked again with the
// same tensors, they return the records made before: in a loop, set a leaf to a new direction and
// replay.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "tapegrad/autodiff/struct_parameters.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

// ---- v^T J: one sweep

/// The product of a seed, of y's shape, with the Jacobian dy/dx: in the shape of x. The same as
/// gradient(seeded(y, seed), x). Throws Error as that does.
Tensor vjp(const Tensor& y, const Tensor& x, const Arg& seed);
void vjps(const Tensor& y, std::span<const Tensor> x, const Arg& seed, std::span<Tensor> answers);

/// Of several tensors: `auto [gw, gb] = vjp(y, {w, b}, seed);`
template <std::size_t n>
std::array<Tensor, n> vjp(const Tensor& y, const Tensor (&x)[n], const Arg& seed) {
  std::array<Tensor, n> answers;
  vjps(y, x, seed, answers);
  return answers;
}

/// Of a struct: the same struct, as of gradient(y, net).
template <ParameterStruct Struct>
Struct vjp(const Tensor& y, const Struct& net, const Arg& seed) {
  StructParameters parameters(y, "vjp", seed.site(), net);
  vjps(y, parameters.parameters(), seed, parameters.answers());
  return parameters.answered(net);
}

// ---- J u: two sweeps

/// The product of the Jacobian dy/dx with a tangent, of x's shape: how y changes when x moves along
/// the tangent, in the shape of y. It is the vjp of the vjp, which is linear in its seed, so that
/// no op needs a second rule. Throws Error if the tangent has another shape, y does not depend on
/// x, or a value is out of date.
Tensor jvp(const Tensor& y, const Tensor& x, const Arg& tangent);
/// When several tensors move together. A tensor that is listed twice moves once.
Tensor jvp(const Tensor& y, std::span<const Tensor> x, std::span<const Arg> tangents, Site at);

/// `jvp(y, {w, b}, {u, v})`
template <std::size_t n>
Tensor jvp(const Tensor& y, const Tensor (&x)[n], const Arg (&tangents)[n]) {
  return jvp(y, std::span<const Tensor>(x), std::span<const Arg>(tangents), tangents[0].site());
}

/// When a struct moves: along a struct of the same type with a tangent in the place of each
/// parameter, as gradient(loss, net) returns.
template <ParameterStruct Struct>
Tensor jvp(const Tensor& y, const Struct& net, const Struct& tangents, Site at = Site::here()) {
  const StructParameters parameters(y, "jvp", at, net, tangents);
  return jvp(y, parameters.parameters(), parameters.directions(), at);
}

// ---- H u: two sweeps

/// The product of the Hessian of y, one number, with a direction of x's shape: how the gradient
/// changes when x moves along it, in the shape of x. Where the gradient does not depend on x, as of
/// a linear y, it is 0. Throws Error as jvp does, and if y has more than one element.
Tensor hvp(const Tensor& y, const Tensor& x, const Arg& direction);
void hvps(const Tensor& y, std::span<const Tensor> x, std::span<const Arg> directions,
          std::span<Tensor> answers, Site at = Site::here());

/// Of several tensors that move together: `auto [hw, hb] = hvp(loss, {w, b}, {u, v});`
template <std::size_t n>
std::array<Tensor, n> hvp(const Tensor& y, const Tensor (&x)[n], const Arg (&directions)[n]) {
  std::array<Tensor, n> answers;
  hvps(y, x, directions, answers, directions[0].site());
  return answers;
}

/// Of a struct: along a struct of directions, the same struct.
template <ParameterStruct Struct>
Struct hvp(const Tensor& y, const Struct& net, const Struct& directions, Site at = Site::here()) {
  StructParameters parameters(y, "hvp", at, net, directions);
  hvps(y, parameters.parameters(), parameters.directions(), parameters.answers(), at);
  return parameters.answered(net);
}

}  // namespace tapegrad
