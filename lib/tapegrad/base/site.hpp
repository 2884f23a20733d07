// The user's line: which file and line of the user's program asked for something.
// Captured by a default argument at the call site; never points into this library.
#pragma once

#include <cstdint>
#include <string>

namespace tapegrad {

struct Site {
  const char* file = nullptr;  // static storage, as the compiler gives it
  std::uint32_t line = 0;

  /// The line of the caller; meant to be used as a default argument.
  static constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, static_cast<std::uint32_t>(line)};
  }
  constexpr explicit operator bool() const { return file != nullptr; }
  friend constexpr bool operator==(const Site&, const Site&) = default;
};

/// `digits.cpp:31`, or an empty text when the line is unknown.
std::string text(const Site& site);

}  // namespace tapegrad
