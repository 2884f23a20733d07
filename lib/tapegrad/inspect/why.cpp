#include "tapegrad/inspect/why.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <ostream>
#include <utility>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/inspect/subject.hpp"
#include "tapegrad/kernel/number_systems.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/transcript.hpp"
#include "tapegrad/tape/trial.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view doing = "why";
using Numbers = std::vector<double>;

bool all_zero(const Numbers& x) {
  return std::all_of(x.begin(), x.end(), [](double v) { return v == 0; });
}
bool all_finite(const Numbers& x) {
  return std::all_of(x.begin(), x.end(), [](double v) { return std::isfinite(v); });
}
double largest(const Numbers& x) {
  double result = 0;
  for (double v : x) result = std::max(result, std::abs(v));
  return result;
}
std::size_t first_not_finite(const Numbers& x) {
  return static_cast<std::size_t>(
      std::find_if(x.begin(), x.end(), [](double v) { return !std::isfinite(v); }) - x.begin());
}
std::string element(const Recording& recording, Id id, std::size_t at) {
  const Shape& shape = recording.node(id).shape;
  if (shape.rank() == 0) return "";
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    index[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(at) % shape[axis];
    at /= static_cast<std::size_t>(shape[axis]);
  }
  return fmt::format(" at element [{}]", joined(index, ","));
}

/// y and x with what lies between, in the precision of their tape, and the adjoint of each record.
class Flow {
 public:
  Flow(const Tensor& y, const Arg* seed, const Tensor& x, Site at)
      : original_(Recording::of(y, doing, at)), tape_(original_.precision()) {
    std::vector<Id> outputs{original_.id_of(y, doing, at), original_.id_of(x, doing, at)};
    if (seed != nullptr && !seed->is_number())
      outputs.push_back(original_.id_of(seed->tensor(), doing, at));
    const Transcript transcript(original_, outputs, tape_, at);
    for (Id id : transcript.originals()) {
      labels_.resize(id_of(transcript.copy(id)) + 1);
      labels_.back() = original_.label(id);
    }
    Tensor copy = transcript.copy(outputs[0]);
    x_ = id_of(transcript.copy(outputs[1]));
    last_ = id_of(copy);
    if (seed != nullptr)
      copy = sum(copy * (seed->is_number() ? *seed : Arg(transcript.copy(outputs.back()))));
    else if (copy.numel() != 1)
      copy = sum(copy);
    y_ = id_of(copy);
    find_ways();
    if (!connected()) return;
    std::vector<Tensor> records, adjoints(path_.size());
    for (Id id : path_) records.push_back(recording().handle(id));
    gradients(copy, records, adjoints);
    for (const Tensor& a : adjoints) adjoints_.push_back(a.array());
  }

  Recording& recording() const { return tape_.recording(); }
  const Node& node(Id id) const { return recording().node(id); }
  Numbers values(Id id) const { return recording().handle(id).values(); }
  std::string label(Id id) const {
    return id < labels_.size() ? labels_[id] : recording().label(id);
  }
  Id y() const { return y_; }
  Id x() const { return x_; }
  /// Whether a derivative flows from y to x.
  bool connected() const { return flows_[y_] != 0; }
  /// Records between x and y through which it flows, ascending; y last.
  const std::vector<Id>& path() const { return path_; }
  bool on_path(Id id) const { return place(id) >= 0; }
  const Array& adjoint(Id id) const { return adjoints_[static_cast<std::size_t>(place(id))]; }
  Numbers adjoint_values(Id id) const { return adjoint(id).values(); }
  std::vector<Array> shares_of(Id id) const { return shares(recording(), id, adjoint(id)); }
  bool has_rule(Id id) const {
    return !node(id).leaf() && node(id).op->vjp.flow() == VjpRule::Flow::rule &&
           node(id).shape.numel() > 0;
  }
  bool depends(Id id) const { return depends_[id] != 0; }
  /// From which y can be reached while a derivative flows.
  bool feeds_y(Id id) const { return feeds_[id] != 0; }

  Why blame(Id id, Cause cause, std::string sentence) const {
    const Node& n = node(id);
    return {.cause = cause,
            .op = n.leaf() ? "" : std::string(n.op->name),
            .label = label(id),
            .at = n.site,
            .sentence = std::move(sentence)};
  }

