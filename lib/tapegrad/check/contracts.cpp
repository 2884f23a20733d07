#include "tapegrad/check/contracts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/kernel/number_systems.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/transcript.hpp"
#include "tapegrad/tape/trial.hpp"

namespace tapegrad {
namespace {

using Numbers = std::vector<double>;

bool same_bits(std::span<const double> a, std::span<const double> b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

/// The gradient of <seed, y> with the seed as an input, on a tape of its own.
struct Seeded {
  Site at;
  Tape tape{float64, at};
  std::vector<Tensor> x, gradient;
  Tensor y, seed;

  explicit Seeded(const Subject& subject) : at(subject.at) {
    std::vector<Id> ids{subject.id(subject.y)};
    for (const Tensor& t : subject.x) ids.push_back(subject.id(t));
    const Transcript transcript(subject.recording(), ids, tape, at);
    y = transcript.copy(ids[0]);
    for (std::size_t i = 1; i < ids.size(); ++i) x.push_back(transcript.copy(ids[i]));
    seed = tape.input(Array(y.shape(), Numbers(static_cast<std::size_t>(y.numel()), 1.0)), at);
    gradient.resize(x.size());
    gradients(seeded(y, {seed, at}), x, gradient);
  }
  std::vector<Numbers> by(const Array& v) {
    seed.set(v, at);
    tape.replay_all(gradient, at);
    std::vector<Numbers> result;
    for (const Tensor& g : gradient) result.push_back(g.values());
    return result;
  }
};

Array combined(double a, const Array& v, double b, const Array& w) {
  Numbers sum = v.values();
  const Numbers other = w.values();
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = a * sum[i] + b * other[i];
  return Array(v.shape(), sum);
}

constexpr double a = 0.75, b = -1.5;  // of two cotangents

/// Whether an error of linearity that was seen in doubles is one of rounding: in fifty digits that
/// shrinks, and a mistake does not.
bool rounding_only(const Seeded& one, std::size_t k, const Array& v, const Array& w,
                   double error_in_doubles) {
  const Recording& recording = one.tape.recording();
  const Id seed = recording.id_of(one.seed, "check", Site{});
  const Id g = recording.id_of(one.gradient[k], "check", Site{});
  const NumberSystem& system = fifty_digits();
  const Numbers first = v.values(), second = w.values();
  try {
    Trial<Number> trial(recording, {&g, 1}, {&seed, 1}, Site{}, &system);
    const auto by = [&](double of_v, double of_w) {
      for (std::size_t i = 0; i < first.size(); ++i)
        trial.free(seed)[i] = system.number(first[i]) * of_v + system.number(second[i]) * of_w;
      trial.run();
      return std::vector<Number>(trial.values(g).begin(), trial.values(g).end());
    };
    const auto by_v = by(1, 0), by_w = by(0, 1), by_both = by(a, b);
    Number error = 0;
    for (std::size_t i = 0; i < by_v.size(); ++i)
      error += abs(by_both[i] - (a * by_v[i] + b * by_w[i]));
    return error <= rounding_left * error_in_doubles;
  } catch (const Error&) {  // some op computes in doubles only
    return false;
  }
}

}  // namespace

std::vector<std::string> broken_contracts(const Subject& subject, Random& random) {
  std::vector<std::string> broken;
  std::vector<Numbers> before;
  for (const Tensor& t : subject.x) before.push_back(t.values());

  const Id number = subject.id(subject.number);
  const Trial<double> first(subject.recording(), {&number, 1}, {}, Site{});
  const Trial<double> second(subject.recording(), {&number, 1}, {}, Site{});
  if (!same_bits(first.values(number), second.values(number)))
    broken.push_back(fmt::format("two runs give {} and {}: the function is not pure",
                                 first.values(number)[0], second.values(number)[0]));

  Seeded one(subject), other(subject);
  const Array v = random_cotangent(one.y.shape(), random);
  const Array w = random_cotangent(one.y.shape(), random);
  const auto by_v = one.by(v), by_v_again = other.by(v), by_w = one.by(w);
  const auto by_both = one.by(combined(a, v, b, w)), by_zero = one.by(combined(0, v, 0, w));
  for (std::size_t k = 0; k < by_v.size(); ++k) {
    const std::string& name = subject.names[k];
    if (!same_bits(by_v[k], by_v_again[k]))
      broken.push_back(fmt::format("two sweeps give different bits by {}", name));
    bool zero = true, linear = true;
    double errors = 0, largest = 0;  // sums cancel: what rounding does is up to the whole gradient
    for (const double g : by_v[k]) largest = std::max(largest, std::abs(g));
    for (std::size_t i = 0; i < by_v[k].size(); ++i) {
      zero = zero && by_zero[k][i] == 0;
      const double magnitude = std::abs(a * by_v[k][i]) + std::abs(b * by_w[k][i]);
      const double error = std::abs(by_both[k][i] - (a * by_v[k][i] + b * by_w[k][i]));
      errors += error;
      linear =
          linear && (error <= 1e-11 * std::max(magnitude, largest) || !std::isfinite(magnitude));
    }
    if (!zero) broken.push_back(fmt::format("a cotangent of zeros gives no zeros by {}", name));
    if (!linear && !rounding_only(one, k, v, w, errors))
      broken.push_back(fmt::format("the gradient by {} is not linear in the cotangent", name));
  }
  for (std::size_t k = 0; k < before.size(); ++k)
    if (!same_bits(before[k], subject.x[k].values()) || !same_bits(before[k], one.x[k].values()))
      broken.push_back(fmt::format("an op writes into its operand {}", subject.names[k]));
  return broken;
}

}  // namespace tapegrad
