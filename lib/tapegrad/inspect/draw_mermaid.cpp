// A graph as a Mermaid flowchart. Only what the oldest viewers know is used: quoted texts, <br/>,
// subgraphs, classes.
#include <fmt/format.h>

#include <cctype>
#include <string_view>

#include "tapegrad/inspect/draw_graph.hpp"

namespace tapegrad {
namespace {

/// Mermaid reads quotes, semicolons, Markdown, comments and formulas even in a quoted text, and has
/// character codes of its own: `#34;`.
std::string escaped(std::string_view content) {
  constexpr std::string_view harmless = " .,_-+/=()[]'";
  std::string result;
  for (char c : content) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n')
      result += "<br/>";
    else if (byte >= 0x80 || std::isalnum(byte) != 0 || harmless.find(c) != std::string_view::npos)
      result += c;
    else
      result += fmt::format("#{};", byte);
  }
  return result;
}

std::string_view name_of(Graph::Look look) {
  switch (look) {
    case Graph::Look::op:
      return "op";
    case Graph::Look::backward:
      return "backward";
    case Graph::Look::parameter:
      return "parameter";
    case Graph::Look::input:
      return "input";
    case Graph::Look::state:
      return "state";
    case Graph::Look::constant:
      return "constant";
    case Graph::Look::more:
      break;
  }
  return "more";
}

constexpr std::string_view classes =
    "  classDef op fill:#ffffff,stroke:#8c959f,color:#1f2328\n"
    "  classDef backward fill:#fff1e5,stroke:#bc4c00,color:#1f2328\n"
    "  classDef parameter fill:#ddf0ff,stroke:#0969da,color:#1f2328\n"
    "  classDef input fill:#dcf7e3,stroke:#1a7f37,color:#1f2328\n"
    "  classDef state fill:#fff5d6,stroke:#9a6700,color:#1f2328\n"
    "  classDef constant fill:#f0f2f4,stroke:#8c959f,color:#1f2328\n"
    "  classDef more fill:#ffffff,stroke:#8c959f,color:#1f2328,stroke-dasharray:4 3\n"
    "  classDef output stroke-width:3px\n";

std::string node(const Graph::Box& box) {
  std::string label = box.text;
  if (!box.name.empty()) label += " " + box.name;
  for (const std::string& part : {box.shape, box.value, box.gradient})
    if (!part.empty()) label += "\n" + part;
  const bool leaf = box.look != Graph::Look::op && box.look != Graph::Look::backward &&
                    box.look != Graph::Look::more;
  return fmt::format("n{}{}\"{}\"{}:::{}\n", box.number, leaf ? "[" : "(", escaped(label),
                     leaf ? "]" : ")", name_of(box.look));
}

std::string content(const Graph& graph, std::size_t index, std::size_t depth) {
  const std::string indentation(2 * depth + 2, ' ');
  std::string result;
  for (std::size_t box : graph.frames[index].boxes) result += indentation + node(graph.boxes[box]);
  for (std::size_t f : graph.frames[index].frames)
    result +=
        fmt::format("{}subgraph f{}[\"{}\"]\n{}{}end\n", indentation, f,
                    escaped(graph.frames[f].title), content(graph, f, depth + 1), indentation);
  return result;
}

}  // namespace

std::string Graph::mermaid() const {
  std::string result = "flowchart LR\n" + content(*this, 0, 0);
  for (const Line& line : lines)
    result += fmt::format(
        "  n{} {}{} n{}\n", boxes[line.from].number, line.way == Way::made ? "-.-" : "-->",
        line.derivative.empty() ? "" : fmt::format("|\"{}\"|", escaped(line.derivative)),
        boxes[line.to].number);
  result += classes;
  for (const Box& box : boxes)
    if (box.output) result += fmt::format("  class n{} output\n", box.number);
  return result;
}

}  // namespace tapegrad
