#include "tapegrad/check/check_op.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "tapegrad/check/alone.hpp"
#include "tapegrad/check/check_subject.hpp"
#include "tapegrad/check/contracts.hpp"
#include "tapegrad/check/op_cases.hpp"
#include "tapegrad/check/probe.hpp"
#include "tapegrad/kernel/number_systems.hpp"
#include "tapegrad/tape/trial.hpp"

namespace tapegrad {
namespace {

/// Whether the values of a kernel in another arithmetic are those in doubles.
std::optional<std::string> differs_in(const Subject& d, const NumberSystem& system,
                                      std::string_view name) {
  const Id id = d.id(d.y);
  const Trial<Number> trial(d.recording(), {&id, 1}, {}, Site{}, &system);
  const std::vector<double> expected = d.y.values();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto value = static_cast<double>(trial.values(id)[i]);
    if (value == expected[i] || (std::isnan(value) && std::isnan(expected[i]))) continue;
    if (!(std::abs(value - expected[i]) <= 1e-12 * std::max(1.0, std::abs(expected[i]))))
      return fmt::format("element {} is {} in {}, {} in doubles", i, value, name, expected[i]);
  }
  return {};
}

/// The operands' common domain, for the same tensor in all places.
std::optional<Domain> common_domain(const Op& op, std::size_t operands) {
  Domain common = op.sample[0];
  for (std::size_t i = 0; i < operands; ++i) {
    if (op.sample[i].whole) return {};
    common.low = std::max(common.low, op.sample[i].low);
    common.high = std::min(common.high, op.sample[i].high);
  }
  if (!(common.low < common.high)) return {};
  return common;
}

struct OpFindings {
  Findings findings;
  AloneResult alone;
  std::optional<std::string> shape, first, arithmetic, second, contract, shared;
};

/// Judges the whole gradient of a subject. What is wrong is a finding about the op.
void add_elements(const Op& op, const Subject& subject, const OpCase& c, const std::string& along,
                  OpFindings& found, std::optional<std::string>& bad) {
  Probe probe(subject);
  for (std::size_t k = 0; k < subject.x.size(); ++k) {
    const SampledGradient sample = probe.judge(k, {.max_evaluations = 2000});
    for (const SampledElement& e : sample.elements) {
      Element element{.leaf = subject.names[k],
                      .index = index_of(e.index, subject.x[k].shape()),
                      .judgement = e.judgement,
                      .along = along};
      if (e.judgement.verdict == Verdict::fail && !bad) {
        bad = fmt::format("{} for {}: {}, measured {}", element.where(), text(c),
                          e.judgement.analytic, e.judgement.numeric);
        found.alone.bad.push_back({.op = std::string(op.name),
                                   .label = text(c),
                                   .operand = static_cast<int>(k),
                                   .operand_name = subject.names[k],
                                   .worst = element});
      }
      found.findings.elements.push_back(std::move(element));
    }
    found.findings.evaluations += sample.evaluations;
  }
}

void check_shape(const Op& op, const OpCase& c, const Shape& shape, OpFindings& found) {
  if (op.kind != Kind::elementwise || op.examples != nullptr || found.shape) return;
  std::optional<Shape> common = c.shapes[0];
  for (const Shape& operand : c.shapes)
    if (common) common = broadcast(*common, operand);
  if (common && *common != shape)
    found.shape = fmt::format("{} gives {}, where the operands broadcast to {}", text(c),
                              tapegrad::text(shape), tapegrad::text(*common));
}

/// All checks with one choice of operands; `until_found`: as soon as a first derivative is wrong,
/// the rest is left out.
void check_case(const Op& op, const OpCase& c, Random random, bool until_found, OpFindings& found) {
  Subject d("check_op");
  try {
    d = drawn(op, c, random);
  } catch (const Error& error) {  // its own domain and shapes are refused
    if (!found.shape) found.shape = fmt::format("{}: {}", text(c), error.text());
    return;
  }
  check_shape(op, c, d.y.shape(), found);
  if (found.shape) return;  // such an op reads beyond its operands
  if (op.forward.number() != nullptr && !found.arithmetic) {
    found.arithmetic = differs_in(d, fifty_digits(), "50 digits");
    if (!found.arithmetic) found.arithmetic = differs_in(d, dual_numbers(), "dual numbers");
  }
  if (op.vjp.flow() == VjpRule::Flow::none || op.kind == Kind::effect || d.y.numel() == 0) return;
  const std::size_t bad = found.alone.bad.size();
  check_alone(d, d.id(d.y), text(c), random, 4000, found.alone);
  if (found.alone.bad.size() > bad && !found.first)
    found.first = fmt::format("wrong by operand {} for {}", found.alone.bad[bad].operand, text(c));
  if (until_found && !found.alone.bad.empty()) return;

  std::vector<int> operands;
  Subject first = subject_alone(d, d.id(d.y), operands);
  if (first.x.empty()) return;
  first.derive(1, random);
  for (Judgement& j : Probe(first).judge_forward(random))
    found.findings.elements.push_back({.leaf = "all operands",
                                       .index = {},
                                       .judgement = std::move(j),
                                       .along = "a random direction"});
  if (!found.contract)
    if (const auto broken = broken_contracts(first, random); !broken.empty())
      found.contract = fmt::format("{}: {}", text(c), broken.front());
  if (op.vjp.flow() != VjpRule::Flow::rule) return;
  Subject second = subject_alone(d, d.id(d.y), operands);
  try {
    second.derive(2, random);
  } catch (const Error& error) {
    found.second = fmt::format("{}: {}", text(c), error.text());
    return;
  }
  add_elements(op, second, c, "the second derivative", found, found.second);
}

/// The same tensor as every operand: its adjoint is the sum of all shares.
void check_shared(const Op& op, Random& random, OpFindings& found) {
  const std::size_t operands = cases_of(op).front().shapes.size();
  const auto domain = common_domain(op, operands);
  if (operands < 2 || !domain || op.kind != Kind::elementwise) return;
  Subject subject("check_op");
  const Tensor x = subject.tape.input(drawn(*domain, Shape{3}, random), Site{});
  const std::vector<Arg> args(operands, Arg(x, Site{}));
  subject.y = record(op, args);
  subject.x = {x};
  subject.names = {"one tensor in all places"};
  subject.derive(1, random);
  if (BalanceResult balance = check_balance(subject); !balance.bad.empty()) {
    found.shared = "the shares of one tensor in several places are not added up";
    found.alone.bad.push_back(std::move(balance.bad.front()));
  }
  const OpCase same{.shapes = std::vector<Shape>(operands, Shape{3})};
  add_elements(op, subject, same, "", found, found.shared);
}

Section section(std::string name, const std::optional<std::string>& bad, std::string good) {
  return {.name = std::move(name),
          .verdict = bad ? Verdict::fail : Verdict::pass,
          .sentence = bad.value_or(std::move(good))};
}

/// What is found in many cases is said once, with the case that shows most.
std::vector<OpFinding> one_for_each_operand(std::vector<OpFinding> all) {
  std::vector<OpFinding> result;
  for (OpFinding& finding : all) {
    const auto known = std::find_if(result.begin(), result.end(), [&](const OpFinding& r) {
      return r.operand == finding.operand;
    });
    if (known == result.end())
      result.push_back(std::move(finding));
    else if (finding.elements > known->elements)
      *known = std::move(finding);
  }
  return result;
}

void require_possible(const CheckOptions& options, Site at) {
  constexpr std::string_view doing = "check_op";
  require_sensible(options, doing, at);
  if (options.order > 2)
    throw Error(std::string(doing),
                fmt::format("an op alone is checked to order 2, not {}", options.order), at,
                "check_gradient of a function that uses it goes further");
  if (!options.wrt.empty())
    throw Error(std::string(doing), "wrt chooses by name: an op is checked by all its operands",
                at);
}

Report check(const Op& op, const CheckOptions& options, bool until_found, Site at) {
  require_possible(options, at);
  Random random{options.seed};
  OpFindings found;
  Findings& f = found.findings;
  f.subject = fmt::format("op {}", op.name);
  f.repeat = fmt::format("check_op(..., {{.seed = {}}})", options.seed);
  f.inconclusive = options.inconclusive;
  f.expect_zero = options.expect_zero || op.vjp.flow() != VjpRule::Flow::rule;
  const std::vector<OpCase> cases = cases_of(op, at);
  try {
    for (const OpCase& c : cases) {
      check_case(op, c, random, until_found, found);
      if (until_found && !found.alone.bad.empty()) break;
    }
    if (!found.shape && op.vjp.flow() == VjpRule::Flow::rule) check_shared(op, random, found);
  } catch (const Error& error) {  // of a rule: there is no other line of the user's
    throw Error(error.op(), error.text(), error.operands(), at, error.hint());
  }
  f.evaluations += found.alone.evaluations;
  for (Element& element : found.alone.elements) f.elements.push_back(std::move(element));
  f.sections = {section("shapes", found.shape, fmt::format("{} cases", cases.size())),
                section("first derivatives", found.first, fmt::format("{} cases", found.alone.ops)),
                section("second derivatives", found.second, "by each operand"),
                section("one tensor in several places", found.shared, "shares are added up"),
                section("other arithmetics", found.arithmetic, "the kernel gives the same"),
                section("contracts", found.contract, "kept")};
  if (op.vjp.flow() != VjpRule::Flow::rule)
    f.notes.push_back("the op has no rule: its derivative is zero, or nothing flows");
  f.bad_ops = one_for_each_operand(std::move(found.alone.bad));
  return Report(std::move(f));
}

}  // namespace

Report check_op(const Op& op, const CheckOptions& options, Site at) {
  return check(op, options, false, at);
}

Report check_op_until_found(const Op& op, const CheckOptions& options, Site at) {
  return check(op, options, true, at);
}

}  // namespace tapegrad
