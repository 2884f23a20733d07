// A graph in the language of Graphviz.
#include <fmt/format.h>

#include <string_view>

#include "tapegrad/inspect/draw_graph.hpp"
#include "tapegrad/inspect/draw_text.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view head =
    "digraph tape {\n"
    "  rankdir=LR; nodesep=0.2; ranksep=0.3;\n"
    "  fontname=\"Helvetica\"; fontsize=11; fontcolor=\"#57606a\";\n"
    "  node [fontname=\"Helvetica\", fontsize=12, shape=box, style=\"rounded,filled\", "
    "color=\"#8c959f\", fillcolor=\"#ffffff\", height=0.3, margin=\"0.1,0.05\"];\n"
    "  edge [fontname=\"Helvetica\", fontsize=10, fontcolor=\"#8250df\", color=\"#8c959f\", "
    "arrowsize=0.6];\n";

/// For a label in angle brackets, which is XML, and for an attribute in quotes, where Graphviz
/// knows entities too. In both it takes a backslash, even as an entity, for an escape: two show
/// one.
std::string escaped(std::string_view content) {
  std::string result = xml(content);
  for (std::size_t at = 0; (at = result.find('\\', at)) != std::string::npos; at += 10)
    result.replace(at, 1, "&#92;&#92;");
  return result;
}

/// The same, where lines may end.
std::string lines(std::string_view content) {
  std::string result;
  for (std::size_t from = 0, to = 0; to != std::string_view::npos; from = to + 1) {
    to = content.find('\n', from);
    if (from > 0) result += "<br/>";
    result += escaped(content.substr(from, to == std::string_view::npos ? to : to - from));
  }
  return result;
}

std::string_view colours(Graph::Look look) {
  switch (look) {
    case Graph::Look::parameter:
      return ", style=filled, color=\"#0969da\", fillcolor=\"#ddf0ff\"";
    case Graph::Look::input:
      return ", style=filled, color=\"#1a7f37\", fillcolor=\"#dcf7e3\"";
    case Graph::Look::state:
      return ", style=filled, color=\"#9a6700\", fillcolor=\"#fff5d6\"";
    case Graph::Look::constant:
      return ", style=filled, fillcolor=\"#f0f2f4\"";
    case Graph::Look::backward:
      return ", color=\"#bc4c00\", fillcolor=\"#fff1e5\"";
    case Graph::Look::more:
      return ", style=\"rounded,dashed\"";
    case Graph::Look::op:
      break;
  }
  return "";
}

std::string node(const Graph::Box& box) {
  constexpr std::string_view small = "<font point-size=\"10\" color=\"{}\">{}</font>";
  std::string label = escaped(box.text);
  if (!box.name.empty()) label += " <b>" + escaped(box.name) + "</b>";
  if (!box.shape.empty()) label += "<br/>" + fmt::format(fmt::runtime(small), "#57606a", box.shape);
  if (!box.value.empty())
    label += "<br/>" + fmt::format(fmt::runtime(small), "#1f2328", lines(box.value));
  if (!box.gradient.empty())
    label += "<br/>" + fmt::format(fmt::runtime(small), "#bc4c00", lines(box.gradient));
  std::string result = fmt::format("n{} [label=<{}>{}", box.number, label, colours(box.look));
  if (box.output) result += ", penwidth=2";
  if (box.site) result += fmt::format(", tooltip=\"{}\"", escaped(text(box.site)));
  return result + "];\n";
}

/// A frame's own boxes, and the frames within it.
std::string content(const Graph& graph, std::size_t index, std::size_t depth) {
  const std::string indentation(2 * depth + 2, ' ');
  std::string result;
  for (std::size_t box : graph.frames[index].boxes) result += indentation + node(graph.boxes[box]);
  for (std::size_t f : graph.frames[index].frames) {
    const Graph::Frame& frame = graph.frames[f];
    result += fmt::format("{}subgraph cluster_{} {{\n", indentation, f);
    result += fmt::format(
        "{}  label=<{}>; labelloc=b; style=\"rounded,filled\"; color=\"#d0d7de\"; "
        "fillcolor=\"#f6f8fa\";\n",
        indentation, escaped(frame.title));
    if (frame.site)
      result += fmt::format("{}  tooltip=\"{}\";\n", indentation, escaped(text(frame.site)));
    result += content(graph, f, depth + 1) + indentation + "}\n";
  }
  return result;
}

std::string attributes(const Graph::Line& line) {
  std::string result;
  switch (line.way) {
    case Graph::Way::leaf:
      break;
    case Graph::Way::forward:  // where the data flow, the line is to be straight
      result = "weight=8";
      break;
    case Graph::Way::to_backward:
      result = "constraint=false, color=\"#d0d7de\"";
      break;
    case Graph::Way::backward:
      result = "dir=back, weight=8, color=\"#bc4c00\"";
      break;
    case Graph::Way::made:  // next to each other
      result = "minlen=0, style=dashed, arrowhead=none, color=\"#d0a080\"";
      break;
  }
  if (!line.derivative.empty())
    result += fmt::format("{}label=<{}>", result.empty() ? "" : ", ", lines(line.derivative));
  return result.empty() ? result : " [" + result + "]";
}

}  // namespace

std::string Graph::dot() const {
  std::string result = std::string(head) + content(*this, 0, 0);
  for (const Line& line : lines) {
    // A gradient flows from right to left, each of its records below those it belongs to.
    const bool turned = line.way == Way::backward;
    result += fmt::format("  n{} -> n{}{};\n", boxes[turned ? line.to : line.from].number,
                          boxes[turned ? line.from : line.to].number, attributes(line));
  }
  return result + "}\n";
}

}  // namespace tapegrad
