// expect: VjpRule
#include <tapegrad/tape/op.hpp>

using namespace tapegrad;

constexpr Op op = {
    .name = "copy",
    .notation = "{}",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = no_kernel,
#ifdef MISTAKE
#else
    .vjp = no_gradient,
#endif
    .sample = {uniform(-1, 1)},
};
static_assert(op.kind == Kind::elementwise);
