#include "tapegrad/base/array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

#include "tapegrad/base/error.hpp"

namespace tapegrad {
namespace {

std::string described(const Shape& shape) {
  if (shape.rank() == 0) return "is a number";
  if (shape.rank() > 1) return fmt::format("has the shape {}", text(shape));
  return fmt::format("has {} value{}", shape[0], shape[0] == 1 ? "" : "s");
}

// "row 1 has 2 values, row 0 has 3": the noun is said once where both rows are plain.
std::string ragged(std::size_t row, const Shape& found, const Shape& first) {
  if (found.rank() == 1 && first.rank() == 1)
    return fmt::format("row {} {}, row 0 has {}", row, described(found), first[0]);
  return fmt::format("row {} {}, row 0 {}", row, described(found), described(first));
}

std::size_t count_of(const Shape& shape) { return static_cast<std::size_t>(shape.numel()); }

}  // namespace

Values::Values(std::span<const Values> parts, Site at) {
  const Shape part = parts.empty() ? Shape{} : parts.front().shape_;
  for (std::size_t row = 1; row < parts.size(); ++row) {
    const Shape& found = parts[row].shape_;
    if (found != part) throw Error("values", ragged(row, found, part), at);
  }
  shape_ = part.with_axis(0, static_cast<std::int64_t>(parts.size()));

  std::vector<double> numbers(count_of(shape_));
  std::span<double> rest = numbers;
  for (const Values& each : parts) {
    each.copy_to(rest.first(count_of(part)));
    rest = rest.subspan(count_of(part));
  }
  numbers_ = std::move(numbers);
}

Values::Values(const Array& array) : shape_(array.shape()) {
  if (array.precision() == float64)
    numbers_ = Look{array.span<double>().data(), &conversions<double>};
  else
    numbers_ = Look{array.span<float>().data(), &conversions<float>};
}

Values::Values(Look look, std::size_t count)
    : shape_{static_cast<std::int64_t>(count)}, numbers_(look) {}

Values Values::reshaped(const Shape& shape, Site at) const {
  if (shape.numel() != numel())
    throw Error("values",
                fmt::format("the shape {} holds {} values, {} were given", text(shape),
                            shape.numel(), numel()),
                at);
  Values result = *this;
  result.shape_ = shape;
  return result;
}

template <class To>
void Values::copy(std::span<To> to) const {
  assert(to.size() == count_of(shape_));
  if (const double* number = std::get_if<double>(&numbers_)) {
    std::fill(to.begin(), to.end(), static_cast<To>(*number));
  } else if (const Look* look = std::get_if<Look>(&numbers_)) {
    if constexpr (std::same_as<To, double>)
      look->how->to_double(look->first, to);
    else
      look->how->to_float(look->first, to);
  } else {
    convert<double>(std::get<std::vector<double>>(numbers_).data(), to);
  }
}

template void Values::copy(std::span<double>) const;
template void Values::copy(std::span<float>) const;

Array::Array(Shape shape, std::vector<double> values) : shape_(shape), values_(std::move(values)) {
  check_count();
}

Array Array::from(const Values& values, Precision precision) {
  Array result = zeros(values.shape(), precision);
  std::visit([&](auto& own) { values.copy_to(std::span(own)); }, result.values_);
  return result;
}

Array Array::zeros(Shape shape, Precision precision) {
  if (precision == float64) return Array(shape, std::vector<double>(count_of(shape)));
  return Array(shape, std::vector<float>(count_of(shape)));
}

double Array::item() const {
  if (numel() != 1)
    throw Error("item",
                fmt::format("exactly one element is needed, the shape is {}", text(shape_)));
  return std::visit([](const auto& own) { return static_cast<double>(own[0]); }, values_);
}

std::vector<double> Array::values() const {
  return std::visit([](const auto& own) { return std::vector<double>(own.begin(), own.end()); },
                    values_);
}

double Array::element(std::span<const std::int64_t> index) const {
  if (index.size() != static_cast<std::size_t>(rank()))
    throw Error("at", fmt::format("{} ind{} for the shape {}", index.size(),
                                  index.size() == 1 ? "ex" : "ices", text(shape_)));
  std::int64_t offset = 0;
  for (int axis = 0; axis < rank(); ++axis) {
    const std::int64_t asked = index[static_cast<std::size_t>(axis)], extent = shape_[axis];
    if (asked < -extent || asked >= extent)
      throw Error("at", fmt::format("the index {} of axis {} is outside the shape {}", asked, axis,
                                    text(shape_)));
    offset = offset * extent + (asked < 0 ? asked + extent : asked);
  }
  return std::visit(
      [&](const auto& own) { return static_cast<double>(own[static_cast<std::size_t>(offset)]); },
      values_);
}

void Array::check_count() const {
  const std::size_t count = std::visit([](const auto& own) { return own.size(); }, values_);
  if (count != count_of(shape_))
    throw Error("array", fmt::format("the shape {} holds {} values, {} were given", text(shape_),
                                     numel(), count));
}

void Array::check_precision(Precision asked) const {
  if (asked != precision())
    throw Error("span", fmt::format("the array is {}, not {}", text(precision()), text(asked)));
}

}  // namespace tapegrad
