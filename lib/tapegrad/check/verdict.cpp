#include "tapegrad/check/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <utility>

namespace tapegrad {
namespace {

constexpr double least_digits = 3;  // fewer would let an error of a percent pass

// How far two numbers may be apart, if the second has this error bar.
double tolerance(double analytic, const Slope& slope, const JudgeOptions& options) {
  return believed_bars * slope.bar +
         8 * options.epsilon * std::max(std::abs(analytic), std::abs(slope.value)) +
         options.rounding;
}

// Both sides together, or the only one there is.
Slope measured(const Slopes& slopes) {
  if (slopes.central.known()) return slopes.central;
  return slopes.below.bar < slopes.above.bar ? slopes.below : slopes.above;
}

// Why a slope is not known well enough.
std::string why_vague(const Slopes& slopes) {
  const double ulp = std::numeric_limits<double>::epsilon() * std::abs(slopes.value);
  const double ulps = slopes.change / ulp;
  if (slopes.by_rounding && ulps < 1e4)
    return fmt::format(
        "the value changes by hardly more than its own rounding: measured {:.3g} ulp", ulps);
  if (slopes.noise > 4 * ulp && slopes.noise > 0)
    return fmt::format("a value is uncertain by {:.1g}, so the slope by {:.1g}", slopes.noise,
                       measured(slopes).bar);
  return fmt::format("the differences settle no better than to +- {:.1g}", measured(slopes).bar);
}

// Nothing but rounding is seen, or next to nothing of what the function does elsewhere. A noise
// that is not small beside the value may be the function itself.
bool is_zero(const Slope& slope, const Slopes& slopes) {
  const bool rounding = slopes.by_rounding && slopes.noise <= 1e-5 * std::abs(slopes.value);
  return std::abs(slope.value) <= 4 * slope.bar &&
         (rounding || slope.bar <= 1e-6 * slopes.steepest);
}

Judgement with(Judgement judgement, Verdict verdict, std::string reason) {
  judgement.verdict = verdict;
  judgement.reason = std::move(reason);
  return judgement;
}

Judgement judge_vertical(const Judgement& judgement, const Slopes& slopes) {
  const double larger = std::abs(slopes.above.value) > std::abs(slopes.below.value) ||
                                !std::isfinite(slopes.below.value)
                            ? slopes.above.value
                            : slopes.below.value;
  if (std::isinf(judgement.analytic) && std::signbit(judgement.analytic) == std::signbit(larger))
    return with(judgement, Verdict::kink, "the slope grows without bound, as it is said");
  return with(judgement, Verdict::inconclusive,
              "the slope grows without bound as the step shrinks");
}

Judgement judge_kink(const Judgement& judgement, const Slopes& slopes,
                     const JudgeOptions& options) {
  const double analytic = judgement.analytic;
  const auto [low, high] = slopes.below.value < slopes.above.value
                               ? std::pair{slopes.below, slopes.above}
                               : std::pair{slopes.above, slopes.below};
  const bool between = analytic >= low.value - tolerance(analytic, low, options) &&
                       analytic <= high.value + tolerance(analytic, high, options);
  return with(judgement, between ? Verdict::kink : Verdict::fail,
              fmt::format("a kink, {} the slopes {:.6g} below and {:.6g} above",
                          between ? "between" : "outside", slopes.below.value, slopes.above.value));
}

Judgement judge_number(Judgement judgement, const Slopes& slopes, const JudgeOptions& options) {
  const auto [numeric, bar] = measured(slopes);
  const double analytic = judgement.analytic;
  const double size = std::max(std::abs(analytic), std::abs(numeric));
  const double apart = std::abs(analytic - numeric);
  if (!(apart <= tolerance(analytic, {numeric, bar}, options)))
    return with(judgement, Verdict::fail,
                bar > 0 ? fmt::format("{:.2g} error bars apart", apart / bar) : "they differ");
  if (analytic == 0) {
    if (!is_zero({numeric, bar}, slopes))
      return with(judgement, Verdict::inconclusive, why_vague(slopes));
    judgement.digits = std::numeric_limits<double>::infinity();
    return with(judgement, Verdict::pass, "zero");
  }
  const double unsure = std::max({bar, apart, options.epsilon * size, options.rounding});
  judgement.digits = std::clamp(-std::log10(unsure / size), 0.0, 16.0);
  if (judgement.digits < least_digits)
    return with(judgement, Verdict::inconclusive, why_vague(slopes));
  const bool one_side = !slopes.central.known();
  return with(judgement, Verdict::pass, one_side ? "defined on one side only" : "");
}

}  // namespace

std::string_view text(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "PASS";
    case Verdict::kink:
      return "KINK";
    case Verdict::inconclusive:
      return "INCONCLUSIVE";
    case Verdict::fail:
      return "FAIL";
  }
  return "";
}

std::ostream& operator<<(std::ostream& out, Verdict verdict) { return out << text(verdict); }

double Judgement::distance() const {
  const double apart = std::abs(analytic - numeric);
  if (apart == 0) return 0;
  const double unit = std::max(bar, 8 * std::numeric_limits<double>::epsilon() *
                                        std::max(std::abs(analytic), std::abs(numeric)));
  const double result = apart / unit;
  return std::isnan(result) ? std::numeric_limits<double>::infinity() : result;
}

bool worse(const Judgement& a, const Judgement& b) {
  if (a.verdict != b.verdict) return a.verdict > b.verdict;
  if (a.verdict == Verdict::fail) return a.distance() > b.distance();
  return a.digits < b.digits;
}

Judgement judge(double analytic, const Slopes& slopes, const JudgeOptions& options) {
  const auto [numeric, bar] = measured(slopes);
  const Judgement judgement = {.analytic = analytic,
                               .numeric = numeric,
                               .bar = bar,
                               .below = slopes.below.value,
                               .above = slopes.above.value,
                               .oracle = options.oracle,
                               .evaluations = slopes.evaluations};
  if (!std::isfinite(slopes.value))
    return with(judgement, Verdict::inconclusive,
                fmt::format("the function itself is {} there",
                            std::isnan(slopes.value) ? "nan" : fmt::format("{}", slopes.value)));
  if (std::isnan(analytic)) return with(judgement, Verdict::fail, "the derivative is nan");
  if (slopes.vertical) return judge_vertical(judgement, slopes);
  if (std::isinf(analytic) && std::isfinite(numeric))
    return with(judgement, Verdict::fail, "infinite, where the slope is finite");
  if (slopes.kink) return judge_kink(judgement, slopes, options);
  if (!std::isfinite(bar))
    return with(judgement, Verdict::inconclusive, "the function is not finite on either side");
  return judge_number(judgement, slopes, options);
}

}  // namespace tapegrad
