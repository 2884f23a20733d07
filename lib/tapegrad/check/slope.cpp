#include "tapegrad/check/slope.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace tapegrad {
namespace {

constexpr double shrink = 1.4;  // from row to row of a tableau
constexpr std::size_t rows = 10;
constexpr double well_known = 1e-8;  // an error bar, as a part of the slope
constexpr double settled = 1e-10;    // an error bar that no further row is worth the price of

// f at the two ends of a step. Not finite: not usable.
struct Ends {
  double step, below, above;
};

// A difference quotient for each of some steps, and by how much rounding may have moved it.
struct Quotient {
  double step, slope, rounding;
};

// What a tableau says of a slope, and whether rounding is all that keeps it from saying more.
struct Estimate {
  Slope slope;
  bool by_rounding = false;
};

// The value at step 0 of polynomials in step^power through the quotients (Neville's scheme). Of all
// such polynomials through neighbouring quotients the one is taken that differs least from those
// with one quotient less.
Estimate extrapolate(std::span<const Quotient> quotients, int power) {
  Estimate best;
  std::array<double, rows> column{}, rounding{}, t{};  // column[j]: of the last j + 1 quotients
  for (std::size_t k = 0; k < quotients.size(); ++k) {
    const double step = quotients[k].step;
    t[k] = power == 1 ? step : step * step;
    double previous = column[0], previous_rounding = rounding[0];
    column[0] = quotients[k].slope;
    rounding[0] = quotients[k].rounding;
    for (std::size_t j = 1; j <= k; ++j) {
      const double width = t[k - j] - t[k], a = t[k - j] / width, b = t[k] / width;
      const double value = a * column[j - 1] - b * previous;
      const double moved = std::hypot(a * rounding[j - 1], b * previous_rounding);
      const double apart = std::max(std::abs(value - column[j - 1]), std::abs(value - previous));
      const double bar = std::max(apart, moved);
      if (bar < best.slope.bar) best = {{value, bar}, apart <= 4 * moved};
      previous = column[j];
      previous_rounding = rounding[j];
      column[j] = value;
      rounding[j] = moved;
    }
  }
  return best;
}

// The tableaux of one starting step.
struct Start {
  std::vector<Ends> ends;
  Estimate central, below, above;
};

bool disagree(const Slope& a, const Slope& b) {
  return std::abs(a.value - b.value) >
         believed_bars * (a.bar + b.bar) + 1e-3 * std::max(std::abs(a.value), std::abs(b.value));
}

class Measurement {
 public:
  Measurement(const Line& line, const SlopeOptions& options) : line_(line), options_(options) {
    evaluations_ = options.value ? 0 : 1;
    value_ = options.value ? *options.value : line(0);
    if (std::isfinite(value_)) meet(value_);
  }
  Slopes run();

 private:
  double at(double h) {
    ++evaluations_;
    const double value = line_(h);
    if (std::isfinite(value)) meet(value);
    return value;
  }
  void meet(double value) {
    largest_ = std::max(largest_, std::abs(value));
    change_ = std::max(change_, std::abs(value - value_));
    only_floats_ = only_floats_ && std::abs(value) <= std::numeric_limits<float>::max() &&
                   static_cast<double>(static_cast<float>(value)) == value;
  }
  // The rounding of the largest value, as far as digits show it.
  double rounding() const {
    const double epsilon = only_floats_ ? std::numeric_limits<float>::epsilon() : 0;
    return largest_ * std::max(epsilon, options_.epsilon);
  }
  // By how much one value is uncertain.
  double noise() const { return std::max(noise_, rounding()); }
  // An x that is small by chance says nothing about how far f is smooth.
  bool tiny() const { return scale_ < 0.03; }
  bool spent(int more) const { return evaluations_ + more > options_.max_evaluations; }

  bool start(double step);
  void estimate(Start& start) const;
  bool confirmed(const Estimate& estimate) const;
  bool satisfied() const;
  Estimate chosen(Estimate Start::*side) const;
  double steepest() const;
  Estimate best() const;
  bool poor(const Estimate& estimate) const;
  double spread(double spacing);
  void measure_noise();
  bool vertical() const;
  Slopes answer() const;

