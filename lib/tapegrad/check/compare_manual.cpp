#include "tapegrad/check/compare_manual.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tapegrad/check/comparing.hpp"
#include "tapegrad/check/sample.hpp"
#include "tapegrad/check/written.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view doing = "compare_manual";
constexpr std::size_t most_shown = 3;

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

/// In the digits of the other numbers.
std::string shown(double number, int digits) {
  return fmt::format("{:.{}g}", number, digits == 0 ? 5 : digits < exact_digits ? digits : 8);
}

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

}  // namespace

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

Comparing::Entry Comparing::entry(const ManualNumbers& by_hand, std::size_t place,
                                  const Numbers& right, Site at) {
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

Comparing::Base Comparing::base(HandPass::Held held) {
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

ManualReport compare_manual(const Differentiated& y, std::span<const ManualNumbers> by_hand,
                            const ManualOptions& options) {
  return Comparing(y, by_hand, options).report();
}

}  // namespace tapegrad
