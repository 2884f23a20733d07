#include "tapegrad/check/compare_manual.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>
#include <utility>

#include "tapegrad/check/hand_pass.hpp"
#include "tapegrad/check/sample.hpp"
#include "tapegrad/check/slope.hpp"
#include "tapegrad/check/subject.hpp"
#include "tapegrad/check/written.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view doing = "compare_manual";
constexpr int exact_digits = 12;     // from here on numbers were not written by hand
constexpr double least_support = 2;  // agreement that chance gives once in a hundred times
constexpr std::size_t most_shown = 3;
constexpr const char* shared_sum =
    "the sum over all elements, as if one number were shared by all; each has a gradient of its "
    "own";

std::vector<std::int64_t> squeezed(const Shape& shape) {
  std::vector<std::int64_t> result;
  for (const std::uint32_t extent : shape)
    if (extent != 1) result.push_back(extent);
  return result;
}

Numbers transposed(const Numbers& values, std::int64_t rows) {
  const auto n = static_cast<std::size_t>(rows), columns = values.size() / n;
  Numbers result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = values[i % n * columns + i / n];
  return result;
}

double total(const Numbers& numbers) {
  double sum = 0;
  for (const double number : numbers) sum += number;
  return sum;
}

Diagnosis found(Mistake mistake, std::string sentence, double ratio = 1) {
  return {.mistake = mistake, .sentence = std::move(sentence), .ratio = ratio};
}

/// In the digits of the other numbers.
std::string shown(double number, int digits) {
  return fmt::format("{:.{}g}", number, digits == 0 ? 5 : digits < exact_digits ? digits : 8);
}

/// One tensor's numbers, as a gradient.
struct Entry {
  Id id = 0;
  ManualKind kind = ManualKind::gradient;
  Shape shape = {};
  Array given = {};        // as they came
  Numbers right = {};      // in the tensor's order
  Numbers numbers = {};    // the same; none if there are too few or too many
  Numbers units = {};      // of their last digits
  Numbers tolerance = {};  // by how much right ones may be off
  Numbers before = {};     // given = before + scale * gradient
  double scale = 1;
  int digits = 0;
  bool transposed = false;  // rows and columns are exchanged in what was given

  /// The gradient as it would have been given.
  double as_given(double gradient, std::size_t i) const { return before[i] + scale * gradient; }
};

/// Adjoints to start from, and what comes of them. The last two are computed with those adjoints
/// shifted by a unit of their last digits, up all, and up and down in turns.
struct Base {
  HandPass::Held held = {};
  HandPass::Adjoints adjoints = {}, shifted[2] = {};

  /// How uncertain an adjoint is, because those it comes of were rounded.
  Numbers slack(Id id) const {
    Numbers result(adjoints[id].size());
    for (const HandPass::Adjoints& other : shifted)
      for (std::size_t i = 0; i < result.size() && !other.empty(); ++i)
        result[i] += std::abs(other[id][i] - adjoints[id][i]);
    return result;
  }
};

class Comparing {
 public:
  Comparing(const Differentiated& y, std::span<const ManualNumbers> by_hand,
            const ManualOptions& options);
  ManualReport report();

 private:
  Entry entry(const ManualNumbers& by_hand, std::size_t place, const Numbers& right, Site at);
  Base base(HandPass::Held held);
  std::vector<Id> sources(Id id) const;

  bool explained(const Entry& e, const Numbers& by, const Numbers& slack) const;
  double support(const Entry& e, const Numbers& against, const Numbers& slack) const;

  ManualStep judge(const Entry& e);
  Diagnosis explain(const Entry& e, const Base& base);
  Diagnosis explain_shape(const Entry& e, const Base& base);
  Diagnosis simple(const Entry& e, const Base& base, bool likely);
  Diagnosis varied(const Entry& e, const Base& base);
  Diagnosis moved(const Entry& e, const Base& base);
  Diagnosis left_out(const Entry& e, const Base& base);
  Diagnosis twice_wrong(const Entry& e, const Base& base);
  std::string about_ratio(const Entry& e, double ratio) const;
  std::string axis_of(std::int64_t extent) const;
  std::vector<std::string> wrong_elements(const Entry& e) const;

  ManualOptions options_;
  bool coarse_ = false;
  Subject subject_;
  HandPass pass_;
  std::vector<Variation> variations_;
  std::vector<Id> added_;
  std::vector<Entry> entries_;
  HandPass::Held given_;         // by the entries judged so far
  std::map<Id, Numbers> units_;  // of those
  std::set<Id> wrong_;           // among them
  std::string y_;
};

