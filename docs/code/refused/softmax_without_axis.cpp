// expect: softmax
#include <tapegrad/tapegrad.hpp>

tapegrad::Tensor probabilities(const tapegrad::Tensor& logits);
tapegrad::Tensor probabilities(const tapegrad::Tensor& logits) {
#ifdef MISTAKE
  return softmax(logits);
#endif
  return softmax(logits, -1);
}
