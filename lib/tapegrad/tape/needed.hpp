// Internal: which records others need: the step that most readings of a tape begin with.
#pragma once

#include <span>
#include <vector>

#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

/// What the outputs need, themselves included, in order. What only a record in `ends` needs is left
/// out.
std::vector<Id> needed(const Recording& recording, std::span<const Id> outputs,
                       std::span<const Id> ends = {});

}  // namespace tapegrad
