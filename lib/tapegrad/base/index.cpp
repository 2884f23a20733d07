#include "tapegrad/base/index.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tapegrad {

bool Index::inside(const Shape& shape) const {
  if (count_ != shape.rank()) return false;
  for (int axis = 0; axis < count_; ++axis)
    if ((*this)[axis] < -shape[axis] || (*this)[axis] >= shape[axis]) return false;
  return true;
}

std::size_t Index::element(const Shape& shape) const {
  std::int64_t result = 0;
  for (int axis = 0; axis < count_; ++axis) {
    const std::int64_t place = (*this)[axis];
    result = result * shape[axis] + (place < 0 ? place + shape[axis] : place);
  }
  return static_cast<std::size_t>(result);
}

std::string text(const Index& index) {
  std::string result = "[";
  for (int axis = 0; axis < std::min(index.rank(), Shape::max_rank); ++axis)
    result += fmt::format("{}{}", axis == 0 ? "" : ",", index[axis]);
  return result + "]";
}

}  // namespace tapegrad
