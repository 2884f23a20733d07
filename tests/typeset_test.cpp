#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arithmetic.hpp"
#include "refusal.hpp"
#include "tapegrad/base/creation.hpp"
#include "tapegrad/check/op_cases.hpp"
#include "tapegrad/explain/derivation.hpp"
#include "tapegrad/inspect/formula.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/tape/tape.hpp"

namespace tg = tapegrad;
using tg::Derivation;
using tg::Equation;
using tg::Quantity;

namespace {

/// A derivation of one section.
struct Page : Derivation {
  Page() { sections.push_back({.name = "part", .title = ""}); }

  std::string value(std::string name) { return quantity({Quantity::Kind::value, std::move(name)}); }
  std::string delta(std::string name) { return quantity({Quantity::Kind::delta, std::move(name)}); }
  std::string slope(std::string of, std::string by) {
    return quantity({Quantity::Kind::derivative, std::move(by), std::move(of)});
  }
  Page& add(tg::Paragraph line) {
    sections[0].lines.push_back(std::move(line));
    return *this;
  }
};

std::string without_end(std::string text, std::string_view end) {
  BOOST_REQUIRE_MESSAGE(text.ends_with(end), text);
  text.resize(text.size() - end.size());
  return text;
}
std::string without_start(const std::string& text, std::string_view start) {
  BOOST_REQUIRE_MESSAGE(text.starts_with(start), text);
  return text.substr(start.size());
}

std::string in_block(const std::string& latex) {
  const std::string_view begin = "\\begin{align*}\n", end = "\n\\end{align*}";
  const std::size_t first = latex.find(begin) + begin.size();
  return latex.substr(first, latex.find(end) - first);
}

/// A formula as printed, by its page.
std::string in_text(const Page& with, const std::string& formula, bool matrices = false) {
  Page page = with;  // the formula may have added quantities while arguments were computed
  page.add(Equation{.sides = {{formula}}, .matrices = matrices});
  const tg::TextOptions one_line{.width = 100000};
  return without_start(without_end(text(page, one_line), "\n"), "  ");
}
std::string in_latex(const Page& with, const std::string& formula, bool matrices = false) {
  Page page = with;
  page.add(Equation{.sides = {{formula}}, .matrices = matrices});
  return without_start(in_block(latex(page)), "&");
}
std::string in_line(const Page& with, const std::string& formula) {
  Page page = with;
  page.add(tg::Sentence{"`" + formula + "`"});
  return without_start(without_end(latex(page), "$\n"), "$");
}
std::string named(const std::string& name) {
  Page page;
  return in_latex(page, page.value(name));
}

std::ptrdiff_t characters(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80;  // a byte that begins one
  });
}

// ---- is it LaTeX?

/// Macros that LaTeX with amsmath, MathJax and KaTeX know, and code-hosting sites allow.
const std::set<std::string> known_macros = {
    "frac",  "partial", "delta",  "cdot",   "odot",  "times",  "sum",    "prod",   "sqrt",  "left",
    "right", "bigl",    "bigr",   "lvert",  "rvert", "lfloor", "rfloor", "top",    "sigma", "tanh",
    "sinh",  "cosh",    "sin",    "cos",    "tan",   "arcsin", "arccos", "arctan", "exp",   "log",
    "max",   "min",     "mathrm", "mathit", "text",  "texttt", "quad",   "qquad",  "dots",  "cdots",
    "vdots", "ddots",   "le",     "ge",     "ne",    "to",     "approx", "infty",  "boxed", "begin",
    "end",   "acute",   "alpha",  "eta",    "beta",  "bar"};

/// What is wrong with mathematics, or nothing.
std::string complaint(const std::string& math) {
  std::vector<std::string> open;
  const auto close = [&](const std::string& what) {
    if (open.empty() || open.back() != what) return false;
    open.pop_back();
    return true;
  };
  bool raised = false;  // behind an exponent
  for (std::size_t i = 0; i < math.size(); ++i) {
    const char c = math[i];
    const std::string rest = math.substr(i, 40);
    if (static_cast<unsigned char>(c) >= 0x80) return "a raw character: " + rest;
    if (std::string_view("#%~$").find(c) != std::string_view::npos) return "not escaped: " + rest;
    if (c == '^' && std::exchange(raised, false)) return "two exponents: " + rest;
    raised = c == '}' && close("^{");
    if (c == '}' && !raised && !close("{")) return "a brace too many: " + rest;
    if (c == '{') open.emplace_back(i > 0 && math[i - 1] == '^' ? "^{" : "{");
    if (c == '&' && !open.empty() && (open.back().ends_with("{") || open.back() == "left"))
      return "a place inside of brackets: " + rest;
    if (c != '\\') continue;
    if (std::isalpha(static_cast<unsigned char>(math[i + 1])) == 0) {
      if (math[i + 1] == '\\' && !open.empty() &&
          (open.back().ends_with("{") || open.back() == "left"))
        return "a new line inside of brackets: " + rest;
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < math.size() && std::isalpha(static_cast<unsigned char>(math[end])) != 0) ++end;
    const std::string macro = math.substr(i + 1, end - i - 1);
    if (!known_macros.contains(macro)) return "unknown: " + macro;
    if (macro == "left") open.emplace_back("left");
    if (macro == "right" && !close("left")) return "\\right without \\left: " + rest;
    if (macro == "begin" || macro == "end") {
      const std::string name = math.substr(end, math.find('}', end) + 1 - end);
      if (macro == "begin") open.push_back(name);
      if (macro == "end" && !close(name)) return "no " + name + " was begun";
      end += name.size();
    }
    i = end - 1;
  }
  return open.empty() ? "" : "not closed: " + open.back();
}

