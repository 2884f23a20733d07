#include "tapegrad/tape/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tapegrad/tape/needed.hpp"
#include "tapegrad/tape/recording.hpp"

namespace tapegrad {
namespace {

/// Merges the axes of a broadcast into as few loops as possible. The innermost becomes the kernel's
/// range.
void plan_loops(const Shape& out, std::span<Input> inputs, Nest& nest, std::int64_t& range) {
  std::array<std::array<std::int64_t, Shape::max_rank>, Nest::max_operands> steps{};
  for (std::size_t i = 0; i < inputs.size(); ++i) steps[i] = strides(*inputs[i].shape);
  const auto step = [&](std::size_t i, int axis) {
    const int own = axis - (out.rank() - inputs[i].shape->rank());
    return own < 0 ? 0 : steps[i][static_cast<std::size_t>(own)];
  };
  nest.rank = 0;
  range = 1;
  bool inner = true;
  for (int axis = out.rank() - 1; axis >= 0; --axis) {
    const std::int64_t extent = out[axis];
    if (extent == 1) continue;
    if (inner && range == 1) {
      range = extent;
      for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].step = step(i, axis);
      continue;
    }
    const auto last = static_cast<std::size_t>(nest.rank - 1);
    bool continues = true;  // can this axis be walked together with the loop inside it?
    for (std::size_t i = 0; i < inputs.size(); ++i)
      continues = continues && step(i, axis) == (inner ? inputs[i].step * range
                                                       : nest.stride[last][i] * nest.size[last]);
    if (continues) {
      (inner ? range : nest.size[last]) *= extent;
      continue;
    }
    inner = false;
    const auto loop = static_cast<std::size_t>(nest.rank++);
    nest.size[loop] = extent;
    for (std::size_t i = 0; i < inputs.size(); ++i) nest.stride[loop][i] = step(i, axis);
  }
}

}  // namespace

bool bind(const Node& n, std::span<const std::int64_t> attributes, void* out,
          std::span<Input> inputs, Nest& nest, Step& step) {
  const std::int64_t count = n.shape.numel();
  step.call = {.out = out,
               .count = count,
               .in = inputs.data(),
               .attributes = attributes.data(),
               .shape = &n.shape,
               .scratch = nullptr,
               .inputs = n.count,
               .context = n.op->context};
  if (n.op->kind != Kind::elementwise || count == 1) return false;
  bool nested = false;
  for (Input& input : inputs) {
    if (*input.shape == n.shape) continue;
    input.step = 0;
    nested = nested || input.shape->numel() != 1;
  }
  if (nested) plan_loops(n.shape, inputs, nest, step.call.count);
  return nested;
}

void run(const Step& step, std::size_t element_size) {
  if (step.nest == nullptr || step.nest->rank == 0) {
    step.kernel(step.call);
    return;
  }
  const Nest& nest = *step.nest;
  std::array<Input, Nest::max_operands> inputs;
  std::copy_n(step.call.in, step.call.inputs, inputs.begin());
  Call call = step.call;
  call.in = inputs.data();
  std::array<std::int64_t, Shape::max_rank> at{};
  const auto element = static_cast<std::ptrdiff_t>(element_size);
  const auto rank = static_cast<std::size_t>(nest.rank);
  for (;;) {
    step.kernel(call);
    call.out = static_cast<std::byte*>(call.out) + call.count * element;
    std::size_t loop = 0;  // loop 0 is the innermost
    for (; loop < rank; ++loop) {
      const bool wraps = ++at[loop] == nest.size[loop];
      const std::int64_t steps = wraps ? 1 - nest.size[loop] : 1;
      for (std::size_t i = 0; i < call.inputs; ++i)
        inputs[i].data =
            static_cast<const std::byte*>(inputs[i].data) + steps * nest.stride[loop][i] * element;
      if (!wraps) break;
      at[loop] = 0;
    }
    if (loop == rank) return;
  }
}

