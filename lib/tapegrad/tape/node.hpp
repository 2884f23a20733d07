// The record: plain data in one flat sequence. Which op, which operands, what shape, where the
// values lie, and which line of the user's file made it.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "tapegrad/base/arena.hpp"
#include "tapegrad/base/shape.hpp"
#include "tapegrad/base/site.hpp"
#include "tapegrad/tape/op.hpp"

namespace tapegrad {

enum class LeafKind : std::uint8_t { parameter, input, state, constant };
std::string_view text(LeafKind kind);

struct Node {
  enum Flag : std::uint8_t {
    aliased = 1,  // its values lie inside those of operand 0
    swept = 2,    // made by a gradient sweep
    adjoint =
        4,  // what a sweep hands from record to record; other swept records are local derivatives
    named_by_maker = 8,  // see Recording::Namer
    named_by_field = 16,
  };
  static constexpr std::uint32_t none = 0xffffffff;

  const Op* op;  // nullptr: a leaf
  Slot slot;
  Shape shape;
  std::uint64_t born;  // the rewind serial under which it was recorded
  std::uint32_t
      first;  // operands: [first, first + count) of the tape's operands; a leaf: its number
  std::uint32_t count;
  std::uint32_t attributes;  // where its whole-number parameters begin
  std::uint32_t name;        // of the tape's names, or none
  std::uint32_t frame;       // the library composite it belongs to, or none
  std::uint32_t origin;      // a swept record: the record whose derivative rule made it
  Site site;
  std::uint8_t flags;
  std::uint8_t attribute_count;

  bool leaf() const { return op == nullptr; }
};
static_assert(std::is_trivially_copyable_v<Node>);

/// What only a leaf has.
struct Leaf {
  LeafKind kind;
  Id id;
  std::uint64_t set = 0;   // clock of the last set; 0: never, it has no values
  std::uint64_t step = 0;  // clock of the last optimiser's step or committed update
  Site set_at, step_at;
};

/// A library composite (Linear, cross_entropy) that is being recorded, with its caller's
/// line.
struct Frame {
  std::string_view name;
  std::uint32_t parent;
  Site site;
};

}  // namespace tapegrad
