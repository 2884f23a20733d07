#include "tapegrad/explain/mathematics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>

namespace tapegrad {
namespace {

using Kind = Expression::Kind;

// ---- characters

struct Symbol {
  char32_t character;
  std::string_view macro;
};
constexpr Symbol symbols[] = {
    {U'Γ', "\\Gamma"},    {U'Δ', "\\Delta"},   {U'Θ', "\\Theta"},      {U'Λ', "\\Lambda"},
    {U'Ξ', "\\Xi"},       {U'Π', "\\Pi"},      {U'Σ', "\\Sigma"},      {U'Φ', "\\Phi"},
    {U'Ψ', "\\Psi"},      {U'Ω', "\\Omega"},   {U'α', "\\alpha"},      {U'β', "\\beta"},
    {U'γ', "\\gamma"},    {U'δ', "\\delta"},   {U'ε', "\\epsilon"},    {U'ζ', "\\zeta"},
    {U'η', "\\eta"},      {U'θ', "\\theta"},   {U'ι', "\\iota"},       {U'κ', "\\kappa"},
    {U'λ', "\\lambda"},   {U'μ', "\\mu"},      {U'µ', "\\mu"},         {U'ν', "\\nu"},
    {U'ξ', "\\xi"},       {U'π', "\\pi"},      {U'ρ', "\\rho"},        {U'σ', "\\sigma"},
    {U'τ', "\\tau"},      {U'φ', "\\phi"},     {U'χ', "\\chi"},        {U'ψ', "\\psi"},
    {U'ω', "\\omega"},    {U'∂', "\\partial"}, {U'∇', "\\nabla"},      {U'·', "\\cdot"},
    {U'×', "\\times"},    {U'⊙', "\\odot"},    {U'±', "\\pm"},         {U'−', "-"},
    {U'≈', "\\approx"},   {U'≠', "\\ne"},      {U'≤', "\\le"},         {U'≥', "\\ge"},
    {U'→', "\\to"},       {U'←', "\\gets"},    {U'⇒', "\\Rightarrow"}, {U'∞', "\\infty"},
    {U'∑', "\\Sigma"},    {U'√', "\\surd"},    {U'²', "{}^{2}"},       {U'³', "{}^{3}"},
    {U'ᵀ', "{}^{\\top}"}, {U'…', "\\dots"},
};

// Letters with an accent: the accent, and the letters it stands on.
struct Accent {
  std::string_view macro;
  std::u32string_view accented;
  std::string_view plain;
};
constexpr Accent accents[] = {
    {"grave", U"àèìòùÀÈÌÒÙ", "aeiouAEIOU"}, {"acute", U"áéíóúýÁÉÍÓÚÝćńśź", "aeiouyAEIOUYcnsz"},
    {"hat", U"âêîôûÂÊÎÔÛ", "aeiouAEIOU"},   {"ddot", U"äëïöüÿÄËÏÖÜ", "aeiouyAEIOU"},
    {"tilde", U"ãñõÃÑÕ", "anoANO"},         {"check", U"čěňřšžČŠŽ", "cenrszCSZ"},
};

/// The first character of a name, in mathematics.
std::string math_character(std::string_view name) {
  const auto [c, length] = first_character(name);
  if (c < 0x80) {
    const char ascii = static_cast<char>(c);
    if (std::string_view("_%&#${}").find(ascii) != std::string_view::npos)
      return std::string("\\") + ascii;
    if (ascii == '\\') return "\\backslash{}";
    if (ascii == '^') return "\\wedge{}";
    if (ascii == '~') return "\\sim{}";
    if (ascii == '|') return "\\vert{}";
    if (ascii == ' ') return "\\ ";
    if (ascii == '\'' || ascii == '"') return ascii == '"' ? "{''}" : "{'}";
    if (c < 0x20) return "?";
    // What would be an operator, with spaces around it.
    if (std::string_view("+-*/=<>:,").find(ascii) != std::string_view::npos)
      return fmt::format("{{{}}}", ascii);
    return {ascii};
  }
  if (const std::string_view macro = math_symbol(c); !macro.empty())
    return fmt::format("{}{{}}", macro);
  for (const Accent& accent : accents)
    if (const std::size_t at = accent.accented.find(c); at != std::u32string_view::npos)
      return fmt::format("\\{}{{{}}}", accent.macro, accent.plain[at]);
  if (length == 1) return fmt::format("U{{+}}{:04X}", static_cast<unsigned>(c));  // no UTF-8
  return fmt::format("\\text{{{}}}", name.substr(0, length));
}

std::string math_characters(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    result += math_character(text);
    text.remove_prefix(first_character(text).second);
  }
  return result;
}

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// Letters and digits, in any script.
bool is_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

/// A word: one letter is itself, a Greek one's name is the letter.
BrokenLine word(std::string_view text) {
  BrokenLine result;
  if (text.size() == 4 && text.ends_with("bar")) {  // ybar, an adjoint
    result.put(fmt::format("\\bar{{{}}}", math_character(text)), 1);
    return result;
  }
  if (columns(text) == 1) {
    const char32_t c = first_character(text).first;
    const std::string_view symbol = c < 0x80 ? "" : math_symbol(c);
    result.put(symbol.empty() ? math_character(text) : std::string(symbol), 1);
    return result;
  }
  const auto greek = std::find_if(std::begin(symbols), std::end(symbols), [&](const Symbol& s) {
    return s.character >= U'Γ' && s.character <= U'ω' && s.macro.substr(1) == text;
  });
  if (greek != std::end(symbols))
    result.put(greek->macro, 1);
  else
    result.put(fmt::format("\\mathit{{{}}}", math_characters(text)), columns(text));
  return result;
}

BrokenLine upright(std::string_view text) {
  BrokenLine result;
  result.put(fmt::format("\\mathrm{{{}}}", math_characters(text)), columns(text));
  return result;
}

/// What a name says behind its first underscore.
BrokenLine subscript(std::string_view text) {
  const std::size_t first = text.empty() ? 0 : first_character(text).second;
  if (is_word(text) &&
      std::all_of(text.begin() + static_cast<std::ptrdiff_t>(first), text.end(), is_digit)) {
    BrokenLine result = word(text.substr(0, first));  // h1
    result.put(text.substr(first));
    return result;
  }
  if (is_word(text)) return word(text);
  BrokenLine result;
  result.put(fmt::format("\\mathit{{{}}}", math_characters(text)), columns(text));
  return result;
}

/// A name without places.
BrokenLine stem(std::string_view name) {
  const std::size_t underscore = std::min(name.find('_'), name.size());
  const std::string_view head = name.substr(0, underscore);
  const std::string_view tail = name.substr(std::min(underscore + 1, name.size()));
  const bool parted = underscore < name.size();
  const std::string_view letters = head.substr(0, head.find_last_not_of("0123456789") + 1);
  const std::string_view digits = head.substr(letters.size());
  const bool plain = std::all_of(tail.begin(), tail.end(), [](char c) {
    return c == '_' || is_word({&c, 1});
  });
  if (letters.empty() || !is_word(head) || !plain || parted == tail.empty() ||
      tail.starts_with('_') || tail.ends_with('_'))
    return upright(name);
  BrokenLine result = word(letters);
  if (digits.empty() && tail.empty()) return result;
  BrokenLine below;
  below.put(digits);
  if (!digits.empty() && !tail.empty()) below.put(",");
  if (!tail.empty()) below.put(subscript(tail));
  result.put(fmt::format("_{{{}}}", below.text()), below.width());
  return result;
}

/// `[:, 1:3]`
std::string math_places(std::string_view text) {
  std::string result;
  for (const char c : text)
    result += c == ':'                           ? "{:}"
              : c == ',' || c == ' ' || c == '-' ? std::string(1, c)
                                                 : math_character({&c, 1});
  return result;
}

std::string math_number(std::string_view text) {
  const std::size_t e = text.find('e');
  if (e == std::string_view::npos) return std::string(text);
  std::string_view exponent = text.substr(e + 1);
  const bool negative = exponent.starts_with('-');
  exponent.remove_prefix(std::min(exponent.find_first_of("123456789"), exponent.size()));
  return fmt::format("{} \\times 10^{{{}{}}}", text.substr(0, e), negative ? "-" : "",
                     exponent.empty() ? "0" : exponent);
}

struct Function {
  std::string_view name, macro;
};
constexpr Function functions[] = {
    {"sigmoid", "\\sigma"}, {"tanh", "\\tanh"},   {"sinh", "\\sinh"},    {"cosh", "\\cosh"},
    {"sin", "\\sin"},       {"cos", "\\cos"},     {"tan", "\\tan"},      {"asin", "\\arcsin"},
    {"acos", "\\arccos"},   {"atan", "\\arctan"}, {"exp", "\\exp"},      {"log", "\\log"},
    {"log2", "\\log_{2}"},  {"max", "\\max"},     {"min", "\\min"},      {"inf", "\\infty"},
    {"sum", "\\sum"},       {"prod", "\\prod"},   {"floor", "\\lfloor"},
};
std::string_view macro_of(std::string_view name) {
  const auto found = std::find_if(std::begin(functions), std::end(functions),
                                  [&](const Function& f) { return f.name == name; });
  return found == std::end(functions) ? "" : found->macro;
}

// ---- formulas

/// The widest numerator that stands above its denominator, the widest root, and the widest brackets
/// that are as high as what stands in them: none can be broken.
constexpr std::size_t widest_whole = 50;

class Formula {
 public:
  Formula(const Derivation& derivation, bool display, bool matrices)
      : derivation_(derivation), display_(display), matrices_(matrices) {}

