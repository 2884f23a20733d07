// The vocabulary at singular points, ties and extremes, and against closed forms and plain loops.
// Cases that other libraries once got wrong carry the letter and number of the table of such bugs.
// What holds for every op (derivatives, broadcasting, precision, replay) is in catalogue_test.cpp.
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/differentiation/autodiff.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/error.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
namespace tt = boost::test_tools;
using tg::Array, tg::Axes, tg::Error, tg::Shape, tg::Tape, tg::Tensor;
using Numbers = std::vector<double>;
using Function = std::function<Tensor(const Tensor&)>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

double value(const Function& f, double x) {
  Tape tape;
  return f(tape.input(x)).item();
}
double slope(const Function& f, double x) {
  Tape tape;
  const Tensor leaf = tape.input(x);
  return gradient(f(leaf), leaf).item();
}
double bend(const Function& f, double x) {
  Tape tape;
  const Tensor leaf = tape.input(x);
  return gradient(gradient(f(leaf), leaf), leaf).item();
}

std::size_t count(const Shape& shape) { return static_cast<std::size_t>(shape.numel()); }

/// 0, 1, 2, ... in a shape.
Array counting(const Shape& shape) {
  Numbers values(count(shape));
  std::iota(values.begin(), values.end(), 0.0);
  return Array(shape, values);
}
/// Numbers from -1 to 1, the same in every run.
Array scattered(const Shape& shape, unsigned seed = 1) {
  return tg::Random(seed).uniform(-1, 1, shape);
}

#define CHECK_NUMBERS(actual, expected, relative)                       \
  do {                                                                  \
    const Numbers a_ = (actual), e_ = (expected);                       \
    BOOST_TEST(a_ == e_, tt::tolerance(relative) << tt::per_element()); \
  } while (false)

BOOST_AUTO_TEST_SUITE(ops)

// ---------------------------------------------------------------- accumulation and traversal

BOOST_AUTO_TEST_CASE(an_operand_used_twice_gets_both_shares) {  // A1
  BOOST_TEST(slope([](const Tensor& x) { return x + x; }, 3) == 2);
  BOOST_TEST(slope([](const Tensor& x) { return x * x; }, 3) == 6);
  BOOST_TEST(slope([](const Tensor& x) { return x - x; }, 3) == 0);
  BOOST_TEST(slope([](const Tensor& x) { return x / x; }, 3) == 0);
  BOOST_TEST(slope([](const Tensor& x) { return pow(x, x); }, 2) == 4 * (1 + std::log(2.0)),
             tt::tolerance(1e-15));
  BOOST_TEST(slope([](const Tensor& x) { return maximum(x, x); }, 3) == 1);
  BOOST_TEST(slope([](const Tensor& x) { return where(x > 0, x, x); }, 3) == 1);
}

BOOST_AUTO_TEST_CASE(a_diamond_is_swept_once_per_record) {  // A2
  Tape tape;
  const Tensor a = tape.input(3.0);
  const Tensor b = a + a, c = b + b;
  const std::size_t before = tape.size();
  const Tensor g = gradient(c, a);
  BOOST_TEST(g.item() == 4);
  BOOST_TEST(tape.size() - before <= 3u);  // the seed, and one sum for each record on the path
}

BOOST_AUTO_TEST_CASE(reuse_costs_one_visit_per_record_however_many_paths_there_are) {  // A3
  Tape tape;
  const Tensor x = tape.input(1.0);
  Tensor sum = x, product = x;
  for (int i = 0; i < 40; ++i) sum = sum + sum;
  for (int i = 0; i < 200; ++i) product = product * product;
  const std::size_t before = tape.size();
  BOOST_TEST(gradient(sum, x).item() == std::ldexp(1.0, 40));
  BOOST_TEST(gradient(product, x).item() == std::ldexp(1.0, 200));
  BOOST_TEST(tape.size() - before < 3 * 240u + 10);
}

BOOST_AUTO_TEST_CASE(asking_twice_gives_the_same_gradient_and_adds_no_records) {  // A5, A6
  Tape tape;
  const Tensor x = tape.parameter({1.0, 2.0});
  const Tensor y = sum(x * x);
  const Tensor first = gradient(y, x);
  const std::size_t size = tape.size();
  const Tensor second = gradient(y, x);
  BOOST_TEST(tape.size() == size);
  BOOST_TEST(second.values() == Numbers({2, 4}));
  BOOST_TEST(first.values() == Numbers({2, 4}));
}

BOOST_AUTO_TEST_CASE(running_the_same_records_again_gives_the_same_bits) {  // A7
  Tape tape(tg::float32);
  const Tensor x = tape.input(scattered(Shape{100, 7}));
  const Tensor y = sum(sigmoid(x) * x, 0), g = gradient(sum(y), x);
  const Numbers first = y.values(), first_gradient = g.values();
  tape.replay(y, g);
  BOOST_TEST(y.values() == first);
  BOOST_TEST(g.values() == first_gradient);
  BOOST_TEST((sum(sigmoid(x) * x, 0).values() == first));
}

BOOST_AUTO_TEST_CASE(a_leaf_has_slope_1_by_itself_and_0_by_another) {  // A8
  Tape tape;
  const Tensor x = tape.parameter(3.0), other = tape.parameter({1.0, 2.0});
  BOOST_TEST(gradient(x, x).item() == 1);
  const auto [gx, g_other] = gradient(x * x, x, other);
  BOOST_TEST(gx.item() == 6);
  BOOST_TEST(g_other.values() == Numbers(2));
  BOOST_CHECK_THROW(gradient(x * x, other), Error);
  const Tensor y = x * x;
  BOOST_TEST(gradient(y, y).item() == 1);
}

BOOST_AUTO_TEST_CASE(many_numbers_need_a_seed_of_their_shape) {  // A9
  Tape tape;
  const Tensor x = tape.parameter({1.0, 2.0});
  const Tensor y = x * x;
  BOOST_TEST(has(refusal([&] { gradient(y, x); }), "implicitly created only for one number"));
  BOOST_TEST(has(refusal([&] {
                   gradient(tg::seeded(y, tape.constant({1, 2, 3})), x);
                 }),
                 "the seed has the shape (3), the tensor (2)"));
  BOOST_CHECK_THROW(gradient(tg::seeded(y, 1.0), x), Error);
  BOOST_TEST(gradient(tg::seeded(y, tape.constant({1, 10})), x).values() == Numbers({2, 40}));
}

BOOST_AUTO_TEST_CASE(what_the_result_does_not_need_is_neither_swept_nor_run) {  // A10
  Tape tape;
  const Tensor x = tape.input(3.0);
  const Tensor square_of_x = x * x;
  const Tensor unused = log(x - 5.0);
  const std::size_t before = tape.size();
  const Tensor g = gradient(square_of_x, x);
  const std::size_t swept = tape.size() - before;
  BOOST_TEST(std::isnan(unused.item()));
  BOOST_TEST(g.item() == 6);
  BOOST_TEST(swept <= 4u);  // the seed, two products, their sum
  x.set(4.0);
  tape.replay(square_of_x, g);
  BOOST_TEST(g.item() == 8);
  BOOST_TEST(has(refusal([&] { unused.item(); }), "out of date"));
}

BOOST_AUTO_TEST_CASE(a_bias_of_several_micro_batches_gets_the_sum) {  // A11
  Tape tape;
  const Tensor bias = tape.parameter({0.5, -1.0});
  Tensor loss = tape.constant(0.0);
  for (int batch = 1; batch <= 3; ++batch)
    loss += sum((tape.input({{1, 2}, {3, 4}}) + bias) * static_cast<double>(batch));
  BOOST_TEST(gradient(loss, bias).values() == Numbers({12, 12}));  // 2 rows, 1 + 2 + 3
}

// ---------------------------------------------------------------- broadcasting and reductions

BOOST_AUTO_TEST_CASE(stretched_operands_get_the_sum_over_the_stretched_axes) {  // C1, C2, C3
  Tape tape;
  const auto shares = [&](const Array& a, const Array& b) {
    const Tensor x = tape.parameter(a), y = tape.parameter(b);
    const auto [gx, gy] = gradient(sum(x * y), x, y);
    BOOST_TEST((gx.shape() == a.shape()));
    BOOST_TEST((gy.shape() == b.shape()));
    return std::pair(gx.values(), gy.values());
  };
  const auto ones = [](const Shape& shape) { return Array(shape, Numbers(count(shape), 1.0)); };
  BOOST_TEST(
      (shares(ones(Shape{3, 1}), ones(Shape{1, 2})) == std::pair(Numbers(3, 2), Numbers(2, 3))));
  BOOST_TEST((shares(ones(Shape{}), ones(Shape{2, 2})) == std::pair(Numbers(1, 4), Numbers(4, 1))));
  BOOST_TEST(
      (shares(ones(Shape{1}), ones(Shape{5, 4})) == std::pair(Numbers(1, 20), Numbers(20, 1))));
  BOOST_TEST((shares(Array(Shape{2, 1}, {1, 2}), Array(Shape{1, 3}, {3, 4, 5})) ==
              std::pair(Numbers({12, 12}), Numbers({3, 3, 3}))));
  BOOST_TEST((shares(Array(Shape{3}, {1, 2, 3}), counting(Shape{2, 3})) ==
              std::pair(Numbers({0 + 3, 1 + 4, 2 + 5}), Numbers({1, 2, 3, 1, 2, 3}))));
  // (B, 1, T, H) * (B, 1, T, 1)
  BOOST_TEST(
      (shares(ones(Shape{2, 1, 2, 3}), counting(Shape{2, 1, 2, 1})).second == Numbers(4, 3)));
  BOOST_TEST((shares(ones(Shape{2, 1, 2, 3}), counting(Shape{2, 1, 2, 1})).first ==
              Numbers({0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3})));
  // both sides stretch along several axes
  BOOST_TEST((shares(ones(Shape{2, 1, 3, 1}), ones(Shape{4, 1, 5})) ==
              std::pair(Numbers(6, 20), Numbers(20, 6))));
}

