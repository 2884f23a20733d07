// The page of all ops, docs/ops.md: for each block of the catalogue the function that records it,
// as ops.hpp declares it and comments on it, its notation, the shapes of an example, and its
// derivative, read off the records that its rule makes.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tapegrad/check/op_cases.hpp>
#include <tapegrad/tapegrad.hpp>
#include <utility>
#include <vector>

namespace tg = tapegrad;

namespace {

// ---------------------------------------------------------------- what the headers say

struct Parameter {
  std::string name;
  bool operand;  // it takes a tensor or a number
};
struct Function {
  std::string name;
  std::vector<Parameter> parameters;
  std::string comment;
};

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

/// `const Axes& axes = {}` is called axes.
Parameter parameter(std::string_view declared) {
  const std::string text = trimmed(declared.substr(0, declared.find(" = ")));
  return {text.substr(text.find_last_of(" &") + 1),
          text.starts_with("const Arg&") || text.starts_with("const Tensor&")};
}

/// The parameters of `Tensor sum(const Arg& x, ...)`, but for the user's line.
std::vector<Parameter> parameters(std::string_view list) {
  std::vector<Parameter> result;
  int depth = 0;
  for (std::size_t i = 0, first = 0; i <= list.size(); ++i) {
    if (i < list.size() && std::string_view("<{(").find(list[i]) != std::string_view::npos) ++depth;
    if (i < list.size() && std::string_view(">})").find(list[i]) != std::string_view::npos) --depth;
    if (i < list.size() && (list[i] != ',' || depth > 0)) continue;
    if (Parameter p = parameter(list.substr(first, i - first)); p.name != "at" && !p.name.empty())
      result.push_back(std::move(p));
    first = i + 1;
  }
  return result;
}

/// The functions in the order of a header. Overloads are one, the one that takes most.
std::vector<Function> functions(const std::string& header) {
  static const std::regex form{
      R"((?:Tensor|WithIndex|std::vector<Tensor>) (operator[^(]+|\w+)\((.*)\);(?: *// (.*))?)"};
  std::ifstream in(TAPEGRAD_SOURCE_DIR "/lib/tapegrad/ops/" + header);
  std::vector<Function> result;
  std::string comment;
  for (std::string line, more; std::getline(in, line);) {
    if (line.starts_with("///")) {
      comment += line.substr(3);
      continue;
    }
    while (line.find('(') != std::string::npos && line.find(';') == std::string::npos &&
           std::getline(in, more))
      line += " " + trimmed(more);
    std::smatch match;
    if (std::regex_match(line, match, form)) {
      Function f{match[1], parameters(match[2].str()), trimmed(comment + match[3].str())};
      const auto known = std::find_if(result.begin(), result.end(), [&](const Function& other) {
        const bool same_sign = other.parameters.size() == f.parameters.size();
        return other.name == f.name && (same_sign || !f.name.starts_with("operator"));
      });
      if (known == result.end())
        result.push_back(std::move(f));
      else if (known->parameters.size() < f.parameters.size())
        known->parameters = std::move(f.parameters);
    }
    comment.clear();
  }
  return result;
}

std::string call(const Function& f) {
  std::string result;
  for (const Parameter& p : f.parameters) result += (result.empty() ? "" : ", ") + p.name;
  return fmt::format("{}({})", f.name, result);
}

// ---------------------------------------------------------------- what a rule says

/// What an op's operands are called: as by the function, or by their roles.
std::vector<std::string> names_of_operands(const tg::Op& op, const Function* f, std::size_t count) {
  std::vector<std::string> declared, result;
  if (f != nullptr)
    for (const Parameter& p : f->parameters)
      if (p.operand) declared.push_back(p.name);
  for (std::size_t i = 0; i < count; ++i)
    if (count <= declared.size())
      result.push_back(declared[i]);
    else if (i < op.roles.size() && !op.roles[i].empty())
      result.emplace_back(op.roles[i]);
    else
      result.push_back(std::string(1, static_cast<char>('x' + i)));
  return result;
}

/// A formula of at most a few lines: what is longer loses its deepest parts.
std::string shortened(const tg::Tensor& t) {
  std::size_t limit = 100;
  std::string result = tg::formula(t, {.limit = limit});
  while (result.size() > 300) result = tg::formula(t, {.limit = --limit});
  return result;
}

/// An op recorded with named operands.
struct Recorded {
  tg::Tape tape;
  std::vector<std::string> names;
  std::string letter;  // of the result
  std::vector<tg::Tensor> x;
  tg::Tensor y;

