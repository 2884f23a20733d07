#include "tapegrad/tape/recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

namespace tapegrad {

Recording::Recording(Precision precision, Site made)
    : precision_(precision),
      made_(made),
      cell_(registry::acquire(this)),
      serial_(registry::cell(cell_).serial + 1),
      first_serial_(serial_),
      values_(size_of(precision)),
      parameters_(size_of(precision)) {}

Recording::~Recording() { registry::release(cell_, serial_); }

std::size_t Recording::bytes() const {
  return size_ * (sizeof(Node) + sizeof(std::uint64_t)) + operands_.bytes() + attributes_.bytes() +
         values_.bytes() + parameters_.bytes();
}

Shape broadcast_operands(const Operands& x) {
  Shape result = x[0];
  for (std::size_t i = 1; i < x.size(); ++i) {
    const Shape& next = x[i];
    if (next.rank() == 0 || next == result) continue;
    const std::optional<Shape> common = broadcast(result, next);
    if (!common)
      x.fail("these shapes do not broadcast",
             "aligned at the last axis, two extents must be equal or one of them 1");
    result = *common;
  }
  return result;
}

Node& Recording::append() {
  if (size_ == chunks_.size() * chunk_size) chunks_.push_back(std::make_unique<Chunk>());
  const Id id = size_++;
  ran(id) = 0;
  return mutable_node(id);
}

void Recording::check_limit(const Shape& shape, Site at) const {
  double needed = static_cast<double>(size_of(precision_));  // may be beyond any whole number
  for (std::uint32_t extent : shape) needed *= extent;
  if (static_cast<double>(bytes()) + needed <= static_cast<double>(limit_)) return;
  std::map<std::pair<std::string_view, std::uint32_t>, std::size_t> made;
  for (Id id = 0; id < size_; ++id)
    if (node(id).site) ++made[{node(id).site.file, node(id).site.line}];
  const auto most = std::max_element(
      made.begin(), made.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  std::string text =
      fmt::format("the limit of {} bytes is reached: {} records take {}", limit_, size_, bytes());
  if (most != made.end()) {
    const std::string file(most->first.first);
    text += fmt::format(", {} of them made at {}", most->second,
                        tapegrad::text(Site{file.c_str(), most->first.second}));
  }
  if (needed > 4096)
    text += fmt::format("; a tensor of shape {} would take {:.0f}", tapegrad::text(shape), needed);
  throw Error("tape", std::move(text), at,
              "forget each round with `auto scope = tape.scope();` or record once with "
              "tg::compile; tape.limit(bytes) sets another limit");
}

Tensor Recording::leaf(LeafKind kind, const Shape& shape, const Values* values, Site at) {
  const Mark before = mark();
  Node n{};
  n.shape = shape;
  n.born = serial_;
  n.first = static_cast<std::uint32_t>(leaves_.size());
  n.name = n.origin = Node::none;
  n.frame = frame_;
  n.site = blame(at);
  try {
    check_limit(shape, n.site);
    if (kind == LeafKind::parameter) {
      n.slot = parameters_.allocate(shape.numel());
      n.slot.bits |= Slot::parameter_bit;
    } else {
      n.slot = values_.allocate(shape.numel());
    }
    const Id id = size_;
    append() = n;
    leaves_.push_back({.kind = kind, .id = id, .set_at = at, .step_at = at});
    ++unset_;
    if (values == nullptr) return handle(id);
    const auto count = static_cast<std::size_t>(shape.numel());
    if (precision_ == float32)
      values->copy_to(std::span<float>(reinterpret_cast<float*>(address(n.slot)), count));
    else
      values->copy_to(std::span<double>(reinterpret_cast<double*>(address(n.slot)), count));
    leaves_.back().set = ran(id) = clock_;
    --unset_;
    return handle(id);
  } catch (...) {
    truncate(before);
    throw;
  }
}

void Recording::grow_constants() {
  std::swap(constants_, old_constants_);
  const auto alive = [&](const Constant& c) { return c.id < size_ && node(c.id).born == c.born; };
  // Room by those that are alive: the literals of ended scopes must not make it grow for ever.
  const auto count = std::count_if(old_constants_.begin(), old_constants_.end(), alive);
  constants_.assign(std::bit_ceil(static_cast<std::size_t>(64 + 4 * count)), {});
  constants_used_ = 0;
  for (const Constant& c : old_constants_) {
    if (!alive(c)) continue;
    std::size_t place = (c.bits * 0x9e3779b97f4a7c15u) >> 32;
    while (constants_[place % constants_.size()].id != Node::none) ++place;
    constants_[place % constants_.size()] = c;
    ++constants_used_;
  }
}

/// The leaf that holds a literal; the same literal has one leaf, so that a loop does not grow the
/// tape.
Id Recording::constant(double number) {
  if (2 * (constants_used_ + 1) > constants_.size()) grow_constants();
  const auto bits = std::bit_cast<std::uint64_t>(number);
  std::size_t place = (bits * 0x9e3779b97f4a7c15u) >> 32;
  Constant* found = nullptr;
  for (;; ++place) {
    found = &constants_[place % constants_.size()];
    if (found->id == Node::none || found->bits == bits) break;
  }
  if (found->id != Node::none && found->id < size_ && node(found->id).born == found->born)
    return found->id;
  const Values value = number;
  // A literal belongs to no composite and no line: it serves many.
  const std::uint32_t frame = std::exchange(frame_, Node::none);
  const Id id = leaf(LeafKind::constant, Shape{}, &value, Site{}).id_;
  frame_ = frame;
  if (found->id == Node::none) ++constants_used_;
  *found = {bits, node(id).born, id};
  return id;
}

Tensor Recording::record(const Op& op, std::span<const Arg> args,
                         std::span<const std::int64_t> attributes) {
  const Site at = sweep_.active          ? node(sweep_.origin).site
                  : frame_ == Node::none ? (args.empty() ? Site{} : args[0].site())
                                         : frames_[frame_].site;
  if (const std::uint32_t wanted = op.forward.operands(); wanted != 0 && args.size() != wanted)
    throw Error(std::string(op.name),
                fmt::format("{} operands, where its kernel takes {}", args.size(), wanted), at);
  if (attributes.size() > 255)
    throw Error(std::string(op.name),
                fmt::format("{} attributes, 255 are the most", attributes.size()), at);
  bool computed = true;
  arg_ids_.resize(args.size());
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i].is_number()) continue;
    const Id id = arg_ids_[i] = id_of(args[i].tensor(), op.name, at);
    // What is behind a current tensor is current: a sweep, which has asked for y, need not ask
    // again.
    if (!sweep_.active) require_current(id, op.name, at);
    computed = computed && has_values(id);
  }
  if (sweep_.active) computed = computed && sweep_.computes;
  const Mark before = mark();
  try {
    for (std::size_t i = 0; i < args.size(); ++i)
      if (args[i].is_number()) arg_ids_[i] = constant(args[i].number());
    const Operands operands(op, *this, arg_ids_, attributes);
    const Shape shape = op.shape(operands);
    if (op.kind == Kind::elementwise)  // a rule that promises too much would read beyond operands
      for (std::size_t i = 0; i < operands.size(); ++i)
        if (operands[i] != shape && operands[i].numel() != 1 &&
            broadcast(operands[i], shape) != shape)
          operands.fail(fmt::format("its shape rule gives {}, to which operand {} does not stretch",
                                    tapegrad::text(shape), i));
    // Outputs keep their numbers when an optimiser or an update changes a leaf in its place: what
    // would lie inside such a leaf is copied.
    const bool copied = op.alias == nullptr || is(arg_ids_[0], LeafKind::parameter) ||
                        is(arg_ids_[0], LeafKind::state);
    const std::int64_t inside = copied ? -1 : op.alias(operands);
    const std::int64_t count = shape.numel();
    // Looked at now and then only: an ordinary record costs about a hundred bytes.
    if (size_ % 64 == 0 || static_cast<std::uint64_t>(count) > 256) check_limit(shape, at);
    const Slot slot = inside >= 0 ? node(arg_ids_[0]).slot + inside : values_.allocate(count);
    const Id id = size_;
    Node& n = append();
    n.op = &op;
    n.slot = slot;
    n.shape = shape;
    n.born = serial_;
    n.first = operands_.append(arg_ids_);
    n.count = static_cast<std::uint32_t>(args.size());
    n.attributes = attributes.empty() ? 0 : attributes_.append(attributes);
    n.attribute_count = static_cast<std::uint8_t>(attributes.size());
    n.name = Node::none;
    n.frame = frame_;
    n.origin = sweep_.active ? sweep_.origin : Node::none;
    n.site = at;
    n.flags = static_cast<std::uint8_t>((sweep_.active ? Node::swept : 0) |
                                        (inside >= 0 ? Node::aliased : 0));
    if (computed) {
      compute(id);
      if (trap_ && !sweep_.active) check_finite(id);
    }
    return handle(id);
  } catch (const Error& error) {
    truncate(before);
    if (error.site()) throw;
    throw Error(error.op(), error.text(), error.operands(), at, error.hint());
  } catch (...) {
    truncate(before);
    throw;
  }
}

void Recording::mark_adjoint(Id id) {
  Node& n = mutable_node(id);
  if ((n.flags & Node::swept) == 0) return;
  n.flags |= Node::adjoint;
  if (trap_ && has_values(id)) check_finite(id);
}

Tensor record(const Op& op, std::span<const Arg> args, std::span<const std::int64_t> attributes) {
  return recording_of(op.name, args).record(op, args, attributes);
}

}  // namespace tapegrad
