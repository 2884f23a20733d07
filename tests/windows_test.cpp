// Convolutions and pools: against PyTorch, by hand, at ties and behind the cut, and what is
// refused.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "reference.hpp"
#include "refusal.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using tg::Array, tg::Pair, tg::Shape, tg::Tape, tg::Tensor;
using Numbers = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// What make_windows.py weights results and gradients with.
Array weights(const Shape& shape) {
  Numbers values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = (static_cast<double>(i * 7 % 11) - 4) / 4;
  return Array(shape, values);
}

/// Records the call of a case.
Tensor call(const ReferenceCase& c, const std::vector<Tensor>& operands) {
  const Numbers numbers = c["options"].values();
  const auto at = [&](std::size_t i) { return static_cast<std::int64_t>(numbers[i]); };
  const auto pair = [&](std::size_t i) { return Pair(at(i), at(i + 1)); };
  const Tensor& x = operands[0];
  if (has(c.name, "max_pool2d"))
    return max_pool2d(x, {.kernel = pair(0), .stride = pair(2), .padding = pair(4)});
  if (has(c.name, "avg_pool2d"))
    return avg_pool2d(x, {.kernel = pair(0),
                          .stride = pair(2),
                          .padding = pair(4),
                          .count_include_pad = at(6) != 0});
  const Tensor& w = operands[1];
  if (has(c.name, "conv1d")) {
    const tg::Conv1dOptions options{
        .stride = at(1), .padding = at(3), .dilation = at(5), .groups = at(6)};
    return operands.size() == 3 ? conv1d(x, w, operands[2], options) : conv1d(x, w, options);
  }
  const tg::Conv2dOptions options{
      .stride = pair(0), .padding = pair(2), .dilation = pair(4), .groups = at(6)};
  return operands.size() == 3 ? conv2d(x, w, operands[2], options) : conv2d(x, w, options);
}

void compare(const Tensor& found, const Array& expected, const std::string& what,
             double tolerance) {
  BOOST_TEST(distance(found.array(), expected) <= tolerance, what << ": " << tg::text(found));
}

void compare_with_reference(tg::Precision precision, double tolerance) {
  for (const ReferenceCase& c : reference_cases("windows.txt")) BOOST_TEST_CONTEXT(c.name) {
      Tape tape(precision);
      std::vector<std::string> names;
      std::vector<Tensor> operands;
      for (const char* name : {"x", "w", "b"})
        if (c.has(name)) {
          names.emplace_back(name);
          operands.push_back(tape.input(c[name]));
        }
      const Tensor y = call(c, operands);
      compare(y, c["y"], "y", tolerance);
      const Tensor v = tape.input(weights(y.shape()));
      std::vector<Tensor> first(operands.size());
      tg::gradients(tg::seeded(y, v), operands, first);
      Tensor total = tape.constant(0.0);
      for (std::size_t i = 0; i < operands.size(); ++i) {
        compare(first[i], c["g" + names[i]], "gradient by " + names[i], tolerance);
        total = total + sum(first[i] * tape.constant(weights(first[i].shape())));
      }
      operands.push_back(v);
      names.emplace_back("v");
      std::vector<Tensor> second(operands.size());
      tg::gradients(total, operands, second);
      for (std::size_t i = 0; i < operands.size(); ++i)
        compare(second[i], c["s" + names[i]], "second derivative by " + names[i], tolerance);
    }
}

BOOST_AUTO_TEST_SUITE(windows)

// ---------------------------------------------------------------- against PyTorch

BOOST_AUTO_TEST_CASE(values_and_first_and_second_derivatives_are_those_of_pytorch) {
  compare_with_reference(tg::float64, 1e-14);
}

BOOST_AUTO_TEST_CASE(in_float32_too) { compare_with_reference(tg::float32, 1e-6); }

// ---------------------------------------------------------------- convolutions

BOOST_AUTO_TEST_CASE(a_convolution_is_a_sum_of_products_and_the_kernel_is_not_flipped) {
  Tape tape;
  const Tensor x = tape.input({{{1, 2, 4, 8}}}), w = tape.input({{{1, 10}}});
  BOOST_TEST(conv1d(x, w).values() == Numbers({21, 42, 84}));
  BOOST_TEST(conv1d(x, w, {.stride = 2}).values() == Numbers({21, 84}));
  BOOST_TEST(conv1d(x, w, {.padding = 1}).values() == Numbers({10, 21, 42, 84, 8}));
  BOOST_TEST(conv1d(x, w, {.dilation = 3}).values() == Numbers({81}));
  const Tensor bias = tape.input({0.5});
  BOOST_TEST(conv1d(x, w, bias, {.stride = 2}).values() == Numbers({21.5, 84.5}));
}

