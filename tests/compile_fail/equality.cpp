// expect: tapegrad tensors have no ==: write equal(x, y)
#include <tapegrad/ops/ops.hpp>

tapegrad::Tensor same(tapegrad::Tensor x, tapegrad::Tensor y);
tapegrad::Tensor same(tapegrad::Tensor x, tapegrad::Tensor y) {
#ifdef MISTAKE
  if (x == y) return x;
#endif
  return equal(x, y);
}