 private:
  Id id_of(const Tensor& t) const { return recording().id_of(t, doing, Site{}); }
  std::ptrdiff_t place(Id id) const {
    const auto found = std::lower_bound(path_.begin(), path_.end(), id);
    return found != path_.end() && *found == id ? found - path_.begin() : -1;
  }
  bool stops(Id id) const {
    return !node(id).leaf() && node(id).op->vjp.flow() == VjpRule::Flow::none;
  }
  void find_ways() {
    depends_.assign(y_ + 1, 0);
    flows_.assign(y_ + 1, 0);
    feeds_.assign(y_ + 1, 0);
    if (x_ > y_) return;
    depends_[x_] = flows_[x_] = feeds_[y_] = 1;
    for (Id id = x_ + 1; id <= y_; ++id)
      for (Id operand : recording().operands(id)) {
        if (depends_[operand] != 0) depends_[id] = 1;
        if (flows_[operand] != 0 && !stops(id)) flows_[id] = 1;
      }
    for (Id id = y_ + 1; id-- > 0;)
      if (feeds_[id] != 0 && !stops(id))
        for (Id operand : recording().operands(id)) feeds_[operand] = 1;
    for (Id id = 0; id <= y_; ++id)
      if (flows_[id] != 0 && feeds_[id] != 0) path_.push_back(id);
  }

  const Recording& original_;
  Tape tape_;
  std::vector<std::string> labels_;
  Id y_ = 0, x_ = 0, last_ = 0;
  std::vector<std::uint8_t> depends_, flows_, feeds_;
  std::vector<Id> path_;
  std::vector<Array> adjoints_;
};

std::string range_of(const Numbers& x) {
  if (x.empty()) return "empty";
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  return *low == *high ? fmt::format("{:.4g}", *low)
                       : fmt::format("from {:.4g} to {:.4g}", *low, *high);
}

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

// ---------------------------------------------------------------- zero

std::optional<Why> no_way(const Flow& flow) {
  if (flow.x() > flow.y() || !flow.depends(flow.y())) {
    Why why =
        flow.blame(flow.x(), Cause::unconnected,
                   fmt::format("{} does not depend on {}: no record leads from one to the other",
                               flow.label(flow.y()), flow.label(flow.x())));
    why.op.clear();
    return why;
  }
  if (flow.connected()) return {};
  for (Id id = flow.y() + 1; id-- > 0;) {
    const Node& n = flow.node(id);
    if (!flow.feeds_y(id) || !flow.depends(id) || n.leaf() ||
        n.op->vjp.flow() != VjpRule::Flow::none)
      continue;
    return flow.blame(
        id, Cause::detached,
        fmt::format("{} stops the flow: behind it, nothing is differentiated", n.op->name));
  }
  return {};
}

/// Whether the kernel of a record chooses by comparing: then a slope of zero is a flat branch.
bool chooses(const Flow& flow, Id id) {
  if (flow.node(id).op->forward.number() == nullptr) return false;
  std::vector<Branch> log;
  const BranchNotes notes(log);
  const auto operands = flow.recording().operands(id);
  Trial<Number> trial(flow.recording(), {&id, 1}, operands, Site{}, &notes);
  log.clear();
  trial.run();
  return std::any_of(log.begin(), log.end(),
                     [](const Branch& b) { return b.by != Branch::By::finiteness; });
}

/// The share that a record passes to an operand is zero: why?
Why why_nothing_passes(const Flow& flow, Id id, std::size_t operand) {
  const Recording& recording = flow.recording();
  const Node& n = flow.node(id);
  const auto operands = recording.operands(id);
  const Id x = operands[operand];
  if (n.op->vjp.flow() == VjpRule::Flow::zero)
    return flow.blame(
        id, Cause::constant,
        fmt::format("{} is piecewise constant: its slope is zero everywhere", n.op->name));
  const Numbers adjoint = flow.adjoint_values(id);
  const double size = largest(adjoint);
  for (std::size_t i = 0; i < operands.size(); ++i)
    if (i != operand && flow.node(operands[i]).shape.numel() > 0 &&
        all_zero(flow.values(operands[i])) && !whole_operand(recording, id, i))
      return flow.blame(
          id, Cause::zero_factor,
          fmt::format("{} multiplies by {}, which is zero", n.op->name, flow.label(operands[i])));
  // With an adjoint of ones: is it the slope, or did the adjoint get too small?
  const Array ones(n.shape, Numbers(adjoint.size(), 1.0));
  const Numbers slopes = shares(recording, id, ones)[operand].values();
  if (!all_zero(slopes) && size < 1e-30)
    return flow.blame(
        id, Cause::underflow,
        fmt::format("the adjoint has shrunk to {:.3g} here, and its product with the slope is "
                    "smaller than any number",
                    size));
  if (n.op->kind == Kind::view || !all_zero(slopes))
    return flow.blame(
        id, Cause::not_selected,
        n.op->kind == Kind::view
            ? fmt::format("{} picks other elements of {} than those that are used", n.op->name,
                          flow.label(x))
            : fmt::format("the elements of {} that are used have a slope of zero", n.op->name));
  const Numbers values = flow.values(x);
  if (chooses(flow, id))
    return flow.blame(id, Cause::flat,
                      fmt::format("{} of the elements of {} lie where it is flat: {} is {}",
                                  percent(1), n.op->name, flow.label(x), range_of(values)));
  return flow.blame(id, Cause::saturated,
                    fmt::format("{} of the elements of {} are saturated, the slope is rounded to "
                                "zero: {} is {}",
                                percent(1), n.op->name, flow.label(x), range_of(values)));
}

