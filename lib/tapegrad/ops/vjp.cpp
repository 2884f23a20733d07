#include "tapegrad/ops/vjp.hpp"

#include <fmt/format.h>

#include <boost/container/static_vector.hpp>

#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/ops.hpp"

namespace tapegrad {

Vjp::Vjp(Recording& recording, Id id, Id adjoint)
    : y(recording.handle(id)), ybar(recording.handle(adjoint)), recording_(recording), id_(id) {}

bool Vjp::wants(std::size_t i) const { return recording_.sweep().reaches[operand(i)] != 0; }

void Vjp::refuse(std::size_t i) const {
  recording_.fail(id_, fmt::format("its derivative rule asks for operand {} of {}", i, size()));
}

void Vjp::require_stretched(std::size_t i, const Shape& share) const {
  const Shape &shape = recording_.node(operand(i)).shape, &result = recording_.node(id_).shape;
  const bool undone = broadcast(shape, share) == share &&
                      (op().kind != Kind::elementwise || broadcast(share, result) == result);
  if (undone) return;
  recording_.fail(id_,
                  fmt::format("its derivative rule gives operand {} a share of the shape {}, which "
                              "is neither the operand's, {}, nor one to which that was broadcast",
                              i, text(share), text(shape)));
}

void Vjp::give(std::size_t i, const Arg& share) {
  require(i);
  if (!wants(i)) return;
  const Shape& shape = recording_.node(operand(i)).shape;
  Tensor adjoint =
      share.is_number() ? broadcast_to(recording_.number(share.number()), shape) : share.tensor();
  if (const Shape given = adjoint.shape(); given != shape) {
    require_stretched(i, given);
    adjoint = sum_to(adjoint, shape);
  }
  recording_.mark_adjoint(recording_.id_of(adjoint, "gradient", share.site()));
  Id& so_far = recording_.sweep().adjoint[operand(i)];
  if (so_far != Node::none) {
    adjoint = recording_.handle(so_far) + adjoint;
    recording_.mark_adjoint(recording_.id_of(adjoint, "gradient", share.site()));
  }
  so_far = recording_.id_of(adjoint, "gradient", share.site());
}

Adjoint operator*(const Adjoint& adjoint, const Arg& local) {
  return Adjoint(times(adjoint, local));
}
Adjoint operator+(const Adjoint& a, const Adjoint& b) { return Adjoint(Arg(a) + Arg(b)); }
Adjoint operator-(const Adjoint& a, const Adjoint& b) { return Adjoint(Arg(a) - Arg(b)); }
Adjoint operator-(const Adjoint& a) { return Adjoint(-Arg(a)); }

Tensor sum_to(const Arg& x, const Shape& shape) {
  const Shape& from = x.tensor().shape();
  const int lead = from.rank() - shape.rank();
  boost::container::static_vector<std::int64_t, Shape::max_rank + 1> attributes{1};  // keepdim
  for (int axis = 0; axis < from.rank(); ++axis)
    if (axis < lead || (shape[axis - lead] == 1 && from[axis] != 1)) attributes.push_back(axis);
  if (attributes.size() == 1) return x.tensor();
  const bool only_leading = static_cast<int>(attributes.size()) - 1 == lead;
  if (only_leading) attributes[0] = 0;
  const Tensor sum = record(sum_op, {&x, 1}, attributes);
  return only_leading ? sum : reshape(sum, shape);
}

}  // namespace tapegrad
