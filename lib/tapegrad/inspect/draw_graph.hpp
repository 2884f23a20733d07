// Internal: a picture before it is written: boxes, lines between them, frames around them. How a
// language writes them stands in draw_dot.cpp and draw_mermaid.cpp; here, no language.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tapegrad/base/site.hpp"

namespace tapegrad {

struct Graph {
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  enum class Look : std::uint8_t { op, backward, parameter, input, state, constant, more };

  struct Box {
    Look look;
    std::size_t number;                                                  // the record's
    std::string text, name = {}, shape = {}, value = {}, gradient = {};  // lines end in \n
    Site site = {};
    bool output = false;
  };
  enum class Way : std::uint8_t {
    leaf,         // from a leaf
    forward,      // between records
    to_backward,  // from them, or from a leaf, to a record of a gradient
    backward,     // between such records
    made          // from a record to those its derivative rule made
  };
  struct Line {
    std::size_t from, to;  // boxes
    Way way;
    std::string derivative = {};
  };
  struct Frame {
    std::string title = {};
    std::size_t parent = none;
    Site site = {};
    std::vector<std::size_t> boxes = {}, frames = {};  // within it, in order
  };

  std::vector<Box> boxes;
  std::vector<Line> lines;
  std::vector<Frame> frames;  // the first one is the whole picture

  std::string dot() const;
  std::string mermaid() const;
};

}  // namespace tapegrad
