// expect: max_pool2d
#include <tapegrad/ops/ops.hpp>

tapegrad::Tensor pooled(tapegrad::Tensor x);
tapegrad::Tensor pooled(tapegrad::Tensor x) {
#ifdef MISTAKE
  return max_pool2d(x, {2, 3});
#endif
  return max_pool2d(x, {.kernel = {2, 3}}) + max_pool2d(x, {.kernel = 2, .stride = 3});
}
