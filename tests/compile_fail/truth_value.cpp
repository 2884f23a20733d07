// expect: a tapegrad tensor has no truth value: write .item()
#include <tapegrad/tape/tensor.hpp>

bool large(tapegrad::Tensor loss);
bool large(tapegrad::Tensor loss) {
#ifdef MISTAKE
  if (loss) return true;
#endif
  return loss.item() > 1;
}
