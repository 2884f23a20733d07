#include "tapegrad/tape/fields.hpp"

#include <fmt/format.h>

#include <iterator>

namespace tapegrad::reflection {

void append(std::string& text, const Step* way) {
  if (way == nullptr) return;
  append(text, way->up);
  if (way->up != nullptr) text += '.';
  if (way->numbered) {
    fmt::format_to(std::back_inserter(text), "{}", way->number);
  } else {
    text += way->name;
  }
}

void differ(const Step* way, std::string_view how, Site at) {
  std::string name;
  append(name, way);
  throw Error("", fmt::format("two objects differ{}{}: {}", way ? " in " : "", name, how), at);
}

void agree(const Step* way, std::size_t size, std::size_t other_size, Site at) {
  if (size != other_size) differ(way, fmt::format("sizes {} and {}", size, other_size), at);
}

}  // namespace tapegrad::reflection
