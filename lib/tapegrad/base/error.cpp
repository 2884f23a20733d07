#include "tapegrad/base/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace tapegrad {

std::string text(const Site& site) {
  if (!site) return {};
  const std::string_view path = site.file;
  return fmt::format("{}:{}", path.substr(path.find_last_of('/') + 1), site.line);
}

Error::Error(std::string op, std::string text, Site at, std::string hint)
    : Error(std::move(op), std::move(text), {}, at, std::move(hint)) {}

Error::Error(std::string op, std::string text, std::vector<Operand> operands, Site at,
             std::string hint)
    : op_(std::move(op)),
      text_(std::move(text)),
      hint_(std::move(hint)),
      operands_(std::move(operands)),
      at_(at) {
  compose();
}

void Error::compose() {
  auto out = std::back_inserter(what_);
  if (!op_.empty()) fmt::format_to(out, "{}: ", op_);
  what_ += text_;
  std::size_t role = 4, label = 0, shape = 0;  // column widths; 4 is the width of "hint"
  for (const Operand& o : operands_) {
    role = std::max(role, o.role.size());
    label = std::max(label, o.label.size());
    shape = std::max(shape, tapegrad::text(o.shape).size());
  }
  const auto line = [&](std::string_view name, const std::string& content) {
    fmt::format_to(out, "\n  {:<{}}  {}", name, role, content);
  };
  for (const Operand& o : operands_) {
    std::string content = fmt::format("{:<{}}  {:<{}}  {}", o.label, label, tapegrad::text(o.shape),
                                      shape, tapegrad::text(o.site));
    content.erase(content.find_last_not_of(' ') + 1);
    line(o.role, content);
  }
  if (at_) line("at", tapegrad::text(at_));
  if (!hint_.empty()) line("hint", hint_);
}

}  // namespace tapegrad
