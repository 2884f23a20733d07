// Reverse-mode derivatives: one sweep down the records, which appends more records. What it returns
// are tensors like any others: they can be printed, replayed, and differentiated again.
#pragma once

#include <array>
#include <concepts>
#include <span>

#include "tapegrad/autodiff/struct_parameters.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// What is differentiated: a tensor with one element, or a tensor of any shape with a seed.
class Differentiated {
 public:
  Differentiated(const Tensor& y, Site at = Site::here()) : y_(y), site_(at) {}
  Differentiated(const Tensor& y, const Arg& seed)
      : y_(y), seed_(seed), seeded_(true), site_(seed.site()) {}

  const Tensor& y() const { return y_; }
  const Arg* seed() const { return seeded_ ? &seed_ : nullptr; }
  const Site& site() const { return site_; }

 private:
  Tensor y_;
  Arg seed_ = 1.0;
  bool seeded_ = false;
  Site site_;
};

/// y with a seed of its shape: `gradient(seeded(y, v), x)` is the vector-Jacobian product of v.
inline Differentiated seeded(const Tensor& y, const Arg& seed) { return {y, seed}; }

/// dy/dx for each of several tensors, leaves or computed, in their shapes. A tensor that y does not
/// depend on gets zeros. The same arguments return the records made before. Throws Error if y has
/// more than one element and no seed, the seed has another shape, nothing is asked for, y depends
/// on none of them, or a value is out of date.
void gradients(const Differentiated& y, std::span<const Tensor> x, std::span<Tensor> answers);

/// dy/dx, in the shape of x.
Tensor gradient(const Differentiated& y, const Tensor& x);

/// Of several tensors: `auto [gw, gb] = gradient(loss, w, b);`
template <std::same_as<Tensor>... More>
requires(sizeof...(More) >
         0) std::array<Tensor, sizeof...(More) + 1> gradient(const Differentiated& y,
                                                             const Tensor& x, const More&... more) {
  const std::array<Tensor, sizeof...(More) + 1> wanted{x, more...};
  std::array<Tensor, sizeof...(More) + 1> answers;
  gradients(y, wanted, answers);
  return answers;
}

/// Of a struct, or a part of one: the same struct, with its gradient in the place of each
/// parameter; other leaves become undefined tensors. Throws Error also for a struct without
/// parameters, and for a field that holds a computed tensor.
template <ParameterStruct Struct>
Struct gradient(const Differentiated& y, const Struct& net) {
  StructParameters parameters(y.y(), "gradient", y.site(), net);
  gradients(y, parameters.parameters(), parameters.answers());
  return parameters.answered(net);
}

}  // namespace tapegrad
