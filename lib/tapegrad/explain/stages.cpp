#include "tapegrad/explain/stages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/check/sample.hpp"
#include "tapegrad/check/subject.hpp"
#include "tapegrad/tape/needed.hpp"
#include "tapegrad/tape/transcript.hpp"

namespace tapegrad {
namespace {

/// Notations of what only adds up or rearranges: no factor of a chain of its own.
constexpr std::string_view plain_notations[] = {"{} + {}", "{} - {}", "-{}", "{}", "broadcast({})"};

constexpr std::string_view product_notation = "{} * {}";

bool plain(std::string_view notation) {
  return std::find(std::begin(plain_notations), std::end(plain_notations), notation) !=
         std::end(plain_notations);
}

/// Whether a derivative may flow to an operand: not to an index, nor through a detach, nor to the
/// records that computed the value of a composite.
bool flows(const Recording& recording, Id id, std::size_t operand) {
  const Op& op = *recording.node(id).op;
  if (op.vjp.flow() == VjpRule::Flow::none || whole_operand(recording, id, operand)) return false;
  return op.kind != Kind::composite || operand + 1 < recording.operands(id).size();
}

}  // namespace

Stages::Stages(std::string_view doing, const Tensor& y, std::span<const Tensor> x, Site at)
    : original_(Recording::of(y, doing, at)) {
  std::vector<Id> outputs{original_.id_of(y, doing, at)};
  const auto refuse = [&](std::string text, std::string hint = {}) {
    std::vector<Error::Operand> operands{original_.describe(outputs[0], "of")};
    for (std::size_t i = 1; i < outputs.size(); ++i)
      operands.push_back(original_.describe(outputs[i], "by"));
    throw Error(std::string(doing), std::move(text), std::move(operands), at, std::move(hint));
  };
  for (const Tensor& t : x) outputs.push_back(original_.id_of(t, doing, at));
  if (const Shape& shape = original_.node(outputs[0]).shape; shape.numel() != 1)
    refuse(
        fmt::format("a derivation is that of one number, the tensor has the shape {}", text(shape)),
        "sum(y), or one element by select()");
  if (original_.node(outputs[0]).leaf()) refuse("a leaf is computed by nothing");
  tape_.limit(static_cast<std::size_t>(-1));  // the user's tape has one
  const Transcript transcript(original_, outputs, tape_, at);
  const auto copy = [&](Id id) { return recording().id_of(transcript.copy(id), doing, at); };
  if (std::find(outputs.begin() + 1, outputs.end(), outputs[0]) != outputs.end())
    refuse("the tensor is differentiated by itself: that is 1");
  originals_.assign(recording().size(), Node::none);
  y_ = copy(outputs[0]);
  for (Id id : transcript.originals()) originals_[copy(id)] = id;
  const std::vector<Id> records = needed(recording(), std::span<const Id>(&y_, 1));
  for (std::size_t i = 1; i < outputs.size(); ++i) x_.push_back(copy(outputs[i]));
  if (x_.empty())
    std::copy_if(records.begin(), records.end(), std::back_inserter(x_),
                 [&](Id id) { return recording().is(id, LeafKind::parameter); });
  if (x_.empty()) refuse("the tensor depends on no parameter", "say by what: explain(y, x)");
  group(records);
  name_all();
  find_adjoints(at);
  if (std::none_of(x_.begin(), x_.end(), [&](Id id) { return on_way(id); }))
    refuse(
        "the tensor does not depend on what it is to be differentiated by, or no derivative "
        "flows there");
}

bool Stages::named(Id id) const {
  constexpr int other = Node::named_by_maker;
  const Node& n = original_.node(originals_[id]);
  return n.name != Node::none && (n.flags & other) == 0;
}

bool Stages::literal(Id id) const {
  return recording().is(id, LeafKind::constant) && shape(id).rank() == 0 && !named(id);
}

/// The outermost library composite of a record, or none. That of a sweep is no stage.
std::uint32_t Stages::composite(Id id) const {
  const Node& n = original_.node(originals_[id]);
  if ((n.flags & Node::swept) != 0) return Node::none;
  std::uint32_t frame = n.frame;
  while (frame != Node::none && original_.frame(frame).parent != Node::none)
    frame = original_.frame(frame).parent;
  return frame;
}

/// Whether a record that only the stage of `to` reads is a part of it; `adds`: all that the stage
/// does with it is to add it up.
bool Stages::belongs(Id id, Id to, bool adds) const {
  const Node& n = node(id);
  if (composite(id) != Node::none && composite(id) == composite(to)) return true;
  if (n.op->kind == Kind::view) return true;
  const bool linear = n.op->kind == Kind::contraction || n.op->notation == product_notation ||
                      plain(n.op->notation);
  // What computes the value of a rule of the user's own, from what the rule is given.
  const auto operands = recording().operands(to);
  const bool value_of_composite =
      node(to).op->kind == Kind::composite &&
      std::find(operands.begin(), operands.end() - 1, id) == operands.end() - 1;
  return (linear && adds) || value_of_composite;
}

void Stages::group(const std::vector<Id>& records) {
  const std::set<Id> wanted(x_.begin(), x_.end());
  std::vector<Id> stage_of(y_ + 1, Node::none);  // by its result
  std::vector<bool> adds(y_ + 1);                // from here to its stage's result
  std::vector<std::vector<Id>> consumers(y_ + 1);
  for (Id id : records)
    for (Id operand : recording().operands(id)) consumers[operand].push_back(id);
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    const Id id = *record;
    if (node(id).leaf()) continue;
    stage_of[id] = id;
    adds[id] = plain(node(id).op->notation) && composite(id) == Node::none;
    if (id == y_ || named(id) || wanted.contains(id)) continue;
    const std::vector<Id>& readers = consumers[id];
    const Id to = stage_of[readers.front()];
    const auto all = [&](const auto& of) {
      return std::all_of(readers.begin(), readers.end(), of);
    };
    if (!all([&](Id reader) { return stage_of[reader] == to; })) continue;
    const bool added = all([&](Id reader) { return adds[reader]; });
    if (!belongs(id, to, added) && !(readers.size() == 1 && belongs(id, readers[0], added)))
      continue;
    stage_of[id] = to;
    adds[id] = added && (plain(node(id).op->notation) || node(id).op->kind == Kind::view);
  }
  std::unordered_map<Id, std::size_t> place;
  for (Id id : records) {
    if (node(id).leaf()) {
      if (!literal(id)) leaves_.push_back(id);
    } else if (stage_of[id] == id) {
      place.emplace(id, stages_.size());
      stages_.emplace_back();
    }
  }
  for (Id id : records) {
    if (node(id).leaf()) continue;
    Stage& stage = stages_[place.at(stage_of[id])];
    stage.records.push_back(id);
    for (Id operand : recording().operands(id)) {
      const bool inside = !node(operand).leaf() && stage_of[operand] == stage_of[id];
      if (inside || literal(operand)) continue;
      if (std::find(stage.inputs.begin(), stage.inputs.end(), operand) == stage.inputs.end())
        stage.inputs.push_back(operand);
    }
  }
}

