// The two number types a tape may hold. Precision is a property of a tape, chosen at run time;
// only kernels are templates on the scalar.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tapegrad {

enum class Precision : std::uint8_t { float32, float64 };

inline constexpr Precision float32 = Precision::float32;
inline constexpr Precision float64 = Precision::float64;

/// The size of one element in bytes.
constexpr std::size_t size_of(Precision precision) { return precision == float32 ? 4 : 8; }

constexpr std::string_view text(Precision precision) {
  return precision == float32 ? "float32" : "float64";
}

template <class T>
inline constexpr Precision precision_of = sizeof(T) == 4 ? float32 : float64;

}  // namespace tapegrad
