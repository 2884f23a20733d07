// Internal: a report that has a text() is formatted as that.
#pragma once

#include <fmt/format.h>

#include <string>

namespace tapegrad {

template <class T>
struct TextFormatter : fmt::formatter<std::string> {
  template <class Context>
  auto format(const T& report, Context& context) const {
    return fmt::formatter<std::string>::format(report.text(), context);
  }
};

}  // namespace tapegrad
