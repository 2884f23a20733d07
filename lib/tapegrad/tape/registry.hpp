// Internal: the only process-wide state. A handle names its tape by a number, so that it can tell
// that the tape has moved or died. Numbers are used again; serials go on, so an old handle is never
// mistaken.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace tapegrad {

class Recording;

struct Cell {
  Recording* recording = nullptr;
  std::uint64_t serial = 0;  // the last rewind serial that any former recording in it has used
};

namespace registry {

inline constexpr std::uint32_t block_size = 1024, block_count = 4096;
extern std::array<std::atomic<Cell*>, block_count> blocks;

/// The cell of a number that was given out. Number 0 is the cell of undefined tensors.
inline Cell& cell(std::uint32_t number) {
  return blocks[number / block_size].load(std::memory_order_acquire)[number % block_size];
}
std::uint32_t acquire(Recording* recording);
void release(std::uint32_t number, std::uint64_t serial);

}  // namespace registry
}  // namespace tapegrad