BOOST_AUTO_TEST_CASE(a_bias_row_beside_a_product_keeps_its_shape) {  // C4
  Tape tape;
  const Tensor x = tape.parameter(scattered(Shape{4, 2})),
               w = tape.parameter(scattered(Shape{2, 3}));
  const Tensor row = tape.parameter({{0.1, 0.2, 0.3}}), vector = tape.parameter({0.1, 0.2, 0.3});
  const auto [gx, gw, g_row, g_vector] =
      gradient(sum(matmul(x, w) + row + vector), x, w, row, vector);
  BOOST_TEST((gx.shape() == Shape{4, 2}));
  BOOST_TEST((gw.shape() == Shape{2, 3}));
  BOOST_TEST((g_row.shape() == Shape{1, 3}));
  BOOST_TEST((g_vector.shape() == Shape{3}));
  BOOST_TEST(g_row.values() == Numbers({4, 4, 4}));
  BOOST_TEST(g_vector.values() == Numbers({4, 4, 4}));
}

BOOST_AUTO_TEST_CASE(
    choices_and_powers_stretch_like_sums) {  // C5, C6; all patterns: catalogue_test
  Tape tape;
  const Tensor column = tape.parameter(Array(Shape{2, 1}, {2, 3})),
               row = tape.parameter({1.0, 2.0, 4.0});
  {
    const auto [base, exponent] = gradient(sum(pow(column, row)), column, row);
    CHECK_NUMBERS(base.values(), Numbers({1 + 4 + 32, 1 + 6 + 108}), 1e-14);
    const double l2 = std::log(2.0), l3 = std::log(3.0);
    CHECK_NUMBERS(exponent.values(), Numbers({2 * l2 + 3 * l3, 4 * l2 + 9 * l3, 16 * l2 + 81 * l3}),
                  1e-14);
  }
  {
    const auto [x, y] = gradient(sum(where(column > 2.5, column, row)), column, row);
    BOOST_TEST(x.values() == Numbers({0, 3}));
    BOOST_TEST(y.values() == Numbers({1, 1, 1}));
  }
  {
    const auto [x, y] = gradient(sum(maximum(column, row)), column, row);
    BOOST_TEST(x.values() == Numbers({1 + 0.5 + 0, 2}));  // 2 and 2 are a tie
    BOOST_TEST(y.values() == Numbers({0, 0.5, 2}));
  }
  {
    const Tensor low = tape.parameter(2.5);
    const auto [x, bound, high] = gradient(sum(clamp(row, low, column)), row, low, column);
    // row: 1 2 4; against 2: all above; against 3: 2.5 2.5 3
    BOOST_TEST(x.values() == Numbers({0, 0, 0}));
    BOOST_TEST(bound.item() == 2);
    BOOST_TEST(high.values() == Numbers({3, 1}));
  }
}

BOOST_AUTO_TEST_CASE(an_assigned_value_does_not_stretch) {  // C7
  Tape tape;
  const Tensor state = tape.state({{1, 2}, {3, 4}});
  BOOST_TEST(has(refusal([&] { assign(state, tape.input({1, 2})); }), "its own shape"));
  BOOST_TEST(has(refusal([&] { assign(tape.input(1.0), tape.input(1.0)); }),
                 "only state and parameter leaves"));
}

/// Reductions over axes, given as bits, by plain loops: which result each element belongs to.
struct PlainReduction {
  Shape kept, dropped;
  std::vector<std::size_t> result;  // of each element

  PlainReduction(const Shape& shape, unsigned bits) : kept(shape) {
    std::vector<std::int64_t> rest;
    for (int axis = 0; axis < shape.rank(); ++axis)
      if (bits >> axis & 1u)
        kept.set(axis, 1);
      else
        rest.push_back(shape[axis]);
    dropped = Shape(rest);
    for (std::size_t i = 0; i < count(shape); ++i) {
      std::size_t left = i, place = 0, stride = 1;
      for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        const auto extent = static_cast<std::size_t>(shape[axis]);
        if ((bits >> axis & 1u) == 0) {
          place += left % extent * stride;
          stride *= extent;
        }
        left /= extent;
      }
      result.push_back(place);
    }
  }
  Numbers fold(const Numbers& x, double start,
               const std::function<double(double, double)>& f) const {
    Numbers y(count(kept), start);
    for (std::size_t i = 0; i < x.size(); ++i) y[result[i]] = f(y[result[i]], x[i]);
    return y;
  }
  Numbers spread(const Numbers& y) const {
    Numbers x;
    for (std::size_t place : result) x.push_back(y[place]);
    return x;
  }
};

BOOST_AUTO_TEST_CASE(reductions_over_every_choice_of_axes_equal_plain_loops) {  // C8
  const std::pair<Axes, unsigned> choices[] = {
      {0, 1u},         {1, 2u},  {2, 4u},  {{0, 1}, 3u}, {{0, 2}, 5u},   {{1, 2}, 6u},
      {{0, 1, 2}, 7u}, {{}, 7u}, {-1, 4u}, {-3, 1u},     {{-1, -3}, 5u}, {{2, 0}, 5u}};
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{2, 1, 3}, Shape{1, 1, 1}, Shape{3, 20, 70}})
    for (const auto& [axes, bits] : choices)
      for (const bool keep : {false, true})
        BOOST_TEST_CONTEXT(tg::text(shape) << " axes " << bits << " keepdim " << keep) {
          Tape tape;
          const Array data = scattered(shape);
          const Numbers x = data.values();
          const PlainReduction plain(shape, bits);
          const Shape expected_shape = keep ? plain.kept : plain.dropped;
          const Tensor leaf = tape.input(data), seed = tape.input(scattered(expected_shape, 2));
          const Numbers v = plain.spread(seed.values());
          const auto check = [&](const Tensor& y, const Numbers& expected, const Numbers& slopes) {
            BOOST_TEST((y.shape() == expected_shape));
            CHECK_NUMBERS(y.values(), expected, 1e-11);
            CHECK_NUMBERS(gradient(tg::seeded(y, seed), leaf).values(), slopes, 1e-11);
          };
          const Numbers total = plain.fold(x, 0, std::plus<>());
          const Numbers largest =
              plain.fold(x, -infinity, [](double a, double b) { return std::max(a, b); });
          const double n = static_cast<double>(x.size()) / static_cast<double>(total.size());
          Numbers means = total, mean_slopes = v, max_slopes = v, exponential = x,
                  softmax_slopes = v;
          for (double& m : means) m /= n;
          for (double& g : mean_slopes) g /= n;
          const Numbers at = plain.spread(largest);
          for (std::size_t i = 0; i < x.size(); ++i) {
            max_slopes[i] *= x[i] == at[i] ? 1.0 : 0.0;
            exponential[i] = std::exp(x[i]);
          }
          Numbers logs = plain.fold(exponential, 0, std::plus<>());
          const Numbers sums = plain.spread(logs);
          for (double& l : logs) l = std::log(l);
          for (std::size_t i = 0; i < x.size(); ++i) softmax_slopes[i] *= exponential[i] / sums[i];
          check(sum(leaf, axes, keep), total, v);
          check(mean(leaf, axes, keep), means, mean_slopes);
          check(max(leaf, axes, keep), largest, max_slopes);
          check(logsumexp(leaf, axes, keep), logs, softmax_slopes);
        }
}

BOOST_AUTO_TEST_CASE(an_axis_that_is_not_there_or_named_twice_is_refused) {  // C8
  Tape tape;
  const Tensor x = tape.input(counting(Shape{2, 3}));
  BOOST_TEST(has(refusal([&] { sum(x, 2); }), "sum: (2, 3): there is no axis 2"));
  BOOST_TEST(has(refusal([&] { mean(x, -3); }), "mean: (2, 3): there is no axis -3"));
  BOOST_TEST(has(refusal([&] { max(x, {0, -2}); }), "axis -2 is named twice"));
  BOOST_TEST(has(refusal([&] { softmax(x, 2); }), "there is no axis 2"));
}

BOOST_AUTO_TEST_CASE(nothing_sums_to_0_has_no_mean_and_no_largest_element) {  // C9
  Tape tape;
  const Tensor none = tape.input(Array(Shape{0}, {})), columns = tape.input(Array(Shape{0, 2}, {}));
  BOOST_TEST(sum(none).item() == 0);
  BOOST_TEST(std::isnan(mean(none).item()));
  BOOST_TEST(logsumexp(none).item() == -infinity);
  BOOST_TEST(sum(columns, 0).values() == Numbers(2));
  BOOST_TEST(std::isnan(mean(columns, 0).at(1)));
  BOOST_TEST(mean(columns, 1).values() == Numbers());
  BOOST_CHECK_THROW(max(none), Error);
  BOOST_CHECK_THROW(max(columns, 0), Error);
  BOOST_CHECK_THROW(tg::max_with_index(columns, 0), Error);
  BOOST_TEST(max(columns, 1).values() == Numbers());
  for (const Tensor& y : {sum(columns), mean(columns), logsumexp(columns)})
    BOOST_TEST((gradient(y, columns).shape() == Shape{0, 2}));
}

BOOST_AUTO_TEST_CASE(the_mean_divides_by_what_it_adds) {  // C9
  Tape tape;
  const Tensor x = tape.input(counting(Shape{2, 3}));
  BOOST_TEST(mean(x).item() == 2.5);
  BOOST_TEST(mean(x, 0).values() == Numbers({1.5, 2.5, 3.5}));
  BOOST_TEST(mean(x, 1).values() == Numbers({1, 4}));
  CHECK_NUMBERS(gradient(mean(x), x).values(), Numbers(6, 1.0 / 6), 1e-15);
  CHECK_NUMBERS(gradient(sum(mean(x, 1)), x).values(), Numbers(6, 1.0 / 3), 1e-15);
}

BOOST_AUTO_TEST_CASE(shapes_that_do_not_fit_are_refused_with_op_and_both_shapes) {  // C10
  Tape tape;
  const Tensor x = tape.input(counting(Shape{2, 3})), y = tape.input(counting(Shape{2, 4}));
  const std::string text = refusal([&] { x + y; });
  BOOST_TEST(has(text, "add: (2, 3) and (2, 4)"), text);
  BOOST_TEST(has(refusal([&] { where(x, y, 1); }), "where: (2, 3), (2, 4), ()"));
}

