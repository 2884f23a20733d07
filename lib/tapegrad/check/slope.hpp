// The slope of a function of one number, measured by differences, together with an error bar. Steps
// are chosen here, rounding noise is measured, and a kink shows as two one-sided slopes that
// disagree. Numbers only: who shifts what, and what the slope is compared with, is said elsewhere.
#pragma once

#include <functional>
#include <limits>
#include <optional>

namespace tapegrad {

/// h -> f(x + h d). Returns a number that is not finite where f is not defined.
using Line = std::function<double(double)>;

/// By how many error bars two numbers may differ and still be taken for the same.
inline constexpr double believed_bars = 20;

/// A measured number: the truth lies within a few bars of it. Unknown: value nan, bar infinite.
struct Slope {
  double value = std::numeric_limits<double>::quiet_NaN();
  double bar = std::numeric_limits<double>::infinity();

  bool known() const { return bar < std::numeric_limits<double>::infinity(); }
};

struct Slopes {
  Slope central = {};
  Slope below = {}, above = {};  // one-sided: of f(0) and f(-h), of f(h) and f(0)
  double value = 0;              // f(0)
  double noise = 0;              // by how much one value of f is uncertain
  double change = 0;             // the largest |f(h) - f(0)| met
  double steepest = 0;           // the largest |f(h) - f(0)| / |h| met
  bool by_rounding = false;      // rounding is all that makes the bar of `central` so wide
  bool kink = false;      // below and above are known, and differ by more than their error bars
  bool vertical = false;  // the slope grows without bound as the step shrinks
  int evaluations = 0;    // of f

  /// Nearly all one can hope to know: one exact number, from dual numbers or from more digits.
  static Slopes exactly(double slope, double value, double bar = 0) {
    return {.central = {slope, bar}, .value = value};
  }
};

struct SlopeOptions {
  /// The size of x: steps of a tenth of it and less are tried. Where x is 0: 1.
  double scale = 1;
  /// What the slope should be. Agreement with it ends the measurement early, disagreement makes it
  /// as thorough as it can be. A wrong number cannot make itself right: only steps are saved.
  std::optional<double> claimed = {};
  /// f(0), if it is known already.
  std::optional<double> value = {};
  /// If the number shifted is stored at x, steps are chosen so that x + h and x - h are exact.
  std::optional<double> x = {};
  /// The distance from 1 to the next number in which x is stored, and values are computed.
  double epsilon = std::numeric_limits<double>::epsilon();
  int max_evaluations = 300;
};

/// Measures the slope of `line` at 0 by Ridders' method (extrapolated differences; 1982) from
/// several starting steps.
Slopes measure_slopes(const Line& line, const SlopeOptions& options = {});

/// The step near h for which x + h and x - h lose no digits, if there is one. h is not 0.
double snapped(double h, double x, double epsilon = std::numeric_limits<double>::epsilon());

}  // namespace tapegrad
