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
  explicit Sweeping(Recording::Sweep& sweep) : sweep_(sweep) { sweep_.active = true; }
  Sweeping(const Sweeping&) = delete;
  Sweeping& operator=(const Sweeping&) = delete;
  ~Sweeping() {
    sweep_.active = false;
    sweep_.origin = Node::none;
  }

 private:
  Recording::Sweep& sweep_;
};

Tensor filled(Recording& recording, double value, const Shape& shape) {
  const Tensor number = recording.number(value);
  return shape.rank() == 0 ? number : broadcast_to(number, shape);
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

/// Marks the records that depend on a wanted one, up to y. False if y does not.
bool mark_paths(const Recording& recording, Recording::Sweep& sweep, Id first, Id y) {
  sweep.reaches.assign(y + 1, 0);
  for (Id id : sweep.wanted)
    if (id <= y) sweep.reaches[id] = 1;
  for (Id id = first; id <= y; ++id) {
    const Node& n = recording.node(id);
    if (n.leaf() || n.op->vjp.flow() == VjpRule::Flow::none || sweep.reaches[id] != 0) continue;
    for (Id operand : recording.operands(id)) {
      if (sweep.reaches[operand] == 0) continue;
      sweep.reaches[id] = 1;
      break;
    }
  }
  return sweep.reaches[y] != 0;
}

/// The sweep: from y downwards, each record on a path passes its adjoint on to its operands, once.
void sweep_down(Recording& recording, Id first, Id y, Id seed) {
  Recording::Sweep& sweep = recording.sweep();
  sweep.adjoint.assign(y + 1, Node::none);
  sweep.adjoint[y] = seed;
  const Sweeping sweeping(sweep);
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
  sweep.wanted.clear();
  for (const Tensor& t : x) sweep.wanted.push_back(recording.id_of(t, doing, d.site()));

  const Id seed = seed_of(recording, d, y);
  if (const auto known = recording.remembered_gradient(y, seed, sweep.wanted); !known.empty()) {
    for (std::size_t i = 0; i < known.size(); ++i) answers[i] = recording.handle(known[i]);
    // A replay of y alone left them behind: they are run again, so that the answer fits y.
    if (recording.has_values(y) &&
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
    throw Error(std::string(doing), "the tensor depends on none of those asked for",
                std::move(operands), d.site(),
                "is it the right one, and is there a detach, an index or a constant in between?");
  }
  const Tensor start =
      seed == Node::none ? filled(recording, 1.0, recording.node(y).shape) : recording.handle(seed);
  sweep_down(recording, first, y, recording.id_of(start, doing, d.site()));

  sweep.given.clear();
  for (Id id : sweep.wanted) {
    const bool reached = id <= y && sweep.adjoint[id] != Node::none;
    sweep.given.push_back(reached ? recording.handle(sweep.adjoint[id])
                                  : filled(recording, 0.0, recording.node(id).shape));
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

void StructGradient::place(Tensor& field) {
  if (!field.defined()) return;
  const Id id = recording_->id_of(field, doing, y_.site());
  field =
      recording_->is(id, LeafKind::parameter) ? recording_->sweep().answered[next_++] : Tensor{};
}

}  // namespace tapegrad
