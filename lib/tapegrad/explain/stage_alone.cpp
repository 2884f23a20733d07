#include "tapegrad/explain/stage_alone.hpp"

#include <algorithm>

#include "tapegrad/autodiff/products.hpp"
#include "tapegrad/check/sample.hpp"
#include "tapegrad/inspect/formula.hpp"
#include "tapegrad/kernel/symbols.hpp"
#include "tapegrad/tape/needed.hpp"

namespace tapegrad {

StageAlone::StageAlone(const Stages& stages, const Stage& stage) : stages_(stages), stage_(stage) {
  tape_.limit(static_cast<std::size_t>(-1));
  const Id out[] = {stage.out()};
  transcript_.emplace(stages.recording(), out, tape_, Site{}, Transcript::Replace{}, stage.inputs);
  std::vector<Tensor> x;
  for (Id input : stage.inputs) {
    if (!stages.on_way(input)) continue;
    active_.push_back(input);
    x.push_back(transcript_->copy(input));
  }
  if (active_.empty()) return;
  const Shape shape = stages.shape(stage.out());
  const std::vector<double> ones(static_cast<std::size_t>(shape.numel()), 1.0);
  seed_ = tape_.input(Array(shape, ones), Site{});
  shares_.resize(active_.size());
  vjps(transcript_->copy(stage.out()), x, seed_, shares_);
  tangents_.resize(active_.size());
  forward_.resize(active_.size());
  moved_.resize(active_.size());
}

Id StageAlone::id(const Tensor& tensor) const {
  return tape_.recording().id_of(tensor, "explain", Site{});
}

std::vector<Id> StageAlone::ids(std::span<const Tensor> tensors) const {
  std::vector<Id> result;
  for (const Tensor& tensor : tensors) result.push_back(id(tensor));
  return result;
}

std::size_t StageAlone::place(Id input) const {
  return static_cast<std::size_t>(std::find(active_.begin(), active_.end(), input) -
                                  active_.begin());
}

bool StageAlone::elementwise() const {
  return std::all_of(stage_.records.begin(), stage_.records.end(),
                     [&](Id id) { return stages_.node(id).op->kind == Kind::elementwise; });
}

bool StageAlone::by_element(std::size_t active) const {
  return elementwise() && stages_.shape(active_[active]) == stages_.shape(stage_.out());
}

std::size_t StageAlone::element(Id input, std::size_t of_result) const {
  const Shape &shape = stages_.node(input).shape, &result = stages_.node(stage_.out()).shape;
  const auto index = index_of(of_result, result);
  const auto steps = strides(shape);
  std::int64_t place = 0;
  for (int axis = 0; axis < shape.rank(); ++axis)
    place += steps[static_cast<std::size_t>(axis)] *
             index[static_cast<std::size_t>(axis + result.rank() - shape.rank())];
  return static_cast<std::size_t>(place);
}

void StageAlone::run_back(std::span<const double> adjoint) {
  const Recording& recording = tape_.recording();
  const Id seed = id(seed_);
  if (back_ == nullptr) {
    back_ = std::make_unique<Trial<double>>(recording, ids(shares_), std::span<const Id>(&seed, 1),
                                            Site{});
  }
  std::copy(adjoint.begin(), adjoint.end(), back_->free(seed).begin());
  back_->run();
}

std::span<const double> StageAlone::passed(std::size_t active) const {
  return back_->values(id(shares_[active]));
}

std::vector<std::span<const double>> StageAlone::passed_to_all(std::span<const double> adjoint) {
  const Recording& recording = tape_.recording();
  const Id seed = id(seed_);
  if (back_to_all_ == nullptr) {
    std::vector<Tensor> x;
    for (Id input : stage_.inputs) x.push_back(transcript_->copy(input));
    shares_of_all_.resize(x.size());
    vjps(transcript_->copy(stage_.out()), x, seed_, shares_of_all_);
    back_to_all_ = std::make_unique<Trial<double>>(recording, ids(shares_of_all_),
                                                   std::span<const Id>(&seed, 1), Site{});
  }
  std::copy(adjoint.begin(), adjoint.end(), back_to_all_->free(seed).begin());
  back_to_all_->run();
  std::vector<std::span<const double>> result;
  for (const Tensor& share : shares_of_all_) result.push_back(back_to_all_->values(id(share)));
  return result;
}

std::optional<std::span<const double>> StageAlone::run_forward(std::size_t active,
                                                               std::size_t element) {
  const Recording& recording = tape_.recording();
  if (forward_[active] == nullptr) {
    const Shape shape = stages_.shape(active_[active]);
    const std::vector<double> zeros(static_cast<std::size_t>(shape.numel()));
    tangents_[active] = tape_.input(Array(shape, zeros), Site{});
    try {
      moved_[active] = jvp(transcript_->copy(stage_.out()), transcript_->copy(active_[active]),
                           Arg(tangents_[active], Site{}));
    } catch (const Error&) {
      return std::nullopt;
    }
    const Id output[] = {id(moved_[active])};
    const Id free[] = {id(tangents_[active])};
    forward_[active] = std::make_unique<Trial<double>>(recording, output, free, Site{});
  }
  Trial<double>& trial = *forward_[active];
  const auto tangent = trial.free(id(tangents_[active]));
  tangent[element] = 1;
  trial.run();
  tangent[element] = 0;
  return trial.values(id(moved_[active]));
}

std::vector<Number> StageAlone::symbolic(const SymbolOf& symbol) const {
  const Recording& recording = tape_.recording();
  std::vector<Id> free;
  for (Id input : stage_.inputs) free.push_back(copy(input));
  const Id out[] = {copy(stage_.out())};
  try {
    Trial<Number> trial(recording, out, free, Site{}, nullptr);
    for (std::size_t i = 0; i < free.size(); ++i) {
      const auto values = trial.free(free[i]);
      for (std::size_t e = 0; e < values.size(); ++e) values[e] = symbol(stage_.inputs[i], e);
    }
    trial.run();
    const auto values = trial.values(out[0]);
    return {values.begin(), values.end()};
  } catch (const Error&) {
    return {};
  }
}

std::vector<std::vector<Number>> StageAlone::symbolic_back(const SymbolOf& symbol,
                                                           std::span<const Number> adjoint) const {
  const Recording& recording = tape_.recording();
  const std::vector<Id> outputs = ids(shares_);
  std::vector<Id> originals = stage_.inputs, free;
  // Where the rule reads the result, that is a symbol, too; else it need not be computed.
  const std::vector<Id> read = needed(recording, outputs);
  if (std::binary_search(read.begin(), read.end(), copy(stage_.out())))
    originals.push_back(stage_.out());
  for (Id id : originals) free.push_back(copy(id));
  const Id seed = id(seed_);
  free.push_back(seed);
  std::vector<std::vector<Number>> result;
  try {
    Trial<Number> trial(recording, outputs, free, Site{}, nullptr);
    for (std::size_t i = 0; i < originals.size(); ++i) {
      const auto values = trial.free(free[i]);
      for (std::size_t e = 0; e < values.size(); ++e) values[e] = symbol(originals[i], e);
    }
    std::copy(adjoint.begin(), adjoint.end(), trial.free(seed).begin());
    trial.run();
    for (Id output : outputs) {
      const auto values = trial.values(output);
      result.emplace_back(values.begin(), values.end());
    }
  } catch (const Error&) {
    result.clear();
  }
  return result;
}

void StageAlone::name_all(const std::function<std::string(Id)>& name) const {
  for (Id input : stage_.inputs) tape_.recording().name(copy(input), name(input));
  tape_.recording().name(copy(stage_.out()), name(stage_.out()));
}

std::string StageAlone::formula(const std::function<std::string(Id)>& name, int digits) const {
  name_all(name);
  return tapegrad::formula(transcript_->copy(stage_.out()), {.digits = digits});
}

std::string StageAlone::rule(std::size_t active, const std::function<std::string(Id)>& name,
                             std::string_view adjoint, int digits) const {
  name_all(name);
  seed_.named(adjoint);
  return tapegrad::formula(shares_[active], {.digits = digits});
}

}  // namespace tapegrad