  BrokenLine set(std::string_view formula) && {
    set(expression(formula), 0);
    return std::move(line_);
  }

 private:
  const Quantity* quantity(const Expression& e) const {
    return e.kind == Kind::quantity && e.index < derivation_.quantities.size()
               ? &derivation_.quantities[e.index]
               : nullptr;
  }
  bool is_derivative(const Expression& e) const {
    return quantity(e) != nullptr && quantity(e)->kind == Quantity::Kind::derivative;
  }
  /// `\sum x`: what stands behind it would belong to it.
  static bool is_big(const Expression& e) {
    return e.kind == Kind::call && (e.text == "sum" || e.text == "prod") && !e.parts.empty() &&
           e.parts.size() <= 2;
  }
  static bool has_exponent(const Expression& e) {
    return e.kind == Kind::number && e.text.find('e') != std::string::npos;
  }

  /// What `f` sets, apart.
  template <class F>
  BrokenLine apart(const F& f) {
    BrokenLine outer = std::exchange(line_, {});
    f();
    return std::exchange(line_, std::move(outer));
  }

  template <class F>
  void in_brackets(std::string_view open, std::string_view close, const F& f) {
    const bool tall = std::exchange(tall_, false);
    const BrokenLine inner = apart(f);
    const bool whole = tall_ && inner.width() <= widest_whole;
    line_.put(fmt::format("{}{}", whole ? "\\left" : tall_ ? "\\bigl" : "", open), 1);
    if (whole)
      line_.put(inner);
    else
      line_.append(inner);
    line_.put(fmt::format("{}{}", whole ? "\\right" : tall_ ? "\\bigr" : "", close), 1);
    tall_ = tall_ || tall;
  }
  void in_brackets(const Expression& e, int depth) {
    in_brackets("(", ")", [&] { set(e, depth + 1); });
  }
  void in_brackets_if(bool needed, const Expression& e, int depth) {
    needed ? in_brackets(e, depth) : set(e, depth);
  }

