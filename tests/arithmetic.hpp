// Printed arithmetic, read back: what a reader would type into a calculator. Knows nothing of how
// it was printed.
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// + - · * ⊙ / with their usual precedence, a minus in front as tight as a product, ^ and ²
/// tighter, brackets, |x|, and functions.
class Arithmetic {
 public:
  explicit Arithmetic(std::string_view text) : rest_(text) {}

  /// Nothing if there are names in it. Throws std::runtime_error for what cannot be read.
  std::optional<double> value() {
    const bool named = has_names(rest_);
    try {
      const double result = sum();
      if (!ended()) throw std::runtime_error("not read: " + std::string(rest_));
      return named ? std::nullopt : std::optional(result);
    } catch (const std::runtime_error&) {
      if (!named) throw;
      return {};
    }
  }

 private:
  using Numbers = std::vector<double>;

  bool ended() {
    while (rest_.starts_with(' ') || rest_.starts_with('\n')) rest_.remove_prefix(1);
    return rest_.empty();
  }
  bool take(std::string_view what) {
    if (ended() || !rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }
  bool digit() const {
    return !rest_.empty() && std::isdigit(static_cast<unsigned char>(rest_[0])) != 0;
  }

  static bool in_name(std::string_view rest) {
    const auto byte = static_cast<unsigned char>(rest[0]);
    for (const std::string_view sign : {"·", "⊙", "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"})
      if (rest.starts_with(sign)) return false;
    return std::isalnum(byte) != 0 || byte >= 0xc0 || rest[0] == '_' || rest[0] == '.';
  }
  static std::string_view name(std::string_view rest) {
    std::size_t length = 0;
    while (length < rest.size() && in_name(rest.substr(length))) {
      ++length;
      while (length < rest.size() && (static_cast<unsigned char>(rest[length]) & 0xc0U) == 0x80)
        ++length;
    }
    return rest.substr(0, length);
  }
  static bool has_names(std::string_view rest) {
    while (!rest.empty()) {
      const std::string_view next = name(rest);
      const bool number = std::isdigit(static_cast<unsigned char>(rest[0])) != 0;
      if (!next.empty() && !number && next != "inf" && !functions().contains(std::string(next)))
        return true;
      rest.remove_prefix(std::max<std::size_t>(next.size(), 1));
    }
    return false;
  }

  double sum() {
    double result = product();
    while (true)
      if (take("+"))
        result += product();
      else if (take("-"))
        result -= product();
      else
        return result;
  }
  double product() {
    double result = take("-") ? -power() : power();
    while (true)
      if (take("·") || take("*") || take("⊙"))
        result *= power();
      else if (take("/"))
        result /= power();
      else
        return result;
  }
  double power() {
    constexpr std::string_view small[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    double base = single();
    if (take("^")) return std::pow(base, take("-") ? -single() : single());
    int exponent = 0;
    bool any = false;
    for (bool more = true; more;) {
      more = false;
      for (int i = 0; i < 10; ++i)
        if (rest_.starts_with(small[i])) {
          take(small[i]);
          exponent = 10 * exponent + i;
          more = any = true;
        }
    }
    return any ? std::pow(base, exponent) : base;
  }
  double single() {
    if (take("(")) return closed(sum(), ")");
    if (take("|")) return std::abs(closed(sum(), "|"));
    if (ended()) throw std::runtime_error("it ends too early");
    if (digit()) {
      const std::string text(rest_.substr(0, 60));
      char* end = nullptr;
      const double result = std::strtod(text.c_str(), &end);
      rest_.remove_prefix(static_cast<std::size_t>(end - text.c_str()));
      return result;
    }
    const std::string called(name(rest_));
    rest_.remove_prefix(called.size());
    if (called == "inf") return std::numeric_limits<double>::infinity();
    const auto found = functions().find(called);
    if (found == functions().end() || !take("("))
      throw std::runtime_error("no operand: " + called + std::string(rest_));
    Numbers x{sum()};
    while (take(",")) x.push_back(sum());
    return closed(found->second(x), ")");
  }
  double closed(double result, std::string_view bracket) {
    if (!take(bracket)) throw std::runtime_error("no bracket: " + std::string(rest_));
    return result;
  }

  static const std::map<std::string, std::function<double(const Numbers&)>>& functions() {
    static const std::map<std::string, std::function<double(const Numbers&)>> known = {
        {"exp", [](const Numbers& x) { return std::exp(x[0]); }},
        {"log", [](const Numbers& x) { return std::log(x[0]); }},
        {"sqrt", [](const Numbers& x) { return std::sqrt(x[0]); }},
        {"sigmoid", [](const Numbers& x) { return 1 / (1 + std::exp(-x[0])); }},
        {"tanh", [](const Numbers& x) { return std::tanh(x[0]); }},
        {"sin", [](const Numbers& x) { return std::sin(x[0]); }},
        {"cos", [](const Numbers& x) { return std::cos(x[0]); }},
        {"relu", [](const Numbers& x) { return x[0] > 0 ? x[0] : 0; }},
        {"softplus", [](const Numbers& x) { return std::log(1 + std::exp(x[0])); }},
        {"abs", [](const Numbers& x) { return std::abs(x[0]); }},
        {"sign", [](const Numbers& x) { return double(x[0] > 0) - double(x[0] < 0); }},
        {"floor", [](const Numbers& x) { return std::floor(x[0]); }},
        {"max", [](const Numbers& x) { return *std::max_element(x.begin(), x.end()); }},
        {"min", [](const Numbers& x) { return *std::min_element(x.begin(), x.end()); }},
    };
    return known;
  }

  std::string_view rest_;
};

/// `0.05·0.15 + 0.1·0.2 + 0.35`
inline std::optional<double> evaluate_text(std::string_view text) {
  return Arithmetic(text).value();
}

/// LaTeX's mathematics in the notation above.
class FromLatex {
 public:
  explicit FromLatex(std::string_view latex) : rest_(latex) {}

  /// Up to the brace that closes a group, or to the end.
  std::string group() {
    std::string result;
    while (!rest_.empty() && rest_[0] != '}') {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '{') {
        result += braced_rest();
      } else if (c == '\\') {
        result += macro();
      } else if (c == '^' && rest_.starts_with('{')) {
        result += "^(" + braced() + ")";
      } else if (c == '_' && rest_.starts_with('{')) {
        result += "_" + letters_of(braced());
      } else if (c != '&') {
        result += c;
      }
    }
    return result;
  }

 private:
  std::string braced() {
    if (!rest_.starts_with('{')) throw std::runtime_error("no group: " + std::string(rest_));
    rest_.remove_prefix(1);
    return braced_rest();
  }
  std::string braced_rest() {
    std::string result = group();
    if (!rest_.starts_with('}')) throw std::runtime_error("a group does not end");
    rest_.remove_prefix(1);
    return result;
  }
  static std::string letters_of(std::string_view text) {
    std::string result;
    for (const char c : text) result += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    return result;
  }
  std::string macro() {
    std::size_t length = 0;
    while (length < rest_.size() && std::isalpha(static_cast<unsigned char>(rest_[length])) != 0)
      ++length;
    const std::string name(rest_.substr(0, std::max<std::size_t>(length, 1)));
    rest_.remove_prefix(name.size());
    static const std::map<std::string, std::string> spaces = {
        {"\\", " "},          {",", " "},           {" ", " "},
        {"quad", " "},        {"left", ""},         {"right", ""},
        {"bigl", ""},         {"bigr", ""},         {"cdot", "*"},
        {"odot", "*"},        {"times", "*"},       {"lvert", "abs("},
        {"rvert", ")"},       {"lfloor", "floor("}, {"rfloor", ")"},
        {"sigma", "sigmoid"}, {"infty", "inf"},     {"_", "_"}};
    if (const auto found = spaces.find(name); found != spaces.end()) return found->second;
    if (name == "mathrm" || name == "mathit") return braced();
    if (name == "sqrt") return "sqrt(" + braced() + ")";
    if (name != "frac") return name;  // a function, or a name
    const std::string above = braced();
    return "((" + above + ")/(" + braced() + "))";
  }

  std::string_view rest_;
};

/// `\frac{1}{1 + \exp(-0.3775)}`
inline std::optional<double> evaluate_latex(std::string_view latex) {
  return Arithmetic(FromLatex(latex).group()).value();
}
