// The first program of docs/tour.md.
// [all]
#include <fmt/core.h>

#include <tapegrad/tapegrad.hpp>

namespace tg = tapegrad;

int main() {
  tg::Tape tape;
  tg::Tensor x = tape.parameter(3.0).named("x");
  tg::Tensor y = x * x;
  tg::Tensor slope = gradient(y, x);
  fmt::print("y = {}, dy/dx = {}\n", y, slope);
}
// [/all]
