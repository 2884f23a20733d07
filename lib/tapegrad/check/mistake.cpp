#include "tapegrad/check/mistake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <optional>
#include <ostream>
#include <utility>

#include "tapegrad/check/sample.hpp"
#include "tapegrad/check/slope.hpp"

namespace tapegrad {
namespace {

using Numbers = std::vector<double>;

constexpr double no_ratio = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_rows = 2000;  // beyond, no other order is looked for: that takes n^2

// Compares the wrong numbers with what some mistake would have made of the right ones.
class Comparison {
 public:
  explicit Comparison(const Evidence& evidence)
      : evidence_(evidence), wrong(evidence.wrong.values()), right(evidence.right.values()) {
    for (const double number : right)
      if (std::isfinite(number)) largest_ = std::max(largest_, std::abs(number));
    const bool coarse =
        evidence.wrong.precision() == float32 || evidence.right.precision() == float32;
    relative_ = coarse ? 1e-5 : 1e-9;
    epsilon_ = coarse ? 1e-7 : 1e-15;
  }

  // Whether `number` is what `expected` says, which was made from the right number i times
  // `factor`.
  bool same(double number, double expected, std::size_t i, double factor = 1) const {
    const double bar = i < evidence_.bars.size() ? evidence_.bars[i] : 0;
    const double allowed = believed_bars * bar * std::max(1.0, std::abs(factor)) +
                           relative_ * std::max(std::abs(number), std::abs(expected)) +
                           epsilon_ * largest_;
    return std::abs(number - expected) <= allowed || number == expected;
  }
  bool right_at(std::size_t i) const { return same(wrong[i], right[i], i); }
  // The right number is not 0 as far as one can tell.
  bool distinct(std::size_t i) const { return !same(0, right[i], i); }

  template <class Expected>
  bool all(const Expected& expected, double factor = 1) const {
    for (std::size_t i = 0; i < wrong.size(); ++i)
      if (!same(wrong[i], expected(i), i, factor)) return false;
    return true;
  }

  bool sampled() const { return !evidence_.sample.empty(); }
  std::size_t place(std::size_t i) const { return sampled() ? evidence_.sample[i] : i; }
  // Of all elements, whether all are there or a sample.
  const Shape& shape() const { return sampled() ? evidence_.whole : evidence_.right.shape(); }
  std::string index(std::size_t i) const {
    return fmt::format("[{}]", fmt::join(index_of(place(i), shape()), ","));
  }
  // "element [1,2]", "the only element"
  std::string element(std::size_t i) const {
    return wrong.size() == 1 && !sampled() ? "the only element" : "element " + index(i);
  }
  // "3 of 6 elements", "3 of 49 elements measured"
  std::string some(std::size_t n) const {
    return fmt::format("{} of {} elements{}", n, wrong.size(), sampled() ? " measured" : "");
  }

 private:
  const Evidence& evidence_;
  double largest_ = 0, relative_ = 0, epsilon_ = 0;