/// The mathematics of a text: between dollars, and in blocks.
std::vector<std::string> mathematics(const std::string& text, std::string_view block_begin,
                                     std::string_view block_end) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string_view rest = std::string_view(text).substr(i);
    std::string_view begin, end;
    if (rest.starts_with(block_begin))
      begin = block_begin, end = block_end;
    else if (rest.starts_with("\\"))
      ++i;
    else if (rest.starts_with("$`"))
      begin = "$`", end = "`$";
    else if (rest.starts_with("$"))
      begin = end = "$";
    if (begin.empty()) continue;
    rest.remove_prefix(begin.size());
    const std::size_t length = rest.find(end);
    BOOST_REQUIRE_MESSAGE(length != std::string_view::npos, "not closed: " << rest);
    result.emplace_back(rest.substr(0, length));
    i += begin.size() + length + end.size() - 1;
  }
  return result;
}

void require_sound(const Derivation& d) {
  std::vector<std::string> all = mathematics(markdown(d), "```math\n", "\n```");
  std::string fragment = latex(d);
  for (std::size_t at = 0; (at = fragment.find(" \\tag*{", at)) != std::string::npos;)
    fragment.erase(at, fragment.find("}}", at) + 2 - at);  // text
  for (std::string& math : mathematics(fragment, "\\begin{align*}\n", "\n\\end{align*}"))
    all.push_back(std::move(math));
  for (const std::string& math : all)
    BOOST_TEST(complaint(math) == "", complaint(math) + "\nin: " + math);
}

