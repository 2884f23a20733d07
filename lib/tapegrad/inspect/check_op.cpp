#include "tapegrad/inspect/check_op.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <ostream>

#include "tapegrad/inspect/alone.hpp"
#include "tapegrad/inspect/check_subject.hpp"
#include "tapegrad/inspect/contracts.hpp"
#include "tapegrad/inspect/probe.hpp"
#include "tapegrad/inspect/subject.hpp"
#include "tapegrad/kernel/number_systems.hpp"
#include "tapegrad/ops/vjp.hpp"
#include "tapegrad/tape/transcript.hpp"
#include "tapegrad/tape/trial.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view doing = "check_op";

std::string text(const OpCase& c) {
  std::string result;
  for (const Shape& shape : c.shapes) result += (result.empty() ? "" : " ") + tapegrad::text(shape);
  if (!c.attributes.empty()) result += fmt::format(" [{}]", joined(c.attributes, " "));
  return result;
}

Array drawn(const Domain& domain, const Shape& shape, Random& random) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (double& x : values) {
    x = random.uniform(domain.low, domain.high);
    if (domain.whole) x = std::floor(x);
  }
  return Array(shape, values);
}

/// An op recorded at drawn operands.
Subject drawn(const Op& op, const OpCase& c, Random random) {
  Subject subject;
  std::vector<Arg> args;
  for (std::size_t i = 0; i < c.shapes.size(); ++i) {
    const Array values = drawn(op.sample[i], c.shapes[i], random);
    const bool changed = i == 0 && op.kind == Kind::effect;
    const Tensor x =
        changed ? subject.tape.state(values, Site{}) : subject.tape.input(values, Site{});
    args.emplace_back(x.named(fmt::format("operand {}", i), Site{}), Site{});
  }
  subject.y = record(op, args, c.attributes);
  return subject;
}

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
  std::optional<std::string> shape, arithmetic, second, contract, shared;
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
  const Subject d = drawn(op, c, random);
  check_shape(op, c, d.y.shape(), found);
  if (found.shape) return;  // such an op reads beyond its operands
  if (op.forward.number() != nullptr && !found.arithmetic) {
    found.arithmetic = differs_in(d, fifty_digits(), "50 digits");
    if (!found.arithmetic) found.arithmetic = differs_in(d, dual_numbers(), "dual numbers");
  }
  if (op.vjp.flow() == VjpRule::Flow::none || op.kind == Kind::effect || d.y.numel() == 0) return;
  check_alone(d, d.id(d.y), text(c), random, 4000, found.alone);
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
    // A slope that depends on nothing has no derivative to ask for.
    if (error.op() != "gradient") found.second = fmt::format("{}: {}", text(c), error.text());
    return;
  }
  add_elements(op, second, c, "the second derivative", found, found.second);
}

/// The same tensor as every operand: its adjoint is the sum of all shares.
void check_shared(const Op& op, Random& random, OpFindings& found) {
  const std::size_t operands = cases_of(op).front().shapes.size();
  const auto domain = common_domain(op, operands);
  if (operands < 2 || !domain || op.kind != Kind::elementwise) return;
  Subject subject;
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
          .sentence = bad ? *bad : std::move(good)};
}

/// Whether a mutant's gradients are those of its original.
bool equivalent(const Subject& original, const Subject& mutated) {
  for (std::size_t k = 0; k < original.gradient.size(); ++k) {
    const std::vector<double> a = original.gradient[k].values(), b = mutated.gradient[k].values();
    double scale = 0;
    for (double g : a) scale = std::max(scale, std::abs(g));
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!(std::abs(a[i] - b[i]) <= 1e-13 * scale)) return false;
  }
  return true;
}

/// The largest difference of gradients that a mutation makes in the cases of an op, is it zero?
bool equivalent(const Op& op, const Mutant& mutant, std::uint32_t seed) {
  for (const OpCase& c : cases_of(op)) {
    Random a{seed}, b{seed};
    std::vector<int> operands, same;
    const Subject right = drawn(op, c, a), wrong = drawn(mutant, c, b);
    Subject original = subject_alone(right, right.id(right.y), operands);
    Subject mutated = subject_alone(wrong, wrong.id(wrong.y), same);
    if (original.x.empty() || original.y.numel() == 0) continue;
    original.derive(1, a);
    mutated.derive(1, b);
    if (!equivalent(original, mutated)) return false;
  }
  return true;
}

