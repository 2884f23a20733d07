#include "tapegrad/tape/needed.hpp"

#include <algorithm>
#include <cstdint>

namespace tapegrad {

std::vector<Id> needed(const Recording& recording, std::span<const Id> outputs,
                       std::span<const Id> ends) {
  const Id end = outputs.empty() ? 0 : *std::max_element(outputs.begin(), outputs.end()) + 1;
  std::vector<std::uint8_t> marked(end, 0);
  std::vector<Id> result, ended;
  std::size_t open = 0;  // marked, and not yet met
  const auto mark = [&](Id id) {
    if (marked[id] != 0) return;
    marked[id] = 1;
    if (std::find(ends.begin(), ends.end(), id) != ends.end())
      ended.push_back(id);
    else
      ++open;
  };
  for (Id id : outputs) mark(id);
  // Of a few records at the end of a long tape, no more is looked at than they need.
  for (Id id = end; open > 0 && id-- > 0;) {
    if (marked[id] == 0 || std::find(ended.begin(), ended.end(), id) != ended.end()) continue;
    --open;
    result.push_back(id);
    for (Id operand : recording.operands(id)) mark(operand);
  }
  result.insert(result.end(), ended.begin(), ended.end());
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace tapegrad
