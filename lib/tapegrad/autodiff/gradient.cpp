#include "tapegrad/autodiff/gradient.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"
#include "tapegrad/tape/recording.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view doing = "gradient";

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

Tensor filled(Recording& recording, double value, const Shape& shape, Site at) {
  const Tensor number = recording.number(value);
  return shape.rank() == 0 ? number : broadcast_to(Arg(number, at), shape);
}

/// The seed as a record of y's shape, or Node::none for the default, one.
Id seed_of(Recording& recording, const Differentiated& d, Id y) {
  const Shape& shape = recording.node(y).shape;
  const auto refuse = [&](std::string text, std::string hint) {
    throw Error(std::string(doing), std::move(text), {recording.describe(y, "of")}, d.site(),
                std::move(hint));
  };
  if (d.seed() == nullptr) {
    if (shape.numel() != 1)
      refuse(fmt::format(
                 "a gradient can be implicitly created only for one number, this tensor has {}",
                 shape.numel()),
             "reduce it, as in sum(y), or say what is asked for: gradient(seeded(y, v), x)");
    return Node::none;
  }
  const Shape seed_shape = d.seed()->is_number() ? Shape{} : d.seed()->tensor().shape(d.site());
  if (seed_shape != shape)
    refuse(fmt::format("the seed has the shape {}, the tensor {}", text(seed_shape), text(shape)),
           "");
  if (d.seed()->is_number())
    return recording.id_of(recording.number(d.seed()->number()), doing, d.site());
  const Id seed = recording.id_of(d.seed()->tensor(), doing, d.site());
  recording.require_current(seed, doing, d.site());
  return seed;
}

/// Marks the records between a wanted one and y. False if y depends on none. What is not behind y
/// is passed over at the cost of one byte.
bool mark_paths(const Recording& recording, Recording::Sweep& sweep, Id first, Id y) {
  enum : std::uint8_t { no, yes, behind_y };
  std::vector<std::uint8_t>& reaches = sweep.reaches;
  reaches.assign(y + 1, no);
  reaches[y] = behind_y;
  for (Id id = y; id > first; --id)
    if (reaches[id] == behind_y)
      for (Id operand : recording.operands(id)) reaches[operand] = behind_y;
  for (Id id : sweep.wanted)
    if (id <= y) reaches[id] = yes;
  for (Id id = 0; id <= y; ++id) {
    if (reaches[id] != behind_y) continue;
    const Node& n = recording.node(id);
    const auto operands = recording.operands(id);
    const bool flows = !n.leaf() && n.op->vjp.flow() != VjpRule::Flow::none &&
                       std::any_of(operands.begin(), operands.end(),
                                   [&](Id operand) { return reaches[operand] == yes; });
    reaches[id] = flows ? yes : no;
  }
  return reaches[y] == yes;
}

