// What errors say about records: their names, shapes and lines.
#include <fmt/format.h>

#include <utility>

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

Error::Operand Recording::describe(Id id, std::string role) const {
  return {std::move(role), label(id), node(id).shape, node(id).site};
}

Error Recording::refuse(std::string_view doing, Id id, std::string text, std::string hint,
                        Site at) const {
  return Error(std::string(doing), std::move(text), {describe(id, "of")}, blame(at),
               std::move(hint));
}

Error Recording::error(const Op& op, std::span<const Id> operands, std::uint32_t frame,
                       std::string text, std::string hint) const {
  std::vector<Error::Operand> described;
  std::string shapes;
  const std::string_view between = op.kind == Kind::contraction ? " x "
                                   : operands.size() == 2       ? " and "
                                                                : ", ";
  constexpr std::string_view of_two[] = {"left", "right"};
  for (std::size_t i = 0; i < operands.size(); ++i) {
    std::string role;
    if (i < op.roles.size() && !op.roles[i].empty())
      role = op.roles[i];
    else if (operands.size() == 2)
      role = of_two[i];
    else
      role = operands.size() == 1 ? "operand" : fmt::format("[{}]", i);
    if (i > 0) shapes += between;
    shapes += tapegrad::text(node(operands[i]).shape);
    described.push_back(describe(operands[i], std::move(role)));
    if (i == 7 && operands.size() > 8) {  // a concat of hundreds: the first ones will do
      shapes += ", ...";
      break;
    }
  }
  if (frame != Node::none && frames_[frame].name != op.name)
    text += fmt::format(" (in {})", frames_[frame].name);
  return Error(std::string(op.name), fmt::format("{}: {}", shapes, text), std::move(described), {},
               std::move(hint));
}

const Shape& Operands::operator[](std::size_t i) const { return recording_.node(ids_[i]).shape; }

std::string Operands::name(std::size_t i) const {
  const std::string_view name = recording_.name(ids_[i]);
  return name.empty() ? fmt::format("%{}", ids_[i]) : std::string(name);
}

void Operands::fail(std::string text, std::string hint) const {
  throw recording_.error(op_, ids_, recording_.current_frame(), std::move(text), std::move(hint));
}

void Recording::fail(Id id, std::string text) const {
  const Error e = error(*node(id).op, operands(id), node(id).frame, std::move(text), {});
  throw Error(e.op(), e.text(), e.operands(), node(id).site, {});
}

}  // namespace tapegrad
