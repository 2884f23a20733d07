// A program of several sections, of which an argument names the one to run.
#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <map>
#include <string>

inline int run_section(int count, char** words, const std::map<std::string, void (*)()>& sections) {
  const auto section = sections.find(count == 2 ? words[1] : "");
  if (section == sections.end()) {
    fmt::print(stderr, "say which section:");
    for (const auto& [name, run] : sections) fmt::print(stderr, " {}", name);
    fmt::print(stderr, "\n");
    return 2;
  }
  section->second();
  return 0;
}
