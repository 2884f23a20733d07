// Pools: one number for each window of an image.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "tapegrad/kernel/reduce.hpp"
#include "tapegrad/kernel/window.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/fit.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

// Attributes: two numbers each, for height and width: [0] kernel, [2] stride, [4] padding; [6]
// whether padding is counted; [7] what a reverse cannot know: the extents of the image.
using Attributes = std::array<std::int64_t, 9>;

Pooling pool_of(const Shape& x, const Shape& y, const std::int64_t* attributes) {
  const auto along = [&](int axis) -> WindowAxis {
    const std::int64_t* a = attributes + axis;
    return {x[axis - 2], y[axis - 2], a[0], a[2], a[4], 1};
  };
  std::int64_t images = 1;
  for (int axis = 0; axis < x.rank() - 2; ++axis) images *= x[axis];
  return {images, along(0), along(1)};
}

/// The shape of a pool. Throws Error in the name of the operands.
Shape pooled(const Operands& operands, const Shape& x) {
  if (x.rank() != 3 && x.rank() != 4)
    operands.fail(fmt::format(
        "the input has {} axes, and must be (N, C, H, W), or (C, H, W) for one sample", x.rank()));
  require_steps(operands, "kernel", 0, 1);
  require_steps(operands, "stride", 2, 1);
  require_steps(operands, "padding", 4, 0);
  if (x[-2] == 0 || x[-1] == 0) operands.fail("an image without pixels has no windows");
  const Pooling p = pool_of(x, x, operands.attributes().data());
  for (const WindowAxis& along : {p.height, p.width})
    if (2 * along.padding > along.kernel)
      operands.fail(
          fmt::format("a padding of {} is more than half of a kernel of {}: a window "
                      "could lie in the padding alone",
                      along.padding, along.kernel));
  return with_windows(operands, with_windows(operands, x, "height", -2, p.height), "width", -1,
                      p.width);
}

/// The shape of a pool's operand, from that of its result.
Shape image_shape(const Operands& operands) {
  Shape x = operands[0];
  if (x.rank() < 2) return pooled(operands, x);  // which refuses it
  const auto extents = operands.attributes().subspan(7, 2);
  x.set(x.rank() - 2, extents[0]);
  x.set(x.rank() - 1, extents[1]);
  if (const Shape y = pooled(operands, x); y != operands[0])
    operands.fail(fmt::format("a pool of {} has the shape {}", text(x), text(y)));
  return x;
}

void require_index(const Operands& operands, const Shape& windows) {
  if (operands[1] != windows)
    operands.fail(fmt::format("there must be one index for each of the windows {}", text(windows)));
}

/// The reverse of a pool, with its attributes and the extents of its operand.
Tensor reverse(const Vjp& v, const Op& op, std::span<const Arg> operands) {
  Attributes attributes;
  std::copy_n(v.attributes().begin(), attributes.size(), attributes.begin());
  attributes[7] = v.x(0).size(-2);
  attributes[8] = v.x(0).size(-1);
  return record(op, operands, attributes);
}

// ---- the largest element

/// Row by row of the windows: their largest elements, and the taps where the first of these stand;
/// a NaN is larger than any number. The rows of both lie some elements apart, 0 for what nobody
/// wants to keep.
template <class T>
void largest_in_windows(const Pooling& p, const T* x, T* largest, std::int64_t largest_apart,
                        T* index, std::int64_t index_apart) {
  const Range all = {0, p.width.out};
  for (std::int64_t image = 0; image < p.images; ++image)
    for (std::int64_t i = 0; i < p.height.out; ++i) {
      std::fill_n(largest, p.width.out, -std::numeric_limits<T>::infinity());
      std::fill_n(index, p.width.out, T(-1));
      for_each_tap(
          p, image, i, all, [&](std::int64_t tap, const Range& inside, std::int64_t pixel) {
            const T place = static_cast<T>(tap);
            const T* from = x + pixel;
            T *best = largest + inside.first, *at = index + inside.first;
            for_each_step(inside.size(), p.width.stride, [=](std::int64_t w, std::int64_t k) {
              const T now = from[k], so_far = best[w], before = at[w];
              // No branches: nobody could predict them.
              const int larger =
                  int{now > so_far} | int{before < 0} | (int{now != now} & int{so_far == so_far});
              best[w] = larger != 0 ? now : so_far;
              at[w] = larger != 0 ? place : before;
            });
          });
      largest += largest_apart, index += index_apart;
    }
}

/// Memory for one row of windows.
std::int64_t row_of_windows(const Operands& o) { return pooled(o, o[0])[-1]; }

/// Calls f(window, place of the pixel that the index names among the window's taps).
template <class T, class F>
void for_each_chosen(const Pooling& p, const T* index, F f) {
  for_each_window(p, [&](const Window& window) {
    const T& chosen = index[window.index];
    const std::int64_t taps = p.height.kernel * p.width.kernel;
    const std::int64_t tap =
        chosen >= 0 && chosen < T(taps) ? static_cast<std::int64_t>(chosen) : -1;
    const std::int64_t row = window.top + tap / p.width.kernel;
    const std::int64_t column = window.left + tap % p.width.kernel;
    if (T(tap) != chosen || row < window.rows.first || row >= window.rows.last ||
        column < window.columns.first || column >= window.columns.last)
      throw KernelError{
          fmt::format("index {} is not a place in a window of {} x {} inside the image",
                      static_cast<double>(chosen), p.height.kernel, p.width.kernel)};
    f(window.index, window.image + row * p.width.in + column);
  });
}

