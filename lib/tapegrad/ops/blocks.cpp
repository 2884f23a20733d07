#include "tapegrad/ops/blocks.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace tapegrad {

std::string notation_with(const Operands& x, std::string_view argument) {
  std::string result(x.op().notation);
  if (!argument.empty()) result.insert(result.size() - 1, fmt::format(", {}", argument));
  return result;
}

std::string notation_along(const Operands& x, std::span<const std::int64_t> axes) {
  if (static_cast<int>(axes.size()) == x[0].rank()) return std::string(x.op().notation);
  return notation_with(
      x, fmt::format("{} {}", axes.size() == 1 ? "axis" : "axes", fmt::join(axes, ", ")));
}

std::string notation_along_first(const Operands& x) {
  return notation_along(x, x.attributes().first(1));
}

void require_one_tape(std::string_view name, std::span<const Arg> operands) {
  const Recording& recording = recording_of(name, operands);
  for (const Arg& operand : operands)
    if (!operand.is_number()) recording.id_of(operand.tensor(), name, operand.site());
}

Shape shape_of(std::string_view name, const Arg& x) {
  if (x.is_number()) return Shape{};
  const Recording& recording = recording_of(name, {&x, 1});
  return recording.node(recording.id_of(x.tensor(), name, x.site())).shape;
}

Shape shape_from(std::string_view name, const Arg& x, std::span<const std::int64_t> extents) {
  try {
    return Shape(extents);
  } catch (const Error& error) {
    refuse(name, {&x, 1}, {}, error.text());
  }
}

std::int64_t resolve_axis(std::string_view name, const Arg& x, std::int64_t axis) {
  const Shape shape = shape_of(name, x);
  if (axis < -shape.rank() || axis >= shape.rank())
    refuse(name, {&x, 1}, {}, fmt::format("there is no axis {}", axis));
  return axis < 0 ? axis + shape.rank() : axis;
}

int resolve_new_axis(std::string_view name, const Arg& x, std::int64_t axis) {
  const int rank = shape_of(name, x).rank();
  if (axis < -rank - 1 || axis > rank)
    refuse(name, {&x, 1}, {}, fmt::format("there is no new axis {}", axis));
  if (rank == Shape::max_rank)
    refuse(name, {&x, 1}, {}, fmt::format("{} axes are the most", Shape::max_rank));
  return static_cast<int>(axis < 0 ? axis + rank + 1 : axis);
}

std::string out_of_range(std::string_view option, double value, double low, double high) {
  const std::string range =
      std::isinf(high) ? fmt::format("at least {}", low) : fmt::format("from {} to {}", low, high);
  return fmt::format("{} is {}, and must be {}", option, value, range);
}

void require_range(std::string_view name, const Arg& x, std::string_view option, const Arg& value,
                   double low, double high) {
  if (value.is_number() && !(value.number() >= low && value.number() <= high))
    refuse(name, {&x, 1}, {}, out_of_range(option, value.number(), low, high));
}

void refuse(std::string_view name, std::span<const Arg> operands,
            std::span<const std::string_view> roles, std::string text, std::string hint) {
  const Recording& recording = recording_of(name, operands);
  std::vector<Error::Operand> described;
  std::string shapes;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    std::string role(i < roles.size() ? roles[i] : "operand");
    Error::Operand o{std::move(role), fmt::format("{}", operands[i].number()), Shape{},
                     operands[i].site()};
    if (!operands[i].is_number())
      o = recording.describe(recording.id_of(operands[i].tensor(), name, operands[i].site()),
                             o.role);
    shapes += (i == 0 ? "" : " and ") + tapegrad::text(o.shape);
    described.push_back(std::move(o));
  }
  throw Error(std::string(name), fmt::format("{}: {}", shapes, text), std::move(described),
              recording.blame(operands[0].site()), std::move(hint));
}

}  // namespace tapegrad
