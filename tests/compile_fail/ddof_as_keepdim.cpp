// expect: deleted
#include <tapegrad/ops/ops.hpp>

tapegrad::Tensor columns(tapegrad::Tensor x);
tapegrad::Tensor columns(tapegrad::Tensor x) {
#ifdef MISTAKE
  return var(x, 0, 0);
#endif
  return var(x, 0, tapegrad::keepdim, 0) + tapegrad::std(x, 0, false, 0);
}
