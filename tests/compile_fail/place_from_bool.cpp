// expect: deleted
#include <tapegrad/ops/ops.hpp>

tapegrad::Tensor places(tapegrad::Tensor x);
tapegrad::Tensor places(tapegrad::Tensor x) {
#ifdef MISTAKE
  return argmax(x, true);
#endif
  return argmax(x, 1, true);
}
