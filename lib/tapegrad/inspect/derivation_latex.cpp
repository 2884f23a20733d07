// A derivation in LaTeX.
#include <fmt/format.h>

#include <algorithm>

#include "tapegrad/inspect/derivation.hpp"
#include "tapegrad/inspect/mathematics.hpp"
#include "tapegrad/inspect/typeset.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view begin_document = R"(\documentclass{article}
\usepackage{amsmath}
\setlength{\textwidth}{16cm}
\setlength{\oddsidemargin}{0cm}
\setlength{\parindent}{0pt}
\setlength{\emergencystretch}{3em}
\allowdisplaybreaks
\begin{document}

)";

std::string words(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto [character, length] = first_character(text);
    const std::string_view symbol = character < 0x80 ? "" : math_symbol(character);
    if (!symbol.empty())
      result += fmt::format("${}$", symbol);
    else if (std::string_view("_%&#${}").find(text[0]) != std::string_view::npos)
      result += fmt::format("\\{}", text[0]);
    else if (std::string_view("<>|").find(text[0]) != std::string_view::npos)
      result += fmt::format("${}$", text[0]);
    else if (text[0] == '\\')
      result += "\\textbackslash{}";
    else if (text[0] == '^' || text[0] == '~')
      result += text[0] == '^' ? "\\textasciicircum{}" : "\\textasciitilde{}";
    else
      result += text.substr(0, length);
    text.remove_prefix(length);
  }
  return result;
}

struct Cell {
  std::string text;
  std::size_t width = 0;
};
Cell sentence(const Derivation& derivation, std::string_view text) {
  Cell result;
  for (const Span& span : spans(text)) {
    const BrokenLine formula = span.formula ? math_inline(derivation, span.text) : BrokenLine{};
    result.text += span.formula ? fmt::format("${}$", formula.text()) : words(span.text);
    result.width += span.formula ? formula.width() : columns(span.text);
  }
  return result;
}

/// How many digits there is place for in a line, and the columns' space.
constexpr std::size_t page = 84, between = 3;

std::string table(const Derivation& derivation, const Table& table) {
  std::vector<std::vector<std::string>> rows{table.head};
  rows.insert(rows.end(), table.rows.begin(), table.rows.end());
  std::vector<std::size_t> widths;
  std::string body;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows[i].size(); ++j) {
      const Cell cell = sentence(derivation, rows[i][j]);
      if (j == widths.size()) widths.push_back(0);
      widths[j] = std::max(widths[j], cell.width);
      body += (j == 0 ? "" : " & ") + cell.text;
    }
    if (!rows[i].empty()) body += i == 0 ? " \\\\ \\hline\n" : " \\\\\n";
  }
  // The widest columns are paragraphs, if the page is too narrow.
  std::size_t narrowed = page;
  const auto fits = [&] {
    std::size_t sum = 0;
    for (const std::size_t w : widths) sum += std::min(w, narrowed) + between;
    return sum <= page;
  };
  while (narrowed > 12 && !fits()) --narrowed;
  std::string format;
  for (std::size_t j = 0; j < widths.size(); ++j)
    format += widths[j] > narrowed
                  ? fmt::format("p{{{:.1f}cm}}", 0.18 * static_cast<double>(narrowed))
              : right_aligned(table, j) ? "r"
                                        : "l";
  return fmt::format(
      "\\begin{{center}}\n\\begin{{tabular}}{{{}}}\n{}\\end{{tabular}}\n\\end{{center}}\n", format,
      body);
}

std::string block(const std::vector<MathRow>& rows) {
  std::size_t width = 0;
  for (const MathRow& row : rows) width = std::max(width, row.width);
  // What cannot be broken, as a matrix, is set small.
  constexpr std::pair<std::size_t, std::string_view> sizes[] = {
      {80, ""}, {88, "\\small"}, {100, "\\footnotesize"}, {114, "\\scriptsize"}};
  std::string_view size = "\\tiny";
  for (const auto& [fitting, name] : sizes)
    if (width <= fitting) {
      size = name;
      break;
    }
  std::string result = fmt::format("{}{}\\begin{{align*}}\n", size.empty() ? "" : "{", size);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    result += rows[i].text;
    if (rows[i].at)
      result += fmt::format(" \\tag*{{\\small\\texttt{{{}}}}}", words(text(rows[i].at)));
    result += i + 1 < rows.size() ? " \\\\\n" : "\n";
  }
  return result + fmt::format("\\end{{align*}}{}\n", size.empty() ? "" : "}");
}

}  // namespace

std::string latex(const Derivation& derivation, const LatexOptions& options) {
  std::string result;
  const auto add = [&](const std::string& part) { result += (result.empty() ? "" : "\n") + part; };
  for (const Derivation::Section& section : derivation.sections) {
    if (!section.title.empty())
      add(fmt::format("\\section*{{{}}}\n", sentence(derivation, section.title).text));
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
        add(sentence(derivation, std::get<Sentence>(section.lines[i]).text).text + "\n");
      ++i;
    }
  }
  if (!derivation.footnote.empty()) add(sentence(derivation, derivation.footnote).text + "\n");
  return options.document ? fmt::format("{}{}\n\\end{{document}}\n", begin_document, result)
                          : result;
}

}  // namespace tapegrad