 public:
  Numbers wrong, right;
};

using Found = std::optional<Diagnosis>;

Diagnosis found(Mistake mistake, std::string sentence, double ratio = no_ratio,
                std::int64_t element = -1) {
  return {mistake, std::move(sentence), ratio, element};
}

Found not_finite(const Comparison& c) {
  for (std::size_t i = 0; i < c.wrong.size(); ++i)
    if (!std::isfinite(c.wrong[i]) && std::isfinite(c.right[i]))
      return found(Mistake::not_finite,
                   fmt::format("{} is {}", c.element(i),
                               std::isnan(c.wrong[i]) ? "nan" : fmt::format("{}", c.wrong[i])),
                   no_ratio, static_cast<std::int64_t>(c.place(i)));
  return {};
}

Found all_zero(const Comparison& c) {
  if (std::any_of(c.wrong.begin(), c.wrong.end(), [](double number) { return number != 0; }))
    return {};
  return found(Mistake::all_zero, "zero everywhere: no gradient arrives", 0);
}

// The sums of which one contribution is the whole, or is missing, or is there twice.
Found contributions(const Comparison& c, const std::vector<Contribution>& parts) {
  if (parts.size() < 2) return {};
  for (const auto& [name, values] : parts) {
    if (values.size() != c.wrong.size()) continue;
    if (std::all_of(values.begin(), values.end(), [](double number) { return number == 0; }))
      continue;
    const Numbers& part = values;
    if (c.all([&](std::size_t i) { return part[i]; }))
      return found(Mistake::not_accumulated,
                   fmt::format("equals the contribution {} alone, not the sum of all {}: `=` "
                               "instead of `+=`?",
                               name, parts.size()));
    if (c.all([&](std::size_t i) { return c.right[i] - part[i]; }))
      return found(Mistake::dropped, fmt::format("the contribution {} is missing", name));
    if (c.all([&](std::size_t i) { return c.right[i] + part[i]; }))
      return found(Mistake::doubled, fmt::format("the contribution {} is counted twice", name));
  }
  return {};
}

// The ratio at the most telling element, if it is the ratio everywhere.
std::optional<double> constant_ratio(const Comparison& c) {
  std::size_t largest = 0;
  for (std::size_t i = 1; i < c.right.size(); ++i)
    if (std::abs(c.right[i]) > std::abs(c.right[largest])) largest = i;
  if (c.right.empty() || !c.distinct(largest)) return {};
  const double ratio = c.wrong[largest] / c.right[largest];
  // Whole numbers and their reciprocals are meant exactly; others only as well as they are known.
  for (const double exact : {std::round(ratio), 1 / std::round(1 / ratio), ratio})
    if (std::isfinite(exact) && exact != 0 &&
        c.all([&](std::size_t i) { return exact * c.right[i]; }, exact))
      return exact;
  return {};
}

// `ratio` is a number of elements, or one divided by it.
Found count(double ratio, const Comparison& c, const Evidence& evidence) {
  std::vector<std::int64_t> counts = evidence.counts;
  for (const std::uint32_t extent : c.shape()) counts.push_back(extent);
  if (evidence.before_sum != nullptr)
    for (const std::uint32_t extent : evidence.before_sum->shape()) counts.push_back(extent);
  counts.push_back(c.shape().numel());
  for (const std::int64_t n : counts) {
    if (n <= 2) continue;
    if (ratio == static_cast<double>(n))
      return found(Mistake::count,
                   fmt::format("{0} times too large, and {0} is a number of "
                               "elements: a sum where a mean is meant?",
                               n),
                   ratio);
    if (std::abs(ratio * static_cast<double>(n) - 1) < 1e-12)
      return found(Mistake::count,
                   fmt::format("{0} times too small, and {0} is a number of "
                               "elements: a mean where a sum is meant?",
                               n),
                   ratio);
  }
  return {};
}

// "the factor 2 is too much", "a factor 2 is missing"
std::string about_factor(double ratio) {
  if (ratio == std::round(ratio)) return fmt::format("a factor {:g} too much", ratio);
  if (std::abs(1 / ratio - std::round(1 / ratio)) < 1e-9)
    return fmt::format("a factor {:g} is missing", std::round(1 / ratio));
  return fmt::format("the ratio is {:#.5g} everywhere", ratio);
}

Found ratio(const Comparison& c, const Evidence& evidence) {
  const std::optional<double> ratio = constant_ratio(c);
  if (!ratio) return {};
  if (*ratio == -1) return found(Mistake::sign, "the sign is wrong", -1);
  if (Found counted = count(*ratio, c, evidence)) return counted;
  return found(Mistake::factor, about_factor(*ratio), *ratio);
}

Found transposed(const Comparison& c, const Shape& shape) {
  if (shape.rank() != 2) return {};
  const auto rows = static_cast<std::size_t>(shape[0]),
             columns = static_cast<std::size_t>(shape[1]);
  // The right numbers, written column after column.
  const auto turned = [&](std::size_t i) { return c.right[i % rows * columns + i / rows]; };
  if (!c.all(turned)) return {};
  return found(Mistake::transposed, "equals the right gradient transposed");
}

// The right rows (elements, for rank 1) in another order.
Found permuted(const Comparison& c, const Shape& shape) {
  if (shape.rank() == 0 || shape[0] < 2 || static_cast<std::size_t>(shape[0]) > most_rows)
    return {};
  const auto rows = static_cast<std::size_t>(shape[0]);
  const std::size_t width = c.wrong.size() / rows;
  const auto is_row = [&](std::size_t row, std::size_t source) {
    for (std::size_t j = 0; j < width; ++j)
      if (!c.same(c.wrong[row * width + j], c.right[source * width + j], source * width + j))
        return false;
    return true;
  };
  const auto ordered = [&](const auto& source) {
    for (std::size_t row = 0; row < rows; ++row)
      if (!is_row(row, source(row))) return false;
    return true;
  };
  const std::string_view what = shape.rank() == 1 ? "elements" : "rows";
  for (std::size_t by = 1; by < rows; ++by)
    if (ordered([&](std::size_t row) { return (row + by) % rows; }))
      return found(Mistake::permuted,
                   fmt::format("the right {}, shifted by {}", what, std::min(by, rows - by)));
  if (ordered([&](std::size_t row) { return rows - 1 - row; }))
    return found(Mistake::permuted, fmt::format("the right {}, in reversed order", what));
  std::vector<bool> taken(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t source = 0;
    while (source < rows && (taken[source] || !is_row(row, source))) ++source;
    if (source == rows) return {};
    taken[source] = true;
  }
  return found(Mistake::permuted, fmt::format("the right {}, in another order", what));
}

// One slice of what should have been summed over an axis.
Found not_reduced(const Comparison& c, const Array& before) {
  const Numbers shares = before.values();
  if (shares.size() == c.wrong.size()) {
    for (std::size_t i = 0; i < shares.size(); ++i)
      if (shares[i] != c.wrong[i]) return {};
    return found(
        Mistake::not_reduced,
        fmt::format("equals the share of shape {} before it is summed", text(before.shape())));
  }
  for (int axis = 0; axis < before.rank(); ++axis) {
    const auto extent = static_cast<std::size_t>(before.shape()[axis]);
    if (extent == 0 || shares.size() / extent != c.wrong.size()) continue;
    std::size_t inner = 1;
    for (int i = axis + 1; i < before.rank(); ++i)
      inner *= static_cast<std::size_t>(before.shape()[i]);
    for (std::size_t k = 0; k < extent; ++k)
      if (c.all(
              [&](std::size_t i) { return shares[(i / inner * extent + k) * inner + i % inner]; }))
        return found(
            Mistake::not_reduced,
            fmt::format("equals the share of index {} along axis {}, not the sum over that "
                        "axis",
                        k, axis));
  }
  return {};
}

Found absolute(const Comparison& c) {
  if (!c.all([&](std::size_t i) { return std::copysign(c.right[i], c.wrong[i]); })) return {};
  std::vector<std::size_t> turned;
  for (std::size_t i = 0; i < c.wrong.size(); ++i)
    if (!c.right_at(i)) turned.push_back(i);
  if (turned.size() == 1) return {};
  return found(Mistake::absolute,
               fmt::format("the magnitudes are right, but {} of {} signs are not", turned.size(),
                           c.wrong.size()));
}

// What only some elements show, while all others are right.
Found some_elements(const Comparison& c) {
  std::vector<std::size_t> bad;
  bool missing = true, leaked = true;
  for (std::size_t i = 0; i < c.wrong.size(); ++i) {
    if (c.right_at(i)) continue;
    bad.push_back(i);
    missing = missing && c.wrong[i] == 0;
    leaked = leaked && !c.distinct(i);
  }
  if (bad.size() == c.wrong.size() && bad.size() > 1) return {};
  const std::size_t first = bad.front();
  const auto place = static_cast<std::int64_t>(c.place(first));
  const std::string which = bad.size() == 1
                                ? c.element(first)
                                : fmt::format("{}, first {}", c.some(bad.size()), c.index(first));
  if (missing)
    return found(Mistake::missing, "zero at " + which + ", where it should not be", 0, place);
  if (leaked)
    return found(Mistake::leaked, "not zero at " + which + ", where it should be", no_ratio, place);
  if (bad.size() > 1) return {};
  const double ratio = c.wrong[first] / c.right[first];
  return found(
      Mistake::one_element,
      fmt::format("all right but {}{}: ratio {:.5g}", c.element(first),
                  c.sampled() ? fmt::format(", of {} measured", c.wrong.size()) : "", ratio),
      ratio, place);
}

Found offset(const Comparison& c) {
  if (c.wrong.size() < 2) return {};
  const double by = c.wrong[0] - c.right[0];
  if (!c.all([&](std::size_t i) { return c.right[i] + by; })) return {};
  return found(Mistake::offset, fmt::format("every element is off by {:.6g}", by));
}

/// Two digits, without an exponent where that can be read: "170".
std::string percent(double part) {
  const double rounded = std::strtod(fmt::format("{:.2g}", 100 * part).c_str(), nullptr);
  return rounded >= 1e6 ? fmt::format("{:.2g}", rounded) : fmt::format("{}", rounded);
}

Diagnosis unknown(const Comparison& c) {
  std::size_t bad = 0;
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (std::size_t i = 0; i < c.wrong.size(); ++i) {
    if (c.right_at(i)) continue;
    ++bad;
    const double off = std::abs(c.wrong[i] / c.right[i] - 1);
    least = std::min(least, off);
    most = std::max(most, off);
  }
  const std::string low = percent(least), high = percent(most);
  return found(Mistake::unknown, fmt::format("{} are wrong, by {} %{}", c.some(bad), low,
                                             low == high ? "" : fmt::format(" to {} %", high)));
}

}  // namespace

std::string_view text(Mistake mistake) {
  switch (mistake) {
    case Mistake::none:
      return "none";
    case Mistake::unknown:
      return "unknown";
    case Mistake::not_finite:
      return "not finite";
    case Mistake::shape:
      return "shape";
    case Mistake::all_zero:
      return "all zero";
    case Mistake::sign:
      return "sign";
    case Mistake::factor:
      return "factor";
    case Mistake::count:
      return "sum or mean";
    case Mistake::transposed:
      return "transposed";
    case Mistake::permuted:
      return "other order";
    case Mistake::not_reduced:
      return "not reduced";
    case Mistake::not_accumulated:
      return "not accumulated";
    case Mistake::dropped:
      return "dropped term";
    case Mistake::doubled:
      return "doubled term";
    case Mistake::offset:
      return "offset";
    case Mistake::missing:
      return "missing";
    case Mistake::leaked:
      return "leaked";
    case Mistake::absolute:
      return "signs";
    case Mistake::one_element:
      return "one element";
    case Mistake::over_reduced:
      return "summed too far";
    case Mistake::carried:
      return "carried over";
    case Mistake::slope_missing:
      return "slope missing";
    case Mistake::slope_twice:
      return "slope twice";
    case Mistake::slope_elsewhere:
      return "slope elsewhere";
    case Mistake::other_value:
      return "other value";
    case Mistake::one_path:
      return "one path";
    case Mistake::moved:
      return "updated weights";
    case Mistake::left_out:
      return "left out";
  }
  return "";
}

std::ostream& operator<<(std::ostream& out, Mistake mistake) { return out << text(mistake); }

// From what explains all numbers by one cause to what only says which are wrong.
Diagnosis diagnose(const Evidence& evidence) {
  const Comparison c(evidence);
  const Shape& shape = evidence.right.shape();
  const bool has_shares = evidence.before_sum != nullptr;
  if (c.wrong.size() != c.right.size()) {
    if (has_shares)
      if (Found guess = not_reduced(c, *evidence.before_sum)) return *guess;
    return found(Mistake::shape,
                 fmt::format("has {} elements instead of {}", c.wrong.size(), c.right.size()));
  }
  if (c.all([&](std::size_t i) { return c.right[i]; })) {
    if (evidence.wrong.shape() == shape) return {};
    return found(Mistake::shape, fmt::format("has shape {} instead of {}",
                                             text(evidence.wrong.shape()), text(shape)));
  }
  if (Found guess = not_finite(c)) return *guess;
  if (Found guess = all_zero(c)) return *guess;
  if (Found guess = contributions(c, evidence.contributions)) return *guess;
  if (Found guess = ratio(c, evidence)) return *guess;
  if (Found guess = transposed(c, shape)) return *guess;
  if (has_shares)
    if (Found guess = not_reduced(c, *evidence.before_sum)) return *guess;
  if (Found guess = absolute(c)) return *guess;
  if (Found guess = some_elements(c)) return *guess;
  if (!c.sampled())
    if (Found guess = permuted(c, shape)) return *guess;
  if (Found guess = offset(c)) return *guess;
  return unknown(c);
}

}  // namespace tapegrad
