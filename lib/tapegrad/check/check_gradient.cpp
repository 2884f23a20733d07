#include "tapegrad/check/check_gradient.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tapegrad/check/check_replay.hpp"
#include "tapegrad/check/check_subject.hpp"
#include "tapegrad/tape/needed.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view doing = "check_gradient";

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
  const std::string order = options.order == 1 ? "" : fmt::format(".order = {}, ", options.order);
  return fmt::format("check_gradient(..., {{{}.seed = {}}})", order, options.seed);
}

void note_whole(const std::vector<std::string>& names, std::vector<std::string>& notes) {
  if (!names.empty())
    notes.push_back(fmt::format("not shifted, being whole numbers: {}", fmt::join(names, ", ")));
}

/// Warns of what was looked at while recording, and depends on an x. Returns how much that is.
std::size_t looked_at(const Recording& recording, const Tensor& y, std::span<const Tensor> x,
                      Site at, std::vector<std::string>& warnings) {
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
  return count;
}

std::string told(std::size_t looks) {
  return looks == 0   ? "no value was looked at while recording"
         : looks == 1 ? "a value was looked at while recording: see the warnings"
                      : "values were looked at while recording: see the warnings";
}

}  // namespace

bool is_parameter(const Tensor& field, Site at) {
  if (!field.defined()) return false;
  const Recording& recording = Recording::of(field, doing, at);
  return recording.is(recording.id_of(field, doing, at), LeafKind::parameter);
}

Report check_gradients(const Differentiated& y, std::span<const Tensor> x,
                       const CheckOptions& options) {
  require_sensible(options, doing, y.site());
  Subject subject = subject_of(doing, y.y(), y.seed(), x, y.site());
  const Recording& recording = Recording::of(y.y(), doing, y.site());
  Circumstances circumstances;
  note_whole(select(subject, options), circumstances.notes);
  circumstances.what = what(subject.called(subject.id(subject.y)), subject);
  circumstances.repeat = repeat(options);
  circumstances.sections.push_back(
      {.name = "dependencies",
       .sentence = told(looked_at(recording, y.y(), x, y.site(), circumstances.warnings))});
  Random random{options.seed};
  return check_subject(subject, options, random, std::move(circumstances));
}

Report check_gradient(const Differentiated& y, const CheckOptions& options) {
  const Recording& recording = Recording::of(y.y(), doing, y.site());
  const Id last = recording.id_of(y.y(), doing, y.site());
  std::vector<Tensor> leaves;
  for (Id id : needed(recording, {&last, 1}))
    if (recording.is(id, LeafKind::parameter) || recording.is(id, LeafKind::input))
      leaves.push_back(recording.handle(id));
  return check_gradients(y, leaves, options);
}

Array CheckInput::array(Random& random) const {
  return drawn_ ? random.normal(0, 1, array_.shape()) : array_;
}

std::vector<Array> input_arrays(std::span<const CheckInput> inputs, std::size_t arity,
                                Random& random, std::string_view check, Site at) {
  if (inputs.size() != arity)
    throw Error(
        std::string(check),
        fmt::format("the function takes {} tensors, {} inputs are given", arity, inputs.size()),
        at);
  std::vector<Array> arrays;
  for (const CheckInput& input : inputs) arrays.push_back(input.array(random));
  return arrays;
}

Tensor record_function(const Recorder& f, const Recording& on, std::span<const Tensor> x,
                       std::string_view check, Site at) {
  try {
    const Tensor y = f(x);
    on.id_of(y, check, at);
    return y;
  } catch (const Error& error) {
    if (!error.text().starts_with(Recording::of_two_tapes)) throw;
    throw Error(error.op(), error.text() + "; a function is recorded on a tape of the check's own",
                error.operands(), error.site() ? error.site() : at,
                "record y on the tape that its parameters are on, and check that: "
                "check_gradient(y, net) or check_gradient(y, {w, b}); or make each tensor an "
                "argument of the function");
  }
}

Report check_recorder(const Recorder& f, std::size_t arity, std::span<const CheckInput> inputs,
                      const CheckOptions& options, Site at) {
  require_sensible(options, doing, at);
  Random random{options.seed};
  const std::vector<Array> values = input_arrays(inputs, arity, random, doing, at);
  Subject subject(doing, at);
  for (const Array& array : values) subject.x.push_back(subject.tape.input(array, at));
  Recording& recording = subject.recording();
  subject.y = record_function(f, recording, subject.x, doing, at);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Id id = subject.id(subject.x[i]);
    if (recording.name(id).empty())
      recording.name(id, fmt::format("argument {}", i), Recording::Namer::maker);
    subject.names.emplace_back(recording.name(id));
  }
  Circumstances circumstances;
  const std::string y = subject.y.name();
  note_whole(select(subject, options), circumstances.notes);
  circumstances.what = what(y.empty() ? "the result" : y, subject);
  circumstances.repeat = repeat(options);
  const std::size_t looks = looked_at(recording, subject.y, subject.x, at, circumstances.warnings);
  Random nearby{options.seed + 1};
  Section section{.name = "dependencies"};
  section.sentence = "recorded afresh nearby, the same is recorded";
  if (looks > 0) section.sentence += "; " + told(looks);
  try {
    if (const auto parting = find_parting(f, values, {.by = 1e-3}, nearby, at)) {
      section.verdict = Verdict::fail;
      section.sentence = fmt::format("{} ({})", parting->sentence, text(parting->at));
    }
  } catch (const Error& error) {
    section.verdict = Verdict::inconclusive;
    section.sentence =
        fmt::format("nearby it cannot be recorded: {}: {}", error.op(), error.text());
  }
  circumstances.sections.push_back(std::move(section));
  return check_subject(subject, options, random, std::move(circumstances));
}

}  // namespace tapegrad
