// The section "matrices": each gradient as it was recorded.
#include <algorithm>
#include <map>
#include <set>

#include "tapegrad/explain/explainer.hpp"
#include "tapegrad/inspect/formula.hpp"

namespace tapegrad {
namespace {

constexpr std::size_t most_records = 30;  // of which one formula is made

}  // namespace

void Explainer::matrices() {
  Section& s = section("matrices", words_.matrices);
  say(s, words_.matrix_form);
  // Formulas speak of what the stages hold that read what is told.
  std::set<Id> spoken;
  for (const Stage& stage : stages_.all()) {
    const auto is_told = [&](Id id) {
      return stages_.on_way(id) &&
             (asked(id) ? spoken.size() < most_records : !unwritten_.contains(id));
    };
    if (!stages_.on_way(stage.out()) ||
        std::none_of(stage.inputs.begin(), stage.inputs.end(), is_told))
      continue;
    spoken.insert(stage.out());
    stages_.call(stage.out(), name(stage.out()));
    for (const Id input : stage.inputs) stages_.call(input, name(input));
  }
  std::map<Id, std::string> told;  // records of adjoints; several tensors may share one
  const auto tell = [&](Id id) {
    const Tensor adjoint = stages_.adjoint(id);
    const Id record = stages_.recording().id_of(adjoint, "explain", at_);
    const std::string mine = delta(stages_.name(id));
    Equation equation{.sides = {{.formula = asked(id) ? derivative(stages_.name(id)) : mine}},
                      .matrices = tensors()};
    const auto [known, first] = told.emplace(record, mine);
    equation.sides.push_back(
        {.formula = first ? formula(adjoint, {.limit = most_records, .digits = options_.digits})
                          : known->second});
    if (first && !stages_.node(record).leaf()) stages_.call(record, mine);
    const bool marked = d_.derivative && id == x_;
    append_values(equation, stages_.shape(id), adjoint.values(),
                  marked ? std::optional(element_) : std::nullopt);
    s.lines.emplace_back(std::move(equation));
  };
  // What is asked for is told as soon as it is complete: after the first stage that reads it.
  std::map<Id, std::vector<Id>> complete;
  for (const Id id : stages_.x()) {
    const auto reads = [&](const Stage& stage) {
      return stages_.on_way(stage.out()) &&
             std::find(stage.inputs.begin(), stage.inputs.end(), id) != stage.inputs.end();
    };
    const auto first = std::find_if(stages_.all().begin(), stages_.all().end(), reads);
    if (stages_.on_way(id) && first != stages_.all().end()) complete[first->out()].push_back(id);
  }
  bool in_gap = false;
  for (std::size_t i = stages_.all().size(); i-- > 0;) {
    const Id out = stages_.all()[i].out();
    if (!stages_.on_way(out)) continue;
    const Id adjoint = stages_.recording().id_of(stages_.adjoint(out), "explain", at_);
    if (!written(out, s, in_gap)) {
      if (spoken.contains(out) && !stages_.node(adjoint).leaf())
        stages_.call(adjoint, delta(stages_.name(out)));
    }
    if (!in_gap && out != stages_.y() && !asked(out)) tell(out);
    for (const Id id : complete[out])
      if (!unwritten_.contains(out)) tell(id);
  }
  if (d_.derivative && stages_.shape(x_).rank() > 0 && stages_.shape(x_).rank() < 3)
    say(s, words_.marked);
}

}  // namespace tapegrad