/// Throws Error if something cannot be compared.
Subject subject_of(const Differentiated& y, std::span<const ManualNumbers> by_hand) {
  const Site at = y.site();
  if (by_hand.empty()) throw Error(std::string(doing), "there are no numbers to compare", at);
  const Recording& recording = Recording::of(y.y(), doing, at);
  const Id id = recording.id_of(y.y(), doing, at);
  if (y.seed() == nullptr && recording.node(id).shape.numel() != 1)
    throw Error(std::string(doing),
                fmt::format("only one number has a gradient, this tensor has {}",
                            recording.node(id).shape.numel()),
                {recording.describe(id, "of")}, at,
                "reduce it, as in sum(y), or say what is asked for: seeded(y, v)");
  std::vector<Tensor> x;
  for (const ManualNumbers& one : by_hand) {
    const Id of = recording.id_of(one.of, doing, at);
    const auto refuse = [&](std::string text, std::string hint) {
      throw Error(std::string(doing), std::move(text), {recording.describe(of, "of")}, at,
                  std::move(hint));
    };
    for (const double number : one.numbers.values())
      if (!std::isfinite(number)) refuse(fmt::format("one of the numbers is {}", number), "");
    if (one.kind == ManualKind::updated && !recording.node(of).leaf())
      refuse("only a leaf is updated, this tensor is computed", "give its gradient");
    x.push_back(one.of);
  }
  return tapegrad::subject_of(doing, y.y(), y.seed(), x, at);
}

Comparing::Comparing(const Differentiated& y, std::span<const ManualNumbers> by_hand,
                     const ManualOptions& options)
    : options_(options),
      subject_(subject_of(y, by_hand)),
      pass_(subject_),
      variations_(pass_.variations()),
      added_(pass_.added_leaves()) {
  const Site at = y.site();
  const Recording& recording = Recording::of(y.y(), doing, at);
  const Id id = recording.id_of(y.y(), doing, at);
  coarse_ = recording.precision() == float32;
  y_ = recording.name(id).empty() ? recording.label(id) : std::string(recording.name(id));
  const auto number = [&](double value, std::string_view what) {
    if (!std::isfinite(value) || value < 0)
      throw Error(std::string(doing), fmt::format("{} {:g}", what, value), at);
  };
  number(options.learning_rate, "the learning rate is");
  number(options.digits, "the number of digits is");
  for (std::size_t i = 0; i < by_hand.size(); ++i) {
    const Id of = recording.id_of(by_hand[i].of, doing, at);
    if (!pass_.on_path(subject_.id(subject_.x[i])))
      throw Error(std::string(doing), "the first tensor does not depend on the second",
                  {recording.describe(id, "of"), recording.describe(of, "by")}, at, "");
    if (by_hand[i].kind == ManualKind::updated && options.learning_rate == 0)
      throw Error(std::string(doing), "updated values are compared only with a learning rate",
                  {recording.describe(of, "of")}, at, "add {.learning_rate = ...}");
  }
  std::vector<Tensor> right(subject_.x.size());
  gradients({subject_.y, at}, subject_.x, right);
  for (std::size_t i = 0; i < by_hand.size(); ++i)
    entries_.push_back(entry(by_hand[i], i, right[i].values(), at));

  const auto order = [&](const Entry& e) {
    const auto& consumers = pass_.consumers(e.id);
    const bool leaf = subject_.recording().node(e.id).leaf() && !consumers.empty();
    return leaf ? std::pair(consumers.front(), 0) : std::pair(e.id, 1);
  };
  std::stable_sort(entries_.begin(), entries_.end(),
                   [&](const Entry& a, const Entry& b) { return order(a) > order(b); });
}

Entry Comparing::entry(const ManualNumbers& by_hand, std::size_t place, const Numbers& right,
                       Site at) {
  Entry e{.id = subject_.id(subject_.x[place]),
          .kind = by_hand.kind,
          .shape = subject_.x[place].shape(at),
          .given = by_hand.numbers,
          .right = right};
  const Shape& shape = e.given.shape();
  const Written how = written(e.given, options_.digits);
  e.digits = how.digits;
  e.units = how.units;
  Numbers numbers = e.given.values();
  e.before.resize(right.size());
  if (by_hand.kind == ManualKind::updated) {
    e.before = subject_.x[place].values(at);
    e.scale = -options_.learning_rate;
  }
  const bool transposes = e.shape.rank() == 2 && shape.rank() == 2 && shape[0] == e.shape[1] &&
                          shape[1] == e.shape[0] && shape != e.shape;
  const bool fits =
      numbers.size() == right.size() && (shape.rank() <= 1 || squeezed(shape) == squeezed(e.shape));
  if (!fits && !transposes) return e;
  if (!fits) {
    e.transposed = true;
    numbers = transposed(numbers, shape[0]);
    e.units = transposed(e.units, shape[0]);
  }
  double largest = 0;
  for (const double number : right) largest = std::max(largest, std::abs(number));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = (numbers[i] - e.before[i]) / e.scale;
    e.units[i] /= std::abs(e.scale);
    const double rounding = (coarse_ ? 1e-6 : 1e-15) * std::abs(e.before[i] / e.scale);
    e.tolerance.push_back(e.units[i] + rounding + (coarse_ ? 1e-5 : 1e-12) * largest +
                          1e-9 * std::max(std::abs(numbers[i]), std::abs(right[i])));
  }
  e.numbers = numbers;
  return e;
}

