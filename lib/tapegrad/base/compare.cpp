#include "tapegrad/base/compare.hpp"

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/base/error.hpp"

namespace tapegrad {
namespace {

std::vector<double> numbers(const Values& values) {
  std::vector<double> result(static_cast<std::size_t>(values.numel()));
  values.copy_to(std::span<double>(result));
  return result;
}

/// The first of the largest of n numbers, `step` apart.
std::size_t first_largest(const double* x, std::size_t n, std::size_t step) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < n && !std::isnan(x[best * step]); ++i)
    if (!(x[i * step] <= x[best * step])) best = i;
  return best;
}

}  // namespace

bool allclose(const Values& a, const Values& b, double rtol, double atol, Site at) {
  if (a.shape() != b.shape() && a.shape().rank() != 0 && b.shape().rank() != 0)
    throw Error("allclose",
                fmt::format("{} and {}: the shapes differ", text(a.shape()), text(b.shape())), at);
  const std::vector<double> x = numbers(a), y = numbers(b);
  const std::size_t x_step = a.shape().rank() != 0, y_step = b.shape().rank() != 0;
  const std::size_t count = x_step != 0 ? x.size() : y.size();
  for (std::size_t i = 0; i < count; ++i) {
    const double p = x[i * x_step], q = y[i * y_step];
    const bool close = std::isfinite(p) && std::isfinite(q)
                           ? std::abs(p - q) <= atol + rtol * std::abs(q)
                           : p == q;
    if (!close) return false;
  }
  return true;
}

std::int64_t argmax(const Array& x, Site at) {
  if (x.numel() == 0)
    throw Error("argmax", fmt::format("{}: nothing has no largest element", text(x.shape())), at);
  const std::vector<double> all = x.values();
  return static_cast<std::int64_t>(first_largest(all.data(), all.size(), 1));
}

Array argmax(const Array& x, Axis axis, Site at) {
  const Shape& shape = x.shape();
  if (axis < -shape.rank() || axis >= shape.rank())
    throw Error("argmax", fmt::format("{}: there is no axis {}", text(shape), axis), at);
  const int along = static_cast<int>(axis + (axis < 0 ? shape.rank() : 0));
  const auto n = static_cast<std::size_t>(shape[along]);
  if (n == 0)
    throw Error(
        "argmax",
        fmt::format("{}: axis {} is empty, and nothing has no largest element", text(shape), axis),
        at);
  std::size_t inner = 1;
  for (int i = along + 1; i < shape.rank(); ++i) inner *= static_cast<std::size_t>(shape[i]);
  const std::vector<double> all = x.values();
  std::vector<double> places;
  for (std::size_t start = 0; start < all.size(); start += n * inner)
    for (std::size_t i = 0; i < inner; ++i)
      places.push_back(static_cast<double>(first_largest(all.data() + start + i, n, inner)));
  return Array(shape.without_axis(along), std::move(places));
}

}  // namespace tapegrad
