// Convolutions: the sum of products of an image and a window that slides over it. The map is linear
// in both, and its two transposes are blocks too, so that derivatives of any order stay among the
// three.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tapegrad/kernel/window.hpp"
#include "tapegrad/ops/bilinear.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/fit.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

// Attributes: [0] axes of an image, 1 or 2; [1] groups; [2] Cut; then two numbers each, for height
// and width: [3] stride, [5] padding, [7] dilation, [9] what a transpose cannot know: the extents
// of the image or of the window.
using Attributes = std::array<std::int64_t, 11>;

/// A missing batch is one sample, a missing height is 1.
Convolution convolution_of(const Shape& x, const Shape& w, const Shape& y,
                           const std::int64_t* attributes) {
  const auto along = [&](int axis) -> WindowAxis {
    const std::int64_t* a = attributes + axis;
    if (axis == 0 && attributes[0] == 1) return {1, 1, 1, 1, 0, 1};
    return {x[axis - 2], y[axis - 2], w[axis - 2], a[3], a[5], a[7]};
  };
  return {.samples = x.rank() == w.rank() ? x[0] : 1,
          .groups = attributes[1],
          .in = w[1],
          .out = w[0] / attributes[1],
          .height = along(0),
          .width = along(1)};
}

void check_channels(const Operands& operands, const Shape& x, const Shape& w) {
  const auto axes = static_cast<int>(operands.attribute(0));
  const std::int64_t groups = operands.attribute(1), channels = x[-1 - axes];
  if (groups < 1) operands.fail(fmt::format("there are {} groups, and must be at least 1", groups));
  for (const auto& [whose, count] : {std::pair{"input", channels}, std::pair{"output", w[0]}})
    if (count % groups != 0)
      operands.fail(
          fmt::format("the {} {} channels do not divide into {} groups", count, whose, groups));
  if (channels == groups * w[1]) return;
  std::string hint;
  if (x.rank() == 4 && x[-1] == groups * w[1])
    hint = "channels come before height and width: permute(input, {0, 3, 1, 2})";
  else if (groups > 1 && channels == w[1])
    hint = fmt::format("axis 1 of a weight counts the channels of one group: {} / {} = {}",
                       channels, groups, channels / groups);
  operands.fail(groups == 1
                    ? fmt::format("the input has {} channels, the weight takes {}", channels, w[1])
                    : fmt::format("the input has {} channels in each of {} groups, the weight "
                                  "takes {}",
                                  channels / groups, groups, w[1]),
                hint);
}

/// The shape of a convolution. Throws Error in the name of the operands.
Shape convolved(const Operands& operands, const Shape& x, const Shape& w) {
  const bool flat = operands.attribute(0) == 1;
  const int axes = flat ? 1 : 2;
  if (x.rank() != axes + 1 && x.rank() != axes + 2)
    operands.fail(fmt::format("the input has {} axes, and must be {}", x.rank(),
                              flat ? "(N, C, L), or (C, L) for one sample"
                                   : "(N, C, H, W), or (C, H, W) for one sample"));
  if (w.rank() != axes + 2)
    operands.fail(fmt::format("the weight has {} axes, and must be {}", w.rank(),
                              flat ? "(out channels, in channels / groups, L)"
                                   : "(out channels, in channels / groups, H, W)"));
  require_steps(operands, "stride", 3, 1);
  require_steps(operands, "padding", 5, 0);
  require_steps(operands, "dilation", 7, 1);
  check_channels(operands, x, w);
  const Convolution c = convolution_of(x, w, x, operands.attributes().data());
  Shape y = x;
  y.set(x.rank() - axes - 1, w[0]);
  if (!flat) y = with_windows(operands, y, "height", -2, c.height);
  return with_windows(operands, y, flat ? "length" : "width", -1, c.width);
}

/// The shape of a transpose: that of `other`, with these channels, and an image or a window of the
/// extents that the attributes name.
Shape transposed(const Operands& operands, const Shape& other, int channel_axis,
                 std::int64_t channels) {
  const auto extents = operands.attributes().subspan(9, 2);
  const auto axes = static_cast<int>(operands.attribute(0));
  Shape result = other;
  result.set(channel_axis, channels);
  for (int axis = -axes; axis < 0; ++axis)
    result.set(result.rank() + axis, *(extents.end() + axis));
  return result;
}

