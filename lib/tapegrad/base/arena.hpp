// Memory whose addresses never move: chunks that are filled in order and given back from the end.
// A Slot says where in any arena of the same layout; a Pool is the same for small runs of plain
// items.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tapegrad {

/// A place in an arena, in elements: valid in every arena of the same layout, whatever its element
/// size.
struct Slot {
  std::uint64_t bits = 0;  // [63] parameter arena, [40, 63) chunk, [0, 40) element

  static constexpr std::uint64_t parameter_bit = std::uint64_t{1} << 63;
  static constexpr Slot at(std::size_t chunk, std::size_t element) {
    return {(std::uint64_t{chunk} << 40) | std::uint64_t{element}};
  }
  constexpr bool parameter() const { return (bits & parameter_bit) != 0; }
  constexpr std::size_t chunk() const { return (bits & ~parameter_bit) >> 40; }
  constexpr std::size_t element() const { return bits & ((std::uint64_t{1} << 40) - 1); }
  constexpr Slot operator+(std::int64_t elements) const {
    return {bits + static_cast<std::uint64_t>(elements)};
  }
};

class Arena {
 public:
  struct Mark {
    std::size_t chunk = 0, used = 0;
  };

  explicit Arena(std::size_t element_size) : element_size_(element_size) {}

  /// Room for `count` elements. Values under 64 bytes are aligned to their own size, larger ones
  /// to 64.
  Slot allocate(std::int64_t count);
  std::byte* address(Slot slot) const {
    return chunks_[slot.chunk()].memory.get() + slot.element() * element_size_;
  }
  Mark mark() const { return {current_, used_}; }
  /// Gives back what was allocated since; the memory is kept for later use, poisoned under
  /// AddressSanitizer.
  void rewind(Mark mark);
  /// Bytes in use (not: reserved).
  std::size_t bytes() const;

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  struct Chunk {
    std::unique_ptr<std::byte[], Free> memory;
    std::size_t capacity = 0;  // in elements
    std::size_t before = 0;    // elements of all chunks before this one
  };
  void add_chunk(std::size_t index, std::size_t count);

  std::size_t element_size_;
  std::vector<Chunk> chunks_;
  std::size_t current_ = 0, used_ = 0;
};

/// Runs of items that stay where they are. An index names the start of a run.
template <class T>
class Pool {
 public:
  std::uint32_t append(std::span<const T> items) {
    // A run may reach beyond a chunk's usual size, but must start within it: at() counts on that.
    if (chunks_.empty() || used_ >= chunk_size || used_ + items.size() > chunks_[current_].size())
      next(items.size());
    const std::size_t start = used_;
    std::copy(items.begin(), items.end(),
              chunks_[current_].begin() + static_cast<std::ptrdiff_t>(start));
    used_ += items.size();
    return static_cast<std::uint32_t>(current_ * chunk_size + start);
  }
  T* at(std::uint32_t index) { return &chunks_[index / chunk_size][index % chunk_size]; }
  const T* at(std::uint32_t index) const {
    return &chunks_[index / chunk_size][index % chunk_size];
  }

  std::uint64_t mark() const { return (std::uint64_t{current_} << 32) | used_; }
  void rewind(std::uint64_t mark) {
    current_ = mark >> 32;
    used_ = mark & 0xffffffff;
  }
  std::size_t bytes() const { return (current_ * chunk_size + used_) * sizeof(T); }

 private:
  static constexpr std::size_t chunk_size = 4096;

  void next(std::size_t count) {
    if (!chunks_.empty()) ++current_;
    used_ = 0;
    if (current_ == chunks_.size()) chunks_.emplace_back();
    if (chunks_[current_].size() < std::max(count, chunk_size))
      chunks_[current_].resize(std::max(count, chunk_size));
  }

  std::vector<std::vector<T>> chunks_;
  std::size_t current_ = 0, used_ = 0;
};

}  // namespace tapegrad
