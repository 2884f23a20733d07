// expect: deleted
#include <tapegrad/ops/ops.hpp>

tapegrad::Tensor sums(tapegrad::Tensor x);
tapegrad::Tensor sums(tapegrad::Tensor x) {
#ifdef MISTAKE
  return sum(x, 0, 1);
#endif
  return sum(x, {0, 1}) + sum(x, 0, true);
}
