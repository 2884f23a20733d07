#include "tapegrad/ops/fit.hpp"

#include <fmt/format.h>

#include <string>

namespace tapegrad {

void require_steps(const Operands& operands, std::string_view what, std::size_t first,
                   std::int64_t least) {
  constexpr std::int64_t most = 1 << 30;  // so that no product below overflows
  for (const std::int64_t step : operands.attributes().subspan(first, 2)) {
    if (step < least)
      operands.fail(fmt::format("the {} is {}, and must be at least {}", what, step, least));
    if (step > most)
      operands.fail(fmt::format("the {} is {}, and must be at most {}", what, step, most));
  }
}

Shape with_windows(const Operands& operands, const Shape& shape, std::string_view name, int axis,
                   const WindowAxis& along) {
  const std::int64_t span = (along.kernel - 1) * along.dilation + 1;
  const std::int64_t room = along.in + 2 * along.padding;
  if (along.kernel == 0) operands.fail(fmt::format("the kernel is empty along the {}", name));
  if (span > room) {
    std::string text = fmt::format("a kernel of {} ", along.kernel);
    if (along.dilation > 1)
      text += fmt::format("with dilation {} spans {} and ", along.dilation, span);
    text += fmt::format("does not fit into the {} {} of the input", name, along.in);
    if (along.padding > 0)
      text += fmt::format(", with padding {} on both sides {}", along.padding, room);
    operands.fail(text);
  }
  const int place = shape.rank() + axis;
  return shape.without_axis(place).with_axis(place, (room - span) / along.stride + 1);
}

}  // namespace tapegrad