BOOST_AUTO_TEST_CASE(a_loss_does_not_stretch_its_target) {  // C11
  Tape tape;
  const Tensor prediction = tape.input(counting(Shape{4, 1})),
               target = tape.input(counting(Shape{4}));
  for (const auto loss :
       {tg::half_squared_error, tg::mse_loss, tg::l1_loss, tg::hinge_loss, tg::kl_div,
        tg::binary_cross_entropy, tg::binary_cross_entropy_with_logits}) {
    const std::string text = refusal([&] { loss(prediction, target, tg::Reduction::mean); });
    BOOST_TEST(has(text, "(4, 1) and (4): prediction and target must have the same shape"), text);
    BOOST_CHECK_THROW(loss(prediction, 1.0, tg::Reduction::mean), Error);
  }
}

// ---------------------------------------------------------------- products of matrices

/// NumPy's matmul by plain loops, with the gradients of <seed, result>.
struct PlainProduct {
  std::vector<std::int64_t> shape;
  Numbers value, left, right;

  PlainProduct(const Array& a, const Array& b, std::function<double(std::size_t)> seed)
      : left(count(a.shape())), right(count(b.shape())) {
    const bool a_vector = a.rank() == 1, b_vector = b.rank() == 1;
    const std::int64_t m = a_vector ? 1 : a.shape()[-2], k = a.shape()[-1];
    const std::int64_t n = b_vector ? 1 : b.shape()[-1];
    const auto batch = [](const Array& x, int back) {  // extents of the batch axes, from the last
      return x.rank() - 2 >= back ? x.shape()[x.rank() - 2 - back] : 1;
    };
    const int batches = std::max({a.rank() - 2, b.rank() - 2, 0});
    std::int64_t total = 1;
    for (int back = batches; back >= 1; --back) {
      shape.push_back(batch(a, back) == 1 ? batch(b, back) : batch(a, back));
      total *= shape.back();
    }
    const auto place = [&](const Array& x, std::int64_t of) {  // which matrix of x
      std::int64_t index = 0, stride = 1;
      for (int back = 1; back <= batches; ++back) {
        const std::int64_t whole = shape[static_cast<std::size_t>(batches - back)];
        if (batch(x, back) > 1) index += of % whole * stride;
        stride *= batch(x, back);
        of /= whole;
      }
      return index;
    };
    const Numbers x = a.values(), y = b.values();
    for (std::int64_t at = 0; at < total; ++at)
      for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t j = 0; j < n; ++j) {
          double sum = 0;
          const double v = seed(value.size());
          for (std::int64_t q = 0; q < k; ++q) {
            const auto l = static_cast<std::size_t>((place(a, at) * m + i) * k + q);
            const auto r = static_cast<std::size_t>((place(b, at) * k + q) * n + j);
            sum += x[l] * y[r];
            left[l] += v * y[r];
            right[r] += v * x[l];
          }
          value.push_back(sum);
        }
    if (!a_vector) shape.push_back(m);
    if (!b_vector) shape.push_back(n);
  }
};

BOOST_AUTO_TEST_CASE(products_of_vectors_matrices_and_batches_equal_plain_loops) {  // D2, D3
  const std::pair<Shape, Shape> pairs[] = {
      {Shape{3}, Shape{3}},
      {Shape{2, 3}, Shape{3}},
      {Shape{3}, Shape{3, 2}},
      {Shape{2, 3}, Shape{3, 4}},
      {Shape{1, 4}, Shape{4, 1}},
      {Shape{4, 1}, Shape{1, 3}},
      {Shape{1, 1}, Shape{1, 1}},
      {Shape{5, 2, 3}, Shape{3, 2}},
      {Shape{2, 3}, Shape{5, 3, 2}},
      {Shape{5, 2, 3}, Shape{5, 3, 2}},
      {Shape{2, 1, 2, 3}, Shape{4, 3, 2}},
      {Shape{2, 4, 2, 3}, Shape{1, 4, 3, 2}},
      {Shape{5, 2, 3}, Shape{3}},
      {Shape{3}, Shape{5, 3, 2}},
      {Shape{13, 17}, Shape{17, 19}},
      {Shape{8, 16}, Shape{16, 24}},
      {Shape{3, 5}, Shape{5, 9}},
      {Shape{3, 5}, Shape{5, 6}},
      {Shape{6, 3}, Shape{3, 6}},
      {Shape{7, 5}, Shape{5, 3}},
      {Shape{0, 3}, Shape{3, 2}},
      {Shape{2, 0}, Shape{0, 3}},
      {Shape{0}, Shape{0}},
      {Shape{0, 2, 3}, Shape{3, 2}},
  };
  for (const auto& [left, right] : pairs)
    for (const tg::Precision precision : {tg::float64, tg::float32})
      BOOST_TEST_CONTEXT(tg::text(left) << " x " << tg::text(right)) {
        Tape tape(precision);
        const Tensor a = tape.input(scattered(left, 1)), b = tape.input(scattered(right, 2));
        const Tensor y = matmul(a, b);
        const Tensor seed = tape.input(scattered(y.shape(), 3));
        const Numbers v = seed.values();
        const PlainProduct plain(a.array(), b.array(), [&](std::size_t i) { return v[i]; });
        BOOST_TEST((y.shape() == Shape(plain.shape)));
        const auto [ga, gb] = gradient(tg::seeded(y, seed), a, b);
        BOOST_TEST((ga.shape() == left));
        BOOST_TEST((gb.shape() == right));
        const auto close = [&](const Numbers& x, const Numbers& expected) {
          BOOST_TEST_REQUIRE(x.size() == expected.size());
          for (std::size_t i = 0; i < x.size(); ++i)
            BOOST_TEST(std::abs(x[i] - expected[i]) < (precision == tg::float64 ? 1e-14 : 1e-5));
        };
        close(y.values(), plain.value);
        close(ga.values(), plain.left);
        close(gb.values(), plain.right);
      }
}

BOOST_AUTO_TEST_CASE(transposed_operands_of_a_product_get_transposed_shares) {  // D1
  for (const bool left_turned : {false, true})
    for (const bool right_turned : {false, true}) BOOST_TEST_CONTEXT(left_turned << right_turned) {
        Tape tape;
        const Tensor a = tape.input(scattered(left_turned ? Shape{3, 2} : Shape{2, 3}));
        const Tensor b = tape.input(scattered(right_turned ? Shape{4, 3} : Shape{3, 4}));
        const Tensor left = left_turned ? transpose(a) : a, right = right_turned ? transpose(b) : b;
        const Tensor seed = tape.input(scattered(Shape{2, 4}));
        const Tensor y = matmul(left, right);
        const auto [ga, gb] = gradient(tg::seeded(y, seed), a, b);
        for (std::int64_t i = 0; i < 2; ++i)
          for (std::int64_t q = 0; q < 3; ++q) {
            double expected = 0;
            for (std::int64_t j = 0; j < 4; ++j) expected += seed.at(i, j) * right.at(q, j);
            BOOST_TEST((left_turned ? ga.at(q, i) : ga.at(i, q)) == expected, tt::tolerance(1e-13));
          }
        for (std::int64_t q = 0; q < 3; ++q)
          for (std::int64_t j = 0; j < 4; ++j) {
            double expected = 0;
            for (std::int64_t i = 0; i < 2; ++i) expected += left.at(i, q) * seed.at(i, j);
            BOOST_TEST((right_turned ? gb.at(j, q) : gb.at(q, j)) == expected,
                       tt::tolerance(1e-13));
          }
      }
}

BOOST_AUTO_TEST_CASE(a_product_over_an_empty_axis_is_zeros) {  // D3
  Tape tape;
  const Tensor a = tape.input(Array(Shape{2, 0}, {})), b = tape.input(Array(Shape{0, 3}, {}));
  BOOST_TEST(matmul(a, b).values() == Numbers(6));
}

BOOST_AUTO_TEST_CASE(matrices_that_do_not_meet_are_refused) {  // D10
  Tape tape;
  const Tensor a = tape.input(counting(Shape{2, 3}));
  const std::string text = refusal([&] { matmul(a, a); });
  BOOST_TEST(has(text, "matmul: (2, 3) x (2, 3): the left has 3 columns, the right 2 rows"), text);
  BOOST_CHECK_THROW(matmul(a, tape.input({1, 2})), Error);
  BOOST_CHECK_THROW(matmul(tape.input({1, 2, 3}), a), Error);
  BOOST_CHECK_THROW(matmul(a, 2.0), Error);
  BOOST_CHECK_THROW(matmul(a, tape.input(2.0)), Error);
  BOOST_CHECK_THROW(
      matmul(tape.input(counting(Shape{2, 2, 3})), tape.input(counting(Shape{3, 3, 2}))), Error);
}

BOOST_AUTO_TEST_CASE(the_seed_of_one_output_gives_its_row_of_the_jacobian) {  // D9
  Tape tape;
  const Tensor x = tape.input(2.0), y = tape.input(5.0);
  const Tensor both = tg::stack({x, y}, 0);
  const Tensor outputs = tg::stack({x * y, square(x), 3 * y}, 0);
  const auto row = [&](const tg::Values& seed) {
    const auto [gx, gy] = gradient(tg::seeded(outputs, tape.constant(seed)), x, y);
    return Numbers({gx.item(), gy.item()});
  };
  BOOST_TEST(row({1, 0, 0}) == Numbers({5, 2}));
  BOOST_TEST(row({0, 1, 0}) == Numbers({4, 0}));
  BOOST_TEST(row({0, 0, 1}) == Numbers({0, 3}));
  // A vector times a matrix: the row of output j is column j of the matrix.
  const Tensor product = matmul(both, tape.input({{1, 2, 3}, {4, 5, 6}}));
  const Tensor second = gradient(tg::seeded(product, tape.constant({0, 1, 0})), both);
  BOOST_TEST(second.values() == Numbers({2, 5}));
}

// ---------------------------------------------------------------- shape and place

/// Where each element of a result came from: the function applied to the numbers of the places.
Numbers sources(const Function& f, const Shape& shape) {
  Tape tape;
  return f(tape.input(counting(shape))).values();
}

