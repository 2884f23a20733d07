// Gradient descent.
#pragma once

#include <limits>
#include <vector>

#include "tapegrad/tape/fields.hpp"
#include "tapegrad/tape/names.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// The parameters of a struct beside their gradients, checked as they are collected. It belongs to
/// the first struct it meets, and keeps its memory between steps.
class BoundParameters {
 public:
  void begin(Site at);
  void add(const Tensor& parameter, const Tensor& gradient);
  /// Calls update(parameter id, gradient id) after all were found right, then marks the parameters
  /// as changed.
  template <class Update>
  void finish(Update update) {
    Recording& recording = check();
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      update(recording, parameters_[i], gradients_[i]);
    recording.stepped(parameters_, at_);
  }

 private:
  Recording& check();

  Site at_;
  Recording* recording_ = nullptr;
  std::vector<Id> parameters_, gradients_;
  std::vector<Tensor> met_, bound_;  // the parameters of this step, and of the first one
};

/// w -= learning_rate * g. learning_rate may be changed between steps.
struct Sgd {
  double learning_rate = std::numeric_limits<double>::quiet_NaN();  // must be given
  BoundParameters parameters{};                                     // of the struct it trains

  /// Changes each parameter of the struct by its gradient. What was computed before may be looked
  /// at, but not computed with, until it is replayed. A parameter in two places is changed once;
  /// one without a gradient is left alone. Throws Error, and changes nothing, if the arguments are
  /// exchanged, a gradient is out of date or has another shape, there is no parameter, or the
  /// learning rate was not given.
  template <class Struct>
  void step(const Struct& net, const Struct& gradients, Site at = Site::here()) {
    check_learning_rate(at);
    name_fields(net);
    parameters.begin(at);
    visit_pairs(net, gradients, [&](const Tensor& p, const Tensor& g) { parameters.add(p, g); });
    parameters.finish([&](Recording& r, Id p, Id g) { descend(r, p, g); });
  }

 private:
  void check_learning_rate(Site at) const;
  void descend(Recording& recording, Id parameter, Id gradient) const;
};

}  // namespace tapegrad
