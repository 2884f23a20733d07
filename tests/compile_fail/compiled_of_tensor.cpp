// expect: tapegrad: a compiled function takes numbers: pass x.array()
#include <tapegrad/tapegrad.hpp>

void call(tapegrad::Tape& tape, tapegrad::Tensor x);
void call(tapegrad::Tape& tape, tapegrad::Tensor x) {
  auto f = tapegrad::compile(tape, [](tapegrad::Tensor y) { return 2 * y; });
#ifdef MISTAKE
  f(x);
#endif
  f(x.array());
}