void require_convolution(const Operands& operands, const Shape& x, const Shape& w, const Shape& y) {
  const Shape expected = convolved(operands, x, w);
  if (y != expected)
    operands.fail(
        fmt::format("the adjoint of {} and {} has the shape {}", text(x), text(w), text(expected)));
}

Shape input_shape(const Operands& operands) {
  const Shape &y = operands[0], &w = operands[1];
  const int channel_axis = y.rank() - static_cast<int>(operands.attribute(0)) - 1;
  const Shape x = transposed(operands, y, channel_axis, w[1] * operands.attribute(1));
  require_convolution(operands, x, w, y);
  return x;
}

Shape weight_shape(const Operands& operands) {
  const Shape &x = operands[0], &y = operands[1];
  const auto axes = static_cast<int>(operands.attribute(0));
  Shape w = x.rank() == axes + 1 ? x.with_axis(0, 0) : x;
  w.set(0, y[-1 - axes]);
  w = transposed(operands, w, 1, x[-1 - axes] / operands.attribute(1));
  require_convolution(operands, x, w, y);
  return w;
}

std::int64_t scratch_of(const Operands& operands, const Shape& x, const Shape& w, const Shape& y,
                        const Shape& result) {
  const Convolution c = convolution_of(x, w, y, operands.attributes().data());
  return c.scratch() + (operands.attribute(2) != none ? result.numel() : 0);
}

/// Takes the cut in the result of a call. `order` turns places in x, w and y into those in the left
/// operand, the right one and the result.
template <class T, class Order>
void take_cut(const Call& call, const Convolution& c, Order order) {
  if (call.attributes[2] == none) return;
  const bool left = call.attributes[2] == left_adjoint;
  cut_convolution(
      c, call.from<T>(left ? 0 : 1), call.from<T>(left ? 1 : 0),
      [&](std::int64_t x, std::int64_t w, std::int64_t y) {
        std::array<std::int64_t, 3> places = order(x, w, y);
        if (!left) std::swap(places[0], places[1]);
        return places;
      },
      call.count, call.to<T>(), static_cast<T*>(call.scratch) + c.scratch());
}

/// Another of the three maps with the attributes of a record. `result`: what shape it shall have.
Tensor related(const Vjp& v, const Op& op, const Arg& left, const Arg& right, Cut cut,
               const Shape& result) {
  Attributes attributes;
  std::copy_n(v.attributes().begin(), attributes.size(), attributes.begin());
  attributes[2] = cut;
  for (std::size_t axis = attributes[0] == 1; axis < 2; ++axis)
    attributes[9 + axis] = result[static_cast<int>(axis) - 2];
  const Arg both[] = {left, right};
  return record(op, both, attributes);
}

extern const Op convolve_op, convolve_input_op, convolve_weight_op;

