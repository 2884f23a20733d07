// Post-mortems: why is this gradient zero, not a number, or huge? The answer names the op
// responsible that is nearest to y, and its line. The tape is only read, and what is needed of it
// is run anew from its leaves, in memory apart.
//
//   fmt::print("{}", tg::why_zero(loss, net.hidden.weight));
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/base/site.hpp"
#include "tapegrad/base/text_formatter.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

enum class Cause {
  none,  // the gradient is not so
  // of zero:
  unconnected,   // y does not need x
  detached,      // an op on every way stops the flow
  constant,      // a function without slope: sign, a comparison, an index, a condition
  flat,          // a constant branch of a function with branches: a dead relu, a clamp
  saturated,     // a smooth function so far out that its slope is rounded to zero
  stationary,    // a point where a slope is zero: square at 0, a loss at a perfect fit
  zero_factor,   // multiplied by an operand that is zero
  not_selected,  // other elements, or another branch, are looked at
  cancelled,     // shares that add up to zero
  underflow,     // the adjoint became smaller than any number
  rule,          // a derivative rule that gives nothing where the function has a slope
  // of what is not finite:
  leaf,      // a leaf, or the seed, holds it
  value,     // an op made it of finite operands
  slope,     // a slope is not finite where the value is
  overflow,  // finite factors whose product, or shares whose sum, is not
  // of sizes, small and large:
  factor,   // one op with a tiny or huge slope
  product,  // many ops, each with a factor below or above one
  uses,     // many uses, whose shares add up
};
std::string_view text(Cause cause);

/// What is responsible. True if the gradient is as asked about.
struct Why {
  Cause cause = Cause::none;
  std::string op = {};     // "sigmoid"; empty if it is no op
  std::string label = {};  // of the record: "%7 hidden"
  Site at = {};            // the user's line
  double share = 1;        // of the op's elements that are concerned
  double factor = 1;       // by which an adjoint is multiplied on its way through the op
  int times = 1;           // how many such ops there are on the way
  std::string sentence = {};
  std::vector<std::string> more = {};  // record and operands; others that are responsible too

  explicit operator bool() const { return cause != Cause::none; }
  /// At most a dozen lines. The first suffices: cause, op and line.
  std::string text() const;
};
std::ostream& operator<<(std::ostream& out, const Why& why);

/// Why dy/dx is zero everywhere, or less than a billionth of the adjoint of y. A y with several
/// elements is summed. Throws Error if a tensor cannot be used, or a leaf was never set.
Why why_zero(const Tensor& y, const Tensor& x, Site at = Site::here());
/// Why dy/dx has elements that are infinite or not a number.
Why why_nan(const Tensor& y, const Tensor& x, Site at = Site::here());
/// Why dy/dx is large: finite, and at least a thousand times the adjoint of y.
Why why_big(const Tensor& y, const Tensor& x, Site at = Site::here());

/// The same of a gradient itself, as `gradient` returned it, with its seed. Throws Error if it is
/// none.
Why why_zero(const Tensor& gradient, Site at = Site::here());
Why why_nan(const Tensor& gradient, Site at = Site::here());
Why why_big(const Tensor& gradient, Site at = Site::here());

}  // namespace tapegrad

template <>
struct fmt::formatter<tapegrad::Why> : tapegrad::TextFormatter<tapegrad::Why> {};
