// Why a gradient is zero: from y downwards, the first record that hears something and passes
// nothing on to what depends on x; then, why its slope is zero.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "tapegrad/check/subject.hpp"
#include "tapegrad/inspect/dependence.hpp"
#include "tapegrad/inspect/post_mortem.hpp"

namespace tapegrad {
namespace {

/// Records between two that do not hear of each other.
Why no_flow(const Flow& flow) {
  if (!flow.depends()) {
    Why why = flow.blame(
        flow.x(), Cause::unconnected,
        flow.exchanged()
            ? fmt::format("{0} is computed from {1}, not {1} from {0}: are the two exchanged?",
                          flow.called(flow.x()), flow.called(flow.y()))
            : fmt::format("{} is not computed from {}", flow.called(flow.y()),
                          flow.called(flow.x())));
    why.op.clear();
    return why;
  }
  const auto [id, operand] = flow.stop();
  const std::string_view op = flow.node(id).op->name;
  if (flow.node(id).op->vjp.flow() == VjpRule::Flow::none)
    return flow.blame(id, Cause::detached, fmt::format("{} stops the flow on every way", op));
  return flow.blame(id, Cause::constant,
                    fmt::format("{} only chooses by {}, and a choice has no slope", op,
                                flow.called(flow.recording().operands(id)[operand])));
}

/// Why a record that hears something passes nothing on to an operand.
class Obstacle {
 public:
  Obstacle(const Flow& flow, const Dependence& dependence, Id id, std::size_t operand)
      : flow_(flow),
        dependence_(dependence),
        id_(id),
        operand_(operand),
        ids_(flow.recording().operands(id)),
        node_(flow.node(id)),
        adjoint_(flow.adjoint_values(id)) {}

  Why why() {
    if (node_.op->vjp.flow() == VjpRule::Flow::zero)
      return blame(Cause::constant, fmt::format("{} is constant in steps: its slope is 0", op()));
    if (all_finite(adjoint_) && passes(scaled())) return underflow();
    return node_.op->kind == Kind::elementwise ? by_element() : by_the_whole();
  }

 private:
  std::string_view op() const { return node_.op->name; }
  std::string x() const { return flow_.called(ids_[operand_]); }
  Why blame(Cause cause, std::string sentence) const {
    return flow_.blame(id_, cause, std::move(sentence));
  }
  bool passes(const Numbers& adjoint) const {
    return passes(adjoint, flow_.bench().operands(id_)) > 0;
  }
  /// The largest that arrives where the operand depends on x.
  double passes(const Numbers& adjoint, const std::vector<Array>& operands) const {
    const Numbers share =
        flow_.bench().shares(id_, operands, Array(node_.shape, adjoint))[operand_].values();
    return dependence_.largest(ids_[operand_], share);
  }
  /// The adjoint with a largest element of 1.
  Numbers scaled() const {
    const double size = largest(adjoint_);
    Numbers result = adjoint_;
    for (double& v : result) v /= size;
    return result;
  }
  /// Other numbers where the adjoint is not zero: what cancels with one does not with these.
  Numbers uneven() const { return uneven(adjoint_); }
  static Numbers uneven(Numbers result) {
    double next = 0.5;
    for (double& v : result) {
      next = std::fmod(next * 7 + 0.123, 1.0);
      if (v != 0) v = next + 0.5;
    }
    return result;
  }
  /// Whether the slope is another where x is a little larger or smaller: more than what is left of
  /// a saturated one.
  bool stationary(const Numbers& adjoint, double terms) const {
    for (double sign : {1.0, -1.0}) {
      std::vector<Array> operands = flow_.bench().operands(id_);
      Numbers moved = operands[operand_].values();
      for (double& v : moved) v += sign * 1e-4 * (std::abs(v) + 1);
      for (std::size_t i = 0; i < operands.size(); ++i)
        if (ids_[i] == ids_[operand_]) operands[i] = Array(operands[i].shape(), moved);
      if (passes(adjoint, operands) * terms > 1e-6) return true;
    }
    return false;
  }

  Why underflow() const {
    Why why = blame(
        Cause::underflow,
        fmt::format("the adjoint, down to {:.3g}, is rounded to 0 in {}", largest(adjoint_), op()));
    if (id_ == flow_.y()) return why;
    const Why shrunk = most_responsible(flow_, id_, false).why;
    why.factor = shrunk.factor;
    why.times = shrunk.times;
    why.more.push_back(fmt::format("shrunk   at {}: {}", text(shrunk.at), shrunk.sentence));
    return why;
  }

