// Post-mortems: why is this gradient zero, not a number, or huge? The answer names the first op
// responsible, seen from y, and its line. The tape is only read.
//
//   fmt::print("{}", tg::why_zero(loss, net.hidden.weight).text());
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "tapegrad/base/site.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

enum class Cause {
  none,          // the gradient is not so
  unconnected,   // y does not depend on x at all
  detached,      // an op on every way stops the flow
  flat,          // a branch of the function that is constant: a dead relu, a clamp
  saturated,     // a smooth function so far out that its slope is rounded to zero
  constant,      // a function without slope anywhere: sign, a comparison
  zero_factor,   // multiplied by an operand that is zero
  not_selected,  // the elements looked at are others
  cancelled,     // shares that add up to zero
  underflow,     // the adjoint became smaller than any number
  leaf,          // a leaf holds what is not finite
  value,         // an op made what is not finite of finite operands
  slope,         // a slope is not finite where the value is
  overflow,      // finite factors whose product is not
  factor,        // one op with a huge slope
  product,       // many ops, each with a factor above one
};
std::string_view text(Cause cause);

/// What is responsible. True if the gradient is as asked about.
struct Why {
  Cause cause = Cause::none;
  std::string op = {};     // "sigmoid"; empty for none
  std::string label = {};  // "%7 hidden"
  Site at = {};            // the user's line
  double share = 1;        // of the op's elements that are concerned
  double factor = 1;       // by which an adjoint grows on its way through the op
  int times = 1;           // how many such ops there are, made at that line
  std::string sentence = {};
  std::vector<std::string> more = {};  // others that are responsible too

  explicit operator bool() const { return cause != Cause::none; }
  std::string text() const;
};
std::ostream& operator<<(std::ostream& out, const Why& why);

/// Why dy/dx is zero everywhere, or less than a billionth of the adjoint of y. A y with several
/// elements is summed.
Why why_zero(const Tensor& y, const Tensor& x, Site at = Site::here());
/// Why dy/dx has elements that are infinite or not a number.
Why why_nan(const Tensor& y, const Tensor& x, Site at = Site::here());
/// Why dy/dx is large: at least a thousand times the adjoint of y.
Why why_big(const Tensor& y, const Tensor& x, Site at = Site::here());

/// The same of a gradient itself, as `gradient` returned it. Throws Error if it is none.
Why why_zero(const Tensor& gradient, Site at = Site::here());
Why why_nan(const Tensor& gradient, Site at = Site::here());
Why why_big(const Tensor& gradient, Site at = Site::here());

}  // namespace tapegrad