void Stages::name_all() {
  std::set<std::string, std::less<>> taken;
  const auto each = [&](const auto& visit) {
    for (Id id : leaves_) visit(id);
    for (const Stage& stage : stages_) visit(stage.out());
  };
  each([&](Id id) {
    for (std::int64_t e = 0; e < shape(id).numel(); ++e)
      if (named(id, static_cast<std::size_t>(e)))
        taken.insert(name(id, static_cast<std::size_t>(e)));
  });
  each([&](Id id) {
    if (!named(id)) return;
    const std::string given(original_.name(originals_[id]));
    std::string& name = names_[id] = given;
    for (int n = 2; !taken.insert(name).second; ++n) name = fmt::format("{}_{}", given, n);
  });
  std::unordered_map<std::string, int> counts;
  const auto next = [&](const std::string& letter) {
    for (;;) {
      std::string name = fmt::format("{}{}", letter, ++counts[letter]);
      if (taken.insert(name).second) return name;
    }
  };
  for (Id id : leaves_) {
    if (named(id)) continue;
    const LeafKind kind = recording().leaf(id).kind;
    names_[id] = next(kind == LeafKind::parameter ? (shape(id).rank() > 1 ? "W" : "b")
                      : kind == LeafKind::input   ? "x"
                      : kind == LeafKind::state   ? "s"
                                                  : "c");
  }
  for (const Stage& stage : stages_) {
    if (named(stage.out())) continue;
    const bool product = std::any_of(stage.records.begin(), stage.records.end(),
                                     [&](Id id) { return node(id).op->kind == Kind::contraction; });
    names_[stage.out()] =
        stage.out() == y_ && taken.insert("E").second ? "E" : next(product ? "z" : "a");
  }
}

