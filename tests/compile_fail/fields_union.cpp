// expect: tapegrad cannot look into this type: make it a plain struct
#include "tapegrad/tape/fields.hpp"

union Choice {
  int number;
  float other;
};
struct Net {
  tapegrad::Tensor weight;
#ifdef MISTAKE
  Choice choice;
#endif
};

int main() {
  Net net{};
  return static_cast<int>(tapegrad::count_tensors(net));
}
