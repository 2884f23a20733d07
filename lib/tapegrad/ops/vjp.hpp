// What a derivative rule is given, and the arithmetic of adjoints. A rule reads operands and result
// as tensors and gives each operand its share, written in ops: so derivatives of derivatives are
// recorded too.
#pragma once

#include <cstdint>
#include <span>

#include "tapegrad/tape/op.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// `v.give(0, v.ybar * (1.0 - square(v.y)))`: y is the result, ybar its adjoint, x(i) an operand.
class Vjp {
 public:
  Vjp(Recording& recording, Id id, Id adjoint);
  Vjp(const Vjp&) = delete;
  Vjp& operator=(const Vjp&) = delete;
  virtual ~Vjp() = default;

  const Tensor y;
  const Adjoint ybar;

  /// Throws Error if there is no such operand.
  Tensor x(std::size_t i) const {
    require(i);
    return recording_.handle(operand(i));
  }
  std::size_t size() const { return recording_.node(id_).count; }
  virtual const Op& op() const { return *recording_.node(id_).op; }
  std::span<const std::int64_t> attributes() const { return recording_.attributes(id_); }
  std::int64_t attribute(std::size_t i) const { return attributes()[i]; }
  /// Whether the operand's share is asked for: worth a question before an expensive one.
  bool wants(std::size_t i) const;
  /// Adds a share to the operand's adjoint. It may have the shape to which the operand was
  /// broadcast: the sum over the stretched axes is taken here, for all ops. A number stands for all
  /// elements. Throws Error for a share of any other shape.
  /// Virtual for who wants to see, or to spoil, what a rule gives.
  virtual void give(std::size_t i, const Arg& share);

 protected:
  void require(std::size_t i) const {
    if (i >= size()) refuse(i);
  }
  [[noreturn]] void refuse(std::size_t i) const;
  /// Throws Error unless the operand was broadcast to this shape of a share.
  void require_stretched(std::size_t i, const Shape& share) const;
  Id operand(std::size_t i) const { return recording_.operands(id_)[i]; }
  Recording& recording_;
  Id id_;
};

/// An adjoint times a local derivative, with the cut: exactly 0 times a value that is not finite is
/// 0.
Adjoint operator*(const Adjoint& adjoint, const Arg& local);
inline Adjoint operator*(const Arg& local, const Adjoint& adjoint) { return adjoint * local; }
Adjoint operator+(const Adjoint& a, const Adjoint& b);
Adjoint operator-(const Adjoint& a, const Adjoint& b);
Adjoint operator-(const Adjoint& a);
void operator/(const Adjoint&,
               const Arg&) = delete;  // write ybar * (1.0 / x): dividing knows no cut
void operator/(const Arg&, const Adjoint&) = delete;

/// The sum over those axes along which `shape` was broadcast.
Tensor sum_to(const Arg& x, const Shape& shape);

}  // namespace tapegrad
