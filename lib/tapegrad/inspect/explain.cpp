#include "tapegrad/inspect/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/check/sample.hpp"
#include "tapegrad/check/slope.hpp"
#include "tapegrad/inspect/formula.hpp"
#include "tapegrad/inspect/paths.hpp"
#include "tapegrad/inspect/spell.hpp"
#include "tapegrad/inspect/stage_alone.hpp"
#include "tapegrad/inspect/stages.hpp"
#include "tapegrad/kernel/number_systems.hpp"
#include "tapegrad/kernel/symbols.hpp"
#include "tapegrad/tape/trial.hpp"

namespace tapegrad {
namespace {

constexpr std::size_t longest_formula = 700;  // in bytes; longer ones are not written out
constexpr std::size_t all_symbols = 4096;     // elements of an input up to which all are symbols
constexpr std::size_t most_rows = 24;         // of the table of the network
constexpr std::int64_t widest_block = 6;      // rows and columns of a matrix that is printed
constexpr std::size_t longest_chain = 8;      // factors of a path that are written out
constexpr int difference_evaluations = 100;

using Kind = Quantity::Kind;
using Section = Derivation::Section;

template <class... A>
std::string filled(std::string_view words, const A&... a) {
  return fmt::format(fmt::runtime(words), a...);
}

/// To how many digits two numbers agree.
int agreeing_digits(double a, double b) {
  const double size = std::max(std::abs(a), std::abs(b));
  if (a == b || size == 0) return 16;
  return std::clamp(static_cast<int>(std::floor(-std::log10(std::abs(a - b) / size))), 0, 16);
}

class Explainer {
 public:
  Explainer(const Tensor& y, std::span<const Tensor> x, const ExplainOptions& options, Site at)
      : options_(options), words_(options.words), at_(at), stages_("explain", y, x, at) {
    if (options.digits < 1 || options.digits > 17)
      throw Error("explain", fmt::format("{} digits: from 1 to 17", options.digits), at);
    if (options.top < 1)
      throw Error("explain", "top is 0: at least one path must be written out", at);
    if (options.learning_rate && !std::isfinite(*options.learning_rate))
      throw Error("explain", "the learning rate is not finite", at);
  }

  Derivation of_element(const Index& index);
  Derivation of_all();

 private:
  // Names and numbers.
  std::string name(Id id) { return d_.quantity({Kind::value, stages_.name(id)}); }
  std::string name(Id id, std::size_t e) { return d_.quantity({Kind::value, stages_.name(id, e)}); }
  std::string delta(const std::string& of) { return d_.quantity({Kind::delta, of}); }
  std::string derivative(const std::string& by) {
    return d_.quantity({Kind::derivative, by, stages_.name(stages_.y())});
  }
  std::string local(const std::string& of, const std::string& by) {
    return d_.quantity({Kind::derivative, by, of});
  }
  std::string number(double value) const { return number_text(value, options_.digits); }
  /// The number that is printed for it.
  double printed(double value) const { return std::strtod(number(value).c_str(), nullptr); }
  /// Whether rounded numbers give the rounded result; notes if not.
  bool exact(double by_printed, double result) {
    const bool same = printed(by_printed) == printed(result);
    any_rounded_ = any_rounded_ || !same;
    return same;
  }
  std::function<std::string(Id)> names() {
    return [this](Id id) { return name(id); };
  }
  bool asked(Id id) const {
    return std::find(stages_.x().begin(), stages_.x().end(), id) != stages_.x().end();
  }

  // Parts of stages.
  StageAlone& alone(const Stage& stage) {
    std::unique_ptr<StageAlone>& known = alone_[stage.out()];
    if (known == nullptr) known = std::make_unique<StageAlone>(stages_, stage);
    return *known;
  }

  /// Symbols of one formula: numbered in the order in which terms shall stand.
  struct Symbols {
    struct Meaning {
      Id id;
      std::size_t element;
      bool delta;
    };
    std::vector<Meaning> meanings;
    Number make(const Meaning& meaning, double value) {
      meanings.push_back(meaning);
      return symbol(static_cast<std::uint32_t>(meanings.size() - 1), value);
    }
  };
  std::string meaning(const Symbols::Meaning& m) {
    const std::string element = stages_.name(m.id, m.element);
    return d_.quantity({m.delta ? Kind::delta : Kind::value, element});
  }
  /// Continues an equation by an expression: with symbols, with numbers, and its value.
  void append(Equation& equation, const Number& x, double value, const Symbols& symbols,
              std::string notation = {});

  Section& section(std::string_view name, std::string_view title) {
    return d_.sections.emplace_back(Section{std::string(name), std::string(title)});
  }
  template <class... A>
  static void say(Section& section, std::string_view words, const A&... a) {
    section.lines.emplace_back(Sentence{filled(words, a...)});
  }
  Side block(const Tensor& t, std::optional<std::size_t> marked = {}) const;

