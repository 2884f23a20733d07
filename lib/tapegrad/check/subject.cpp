#include "tapegrad/check/subject.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/creation.hpp"
#include "tapegrad/base/error.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/needed.hpp"
#include "tapegrad/tape/transcript.hpp"

namespace tapegrad {

Array random_cotangent(const Shape& shape, Random& random) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (double& v : values) {
    const double u = random.uniform(-1, 1);
    v = u < 0 ? u - 0.5 : u + 0.5;
  }
  return Array(shape, values);
}

void Subject::derive(int order, Random& random) {
  // <u, tensors> with a random u.
  const auto product = [&](std::span<const Tensor> tensors) {
    const FrameScope frame(recording(), doing, at);
    Tensor result;
    for (const Tensor& t : tensors) {
      const Tensor term = sum(t * tape.constant(random_cotangent(t.shape(), random)));
      result = result.defined() ? result + term : term;
    }
    return result;
  };
  number = y.numel() == 1 ? reshape(Arg(y, at), Shape{}) : product({&y, 1});
  gradient.resize(x.size());
  try {
    gradients({number, at}, x, gradient);
  } catch (const Error& error) {
    if (error.op() != "gradient") throw;
    // To the user it is about y, and about the tensors of another tape.
    const auto describe = [&](const Tensor& t, std::string role) {
      Error::Operand result = recording().describe(id(t), std::move(role));
      result.label = label(id(t));
      return result;
    };
    std::vector<Error::Operand> operands{describe(y, "of")};
    for (const Tensor& t : x)
      if (operands.size() < error.operands().size()) operands.push_back(describe(t, "by"));
    throw Error(std::string(doing), error.text(), std::move(operands), at, error.hint());
  }
  for (int n = 1; n < order; ++n) {
    number = product(gradient);
    try {
      gradients({number, at}, x, gradient);
    } catch (const Error& error) {
      if (error.op() != "gradient") throw;
      // A slope that depends on nothing, as far as rules tell: whether it does, is measured.
      for (std::size_t k = 0; k < x.size(); ++k)
        gradient[k] = tape.constant(Array::zeros(x[k].shape()), at);
    }
  }
}

std::vector<Id> Subject::path() const {
  const Recording& r = recording();
  const Id last = id(number);
  std::vector<std::uint8_t> reaches(last + 1, 0);
  for (const Tensor& t : x)
    if (const Id i = id(t); i <= last) reaches[i] = 1;
  std::vector<Id> result;
  for (Id i : needed(r, {&last, 1})) {
    const auto operands = r.operands(i);
    const bool flows = !r.node(i).leaf() && r.node(i).op->vjp.flow() != VjpRule::Flow::none;
    if (flows && std::any_of(operands.begin(), operands.end(),
                             [&](Id operand) { return reaches[operand] != 0; }))
      reaches[i] = 1;
    if (reaches[i] != 0) result.push_back(i);
  }
  return result;
}

std::vector<Id> Subject::stops() const {
  const Recording& r = recording();
  const Id last = id(number);
  std::vector<std::uint8_t> depends(last + 1, 0), hears(last + 1, 0);
  for (const Tensor& t : x)
    if (const Id i = id(t); i <= last) depends[i] = 1;
  for (Id i = 0; i <= last; ++i)
    for (Id operand : r.operands(i)) depends[i] |= depends[operand];
  hears[last] = 1;
  std::vector<Id> result;
  for (Id i = last + 1; i-- > 0;) {
    const Node& n = r.node(i);
    if (hears[i] == 0 || n.leaf()) continue;
    const auto operands = r.operands(i);
    // An x that is computed is where the derivative arrives, not where it ends.
    const bool arrives =
        std::any_of(x.begin(), x.end(), [&](const Tensor& t) { return id(t) == i; });
    if (!arrives && n.op->vjp.flow() == VjpRule::Flow::none && depends[i] != 0) result.push_back(i);
    if (n.op->vjp.flow() == VjpRule::Flow::rule)
      for (std::size_t o = 0; o < operands.size(); ++o)
        if (passes_on(r, i, o)) hears[operands[o]] = 1;
  }
  std::reverse(result.begin(), result.end());
  return result;
}

