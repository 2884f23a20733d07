#include "tapegrad/check/check_subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "tapegrad/check/alone.hpp"
#include "tapegrad/check/contracts.hpp"
#include "tapegrad/check/probe.hpp"

namespace tapegrad {
namespace {

std::string plural(std::size_t n, std::string_view noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

std::string bracketed(std::span<const std::int64_t> index) {
  return index.empty() ? "" : "[" + joined(index, ",") + "]";
}

/// What a section is called: by the order, where that is not 1.
std::string section_name(int order, std::string_view first, std::string_view further) {
  return order == 1 ? std::string(first) : fmt::format("order {}{}", order, further);
}

/// The whole gradient, element by element or by directions.
void check_whole(const Subject& subject, int order, const CheckOptions& options, Random& random,
                 Findings& findings) {
  Probe probe(subject);
  std::int64_t total = 0;
  for (const Tensor& x : subject.x) total += x.numel();
  Section section{.name = section_name(order, "whole gradient", "")};
  bool complete = true;
  std::size_t named_kinks = 0;
  for (std::size_t k = 0; k < subject.x.size(); ++k) {
    const Shape shape = subject.x[k].shape();
    const auto share =
        static_cast<double>(shape.numel()) / static_cast<double>(std::max<std::int64_t>(total, 1));
    const SampledGradient sample = probe.judge(
        k, {.seed = options.seed,
            .max_evaluations = std::max(200, static_cast<int>(options.max_evaluations * share))});
    complete = complete && sample.complete;
    for (const SampledElement& e : sample.elements) {
      findings.elements.push_back({.leaf = subject.names[k],
                                   .index = index_of(e.index, shape),
                                   .judgement = e.judgement,
                                   .order = order});
      section.verdict = std::max(section.verdict, e.judgement.verdict);
      if (e.judgement.verdict != Verdict::kink || named_kinks == 3) continue;
      const auto found = probe.switched(k, e.index);
      if (!found) continue;
      ++named_kinks;
      const Node& n = subject.recording().node(found->record);
      std::string element;
      if (found->element >= 0)
        element =
            " on element " + bracketed(index_of(static_cast<std::size_t>(found->element), n.shape));
      findings.notes.push_back(fmt::format("kink: {} at {} switches{} as {} moves",
                                           subject.label(found->record), text(n.site), element,
                                           findings.elements.back().where()));
    }
    for (const Judgement& j : sample.directions) {
      findings.elements.push_back(
          {.leaf = subject.names[k], .judgement = j, .along = "random signs", .order = order});
      section.verdict = std::max(section.verdict, j.verdict);
    }
  }
  for (Judgement& j : probe.judge_forward(random)) {
    section.verdict = std::max(section.verdict, j.verdict);
    findings.elements.push_back({.leaf = subject.x.size() == 1 ? subject.names[0] : "all",
                                 .judgement = std::move(j),
                                 .along = "a random direction",
                                 .order = order});
  }
  findings.evaluations += probe.evaluations();
  section.sentence =
      complete ? "every element"
               : "random directions, a sample of the elements, and a search where they fail";
  findings.sections.push_back(std::move(section));
  if (!probe.any_arithmetic())
    findings.notes.push_back(
        "code of others computes in doubles only: no other arithmetic certifies");
}

void check_each_op(const Subject& subject, int order, const CheckOptions& options, Random& random,
                   Findings& findings) {
  AloneResult alone = check_ops_alone(subject, random, options.max_evaluations);
  findings.evaluations += alone.evaluations;
  Section section{.name = section_name(order, "each op alone", ", each op"),
                  .verdict = alone.bad.empty() ? Verdict::pass : Verdict::fail};
  section.sentence = alone.bad.empty()
                         ? plural(static_cast<std::size_t>(alone.ops), "op")
                         : fmt::format("{} of {} wrong", alone.bad.size(),
                                       plural(static_cast<std::size_t>(alone.ops), "op"));
  if (alone.left_out > 0) section.sentence += fmt::format(", {} left out", alone.left_out);
  findings.sections.push_back(std::move(section));
  for (OpFinding& f : alone.bad) findings.bad_ops.push_back(std::move(f));
}

void check_sums(const Subject& subject, int order, Findings& findings) {
  BalanceResult balance = check_balance(subject);
  Section section{.name = section_name(order, "adjoint balance", ", balance"),
                  .verdict = balance.bad.empty() ? Verdict::pass : Verdict::fail};
  if (balance.left_out)
    section.sentence = "left out: too many records";
  else if (balance.bad.empty())
    section.sentence = fmt::format("{} are the sums of what their consumers pass on",
                                   plural(static_cast<std::size_t>(balance.records), "adjoint"));
  else
    section.sentence = fmt::format("{} is not the sum of what its consumers pass on",
                                   balance.bad.front().operand_name);
  findings.sections.push_back(std::move(section));
  for (OpFinding& f : balance.bad) findings.bad_ops.push_back(std::move(f));
}

void check_contracts(const Subject& subject, Random& random, Findings& findings) {
  const std::vector<std::string> broken = broken_contracts(subject, random);
  Section section{.name = "contracts", .verdict = broken.empty() ? Verdict::pass : Verdict::fail};
  section.sentence = broken.empty() ? "same bits twice, zero for zero, linear, operands untouched"
                                    : broken.front();
  for (std::size_t i = 1; i < broken.size(); ++i) findings.warnings.push_back(broken[i]);
  findings.sections.push_back(std::move(section));
}

/// What lies between an x and the number and has no derivative rule: slopes that are measured go
/// through it.
void note_stops(const Subject& subject, Findings& findings) {
  constexpr std::size_t most = 3;
  const std::vector<Id> stops = subject.stops();
  const Recording& recording = subject.recording();
  for (std::size_t i = 0; i < std::min(stops.size(), most); ++i) {
    const Node& n = recording.node(stops[i]);
    const std::string whose =
        n.origin == Node::none
            ? ""
            : fmt::format(" in the rule of {}", recording.node(n.origin).op->name);
    findings.notes.push_back(
        fmt::format("{}{} at {} stops the gradient here; measured slopes go through it", n.op->name,
                    whose, text(n.site)));
  }
  if (stops.size() > most)
    findings.notes.push_back(fmt::format("{} more stop the gradient", stops.size() - most));
}

bool any_wrong(const Findings& findings) {
  return std::any_of(findings.sections.begin(), findings.sections.end(),
                     [](const Section& section) { return section.verdict == Verdict::fail; });
}

/// What the worst leaf's numbers look like, if no op is to blame: of the last order, as none is
/// looked at after a wrong one.
void read_mistake(const Subject& subject, Findings& findings) {
  if (!findings.bad_ops.empty()) return;
  for (std::size_t k = 0; k < subject.x.size(); ++k) {
    const Shape own = subject.x[k].shape();
    const auto stride = strides(own);
    std::vector<double> wrong, right, bars;
    std::vector<std::size_t> places;
    bool failed = false;
    for (const Element& e : findings.elements) {
      if (e.leaf != subject.names[k] || !e.along.empty()) continue;
      if (e.order != findings.elements.back().order) continue;
      wrong.push_back(e.judgement.analytic);
      right.push_back(e.judgement.numeric);
      bars.push_back(e.judgement.bar);
      places.push_back(static_cast<std::size_t>(
          std::inner_product(e.index.begin(), e.index.end(), stride.begin(), std::int64_t{0})));
      failed = failed || e.judgement.verdict == Verdict::fail;
    }
    if (!failed) continue;
    const auto n = static_cast<std::int64_t>(wrong.size());
    const bool all = own.numel() == n;
    const Shape shape = all ? own : Shape{n};
    const Array have(shape, wrong), expected(shape, right);
    if (all) places.clear();
    findings.mistake = diagnose({.wrong = have,
                                 .right = expected,
                                 .bars = bars,
                                 .sample = std::move(places),
                                 .whole = own});
    return;
  }
}

}  // namespace

Report check_subject(Subject& subject, const CheckOptions& options, Random& random,
                     Circumstances circumstances) {
  Findings findings{.subject = std::move(circumstances.what),
                    .warnings = std::move(circumstances.warnings),
                    .notes = std::move(circumstances.notes),
                    .repeat = std::move(circumstances.repeat),
                    .inconclusive = options.inconclusive,
                    .expect_zero = options.expect_zero};
  for (int order = 1; order <= options.order; ++order) {
    if (any_wrong(findings)) {
      findings.notes.push_back(
          fmt::format("order {} is not looked at, as the one before is wrong", order));
      break;
    }
    subject.derive(order, random);
    check_whole(subject, order, options, random, findings);
    check_each_op(subject, order, options, random, findings);
    check_sums(subject, order, findings);
  }
  note_stops(subject, findings);
  for (Section& section : circumstances.sections) findings.sections.push_back(std::move(section));
  check_contracts(subject, random, findings);
  read_mistake(subject, findings);
  return Report(std::move(findings));
}

}  // namespace tapegrad
