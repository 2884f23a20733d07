#include "tapegrad/tape/listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <ostream>
#include <vector>

namespace tapegrad {
namespace {

/// What a record does to which records: `add %3, %4`.
std::string expression(const Recording& recording, Id id) {
  const Node& n = recording.node(id);
  if (n.leaf()) {
    const Leaf& leaf = recording.leaf(id);
    if (leaf.kind == LeafKind::constant && n.shape.rank() == 0)
      return fmt::format("constant {}", text(recording.handle(id)));
    return std::string(text(leaf.kind)) + (leaf.set == 0 ? ", not set" : "");
  }
  std::string result = fmt::format("{} ", n.op->name);
  for (std::size_t i = 0; Id operand : recording.operands(id))
    result += fmt::format("{}%{}", i++ == 0 ? "" : ", ", operand);
  const auto attributes = recording.attributes(id);
  if (!attributes.empty()) result += fmt::format(" [{}]", joined(attributes, " "));
  return result;
}

}  // namespace

std::string listing(const Recording& recording, std::span<const Id> ids) {
  struct Line {
    std::string number, content, shape, name, site;
  };
  std::vector<Line> lines;
  std::size_t number = 0, content = 0, shape = 0, name = 0;
  for (Id id : ids) {
    const Node& n = recording.node(id);
    const std::string_view sweep = (n.flags & Node::swept) != 0 ? "~" : " ";
    Line line{fmt::format("{}%{}", sweep, id), expression(recording, id), text(n.shape),
              std::string(recording.name(id)), text(n.site)};
    if (n.frame != Node::none) line.site += fmt::format(" in {}", recording.frame(n.frame).name);
    number = std::max(number, line.number.size());
    content = std::max(content, line.content.size());
    shape = std::max(shape, line.shape.size());
    name = std::max(name, line.name.size());
    lines.push_back(std::move(line));
  }
  std::string result;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    for (const Note& note : recording.notes()) {
      const bool first_after = note.before <= ids[i] && (i == 0 || ids[i - 1] < note.before);
      if (first_after)
        result +=
            fmt::format("  # {} was looked at here ({}): what follows may depend on what it was\n",
                        recording.label(note.id), text(note.site));
    }
    const Line& l = lines[i];
    std::string line = fmt::format("{:<{}}  {:<{}}  {:<{}}  {:<{}}  {}", l.number, number,
                                   l.content, content, l.shape, shape, l.name, name, l.site);
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + "\n";
  }
  return result;
}

std::string text(const Tape& tape) {
  if (!tape.defined()) return "(this tape was moved from)";
  const Recording& recording = tape.recording();
  std::vector<Id> all(recording.size());
  std::iota(all.begin(), all.end(), Id{0});
  return fmt::format("{} tape, {} records, {} bytes\n{}", text(recording.precision()),
                     recording.size(), recording.bytes(), listing(recording, all));
}

std::ostream& operator<<(std::ostream& out, const Tape& tape) { return out << text(tape); }

}  // namespace tapegrad

fmt::format_context::iterator fmt::formatter<tapegrad::Tape>::format(
    const tapegrad::Tape& tape, fmt::format_context& context) const {
  return fmt::formatter<fmt::string_view>::format(tapegrad::text(tape), context);
}