/// A page with all that there is.
Page everything() {
  Page p;
  p.sections[0] = {.name = "forward", .title = "1. Forward, 100% of it"};
  const std::string net = p.value("net_h1"), out = p.value("out_h1"), w = p.value("w5");
  const tg::Site at{"my_net.cpp", 12};
  p.add(tg::Sentence{"From `" + w + "` on; `" + out + " * (1 - " + out + ")` is a slope_of it."});
  p.add(Equation{.sides = {{net},
                           {p.value("i1") + " * " + p.value("w1") + " + " + p.value("b1")},
                           {"0.05 * 0.15 + 0.35"},
                           {"0.3575"}},
                 .note = "linear: `" + net + " = x w`, by default",
                 .at = at});
  p.add(Equation{.sides = {{out}, {"sigmoid(" + net + ")"}, {"0.588435", true}}, .at = at});
  p.add(tg::Sentence{"Then:"});
  p.add(Equation{.sides = {{p.slope("E", "w5")},
                           {p.slope("E", "out_h1") + " * " + p.slope("out_h1", "w5")},
                           {"0.5 / (1 + 0.25)^2"}}});
  tg::Side block{.rows = {{"0.5", "-12.25", "..."}, {"10", "1e-05", "..."}, {"...", "...", "..."}},
                 .marked_row = 0,
                 .marked_column = 1};
  p.add(Equation{.sides = {{p.slope("E", "hidden.weight")},
                           {"x^T (" + p.delta("net_h1") + " * " + out + ")"},
                           block},
                 .matrices = true});
  p.add(tg::Table{.head = {"path", "share"},
                  .rows = {{"`" + w + " -> " + net + "`", "97.5%"}, {"`|" + w + "|`", "2.5%"}}});
  p.footnote = "Rounded.";
  return p;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(typeset)

// ---- the derivation itself

BOOST_AUTO_TEST_CASE(the_same_quantity_has_the_same_character) {
  Page p;
  const std::string value = p.value("w"), delta = p.delta("w"), slope = p.slope("E", "w");
  BOOST_TEST(value == "\U000F0000");
  BOOST_TEST(delta == "\U000F0001");
  BOOST_TEST(slope == "\U000F0002");
  BOOST_TEST(p.value("w") == value);
  BOOST_TEST(p.slope("E", "w") == slope);
  BOOST_TEST(p.slope("F", "w") == "\U000F0003");
  BOOST_TEST(p.quantities.size() == 4U);
  for (int i = 0; i < 70000; ++i) p.quantities.push_back({Quantity::Kind::value, "x"});
  const std::string last = p.value("the last one");  // beyond one plane of Unicode
  BOOST_TEST(in_text(p, last) == "the last one");
}

BOOST_AUTO_TEST_CASE(the_value_is_that_of_one_number) {
  Derivation d;
  BOOST_TEST(says([&] { (void)d.value(); }, "not of one number"));
  d.derivative = 0.25;
  BOOST_TEST(d.value() == 0.25);
}

BOOST_AUTO_TEST_CASE(a_section_stands_alone) {
  Page p = everything();
  p.sections.push_back({.name = "paths", .title = "2. Paths", .lines = {tg::Sentence{"None."}}});
  p.derivative = 2.0;
  BOOST_TEST(text(p.section("paths")) == "2. Paths\n--------\n\nNone.\n");
  BOOST_TEST(p.section("paths").value() == 2.0);
  BOOST_TEST(p.section("forward").footnote == "Rounded.");
  BOOST_TEST(says([&] { (void)p.section("checks"); }, "there is no section 'checks'"));
  BOOST_TEST(says([&] { (void)p.section("checks"); }, "there are forward, paths"));
}

BOOST_AUTO_TEST_CASE(printing_gives_the_text) {
  const Page p = everything();
  std::ostringstream out;
  out << p;
  BOOST_TEST(out.str() == text(p));
  BOOST_TEST(fmt::format("{}", static_cast<const Derivation&>(p)) == text(p));
}

// ---- formulas in text

BOOST_AUTO_TEST_CASE(a_text_has_points_strokes_and_exponents) {
  Page p;
  const std::string a = p.value("a"), b = p.value("b_1"), d = p.delta("net");
  BOOST_TEST(in_text(p, a + " * " + b + " + 0.5 * 0.25 - " + d) == "a·b_1 + 0.5·0.25 - δ(net)");
  BOOST_TEST(in_text(p, a + " * (1 - " + a + ")^2") == "a·(1 - a)²");
  BOOST_TEST(in_text(p, a + "^12 + " + a + "^0.5 + " + a + "^(-" + b + ")") ==
             "a¹² + a^0.5 + a^(-b_1)");
  BOOST_TEST(in_text(p, a + " * -0.5") == "a·(-0.5)");
  BOOST_TEST(in_text(p, "1/" + a) == "1/a");
  BOOST_TEST(in_text(p, a + " * " + b + " / " + d) == "a · b_1 / δ(net)");
  BOOST_TEST(in_text(p, p.slope("E", "a") + " * " + p.slope("a", "w")) == "∂E/∂a · ∂a/∂w");
  BOOST_TEST(in_text(p, p.slope("E", "a") + "^2") == "(∂E/∂a)²");
  BOOST_TEST(in_text(p, p.slope("E", "%7 relu")) == "∂E/∂(%7 relu)");
  BOOST_TEST(in_text(p, "sum(" + a + ", axis 0) + cut(" + a + "; " + b + ", 1)") ==
             "sum(a, axis 0) + cut(a; b_1, 1)");
  BOOST_TEST(in_text(p, a + "[:, 1:3] + place(" + a + ", [0:4:2])") ==
             "a[:, 1:3] + place(a, [0:4:2])");
  BOOST_TEST(in_text(p, a + " := " + a + " - ...") == "a := a - ...");
  BOOST_TEST(in_text(p, "where(-" + a + " < " + b + ", |" + a + "|, inf)") ==
             "where(-a < b_1, |a|, inf)");
}

BOOST_AUTO_TEST_CASE(products_of_whole_tensors_have_a_circle) {
  Page p;
  const std::string d = p.delta("net"), w = p.value("w"), l = p.value("l");
  BOOST_TEST(in_text(p, "(" + d + " " + w + "^T) * " + l + " * (1 - " + l + ")", true) ==
             "(δ(net) wᵀ) ⊙ l ⊙ (1 - l)");
  BOOST_TEST(in_text(p, "0.5 * " + l + " * " + d, true) == "0.5·l ⊙ δ(net)");
  BOOST_TEST(in_text(p, l + " * (2 * 0.5)", true) == "l·(2·0.5)");
  BOOST_TEST(in_latex(p, "0.5 * " + l + " * " + d, true) ==
             "0.5 \\cdot l \\odot \\delta_{\\mathit{net}}");
}

// ---- formulas in LaTeX

BOOST_AUTO_TEST_CASE(names_are_set_as_one_would_write_them) {
  BOOST_TEST(named("w5") == "w_{5}");
  BOOST_TEST(named("E") == "E");
  BOOST_TEST(named("net_h1") == "\\mathit{net}_{h1}");
  BOOST_TEST(named("net1") == "\\mathit{net}_{1}");
  BOOST_TEST(named("out_o") == "\\mathit{out}_{o}");
  BOOST_TEST(named("x1_2") == "x_{1,2}");
  BOOST_TEST(named("x_out") == "x_{\\mathit{out}}");
  BOOST_TEST(named("a_b_c") == "a_{\\mathit{b\\_c}}");
  BOOST_TEST(named("ybar") == "\\bar{y}");
  BOOST_TEST(named("w1+") == "{w_{1}^{+}}");
  BOOST_TEST(named("sigma") == "\\sigma");
  BOOST_TEST(named("δ2") == "\\delta_{2}");
  BOOST_TEST(named("é") == "\\acute{e}");
  BOOST_TEST(named("café") == "\\mathit{caf\\acute{e}}");
  BOOST_TEST(named("名") == "\\text{名}");
  BOOST_TEST(named("hidden.weight[0,1]") == "\\mathrm{hidden.weight}[0,1]");
  BOOST_TEST(named("w[:, 1:3]") == "w[{:}, 1{:}3]");
  BOOST_TEST(named("%7 relu") == "\\mathrm{\\%7\\ relu}");
  BOOST_TEST(named("_a") == "\\mathrm{\\_a}");
  BOOST_TEST(named("a__b") == "\\mathrm{a\\_\\_b}");
  BOOST_TEST(named("12") == "\\mathrm{12}");
  BOOST_TEST(named("{$#&^~|\\}") ==
             "\\mathrm{\\{\\$\\#\\&\\wedge{}\\sim{}\\vert{}\\backslash{}\\}}");
}

BOOST_AUTO_TEST_CASE(functions_are_set_as_one_would_write_them) {
  Page p;
  const std::string a = p.value("a"), b = p.value("b");
  BOOST_TEST(in_latex(p, "sigmoid(" + a + ")") == "\\sigma(a)");
  BOOST_TEST(in_latex(p, "max(" + a + ", 0)") == "\\max(a, 0)");
  BOOST_TEST(in_latex(p, "log_softmax(" + a + ", axis 1)") ==
             "\\mathrm{log\\_softmax}_{\\text{axis 1}}(a)");
  BOOST_TEST(in_latex(p, "cumsum(" + a + ", from the end)") ==
             "\\mathrm{cumsum}(a, \\text{from the end})");
  BOOST_TEST(in_latex(p, "sqrt(" + a + " + 1)") == "\\sqrt{a + 1}");
  BOOST_TEST(in_latex(p, "1/sqrt(" + a + ")") == "\\frac{1}{\\sqrt{a}}");
  BOOST_TEST(in_latex(p, "|" + a + " - |" + b + "||") == "\\lvert a - \\lvert b \\rvert \\rvert");
  BOOST_TEST(in_latex(p, "sum(" + a + ")") == "\\sum a");
  BOOST_TEST(in_latex(p, "0.5 * sum((" + a + " - " + b + ")^2)") == "0.5 \\cdot \\sum (a - b)^{2}");
  BOOST_TEST(in_latex(p, "sum(" + a + " + " + b + ", axes 0, 1)") ==
             "\\sum_{\\text{axes 0, 1}} (a + b)");
  BOOST_TEST(in_latex(p, "sum(" + a + ") * " + b) == "\\left(\\sum a\\right) \\cdot b");
  BOOST_TEST(in_latex(p, "(" + a + " - " + b + ") / (1 + " + a + ")") == "\\frac{a - b}{1 + a}");
  BOOST_TEST(in_latex(p, a + " * " + b + " / 2 * " + b) == "\\frac{a \\cdot b}{2} \\cdot b");
  BOOST_TEST(in_line(p, "(" + a + " - " + b + ") / (1 + " + a + ")") == "(a - b) / (1 + a)");
  BOOST_TEST(in_latex(p, "(" + a + " / " + b + ")^2") == "\\left(\\frac{a}{b}\\right)^{2}");
  BOOST_TEST(in_latex(p, a + "^T^2") == "{a^{\\top}}^{2}");
  BOOST_TEST(in_latex(p, "2e-05 * " + a) == "2 \\times 10^{-5} \\cdot a");
  BOOST_TEST(in_latex(p, "2e-05^2") == "(2 \\times 10^{-5})^{2}");
  BOOST_TEST(in_latex(p, a + " " + b + "^T") == "a \\, b^{\\top}");
  BOOST_TEST(in_latex(p, p.slope("E", "w5") + "^2") ==
             "\\left(\\frac{\\partial E}{\\partial w_{5}}\\right)^{2}");
  BOOST_TEST(in_line(p, p.slope("E", "w5")) == "\\partial E / \\partial w_{5}");
}

BOOST_AUTO_TEST_CASE(what_is_no_formula_is_set_all_the_same) {
  for (const std::string text : {"",
                                 ")",
                                 "a )( b",
                                 "((",
                                 "a + ",
                                 "|",
                                 "a |b",
                                 "[",
                                 "a[",
                                 "a[1",
                                 "^",
                                 "2^^2",
                                 "{}",
                                 "f(",
                                 "f(a,",
                                 "f(,)",
                                 "- - a",
                                 "....",
                                 "a 100% _ # ~ \\x",
                                 "1e",
                                 ".5",
                                 "\xff\xfe",
                                 "\U000F0009",
                                 "axis 0)",
                                 "x'^2",
                                 "a == b",
                                 "-->"}) {
    Page p;
    p.add(Equation{.sides = {{text}, {text}}}).add(tg::Sentence{"`" + text + "`"});
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(!tg::text(p).empty());
      (void)latex(p), (void)markdown(p);
    }
  }
}