Why find_zero(const Flow& flow) {
  if (auto why = no_way(flow)) return *why;
  if (!all_zero(flow.adjoint_values(flow.x())))  // some are not zero
    return {};
  if (flow.node(flow.x()).shape.numel() == 0) return {};
  std::vector<Why> found;
  for (auto at = flow.path().rbegin(); at != flow.path().rend(); ++at) {
    const Id id = *at;
    if (flow.node(id).leaf() || id == flow.x() || all_zero(flow.adjoint_values(id))) continue;
    const bool rule = flow.has_rule(id);
    const std::vector<Array> given = rule ? flow.shares_of(id) : std::vector<Array>{};
    const auto operands = flow.recording().operands(id);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (!flow.on_path(operands[i]) || !all_zero(flow.adjoint_values(operands[i]))) continue;
      if (!rule || all_zero(given[i].values()))
        found.push_back(why_nothing_passes(flow, id, i));
      else
        found.push_back(flow.blame(id, Cause::cancelled,
                                   fmt::format("the shares that {} gets add up to exactly zero",
                                               flow.label(operands[i]))));
      break;
    }
  }
  if (found.empty()) return flow.blame(flow.y(), Cause::zero_factor, "the seed is zero");
  Why why = found.front();
  for (std::size_t i = 1; i < std::min<std::size_t>(found.size(), 4); ++i)
    why.more.push_back(
        fmt::format("{} ({}): {}", found[i].label, text(found[i].at), found[i].sentence));
  return why;
}

// ---------------------------------------------------------------- not finite

/// Follows what is not finite to where it was made of finite operands.
Why trace_forward(const Flow& flow, Id id) {
  for (;;) {
    const Numbers values = flow.values(id);
    const std::size_t at = first_not_finite(values);
    const Node& n = flow.node(id);
    if (n.leaf())
      return flow.blame(id, Cause::leaf,
                        fmt::format("{} holds {}{}", flow.label(id), values[at],
                                    element(flow.recording(), id, at)));
    const auto operands = flow.recording().operands(id);
    const auto bad = std::find_if(operands.begin(), operands.end(),
                                  [&](Id x) { return !all_finite(flow.values(x)); });
    if (bad != operands.end()) {
      id = *bad;
      continue;
    }
    std::string from;
    for (Id x : operands) {
      const Numbers v = flow.values(x);
      const std::string one = v.size() == values.size() ? fmt::format("{:.4g}", v[at])
                              : v.size() == 1           ? fmt::format("{:.4g}", v[0])
                                                        : range_of(v);
      from += (from.empty() ? "" : " and ") + one;
    }
    return flow.blame(id, Cause::value,
                      fmt::format("{} makes {} of {}{}", n.op->name, values[at], from,
                                  element(flow.recording(), id, at)));
  }
}

