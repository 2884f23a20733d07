// A derivation in Markdown, as code-hosting sites render it.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "tapegrad/inspect/derivation.hpp"
#include "tapegrad/inspect/mathematics.hpp"
#include "tapegrad/inspect/typeset.hpp"

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
    // Between dollars alone, a backslash in front of what is no letter would be taken for
    // Markdown's.
    bool escaped = false;
    for (std::size_t i = 0; i + 1 < formula.size(); ++i)
      if (formula[i] == '\\')
        escaped = escaped || std::isalpha(static_cast<unsigned char>(formula[i + 1])) == 0;
    const std::size_t end = formula.find_last_not_of(' ') + 1;
    const std::string_view tick = escaped ? "`" : "";
    result += fmt::format("${}{}{}$", tick, formula.substr(0, end), tick);
  }
  return result;
}

std::string table(const Derivation& derivation, const Table& table) {
  std::size_t count = table.head.size();
  for (const auto& row : table.rows) count = std::max(count, row.size());
  std::string result;
  const auto add = [&](const std::vector<std::string>& row) {
    for (std::size_t j = 0; j < count; ++j)
      result += fmt::format("| {} ", j < row.size() ? sentence(derivation, row[j]) : "");
    result += "|\n";
  };
  add(table.head);
  for (std::size_t j = 0; j < count; ++j) result += right_aligned(table, j) ? "|---:" : "|---";
  result += "|\n";
  for (const auto& row : table.rows) add(row);
  return result;
}

std::string block(const std::vector<MathRow>& rows) {
  std::string result = "```math\n\\begin{aligned}\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    result += rows[i].text;
    if (rows[i].at) result += " && " + math_code(text(rows[i].at));
    result += i + 1 < rows.size() ? " \\\\\n" : "\n";
  }
  return result + "\\end{aligned}\n```\n";
}

}  // namespace

std::string markdown(const Derivation& derivation) {
  std::string result;
  const auto add = [&](const std::string& part) { result += (result.empty() ? "" : "\n") + part; };
  for (const Derivation::Section& section : derivation.sections) {
    if (!section.title.empty()) add("## " + sentence(derivation, section.title) + "\n");
    for (std::size_t i = 0; i < section.lines.size();) {
      std::vector<MathRow> rows;
      for (; i < section.lines.size(); ++i) {
        const auto* equation = std::get_if<Equation>(&section.lines[i]);
        if (equation == nullptr) break;
        const std::vector<MathRow> next = math_rows(derivation, *equation);
        rows.insert(rows.end(), next.begin(), next.end());
      }
      if (!rows.empty()) {
        add(block(rows));
        continue;
      }
      if (const auto* t = std::get_if<Table>(&section.lines[i]))
        add(table(derivation, *t));
      else
        add(sentence(derivation, std::get<Sentence>(section.lines[i]).text) + "\n");
      ++i;
    }
  }
  if (!derivation.footnote.empty()) add(sentence(derivation, derivation.footnote) + "\n");
  return result;
}

}  // namespace tapegrad