void pool_examples(Examples& example) {
  example({Shape{1, 1, 1}}, {1, 1, 1, 1, 0, 0, 1, 0, 0});
  example({Shape{2, 4, 4}}, {2, 2, 2, 2, 0, 0, 1, 0, 0});
  example({Shape{2, 2, 4, 3}}, {3, 2, 1, 1, 1, 0, 1, 0, 0});
  example({Shape{1, 5, 6}}, {3, 3, 2, 3, 1, 1, 0, 0, 0});
  example({Shape{0, 2, 3, 3}}, {2, 2, 1, 1, 0, 0, 1, 0, 0});
}

extern const Op max_pool_index_op, pick_in_windows_op, place_in_windows_op, avg_pool_input_op;

constexpr Op max_pool2d_op = {
    .name = "max_pool2d",
    .notation = "max_pool2d({})",
    .kind = Kind::reduction,
    .shape = [](const Operands& o) { return pooled(o, o[0]); },
    .forward = kernel<[]<class T>(const Call& c) {
      const Pooling p = pool_of(*c.in[0].shape, *c.shape, c.attributes);
      largest_in_windows(p, c.from<T>(0), c.to<T>(), p.width.out, static_cast<T*>(c.scratch), 0);
    }>,
    .vjp =
        [](Vjp& v) {
          const Arg x = v.x(0);
          const Tensor index = record(max_pool_index_op, {&x, 1}, v.attributes());
          const Arg operands[] = {v.ybar, index};
          v.give(0, reverse(v, place_in_windows_op, operands));
        },
    .sample = {uniform(-2, 2)},
    .examples = pool_examples,
    .roles = {"input"},
    .scratch = row_of_windows,
};

// Which tap of each window is the largest, counted along its rows.
constexpr Op max_pool_index_op = {
    .name = "max_pool_index",
    .notation = "max_pool_index({})",
    .kind = Kind::reduction,
    .shape = [](const Operands& o) { return pooled(o, o[0]); },
    .forward = kernel<[]<class T>(const Call& c) {
      const Pooling p = pool_of(*c.in[0].shape, *c.shape, c.attributes);
      largest_in_windows(p, c.from<T>(0), static_cast<T*>(c.scratch), 0, c.to<T>(), p.width.out);
    }>,
    .vjp = zero_gradient,
    .sample = {uniform(-2, 2)},
    .examples = pool_examples,
    .roles = {"input"},
    .scratch = row_of_windows,
};

// x, index -> of each window the tap that the index names
constexpr Op pick_in_windows_op = {
    .name = "pick_in_windows",
    .notation = "pick_in_windows({}, {})",
    .kind = Kind::view,
    .shape =
        [](const Operands& o) {
          const Shape y = pooled(o, o[0]);
          require_index(o, y);
          return y;
        },
    .forward = kernel<[]<class T>(const Call& c) {
      for_each_chosen(pool_of(*c.in[0].shape, *c.shape, c.attributes), c.from<T>(1),
                      [&](std::int64_t i, std::int64_t x) { c.to<T>()[i] = c.from<T>(0)[x]; });
    }>,
    .vjp =
        [](Vjp& v) {
          const Arg operands[] = {v.ybar, v.x(1)};
          v.give(0, reverse(v, place_in_windows_op, operands));
        },
    .sample = {uniform(-2, 2), whole(0, 4)},
    .examples =
        [](Examples& example) {
          example({Shape{2, 4, 4}, Shape{2, 2, 2}}, {2, 2, 2, 2, 0, 0, 1, 0, 0});
          example({Shape{1, 2, 3, 4}, Shape{1, 2, 2, 3}}, {2, 2, 1, 1, 0, 0, 1, 0, 0});
        },
    .roles = {"input", "index"},
};

// y, index -> zeros, and each y added to the pixel it was picked from
constexpr Op place_in_windows_op = {
    .name = "place_in_windows",
    .notation = "place_in_windows({}, {})",
    .kind = Kind::view,
    .shape =
        [](const Operands& o) {
          require_index(o, o[0]);
          return image_shape(o);
        },
    .forward = kernel<[]<class T>(const Call& c) {
      std::fill_n(c.to<T>(), c.count, T(0));
      for_each_chosen(pool_of(*c.shape, *c.in[0].shape, c.attributes), c.from<T>(1),
                      [&](std::int64_t i, std::int64_t x) { c.to<T>()[x] += c.from<T>(0)[i]; });
    }>,
    .vjp =
        [](Vjp& v) {
          const Arg operands[] = {v.ybar, v.x(1)};
          v.give(0, record(pick_in_windows_op, operands, v.attributes()));
        },
    .sample = {uniform(-2, 2), whole(0, 4)},
    .examples =
        [](Examples& example) {
          example({Shape{2, 2, 2}, Shape{2, 2, 2}}, {2, 2, 2, 2, 0, 0, 1, 5, 4});
          example({Shape{1, 2, 2, 3}, Shape{1, 2, 2, 3}}, {2, 2, 1, 1, 0, 0, 1, 3, 4});
        },
    .roles = {"adjoint", "index"},
};

