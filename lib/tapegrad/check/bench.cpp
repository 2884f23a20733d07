#include "tapegrad/check/bench.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/kernel/number_systems.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/trial.hpp"

namespace tapegrad {
namespace {

/// One record on a tape, its operands being leaves.
struct Tried {
  std::vector<Tensor> leaves;
  Tensor y;
};

Tried record_alone(Tape& tape, const Recording& recording, Id record,
                   const std::vector<Array>& operands) {
  const Node& n = recording.node(record);
  Tried tried;
  std::vector<Arg> args;
  for (const Array& operand : operands) {
    tried.leaves.push_back(tape.input(operand, n.site));
    args.emplace_back(tried.leaves.back(), n.site);
  }
  tried.y = tapegrad::record(*n.op, args, recording.attributes(record));
  return tried;
}

std::vector<Array> shares_of(const Tensor& y, const Arg& adjoint,
                             const std::vector<Tensor>& operands) {
  std::vector<Tensor> answers(operands.size());
  gradients(seeded(y, adjoint), operands, answers);
  std::vector<Array> result;
  result.reserve(answers.size());
  for (const Tensor& answer : answers) result.push_back(answer.array());
  return result;
}

/// By forward mode in fifty digits: how the elements of the result change as an operand moves along
/// a direction. 0 only if it is exactly 0.
Numbers slopes_of(const Tried& tried, std::size_t operand, const Numbers& direction) {
  constexpr Site at;
  const Recording& recording = Recording::of(tried.y, "why", at);
  const Id y = recording.id_of(tried.y, "why", at);
  const Id moved = recording.id_of(tried.leaves[operand], "why", at);
  const DualSystem& dual = dual_fifty_digits();
  Trial<Number> trial(recording, {&y, 1}, {&moved, 1}, at, &dual);
  const Numbers x = tried.leaves[operand].values(at);
  for (std::size_t i = 0; i < x.size(); ++i)
    trial.free(moved)[i] = dual.dual(Number(x[i]), Number(direction[i]));
  trial.run();
  Numbers slopes;
  for (const Number& value : trial.values(y)) {
    const Number slope = dual.derivative(value);
    const double rounded = static_cast<double>(slope);
    slopes.push_back(rounded == 0 && slope != 0 ? std::numeric_limits<double>::denorm_min()
                                                : rounded);
  }
  return slopes;
}

}  // namespace

std::vector<Array> Bench::operands(Id record) const {
  std::vector<Array> result;
  for (Id id : recording_.operands(record)) result.push_back(recording_.handle(id).array());
  return result;
}

Array Bench::value(Id record, const std::vector<Array>& operands) {
  const Scope scope = tape_.scope();
  return record_alone(tape_, recording_, record, operands).y.array();
}

std::vector<Array> Bench::shares(Id record, const std::vector<Array>& operands,
                                 const Array& adjoint) {
  const Scope scope = tape_.scope();
  const Tried tried = record_alone(tape_, recording_, record, operands);
  const Site at = recording_.node(record).site;
  return shares_of(tried.y, {tape_.input(adjoint, at), at}, tried.leaves);
}

Array Bench::share_as_if(Id record, const Array& operand, const Array& result,
                         const Array& adjoint) {
  // The rule of the op, with a result that is set.
  Op other = *recording_.node(record).op;
  other.kind = Kind::elementwise;
  other.shape = same_as_operand;
  other.forward = elementwise_kernel<[](auto, auto y) { return y; }>;
  const Scope scope = tape_.scope();
  const Site at = recording_.node(record).site;
  const Tensor x = tape_.input(operand, at), y = tape_.input(result, at);
  const Arg both[] = {{x, at}, {y, at}};
  const Tensor made = tapegrad::record(other, both, recording_.attributes(record));
  return shares_of(made, tape_.input(adjoint), {x}).front();
}

std::vector<Array> Bench::shares_by_element(Id record, const Array& adjoint) {
  const Scope scope = tape_.scope();
  const Node& n = recording_.node(record);
  std::vector<Tensor> spread;
  std::vector<Arg> args;
  for (const Array& operand : operands(record)) {
    spread.push_back(broadcast_to(Arg(tape_.input(operand, n.site), n.site), n.shape));
    args.emplace_back(spread.back(), n.site);
  }
  const Tensor y = tapegrad::record(*n.op, args, recording_.attributes(record));
  return shares_of(y, {tape_.input(adjoint, n.site), n.site}, spread);
}

std::size_t Bench::element(Id record, std::size_t operand, std::size_t of_result) const {
  const Shape& from = recording_.node(record).shape;
  const Shape& to = recording_.node(recording_.operands(record)[operand]).shape;
  if (to == from) return of_result;
  std::size_t result = 0, stride = 1;
  for (int axis = from.rank() - 1, own = to.rank() - 1; own >= 0; --axis, --own) {
    const auto extent = static_cast<std::size_t>(from[axis]);
    if (to[own] != 1) result += stride * (of_result % extent);
    stride *= static_cast<std::size_t>(to[own]);
    of_result /= extent;
  }
  return result;
}

std::optional<Bench::Local> Bench::local(Id record, std::size_t operand, std::size_t of_result) {
  const Node& n = recording_.node(record);
  if (n.op->forward.number() == nullptr) return {};
  std::vector<Array> numbers;
  const std::vector<Array> all = operands(record);
  for (std::size_t i = 0; i < all.size(); ++i)
    numbers.emplace_back(Shape{}, Numbers{all[i].values()[element(record, i, of_result)]});
  Tape tape{float64, n.site};
  const Tried tried = record_alone(tape, recording_, record, numbers);
  if (tried.y.numel() != 1) return {};  // its shape is an attribute
  const Recording& alone = tape.recording();
  const Id y = alone.id_of(tried.y, "why", n.site);
  std::vector<Id> leaves;
  for (const Tensor& leaf : tried.leaves) leaves.push_back(alone.id_of(leaf, "why", n.site));

  std::vector<Branch> branches;
  const BranchNotes notes(branches);
  Trial<Number> noting(alone, {&y, 1}, leaves, n.site, &notes);
  const bool chooses = std::any_of(branches.begin(), branches.end(),
                                   [](const Branch& b) { return b.by != Branch::By::finiteness; });

  return Local{chooses, slopes_of(tried, operand, {1}).front()};
}

std::optional<Numbers> Bench::slopes(Id record, std::size_t operand,
                                     const Numbers& direction) const {
  const Node& n = recording_.node(record);
  if (n.op->forward.number() == nullptr) return {};
  Tape tape{float64, n.site};
  return slopes_of(record_alone(tape, recording_, record, operands(record)), operand, direction);
}

}  // namespace tapegrad