void Stages::find_adjoints(Site at) {
  std::vector<std::uint8_t> from(y_ + 1, 0), to(y_ + 1, 0);
  for (Id id : x_)
    if (id <= y_) from[id] = 1;
  to[y_] = 1;
  for (Id id = 0; id <= y_; ++id) {
    const auto operands = recording().operands(id);
    for (std::size_t i = 0; i < operands.size(); ++i)
      if (from[operands[i]] != 0 && flows(recording(), id, i)) from[id] = 1;
  }
  for (Id id = y_ + 1; id-- > 0;) {
    if (to[id] == 0) continue;
    const auto operands = recording().operands(id);
    for (std::size_t i = 0; i < operands.size(); ++i)
      if (flows(recording(), id, i)) to[operands[i]] = 1;
  }
  std::vector<Id> ids;
  for (Id id : x_)
    if (id <= y_ && to[id] != 0) ids.push_back(id);
  if (ids.empty()) return;
  const std::set<Id> wanted(ids.begin(), ids.end());
  for (const Stage& stage : stages_)
    if (from[stage.out()] != 0 && to[stage.out()] != 0 && !wanted.contains(stage.out()))
      ids.push_back(stage.out());
  std::vector<Tensor> tensors, answers(ids.size());
  for (Id id : ids) tensors.push_back(tensor(id));
  gradients(Differentiated(tensor(y_), at), tensors, answers);
  for (std::size_t i = 0; i < ids.size(); ++i) adjoints_[ids[i]] = answers[i];
}

double Stages::value(Id id, std::size_t element) const {
  return static_cast<const double*>(recording().address(id))[element];
}

double Stages::adjoint(Id id, std::size_t element) const {
  return adjoint(id).span<double>()[element];
}

bool Stages::named(Id id, std::size_t element) const {
  return !original_.element_name(originals_[id], element).empty();
}

std::string Stages::name(Id id, std::size_t element) const {
  if (const auto given = original_.element_name(originals_[id], element); !given.empty())
    return std::string(given);
  const Shape& shape = node(id).shape;
  if (shape.rank() == 0) return name(id);
  return fmt::format("{}[{}]", name(id), joined(index_of(element, shape), ","));
}

std::string Stages::made_by(const Stage& stage, Id input) const {
  std::set<Id> reach{stage.out()};
  for (auto record = stage.records.rbegin(); record != stage.records.rend(); ++record) {
    const auto operands = recording().operands(*record);
    for (std::size_t i = 0; i < operands.size() && reach.contains(*record); ++i)
      if (flows(recording(), *record, i)) reach.insert(operands[i]);
  }
  std::set<Id> reached{input};
  std::vector<std::string_view> makers;
  for (Id id : stage.records) {
    const auto operands = recording().operands(id);
    if (!reach.contains(id) ||
        std::none_of(operands.begin(), operands.end(), [&](Id x) { return reached.contains(x); }))
      continue;
    reached.insert(id);
    const std::uint32_t frame = composite(id);
    if (frame == Node::none && node(id).op->kind == Kind::view && id != stage.out()) continue;
    const std::string_view maker =
        frame == Node::none ? node(id).op->name : original_.frame(frame).name;
    if (std::find(makers.begin(), makers.end(), maker) == makers.end()) makers.push_back(maker);
  }
  return fmt::format("{}", fmt::join(makers, ", "));
}

}  // namespace tapegrad
