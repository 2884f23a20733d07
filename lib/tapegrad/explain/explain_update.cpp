// The sections "update" and "check": what the derivative is good for, and whether it is right.
#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/check/slope.hpp"
#include "tapegrad/explain/explainer.hpp"
#include "tapegrad/explain/spell.hpp"
#include "tapegrad/kernel/number_systems.hpp"
#include "tapegrad/tape/trial.hpp"

namespace tapegrad {
namespace {

constexpr int difference_evaluations = 100;
constexpr int few_digits = 3;

/// To how many digits two numbers agree.
int agreeing_digits(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 16;
  const double size = std::max(std::abs(a), std::abs(b));
  if (!std::isfinite(size)) return 0;
  return std::clamp(static_cast<int>(std::floor(-std::log10(std::abs(a - b) / size))), 0, 16);
}

std::string all_digits(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:.17g}", value);
}

}  // namespace

Table Explainer::changes() {
  return {.head = {std::string(words_.what_moves), filled(words_.predicted, name(stages_.y())),
                   std::string(words_.actual), std::string(words_.difference)}};
}

void Explainer::add_change(Table& table, std::string what, double predicted, double actual) const {
  // What is left of two values of y is as noisy as they are.
  const double y = std::abs(stages_.value(stages_.y(), 0));
  const auto change = [&](double value) { return number_text(value, options_.digits, y); };
  table.rows.push_back(
      {std::move(what), number(predicted), change(actual), change(actual - predicted)});
}

/// How gradient descent moves some tensors, and what first order predicts of y.
Explainer::Descent Explainer::descent(std::span<const Id> ids) const {
  std::vector<Tensor> x, slopes(ids.size());
  for (const Id id : ids) x.push_back(stages_.tensor(id));
  gradients(Differentiated(stages_.tensor(stages_.y()), at_), x, slopes);
  Descent result;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::vector<double> step = slopes[i].values();
    for (double& v : step) {
      result.predicted -= *options_.learning_rate * v * v;
      v *= -*options_.learning_rate;
    }
    result.count += step.size();
    result.moves.emplace_back(ids[i], std::move(step));
  }
  return result;
}

double Explainer::moved(const Moves& moves) const {
  const Id y[] = {stages_.y()};
  std::vector<Id> free;
  for (const auto& [id, step] : moves) free.push_back(id);
  Trial<double> trial(stages_.recording(), y, free, at_);
  for (const auto& [id, step] : moves)
    std::transform(step.begin(), step.end(), trial.free(id).begin(), trial.free(id).begin(),
                   std::plus<>());
  trial.run();
  return trial.values(stages_.y())[0];
}

void Explainer::update() {
  Section& s = section("update", words_.update);
  const double rate = *options_.learning_rate, slope = stages_.adjoint(x_, element_);
  say(s, words_.rate, number(rate));
  const std::string of = stages_.name(x_, element_), w = name(x_, element_);
  const double before = stages_.value(x_, element_);
  s.lines.emplace_back(Equation{
      .sides = {
          {.formula = d_.quantity({Kind::value, of + "+"})},
          {.formula = fmt::format("{} - {} * {}", w, factor(rate), derivative(of))},
          {.formula = fmt::format("{} - {} * {}", number(before), factor(rate), factor(slope))},
          result(printed(before) - printed(rate) * printed(slope), before - rate * slope)}});
  const double y = stages_.value(stages_.y(), 0);
  std::vector<double> step(static_cast<std::size_t>(stages_.shape(x_).numel()), 0.0);
  step[element_] = -rate * slope;
  Table table = changes();
  add_change(table, filled(words_.this_alone, w), -rate * slope * slope, moved({{x_, step}}) - y);
  std::vector<Id> parameters;
  std::copy_if(stages_.leaves().begin(), stages_.leaves().end(), std::back_inserter(parameters),
               [&](Id id) { return stages_.recording().is(id, LeafKind::parameter); });
  const Descent all = parameters.empty() ? Descent{} : descent(parameters);
  if (all.count < 2) {
    s.lines.emplace_back(std::move(table));
    return;
  }
  const double end = moved(all.moves);
  add_change(table, filled(words_.all_parameters, all.count), all.predicted, end - y);
  s.lines.emplace_back(std::move(table));
  say(s, words_.before_after, name(stages_.y()), number(y), number(end));
}

