// The section "forward": each step from the leaves to y.
#include <algorithm>

#include "tapegrad/explain/explainer.hpp"

namespace tapegrad {
namespace {

constexpr double same_size = 1e-14;
constexpr std::size_t all_symbols = 4096;  // elements of an input up to which all are symbols

}  // namespace

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
      const auto passed = by_itself.passed_to_all(seed);
      seed[e] = 0;
      // Those that are shown are chosen, and so what they are multiplied by: it counts as much.
      std::vector<double> shown_sizes;
      for (std::size_t i = 0; i < stage.inputs.size(); ++i) {
        const Id id = stage.inputs[i];
        for (const std::size_t k : elements_[id])
          shown_sizes.push_back(-std::abs(passed[i][k] * stages_.value(id, k)));
      }
      const auto counts_like_shown = [&](double size) {
        return std::any_of(shown_sizes.begin(), shown_sizes.end(), [&](double shown) {
          return shown != 0 && std::abs(size - shown) <= same_size * std::abs(shown);
        });
      };
      for (std::size_t i = 0; i < stage.inputs.size(); ++i) {
        const Id id = stage.inputs[i];
        const auto slopes = passed[i];
        std::vector<std::pair<double, std::size_t>> sizes;
        for (std::size_t k = 0; k < slopes.size(); ++k)
          if (slopes[k] != 0) sizes.push_back({-std::abs(slopes[k] * stages_.value(id, k)), k});
        std::sort(sizes.begin(), sizes.end());
        for (std::size_t n = 0; n < sizes.size(); ++n)
          if (n < many || counts_like_shown(sizes[n].first)) chosen[id].insert(sizes[n].second);
      }
    }
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
  bool in_gap = false;
  for (const Stage& stage : stages_.all()) {
    if (!stages_.on_way(stage.out()) || stage.out() == x_) continue;
    const auto shown = elements_.find(stage.out());
    if (shown == elements_.end() || !written(stage.out(), s, in_gap)) continue;
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

void Explainer::forward_in_matrices() {
  Section& s = section("forward", words_.forward);
  say(s, words_.forward_of_all);
  bool in_gap = false;
  for (const Stage& stage : stages_.all()) {
    if (!written(stage.out(), s, in_gap)) continue;
    Equation equation{.sides = {{.formula = name(stage.out())},
                                {.formula = alone(stage).formula(names(), options_.digits)}},
                      .at = stages_.node(stage.out()).site,
                      .matrices = tensors()};
    append_values(equation, stages_.shape(stage.out()), stages_.tensor(stage.out()).values());
    s.lines.emplace_back(std::move(equation));
  }
}

}  // namespace tapegrad