BOOST_AUTO_TEST_CASE(one_number_of_an_option_stands_for_height_and_width) {
  Tape tape;
  const Tensor x = tape.input(weights(Shape{1, 1, 5, 6})),
               w = tape.input(weights(Shape{1, 1, 2, 2}));
  const Tensor one = conv2d(x, w, {.stride = 2, .padding = 1});
  const Tensor two = conv2d(x, w, {.stride = {2, 2}, .padding = {1, 1}});
  BOOST_TEST((one.array() == two.array()));
  BOOST_TEST((conv2d(x, w, {.stride = {1, 2}, .padding = {0, 1}}).shape() == Shape{1, 1, 4, 4}));
}

BOOST_AUTO_TEST_CASE(a_convolution_of_one_by_one_is_a_product_of_matrices) {
  Tape tape;
  const Tensor x = tape.input(weights(Shape{3, 4, 5})), w = tape.input(weights(Shape{2, 3, 1, 1}));
  const Tensor y = conv2d(x, w);
  const Tensor product = matmul(reshape(w, {2, 3}), reshape(x, {3, 20}));
  BOOST_TEST(y.values() == product.values());
}

BOOST_AUTO_TEST_CASE(groups_are_convolutions_of_parts_of_the_channels) {
  Tape tape;
  const Tensor x = tape.input(weights(Shape{2, 4, 3, 3})),
               w = tape.input(weights(Shape{6, 2, 2, 2}));
  const Tensor first = conv2d(slice(x, 1, 0, 2), slice(w, 0, 0, 3));
  const Tensor second = conv2d(slice(x, 1, 2, 4), slice(w, 0, 3, 6));
  const Tensor joined = tg::concat({first, second}, 1);
  BOOST_TEST((conv2d(x, w, {.groups = 2}).array() == joined.array()));
}

// More positions and taps than one strip holds, with rows that are cut in two and a last part.
BOOST_AUTO_TEST_CASE(large_images_are_convolved_as_plain_loops_do) {
  constexpr std::int64_t channels = 40, taps = 7, length = 301;
  Tape tape;
  const Array image = weights(Shape{1, channels, length});
  const Array window = weights(Shape{5, channels, taps});
  const Tensor x = tape.input(image), w = tape.input(window);
  const Tensor y = conv1d(x, w, {.padding = 3});
  const Tensor v = tape.input(weights(y.shape()));
  const auto [gx, gw] = gradient(tg::seeded(y, v), x, w);
  Numbers expected(5 * length), by_x(channels * length), by_w(5 * channels * taps);
  const Numbers a = image.values(), b = window.values(), seed = v.values();
  for (std::int64_t o = 0; o < 5; ++o)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t k = 0; k < taps; ++k)
        for (std::int64_t i = 0; i < length; ++i) {
          const std::int64_t place = i + k - 3;
          if (place < 0 || place >= length) continue;
          const auto at_x = static_cast<std::size_t>(c * length + place);
          const auto at_w = static_cast<std::size_t>((o * channels + c) * taps + k);
          const auto at_y = static_cast<std::size_t>(o * length + i);
          expected[at_y] += a[at_x] * b[at_w];  // sixteenths: exact in any order
          by_x[at_x] += seed[at_y] * b[at_w];
          by_w[at_w] += seed[at_y] * a[at_x];
        }
  BOOST_TEST((y.values() == expected));
  BOOST_TEST((gx.values() == by_x));
  BOOST_TEST((gw.values() == by_w));
}

BOOST_AUTO_TEST_CASE(third_derivatives_stay_among_the_three_maps) {
  // y = (x w)^3 for one pixel and one tap: d2y / dx2 = 6 x w^3, and by w 18 x w^2
  Tape tape;
  const Tensor x = tape.input({{{2.0}}}), w = tape.input({{{5.0}}});
  const Tensor y = pow(conv1d(x, w), 3);
  const Tensor first = gradient(sum(y), x), second = gradient(sum(first), x);
  BOOST_TEST(gradient(sum(second), w).item() == 18 * 2 * 25);
}

