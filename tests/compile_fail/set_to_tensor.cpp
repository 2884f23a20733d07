// expect: tapegrad: set takes numbers: write w.set(y.array())
#include <tapegrad/ops/ops.hpp>

void descend(tapegrad::Tensor w, tapegrad::Tensor slope);
void descend(tapegrad::Tensor w, tapegrad::Tensor slope) {
#ifdef MISTAKE
  w.set(w - 0.1 * slope);
#endif
  w.set((w - 0.1 * slope).array());
}
