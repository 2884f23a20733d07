#include "tapegrad/check/self_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "tapegrad/check/check_subject.hpp"
#include "tapegrad/check/op_cases.hpp"
#include "tapegrad/tape/transcript.hpp"

namespace tapegrad {
namespace {

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

/// What became of a mutant, from the report of its check.
template <class IsEquivalent>
void judge(MutantResult& result, const Report& report, bool named, IsEquivalent is_equivalent) {
  result.named = named;
  if (!report) {
    if (!named) result.reason = "killed, but the op was not named: " + report.headline();
    return;
  }
  const bool same = is_equivalent();
  result.fate = same ? MutantResult::Fate::equivalent : MutantResult::Fate::survived;
  result.reason = same ? reason_for(result.mutation) : "the check passed";
}

/// A subject with another op in the place of one record's.
Subject with_op(const Subject& original, Id record, const Op& op, Site at) {
  std::vector<Id> outputs{original.id(original.y)};
  for (const Tensor& t : original.x) outputs.push_back(original.id(t));
  Subject result(original.doing, at);
  const Transcript transcript(
      original.recording(), outputs, result.tape, at,
      [&](Id r) -> const Op& { return r == record ? op : *original.recording().node(r).op; });
  result.y = transcript.copy(outputs[0]);
  for (const Tensor& t : original.x) result.x.push_back(transcript.copy(original.id(t)));
  result.names = original.names;
  for (Id r : transcript.originals()) {
    result.labels.resize(result.id(transcript.copy(r)) + 1);
    result.labels.back() = original.label(r);
  }
  return result;
}

}  // namespace

SelfTest self_test(const Op& op, const CheckOptions& options, Site at) {
  std::vector<MutantResult> results;
  if (op.vjp.flow() != VjpRule::Flow::rule || op.kind == Kind::effect) return SelfTest({});
  std::size_t operands = 0;
  for (const OpCase& c : cases_of(op, at)) operands = std::max(operands, c.shapes.size());
  for (std::size_t i = 0; i < operands; ++i)
    for (Mutation mutation : mutations) {
      const Mutant mutant(op, mutation, i);
      const Report report = check_op_until_found(mutant, options, at);
      if (mutant.spoilt() == 0) continue;
      MutantResult result{std::string(op.name), mutation, static_cast<int>(i)};
      const OpFinding& blamed = report.first_bad_op();
      const bool by_operand =
          blamed.operand == result.operand || mutation == Mutation::not_accumulated;
      judge(result, report, blamed.op == op.name && by_operand,
            [&] { return equivalent(op, mutant, options.seed); });
      results.push_back(std::move(result));
    }
  return SelfTest(std::move(results));
}

SelfTest self_test(const Differentiated& y, std::initializer_list<Tensor> x,
                   const CheckOptions& options) {
  require_sensible(options, "self_test", y.site());
  std::vector<MutantResult> results;
  Subject original = subject_of("self_test", y.y(), y.seed(), {x.begin(), x.size()}, y.site());
  select(original, options);
  const Recording& recording = original.recording();
  const Random random{options.seed};
  Random draws = random;
  original.derive(options.order, draws);
  for (Id id : original.path()) {
    const Node& n = recording.node(id);
    const bool before_y = id <= original.id(original.y);
    if (!before_y || n.leaf() || n.op->vjp.flow() != VjpRule::Flow::rule) continue;
    for (std::size_t i = 0; i < n.count; ++i)
      for (Mutation mutation : mutations) {
        const Mutant mutant(*n.op, mutation, i);
        Subject mutated = with_op(original, id, mutant, y.site());
        Random same = random;
        const Report report = check_subject(mutated, options, same, {.what = "a mutant"});
        if (mutant.spoilt() == 0) continue;
        MutantResult result{fmt::format("{} at {}", original.label(id), text(n.site)), mutation,
                            static_cast<int>(i)};
        const OpFinding& blamed = report.first_bad_op();
        judge(result, report, blamed.op == n.op->name && blamed.label == original.label(id),
              [&] { return equivalent(original, mutated); });
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