  void set(const Expression& e, int depth) {
    switch (e.kind) {
      case Kind::number:
        return line_.put(math_number(e.text), columns(e.text) + (has_exponent(e) ? 3 : 0));
      case Kind::name:
        return set_name(e.text);
      case Kind::quantity:
        return set_quantity(quantity(e));
      case Kind::words:
        return line_.put(fmt::format("\\text{{{}}}", e.text), columns(e.text));
      case Kind::places:
        return line_.put(math_places(e.text), columns(e.text));
      case Kind::dots:
        return line_.put("\\dots ", 3);
      case Kind::call:
        return set_call(e, depth);
      case Kind::brackets:
        return in_brackets("(", ")", [&] { set_list(e, e.parts.size(), depth + 1); });
      case Kind::bars:
        return in_brackets("\\lvert ", " \\rvert", [&] { set(e.parts[0], depth + 1); });
      case Kind::chain:
        return e.level == Level::product ? set_product(e, depth) : set_chain(e, depth);
      case Kind::power:
        set_base(e.parts[0], depth);
        return set_exponent(e.parts[1]);
      case Kind::transposed:
        set_base(e.parts[0], depth);
        return line_.put("^{\\top}", 1);
      case Kind::indexed:
        set_base(e.parts[0], depth);
        return set(e.parts[1], depth);
    }
  }

