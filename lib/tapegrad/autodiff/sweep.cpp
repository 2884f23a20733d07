#include "tapegrad/autodiff/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

/// While it lives, what is recorded belongs to the rule of the record that is being swept.
class Sweeping {
 public:
  Sweeping(Recording::Sweep& sweep, bool computes) : sweep_(sweep) {
    sweep_.active = true;
    sweep_.computes = computes;
  }
  Sweeping(const Sweeping&) = delete;
  Sweeping& operator=(const Sweeping&) = delete;
  ~Sweeping() {
    sweep_.active = false;
    sweep_.origin = Node::none;
  }

 private:
  Recording::Sweep& sweep_;
};

/// Where a sweep ends and begins.
struct Range {
  Id first, last;
};

/// Marks the records between a wanted one and a start. False if no start depends on any. What is
/// behind no start is passed over at the cost of one byte.
bool mark_paths(const Recording& recording, std::span<const Start> starts,
                std::span<const Id> wanted, Range range, std::vector<std::uint8_t>& reaches) {
  enum : std::uint8_t { no, yes, behind };
  reaches.assign(range.last + 1, no);
  for (const Start& start : starts) reaches[start.y] = behind;
  for (Id id = range.last; id > range.first; --id)
    if (reaches[id] == behind)
      for (Id operand : recording.operands(id)) reaches[operand] = behind;
  for (Id id : wanted)
    if (id <= range.last) reaches[id] = yes;
  for (Id id = 0; id <= range.last; ++id) {
    if (reaches[id] != behind) continue;
    const Node& n = recording.node(id);
    const auto operands = recording.operands(id);
    const bool flows = !n.leaf() && n.op->vjp.flow() != VjpRule::Flow::none &&
                       std::any_of(operands.begin(), operands.end(),
                                   [&](Id operand) { return reaches[operand] == yes; });
    reaches[id] = flows ? yes : no;
  }
  return std::any_of(starts.begin(), starts.end(),
                     [&](const Start& start) { return reaches[start.y] == yes; });
}

/// From the last start downwards, each record on a path passes its adjoint on to its operands,
/// once.
void sweep_down(const Asking& asking, std::span<const Start> starts, Range range) {
  Recording& recording = asking.recording;
  Recording::Sweep& sweep = recording.sweep();
  sweep.adjoint.assign(range.last + 1, Node::none);
  bool computes = true;
  for (const Start& start : starts) {
    computes = computes && recording.has_values(start.y);
    Id& adjoint = sweep.adjoint[start.y];
    adjoint = adjoint == Node::none ? start.adjoint
                                    : asking.id_of(Arg(recording.handle(adjoint), asking.at) +
                                                   Arg(recording.handle(start.adjoint), asking.at));
  }
  const Sweeping sweeping(sweep, computes);
  for (Id id = range.last; id > range.first; --id) {
    const Node& n = recording.node(id);
    if (sweep.adjoint[id] == Node::none || n.leaf()) continue;
    if (n.op->vjp.flow() != VjpRule::Flow::rule) continue;
    const auto operands = recording.operands(id);
    if (std::none_of(operands.begin(), operands.end(),
                     [&](Id operand) { return sweep.reaches[operand] != 0; }))
      continue;
    sweep.origin = id;
    Vjp vjp(recording, id, sweep.adjoint[id]);
    n.op->vjp(vjp);
  }
}

}  // namespace

Tensor filled(const Asking& asking, double number, const Shape& shape) {
  return broadcast_to(Arg(asking.recording.number(number), asking.at), shape);
}