std::vector<Id> Plan::records() const {
  std::vector<Id> ids;
  for (const Step& step : steps_) ids.push_back(step.id);
  return ids;
}

bool Recording::bind(Id id, Input* inputs, Nest& nest, Step& step) const {
  const Node& n = node(id);
  const std::span<const Id> ids = operands(id);
  step.id = id;
  step.kernel = (n.flags & Node::aliased) != 0 || n.shape.numel() == 0 ? nullptr
                : precision_ == float32                                ? n.op->forward.f32()
                                                                       : n.op->forward.f64();
  for (std::size_t i = 0; i < ids.size(); ++i)
    inputs[i] = {address(ids[i]), 1, &node(ids[i]).shape};
  return tapegrad::bind(n, attributes(id), address(n.slot), {inputs, ids.size()}, nest, step);
}

std::size_t Recording::scratch_bytes(Id id) const {
  const Node& n = node(id);
  if (n.op->scratch == nullptr) return 0;
  const auto elements = n.op->scratch(Operands(*n.op, *this, operands(id), attributes(id)));
  return static_cast<std::size_t>(elements) * size_of(precision_);
}

void Recording::compute(Id id) {
  const std::uint32_t count = node(id).count;
  std::array<Input, 4> few;
  if (count > few.size() && inputs_.size() < count) inputs_.resize(count);
  Input* inputs = count > few.size() ? inputs_.data() : few.data();
  Nest nest;
  Step step;
  if (bind(id, inputs, nest, step)) step.nest = &nest;
  if (node(id).op->scratch != nullptr) {
    const std::size_t bytes = scratch_bytes(id);
    if (scratch_.size() < bytes) scratch_.resize(bytes);
    step.call.scratch = scratch_.data();
  }
  if (step.kernel != nullptr) run(step);
  ran(id) = clock_;
}

void Recording::run(const Step& step) const {
  try {
    tapegrad::run(step, size_of(precision_));
  } catch (const KernelError& error) {
    fail(step.id, error.text);
  }
}

void Recording::check_finite(Id id) const {
  const Node& n = node(id);
  if ((n.flags & (Node::swept | Node::adjoint)) == Node::swept) return;  // a local derivative
  const auto check = [&](const auto* values) {
    for (std::int64_t i = 0; i < n.shape.numel(); ++i) {
      if (std::isfinite(values[i])) continue;
      std::string text = fmt::format("{}", std::isnan(values[i]) ? NAN : values[i]);
      if (n.shape.rank() > 0) text += fmt::format(", element {} of {}", i, tapegrad::text(n.shape));
      if ((n.flags & Node::adjoint) == 0 || n.origin == Node::none) fail(id, "made " + text);
      std::vector<Error::Operand> described{describe(n.origin, "of")};
      for (Id operand : operands(n.origin))
        if (described.size() < 5) described.push_back(describe(operand, "operand"));
      throw Error("gradient",
                  fmt::format("the adjoint that {} passes on is {}", label(n.origin), text),
                  std::move(described), node(n.origin).site, {});
    }
  };
  if (precision_ == float32)
    check(reinterpret_cast<const float*>(address(n.slot)));
  else
    check(reinterpret_cast<const double*>(address(n.slot)));
}