BOOST_AUTO_TEST_CASE(what_moves_elements_moves_adjoints_back) {  // D4, D5, D7, D8
  const std::pair<const char*, Function> moves[] = {
      {"transpose", [](const Tensor& x) { return transpose(x); }},
      {"transpose 0 2", [](const Tensor& x) { return transpose(x, 0, 2); }},
      {"permute 2 0 1",
       [](const Tensor& x) {
         return permute(x, {2, 0, 1});
       }},
      {"permute 1 2 0",
       [](const Tensor& x) {
         return permute(x, {1, 2, 0});
       }},
      {"reshape",
       [](const Tensor& x) {
         return reshape(x, {4, -1});
       }},
      {"leading slice", [](const Tensor& x) { return slice(x, 0, 1, 2); }},
      {"slice", [](const Tensor& x) { return slice(x, 1, 1, 3); }},
      {"slice with step", [](const Tensor& x) { return slice(x, 2, 0, 4, 3); }},
      {"broadcast_to",
       [](const Tensor& x) {
         return broadcast_to(x, Shape{2, 2, 3, 4});
       }},
      {"concat with itself",
       [](const Tensor& x) {
         return tg::concat({x, x}, 1);
       }},
      {"stack with itself",
       [](const Tensor& x) {
         return tg::stack({x, x, x}, -1);
       }},
      {"overlapping slices",
       [](const Tensor& x) {
         return tg::concat({slice(x, 2, 0, 3), slice(x, 2, 1, 4)}, 2);
       }},
      {"slice of a transposed slice",
       [](const Tensor& x) { return slice(transpose(slice(x, 0, 1, 2)), 1, 1, 4, 2); }},
      {"reshaped slice", [](const Tensor& x) { return reshape(slice(x, 0, 0, 1), {12}); }},
  };
  const Shape shape{2, 3, 4};
  for (const auto& [name, move] : moves) BOOST_TEST_CONTEXT(name) {
      const Numbers from = sources(move, shape);
      Tape tape;
      const Tensor x = tape.input(scattered(shape));
      const Tensor moved = move(x);
      const Tensor copy = tape.input(moved.array());
      const Tensor weights = tape.input(scattered(moved.shape(), 2));
      const Numbers x_values = x.values(), moved_values = moved.values();
      for (std::size_t i = 0; i < from.size(); ++i)
        BOOST_TEST(moved_values[i] == x_values[static_cast<std::size_t>(from[i])]);
      // An op on the view equals the op on a copy of it.
      const Numbers adjoint = gradient(sum(tanh(copy) * weights), copy).values();
      Numbers expected(count(shape));
      for (std::size_t i = 0; i < from.size(); ++i)
        expected[static_cast<std::size_t>(from[i])] += adjoint[i];
      CHECK_NUMBERS(gradient(sum(tanh(moved) * weights), x).values(), expected, 1e-14);
      // An adjoint that is one number, stretched, as sum gives it.
      Numbers times(count(shape));
      for (double place : from) times[static_cast<std::size_t>(place)] += 1;
      BOOST_TEST(gradient(sum(moved), x).values() == times);
    }
}

BOOST_AUTO_TEST_CASE(a_permutation_that_is_not_its_own_inverse_is_undone_by_its_inverse) {  // D8
  Tape tape;
  const Tensor x = tape.input(counting(Shape{2, 3, 4}));
  const Tensor y = permute(x, {2, 0, 1});
  BOOST_TEST((y.shape() == Shape{4, 2, 3}));
  BOOST_TEST(y.at(3, 1, 2) == x.at(1, 2, 3));
  BOOST_TEST((permute(y, {1, 2, 0}).array() == x.array()));
  const Tensor seed = tape.input(counting(Shape{4, 2, 3}));
  const Tensor g = gradient(tg::seeded(y, seed), x);
  BOOST_TEST((g.shape() == x.shape()));
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t j = 0; j < 3; ++j)
      for (std::int64_t k = 0; k < 4; ++k) BOOST_TEST(g.at(i, j, k) == seed.at(k, i, j));
  BOOST_TEST((permute(x, {-1, -3, -2}).array() == y.array()));
  BOOST_CHECK_THROW(permute(x, {0, 1}), Error);
  BOOST_CHECK_THROW(permute(x, {0, 1, 1}), Error);
  BOOST_CHECK_THROW(permute(x, {0, 1, 3}), Error);
}

BOOST_AUTO_TEST_CASE(transposing_exchanges_two_axes) {
  Tape tape;
  const Tensor x = tape.input(counting(Shape{2, 3, 4}));
  BOOST_TEST((transpose(x).shape() == Shape{2, 4, 3}));
  BOOST_TEST(transpose(x).at(1, 3, 2) == x.at(1, 2, 3));
  BOOST_TEST((transpose(x, 0, -1).shape() == Shape{4, 3, 2}));
  BOOST_TEST(transpose(x, 0, -1).at(3, 2, 1) == x.at(1, 2, 3));
  BOOST_CHECK_THROW(transpose(tape.input({1, 2})), Error);
}

BOOST_AUTO_TEST_CASE(slices_are_those_of_numpy) {
  Tape tape;
  const Tensor x = tape.input(counting(Shape{10}));
  BOOST_TEST(slice(x, 0, 2, 5).values() == Numbers({2, 3, 4}));
  BOOST_TEST(slice(x, 0, -3, 10).values() == Numbers({7, 8, 9}));
  BOOST_TEST(slice(x, 0, -3, -1).values() == Numbers({7, 8}));
  BOOST_TEST(slice(x, 0, 8, 100).values() == Numbers({8, 9}));
  BOOST_TEST(slice(x, 0, -100, 2).values() == Numbers({0, 1}));
  BOOST_TEST(slice(x, 0, 5, 2).values() == Numbers());
  BOOST_TEST(slice(x, 0, 100, 200).values() == Numbers());
  BOOST_TEST(slice(x, 0, 0, 10, 4).values() == Numbers({0, 4, 8}));
  BOOST_TEST(slice(x, 0, 1, 9, 4).values() == Numbers({1, 5}));
  BOOST_TEST(slice(x, 0, -9, -1, 7).values() == Numbers({1, 8}));
  const Tensor table = tape.input(counting(Shape{3, 4}));
  BOOST_TEST(slice(table, 0, 1, 3).values() == Numbers({4, 5, 6, 7, 8, 9, 10, 11}));
  BOOST_TEST(slice(table, -1, 1, 3).values() == Numbers({1, 2, 5, 6, 9, 10}));
  BOOST_TEST((slice(table, 1, 4, 9).shape() == Shape{3, 0}));
  BOOST_CHECK_THROW(slice(x, 0, 0, 10, 0), Error);
  BOOST_TEST(slice(x, 0, 0, 10, -1).values() == Numbers());
  BOOST_CHECK_THROW(slice(x, 1, 0, 1), Error);
  BOOST_CHECK_THROW(slice(tape.input(1.0), 0, 0, 1), Error);
}

BOOST_AUTO_TEST_CASE(parts_are_joined_along_an_axis_or_a_new_one) {  // D7
  Tape tape;
  const Tensor a = tape.input({{1, 2}, {3, 4}}), b = tape.input({{5}, {6}}),
               c = tape.input({{7, 8}});
  BOOST_TEST(tg::concat({a, b}, 1).values() == Numbers({1, 2, 5, 3, 4, 6}));
  BOOST_TEST(tg::concat({b, a, b}, -1).values() == Numbers({5, 1, 2, 5, 6, 3, 4, 6}));
  BOOST_TEST(tg::concat({a, c}, 0).values() == Numbers({1, 2, 3, 4, 7, 8}));
  BOOST_TEST(tg::concat(std::vector<Tensor>{a, c}, -2).values() == Numbers({1, 2, 3, 4, 7, 8}));
  BOOST_TEST((tg::stack({a, a}, 0).shape() == Shape{2, 2, 2}));
  BOOST_TEST(tg::stack({c, c}, 1).values() == Numbers({7, 8, 7, 8}));
  const Tensor d = 10 * c;
  BOOST_TEST(tg::stack({c, d}, -1).values() == Numbers({7, 70, 8, 80}));
  BOOST_TEST((tg::stack({c, d}, -1).shape() == Shape{1, 2, 2}));
  BOOST_TEST(tg::stack({sum(c), sum(d)}, 0).values() == Numbers({15, 150}));
  BOOST_CHECK_THROW(tg::concat({a, b}, 0), Error);
  BOOST_CHECK_THROW(tg::concat({a, sum(a)}, 0), Error);
  BOOST_CHECK_THROW(tg::concat({}, 0), Error);
  BOOST_CHECK_THROW(tg::stack({a, b}, 0), Error);
  BOOST_CHECK_THROW(tg::stack({a, a}, 3), Error);

  const auto [ga, gb] =
      gradient(sum(tg::concat({a, b, a}, 1) * tape.input(counting(Shape{2, 5}))), a, b);
  BOOST_TEST(ga.values() == Numbers({0 + 3, 1 + 4, 5 + 8, 6 + 9}));
  BOOST_TEST(gb.values() == Numbers({2, 7}));
}

BOOST_AUTO_TEST_CASE(runs_of_any_length_are_cut_out_joined_and_put_back) {
  for (const std::int64_t run : {1, 2, 5, 15, 16, 17}) BOOST_TEST_CONTEXT("runs of " << run) {
      Tape tape;
      const Array numbers = counting(Shape{70, 5, run});
      const Tensor x = tape.input(numbers);
      const Tensor part = slice(x, 1, 1, 4), odd = slice(x, 1, 1, 4, 2), back = tg::flip(x, 1);
      const Tensor both = tg::concat({x, -x}, 2);
      const Tensor covered = gradient(sum(part) + 2 * sum(odd), x);
      bool right = true;
      for (std::int64_t i = 0; i < 70; ++i)
        for (std::int64_t a = 0; a < 5; ++a)
          for (std::int64_t j = 0; j < run; ++j) {
            const double here = numbers.at(i, a, j);
            right = right && back.at(i, 4 - a, j) == here;
            right = right && both.at(i, a, j) == here && both.at(i, a, run + j) == -here;
            right = right && (a < 1 || a > 3 || part.at(i, a - 1, j) == here);
            right = right && covered.at(i, a, j) == (a % 2 == 1 ? 3 : a == 2 ? 1 : 0);
            right = right && (a % 2 == 0 || odd.at(i, a / 2, j) == here);
          }
      BOOST_TEST(right);
    }
}

