// expect: tapegrad cannot look into this type: a field that holds tensors is const
#include "tapegrad/tape/fields.hpp"

#ifdef MISTAKE
struct Net {
  const tapegrad::Tensor weight;
};
#else
struct Net {
  tapegrad::Tensor weight;
};
#endif

int main() {
  Net net{};
  tapegrad::visit_tensors(net, [](const tapegrad::Tensor&) {});
}
