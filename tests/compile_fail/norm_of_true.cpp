// expect: deleted
#include <tapegrad/ops/ops.hpp>

tapegrad::Tensor lengths(tapegrad::Tensor x);
tapegrad::Tensor lengths(tapegrad::Tensor x) {
#ifdef MISTAKE
  return norm(x, true);
#endif
  return norm(x, 1) + norm(x, 2, {}, true);
}
