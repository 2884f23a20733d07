// Windows that slide over images: where their taps lie, convolutions as products of matrices, and
// the visits of a pool. An image without a height has the height 1.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tapegrad/kernel/gemm.hpp"
#include "tapegrad/kernel/reduce.hpp"

namespace tapegrad {

/// The whole numbers from first to last - 1.
struct Range {
  std::int64_t first, last;
  std::int64_t size() const { return last - first; }
};

/// One axis of an image, and the windows along it.
struct WindowAxis {
  std::int64_t in, out, kernel, stride, padding, dilation;

  /// Where a tap of a window lies: outside of [0, in) in the padding.
  std::int64_t place(std::int64_t window, std::int64_t tap) const {
    return window * stride - padding + tap * dilation;
  }
  /// Those of some windows whose tap lies inside the image.
  Range inside(std::int64_t tap, const Range& some) const {
    const std::int64_t offset = place(0, tap);
    const std::int64_t first = offset >= 0 ? 0 : (stride - 1 - offset) / stride;
    const std::int64_t last = offset >= in ? 0 : (in - offset + stride - 1) / stride;
    const std::int64_t from = std::clamp(first, some.first, some.last);
    return {from, std::clamp(last, from, some.last)};
  }
  /// The places inside the image that a window without dilation covers.
  Range covered(std::int64_t window) const {
    const std::int64_t start = place(window, 0);
    return {std::max<std::int64_t>(start, 0), std::min(start + kernel, in)};
  }
};

// ---- convolution: y = sum over channels and taps of w x

/// x (samples, groups in, height.in, width.in), w (groups out, in, height.kernel, width.kernel),
/// y (samples, groups out, height.out, width.out).
struct Convolution {
  std::int64_t samples, groups, in, out;  // in and out: the channels of one group
  WindowAxis height, width;

  std::int64_t pixels() const { return height.in * width.in; }
  std::int64_t positions() const { return height.out * width.out; }
  std::int64_t taps() const { return in * height.kernel * width.kernel; }

