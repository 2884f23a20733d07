// expect: two objects are walked in step only if they have the same type
#include "tapegrad/tape/fields.hpp"

struct Net {
  tapegrad::Tensor weight;
};
struct Other {
  tapegrad::Tensor weight;
};

int main() {
  Net net;
#ifdef MISTAKE
  Other other;
#else
  Net other;
#endif
  tapegrad::visit_pairs(net, other, [](auto&, auto&) {});
}