bool sweep(const Asking& asking, std::span<const Start> starts, std::span<const Id> wanted,
           std::vector<Id>& answers) {
  Recording& recording = asking.recording;
  if (recording.sweep().active)
    throw Error(std::string(asking.doing), "a derivative rule cannot ask for gradients", asking.at);
  Range range{*std::min_element(wanted.begin(), wanted.end()), 0};
  for (const Start& start : starts) range.last = std::max(range.last, start.y);
  const bool reached = mark_paths(recording, starts, wanted, range, recording.sweep().reaches);
  if (reached) sweep_down(asking, starts, range);
  const std::vector<Id>& adjoint = recording.sweep().adjoint;
  answers.clear();
  for (Id id : wanted) {
    const bool has = reached && id <= range.last && adjoint[id] != Node::none;
    const Shape& shape = recording.node(id).shape;
    Tensor answer = has ? recording.handle(adjoint[id]) : filled(asking, 0, shape);
    // A leaf, a literal or a seed, serves many: an answer that is one gets a record of its own.
    if (recording.node(asking.id_of(answer)).leaf())
      answer = broadcast_to(Arg(answer, asking.at), shape);
    answers.push_back(asking.id_of(answer));
  }
  return reached;
}

void find_gradient(const Asking& asking, Id y, Id seed, std::span<const Id> wanted,
                   std::vector<Id>& answers) {
  Recording& recording = asking.recording;
  if (const auto known = recall(asking, "gradient", y, {&seed, 1}, wanted); !known.empty()) {
    answers.assign(known.begin(), known.end());
    return;
  }
  Start start{y, seed};
  if (seed == Node::none) {
    const Shape& shape = recording.node(y).shape;
    const Tensor one = recording.number(1);
    start.adjoint =
        asking.id_of(shape.rank() == 0 ? one : broadcast_to(Arg(one, asking.at), shape));
  }
  if (!sweep(asking, {&start, 1}, wanted, answers)) refuse_unreached(asking, y, wanted);
  recording.remember("gradient", y, {&seed, 1}, wanted, answers);
}

std::span<const Id> recall(const Asking& asking, std::string_view question, Id y,
                           std::span<const Id> seeds, std::span<const Id> wanted) {
  Recording& recording = asking.recording;
  const std::span<const Id> known = recording.remembered(question, y, seeds, wanted);
  const bool computes =
      recording.has_values(y) && std::all_of(seeds.begin(), seeds.end(), [&](Id seed) {
        return seed == Node::none || recording.has_values(seed);
      });
  if (computes &&
      !std::all_of(known.begin(), known.end(), [&](Id id) { return recording.current(id); }))
    recording.replay(known, asking.at);
  return known;
}

Id differentiable(const Asking& asking, const Tensor& y) {
  const Id id = asking.id_of(y);
  asking.recording.require_current(id, asking.doing, asking.at);
  return id;
}

void find_wanted(const Asking& asking, std::span<const Tensor> x, std::vector<Id>& wanted) {
  if (x.empty())
    throw Error(std::string(asking.doing), "no tensors to differentiate by", asking.at);
  wanted.clear();
  for (const Tensor& t : x) wanted.push_back(asking.id_of(t));
}

Id find_direction(const Asking& asking, std::string_view role, const Arg& direction, Id tensor) {
  Recording& recording = asking.recording;
  const Id id = asking.id_of(direction.is_number() ? recording.number(direction.number())
                                                   : direction.tensor());
  const Shape &has = recording.node(id).shape, &needs = recording.node(tensor).shape;
  if (has != needs)
    throw Error(std::string(asking.doing),
                fmt::format("the {} has the shape {}, the tensor {}", role, text(has), text(needs)),
                {recording.describe(tensor, "of"), recording.describe(id, std::string(role))},
                asking.at, "");
  recording.require_current(id, asking.doing, asking.at);
  return id;
}

void refuse_unreached(const Asking& asking, Id y, std::span<const Id> wanted) {
  const Recording& recording = asking.recording;
  std::vector<Error::Operand> operands{recording.describe(y, "of")};
  for (Id id : wanted) {
    if (operands.size() == 6) break;
    operands.push_back(recording.describe(id, "by"));
  }
  throw Error(std::string(asking.doing), "the tensor depends on none of those asked for",
              std::move(operands), asking.at,
              recording.node(y).leaf()
                  ? "are the arguments exchanged? y stands before x, as in gradient(y, x)"
                  : "is it the right one? A detach or an index in between stops the flow, and the "
                    "slope of a linear function depends on nothing");
}

}  // namespace tapegrad