// ---- every op

BOOST_AUTO_TEST_CASE(every_notation_of_the_catalogue_is_set) {
  for (const tg::Op* op : tg::catalogue())
    for (const tg::OpCase& example : cases_of(*op)) {
      tg::Tape tape;
      std::vector<tg::Arg> args;
      for (std::size_t i = 0; i < example.shapes.size(); ++i) {
        const tg::Array values =
            tg::full(example.shapes[i], op->sample[i].whole ? op->sample[i].low : 0.5);
        const tg::Tensor x =
            op->kind == tg::Kind::effect && i == 0 ? tape.state(values) : tape.input(values);
        args.emplace_back(x.named("operand" + std::to_string(i)));
      }
      const std::string named = tg::formula(record(*op, args, example.attributes));
      for (const Quantity::Kind kind :
           {Quantity::Kind::value, Quantity::Kind::delta, Quantity::Kind::derivative}) {
        Page p;
        std::string formula = named;
        for (std::size_t i = 0; i < example.shapes.size(); ++i) {
          const std::string name = "operand" + std::to_string(i);
          for (std::size_t at = 0; (at = formula.find(name, at)) != std::string::npos;)
            formula.replace(at, name.size(), p.quantity({kind, "net_h" + std::to_string(i), "E"}));
        }
        p.add(Equation{.sides = {{"y"}, {formula}}}).add(tg::Sentence{"`" + formula + "`"});
        p.add(Equation{.sides = {{"y"}, {formula}}, .note = "`" + formula + "`", .matrices = true});
        BOOST_TEST_CONTEXT(formula << "\n" << text(p) << latex(p)) {
          for (std::size_t i = 0; i < example.shapes.size(); ++i) {
            BOOST_TEST(has(text(p), "net_h" + std::to_string(i)));
            BOOST_TEST(has(latex(p), "\\mathit{net}_{h" + std::to_string(i)));
          }
          for (const std::string& form : {text(p), latex(p), markdown(p)}) {
            BOOST_TEST(!has(form, "\xf3"));
            BOOST_TEST(std::count(form.begin(), form.end(), '(') ==
                       std::count(form.begin(), form.end(), ')'));
          }
          require_sound(p);
        }
      }
    }
}

