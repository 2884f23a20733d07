// Which element of a tensor is meant: one place on each axis.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "tapegrad/base/shape.hpp"

namespace tapegrad {

/// `Index{0, 1}`: row 0, column 1. Negative places count from the end. `Index{}` is the element of
/// a tensor of rank 0.
class Index {
 public:
  constexpr Index(std::initializer_list<std::int64_t> places) {
    for (const std::int64_t place : places) {
      if (count_ < Shape::max_rank) places_[static_cast<std::size_t>(count_)] = place;
      ++count_;
    }
  }
  explicit constexpr Index(std::span<const std::int64_t> places) {
    for (const std::int64_t place : places) {
      if (count_ < Shape::max_rank) places_[static_cast<std::size_t>(count_)] = place;
      ++count_;
    }
  }

  int rank() const { return count_; }
  std::int64_t operator[](int axis) const { return places_[static_cast<std::size_t>(axis)]; }
  /// Whether there is such an element.
  bool inside(const Shape& shape) const;
  /// Its number in row-major order. Precondition: inside(shape).
  std::size_t element(const Shape& shape) const;

 private:
  std::array<std::int64_t, Shape::max_rank> places_{};
  int count_ = 0;
};

/// `[0,1]`
std::string text(const Index& index);

}  // namespace tapegrad
