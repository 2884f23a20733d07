#include "tapegrad/base/creation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tapegrad/base/error.hpp"

namespace tapegrad {
namespace {

constexpr double most = std::numeric_limits<std::uint32_t>::max();  // that an extent may be

/// An array whose i-th element is f(i).
template <class F>
Array generated(const Shape& shape, Precision precision, F f) {
  Array result = Array::zeros(shape, precision);
  const auto fill = [&](auto values) {
    using T = typename decltype(values)::value_type;
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(f(i));
  };
  if (precision == float32)
    fill(result.span<float>());
  else
    fill(result.span<double>());
  return result;
}

/// Throws Error if a number of elements is none that an axis can have.
std::int64_t checked(std::string_view name, std::string_view what, std::int64_t count, Site at) {
  if (count < 0 || static_cast<double>(count) > most)
    throw Error(std::string(name), fmt::format("{} is {}", what, count), at);
  return count;
}

}  // namespace

Array zeros(const Shape& shape, Precision precision) { return Array::zeros(shape, precision); }

Array ones(const Shape& shape, Precision precision) { return full(shape, 1, precision); }

Array full(const Shape& shape, double value, Precision precision) {
  return generated(shape, precision, [&](std::size_t) { return value; });
}

Array eye(std::int64_t n, Precision precision, Site at) { return eye(n, n, precision, at); }

Array eye(std::int64_t rows, std::int64_t columns, Precision precision, Site at) {
  const Shape shape{checked("eye", "the number of rows", rows, at),
                    checked("eye", "the number of columns", columns, at)};
  const auto row = static_cast<std::size_t>(columns);
  return generated(shape, precision, [&](std::size_t i) { return i / row == i % row ? 1.0 : 0.0; });
}

Array arange(double stop, Precision precision, Site at) {
  return arange(0, stop, 1, precision, at);
}

Array arange(double start, double stop, double step, Precision precision, Site at) {
  const auto refuse = [&](std::string_view why) {
    throw Error("arange", fmt::format("from {} to {} by {}: {}", start, stop, step, why), at);
  };
  if (step == 0) refuse("the step is 0");
  if (!std::isfinite(start) || !std::isfinite(stop) || !std::isfinite(step)) refuse("not finite");
  const double count = std::ceil((stop - start) / step);
  if (count > most) refuse("too many numbers");
  const Shape shape{static_cast<std::int64_t>(std::max(count, 0.0))};
  return generated(shape, precision,
                   [&](std::size_t i) { return start + static_cast<double>(i) * step; });
}

Array linspace(double start, double stop, std::int64_t n, Precision precision, Site at) {
  const Shape shape{checked("linspace", "the number of elements", n, at)};
  const auto last = static_cast<std::size_t>(std::max<std::int64_t>(n - 1, 1));
  const double step = (stop - start) / static_cast<double>(last);
  return generated(shape, precision, [&](std::size_t i) {
    return i == last ? stop : start + static_cast<double>(i) * step;
  });
}

Array one_hot(const Values& labels, std::int64_t classes, Precision precision, Site at) {
  checked("one_hot", "the number of classes", classes, at);
  std::vector<double> numbers(static_cast<std::size_t>(labels.numel()));
  labels.copy_to(std::span<double>(numbers));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (!(numbers[i] >= 0 && numbers[i] < static_cast<double>(classes)) ||
        numbers[i] != std::floor(numbers[i]))
      throw Error(
          "one_hot",
          fmt::format("label {}, element {} of shape {}, is none of the {} class{} from 0 on",
                      numbers[i], i, text(labels.shape()), classes, classes == 1 ? "" : "es"),
          at);
  if (labels.shape().rank() == Shape::max_rank)
    throw Error("one_hot",
                fmt::format("labels of shape {} have too many axes", text(labels.shape())), at);
  const auto row = static_cast<std::size_t>(classes);
  return generated(
      labels.shape().with_axis(labels.shape().rank(), classes), precision,
      [&](std::size_t i) { return static_cast<double>(i % row) == numbers[i / row] ? 1.0 : 0.0; });
}

}  // namespace tapegrad
