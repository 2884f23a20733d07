#include "tapegrad/check/sample.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tapegrad/base/random.hpp"

namespace tapegrad {
namespace {

constexpr std::size_t evaluations_of_one = 16;  // what a smooth element takes, with some to spare
constexpr std::size_t sampled = 48;
constexpr std::size_t enough_found = 3;  // bad elements, by narrowing down

class Sampler {
 public:
  Sampler(std::span<const double> analytic, const Measure& measure, const Sampling& sampling)
      : analytic_(analytic), measure_(measure), sampling_(sampling) {}

  void element(std::size_t index) {
    const double one[] = {1.0};
    result.elements.push_back({index, along({index, one})});
    if (result.elements.back().judgement.verdict == Verdict::fail) ++bad_;
  }

  // All elements together, with random signs; and where that fails, the elements that are at fault.
  void direction(Random& random) {
    std::vector<double> weights(analytic_.size());
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] = (random.random() < 0.5 ? -1 : 1) * scale(i);
    result.directions.push_back(along({0, weights}));
    if (result.directions.back().verdict == Verdict::fail) narrow({0, weights});
  }

  bool spent() const { return result.evaluations >= sampling_.max_evaluations; }

  SampledGradient result;

 private:
  double scale(std::size_t i) const { return sampling_.scales.empty() ? 1 : sampling_.scales[i]; }

  Judgement along(const Direction& direction) {
    double claimed = 0, magnitude = 0;
    for (std::size_t i = 0; i < direction.weights.size(); ++i) {
      const double share = direction.weights[i] * analytic_[direction.first + i];
      claimed += share;
      magnitude += std::abs(share);
    }
    const Slopes slopes = measure_(direction, claimed);
    result.evaluations += slopes.evaluations;
    const double rounding = direction.single() ? 0 : 4 * sampling_.epsilon * magnitude;
    return judge(claimed, slopes, {.epsilon = sampling_.epsilon, .rounding = rounding});
  }

  // The direction fails: so does one of its halves, unless both errors hide in the error bars.
  void narrow(const Direction& failing) {
    if (bad_ >= enough_found || spent()) return;
    if (failing.single()) return element(failing.first);
    const std::size_t half = failing.weights.size() / 2;
    for (const Direction& part : {Direction{failing.first, failing.weights.first(half)},
                                  Direction{failing.first + half, failing.weights.subspan(half)}})
      if (along(part).verdict == Verdict::fail) narrow(part);
  }

  std::span<const double> analytic_;
  const Measure& measure_;
  const Sampling& sampling_;
  std::size_t bad_ = 0;
};

void sort_and_drop_repeated(std::vector<std::size_t>& indices) {
  std::sort(indices.begin(), indices.end());
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
}

}  // namespace

std::vector<std::size_t> representative_elements(std::span<const double> analytic,
                                                 const Shape& shape, std::size_t count,
                                                 std::uint32_t seed) {
  const std::size_t n = analytic.size();
  std::vector<std::size_t> chosen;
  if (n <= count) {
    chosen.resize(n);
    std::iota(chosen.begin(), chosen.end(), std::size_t{0});
    return chosen;
  }
  const auto smaller = [](double a, double b) { return std::abs(a) < std::abs(b); };
  const auto [least, most] = std::minmax_element(analytic.begin(), analytic.end(), smaller);
  const auto place = [&](auto found) {
    return static_cast<std::size_t>(std::distance(analytic.begin(), found));
  };
  chosen = {0, n - 1, n / 2, place(most), place(least)};
  const auto stride = strides(shape);
  for (int axis = 0; axis < shape.rank(); ++axis) {  // the ends of the axis through both corners
    const auto reach =
        static_cast<std::size_t>((shape[axis] - 1) * stride[static_cast<std::size_t>(axis)]);
    chosen.push_back(reach);
    chosen.push_back(n - 1 - reach);
  }
  sort_and_drop_repeated(chosen);
  if (chosen.size() > count) chosen.resize(count);
  Random random(seed);
  while (chosen.size() < count) {
    while (chosen.size() < count)
      chosen.push_back(static_cast<std::size_t>(random.randint(0, static_cast<std::int64_t>(n))));
    sort_and_drop_repeated(chosen);
  }
  return chosen;
}

std::vector<std::int64_t> index_of(std::size_t element, const Shape& shape) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank()));
  auto rest = static_cast<std::int64_t>(element);
  for (int axis = shape.rank(); axis-- > 0; rest /= shape[axis])
    index[static_cast<std::size_t>(axis)] = rest % shape[axis];
  return index;
}

std::vector<double> direction_scales(std::span<const double> x) {
  double squares = 0;
  for (const double number : x) squares += number * number;
  const double size = std::sqrt(squares / static_cast<double>(std::max<std::size_t>(x.size(), 1)));
  std::vector<double> scales;
  for (const double number : x)
    scales.push_back(size > 0 ? std::max(std::abs(number), 0.1 * size) : 1);
  return scales;
}

SampledGradient sample_elements(std::span<const double> analytic, const Shape& shape,
                                const Measure& measure, const Sampling& sampling) {
  Sampler sampler(analytic, measure, sampling);
  const auto affordable = static_cast<std::size_t>(std::max(sampling.max_evaluations, 0));
  const bool all = analytic.size() * evaluations_of_one <= affordable;
  const std::size_t count =
      all ? analytic.size() : std::min(sampled, affordable / evaluations_of_one / 4 + 1);
  for (const std::size_t index : representative_elements(analytic, shape, count, sampling.seed))
    if (!sampler.spent()) sampler.element(index);
  if (!all) {
    Random random(sampling.seed);
    for (int k = 0; k < sampling.directions && !sampler.spent(); ++k) sampler.direction(random);
  }

  SampledGradient sample = std::move(sampler.result);
  std::vector<SampledElement>& elements = sample.elements;
  const auto before = [](const auto& a, const auto& b) { return a.index < b.index; };
  const auto same = [](const auto& a, const auto& b) { return a.index == b.index; };
  std::stable_sort(elements.begin(), elements.end(), before);
  elements.erase(std::unique(elements.begin(), elements.end(), same), elements.end());
  sample.complete = elements.size() == analytic.size();
  return sample;
}

}  // namespace tapegrad
