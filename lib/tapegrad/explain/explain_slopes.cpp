// The sections "local", "paths" and "merged": the chain rule, factor by factor.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "tapegrad/explain/explainer.hpp"

namespace tapegrad {
namespace {

constexpr std::size_t longest_chain = 8;  // factors of a path that are written out
constexpr double much = 10;               // cancellation that is worth a sentence

/// With one decimal, or, where that would be 0, one digit.
std::string percent(double share) {
  const bool small = share != 0 && std::abs(share) < 0.0005;
  return small ? fmt::format("{:.0e}", 100 * share)
               : fmt::format("{:.1f}", 100 * share + 0.0);  // no minus before 0
}

}  // namespace

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
  bool in_gap = false;
  for (const Stage& stage : stages_.all()) {
    const auto found = edges.find(stage.out());
    if (found == edges.end() || !written(stage.out(), s, in_gap)) continue;
    StageAlone& by_itself = alone(stage);
    std::set<Id> told;  // the rule, by which input
    if (found->second.size() > options_.top) found->second.resize(options_.top);
    for (const std::uint32_t e : found->second) {
      const Paths::Edge& edge = paths_->edges()[e];
      const Paths::Point from = points[edge.from], to = points[edge.to];
      const std::size_t active = by_itself.place(from.id);
      Equation equation{.sides = {{.formula = derivative(stages_.name(to.id, to.element),
                                                         stages_.name(from.id, from.element))}}};
      if (told.insert(from.id).second) {
        const auto letters = [&](Id id) {
          if (id == stage.out()) return std::string("y");
          if (stage.inputs.size() == 1) return std::string("x");
          const auto place = std::find(stage.inputs.begin(), stage.inputs.end(), id);
          return fmt::format("x{}", place - stage.inputs.begin() + 1);
        };
        equation.note = filled(words_.rule, stages_.made_by(stage, from.id),
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
      if (edge.cut) {
        if (!equation.note.empty()) equation.note += "; ";
        equation.note += words_.cut;
      }
      append(equation, passed.empty() ? Number(edge.slope) : passed[active][from.element],
             edge.slope, symbols);
      s.lines.emplace_back(std::move(equation));
    }
  }
}

void Explainer::paths() {
  Section& s = section("paths", words_.paths);
  const std::string x = name(x_, element_), y = name(stages_.y());
  const double whole = stages_.adjoint(x_, element_);
  if (paths_->count() == 0) {
    say(s, words_.no_path, x, y);
    return;
  }
  if (paths_->count() == 1)
    say(s, words_.one_path, x, y);
  else
    say(s, words_.many_paths, paths_->count().str(), x, y);
  // What would stand for one path alone is no shorter than the path.
  const bool but_one = paths_->count() == options_.top + 1;
  const std::vector<Paths::Path> largest = paths_->largest(options_.top + (but_one ? 1 : 0));
  const Paths::Count rest = paths_->count() - largest.size();
  if (rest > 0) say(s, words_.largest_paths);
  std::vector<double> products;
  for (const Paths::Path& p : largest) {
    path(s, p);
    products.push_back(p.product);
  }
  if (paths_->count() == 1) return;
  if (rest > 0) {
    products.push_back(paths_->sum() - std::accumulate(products.begin(), products.end(), 0.0));
    say(s, words_.other_paths, rest.str(), number(products.back()));
  }
  std::string sum;
  double by_printed = 0;
  for (const double product : products) {
    const bool minus = product < 0 && !sum.empty();
    sum += (sum.empty() ? "" : minus ? " - " : " + ") + number(minus ? -product : product);
    by_printed += printed(product);
  }
  say(s, words_.sum_of_paths);
  s.lines.emplace_back(Equation{.sides = {{.formula = derivative(stages_.name(x_, element_))},
                                          {.formula = std::move(sum)},
                                          result(by_printed, paths_->sum())}});
  if (whole != 0 && paths_->magnitude() > much * std::abs(whole))
    say(s, words_.cancel, fmt::format("{:.3g}", paths_->magnitude() / std::abs(whole)));
}

/// The chain of names, and the product of the slopes: of a long one the beginning and the end.
void Explainer::path(Section& section, const Paths::Path& path) {
  const std::size_t n = path.edges.size();
  const std::size_t begin = n > longest_chain + 1 ? longest_chain / 2 : n;
  const std::size_t end = n > longest_chain + 1 ? n - longest_chain / 2 : n;
  std::string chain = fmt::format("`{}`", name(x_, element_)), product;
  double by_printed = 1;
  const auto multiply = [&](double slope) {
    product += (product.empty() ? "" : " * ") + (n == 1 ? number(slope) : factor(slope));
    by_printed *= printed(slope);
  };
  for (std::size_t i = 0; i < n; ++i) {
    if (i == begin) {
      double middle = 1;
      for (; i < end; ++i) middle *= paths_->edges()[path.edges[i]].factor();
      chain += " → " + filled(words_.factors, end - begin);
      multiply(middle);
    }
    const Paths::Edge& edge = paths_->edges()[path.edges[i]];
    const Paths::Point& to = paths_->points()[edge.to];
    chain += fmt::format(" → `{}`", name(to.id, to.element));
    multiply(edge.factor());
  }
  section.lines.emplace_back(Sentence{std::move(chain)});
  Equation equation{.sides = {{.formula = std::move(product)}}};
  if (paths_->count() == 1)  // the path is the whole sum
    equation.sides.insert(equation.sides.begin(),
                          {.formula = derivative(stages_.name(x_, element_))});
  if (n > 1) equation.sides.push_back(result(by_printed, path.product));
  const double whole = stages_.adjoint(x_, element_);
  if (paths_->count() > 1 && whole != 0)
    equation.note = filled(words_.share, percent(path.product / whole));
  section.lines.emplace_back(std::move(equation));
}

void Explainer::merged() {
  if (paths_->count() == 0) return;
  Section& s = section("merged", words_.merged);
  const auto& points = paths_->points();
  const auto called = [&](std::uint32_t point) {
    return stages_.name(points[point].id, points[point].element);
  };
  if (shown_.size() > 2) {
    const std::string some = called(shown_[shown_.size() - 2]);
    say(s, words_.deltas, delta(some), derivative(some), name(stages_.y()));
  }
  if (!sample_note_.empty()) say(s, words_.deltas_alike);
  // Tensors from y backwards, the elements of each in their order.
  std::vector<std::size_t> order(shown_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const Id x = points[shown_[a]].id, y = points[shown_[b]].id;
    return x != y && a > b;
  });
  bool in_gap = false;
  for (const std::size_t i : order) {
    const Paths::Point p = points[shown_[i]];
    if (p.id == stages_.y() || !written(p.id, s, in_gap)) continue;
    Symbols symbols;
    const Number sum = sum_over_readers(shown_[i], symbols);
    const std::string of = called(shown_[i]);
    Equation equation{.sides = {{.formula = i == 0 ? derivative(of) : delta(of)}}};
    append(equation, sum, stages_.adjoint(p.id, p.element), symbols);
    s.lines.emplace_back(std::move(equation));
  }
  if (paths_->products_apart() > paths_->products_merged())
    say(s, words_.saved, paths_->products_apart().str(), paths_->products_merged());
}

/// What all stages that read an element pass back to it, of their results' deltas.
Number Explainer::sum_over_readers(std::uint32_t point, Symbols& symbols) {
  const auto& points = paths_->points();
  const Paths::Point p = points[point];
  std::map<Id, std::map<std::size_t, double>> slopes;  // of the results, by stage
  for (const std::uint32_t e : paths_->from(point)) {
    const Paths::Edge& edge = paths_->edges()[e];
    slopes[points[edge.to].id][points[edge.to].element] = edge.factor();
  }
  Number sum = 0.0;
  for (const Stage& stage : stages_.all()) {
    const auto found = slopes.find(stage.out());
    if (found == slopes.end()) continue;
    std::vector<Number> adjoint(static_cast<std::size_t>(stages_.shape(stage.out()).numel()), 0.0);
    for (const auto& [e, slope] : found->second)
      adjoint[e] = stage.out() == stages_.y()
                       ? Number(1.0)
                       : symbols.make({stage.out(), e, true}, stages_.adjoint(stage.out(), e));
    const auto passed = alone(stage).symbolic_back(all_in(symbols), adjoint);
    if (!passed.empty()) {
      sum += passed[alone(stage).place(p.id)][p.element];
      continue;
    }
    for (const auto& [e, slope] : found->second) sum += adjoint[e] * Number(slope);
  }
  return sum;
}

}  // namespace tapegrad
