#include "tapegrad/check/hand_pass.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tapegrad/tape/needed.hpp"

namespace tapegrad {
namespace {

using How = Variation::How;

constexpr std::int64_t most_indices = 64;  // of an axis, tried one by one
constexpr std::size_t longest_chain = 8;   // of elementwise records, left out together

bool contains(const std::vector<Id>& ids, Id id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

/// The numbers, all zero but those of one index along an axis.
Array only_index(const Array& array, int axis, std::int64_t index) {
  Numbers values = array.values();
  std::size_t inner = 1;
  for (int i = axis + 1; i < array.rank(); ++i) inner *= static_cast<std::size_t>(array.shape()[i]);
  const auto extent = static_cast<std::size_t>(array.shape()[axis]);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (i / inner % extent != static_cast<std::size_t>(index)) values[i] = 0;
  return Array(array.shape(), values);
}

/// The numbers of a square with rows and columns exchanged.
Array turned(const Array& square) {
  const Numbers values = square.values();
  const auto n = static_cast<std::size_t>(square.shape()[0]);
  Numbers result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = values[i % n * n + i / n];
  return Array(square.shape(), result);
}

Array moved_by(const Array& array, const Numbers& gradient, double rate) {
  Numbers values = array.values();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] -= rate * gradient[i];
  return Array(array.shape(), values);
}

void add(Numbers& to, const Numbers& share) {
  if (to.empty()) to.resize(share.size());
  for (std::size_t i = 0; i < share.size(); ++i) to[i] += share[i];
}

}  // namespace

HandPass::HandPass(const Subject& subject)
    : subject_(subject),
      recording_(subject.recording()),
      bench_(recording_),
      y_(subject.id(subject.y)),
      on_path_(y_ + 1),
      consumers_(y_ + 1) {
  for (const Tensor& t : subject.x)
    if (const Id id = subject.id(t); id <= y_) on_path_[id] = 1;
  for (Id id : needed(recording_, {&y_, 1})) {
    if (recording_.is(id, LeafKind::parameter)) on_path_[id] = 1;
    const auto operands = recording_.operands(id);
    const bool flows = !node(id).leaf() && node(id).op->vjp.flow() != VjpRule::Flow::none;
    if (flows &&
        std::any_of(operands.begin(), operands.end(), [&](Id x) { return on_path_[x] != 0; }))
      on_path_[id] = 1;
    if (!on_path(id)) continue;
    path_.push_back(id);
    if (!flows) continue;
    for (Id operand : operands)
      if (!contains(consumers_[operand], id)) consumers_[operand].push_back(id);
  }
}

bool HandPass::has_rule(Id id) const {
  return !node(id).leaf() && node(id).op->vjp.flow() == VjpRule::Flow::rule;
}

std::vector<Id> HandPass::parameters() const {
  std::vector<Id> result;
  for (Id id : path_)
    if (recording_.is(id, LeafKind::parameter)) result.push_back(id);
  return result;
}

HandPass::Adjoints HandPass::run(const Held& held, const Variation& variation) {
  Adjoints adjoints(y_ + 1);
  Held moved;
  adjoints[y_] = Numbers(static_cast<std::size_t>(node(y_).shape.numel()), 1);
  for (auto place = path_.rbegin(); place != path_.rend(); ++place) {
    const Id id = *place;
    if (const auto given = held.find(id); given != held.end())
      adjoints[id] = given->second.values();
    if (adjoints[id].empty() || !has_rule(id)) continue;
    const auto ids = recording_.operands(id);
    const bool varied = contains(variation.records, id);
    const auto give = [&](std::size_t k, const Array& share) {
      if (!on_path(ids[k])) return;
      if (variation.how == How::one_share && contains(variation.records, ids[k]) &&
          variation.other != id)
        return;
      add(adjoints[ids[k]], share.values());
    };
    const Array adjoint(node(id).shape, adjoints[id]);
    std::vector<Array> operands = bench_.operands(id);
    for (std::size_t k = 0; k < ids.size(); ++k)
      if (const auto found = moved.find(ids[k]); found != moved.end()) operands[k] = found->second;

    const std::vector<Array> shares = step(id, operands, adjoint, variation);
    std::vector<std::uint8_t> given(ids.size(), 0);
    if (varied && variation.how == How::without_slope && variation.other != Node::none) {
      add(adjoints[variation.other], adjoint.values());
      given[variation.operand] = 1;
    }
    if (variation.how == How::moved) {
      bool any = false;
      for (std::size_t k = 0; k < ids.size(); ++k) {
        const Id leaf = ids[k];
        if (!recording_.is(leaf, LeafKind::parameter) || consumers(leaf).front() != id) continue;
        if (given[k] == 0) give(k, shares[k]);
        given[k] = 1;
        if (!variation.leaves.empty() && !contains(variation.leaves, leaf)) continue;
        const auto own = held.find(leaf);
        moved.insert_or_assign(
            leaf, moved_by(operands[k], own != held.end() ? own->second.values() : adjoints[leaf],
                           variation.rate));
        operands[k] = moved.at(leaf);
        any = true;
      }
      if (any) {
        const std::vector<Array> late = step(id, operands, adjoint, variation);
        for (std::size_t k = 0; k < ids.size(); ++k)
          if (given[k] == 0) give(k, late[k]);
        continue;
      }
    }
    for (std::size_t k = 0; k < ids.size(); ++k)
      if (given[k] == 0) give(k, shares[k]);
  }
  return adjoints;
}

/// What a record passes to each operand.
std::vector<Array> HandPass::step(Id id, std::vector<Array> operands, Array adjoint,
                                  const Variation& variation) {
  if (!contains(variation.records, id)) return bench_.shares(id, operands, adjoint);
  const std::size_t k = variation.operand;
  switch (variation.how) {
    case How::transposed:
      operands[k] = turned(operands[k]);
      break;
    case How::other_value:
      operands[k] = recording_.handle(variation.other).array();
      break;
    case How::one_index:
      adjoint = only_index(adjoint, variation.axis, variation.index);
      break;
    case How::slope_at_result:
      operands[k] = bench_.value(id, operands);
      break;
    default:
      break;
  }
  std::vector<Array> shares = bench_.shares(id, operands, adjoint);
  if (variation.how == How::without_slope) shares[k] = adjoint;
  if (variation.how == How::slope_twice) shares[k] = bench_.shares(id, operands, shares[k])[k];
  if (variation.how == How::slope_of_operand)
    shares[k] = bench_.share_as_if(id, operands[k], operands[k], adjoint);
  return shares;
}

/// Of an elementwise record by an operand of the same shape.
Numbers HandPass::slopes(Id id, std::size_t operand) {
  const Array ones(node(id).shape, Numbers(static_cast<std::size_t>(node(id).shape.numel()), 1));
  return bench_.shares(id, bench_.operands(id), ones)[operand].values();
}

/// The operand that an elementwise record passes its adjoint to, if that is one, of its own shape.
std::optional<std::size_t> HandPass::only_way(Id id) const {
  if (!has_rule(id) || node(id).op->kind != Kind::elementwise) return {};
  std::optional<std::size_t> way;
  const auto operands = recording_.operands(id);
  for (std::size_t k = 0; k < operands.size(); ++k) {
    if (!on_path(operands[k])) continue;
    if (way || node(operands[k]).shape != node(id).shape) return {};
    way = k;
  }
  return way;
}

std::vector<Variation> HandPass::variations() {
  std::vector<Variation> all;
  add_slopes(all);
  add_products(all);
  add_parts(all);
  return all;
}

/// What can be done wrong with local derivatives, one by one and, of one op, everywhere.
void HandPass::add_slopes(std::vector<Variation>& all) {
  std::vector<Variation> twice, elsewhere;
  const auto everywhere = [&](std::vector<Variation>& list, const Variation& one) {
    list.push_back(one);
    for (auto other = list.rbegin(); other != list.rend(); ++other) {
      if (other->how != one.how || other->operand != one.operand || other->records == one.records ||
          node(other->records[0]).op != node(one.records[0]).op)
        continue;
      Variation both = *other;
      both.records.push_back(one.records[0]);
      if (other->records.size() > 1)
        *other = both;
      else
        list.push_back(both);
      break;
    }
  };
  for (auto place = path_.rbegin(); place != path_.rend(); ++place) {
    const Id id = *place;
    if (!has_rule(id) || node(id).op->kind != Kind::elementwise) continue;
    const auto operands = recording_.operands(id);
    for (std::size_t k = 0; k < operands.size(); ++k) {
      if (!on_path(operands[k]) || node(operands[k]).shape != node(id).shape) continue;
      const Numbers slope = slopes(id, k);
      if (std::all_of(slope.begin(), slope.end(), [](double s) { return s == 1; })) continue;
      Variation one{.how = How::without_slope, .records = {id}, .operand = k};
      everywhere(all, one);
      one.how = How::slope_twice;
      everywhere(twice, one);
      if (operands.size() != 1) continue;
      one.how = How::slope_at_result;
      everywhere(elsewhere, one);
      one.how = How::slope_of_operand;
      everywhere(elsewhere, one);
    }
    // The slope of a function that is several records.
    const auto first = only_way(id);
    if (!first) continue;
    Id below = recording_.operands(id)[*first];
    for (std::size_t length = 1; length < longest_chain; ++length) {
      const auto next = only_way(below);
      if (!next || consumers(below).size() > 1) break;
      below = recording_.operands(below)[*next];
      all.push_back(
          {.how = How::without_slope, .records = {id}, .operand = *first, .other = below});
    }
  }
  all.insert(all.end(), elsewhere.begin(), elsewhere.end());
  all.insert(all.end(), twice.begin(), twice.end());
}

/// What can be done wrong with the factors of products.
void HandPass::add_products(std::vector<Variation>& all) {
  std::vector<Variation> others;
  for (auto place = path_.rbegin(); place != path_.rend(); ++place) {
    const Id id = *place;
    if (!has_rule(id) || node(id).op->kind != Kind::contraction) continue;
    const auto operands = recording_.operands(id);
    for (std::size_t k = 0; k < operands.size(); ++k) {
      const Shape& shape = node(operands[k]).shape;
      if (shape.rank() == 2 && shape[0] == shape[1] && shape[0] > 1)
        all.push_back({.how = How::transposed, .records = {id}, .operand = k});
      for (Id other = 0; other <= y_; ++other)
        if (other != operands[k] && node(other).shape == shape && recording_.has_values(other))
          others.push_back(
              {.how = How::other_value, .records = {id}, .operand = k, .other = other});
    }
  }
  all.insert(all.end(), others.begin(), others.end());
}

/// What can be left out of sums; nearest to the leaves first, as most has no effect further up.
void HandPass::add_parts(std::vector<Variation>& all) {
  for (const Id id : path_) {
    if (consumers(id).size() > 1)
      for (Id consumer : consumers(id))
        all.push_back({.how = How::one_share, .records = {id}, .other = consumer});
    if (!has_rule(id)) continue;
    const auto operands = recording_.operands(id);
    const Shape& shape = node(id).shape;
    const bool sums = node(id).op->kind == Kind::contraction ||
                      std::any_of(operands.begin(), operands.end(),
                                  [&](Id x) { return on_path(x) && node(x).shape != shape; });
    if (!sums) continue;
    for (int axis = 0; axis < shape.rank(); ++axis)
      for (std::int64_t index = 0;
           shape[axis] > 1 && index < std::min<std::int64_t>(shape[axis], most_indices); ++index)
        all.push_back({.how = How::one_index, .records = {id}, .axis = axis, .index = index});
  }
}

std::string HandPass::called(Id id) const {
  Id named = id;
  while (recording_.name(named).empty()) {
    const auto& above = consumers(named);
    const bool same = above.size() == 1 && node(above[0]).op->kind == Kind::elementwise &&
                      node(above[0]).shape == node(id).shape;
    if (!same) return subject_.called(id);
    named = above[0];
  }
  return std::string(recording_.name(named));
}

std::string HandPass::at_line(Id id) const {
  const Site& at = node(id).site;
  return at ? fmt::format(" ({})", text(at)) : "";
}

/// `sigmoid'(net_h)`, or `the slope of multiply by a`.
std::string HandPass::slope(Id id, std::size_t operand) const {
  const auto operands = recording_.operands(id);
  const std::string by = subject_.called(operands[operand]);
  return operands.size() == 1 ? fmt::format("{}'({})", node(id).op->name, by)
                              : fmt::format("slope of {} by {}", node(id).op->name, by);
}

Diagnosis HandPass::diagnosis(const Variation& v) const {
  const auto say = [](Mistake mistake, std::string sentence) {
    return Diagnosis{.mistake = mistake,
                     .sentence = std::move(sentence),
                     .ratio = std::numeric_limits<double>::quiet_NaN()};
  };
  const Id id = v.records.empty() ? y_ : v.records[0];
  const auto operands = recording_.operands(id);
  const std::string_view op = node(id).leaf() ? "" : node(id).op->name;
  const auto factors = [&] {
    std::vector<std::string> all;
    for (Id record : v.records) all.push_back(slope(record, v.operand) + at_line(record));
    return fmt::format("factor{} {} {}", all.size() == 1 ? "" : "s", fmt::join(all, ", "),
                       all.size() == 1 ? "is" : "are");
  };
  const auto places = [&](const auto& place) {
    std::vector<std::string> all;
    for (Id record : v.records) all.push_back(place(record));
    return fmt::format("{}", fmt::join(all, "; "));
  };
  const auto operand = [&](Id record) {
    return subject_.called(recording_.operands(record)[v.operand]);
  };
  switch (v.how) {
    case How::without_slope:
      if (v.other != Node::none)
        return say(Mistake::slope_missing,
                   fmt::format("the factor d {} / d {} is missing{}", subject_.called(id),
                               subject_.called(v.other), at_line(id)));
      return say(Mistake::slope_missing, fmt::format("the {} missing", factors()));
    case How::slope_twice:
      return say(Mistake::slope_twice, fmt::format("the {} there twice", factors()));
    case How::slope_at_result:
      return say(Mistake::slope_elsewhere,
                 fmt::format("{}' is taken at the result: {}", op, places([&](Id record) {
                               return fmt::format("{}'({}) instead of {}'({}){}", op,
                                                  subject_.called(record), op, operand(record),
                                                  at_line(record));
                             })));
    case How::slope_of_operand:
      return say(Mistake::slope_elsewhere,
                 fmt::format("{}' by the formula for the result, in which stands {}", op,
                             places([&](Id record) {
                               return fmt::format("{} instead of {}{}", operand(record),
                                                  subject_.called(record), at_line(record));
                             })));
    case How::transposed:
      return say(Mistake::transposed,
                 fmt::format("{} stands the wrong way round in the step back through {}{}: "
                             "transposed where it should not be, or the other way",
                             subject_.called(operands[v.operand]), op, at_line(id)));
    case How::other_value:
      return say(Mistake::other_value,
                 fmt::format("{} stands in the place of {} in the step back through {}{}",
                             subject_.called(v.other), subject_.called(operands[v.operand]), op,
                             at_line(id)));
    case How::one_index:
      return say(Mistake::one_path,
                 fmt::format("only the share of index {} along axis {} of {}{}, not the sum over "
                             "all {}",
                             v.index, v.axis, called(id), at_line(id), node(id).shape[v.axis]));
    case How::one_share:
      return say(Mistake::one_path,
                 fmt::format("only the share that {}{} passes back to {}, not the sum over all {}",
                             subject_.called(v.other), at_line(v.other), subject_.called(id),
                             consumers(id).size()));
    case How::moved: {
      std::vector<std::string> names;
      for (Id leaf : v.leaves) names.push_back(subject_.called(leaf));
      return say(Mistake::moved,
                 fmt::format("computed with the already updated {} (learning rate {:.3g}); all "
                             "gradients are taken at one point, then all weights move",
                             fmt::join(names, ", "), v.rate));
    }
    case How::nothing:
      break;
  }
  return {};
}

std::vector<Id> HandPass::added_leaves() {
  std::vector<Id> result;
  for (Id id : path_) {
    if (!has_rule(id) || node(id).op->kind != Kind::elementwise) continue;
    const Array ones(node(id).shape, Numbers(static_cast<std::size_t>(node(id).shape.numel()), 1));
    const std::vector<Array> shares = bench_.shares_by_element(id, ones);
    const auto operands = recording_.operands(id);
    for (std::size_t k = 0; k < operands.size(); ++k)
      if (node(operands[k]).leaf() && operands.size() > 1 && shares[k] == ones &&
          !contains(result, operands[k]))
        result.push_back(operands[k]);
  }
  return result;
}

std::vector<HandPass::Unsummed> HandPass::unsummed(Id id, const Adjoints& adjoints) {
  std::vector<Unsummed> result;
  for (Id consumer : consumers(id)) {
    if (!has_rule(consumer) || adjoints[consumer].empty()) continue;
    const Shape& shape = node(consumer).shape;
    const Array adjoint(shape, adjoints[consumer]);
    const auto operands = recording_.operands(consumer);
    const auto k = static_cast<std::size_t>(std::find(operands.begin(), operands.end(), id) -
                                            operands.begin());
    if (node(consumer).op->kind == Kind::elementwise && node(id).shape != shape)
      result.push_back({bench_.shares_by_element(consumer, adjoint)[k],
                        fmt::format("each element of {}", called(consumer))});
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] < 2 || shape[axis] > most_indices) continue;
      Numbers all;
      for (std::int64_t index = 0; index < shape[axis]; ++index) {
        const Numbers share =
            bench_.shares(consumer, bench_.operands(consumer), only_index(adjoint, axis, index))[k]
                .values();
        all.insert(all.end(), share.begin(), share.end());
      }
      if (node(id).shape.rank() < Shape::max_rank)
        result.push_back({Array(node(id).shape.with_axis(0, shape[axis]), all),
                          fmt::format("each index of axis {} of {}", axis, called(consumer))});
    }
  }
  return result;
}

std::vector<Contribution> HandPass::contributions(Id id, const Adjoints& adjoints) {
  std::vector<Contribution> result;
  for (Id consumer : consumers(id)) {
    if (!has_rule(consumer) || adjoints[consumer].empty()) continue;
    const std::vector<Array> shares = bench_.shares(
        consumer, bench_.operands(consumer), Array(node(consumer).shape, adjoints[consumer]));
    const auto operands = recording_.operands(consumer);
    for (std::size_t k = 0; k < operands.size(); ++k)
      if (operands[k] == id)
        result.push_back({fmt::format("by op {}{}", node(consumer).op->name, at_line(consumer)),
                          shares[k].values()});
  }
  return result;
}

}  // namespace tapegrad