  Why by_element() {
    std::vector<std::size_t> concerned;  // elements of the result that hear and depend
    std::size_t dependent = 0;
    const Dependence::Marks& marks = dependence_.of(ids_[operand_]);
    for (std::size_t e = 0; e < adjoint_.size(); ++e) {
      if (marks[flow_.bench().element(id_, operand_, e)] == 0) continue;
      ++dependent;
      if (adjoint_[e] != 0) concerned.push_back(e);
    }
    if (concerned.empty()) return others();
    const Numbers slopes =
        flow_.bench().shares_by_element(id_, Array(node_.shape, uneven()))[operand_].values();
    if (std::any_of(concerned.begin(), concerned.end(),
                    [&](std::size_t e) { return slopes[e] != 0; }))
      return cancels();
    Why why = at_element(concerned.front(), counted(concerned.size(), dependent));
    why.share = static_cast<double>(concerned.size()) / static_cast<double>(dependent);
    if (concerned.size() < dependent) why.more.push_back("the rest  has an adjoint of 0");
    return why;
  }

  static std::string counted(std::size_t some, std::size_t all) {
    return all == 1      ? "its only element"
           : some == all ? fmt::format("all {} elements", all)
                         : fmt::format("{} of {} elements", some, all);
  }

  Why at_element(std::size_t e, const std::string& count) {
    const auto local = flow_.bench().local(id_, operand_, e);
    Numbers alone(adjoint_.size(), 0.0);
    alone[e] = 1;
    const bool just_here = stationary(alone, 1);
    if (local && local->chooses && (local->slope == 0 || just_here)) {
      if (has_whole_operand())
        return blame(Cause::not_selected,
                     fmt::format("{} takes another operand than {} in {}", op(), x(), count));
      return blame(
          Cause::flat,
          just_here ? fmt::format("{} is at a kink, its slope 0 by convention, in {}", op(), count)
                    : fmt::format("{} is flat in {}", op(), count));
    }
    if (just_here) return at_rest(", in " + count);
    if (local && std::abs(local->slope) > 1e-6)
      return blame(Cause::rule,
                   fmt::format("the derivative rule of {} gives 0 where its slope is {:.4g}", op(),
                               local->slope));
    if (!local || local->slope == 0)
      for (std::size_t i = 0; i < ids_.size(); ++i)
        if (i != operand_ && flow_.values(ids_[i])[flow_.bench().element(id_, i, e)] == 0)
          return zero_factor(i);
    return saturated(count);
  }

  Why by_the_whole() {
    if (passes(uneven())) return cancels();
    if (node_.op->kind == Kind::view) return others();
    // A mean divides by the number of its terms.
    const auto terms = static_cast<double>(flow_.node(ids_[operand_]).shape.numel()) /
                       static_cast<double>(node_.shape.numel());
    if (stationary(uneven(), terms)) return at_rest("");
    if (node_.op->context != nullptr)
      return blame(Cause::rule,
                   fmt::format("{}, by the rule that it was given, passes 0 to {}", op(), x()));
    for (std::size_t i = 0; i < ids_.size(); ++i)
      if (i != operand_ && !whole_operand(flow_.recording(), id_, i) &&
          all_zero(flow_.values(ids_[i])))
        return zero_factor(i);
    if (auto why = rounded_to_zero()) return *std::move(why);
    if (picks())
      return blame(Cause::not_selected,
                   fmt::format("{} picks none of the elements that depend on {}", op(),
                               flow_.called(flow_.x())));
    if (ids_.size() > 1)
      return blame(Cause::zero_factor,
                   fmt::format("{} multiplies by zeros on every way to {}", op(), x()));
    return saturated(fmt::format("all {} elements", node_.shape.numel()));
  }

  /// Of a smooth function so far out that nothing but more digits shows its slope: a softmax.
  std::optional<Why> rounded_to_zero() const {
    if (node_.op->kind == Kind::contraction) return {};  // has the same slope everywhere
    const Dependence::Marks& from = dependence_.of(ids_[operand_]);
    const auto slopes =
        flow_.bench().slopes(id_, operand_, uneven(Numbers(from.begin(), from.end())));
    if (!slopes) return {};
    const Numbers values = flow_.values(id_);
    std::size_t dependent = 0, few = 0;
    bool zeros = true;
    for (std::size_t e = 0; e < values.size(); ++e) {
      if (dependence_.of(id_)[e] == 0) continue;
      ++dependent;
      if (adjoint_[e] == 0 || (*slopes)[e] == 0) continue;
      if (!(std::abs((*slopes)[e]) < 1e-6)) return {};  // the rule is wrong, or something else is
      ++few;
      zeros = zeros && values[e] == 0;
    }
    if (few == 0) return {};
    const std::string count = counted(few, dependent);
    Why why = zeros && has_whole_operand()
                  ? blame(Cause::saturated,
                          fmt::format("{} is saturated in {}: the prediction is already right",
                                      op(), count))
                  : saturated(count);
    why.share = static_cast<double>(few) / static_cast<double>(dependent);
    return why;
  }
  /// Whether an operand is whole numbers: conditions, or the labels of a loss.
  bool has_whole_operand() const {
    for (std::size_t i = 0; i < ids_.size(); ++i)
      if (whole_operand(flow_.recording(), id_, i)) return true;
    return false;
  }

