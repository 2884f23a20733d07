// A report for people: its headline, its text, its Markdown.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "tapegrad/check/report.hpp"

namespace tapegrad {
namespace {

constexpr std::size_t width = 80;
constexpr std::size_t most_lines = 25;
constexpr std::size_t rows_shown = 6;

bool is_direction(const Element& element) { return !element.along.empty(); }

// `-0.0842`, with a sign that tells one number of a pair from the other.
std::string number(double value, int digits = 6) {
  return std::isnan(value) ? "nan" : fmt::format("{:.{}g}", value, digits);  // whatever its sign
}

// "0.0842 +- 2e-12"
std::string measured(const Judgement& judgement) {
  return fmt::format("{} +- {:.1g}", number(judgement.numeric), judgement.bar);
}

// "5204 evaluations", "1 evaluation"
std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}
std::string counted(int count, std::string_view noun) {
  return counted(static_cast<std::size_t>(count), noun);
}

std::string at_line(const Site& at) { return at ? " at " + text(at) : ""; }

// "operand 0", "operand 0 left"
std::string operand(const OpFinding& bad) {
  const std::string number = fmt::format("operand {}", bad.operand);
  const bool named = !bad.operand_name.empty() && bad.operand_name != number;
  return named ? number + " " + bad.operand_name : number;
}

int highest_order(const Findings& findings) {
  return findings.elements.empty() ? 1 : findings.elements.back().order;
}

// A name may be in any script; a report goes through any terminal.
std::string ascii(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) result += c;
    if (byte >= 0xc0 || c == '\n') result += c == '\n' ? '\n' : '?';  // one for each character
  }
  return result;
}

// "op multiply (%7 scaled) at model.cpp:18"
std::string described(const OpFinding& bad) {
  const std::string label = bad.label.empty() ? "" : " (" + bad.label + ")";
  return fmt::format("op {}{}{}", bad.op, label, at_line(bad.at));
}

// Breaks a line between words; what follows is indented by `indent`. A longer word is cut.
std::vector<std::string> wrapped(std::string_view line, std::size_t indent) {
  std::vector<std::string> lines;
  std::string rest(line);
  while (rest.size() > width) {
    std::size_t end = rest.rfind(' ', width);
    if (end == std::string::npos || end <= indent) end = width;
    lines.push_back(rest.substr(0, end));
    rest = std::string(indent, ' ') + rest.substr(end + (rest[end] == ' ' ? 1 : 0));
  }
  lines.push_back(rest);
  return lines;
}

// The elements worth showing, worst first.
std::vector<const Element*> remarkable(const std::vector<Element>& elements) {
  std::vector<const Element*> shown;
  for (const Element& element : elements)
    if (element.judgement.verdict != Verdict::pass) shown.push_back(&element);
  std::stable_sort(shown.begin(), shown.end(), [](const Element* a, const Element* b) {
    return worse(a->judgement, b->judgement);
  });
  return shown;
}

// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '|' ? std::string("\\|") : std::string(1, c);
  return result;
}

}  // namespace

std::string Report::summary() const {
  int directions = 0;
  for (const Element& element : findings_.elements) directions += is_direction(element);
  const int elements = static_cast<int>(findings_.elements.size()) - directions;
  std::string result = counted(elements, "element");
  if (directions > 0) result += " and " + counted(directions, "direction");
  if (highest_order(findings_) > 1)
    result += fmt::format(" up to order {}", highest_order(findings_));
  return result;
}

