#include "tapegrad/autodiff/struct_parameters.hpp"

namespace tapegrad {

StructParameters::StructParameters(const Tensor& y, std::string_view doing, Site at)
    : recording_(Recording::of(y, doing, at)), doing_(doing), at_(at), rollback_(recording_) {
  recording_.sweep().collected.clear();
}

bool StructParameters::collect(const Tensor& field) {
  if (!field.defined()) return false;
  const Id id = recording_.id_of(field, doing_, at_);
  if (!recording_.node(id).leaf())
    throw Error(std::string(doing_), "a field of the struct holds a computed tensor, not a leaf",
                {recording_.describe(id, "field")}, at_,
                "keep computed tensors out of the struct, or ask for them one by one");
  if (!recording_.is(id, LeafKind::parameter)) return false;
  recording_.sweep().collected.push_back(field);
  return true;
}

void StructParameters::point(const Tensor& field, const Tensor& direction) {
  if (!direction.defined())
    throw Error(std::string(doing_), "the other struct holds no tensor for this field",
                {recording_.describe(recording_.id_of(field, doing_, at_), "field")}, at_,
                "where nothing shall move, put zeros");
  directions_.emplace_back(direction, at_);
}

void StructParameters::require_some() {
  Recording::Sweep& sweep = recording_.sweep();
  if (sweep.collected.empty())
    throw Error(std::string(doing_), "the struct holds no parameters", at_,
                "make them with tape.parameter(...)");
  sweep.answered.resize(sweep.collected.size());
}

void StructParameters::place(Tensor& answer, const Tensor& field) {
  if (&answer == &field)
    throw Error(
        std::string(doing_),
        "the struct holds a shared_ptr: a copy of it would share its tensors with the network", at_,
        "ask for the gradients of the tensors one by one, or hold the part itself");
  if (!field.defined()) return;
  const Id id = recording_.id_of(field, doing_, at_);
  answer = recording_.is(id, LeafKind::parameter) ? recording_.sweep().answered[next_++] : Tensor{};
}

}  // namespace tapegrad
