#include "tapegrad/inspect/flow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/check/sample.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/transcript.hpp"

namespace tapegrad {

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

std::string range_of(const Numbers& x, int digits) {
  if (x.empty()) return "empty";
  const auto nans = std::count_if(x.begin(), x.end(), [](double v) { return std::isnan(v); });
  if (nans > 0) return x.size() == 1 ? "nan" : fmt::format("{} of {} are nan", nans, x.size());
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  if (*low != *high) return fmt::format("from {:.{}g} to {:.{}g}", *low, digits, *high, digits);
  return fmt::format("{}{:.{}g}", x.size() == 1 ? "" : "all ", *low + 0.0, digits);
}

Flow::Flow(std::string_view doing, const Tensor& y, const Arg* seed, const Tensor& x, Site at)
    : original_(Recording::of(y, doing, at)),
      tape_(original_.precision(), at),
      bench_(tape_.recording()) {
  std::vector<Id> outputs{original_.id_of(y, doing, at), original_.id_of(x, doing, at)};
  const bool tensor_seed = seed != nullptr && !seed->is_number();
  if (tensor_seed) outputs.push_back(original_.id_of(seed->tensor(), doing, at));
  tape_.limit(static_cast<std::size_t>(-1));  // the user's tape has one
  const Transcript transcript(original_, outputs, tape_, at);
  const auto copy = [&](Id id) { return recording().id_of(transcript.copy(id), doing, at); };
  originals_.assign(recording().size(), Node::none);
  for (Id id : transcript.originals()) originals_[copy(id)] = id;
  y_ = copy(outputs[0]);
  x_ = copy(outputs[1]);
  find_ways();
  if (!connected()) return;
  const double ones = seed == nullptr ? 1 : seed->number();
  const Numbers full(static_cast<std::size_t>(node(y_).shape.numel()), ones);
  find_adjoints({tensor_seed ? transcript.copy(outputs.back())
                             : tape_.constant(Array(node(y_).shape, full), at),
                 at});
}

void Flow::find_ways() {
  const Id end = std::max(x_, y_) + 1;
  std::vector<std::uint8_t> flows(end, 0), of_y(end, 0);
  depends_.assign(end, 0);
  feeds_.assign(end, 0);
  depends_[x_] = flows[x_] = feeds_[y_] = of_y[y_] = 1;
  for (Id id = 0; id < end; ++id) {
    const auto operands = recording().operands(id);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      depends_[id] |= depends_[operands[i]];
      of_y[id] |= of_y[operands[i]];
      if (flows[operands[i]] != 0 && way(id, i)) flows[id] = 1;
    }
  }
  exchanged_ = x_ != y_ && of_y[x_] != 0;
  for (Id id = y_ + 1; id-- > 0;) {
    if (feeds_[id] == 0) continue;
    const auto operands = recording().operands(id);
    for (std::size_t i = 0; i < operands.size(); ++i)
      if (way(id, i)) feeds_[operands[i]] = 1;
  }
  for (Id id = 0; id <= y_; ++id)
    if (flows[id] != 0 && feeds_[id] != 0) path_.push_back(id);
}

void Flow::find_adjoints(const Arg& seed) {
  std::vector<Tensor> records;
  for (Id id : path_) records.push_back(recording().handle(id));
  adjoints_.resize(path_.size());
  gradients(seeded(recording().handle(y_), seed), records, adjoints_);
}

std::size_t Flow::place(Id id) const {
  const auto found = std::lower_bound(path_.begin(), path_.end(), id);
  return static_cast<std::size_t>((found != path_.end() && *found == id ? found : path_.end()) -
                                  path_.begin());
}

std::pair<Id, std::size_t> Flow::stop() const {
  for (Id id = y_ + 1; id-- > 0;) {
    if (feeds_[id] == 0) continue;
    const auto operands = recording().operands(id);
    for (std::size_t i = 0; i < operands.size(); ++i)
      if (depends_[operands[i]] != 0 && !way(id, i)) return {id, i};
  }
  return {y_, 0};
}

bool Flow::has_rule(Id id) const {
  return !node(id).leaf() && node(id).op->vjp.flow() == VjpRule::Flow::rule &&
         node(id).shape.numel() > 0;
}

std::vector<Array> Flow::shares(Id id) const {
  return bench_.shares(id, bench_.operands(id), adjoint(id));
}

std::string Flow::label(Id id) const { return original_.label(originals_[id]); }
std::string Flow::called(Id id) const {
  const std::string_view name = original_.name(originals_[id]);
  return name.empty() ? label(id) : std::string(name);
}

Site Flow::set_at(Id leaf) const {
  const Site at = original_.leaf(originals_[leaf]).set_at;
  return at == node(leaf).site ? Site{} : at;
}

std::string Flow::index(Id id, std::size_t element) const {
  const Shape& shape = node(id).shape;
  return shape.rank() == 0 ? "" : fmt::format("[{}]", joined(index_of(element, shape), ","));
}

/// `%4 mask (2, 3)  net.cpp:12  all 0`
std::string Flow::described(Id id) const {
  const Node& n = node(id);
  std::string result = label(id);
  if (n.shape.rank() > 0) result += " " + tapegrad::text(n.shape);
  if (n.site) result += "  " + tapegrad::text(n.site);
  return result + "  " + range_of(values(id));
}

Why Flow::blame(Id id, Cause cause, std::string sentence) const {
  constexpr std::size_t most_operands = 3;
  const Node& n = node(id);
  Why why{.cause = cause,
          .op = n.leaf() ? "" : std::string(n.op->name),
          .label = label(id),
          .at = n.site,
          .sentence = std::move(sentence)};
  why.more.push_back("record   " + described(id));
  std::vector<Id> shown;
  for (Id operand : recording().operands(id)) {
    if (shown.size() == most_operands) break;
    if (std::find(shown.begin(), shown.end(), operand) != shown.end()) continue;
    shown.push_back(operand);
    why.more.push_back("operand  " + described(operand));
  }
  return why;
}

Why Flow::healthy(std::string sentence) const {
  return {.sentence = fmt::format("the gradient of {} by {} {}", called(y_), called(x_), sentence)};
}

}  // namespace tapegrad