// x (N, groups in, H, W), w (groups out, in, H, W) -> y (N, groups out, H, W)
constexpr Op convolve_op = {
    .name = "convolve",
    .notation = "convolve({}, {})",
    .kind = Kind::contraction,
    .shape = [](const Operands& o) { return convolved(o, o[0], o[1]); },
    .forward = kernel<[]<class T>(const Call& call) {
      const Convolution c =
          convolution_of(*call.in[0].shape, *call.in[1].shape, *call.shape, call.attributes);
      convolve(c, call.from<T>(0), call.from<T>(1), call.to<T>(), static_cast<T*>(call.scratch));
      take_cut<T>(call, c, [](auto x, auto w, auto y) { return std::array{x, w, y}; });
    }>,
    .vjp =
        [](Vjp& v) {
          const Shape x = v.x(0).shape(), w = v.x(1).shape();
          give_bilinear(
              v, v.attribute(2),
              [&](const Arg& right) {
                return related(v, convolve_input_op, v.ybar, right, left_adjoint, x);
              },
              [&](const Arg& left) {
                return related(v, convolve_weight_op, left, v.ybar, right_adjoint, w);
              });
        },
    .sample = {uniform(-2, 2), uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          for (std::int64_t cut : {none, left_adjoint, right_adjoint})
            example({Shape{2, 4, 5, 4}, Shape{2, 2, 2, 3}}, {2, 2, cut, 2, 1, 1, 1, 2, 1, 0, 0});
          example({Shape{1, 1, 1, 1}, Shape{1, 1, 1, 1}}, {2, 1, none, 1, 1, 0, 0, 1, 1, 0, 0});
          example({Shape{2, 3, 3}, Shape{3, 2, 1, 1}}, {2, 1, none, 1, 1, 0, 0, 1, 1, 0, 0});
          example({Shape{1, 2, 9, 9}, Shape{4, 2, 3, 3}}, {2, 1, none, 1, 1, 1, 1, 1, 1, 0, 0});
          example({Shape{1, 3, 3, 4}, Shape{6, 1, 2, 2}}, {2, 3, none, 1, 1, 0, 1, 1, 1, 0, 0});
          example({Shape{0, 2, 3, 3}, Shape{1, 2, 2, 2}}, {2, 1, none, 1, 1, 0, 0, 1, 1, 0, 0});
          example({Shape{1, 0, 3, 3}, Shape{2, 0, 2, 2}}, {2, 1, none, 1, 1, 0, 0, 1, 1, 0, 0});
          example({Shape{2, 2, 7}, Shape{3, 2, 3}}, {1, 1, none, 1, 2, 0, 2, 1, 2, 0, 0});
          example({Shape{2, 80}, Shape{1, 2, 2}}, {1, 1, none, 1, 1, 0, 0, 1, 1, 0, 0});
        },
    .roles = {"input", "weight"},
    .scratch =
        [](const Operands& o) {
          const Shape y = convolved(o, o[0], o[1]);
          return scratch_of(o, o[0], o[1], y, y);
        },
};

// y, w -> x: each element of y goes back to where it came from.
constexpr Op convolve_input_op = {
    .name = "convolve_input",
    .notation = "convolve_input({}, {})",
    .kind = Kind::contraction,
    .shape = input_shape,
    .forward = kernel<[]<class T>(const Call& call) {
      const Convolution c =
          convolution_of(*call.shape, *call.in[1].shape, *call.in[0].shape, call.attributes);
      convolve_input(c, call.from<T>(0), call.from<T>(1), call.to<T>(),
                     static_cast<T*>(call.scratch));
      take_cut<T>(call, c, [](auto x, auto w, auto y) { return std::array{y, w, x}; });
    }>,
    .vjp =
        [](Vjp& v) {
          const Shape y = v.x(0).shape(), w = v.x(1).shape();
          give_bilinear(
              v, v.attribute(2),
              [&](const Arg& right) {
                return related(v, convolve_op, v.ybar, right, left_adjoint, y);
              },
              [&](const Arg& left) {
                return related(v, convolve_weight_op, v.ybar, left, left_adjoint, w);
              });
        },
    .sample = {uniform(-2, 2), uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          for (std::int64_t cut : {none, left_adjoint, right_adjoint})
            example({Shape{2, 2, 3, 4}, Shape{2, 2, 2, 3}}, {2, 2, cut, 2, 1, 1, 1, 2, 1, 5, 4});
          example({Shape{2, 3, 3}, Shape{2, 1, 1, 1}}, {2, 1, none, 2, 2, 0, 0, 1, 1, 6, 5});
          example({Shape{2, 3, 4}, Shape{3, 2, 3}}, {1, 1, none, 1, 2, 0, 2, 1, 2, 0, 8});
          example({Shape{0, 1, 2, 2}, Shape{1, 2, 2, 2}}, {2, 1, none, 1, 1, 0, 0, 1, 1, 3, 3});
        },
    .roles = {"adjoint", "weight"},
    .scratch =
        [](const Operands& o) {
          const Shape x = input_shape(o);
          return scratch_of(o, x, o[1], o[0], x);
        },
};

