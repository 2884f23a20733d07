#include "tapegrad/inspect/why.hpp"

#include <algorithm>
#include <ostream>

#include "tapegrad/base/error.hpp"
#include "tapegrad/inspect/post_mortem.hpp"

namespace tapegrad {
namespace {

Why ask(std::string_view doing, const Tensor& y, const Arg* seed, const Tensor& x, Site at,
        Why find(const Flow&)) {
  try {
    return find(Flow(doing, y, seed, x, at));
  } catch (const Error& error) {
    if (error.op() != "replay") throw;
    throw Error(std::string(doing), error.text(), error.operands(), at, error.hint());
  }
}

Why ask(std::string_view doing, const Tensor& gradient, Site at, Why find(const Flow&)) {
  const Recording& recording = Recording::of(gradient, doing, at);
  const Id id = recording.id_of(gradient, doing, at);
  const auto made = recording.gradient_of(id);
  if (!made)
    throw Error(std::string(doing), "the tensor is not what gradient(...) returned",
                {recording.describe(id, "of")}, at,
                fmt::format("ask about y and x: {}(y, x)", doing));
  const Arg seed = made->seed == Node::none ? Arg(1.0, at) : Arg(recording.handle(made->seed), at);
  return ask(doing, recording.handle(made->y), &seed, recording.handle(made->by), at, find);
}

}  // namespace

std::string_view text(Cause cause) {
  constexpr std::string_view names[] = {
      "none",        "unconnected",  "detached",  "constant",  "flat", "saturated", "stationary",
      "zero factor", "not selected", "cancelled", "underflow", "rule", "leaf",      "value",
      "slope",       "overflow",     "factor",    "product",   "uses"};
  return names[static_cast<std::size_t>(cause)];
}

std::string Why::text() const {
  constexpr std::size_t most_lines = 11;
  const std::string where = at ? " at " + tapegrad::text(at) : "";
  std::string result =
      *this ? fmt::format("{}{}: {}\n", tapegrad::text(cause), where, sentence) : sentence + "\n";
  for (std::size_t i = 0; i < std::min(more.size(), most_lines); ++i)
    result += "  " + more[i] + "\n";
  return result;
}

std::ostream& operator<<(std::ostream& out, const Why& why) { return out << why.text(); }

Why why_zero(const Tensor& y, const Tensor& x, Site at) {
  return ask("why_zero", y, nullptr, x, at, find_zero);
}
Why why_nan(const Tensor& y, const Tensor& x, Site at) {
  return ask("why_nan", y, nullptr, x, at, find_not_finite);
}
Why why_big(const Tensor& y, const Tensor& x, Site at) {
  return ask("why_big", y, nullptr, x, at, find_big);
}
Why why_zero(const Tensor& gradient, Site at) { return ask("why_zero", gradient, at, find_zero); }
Why why_nan(const Tensor& gradient, Site at) {
  return ask("why_nan", gradient, at, find_not_finite);
}
Why why_big(const Tensor& gradient, Site at) { return ask("why_big", gradient, at, find_big); }

}  // namespace tapegrad
