#include "tapegrad/check/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <utility>

#include "tapegrad/kernel/number_systems.hpp"

namespace tapegrad {
namespace {

/// The size of the elements that move: steps are taken relative to it.
double scale_of(std::span<const double> x) {
  double largest = 0;
  for (double value : x)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  return largest > 0 ? largest : 1;
}

double relative(double difference, double a, double b) {
  const double largest = std::max(std::abs(a), std::abs(b));
  return largest > 0 ? difference / largest : 0;
}

/// Runs a trial. False if an op, or code of others, refuses what its operands became: x left the
/// domain.
template <class Run>
bool defined_after(Run run) {
  try {
    run();
  } catch (const std::exception&) {
    return false;
  }
  return true;
}

/// What rounding may change a value in fifty digits by, as a part of it: ten thousand roundings,
/// all to one side.
constexpr double noise_in_fifty_digits = 1e4 * fifty_digits_epsilon;

/// Whether a number in fifty digits is what rounding leaves of a 0, being that much in doubles.
bool zero_but_for_rounding(double exact, double in_doubles) {
  return std::abs(exact) <= rounding_left * std::abs(in_doubles);
}

double digits_of(double relative_error) {
  return relative_error <= 0 ? 16 : std::clamp(-std::log10(relative_error), 0.0, 16.0) + 0.0;
}

}  // namespace

Probe::Probe(const Subject& subject)
    : subject_(subject), number_(subject.id(subject.number)), value_(subject.number.item(Site{})) {
  for (std::size_t k = 0; k < subject.x.size(); ++k) {
    x_.push_back(subject.id(subject.x[k]));
    gradient_.push_back(subject.id(subject.gradient[k]));
    values_.push_back(subject.x[k].values());
    analytic_.push_back(subject.gradient[k].values());
  }
  kinks_.resize(x_.size());
  const Recording& recording = subject.recording();
  for (Id id = 0; id < recording.size(); ++id) {
    const Node& n = recording.node(id);
    if (!n.leaf() && n.op->forward.f64() != nullptr && n.op->forward.number() == nullptr)
      any_arithmetic_ = false;
  }
}

Slopes Probe::measure(Trial<double>& trial, std::size_t k, const Direction& direction,
                      double claimed) {
  const std::span<const double> start =
      std::span(values_[k]).subspan(direction.first, direction.weights.size());
  const std::span<double> moved =
      trial.free(x_[k]).subspan(direction.first, direction.weights.size());
  SlopeOptions options{.scale = scale_of(start), .claimed = claimed, .value = value_};
  if (direction.single()) options.x = start[0];
  const Slopes slopes = measure_slopes(
      [&](double h) {
        for (std::size_t i = 0; i < moved.size(); ++i)
          moved[i] = start[i] + h * direction.weights[i];
        return defined_after([&] { trial.run(); }) ? trial.values(number_)[0] : std::nan("");
      },
      options);
  std::copy(start.begin(), start.end(), moved.begin());
  evaluations_ += slopes.evaluations;
  return slopes;
}

SampledGradient Probe::judge(std::size_t k, const Sampling& sampling) {
  Trial<double> trial(subject_.recording(), {&number_, 1}, {&x_[k], 1}, Site{});
  SampledGradient sample = sample_elements(
      analytic_[k], subject_.x[k].shape(),
      [&](const Direction& direction, double claimed) {
        return measure(trial, k, direction, claimed);
      },
      sampling);
  bool bad = false;
  bool wrong = false;  // in fifty digits: after one, doubles are believed
  for (SampledElement& one : sample.elements) {
    const Verdict verdict = one.judgement.verdict;
    if (verdict != Verdict::pass && (verdict != Verdict::fail || !wrong)) {
      decide(k, one.index, one.judgement);
      wrong = wrong || one.judgement.verdict == Verdict::fail;
    }
    if (one.judgement.verdict == Verdict::kink) kinks_[k].push_back(one.index);
    bad = bad || one.judgement.verdict > Verdict::kink;
  }
  wrong_ = wrong_ || wrong;
  // A direction is there to find elements. If none of those it led to is wrong, nor is it: it
  // crossed a kink, or rounding shows.
  if (!bad && any_arithmetic_)
    std::erase_if(sample.directions, [](const Judgement& j) { return j.verdict != Verdict::pass; });
  exact_.reset();
  return sample;
}

/// Differences in fifty digits, of fourth order: their error is far below that of any double.
void Probe::decide(std::size_t k, std::size_t element, Judgement& judgement) {
  // Of the slopes over half a step and a whole one. At a jump the first is twice the second, at the
  // root of |x| 1.41 times; at |x|^0.74 still 1.2 times. Where it is smooth they are the same.
  constexpr double unbounded = 1.2;
  // Of the differences between the two sides, likewise: half by curvature, the same at a kink.
  constexpr double kinked = 0.75;
  if (!any_arithmetic_) return;
  if (exact_ == nullptr) {
    const Id outputs[] = {number_, gradient_[k]};
    exact_ = std::make_unique<Trial<Number>>(subject_.recording(), outputs, std::span(&x_[k], 1),
                                             Site{}, &fifty_digits());
  }
  Trial<Number>& trial = *exact_;
  const Number claimed = trial.values(gradient_[k])[element];
  const Number x = fifty_digits().number(values_[k][element]);
  bool defined = true;
  const auto at = [&](const Number& moved) {
    trial.free(x_[k])[element] = moved;
    defined = defined_after([&] { trial.run(number_); }) && defined;  // the gradient stays
    ++evaluations_;
    return trial.values(number_)[0];
  };
  const Number centre = at(x);
  const double h = 1e-12 * scale_of({&values_[k][element], 1});
  const Number step = fifty_digits().number(h), half = step / 2;
  const Number up = at(x + step), down = at(x - step);
  const Number near_up = at(x + half), near_down = at(x - half);
  trial.free(x_[k])[element] = x;
  if (!defined) return;
  const Number far = (up - down) / (2 * step), near = (near_up - near_down) / (2 * half);
  Number slope = (4 * near - far) / 3;
  if (!std::isfinite(static_cast<double>(slope)) || !std::isfinite(static_cast<double>(claimed)))
    return;
  const auto above = static_cast<double>((near_up - centre) / half);
  const auto below = static_cast<double>((centre - near_down) / half);
  // A slope that still grows as the step shrinks, by a million times more than rounding makes of
  // it, is that of a jump, or of no bound.
  const Number moved = abs(up - down), largest = abs(up) + abs(down);
  if (moved > 1e6 * noise_in_fifty_digits * largest && abs(near) > unbounded * abs(far)) return;
  // What curvature does not explain is a kink, or something else that more digits do not smooth.
  const double noise = noise_in_fifty_digits * std::abs(value_) / h;  // of such differences
  const double apart = std::abs(above - below);
  const auto bend = static_cast<double>((up - centre) / step - (centre - down) / step);
  if (apart > noise && apart > kinked * std::abs(bend) && relative(apart, above, below) > 1e-6 &&
      judgement.verdict != Verdict::fail)
    return;
  double bar = std::abs(static_cast<double>(near - slope));
  if (abs(slope) <= noise && abs(claimed) <= noise) {  // no difference shows it
    std::vector<std::vector<double>> direction(x_.size());
    direction[k].resize(values_[k].size());
    direction[k][element] = 1;
    slope = forward(dual_fifty_digits(), {&k, 1}, direction).slope;
    bar = 0;
  }
  const auto numeric = static_cast<double>(slope), analytic = static_cast<double>(claimed);
  const double error = std::abs(static_cast<double>(claimed - slope));
  judgement.oracle = "50 digits";
  judgement.numeric = numeric;
  judgement.bar = bar;
  // Constants of rules and kernels are doubles: two of them agree to about sixteen digits.
  const double tolerance = 20 * bar + 1e-13 * std::max(std::abs(numeric), std::abs(analytic)) +
                           rounding_left * std::abs(judgement.analytic - analytic);
  if (error > tolerance) {
    judgement.verdict = Verdict::fail;
    judgement.digits = 0;
    judgement.reason = "measured in 50 digits";
    return;
  }
  judgement.verdict = Verdict::pass;
  if (zero_but_for_rounding(numeric, judgement.analytic)) {
    judgement.numeric = 0;
    judgement.digits = std::numeric_limits<double>::infinity();
    judgement.reason = "zero, but for rounding in float64";
    return;
  }
  judgement.digits =
      digits_of(relative(std::abs(judgement.analytic - numeric), judgement.analytic, numeric));
  judgement.reason = judgement.digits >= 6
                         ? ""
                         : fmt::format("the rule is right, rounding in float64 leaves it {} digits",
                                       std::floor(judgement.digits));
}

/// The x that are not another x listed before, nor computed from one.
std::vector<std::size_t> Probe::independent() const {
  const Recording& recording = subject_.recording();
  std::vector<std::uint8_t> moves(recording.size(), 0);
  for (Id id : x_) moves[id] = 1;
  std::vector<std::uint8_t> follows(recording.size(), 0);
  for (Id id = 0; id < recording.size(); ++id) {
    const auto operands = recording.operands(id);
    follows[id] = std::any_of(operands.begin(), operands.end(),
                              [&](Id o) { return moves[o] != 0 || follows[o] != 0; });
  }
  std::vector<std::size_t> result;
  for (std::size_t k = 0; k < x_.size(); ++k)
    if (!std::exchange(follows[x_[k]], std::uint8_t{1})) result.push_back(k);
  return result;
}

Probe::Forward Probe::forward(const DualSystem& system, std::span<const std::size_t> moved,
                              const std::vector<std::vector<double>>& direction,
                              std::span<const Id> gradient) {
  std::vector<Id> outputs{number_}, free;
  outputs.insert(outputs.end(), gradient.begin(), gradient.end());
  for (std::size_t k : moved) free.push_back(x_[k]);
  Trial<Number> trial(subject_.recording(), outputs, free, Site{}, &system);
  for (std::size_t k : moved)
    for (std::size_t i = 0; i < direction[k].size(); ++i)
      trial.free(x_[k])[i] = system.dual(values_[k][i], direction[k][i]);
  trial.run();
  ++evaluations_;
  Number sum = 0, magnitude = 0;
  for (std::size_t k = 0; k < gradient.size(); ++k)
    for (std::size_t i = 0; i < direction[k].size(); ++i)
      if (direction[k][i] != 0) {
        const Number share = trial.values(gradient[k])[i] * direction[k][i];
        sum += share;
        magnitude += abs(share);
      }
  return {static_cast<double>(system.derivative(trial.values(number_)[0])),
          static_cast<double>(sum), static_cast<double>(magnitude)};
}

std::vector<Judgement> Probe::judge_forward(Random& random) {
  std::vector<Judgement> result;
  if (!any_arithmetic_ || !std::isfinite(value_)) return result;
  std::vector<std::vector<double>> direction;
  double claimed = 0, magnitude = 0;
  for (const std::vector<double>& values : values_) direction.emplace_back(values.size());
  const std::vector<std::size_t> moved = independent();
  for (std::size_t k : moved) {
    std::vector<double>& d = direction[k];
    for (std::size_t i = 0; i < d.size(); ++i) {
      d[i] = random.uniform(-1, 1);
      if (!std::isfinite(analytic_[k][i])) d[i] = 0;
    }
    for (std::size_t i : kinks_[k]) d[i] = 0;
    for (std::size_t i = 0; i < d.size(); ++i) {
      if (d[i] == 0) continue;
      claimed += analytic_[k][i] * d[i];
      magnitude += std::abs(analytic_[k][i] * d[i]);
    }
  }
  const bool moves = std::any_of(direction.begin(), direction.end(), [](const auto& d) {
    return std::any_of(d.begin(), d.end(), [](double step) { return step != 0; });
  });
  if (!moves || !std::isfinite(claimed)) return result;
  std::optional<Forward> exact;  // the gradient, too
  const auto judged = [&](const DualSystem& system, std::string oracle) {
    const double slope = forward(system, moved, direction).slope;
    if (!std::isfinite(slope)) return;
    Judgement j = tapegrad::judge(claimed, Slopes::exactly(slope, value_, 1e-14 * magnitude),
                                  {.rounding = 1e-13 * magnitude, .oracle = std::move(oracle)});
    // Or does rounding decide? More digits tell, and need not if an element is known to be wrong.
    if (j.verdict == Verdict::fail && !wrong_) {
      if (!exact) exact = forward(dual_fifty_digits(), moved, direction, gradient_);
      const double rounding = rounding_left * std::abs(claimed - slope);
      if (std::abs(exact->claimed - exact->slope) <= 1e-13 * exact->magnitude + rounding) {
        j.verdict = Verdict::pass;
        j.numeric = exact->slope;
        j.digits = zero_but_for_rounding(exact->magnitude, magnitude)
                       ? std::numeric_limits<double>::infinity()
                       : digits_of(relative(std::abs(claimed - exact->slope), exact->magnitude,
                                            magnitude));
        j.oracle = "dual numbers of 50 digits";
      }
    }
    j.evaluations = 1;
    result.push_back(std::move(j));
  };
  judged(dual_numbers(), "dual numbers");
  judged(complex_step(), "complex step");
  return result;
}

std::optional<Probe::Switch> Probe::switched(std::size_t k, std::size_t element) {
  if (!any_arithmetic_) return {};
  struct Run {
    std::vector<Branch> log;
    std::vector<std::size_t> begins;  // of each step
  };
  const auto run = [&](double x) {
    Run r;
    const BranchNotes notes(r.log);
    Trial<Number> trial(subject_.recording(), {&number_, 1}, {&x_[k], 1}, Site{}, &notes);
    trial.free(x_[k])[element] = notes.number(x);
    r.log.clear();
    trial.run([&](const Step&) { r.begins.push_back(r.log.size()); });
    r.begins.push_back(r.log.size());
    evaluations_ += 1;
    return std::pair(std::move(r), std::vector<Step>(trial.steps().begin(), trial.steps().end()));
  };
  const double x = values_[k][element], h = 1e-6 * scale_of({&x, 1});
  const auto [down, steps] = run(x - h);
  const auto [up, same_steps] = run(x + h);
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const std::size_t n = down.begins[s + 1] - down.begins[s];
    const bool same_length = n == up.begins[s + 1] - up.begins[s];
    for (std::size_t i = 0; i < n; ++i) {
      const Branch& a = down.log[down.begins[s] + i];
      if (same_length && a.same_way(up.log[up.begins[s] + i])) continue;
      Switch found{.record = steps[s].id};
      const Node& node = subject_.recording().node(found.record);
      const auto elements = static_cast<std::size_t>(node.shape.numel());
      // An elementwise kernel asks the same questions of each element.
      if (node.op->kind == Kind::elementwise && n % elements == 0)
        found.element = static_cast<std::int64_t>(i / (n / elements));
      return found;
    }
    if (!same_length) return Switch{.record = steps[s].id};
  }
  return {};
}

}  // namespace tapegrad
