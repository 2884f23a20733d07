#include "tapegrad/check/check_gradient.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tapegrad/check/check_replay.hpp"
#include "tapegrad/check/check_subject.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view doing = "check_gradient";

bool wanted(const CheckOptions& options, std::string_view name) {
  return options.wrt.empty() ||
         std::any_of(options.wrt.begin(), options.wrt.end(),
                     [&](const std::string& begin) { return name.starts_with(begin); });
}

/// `loss by w (2, 3), b (3)`
std::string what(std::string_view y, const Subject& subject) {
  std::string result = fmt::format("{} by", y);
  constexpr std::size_t most = 3;
  for (std::size_t k = 0; k < std::min(most, subject.x.size()); ++k)
    result +=
        fmt::format("{} {} {}", k == 0 ? "" : ",", subject.names[k], text(subject.x[k].shape()));
  if (subject.x.size() > most) result += fmt::format(" and {} more", subject.x.size() - most);
  return result;
}

std::string repeat(const CheckOptions& options) {
  return fmt::format("check_gradient(..., {{.seed = {}}})", options.seed);
}

/// Leaves out of x what is not asked for, or cannot be shifted. Throws Error if nothing is left.
void select(Subject& subject, const CheckOptions& options, std::vector<std::string>& notes,
            Site at) {
  std::vector<Tensor> x;
  std::vector<std::string> names;
  std::string whole;
  for (std::size_t k = 0; k < subject.x.size(); ++k) {
    if (!wanted(options, subject.names[k])) continue;
    if (whole_numbers(subject.recording(), subject.id(subject.x[k]), subject.recording().size())) {
      whole += (whole.empty() ? "" : ", ") + subject.names[k];
      continue;
    }
    x.push_back(subject.x[k]);
    names.push_back(subject.names[k]);
  }
  if (!whole.empty()) notes.push_back("not shifted, being whole numbers: " + whole);
  if (x.empty())
    throw Error(std::string(doing),
                options.wrt.empty() ? "there is nothing of real numbers to differentiate by"
                                    : "no tensor has a name that begins as asked for by wrt",
                at);
  subject.x = std::move(x);
  subject.names = std::move(names);
}

/// What was looked at while recording, and depends on an x: its influence is in no gradient.
Section looked_at(const Recording& recording, const Tensor& y, std::span<const Tensor> x, Site at,
                  std::vector<std::string>& warnings) {
  const Id last = recording.id_of(y, doing, at);
  std::vector<std::uint8_t> depends(last + 1, 0);
  for (const Tensor& t : x)
    if (const Id id = recording.id_of(t, doing, at); id <= last) depends[id] = 1;
  for (Id id = 0; id <= last; ++id)
    for (Id operand : recording.operands(id))
      if (depends[operand] != 0) depends[id] = 1;
  std::size_t count = 0;
  for (const Note& note : recording.notes()) {
    if (note.id > last || note.before > last || depends[note.id] == 0) continue;
    if (++count <= 3)
      warnings.push_back(
          fmt::format("{} was looked at while recording, at {}: what was made of its "
                      "value is in no gradient",
                      recording.label(note.id), text(note.site)));
  }
  Section section{.name = "dependencies"};
  section.sentence = count == 0 ? "no value was looked at while recording"
                                : fmt::format("{} looked at while recording: see the warnings",
                                              count == 1 ? "a value was" : "values were");
  return section;
}

}  // namespace

bool is_parameter(const Tensor& field, Site at) {
  if (!field.defined()) return false;
  const Recording& recording = Recording::of(field, doing, at);
  return recording.is(recording.id_of(field, doing, at), LeafKind::parameter);
}

Report check_gradients(const Differentiated& y, std::span<const Tensor> x,
                       const CheckOptions& options) {
  if (x.empty()) throw Error(std::string(doing), "no tensors to differentiate by", y.site());
  const Recording& recording = Recording::of(y.y(), doing, y.site());
  Subject subject = subject_of(y.y(), y.seed(), x, y.site());
  Circumstances circumstances;
  select(subject, options, circumstances.notes, y.site());
  circumstances.what = what(subject.called(subject.id(subject.y)), subject);
  circumstances.repeat = repeat(options);
  circumstances.sections.push_back(
      looked_at(recording, y.y(), x, y.site(), circumstances.warnings));
  Random random{options.seed};
  return check_subject(subject, options, random, std::move(circumstances));
}

Report check_gradient(const Differentiated& y, const CheckOptions& options) {
  const Recording& recording = Recording::of(y.y(), doing, y.site());
  const Id last = recording.id_of(y.y(), doing, y.site());
  std::vector<std::uint8_t> behind(last + 1, 0);
  behind[last] = 1;
  std::vector<Tensor> leaves;
  for (Id id = last + 1; id-- > 0;) {
    if (behind[id] == 0) continue;
    for (Id operand : recording.operands(id)) behind[operand] = 1;
    if (recording.is(id, LeafKind::parameter) || recording.is(id, LeafKind::input))
      leaves.push_back(recording.handle(id));
  }
  std::reverse(leaves.begin(), leaves.end());
  return check_gradients(y, leaves, options);
}

Array CheckInput::array(Random& random) const {
  return drawn_ ? random.normal(0, 1, array_.shape()) : array_;
}

Report check_recorder(const Recorder& f, std::size_t arity, std::span<const CheckInput> inputs,
                      const CheckOptions& options, Site at) {
  if (inputs.size() != arity)
    throw Error(
        std::string(doing),
        fmt::format("the function takes {} tensors, {} inputs are given", arity, inputs.size()),
        at);
  Random random{options.seed};
  std::vector<Array> values;
  for (const CheckInput& input : inputs) values.push_back(input.array(random));
  Subject subject;
  for (std::size_t i = 0; i < values.size(); ++i)
    subject.x.push_back(subject.tape.input(values[i], at));
  subject.at = at;
  subject.y = f(subject.x);
  subject.recording().id_of(subject.y, doing, at);  // or it is no result of these inputs
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string name = subject.x[i].name();
    subject.names.push_back(name.empty() ? fmt::format("argument {}", i) : name);
  }
  Circumstances circumstances;
  const std::string y = subject.y.name();
  select(subject, options, circumstances.notes, at);
  circumstances.what = what(y.empty() ? "the result" : y, subject);
  circumstances.repeat = repeat(options);
  Random nearby{options.seed + 1};
  std::optional<Parting> parting;
  Section section{.name = "dependencies"};
  section.sentence = "recorded afresh nearby, the same is recorded";
  try {
    parting = find_parting(f, values, {.by = 1e-3}, nearby, at);
  } catch (const Error& error) {
    section.verdict = Verdict::inconclusive;
    section.sentence =
        fmt::format("nearby it cannot be recorded: {}: {}", error.op(), error.text());
  }
  if (parting) {
    section.verdict = Verdict::fail;
    section.sentence = fmt::format("{} ({})", parting->sentence, text(parting->at));
    if (parting->read_at)
      circumstances.warnings.push_back(fmt::format(
          "a value was looked at while recording, at {}: its influence is in no gradient",
          text(parting->read_at)));
  }
  circumstances.sections.push_back(std::move(section));
  return check_subject(subject, options, random, std::move(circumstances));
}

}  // namespace tapegrad
