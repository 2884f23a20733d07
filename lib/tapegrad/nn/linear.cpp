#include "tapegrad/nn/linear.hpp"

#include <fmt/format.h>

#include <cmath>

#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/ops.hpp"

namespace tapegrad {

Tensor Linear::operator()(const Arg& x) const {
  const Shape rows = shape_of("linear", x), takes = shape_of("linear", Arg(weight, x.site()));
  if (rows.rank() == 0 || takes.rank() != 2 || rows[-1] != takes[0]) {
    constexpr std::string_view roles[] = {"x", "weight"};
    const Arg both[] = {x, Arg(weight, x.site())};
    refuse(
        "linear", both, roles,
        rows.rank() == 0 || takes.rank() != 2
            ? "a layer takes one sample in each row, and keeps its weight as (in, out)"
            : fmt::format("the layer takes {} numbers in each row, x has {}", takes[0], rows[-1]),
        rows.rank() == 1 && takes[0] == 1 ? "one sample in each row: reshape(x, {-1, 1})" : "");
  }
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
  const Rollback rollback(recording);
  const auto parameter = [&](const Shape& shape, std::string_view role) {
    const Tensor p = tape.parameter(random.uniform(-bound, bound, shape), at);
    recording.name(recording.id_of(p, "linear", at), fmt::format("{} of linear", role),
                   Recording::Namer::maker);
    return p;
  };
  Linear layer;
  layer.weight = parameter(Shape{in, out}, "weight");
  if (options.bias) layer.bias = parameter(Shape{out}, "bias");
  return layer;
}

}  // namespace tapegrad
