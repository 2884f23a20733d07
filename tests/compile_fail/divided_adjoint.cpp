// expect: deleted
#include <tapegrad/ops/ops.hpp>
#include <tapegrad/ops/vjp.hpp>

tapegrad::Adjoint share(tapegrad::Vjp& v);
tapegrad::Adjoint share(tapegrad::Vjp& v) {
#ifdef MISTAKE
  v.ybar / v.x(0);
#endif
  return v.ybar * (1.0 / v.x(0));
}
