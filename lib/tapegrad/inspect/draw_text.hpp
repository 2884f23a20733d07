// Internal: what pictures say, whatever they are written in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tapegrad/check/bench.hpp"
#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

/// `0.5`, with so many significant digits.
std::string brief_text(double number, int digits);
/// Few numbers are written out, one row of a matrix on a line; of many, the range.
std::string numbers_text(const Numbers& numbers, const Shape& shape, int digits);
/// `1,234`.
std::string count_text(std::size_t count);

/// `hidden` of `hidden.weight`, the struct that a parameter belongs to; empty for one by itself.
std::string_view struct_of(std::string_view name);
/// `w3`, or `hidden.weight[0,1]`; empty for an element of what has no name.
std::string element_text(const Recording& recording, Id id, std::size_t element);

/// As it must stand in XML, in text and in quotes.
std::string xml(std::string_view content);

}  // namespace tapegrad