Why find_not_finite(const Flow& flow) {
  if (no_way(flow)) return {};
  const Numbers gradient = flow.adjoint_values(flow.x());
  if (all_finite(gradient)) return {};
  const Recording& recording = flow.recording();
  for (auto at = flow.path().rbegin(); at != flow.path().rend(); ++at) {
    const Id id = *at;
    if (!flow.has_rule(id) || !all_finite(flow.adjoint_values(id))) continue;
    const std::vector<Array> given = flow.shares_of(id);
    const auto operands = recording.operands(id);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (!flow.on_path(operands[i])) continue;
      const Numbers share = given[i].values();
      if (all_finite(share)) continue;
      const std::size_t e = first_not_finite(share);
      std::vector<Id> around(operands.begin(), operands.end());
      around.push_back(id);
      for (Id a : around)
        if (!all_finite(flow.values(a))) {
          Why why = trace_forward(flow, a);
          why.more.push_back(fmt::format("{} ({}) passes {} to {}", flow.label(id),
                                         text(flow.node(id).site), share[e],
                                         flow.label(operands[i])));
          return why;
        }
      const Array ones(flow.node(id).shape,
                       Numbers(static_cast<std::size_t>(flow.node(id).shape.numel()), 1.0));
      const bool slope = !all_finite(shares(recording, id, ones)[i].values());
      const Numbers x = flow.values(operands[i]);
      const std::string where =
          x.size() == share.size() ? fmt::format("{:.4g}", x[e]) : range_of(x);
      const auto bad = static_cast<double>(
          std::count_if(share.begin(), share.end(), [](double v) { return !std::isfinite(v); }));
      Why why =
          slope ? flow.blame(id, Cause::slope,
                             fmt::format("the slope of {} is not finite where {} is {}{}",
                                         flow.node(id).op->name, flow.label(operands[i]), where,
                                         element(recording, operands[i], e)))
                : flow.blame(id, Cause::overflow,
                             fmt::format("the adjoint, up to {:.3g}, times the slope of {} is "
                                         "beyond any number",
                                         largest(flow.adjoint_values(id)), flow.node(id).op->name));
      why.share = bad / static_cast<double>(share.size());
      return why;
    }
  }
  return flow.blame(flow.y(), Cause::leaf, "the seed is not finite");
}

// ---------------------------------------------------------------- big

constexpr double big = 1e3;

/// One record on a way, and by what the adjoint is multiplied there.
struct Stage {
  Id id;
  double factor;
};

/// The way by which most arrives, from y on: each record hears most from the next.
std::vector<Stage> main_way(const Flow& flow) {
  std::map<Id, std::pair<Id, double>> giver;  // of each record: who gives most, and how much
  for (Id id : flow.path()) {
    if (!flow.has_rule(id) || all_zero(flow.adjoint_values(id))) continue;
    const std::vector<Array> given = flow.shares_of(id);
    const auto operands = flow.recording().operands(id);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const double share = largest(given[i].values());
      auto& best = giver.try_emplace(operands[i], id, -1.0).first->second;
      if (share > best.second) best = {id, share};
    }
  }
  std::vector<Stage> way;
  for (Id at = flow.x(); at != flow.y();) {
    const auto next = giver.find(at);
    if (next == giver.end()) break;
    const Id id = next->second.first;
    const double before = largest(flow.adjoint_values(id));
    way.push_back({id, before > 0 ? largest(flow.adjoint_values(at)) / before : 1});
    at = id;
  }
  std::reverse(way.begin(), way.end());
  return way;
}

/// The op and line whose records together change the adjoint most: upwards, or downwards.
Why most_responsible(const Flow& flow, bool upwards) {
  struct Group {
    double log = 0;
    int times = 0;
    Id first = 0;
  };
  std::map<std::pair<std::string, std::string>, Group> groups;  // by op and line
  for (const Stage& stage : main_way(flow)) {
    const Node& n = flow.node(stage.id);
    Group& g = groups[{std::string(n.op->name), text(n.site)}];
    if (g.times++ == 0) g.first = stage.id;
    g.log += std::log(stage.factor);
  }
  const auto most =
      std::max_element(groups.begin(), groups.end(), [&](const auto& a, const auto& b) {
        return upwards ? a.second.log < b.second.log : a.second.log > b.second.log;
      });
  const Group& g = most->second;
  const double factor = std::exp(g.log / g.times);
  const std::string_view op = flow.node(g.first).op->name;
  Why why = g.times == 1
                ? flow.blame(g.first, Cause::factor,
                             fmt::format("{} multiplies the adjoint by {:.3g}", op, factor))
                : flow.blame(g.first, Cause::product,
                             fmt::format("{} times {} multiplies the adjoint, each time by {:.3g} "
                                         "on average, together by {:.3g}",
                                         g.times, op, factor, std::exp(g.log)));
  why.factor = factor;
  why.times = g.times;
  for (const auto& [where, other] : groups)
    if (other.first != g.first && std::abs(other.log) > std::log(2.0) && (other.log > 0) == upwards)
      why.more.push_back(fmt::format("{} ({}), {} time{}: {:.3g} together", where.first,
                                     where.second, other.times, other.times == 1 ? "" : "s",
                                     std::exp(other.log)));
  return why;
}

