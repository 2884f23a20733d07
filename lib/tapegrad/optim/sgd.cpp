#include "tapegrad/optim/sgd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tapegrad/kernel/update.hpp"

namespace tapegrad {
namespace {
constexpr std::string_view doing = "step";
}

void BoundParameters::begin(Site at) {
  at_ = at;
  recording_ = nullptr;
  parameters_.clear();
  gradients_.clear();
  met_.clear();
}

void BoundParameters::add(const Tensor& parameter, const Tensor& gradient) {
  if (!parameter.defined()) {
    if (gradient.defined())
      throw Error(std::string(doing), "a gradient stands where the network has no parameter", at_,
                  "is it step(net, gradients)?");
    return;
  }
  Recording& recording = Recording::of(parameter, doing, at_);
  if (recording_ == nullptr) recording_ = &recording;
  const Id p = recording_->id_of(parameter, doing, at_);
  const Node& node = recording.node(p);
  if (!node.leaf())
    throw Error(std::string(doing), "computed tensors stand in the place of the parameters",
                {recording.describe(p, "field")}, at_,
                "are the arguments exchanged? It is step(net, gradients)");
  if (!recording.is(p, LeafKind::parameter)) return;
  met_.push_back(parameter);
  if (!gradient.defined()) return;
  const Id g = recording.id_of(gradient, doing, at_);
  recording.require_unused(g, p, doing, at_);
  if (!recording.has_values(g)) recording.require_readable(g, doing, at_);
  if (recording.node(g).shape != node.shape)
    throw Error(std::string(doing),
                fmt::format("the gradient has the shape {}", text(recording.node(g).shape)),
                {recording.describe(p, "field"), recording.describe(g, "gradient")}, at_, {});
  if (p == g)
    throw Error(std::string(doing), "the gradient is the parameter itself",
                {recording.describe(p, "field")}, at_, "it is step(net, gradients)");
  if (std::find(parameters_.begin(), parameters_.end(), p) != parameters_.end()) return;
  parameters_.push_back(p);
  gradients_.push_back(g);
}

Recording& BoundParameters::check() {
  if (parameters_.empty())
    throw Error(std::string(doing),
                met_.empty() ? "the struct holds no parameters" : "no parameter has a gradient",
                at_, met_.empty() ? "make them with tape.parameter(...)" : "");
  if (bound_.empty()) bound_ = met_;
  if (!std::equal(met_.begin(), met_.end(), bound_.begin(), bound_.end(), Recording::same))
    throw Error(std::string(doing), "this optimiser belongs to the parameters of its first step",
                at_, "use one optimiser for each network");
  return *recording_;
}

void Sgd::check_learning_rate(Site at) const {
  if (!(learning_rate >= 0) || !std::isfinite(learning_rate))
    throw Error(std::string(doing), fmt::format("the learning rate is {}", learning_rate), at,
                "tapegrad::Sgd sgd{.learning_rate = 0.1};");
}

void Sgd::descend(Recording& recording, Id parameter, Id gradient) const {
  const std::int64_t n = recording.node(parameter).shape.numel();
  void* p = recording.mutable_values(parameter);
  const void* g = recording.address(gradient);
  if (recording.precision() == float32)
    tapegrad::descend(static_cast<float*>(p), static_cast<const float*>(g),
                      static_cast<float>(learning_rate), n);
  else
    tapegrad::descend(static_cast<double*>(p), static_cast<const double*>(g), learning_rate, n);
}

}  // namespace tapegrad
