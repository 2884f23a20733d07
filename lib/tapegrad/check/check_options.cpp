#include "tapegrad/check/check_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tapegrad/base/error.hpp"

namespace tapegrad {

bool CheckOptions::wants(std::string_view name) const {
  return wrt.empty() || std::any_of(wrt.begin(), wrt.end(), [&](const std::string& begin) {
           return name.starts_with(begin);
         });
}

void require_sensible(const CheckOptions& options, std::string_view doing, Site at) {
  if (options.order < 1)
    throw Error(std::string(doing),
                fmt::format("there is no derivative of order {} to check", options.order), at);
  if (options.max_evaluations < 1)
    throw Error(
        std::string(doing),
        fmt::format("with max_evaluations = {} nothing can be measured", options.max_evaluations),
        at);
}

void require_known(const CheckOptions& options, std::span<const std::string> names,
                   std::string_view doing, Site at) {
  for (const std::string& begin : options.wrt)
    if (std::none_of(names.begin(), names.end(),
                     [&](const std::string& name) { return name.starts_with(begin); }))
      throw Error(std::string(doing),
                  fmt::format("no name begins with \"{}\", which wrt asks for", begin), at,
                  fmt::format("the names are {}", fmt::join(names, ", ")));
}

}  // namespace tapegrad
