// expect: tapegrad tensors have no []: write x.at(i, j) for the number
#include <tapegrad/ops/ops.hpp>

tapegrad::Tensor first(tapegrad::Tensor x);
tapegrad::Tensor first(tapegrad::Tensor x) {
#ifdef MISTAKE
  return x[0];
#endif
  return select(x, 0, 0);
}
