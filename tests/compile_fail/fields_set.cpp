// expect: tapegrad cannot look into this type: make it a plain struct
#include <set>

#include "tapegrad/tape/fields.hpp"

struct Net {
  tapegrad::Tensor weight;
#ifdef MISTAKE
  std::set<int> heads;
#endif
};

int main() {
  Net net{};
  return static_cast<int>(tapegrad::count_tensors(net));
}
