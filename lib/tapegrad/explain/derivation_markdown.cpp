// A derivation in Markdown, as code-hosting sites render it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tapegrad/explain/derivation.hpp"
#include "tapegrad/explain/mathematics.hpp"
#include "tapegrad/explain/typeset.hpp"

namespace tapegrad {
namespace {

std::string sentence(const Derivation& derivation, std::string_view text) {
  std::string result;
  for (const Span& span : spans(text)) {
    if (!span.formula) {
      for (const char c : span.text) {
        if (std::string_view("\\*_<|[]#$~").find(c) != std::string_view::npos) result += '\\';
        result += c == '\n' ? ' ' : c;
      }
      continue;
    }
    const std::string formula = math_inline(derivation, span.text).text();
    // Between dollars alone, Markdown would take underscores and backslashes for its own.
    result += fmt::format("$`{}`$", formula.substr(0, formula.find_last_not_of(' ') + 1));
  }
  return result;
}

class MarkdownForm : public Form {
 public:
  explicit MarkdownForm(const Derivation& derivation) : derivation_(derivation) {}

 private:
  std::string title(const std::string& title) const override { return "## " + sentence(title); }
  std::string sentence(const std::string& text) const override {
    return tapegrad::sentence(derivation_, text) + "\n";
  }
  std::string table(const Table& table) const override {
    std::size_t count = table.head.size();
    for (const auto& row : table.rows) count = std::max(count, row.size());
    std::string result;
    const auto add = [&](const std::vector<std::string>& row) {
      for (std::size_t j = 0; j < count; ++j)
        result +=
            fmt::format("| {} ", j < row.size() ? tapegrad::sentence(derivation_, row[j]) : "");
      result += "|\n";
    };
    add(table.head);
    for (std::size_t j = 0; j < count; ++j) result += right_aligned(table, j) ? "|---:" : "|---";
    result += "|\n";
    for (const auto& row : table.rows) add(row);
    return result;
  }
  std::string equations(const std::vector<const Equation*>& equations) const override {
    std::string result = "```math\n\\begin{aligned}";
    std::string_view end;
    for (const Equation* equation : equations)
      for (const MathRow& row : math_rows(derivation_, *equation)) {
        result += fmt::format("{}\n{}", std::exchange(end, " \\\\"), row.text);
        if (row.at) result += " && " + math_code(text(row.at));
      }
    return result + "\n\\end{aligned}\n```\n";
  }

  const Derivation& derivation_;
};

}  // namespace

std::string markdown(const Derivation& derivation) {
  return MarkdownForm(derivation).page(derivation);
}

}  // namespace tapegrad
