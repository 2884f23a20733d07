#include "tapegrad/check/subject.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/creation.hpp"
#include "tapegrad/base/error.hpp"
#include "tapegrad/ops/ops.hpp"
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
  if (order < 1)
    throw Error("check_gradient", fmt::format("there is no derivative of order {} to check", order),
                at);
  const auto product = [&](const Tensor& t) {
    return sum(t * tape.constant(random_cotangent(t.shape(), random)));
  };
  number = y.numel() == 1 ? reshape(y, Shape{}) : product(y);
  gradient.resize(x.size());
  gradients({number, at}, x, gradient);
  for (int n = 1; n < order; ++n) {
    Tensor next;
    for (const Tensor& g : gradient) {
      const Tensor term = product(g);
      next = next.defined() ? next + term : term;
    }
    number = next;
    try {
      gradients({number, at}, x, gradient);
    } catch (const Error& error) {
      if (error.op() != "gradient") throw;
      // A slope that depends on nothing, as far as rules tell: whether it does, is measured.
      for (std::size_t k = 0; k < x.size(); ++k)
        gradient[k] = tape.constant(Array::zeros(x[k].shape()));
    }
  }
}

std::vector<Id> Subject::path() const {
  const Recording& r = recording();
  const Id last = id(number);
  std::vector<std::uint8_t> behind(last + 1, 0), reaches(last + 1, 0);
  behind[last] = 1;
  for (Id i = last + 1; i-- > 0;)
    if (behind[i] != 0)
      for (Id operand : r.operands(i)) behind[operand] = 1;
  for (const Tensor& t : x)
    if (const Id i = id(t); i <= last) reaches[i] = 1;
  std::vector<Id> result;
  for (Id i = 0; i <= last; ++i) {
    if (behind[i] == 0) continue;
    const auto operands = r.operands(i);
    const bool flows = !r.node(i).leaf() && r.node(i).op->vjp.flow() != VjpRule::Flow::none;
    if (flows && std::any_of(operands.begin(), operands.end(),
                             [&](Id operand) { return reaches[operand] != 0; }))
      reaches[i] = 1;
    if (reaches[i] != 0) result.push_back(i);
  }
  return result;
}

Subject subject_of(const Tensor& y, const Arg* seed, std::span<const Tensor> x, Site at) {
  constexpr std::string_view doing = "check_gradient";
  Recording& from = Recording::of(y, doing, at);
  std::vector<Id> outputs{from.id_of(y, doing, at)};
  for (const Tensor& t : x) outputs.push_back(from.id_of(t, doing, at));
  Subject subject;
  subject.at = at;
  const Transcript transcript(from, outputs, subject.tape, at);
  subject.y = transcript.copy(outputs[0]);
  if (seed != nullptr)  // a constant, whatever it was computed from
    subject.y = sum(subject.y *
                    (seed->is_number() ? *seed : subject.tape.constant(seed->tensor().array(at))));
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

Subject subject_alone(const Subject& whole, Id record, std::vector<int>& operands) {
  const Recording& recording = whole.recording();
  const Node& n = recording.node(record);
  const auto ids = recording.operands(record);
  Subject subject;
  subject.at = n.site;
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
