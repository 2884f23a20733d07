// expect: tapegrad cannot look into this type: a raw pointer may point to tensors
#include "tapegrad/tape/fields.hpp"

struct Net {
  tapegrad::Tensor weight;
#ifdef MISTAKE
  tapegrad::Tensor* bias = nullptr;
#endif
};

int main() {
  Net net{};
  return static_cast<int>(tapegrad::count_tensors(net));
}