BOOST_AUTO_TEST_CASE(of_nothing_but_padding_or_no_channels_the_sum_is_zero) {
  Tape tape;
  const Tensor none = tape.input(Array(Shape{1, 0, 2, 2}, Numbers{}));
  const Tensor w = tape.input(Array(Shape{1, 0, 2, 2}, Numbers{}));
  BOOST_TEST(conv2d(none, w, tape.input({3.0})).values() == Numbers({3}));
  const Tensor empty = tape.input(Array(Shape{1, 1, 0}, Numbers{}));
  BOOST_TEST(conv1d(empty, tape.input({{{1.0}}}), {.padding = 1}).values() == Numbers({0, 0}));
}

BOOST_AUTO_TEST_CASE(a_parameter_of_a_replayed_convolution_may_change) {
  Tape tape(tg::float32);
  const Tensor x = tape.input({{{1, 2, 3}}}), w = tape.parameter({{{1, 1}}});
  const Tensor y = conv1d(x, w);
  const Tensor g = gradient(sum(square(y)), w);
  w.set({0, 1});
  tape.replay(y, g);
  BOOST_TEST(y.values() == Numbers({2, 3}));
  BOOST_TEST(g.values() == Numbers({2 * (2 * 1 + 3 * 2), 2 * (2 * 2 + 3 * 3)}));
}

// ---------------------------------------------------------------- the cut

/// A convolution of three numbers and two taps, written with products of numbers, whose derivative
/// is made of `times`.
Tensor composed(const Tensor& x, const Tensor& w) {
  const Tensor a = slice(x, 2, 0, 2) * slice(w, 2, 0, 1);
  const Tensor b = slice(x, 2, 1, 3) * slice(w, 2, 1, 2);
  return a + b;
}

/// Gradients of a part of a convolution, and the gradients of these.
std::vector<Numbers> derivatives_of_a_part(const std::function<Tensor(Tensor, Tensor)>& function,
                                           const Array& image, const Array& window,
                                           const Array& seed) {
  Tape tape;
  const Tensor x = tape.input(image), w = tape.input(window), v = tape.input(seed);
  const auto [gx, gw] = gradient(tg::seeded(function(x, w), v), x, w);
  const auto [gxw, gxv] = gradient(sum(gx * tape.constant({{{1, 3, -2}}})), w, v);
  const auto [gwx, gwv] = gradient(sum(gw * tape.constant({{{2, -1}}})), x, v);
  return {gx.values(), gw.values(), gxw.values(), gxv.values(), gwx.values(), gwv.values()};
}

BOOST_AUTO_TEST_CASE(a_convolution_cuts_as_products_of_numbers_do) {
  const auto block = [](const Tensor& x, const Tensor& w) { return conv1d(x, w); };
  for (const double bad : {infinity, -infinity, not_a_number, 5.0})
    for (const Array& seed : {Array(Shape{1, 1, 2}, {0.0, 3.0}), Array(Shape{1, 1, 2}, {2.0, 0.0}),
                              Array(Shape{1, 1, 2}, {0.0, 0.0})})
      for (int place = 0; place < 5; ++place) BOOST_TEST_CONTEXT(bad << " at " << place) {
          Numbers x = {1, -2, 4}, w = {0.5, 3};
          (place < 3 ? x[static_cast<std::size_t>(place)]
                     : w[static_cast<std::size_t>(place - 3)]) = bad;
          const Array image(Shape{1, 1, 3}, x), window(Shape{1, 1, 2}, w);
          const auto found = derivatives_of_a_part(block, image, window, seed);
          const auto expected = derivatives_of_a_part(composed, image, window, seed);
          for (std::size_t i = 0; i < found.size(); ++i)
            for (std::size_t j = 0; j < found[i].size(); ++j)
              BOOST_TEST((found[i][j] == expected[i][j] ||
                          (std::isnan(found[i][j]) && std::isnan(expected[i][j]))),
                         "derivative " << i << " element " << j << ": " << found[i][j] << ", not "
                                       << expected[i][j]);
        }
}

BOOST_AUTO_TEST_CASE(padding_passes_nothing_on_from_a_weight_that_is_not_finite) {
  Tape tape;
  const Tensor x = tape.input({{{1.0, 2.0}}}), w = tape.input({{{infinity, 1.0}}});
  const Tensor y = conv1d(x, w, {.padding = 1});  // (1): NaN, infinity, infinity
  const Tensor g = gradient(tg::seeded(y, tape.constant({{{1, 0, 0}}})), x);
  BOOST_TEST(g.values() == Numbers({1, 0}));
}