// x, y -> w: the sum over samples and positions.
constexpr Op convolve_weight_op = {
    .name = "convolve_weight",
    .notation = "convolve_weight({}, {})",
    .kind = Kind::contraction,
    .shape = weight_shape,
    .forward = kernel<[]<class T>(const Call& call) {
      const Convolution c =
          convolution_of(*call.in[0].shape, *call.shape, *call.in[1].shape, call.attributes);
      convolve_weight(c, call.from<T>(0), call.from<T>(1), call.to<T>(),
                      static_cast<T*>(call.scratch));
      take_cut<T>(call, c, [](auto x, auto w, auto y) { return std::array{x, y, w}; });
    }>,
    .vjp =
        [](Vjp& v) {
          const Shape x = v.x(0).shape(), y = v.x(1).shape();
          give_bilinear(
              v, v.attribute(2),
              [&](const Arg& right) {
                return related(v, convolve_input_op, right, v.ybar, right_adjoint, x);
              },
              [&](const Arg& left) {
                return related(v, convolve_op, left, v.ybar, right_adjoint, y);
              });
        },
    .sample = {uniform(-2, 2), uniform(-2, 2)},
    .examples =
        [](Examples& example) {
          for (std::int64_t cut : {none, left_adjoint, right_adjoint})
            example({Shape{2, 4, 5, 4}, Shape{2, 2, 3, 4}}, {2, 2, cut, 2, 1, 1, 1, 2, 1, 2, 3});
          example({Shape{2, 6, 5}, Shape{2, 3, 3}}, {2, 1, none, 2, 2, 0, 0, 1, 1, 1, 1});
          example({Shape{2, 2, 8}, Shape{2, 3, 4}}, {1, 1, none, 1, 2, 0, 2, 1, 2, 0, 3});
          example({Shape{0, 2, 3, 3}, Shape{0, 1, 2, 2}}, {2, 1, none, 1, 1, 0, 0, 1, 1, 2, 2});
        },
    .roles = {"input", "adjoint"},
    .scratch =
        [](const Operands& o) {
          const Shape w = weight_shape(o);
          return scratch_of(o, o[0], w, o[1], w);
        },
};

constexpr const Op* family[] = {&convolve_op, &convolve_input_op, &convolve_weight_op};

Attributes attributes_of(const Conv1dOptions& o) {
  return {1, o.groups, none, 1, o.stride, 0, o.padding, 1, o.dilation, 0, 0};
}
Attributes attributes_of(const Conv2dOptions& o) {
  return {2,
          o.groups,
          none,
          o.stride.height,
          o.stride.width,
          o.padding.height,
          o.padding.width,
          o.dilation.height,
          o.dilation.width,
          0,
          0};
}

/// A convolution in the user's name, and a bias if there is one.
Tensor convolution(std::string_view name, std::span<const Arg> operands,
                   const Attributes& attributes) {
  require_one_tape(name, operands);
  const FrameScope frame(recording_of(name, operands), name, operands[0].site());
  const Tensor y = record(convolve_op, operands.first(2), attributes);
  if (operands.size() == 2) return y;
  const auto axes = static_cast<int>(attributes[0]);
  const std::int64_t channels = y.shape()[-1 - axes];
  if (shape_of(name, operands[2]) != Shape{channels}) {
    constexpr std::string_view roles[] = {"input", "weight", "bias"};
    refuse(name, operands, roles,
           fmt::format("the bias must be ({}), one number for each output channel", channels));
  }
  const Tensor column =
      reshape(operands[2], axes == 1 ? Shape{channels, 1} : Shape{channels, 1, 1});
  return y + column;
}

}  // namespace

Family convolution_family() { return family; }

Tensor conv1d(const Arg& x, const Arg& weight, const Conv1dOptions& options) {
  const Arg operands[] = {x, weight};
  return convolution("conv1d", operands, attributes_of(options));
}
Tensor conv1d(const Arg& x, const Arg& weight, const Arg& bias, const Conv1dOptions& options) {
  const Arg operands[] = {x, weight, bias};
  return convolution("conv1d", operands, attributes_of(options));
}
Tensor conv2d(const Arg& x, const Arg& weight, const Conv2dOptions& options) {
  const Arg operands[] = {x, weight};
  return convolution("conv2d", operands, attributes_of(options));
}
Tensor conv2d(const Arg& x, const Arg& weight, const Arg& bias, const Conv2dOptions& options) {
  const Arg operands[] = {x, weight, bias};
  return convolution("conv2d", operands, attributes_of(options));
}

}  // namespace tapegrad