  void set_name(std::string_view name) {
    if (const std::string_view macro = macro_of(name); !macro.empty() && name != "floor")
      return line_.put(fmt::format("{} ", macro), columns(name));
    line_.put(math_name(name));
  }

  void set_quantity(const Quantity* q) {
    if (q == nullptr) return line_.put("?");
    if (q->kind == Quantity::Kind::blank)
      return line_.put(fmt::format("\\underline{{\\quad {} \\quad}}", q->name), 6);
    const BrokenLine name = math_name(q->name);
    if (q->kind == Quantity::Kind::value) return line_.put(name);
    if (q->kind == Quantity::Kind::delta)
      return line_.put(fmt::format("\\delta_{{{}}}", name.text()), 1 + name.width());
    const BrokenLine of = math_name(q->of);
    if (display_) {
      tall_ = true;
      return line_.put(
          fmt::format("\\frac{{\\partial {}}}{{\\partial {}}}", of.text(), name.text()),
          1 + std::max(of.width(), name.width()));
    }
    line_.put(fmt::format("\\partial {} / \\partial {}", of.text(), name.text()),
              3 + of.width() + name.width());
  }

  void set_list(const Expression& e, std::size_t count, int depth) {
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) line_.put(e.signs[i]), line_.may_break(break_of_sum(depth), true);
      set(e.parts[i], depth);
    }
  }

  void set_call(const Expression& e, int depth) {
    // Axes stand below the function, and so does an index.
    const bool axes = e.parts.size() > 1 && e.parts.back().kind == Kind::words &&
                      e.parts.back().text.starts_with("ax");
    const bool below = axes || e.sum_over_index();
    const std::size_t count = e.parts.size() - (below ? 1 : 0);
    if (e.text == "sqrt" && count == 1) {
      const BrokenLine inner = apart([&] { set(e.parts[0], depth + 1); });
      if (inner.width() <= widest_whole)
        return line_.put(fmt::format("\\sqrt{{{}}}", inner.text()), inner.width() + 1);
    }
    if (e.text == "floor" && count == 1)
      return in_brackets("\\lfloor ", " \\rfloor", [&] { set(e.parts[0], depth + 1); });
    const std::string_view macro = macro_of(e.text);
    if (macro.empty())
      line_.put(upright(e.text));
    else
      line_.put(macro, std::max<std::size_t>(e.text == "sigmoid" ? 1 : columns(e.text), 1));
    if (below)
      line_.put(axes ? fmt::format("_{{\\text{{{}}}}}", e.parts.back().text)
                     : fmt::format("_{{{}}}", e.parts.back().text),
                columns(e.parts.back().text));
    if (!is_big(e) || count != 1)
      return in_brackets("(", ")", [&] { set_list(e, count, depth + 1); });
    tall_ = tall_ || display_;
    line_.put(" ", 0);
    const bool product = e.sum_over_index() && !e.parts[0].is_chain(Level::sum);
    in_brackets_if(e.parts[0].kind == Kind::chain && !product, e.parts[0], depth);
  }

  void set_base(const Expression& e, int depth) {
    const bool superscript = e.kind == Kind::power || e.kind == Kind::transposed;
    if (superscript) line_.put("{", 0);
    in_brackets_if(is_derivative(e) || is_big(e) || has_exponent(e), e, depth);
    if (superscript) line_.put("}", 0);
  }

  void set_exponent(const Expression& e) {
    const bool tall = tall_, display = std::exchange(display_, false);
    const BrokenLine inner = apart([&] {
      // Brackets say nothing up there.
      set(e.kind == Kind::brackets && e.parts.size() == 1 ? e.parts[0] : e, 0);
    });
    display_ = display, tall_ = tall;
    line_.put(fmt::format("^{{{}}}", inner.text()), inner.width());
  }

  void set_chain(const Expression& e, int depth) {
    if (e.signs[0] == "-") line_.put("-");
    for (std::size_t i = 0; i < e.parts.size(); ++i) {
      if (i > 0 && e.level == Level::juxtaposition) line_.put(" \\, ", 1);
      if (i > 0) {
        const bool sum = e.level <= Level::sum;
        line_.may_break(sum ? break_of_sum(depth) : break_of_product(depth), sum);
        const std::string sign = relation(e.signs[i]);
        if (sum) line_.put(sign + " ", 2);
      }
      const bool open =
          is_big(e.parts[i]) && e.level == Level::juxtaposition && i + 1 < e.parts.size();
      in_brackets_if(open || (i > 0 && e.parts[i].negative()), e.parts[i], depth);
    }
  }

  static std::string relation(const std::string& sign) {
    constexpr Function relations[] = {{"<=", "\\le"}, {">=", "\\ge"}, {"!=", "\\ne"},
                                      {"->", "\\to"}, {"→", "\\to"},  {"≈", "\\approx"}};
    for (const Function& known : relations)
      if (known.name == sign) return std::string(known.macro);
    return sign;
  }

  /// a * b / c * d: what stands left of a stroke is its numerator.
  void set_product(const Expression& e, int depth) {
    BrokenLine product = apart([&] { set_factor(e, 0, depth); });
    for (std::size_t i = 1; i < e.parts.size(); ++i) {
      if (e.signs[i] == "*") {
        product.may_break(break_of_product(depth), true);
        product.put(elementwise(e, i, matrices_) ? "\\odot " : "\\cdot ", 1);
        product.append(apart([&] { set_factor(e, i, depth); }));
        continue;
      }
      const BrokenLine above = i == 1 ? apart([&] { set_whole(e.parts[0], depth); }) : product;
      const BrokenLine below = apart([&] { set_whole(e.parts[i], depth); });
      if (display_ && above.width() <= widest_whole && below.width() <= widest_whole) {
        tall_ = true;
        product = {};
        product.put(fmt::format("\\frac{{{}}}{{{}}}", above.text(), below.text()),
                    std::max(above.width(), below.width()) + 1);
      } else {
        product.put(" / ", 2);
        product.append(apart([&] {
          in_brackets_if(
              has_exponent(e.parts[i]) || is_derivative(e.parts[i]) || e.parts[i].negative(),
              e.parts[i], depth);
        }));
      }
    }
    line_.append(product);
  }

  void set_factor(const Expression& e, std::size_t i, int depth) {
    const Expression& part = e.parts[i];
    const bool open = is_big(part) && i + 1 < e.parts.size();
    in_brackets_if(open || (i > 0 && part.negative()) ||
                       (part.is_chain(Level::juxtaposition) && e.parts.size() > 1),
                   part, depth);
  }

  /// Above or below a stroke, where brackets say nothing.
  void set_whole(const Expression& e, int depth) {
    set(e.kind == Kind::brackets && e.parts.size() == 1 ? e.parts[0] : e, depth + 1);
  }

  const Derivation& derivation_;
  bool display_, matrices_;
  bool tall_ = false;  // something higher than a line has been set
  BrokenLine line_;
};