  Recorded(const tg::Op& op, const Function* f, const tg::OpCase& c)
      : names(names_of_operands(op, f, c.shapes.size())) {
    std::vector<tg::Arg> args;
    for (std::size_t i = 0; i < c.shapes.size(); ++i) {
      const tg::Domain d = op.sample[i];
      const tg::Array values = tg::full(c.shapes[i], d.whole ? d.low : (d.low + d.high) / 2);
      x.push_back(op.kind == tg::Kind::effect && i == 0 ? tape.state(values) : tape.input(values));
      args.emplace_back(x.back().named(names[i]));
    }
    const bool taken = std::find(names.begin(), names.end(), "y") != names.end();
    letter = taken ? "z" : "y";
    y = tg::record(op, args, c.attributes).named(letter);
  }

  std::string shapes() const {
    std::string result;
    for (const tg::Tensor& t : x) result += (result.empty() ? "" : ", ") + text(t.shape());
    return result + " -> " + text(y.shape());
  }

  /// What each operand gets for the adjoint of the result: `xbar = ybar * cos(x)`.
  std::vector<std::string> derivatives(const tg::Op& op) {
    if (op.vjp.flow() == tg::VjpRule::Flow::none) return {"no derivative flows through it"};
    if (op.vjp.flow() == tg::VjpRule::Flow::zero) return {"its derivative is 0"};
    std::vector<std::string> lines;
    const tg::Tensor ybar = tape.input(tg::full(y.shape(), 1)).named(letter + "bar");
    std::vector<tg::Tensor> answers(x.size());
    gradients(seeded(y, ybar), x, answers);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::string share = shortened(answers[i]);
      if (share != "broadcast(0)") lines.push_back(fmt::format("{}bar = {}", names[i], share));
    }
    return lines;
  }
};

/// A case to show a derivative by: of matrices if there is one, with axes that can be told apart.
tg::OpCase case_to_derive(const tg::Op& op) {
  const std::vector<tg::OpCase> cases = cases_of(op);
  const auto large = [](const tg::OpCase& c, int rank) {
    const tg::Shape& x = c.shapes.front();
    return x.rank() >= rank && std::all_of(x.begin(), x.end(), [](auto n) { return n > 1; });
  };
  for (const int rank : {2, 3, 4, 1})
    for (const tg::OpCase& c : cases)
      if (large(c, rank) && c.shapes.front().rank() == rank) return c;
  return cases.front();
}

/// A case to show shapes by: if the op broadcasts, one where it does.
tg::OpCase case_to_measure(const tg::Op& op) {
  tg::OpCase c = case_to_derive(op);
  if (op.kind != tg::Kind::elementwise || op.examples != nullptr) return c;
  c.shapes.assign(c.shapes.size(), tg::Shape{3});
  c.shapes.front() = tg::Shape{2, 3};
  return c;
}

// ---------------------------------------------------------------- the page

constexpr std::size_t width = 100;

/// Prints words, with these spaces in front of all lines but the first.
void print_wrapped(std::string_view text, std::size_t indent, std::size_t further) {
  std::string line(indent, ' ');
  for (std::size_t first = 0; first < text.size();) {
    const std::size_t end = std::min(text.find(' ', first), text.size());
    const bool empty = line.find_first_not_of(' ') == std::string::npos;
    if (!empty && line.size() + 1 + end - first > width) {
      fmt::print("{}\n", line);
      line.assign(further, ' ');
      line += text.substr(first, end - first);
    } else {
      line += (empty ? "" : " ") + std::string(text.substr(first, end - first));
    }
    first = end + 1;
  }
  fmt::print("{}\n", line);
}

void print_op(const tg::Op& op, const Function* f) {
  Recorded derived(op, f, case_to_derive(op)), measured(op, f, case_to_measure(op));
  const std::string notation = tg::formula(derived.y);
  const std::string head = f == nullptr                      ? std::string(op.name)
                           : f->name.starts_with("operator") ? notation
                                                             : call(*f);
  fmt::print("{:<60}  {}\n", head, measured.shapes());
  if (head != notation) print_wrapped(derived.letter + " = " + notation, 4, 8);
  for (const std::string& line : derived.derivatives(op)) print_wrapped(line, 4, 8);
  if (f != nullptr && !f->comment.empty()) print_wrapped(f->comment, 4, 4);
}

