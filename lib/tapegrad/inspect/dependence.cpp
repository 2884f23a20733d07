#include "tapegrad/inspect/dependence.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tapegrad/check/subject.hpp"

namespace tapegrad {

Dependence::Dependence(const Flow& flow) : flow_(flow) {
  for (Id id : flow.path()) marks_.push_back(marks_of(id));
}

bool Dependence::none(Id id) const {
  const Marks& marks = of(id);
  return std::none_of(marks.begin(), marks.end(), [](std::uint8_t m) { return m != 0; });
}

double Dependence::largest(Id id, const Numbers& numbers) const {
  const Marks& marks = of(id);
  double result = 0;
  for (std::size_t e = 0; e < marks.size(); ++e)
    if (marks[e] != 0 && !(std::abs(numbers[e]) <= result)) result = std::abs(numbers[e]);
  return result;
}

Dependence::Marks Dependence::marks_of(Id id) const {
  const Node& n = flow_.node(id);
  // Code of others, made an op at run time, is not run with numbers that it may not expect.
  if (id == flow_.x() || n.op->context != nullptr)
    return Marks(static_cast<std::size_t>(n.shape.numel()), 1);
  return n.op->kind == Kind::elementwise ? of_each(id) : of_the_whole(id);
}

Dependence::Marks Dependence::of_each(Id id) const {
  Marks marks(static_cast<std::size_t>(flow_.node(id).shape.numel()), 0);
  const auto operands = flow_.recording().operands(id);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!flow_.on_path(operands[i]) || !flow_.way(id, i)) continue;
    const Marks& from = of(operands[i]);
    for (std::size_t e = 0; e < marks.size(); ++e)
      if (from[flow_.bench().element(id, i, e)] != 0) marks[e] = 1;
  }
  return marks;
}

/// Where NaN arrives that is put in the place of what depends on x, and 1 in that of the rest.
Dependence::Marks Dependence::of_the_whole(Id id) const {
  const auto ids = flow_.recording().operands(id);
  std::vector<Array> operands = flow_.bench().operands(id);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (whole_operand(flow_.recording(), id, i)) continue;
    Numbers planted(static_cast<std::size_t>(operands[i].numel()), 1.0);
    if (flow_.on_path(ids[i]) && flow_.way(id, i)) {
      const Marks& from = of(ids[i]);
      for (std::size_t e = 0; e < planted.size(); ++e)
        if (from[e] != 0) planted[e] = std::nan("");
    }
    operands[i] = Array(operands[i].shape(), std::move(planted));
  }
  const Numbers arrived = flow_.bench().value(id, operands).values();
  Marks marks;
  for (double v : arrived) marks.push_back(std::isnan(v) ? 1 : 0);
  return marks;
}

}  // namespace tapegrad
