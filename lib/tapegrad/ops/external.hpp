// Derivatives of the user's own making: code of others as an op, and a rule of one's own for a
// composite. Both are made at run time, and live as long as the records that use them.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <string>

#include "tapegrad/base/shape.hpp"
#include "tapegrad/ops/vjp.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// A function of somebody else's: a C library, a simulator, a table. It works on doubles,
/// row-major; it may capture what it likes, and is kept alive by the tape that records it.
struct External {
  using Inputs = std::span<const std::span<const double>>;
  using Outputs = std::span<const std::span<double>>;

  std::string name;
  /// Writes all of y; what it leaves out is NaN.
  std::function<void(Inputs x, std::span<double> y)> forward = {};
  /// Writes all of each xbar: the sum over y of ybar dy/dx. Empty: it has no derivative. What it
  /// leaves out is NaN.
  std::function<void(Inputs x, std::span<const double> y, std::span<const double> ybar,
                     Outputs xbar)>
      backward = {};
};

/// Records y = function(x...), of the given shape. Its derivative is the function's `backward`, of
/// first order only: a second one is an Error. So is a float32 tape, and a function without
/// forward. Both parts must be pure: the same operands give the same numbers.
Tensor external(const External& function, std::initializer_list<Arg> x, const Shape& shape);

/// y, which was computed from x by other ops, with a derivative rule of one's own in the place of
/// theirs: `with_vjp("softplus", log(1 + exp(x)), {x}, [](Vjp& v) { v.give(0, v.ybar *
/// sigmoid(v.x(0))); })`. The rule is written in ops, and so may be differentiated again. What it
/// does not give is zero. It uses the x alone, as v.x(i): a tensor that it captured belongs to one
/// tape, and the rule is run on others too, as by check_gradient.
Tensor with_vjp(std::string name, const Arg& y, std::initializer_list<Arg> x,
                std::function<void(Vjp&)> rule);

}  // namespace tapegrad