  // Sections.
  void network(const std::string& question);
  void forward();
  void locals();
  void paths();
  void merged();
  void matrices();
  void update();
  void check();
  void forward_in_matrices();
  void update_of_all();
  void check_of_all();

  void choose_shown();
  std::vector<Number> symbolic(const Stage& stage, const std::vector<std::size_t>& elements,
                               Symbols& symbols);
  const std::vector<std::vector<Number>>& symbolic_back(const Stage& stage, Symbols& symbols);
  /// The value of y when leaves are moved.
  double moved(const std::vector<std::pair<Id, std::vector<double>>>& moves);
  double measured(Id id, const std::vector<double>& direction, double claimed);
  double by_forward_mode(Id id, const std::vector<double>& direction);
  std::vector<Id> parameters() const;
  void finish() {
    if (any_rounded_) d_.footnote = words_.rounded;
  }

  const ExplainOptions& options_;
  const Words& words_;
  Site at_;
  Stages stages_;
  Derivation d_;
  std::unordered_map<Id, std::unique_ptr<StageAlone>> alone_;
  bool any_rounded_ = false;

  // Of one element.
  Id x_ = 0;
  std::size_t element_ = 0;
  std::optional<Paths> paths_;
  std::vector<std::uint32_t> shown_;                 // points, ascending
  std::map<Id, std::vector<std::size_t>> elements_;  // of each tensor, those shown
  std::string sample_note_;
};

void Explainer::append(Equation& equation, const Number& x, double value, const Symbols& symbols,
                       std::string notation) {
  SpellOptions spelling;
  spelling.digits = options_.digits;
  spelling.terms = std::max<std::size_t>(options_.top, 2);
  spelling.name = [&](std::uint32_t i) { return meaning(symbols.meanings[i]); };
  spelling.kept = [&](std::uint32_t i) {
    const Symbols::Meaning& m = symbols.meanings[i];
    const auto shown = elements_.find(m.id);
    return shown != elements_.end() &&
           std::find(shown->second.begin(), shown->second.end(), m.element) != shown->second.end();
  };
  const auto add = [&](std::string formula, bool rounded = false) {
    if (formula.size() <= longest_formula && formula != equation.sides.back().formula)
      equation.sides.push_back({.formula = std::move(formula), .rounded = rounded});
  };
  if (!notation.empty()) add(std::move(notation));
  const Spelled symbolic = spell(x, spelling);
  spelling.numbers = true;
  const Spelled numeric = spell(x, spelling);
  add(symbolic.formula);
  add(numeric.formula);
  add(number(value), !exact(numeric.value, value));
  if (symbolic.left_out > 0 && symbolic.formula.size() <= longest_formula) {
    if (!equation.note.empty()) equation.note += "; ";
    equation.note += filled(words_.left_out, symbolic.left_out);
  }
}

// ---- one element

Derivation Explainer::of_element(const Index& index) {
  x_ = stages_.x().front();
  const Shape shape = stages_.shape(x_);
  if (!index.inside(shape))
    throw Error("explain",
                fmt::format("there is no element {} in the shape {}", text(index), text(shape)),
                {stages_.original().describe(stages_.original(x_), "by")}, at_, {});
  element_ = index.element(shape);
  paths_.emplace(stages_, x_, element_,
                 [this](const Stage& stage) -> StageAlone& { return alone(stage); });
  choose_shown();
  d_.derivative = stages_.adjoint(x_, element_);
  network(filled(words_.asked, derivative(stages_.name(x_, element_)), name(stages_.y()),
                 name(x_, element_), number(stages_.value(x_, element_))));
  forward();
  if (paths_->complete()) {
    locals();
    paths();
    merged();
  }
  matrices();
  if (options_.learning_rate) update();
  check();
  finish();
  return std::move(d_);
}

/// Chooses the elements that are written out: those through which most of the derivative flows. Of
/// a batch, only one sample.
void Explainer::choose_shown() {
  elements_[x_] = {element_};
  if (!paths_->complete()) return;
  const auto& points = paths_->points();
  std::vector<double> tangents(points.size(), 0);
  tangents[0] = 1;
  for (std::uint32_t p = 0; p < points.size(); ++p)
    for (const std::uint32_t e : paths_->from(p))
      tangents[paths_->edges()[e].to] += paths_->edges()[e].slope * tangents[p];
  const auto flow = [&](std::uint32_t p) {
    return std::abs(tangents[p] * stages_.adjoint(points[p].id, points[p].element));
  };
  std::set<std::uint32_t> shown{0};
  for (std::uint32_t begin = 1; begin < points.size();) {
    std::uint32_t end = begin;
    std::vector<std::uint32_t> reached;
    for (; end < points.size() && points[end].id == points[begin].id; ++end) {
      const auto& to = paths_->to(end);
      if (std::any_of(to.begin(), to.end(),
                      [&](std::uint32_t e) { return shown.contains(paths_->edges()[e].from); }))
        reached.push_back(end);
    }
    const Id id = points[begin].id;
    const Shape shape = stages_.shape(id);
    begin = end;
    if (shape.rank() > 1 && shape[0] > 1) {
      const auto row = [&](std::uint32_t p) { return index_of(points[p].element, shape)[0]; };
      std::map<std::int64_t, double> flows;
      for (const std::uint32_t p : reached) flows[row(p)] += flow(p);
      const auto largest =
          std::max_element(flows.begin(), flows.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
      if (flows.size() > 1) {
        if (sample_note_.empty())
          sample_note_ =
              filled(words_.sample, name(x_, element_), flows.size(), name(id), largest->first);
        std::erase_if(reached, [&](std::uint32_t p) { return row(p) != largest->first; });
      }
    }
    std::stable_sort(reached.begin(), reached.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return flow(a) > flow(b); });
    if (reached.size() > options_.top) reached.resize(options_.top);
    std::sort(reached.begin(), reached.end());
    for (const std::uint32_t p : reached) {
      shown.insert(p);
      elements_[id].push_back(points[p].element);
    }
  }
  shown_.assign(shown.begin(), shown.end());
}

void Explainer::network(const std::string& question) {
  Section& s = section("network", words_.network);
  s.lines.emplace_back(Sentence{question});
  Table table{.head = {std::string(words_.symbol), std::string(words_.shape),
                       std::string(words_.what), std::string(words_.line)}};
  const auto row = [&](Id id, std::string what) {
    const Site at = stages_.node(id).site;
    table.rows.push_back({fmt::format("`{}`", name(id)), text(stages_.shape(id)), std::move(what),
                          at ? text(at) : ""});
  };
  const std::size_t rows = stages_.leaves().size() + stages_.all().size();
  std::size_t n = 0;
  const auto shown = [&] {
    const std::size_t i = n++;
    if (rows <= most_rows || i < most_rows / 2 || i >= rows - most_rows / 2) return true;
    if (i == most_rows / 2)
      table.rows.push_back({"", "", filled(words_.more_rows, rows - most_rows / 2 * 2), ""});
    return false;
  };
  for (Id id : stages_.leaves()) {
    if (!shown()) continue;
    const LeafKind kind = stages_.recording().leaf(id).kind;
    row(id, std::string(kind == LeafKind::parameter ? words_.parameter
                        : kind == LeafKind::input   ? words_.input
                        : kind == LeafKind::state   ? words_.state
                                                    : words_.constant));
  }
  for (const Stage& stage : stages_.all())
    if (shown())
      row(stage.out(), fmt::format("`{}`", alone(stage).formula(names(), options_.digits)));
  s.lines.emplace_back(std::move(table));
}

/// The results of a stage, of which some elements shall be written out.
std::vector<Number> Explainer::symbolic(const Stage& stage,
                                        const std::vector<std::size_t>& elements,
                                        Symbols& symbols) {
  StageAlone& by_itself = alone(stage);
  const bool all = std::all_of(stage.inputs.begin(), stage.inputs.end(), [&](Id id) {
    return static_cast<std::size_t>(stages_.shape(id).numel()) <= all_symbols;
  });
  // Of large inputs, only those elements become symbols that count most.
  std::map<Id, std::set<std::size_t>> chosen;
  if (!all) {
    const std::size_t many = 4 * std::max<std::size_t>(options_.top, 2);
    std::vector<double> seed(static_cast<std::size_t>(stages_.shape(stage.out()).numel()), 0.0);
    for (const std::size_t e : elements) {
      seed[e] = 1;
      by_itself.run_back(seed);
      seed[e] = 0;
      for (std::size_t i = 0; i < by_itself.active().size(); ++i) {
        const Id id = by_itself.active()[i];
        const auto slopes = by_itself.passed(i);
        std::vector<std::pair<double, std::size_t>> sizes;
        for (std::size_t k = 0; k < slopes.size(); ++k)
          if (slopes[k] != 0) sizes.push_back({-std::abs(slopes[k] * stages_.value(id, k)), k});
        std::sort(sizes.begin(), sizes.end());
        if (sizes.size() > many) sizes.resize(many);
        for (const auto& [size, k] : sizes) chosen[id].insert(k);
      }
    }
    for (const auto& [id, list] : elements_) chosen[id].insert(list.begin(), list.end());
  }
  return by_itself.symbolic([&](Id id, std::size_t e) -> Number {
    const double value = stages_.value(id, e);
    if (!all && !chosen[id].contains(e)) return value;
    return symbols.make({id, e, false}, value);
  });
}

void Explainer::forward() {
  Section& s = section("forward", words_.forward);
  say(s, words_.forward_of_element, name(x_, element_), name(stages_.y()));
  if (!sample_note_.empty()) s.lines.emplace_back(Sentence{sample_note_});
  for (const Stage& stage : stages_.all()) {
    if (!stages_.on_way(stage.out()) || stage.out() == x_) continue;
    const auto shown = elements_.find(stage.out());
    if (shown == elements_.end()) continue;
    Symbols symbols;
    const std::vector<Number> results = symbolic(stage, shown->second, symbols);
    StageAlone& by_itself = alone(stage);
    for (const std::size_t e : shown->second) {
      Equation equation{.sides = {{.formula = name(stage.out(), e)}}};
      if (e == shown->second.front()) equation.at = stages_.node(stage.out()).site;
      std::string notation;
      if (by_itself.elementwise())
        notation = by_itself.formula(
            [&](Id id) {
              return id == stage.out() ? name(id, e) : name(id, by_itself.element(id, e));
            },
            options_.digits);
      const double value = stages_.value(stage.out(), e);
      if (results.empty()) {
        if (!notation.empty()) equation.sides.push_back({.formula = notation});
        equation.sides.push_back({.formula = number(value)});
      } else {
        append(equation, results[e], value, symbols, std::move(notation));
      }
      s.lines.emplace_back(std::move(equation));
    }
  }
}

void Explainer::locals() {
  Section& s = section("local", words_.local);
  say(s, words_.locals);
  const auto& points = paths_->points();
  std::map<Id, std::vector<std::uint32_t>> edges;  // among points shown, by the tensor they lead to
  for (const std::uint32_t p : shown_)
    for (const std::uint32_t e : paths_->from(p))
      if (const std::uint32_t to = paths_->edges()[e].to;
          std::binary_search(shown_.begin(), shown_.end(), to))
        edges[points[to].id].push_back(e);
  for (const Stage& stage : stages_.all()) {
    const auto found = edges.find(stage.out());
    if (found == edges.end()) continue;
    StageAlone& by_itself = alone(stage);
    std::set<Id> told;  // the rule, by which input
    if (found->second.size() > options_.top) found->second.resize(options_.top);
    for (const std::uint32_t e : found->second) {
      const Paths::Edge& edge = paths_->edges()[e];
      const Paths::Point from = points[edge.from], to = points[edge.to];
      const auto active = static_cast<std::size_t>(
          std::find(by_itself.active().begin(), by_itself.active().end(), from.id) -
          by_itself.active().begin());
      Equation equation{.sides = {{.formula = local(stages_.name(to.id, to.element),
                                                    stages_.name(from.id, from.element))}}};
      if (told.insert(from.id).second) {
        const auto letters = [&](Id id) {
          if (id == stage.out()) return std::string("y");
          if (stage.inputs.size() == 1) return std::string("x");
          const auto place = std::find(stage.inputs.begin(), stage.inputs.end(), id);
          return fmt::format("x{}", place - stage.inputs.begin() + 1);
        };
        equation.note = filled(words_.rule, stages_.made_by(stage),
                               by_itself.rule(active, letters, "ybar", options_.digits));
      }
      Symbols symbols;
      std::vector<Number> one(static_cast<std::size_t>(stages_.shape(stage.out()).numel()), 0.0);
      one[to.element] = 1.0;
      const auto passed = by_itself.symbolic_back(
          [&](Id id, std::size_t k) {
            return symbols.make({id, k, false}, stages_.value(id, k));
          },
          one);
      append(equation, passed.empty() ? Number(edge.slope) : passed[active][from.element],
             edge.slope, symbols);
      s.lines.emplace_back(std::move(equation));
    }
  }
}

void Explainer::paths() {
  Section& s = section("paths", words_.paths);
  const std::string x = name(x_, element_), y = name(stages_.y());
  const std::string count = paths_->count().str();
  const double whole = stages_.adjoint(x_, element_);
  if (paths_->count() == 0) {
    say(s, words_.no_path, x, y);
    return;
  }
  if (paths_->count() == 1)
    say(s, words_.one_path, x, y);
  else
    say(s, words_.many_paths, count, x, y);
  const std::vector<Paths::Path> largest = paths_->largest(options_.top);
  if (paths_->count() > largest.size()) say(s, words_.largest_paths);
  double told = 0;
  for (const Paths::Path& path : largest) {
    // The chain of names, and the product of the slopes: of a long one the beginning and the end.
    const std::size_t n = path.edges.size();
    const bool shortened = n > longest_chain;
    std::string chain = fmt::format("`{}`", x), product;
    double by_printed = 1;
    for (std::size_t i = 0; i < n; ++i) {
      const Paths::Edge& edge = paths_->edges()[path.edges[i]];
      const Paths::Point& to = paths_->points()[edge.to];
      if (shortened && i >= longest_chain / 2 && i < n - longest_chain / 2) {
        if (i > longest_chain / 2) continue;
        double middle = 1;
        for (std::size_t k = i; k < n - longest_chain / 2; ++k)
          middle *= paths_->edges()[path.edges[k]].slope;
        chain += " → " + filled(words_.factors, n - longest_chain);
        product += fmt::format(" * {}", middle < 0 ? "(" + number(middle) + ")" : number(middle));
        by_printed *= printed(middle);
        continue;
      }
      chain += fmt::format(" → `{}`", name(to.id, to.element));
      const std::string factor = number(edge.slope);
      product += fmt::format("{}{}", i == 0 ? "" : " * ",
                             edge.slope < 0 && n > 1 ? "(" + factor + ")" : factor);
      by_printed *= printed(edge.slope);
    }
    s.lines.emplace_back(Sentence{std::move(chain)});
    Equation equation{.sides = {{.formula = product}}};
    const std::string result = number(path.product);
    if (product != result) {
      equation.sides.push_back({.formula = result, .rounded = !exact(by_printed, path.product)});
    }
    if (paths_->count() > 1 && whole != 0)
      equation.note = filled(words_.share, fmt::format("{:.1f}", 100 * path.product / whole));
    told += path.product;
    s.lines.emplace_back(std::move(equation));
  }
  if (paths_->count() == 1) return;
  if (paths_->count() > largest.size()) {
    const Paths::Count rest = paths_->count() - largest.size();
    Equation equation{.sides = {{.formula = number(paths_->sum() - told)}},
                      .note = filled(words_.other_paths, rest.str())};
    s.lines.emplace_back(std::move(equation));
  }
  Equation sum{.sides = {{.formula = derivative(stages_.name(x_, element_))},
                         {.formula = number(paths_->sum())}},
               .note = std::string(words_.sum_of_paths)};
  s.lines.emplace_back(std::move(sum));
  constexpr double much = 10;
  if (whole != 0 && paths_->magnitude() > much * std::abs(whole))
    say(s, words_.cancel, fmt::format("{:.3g}", paths_->magnitude() / std::abs(whole)));
}

void Explainer::merged() {
  if (paths_->count() == 0) return;
  Section& s = section("merged", words_.merged);
  const auto& points = paths_->points();
  const Id y = stages_.y();
  const std::string some =
      stages_.name(points[shown_[shown_.size() > 2 ? shown_.size() - 2 : 0]].id,
                   points[shown_[shown_.size() > 2 ? shown_.size() - 2 : 0]].element);
  if (shown_.size() > 2) say(s, words_.deltas, delta(some), derivative(some), name(y));
  // The deltas into each stage, as symbols, where paths lead through.
  std::map<Id, std::vector<std::size_t>> reached;
  for (const Paths::Point& p : points) reached[p.id].push_back(p.element);
  struct Back {
    std::unique_ptr<Symbols> symbols = std::make_unique<Symbols>();
    std::vector<std::vector<Number>> passed;
  };
  for (std::size_t i = shown_.size(); i-- > 0;) {
    const Paths::Point p = points[shown_[i]];
    if (p.id == y) continue;
    Symbols symbols;
    Number sum = 0.0;
    for (const Stage& stage : stages_.all()) {
      const bool reads =
          std::find(stage.inputs.begin(), stage.inputs.end(), p.id) != stage.inputs.end();
      if (!reads || !reached.contains(stage.out())) continue;
      StageAlone& by_itself = alone(stage);
      const auto active = static_cast<std::size_t>(
          std::find(by_itself.active().begin(), by_itself.active().end(), p.id) -
          by_itself.active().begin());
      if (active == by_itself.active().size()) continue;
      std::vector<Number> adjoint(static_cast<std::size_t>(stages_.shape(stage.out()).numel()),
                                  0.0);
      std::map<std::size_t, double> slopes;
      for (const std::uint32_t e : paths_->from(shown_[i]))
        if (const Paths::Edge& edge = paths_->edges()[e]; points[edge.to].id == stage.out())
          slopes[points[edge.to].element] = edge.slope;
      for (const auto& [e, slope] : slopes)
        adjoint[e] = stage.out() == y
                         ? Number(1.0)
                         : symbols.make({stage.out(), e, true}, stages_.adjoint(stage.out(), e));
      const auto passed = by_itself.symbolic_back(
          [&](Id id, std::size_t k) {
            return symbols.make({id, k, false}, stages_.value(id, k));
          },
          adjoint);
      if (passed.empty())
        for (const auto& [e, slope] : slopes) sum += adjoint[e] * Number(slope);
      else
        sum += passed[active][p.element];
    }
    const std::string of = stages_.name(p.id, p.element);
    Equation equation{.sides = {{.formula = p.id == x_ ? derivative(of) : delta(of)}}};
    append(equation, sum, stages_.adjoint(p.id, p.element), symbols);
    s.lines.emplace_back(std::move(equation));
  }
  if (paths_->products_apart() > paths_->products_merged())
    say(s, words_.saved, paths_->products_apart().str(), paths_->products_merged());
}

// ---- in matrices

/// The values of a matrix, shortened around what is marked. Empty if it is no matrix.
Side Explainer::block(const Tensor& t, std::optional<std::size_t> marked) const {
  const Shape shape = t.shape();
  Side side;
  if (shape.numel() == 0 || shape.rank() > 2) return side;
  const std::vector<double> values = t.values();
  if (shape.rank() == 0) {
    side.formula = number(values[0]);
    return side;
  }
  const std::int64_t columns = shape[-1], rows = shape.rank() == 2 ? shape[0] : 1;
  const auto chosen = [](std::int64_t n, std::optional<std::int64_t> keep) {
    std::vector<std::int64_t> places;  // -1: left out
    for (std::int64_t i = 0; i < n; ++i) {
      const bool shown = n <= widest_block || i < widest_block - 2 || i == n - 1 || i == keep;
      if (shown)
        places.push_back(i);
      else if (places.back() != -1)
        places.push_back(-1);
    }
    return places;
  };
  std::optional<std::int64_t> row, column;
  if (marked) {
    row = static_cast<std::int64_t>(*marked) / columns;
    column = static_cast<std::int64_t>(*marked) % columns;
  }
  const auto chosen_columns = chosen(columns, column);
  for (const std::int64_t i : chosen(rows, row)) {
    if (i == row) side.marked_row = side.rows.size();
    std::vector<std::string>& cells = side.rows.emplace_back();
    for (const std::int64_t j : chosen_columns) {
      if (j == column) side.marked_column = cells.size();
      cells.push_back(i < 0 || j < 0 ? "..."
                                     : number(values[static_cast<std::size_t>(i * columns + j)]));
    }
  }
  return side;
}

void Explainer::matrices() {
  Section& s = section("matrices", words_.matrices);
  say(s, words_.matrix_form);
  const Recording& recording = stages_.recording();
  // Names on the stages' own tape, so that formulas are made of them.
  auto& own = const_cast<Recording&>(recording);
  for (Id id : stages_.leaves()) own.name(id, name(id));
  for (const Stage& stage : stages_.all()) own.name(stage.out(), name(stage.out()));
  std::map<Id, std::string> named;  // adjoint records
  const auto tell = [&](Id id) {
    const Tensor adjoint = stages_.adjoint(id);
    const Id record = recording.id_of(adjoint, "explain", at_);
    const std::string mine = delta(stages_.name(id));
    Equation equation{.sides = {{.formula = asked(id) ? derivative(stages_.name(id)) : mine}},
                      .at = {},
                      .matrices = true};
    const auto known = named.find(record);
    equation.sides.push_back(
        {.formula = known != named.end()
                        ? known->second
                        : formula(adjoint, {.limit = 60, .digits = options_.digits})});
    if (known == named.end() && !recording.node(record).leaf()) {
      named.emplace(record, mine);
      own.name(record, mine);
    }
    const bool marked = d_.derivative && id == x_;
    Side values = block(adjoint, marked ? std::optional(element_) : std::nullopt);
    if (!values.rows.empty() || !values.formula.empty())
      equation.sides.push_back(std::move(values));
    s.lines.emplace_back(std::move(equation));
  };
  // Where each of what is asked for is read first.
  std::map<Id, std::vector<Id>> last_told;
  for (Id id : stages_.x()) {
    if (!stages_.on_way(id)) continue;
    for (const Stage& stage : stages_.all()) {
      const bool reads =
          std::find(stage.inputs.begin(), stage.inputs.end(), id) != stage.inputs.end();
      if (!reads || !stages_.on_way(stage.out())) continue;
      last_told[stage.out()].push_back(id);
      break;
    }
  }
  for (std::size_t i = stages_.all().size(); i-- > 0;) {
    const Id out = stages_.all()[i].out();
    if (!stages_.on_way(out)) continue;
    if (out != stages_.y() && !asked(out)) tell(out);
    for (Id id : last_told[out]) tell(id);
  }
  if (d_.derivative) say(s, words_.marked);
}

// ---- the update and the check

std::vector<Id> Explainer::parameters() const {
  std::vector<Id> result;
  for (Id id : stages_.leaves())
    if (stages_.recording().is(id, LeafKind::parameter)) result.push_back(id);
  return result;
}

double Explainer::moved(const std::vector<std::pair<Id, std::vector<double>>>& moves) {
  const Id y[] = {stages_.y()};
  std::vector<Id> free;
  for (const auto& [id, by] : moves) free.push_back(id);
  Trial<double> trial(stages_.recording(), y, free, at_);
  for (const auto& [id, by] : moves) {
    const auto values = trial.free(id);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += by[i];
  }
  trial.run();
  return trial.values(stages_.y())[0];
}

void Explainer::update() {
  Section& s = section("update", words_.update);
  const double rate = *options_.learning_rate, g = stages_.adjoint(x_, element_);
  say(s, words_.rate, number(rate));
  const std::string of = stages_.name(x_, element_);
  Symbols symbols;
  const double before = stages_.value(x_, element_);
  const Number w = symbols.make({x_, element_, false}, before);
  // The derivative as a symbol of its own.
  Equation equation{.sides = {{.formula = d_.quantity({Kind::value, of + "+"})}}};
  const double after = before - rate * g;
  const std::string by = derivative(of);
  const std::string g_text = number(g), rate_text = number(rate);
  equation.sides.push_back(
      {.formula = fmt::format("{} - {} * {}", name(x_, element_), rate_text, by)});
  equation.sides.push_back({.formula = fmt::format("{} - {} * {}", number(before), rate_text,
                                                   g < 0 ? "(" + g_text + ")" : g_text)});
  const bool rounded = !exact(printed(before) - printed(rate) * printed(g), after);
  equation.sides.push_back({.formula = number(after), .rounded = rounded});
  s.lines.emplace_back(std::move(equation));
  std::vector<double> step(static_cast<std::size_t>(stages_.shape(x_).numel()), 0.0);
  step[element_] = -rate * g;
  const double y = stages_.value(stages_.y(), 0);
  Table table{.head = {std::string(words_.what_moves), filled(words_.predicted, name(stages_.y())),
                       std::string(words_.actual), std::string(words_.difference)}};
  const auto row = [&](std::string what, double predicted, double actual) {
    table.rows.push_back(
        {std::move(what), number(predicted), number(actual), number(actual - predicted)});
  };
  row(filled(words_.this_alone, name(x_, element_)), -rate * g * g, moved({{x_, step}}) - y);
  const std::vector<Id> all = parameters();
  if (!all.empty()) {
    std::vector<Tensor> tensors, gradients_of_all(all.size());
    for (Id id : all) tensors.push_back(stages_.tensor(id));
    gradients(Differentiated(stages_.tensor(stages_.y()), at_), tensors, gradients_of_all);
    std::vector<std::pair<Id, std::vector<double>>> moves;
    double predicted = 0;
    std::size_t count = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::vector<double> by_gradient = gradients_of_all[i].values();
      for (double& v : by_gradient) {
        predicted -= rate * v * v;
        v *= -rate;
        ++count;
      }
      moves.emplace_back(all[i], std::move(by_gradient));
    }
    if (count > 1) {
      const double end = moved(moves);
      row(filled(words_.all_parameters, count), predicted, end - y);
      s.lines.emplace_back(std::move(table));
      say(s, words_.before_after, name(stages_.y()), number(y), number(end));
      return;
    }
  }
  s.lines.emplace_back(std::move(table));
}

/// The slope of y along a direction of a leaf, by differences. Not a number if it cannot be told.
double Explainer::measured(Id id, const std::vector<double>& direction, double claimed) {
  const Id y[] = {stages_.y()};
  Trial<double> trial(stages_.recording(), y, std::span<const Id>(&id, 1), at_);
  const auto values = trial.free(id);
  const std::vector<double> start(values.begin(), values.end());
  const Line line = [&](double h) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = start[i] + h * direction[i];
    trial.run();
    return trial.values(stages_.y())[0];
  };
  const Slopes slopes =
      measure_slopes(line, {.claimed = claimed, .max_evaluations = difference_evaluations});
  return slopes.central.value;
}

