// A derivation in LaTeX.
#include <fmt/format.h>

#include <algorithm>

#include "tapegrad/explain/derivation.hpp"
#include "tapegrad/explain/mathematics.hpp"
#include "tapegrad/explain/typeset.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view begin_document = R"(\documentclass{article}
\usepackage{amsmath}
\setlength{\textwidth}{16cm}
\setlength{\oddsidemargin}{0cm}
\setlength{\textheight}{23cm}
\setlength{\topmargin}{-1cm}
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

/// Letters of which pdflatex has no picture, by their numbers.
std::string printable(std::string_view page) {
  std::string result;
  while (!page.empty()) {
    const auto [c, length] = first_character(page);
    const bool known = c < 0x180 || (c >= 0x2010 && c <= 0x2026);  // Latin; dashes, quotes
    result += known ? std::string(page.substr(0, length))
                    : fmt::format("U+{:04X}", static_cast<unsigned>(c));
    page.remove_prefix(length);
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
constexpr std::size_t page_width = 92, between = 3;

std::string table(const Derivation& derivation, const Table& table) {
  std::vector<std::vector<std::string>> rows{table.head};
  rows.insert(rows.end(), table.rows.begin(), table.rows.end());
  std::vector<std::size_t> widths;
  std::string body;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows[i].size(); ++j) {
      const bool number =
          i > 0 && right_aligned(table, j) && rows[i][j].find_first_of("`%") == std::string::npos;
      const Cell cell = sentence(derivation, number ? fmt::format("`{}`", rows[i][j]) : rows[i][j]);
      if (j == widths.size()) widths.push_back(0);
      widths[j] = std::max(widths[j], cell.width);
      body += (j == 0 ? "" : " & ") + cell.text;
    }
    if (!rows[i].empty()) body += i == 0 ? " \\\\ \\hline\n" : " \\\\\n";
  }
  // The widest columns are paragraphs, if the page is too narrow.
  std::size_t narrowed = page_width;
  const auto fits = [&] {
    std::size_t sum = 0;
    for (const std::size_t w : widths) sum += std::min(w, narrowed) + between;
    return sum <= page_width;
  };
  while (narrowed > 12 && !fits()) --narrowed;
  std::string format;
  for (std::size_t j = 0; j < widths.size(); ++j)
    format += widths[j] > narrowed
                  ? fmt::format("p{{{:.1f}cm}}", 0.17 * static_cast<double>(narrowed))
              : right_aligned(table, j) ? "r"
                                        : "l";
  return fmt::format(
      "\\begin{{center}}\n\\begin{{tabular}}{{{}}}\n{}\\end{{tabular}}\n\\end{{center}}\n", format,
      body);
}

/// Around a block this wide: what cannot be broken, as a matrix, is set small.
std::string_view size_for(std::size_t width) {
  if (width <= 90) return "";
  return width <= 98    ? "\\small"
         : width <= 110 ? "\\footnotesize"
         : width <= 126 ? "\\scriptsize"
                        : "\\tiny";
}

class LatexForm : public Form {
 public:
  explicit LatexForm(const Derivation& derivation) : derivation_(derivation) {}

 private:
  std::string title(const std::string& title) const override {
    return fmt::format("\\section*{{{}}}\n", tapegrad::sentence(derivation_, title).text);
  }
  std::string sentence(const std::string& text) const override {
    return tapegrad::sentence(derivation_, text).text + "\n";
  }
  std::string table(const Table& table) const override {
    return tapegrad::table(derivation_, table);
  }
  std::string equations(const std::vector<const Equation*>& equations) const override {
    std::string rows;
    std::size_t width = 0;
    for (const Equation* equation : equations)
      for (const MathRow& row : math_rows(derivation_, *equation)) {
        rows += (rows.empty() ? "" : " \\\\\n") + row.text;
        if (row.at) rows += fmt::format(" \\tag*{{\\small\\texttt{{{}}}}}", words(text(row.at)));
        width = std::max(width, row.width);
      }
    const std::string_view size = size_for(width);
    return fmt::format("{}{}\\begin{{align*}}\n{}\n\\end{{align*}}{}\n", size.empty() ? "" : "{",
                       size, rows, size.empty() ? "" : "}");
  }

  const Derivation& derivation_;
};

}  // namespace

std::string latex(const Derivation& derivation, const LatexOptions& options) {
  std::string page = LatexForm(derivation).page(derivation);
  if (!options.document) return page;
  return fmt::format("{}{}\n\\end{{document}}\n", begin_document, printable(page));
}

}  // namespace tapegrad
