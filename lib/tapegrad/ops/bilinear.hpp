// Internal: derivatives of sums of products of two operands (matrix products, convolutions). In
// them one operand may be an adjoint, and the cut of op `times` belongs to single terms of the sum.
#pragma once

#include <cstdint>

#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {

/// Which operand is an adjoint, whose exact zeros cut off factors that are not finite.
enum Cut : std::int64_t { none, left_adjoint, right_adjoint };

/// Gives both operands their shares. `share_of_left(right)` and `share_of_right(left)` record the
/// product of the adjoint with the other operand.
template <class Left, class Right>
void give_bilinear(Vjp& v, std::int64_t cut, Left share_of_left, Right share_of_right) {
  // An adjoint that is exactly zero passes nothing on from factors that are not finite: the cut is
  // taken in both answers, as in op `times`.
  const auto share_of_adjoint = [](const Tensor& adjoint, const Tensor& factor, auto share) {
    const Tensor zero = equal(adjoint, 0.0);
    const Tensor behind_cut = share(finite_part(factor)), whole = share(factor);
    return where(zero, behind_cut, whole);
  };
  // Here the cut changes no number, but what a further derivative by the adjoint sees.
  const auto share_of_factor = [](const Tensor& factor, const Tensor& adjoint, auto share) {
    const Tensor finite = equal(factor, finite_part(factor));
    const Tensor whole = share(adjoint);
    const Tensor behind_cut = share(where(equal(adjoint, 0.0), 0.0, adjoint));
    return where(finite, whole, behind_cut);
  };
  const Tensor left = v.x(0), right = v.x(1);
  if (v.wants(0))
    v.give(0, cut == left_adjoint    ? share_of_adjoint(left, right, share_of_left)
              : cut == right_adjoint ? share_of_factor(left, right, share_of_left)
                                     : share_of_left(right));
  if (v.wants(1))
    v.give(1, cut == right_adjoint  ? share_of_adjoint(right, left, share_of_right)
              : cut == left_adjoint ? share_of_factor(right, left, share_of_right)
                                    : share_of_right(left));
}

}  // namespace tapegrad
