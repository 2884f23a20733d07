#include "tapegrad/check/check_function.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "tapegrad/base/array.hpp"
#include "tapegrad/base/error.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/check/sample.hpp"

namespace tapegrad {
namespace {

using Numbers = std::vector<double>;

double epsilon_of(Precision precision) {
  return precision == float32 ? std::numeric_limits<float>::epsilon()
                              : std::numeric_limits<double>::epsilon();
}

bool same_numbers(std::span<const double> a, std::span<const double> b) {
  const auto same = [](double left, double right) {
    return left == right || (std::isnan(left) && std::isnan(right));
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

// A number computed from many, and what is claimed of its slopes.
struct Subject {
  std::string name;  // of the many
  Shape shape;
  std::function<double(std::span<const double>)> value;
  std::span<const double> x, gradient;
  Precision precision = float64;
};

// Measures along directions from x; the numbers of x are put back after each look.
Measure measure_of(const Subject& subject, double value) {
  const double epsilon = epsilon_of(subject.precision);
  return [=, moved = Numbers(subject.x.begin(), subject.x.end())](const Direction& direction,
                                                                  double claimed) mutable {
    const auto at = [&](double h) {
      for (std::size_t i = 0; i < direction.weights.size(); ++i)
        moved[direction.first + i] = subject.x[direction.first + i] + h * direction.weights[i];
      return subject.value(moved);
    };
    SlopeOptions options = {.claimed = claimed, .value = value, .epsilon = epsilon};
    if (direction.single()) {
      options.x = subject.x[direction.first];
      options.scale = std::abs(*options.x);
    }
    const Slopes slopes = measure_slopes(at, options);
    for (std::size_t i = 0; i < direction.weights.size(); ++i)
      moved[direction.first + i] = subject.x[direction.first + i];
    return slopes;
  };
}

// The numbers measured, and what they say about the mistake.
Diagnosis diagnosis_of(const Subject& subject, const SampledGradient& sample) {
  Numbers written, measured, bars;
  std::vector<std::size_t> places;
  for (const auto& [index, judgement] : sample.elements) {
    if (judgement.verdict == Verdict::inconclusive) return {};
    const bool kink = judgement.verdict == Verdict::kink;
    written.push_back(judgement.analytic);
    if (!sample.complete) places.push_back(index);
    measured.push_back(kink ? judgement.analytic : judgement.numeric);
    bars.push_back(kink ? 0 : judgement.bar);
  }
  const Shape shape =
      sample.complete ? subject.shape : Shape{static_cast<std::int64_t>(measured.size())};
  const Array wrong(shape, std::move(written)), right(shape, std::move(measured));
  return diagnose({.wrong = wrong,
                   .right = right,
                   .bars = std::move(bars),
                   .sample = std::move(places),
                   .whole = subject.shape});
}

// Judges the gradient of a subject, and adds what it finds.
void check(const Subject& subject, double value, const CheckOptions& options, int budget,
           Findings& findings) {
  const Numbers scales = direction_scales(subject.x);
  const SampledGradient sample =
      sample_elements(subject.gradient, subject.shape, measure_of(subject, value),
                      {.seed = options.seed,
                       .max_evaluations = budget,
                       .epsilon = epsilon_of(subject.precision),
                       .scales = scales});
  findings.evaluations += sample.evaluations;
  bool failed = false;
  for (const auto& [index, judgement] : sample.elements) {
    findings.elements.push_back({subject.name, index_of(index, subject.shape), judgement});
    failed = failed || judgement.verdict == Verdict::fail;
  }
  for (const Judgement& judgement : sample.directions)
    findings.elements.push_back(
        {.leaf = subject.name, .judgement = judgement, .along = "random signs"});
  if (failed && !findings.mistake) findings.mistake = diagnosis_of(subject, sample);
  if (!sample.complete)
    findings.notes.push_back(
        fmt::format("{}: {} of {} elements measured, the others in {} directions", subject.name,
                    sample.elements.size(), subject.gradient.size(), sample.directions.size()));
}

Findings findings_for(std::string subject, std::string_view function, const CheckOptions& options) {
  return {.subject = std::move(subject),
          .repeat = fmt::format("{}(..., {{.seed = {}}})", function, options.seed),
          .inconclusive = options.inconclusive,
          .expect_zero = options.expect_zero};
}

// The vjp of a kernel at some operands, as the contracts look at it.
class KernelAt {
 public:
  KernelAt(const PlainKernel& kernel, const KernelShapes& shapes, std::uint32_t seed, Site at)
      : kernel_(kernel), shapes_(shapes), at_(at) {
    Random random(seed);
    const auto round = [&](double number) {
      return kernel.precision == float32 ? static_cast<double>(static_cast<float>(number)) : number;
    };
    for (const KernelOperand& operand : shapes.operands) {
      if (!(operand.lo <= operand.hi))
        throw Error("check_vjp",
                    fmt::format("{} is drawn from {} to {}: no such range", name_of(x.size()),
                                operand.lo, operand.hi),
                    at);
      Numbers& numbers =
          x.emplace_back(random.uniform(operand.lo, operand.hi, operand.shape, at).values());
      for (double& number : numbers) number = round(number);
    }
    ybar = random.uniform(-1, 1, shapes.result).values();
    // Away from 0, so that each element of the result counts.
    for (double& number : ybar) number = round(number + std::copysign(0.5, number));
  }

  PlainKernel::Operands adjoints(std::span<const double> seed) const {
    PlainKernel::Operands xbar;
    for (const KernelOperand& operand : shapes_.operands)
      xbar.emplace_back(static_cast<std::size_t>(operand.shape.numel()));
    kernel_.vjp(x, seed, xbar);
    for (std::size_t i = 0; i < xbar.size(); ++i)
      if (xbar[i].size() != x[i].size())
        throw Error("check_vjp",
                    fmt::format("the adjoint of operand {} has {} elements instead of {}", i,
                                xbar[i].size(), x[i].size()),
                    at_);
    return xbar;
  }
  // <ybar, forward(x)> with operand i replaced: its gradient is the adjoint.
  double projected(std::size_t i, std::span<const double> replaced) const {
    PlainKernel::Operands moved = x;
    moved[i].assign(replaced.begin(), replaced.end());
    Numbers y(ybar.size());
    kernel_.forward(moved, y);
    double sum = 0;
    for (std::size_t k = 0; k < y.size(); ++k) sum += y[k] * ybar[k];
    return sum;
  }

  // What holds for every vjp: it is a function, and linear in the adjoint of the result.
  Section contracts() const {
    const PlainKernel::Operands once = adjoints(ybar), twice = adjoints(ybar);
    const PlainKernel::Operands zero = adjoints(Numbers(ybar.size()));
    Numbers doubled = ybar;
    for (double& number : doubled) number *= 2;
    const PlainKernel::Operands linear = adjoints(doubled);
    for (std::size_t i = 0; i < once.size(); ++i) {
      const std::string name = name_of(i);
      if (!same_numbers(once[i], twice[i]))
        return {"contracts", Verdict::fail, name + ": called twice, it gives other numbers"};
      for (std::size_t k = 0; k < once[i].size(); ++k) {
        if (zero[i][k] != 0)
          return {"contracts", Verdict::fail, name + ": not zero for an adjoint of zero"};
        if (linear[i][k] != 2 * once[i][k])  // doubling is exact
          return {"contracts", Verdict::fail, name + ": not linear in the adjoint of the result"};
      }
    }
    return {"contracts", Verdict::pass, "same numbers twice, zero for zero, linear"};
  }

  std::string name_of(std::size_t i) const {
    const std::string& name = shapes_.operands[i].name;
    return name.empty() ? fmt::format("operand {}", i) : name;
  }

  PlainKernel::Operands x;
  Numbers ybar;

 private:
  const PlainKernel& kernel_;
  const KernelShapes& shapes_;
  Site at_;
};

void require_possible(const CheckOptions& options, std::string_view function,
                      std::span<const std::string> names, Site at) {
  require_sensible(options, function, at);
  require_known(options, names, function, at);
  if (options.order != 1)
    throw Error(
        std::string(function),
        fmt::format(
            "order {} needs a tape: without one, only the first derivative is there to be checked",
            options.order),
        at);
}

}  // namespace

Report check_gradient(const PlainFunction& f, std::span<const double> x,
                      const CheckOptions& options, Site at) {
  if (x.empty())
    throw Error("check_gradient", "x is empty: there is nothing to differentiate by", at);
  require_possible(options, "check_gradient", std::vector<std::string>{"x"}, at);
  const Shape shape{static_cast<std::int64_t>(x.size())};
  Numbers gradient(x.size()), again(x.size());
  f.gradient(x, gradient);
  f.gradient(x, again);
  const double value = f.value(x), value_again = f.value(x);

  Findings findings = findings_for("f", "check_gradient", options);
  findings.evaluations = 2;
  const bool repeats =
      same_numbers(gradient, again) && same_numbers({&value, 1}, {&value_again, 1});
  findings.sections.push_back(
      {"contracts", repeats ? Verdict::pass : Verdict::fail,
       repeats ? "same numbers twice"
               : "called twice, the function or its gradient gives other numbers"});
  check({.name = "x",
         .shape = shape,
         .value = f.value,
         .x = x,
         .gradient = gradient,
         .precision = f.precision},
        value, options, options.max_evaluations, findings);
  return Report(std::move(findings));
}

Report check_vjp(const PlainKernel& kernel, const KernelShapes& shapes, const CheckOptions& options,
                 Site at) {
  if (shapes.operands.empty()) throw Error("check_vjp", "the kernel has no operand", at);
  const KernelAt here(kernel, shapes, options.seed, at);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < shapes.operands.size(); ++i) names.push_back(here.name_of(i));
  require_possible(options, "check_vjp", names, at);
  Findings findings = findings_for("<ybar, kernel>", "check_vjp", options);
  findings.sections.push_back(here.contracts());
  const PlainKernel::Operands adjoints = here.adjoints(here.ybar);
  const int budget =
      std::max(1, options.max_evaluations / static_cast<int>(shapes.operands.size()));
  for (std::size_t i = 0; i < shapes.operands.size(); ++i) {
    if (!options.wants(names[i]) || here.x[i].empty()) continue;
    const auto value = [&](std::span<const double> replaced) {
      return here.projected(i, replaced);
    };
    check({.name = names[i],
           .shape = shapes.operands[i].shape,
           .value = value,
           .x = here.x[i],
           .gradient = adjoints[i],
           .precision = kernel.precision},
          value(here.x[i]), options, budget, findings);
    ++findings.evaluations;
  }
  return Report(std::move(findings));
}

}  // namespace tapegrad