double Explainer::by_forward_mode(Id id, const std::vector<double>& direction) {
  const DualSystem& dual = dual_numbers();
  const Id y[] = {stages_.y()};
  try {
    Trial<Number> trial(stages_.recording(), y, std::span<const Id>(&id, 1), at_);
    const auto values = trial.free(id);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (direction[i] != 0) values[i] = dual.dual(values[i], direction[i]);
    trial.run();
    return static_cast<double>(dual.derivative(trial.values(stages_.y())[0]));
  } catch (const Error&) {
    return std::nan("");
  }
}

void Explainer::check() {
  Section& s = section("check", words_.check);
  const double tape = stages_.adjoint(x_, element_);
  Table table{
      .head = {std::string(words_.by), std::string(words_.value), std::string(words_.agrees)}};
  const auto row = [&](std::string by, double value) {
    table.rows.push_back(
        {std::move(by),
         std::isnan(value) ? std::string(words_.unknown) : fmt::format("{:.17g}", value),
         std::isnan(value) ? "" : fmt::format("{}", agreeing_digits(value, tape))});
  };
  std::vector<double> direction(static_cast<std::size_t>(stages_.shape(x_).numel()), 0.0);
  direction[element_] = 1;
  row(std::string(words_.by_tape), tape);
  if (paths_->complete()) row(std::string(words_.by_paths), paths_->sum());
  row(filled(words_.by_differences, name(stages_.y())), measured(x_, direction, tape));
  row(std::string(words_.by_forward_mode), by_forward_mode(x_, direction));
  s.lines.emplace_back(std::move(table));
}

