// Why a gradient is not finite: from x upwards along the shares that are not, to the record nearest
// to y that makes one of an adjoint that is; then, if a value is to blame, backwards along the
// values to where it was made of finite ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "tapegrad/check/subject.hpp"
#include "tapegrad/inspect/post_mortem.hpp"

namespace tapegrad {
namespace {

bool not_finite(double v) { return !std::isfinite(v); }

/// Without the sign that some processors give to a NaN.
std::string number(double v) { return std::isnan(v) ? "nan" : fmt::format("{:.4g}", v); }

std::size_t first_not_finite(const Numbers& x) {
  return static_cast<std::size_t>(std::find_if(x.begin(), x.end(), not_finite) - x.begin());
}

/// An element of a record.
struct Place {
  Id id;
  std::size_t element;
};

/// Which element of an operand a view shows at one of its own, if it is one that is not finite.
std::optional<Place> shown(const Flow& flow, Place at) {
  const auto ids = flow.recording().operands(at.id);
  std::vector<Array> numbered = flow.bench().operands(at.id);
  double next = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (whole_operand(flow.recording(), at.id, i)) continue;
    Numbers numbers(static_cast<std::size_t>(numbered[i].numel()));
    for (double& n : numbers) n = next++;
    numbered[i] = Array(numbered[i].shape(), std::move(numbers));
  }
  auto number = static_cast<std::size_t>(flow.bench().value(at.id, numbered).values()[at.element]);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (whole_operand(flow.recording(), at.id, i)) continue;
    const Numbers values = flow.values(ids[i]);
    if (number < values.size())
      return not_finite(values[number]) ? std::optional(Place{ids[i], number}) : std::nullopt;
    number -= values.size();
  }
  return {};
}

/// The operand's element from which a result has what is not finite, or nothing if all operands
/// are.
std::optional<Place> came_from(const Flow& flow, Place at) {
  const Node& n = flow.node(at.id);
  if (n.op->kind == Kind::view)
    if (const auto place = shown(flow, at)) return place;
  const auto ids = flow.recording().operands(at.id);
  const double result = flow.values(at.id)[at.element];
  std::optional<Place> found;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Numbers values = flow.values(ids[i]);
    const std::size_t e = n.op->kind == Kind::elementwise
                              ? flow.bench().element(at.id, i, at.element)
                              : first_not_finite(values);
    if (e >= values.size() || std::isfinite(values[e])) continue;
    const bool same = std::isnan(result) ? std::isnan(values[e]) : values[e] == result;
    if (!found || same) found = Place{ids[i], e};
    if (same) break;
  }
  return found;
}

/// Operands as they are met at an element of the result: `0 and -2`.
std::string operands_at(const Flow& flow, Place at) {
  std::string result;
  const auto ids = flow.recording().operands(at.id);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Numbers values = flow.values(ids[i]);
    if (i > 0) result += " and ";
    result += flow.node(at.id).op->kind == Kind::elementwise
                  ? number(values[flow.bench().element(at.id, i, at.element)])
                  : fmt::format("({})", range_of(values));
  }
  return result;
}

std::string somewhere(const Flow& flow, Place at) {
  const std::string index = flow.index(at.id, at.element);
  return index.empty() ? "" : " at " + index;
}

double share_not_finite(const Numbers& x) {
  return static_cast<double>(std::count_if(x.begin(), x.end(), not_finite)) /
         static_cast<double>(x.size());
}

/// Follows a value that is not finite to where it was made.
Why blame_value(const Flow& flow, Place at) {
  while (!flow.node(at.id).leaf()) {
    const auto from = came_from(flow, at);
    if (!from) break;
    at = *from;
  }
  const Numbers values = flow.values(at.id);
  const double made = values[at.element];
  Why why;
  if (!flow.node(at.id).leaf()) {
    why = flow.blame(at.id, Cause::value,
                     fmt::format("{} makes {} of {}{}", flow.node(at.id).op->name, number(made),
                                 operands_at(flow, at), somewhere(flow, at)));
  } else {
    why = flow.blame(
        at.id, Cause::leaf,
        fmt::format("{} holds {}{}", flow.called(at.id), number(made), somewhere(flow, at)));
    if (const Site set = flow.set_at(at.id)) why.more.push_back("set at   " + text(set));
  }
  why.share = share_not_finite(values);
  return why;
}

/// Where a share that is not finite is made of an adjoint that is.
struct Origin {
  Id id;
  std::size_t operand;
};

