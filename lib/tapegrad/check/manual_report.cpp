// A comparison with numbers found by hand, for people.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "tapegrad/check/compare_manual.hpp"
#include "tapegrad/check/written.hpp"

namespace tapegrad {

std::string_view text(Grade grade) {
  constexpr std::string_view names[] = {"right", "carried over", "wrong"};
  return names[static_cast<std::size_t>(grade)];
}
std::ostream& operator<<(std::ostream& out, Grade grade) { return out << text(grade); }

std::size_t ManualReport::count(Grade grade) const {
  return static_cast<std::size_t>(std::count_if(
      steps.begin(), steps.end(), [&](const ManualStep& step) { return step.grade == grade; }));
}

const ManualStep& ManualReport::step(std::string_view name) const {
  const auto found = std::find_if(steps.begin(), steps.end(),
                                  [&](const ManualStep& step) { return step.name == name; });
  if (found == steps.end())
    throw Error("compare_manual", fmt::format("no numbers of '{}' were compared", name));
  return *found;
}

std::string ManualReport::text() const {
  std::string result =
      fmt::format("{} by hand: {} of {} right", subject, count(Grade::right), steps.size());
  for (const Grade grade : {Grade::carried, Grade::wrong})
    if (const std::size_t n = count(grade); n > 0)
      result += fmt::format(", {} {}", n, tapegrad::text(grade));
  std::size_t name = 0, what = 0;
  const auto described = [](const ManualStep& step) {
    return fmt::format("{} {}", step.kind == ManualKind::updated ? "updated" : "gradient",
                       tapegrad::text(step.right.shape()));
  };
  for (const ManualStep& step : steps) {
    name = std::max(name, step.name.size());
    what = std::max(what, described(step).size());
  }
  result += '\n';
  for (const ManualStep& step : steps) {
    std::string verdict(tapegrad::text(step.grade));
    if (step.grade == Grade::right && step.digits < exact_digits)
      verdict += fmt::format(" to {} digits", step.digits);
    result +=
        fmt::format("  {:<{}}  {:<{}}  {}\n", step.name, name, described(step), what, verdict);
    if (!step.mistake.sentence.empty()) result += fmt::format("      {}\n", step.mistake.sentence);
    for (const std::string& line : step.more) result += fmt::format("      {}\n", line);
  }
  return result;
}

std::ostream& operator<<(std::ostream& out, const ManualReport& report) {
  return out << report.text();
}

}  // namespace tapegrad
