// Arrays as texts, laid out as NumPy lays them out: the shortest digits that tell a number from its
// neighbours, points under points, long rows wrapped, the middle of large arrays left out.
// With the default options the text is the one of NumPy 1.24's str(array), character for character.
#pragma once

#include <fmt/core.h>

#include <iosfwd>
#include <span>
#include <string>

#include "tapegrad/base/array.hpp"
#include "tapegrad/base/shape.hpp"

namespace tapegrad {

/// NumPy's print options of the same names. Precondition: none is negative, edge_items is not 0.
struct PrintOptions {
  int precision = 8;     // most digits after the point; one number (rank 0) always shows all of its
  int threshold = 1000;  // arrays of more elements than this are shown by their edges
  int edge_items = 3;    // how many elements an edge has, along each axis
  int line_width = 75;
};

/// The numbers in row-major order, as an array of this shape. Precondition: their counts agree.
std::string text(std::span<const double> values, const Shape& shape, PrintOptions options = {});
std::string text(std::span<const float> values, const Shape& shape, PrintOptions options = {});
/// The numbers of an array, in the digits of its own precision.
std::string text(const Array& array, PrintOptions options = {});

std::ostream& operator<<(std::ostream& out, const Array& array);

}  // namespace tapegrad

/// `{}` prints as text(array) does, `{:.4}` with at most 4 digits after the point, even for rank 0.
template <>
struct fmt::formatter<tapegrad::Array> {
  constexpr auto parse(fmt::format_parse_context& context) {
    auto at = context.begin();
    if (at == context.end() || *at != '.') return at;
    const auto digits = at + 1;
    int asked = 0;
    for (++at; at != context.end() && *at >= '0' && *at <= '9' && asked < 100; ++at)
      asked = 10 * asked + (*at - '0');
    if (at == digits) return context.begin();  // "{:.}": fmt refuses what is left over
    precision = asked;
    return at;
  }
  fmt::format_context::iterator format(const tapegrad::Array& array,
                                       fmt::format_context& context) const;

  int precision = -1;  // not given
};
