#include "tapegrad/check/mutant.hpp"

#include <string>

#include "tapegrad/base/error.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view doing = "mutant";

/// Lets the original rule give, and spoils the shares of one operand on their way.
class SpoiltVjp final : public Vjp {
 public:
  SpoiltVjp(Recording& recording, Id id, Id adjoint, const Mutant& mutant, std::size_t& spoilt)
      : Vjp(recording, id, adjoint), mutant_(mutant), spoilt_(spoilt) {}

  const Op& op() const override { return mutant_.original(); }
  void give(std::size_t i, const Arg& share) override {
    if (i != mutant_.operand() || !wants(i)) return Vjp::give(i, share);
    const bool first = !given_;
    given_ = true;
    switch (mutant_.mutation()) {
      case Mutation::sign:
        return spoil(-1.0 * share);
      case Mutation::one_percent:
        return spoil(1.01 * share);
      case Mutation::factor_two:
        return spoil(2.0 * share);
      case Mutation::dropped_term:
        if (!first) return void(++spoilt_);
        return drop_term(share);
      case Mutation::transposed:
        return transpose_square(share);
      case Mutation::not_reduced:
        return take_slice(share);
      case Mutation::not_accumulated:
        return overwrite(share);
    }
  }

 private:
  void spoil(const Arg& share) {
    ++spoilt_;
    Vjp::give(mutant_.operand(), share);
  }
  void keep(const Arg& share) { Vjp::give(mutant_.operand(), share); }

  /// The first term, if a tensor is a sum or a difference that this rule made.
  Tensor first_term(const Tensor& t) const {
    const Id id = recording_.id_of(t, doing, t_site());
    const Node& n = recording_.node(id);
    if (n.leaf() || n.origin != id_ || (n.op->name != "add" && n.op->name != "subtract")) return {};
    return broadcast_to(recording_.handle(recording_.operands(id)[0]), n.shape);
  }
  void drop_term(const Arg& share) {
    if (share.is_number()) return keep(share);
    if (const Tensor term = first_term(share.tensor()); term.defined()) return spoil(term);
    const Id id = recording_.id_of(share.tensor(), doing, t_site());
    const Node& n = recording_.node(id);
    if (n.leaf() || (n.op->name != "times" && n.op->name != "multiply")) return keep(share);
    for (std::size_t i = 0; i < 2; ++i) {
      const Tensor term = first_term(recording_.handle(recording_.operands(id)[i]));
      if (term.defined()) return spoil(term * recording_.handle(recording_.operands(id)[1 - i]));
    }
    keep(share);
  }
  void transpose_square(const Arg& share) {
    const Shape shape = x(mutant_.operand()).shape();
    const bool square = shape.rank() >= 2 && shape[-1] == shape[-2] && shape[-1] > 1;
    if (!square) return keep(share);
    spoil(transpose(broadcast_to(share, broadcast(shape_of(doing, share), shape).value_or(shape))));
  }
  void take_slice(const Arg& share) {
    const Shape to = x(mutant_.operand()).shape();
    if (share.is_number() || share.tensor().numel() <= to.numel()) return keep(share);
    Tensor part = share.tensor();
    const int extra = part.shape().rank() - to.rank();
    for (int axis = 0; axis < part.shape().rank(); ++axis)
      if (axis < extra || to[axis - extra] != part.shape()[axis]) part = slice(part, axis, 0, 1);
    spoil(reshape(part, to));
  }
  void overwrite(const Arg& share) {
    Id& adjoint = recording_.sweep().adjoint[operand(mutant_.operand())];
    if (adjoint == Node::none) return keep(share);
    adjoint = Node::none;
    spoil(share);
  }
  Site t_site() const { return recording_.node(id_).site; }

  const Mutant& mutant_;
  std::size_t& spoilt_;
  bool given_ = false;
};

}  // namespace

std::string_view text(Mutation mutation) {
  switch (mutation) {
    case Mutation::sign:
      return "sign";
    case Mutation::one_percent:
      return "1 %";
    case Mutation::factor_two:
      return "factor 2";
    case Mutation::dropped_term:
      return "dropped term";
    case Mutation::transposed:
      return "transposed";
    case Mutation::not_reduced:
      return "not reduced";
    case Mutation::not_accumulated:
      break;
  }
  return "not accumulated";
}

Mutant::Mutant(const Op& original, Mutation mutation, std::size_t operand)
    : Op(original), original_(&original), mutation_(mutation), operand_(operand) {
  if (original.vjp.flow() != VjpRule::Flow::rule)
    throw Error(std::string(doing),
                std::string(original.name) + " has no derivative rule to spoil");
  vjp = &Mutant::spoil;
}

void Mutant::spoil(Vjp& vjp) {
  const auto& mutant = static_cast<const Mutant&>(vjp.op());
  const Site at;
  Recording& recording = Recording::of(vjp.y, doing, at);
  SpoiltVjp spoilt(recording, recording.id_of(vjp.y, doing, at),
                   recording.id_of(vjp.ybar.tensor(), doing, at), mutant, mutant.spoilt_);
  mutant.original().vjp(spoilt);
}

}  // namespace tapegrad
