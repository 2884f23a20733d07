// expect: tapegrad cannot look into this type: make it a plain struct
#include "tapegrad/tape/fields.hpp"

struct Encoder {
  Encoder() {}
  tapegrad::Tensor weight;
};
struct Net {
  tapegrad::Tensor weight;
#ifdef MISTAKE
  Encoder encoder;
#endif
};

int main() {
  Net net{};
  return static_cast<int>(tapegrad::count_tensors(net));
}
