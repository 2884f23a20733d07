#include "tapegrad/program/compile.hpp"

#include <fmt/format.h>

namespace tapegrad {

bool CompiledEntry::fits(Arguments arguments) const {
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (arguments[i]->shape() != shapes_[i]) return false;
  return arguments.size() == shapes_.size();
}

bool CompiledEntry::replay(const Recording::Ref& tape, Arguments arguments, Site at) {
  Recording& recording = Recording::of(tape, "compile", at);
  if (!recording.holds(plan_)) return false;
  for (const Tensor& input : inputs_)
    if (!recording.holds(input)) return false;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    recording.set(recording.id_of(inputs_[i], "compile", at), *arguments[i], at);
  recording.run(plan_, at);
  return true;
}

void CompiledEntry::begin(Recording& recording, Arguments arguments, Site at) {
  before_ = recording.mark();
  for (const Values* argument : arguments) {
    shapes_.push_back(argument->shape());
    inputs_.push_back(recording.leaf(LeafKind::input, argument->shape(), argument, at));
  }
}

void CompiledEntry::end(Recording& recording, Site at) {
  std::vector<Id> outputs;
  for (const Tensor& output : outputs_)
    if (output.defined()) outputs.push_back(recording.id_of(output, "compile", at));
  for (Id update : recording.pending())
    if (update >= before_.size) outputs.push_back(update);
  plan_ = recording.plan(outputs, at);
  recording.commit(at);
}

void refuse_another_shape(std::size_t max_shapes, CompiledEntry::Arguments arguments, Site at) {
  std::string shapes;
  for (const Values* argument : arguments)
    shapes += (shapes.empty() ? "" : ", ") + text(argument->shape());
  throw Error("compile",
              fmt::format("{} would be one more than the {} combinations of shapes it may record",
                          shapes, max_shapes),
              at, "pad the inputs to a few shapes, or pass {.max_shapes = n} to compile");
}

}  // namespace tapegrad
