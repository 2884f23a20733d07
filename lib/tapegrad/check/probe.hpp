// Internal: measures how a subject's number changes with its x, in doubles, in fifty digits and in
// forward mode, and judges the recorded gradient by that.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tapegrad/base/random.hpp"
#include "tapegrad/check/sample.hpp"
#include "tapegrad/check/subject.hpp"
#include "tapegrad/kernel/number_systems.hpp"
#include "tapegrad/tape/trial.hpp"

namespace tapegrad {

class Probe {
 public:
  explicit Probe(const Subject& subject);

  /// Judges the gradient by x[k]: by differences, and in fifty digits where those cannot decide.
  SampledGradient judge(std::size_t k, const Sampling& sampling);

  /// Judges <gradient, d> for one random direction d of all x, in a forward mode that has no
  /// differences: dual numbers, then the complex step. Elements at kinks stay where they are, as
  /// do x that are another x, or computed from one: they move with it.
  std::vector<Judgement> judge_forward(Random& random);

  /// The first record that takes another branch when an element of x[k] moves by -h and h.
  struct Switch {
    Id record = 0;
    std::int64_t element = -1;  // of the record, or -1 if it cannot be told
  };
  std::optional<Switch> switched(std::size_t k, std::size_t element);

  /// Whether every op computes in any arithmetic: not so with code of others.
  bool any_arithmetic() const { return any_arithmetic_; }
  int evaluations() const { return evaluations_; }

 private:
  Slopes measure(Trial<double>& trial, std::size_t k, const Direction& direction, double claimed);
  std::vector<std::size_t> independent() const;
  /// In forward mode: the slope of the number as the x of these places move along their directions,
  /// and the product of the recorded gradient, if it is given, with all of it, in one arithmetic.
  struct Forward {
    double slope, claimed, magnitude;
  };
  Forward forward(const DualSystem& system, std::span<const std::size_t> moved,
                  const std::vector<std::vector<double>>& direction,
                  std::span<const Id> gradient = {});
  void decide(std::size_t k, std::size_t element, Judgement& judgement);

  const Subject& subject_;
  Id number_;
  std::vector<Id> x_, gradient_;
  std::vector<std::vector<double>> values_, analytic_;
  std::vector<std::vector<std::size_t>> kinks_;  // elements of each x
  double value_;
  bool any_arithmetic_ = true;
  std::unique_ptr<Trial<Number>> exact_;  // of the x being judged, in fifty digits
  bool wrong_ = false;                    // an element is, in fifty digits
  int evaluations_ = 0;
};

}  // namespace tapegrad
