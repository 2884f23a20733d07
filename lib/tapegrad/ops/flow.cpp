// Flow: what stops a derivative, and what changes a leaf at the end of a run.
#include <algorithm>

#include "tapegrad/kernel/move.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

constexpr Op detach_op = {
    .name = "detach",
    .notation = "detach({})",
    .kind = Kind::view,
    .shape = same_as_operand,
    .forward = copy_kernel,
    .vjp = no_gradient,
    .sample = {uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{2, 3}});
        },
    .alias = [](const Operands&) -> std::int64_t { return 0; },
};

constexpr Op assign_op = {
    .name = "assign",
    .notation = "{} := {}",
    .kind = Kind::effect,
    .shape =
        [](const Operands& x) {
          if (x[0] != x[1]) x.fail("a leaf takes values of its own shape only");
          return x[0];
        },
    .forward =
        kernel<[]<class T>(const Call& c) { std::copy_n(c.from<T>(1), c.count, c.to<T>()); }>,
    .vjp = no_gradient,
    .sample = {uniform(-2, 2), uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{2, 3}, Shape{2, 3}});
        },
    .roles = {"leaf", "value"},
};

constexpr const Op* family[] = {&detach_op, &assign_op};

}  // namespace

Family flow_family() { return family; }

Tensor detach(const Arg& x) { return record(detach_op, {x}); }

Tensor assign(const Tensor& leaf, const Arg& value) {
  const Arg operands[] = {Arg(leaf, value.site()), value};
  Recording& recording = recording_of(assign_op.name, operands);
  const Id id = recording.id_of(leaf, assign_op.name, value.site());
  constexpr std::string_view roles[] = {"leaf", "value"};
  if (!recording.is(id, LeafKind::state) && !recording.is(id, LeafKind::parameter))
    refuse(assign_op.name, operands, roles, "only state and parameter leaves can be assigned to",
           "make it with tape.state(...)");
  for (Id pending : recording.pending())
    if (recording.operands(pending)[0] == id)
      refuse(assign_op.name, operands, roles, "the leaf has an update that did not take effect yet",
             "tape.commit() lets it; updates of one run take effect together, one for each leaf");
  const Tensor update = record(assign_op, operands);
  recording.pend(recording.id_of(update, assign_op.name, value.site()));
  return update;
}

}  // namespace tapegrad
