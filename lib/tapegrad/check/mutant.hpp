// Ops made wrong on purpose: the negative control of a check. A check that lets a mutant pass
// proves nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tapegrad/tape/op.hpp"

namespace tapegrad {

/// How a derivative can be wrong; each is a mistake that people make.
enum class Mutation : std::uint8_t {
  sign,
  one_percent,      // every share is 1.01 times too large
  factor_two,       // forgotten 1/2, or a 2 too many
  dropped_term,     // one addend of a sum is missing
  transposed,       // rows and columns exchanged, where the extents allow it
  not_reduced,      // a broadcast operand gets one slice instead of the sum
  not_accumulated,  // a later share replaces an earlier one
};
inline constexpr std::array mutations = {
    Mutation::sign,       Mutation::one_percent, Mutation::factor_two,     Mutation::dropped_term,
    Mutation::transposed, Mutation::not_reduced, Mutation::not_accumulated};
std::string_view text(Mutation mutation);

/// An op whose forward is the original's and whose derivative by one operand is wrong. It must
/// outlive the records made of it.
class Mutant : public Op {
 public:
  /// Throws Error if the original has no derivative rule.
  Mutant(const Op& original, Mutation mutation, std::size_t operand);

  const Op& original() const { return *original_; }
  Mutation mutation() const { return mutation_; }
  std::size_t operand() const { return operand_; }
  /// How many shares were spoilt so far: 0 if the mutation did not apply.
  std::size_t spoilt() const { return spoilt_; }

 private:
  static void spoil(Vjp& vjp);

  const Op* original_;
  Mutation mutation_;
  std::size_t operand_;
  mutable std::size_t spoilt_ = 0;
};

}  // namespace tapegrad