struct Section {
  std::string_view title, content;
  tg::Family family;
};

std::vector<Section> sections() {
  return {
      {"Arithmetic", "Sums, products, comparisons and choices, element by element.",
       tg::arithmetic_family()},
      {"Functions", "Powers, roots, exponentials and logarithms, element by element.",
       tg::function_family()},
      {"Trigonometry", "Circular and hyperbolic functions, element by element.",
       tg::trigonometry_family()},
      {"Activations", "What bends a network, element by element.", tg::activation_family()},
      {"Reductions", "Many elements become one, over all axes or some.", tg::reduction_family()},
      {"Norms", "Lengths; variances and deviations are made of them.", tg::statistics_family()},
      {"Along an axis", "Places of extremes, running sums, and what normalises.",
       tg::along_family()},
      {"Products of matrices", "One op for all of them, whichever operand is meant transposed.",
       tg::product_family()},
      {"Layout", "The same elements in another order or under another shape.", tg::layout_family()},
      {"Parts", "Elements taken out, and tensors joined.", tg::part_family()},
      {"Indices", "Elements taken by places that are values themselves.", tg::index_family()},
      {"Filling", "Borders and triangles.", tg::fill_family()},
      {"Normalisation", "What batch_norm and layer_norm record.", tg::normalise_family()},
      {"Noise", "What dropout draws from.", tg::random_family()},
      {"Flow", "Where derivatives stop, and where values are carried on.", tg::flow_family()},
      {"Losses of numbers", "How far a prediction is from a target.", tg::loss_family()},
      {"Losses of classes", "How probable a label is.", tg::classification_family()},
      {"Convolutions", "Sums of products over sliding windows, and their two transposes.",
       tg::convolution_family()},
      {"Pools", "Windows that become one element each.", tg::pool_family()},
  };
}

/// The function that is named after an op, or that is the operator of its notation. The operands
/// of an operator have no roles (those of `times`, the product of an adjoint, have).
const Function* function_of(const tg::Op& op, const std::vector<Function>& all) {
  const std::size_t places = cases_of(op).front().shapes.size();
  for (const Function& f : all) {
    if (f.name == op.name) return &f;
    if (!f.name.starts_with("operator") || f.parameters.size() != places || !op.roles[0].empty())
      continue;
    const std::string sign = f.name.substr(std::string_view("operator").size());
    if (op.notation == (places == 1 ? sign + "{}" : "{} " + sign + " {}")) return &f;
  }
  return nullptr;
}

void print_page() {
  const std::vector<Function> all = functions("ops.hpp"), internal = functions("blocks.hpp");
  std::vector<const tg::Op*> shown, unnamed;
  std::vector<const Function*> recorded;
  for (const Section& s : sections()) {
    std::vector<std::pair<const tg::Op*, const Function*>> ops;
    for (const tg::Op* op : s.family) {
      shown.push_back(op);
      if (const Function* f = function_of(*op, all)) {
        ops.emplace_back(op, f);
        recorded.push_back(f);
      } else {
        unnamed.push_back(op);
      }
    }
    if (ops.empty()) continue;
    fmt::print("## {}\n\n{}\n\n```text\n", s.title, s.content);
    for (const auto& [op, f] : ops) {
      if (op != ops.front().first) fmt::print("\n");
      print_op(*op, f);
    }
    fmt::print("```\n\n");
  }
  if (shown != tg::catalogue()) throw std::runtime_error("the sections are not the catalogue");

  fmt::print(
      "## Made of these\n\nFunctions that record several ops, or one under another name, and need "
      "no rule of their own.\n\n```text\n");
  bool first = true;
  for (const Function& f : all) {
    if (std::find(recorded.begin(), recorded.end(), &f) != recorded.end() ||
        f.name.starts_with("operator"))
      continue;
    if (!std::exchange(first, false)) fmt::print("\n");
    fmt::print("{}\n", call(f));
    if (!f.comment.empty()) print_wrapped(f.comment, 4, 4);
  }
  fmt::print(
      "```\n\n## Behind the functions\n\nOps that no function is named after: functions "
      "and derivatives record them.\n\n```text\n");
  for (const tg::Op* op : unnamed) {
    if (op != unnamed.front()) fmt::print("\n");
    print_op(*op, function_of(*op, internal));
  }
  fmt::print("```\n");
}

}  // namespace

int main() {
  try {
    print_page();
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}\n", problem.what());
    return 1;
  }
}
