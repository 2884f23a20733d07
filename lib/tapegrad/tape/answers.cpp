// What sweeps have answered, so that the same question needs no second one.
#include <algorithm>

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

std::span<const Id> Recording::remembered(std::string_view question, Id y,
                                          std::span<const Id> seeds,
                                          std::span<const Id> wanted) const {
  for (auto r = remembered_.rbegin(); r != remembered_.rend(); ++r) {
    if (r->end <= y) break;  // made before y was
    if (r->y != y || r->seeds != seeds.size() || r->wanted != wanted.size()) continue;
    const Id* ids = remembered_ids_.data() + r->first;
    if (std::equal(seeds.begin(), seeds.end(), ids) &&
        std::equal(wanted.begin(), wanted.end(), ids + r->seeds) && r->question == question)
      return {ids + r->seeds + r->wanted, r->answers};
  }
  return {};
}

void Recording::remember(std::string_view question, Id y, std::span<const Id> seeds,
                         std::span<const Id> wanted, std::span<const Id> answers) {
  const auto count = [](std::span<const Id> ids) { return static_cast<std::uint32_t>(ids.size()); };
  remembered_.push_back(
      {question, y, count(remembered_ids_), count(seeds), count(wanted), count(answers), size_});
  for (std::span<const Id> ids : {seeds, wanted, answers})
    remembered_ids_.insert(remembered_ids_.end(), ids.begin(), ids.end());
}

std::optional<Recording::GradientOf> Recording::gradient_of(Id answer) const {
  for (const Remembered& r : remembered_) {
    if (r.question != "gradient" || r.seeds > 1) continue;
    const Id* wanted = remembered_ids_.data() + r.first + r.seeds;
    const Id* answers = wanted + r.wanted;
    const Id* found = std::find(answers, answers + r.answers, answer);
    if (found == answers + r.answers) continue;
    return GradientOf{r.y, r.seeds == 0 ? Node::none : *(wanted - 1), wanted[found - answers]};
  }
  return {};
}

}  // namespace tapegrad