BOOST_AUTO_TEST_CASE(hundreds_of_parts_are_joined) {
  Tape tape;
  std::vector<Tensor> parts;
  for (int i = 0; i < 300; ++i) parts.push_back(tape.input({i}));
  const Tensor y = tg::concat(parts, 0);
  BOOST_TEST(y.numel() == 300);
  BOOST_TEST(y.at(299) == 299);
  BOOST_TEST(gradient(sum(y * y), parts[299]).item() == 598);
}

BOOST_AUTO_TEST_CASE(an_element_gathered_twice_gets_two_shares) {  // D6
  Tape tape;
  const Tensor x = tape.input({5.0, 7.0, 9.0});
  const Tensor y = gather(x, 0, tape.constant({0, 0, 1}));
  BOOST_TEST(y.values() == Numbers({5, 5, 7}));
  BOOST_TEST(gradient(sum(y), x).values() == Numbers({2, 1, 0}));
  BOOST_TEST(gradient(sum(gradient(sum(y * y), x)), x).values() == Numbers({4, 2, 0}));
}

BOOST_AUTO_TEST_CASE(gather_selects_along_its_axis_as_pytorch_does) {
  Tape tape;
  const Tensor x = tape.input({{1, 2, 3}, {4, 5, 6}});
  BOOST_TEST(gather(x, 1, tape.constant({{2, 0}, {1, 1}})).values() == Numbers({3, 1, 5, 5}));
  BOOST_TEST(gather(x, 0, tape.constant({{1, 0, 1}})).values() == Numbers({4, 2, 6}));
  BOOST_TEST(gather(x, -2, tape.constant({{1, 0}})).values() == Numbers({4, 2}));
  const auto wrong = [&](const tg::Values& index) {
    return refusal([&] { gather(x, 1, tape.constant(index)); });
  };
  BOOST_TEST(has(wrong({{3}}), "index 3 is not a place on axis 1, whose extent is 3"));
  BOOST_TEST(has(wrong({{-1}}), "index -1"));
  BOOST_TEST(has(wrong({{0.5}}), "index 0.5"));
  BOOST_TEST(has(wrong({{not_a_number}}), "index nan"));
  BOOST_TEST(has(wrong({{infinity}}), "index inf"));
  BOOST_TEST(has(wrong({{1e300}}), "index 1e+300"));
  BOOST_CHECK_THROW(gather(x, 1, tape.constant({0})), Error);
  BOOST_CHECK_THROW(gather(x, 1, tape.constant({{0}, {0}, {0}})), Error);
}

BOOST_AUTO_TEST_CASE(one_extent_of_a_reshape_may_be_left_open) {  // D10
  Tape tape;
  const Tensor x = tape.input(counting(Shape{2, 6}));
  BOOST_TEST((reshape(x, {3, -1}).shape() == Shape{3, 4}));
  BOOST_TEST((reshape(x, {-1}).shape() == Shape{12}));
  BOOST_TEST((reshape(x, {2, -1, 6}).shape() == Shape{2, 1, 6}));
  BOOST_TEST((reshape(x, {2, 3, 2}).values() == x.values()));
  BOOST_TEST((reshape(sum(x), {1, 1}).shape() == Shape{1, 1}));
  BOOST_TEST((reshape(slice(x, 0, 0, 1), Shape{6}).shape() == Shape{6}));
  BOOST_TEST((reshape(tape.input(Array(Shape{0, 3}, {})), {-1, 3}).shape() == Shape{0, 3}));
  BOOST_CHECK_THROW(reshape(x, {-1, -1}), Error);
  BOOST_CHECK_THROW(reshape(x, {5, -1}), Error);
  BOOST_CHECK_THROW(reshape(x, {0, -1}), Error);
  BOOST_TEST(has(refusal([&] { reshape(x, {3, 3}); }), "reshape: (2, 6): 12 elements do not fit"));
}

BOOST_AUTO_TEST_CASE(only_extents_of_1_are_stretched) {
  Tape tape;
  const Tensor x = tape.input({{1}, {2}});
  BOOST_TEST(broadcast_to(x, Shape{2, 3}).values() == Numbers({1, 1, 1, 2, 2, 2}));
  BOOST_TEST((broadcast_to(x, Shape{2, 2, 3}).shape() == Shape{2, 2, 3}));
  BOOST_CHECK_THROW(broadcast_to(x, Shape{3, 3}), Error);
  BOOST_CHECK_THROW(broadcast_to(x, Shape{2}), Error);
}

BOOST_AUTO_TEST_CASE(nothing_flows_through_detach) {
  Tape tape;
  const Tensor x = tape.input(3.0);
  BOOST_TEST(detach(x).item() == 3);
  BOOST_TEST(gradient(x * detach(x), x).item() == 3);
  BOOST_CHECK_THROW(gradient(detach(x), x), Error);
}

// ---------------------------------------------------------------- singular points

BOOST_AUTO_TEST_CASE(kinks_and_steps_have_slope_0) {  // E1
  BOOST_TEST(slope([](const Tensor& x) { return relu(x); }, 0) == 0);
  BOOST_TEST(slope([](const Tensor& x) { return relu(x); }, -0.0) == 0);
  BOOST_TEST(slope([](const Tensor& x) { return abs(x); }, 0) == 0);
  BOOST_TEST(slope([](const Tensor& x) { return sign(x); }, 0) == 0);
  BOOST_TEST(slope([](const Tensor& x) { return sign(x); }, 2) == 0);
  BOOST_TEST(slope([](const Tensor& x) { return leaky_relu(x, 0.1); }, 0) == 0.1);
  BOOST_TEST(value([](const Tensor& x) { return sign(x); }, 0) == 0);
}

BOOST_AUTO_TEST_CASE(kinks_have_the_slope_of_each_side) {
  BOOST_TEST(slope([](const Tensor& x) { return relu(x); }, 2) == 1);
  BOOST_TEST(slope([](const Tensor& x) { return relu(x); }, -2) == 0);
  BOOST_TEST(slope([](const Tensor& x) { return abs(x); }, 2) == 1);
  BOOST_TEST(slope([](const Tensor& x) { return abs(x); }, -2) == -1);
  BOOST_TEST(slope([](const Tensor& x) { return leaky_relu(x); }, 2) == 1);
  BOOST_TEST(slope([](const Tensor& x) { return leaky_relu(x); }, -2) == 0.01);
  BOOST_TEST(value([](const Tensor& x) { return leaky_relu(x); }, -2) == -0.02);
  BOOST_TEST(value([](const Tensor& x) { return sign(x); }, -2) == -1);
  BOOST_TEST(slope([](const Tensor& s) { return leaky_relu(s * 0.0 - 2.0, s); }, 0.5) == -2);
  BOOST_TEST(slope([](const Tensor& s) { return leaky_relu(s * 0.0 + 2.0, s); }, 0.5) == 0);
}

BOOST_AUTO_TEST_CASE(infinite_slopes_are_infinite_and_cut_off_by_a_zero_adjoint) {  // E2
  const Function root = [](const Tensor& x) { return sqrt(x); };
  const Function logarithm = [](const Tensor& x) { return log(x); };
  const Function reciprocal = [](const Tensor& x) { return 1 / x; };
  BOOST_TEST(slope(root, 0) == infinity);
  BOOST_TEST(slope(logarithm, 0) == infinity);
  BOOST_TEST(slope(reciprocal, 0) == -infinity);
  for (const Function& f : {root, logarithm, reciprocal}) {
    Tape tape;
    const Tensor x = tape.input(0.0);
    BOOST_TEST(gradient(tg::seeded(f(x), tape.constant(0.0)), x).item() == 0);
    BOOST_TEST(gradient(x * 5 + where(tape.constant(0), f(x), 1), x).item() == 5);
  }
}

BOOST_AUTO_TEST_CASE(the_length_of_a_zero_vector_composed_by_hand_has_no_slope) {  // E4
  Tape tape;
  const Tensor x = tape.input({0.0, 0.0});
  for (double g : gradient(sqrt(sum(x * x)), x).values()) BOOST_TEST(std::isnan(g));
}

BOOST_AUTO_TEST_CASE(powers_at_0_have_the_slopes_of_their_polynomials) {  // E6
  const auto at_zero = [](double p) {
    return slope([p](const Tensor& x) { return pow(x, p); }, 0);
  };
  BOOST_TEST(at_zero(0) == 0);
  BOOST_TEST(at_zero(1) == 1);
  BOOST_TEST(at_zero(2) == 0);
  BOOST_TEST(at_zero(3) == 0);
  BOOST_TEST(at_zero(0.5) == infinity);
  BOOST_TEST(at_zero(-1) == -infinity);
  BOOST_TEST(value([](const Tensor& x) { return pow(x, 0); }, 0) == 1);
}

BOOST_AUTO_TEST_CASE(powers_of_negative_numbers_are_not_computed_by_logarithms) {  // E7
  BOOST_TEST(slope([](const Tensor& x) { return pow(x, 2); }, -3) == -6);
  BOOST_TEST(slope([](const Tensor& x) { return pow(x, 2.0); }, -2.0) == -4);
  BOOST_TEST(slope([](const Tensor& x) { return pow(x, 3); }, -2.0) == 12);
  BOOST_TEST(bend([](const Tensor& x) { return pow(x, 3); }, -2.0) == -12);
  BOOST_TEST(slope([](const Tensor& x) { return pow(x, -1); }, -2.0) == -0.25);
}

BOOST_AUTO_TEST_CASE(powers_without_the_long_way_round_are_those_of_the_standard_library) {
  for (double base : {-infinity, -1e200, -3.0, -0.1, -0.0, 0.0, 0.7, 1e-200, infinity})
    for (double p : {1.0, 2.0}) {
      const auto power = [p](const Tensor& x) { return pow(x, p); };
      BOOST_TEST(value(power, base) == std::pow(base, p));
      BOOST_TEST(std::signbit(value(power, base)) == std::signbit(std::pow(base, p)));
      BOOST_TEST(std::isnan(value(power, not_a_number)));
    }
  Tape tape;
  BOOST_TEST(pow(tape.input({3, 3, 3}), tape.input({1, 2, 3})).values() == Numbers({3, 9, 27}));
}

