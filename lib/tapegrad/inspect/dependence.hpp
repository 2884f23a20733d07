// Internal: which elements of each record on a flow depend on x. Records do not tell: of two
// tensors that were joined, a slice may use one only, and an adjoint of zero in the place of the
// other is no news. Derivatives do not tell either: they may be zero where a value depends.
#pragma once

#include <cstdint>
#include <vector>

#include "tapegrad/inspect/flow.hpp"

namespace tapegrad {

class Dependence {
 public:
  using Marks = std::vector<std::uint8_t>;

  explicit Dependence(const Flow& flow);

  /// 1 for each element of a record on the path that depends on x, else 0.
  const Marks& of(Id id) const { return marks_[flow_.place(id)]; }
  bool none(Id id) const;
  /// The largest magnitude of numbers, one for each element of a record, where it depends on x.
  double largest(Id id, const Numbers& numbers) const;
  /// Whether its adjoint is zero there.
  bool silent(Id id) const { return largest(id, flow_.adjoint_values(id)) == 0; }

 private:
  Marks marks_of(Id id) const;
  Marks of_each(Id id) const;
  Marks of_the_whole(Id id) const;

  const Flow& flow_;
  std::vector<Marks> marks_;
};

}  // namespace tapegrad