// ---- words

/// A word of a note: \text does not take all characters in all programs.
std::string math_text(std::string_view text, std::string_view macro) {
  std::string result;
  bool open = false;
  const auto close = [&] { result += std::exchange(open, false) ? "}" : ""; };
  while (!text.empty()) {
    const auto [character, length] = first_character(text);
    const std::string_view symbol = character < 0x80 ? "" : math_symbol(character);
    const bool special = character < 0x80 &&
                         std::string_view("_%&#${}\\^~|<>").find(text[0]) != std::string_view::npos;
    if (special || !symbol.empty()) {
      close();
      result += special ? math_character(text) : fmt::format("{}{{}}", symbol);
    } else {
      if (!std::exchange(open, true)) result += fmt::format("\\{}{{", macro);
      result += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  close();
  return result;
}

/// A note, in lines that are at most this wide.
std::vector<BrokenLine> math_note(const Derivation& derivation, std::string_view note,
                                  std::size_t width) {
  std::vector<BrokenLine> lines(1);
  std::string words;
  const auto put_words = [&] {
    lines.back().put(math_text(words, "text"), columns(words));
    words.clear();
  };
  const auto make_room = [&](std::size_t wide) {
    if (lines.back().width() + columns(words) + wide <= width ||
        lines.back().width() + columns(words) == 0)
      return;
    put_words();
    lines.emplace_back();
  };
  for (const Span& span : spans(note)) {
    if (span.formula) {
      const std::vector<BrokenLine> parts =
          Formula(derivation, false, false).set(span.text).lines(width);
      make_room(parts[0].width());
      put_words();
      lines.back().put(parts[0]);
      lines.insert(lines.end(), parts.begin() + 1, parts.end());
      continue;
    }
    for (std::string_view rest = span.text; !rest.empty();) {
      const std::string_view next = rest.substr(0, rest.find(' ', 1));
      make_room(columns(next));
      words += next;
      rest.remove_prefix(next.size());
    }
  }
  put_words();
  return lines;
}

// ---- equations

/// The widest row, in digits; as much as there is place for on a page.
constexpr std::size_t widest_row = 86;

BrokenLine math_matrix(const Derivation& derivation, const Side& side) {
  const auto left_out = [](const std::string& cell) { return cell == "..."; };
  std::size_t count = 0;
  for (const auto& row : side.rows) count = std::max(count, row.size());
  std::vector<std::size_t> widths(count);
  std::string text = fmt::format("\\left[\\begin{{array}}{{{}}}", std::string(count, 'r'));
  for (std::size_t i = 0; i < side.rows.size(); ++i) {
    const auto& row = side.rows[i];
    const bool whole = std::all_of(row.begin(), row.end(), left_out);
    text += i == 0 ? " " : side.marked_row ? " \\\\[3pt] " : " \\\\ ";
    for (std::size_t j = 0; j < row.size(); ++j) {
      const BrokenLine cell = Formula(derivation, false, false).set(row[j]);
      const bool marked = side.marked_row == i && side.marked_column == j;
      const bool column = std::all_of(side.rows.begin(), side.rows.end(), [&](const auto& other) {
        return j < other.size() && left_out(other[j]);
      });
      text += j == 0 ? "" : " & ";
      text += !left_out(row[j]) ? (marked ? fmt::format("\\boxed{{{}}}", cell.text()) : cell.text())
              : !whole          ? "\\cdots"
              : column          ? "\\ddots"
                                : "\\vdots";
      widths[j] = std::max(widths[j], cell.width() + (marked ? 1 : 0));
    }
  }
  std::size_t width = 2;
  for (const std::size_t w : widths) width += w + 2;
  BrokenLine result;
  result.put(text + " \\end{array}\\right]", width);
  return result;
}

}  // namespace

std::string_view math_symbol(char32_t character) {
  const auto found = std::find_if(std::begin(symbols), std::end(symbols),
                                  [&](const Symbol& s) { return s.character == character; });
  return found == std::end(symbols) ? "" : found->macro;
}

BrokenLine math_name(std::string_view name) {
  if (name.size() > 1 && name.ends_with('+')) {  // what comes after an update
    const BrokenLine before = math_name(name.substr(0, name.size() - 1));
    BrokenLine result;
    result.put(fmt::format("{{{}^{{+}}}}", before.text()), before.width() + 1);
    return result;
  }
  const std::size_t places = name.find('[');
  const bool indexed = places != 0 && places != std::string_view::npos && name.ends_with(']');
  BrokenLine result = stem(indexed ? name.substr(0, places) : name);
  if (indexed) result.put(math_places(name.substr(places)), name.size() - places);
  return result;
}

BrokenLine math_inline(const Derivation& derivation, std::string_view formula) {
  return Formula(derivation, false, false).set(formula);
}

std::string math_code(std::string_view text) { return math_text(text, "texttt"); }

std::vector<MathRow> math_rows(const Derivation& derivation, const Equation& equation) {
  std::vector<BrokenLine> sides;
  std::size_t width = 0;
  bool blocks = false;
  for (const Side& side : equation.sides) {
    sides.push_back(side.rows.empty()
                        ? Formula(derivation, true, equation.matrices).set(side.formula)
                        : math_matrix(derivation, side));
    width += sides.back().width() + 3;
    blocks = blocks || side.rows.size() > 1;
  }
  const auto sign = [&](std::size_t i) { return equation.sides[i].rounded ? "\\approx " : "= "; };
  std::vector<MathRow> rows{{.text = "&", .at = equation.at}};
  if (sides.size() > 1) rows[0] = {sides[0].text() + " &", sides[0].width(), equation.at};
  const std::size_t first = sides.size() > 1 ? 1 : 0, indent = rows[0].width + 3;
  if (!blocks && width <= widest_row) {
    for (std::size_t i = first; i < sides.size(); ++i)
      rows[0].text += (i > 1 ? " " : "") + std::string(i == 0 ? "" : sign(i)) + sides[i].text();
    rows[0].width = width;
  } else {
    const std::size_t room = widest_row > indent + 30 ? widest_row - indent : 30;
    for (std::size_t i = first; i < sides.size(); ++i) {
      if (i > first) rows.push_back({.text = "&"});
      rows.back().text += i == 0 ? "" : sign(i);
      const std::vector<BrokenLine> lines = sides[i].lines(room);
      for (std::size_t k = 0; k < lines.size(); ++k) {
        if (k > 0) rows.push_back({.text = "&\\quad {} "});
        rows.back().text += lines[k].text();
        rows.back().width = indent + lines[k].width();
      }
    }
  }
  if (equation.note.empty()) return rows;
  const std::vector<BrokenLine> note =
      math_note(derivation, equation.note, widest_row - indent / 2);
  if (note.size() == 1 && rows.back().width + 4 + note[0].width() <= widest_row) {
    rows.back().text += " \\qquad " + note[0].text();
    rows.back().width += 4 + note[0].width();
    return rows;
  }
  for (const BrokenLine& line : note)
    rows.push_back({.text = "&\\quad " + line.text(), .width = indent + 2 + line.width()});
  return rows;
}

}  // namespace tapegrad
