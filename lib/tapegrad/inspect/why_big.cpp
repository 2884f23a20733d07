// Why a gradient is huge, or next to nothing: the way by which most arrives at x, and the ops on it
// that change the adjoint most.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "tapegrad/inspect/post_mortem.hpp"

namespace tapegrad {
namespace {

constexpr double big = 1e3;

/// One step of the main way, from a record down to an operand.
struct Stage {
  Id id, operand;
  double factor;    // the share passed on, over the adjoint
  double gathered;  // all that the operand gets, over that share
  int uses;         // from how many records the operand hears
};

/// The way by which most arrives at a record, from y on: each hears most from the one before.
std::vector<Stage> main_way(const Flow& flow, Id to) {
  struct Giver {
    Id id = 0;
    double share = 0;
    int uses = 0;
  };
  std::vector<Giver> givers(flow.path().size());
  for (Id id : flow.path()) {
    if (id <= to || !flow.has_rule(id) || all_zero(flow.adjoint_values(id))) continue;
    const std::vector<Array> shares = flow.shares(id);
    const auto operands = flow.recording().operands(id);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (!flow.on_path(operands[i]) || !flow.way(id, i)) continue;
      const double share = largest(shares[i].values());
      if (share == 0 || !std::isfinite(share)) continue;
      Giver& giver = givers[flow.place(operands[i])];
      ++giver.uses;
      if (share > giver.share) giver.id = id, giver.share = share;
    }
  }
  std::vector<Stage> way;
  for (Id at = to; at != flow.y();) {
    const Giver& giver = givers[flow.place(at)];
    if (giver.uses == 0) break;
    way.push_back({giver.id, at, giver.share / largest(flow.adjoint_values(giver.id)),
                   largest(flow.adjoint_values(at)) / giver.share, giver.uses});
    at = giver.id;
  }
  std::reverse(way.begin(), way.end());
  return way;
}

/// Stages of one op, at one line or anywhere.
struct Group {
  double log = 0;  // of the product of their factors
  int times = 0;
  const Stage* first = nullptr;
};
using Groups = std::map<std::tuple<std::string_view, std::string>, Group>;

Groups grouped(const Flow& flow, const std::vector<Stage>& way, bool by_line) {
  Groups groups;
  for (const Stage& stage : way) {
    const Node& n = flow.node(stage.id);
    Group& group = groups[{n.op->name, by_line ? text(n.site) : std::string()}];
    if (group.times++ == 0) group.first = &stage;
    group.log += std::log(stage.factor);
  }
  return groups;
}

const Group& strongest(const Groups& groups, bool upwards) {
  return std::max_element(groups.begin(), groups.end(),
                          [&](const auto& a, const auto& b) {
                            return upwards ? a.second.log < b.second.log
                                           : a.second.log > b.second.log;
                          })
      ->second;
}

Why blame_group(const Flow& flow, const Group& group) {
  const Stage& first = *group.first;
  const Node& n = flow.node(first.id);
  const double factor = std::exp(group.log / group.times);
  std::string sentence = fmt::format("{} multiplies the adjoint by {:.4g}", n.op->name, factor);
  const std::int64_t terms = n.shape.numel() / flow.node(first.operand).shape.numel();
  if (group.times > 1)
    sentence += fmt::format(", {} times: {:.4g} in all", group.times, std::exp(group.log));
  else if (n.op->kind == Kind::elementwise && terms > 1)
    sentence += fmt::format(", adding up {} elements", terms);
  Why why =
      flow.blame(first.id, group.times > 1 ? Cause::product : Cause::factor, std::move(sentence));
  why.factor = factor;
  why.times = group.times;
  return why;
}

Why blame_uses(const Flow& flow, const Stage& stage) {
  Why why =
      flow.blame(stage.id, Cause::uses,
                 fmt::format("{} is used {} times; its shares add up to {:.4g} times that of {}",
                             flow.called(stage.operand), stage.uses, stage.gathered,
                             flow.node(stage.id).op->name));
  why.factor = stage.gathered;
  why.times = stage.uses;
  return why;
}

}  // namespace

Responsible most_responsible(const Flow& flow, Id from, bool upwards) {
  const std::vector<Stage> way = main_way(flow, from);
  if (way.empty()) return {{}, flow.y()};
  const Groups by_line = grouped(flow, way, true), by_op = grouped(flow, way, false);
  const Group& line = strongest(by_line, upwards);
  const Group& everywhere = strongest(by_op, upwards);
  const bool one_line = std::abs(line.log) >= std::abs(everywhere.log) / 2;
  const Groups& groups = one_line ? by_line : by_op;
  const Group& most = one_line ? line : everywhere;
  const Stage& gathering =
      *std::max_element(way.begin(), way.end(),
                        [](const Stage& a, const Stage& b) { return a.gathered < b.gathered; });
  if (upwards && std::log(gathering.gathered) > most.log)
    return {blame_uses(flow, gathering), gathering.id};

  Why why = blame_group(flow, most);
  std::vector<const Groups::value_type*> others;
  for (const auto& group : groups)
    if (&group.second != &most && std::abs(group.second.log) > std::log(2.0) &&
        (group.second.log > 0) == upwards)
      others.push_back(&group);
  std::sort(others.begin(), others.end(), [](const auto* a, const auto* b) {
    return std::abs(a->second.log) > std::abs(b->second.log);
  });
  constexpr std::size_t shown = 3;
  for (std::size_t i = 0; i < std::min(shown, others.size()); ++i) {
    const auto& [key, group] = *others[i];
    why.more.push_back(fmt::format("also     {} {}, {} time{}, by {:.3g} together",
                                   std::get<0>(key), std::get<1>(key), group.times,
                                   group.times == 1 ? "" : "s", std::exp(group.log)));
  }
  return {std::move(why), most.first->id};
}

Why find_big(const Flow& flow) {
  if (!flow.connected()) return flow.healthy("is 0, nothing flows: why_zero says why");
  const Numbers gradient = flow.adjoint_values(flow.x());
  if (!all_finite(gradient)) return flow.healthy("is not finite: why_nan says why");
  const double end = largest(gradient), begin = largest(flow.adjoint_values(flow.y()));
  if (end < big * begin || end == 0)
    return flow.healthy(fmt::format("is not large: at most {:.3g} times the adjoint of {}",
                                    begin > 0 ? end / begin : 0, flow.called(flow.y())));
  return most_responsible(flow, flow.x(), true).why;
}

}  // namespace tapegrad