// "11 PASS, 1 FAIL"
std::string Report::tally() const {
  std::vector<std::string> parts;
  for (const Verdict verdict : {Verdict::pass, Verdict::kink, Verdict::inconclusive, Verdict::fail})
    if (count(verdict) > 0)
      parts.push_back(fmt::format("{} {}", count(verdict), tapegrad::text(verdict)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string Report::headline() const {
  // "26 elements", or "28 (26 elements and 2 directions)": what a number of them is said to be out
  // of
  const auto of_all = [&] {
    std::string all = summary();
    if (all.find(" and ") == std::string::npos) return all;
    return fmt::format("{} ({})", findings_.elements.size(), all);
  };
  const auto head = [&](std::string_view rest) {
    return ascii(fmt::format("gradient check: {}: {}", tapegrad::text(verdict_), rest));
  };
  const Judgement& worst = worst_.judgement;
  const std::string worst_place = fmt::format("{} by {}", findings_.subject, worst_.where());
  const std::string worst_numbers =
      fmt::format("{}, measured {}", number(worst.analytic), measured(worst));

  if (!findings_.bad_ops.empty()) {
    const OpFinding& bad = first_bad_op();
    const std::string cause =
        bad.mistake ? fmt::format(" ({})", tapegrad::text(bad.mistake.mistake)) : "";
    std::set<std::string> ops;  // each may be wrong by several operands
    for (const OpFinding& one : findings_.bad_ops) ops.insert(described(one));
    const std::string more =
        ops.size() == 1 ? "" : fmt::format(", the first of {} bad ops", ops.size());
    const bool own = !bad.worst.leaf.empty();
    const Element& shown = own ? bad.worst : worst_;
    const std::string place = own ? shown.where() : worst_place;
    return head(
        fmt::format("op {}{} has a wrong derivative by {}{}{}; worst at {}: {}, measured {}",
                    bad.op, at_line(bad.at), operand(bad), cause, more, place,
                    number(shown.judgement.analytic), measured(shown.judgement)));
  }
  if (count(Verdict::fail) > 0) {
    const std::string cause =
        findings_.mistake ? fmt::format(" ({})", findings_.mistake.sentence) : "";
    return head(fmt::format("{} of {} wrong{}; worst {}: {}", count(Verdict::fail), of_all(), cause,
                            worst_place, worst_numbers));
  }
  for (const Section& section : findings_.sections)
    if (section.verdict == Verdict::fail)
      return head(fmt::format("{}: {}", section.name, section.sentence));
  if (verdict_ == Verdict::fail || (findings_.elements.empty() && !good_))
    return head(findings_.warnings.front());
  if (count(Verdict::inconclusive) > 0)
    return head(fmt::format("{} of {} not decided; {}: {}: {}", count(Verdict::inconclusive),
                            of_all(), worst_place, worst_numbers, worst.reason));
  for (const Section& section : findings_.sections)
    if (section.verdict == Verdict::inconclusive)
      return head(fmt::format("{}: {}", section.name, section.sentence));

  if (findings_.elements.empty())
    return head(fmt::format("{}: there is no derivative to measure, {} kept", findings_.subject,
                            counted(static_cast<int>(findings_.sections.size()), "other check")));

  std::vector<std::string> oracle_texts;
  for (const Oracle& oracle : oracles())
    oracle_texts.push_back(fmt::format("{} {}", oracle.name, oracle.count));
  const std::string digits = std::isfinite(digits_)
                                 ? fmt::format("{} to at least {:.1f} digits",
                                               highest_order(findings_) > 1 ? "," : "", digits_)
                                 : "";
  const std::string kinks =
      count(Verdict::kink) > 0 ? fmt::format(", {} at a kink", count(Verdict::kink)) : "";
  return head(fmt::format("{}: {}{}{} ({}; {})", findings_.subject, summary(), digits, kinks,
                          counted(evaluations(), "evaluation"), fmt::join(oracle_texts, ", ")));
}

std::vector<std::string> Report::table() const {
  const std::vector<const Element*> shown = remarkable(findings_.elements);
  std::vector<std::string> lines;
  if (shown.empty()) return lines;
  const auto row = [&](std::string_view name, std::string_view analytic, std::string_view numeric,
                       std::string_view bar, std::string_view ratio, std::string_view verdict) {
    lines.push_back(fmt::format("  {:<20.20} {:>12} {:>12} {:>7} {:>9}{}", name, analytic, numeric,
                                bar, ratio, verdict));
  };
  row("element", "analytic", "measured", "+-", "ratio", "");
  for (std::size_t i = 0; i < shown.size() && i < rows_shown; ++i) {
    const Judgement& judgement = shown[i]->judgement;
    std::string name = ascii(shown[i]->where());
    if (name.size() > 20) name = ".." + name.substr(name.size() - 18);  // the index is at the end
    row(name, number(judgement.analytic), number(judgement.numeric), number(judgement.bar, 1),
        number(judgement.ratio(), 5), fmt::format("  {}", tapegrad::text(judgement.verdict)));
  }
  if (shown.size() > rows_shown)
    lines.push_back(fmt::format("  and {} more", shown.size() - rows_shown));
  return lines;
}

std::string Report::text() const {
  std::vector<std::string> body = table();
  const auto add = [&](const std::string& line, std::size_t indent) {
    for (std::string& part : wrapped(ascii(line), indent)) body.push_back(std::move(part));
  };
  for (const Section& section : findings_.sections)
    if (verdict_ != Verdict::pass)
      add(fmt::format("  {:<20} {:<12} {}", section.name, tapegrad::text(section.verdict),
                      section.sentence),
          36);
  const std::string headline_text = headline();
  for (const OpFinding& bad : findings_.bad_ops)
    add(fmt::format("cause: {}, derivative by {}: {}", described(bad), operand(bad),
                    bad.mistake.sentence.empty() ? "wrong by itself" : bad.mistake.sentence),
        7);
  if (findings_.bad_ops.empty() && !findings_.mistake.sentence.empty())
    add("cause: " + findings_.mistake.sentence, 7);
  if (verdict_ != Verdict::pass && !worst_.judgement.reason.empty())
    add(fmt::format("worst: {}: {}", worst_.where(), worst_.judgement.reason), 7);
  for (const std::string& warning : findings_.warnings)
    if (headline_text.find(ascii(warning)) == std::string::npos) add("warning: " + warning, 9);
  for (const std::string& note : findings_.notes) add("note: " + note, 6);
  if (verdict_ != Verdict::pass && !findings_.elements.empty())
    add(fmt::format("checked: {} of {}: {}; {}", summary(), findings_.subject, tally(),
                    counted(evaluations(), "evaluation")),
        9);

  // The call that repeats it comes last, whatever must be left out before.
  std::vector<std::string> last;
  if (!good_ && !findings_.repeat.empty()) last = wrapped(ascii("repeat: " + findings_.repeat), 8);
  const std::size_t room = most_lines - 1 - std::min(last.size(), most_lines - 2);
  if (body.size() > room) {
    body.resize(room - 1);
    body.emplace_back("  ...");
  }
  body.insert(body.end(), last.begin(), last.end());
  std::string result = headline_text + '\n';
  for (const std::string& line : body) result += line + '\n';
  return result;
}

std::string Report::to_markdown() const {
  std::string result = fmt::format("**{}**\n", cell(headline()));
  const std::vector<const Element*> shown = remarkable(findings_.elements);
  if (!shown.empty()) {
    result +=
        "\n| element | analytic | measured | ratio | verdict | why |\n|---|---|---|---|---|---|\n";
    for (std::size_t i = 0; i < shown.size() && i < 20; ++i) {
      const Judgement& judgement = shown[i]->judgement;
      result +=
          fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", cell(shown[i]->where()),
                      number(judgement.analytic), measured(judgement), number(judgement.ratio(), 5),
                      tapegrad::text(judgement.verdict), cell(judgement.reason));
    }
    if (shown.size() > 20) result += fmt::format("\nand {} more\n", shown.size() - 20);
  }
  if (!findings_.sections.empty()) {
    result += "\n| check | verdict | |\n|---|---|---|\n";
    for (const Section& section : findings_.sections)
      result += fmt::format("| {} | {} | {} |\n", cell(section.name),
                            tapegrad::text(section.verdict), cell(section.sentence));
  }
  for (const OpFinding& bad : findings_.bad_ops)
    result += fmt::format("\n- op `{}`{}, derivative by {}: {}\n", bad.op, at_line(bad.at),
                          operand(bad), bad.mistake.sentence);
  for (const std::string& warning : findings_.warnings)
    result += fmt::format("\n- warning: {}\n", warning);
  for (const std::string& note : findings_.notes) result += fmt::format("\n- {}\n", note);
  if (!findings_.repeat.empty()) result += fmt::format("\nRepeat: `{}`\n", findings_.repeat);
  return result;
}

}  // namespace tapegrad
