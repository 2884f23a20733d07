#include "tapegrad/tape/trial.hpp"

#include <algorithm>
#include <memory>

#include "tapegrad/tape/needed.hpp"

namespace tapegrad {
namespace {

template <class T>
KernelFunction kernel_of(const Op& op) {
  if constexpr (std::is_same_v<T, double>)
    return op.forward.f64();
  else
    return op.forward.number();
}

}  // namespace

template <class T>
Trial<T>::Trial(const Recording& recording, std::span<const Id> outputs, std::span<const Id> free,
                Site at, const NumberSystem* system)
    : recording_(recording) {
  const std::vector<Id> ids = lay_out(outputs, free);
  std::vector<std::uint8_t> depends(place_.size(), 0);
  for (Id id : free) depends[id] = 1;
  for (Id id : ids) {
    if (recording.node(id).leaf()) {
      load_leaf(id, at, system);
      continue;
    }
    const Step step = bind(id);
    run(step);
    if (depends[id] != 0) continue;  // free: it keeps this value
    const auto operands = recording.operands(id);
    if (std::any_of(operands.begin(), operands.end(), [&](Id x) { return depends[x] != 0; })) {
      depends[id] = 1;
      dependent_.push_back(step);
    }
  }
}

/// Finds what the outputs need, and gives each record its place.
template <class T>
std::vector<Id> Trial<T>::lay_out(std::span<const Id> outputs, std::span<const Id> free) {
  std::vector<Id> ends(outputs.begin(), outputs.end());
  ends.insert(ends.end(), free.begin(), free.end());
  std::vector<Id> ids = needed(recording_, ends);
  place_.assign(ids.empty() ? 0 : ids.back() + 1, nowhere);
  std::size_t size = 0, scratch = 0, operands = 0;
  for (Id id : ids) {
    place_[id] = size;
    size += count(id);
    operands += recording_.operands(id).size();
    const Node& n = recording_.node(id);
    if (n.leaf() || n.op->scratch == nullptr) continue;
    const Operands described(*n.op, recording_, recording_.operands(id), recording_.attributes(id));
    scratch = std::max(scratch, static_cast<std::size_t>(n.op->scratch(described)));
  }
  values_.resize(size);
  scratch_.resize(scratch);
  inputs_.resize(operands);
  return ids;
}

template <class T>
void Trial<T>::load_leaf(Id id, Site site, const NumberSystem* system) {
  recording_.require_set(id, "replay", site);
  const auto load = [&](const auto* from) {
    for (std::size_t i = 0; i < count(id); ++i) {
      const auto value = static_cast<double>(from[i]);
      if constexpr (std::is_same_v<T, Number>)
        at(id)[i] = system != nullptr ? system->number(value) : Number(value);
      else
        at(id)[i] = value;
    }
  };
  if (recording_.precision() == float32)
    load(static_cast<const float*>(recording_.address(id)));
  else
    load(static_cast<const double*>(recording_.address(id)));
}

template <class T>
Step Trial<T>::bind(Id id) {
  const Node& n = recording_.node(id);
  const auto operands = recording_.operands(id);
  Input* inputs = inputs_.data() + inputs_used_;
  inputs_used_ += operands.size();
  for (std::size_t i = 0; i < operands.size(); ++i)
    inputs[i] = {at(operands[i]), 1, &recording_.node(operands[i]).shape};
  Step step{.kernel = n.shape.numel() == 0 ? nullptr : kernel_of<T>(*n.op), .id = id};
  if (step.kernel == nullptr && n.shape.numel() != 0)
    throw recording_.error(*n.op, operands, n.frame,
                           "has no kernel for this arithmetic, so it cannot be tried here", {});
  auto nest = std::make_unique<Nest>();
  if (tapegrad::bind(n, recording_.attributes(id), at(id), {inputs, operands.size()}, *nest,
                     step)) {
    step.nest = nest.get();
    nests_.push_back(std::move(nest));
  }
  step.call.scratch = scratch_.data();
  return step;
}

template <class T>
void Trial<T>::run(const Step& step) const {
  if (step.kernel == nullptr) return;
  try {
    tapegrad::run(step, sizeof(T));
  } catch (const KernelError& error) {
    recording_.fail(step.id, error.text);
  }
}

template <class T>
void Trial<T>::run(const std::function<void(const Step&)>& before) {
  for (const Step& step : dependent_) {
    before(step);
    run(step);
  }
}

template class Trial<double>;
template class Trial<Number>;

}  // namespace tapegrad
