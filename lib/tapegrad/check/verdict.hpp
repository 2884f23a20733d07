// Whether a derivative is right, decided by the error bar of what it is compared with. There is no
// tolerance to choose: what cannot be decided is called inconclusive.
#pragma once

#include <iosfwd>
#include <limits>
#include <string>
#include <string_view>

#include "tapegrad/check/slope.hpp"

namespace tapegrad {

/// From good to bad, so that the worst of several is the largest.
enum class Verdict {
  pass,          // agrees, to as many digits as are certified
  kink,          // the function has a kink there, and the number lies between its one-sided slopes
  inconclusive,  // neither shown right nor wrong
  fail,          // farther from the measured slope than its error bar explains
};
/// `PASS`, `KINK`, `INCONCLUSIVE`, `FAIL`.
std::string_view text(Verdict verdict);
std::ostream& operator<<(std::ostream& out, Verdict verdict);

/// One derivative, analytic and measured, and what follows.
struct Judgement {
  Verdict verdict = Verdict::inconclusive;
  double analytic = 0;
  double numeric = std::numeric_limits<double>::quiet_NaN();
  double bar = std::numeric_limits<double>::infinity();
  double digits = 0;  // how many are certified; infinite of a slope of 0
  double below = std::numeric_limits<double>::quiet_NaN();  // one-sided slopes, where measured
  double above = std::numeric_limits<double>::quiet_NaN();
  std::string reason = {};             // why not just pass; a sentence without a full stop
  std::string oracle = "differences";  // what the analytic number was compared with
  int evaluations = 0;

  /// analytic / numeric
  double ratio() const { return analytic / numeric; }
  /// By how many error bars the two differ: what makes one judgement worse than another.
  double distance() const;
};
/// The worse verdict, or at equal verdicts the greater distance.
bool worse(const Judgement& a, const Judgement& b);

struct JudgeOptions {
  /// The distance from 1 to the next number, in the precision the analytic number is computed in.
  double epsilon = std::numeric_limits<double>::epsilon();
  /// How far the analytic number may be off by its own rounding, beyond 8 epsilon of itself: for a
  /// sum, epsilon times the sum of magnitudes.
  double rounding = 0;
  std::string oracle = "differences";
};

/// Compares an analytic derivative with a measured one.
Judgement judge(double analytic, const Slopes& slopes, const JudgeOptions& options = {});

}  // namespace tapegrad
