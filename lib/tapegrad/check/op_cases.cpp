#include "tapegrad/check/op_cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tapegrad {

std::string text(const OpCase& c) {
  std::string result;
  for (const Shape& shape : c.shapes) result += (result.empty() ? "" : " ") + tapegrad::text(shape);
  if (!c.attributes.empty()) result += fmt::format(" [{}]", joined(c.attributes, " "));
  return result;
}

std::vector<OpCase> cases_of(const Op& op, Site at) {
  std::vector<OpCase> result;
  if (op.examples != nullptr) {
    Examples examples;
    op.examples(examples);
    for (const auto& [shapes, attributes] : examples.cases) result.push_back({shapes, attributes});
    return result;
  }
  if (op.kind != Kind::elementwise)
    throw Error(std::string(op.name),
                "cannot be checked: it is not elementwise, and its block gives no examples", at,
                "list shapes and attributes in .examples");
  const std::size_t operands = op.forward.operands() != 0
                                   ? op.forward.operands()
                                   : std::max<std::size_t>(op.sample.count, 1);
  const std::vector<Shape> shapes{Shape{}, Shape{3}, Shape{3, 3}, Shape{2, 1, 3}, Shape{0}};
  for (const Shape& shape : shapes) result.push_back({std::vector<Shape>(operands, shape)});
  if (operands == 1) return result;
  for (std::size_t i = 0; i < operands; ++i)  // each in turn is stretched
    for (const Shape& small : {Shape{}, Shape{1}, Shape{3}, Shape{2, 1}, Shape{1, 3}}) {
      result.push_back({std::vector<Shape>(operands, Shape{2, 3})});
      result.back().shapes[i] = small;
    }
  result.push_back({std::vector<Shape>(operands, Shape{2, 1})});  // both are
  result.back().shapes[0] = Shape{1, 3};
  return result;
}

Array drawn(const Domain& domain, const Shape& shape, Random& random) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (double& x : values) {
    x = random.uniform(domain.low, domain.high);
    if (domain.whole) x = std::floor(x);
  }
  return Array(shape, values);
}

Subject drawn(const Op& op, const OpCase& c, Random random) {
  Subject subject("check_op");
  std::vector<Arg> args;
  for (std::size_t i = 0; i < c.shapes.size(); ++i) {
    const Array values = drawn(op.sample[i], c.shapes[i], random);
    const bool changed = i == 0 && op.kind == Kind::effect;
    const Tensor x =
        changed ? subject.tape.state(values, Site{}) : subject.tape.input(values, Site{});
    args.emplace_back(x.named(fmt::format("operand {}", i), Site{}), Site{});
  }
  subject.y = record(op, args, c.attributes);
  return subject;
}

}  // namespace tapegrad
