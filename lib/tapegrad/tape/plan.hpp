// Running records: a kernel bound to addresses, and the list of those that some outputs need.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tapegrad/kernel/call.hpp"
#include "tapegrad/tape/node.hpp"
#include "tapegrad/tape/op.hpp"

namespace tapegrad {

/// The loops around an elementwise kernel when broadcasting leaves more than one range. Axes that
/// can be walked as one are merged; the innermost is the kernel's own range.
struct Nest {
  static constexpr std::size_t max_operands = 4;
  int rank = 0;  // loops around the kernel; 0: one range is all
  std::array<std::int64_t, Shape::max_rank> size;
  std::array<std::array<std::int64_t, max_operands>, Shape::max_rank> stride;  // in elements
};

/// One record, ready to run.
struct Step {
  KernelFunction kernel = nullptr;  // nullptr: nothing to compute (an alias)
  Call call{};
  const Nest* nest = nullptr;
  Id id = 0;
};

/// Binds a record to memory: `inputs` hold the operands' addresses and shapes, `step` its kernel.
/// True if it needs the nest, which is then to be kept with the step.
bool bind(const Node& node, std::span<const std::int64_t> attributes, void* out,
          std::span<Input> inputs, Nest& nest, Step& step);

/// Calls the kernel for each range of the nest.
void run(const Step& step, std::size_t element_size);

/// What some outputs need, in the order of recording, with everything bound.
class Plan {
 public:
  std::size_t size() const { return steps_.size(); }
  /// The records it computes, in order.
  std::vector<Id> records() const;

 private:
  friend class Recording;
  std::vector<Id> outputs_;
  std::vector<std::uint64_t> born_;  // of the outputs: they are alive as long as these agree
  std::vector<Step> steps_;
  std::vector<std::uint64_t*> stamps_;  // where each step notes its run
  std::vector<std::unique_ptr<Input[]>> inputs_;
  std::vector<std::unique_ptr<Nest>> nests_;
  std::vector<Id> leaves_;   // the inputs and states it reads
  std::vector<Id> updates_;  // those among the outputs
  std::vector<std::byte> scratch_;
};

}  // namespace tapegrad