  const Line& line_;
  const SlopeOptions& options_;
  double scale_ = options_.scale > 0 ? options_.scale : 1;
  double value_ = 0, largest_ = 0, change_ = 0, noise_ = 0;
  bool only_floats_ = true;  // no value met has more digits than a float holds
  int evaluations_ = 0;
  std::vector<Start> starts_;
};

void Measurement::estimate(Start& start) const {
  std::array<Quotient, rows> central, below, above;
  std::size_t both = 0, under = 0, over = 0;
  // If x + h is rounded, that counts as an error of the slope.
  const double shift = options_.x ? 0 : options_.epsilon * scale_;
  const auto quotient = [&](double step, double difference, double width) {
    const double slope = difference / width;
    return Quotient{step, slope, noise() / width + shift * std::abs(slope) / width};
  };
  for (const Ends& ends : start.ends) {
    const bool has_below = std::isfinite(ends.below), has_above = std::isfinite(ends.above);
    if (has_below) below[under++] = quotient(ends.step, value_ - ends.below, ends.step);
    if (has_above) above[over++] = quotient(ends.step, ends.above - value_, ends.step);
    if (has_below && has_above)
      central[both++] = quotient(ends.step, ends.above - ends.below, 2 * ends.step);
  }
  start.central = extrapolate({central.data(), both}, 2);
  start.below = extrapolate({below.data(), under}, 1);
  start.above = extrapolate({above.data(), over}, 1);
}

bool Measurement::confirmed(const Estimate& estimate) const {
  const auto [slope, by_rounding] = estimate;
  const double claimed = *options_.claimed, apart = std::abs(claimed - slope.value);
  const double size = std::max(std::abs(claimed), std::abs(slope.value));
  if (claimed == 0 && apart <= slope.bar) return by_rounding && !tiny();
  if (slope.bar <= well_known * size)
    return apart <= believed_bars * slope.bar + 8 * options_.epsilon * size;
  return by_rounding && slope.bar <= 1e-4 * size && apart <= 3 * slope.bar;
}

// What is claimed is confirmed so well that nothing more needs to be measured.
bool Measurement::satisfied() const {
  if (!options_.claimed || !std::isfinite(*options_.claimed)) return false;
  if (disagree(chosen(&Start::below).slope, chosen(&Start::above).slope)) return false;
  return confirmed(chosen(&Start::central));
}

// One tableau, of steps from `step` downwards. True if it confirms the claim.
bool Measurement::start(double step) {
  Start& start = starts_.emplace_back();
  for (std::size_t row = 0; row < rows && !spent(2); ++row, step /= shrink) {
    const double h = options_.x ? snapped(step, *options_.x, options_.epsilon) : step;
    if (!start.ends.empty() && h >= start.ends.back().step) continue;
    start.ends.push_back({h, at(-h), at(h)});
    if (start.ends.size() < 3) continue;
    estimate(start);
    const auto [slope, by_rounding] = start.central;
    if (slope.known() && (by_rounding || slope.bar <= settled * std::abs(slope.value))) break;
  }
  estimate(start);
  return satisfied();
}

// Smaller steps say more about the slope at this very point, larger ones say it more precisely: the
// most precise one that does not contradict those of smaller steps.
Estimate Measurement::chosen(Estimate Start::*side) const {
  std::vector<const Start*> by_step;
  for (const Start& start : starts_)
    if (!start.ends.empty()) by_step.push_back(&start);
  std::sort(by_step.begin(), by_step.end(), [](const Start* a, const Start* b) {
    return a->ends.back().step < b->ends.back().step;
  });
  Estimate best;
  for (const Start* start : by_step) {
    const Estimate& next = start->*side;
    const double apart = std::abs(next.slope.value - best.slope.value);
    if (next.slope.bar < best.slope.bar &&
        (!best.slope.known() || apart <= believed_bars * (next.slope.bar + best.slope.bar)))
      best = next;
  }
  return best;
}

bool Measurement::poor(const Estimate& estimate) const {
  return !(estimate.slope.bar <= 1e-6 * std::abs(estimate.slope.value));
}

// The rounding of one value, from the fourth differences of values so near to each other that all
// else is gone from them (Hamming's table). 70 = 1 + 16 + 36 + 16 + 1.
double Measurement::spread(double spacing) {
  std::array<double, 6> f;
  for (std::size_t i = 0; i < f.size(); ++i) f[i] = at(static_cast<double>(i + 1) * spacing);
  double squares = 0;
  for (std::size_t i = 0; i + 4 < f.size(); ++i) {
    const double fourth = f[i] - 4 * f[i + 1] + 6 * f[i + 2] - 4 * f[i + 3] + f[i + 4];
    squares += fourth * fourth / 70;
  }
  const double result = std::sqrt(squares / 2);
  return std::isfinite(result) ? result : 0;
}

void Measurement::measure_noise() {
  if (spent(12)) return;
  // The largest steps over which f is smooth, as their slope is that of the most precise ones:
  // smaller steps may not show where f is coarse.
  const auto part = [](const Start& start) {
    const Slope& slope = start.central.slope;
    return !slope.known() || slope.value == 0 ? HUGE_VAL : slope.bar / std::abs(slope.value);
  };
  // But not over a kink: what smaller steps contradict is not the slope here.
  const Slope trusted = chosen(&Start::central).slope;
  const Start* best = nullptr;
  for (const Start& start : starts_)
    if (!start.ends.empty() && !disagree(start.central.slope, trusted) &&
        (best == nullptr || part(start) < part(*best)))
      best = &start;
  if (best == nullptr) return;
  const double value = best->central.slope.value;
  const Start* smooth = best;
  for (const Start& start : starts_)
    if (std::abs(start.central.slope.value - value) <= 0.01 * std::abs(value) &&
        start.ends.back().step > smooth->ends.back().step)
      smooth = &start;
  const double step = smooth->ends.back().step;
  // What moves x exactly, as far as may be.
  const double size = options_.x && *options_.x != 0 ? std::abs(*options_.x) : scale_;
  const double unit = options_.epsilon * std::exp2(std::ilogb(size) + 1);
  const auto spacing = [&](double asked) { return unit * std::max(4.0, std::round(asked / unit)); };
  // One side at a time: a kink or a jump at 0 is no noise. Two spacings without a common measure:
  // in steps of one the rounding may always be the same.
  noise_ = std::max(spread(-spacing(1e-3 * step)), spread(spacing(1.37e-3 * step)));
  for (Start& start : starts_) estimate(start);
}

// From the largest to the smallest step a difference quotient grows, always and much, and not by
// rounding.
bool Measurement::vertical() const {
  const auto grows = [&](double Ends::*end) {
    double first = 0, last = 0;
    double least_change = std::numeric_limits<double>::infinity();
    for (const Start& start : starts_)
      for (const Ends& ends : start.ends) {
        const double change = std::abs(ends.*end - value_), slope = change / ends.step;
        if (!std::isfinite(slope)) continue;
        if (first == 0) first = slope;
        if (slope < last) return false;
        last = slope;
        least_change = std::min(least_change, change);
      }
    return last > 20 * first && first > 0 && least_change > 1000 * rounding();
  };
  return grows(&Ends::below) || grows(&Ends::above);
}

double Measurement::steepest() const {
  double steepest = 0;
  for (const Start& start : starts_)
    for (const Ends& ends : start.ends)
      for (const double end : {ends.below, ends.above})
        if (std::isfinite(end)) steepest = std::max(steepest, std::abs(end - value_) / ends.step);
  return steepest;
}

// The most precise estimate may look so by chance, once in ten thousand times. Before it speaks
// against a claim, the others are heard.
Estimate Measurement::best() const {
  const Estimate best = chosen(&Start::central);
  if (!options_.claimed || !std::isfinite(*options_.claimed) || confirmed(best)) return best;
  for (const Start& start : starts_)
    if (confirmed(start.central)) return start.central;
  return best;
}

Slopes Measurement::answer() const {
  const Estimate central = best();
  Slopes slopes = {.central = central.slope,
                   .below = chosen(&Start::below).slope,
                   .above = chosen(&Start::above).slope,
                   .value = value_,
                   .noise = noise(),
                   .change = change_,
                   .steepest = steepest(),
                   .by_rounding = central.by_rounding,
                   .vertical = poor(central) && vertical(),
                   .evaluations = evaluations_};
  slopes.kink =
      slopes.below.known() && slopes.above.known() && disagree(slopes.below, slopes.above);
  return slopes;
}

Slopes Measurement::run() {
  if (!std::isfinite(value_)) return answer();
  for (const double part : {1e-1, 1e-3, 1e-5})
    if (start(part * scale_)) return answer();
  if (tiny() && poor(chosen(&Start::central)))
    for (const double step : {1e-3, 1e-1}) start(step);
  if (const Estimate best = chosen(&Start::central); poor(best) && !best.by_rounding)
    for (const double part : {1e-7, 1e-9})
      if (start(part * scale_)) return answer();
  measure_noise();
  return answer();
}

}  // namespace

Slopes measure_slopes(const Line& line, const SlopeOptions& options) {
  return Measurement(line, options).run();
}

double snapped(double h, double x, double epsilon) {
  const double size = std::abs(x);
  const auto round = [&](double value) {
    return epsilon > 1e-10 ? static_cast<double>(static_cast<float>(value)) : value;
  };
  // The difference of two numbers so near to each other is exact.
  const double step = round(size + h) - size;
  if (step > 0) return round(step);
  const double next = epsilon > 1e-10
                          ? std::nextafter(static_cast<float>(size), INFINITY)
                          : std::nextafter(size, std::numeric_limits<double>::infinity());
  return next - size;
}

}  // namespace tapegrad
