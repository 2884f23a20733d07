// The extents of a row-major array: a small value type without heap memory, and the two rules every
// op shares: which axis is meant, and how shapes broadcast.
#pragma once

#include <fmt/core.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace tapegrad {

class Shape {
 public:
  static constexpr int max_rank = 7;

  constexpr Shape() = default;  // rank 0: one number
  /// Throws Error for more than `max_rank` axes, an extent below 0 or above 2^32 - 1, or more than
  /// 2^62 elements.
  explicit Shape(std::initializer_list<std::int64_t> extents)
      : Shape(std::span<const std::int64_t>(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const std::int64_t> extents);

  int rank() const { return rank_; }
  /// The extent of an axis; negative axes count from the end. Precondition: -rank <= axis < rank.
  std::int64_t operator[](int axis) const {
    return extents_[static_cast<std::size_t>(axis < 0 ? axis + rank_ : axis)];
  }
  /// The number of elements: 1 for rank 0, 0 if an extent is 0.
  std::int64_t numel() const {
    std::int64_t n = 1;
    for (std::uint32_t extent : *this) n *= extent;
    return n;
  }

  const std::uint32_t* begin() const { return extents_.data(); }
  const std::uint32_t* end() const { return extents_.data() + rank_; }

  /// Changes one extent. Precondition: 0 <= axis < rank, 0 <= extent < 2^32.
  void set(int axis, std::int64_t extent) {
    extents_[static_cast<std::size_t>(axis)] = static_cast<std::uint32_t>(extent);
  }
  /// A copy with one more axis at position `axis` (0 to rank).
  Shape with_axis(int axis, std::int64_t extent) const;
  /// A copy without axis `axis` (0 to rank - 1).
  Shape without_axis(int axis) const;

  friend bool operator==(const Shape& a, const Shape& b) {
    return std::memcmp(&a, &b, sizeof(Shape)) ==
           0;  // unused places stay 0, and there is no padding
  }

 private:
  std::array<std::uint32_t, max_rank> extents_{};
  std::int32_t rank_ = 0;
};
static_assert(std::has_unique_object_representations_v<Shape>);

/// `()`, `(3)`, `(2, 3)`.
std::string text(const Shape& shape);
/// `2, 3`
std::string joined(std::span<const std::int64_t> numbers, std::string_view between = ", ");

/// The common shape of two operands by NumPy's rule (align right, 1 stretches); nothing if they
/// disagree.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);

/// Row-major strides in elements; 0 for an axis of extent 1, so that it may be stretched.
std::array<std::int64_t, Shape::max_rank> strides(const Shape& shape);

/// One axis; a negative one counts from the end.
class Axis {
 public:
  template <std::integral Int>
  requires(!std::same_as<Int, bool>) constexpr Axis(Int axis)
      : axis_(static_cast<std::int64_t>(axis)) {}
  template <std::same_as<bool> B>
  Axis(B) = delete;  // softmax(x, true) is a forgotten axis, not axis 1
  constexpr operator std::int64_t() const { return axis_; }

 private:
  std::int64_t axis_;
};

/// Which axes a reduction runs over. `{}` and the default mean all of them. Negative axes count
/// from the end.
class Axes {
 public:
  constexpr Axes() = default;
  template <std::integral Int>
  requires(!std::same_as<Int, bool>) constexpr Axes(Int axis)
      : axes_{static_cast<int>(axis)}, count_(1), all_(false) {}
  template <std::same_as<bool> B>
  Axes(B) = delete;  // sum(x, true) is a forgotten axis, not axis 1
  /// More than Shape::max_rank axes are counted but not kept; resolving them is an error.
  constexpr Axes(std::initializer_list<int> axes) : all_(axes.size() == 0) {
    for (int axis : axes) {
      if (count_ < Shape::max_rank) axes_[static_cast<std::size_t>(count_)] = axis;
      ++count_;
    }
  }

  bool all() const { return all_; }
  int count() const { return count_; }
  std::span<const int> list() const {
    return {axes_.data(),
            static_cast<std::size_t>(count_ < Shape::max_rank ? count_ : Shape::max_rank)};
  }

 private:
  std::array<int, Shape::max_rank> axes_{};
  int count_ = 0;
  bool all_ = true;
};

/// Whether reduced axes stay, with an extent of 1.
class Keepdim {
 public:
  template <std::same_as<bool> B>
  constexpr Keepdim(B keep) : keep_(keep) {}
  template <class T>
  Keepdim(T) = delete;  // the 1 of sum(x, 0, 1) is meant as an axis, that of var(x, 0, 1) as ddof
  constexpr operator bool() const { return keep_; }

 private:
  bool keep_;
};

inline constexpr bool keepdim = true;  // reads better than `true`: sum(x, 1, tg::keepdim)

}  // namespace tapegrad

template <>
struct fmt::formatter<tapegrad::Axis> : fmt::formatter<std::int64_t> {};

/// As `text(shape)`; takes the widths of texts.
template <>
struct fmt::formatter<tapegrad::Shape> : fmt::formatter<fmt::string_view> {
  fmt::format_context::iterator format(const tapegrad::Shape& shape,
                                       fmt::format_context& context) const;
};