// ---- printed arithmetic, read back

BOOST_AUTO_TEST_CASE(arithmetic_is_read_as_people_read_it) {
  BOOST_TEST(*evaluate_text("0.05·0.15 + 0.1·0.2 + 0.35") == 0.3775,
             boost::test_tools::tolerance(1e-15));
  BOOST_TEST(*evaluate_text("-2² + (-2)³·|3 - 5| / 4") == -8);
  BOOST_TEST(*evaluate_text("max(1, 2)^(-1) - sqrt(exp(log(4))) + 1e-05") == -1.49999,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(*evaluate_text("2¹⁰ ⊙ 3 - 8 - 4/2/2") == 3063);
  BOOST_TEST(*evaluate_latex("\\frac{1}{1 + \\exp(-0.3775)} - \\sigma(0.3775)") == 0,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(
      *evaluate_latex(
          "\\left(\\frac{3}{2}\\right)^{2} \\cdot (-4) \\\\\n&\\quad {} + \\lvert -1 \\rvert") ==
      -8);
  BOOST_TEST(*evaluate_latex("2 \\times 10^{-1} \\cdot \\mathrm{relu}(3)") == 0.6,
             boost::test_tools::tolerance(1e-12));
  for (const char* text : {"a", "1 + net_h1·2", "δ(net)", "∂E/∂w5", "unknown(1)", "..."})
    BOOST_TEST(!evaluate_text(text).has_value(), text);
  for (const char* text : {"\\mathit{net}_{h1} + 1", "\\delta_{w_{5}}", "\\dots", "w_{5}^{2}",
                           "\\frac{\\partial E}{\\partial a}"})
    BOOST_TEST(!evaluate_latex(text).has_value(), text);
  BOOST_CHECK_THROW(evaluate_text("(1"), std::runtime_error);
  BOOST_CHECK_THROW(evaluate_text("1 +"), std::runtime_error);
  BOOST_CHECK_THROW(evaluate_latex("\\frac{1}{2"), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(what_is_printed_means_what_the_formula_means) {
  struct Term {
    std::string text;
    double value;
    int level;  // 0 a sum, 1 a product, 2 a power, 3 whole
  };
  std::mt19937 random(7);
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const auto at_least = [](const Term& t, int level) {
    return t.level < level ? "(" + t.text + ")" : t.text;
  };
  const auto number = [&]() -> Term {
    static const std::vector<std::string> digits = {"0.25", "1.5", "3", "2e-05", "0.138499", "12"};
    const std::string& text = digits[pick(6)];
    return {text, std::stod(text), 3};
  };
  std::function<Term(int)> term = [&](int depth) -> Term {
    if (depth == 0) return number();
    const Term a = term(depth - 1);
    const unsigned which = pick(12);
    if (which < 7) {
      const Term b = term(depth - 1);
      if (which < 2) return {at_least(a, 0) + " + " + at_least(b, 1), a.value + b.value, 0};
      if (which < 3) return {at_least(a, 0) + " - " + at_least(b, 1), a.value - b.value, 0};
      if (which < 5) return {at_least(a, 1) + " * " + at_least(b, 2), a.value * b.value, 1};
      if (which < 6 && b.value != 0)
        return {at_least(a, 1) + " / " + at_least(b, 2), a.value / b.value, 1};
      return {"max(" + a.text + ", " + b.text + ")", std::max(a.value, b.value), 3};
    }
    if (which == 7) return {"(-" + at_least(a, 1) + ")", -a.value, 3};
    if (which == 8) return {at_least(a, 3) + "^2", a.value * a.value, 2};
    if (which == 9) return {"|" + a.text + "|", std::abs(a.value), 3};
    if (which == 10) return {"tanh(" + a.text + ")", std::tanh(a.value), 3};
    return {"sqrt(|" + a.text + "|)", std::sqrt(std::abs(a.value)), 3};
  };
  for (int i = 0; i < 3000; ++i) {
    const Term t = term(1 + i % 5);
    if (!std::isfinite(t.value)) continue;
    Page page;
    page.add(Equation{.sides = {{"y"}, {t.text}}});
    const std::string narrow = text(page, {.width = 60}), wide = in_text({}, t.text);
    const std::string display = without_start(in_block(latex(page)), "y &= ");
    BOOST_TEST_CONTEXT(t.text << "\n" << wide << "\n" << narrow << display) {
      const auto near = [&](std::optional<double> read) {
        return read && std::abs(*read - t.value) <= 1e-9 * (1 + std::abs(t.value));
      };
      BOOST_TEST(near(evaluate_text(wide)));
      BOOST_TEST(near(evaluate_text(without_start(narrow, "  y = "))));
      BOOST_TEST(near(evaluate_latex(display)));
      BOOST_TEST(near(evaluate_latex(in_line({}, t.text))));
      require_sound(page);
    }
  }
}

// ---- what is wide

BOOST_AUTO_TEST_CASE(a_long_sum_is_broken_at_its_signs) {
  std::string sum = "0.5", product = "0.5";
  for (int i = 0; i < 1000; ++i) sum += " + 0.25 * (-0.125)", product += " * 1.25";
  Page page;
  page.add(Equation{.sides = {{"net"}, {sum}, {"(" + sum + ") / (1 + " + sum + ")"}, {"2"}},
                    .note = "a note",
                    .at = {"net.cpp", 1}});
  page.add(Equation{.sides = {{"E"}, {product}}});
  std::istringstream lines(text(page));
  std::string line, first, last;
  for (std::size_t i = 0; std::getline(lines, line); ++i) {
    BOOST_TEST(characters(line) <= 100, line);
    if (i == 0) first = line;
    if (i == 1) BOOST_TEST(line.starts_with("          + 0.25·(-0.125)"), line);
    if (line.ends_with("a note")) last = line;
  }
  BOOST_TEST(first.starts_with("  net = 0.5 + 0.25·(-0.125)"), first);
  BOOST_TEST(first.ends_with("net.cpp:1"), first);
  BOOST_TEST(last.starts_with("      = 2"), last);
  require_sound(page);
  std::istringstream rows(latex(page));
  while (std::getline(rows, line)) BOOST_TEST(line.size() < 300U, line);
}

BOOST_AUTO_TEST_CASE(a_line_is_broken_outside_of_brackets_first) {
  Page page;
  page.add(Equation{.sides = {{"y"}, {"aaaaaaaaaa * (bbbbbbbbbb + cccccccccc) + dddddddddd"}}});
  BOOST_TEST(text(page, {.width = 48}) == R"(  y = aaaaaaaaaa·(bbbbbbbbbb + cccccccccc)
        + dddddddddd
)");
  BOOST_TEST(text(page, {.width = 34}) == R"(  y = aaaaaaaaaa
        ·(bbbbbbbbbb + cccccccccc)
        + dddddddddd
)");
}

BOOST_AUTO_TEST_CASE(one_row_stands_in_the_line_and_more_below) {
  Page page;
  const tg::Side row{.rows = {{"0.5", "-1"}}}, column{.rows = {{"0.5"}, {"-12.25"}}};
  page.add(Equation{.sides = {{"y"}, {"a b"}, row}, .note = "so"});
  page.add(Equation{.sides = {{"net"}, {"b a"}, column}, .note = "so", .at = {"net.cpp", 1}});
  BOOST_TEST(text(page, {.width = 40}) == R"(  y   = a b = [0.5  -1]   so
  net = b a                    net.cpp:1
      = [  0.5 ]
        [-12.25]          so
)");
  BOOST_TEST(
      in_block(latex(page)) ==
      R"(y &= a \, b = \left[\begin{array}{rr} 0.5 & -1 \end{array}\right] \qquad \text{so} \\
\mathit{net} &= b \, a \tag*{\small\texttt{net.cpp:1}} \\
&= \left[\begin{array}{r} 0.5 \\ -12.25 \end{array}\right] \qquad \text{so})");
}

BOOST_AUTO_TEST_CASE(a_wide_matrix_is_set_small_in_latex) {
  const auto page_of = [](std::size_t columns) {
    const tg::Side side{.rows = {std::vector<std::string>(columns, "-0.123456")}};
    Page page;
    page.add(Equation{.sides = {{"y"}, side}});
    return latex(page);
  };
  BOOST_TEST(page_of(6).starts_with("\\begin"));
  BOOST_TEST(page_of(8).starts_with("{\\small\\begin"));
  BOOST_TEST(page_of(12).starts_with("{\\tiny\\begin"));
}

BOOST_AUTO_TEST_CASE(a_wide_table_is_wrapped) {
  Page page;
  page.add(tg::Table{.head = {"what", "n"},
                     .rows = {{"one word and another one and `a + b` too", "10"}, {"δ", "9.5"}}});
  BOOST_TEST(text(page, {.width = 30}) == R"(  what                     n
  ----------------------   ---
  one word and another      10
  one and a + b too
  δ                        9.5
)");
}

BOOST_AUTO_TEST_CASE(sentences_are_wrapped_but_not_their_formulas) {
  Page page;
  page.add(tg::Sentence{"The quick brown fox is `a + b` and more"});
  BOOST_TEST(text(page, {.width = 26}) == "The quick brown fox is\na + b and more\n");
}

BOOST_AUTO_TEST_CASE(words_are_escaped) {
  Page page;
  page.add(tg::Sentence{"5% of a_b & {c} # $ ~ ^ \\ <d> | * δ é"});
  BOOST_TEST(markdown(page) == "5% of a\\_b & {c} \\# \\$ \\~ ^ \\\\ \\<d> \\| \\* δ é\n");
  BOOST_TEST(latex(page) ==
             "5\\% of a\\_b \\& \\{c\\} \\# \\$ \\textasciitilde{} \\textasciicircum{} "
             "\\textbackslash{} $<$d$>$ $|$ * $\\delta$ é\n");
}

// ---- pages

BOOST_AUTO_TEST_CASE(a_page_in_text) {
  BOOST_TEST(text(everything()) == R"(1. Forward, 100% of it
----------------------

From w5 on; out_h1·(1 - out_h1) is a slope_of it.

  net_h1 = i1·w1 + b1 = 0.05·0.15 + 0.35 = 0.3575   linear: net_h1 = x w, by default   my_net.cpp:12
  out_h1 = sigmoid(net_h1) ≈ 0.588435                                                  my_net.cpp:12

Then:

  ∂E/∂w5            = ∂E/∂out_h1 · ∂out_h1/∂w5 = 0.5/(1 + 0.25)²
  ∂E/∂hidden.weight = xᵀ (δ(net_h1) ⊙ out_h1)
                    = [ 0.5     >-12.25<  ...]
                      [10      1e-05      ...]
                      [  ...        ...   ...]

  path           share
  ------------   -----
  w5 -> net_h1   97.5%
  |w5|            2.5%

Rounded.
)");
}

BOOST_AUTO_TEST_CASE(a_page_in_markdown) {
  BOOST_TEST(markdown(everything()) == R"(## 1. Forward, 100% of it

From $`w_{5}`$ on; $`\mathit{out}_{h1} \cdot (1 - \mathit{out}_{h1})`$ is a slope\_of it.

```math
\begin{aligned}
\mathit{net}_{h1} &= i_{1} \cdot w_{1} + b_{1} = 0.05 \cdot 0.15 + 0.35 = 0.3575 \qquad \text{linear: }\mathit{net}_{h1} = x \, w\text{, by default} && \texttt{my}\_\texttt{net.cpp:12} \\
\mathit{out}_{h1} &= \sigma(\mathit{net}_{h1}) \approx 0.588435 && \texttt{my}\_\texttt{net.cpp:12}
\end{aligned}
```

Then:

```math
\begin{aligned}
\frac{\partial E}{\partial w_{5}} &= \frac{\partial E}{\partial \mathit{out}_{h1}} \cdot \frac{\partial \mathit{out}_{h1}}{\partial w_{5}} = \frac{0.5}{(1 + 0.25)^{2}} \\
\frac{\partial E}{\partial \mathrm{hidden.weight}} &= x^{\top} \, (\delta_{\mathit{net}_{h1}} \odot \mathit{out}_{h1}) \\
&= \left[\begin{array}{rrr} 0.5 & \boxed{-12.25} & \cdots \\[3pt] 10 & 1 \times 10^{-5} & \cdots \\[3pt] \vdots & \vdots & \ddots \end{array}\right]
\end{aligned}
```

| path | share |
|---|---:|
| $`w_{5} \to \mathit{net}_{h1}`$ | 97.5% |
| $`\lvert w_{5} \rvert`$ | 2.5% |

Rounded.
)");
  require_sound(everything());
}

BOOST_AUTO_TEST_CASE(a_page_in_latex) {
  BOOST_TEST(latex(everything()) == R"(\section*{1. Forward, 100\% of it}

From $w_{5}$ on; $\mathit{out}_{h1} \cdot (1 - \mathit{out}_{h1})$ is a slope\_of it.

\begin{align*}
\mathit{net}_{h1} &= i_{1} \cdot w_{1} + b_{1} = 0.05 \cdot 0.15 + 0.35 = 0.3575 \qquad \text{linear: }\mathit{net}_{h1} = x \, w\text{, by default} \tag*{\small\texttt{my\_net.cpp:12}} \\
\mathit{out}_{h1} &= \sigma(\mathit{net}_{h1}) \approx 0.588435 \tag*{\small\texttt{my\_net.cpp:12}}
\end{align*}

Then:

\begin{align*}
\frac{\partial E}{\partial w_{5}} &= \frac{\partial E}{\partial \mathit{out}_{h1}} \cdot \frac{\partial \mathit{out}_{h1}}{\partial w_{5}} = \frac{0.5}{(1 + 0.25)^{2}} \\
\frac{\partial E}{\partial \mathrm{hidden.weight}} &= x^{\top} \, (\delta_{\mathit{net}_{h1}} \odot \mathit{out}_{h1}) \\
&= \left[\begin{array}{rrr} 0.5 & \boxed{-12.25} & \cdots \\[3pt] 10 & 1 \times 10^{-5} & \cdots \\[3pt] \vdots & \vdots & \ddots \end{array}\right]
\end{align*}

\begin{center}
\begin{tabular}{lr}
path & share \\ \hline
$w_{5} \to \mathit{net}_{h1}$ & 97.5\% \\
$\lvert w_{5} \rvert$ & 2.5\% \\
\end{tabular}
\end{center}

Rounded.
)");
}

BOOST_AUTO_TEST_CASE(a_document_in_latex_holds_the_fragment) {
  const std::string document = latex(everything(), {.document = true});
  BOOST_TEST(has(document, latex(everything())));
  BOOST_TEST(document.starts_with("\\documentclass{article}\n\\usepackage{amsmath}\n"));
  BOOST_TEST(document.ends_with("\n\\end{document}\n"));
  Page p;
  p.add(tg::Sentence{"`" + p.value("größe名") + "` is – 名"});
  BOOST_TEST(has(latex(p, {.document = true}),
                 "$\\mathit{gr\\ddot{o}\\text{ß}e\\text{U+540D}}$ is – U+540D\n"));
}

BOOST_AUTO_TEST_SUITE_END()