// ---- the mean

/// For some windows in row i the sums of the pixels they cover.
template <class T>
void sum_windows(const Pooling& p, const T* x, std::int64_t image, std::int64_t i,
                 const Range& windows, Wide<T>* sums) {
  std::fill_n(sums, windows.size(), Wide<T>(0));
  for_each_tap(p, image, i, windows, [&](std::int64_t, const Range& inside, std::int64_t pixel) {
    Wide<T>* to = sums + (inside.first - windows.first);
    const T* from = x + pixel;
    for_each_step(inside.size(), p.width.stride,
                  [=](std::int64_t w, std::int64_t k) { to[w] += from[k]; });
  });
}

/// How many elements are divided by, in a window of some rows and columns inside the image.
template <class T>
T weight_of(const Pooling& p, const Range& rows, const Range& columns, bool count_padding) {
  return static_cast<T>(count_padding ? p.height.kernel * p.width.kernel
                                      : rows.size() * columns.size());
}

constexpr Op avg_pool2d_op = {
    .name = "avg_pool2d",
    .notation = "avg_pool2d({})",
    .kind = Kind::reduction,
    .shape = [](const Operands& o) { return pooled(o, o[0]); },
    .forward = kernel<[]<class T>(const Call& c) {
      const Pooling p = pool_of(*c.in[0].shape, *c.shape, c.attributes);
      const T* x = c.from<T>(0);
      T* y = c.to<T>();
      for (std::int64_t image = 0; image < p.images; ++image)
        for (std::int64_t i = 0; i < p.height.out; ++i)
          for (std::int64_t j = 0; j < p.width.out; j += strip_width) {
            const Range windows = {j, std::min(j + strip_width, p.width.out)};
            Columns<Wide<T>> sums;
            sum_windows(p, x, image, i, windows, sums.data());
            for (std::int64_t w = j; w < windows.last; ++w)
              *y++ = static_cast<T>(sums.data()[w - j] / weight_of<Wide<T>>(p, p.height.covered(i),
                                                                            p.width.covered(w),
                                                                            c.attributes[6] != 0));
          }
    }>,
    .vjp =
        [](Vjp& v) {
          const Arg adjoint = v.ybar;
          v.give(0, reverse(v, avg_pool_input_op, {&adjoint, 1}));
        },
    .sample = {uniform(-2, 2)},
    .examples = pool_examples,
    .roles = {"input"},
};

// y -> the share of each pixel in the windows that cover it
constexpr Op avg_pool_input_op = {
    .name = "avg_pool_input",
    .notation = "avg_pool_input({})",
    .kind = Kind::reduction,
    .shape = image_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      const Pooling p = pool_of(*c.shape, *c.in[0].shape, c.attributes);
      std::fill_n(c.to<T>(), c.count, T(0));
      for_each_window(p, [&](const Window& w) {
        const T share =
            c.from<T>(0)[w.index] / weight_of<T>(p, w.rows, w.columns, c.attributes[6] != 0);
        for_each_pixel(p, w, [&](std::int64_t i) { c.to<T>()[i] += share; });
      });
    }>,
    .vjp =
        [](Vjp& v) {
          const Arg adjoint = v.ybar;
          v.give(0, record(avg_pool2d_op, {&adjoint, 1}, v.attributes()));
        },
    .sample = {uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          example({Shape{2, 2, 2}}, {2, 2, 2, 2, 0, 0, 1, 5, 4});
          example({Shape{2, 1, 4, 2}}, {3, 2, 1, 1, 1, 0, 1, 4, 3});
          example({Shape{1, 3, 2}}, {3, 3, 2, 3, 1, 1, 0, 5, 6});
        },
    .roles = {"adjoint"},
};

constexpr const Op* family[] = {&max_pool2d_op,       &max_pool_index_op, &pick_in_windows_op,
                                &place_in_windows_op, &avg_pool2d_op,     &avg_pool_input_op};

Tensor pool(const Op& op, const Arg& x, const Pair& kernel, const Pair& stride, const Pair& padding,
            bool count_padding) {
  return record(op, {x},
                {kernel.height, kernel.width, stride.height, stride.width, padding.height,
                 padding.width, count_padding, 0, 0});
}

}  // namespace

Family pool_family() { return family; }

Tensor max_pool2d(const Arg& x, const MaxPool2dOptions& o) {
  return pool(max_pool2d_op, x, o.kernel, o.stride, o.padding, true);
}
Tensor avg_pool2d(const Arg& x, const AvgPool2dOptions& o) {
  return pool(avg_pool2d_op, x, o.kernel, o.stride, o.padding, o.count_include_pad);
}

}  // namespace tapegrad
