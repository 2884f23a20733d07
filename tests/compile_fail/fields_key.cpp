// expect: tapegrad cannot look into this type: a map's keys must be
#include <map>

#include "tapegrad/tape/fields.hpp"

struct Net {
  tapegrad::Tensor weight;
#ifdef MISTAKE
  std::map<double, tapegrad::Tensor> levels;
#endif
};

int main() {
  Net net{};
  return static_cast<int>(tapegrad::count_tensors(net));
}