// ---- whole tensors

Derivation Explainer::of_all() {
  if (stages_.x().size() == 1) {
    network(filled(words_.asked_of_all, derivative(stages_.name(stages_.x()[0])),
                   name(stages_.x()[0])));
  } else {
    std::int64_t count = 0;
    for (Id id : stages_.x()) count += stages_.shape(id).numel();
    network(filled(words_.asked_of_every, name(stages_.y()), count));
  }
  forward_in_matrices();
  matrices();
  if (options_.learning_rate) update_of_all();
  check_of_all();
  finish();
  return std::move(d_);
}

void Explainer::forward_in_matrices() {
  Section& s = section("forward", words_.forward);
  say(s, words_.forward_of_all);
  for (const Stage& stage : stages_.all()) {
    Equation equation{.sides = {{.formula = name(stage.out())},
                                {.formula = alone(stage).formula(names(), options_.digits)}},
                      .at = stages_.node(stage.out()).site,
                      .matrices = true};
    Side values = block(stages_.tensor(stage.out()));
    if (!values.rows.empty() || !values.formula.empty())
      equation.sides.push_back(std::move(values));
    s.lines.emplace_back(std::move(equation));
  }
}

void Explainer::update_of_all() {
  Section& s = section("update", words_.update);
  const double rate = *options_.learning_rate;
  say(s, words_.rate, number(rate));
  std::vector<std::pair<Id, std::vector<double>>> moves;
  double predicted = 0;
  std::size_t count = 0;
  for (Id id : stages_.x()) {
    if (!stages_.on_way(id)) continue;
    const std::string of = stages_.name(id);
    Equation equation{
        .sides = {{.formula = d_.quantity({Kind::value, of + "+"})},
                  {.formula = fmt::format("{} - {} * {}", name(id), number(rate), derivative(of))}},
        .at = {},
        .matrices = true};
    std::vector<double> step = stages_.adjoint(id).values(), after(step.size());
    for (std::size_t i = 0; i < step.size(); ++i) {
      predicted -= rate * step[i] * step[i];
      step[i] *= -rate;
      after[i] = stages_.value(id, i) + step[i];
      ++count;
    }
    Tape tape;
    Side values = block(tape.constant(Array(stages_.shape(id), after)));
    if (!values.rows.empty() || !values.formula.empty())
      equation.sides.push_back(std::move(values));
    s.lines.emplace_back(std::move(equation));
    moves.emplace_back(id, std::move(step));
  }
  const double y = stages_.value(stages_.y(), 0), end = moved(moves);
  Table table{.head = {std::string(words_.what_moves), filled(words_.predicted, name(stages_.y())),
                       std::string(words_.actual), std::string(words_.difference)}};
  table.rows.push_back({filled(words_.all_parameters, count), number(predicted), number(end - y),
                        number(end - y - predicted)});
  s.lines.emplace_back(std::move(table));
  say(s, words_.before_after, name(stages_.y()), number(y), number(end));
}