// ---------------------------------------------------------------- pools

BOOST_AUTO_TEST_CASE(a_tie_goes_to_the_first_of_a_window_in_the_order_of_rows) {
  Tape tape;
  const Tensor x = tape.input({{{1, 7, 2}, {7, 3, 7}}});
  const Tensor y = max_pool2d(x, {.kernel = 2, .stride = 1});
  BOOST_TEST(y.values() == Numbers({7, 7}));
  const Tensor v = tape.input({{{2, 3}}});
  BOOST_TEST(gradient(tg::seeded(y, v), x).values() == Numbers({0, 5, 0, 0, 0, 0}));
  x.set({1, 2, 2, 7, 3, 3});
  tape.replay(y);
  BOOST_TEST(gradient(tg::seeded(y, v), x).values() == Numbers({0, 0, 0, 2, 3, 0}));
}

BOOST_AUTO_TEST_CASE(padding_is_never_the_largest) {
  Tape tape;
  const Tensor x = tape.input({{{-3, -1}, {-infinity, -2}}});
  const Tensor y = max_pool2d(x, {.kernel = 2, .padding = 1});
  BOOST_TEST(y.values() == Numbers({-3, -1, -infinity, -2}));
  BOOST_TEST(gradient(sum(y), x).values() == Numbers({1, 1, 1, 1}));
}

BOOST_AUTO_TEST_CASE(a_nan_is_the_largest_of_its_windows_and_gets_their_slope) {
  Tape tape;
  const Tensor x = tape.input({{{1, not_a_number, 9, 2, not_a_number, not_a_number}}});
  const Tensor y = max_pool2d(x, {.kernel = {1, 2}});
  BOOST_TEST(std::isnan(y.at(0, 0, 0)));
  BOOST_TEST(y.at(0, 0, 1) == 9);
  BOOST_TEST(std::isnan(y.at(0, 0, 2)));
  BOOST_TEST(gradient(sum(y), x).values() == Numbers({0, 1, 1, 0, 1, 0}));
}

BOOST_AUTO_TEST_CASE(the_second_derivative_of_a_largest_element_is_a_record_of_zeros) {
  Tape tape;
  const Tensor x = tape.input(weights(Shape{1, 4, 4}));
  const Tensor first = gradient(sum(max_pool2d(x, {.kernel = 2})), x);
  BOOST_TEST(sum(first).item() == 4);
  BOOST_TEST(gradient(sum(first), x).values() == Numbers(16));
}

BOOST_AUTO_TEST_CASE(behind_a_pool_curvature_is_that_of_the_elements_it_chose) {
  Tape tape;
  const Tensor x = tape.input({{{1, 3, -4, 2}}});
  const Tensor y = sum(pow(max_pool2d(x, {.kernel = {1, 2}}), 3));
  const Tensor first = gradient(y, x), second = gradient(sum(first), x);
  BOOST_TEST(first.values() == Numbers({0, 27, 0, 12}));
  BOOST_TEST(second.values() == Numbers({0, 18, 0, 12}));
}

BOOST_AUTO_TEST_CASE(windows_stand_side_by_side_without_a_stride) {
  Tape tape;
  const Tensor x = tape.input(weights(Shape{2, 4, 9}));
  BOOST_TEST((max_pool2d(x, {.kernel = {2, 3}}).shape() == Shape{2, 2, 3}));
  BOOST_TEST((avg_pool2d(x, {.kernel = {2, 3}}).shape() == Shape{2, 2, 3}));
  BOOST_TEST((avg_pool2d(x, {.kernel = 3, .stride = 2}).shape() == Shape{2, 1, 4}));
}

BOOST_AUTO_TEST_CASE(a_mean_counts_the_padding_or_not) {
  Tape tape;
  const Tensor x = tape.input({{{4, 8}, {12, 16}}});
  const tg::AvgPool2dOptions counted{.kernel = 2, .padding = 1};
  BOOST_TEST(avg_pool2d(x, counted).values() == Numbers({1, 2, 3, 4}));
  tg::AvgPool2dOptions alone = counted;
  alone.count_include_pad = false;
  BOOST_TEST(avg_pool2d(x, alone).values() == Numbers({4, 8, 12, 16}));
}