Base Comparing::base(HandPass::Held held) {
  Base result{.held = std::move(held)};
  result.adjoints = pass_.run(result.held);
  if (result.held.empty()) return result;
  for (const bool in_turns : {false, true}) {
    HandPass::Held shifted;
    for (const auto& [id, array] : result.held) {
      Numbers values = array.values();
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] += (in_turns && i % 2 == 1 ? -1 : 1) * units_[id][i];
      shifted.emplace(id, Array(array.shape(), values));
    }
    result.shifted[in_turns ? 1 : 0] = pass_.run(shifted);
  }
  return result;
}

/// The entries before this one whose numbers flow into it directly.
std::vector<Id> Comparing::sources(Id id) const {
  std::vector<Id> result, walk = pass_.consumers(id);
  std::set<Id> seen;
  while (!walk.empty()) {
    const Id next = walk.back();
    walk.pop_back();
    if (!seen.insert(next).second) continue;
    if (given_.count(next) != 0)
      result.push_back(next);
    else
      walk.insert(walk.end(), pass_.consumers(next).begin(), pass_.consumers(next).end());
  }
  return result;
}

bool Comparing::explained(const Entry& e, const Numbers& by, const Numbers& slack) const {
  if (by.size() != e.numbers.size()) return false;
  for (std::size_t i = 0; i < by.size(); ++i)
    if (!(std::abs(e.numbers[i] - by[i]) <= e.tolerance[i] + slack[i])) return false;
  return true;
}

/// In how many digits, of all elements together, the numbers are their own, and not those they
/// should be: so many it takes to agree with something else by chance.
double Comparing::support(const Entry& e, const Numbers& against, const Numbers& slack) const {
  double result = 0;
  for (std::size_t i = 0; i < against.size(); ++i) {
    const double own = std::min(std::abs(e.numbers[i]), std::abs(e.numbers[i] - against[i]));
    result += std::log10(std::max(1.0, own / (e.tolerance[i] + slack[i])));
  }
  return result;
}

ManualReport Comparing::report() {
  ManualReport result{.subject = y_};
  for (const Entry& e : entries_) {
    result.steps.push_back(judge(e));
    if (e.numbers.empty()) continue;
    given_.insert_or_assign(e.id, Array(e.shape, e.numbers));
    units_.insert_or_assign(e.id, e.units);
    if (result.steps.back().grade == Grade::right)
      wrong_.erase(e.id);
    else
      wrong_.insert(e.id);
  }
  return result;
}