  /// How many positions are worked on at once: their taps shall stay in the cache.
  std::int64_t patch() const {
    constexpr std::int64_t cached = 1 << 14, least = 64;
    return std::min(positions(), std::max(cached / std::max<std::int64_t>(taps(), 1), least));
  }
  /// Elements of scratch memory: a patch of x and of y, and one weight.
  std::int64_t scratch() const { return (taps() + out) * patch() + taps() * out; }
};

/// Some positions of one sample, neighbours in memory: whole rows, or a part of one.
struct Patch {
  Range rows, columns;
  std::int64_t first;  // position
  std::int64_t size() const { return rows.size() * columns.size(); }
};

/// Calls f(patch) for all positions of a sample.
template <class F>
void for_each_patch(const Convolution& c, F f) {
  const std::int64_t width = c.width.out;
  if (c.positions() == 0) return;
  const std::int64_t rows = std::max<std::int64_t>(c.patch() / width, 1);
  const std::int64_t columns = std::min(c.patch(), width);
  for (std::int64_t i = 0; i < c.height.out; i += rows)
    for (std::int64_t j = 0; j < width; j += columns)
      f(Patch{
          {i, std::min(i + rows, c.height.out)}, {j, std::min(j + columns, width)}, i * width + j});
}

/// Calls f(sample and group, where they begin in x, in w, in y).
template <class F>
void for_each_group(const Convolution& c, F f) {
  for (std::int64_t i = 0; i < c.samples * c.groups; ++i)
    f(i * c.in * c.pixels(), i % c.groups * c.out * c.taps(), i * c.out * c.positions());
}

/// One tap of the windows in one row of a patch.
struct Run {
  std::int64_t tap;
  std::int64_t start;  // of the row in the patch
  Range inside;        // counted from there: the windows whose tap is not in the padding
  std::int64_t place;  // of the first of them in the image; the others follow in steps of a stride
};

/// Calls f(run) for each tap and each row of a patch.
template <class F>
void for_each_run(const Convolution& c, const Patch& patch, F f) {
  std::int64_t tap = 0;
  for (std::int64_t channel = 0; channel < c.in; ++channel)
    for (std::int64_t i = 0; i < c.height.kernel; ++i)
      for (std::int64_t j = 0; j < c.width.kernel; ++j, ++tap) {
        const Range across = c.width.inside(j, patch.columns);
        const Range counted = {across.first - patch.columns.first,
                               across.last - patch.columns.first};
        std::int64_t start = 0;
        for (std::int64_t row = patch.rows.first; row < patch.rows.last; ++row) {
          const std::int64_t line = c.height.place(row, i);
          const bool seen = line >= 0 && line < c.height.in && across.size() > 0;
          const std::int64_t place =
              (channel * c.height.in + line) * c.width.in + c.width.place(across.first, j);
          f(seen ? Run{tap, start, counted, place} : Run{tap, start, {0, 0}, 0});
          start += patch.columns.size();
        }
      }
}

/// Calls f(i, i * stride); a stride of 1 has a loop of its own, so that it can be vectorised.
template <class F>
void for_each_step(std::int64_t n, std::int64_t stride, F f) {
  if (stride == 1)
    for (std::int64_t i = 0; i < n; ++i) f(i, i);
  else
    for (std::int64_t i = 0; i < n; ++i) f(i, i * stride);
}

/// columns (taps, patch) = what each tap of each window sees, zeros in the padding.
template <class T>
void gather_columns(const Convolution& c, const Patch& patch, const T* x, T* columns) {
  const std::int64_t size = patch.size(), width = patch.columns.size();
  for_each_run(c, patch, [&](const Run& run) {
    T* row = columns + run.tap * size + run.start;
    const T* from = x + run.place;
    std::fill(row, row + run.inside.first, T(0));
    for_each_step(
        run.inside.size(), c.width.stride,
        [to = row + run.inside.first, from](std::int64_t i, std::int64_t k) { to[i] = from[k]; });
    std::fill(row + run.inside.last, row + width, T(0));
  });
}

/// The reverse: adds to each pixel what stands in the columns for it.
template <class T>
void scatter_columns(const Convolution& c, const Patch& patch, const T* columns, T* x) {
  for_each_run(c, patch, [&, size = patch.size()](const Run& run) {
    const T* from = columns + run.tap * size + run.start + run.inside.first;
    for_each_step(run.inside.size(), c.width.stride,
                  [to = x + run.place, from](std::int64_t i, std::int64_t k) { to[k] += from[i]; });
  });
}

template <class T>
void convolve(const Convolution& c, const T* x, const T* w, T* y, T* scratch) {
  T* columns = scratch;
  T* part = columns + c.taps() * c.patch();
  for_each_group(c, [&](std::int64_t x0, std::int64_t w0, std::int64_t y0) {
    for_each_patch(c, [&](const Patch& patch) {
      const std::int64_t n = patch.size();
      gather_columns(c, patch, x + x0, columns);
      // (out, taps) (taps, patch) -> (out, patch)
      multiply<T>({c.out, n, c.taps(), false, false}, w + w0, columns, part, nullptr);
      for (std::int64_t o = 0; o < c.out; ++o)
        std::copy_n(part + o * n, n, y + y0 + o * c.positions() + patch.first);
    });
  });
}

template <class T>
void convolve_input(const Convolution& c, const T* y, const T* w, T* x, T* scratch) {
  T* columns = scratch;
  T* part = columns + c.taps() * c.patch();
  std::fill_n(x, c.samples * c.groups * c.in * c.pixels(), T(0));
  for_each_group(c, [&](std::int64_t x0, std::int64_t w0, std::int64_t y0) {
    for_each_patch(c, [&](const Patch& patch) {
      const std::int64_t n = patch.size();
      for (std::int64_t o = 0; o < c.out; ++o)
        std::copy_n(y + y0 + o * c.positions() + patch.first, n, part + o * n);
      // (out, taps)T (out, patch) -> (taps, patch)
      multiply<T>({c.taps(), n, c.out, true, false}, w + w0, part, columns, nullptr);
      scatter_columns(c, patch, columns, x + x0);
    });
  });
}

template <class T>
void convolve_weight(const Convolution& c, const T* x, const T* y, T* w, T* scratch) {
  T* columns = scratch;
  T* part = columns + c.taps() * c.patch();
  T* share = part + c.out * c.patch();
  const std::int64_t taps = c.taps();
  // Fewer columns fill no vector of a product: each element is a sum of its own.
  constexpr std::int64_t few = 16 / sizeof(T);
  std::fill_n(w, c.groups * c.out * taps, T(0));
  for_each_group(c, [&](std::int64_t x0, std::int64_t w0, std::int64_t y0) {
    for_each_patch(c, [&](const Patch& patch) {
      const std::int64_t n = patch.size();
      gather_columns(c, patch, x + x0, columns);
      if (c.out < few) {
        for (std::int64_t o = 0; o < c.out; ++o)
          for (std::int64_t q = 0; q < taps; ++q) {
            const T *seen = columns + q * n, *passed_on = y + y0 + o * c.positions() + patch.first;
            w[w0 + o * taps + q] +=
                blocked_sum<T>(n, [=](std::int64_t i) { return seen[i] * passed_on[i]; });
          }
        return;
      }
      for (std::int64_t o = 0; o < c.out; ++o)
        for (std::int64_t i = 0; i < n; ++i)
          part[i * c.out + o] = y[y0 + o * c.positions() + patch.first + i];
      // (taps, patch) (patch, out) -> (taps, out)
      multiply<T>({taps, c.out, n, false, false}, columns, part, share, nullptr);
      for (std::int64_t o = 0; o < c.out; ++o)
        for (std::int64_t q = 0; q < taps; ++q) w[w0 + o * taps + q] += share[q * c.out + o];
    });
  });
}

/// Calls f(place in x, in w, in y) for every product of which a convolution is the sum. The padding
/// has none.
template <class F>
void for_each_term(const Convolution& c, F f) {
  const Patch whole{{0, c.height.out}, {0, c.width.out}, 0};
  for_each_group(c, [&](std::int64_t x0, std::int64_t w0, std::int64_t y0) {
    for (std::int64_t o = 0; o < c.out; ++o)
      for_each_run(c, whole, [&](const Run& run) {
        for (std::int64_t i = 0; i < run.inside.size(); ++i)
          f(x0 + run.place + i * c.width.stride, w0 + o * c.taps() + run.tap,
            y0 + o * c.positions() + run.start + run.inside.first + i);
      });
  });
}

/// Computes anew the elements of one of the three that are NaN, leaving out the terms in which an
/// adjoint that is exactly zero meets a factor that is not finite (the cut of op `times`). `order`
/// turns places in x, w and y into those of adjoint, factor and result.
template <class T, class Order>
void cut_convolution(const Convolution& c, const T* adjoint, const T* factor, Order order,
                     std::int64_t n, T* result, T* sums) {
  using std::isfinite, std::isnan;
  if (std::none_of(result, result + n, [](const T& value) { return isnan(value); })) return;
  std::fill_n(sums, n, T(0));
  for_each_term(c, [&](std::int64_t x, std::int64_t w, std::int64_t y) {
    const auto [a, b, i] = order(x, w, y);
    if (!(adjoint[a] == 0 && !isfinite(factor[b]))) sums[i] += adjoint[a] * factor[b];
  });
  for (std::int64_t i = 0; i < n; ++i)
    if (isnan(result[i])) result[i] = sums[i];
}

// ---- pools

/// Images, one behind the other, and windows without dilation.
struct Pooling {
  std::int64_t images;
  WindowAxis height, width;
};

/// What one window covers: rows and columns of the image that begins at `image`.
struct Window {
  std::int64_t index, image;
  Range rows, columns;
  std::int64_t top, left;  // where its first tap lies, perhaps in the padding
};

/// Calls f(window) for each window, in the order of the results.
template <class F>
void for_each_window(const Pooling& p, F f) {
  std::int64_t index = 0;
  for (std::int64_t image = 0; image < p.images; ++image)
    for (std::int64_t i = 0; i < p.height.out; ++i)
      for (std::int64_t j = 0; j < p.width.out; ++j)
        f(Window{index++, image * p.height.in * p.width.in, p.height.covered(i), p.width.covered(j),
                 p.height.place(i, 0), p.width.place(j, 0)});
}

/// Calls f(tap, windows, pixel) for each tap of some windows in row i, in the order of the taps: of
/// those windows whose tap lies inside the image, the first one sees this pixel, and the others
/// follow in steps of a stride.
template <class F>
void for_each_tap(const Pooling& p, std::int64_t image, std::int64_t i, const Range& windows, F f) {
  const Range rows = p.height.covered(i);
  for (std::int64_t row = rows.first; row < rows.last; ++row)
    for (std::int64_t j = 0; j < p.width.kernel; ++j) {
      const Range inside = p.width.inside(j, windows);
      f((row - p.height.place(i, 0)) * p.width.kernel + j, inside,
        (image * p.height.in + row) * p.width.in + p.width.place(inside.first, j));
    }
}

/// Calls f(place of the pixel) for each pixel that a window covers.
template <class F>
void for_each_pixel(const Pooling& p, const Window& window, F f) {
  for (std::int64_t i = window.rows.first; i < window.rows.last; ++i)
    for (std::int64_t j = window.columns.first; j < window.columns.last; ++j)
      f(window.image + i * p.width.in + j);
}

}  // namespace tapegrad
