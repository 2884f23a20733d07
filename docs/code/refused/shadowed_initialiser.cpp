// expect: shadows a
#include <tapegrad/tapegrad.hpp>

tapegrad::Tensor twice(const tapegrad::Tensor& x);
tapegrad::Tensor twice(const tapegrad::Tensor& x) {
#ifdef MISTAKE
  if (x.rank() == 0) {
    tapegrad::Tensor x = x * 2;
    return x;
  }
#endif
  return x * 2;
}
