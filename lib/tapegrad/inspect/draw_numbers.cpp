#include "tapegrad/inspect/draw_numbers.hpp"

#include <fmt/format.h>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/inspect/draw_text.hpp"
#include "tapegrad/inspect/flow.hpp"

namespace tapegrad {
namespace {

constexpr std::int64_t most_rows = 64;  // each is a sweep through the record

Tape unlimited(Precision precision) {
  Tape tape(precision);
  tape.limit(static_cast<std::size_t>(-1));  // the user's has one
  return tape;
}

}  // namespace

DrawnNumbers::DrawnNumbers(const Recording& recording, std::span<const Id> outputs, Site at)
    : original_(recording),
      tape_(unlimited(recording.precision())),
      transcript_(recording, outputs, tape_, at),
      bench_(tape_.recording()) {}

Id DrawnNumbers::copy(Id id) const {
  return tape_.recording().id_of(transcript_.copy(id), "draw", Site{});
}

void DrawnNumbers::differentiate(Id y, std::span<const Id> by, std::string_view doing, Site at) {
  if (const auto n = original_.node(y).shape.numel(); n != 1)
    throw Error(std::string(doing),
                fmt::format("gradients are those of one number, this tensor has {}", n),
                {original_.describe(y, "of")}, at, "reduce it, as in sum(y)");
  std::vector<std::uint8_t> reached(y + 1, 0);
  reached[y] = 1;
  for (Id id = y + 1; id-- > 0;)
    if (reached[id] != 0)
      for (std::size_t i = 0; i < original_.operands(id).size(); ++i)
        if (passes_on(original_, id, i)) reached[original_.operands(id)[i]] = 1;
  std::vector<Id> found;
  std::vector<Tensor> wanted;
  for (Id id : by)
    if (id <= y && reached[id] != 0) {
      found.push_back(id);
      wanted.push_back(transcript_.copy(id));
    }
  std::vector<Tensor> answers(wanted.size());
  if (!wanted.empty()) gradients(transcript_.copy(y), wanted, answers);
  gradients_.resize(y + 1);
  for (std::size_t i = 0; i < found.size(); ++i) gradients_[found[i]] = answers[i];
}

std::string DrawnNumbers::local_derivative(Id record, std::size_t operand, int digits) {
  const Node& n = original_.node(record);
  if (!passes_on(original_, record, operand)) return {};
  const Shape& by = original_.node(original_.operands(record)[operand]).shape;
  const std::int64_t rows = n.shape.numel(), columns = by.numel();
  if (n.op->kind == Kind::elementwise) {
    const Array ones(n.shape, Numbers(static_cast<std::size_t>(rows), 1.0));
    return numbers_text(bench_.shares_by_element(copy(record), ones)[operand].values(), n.shape,
                        digits);
  }
  if (rows > most_rows) return fmt::format("{} x {}", rows, columns);
  const std::vector<Array> operands = bench_.operands(copy(record));
  Numbers jacobian;
  for (std::int64_t row = 0; row < rows; ++row) {
    Numbers one(static_cast<std::size_t>(rows), 0.0);
    one[static_cast<std::size_t>(row)] = 1;
    const Numbers share =
        bench_.shares(copy(record), operands, Array(n.shape, one))[operand].values();
    jacobian.insert(jacobian.end(), share.begin(), share.end());
  }
  return numbers_text(jacobian, rows == 1 ? by : Shape{rows, columns}, digits);
}

}  // namespace tapegrad
