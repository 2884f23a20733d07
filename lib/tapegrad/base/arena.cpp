#include "tapegrad/base/arena.hpp"

#include <bit>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define TAPEGRAD_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TAPEGRAD_POISONS 1
#endif
#endif
#ifdef TAPEGRAD_POISONS
#include <sanitizer/asan_interface.h>
#endif

namespace tapegrad {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t first_chunk = std::size_t{1} << 12, largest_chunk = std::size_t{1} << 20;

void poison([[maybe_unused]] std::byte* from, [[maybe_unused]] std::size_t bytes) {
#ifdef TAPEGRAD_POISONS
  ASAN_POISON_MEMORY_REGION(from, bytes);
#endif
}
void unpoison([[maybe_unused]] std::byte* from, [[maybe_unused]] std::size_t bytes) {
#ifdef TAPEGRAD_POISONS
  ASAN_UNPOISON_MEMORY_REGION(from, bytes);
#endif
}

}  // namespace

void Arena::Free::operator()(std::byte* memory) const {
  ::operator delete[](memory, std::align_val_t{cache_line});
}

void Arena::add_chunk(std::size_t index, std::size_t count) {
  // Chunks double in size up to a limit. A larger request gets a chunk with a quarter to spare, so
  // that the small values recorded after it find room in the same chunk.
  const std::size_t usual = std::min(first_chunk << std::min<std::size_t>(index, 8), largest_chunk);
  const std::size_t capacity = count <= usual ? usual : count + count / 4;
  if (index == chunks_.size()) chunks_.emplace_back();
  Chunk& chunk = chunks_[index];
  if (chunk.memory) unpoison(chunk.memory.get(), chunk.capacity * element_size_);
  chunk.memory.reset();
  chunk.capacity = 0;  // until there is memory again
  chunk.memory.reset(static_cast<std::byte*>(
      ::operator new[](capacity* element_size_, std::align_val_t{cache_line})));
  chunk.capacity = capacity;
  poison(chunk.memory.get(), capacity * element_size_);
}

Slot Arena::allocate(std::int64_t elements) {
  // An empty tensor still gets an address of its own.
  const std::size_t count = elements > 0 ? static_cast<std::size_t>(elements) : 1;
  const std::size_t align = std::min(std::bit_ceil(count), cache_line / element_size_);
  std::size_t start = (used_ + align - 1) & ~(align - 1);
  if (chunks_.empty() || start + count > chunks_[current_].capacity) {
    const std::size_t next = chunks_.empty() ? 0 : current_ + 1;
    // Chunks kept from before a rewind are used again, or exchanged if they are too small.
    if (next == chunks_.size() || chunks_[next].capacity < count) add_chunk(next, count);
    chunks_[next].before = next == 0 ? 0 : chunks_[next - 1].before + used_;
    current_ = next;
    start = 0;
  }
  used_ = start + count;
  unpoison(chunks_[current_].memory.get() + start * element_size_, count * element_size_);
  return Slot::at(current_, start);
}

void Arena::rewind(Mark mark) {
  for (std::size_t i = mark.chunk; i <= current_ && i < chunks_.size(); ++i) {
    const std::size_t from = i == mark.chunk ? mark.used : 0;
    const std::size_t to = i == current_ ? used_ : chunks_[i].capacity;
    poison(chunks_[i].memory.get() + from * element_size_, (to - from) * element_size_);
  }
  current_ = mark.chunk;
  used_ = mark.used;
}

std::size_t Arena::bytes() const {
  return chunks_.empty() ? 0 : (chunks_[current_].before + used_) * element_size_;
}

}  // namespace tapegrad
