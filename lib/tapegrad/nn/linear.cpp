#include "tapegrad/nn/linear.hpp"

#include <fmt/format.h>

#include <cmath>

#include "tapegrad/ops/ops.hpp"

namespace tapegrad {

Tensor Linear::operator()(const Arg& x) const {
  const FrameScope frame("linear", Arg(weight, x.site()));
  const Tensor net = matmul(x, weight);  // (batch, in) x (in, out) -> (batch, out)
  return bias.defined() ? net + bias : net;
}

Linear linear(Tape& tape, std::int64_t in, std::int64_t out, Random& random, LinearOptions options,
              Site at) {
  if (in < 1 || out < 1)
    throw Error("linear", fmt::format("{} inputs and {} outputs: both must be at least 1", in, out),
                at);
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  Recording& recording = tape.recording(at);
  const auto parameter = [&](const Shape& shape, std::string_view role) {
    const Tensor p = tape.parameter(random.uniform(-bound, bound, shape), at);
    recording.name(recording.id_of(p, "linear", at), fmt::format("{} of linear", role), true);
    return p;
  };
  Linear layer;
  layer.weight = parameter(Shape{in, out}, "weight");
  if (options.bias) layer.bias = parameter(Shape{out}, "bias");
  return layer;
}

}  // namespace tapegrad
