// expect: deleted
#include <tapegrad/ops/ops.hpp>

tapegrad::Tensor columns(tapegrad::Tensor x);
tapegrad::Tensor columns(tapegrad::Tensor x) {
#ifdef MISTAKE
  return sum(x, true);
#endif
  return sum(x, 0, true);
}