/// The sweep: from y downwards, each record on a path passes its adjoint on to its operands, once.
void sweep_down(Recording& recording, Id first, Id y, Id seed) {
  Recording::Sweep& sweep = recording.sweep();
  sweep.adjoint.assign(y + 1, Node::none);
  sweep.adjoint[y] = seed;
  const Sweeping sweeping(sweep, recording.has_values(y));
  for (Id id = y; id > first; --id) {
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

void record_gradients(Recording& recording, const Differentiated& d, std::span<const Tensor> x,
                      std::span<Tensor> answers) {
  const Id y = recording.id_of(d.y(), doing, d.site());
  if (x.empty()) throw Error(std::string(doing), "no tensors to differentiate by", d.site());
  recording.require_current(y, doing, d.site());
  Recording::Sweep& sweep = recording.sweep();
  if (sweep.active)
    throw Error(std::string(doing), "a derivative rule cannot ask for gradients", d.site());
  sweep.wanted.clear();
  for (const Tensor& t : x) sweep.wanted.push_back(recording.id_of(t, doing, d.site()));

  const Id seed = seed_of(recording, d, y);
  if (const auto known = recording.remembered_gradient(y, seed, sweep.wanted); !known.empty()) {
    for (std::size_t i = 0; i < known.size(); ++i) answers[i] = recording.handle(known[i]);
    // A replay of y alone left them behind: they are run again, so that the answer fits y.
    const bool computes =
        recording.has_values(y) && (seed == Node::none || recording.has_values(seed));
    if (computes &&
        !std::all_of(known.begin(), known.end(), [&](Id id) { return recording.current(id); })) {
      sweep.wanted.assign(known.begin(), known.end());
      recording.replay(sweep.wanted, d.site());
    }
    return;
  }

  const Id first = *std::min_element(sweep.wanted.begin(), sweep.wanted.end());
  if (first > y || !mark_paths(recording, sweep, first, y)) {
    std::vector<Error::Operand> operands{recording.describe(y, "of")};
    for (Id id : sweep.wanted) {
      if (operands.size() == 6) break;
      operands.push_back(recording.describe(id, "by"));
    }
    throw Error(
        std::string(doing), "the tensor depends on none of those asked for", std::move(operands),
        d.site(),
        recording.node(y).leaf()
            ? "are the arguments exchanged? It is gradient(y, x)"
            : "is it the right one? A detach or an index in between stops the flow, and the "
              "slope of a linear function depends on nothing");
  }
  const Tensor start = seed == Node::none
                           ? filled(recording, 1.0, recording.node(y).shape, d.site())
                           : recording.handle(seed);
  sweep_down(recording, first, y, recording.id_of(start, doing, d.site()));

  sweep.given.clear();
  for (Id id : sweep.wanted) {
    const bool reached = id <= y && sweep.adjoint[id] != Node::none;
    Tensor answer = reached ? recording.handle(sweep.adjoint[id])
                            : filled(recording, 0.0, recording.node(id).shape, d.site());
    // A literal serves many: an answer that is one gets a record of its own.
    if (recording.is(recording.id_of(answer, doing, d.site()), LeafKind::constant))
      answer = broadcast_to(Arg(answer, d.site()), recording.node(id).shape);
    sweep.given.push_back(answer);
  }
  std::copy(sweep.given.begin(), sweep.given.end(), answers.begin());
  sweep.answers.clear();
  for (const Tensor& t : sweep.given) sweep.answers.push_back(recording.id_of(t, doing, d.site()));
  recording.remember_gradient(y, seed, sweep.wanted, sweep.answers);
}

}  // namespace

void gradients(const Differentiated& d, std::span<const Tensor> x, std::span<Tensor> answers) {
  Recording& recording = Recording::of(d.y(), doing, d.site());
  const Mark before = recording.mark();
  try {
    record_gradients(recording, d, x, answers);
  } catch (const Error& error) {
    recording.truncate(before);
    if (error.site()) throw;
    throw Error(error.op(), error.text(), error.operands(), d.site(), error.hint());
  } catch (...) {
    recording.truncate(before);
    throw;
  }
}

Tensor gradient(const Differentiated& y, const Tensor& x) {
  Tensor answer;
  gradients(y, {&x, 1}, {&answer, 1});
  return answer;
}

StructGradient::StructGradient(const Differentiated& y)
    : y_(y), recording_(&Recording::of(y.y(), doing, y.site())) {
  recording_->sweep().collected.clear();
}

void StructGradient::collect(const Tensor& field) {
  if (!field.defined()) return;
  const Id id = recording_->id_of(field, doing, y_.site());
  if (!recording_->node(id).leaf())
    throw Error(std::string(doing), "a field of the struct holds a computed tensor, not a leaf",
                {recording_->describe(id, "field")}, y_.site(),
                "keep computed tensors out of the struct, or ask for them one by one");
  if (recording_->is(id, LeafKind::parameter)) recording_->sweep().collected.push_back(field);
}

void StructGradient::answer() {
  Recording::Sweep& sweep = recording_->sweep();
  if (sweep.collected.empty())
    throw Error(std::string(doing), "the struct holds no parameters", y_.site(),
                "make them with tape.parameter(...)");
  sweep.answered.resize(sweep.collected.size());
  gradients(y_, sweep.collected, sweep.answered);
}

void StructGradient::place(Tensor& answer, const Tensor& field) {
  if (&answer == &field)
    throw Error(
        std::string(doing),
        "the struct holds a shared_ptr: a copy of it would share its tensors with the network",
        y_.site(), "ask for the gradients of the tensors one by one, or hold the part itself");
  if (!field.defined()) return;
  const Id id = recording_->id_of(field, doing, y_.site());
  answer =
      recording_->is(id, LeafKind::parameter) ? recording_->sweep().answered[next_++] : Tensor{};
}

}  // namespace tapegrad