/// The one nearest to y from which x hears; nothing if it is the seed, or a sum of shares.
std::optional<Origin> origin(const Flow& flow, Id& last) {
  std::vector<std::uint8_t> leads(flow.path().size(), 0);  // to x, by what is not finite
  leads[0] = 1;
  last = flow.x();
  std::optional<Origin> found;
  for (Id id : flow.path()) {
    if (id == flow.x() || !flow.has_rule(id)) continue;
    const auto operands = flow.recording().operands(id);
    const auto led = [&](std::size_t i) {
      return flow.on_path(operands[i]) && flow.way(id, i) && leads[flow.place(operands[i])] != 0;
    };
    std::vector<Array> shares;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (!led(i)) continue;
      if (shares.empty()) shares = flow.shares(id);
      if (all_finite(shares[i].values())) continue;
      if (all_finite(flow.adjoint_values(id))) {
        found = Origin{id, i};
      } else {
        leads[flow.place(id)] = 1;
        last = id;
      }
    }
  }
  return found;
}

/// An element of the result whose share is not finite, and a share of that place; the first
/// element if none is, or the op is not elementwise.
std::size_t element_of(const Flow& flow, const Origin& o) {
  if (flow.node(o.id).op->kind != Kind::elementwise) return 0;
  const Numbers shares =
      flow.bench().shares_by_element(o.id, flow.adjoint(o.id))[o.operand].values();
  const std::size_t e = first_not_finite(shares);
  return e < shares.size() ? e : 0;
}

/// The value that is not finite and takes part in making a share so, if there is one.
std::optional<Place> value_in(const Flow& flow, const Origin& o, std::size_t element) {
  const bool each = flow.node(o.id).op->kind == Kind::elementwise;
  const auto ids = flow.recording().operands(o.id);
  for (std::size_t i = 0; i <= ids.size(); ++i) {
    const Id id = i < ids.size() ? ids[i] : o.id;
    const Numbers values = flow.values(id);
    const std::size_t e = !each            ? first_not_finite(values)
                          : i < ids.size() ? flow.bench().element(o.id, i, element)
                                           : element;
    if (e < values.size() && not_finite(values[e])) return Place{id, e};
  }
  return {};
}

Why blame_slope(const Flow& flow, const Origin& o, std::size_t element, const Numbers& share) {
  const Node& n = flow.node(o.id);
  const Numbers adjoint = flow.adjoint_values(o.id);
  Numbers heard = adjoint;
  for (double& v : heard) v = v == 0 ? 0 : 1;
  const std::vector<Array> slopes =
      flow.bench().shares(o.id, flow.bench().operands(o.id), Array(n.shape, heard));
  const bool slope = !all_finite(slopes[o.operand].values());
  Why why = slope
                ? flow.blame(o.id, Cause::slope,
                             fmt::format("the slope of {} is not finite for {}{}", n.op->name,
                                         operands_at(flow, {o.id, element}),
                                         somewhere(flow, {o.id, element})))
                : flow.blame(
                      o.id, Cause::overflow,
                      fmt::format("an adjoint of {:.3g} times the slope of {} is beyond any number",
                                  largest(adjoint), n.op->name));
  why.share = share_not_finite(share);
  return why;
}

}  // namespace

Why find_not_finite(const Flow& flow) {
  const auto finite = [&](std::string sentence) {
    Why why = flow.healthy(std::move(sentence));
    const Numbers y = flow.values(flow.y());
    if (const std::size_t e = first_not_finite(y); e < y.size()) {
      const Why value = blame_value(flow, {flow.y(), e});
      why.more.push_back(fmt::format("but      {} itself is not finite", flow.called(flow.y())));
      why.more.push_back(
          fmt::format("{:<8} at {}: {}", text(value.cause), text(value.at), value.sentence));
    }
    return why;
  };
  if (!flow.connected()) return finite("is 0, nothing flows: why_zero says why");
  const Numbers gradient = flow.adjoint_values(flow.x());
  if (all_finite(gradient)) return finite("is finite: " + range_of(gradient));
  Id last = 0;
  const auto found = origin(flow, last);
  if (!found && last == flow.y()) {
    Why why = flow.blame(last, Cause::leaf, "the seed is not finite");
    why.op.clear();
    return why;
  }
  if (!found)
    return flow.blame(last, Cause::overflow,
                      fmt::format("the shares that {} gets add up to what is beyond any number",
                                  flow.called(last)));
  const Numbers share = flow.shares(found->id)[found->operand].values();
  const std::size_t element = element_of(flow, *found);
  const auto value = value_in(flow, *found, element);
  if (!value) return blame_slope(flow, *found, element, share);
  Why why = blame_value(flow, *value);
  if (why.label != flow.label(found->id))
    why.more.push_back(fmt::format("behind   {} passes {} to {}  {}", flow.label(found->id),
                                   number(share[first_not_finite(share)]),
                                   flow.label(flow.recording().operands(found->id)[found->operand]),
                                   text(flow.node(found->id).site)));
  return why;
}

}  // namespace tapegrad