BOOST_AUTO_TEST_CASE(the_slope_of_a_power_by_its_exponent) {  // E8
  const auto by_exponent = [](double base, double p) {
    return slope([base](const Tensor& exponent) { return pow(base, exponent); }, p);
  };
  BOOST_TEST(by_exponent(0, 0) == 0);
  BOOST_TEST(by_exponent(0, 1) == 0);
  BOOST_TEST(by_exponent(0, 2) == 0);
  BOOST_TEST(by_exponent(0, -1) == -infinity);
  BOOST_TEST(std::isnan(by_exponent(-2, 2)));
  BOOST_TEST(by_exponent(2, 3) == 8 * std::log(2.0), tt::tolerance(1e-15));
}

BOOST_AUTO_TEST_CASE(an_exponent_that_is_not_asked_for_costs_no_logarithm) {  // E8
  Tape tape;
  const Tensor x = tape.input(-3.0), p = tape.input(2.0);
  gradient(pow(x, p), x);
  const tg::Recording& recording = tape.recording();
  for (tg::Id id = 0; id < recording.size(); ++id)
    if (!recording.node(id).leaf()) BOOST_TEST(recording.node(id).op->name != "log");
}

BOOST_AUTO_TEST_CASE(a_choice_hides_the_singularity_of_the_other_branch) {  // E9, E10, E11
  Tape tape;
  const Tensor zero = tape.input(0.0);
  BOOST_TEST(gradient(where(zero > 0, sqrt(zero), 0), zero).item() == 0);
  const Tensor guarded = where(zero > 0, zero, 1);  // where twice, as one writes it elsewhere
  BOOST_TEST(gradient(where(zero > 0, sqrt(guarded), 0), zero).item() == 0);

  const Tensor y = tape.input(0.0);
  const auto [gx, gy] = gradient(maximum(sqrt(zero * zero + y * y), 1e-3), zero, y);
  BOOST_TEST(gx.item() == 0);
  BOOST_TEST(gy.item() == 0);

  const Tensor large = tape.input(1e10);
  BOOST_TEST(gradient(where(large <= 20, exp(large), 5), large).item() == 0);
  const Tensor hundred = tape.input(1000.0);
  BOOST_TEST(gradient(where(hundred <= 20, log(1 + exp(hundred)), hundred), hundred).item() == 1);
}

BOOST_AUTO_TEST_CASE(clamp_has_slope_1_inside_and_on_its_bounds) {  // E14
  Tape tape;
  const Tensor x = tape.input({-2.0, -1.0, 0.0, 1.0, 2.0});
  const Tensor low = tape.input(-1.0), high = tape.input(1.0);
  const Tensor y = clamp(x, low, high);
  const auto [gx, g_low, g_high] = gradient(sum(y), x, low, high);
  BOOST_TEST(y.values() == Numbers({-1, -1, 0, 1, 1}));
  BOOST_TEST(gx.values() == Numbers({0, 1, 1, 1, 0}));
  BOOST_TEST(g_low.item() == 1);
  BOOST_TEST(g_high.item() == 1);
  // Bounds in the wrong order: the upper one wins, as in NumPy, and takes the slope.
  const Tensor crossed = clamp(x, high, low);
  const auto [cx, c_low, c_high] = gradient(sum(crossed), x, high, low);
  BOOST_TEST(crossed.values() == Numbers(5, -1));
  BOOST_TEST(cx.values() == Numbers(5));
  BOOST_TEST(c_low.item() == 0);
  BOOST_TEST(c_high.item() == 5);
}