  /// Whether each result is an operand's element, as of a max.
  bool picks() const {
    Numbers from = flow_.values(ids_[operand_]);
    if (!all_finite(from)) return false;
    std::sort(from.begin(), from.end());
    const Numbers to = flow_.values(id_);
    return std::all_of(to.begin(), to.end(),
                       [&](double v) { return std::binary_search(from.begin(), from.end(), v); });
  }

  Why others() const {
    return blame(
        Cause::not_selected,
        fmt::format("behind {}, other elements are used than those that {} goes into", op(), x()));
  }
  Why cancels() const {
    return blame(Cause::cancelled,
                 fmt::format("what {} passes to {} adds up to exactly 0", op(), x()));
  }
  Why at_rest(const std::string& where) const {
    return because_zero(
        blame(Cause::stationary, fmt::format("{} has a slope of 0 just here{}", op(), where)),
        ids_[operand_]);
  }
  Why zero_factor(std::size_t other) const {
    return because_zero(blame(Cause::zero_factor, fmt::format("{} multiplies by {}, which is 0",
                                                              op(), flow_.called(ids_[other]))),
                        ids_[other]);
  }
  /// Adds what made a record zero: a dead layer, seen from behind.
  Why because_zero(Why why, Id id) const {
    const Node& n = flow_.node(id);
    if (n.leaf() || !all_zero(flow_.values(id))) return why;
    const Id from = flow_.recording().operands(id)[0];
    why.more.push_back(fmt::format("0 is     what {} makes of {}, {}  {}", n.op->name,
                                   flow_.label(from), range_of(flow_.values(from)), text(n.site)));
    return why;
  }
  Why saturated(const std::string& count) const {
    return blame(Cause::saturated,
                 fmt::format("{} is saturated, its slope rounded to 0, in {}", op(), count));
  }