Report check(const Op& op, const CheckOptions& options, bool until_found) {
  Random random{options.seed};
  OpFindings found;
  Findings& f = found.findings;
  f.subject = fmt::format("op {}", op.name);
  f.repeat = fmt::format("check_op({}_op, {{.seed = {}}})", op.name, options.seed);
  f.inconclusive = options.inconclusive;
  f.expect_zero = options.expect_zero || op.vjp.flow() != VjpRule::Flow::rule;
  const std::vector<OpCase> cases = cases_of(op);
  for (const OpCase& c : cases) {
    check_case(op, c, random, until_found, found);
    if (until_found && !found.alone.bad.empty()) break;
  }
  if (!found.shape && op.vjp.flow() == VjpRule::Flow::rule) check_shared(op, random, found);
  f.evaluations += found.alone.evaluations;
  for (Element& element : found.alone.elements) f.elements.push_back(std::move(element));
  std::optional<std::string> first;
  if (!found.alone.bad.empty())
    first = fmt::format("wrong by operand {} for {}", found.alone.bad.front().operand,
                        found.alone.bad.front().label);
  f.sections = {section("shapes", found.shape, fmt::format("{} cases", cases.size())),
                section("first derivatives", first, fmt::format("{} cases", found.alone.ops)),
                section("second derivatives", found.second, "by each operand"),
                section("one tensor in several places", found.shared, "shares are added up"),
                section("other arithmetics", found.arithmetic, "the kernel gives the same"),
                section("contracts", found.contract, "kept")};
  if (op.vjp.flow() != VjpRule::Flow::rule)
    f.notes.push_back("the op has no rule: its derivative is zero, or nothing flows");
  f.bad_ops = std::move(found.alone.bad);
  return Report(std::move(f));
}

std::string reason_for(Mutation mutation) {
  switch (mutation) {
    case Mutation::transposed:
      return "the share is symmetric";
    case Mutation::dropped_term:
      return "the dropped term is zero";
    case Mutation::not_accumulated:
      return "what is overwritten is zero";
    case Mutation::not_reduced:
      return "all slices but the first are zero";
    default:
      return "the share is zero";
  }
}

}  // namespace

std::vector<OpCase> cases_of(const Op& op) {
  std::vector<OpCase> result;
  if (op.examples != nullptr) {
    Examples examples;
    op.examples(examples);
    for (const auto& [shapes, attributes] : examples.cases) result.push_back({shapes, attributes});
    return result;
  }
  if (op.kind != Kind::elementwise)
    throw Error(std::string(op.name),
                "cannot be checked: it is not elementwise, and its block gives no examples", {},
                "list shapes and attributes in .examples");
  const std::size_t operands = op.forward.operands() != 0
                                   ? op.forward.operands()
                                   : std::max<std::size_t>(op.sample.count, 1);
  const std::vector<Shape> shapes{Shape{}, Shape{3}, Shape{3, 3}, Shape{2, 1, 3}, Shape{0}};
  for (const Shape& shape : shapes) result.push_back({std::vector<Shape>(operands, shape)});
  if (operands == 1) return result;
  for (std::size_t i = 0; i < operands; ++i)  // each in turn is stretched
    for (const Shape& small : {Shape{}, Shape{1}, Shape{3}, Shape{2, 1}, Shape{1, 3}}) {
      result.push_back({std::vector<Shape>(operands, Shape{2, 3})});
      result.back().shapes[i] = small;
    }
  result.push_back({std::vector<Shape>(operands, Shape{2, 1})});  // both are
  result.back().shapes[0] = Shape{1, 3};
  return result;
}

Report check_op(const Op& op, const CheckOptions& options) { return check(op, options, false); }

// ---------------------------------------------------------------- mutants

SelfTest self_test(const Op& op, const CheckOptions& options) {
  std::vector<MutantResult> results;
  if (op.vjp.flow() == VjpRule::Flow::rule && op.kind != Kind::effect) {
    std::size_t operands = 0;
    for (const OpCase& c : cases_of(op)) operands = std::max(operands, c.shapes.size());
    for (std::size_t i = 0; i < operands; ++i)
      for (Mutation mutation : mutations) {
        const Mutant mutant(op, mutation, i);
        const Report report = check(mutant, options, true);
        if (mutant.spoilt() == 0) continue;
        MutantResult result{
            .op = std::string(op.name), .mutation = mutation, .operand = static_cast<int>(i)};
        result.named = report.first_bad_op().op == op.name &&
                       (report.first_bad_op().operand == result.operand ||
                        mutation == Mutation::not_accumulated);
        if (report) {
          const bool same = equivalent(op, mutant, options.seed);
          result.fate = same ? MutantResult::Fate::equivalent : MutantResult::Fate::survived;
          result.reason = same ? reason_for(mutation) : "the check passed";
        } else if (!result.named) {
          result.reason = "killed, but the op was not named: " + report.headline();
        }
        results.push_back(std::move(result));
      }
  }
  return SelfTest(std::move(results));
}