void Explainer::check_of_all() {
  Section& s = section("check", words_.check);
  say(s, words_.along);
  Table table{.head = {std::string(words_.symbol), std::string(words_.by_tape),
                       filled(words_.by_differences, name(stages_.y())),
                       std::string(words_.by_forward_mode), std::string(words_.agrees)}};
  Random random{1};
  for (Id id : stages_.x()) {
    if (!stages_.on_way(id)) continue;
    const Array drawn = random.normal(0, 1, stages_.shape(id));
    const std::vector<double> direction = drawn.values();
    const std::vector<double> g = stages_.adjoint(id).values();
    double tape = 0;
    for (std::size_t i = 0; i < g.size(); ++i) tape += g[i] * direction[i];
    const double differences = measured(id, direction, tape),
                 forward = by_forward_mode(id, direction);
    const auto text = [&](double value) {
      return std::isnan(value) ? std::string(words_.unknown) : number(value);
    };
    int digits = 16;
    for (const double other : {differences, forward})
      if (!std::isnan(other)) digits = std::min(digits, agreeing_digits(tape, other));
    table.rows.push_back({fmt::format("`{}`", name(id)), text(tape), text(differences),
                          text(forward), fmt::format("{}", digits)});
  }
  s.lines.emplace_back(std::move(table));
}

}  // namespace

Derivation explain(const Tensor& y, const Tensor& x, const Index& index,
                   const ExplainOptions& options, Site at) {
  return Explainer(y, std::span<const Tensor>(&x, 1), options, at).of_element(index);
}

Derivation explain(const Tensor& y, const Tensor& x, const ExplainOptions& options, Site at) {
  return Explainer(y, std::span<const Tensor>(&x, 1), options, at).of_all();
}

Derivation explain(const Tensor& y, const ExplainOptions& options, Site at) {
  return Explainer(y, {}, options, at).of_all();
}

}  // namespace tapegrad
