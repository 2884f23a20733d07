#include "tapegrad/check/alone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/check/bench.hpp"
#include "tapegrad/check/probe.hpp"
#include "tapegrad/ops/ops.hpp"

namespace tapegrad {
namespace {

/// A gradient as measured, of the elements that were.
struct Measured {
  Array wrong, right;
  std::vector<double> bars;
  std::vector<std::size_t> sample;  // which elements, if not all
};

Measured measured(const SampledGradient& sample, const Shape& shape) {
  std::vector<double> wrong, right, bars;
  std::vector<std::size_t> places;
  for (const SampledElement& e : sample.elements) {
    if (!sample.complete) places.push_back(e.index);
    wrong.push_back(e.judgement.analytic);
    right.push_back(e.judgement.numeric);
    bars.push_back(e.judgement.bar);
  }
  const Shape found =
      sample.complete ? shape : Shape(std::vector{static_cast<std::int64_t>(wrong.size())});
  return {Array(found, wrong), Array(found, right), std::move(bars), std::move(places)};
}

/// The share of a broadcast operand before it is summed, measured: that of the operand spread out.
std::optional<Array> before_sum(const Subject& subject, Id record, int operand, Random random,
                                int max_evaluations) {
  const Recording& recording = subject.recording();
  const Node& n = recording.node(record);
  const auto ids = recording.operands(record);
  const Shape& own = recording.node(ids[static_cast<std::size_t>(operand)]).shape;
  if (n.op->kind != Kind::elementwise || own == n.shape || n.shape.numel() > max_evaluations / 40)
    return {};
  Subject spread(subject.doing, n.site);
  std::vector<Arg> args;
  for (std::size_t i = 0; i < ids.size(); ++i)
    args.emplace_back(spread.tape.input(recording.handle(ids[i]).array(n.site), n.site), n.site);
  Arg& wide = args[static_cast<std::size_t>(operand)];
  wide = Arg(spread.tape.input(broadcast_to(wide, n.shape).array(), n.site), n.site);
  spread.x = {wide.tensor()};
  Op silent = *n.op;  // only its forward is asked: a wrong rule may not bear another shape
  silent.vjp = zero_gradient;
  spread.y = tapegrad::record(silent, args, recording.attributes(record));
  spread.derive(1, random);
  Probe probe(spread);
  const SampledGradient sample = probe.judge(0, {.max_evaluations = max_evaluations});
  if (!sample.complete) return {};
  return measured(sample, n.shape).right;
}

}  // namespace

void check_alone(const Subject& subject, Id record, const std::string& label, Random& random,
                 int max_evaluations, AloneResult& result) {
  const Recording& recording = subject.recording();
  const Node& n = recording.node(record);
  std::vector<int> operands;
  Subject alone = subject_alone(subject, record, operands);
  if (alone.x.empty() || alone.y.numel() == 0) return;
  const Random before = random;
  ++result.ops;
  alone.derive(1, random);
  Probe probe(alone);
  for (std::size_t k = 0; k < alone.x.size(); ++k) {
    const SampledGradient sample = probe.judge(k, {.max_evaluations = max_evaluations});
    const SampledElement* worst = nullptr;
    for (const SampledElement& e : sample.elements) {
      if (worst == nullptr || worse(e.judgement, worst->judgement)) worst = &e;
      if (e.judgement.verdict == Verdict::pass)
        result.digits = std::min(result.digits, e.judgement.digits);
      result.elements.push_back({.leaf = alone.names[k],
                                 .index = index_of(e.index, alone.x[k].shape()),
                                 .judgement = e.judgement});
      result.kinks += e.judgement.verdict == Verdict::kink;
      result.inconclusive += e.judgement.verdict == Verdict::inconclusive;
    }
    result.evaluations += sample.evaluations;
    const auto direction =
        std::find_if(sample.directions.begin(), sample.directions.end(),
                     [](const Judgement& j) { return j.verdict == Verdict::fail; });
    const bool found = worst != nullptr && worst->judgement.verdict == Verdict::fail;
    if (!found && direction == sample.directions.end()) continue;
    const Shape shape = alone.x[k].shape();
    OpFinding finding{.op = std::string(n.op->name),
                      .label = label,
                      .at = n.site,
                      .operand = operands[k],
                      .operand_name = alone.names[k]};
    finding.worst.leaf = alone.names[k];
    finding.elements = static_cast<int>(sample.elements.size());
    if (!found) {
      finding.worst.judgement = *direction;
      finding.worst.along = "random signs";
    } else {
      finding.worst.judgement = worst->judgement;
      finding.worst.index = index_of(worst->index, shape);
      const Measured m = measured(sample, shape);
      const auto wide = before_sum(subject, record, operands[k], before, max_evaluations);
      Evidence evidence{
          .wrong = m.wrong, .right = m.right, .bars = m.bars, .sample = m.sample, .whole = shape};
      if (wide && sample.complete) evidence.before_sum = &*wide;
      for (std::int64_t extent : n.shape) evidence.counts.push_back(extent);
      for (std::int64_t extent : shape) evidence.counts.push_back(extent);
      evidence.counts.push_back(shape.numel());
      finding.mistake = diagnose(evidence);
    }
    result.bad.push_back(std::move(finding));
  }
}

AloneResult check_ops_alone(const Subject& subject, Random& random, int max_evaluations) {
  AloneResult result;
  const Recording& recording = subject.recording();
  for (Id id : subject.path()) {
    const Node& n = recording.node(id);
    if (n.leaf() || n.op->kind == Kind::effect || n.op->vjp.flow() == VjpRule::Flow::none) continue;
    if (result.evaluations >= max_evaluations) {
      ++result.left_out;
      continue;
    }
    check_alone(subject, id, subject.label(id), random, std::min(max_evaluations, 4000), result);
  }
  return result;
}

BalanceResult check_balance(const Subject& subject) {
  constexpr std::size_t most_records = 2000;
  BalanceResult result;
  const Recording& recording = subject.recording();
  const std::vector<Id> path = subject.path();
  if (path.empty() || path.back() != subject.id(subject.number)) return result;  // nothing flows
  if (path.size() > most_records) {
    result.left_out = true;
    return result;
  }
  std::vector<Tensor> records, adjoints(path.size());
  for (Id id : path) records.push_back(recording.handle(id));
  gradients({subject.number, subject.at}, records, adjoints);

  const auto place = [&](Id id) {
    const auto found = std::lower_bound(path.begin(), path.end(), id);
    return found != path.end() && *found == id ? found - path.begin() : -1;
  };
  struct Passed {
    Id consumer;
    int operand;
    std::vector<double> values;
  };
  std::vector<std::vector<Passed>> passed(path.size());
  Bench bench(recording);
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Node& n = recording.node(path[i]);
    if (n.leaf() || n.op->vjp.flow() != VjpRule::Flow::rule || n.shape.numel() == 0) continue;
    const std::vector<Array> given =
        bench.shares(path[i], bench.operands(path[i]), adjoints[i].array());
    const auto operands = recording.operands(path[i]);
    for (std::size_t o = 0; o < operands.size(); ++o)
      if (const auto to = place(operands[o]); to >= 0)
        passed[static_cast<std::size_t>(to)].push_back(
            {path[i], static_cast<int>(o), given[o].values()});
  }
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == subject.id(subject.number) || passed[i].empty()) continue;
    ++result.records;
    const std::vector<double> have = adjoints[i].values();
    std::vector<double> sum(have.size()), magnitude(have.size());
    for (const Passed& p : passed[i])
      for (std::size_t e = 0; e < sum.size(); ++e) {
        sum[e] += p.values[e];
        magnitude[e] += std::abs(p.values[e]);
      }
    std::size_t worst = 0;
    double excess = 0;
    for (std::size_t e = 0; e < sum.size(); ++e) {
      const double error = std::abs(have[e] - sum[e]);
      if (error > 1e-11 * magnitude[e] && error > excess) {
        excess = error;
        worst = e;
      }
    }
    if (excess == 0) continue;
    const Shape& shape = recording.node(path[i]).shape;
    const Array wrong(shape, have), right(shape, sum);
    Evidence evidence{.wrong = wrong, .right = right};
    for (const Passed& p : passed[i])
      evidence.contributions.push_back(
          {fmt::format("by {} at {}", recording.node(p.consumer).op->name,
                       text(recording.node(p.consumer).site)),
           p.values});
    // To blame is who overwrote: its contribution alone is there, or one of its own was lost.
    const Passed* blamed = &passed[i].front();
    for (const Passed& p : passed[i]) {
      const double without = sum[worst] - p.values[worst];  // it was lost
      if (std::abs(have[worst] - without) > 1e-11 * magnitude[worst]) continue;
      for (const Passed& q : passed[i])  // overwritten by what the sweep passed on after it
        if (q.consumer < p.consumer || (q.consumer == p.consumer && q.operand > p.operand))
          blamed = &q;
      break;
    }
    for (const Passed& p : passed[i])
      if (std::abs(have[worst] - p.values[worst]) <= 1e-11 * magnitude[worst]) blamed = &p;
    const Node& n = recording.node(blamed->consumer);
    OpFinding finding{.op = std::string(n.op->name),
                      .label = subject.label(blamed->consumer),
                      .at = n.site,
                      .operand = blamed->operand,
                      .operand_name = subject.called(path[i])};
    finding.worst.leaf = finding.operand_name;
    finding.worst.index = index_of(worst, shape);
    finding.worst.judgement =
        judge(have[worst], Slopes::exactly(sum[worst], 0, 1e-13 * magnitude[worst]),
              {.oracle = "sum of contributions"});
    finding.mistake = diagnose(evidence);
    result.bad.push_back(std::move(finding));
  }
  return result;
}

}  // namespace tapegrad
