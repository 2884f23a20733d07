#include "tapegrad/tape/registry.hpp"

#include <mutex>
#include <vector>

#include "tapegrad/base/error.hpp"

namespace tapegrad::registry {
namespace {

Cell first_block[block_size];  // cell 0 stays empty: a default-constructed tensor looks there

// Never destroyed: tensors in static storage may outlive everything else.
struct Numbers {
  std::mutex mutex;
  std::uint32_t next = 1;
  std::vector<std::uint32_t> free;
};
Numbers& numbers() {
  static Numbers* const all = new Numbers;
  return *all;
}

}  // namespace

constinit std::array<std::atomic<Cell*>, block_count> blocks{first_block};

std::uint32_t acquire(Recording* recording) {
  Numbers& all = numbers();
  const std::lock_guard lock(all.mutex);
  std::uint32_t number = 0;
  if (!all.free.empty()) {
    number = all.free.back();
    all.free.pop_back();
  } else {
    number = all.next;
    if (number == block_size * block_count) throw Error("tape", "4 million tapes are alive");
    if (number % block_size == 0)
      blocks[number / block_size].store(new Cell[block_size], std::memory_order_release);
    all.free.reserve(number);  // so that release() cannot fail
    all.next = number + 1;
  }
  cell(number).recording = recording;
  return number;
}

void release(std::uint32_t number, std::uint64_t serial) {
  cell(number) = {nullptr, serial};
  Numbers& all = numbers();
  const std::lock_guard lock(all.mutex);
  all.free.push_back(number);
}

}  // namespace tapegrad::registry
