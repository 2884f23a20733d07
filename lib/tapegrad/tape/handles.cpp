// From handles to records: whether a tensor may be used, and on which tape it lives.
#include <fmt/format.h>

#include <utility>

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

bool Recording::usable(const Tensor& tensor) {
  if (!tensor.defined()) return false;
  const Recording* recording = registry::cell(tensor.cell_).recording;
  return recording != nullptr && recording->holds(tensor);
}

Recording& Recording::of(const Tensor& tensor, std::string_view doing, Site at) {
  if (!tensor.defined())
    throw Error(std::string(doing), "an undefined tensor: default-constructed and never recorded",
                at,
                "a variable used in its own initialiser, as in Tensor x = x * 2, is undefined too");
  Recording* recording = registry::cell(tensor.cell_).recording;
  if (recording == nullptr || tensor.born_ < recording->first_serial_)
    throw Error(std::string(doing),
                fmt::format("the tape of this tensor (%{}) is gone", tensor.id_), at,
                "a tape must live as long as its tensors are used");
  if (!recording->holds(tensor))
    throw Error(
        std::string(doing),
        fmt::format("a stale tensor: %{} was forgotten when the tape was rewound", tensor.id_), at,
        "it was recorded after a mark that was rewound to, or in a scope that ended");
  return *recording;
}

Recording& Recording::of(const Ref& ref, std::string_view doing, Site at) {
  Recording* recording = registry::cell(ref.cell).recording;
  if (recording == nullptr || recording->first_serial_ != ref.first_serial)
    throw Error(std::string(doing), "its tape is gone", at,
                "a tape must live as long as what was recorded on it is used");
  return *recording;
}

Id Recording::id_of(const Tensor& tensor, std::string_view doing, Site at) const {
  if (holds(tensor)) return tensor.id_;
  const Recording& other = of(tensor, doing, at);
  std::vector<Error::Operand> operands{other.describe(tensor.id_, "other")};
  throw Error(std::string(doing), fmt::format("{}: {} and {}", of_two_tapes, text(), other.text()),
              std::move(operands), at,
              "copy_values and Array carry numbers from one tape to another");
}

Recording& recording_of(std::string_view doing, std::span<const Arg> args) {
  for (const Arg& arg : args)
    if (!arg.is_number()) return Recording::of(arg.tensor(), doing, arg.site());
  throw Error(std::string(doing), "numbers alone have no tape",
              args.empty() ? Site{} : args[0].site(),
              "make one operand a tensor: tape.constant(...)");
}

}  // namespace tapegrad
