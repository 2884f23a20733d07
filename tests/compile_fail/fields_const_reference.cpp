// expect: tapegrad cannot look into this type: it has a reference
#include "tapegrad/tape/fields.hpp"

struct Net {
#ifdef MISTAKE
  const tapegrad::Tensor& weight;
#else
  tapegrad::Tensor weight;
#endif
};

std::size_t count(const Net& net);
std::size_t count(const Net& net) { return tapegrad::count_tensors(net); }
