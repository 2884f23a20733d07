// expect: tapegrad cannot look into this type: write std::array instead of the C array
#include "tapegrad/tape/fields.hpp"

struct Net {
  tapegrad::Tensor weight;
#ifdef MISTAKE
  tapegrad::Tensor gates[3];
#endif
};

int main() {
  Net net{};
  return static_cast<int>(tapegrad::count_tensors(net));
}