BOOST_AUTO_TEST_CASE(means_of_a_long_row_of_windows_equal_plain_loops) {
  const Array image = weights(Shape{2, 3, 200});  // their sums are exact
  for (const std::int64_t stride : {1, 2, 3}) {
    Tape tape;
    const Tensor y = avg_pool2d(
        tape.input(image),
        {.kernel = {2, 3}, .stride = {1, stride}, .padding = {1, 1}, .count_include_pad = false});
    BOOST_TEST((y.shape() == Shape{2, 4, 199 / stride + 1}));
    for (std::int64_t n = 0; n < 2; ++n)
      for (std::int64_t i = 0; i < 4; ++i)
        for (std::int64_t j = 0; j < y.size(2); ++j) {
          double sum = 0, pixels = 0;
          for (std::int64_t row = i - 1; row < i + 1; ++row)
            for (std::int64_t column = j * stride - 1; column < j * stride + 2; ++column)
              if (row >= 0 && row < 3 && column >= 0 && column < 200)
                sum += image.at(n, row, column), ++pixels;
          BOOST_TEST(y.at(n, i, j) == sum / pixels);
        }
  }
}

BOOST_AUTO_TEST_CASE(an_index_that_names_no_pixel_is_an_error) {
  for (const tg::Op* op : tg::catalogue())
    if (op->name == "pick_in_windows")
      for (const double index : {4.0, -1.0, 0.5, not_a_number, infinity}) {
        Tape tape;
        const Tensor x = tape.input(weights(Shape{1, 2, 2}));
        const Tensor chosen = tape.input(Array(Shape{1, 1, 1}, {index}));
        BOOST_TEST(says(
            [&] {
              tg::record(*op, {x, chosen}, {2, 2, 2, 2, 0, 0, 1, 0, 0});
            },
            "is not a place in a window of 2 x 2 inside the image"));
      }
}

// ---------------------------------------------------------------- what is refused

BOOST_AUTO_TEST_CASE(an_error_names_shapes_roles_and_the_line) {
  Tape tape;
  const Tensor x = tape.input(weights(Shape{2, 3, 5, 5})).named("image");
  const Tensor w = tape.parameter(weights(Shape{4, 2, 3, 3}));
  const std::size_t size = tape.size();
  std::string here;
  const std::string text = refusal([&] { here = line(), conv2d(x, w); });
  BOOST_TEST(has(text,
                 "convolve: (2, 3, 5, 5) x (4, 2, 3, 3): the input has 3 channels, the weight "
                 "takes 2 (in conv2d)"));
  BOOST_TEST(has(text, "input   %0 image"), text);
  BOOST_TEST(has(text, "weight  %1 parameter"), text);
  BOOST_TEST(has(text, "at      " + here), text);
  BOOST_TEST(tape.size() == size);
}

BOOST_AUTO_TEST_CASE(what_disagrees_in_a_convolution_is_said_with_its_numbers) {
  Tape tape;
  const auto x = [&](const Shape& shape) { return tape.input(weights(shape)); };
  const auto refused = [&](const Shape& image, const Shape& window, const tg::Conv2dOptions& o,
                           const char* part) {
    const Tensor a = x(image), b = x(window);
    const std::size_t size = tape.size();
    BOOST_TEST(says([&] { conv2d(a, b, o); }, part));
    BOOST_TEST(tape.size() == size);
  };
  refused(Shape{5, 5}, Shape{1, 1, 3, 3}, {},
          "the input has 2 axes, and must be (N, C, H, W), or (C, H, W) for one sample");
  refused(Shape{1, 5, 5}, Shape{1, 3, 3}, {},
          "the weight has 3 axes, and must be (out channels, in channels / groups, H, W)");
  refused(Shape{1, 5, 6, 3}, Shape{2, 3, 2, 2}, {}, "permute(input, {0, 3, 1, 2})");
  refused(Shape{1, 3, 5, 5}, Shape{2, 1, 2, 2}, {.groups = 2},
          "the 3 input channels do not divide into 2 groups");
  refused(Shape{1, 4, 5, 5}, Shape{3, 2, 2, 2}, {.groups = 2},
          "the 3 output channels do not divide into 2 groups");
  refused(Shape{1, 4, 5, 5}, Shape{2, 4, 2, 2}, {.groups = 2},
          "the input has 2 channels in each of 2 groups, the weight takes 4");
  refused(Shape{1, 4, 5, 5}, Shape{2, 4, 2, 2}, {.groups = 2}, "of one group: 4 / 2 = 2");
  refused(Shape{1, 1, 5, 5}, Shape{1, 1, 2, 2}, {.groups = 0},
          "there are 0 groups, and must be at least 1");
  refused(Shape{1, 1, 5, 4}, Shape{1, 1, 5, 5}, {},
          "a kernel of 5 does not fit into the width 4 of the input");
  refused(Shape{1, 1, 2, 9}, Shape{1, 1, 4, 1}, {.padding = {1, 0}, .dilation = 2},
          "a kernel of 4 with dilation 2 spans 7 and does not fit into the height 2 of the input, "
          "with padding 1 on both sides 4");
  refused(Shape{1, 1, 2, 9}, Shape{1, 1, 0, 1}, {}, "the kernel is empty along the height");
  refused(Shape{1, 1, 5, 5}, Shape{1, 1, 2, 2}, {.stride = {1, 0}},
          "the stride is 0, and must be at least 1");
  refused(Shape{1, 1, 5, 5}, Shape{1, 1, 2, 2}, {.padding = -1},
          "the padding is -1, and must be at least 0");
  refused(Shape{1, 1, 5, 5}, Shape{1, 1, 2, 2}, {.dilation = 0},
          "the dilation is 0, and must be at least 1");
  refused(Shape{1, 1, 5, 5}, Shape{1, 1, 2, 2}, {.padding = std::int64_t{1} << 62},
          "and must be at most 1073741824");
  const Tensor flat = x(Shape{1, 1, 3}), window = x(Shape{1, 1, 4});
  BOOST_TEST(says([&] { conv1d(flat, window); },
                  "a kernel of 4 does not fit into the length 3 of the input (in conv1d)"));
}