SelfTest self_test(const Differentiated& y, std::initializer_list<Tensor> x,
                   const CheckOptions& options) {
  std::vector<MutantResult> results;
  Subject original = subject_of(y.y(), y.seed(), {x.begin(), x.size()}, y.site());
  const Recording& recording = original.recording();
  Random random{options.seed};
  {
    Random same = random;
    original.derive(options.order, same);
  }
  for (Id id : original.path()) {
    const Node& n = recording.node(id);
    if (n.leaf() || n.op->vjp.flow() != VjpRule::Flow::rule || id > original.id(original.y))
      continue;
    for (std::size_t i = 0; i < n.count; ++i)
      for (Mutation mutation : mutations) {
        const Mutant mutant(*n.op, mutation, i);
        std::vector<Id> outputs{original.id(original.y)};
        for (const Tensor& t : original.x) outputs.push_back(original.id(t));
        Subject mutated;
        const Transcript transcript(
            recording, outputs, mutated.tape, y.site(), [&](Id r) -> const Op& {
              return r == id ? static_cast<const Op&>(mutant) : *recording.node(r).op;
            });
        mutated.y = transcript.copy(outputs[0]);
        for (const Tensor& t : original.x) mutated.x.push_back(transcript.copy(original.id(t)));
        mutated.names = original.names;
        for (Id r : transcript.originals()) {
          mutated.labels.resize(mutated.id(transcript.copy(r)) + 1);
          mutated.labels.back() = original.label(r);
        }
        Random same = random;
        const Report report = check_subject(mutated, options, same, {.what = "a mutant"});
        if (mutant.spoilt() == 0) continue;
        MutantResult result{.op = fmt::format("{} at {}", original.label(id), text(n.site)),
                            .mutation = mutation,
                            .operand = static_cast<int>(i)};
        result.named = report.first_bad_op().op == n.op->name &&
                       report.first_bad_op().label == original.label(id);
        if (report) {
          const bool nothing = equivalent(original, mutated);
          result.fate = nothing ? MutantResult::Fate::equivalent : MutantResult::Fate::survived;
          result.reason = nothing ? reason_for(mutation) : "the check passed";
        } else if (!result.named) {
          result.reason = "killed, but the op was not named: " + report.headline();
        }
        results.push_back(std::move(result));
      }
  }
  return SelfTest(std::move(results));
}

int SelfTest::killed() const {
  return static_cast<int>(std::count_if(mutants_.begin(), mutants_.end(), [](const auto& m) {
    return m.fate == MutantResult::Fate::killed;
  }));
}

int SelfTest::total() const {
  return static_cast<int>(std::count_if(mutants_.begin(), mutants_.end(), [](const auto& m) {
    return m.fate != MutantResult::Fate::equivalent;
  }));
}

SelfTest::operator bool() const {
  const bool named = std::all_of(mutants_.begin(), mutants_.end(), [](const auto& m) {
    return m.fate != MutantResult::Fate::killed || m.named;
  });
  return total() > 0 && killed() == total() && named;
}

std::string SelfTest::text() const {
  std::string result = fmt::format("{} of {} mutants killed\n", killed(), total());
  if (total() == 0) result += "  nothing to spoil: a check of this cannot fail\n";
  for (const MutantResult& m : mutants_) {
    const bool fine = m.fate == MutantResult::Fate::killed && m.named;
    if (fine) continue;
    const std::string_view fate = m.fate == MutantResult::Fate::equivalent ? "equivalent"
                                  : m.fate == MutantResult::Fate::survived ? "SURVIVED"
                                                                           : "not named";
    result += fmt::format("  {:<10}  {} by operand {}, {}: {}\n", fate, m.op, m.operand,
                          tapegrad::text(m.mutation), m.reason);
  }
  return result;
}

std::ostream& operator<<(std::ostream& out, const SelfTest& result) { return out << result.text(); }

}  // namespace tapegrad
