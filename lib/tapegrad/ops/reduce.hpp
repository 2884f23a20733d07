// Internal: what reductions share: their attributes and shapes, the way back from a result to what
// it was reduced from, and the examples they are checked with.
#pragma once

#include <boost/container/static_vector.hpp>
#include <cstdint>
#include <span>
#include <string_view>

#include "tapegrad/kernel/reduce.hpp"
#include "tapegrad/ops/vjp.hpp"
#include "tapegrad/tape/op.hpp"

namespace tapegrad {

/// [0] keepdim, [1...] the axes, ascending.
using ReductionAttributes = boost::container::static_vector<std::int64_t, Shape::max_rank + 1>;

/// Throws Error, in the name of the op, for an axis that is not there or named twice.
ReductionAttributes reduction_attributes(std::string_view name, const Arg& x, const Axes& axes,
                                         bool keepdim);
/// Records a reduction of x.
Tensor reduce(const Op& op, const Arg& x, const Axes& axes, bool keepdim);

inline std::span<const std::int64_t> axes_of(std::span<const std::int64_t> attributes) {
  return attributes.subspan(1);
}
Shape reduced_shape(const Shape& x, std::span<const std::int64_t> axes, bool keepdim);

/// Shape rules: of operand 0 without the reduced axes; the same, but none of them may be empty.
Shape reduce_shape(const Operands& x);
Shape reduce_non_empty(const Operands& x);

/// The notation with the reduced axes.
std::string reduction_notation(const Operands& x);

/// What a kernel reduces.
Split split(const Call& c);

/// A tensor of the result's shape, spread over the operand's shape again.
Tensor spread(const Vjp& v, const Arg& t);
inline Adjoint spread(const Vjp& v, const Adjoint& a) { return Adjoint(spread(v, Arg(a))); }

void reduction_examples(Examples& example);
void reduction_examples_with_empty(Examples& example);

}  // namespace tapegrad