ManualStep Comparing::judge(const Entry& e) {
  ManualStep step{.name = subject_.called(e.id), .kind = e.kind, .given = e.given};
  Numbers right = e.right;
  for (std::size_t i = 0; i < right.size(); ++i) right[i] = e.as_given(right[i], i);
  step.right = Array(e.shape, right);
  step.digits = e.digits;

  HandPass::Held held = given_;
  held.erase(e.id);
  std::string from;
  const std::vector<Id> all = sources(e.id);
  for (const Id source : all)
    if (wrong_.count(source) != 0) from += (from.empty() ? "" : ", ") + subject_.called(source);
  const Numbers none(e.right.size());
  if (e.transposed && explained(e, e.right, none)) {
    step.grade = Grade::wrong;
    step.mistake = found(Mistake::transposed,
                         fmt::format("the right numbers, rows and columns exchanged: the shape is "
                                     "{}, not {}",
                                     text(e.shape), text(e.given.shape())));
    return step;
  }
  if (explained(e, e.right, none)) return step;

  const Base exact = base({});
  const Base own = all.empty() ? Base{} : base(held);
  if (!all.empty() && explained(e, own.adjoints[e.id], own.slack(e.id))) {
    if (!from.empty()) {
      step.grade = Grade::carried;
      step.mistake = found(Mistake::carried,
                           fmt::format("follows from your {}: this step itself is right", from));
      return step;
    }
    double off = 0, largest = 0;
    for (std::size_t i = 0; i < e.right.size(); ++i) {
      off = std::max(off, std::abs(e.numbers[i] - e.right[i]));
      largest = std::max(largest, std::abs(e.right[i]));
    }
    step.digits = std::max(1, static_cast<int>(std::floor(-std::log10(off / largest))));
    return step;
  }

  step.grade = Grade::wrong;
  step.more = wrong_elements(e);
  std::vector<const Base*> bases{&exact};
  if (!all.empty()) bases.insert(from.empty() ? bases.end() : bases.begin(), &own);
  for (const Base* base : bases) {
    step.mistake = explain(e, *base);
    if (!step.mistake) continue;
    if (base == &own && !from.empty() && step.mistake.mistake != Mistake::all_zero)
      step.mistake.sentence += fmt::format(" (the rest follows from your {})", from);
    if (e.transposed) step.mistake.sentence += "; and rows and columns are exchanged";
    return step;
  }
  step.mistake = e.numbers.empty()
                     ? found(Mistake::shape, fmt::format("has shape {} instead of {}",
                                                         text(e.given.shape()), text(e.shape)))
                     : found(Mistake::unknown, "no mistake known here explains all the numbers");
  return step;
}

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

std::vector<std::string> Comparing::wrong_elements(const Entry& e) const {
  std::vector<std::string> result;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < e.numbers.size(); ++i) {
    if (std::abs(e.numbers[i] - e.right[i]) <= e.tolerance[i]) continue;
    if (++wrong > most_shown) continue;
    const std::string index =
        e.shape.rank() == 0 ? "it" : fmt::format("[{}]", fmt::join(index_of(i, e.shape), ","));
    result.push_back(fmt::format("{} is {}, should be {}", index,
                                 shown(e.as_given(e.numbers[i], i), e.digits),
                                 shown(e.as_given(e.right[i], i), e.digits)));
  }
  if (wrong > most_shown)
    result.push_back(fmt::format("{} of {} are wrong", wrong, e.numbers.size()));
  return result;
}

}  // namespace

std::string_view text(Grade grade) {
  constexpr std::string_view names[] = {"right", "carried over", "wrong"};
  return names[static_cast<std::size_t>(grade)];
}
std::ostream& operator<<(std::ostream& out, Grade grade) { return out << text(grade); }

std::size_t ManualReport::count(Grade grade) const {
  return static_cast<std::size_t>(std::count_if(
      steps.begin(), steps.end(), [&](const ManualStep& step) { return step.grade == grade; }));
}

const ManualStep& ManualReport::step(std::string_view name) const {
  const auto found = std::find_if(steps.begin(), steps.end(),
                                  [&](const ManualStep& step) { return step.name == name; });
  if (found == steps.end())
    throw Error(std::string(doing), fmt::format("no numbers of '{}' were compared", name));
  return *found;
}

std::string ManualReport::text() const {
  std::string result =
      fmt::format("{} by hand: {} of {} right", subject, count(Grade::right), steps.size());
  for (const Grade grade : {Grade::carried, Grade::wrong})
    if (const std::size_t n = count(grade); n > 0)
      result += fmt::format(", {} {}", n, tapegrad::text(grade));
  std::size_t name = 0, what = 0;
  const auto described = [](const ManualStep& step) {
    return fmt::format("{} {}", step.kind == ManualKind::updated ? "updated" : "gradient",
                       tapegrad::text(step.right.shape()));
  };
  for (const ManualStep& step : steps) {
    name = std::max(name, step.name.size());
    what = std::max(what, described(step).size());
  }
  result += '\n';
  for (const ManualStep& step : steps) {
    std::string verdict(tapegrad::text(step.grade));
    if (step.grade == Grade::right && step.digits < exact_digits)
      verdict += fmt::format(" to {} digits", step.digits);
    result +=
        fmt::format("  {:<{}}  {:<{}}  {}\n", step.name, name, described(step), what, verdict);
    if (!step.mistake.sentence.empty()) result += fmt::format("      {}\n", step.mistake.sentence);
    for (const std::string& line : step.more) result += fmt::format("      {}\n", line);
  }
  return result;
}

std::ostream& operator<<(std::ostream& out, const ManualReport& report) {
  return out << report.text();
}

ManualReport compare_manual(const Differentiated& y, std::span<const ManualNumbers> by_hand,
                            const ManualOptions& options) {
  return Comparing(y, by_hand, options).report();
}

}  // namespace tapegrad
