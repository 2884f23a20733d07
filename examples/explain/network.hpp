// A plan recorded on a tape, so that everything in it can be asked for by name.
#pragma once

#include <tapegrad/tapegrad.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan.hpp"

struct Network {
  struct Named {
    tapegrad::Tensor tensor;
    Name name;
  };
  tapegrad::Tape tape;
  std::vector<Named> tensors;
  tapegrad::Tensor loss;
};
/// Throws std::runtime_error, as find(), unless there are as many targets as samples.
Network record(const Plan& plan);

struct Asked {
  tapegrad::Tensor tensor;
  std::optional<tapegrad::Index> index;  // or all elements
};
/// `w5`, `hidden.weight` with or without an index, `hidden.weight[0,1]`. A complaint about a
/// name that is not there lists those that are.
Asked find(const Network& network, const std::string& name,
           const std::optional<std::vector<std::int64_t>>& index);