  const Flow& flow_;
  const Dependence& dependence_;
  const Id id_;
  const std::size_t operand_;
  const std::span<const Id> ids_;
  const Node& node_;
  const Numbers adjoint_;
};

/// Several records give to this one, or one does twice, and it adds up to zero.
Why cancelled(const Flow& flow, Id id, const std::vector<Id>& givers) {
  constexpr std::size_t most = 4;
  const std::size_t more = givers.size() - 1;
  Why why = flow.blame(
      givers.front(), Cause::cancelled,
      fmt::format(
          "what {} gets from {}{} adds up to exactly 0", flow.called(id),
          flow.node(givers.front()).op->name,
          more > 0 ? fmt::format(" and {} other record{}", more, more == 1 ? "" : "s") : ""));
  for (std::size_t i = 1; i < std::min(givers.size(), most); ++i)
    why.more.push_back(
        fmt::format("and from {}  {}", flow.label(givers[i]), text(flow.node(givers[i]).site)));
  return why;
}

/// All records at which the flow ends, from y on.
std::vector<Why> obstacles(const Flow& flow, const Dependence& dependence) {
  std::vector<Why> found;
  std::vector<std::pair<Id, std::vector<Id>>> cancelling;  // records, and who gives to them
  for (auto at = flow.path().rbegin(); at != flow.path().rend(); ++at) {
    const Id id = *at;
    if (id == flow.x() || dependence.none(id) || dependence.silent(id)) continue;
    const auto operands = flow.recording().operands(id);
    std::vector<Array> shares;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const Id x = operands[i];
      if (std::find(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(i), x) !=
              operands.begin() + static_cast<std::ptrdiff_t>(i) ||
          !flow.on_path(x) || !flow.way(id, i) || dependence.none(x) || !dependence.silent(x))
        continue;
      if (shares.empty() && flow.has_rule(id)) shares = flow.shares(id);
      if (shares.empty() || dependence.largest(x, shares[i].values()) == 0) {
        found.push_back(Obstacle(flow, dependence, id, i).why());
        continue;
      }
      const auto known = std::find_if(cancelling.begin(), cancelling.end(),
                                      [x](const auto& c) { return c.first == x; });
      if (known == cancelling.end())
        cancelling.push_back({x, {id}});
      else
        known->second.push_back(id);
    }
  }
  for (const auto& [id, givers] : cancelling) found.push_back(cancelled(flow, id, givers));
  // What never has a slope is named only if nothing else is.
  std::stable_partition(found.begin(), found.end(),
                        [](const Why& why) { return why.cause != Cause::constant; });
  return found;
}

/// y has no element that depends on x: who left them out?
Why left_out(const Flow& flow, const Dependence& dependence) {
  for (auto at = flow.path().rbegin(); at != flow.path().rend(); ++at) {
    const auto operands = flow.recording().operands(*at);
    for (Id x : operands)
      if (dependence.none(*at) && flow.on_path(x) && !dependence.none(x))
        return flow.blame(*at, Cause::not_selected,
                          flow.node(*at).shape.numel() == 0
                              ? fmt::format("{} has no elements", flow.node(*at).op->name)
                              : fmt::format("{} picks none of the elements that depend on {}",
                                            flow.node(*at).op->name, flow.called(flow.x())));
  }
  return {};
}

/// A gradient with numbers so small that they are nothing. If one function takes most, it is
/// saturated where its slope is small, and stays so a little further.
Why vanished(const Flow& flow) {
  auto [why, id] = most_responsible(flow, flow.x(), false);
  const Node& n = flow.node(id);
  if (why.cause != Cause::factor || n.op->kind != Kind::elementwise || n.count != 1) return why;
  Bench& bench = flow.bench();
  const Array ones(n.shape, Numbers(static_cast<std::size_t>(n.shape.numel()), 1.0));
  std::vector<Array> operand = bench.operands(id);
  const Numbers slopes = bench.shares(id, operand, ones)[0].values();
  Numbers moved = operand[0].values();
  for (double& v : moved) v += 1e-4 * (std::abs(v) + 1);
  operand[0] = Array(operand[0].shape(), std::move(moved));
  const Numbers further = bench.shares(id, operand, ones)[0].values();
  std::size_t few = 0;
  double steepest = 0;
  for (std::size_t e = 0; e < slopes.size(); ++e) {
    const double slope = std::abs(slopes[e]);
    if (slope >= 1e-3 || std::abs(further[e]) > 10 * slope + 1e-6) continue;
    ++few;
    steepest = std::max(steepest, slope);
  }
  if (few == 0) return why;
  why.cause = Cause::saturated;
  why.share = static_cast<double>(few) / static_cast<double>(slopes.size());
  why.sentence = fmt::format("{} is nearly saturated, its slope {:.2g}, in {} of {} elements",
                             n.op->name, steepest, few, slopes.size());
  return why;
}

constexpr double next_to_nothing = 1e-9;

}  // namespace

Why find_zero(const Flow& flow) {
  if (flow.node(flow.x()).shape.numel() == 0) return flow.healthy("has no elements");
  if (!flow.connected()) return no_flow(flow);
  const Numbers gradient = flow.adjoint_values(flow.x());
  const double begin = largest(flow.adjoint_values(flow.y()));
  if (!all_finite(gradient)) return flow.healthy("is not finite: why_nan says why");
  if (!all_zero(gradient)) {
    if (largest(gradient) < next_to_nothing * begin) return vanished(flow);
    const auto zeros = std::count(gradient.begin(), gradient.end(), 0.0);
    return flow.healthy(
        "is not zero: " + range_of(gradient) +
        (zeros > 0 ? fmt::format(", {} of {} elements are 0", zeros, gradient.size()) : ""));
  }
  if (begin == 0) {
    Why why = flow.blame(flow.y(), Cause::zero_factor, "the seed is 0");
    why.op.clear();
    return why;
  }
  const Dependence dependence(flow);
  if (dependence.none(flow.y())) return left_out(flow, dependence);
  std::vector<Why> found = obstacles(flow, dependence);
  if (found.empty()) return {};
  Why why = std::move(found.front());
  constexpr std::size_t most = 4;
  for (std::size_t i = 1; i < std::min(found.size(), most); ++i)
    why.more.push_back(fmt::format("also     {} at {}: {}", text(found[i].cause), text(found[i].at),
                                   found[i].sentence));
  if (found.size() > most) why.more.push_back(fmt::format("and {} more", found.size() - most));
  return why;
}

}  // namespace tapegrad