Plan Recording::plan(std::span<const Id> outputs, Site at) {
  if (outputs.empty()) throw Error("replay", "no outputs: say which tensors to compute", at);
  Plan plan;
  for (Id id : outputs) {
    plan.outputs_.push_back(id);
    plan.born_.push_back(node(id).born);
    if (node(id).leaf() || node(id).op->kind != Kind::effect) continue;
    for (Id other : plan.updates_)
      if (operands(other)[0] == operands(id)[0] && other != id)
        throw Error(
            "replay", "two updates of one leaf in one run",
            {describe(operands(id)[0], "of"), describe(other, "update"), describe(id, "update")},
            at, "updates take effect together, from old values: a leaf can take only one");
    plan.updates_.push_back(id);
  }
  std::vector<Id> computed = needed(*this, outputs);
  std::size_t operand_count = 0, scratch = 0;
  for (Id id : computed) {
    if (is(id, LeafKind::input) || is(id, LeafKind::state)) plan.leaves_.push_back(id);
    operand_count += operands(id).size();
  }
  std::erase_if(computed, [&](Id id) { return node(id).leaf(); });
  plan.steps_.reserve(computed.size());
  plan.stamps_.reserve(computed.size());
  plan.inputs_.push_back(std::make_unique<Input[]>(operand_count));
  Input* inputs = plan.inputs_.back().get();
  auto nest = std::make_unique<Nest>();
  for (Id id : computed) {
    Step step;
    if (bind(id, inputs, *nest, step)) {
      step.nest = nest.get();
      plan.nests_.push_back(std::move(nest));
      nest = std::make_unique<Nest>();
    }
    inputs += node(id).count;
    scratch = std::max(scratch, scratch_bytes(id));
    plan.steps_.push_back(step);
    plan.stamps_.push_back(&ran(id));
  }
  plan.scratch_.resize(scratch);
  for (Step& step : plan.steps_) step.call.scratch = plan.scratch_.data();
  return plan;
}

bool Recording::holds(const Plan& plan) const {
  for (std::size_t i = 0; i < plan.outputs_.size(); ++i) {
    const Id id = plan.outputs_[i];
    if (id >= size_ || node(id).born != plan.born_[i]) return false;
  }
  return true;
}

void Recording::run(Plan& plan, Site at) {
  if (!holds(plan)) throw Error("replay", "an output was forgotten when the tape was rewound", at);
  if (unset_ > 0)
    for (Id id : plan.leaves_) require_set(id, "replay", at);
  std::size_t i = 0;
  try {
    for (; i < plan.steps_.size(); ++i) {
      const Step& step = plan.steps_[i];
      if (step.kernel != nullptr) {
        run(step);
        if (trap_) check_finite(step.id);
      }
      *plan.stamps_[i] = clock_;
    }
  } catch (...) {  // what was not computed, or wrongly, has no values until it is
    for (; i < plan.steps_.size(); ++i) *plan.stamps_[i] = 0;
    throw;
  }
  commit(plan.updates_, at);
}

void Recording::replay(std::span<const Id> outputs, Site at) {
  constexpr std::size_t most_plans = 16;
  const auto serves = [&](const CachedPlan& cached) {
    const Plan& p = cached.plan;
    return std::equal(outputs.begin(), outputs.end(), p.outputs_.begin(), p.outputs_.end()) &&
           holds(p);
  };
  auto found = std::find_if(plans_.begin(), plans_.end(), serves);
  if (found == plans_.end()) {
    Plan fresh = plan(outputs, at);
    if (plans_.size() < most_plans)
      found = plans_.insert(plans_.end(), CachedPlan{});
    else
      found = std::min_element(plans_.begin(), plans_.end(),
                               [](const auto& a, const auto& b) { return a.used < b.used; });
    found->plan = std::move(fresh);
  }
  found->used = ++plan_clock_;
  run(found->plan, at);
}

void Recording::commit(std::span<const Id> updates, Site at) {
  if (updates.empty()) return;
  for (Id update : updates) require_readable(update, "commit", at);
  updated_ = ++clock_;
  for (Id update : updates) {
    const Node& n = node(update);
    const Node& leaf = node(operands(update)[0]);
    const auto bytes = static_cast<std::size_t>(n.shape.numel()) * size_of(precision_);
    std::memcpy(address(leaf.slot), address(n.slot), bytes);
    if (leaves_[leaf.first].kind != LeafKind::state) stepped_ = clock_;
    leaves_[leaf.first].step = clock_;
    leaves_[leaf.first].step_at = at;
  }
  std::erase_if(pending_, [&](Id id) {
    return std::find(updates.begin(), updates.end(), id) != updates.end();
  });
}

}  // namespace tapegrad