BOOST_AUTO_TEST_CASE(softplus_and_its_slope_are_finite_everywhere) {  // E15, G6
  for (const tg::Precision precision : {tg::float32, tg::float64}) {
    Tape tape(precision);
    const Tensor x = tape.input({-1000.0, -88.0, 0.0, 88.0, 1000.0});
    const Tensor y = softplus(x), g = gradient(sum(y), x), h = gradient(sum(g), x);
    BOOST_TEST(y.at(0) == 0);
    BOOST_TEST(y.at(1) < 1e-37);
    BOOST_TEST(y.at(2) == std::log(2.0), tt::tolerance(1e-7));
    BOOST_TEST(y.at(3) == 88);
    BOOST_TEST(y.at(4) == 1000);
    BOOST_TEST(g.at(0) == 0);
    BOOST_TEST(g.at(2) == 0.5);
    BOOST_TEST(g.at(4) == 1);
    BOOST_TEST(h.at(0) == 0);
    BOOST_TEST(h.at(2) == 0.25);
    BOOST_TEST(h.at(4) == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_nan_passes_through_every_choice) {  // E17
  Tape tape;
  const Tensor bad = tape.input(not_a_number), one = tape.input(1.0);
  for (const Tensor& y :
       {maximum(bad, one), maximum(one, bad), minimum(bad, one), minimum(one, bad), relu(bad),
        abs(bad), sign(bad), leaky_relu(bad), softplus(bad), clamp(bad, 0, 1), sigmoid(bad),
        where(one, bad, one), max(tg::stack({one, bad, one}, 0)),
        logsumexp(tg::stack({one, bad, one}, 0)), sum(softmax(tg::stack({one, bad, one}, 0), 0)),
        bad * 0})
    BOOST_TEST(std::isnan(y.item()));
  BOOST_TEST(std::isnan(tg::max_with_index(tg::stack({one, bad, one}, 0), 0).values.item()));
  BOOST_TEST(where(one, one, bad).item() == 1);
}

BOOST_AUTO_TEST_CASE(comparisons_are_1_or_0_and_false_for_nan) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0, 3.0, not_a_number});
  BOOST_TEST((x < 2).values() == Numbers({1, 0, 0, 0}));
  BOOST_TEST((x <= 2).values() == Numbers({1, 1, 0, 0}));
  BOOST_TEST((x > 2).values() == Numbers({0, 0, 1, 0}));
  BOOST_TEST((x >= 2).values() == Numbers({0, 1, 1, 0}));
  BOOST_TEST(equal(x, 2).values() == Numbers({0, 1, 0, 0}));
  BOOST_TEST(not_equal(x, 2).values() == Numbers({1, 0, 1, 1}));
  BOOST_TEST((2 > x).values() == Numbers({1, 0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(a_condition_is_true_unless_it_is_0) {
  Tape tape;
  const Tensor condition = tape.input({0.0, -0.0, 1.0, -3.0, 1e-300, infinity, not_a_number});
  const Tensor x = tape.input(1.0), y = tape.input(2.0);
  const Tensor chosen = where(condition, x, y);
  BOOST_TEST(chosen.values() == Numbers({2, 2, 1, 1, 1, 1, 1}));
  const auto [gx, gy] = gradient(sum(chosen), x, y);
  BOOST_TEST(gx.item() == 5);
  BOOST_TEST(gy.item() == 2);
}

// ---------------------------------------------------------------- ties

BOOST_AUTO_TEST_CASE(the_largest_of_all_shares_a_tie_evenly) {  // F1
  Tape tape;
  const Tensor x = tape.input({1.0, 3.0, 3.0});
  BOOST_TEST(max(x).item() == 3);
  BOOST_TEST(gradient(max(x), x).values() == Numbers({0, 0.5, 0.5}));
  const Tensor rows = tape.input({{2, 2, 2}, {1, 0, 1}});
  CHECK_NUMBERS(gradient(sum(max(rows, 1)), rows).values(),
                Numbers({1.0 / 3, 1.0 / 3, 1.0 / 3, 0.5, 0, 0.5}), 1e-15);
}

BOOST_AUTO_TEST_CASE(the_largest_with_its_index_gives_a_tie_to_the_first) {  // F2, F5
  Tape tape;
  const Tensor x = tape.input({1.0, 3.0, 3.0});
  const auto [values, index] = tg::max_with_index(x, 0);
  BOOST_TEST(values.item() == 3);
  BOOST_TEST(index.item() == 1);
  BOOST_TEST(gradient(values, x).values() == Numbers({0, 1, 0}));
  BOOST_CHECK_THROW(gradient(index, x), Error);
}

BOOST_AUTO_TEST_CASE(the_largest_with_its_index_goes_along_any_axis) {
  Tape tape;
  const Tensor x = tape.input({{1, 9, 3}, {7, 5, 8}});
  const auto columns = tg::max_with_index(x, 0);
  BOOST_TEST(columns.values.values() == Numbers({7, 9, 8}));
  BOOST_TEST(columns.index.values() == Numbers({1, 0, 1}));
  const auto rows = tg::max_with_index(x, -1, tg::keepdim);
  BOOST_TEST((rows.values.shape() == Shape{2, 1}));
  BOOST_TEST(rows.values.values() == Numbers({9, 8}));
  BOOST_TEST(rows.index.values() == Numbers({1, 2}));
  BOOST_TEST(gradient(sum(columns.values * tape.constant({1, 2, 3})), x).values() ==
             Numbers({0, 2, 0, 1, 0, 3}));
  const auto middle = tg::max_with_index(tape.input(counting(Shape{2, 3, 2})), 1);
  BOOST_TEST(middle.values.values() == Numbers({4, 5, 10, 11}));
  BOOST_TEST((middle.index.shape() == Shape{2, 2}));
}

BOOST_AUTO_TEST_CASE(two_equal_operands_share_the_slope_of_their_extreme) {  // F3
  Tape tape;
  const Tensor a = tape.input({1.0, 3.0, 2.0}), b = tape.input({2.0, 3.0, 1.0});
  const auto [la, lb] = gradient(sum(maximum(a, b)), a, b);
  BOOST_TEST(la.values() == Numbers({0, 0.5, 1}));
  BOOST_TEST(lb.values() == Numbers({1, 0.5, 0}));
  const auto [sa, sb] = gradient(sum(minimum(a, b)), a, b);
  BOOST_TEST(sa.values() == Numbers({1, 0.5, 0}));
  BOOST_TEST(sb.values() == Numbers({0, 0.5, 1}));
}

// ---------------------------------------------------------------- extremes

BOOST_AUTO_TEST_CASE(softmax_of_extreme_logits_is_finite_and_so_is_its_slope) {  // G1, G2
  for (const tg::Precision precision : {tg::float32, tg::float64}) {
    Tape tape(precision);
    const Tensor x = tape.input({1000.0, 0.0, -1000.0});
    const Tensor y = softmax(x, 0);
    BOOST_TEST(y.values() == Numbers({1, 0, 0}));
    BOOST_TEST(gradient(tg::seeded(y, tape.constant({1, 2, 3})), x).values() == Numbers(3));
    BOOST_TEST(softmax(tape.input({-1e4, -1e4}), 0).values() == Numbers({0.5, 0.5}));
  }
}

BOOST_AUTO_TEST_CASE(log_softmax_keeps_what_softmax_rounds_to_0) {  // G3
  Tape tape;
  const Tensor x = tape.input({1000.0, 0.0, -1000.0});
  const Tensor y = log_softmax(x, 0);
  BOOST_TEST(y.values() == Numbers({0, -1000, -2000}));
  const Tensor g = gradient(tg::seeded(y, tape.constant({1, 2, 3})), x);
  BOOST_TEST(g.values() == Numbers({1 - 6, 2, 3}));
  BOOST_TEST(log_softmax(tape.input({-1e4, -1e4}), 0).at(0) == -std::log(2.0),
             tt::tolerance(1e-15));
}

BOOST_AUTO_TEST_CASE(cross_entropy_of_a_confident_mistake_is_its_logit) {  // G4
  for (const tg::Precision precision : {tg::float32, tg::float64}) {
    Tape tape(precision);
    const Tensor logits = tape.input({{1000.0, 0.0}});
    const Tensor loss = cross_entropy(logits, tape.input({1}));
    BOOST_TEST(loss.item() == 1000);
    BOOST_TEST(gradient(loss, logits).values() == Numbers({1, -1}));
  }
}

BOOST_AUTO_TEST_CASE(sigmoid_and_tanh_saturate_without_nan) {  // G5
  for (const tg::Precision precision : {tg::float32, tg::float64}) {
    Tape tape(precision);
    const Tensor x = tape.input({-1000.0, 1000.0});
    const Tensor s = sigmoid(x), t = tanh(x);
    BOOST_TEST(s.values() == Numbers({0, 1}));
    BOOST_TEST(t.values() == Numbers({-1, 1}));
    for (const Tensor& y : {s, t}) {
      const Tensor g = gradient(sum(y), x);
      BOOST_TEST(g.values() == Numbers(2));
      BOOST_TEST(gradient(sum(g), x).values() == Numbers(2));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_logarithm_of_a_sigmoid_is_minus_softplus) {  // G6
  const Function log_sigmoid = [](const Tensor& x) { return -softplus(-x); };
  BOOST_TEST(value(log_sigmoid, -1000) == -1000);
  BOOST_TEST(slope(log_sigmoid, -1000) == 1);
  BOOST_TEST(value([](const Tensor& x) { return softplus(x); }, 1000) == 1000);
  BOOST_TEST(slope([](const Tensor& x) { return softplus(x); }, 1000) == 1);
}

BOOST_AUTO_TEST_CASE(logsumexp_neither_overflows_nor_loses_minus_infinity) {  // G8
  Tape tape;
  const Tensor x = tape.input({1000.0, 1000.0});
  BOOST_TEST(logsumexp(x).item() == 1000 + std::log(2.0), tt::tolerance(1e-15));
  CHECK_NUMBERS(gradient(logsumexp(x), x).values(), Numbers({0.5, 0.5}), 1e-12);
  const Tensor none = tape.input({-infinity, -infinity});
  BOOST_TEST(logsumexp(none).item() == -infinity);
  const Tensor g = gradient(logsumexp(none), none);
  BOOST_TEST(g.values() == Numbers(2));
  BOOST_TEST(gradient(sum(g), none).values() == Numbers(2));
  const Tensor masked = tape.input({-infinity, 3.0});
  BOOST_TEST(logsumexp(masked).item() == 3);
  BOOST_TEST(gradient(logsumexp(masked), masked).values() == Numbers({0, 1}));
  BOOST_TEST(logsumexp(tape.input({infinity, 1.0})).item() == infinity);
}

BOOST_AUTO_TEST_CASE(a_million_floats_are_added_without_losing_digits) {  // G9
  Tape tape(tg::float32);
  const std::size_t n = 1'000'000;
  std::vector<float> numbers(n);
  tg::Random random(3);
  for (float& x : numbers) x = static_cast<float>(random.uniform(0, 1));
  double exact = 0;
  for (float x : numbers) exact += static_cast<double>(x);
  const Tensor x = tape.input(numbers);
  BOOST_TEST(mean(x).item() == exact / static_cast<double>(n), tt::tolerance(2e-7));
  BOOST_TEST(sum(x).item() == exact, tt::tolerance(2e-7));
  const Tensor table = reshape(x, {1000, 1000});
  BOOST_TEST(sum(sum(table, 0)).item() == exact, tt::tolerance(4e-7));
  BOOST_TEST(sum(sum(table, 1)).item() == exact, tt::tolerance(4e-7));
  BOOST_TEST(sum(reshape(x, {-1, 1}), 0).item() == exact, tt::tolerance(4e-7));
  BOOST_TEST(mse_loss(x, 0 * x + 0).item() > 0.33);
  const Tensor same = tape.input(std::vector<float>(n, 0.1f));
  BOOST_TEST(mean(same).item() == static_cast<double>(0.1f), tt::tolerance(5e-7));
}

// ---------------------------------------------------------------- second order

BOOST_AUTO_TEST_CASE(derivatives_up_to_the_third_agree_with_forward_mode) {  // H1, H2
  namespace forward = boost::math::differentiation;
  using Oracle = decltype(forward::make_fvar<double, 3>(1.0));
  const auto check = [](const char* name, const Function& ours, const auto& oracle) {
    for (const double at : {0.3, 0.7, 1.9}) BOOST_TEST_CONTEXT(name << " at " << at) {
        Tape tape;
        const Tensor x = tape.input(at);
        const Oracle expected = oracle(forward::make_fvar<double, 3>(at));
        const Tensor y = ours(x), first = gradient(y, x), second = gradient(first, x),
                     third = gradient(second, x);
        const Numbers found = {y.item(), first.item(), second.item(), third.item()};
        for (std::size_t order = 0; order < found.size(); ++order)
          BOOST_TEST(
              std::abs(found[order] - expected.derivative(order)) <=
                  1e-12 * (1 + std::abs(expected.derivative(order))),
              "order " << order << ": " << found[order] << " and " << expected.derivative(order));
      }
  };
  check(
      "x^3", [](const Tensor& x) { return x * x * x; }, [](const Oracle& x) { return x * x * x; });
  check(
      "square", [](const Tensor& x) { return square(x) * x; },
      [](const Oracle& x) { return x * x * x; });
  check(
      "sin", [](const Tensor& x) { return sin(x); }, [](const Oracle& x) { return sin(x); });
  check(
      "cos", [](const Tensor& x) { return cos(x); }, [](const Oracle& x) { return cos(x); });
  check(
      "exp", [](const Tensor& x) { return exp(x); }, [](const Oracle& x) { return exp(x); });
  check(
      "log", [](const Tensor& x) { return log(x); }, [](const Oracle& x) { return log(x); });
  check(
      "sqrt", [](const Tensor& x) { return sqrt(x); }, [](const Oracle& x) { return sqrt(x); });
  check(
      "tanh", [](const Tensor& x) { return tanh(x); }, [](const Oracle& x) { return tanh(x); });
  check(
      "sigmoid", [](const Tensor& x) { return sigmoid(x); },
      [](const Oracle& x) { return 1.0 / (1.0 + exp(-x)); });
  check(
      "softplus", [](const Tensor& x) { return softplus(x); },
      [](const Oracle& x) { return log(1.0 + exp(x)); });
  check(
      "reciprocal", [](const Tensor& x) { return 1 / x; }, [](const Oracle& x) { return 1.0 / x; });
  check(
      "pow 2.5", [](const Tensor& x) { return pow(x, 2.5); },
      [](const Oracle& x) { return exp(2.5 * log(x)); });
  check(
      "x^x", [](const Tensor& x) { return pow(x, x); },
      [](const Oracle& x) { return exp(x * log(x)); });
  check(
      "logsumexp",
      [](const Tensor& x) {
        return logsumexp(tg::stack({x, 2 * x, -x}, 0));
      },
      [](const Oracle& x) { return log(exp(x) + exp(2.0 * x) + exp(-x)); });
  check(
      "softmax",
      [](const Tensor& x) {
        return sum(slice(softmax(tg::stack({x, 2 * x, -x}, 0), 0), 0, 1, 2));
      },
      [](const Oracle& x) { return exp(2.0 * x) / (exp(x) + exp(2.0 * x) + exp(-x)); });
  check(
      "a network of one neuron",
      [](const Tensor& x) { return square(tanh(0.5 * x - sigmoid(x * x)) - 1); },
      [](const Oracle& x) {
        const Oracle error = tanh(0.5 * x - 1.0 / (1.0 + exp(-x * x))) - 1.0;
        return error * error;
      });
}

BOOST_AUTO_TEST_CASE(powers_of_0_bend_like_their_polynomials) {  // H1
  const auto bend_at_zero = [](double p) {
    return bend([p](const Tensor& x) { return pow(x, p); }, 0);
  };
  BOOST_TEST(bend_at_zero(0) == 0);
  BOOST_TEST(bend_at_zero(1) == 0);
  BOOST_TEST(bend_at_zero(2) == 2);
  BOOST_TEST(bend_at_zero(3) == 0);
}

BOOST_AUTO_TEST_CASE(losses_bend_by_their_number_of_terms) {  // H3
  Tape tape;
  const Tensor p = tape.input({1.0, 2.0, 4.0}), t = tape.input({0.0, 2.0, 5.0});
  const auto bends = [&](const Tensor& loss) {
    const Tensor g = gradient(loss, p);
    const auto [by_p, by_t] = gradient(sum(g * tape.constant({1, 10, 100})), p, t);
    Numbers result = by_p.values();
    for (double x : by_t.values()) result.push_back(x);
    return result;
  };
  BOOST_TEST(bends(half_squared_error(p, t)) == Numbers({1, 10, 100, -1, -10, -100}));
  const double n = 2.0 / 3;
  CHECK_NUMBERS(bends(mse_loss(p, t)), Numbers({n, 10 * n, 100 * n, -n, -10 * n, -100 * n}), 1e-14);
}

// ---------------------------------------------------------------- losses

BOOST_AUTO_TEST_CASE(squared_errors_equal_their_compositions) {
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{4, 3}, Shape{2, 3, 100}})
    BOOST_TEST_CONTEXT(tg::text(shape)) {
      Tape tape;
      const Tensor p = tape.input(scattered(shape, 1)), t = tape.input(scattered(shape, 2));
      const std::pair<Tensor, Tensor> pairs[] = {
          {half_squared_error(p, t), 0.5 * sum(square(p - t))},
          {mse_loss(p, t), mean(square(p - t))}};
      for (const auto& [block, composed] : pairs) {
        BOOST_TEST(block.item() == composed.item(), tt::tolerance(1e-14));
        const auto [bp, bt] = gradient(block * block, p, t);  // an adjoint that is not 1
        const auto [cp, ct] = gradient(composed * composed, p, t);
        CHECK_NUMBERS(bp.values(), cp.values(), 1e-13);
        CHECK_NUMBERS(bt.values(), ct.values(), 1e-13);
      }
    }
}

BOOST_AUTO_TEST_CASE(squared_errors_of_numbers_one_can_add_up) {
  Tape tape;
  const Tensor p = tape.input({{1, 2}, {3, 4}}), t = tape.input({{1, 0}, {0, 0}});
  BOOST_TEST(half_squared_error(p, t).item() == 0.5 * (4 + 9 + 16));
  BOOST_TEST(mse_loss(p, t).item() == (4 + 9 + 16) / 4.0);
  BOOST_TEST(gradient(half_squared_error(p, t), p).values() == Numbers({0, 2, 3, 4}));
  BOOST_TEST(gradient(mse_loss(p, t), t).values() == Numbers({0, -1, -1.5, -2}));
}

BOOST_AUTO_TEST_CASE(cross_entropy_equals_its_composition_and_closed_forms) {
  Tape tape;
  const Array data = scattered(Shape{4, 3});
  const std::vector<std::int64_t> classes = {2, 0, 1, 2};
  const Tensor x = tape.input(data), labels = tape.input(classes);
  const Tensor loss = cross_entropy(x, labels);
  const Tensor one_hot = tape.constant({{0, 0, 1}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
  const Tensor composed = mean(logsumexp(x, 1) - sum(x * one_hot, 1));
  BOOST_TEST(loss.item() == composed.item(), tt::tolerance(1e-14));

  double expected = 0;
  Numbers p, slopes;
  for (std::int64_t n = 0; n < 4; ++n) {
    double total = 0;
    for (std::int64_t c = 0; c < 3; ++c) total += std::exp(data.at(n, c));
    for (std::int64_t c = 0; c < 3; ++c) {
      const bool right = classes[static_cast<std::size_t>(n)] == c;
      p.push_back(std::exp(data.at(n, c)) / total);
      slopes.push_back((p.back() - (right ? 1 : 0)) / 4);
      if (right) expected -= std::log(p.back()) / 4;
    }
  }
  BOOST_TEST(loss.item() == expected, tt::tolerance(1e-14));
  const Tensor g = gradient(loss, x);
  CHECK_NUMBERS(g.values(), slopes, 1e-13);
  CHECK_NUMBERS(gradient(composed, x).values(), slopes, 1e-13);
  // The row of the Hessian of x_10: (p_0 [c = 0] - p_0 p_c) / N inside its sample, 0 elsewhere.
  const Tensor row =
      gradient(sum(g * tape.constant({{0, 0, 0}, {1, 0, 0}, {0, 0, 0}, {0, 0, 0}})), x);
  Numbers hessian(12);
  for (std::size_t c = 0; c < 3; ++c) hessian[3 + c] = p[3] * ((c == 0 ? 1 : 0) - p[3 + c]) / 4;
  for (std::size_t i = 0; i < 12; ++i) BOOST_TEST(std::abs(row.values()[i] - hessian[i]) < 1e-15);
}

BOOST_AUTO_TEST_CASE(cross_entropy_refuses_what_are_no_classes_of_its_rows) {
  Tape tape;
  const Tensor x = tape.input(counting(Shape{2, 3}));
  BOOST_TEST(has(refusal([&] { cross_entropy(x, tape.input({0, 3})); }), "label 3 of sample 1"));
  BOOST_CHECK_THROW(cross_entropy(x, tape.input({0, -1})), Error);
  BOOST_CHECK_THROW(cross_entropy(x, tape.input({0.0, 0.5})), Error);
  BOOST_CHECK_THROW(cross_entropy(x, tape.input({0, 1, 2})), Error);
  BOOST_CHECK_THROW(cross_entropy(x, tape.input({{0}, {1}})), Error);
  BOOST_CHECK_THROW(cross_entropy(tape.input({1, 2, 3}), tape.input({0})), Error);
}

// ---------------------------------------------------------------- the language

BOOST_AUTO_TEST_CASE(temporaries_and_functions_of_auto_are_recorded_like_others) {  // L1
  const auto f = [](auto x) { return sin(x) * 2; };
  const auto g = [](const auto& x) { return exp(x) + x; };
  Tape tape;
  const Tensor x = tape.input(0.5);
  auto y = f(g(x));
  const double inner = std::exp(0.5) + 0.5;
  BOOST_TEST(y.item() == 2 * std::sin(inner), tt::tolerance(1e-15));
  BOOST_TEST(gradient(y, x).item() == 2 * std::cos(inner) * (std::exp(0.5) + 1),
             tt::tolerance(1e-15));
}

BOOST_AUTO_TEST_CASE(signs_bind_as_in_mathematics) {  // L2
  const Function f = [](const Tensor& x) { return -x - 2 * log(1 + exp(-x)); };
  BOOST_TEST(value(f, 0.5) == -0.5 - 2 * std::log(1 + std::exp(-0.5)), tt::tolerance(1e-15));
  BOOST_TEST(slope(f, 0.5) == -1 + 2 / (1 + std::exp(0.5)), tt::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(literals_of_every_type_are_operands) {  // L3
  const double x = 3;
  const auto check = [&](const Function& f, double expected, double expected_slope) {
    BOOST_TEST(value(f, x) == expected, tt::tolerance(1e-15));
    BOOST_TEST(slope(f, x) == expected_slope, tt::tolerance(1e-15));
  };
  const auto all = [&](auto two, auto one) {
    check([=](const Tensor& t) { return t * two; }, 6, 2);
    check([=](const Tensor& t) { return two * t; }, 6, 2);
    check([=](const Tensor& t) { return two / t; }, 2.0 / 3, -2.0 / 9);
    check([=](const Tensor& t) { return t / two; }, 1.5, 0.5);
    check([=](const Tensor& t) { return pow(t, two); }, 9, 6);
    check([=](const Tensor& t) { return pow(two, t); }, 8, 8 * std::log(2.0));
    check([=](const Tensor& t) { return one - t; }, -2, -1);
    check([=](const Tensor& t) { return t - one; }, 2, 1);
    check([=](const Tensor& t) { return t + one; }, 4, 1);
    check([=](const Tensor& t) { return maximum(one, t); }, 3, 1);
    check([=](const Tensor& t) { return where(t > one, t, two); }, 3, 1);
  };
  all(2, 1);
  all(2L, 1L);
  all(2u, 1u);
  all(2.0f, 1.0f);
  all(2.0, 1.0);
  all(short{2}, short{1});
  check([](const Tensor& t) { return -t; }, -3, -1);
  check([](const Tensor& t) { return +t; }, 3, 1);
}

BOOST_AUTO_TEST_CASE(log_softmax_and_logsumexp_of_millions_of_floats_keep_their_digits) {  // G9
  tg::Tape tape{tg::float32};
  const std::int64_t n = std::int64_t{1} << 25;
  const tg::Tensor x = tape.constant(std::vector<float>(static_cast<std::size_t>(n)));
  BOOST_TEST(logsumexp(x).item() == 17.328679, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(slice(log_softmax(x, 0), 0, 0, 1).item() == -17.328679,
             boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(more_axes_than_a_tensor_has_are_refused) {
  tg::Tape tape;
  const tg::Tensor x = tape.constant(1.0, tg::Shape{1, 1, 1, 1, 1, 1, 1});
  BOOST_CHECK_THROW(sum(x, {0, 1, 2, 3, 4, 5, 6, 99}), tg::Error);
}

BOOST_AUTO_TEST_CASE(a_slice_with_a_step_beyond_the_end_takes_one_element) {
  tg::Tape tape;
  const tg::Tensor x = tape.constant({1.0, 2.0, 3.0});
  BOOST_TEST(slice(x, 0, 1, 3, std::numeric_limits<std::int64_t>::max()).item() == 2.0);
}

BOOST_AUTO_TEST_CASE(composites_of_tensors_from_two_tapes_leave_both_as_they_were) {
  tg::Tape tape, other;
  const tg::Tensor a = tape.constant({{1.0, 2.0}, {3.0, 4.0}}), b = other.constant({0.0, 1.0});
  BOOST_CHECK_THROW(matmul(a, b), tg::Error);
  BOOST_CHECK_THROW(cross_entropy(a, b), tg::Error);
  BOOST_CHECK_THROW(tg::stack({b, a}, 0), tg::Error);
  BOOST_TEST(tape.size() == 1u);
  BOOST_TEST(other.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_op_given_too_few_operands_is_an_error_not_a_crash) {
  tg::Tape tape;
  const tg::Tensor x = tape.constant(1.0);
  const tg::Op& add = *tg::arithmetic_family()[0];
  BOOST_CHECK_THROW(tg::record(add, {x}), tg::Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