BOOST_AUTO_TEST_CASE(a_bias_is_one_number_for_each_output_channel) {
  Tape tape;
  const Tensor x = tape.input(weights(Shape{2, 4, 4})), w = tape.input(weights(Shape{3, 2, 2, 2}));
  const Tensor bias = tape.input(weights(Shape{2}));
  const std::size_t size = tape.size();
  std::string here;
  const std::string text = refusal([&] { here = line(), conv2d(x, w, bias); });
  BOOST_TEST(has(text,
                 "conv2d: (2, 4, 4) and (3, 2, 2, 2) and (2): the bias must be (3), one number "
                 "for each output channel"),
             text);
  BOOST_TEST(has(text, "bias    %2 input"), text);
  BOOST_TEST(has(text, "at      " + here), text);
  BOOST_TEST(tape.size() == size);
}

BOOST_AUTO_TEST_CASE(operands_of_a_convolution_live_on_one_tape) {
  Tape tape, other;
  const Tensor x = tape.input(weights(Shape{1, 4})), w = tape.input(weights(Shape{1, 1, 2}));
  const Tensor bias = other.input({1.0});
  BOOST_TEST(says([&] { conv1d(x, w, bias); }, "operands from two tapes"));
  BOOST_TEST(says([&] { conv1d(3.0, w); }, "the input has 0 axes"));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_pool_is_said_with_its_numbers) {
  Tape tape;
  const Tensor x = tape.input(weights(Shape{1, 5, 4})), flat = tape.input(weights(Shape{5, 4}));
  const Tensor empty = tape.input(Array(Shape{1, 0, 4}, Numbers{}));
  const std::size_t size = tape.size();
  std::string here;
  const std::string text = refusal([&] { here = line(), max_pool2d(x, {.kernel = 5}); });
  BOOST_TEST(has(text,
                 "max_pool2d: (1, 5, 4): a kernel of 5 does not fit into the width 4 of the "
                 "input"),
             text);
  BOOST_TEST(has(text, "at     " + here), text);
  BOOST_TEST(says([&] { avg_pool2d(flat, {.kernel = 2}); },
                  "the input has 2 axes, and must be (N, C, H, W), or (C, H, W) for one sample"));
  BOOST_TEST(
      says([&] { max_pool2d(x, {.kernel = 0}); }, "the kernel is 0, and must be at least 1"));
  BOOST_TEST(says([&] { max_pool2d(x, {.kernel = 2, .stride = {1, 0}}); }, "the stride is 0"));
  BOOST_TEST(says([&] { max_pool2d(x, {.kernel = 3, .padding = 2}); },
                  "a padding of 2 is more than half of a kernel of 3"));
  BOOST_TEST(says([&] { max_pool2d(empty, {.kernel = 2, .padding = 1}); },
                  "an image without pixels has no windows"));
  BOOST_TEST(tape.size() == size);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
