// The tape as text: one line for each record, with its op, operands, shape, name and the user's
// line.
#pragma once

#include <fmt/core.h>

#include <iosfwd>
#include <span>
#include <string>

#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tape.hpp"

namespace tapegrad {

/// The records of these numbers, in this order. Records of a gradient sweep are marked with `~`,
/// and a value that was looked at while recording is noted where that happened.
std::string listing(const Recording& recording, std::span<const Id> ids);

/// All records, under a line that sums them up.
std::string text(const Tape& tape);
std::ostream& operator<<(std::ostream& out, const Tape& tape);

}  // namespace tapegrad

template <>
struct fmt::formatter<tapegrad::Tape> : fmt::formatter<fmt::string_view> {
  fmt::format_context::iterator format(const tapegrad::Tape& tape,
                                       fmt::format_context& context) const;
};
