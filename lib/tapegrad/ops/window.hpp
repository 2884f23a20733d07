// How windows move over images: the options of convolutions and pools. The functions that take them
// are in ops.hpp. No tensor here.
#pragma once

#include <concepts>
#include <cstdint>

namespace tapegrad {

/// A number for the height and one for the width, or one for both: `.stride = 2`,
/// `.padding = {1, 0}`.
struct Pair {
  template <std::integral Int>
  requires(!std::same_as<Int, bool>) constexpr Pair(Int both)
      : height(static_cast<std::int64_t>(both)), width(static_cast<std::int64_t>(both)) {}
  constexpr Pair(std::int64_t h, std::int64_t w) : height(h), width(w) {}

  std::int64_t height, width;
};

/// Stands first in options, so that each is written with its name, as in `{.kernel = {2, 3}}`: of
/// {2, 3} alone nobody knows whether it is one pair or two options.
struct ByName {
  constexpr ByName() = default;
  template <class T>
  ByName(T) = delete;  // write {.kernel = ...}, {.stride = ...}
};

/// Padding is zeros on both sides; dilation is the distance between the taps of a window; each of
/// `groups` equal parts of the channels is convolved by itself.
struct Conv1dOptions {
  ByName names = {};
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
};
struct Conv2dOptions {
  ByName names = {};
  Pair stride = 1, padding = 0, dilation = 1;
  std::int64_t groups = 1;
};

/// `{.kernel = 3, .stride = 2}`. Without a stride, windows stand side by side. The padding is less
/// than any number: it is never the largest.
struct MaxPool2dOptions {
  ByName names = {};
  Pair kernel, stride = kernel, padding = 0;
};
/// The padding is zeros, which are counted as elements of a window or not.
struct AvgPool2dOptions {
  ByName names = {};
  Pair kernel, stride = kernel, padding = 0;
  bool count_include_pad = true;
};

}  // namespace tapegrad