void Explainer::update_of_all() {
  Section& s = section("update", words_.update);
  say(s, words_.rate, number(*options_.learning_rate));
  std::vector<Id> ids;
  std::copy_if(stages_.x().begin(), stages_.x().end(), std::back_inserter(ids),
               [&](Id id) { return stages_.on_way(id); });
  const Descent all = descent(ids);
  Rows rows{ids.size()};
  for (const auto& [id, step] : all.moves) {
    if (!rows.next([&](std::size_t others) { say(s, words_.more_rows, others); })) continue;
    const std::string of = stages_.name(id);
    Equation equation{
        .sides = {{.formula = d_.quantity({Kind::value, of + "+"})},
                  {.formula = fmt::format("{} - {} * {}", name(id), factor(*options_.learning_rate),
                                          derivative(of))}},
        .matrices = tensors()};
    std::vector<double> after = stages_.tensor(id).values();
    std::transform(after.begin(), after.end(), step.begin(), after.begin(), std::plus<>());
    append_values(equation, stages_.shape(id), after);
    s.lines.emplace_back(std::move(equation));
  }
  const double y = stages_.value(stages_.y(), 0), end = moved(all.moves);
  Table table = changes();
  add_change(table, filled(words_.all_parameters, all.count), all.predicted, end - y);
  s.lines.emplace_back(std::move(table));
  say(s, words_.before_after, name(stages_.y()), number(y), number(end));
}

Explainer::Measured Explainer::by_differences(Id id, const std::vector<double>& direction,
                                              double claimed) const {
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
  if (slopes.kink)
    return {.reason = filled(words_.kink, number_text(slopes.below.value, few_digits),
                             number_text(slopes.above.value, few_digits))};
  const auto [value, bar] = slopes.central;
  if (!slopes.central.known() || slopes.vertical) return {.reason = std::string(words_.unknown)};
  if (value != claimed && std::abs(value - claimed) <= believed_bars * bar &&
      agreeing_digits(value, claimed) == 0)
    return {.reason = std::string(words_.lost)};
  return {.value = value};
}

Explainer::Measured Explainer::by_forward_mode(Id id, const std::vector<double>& direction) const {
  const DualSystem& dual = dual_numbers();
  const Id y[] = {stages_.y()};
  try {
    Trial<Number> trial(stages_.recording(), y, std::span<const Id>(&id, 1), at_);
    const auto values = trial.free(id);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (direction[i] != 0) values[i] = dual.dual(values[i], direction[i]);
    trial.run();
    const auto slope = static_cast<double>(dual.derivative(trial.values(stages_.y())[0]));
    if (!std::isnan(slope)) return {.value = slope};
  } catch (const Error&) {  // code of others has no kernel for these numbers
  }
  return {.reason = std::string(words_.unknown)};
}

void Explainer::check() {
  Section& s = section("check", words_.check);
  const double tape = stages_.adjoint(x_, element_);
  Table table{
      .head = {std::string(words_.by), std::string(words_.value), std::string(words_.agrees)}};
  const auto row = [&](std::string by, const Measured& measured) {
    if (!measured.value)
      table.rows.push_back({std::move(by), measured.reason, ""});
    else
      table.rows.push_back({std::move(by), all_digits(*measured.value),
                            fmt::format("{}", agreeing_digits(*measured.value, tape))});
  };
  std::vector<double> direction(static_cast<std::size_t>(stages_.shape(x_).numel()), 0.0);
  direction[element_] = 1;
  row(std::string(words_.by_tape), {.value = tape});
  if (paths_->complete()) row(std::string(words_.by_paths), {.value = paths_->sum()});
  row(filled(words_.by_differences, name(stages_.y())), by_differences(x_, direction, tape));
  row(std::string(words_.by_forward_mode), by_forward_mode(x_, direction));
  s.lines.emplace_back(std::move(table));
}

void Explainer::check_of_all() {
  Section& s = section("check", words_.check);
  say(s, words_.along);
  Table table{.head = {std::string(words_.symbol), std::string(words_.by_tape),
                       filled(words_.by_differences, name(stages_.y())),
                       std::string(words_.by_forward_mode), std::string(words_.agrees)}};
  Random random{1};
  const auto on_way = [&](Id id) { return stages_.on_way(id); };
  Rows rows{
      static_cast<std::size_t>(std::count_if(stages_.x().begin(), stages_.x().end(), on_way))};
  for (const Id id : stages_.x()) {
    if (!on_way(id)) continue;
    const bool shown = rows.next([&](std::size_t others) {
      table.rows.push_back({filled(words_.more_rows, others), "", "", "", ""});
    });
    if (!shown) continue;
    const std::vector<double> direction = random.normal(0, 1, stages_.shape(id)).values();
    const std::vector<double> slopes = stages_.adjoint(id).values();
    const double tape = std::inner_product(slopes.begin(), slopes.end(), direction.begin(), 0.0);
    std::vector<std::string> row{fmt::format("`{}`", name(id)), number(tape)};
    int digits = 16;
    for (const Measured& other :
         {by_differences(id, direction, tape), by_forward_mode(id, direction)}) {
      row.push_back(other.value ? number(*other.value) : other.reason);
      if (other.value) digits = std::min(digits, agreeing_digits(tape, *other.value));
    }
    row.push_back(fmt::format("{}", digits));
    table.rows.push_back(std::move(row));
  }
  s.lines.emplace_back(std::move(table));
}

}  // namespace tapegrad
