// What mistake wrong numbers look like: by themselves, or as a backward pass that is done otherwise
// gives them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tapegrad/check/comparing.hpp"
#include "tapegrad/check/slope.hpp"

namespace tapegrad {
namespace {

constexpr const char* shared_sum =
    "the sum over all elements, as if one number were shared by all; each has a gradient of its "
    "own";

double total(const Numbers& numbers) {
  double sum = 0;
  for (const double number : numbers) sum += number;
  return sum;
}

}  // namespace

Diagnosis Comparing::explain(const Entry& e, const Base& base) {
  if (e.numbers.empty()) return explain_shape(e, base);
  if (Diagnosis d = simple(e, base, true)) return d;
  if (Diagnosis d = varied(e, base)) return d;
  if (Diagnosis d = moved(e, base)) return d;
  if (Diagnosis d = left_out(e, base)) return d;
  if (Diagnosis d = twice_wrong(e, base)) return d;
  return simple(e, base, false);
}

/// Too many numbers, or too few.
Diagnosis Comparing::explain_shape(const Entry& e, const Base& base) {
  const Numbers numbers = e.given.values();
  const auto equal = [&](const Numbers& other) {
    if (e.kind == ManualKind::updated || other.size() != numbers.size()) return false;
    for (std::size_t i = 0; i < numbers.size(); ++i)
      if (std::abs(numbers[i] - other[i]) > e.units[i] + 1e-9 * std::abs(other[i])) return false;
    return true;
  };
  for (const auto& [shares, of] : pass_.unsummed(e.id, base.adjoints))
    if (equal(shares.values()))
      return found(Mistake::not_reduced,
                   fmt::format("not summed: the shares of {}; the gradient is their sum", of));
  if (equal({total(base.adjoints[e.id])})) return found(Mistake::over_reduced, shared_sum);
  return {};
}

/// What the numbers tell by themselves.
Diagnosis Comparing::simple(const Entry& e, const Base& base, bool likely) {
  const Numbers &expected = base.adjoints[e.id], slack = base.slack(e.id);
  if (expected.size() != e.numbers.size()) return {};
  const double support = this->support(e, expected, slack);
  Numbers bars;
  for (std::size_t i = 0; i < expected.size(); ++i)
    bars.push_back((e.tolerance[i] + slack[i]) / believed_bars);
  std::vector<std::int64_t> counts;
  for (Id id = 0; id <= subject_.id(subject_.y); ++id) {
    if (!pass_.on_path(id)) continue;
    const Shape& shape = subject_.recording().node(id).shape;
    counts.insert(counts.end(), shape.begin(), shape.end());
    counts.push_back(shape.numel());
  }
  const Array wrong(e.shape, e.numbers), right(e.shape, expected);
  Diagnosis d = diagnose({.wrong = wrong,
                          .right = right,
                          .bars = bars,
                          .contributions = pass_.contributions(e.id, base.adjoints),
                          .counts = counts});
  const bool alone = expected.size() == 1;
  if (likely && !alone && support >= least_support &&
      explained(e, Numbers(expected.size(), total(expected)), slack))
    return found(Mistake::over_reduced, shared_sum);
  switch (d.mistake) {
    case Mistake::all_zero:
      d.sentence = "zero everywhere";
      if (std::find(added_.begin(), added_.end(), e.id) != added_.end())
        d.sentence = fmt::format(
            "zero; but what {} is added to grows as much as it does, whatever its value",
            subject_.called(e.id));
      return likely ? d : Diagnosis{};
    case Mistake::sign:
    case Mistake::count:
    case Mistake::factor: {
      // A learning rate is meant exactly, too.
      const double rate = options_.learning_rate;
      bool plain =
          d.mistake != Mistake::factor || std::abs(d.ratio) == 2 || std::abs(d.ratio) == 0.5;
      for (const double exact : {rate, -rate, 1 / rate, -1 / rate}) {
        Numbers times = expected;
        for (double& number : times) number *= exact;
        if (plain || rate == 0 || !explained(e, times, slack)) continue;
        d.ratio = exact;
        plain = true;
      }
      d.sentence = about_ratio(e, d.ratio);
      const bool convincing = support >= (d.mistake == Mistake::sign ? 1 : least_support);
      return plain == likely && (plain || !alone) && convincing ? d : Diagnosis{};
    }
    case Mistake::transposed:
    case Mistake::not_accumulated:
    case Mistake::dropped:
    case Mistake::doubled:
      return likely && support >= least_support ? d : Diagnosis{};
    case Mistake::none:
    case Mistake::unknown:
      return {};
    default:
      break;
  }
  if (likely || alone) return {};
  return d.mistake == Mistake::offset && expected.size() < 3 ? Diagnosis{} : d;
}

/// `the 5 of axis 0 of net_o`, or nothing.
std::string Comparing::axis_of(std::int64_t extent) const {
  for (const bool named : {true, false})
    for (Id id = 0; id <= subject_.id(subject_.y); ++id) {
      const Shape& shape = subject_.recording().node(id).shape;
      if (!pass_.on_path(id) || subject_.recording().name(id).empty() == named) continue;
      for (int axis = 0; axis < shape.rank(); ++axis)
        if (shape[axis] == extent)
          return fmt::format("the {} along axis {} of {}", extent, axis, subject_.called(id));
      if (shape.numel() == extent)
        return fmt::format("the {} elements of {}", extent, subject_.called(id));
    }
  return {};
}

std::string Comparing::about_ratio(const Entry& e, double ratio) const {
  if (ratio == -1)
    return e.kind == ManualKind::updated
               ? "the step goes uphill: it is minus the learning rate times the gradient"
               : "the sign is wrong: target - output in the place of output - target, or the "
                 "minus of the step downhill?";
  const double size = std::abs(ratio), rate = options_.learning_rate;
  const auto whole = [](double x) { return std::abs(x - std::round(x)) < 1e-9 && x > 1.5; };
  std::string text = ratio < 0 ? "the sign is wrong, and the numbers are " : "";
  std::vector<std::string> causes;
  const auto near = [](double a, double b) { return std::abs(a - b) < 1e-9 * b; };
  if (rate > 0 && e.kind == ManualKind::updated && near(size * rate, 1))
    causes.push_back("the learning rate is missing");
  if (rate > 0 && e.kind == ManualKind::gradient && near(size, rate))
    causes.push_back("the learning rate is in them already");
  if (whole(size)) {
    const auto n = static_cast<std::int64_t>(std::round(size));
    text += fmt::format("{} times too large", n);
    if (n == 2) causes.push_back("the 1/2 in front of a square is missing");
    if (const std::string axis = axis_of(n); !axis.empty())
      causes.push_back(fmt::format("a sum over {} where a mean is meant", axis));
  } else if (whole(1 / size)) {
    const auto n = static_cast<std::int64_t>(std::round(1 / size));
    text += fmt::format("{} times too small", n);
    if (n == 2) causes.push_back("the 2 that comes from a square is missing");
    if (const std::string axis = axis_of(n); !axis.empty())
      causes.push_back(fmt::format("a mean over {} where a sum is meant", axis));
  } else {
    text += fmt::format("{:.4g} times what they should be, all of them", size);
  }
  if (!causes.empty()) text += fmt::format(": {}?", fmt::join(causes, ", or "));
  return text;
}

/// What comes of steps that are done otherwise.
Diagnosis Comparing::varied(const Entry& e, const Base& base) {
  const Numbers &expected = base.adjoints[e.id], slack = base.slack(e.id);
  const double support = this->support(e, expected, slack);
  for (const Variation& v : variations_) {
    if (support < least_support + (v.how == Variation::How::other_value ? 1 : 0)) continue;
    if (explained(e, pass_.run(base.held, v)[e.id], slack)) return pass_.diagnosis(v);
  }
  return {};
}

/// A step that is done otherwise, and a wrong sign or a 2 on top of it: more can be made to agree,
/// so it takes more agreement.
Diagnosis Comparing::twice_wrong(const Entry& e, const Base& base) {
  const Numbers &expected = base.adjoints[e.id], slack = base.slack(e.id);
  if (support(e, expected, slack) < 2 * least_support) return {};
  for (const Variation& v : variations_) {
    if (v.how == Variation::How::other_value) continue;
    const Numbers varied = pass_.run(base.held, v)[e.id];
    for (const double ratio : {-1.0, 2.0, 0.5}) {
      Numbers times = varied;
      for (double& number : times) number *= ratio;
      if (!explained(e, times, slack)) continue;
      Diagnosis d = pass_.diagnosis(v);
      d.sentence += "; and " + about_ratio(e, ratio);
      return d;
    }
  }
  return {};
}

/// What comes of parameters that are updated too early.
Diagnosis Comparing::moved(const Entry& e, const Base& base) {
  const Numbers &expected = base.adjoints[e.id], slack = base.slack(e.id);
  if (expected.size() != e.numbers.size()) return {};
  const double support = this->support(e, expected, slack);
  Variation v{.how = Variation::How::moved};
  const auto explained_at = [&](double rate) {
    v.rate = rate;
    return explained(e, pass_.run(base.held, v)[e.id], slack);
  };
  const auto diagnosis = [&] {
    Variation all = v;
    for (const Id leaf : pass_.parameters()) {
      Variation one = v;
      one.leaves = {leaf};
      if (pass_.run(base.held, one)[e.id] != expected) all.leaves.push_back(leaf);
    }
    return pass_.diagnosis(all);
  };
  if (options_.learning_rate > 0)
    return support >= least_support && explained_at(options_.learning_rate) ? diagnosis()
                                                                            : Diagnosis{};
  // The rate at which the numbers come nearest, if that is one that somebody would choose.
  const auto at = [&](double rate) {
    v.rate = rate;
    return pass_.run(base.held, v)[e.id];
  };
  constexpr double small = 1e-3;
  const Numbers nearby = at(small);
  const auto step_from = [&](const Numbers& now) {
    double along = 0, length = 0;
    for (std::size_t i = 0; i < now.size(); ++i) {
      const double slope = (nearby[i] - expected[i]) / small;
      const double weight = 1 / std::pow(e.tolerance[i] + slack[i], 2);
      along += weight * slope * (e.numbers[i] - now[i]);
      length += weight * slope * slope;
    }
    return length == 0 ? 0 : along / length;
  };
  double rate = 0;
  for (int i = 0; i < 8; ++i) rate += step_from(i == 0 ? expected : at(rate));
  if (!(rate > 0) || !std::isfinite(rate)) return {};
  for (int digits = 1; digits <= 3; ++digits) {
    const double unit = std::pow(10.0, std::floor(std::log10(rate)) - digits + 1);
    if (support >= least_support + digits && explained_at(std::round(rate / unit) * unit))
      return diagnosis();
  }
  return {};
}

/// What comes of a forward pass in which something that is added is forgotten.
Diagnosis Comparing::left_out(const Entry& e, const Base& base) {
  const Numbers &expected = base.adjoints[e.id], slack = base.slack(e.id);
  if (support(e, expected, slack) < least_support) return {};
  Recording& recording = subject_.recording();
  const auto without = [&](const std::vector<Id>& leaves) {
    std::vector<Numbers> before;
    const Id y = subject_.id(subject_.y);
    for (const Id leaf : leaves) {
      before.push_back(recording.handle(leaf).values());
      std::fill_n(static_cast<double*>(recording.mutable_values(leaf)), before.back().size(), 0.0);
    }
    recording.replay({&y, 1}, subject_.at);
    Numbers result = pass_.run(base.held)[e.id];
    for (std::size_t i = 0; i < leaves.size(); ++i)
      std::copy(before[i].begin(), before[i].end(),
                static_cast<double*>(recording.mutable_values(leaves[i])));
    recording.replay({&y, 1}, subject_.at);
    return result;
  };
  std::vector<std::vector<Id>> choices;
  std::vector<Id> all;
  for (const Id leaf : added_) {
    choices.push_back({leaf});
    if (!recording.is(leaf, LeafKind::input)) all.push_back(leaf);
  }
  if (all.size() > 1) choices.push_back(all);
  for (const std::vector<Id>& leaves : choices) {
    if (!explained(e, without(leaves), slack)) continue;
    std::vector<std::string> names;
    names.reserve(leaves.size());
    for (const Id leaf : leaves) names.push_back(subject_.called(leaf));
    return found(Mistake::left_out, fmt::format("as if {} were 0: forgotten in the forward pass?",
                                                fmt::join(names, " and ")));
  }
  return {};
}

}  // namespace tapegrad
