// Whole matrices of derivatives. There is one sweep for each row, or for each column if those are
// fewer, and each sweep appends about as many records as a gradient does: good for some hundred
// elements. Where a matrix is only multiplied, products.hpp needs two sweeps, whatever its size.
// Asked again with the same tensors, they return the records made before.
#pragma once

#include <array>
#include <concepts>
#include <span>

#include "tapegrad/autodiff/struct_parameters.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// dy/dx: each output stands for a row. Shape: that of y, then that of x. It takes min(y.numel(),
/// x.numel()) sweeps, each with one record for its seed and one for its row. Throws Error if y does
/// not depend on x, both have more than Shape::max_rank axes together, a value is out of date, or
/// the records would exceed the tape's limit.
Tensor jacobian(const Arg& y, const Tensor& x);
void jacobians(const Arg& y, std::span<const Tensor> x, std::span<Tensor> answers);

/// By several tensors: `auto [jw, jb] = jacobian(y, w, b);`. Zeros for one that y does not depend
/// on.
template <std::same_as<Tensor>... More>
requires(sizeof...(More) >
         0) std::array<Tensor, sizeof...(More) + 1> jacobian(const Arg& y, const Tensor& x,
                                                             const More&... more) {
  const std::array<Tensor, sizeof...(More) + 1> wanted{x, more...};
  std::array<Tensor, sizeof...(More) + 1> answers;
  jacobians(y, wanted, answers);
  return answers;
}

/// By a struct: the same struct, with the Jacobian in the place of each parameter.
template <ParameterStruct Struct>
Struct jacobian(const Arg& y, const Struct& net) {
  StructParameters parameters(y.tensor(), "jacobian", y.site(), net);
  jacobians(y, parameters.parameters(), parameters.answers());
  return parameters.answered(net);
}

/// The second derivatives of y, one number. Shape: that of x twice; symmetric, up to rounding. It
/// takes x.numel() sweeps beside the gradient's. Zeros where the gradient does not depend on x.
/// Throws Error as jacobian does, and if y has more than one element.
Tensor hessian(const Arg& y, const Tensor& x);
/// The blocks by several tensors, row by row: answers[i * n + j], of the shape of x[i], then that
/// of x[j], holds the derivatives by both.
void hessians(const Arg& y, std::span<const Tensor> x, std::span<Tensor> answers);

/// `hessian(y, a, b)[0][1]`: the derivatives by a and b.
template <std::same_as<Tensor>... More>
requires(sizeof...(More) > 0) std::array < std::array<Tensor, sizeof...(More) + 1>,
sizeof...(More) + 1 > hessian(const Arg& y, const Tensor& x, const More&... more) {
  constexpr std::size_t n = sizeof...(More) + 1;
  const std::array<Tensor, n> wanted{x, more...};
  std::array<Tensor, n * n> blocks;
  hessians(y, wanted, blocks);
  std::array<std::array<Tensor, n>, n> answers;
  for (std::size_t i = 0; i < n * n; ++i) answers[i / n][i % n] = blocks[i];
  return answers;
}

/// All blocks as one matrix (P, P), over the P elements of all tensors: in their order, row-major,
/// a tensor that is listed twice once.
Tensor hessian_matrix(const Arg& y, std::span<const Tensor> x);

/// By a struct: one matrix (P, P) over all its parameters in order of declaration. A struct cannot
/// hold the blocks between two of its fields; a matrix has eigenvalues, and can be solved with.
template <ParameterStruct Struct>
Tensor hessian(const Arg& y, const Struct& net) {
  const StructParameters parameters(y.tensor(), "hessian", y.site(), net);
  return hessian_matrix(y, parameters.parameters());
}

}  // namespace tapegrad
