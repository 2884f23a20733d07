#include "tapegrad/tape/needed.hpp"

#include <algorithm>
#include <cstdint>

namespace tapegrad {

std::vector<Id> needed(const Recording& recording, std::span<const Id> outputs,
                       std::span<const Id> ends) {
  const Id end = outputs.empty() ? 0 : *std::max_element(outputs.begin(), outputs.end()) + 1;
  std::vector<std::uint8_t> marked(end, 0);
  for (Id id : outputs) marked[id] = 1;
  std::vector<Id> result;
  for (Id id = end; id-- > 0;) {
    if (marked[id] == 0) continue;
    result.push_back(id);
    if (std::find(ends.begin(), ends.end(), id) != ends.end()) continue;
    for (Id operand : recording.operands(id)) marked[operand] = 1;
  }
  std::reverse(result.begin(), result.end());
  return result;
}

}  // namespace tapegrad
