// Marks, and how a recording goes back to one: when a scope ends, or a frame by an exception.
#include <exception>

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

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

}  // namespace tapegrad
