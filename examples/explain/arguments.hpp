// The command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

struct Arguments {
  bool help = false;
  // Which network.
  std::optional<std::string> network, layers, activation, loss, weights, input, target;
  std::optional<std::uint32_t> seed;
  // What of it is explained, and how.
  std::optional<std::string> weight, index, section;
  std::optional<double> learning_rate;
  std::optional<std::int64_t> digits, top;
  // As an exercise.
  std::optional<std::int64_t> blanks;
  std::optional<std::uint32_t> blanks_seed;
  bool answers = false;
  std::string format = "text";
  bool document = false;
  // Where to.
  std::optional<std::string> output, write_weights;

  bool picture() const { return format == "dot" || format == "svg"; }
};

/// Throws std::exception for an unknown option, a value that is none, or options that exclude each
/// other.
Arguments parse(int argc, char** argv);

std::string help();
