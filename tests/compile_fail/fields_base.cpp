// expect: tapegrad cannot look into this type: it has a base
#include "tapegrad/tape/fields.hpp"

struct Linear {
  tapegrad::Tensor weight, bias;
};
#ifdef MISTAKE
struct Net : Linear {
  tapegrad::Tensor scale;
};
#else
struct Net {
  Linear linear;
  tapegrad::Tensor scale;
};
#endif

int main() {
  Net net{};
  return static_cast<int>(tapegrad::count_tensors(net));
}
