#include "tapegrad/program/compile.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tapegrad {

bool CompiledEntry::fits(Arguments arguments) const {
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (arguments[i]->shape() != shapes_[i]) return false;
  return arguments.size() == shapes_.size();
}

bool CompiledEntry::held_by(const Recording& recording) const {
  return recording.holds(plan_) &&
         std::all_of(inputs_.begin(), inputs_.end(),
                     [&](const Tensor& input) { return recording.holds(input); });
}

void CompiledEntry::replay(Recording& recording, Arguments arguments, Site at) {
  for (std::size_t i = 0; i < arguments.size(); ++i)
    recording.set(recording.id_of(inputs_[i], "compile", at), *arguments[i], at);
  recording.run(plan_, at);
}

void CompiledEntry::begin(Recording& recording, Arguments arguments, Site at) {
  before_ = recording.mark();
  outer_run_ = recording.run_begin();
  recording.begin_run(before_.size);
  for (const Values* argument : arguments) {
    shapes_.push_back(argument->shape());
    inputs_.push_back(recording.leaf(LeafKind::input, argument->shape(), argument, at));
  }
}

void CompiledEntry::end(Recording& recording, Site at) {
  std::vector<Id> outputs;
  for (const Tensor& output : outputs_)
    if (output.defined()) outputs.push_back(recording.id_of(output, "compile", at));
  std::vector<Id> updates;
  for (Id update : recording.pending())
    if (update >= recording.run_begin()) updates.push_back(update);
  outputs.insert(outputs.end(), updates.begin(), updates.end());
  if (outputs.empty())
    throw Error("compile", "the function returned no tensor and recorded no update", at,
                "return the tensors, and read them after the call: f(x).item()");
  plan_ = recording.plan(outputs, at);
  recording.commit(updates, at);
  recording.begin_run(outer_run_);
}

void CompiledEntry::abandon(Recording& recording) {
  recording.truncate(before_);
  recording.begin_run(outer_run_);
}

void refuse_another_shape(std::size_t max_shapes, CompiledEntry::Arguments arguments, Site at) {
  std::string shapes;
  for (const Values* argument : arguments)
    shapes += (shapes.empty() ? "" : ", ") + text(argument->shape());
  throw Error("compile",
              fmt::format("{} would be one more than the {} combination{} of shapes it may record",
                          shapes, max_shapes, max_shapes == 1 ? "" : "s"),
              at, "pad the inputs to a few shapes, or pass {.max_shapes = n} to compile");
}

}  // namespace tapegrad
