// Planned repetition: what some outputs need, bound once and run many times. Recording happens
// eagerly at the user's lines; a program is for the rounds after that.
#pragma once

#include <array>
#include <concepts>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

class Program {
 public:
  Program() = default;  // runs nothing: assign a program to it
  Program(std::span<const Tensor> outputs, Site at);

  /// Computes the outputs from the leaves as they are now, and nothing they do not need. Updates
  /// among the outputs take effect together at the end. Throws Error if an input was never set, an
  /// output was forgotten by a rewind, or the tape is gone.
  void run(Site at = Site::here());
  /// The number of records a run computes.
  std::size_t size() const { return plan_.size(); }
  /// The records a run needs, leaves included, in order.
  std::string text(Site at = Site::here()) const;

 private:
  Recording::Ref tape_;
  Plan plan_;
};

/// A program for one or more outputs of one tape.
template <std::same_as<Tensor>... More>
Program program(const Arg& output, const More&... more) {
  const std::array<Tensor, sizeof...(More) + 1> outputs{output.tensor(), more...};
  return Program(outputs, output.site());
}

}  // namespace tapegrad
