#include "tapegrad/inspect/draw.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <vector>

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {
namespace {

/// For a label in angle brackets, which is XML, and for an attribute in quotes, where Graphviz
/// knows entities too. In both it takes a backslash, even as an entity, for an escape: two show
/// one.
std::string escaped(std::string_view content) {
  std::string result;
  for (char c : content) switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\\':
        result += "&#92;&#92;";
        break;
      case '\n':
        result += "&#10;";
        break;
      default:
        result += c;
    }
  return result;
}

/// The picture of one tensor's records.
class Picture {
 public:
  Picture(const Recording& recording, Id last)
      : recording_(recording), last_(last), needed_(last + 1, 0), home_(last + 1, nowhere) {
    needed_[last_] = 1;
    for (Id id = last_ + 1; id-- > 0;) {
      if (needed_[id] == 0) continue;
      const Node& n = recording_.node(id);
      if (!n.leaf()) home_[id] = (n.flags & Node::swept) != 0 ? gradient : n.frame;
      for (Id operand : recording_.operands(id)) {
        needed_[operand] = 1;
        if (recording_.node(operand).leaf()) used_in(operand, home_[id]);
      }
    }
  }

  std::string dot() {
    for (Id id = 0; id <= last_; ++id)
      if (needed_[id] != 0 && !in_its_op(id)) add(id);
    // A frame is younger than the one it was opened in, so from the last to the first each is
    // complete.
    while (!frames_.empty() && frames_.rbegin()->first != Node::none)
      close(frames_.rbegin()->first);
    return std::string(head) + nodes_ + inner_ + edges_ + "}\n";
  }

 private:
  static constexpr std::uint32_t nowhere = Node::none - 1;   // no frame uses the leaf yet
  static constexpr std::uint32_t gradient = Node::none - 2;  // the frame of all sweeps
  static constexpr std::string_view head =
      "digraph tape {\n"
      "  rankdir=LR; nodesep=0.2; ranksep=0.3;\n"
      "  fontname=\"Helvetica\"; fontsize=11; fontcolor=\"#57606a\";\n"
      "  node [fontname=\"Helvetica\", fontsize=12, shape=box, style=\"rounded,filled\", "
      "color=\"#8c959f\", fillcolor=\"#ffffff\", height=0.3, margin=\"0.1,0.05\"];\n"
      "  edge [color=\"#8c959f\", arrowsize=0.6];\n";

  /// The records of a frame as DOT, and the layer that their parameters belong to.
  struct FrameContent {
    std::string nodes, inner;  // its own, and the frames within it
    std::string layer;
    bool one_layer = true;
  };

  /// A leaf lives in the frame of all its users, if there is one.
  void used_in(Id leaf, std::uint32_t frame) {
    if (home_[leaf] == nowhere && !recording_.is(leaf, LeafKind::input))
      home_[leaf] = frame;
    else if (home_[leaf] != frame)
      home_[leaf] = Node::none;
  }

  bool in_its_op(Id id) const {
    return id != last_ && recording_.is(id, LeafKind::constant) &&
           recording_.node(id).shape.numel() == 1 && recording_.name(id).empty();
  }

  /// The op's notation with its constants in it, as `1.0 - ·`, or its name if it has none.
  std::string op_text(Id id) const {
    const Op& op = *recording_.node(id).op;
    const std::span<const Id> operands = recording_.operands(id);
    bool constants = false;
    for (Id operand : operands) constants = constants || in_its_op(operand);
    const std::string_view notation = op.notation;
    std::size_t places = 0;
    for (std::size_t at = 0; (at = notation.find("{}", at)) != std::string_view::npos; at += 2)
      ++places;
    if (!constants || places != operands.size()) {
      std::string result(op.name);
      for (Id operand : operands)
        if (in_its_op(operand)) result += " " + text(recording_.handle(operand));
      return result;
    }
    std::string result;
    std::size_t from = 0;
    for (Id operand : operands) {
      const std::size_t to = notation.find("{}", from);
      result += notation.substr(from, to - from);
      result += in_its_op(operand) ? text(recording_.handle(operand)) : "·";
      from = to + 2;
    }
    return result += notation.substr(from);
  }

  std::string_view colours(Id id) const {
    switch (recording_.leaf(id).kind) {
      case LeafKind::parameter:
        return "color=\"#0969da\", fillcolor=\"#ddf0ff\"";
      case LeafKind::input:
        return "color=\"#1a7f37\", fillcolor=\"#dcf7e3\"";
      case LeafKind::state:
        return "color=\"#9a6700\", fillcolor=\"#fff5d6\"";
      case LeafKind::constant:
        break;
    }
    return "fillcolor=\"#f0f2f4\"";
  }

  void add(Id id) {
    const Node& n = recording_.node(id);
    const std::string_view name = recording_.name(id);
    const std::string what = n.leaf() ? std::string(text(recording_.leaf(id).kind)) : op_text(id);
    std::string label = escaped(name.empty() || !n.leaf() ? what : std::string(name));
    if (!name.empty() && !n.leaf()) label += " <b>" + escaped(name) + "</b>";
    if (n.shape.rank() > 0)
      label += "<br/><font point-size=\"10\" color=\"#57606a\">" + text(n.shape) + "</font>";
    std::string attributes;
    if (n.leaf()) attributes += fmt::format(", style=filled, {}", colours(id));
    if (id == last_) attributes += ", penwidth=2";
    if (n.site) attributes += fmt::format(", tooltip=\"{}\"", escaped(text(n.site)));

    const std::uint32_t frame = home_[id] == nowhere ? Node::none : home_[id];
    (frame == Node::none ? nodes_ : frames_[frame].nodes) +=
        fmt::format("  n{} [label=<{}>{}];\n", id, label, attributes);
    if (frame != Node::none && recording_.is(id, LeafKind::parameter)) {
      const std::size_t dot = name.rfind('.');
      const std::string_view layer = dot == std::string_view::npos ? "" : name.substr(0, dot);
      FrameContent& content = frames_[frame];
      content.one_layer = content.one_layer && (content.layer.empty() || content.layer == layer);
      content.layer = layer;
    }
    // Where the data flow, the line is to be straight.
    for (Id operand : recording_.operands(id))
      if (!in_its_op(operand))
        edges_ += fmt::format("  n{} -> n{}{};\n", operand, id,
                              recording_.node(operand).leaf() ? "" : " [weight=8]");
  }

  /// Puts a frame around its nodes, and the whole into the frame outside it.
  void close(std::uint32_t index) {
    const FrameContent content = std::move(frames_[index]);
    frames_.erase(index);
    const Frame frame =
        index == gradient ? Frame{"gradient", Node::none, {}} : recording_.frame(index);
    std::string title(frame.name);
    if (content.one_layer && !content.layer.empty()) title = content.layer + ": " + title;
    std::string cluster = fmt::format(
        "subgraph cluster_{} {{\n  label=<{}>; labelloc=b; style=\"rounded,filled\"; "
        "color=\"#d0d7de\"; fillcolor=\"#f6f8fa\";\n",
        index == gradient ? frame.name : fmt::to_string(index), escaped(title));
    if (frame.site) cluster += fmt::format("  tooltip=\"{}\";\n", escaped(text(frame.site)));
    cluster += content.nodes + content.inner + "}\n";
    std::string indented;
    for (std::size_t from = 0; from < cluster.size();) {
      const std::size_t to = cluster.find('\n', from) + 1;
      indented.append("  ").append(cluster, from, to - from);
      from = to;
    }
    (frame.parent == Node::none ? inner_ : frames_[frame.parent].inner).insert(0, indented);
  }

  const Recording& recording_;
  Id last_;
  std::vector<char> needed_;
  std::vector<std::uint32_t> home_;  // the frame a record is drawn in
  std::map<std::uint32_t, FrameContent> frames_;
  std::string nodes_, inner_, edges_;
};

}  // namespace

std::string draw(const Tensor& output, Site at) {
  const Recording& recording = Recording::of(output, "draw", at);
  return Picture(recording, recording.id_of(output, "draw", at)).dot();
}

}  // namespace tapegrad