Why find_big(const Flow& flow) {
  if (no_way(flow)) return {};
  const double end = largest(flow.adjoint_values(flow.x()));
  const double begin = largest(flow.adjoint_values(flow.y()));
  if (!(end >= big * begin) || !std::isfinite(end)) return {};
  return most_responsible(flow, true);
}

// ---------------------------------------------------------------- nearly zero

/// A gradient that has numbers, but next to none: the op that takes most, and in how many units.
Why find_vanished(const Flow& flow) {
  Why why = most_responsible(flow, false);
  const auto id = std::find_if(flow.path().begin(), flow.path().end(),
                               [&](Id at) { return flow.label(at) == why.label; });
  if (why.cause != Cause::factor || id == flow.path().end()) return why;
  const Node& n = flow.node(*id);
  if (n.op->kind != Kind::elementwise || n.count != 1) return why;
  const Array ones(n.shape, Numbers(static_cast<std::size_t>(n.shape.numel()), 1.0));
  const Numbers slopes = shares(flow.recording(), *id, ones)[0].values();
  const auto few = static_cast<double>(
      std::count_if(slopes.begin(), slopes.end(), [](double s) { return std::abs(s) < 1e-3; }));
  const Id x = flow.recording().operands(*id)[0];
  why.cause = Cause::saturated;
  why.share = few / static_cast<double>(slopes.size());
  why.sentence = fmt::format(
      "{} of the elements of {} are saturated, the largest slope is {:.3g}: "
      "{} is {}",
      percent(why.share), n.op->name, largest(slopes), flow.label(x), range_of(flow.values(x)));
  return why;
}

constexpr double next_to_nothing = 1e-9;

Why find_zero_or_nearly(const Flow& flow) {
  if (no_way(flow) || flow.node(flow.x()).shape.numel() == 0) return find_zero(flow);
  const double end = largest(flow.adjoint_values(flow.x()));
  const double begin = largest(flow.adjoint_values(flow.y()));
  return end > 0 && end < next_to_nothing * begin ? find_vanished(flow) : find_zero(flow);
}

template <class Find>
Why of_gradient(const Tensor& gradient, Site at, Find find) {
  const Recording& recording = Recording::of(gradient, doing, at);
  const Id id = recording.id_of(gradient, doing, at);
  const auto made = recording.gradient_of(id);
  if (!made)
    throw Error(std::string(doing), "the tensor is not what gradient(...) returned",
                {recording.describe(id, "tensor")}, at, "pass y and x: why_zero(y, x)");
  const Arg seed = made->seed == Node::none ? Arg(1.0, at) : Arg(recording.handle(made->seed), at);
  return find(Flow(recording.handle(made->y), &seed, recording.handle(made->by), at));
}

}  // namespace

std::string_view text(Cause cause) {
  constexpr std::string_view names[] = {"none",      "unconnected", "detached",    "flat",
                                        "saturated", "constant",    "zero factor", "not selected",
                                        "cancelled", "underflow",   "leaf",        "value",
                                        "slope",     "overflow",    "factor",      "product"};
  return names[static_cast<std::size_t>(cause)];
}

std::string Why::text() const {
  if (cause == Cause::none) return "the gradient is not so\n";
  std::string result = fmt::format("{}: {}", tapegrad::text(cause), sentence);
  if (at) result += fmt::format("\n  at    {}  {}", tapegrad::text(at), label);
  for (const std::string& other : more) result += "\n  also  " + other;
  return result + "\n";
}

std::ostream& operator<<(std::ostream& out, const Why& why) { return out << why.text(); }

Why why_zero(const Tensor& y, const Tensor& x, Site at) {
  return find_zero_or_nearly(Flow(y, nullptr, x, at));
}
Why why_nan(const Tensor& y, const Tensor& x, Site at) {
  return find_not_finite(Flow(y, nullptr, x, at));
}
Why why_big(const Tensor& y, const Tensor& x, Site at) { return find_big(Flow(y, nullptr, x, at)); }
Why why_zero(const Tensor& gradient, Site at) {
  return of_gradient(gradient, at, find_zero_or_nearly);
}
Why why_nan(const Tensor& gradient, Site at) { return of_gradient(gradient, at, find_not_finite); }
Why why_big(const Tensor& gradient, Site at) { return of_gradient(gradient, at, find_big); }

}  // namespace tapegrad