Subject subject_of(std::string_view doing, const Tensor& y, const Arg* seed,
                   std::span<const Tensor> x, Site at) {
  if (x.empty()) throw Error(std::string(doing), "no tensors to differentiate by", at);
  Recording& from = Recording::of(y, doing, at);
  std::vector<Id> outputs{from.id_of(y, doing, at)};
  for (const Tensor& t : x) outputs.push_back(from.id_of(t, doing, at));
  for (Id id : needed(from, outputs))
    if (from.node(id).leaf()) from.require_set(id, doing, at);
  Subject subject(doing, at);
  const Transcript transcript(from, outputs, subject.tape, at);
  subject.y = transcript.copy(outputs[0]);
  if (seed != nullptr) {
    // A constant, whatever it was computed from.
    const Array v = seed->is_number() ? Array::from(seed->number()) : seed->tensor().array(at);
    const Shape shape = y.shape(at);
    if (v.shape() != shape)
      throw Error(
          std::string(doing),
          fmt::format("the seed has the shape {}, the tensor {}", text(v.shape()), text(shape)),
          {from.describe(outputs[0], "of")}, at, {});
    const FrameScope frame(subject.recording(), doing, at);
    subject.y = sum(subject.y * subject.tape.constant(v));
  }
  for (Id original : transcript.originals()) {
    subject.labels.resize(subject.id(transcript.copy(original)) + 1);
    subject.labels.back() = from.label(original);
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    subject.x.push_back(transcript.copy(outputs[i + 1]));
    subject.names.push_back(subject.called(subject.id(subject.x.back())));
  }
  return subject;
}

std::vector<std::string> select(Subject& subject, const CheckOptions& options) {
  require_known(options, subject.names, subject.doing, subject.at);
  std::vector<Tensor> x;
  std::vector<std::string> names, whole;
  const Recording& recording = subject.recording();
  for (std::size_t k = 0; k < subject.x.size(); ++k) {
    const std::string& name = subject.names[k];
    if (!options.wants(name)) continue;
    if (whole_numbers(recording, subject.id(subject.x[k]), recording.size())) {
      whole.push_back(name);
      continue;
    }
    x.push_back(subject.x[k]);
    names.push_back(name);
  }
  if (x.empty())
    throw Error(std::string(subject.doing), "there is nothing of real numbers to differentiate by",
                subject.at);
  subject.x = std::move(x);
  subject.names = std::move(names);
  return whole;
}

Subject subject_alone(const Subject& whole, Id record, std::vector<int>& operands) {
  const Recording& recording = whole.recording();
  const Node& n = recording.node(record);
  const auto ids = recording.operands(record);
  Subject subject(whole.doing, n.site);
  if (n.op->kind == Kind::composite) {
    const auto inputs = ids.first(ids.size() - 1);
    const Transcript transcript(recording, {&record, 1}, subject.tape, n.site, {}, inputs);
    subject.y = transcript.copy(record);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!transcript.has(inputs[i])) continue;
      operands.push_back(static_cast<int>(i));
      subject.x.push_back(transcript.copy(inputs[i]));
      subject.names.push_back(whole.called(inputs[i]));
    }
    return subject;
  }
  std::vector<Arg> args;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Tensor leaf = subject.tape.input(recording.handle(ids[i]).array(n.site), n.site);
    args.emplace_back(leaf, n.site);
    if (whole_operand(recording, record, i)) continue;
    operands.push_back(static_cast<int>(i));
    subject.x.push_back(leaf);
    subject.names.push_back(whole.called(ids[i]));
  }
  subject.y = tapegrad::record(*n.op, args, recording.attributes(record));
  return subject;
}

bool whole_operand(const Recording& recording, Id record, std::size_t operand) {
  const Node& n = recording.node(record);
  return n.op->sample.count > 0 && n.op->sample[operand].whole;
}

bool passes_on(const Recording& recording, Id record, std::size_t operand) {
  const Node& n = recording.node(record);
  if (n.leaf() || n.op->vjp.flow() == VjpRule::Flow::none) return false;
  if (whole_operand(recording, record, operand)) return false;
  // A composite passes nothing to the record that computed its value.
  return n.op->kind != Kind::composite || operand + 1 < recording.operands(record).size();
}

bool whole_numbers(const Recording& recording, Id leaf, Id end) {
  bool used = false;
  for (Id id = leaf + 1; id < end; ++id) {
    const auto operands = recording.operands(id);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (operands[i] != leaf) continue;
      // A view of labels is labels still.
      const bool whole = whole_operand(recording, id, i) ||
                         (recording.node(id).op->kind == Kind::view && operands.size() == 1 &&
                          whole_numbers(recording, id, end));
      if (!whole) return false;
      used = true;
    }
  }
  return used;
}

}  // namespace tapegrad
