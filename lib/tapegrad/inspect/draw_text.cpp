#include "tapegrad/inspect/draw_text.hpp"

#include <fmt/format.h>

#include "tapegrad/base/index.hpp"
#include "tapegrad/check/sample.hpp"
#include "tapegrad/inspect/flow.hpp"

namespace tapegrad {

std::string brief_text(double number, int digits) {
  return fmt::format("{:.{}g}", number + 0.0, digits);  // no minus before 0
}

std::string numbers_text(const Numbers& numbers, const Shape& shape, int digits) {
  constexpr std::size_t most_written = 6;
  if (numbers.empty() || numbers.size() > most_written) return range_of(numbers, digits);
  const auto columns = static_cast<std::size_t>(shape.rank() == 0 ? 1 : shape[-1]);
  std::string result;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) result += i % columns == 0 ? "\n" : "  ";
    result += brief_text(numbers[i], digits);
  }
  return result;
}

std::string count_text(std::size_t count) {
  std::string result = fmt::to_string(count);
  for (std::size_t from_end = 3; from_end < result.size(); from_end += 4)
    result.insert(result.size() - from_end, ",");
  return result;
}

std::string_view struct_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

std::string element_text(const Recording& recording, Id id, std::size_t element) {
  if (const auto own = recording.element_name(id, element); !own.empty()) return std::string(own);
  const std::string name(recording.name(id));
  const Shape& shape = recording.node(id).shape;
  return name.empty() || shape.rank() == 0 ? name : name + text(Index(index_of(element, shape)));
}

std::string xml(std::string_view content) {
  std::string result;
  for (char c : content) switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\n':
        result += "&#10;";
        break;
      default:
        result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;  // XML has no other controls
    }
  return result;
}

}  // namespace tapegrad
