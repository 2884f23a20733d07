#include "tapegrad/tape/recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <utility>

namespace tapegrad {

std::string_view text(LeafKind kind) {
  switch (kind) {
    case LeafKind::parameter:
      return "parameter";
    case LeafKind::input:
      return "input";
    case LeafKind::state:
      return "state";
    case LeafKind::constant:
      break;
  }
  return "constant";
}

Recording::Recording(Precision precision, Site made)
    : precision_(precision),
      made_(made),
      cell_(registry::acquire(this)),
      serial_(registry::cell(cell_).serial + 1),
      first_serial_(serial_),
      values_(size_of(precision)),
      parameters_(size_of(precision)) {}

Recording::~Recording() { registry::release(cell_, serial_); }

// ---------------------------------------------------------------- handles

bool Recording::usable(const Tensor& tensor) {
  if (!tensor.defined()) return false;
  const Recording* recording = registry::cell(tensor.cell_).recording;
  return recording != nullptr && recording->holds(tensor);
}

Recording& Recording::of(const Tensor& tensor, std::string_view doing, Site at) {
  if (!tensor.defined())
    throw Error(std::string(doing), "an undefined tensor: default-constructed and never recorded",
                at,
                "a variable used in its own initialiser, as in Tensor x = x * 2, is undefined too");
  Recording* recording = registry::cell(tensor.cell_).recording;
  if (recording == nullptr || tensor.born_ < recording->first_serial_)
    throw Error(std::string(doing),
                fmt::format("the tape of this tensor (%{}) is gone", tensor.id_), at,
                "a tape must live as long as its tensors are used");
  if (!recording->holds(tensor))
    throw Error(
        std::string(doing),
        fmt::format("a stale tensor: %{} was forgotten when the tape was rewound", tensor.id_), at,
        "it was recorded after a mark that was rewound to, or in a scope that ended");
  return *recording;
}

Recording& Recording::of(const Ref& ref, std::string_view doing, Site at) {
  Recording* recording = registry::cell(ref.cell).recording;
  if (recording == nullptr || recording->first_serial_ != ref.first_serial)
    throw Error(std::string(doing), "its tape is gone", at,
                "a tape must live as long as what was recorded on it is used");
  return *recording;
}

Id Recording::id_of(const Tensor& tensor, std::string_view doing, Site at) const {
  if (holds(tensor)) return tensor.id_;
  const Recording& other = of(tensor, doing, at);
  std::vector<Error::Operand> operands{other.describe(tensor.id_, "other")};
  throw Error(
      std::string(doing), fmt::format("operands from two tapes: {} and {}", text(), other.text()),
      std::move(operands), at, "copy_values and Array carry numbers from one tape to another");
}

// ---------------------------------------------------------------- reading the sequence

std::string_view Recording::name(Id id) const {
  const Node& n = node(id);
  return n.name == Node::none ? std::string_view{} : std::string_view{names_[n.name].text};
}

std::string Recording::label(Id id) const {
  const Node& n = node(id);
  if (n.name != Node::none) return fmt::format("%{} {}", id, name(id));
  return fmt::format("%{} {}", id, n.leaf() ? tapegrad::text(leaf(id).kind) : n.op->name);
}

std::string Recording::called(Id id) const {
  return node(id).name == Node::none ? label(id) : std::string(name(id));
}

std::string Recording::text() const {
  return fmt::format("the {} tape made at {}", tapegrad::text(precision_), tapegrad::text(made_));
}

std::size_t Recording::bytes() const {
  return size_ * (sizeof(Node) + sizeof(std::uint64_t)) + operands_.bytes() + attributes_.bytes() +
         values_.bytes() + parameters_.bytes();
}

// ---------------------------------------------------------------- errors

Error::Operand Recording::describe(Id id, std::string role) const {
  return {std::move(role), label(id), node(id).shape, node(id).site};
}

Error Recording::refuse(std::string_view doing, Id id, std::string text, std::string hint,
                        Site at) const {
  return Error(std::string(doing), std::move(text), {describe(id, "of")}, blame(at),
               std::move(hint));
}

Error Recording::error(const Op& op, std::span<const Id> operands, std::uint32_t frame,
                       std::string text, std::string hint) const {
  std::vector<Error::Operand> described;
  std::string shapes;
  const std::string_view between = op.kind == Kind::contraction ? " x "
                                   : operands.size() == 2       ? " and "
                                                                : ", ";
  constexpr std::string_view of_two[] = {"left", "right"};
  for (std::size_t i = 0; i < operands.size(); ++i) {
    std::string role;
    if (i < op.roles.size() && !op.roles[i].empty())
      role = op.roles[i];
    else if (operands.size() == 2)
      role = of_two[i];
    else
      role = operands.size() == 1 ? "operand" : fmt::format("[{}]", i);
    if (i > 0) shapes += between;
    shapes += tapegrad::text(node(operands[i]).shape);
    described.push_back(describe(operands[i], std::move(role)));
    if (i == 7 && operands.size() > 8) {  // a concat of hundreds: the first ones will do
      shapes += ", ...";
      break;
    }
  }
  if (frame != Node::none && frames_[frame].name != op.name)
    text += fmt::format(" (in {})", frames_[frame].name);
  return Error(std::string(op.name), fmt::format("{}: {}", shapes, text), std::move(described), {},
               std::move(hint));
}

const Shape& Operands::operator[](std::size_t i) const { return recording_.node(ids_[i]).shape; }

std::string Operands::name(std::size_t i) const {
  const std::string_view name = recording_.name(ids_[i]);
  return name.empty() ? fmt::format("%{}", ids_[i]) : std::string(name);
}

void Operands::fail(std::string text, std::string hint) const {
  throw recording_.error(op_, ids_, recording_.current_frame(), std::move(text), std::move(hint));
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

// ---------------------------------------------------------------- recording

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

void Recording::name(Id id, std::string_view name, Namer namer) {
  Node& n = mutable_node(id);
  constexpr int namers = Node::named_by_maker | Node::named_by_field;
  const int flag = namer == Namer::maker   ? Node::named_by_maker
                   : namer == Namer::field ? Node::named_by_field
                                           : 0;
  n.flags = static_cast<std::uint8_t>((n.flags & ~namers) | flag);
  if (n.name == Node::none) {
    if (names_used_ == names_.size()) names_.emplace_back();
    n.name = names_used_++;
    names_[n.name].owner = id;
  }
  names_[n.name].text.assign(name);
}

void Recording::name_elements(Id id, std::vector<std::string> names) {
  element_names_.insert_or_assign(id, std::move(names));
}

std::string_view Recording::element_name(Id id, std::size_t element) const {
  const auto found = element_names_.find(id);
  return found == element_names_.end() ? std::string_view{} : found->second[element];
}

Mark Recording::mark() const {
  Mark m;
  m.serial = size_ == 0 ? first_serial_ : node(size_ - 1).born;
  m.size = size_;
  m.cell = cell_;
  m.values = values_.mark();
  m.parameters = parameters_.mark();
  m.operands = operands_.mark();
  m.attributes = attributes_.mark();
  m.leaves = static_cast<std::uint32_t>(leaves_.size());
  m.frames = static_cast<std::uint32_t>(frames_.size());
  m.frame = frame_;
  return m;
}

bool Recording::holds(const Mark& mark) const {
  return mark.cell == cell_ && mark.size <= size_ &&
         mark.serial == (mark.size == 0 ? first_serial_ : node(mark.size - 1).born);
}

void Recording::rewind(const Mark& mark, Site at) {
  if (mark.cell != cell_) throw Error("rewind", "the mark belongs to another tape", at);
  if (!holds(mark)) throw Error("rewind", "the mark is stale: the tape was rewound past it", at);
  truncate(mark);
}

void Recording::forget(const Ref& tape, const Mark& mark) {
  Recording* recording = registry::cell(tape.cell).recording;
  if (recording != nullptr && recording->first_serial_ == tape.first_serial &&
      recording->holds(mark))
    recording->truncate(mark);
}

void Recording::truncate(const Mark& m) {
  if (!holds(m)) return;  // forgotten already, and more
  if (size_ != m.size) ++serial_;
  size_ = m.size;
  values_.rewind(m.values);
  parameters_.rewind(m.parameters);
  operands_.rewind(m.operands);
  attributes_.rewind(m.attributes);
  while (leaves_.size() > m.leaves) {
    if (leaves_.back().set == 0) --unset_;
    leaves_.pop_back();
  }
  while (names_used_ > 0 && names_[names_used_ - 1].owner >= size_) --names_used_;
  element_names_.erase(element_names_.lower_bound(size_), element_names_.end());
  std::erase_if(notes_, [&](const Note& note) { return note.id >= size_ || note.before > size_; });
  std::erase_if(pending_, [&](Id id) { return id >= size_; });
  while (!kept_.empty() && kept_.back().before >= size_) kept_.pop_back();
  frames_.resize(m.frames);
  frame_ = m.frame;
  while (!remembered_.empty() && remembered_.back().end > size_) {
    remembered_ids_.resize(remembered_.back().first);
    remembered_.pop_back();
  }
}

std::uint32_t Recording::open_frame(std::string_view name, Site site) {
  const std::uint32_t before = frame_;
  frames_.push_back({name, before, blame(site)});
  frame_ = static_cast<std::uint32_t>(frames_.size() - 1);
  return before;
}

Rollback::Rollback(Recording& recording)
    : recording_(recording), mark_(recording.mark()), exceptions_(std::uncaught_exceptions()) {}

Rollback::~Rollback() {
  if (std::uncaught_exceptions() > exceptions_) recording_.truncate(mark_);
}

FrameScope::FrameScope(Recording& recording, std::string_view name, Site site)
    : recording_(recording), rollback_(recording), before_(recording.open_frame(name, site)) {}

FrameScope::FrameScope(std::string_view name, const Arg& operand)
    : FrameScope(recording_of(name, {&operand, 1}), name, operand.site()) {}

FrameScope::~FrameScope() { recording_.close_frame(before_); }

Recording& recording_of(std::string_view doing, std::span<const Arg> args) {
  for (const Arg& arg : args)
    if (!arg.is_number()) return Recording::of(arg.tensor(), doing, arg.site());
  throw Error(std::string(doing), "numbers alone have no tape",
              args.empty() ? Site{} : args[0].site(),
              "make one operand a tensor: tape.constant(...)");
}

Tensor record(const Op& op, std::span<const Arg> args, std::span<const std::int64_t> attributes) {
  return recording_of(op.name, args).record(op, args, attributes);
}

// ---------------------------------------------------------------- gradient sweeps

void Recording::mark_adjoint(Id id) {
  Node& n = mutable_node(id);
  if ((n.flags & Node::swept) == 0) return;
  n.flags |= Node::adjoint;
  if (trap_ && has_values(id)) check_finite(id);
}

std::span<const Id> Recording::remembered(std::string_view question, Id y,
                                          std::span<const Id> seeds,
                                          std::span<const Id> wanted) const {
  for (auto r = remembered_.rbegin(); r != remembered_.rend(); ++r) {
    if (r->end <= y) break;  // made before y was
    if (r->y != y || r->seeds != seeds.size() || r->wanted != wanted.size()) continue;
    const Id* ids = remembered_ids_.data() + r->first;
    if (std::equal(seeds.begin(), seeds.end(), ids) &&
        std::equal(wanted.begin(), wanted.end(), ids + r->seeds) && r->question == question)
      return {ids + r->seeds + r->wanted, r->answers};
  }
  return {};
}

void Recording::remember(std::string_view question, Id y, std::span<const Id> seeds,
                         std::span<const Id> wanted, std::span<const Id> answers) {
  const auto count = [](std::span<const Id> ids) { return static_cast<std::uint32_t>(ids.size()); };
  remembered_.push_back(
      {question, y, count(remembered_ids_), count(seeds), count(wanted), count(answers), size_});
  for (std::span<const Id> ids : {seeds, wanted, answers})
    remembered_ids_.insert(remembered_ids_.end(), ids.begin(), ids.end());
}

std::optional<Recording::GradientOf> Recording::gradient_of(Id answer) const {
  for (const Remembered& r : remembered_) {
    if (r.question != "gradient" || r.seeds > 1) continue;
    const Id* wanted = remembered_ids_.data() + r.first + r.seeds;
    const Id* answers = wanted + r.wanted;
    const Id* found = std::find(answers, answers + r.answers, answer);
    if (found == answers + r.answers) continue;
    return GradientOf{r.y, r.seeds == 0 ? Node::none : *(wanted - 1), wanted[found - answers]};
  }
  return {};
}

}  // namespace tapegrad
