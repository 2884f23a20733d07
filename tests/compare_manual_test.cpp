// Calculations by hand with planted mistakes. The hand is plain loops over doubles, which know
// nothing of a tape; its numbers are rounded as on paper.
#include "tapegrad/check/compare_manual.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/check/written.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using tg::Grade;
using tg::ManualReport;
using tg::Mistake;

// ---- the hand

struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<double> v = {};

  double& operator()(std::size_t i, std::size_t j) { return v[i * columns + j]; }
  double operator()(std::size_t i, std::size_t j) const { return v[i * columns + j]; }
  tg::Array array() const {
    return tg::Array(tg::Shape{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)},
                     v);
  }
};

Matrix of(const tg::Array& a) {
  return {static_cast<std::size_t>(a.shape()[0]), static_cast<std::size_t>(a.shape()[1]),
          a.values()};
}
Matrix transposed(const Matrix& a) {
  Matrix r{a.columns, a.rows, std::vector<double>(a.v.size())};
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < a.columns; ++j) r(j, i) = a(i, j);
  return r;
}
Matrix product(const Matrix& a, const Matrix& b) {
  Matrix r{a.rows, b.columns, std::vector<double>(a.rows * b.columns)};
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < b.columns; ++j)
      for (std::size_t k = 0; k < a.columns; ++k) r(i, j) += a(i, k) * b(k, j);
  return r;
}
template <class F>
Matrix each(const Matrix& a, F f) {
  Matrix r = a;
  for (double& value : r.v) value = f(value);
  return r;
}
template <class F>
Matrix each(const Matrix& a, const Matrix& b, F f) {
  Matrix r = a;
  for (std::size_t i = 0; i < r.v.size(); ++i) r.v[i] = f(a.v[i], b.v[i]);
  return r;
}
Matrix times(const Matrix& a, const Matrix& b) { return each(a, b, std::multiplies<>()); }
Matrix scaled(const Matrix& a, double by) {
  return each(a, [=](double value) { return by * value; });
}
Matrix row_added(Matrix a, const Matrix& row) {
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < a.columns; ++j) a(i, j) += row(0, j);
  return a;
}
Matrix sum_of_rows(const Matrix& a) {
  Matrix r{1, a.columns, std::vector<double>(a.columns)};
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < a.columns; ++j) r(0, j) += a(i, j);
  return r;
}
Matrix only_row(Matrix a, std::size_t row) {
  for (std::size_t i = 0; i < a.rows; ++i)
    for (std::size_t j = 0; j < a.columns; ++j) a(i, j) *= i == row;
  return a;
}
double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }
double of_result(double a) { return a * (1 - a); }

double rounded(double value, int digits) {
  if (value == 0) return 0;
  char text[64];
  std::snprintf(text, sizeof text, "%.*e", digits - 1, value);
  return std::strtod(text, nullptr);
}
Matrix rounded(const Matrix& a, int digits) {
  return each(a, [=](double value) { return rounded(value, digits); });
}

/// A network of two layers, half a squared error, and one backward pass. Each field is filled by
/// the one before it as it stands, so that a mistake goes on into what follows.
struct Hand {
  Matrix x, t, w1, b1, w2, b2;
  double (*f)(double) = sigmoid;
  double (*slope)(double) = of_result;  // in terms of the result

  Matrix net_h = {}, out_h = {}, net_o = {}, out_o = {};
  Matrix delta_o = {}, dw2 = {}, db2 = {}, delta_h = {}, dw1 = {}, db1 = {};

  void forward() {
    net_h = row_added(product(x, w1), b1);
    out_h = each(net_h, f);
    net_o = row_added(product(out_h, w2), b2);
    out_o = each(net_o, f);
  }
  Matrix slope_o() const { return each(out_o, slope); }
  Matrix slope_h() const { return each(out_h, slope); }
  void output_delta() { delta_o = times(each(out_o, t, std::minus<>()), slope_o()); }
  void output_gradients() {
    dw2 = product(transposed(out_h), delta_o);
    db2 = sum_of_rows(delta_o);
  }
  void hidden_delta() { delta_h = times(product(delta_o, transposed(w2)), slope_h()); }
  void hidden_gradients() {
    dw1 = product(transposed(x), delta_h);
    db1 = sum_of_rows(delta_h);
  }
  void all() {
    forward();
    output_delta();
    output_gradients();
    hidden_delta();
    hidden_gradients();
  }
};

// ---- the tape

struct Net {
  tg::Linear hidden, output;
};

/// The same network on a tape.
struct Recorded {
  explicit Recorded(const Hand& hand, tg::Precision precision = tg::float64) : tape(precision) {
    const auto layer = [&](const Matrix& w, const Matrix& b) {
      tg::Linear result;
      result.weight = tape.parameter(w.array());
      result.bias = tape.parameter(b.v);
      return result;
    };
    net.hidden = layer(hand.w1, hand.b1);
    net.output = layer(hand.w2, hand.b2);
    tg::name_fields(net);
    x = tape.input(hand.x.array()).named("x");
    const tg::Tensor target = tape.input(hand.t.array()).named("target");
    const bool sigmoids = hand.f == &sigmoid;
    net_h = net.hidden(x).named("net_h");
    out_h = (sigmoids ? tg::sigmoid(net_h) : tg::tanh(net_h)).named("out_h");
    net_o = net.output(out_h).named("net_o");
    out_o = (sigmoids ? tg::sigmoid(net_o) : tg::tanh(net_o)).named("out_o");
    E = half_squared_error(out_o, target).named("E");
  }
  tg::Tape tape;
  Net net;
  tg::Tensor x, net_h, out_h, net_o, out_o, E;

  /// All numbers of the hand, rounded.
  ManualReport compare(const Hand& hand, int digits = 5,
                       const tg::ManualOptions& options = {}) const {
    const auto by_hand = [&](const Matrix& m) { return rounded(m, digits).array(); };
    return tg::compare_manual(E,
                              {{net.hidden.weight, by_hand(hand.dw1)},
                               {net.hidden.bias, by_hand(hand.db1)},
                               {net_h, by_hand(hand.delta_h)},
                               {net.output.weight, by_hand(hand.dw2)},
                               {net.output.bias, by_hand(hand.db2)},
                               {net_o, by_hand(hand.delta_o)}},
                              options);
  }
};

Hand worked_example() {
  Hand hand{.x = {1, 2, {.05, .10}},
            .t = {1, 2, {.01, .99}},
            .w1 = {2, 2, {.15, .25, .20, .30}},
            .b1 = {1, 2, {.35, .35}},
            .w2 = {2, 2, {.40, .50, .45, .55}},
            .b2 = {1, 2, {.60, .60}}};
  hand.forward();
  return hand;
}
/// Five samples at once; with biases, of which the classic script has none.
Hand three_layer() {
  tg::Random random{1};
  const auto draw = [&](std::size_t rows, std::size_t columns) {
    Matrix m{rows, columns, std::vector<double>(rows * columns)};
    for (double& value : m.v) value = random.uniform(-1, 1);
    return m;
  };
  Hand hand{.x = {5, 3, {0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1}},
            .t = {5, 1, {0, 1, 1, 0, 0}},
            .w1 = draw(3, 4),
            .b1 = {1, 4, {.1, -.2, .3, -.4}},
            .w2 = draw(4, 1),
            .b2 = {1, 1, {.25}}};
  hand.forward();
  return hand;
}
double slope_of_tanh(double a) { return 1 - a * a; }
double hyperbolic(double z) { return std::tanh(z); }
/// Another function, other extents, random numbers.
Hand any(std::uint32_t seed) {
  tg::Random random{seed};
  const auto draw = [&](std::int64_t rows, std::int64_t columns) {
    return of(random.normal(0, 0.7, tg::Shape{rows, columns}));
  };
  Hand hand{.x = draw(4, 3),
            .t = draw(4, 3),
            .w1 = draw(3, 3),
            .b1 = draw(1, 3),
            .w2 = draw(3, 3),
            .b2 = draw(1, 3),
            .f = hyperbolic,
            .slope = slope_of_tanh};
  hand.forward();
  return hand;
}
std::vector<Hand> networks() { return {worked_example(), three_layer(), any(1), any(2), any(3)}; }

/// For BOOST_TEST: that a step is wrong by this mistake, and all others are as `expected` says.
boost::test_tools::assertion_result blames(const ManualReport& report, std::string_view name,
                                           Mistake mistake, std::string_view words) {
  const tg::ManualStep& step = report.step(name);
  boost::test_tools::assertion_result result(step.grade == Grade::wrong &&
                                             step.mistake.mistake == mistake &&
                                             has(step.mistake.sentence, words));
  result.message() << "expected of " << name << ": " << mistake << ", '" << words << "', in\n"
                   << report;
  return result;
}
/// That a step is graded so.
boost::test_tools::assertion_result grades(const ManualReport& report,
                                           const std::vector<std::string_view>& names,
                                           Grade grade) {
  for (const std::string_view name : names)
    if (report.step(name).grade != grade) {
      boost::test_tools::assertion_result result(false);
      result.message() << name << " is not " << grade << " in\n" << report;
      return result;
    }
  return true;
}

const std::vector<std::string_view> output_names{"net_o", "output.weight", "output.bias"};
const std::vector<std::string_view> hidden_names{"net_h", "hidden.weight", "hidden.bias"};

}  // namespace

BOOST_AUTO_TEST_SUITE(compare_manual)

BOOST_AUTO_TEST_CASE(right_numbers_are_right_to_the_digits_given) {
  for (Hand hand : networks()) {
    hand.all();
    const Recorded tape(hand);
    for (const int digits : {2, 3, 5, 8, 15}) {
      const ManualReport report = tape.compare(hand, digits);
      BOOST_TEST(bool(report), report);
      if (digits > 3) BOOST_TEST(report.step("net_h").digits == digits);
    }
  }
}

BOOST_AUTO_TEST_CASE(steps_are_in_the_order_of_the_backward_pass) {
  Hand hand = worked_example();
  hand.all();
  const ManualReport report = Recorded(hand).compare(hand);
  std::string order;
  for (const tg::ManualStep& step : report.steps) order += step.name + " ";
  BOOST_TEST(order == "net_o output.bias output.weight net_h hidden.bias hidden.weight ");
}

BOOST_AUTO_TEST_CASE(missing_slope_is_named_with_op_operand_and_line) {
  for (Hand hand : networks()) {
    hand.delta_o = each(hand.out_o, hand.t, std::minus<>());
    hand.output_gradients();
    hand.hidden_delta();
    hand.hidden_gradients();
    const Recorded tape(hand);
    const ManualReport report = tape.compare(hand);
    BOOST_TEST(
        blames(report, "net_o", Mistake::slope_missing, "'(net_o) (compare_manual_test.cpp:"));
    BOOST_TEST(grades(report, {"output.weight", "output.bias"}, Grade::carried));
    BOOST_TEST(grades(report, hidden_names, Grade::carried));
    BOOST_TEST(has(report.step("net_h").mistake.sentence, "follows from your net_o"));

    hand.all();
    hand.delta_h = product(hand.delta_o, transposed(hand.w2));
    hand.hidden_gradients();
    const ManualReport hidden = tape.compare(hand);
    BOOST_TEST(blames(hidden, "net_h", Mistake::slope_missing, "'(net_h)"));
    BOOST_TEST(grades(hidden, output_names, Grade::right));
    BOOST_TEST(grades(hidden, {"hidden.weight", "hidden.bias"}, Grade::carried));
  }
}

BOOST_AUTO_TEST_CASE(missing_slope_is_found_in_weights_alone) {
  for (Hand hand : networks()) {
    hand.all();
    hand.delta_h = product(hand.delta_o, transposed(hand.w2));
    hand.hidden_gradients();
    const Recorded tape(hand);
    BOOST_TEST(
        blames(tg::compare_manual(tape.E, {{tape.net.hidden.weight, rounded(hand.dw1, 4).array()}}),
               "hidden.weight", Mistake::slope_missing, "'(net_h)"));
    // and if it is missing twice
    hand.delta_o = each(hand.out_o, hand.t, std::minus<>());
    hand.delta_h = product(hand.delta_o, transposed(hand.w2));
    hand.hidden_gradients();
    BOOST_TEST(
        blames(tg::compare_manual(tape.E, {{tape.net.hidden.weight, rounded(hand.dw1, 4).array()}}),
               "hidden.weight", Mistake::slope_missing, "factors"));
  }
}

BOOST_AUTO_TEST_CASE(slope_at_the_wrong_place_is_told_from_one_that_is_missing) {
  for (Hand hand : networks()) {
    const Recorded tape(hand);
    hand.all();
    const auto hidden = [&](const Matrix& slope) {
      hand.delta_h = times(product(hand.delta_o, transposed(hand.w2)), slope);
      hand.hidden_gradients();
      const ManualReport report = tape.compare(hand);
      BOOST_TEST(grades(report, output_names, Grade::right));
      BOOST_TEST(grades(report, {"hidden.weight", "hidden.bias"}, Grade::carried));
      return report;
    };
    // a (1 - a) given z
    BOOST_TEST(blames(hidden(each(hand.net_h, hand.slope)), "net_h", Mistake::slope_elsewhere,
                      "net_h instead of out_h"));
    // f'(z) given a
    const auto at_result = [&](double a) { return hand.slope(hand.f(a)); };
    BOOST_TEST(blames(hidden(each(hand.out_h, at_result)), "net_h", Mistake::slope_elsewhere,
                      "'(out_h) instead of"));
    BOOST_TEST(blames(hidden(times(hand.slope_h(), hand.slope_h())), "net_h", Mistake::slope_twice,
                      "there twice"));
  }
}

BOOST_AUTO_TEST_CASE(hidden_delta_with_updated_weights_is_told) {
  for (Hand hand : networks()) {
    const Recorded tape(hand);
    hand.all();
    const Matrix old = hand.w2;
    hand.w2 = each(old, hand.dw2, [](double w, double slope) { return w - 0.5 * slope; });
    hand.hidden_delta();
    hand.w2 = old;
    hand.hidden_gradients();
    const tg::ManualOptions known{.learning_rate = 0.5};
    for (const tg::ManualOptions& options : {known, tg::ManualOptions{}}) {
      const ManualReport report = tape.compare(hand, 6, options);
      BOOST_TEST(blames(report, "net_h", Mistake::moved,
                        "already updated output.weight (learning rate 0.5)"));
      BOOST_TEST(grades(report, output_names, Grade::right));
      BOOST_TEST(grades(report, {"hidden.weight", "hidden.bias"}, Grade::carried));
    }
  }
}

BOOST_AUTO_TEST_CASE(published_weights_of_the_wrong_order_are_explained) {
  const Recorded tape(worked_example());
  const auto updated = tg::ManualKind::updated;
  // One row for each input: w1 w3, w2 w4; and w5 w7, w6 w8.
  const std::vector<tg::ManualNumbers> right{
      {tape.net.output.weight, {{0.35891648, 0.511301270}, {0.408666186, 0.561370121}}, updated},
      {tape.net.hidden.weight, {{0.149780716, 0.24975114}, {0.19956143, 0.29950229}}, updated}};
  const ManualReport good = tg::compare_manual(tape.E, right, {.learning_rate = 0.5});
  BOOST_TEST(bool(good), good);
  const ManualReport report =
      tg::compare_manual(tape.E,
                         {right[0],
                          {tape.net.hidden.weight,
                           {{0.14981763856120295, 0.24978819}, {0.19963528, 0.29957637}},
                           updated}},
                         {.learning_rate = 0.5});
  BOOST_TEST(blames(report, "hidden.weight", Mistake::moved, "already updated output.weight"));
}

BOOST_AUTO_TEST_CASE(signs_halves_and_means_are_recognised) {
  for (Hand hand : networks()) {
    const Recorded tape(hand);
    hand.all();
    const Hand right = hand;
    const auto output = [&](double factor) {
      hand = right;
      hand.delta_o = scaled(hand.delta_o, factor);
      hand.output_gradients();
      hand.hidden_delta();
      hand.hidden_gradients();
      const ManualReport report = tape.compare(hand);
      BOOST_TEST(grades(report, {"output.weight", "output.bias"}, Grade::carried));
      BOOST_TEST(grades(report, hidden_names, Grade::carried));
      return report;
    };
    BOOST_TEST(blames(output(-1), "net_o", Mistake::sign, "target - output"));
    BOOST_TEST(blames(output(2), "net_o", Mistake::factor, "1/2 in front of a square"));
    BOOST_TEST(blames(output(-2), "net_o", Mistake::factor, "the sign is wrong, and"));
    hand = right;
    hand.dw1 = scaled(hand.dw1, -1);
    BOOST_TEST(blames(tape.compare(hand), "hidden.weight", Mistake::sign, "downhill"));
    hand = right;
    hand.dw1 = scaled(hand.dw1, 0.3);
    const ManualReport stepped = tape.compare(hand, 5, {.learning_rate = 0.3});
    BOOST_TEST(has(stepped.step("hidden.weight").mistake.sentence, "the learning rate is in them"));
    const double samples = static_cast<double>(hand.x.rows);
    if (samples == 1) continue;
    hand = right;
    hand.dw1 = scaled(hand.dw1, 1 / samples);
    BOOST_TEST(blames(tape.compare(hand), "hidden.weight", Mistake::count, "a mean over the"));
    hand = right;
    hand.dw1 = scaled(hand.dw1, samples);
    BOOST_TEST(blames(tape.compare(hand), "hidden.weight", Mistake::count, "a sum over the"));
  }
}

BOOST_AUTO_TEST_CASE(bias_forgotten_in_the_forward_pass_is_found_in_every_delta) {
  for (Hand hand : networks()) {
    const Recorded tape(hand);
    const Matrix b1 = hand.b1, b2 = hand.b2;
    hand.b1 = scaled(b1, 0);
    hand.b2 = scaled(b2, 0);
    hand.all();
    const ManualReport both = tape.compare(hand);
    BOOST_TEST(blames(both, "net_o", Mistake::left_out, "hidden.bias and output.bias were 0"));
    BOOST_TEST(blames(both, "net_h", Mistake::left_out, "hidden.bias"));
    BOOST_TEST(grades(both, {"output.bias", "hidden.weight", "hidden.bias"}, Grade::carried));
    hand.b1 = b1;
    hand.all();
    const ManualReport one = tape.compare(hand);
    BOOST_TEST(blames(one, "net_o", Mistake::left_out, "as if output.bias were 0"));
    BOOST_TEST(grades(one, {"output.weight"}, Grade::carried));
    BOOST_TEST(grades(one, hidden_names, Grade::carried));
  }
}

BOOST_AUTO_TEST_CASE(bias_gradients_of_zero_and_unsummed_ones_are_explained) {
  for (Hand hand : networks()) {
    const Recorded tape(hand);
    hand.all();
    const Hand right = hand;
    hand.db1 = scaled(hand.db1, 0);
    BOOST_TEST(blames(tape.compare(hand), "hidden.bias", Mistake::all_zero, "whatever its value"));
    if (hand.x.rows == 1) continue;
    hand.db1 = hand.delta_h;
    BOOST_TEST(blames(tape.compare(hand), "hidden.bias", Mistake::not_reduced, "net_h"));
    hand.db1 = right.db1;
    hand.db1.v.assign(right.delta_h.v.begin(),
                      right.delta_h.v.begin() + static_cast<std::ptrdiff_t>(hand.db1.columns));
    BOOST_TEST(
        blames(tape.compare(hand), "hidden.bias", Mistake::one_path, "index 0 along axis 0"));
    hand = right;
    hand.dw1 = product(transposed(hand.x), only_row(hand.delta_h, 1));
    BOOST_TEST(blames(tape.compare(hand), "hidden.weight", Mistake::one_path,
                      "index 1 along axis 0 of net_h"));
  }
}

BOOST_AUTO_TEST_CASE(sum_for_a_shared_bias_is_told_from_gradients_of_own_biases) {
  for (Hand hand : networks()) {
    const Recorded tape(hand);
    hand.all();
    double sum = 0;
    for (const double share : hand.db1.v) sum += share;
    BOOST_TEST(blames(tg::compare_manual(tape.E, {{tape.net.hidden.bias, rounded(sum, 5)}}),
                      "hidden.bias", Mistake::over_reduced, "shared"));
    for (double& share : hand.db1.v) share = sum;
    BOOST_TEST(blames(tape.compare(hand), "hidden.bias", Mistake::over_reduced, "shared"));
  }
  // And the other way round: a bias for the whole layer, of which each neuron's share is given.
  tg::Tape tape;
  const Hand hand = worked_example();
  const tg::Tensor b = tape.parameter(0.35).named("b");
  const tg::Tensor x = tape.input(hand.x.array()), w = tape.input(hand.w1.array());
  const tg::Tensor net = matmul(x, w) + b;
  const tg::Tensor E = half_squared_error(sigmoid(net), tape.input(hand.t.array()));
  const auto share = [&](std::size_t j) {
    const double a = hand.out_h(0, j);
    return rounded((a - hand.t(0, j)) * a * (1 - a), 5);
  };
  BOOST_TEST(blames(tg::compare_manual(E, {{b, {share(0), share(1)}}}), "b", Mistake::not_reduced,
                    "the gradient is their sum"));
  BOOST_TEST(bool(tg::compare_manual(E, {{b, rounded(share(0) + share(1), 4)}})));
}

BOOST_AUTO_TEST_CASE(one_path_of_the_sum_is_recognised) {
  for (Hand hand : networks()) {
    if (hand.t.columns == 1) continue;  // there is one only
    const Recorded tape(hand);
    hand.all();
    Matrix first = hand.delta_o;
    for (std::size_t i = 0; i < first.rows; ++i)
      for (std::size_t j = 1; j < first.columns; ++j) first(i, j) = 0;
    hand.delta_h = times(product(first, transposed(hand.w2)), hand.slope_h());
    hand.hidden_gradients();
    const ManualReport report = tape.compare(hand);
    BOOST_TEST(blames(report, "net_h", Mistake::one_path, "index 0 along axis 1 of net_o"));
    BOOST_TEST(grades(report, {"hidden.weight", "hidden.bias"}, Grade::carried));
  }
}

BOOST_AUTO_TEST_CASE(one_use_of_two_is_recognised) {
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({0.51, -1.03, 2.07}).named("x");
  const tg::Tensor squares = square(x), others = tanh(x);  // in this order, with every compiler
  const tg::Tensor y = sum(others + squares).named("y");
  BOOST_TEST(blames(tg::compare_manual(y, {{x, {1.02, -2.06, 4.14}}}), "x",
                    Mistake::not_accumulated, "by op square"));
}

BOOST_AUTO_TEST_CASE(few_digits_are_not_taken_for_evidence) {
  int claims = 0;
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    tg::Tape tape;
    tg::Random random{seed};
    const tg::Tensor w = tape.parameter(random.normal()).named("w");
    tg::Tensor out = w;
    for (int layer = 0; layer < 4; ++layer) out = tanh(out * random.normal() + random.normal());
    const tg::Tensor E = square(out);
    const double wrong = rounded(gradient(E, w).item() * random.uniform(-2, 2), 2);
    claims += bool(tg::compare_manual(E, {{w, wrong}}).steps[0].mistake);
  }
  BOOST_TEST(claims <= 5);
}

BOOST_AUTO_TEST_CASE(one_use_of_two_is_recognised_further_down) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter({{0.3, -0.8}, {0.5, 0.2}}).named("w");
  const tg::Tensor x = tape.input({{0.6, -0.4}});
  const tg::Tensor h = tanh(matmul(x, w)).named("h");
  const tg::Tensor one = exp(h), other = square(h), y = sum(one + other);
  Matrix delta{1, 2, h.values()};
  delta = each(delta, [](double a) { return 2 * a * (1 - a * a); });
  const Matrix dw = rounded(product(transposed(of(x.array())), delta), 4);
  BOOST_TEST(blames(tg::compare_manual(y, {{w, dw.array()}}), "w", Mistake::one_path,
                    "only the share that %5 square"));
}

BOOST_AUTO_TEST_CASE(shared_weight_moves_when_all_its_shares_are_known) {
  tg::Tape tape;
  const Matrix w{2, 2, {0.3, -0.8, 0.5, 0.2}}, x{1, 2, {0.6, -0.4}};
  const tg::Tensor W = tape.parameter(w.array()).named("W");
  const tg::Tensor X = tape.input(x.array()).named("X");
  const tg::Tensor y = sum(square(matmul(tanh(matmul(X, W)), W)));
  const Matrix h = each(product(x, w), hyperbolic), out = product(h, w);
  const Matrix last = scaled(out, 2);
  const Matrix first = times(product(last, transposed(w)), each(h, slope_of_tanh));
  const Matrix dw =
      each(product(transposed(h), last), product(transposed(x), first), std::plus<>());
  const Matrix now = each(w, dw, [](double v, double slope) { return v - 0.1 * slope; });
  const Matrix dx = rounded(product(first, transposed(now)), 5);
  BOOST_TEST(blames(tg::compare_manual(y, {{X, dx.array()}}, {.learning_rate = 0.1}), "X",
                    Mistake::moved, "updated W"));
}

BOOST_AUTO_TEST_CASE(transposed_weights_and_gradients_are_recognised) {
  for (Hand hand : networks()) {
    const Recorded tape(hand);
    hand.all();
    const Hand right = hand;
    hand.dw1 = transposed(hand.dw1);
    BOOST_TEST(blames(tape.compare(hand), "hidden.weight", Mistake::transposed, ""));
    if (hand.t.columns == 1) continue;
    hand = right;
    hand.delta_h = times(product(hand.delta_o, hand.w2), hand.slope_h());
    hand.hidden_gradients();
    const ManualReport report = tape.compare(hand);
    BOOST_TEST(blames(report, "net_h", Mistake::transposed, "output.weight stands the wrong way"));
    BOOST_TEST(grades(report, {"hidden.weight", "hidden.bias"}, Grade::carried));
  }
}

BOOST_AUTO_TEST_CASE(another_factor_of_a_product_is_named) {
  for (Hand hand : networks()) {
    const Recorded tape(hand);
    hand.all();
    hand.dw2 = product(transposed(hand.net_h), hand.delta_o);
    BOOST_TEST(blames(tape.compare(hand), "output.weight", Mistake::other_value,
                      "net_h stands in the place of out_h"));
  }
}

BOOST_AUTO_TEST_CASE(second_mistake_is_found_behind_a_first) {
  for (Hand hand : networks()) {
    const Recorded tape(hand);
    hand.delta_o = scaled(each(hand.out_o, hand.t, std::minus<>()), -1);
    hand.output_gradients();
    hand.delta_h = product(hand.delta_o, transposed(hand.w2));
    hand.hidden_gradients();
    const ManualReport report = tape.compare(hand);
    BOOST_TEST(grades(report, {"net_o"}, Grade::wrong));
    BOOST_TEST(grades(report, {"output.weight", "output.bias"}, Grade::carried));
    BOOST_TEST(
        blames(report, "net_h", Mistake::slope_missing, "(the rest follows from your net_o)"));
    BOOST_TEST(grades(report, {"hidden.weight", "hidden.bias"}, Grade::carried));
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_sign_or_a_2_beside_a_missing_slope_is_found) {
  for (Hand hand : networks()) {
    const Recorded tape(hand);
    const Matrix no_slope = each(hand.out_o, hand.t, std::minus<>());
    const std::pair<double, const char*> second[] = {{-1, "is missing; and the sign is wrong"},
                                                     {2, "is missing; and 2 times too large"}};
    for (const auto& [factor, said] : second) BOOST_TEST_CONTEXT(said) {
        hand.delta_o = scaled(no_slope, factor);
        hand.output_gradients();
        hand.hidden_delta();
        hand.hidden_gradients();
        BOOST_TEST(blames(tape.compare(hand), "net_o", Mistake::slope_missing, said));
      }
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_claimed_of_numbers_that_no_mistake_explains) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    Hand hand = any(seed);
    const Recorded tape(hand);
    hand.all();
    tg::Random random{seed + 100};
    for (double& value : hand.delta_h.v) value *= 1 + 0.3 * random.normal();
    hand.hidden_gradients();
    const ManualReport report = tape.compare(hand, 3);
    BOOST_TEST(blames(report, "net_h", Mistake::unknown, "no mistake known here"));
    BOOST_TEST(grades(report, output_names, Grade::right));
    BOOST_TEST(grades(report, {"hidden.weight", "hidden.bias"}, Grade::carried));
  }
}

BOOST_AUTO_TEST_CASE(one_wrong_number_is_shown_with_the_right_one_in_its_digits) {
  Hand hand = worked_example();
  const Recorded tape(hand);
  const ManualReport report = tg::compare_manual(
      tape.E, {{tape.net.output.weight, {{0.0822, -0.0226}, {0.0872, -0.0227}}}});
  const tg::ManualStep& step = report.step("output.weight");
  BOOST_TEST(step.mistake.mistake == Mistake::one_element);
  BOOST_TEST_REQUIRE(step.more.size() == 1u);
  BOOST_TEST(step.more[0] == "[1,0] is 0.0872, should be 0.0827");
}

BOOST_AUTO_TEST_CASE(weights_updated_one_layer_after_the_other_are_explained_at_every_depth) {
  // Each layer's weight moves before the next delta is computed: the rate is found in the numbers.
  tg::Tape tape;
  tg::Random random{7};
  const auto draw = [&](std::int64_t rows, std::int64_t columns) {
    return random.normal(0, 0.8, tg::Shape{rows, columns});
  };
  const tg::Array x = draw(3, 2), t = draw(3, 2);
  const tg::Array w[] = {draw(2, 3), draw(3, 4), draw(4, 2)};
  std::vector<tg::Tensor> weights;
  tg::Tensor out = tape.input(x);
  for (const tg::Array& values : w) {
    weights.push_back(tape.parameter(values).named(fmt::format("w{}", weights.size() + 1)));
    out = sigmoid(matmul(out, weights.back()));
  }
  const tg::Tensor E = half_squared_error(out, tape.input(t));

  std::vector<Matrix> a{of(x)}, now;
  for (const tg::Array& values : w) {
    now.push_back(of(values));
    a.push_back(each(product(a.back(), now.back()), sigmoid));
  }
  std::vector<Matrix> slopes(3);
  Matrix back = each(a[3], of(t), std::minus<>());
  for (std::size_t layer = 3; layer-- > 0;) {
    const Matrix delta = times(back, each(a[layer + 1], of_result));
    slopes[layer] = product(transposed(a[layer]), delta);
    now[layer] =
        each(now[layer], slopes[layer], [](double v, double slope) { return v - 0.3 * slope; });
    back = product(delta, transposed(now[layer]));
  }
  const auto by_hand = [&](std::size_t layer) { return rounded(slopes[layer], 7).array(); };
  for (const double rate : {0.3, 0.0}) {
    const ManualReport report = tg::compare_manual(
        E, {{weights[0], by_hand(0)}, {weights[1], by_hand(1)}, {weights[2], by_hand(2)}},
        {.learning_rate = rate});
    BOOST_TEST(grades(report, {"w3"}, Grade::right));
    BOOST_TEST(blames(report, "w2", Mistake::moved, "updated w3 (learning rate 0.3)"));
    BOOST_TEST(blames(report, "w1", Mistake::moved, "updated w2, w3 (learning rate 0.3)"));
  }
}

BOOST_AUTO_TEST_CASE(slope_of_a_function_made_of_several_records_may_be_missing_too) {
  tg::Tape tape;
  const Hand hand = worked_example();
  const tg::Tensor w = tape.parameter(hand.w1.array()).named("w");
  const tg::Tensor net = (matmul(tape.input(hand.x.array()), w) + 0.35).named("net");
  const tg::Tensor out = (1.0 / (1.0 + exp(-net))).named("out");
  const tg::Tensor E = half_squared_error(out, tape.input(hand.t.array()));
  const Matrix delta = each(hand.out_h, hand.t, std::minus<>());
  BOOST_TEST(blames(tg::compare_manual(E, {{net, rounded(delta, 4).array()}}), "net",
                    Mistake::slope_missing, "the factor d out / d net is missing"));
}

BOOST_AUTO_TEST_CASE(numbers_may_be_flat_and_wrong_shapes_are_explained) {
  Hand hand = worked_example();
  hand.all();
  const Recorded tape(hand);
  BOOST_TEST(bool(tg::compare_manual(tape.E, {{tape.net_o, {0.1385, -0.0381}}})));
  BOOST_TEST(bool(
      tg::compare_manual(tape.E, {{tape.net.output.weight, {0.0822, -0.0226, 0.0827, -0.0227}}})));
  const auto sentence = [&](const tg::Tensor& of, const tg::Values& numbers) {
    const ManualReport report = tg::compare_manual(tape.E, {{of, numbers}});
    BOOST_TEST(report.steps[0].mistake.mistake == Mistake::shape);
    return report.steps[0].mistake.sentence;
  };
  BOOST_TEST(sentence(tape.net_o, {0.1, 0.2, 0.3}) == "has shape (3) instead of (1, 2)");

  hand = three_layer();
  hand.all();
  const Recorded three(hand);
  const auto turned = [&](double factor) {
    return tg::compare_manual(
        three.E,
        {{three.net.hidden.weight, rounded(scaled(transposed(hand.dw1), factor), 4).array()}});
  };
  BOOST_TEST(blames(turned(1), "hidden.weight", Mistake::transposed, "the shape is (3, 4)"));
  BOOST_TEST(blames(turned(-1), "hidden.weight", Mistake::sign, "rows and columns are exchanged"));
}

BOOST_AUTO_TEST_CASE(step_made_with_rounded_numbers_is_right_to_fewer_digits) {
  Hand hand = three_layer();
  hand.all();
  hand.delta_o = rounded(hand.delta_o, 2);
  hand.output_gradients();
  const Recorded tape(hand);
  const ManualReport report = tape.compare(hand, 6);
  BOOST_TEST(bool(report), report);
  BOOST_TEST(report.step("output.weight").digits < 4);
  BOOST_TEST(report.step("hidden.weight").digits == 6);
}

BOOST_AUTO_TEST_CASE(digits_are_those_of_the_shortest_decimal_form) {
  const auto close = [](const tg::Values& numbers, const std::vector<double>& units, int digits,
                        int asked = 0) {
    const tg::Written how = tg::written(tg::Array::from(numbers), asked);
    BOOST_TEST(how.digits == digits);
    BOOST_TEST(how.units == units, boost::test_tools::tolerance(1e-12)
                                       << boost::test_tools::per_element());
  };
  close({0.1385, -0.0381}, {1e-4, 1e-4}, 4);
  close({0.1385, 0.5}, {1e-4, 1e-3}, 4);  // 0.500
  close({0.082167, 4.3857e-4}, {1e-6, 1e-8}, 5);
  close({0.1385, -0.04}, {1e-4, 1e-4}, 4);
  close({0.14981763856, 0.24978819}, {1e-11, 1e-8}, 11);
  close({7}, {0.1}, 2);
  close({1250, 0}, {1, 1}, 4);
  close({0, 0}, {0, 0}, 0);
  close({0.5}, {1e-6}, 6, 6);
  close({static_cast<double>(0.1385f)}, {1e-4}, 4);
}

BOOST_AUTO_TEST_CASE(number_that_is_off_by_more_than_a_unit_is_wrong) {
  Hand hand = worked_example();
  const Recorded tape(hand);
  const auto right = [&](double number) {
    return bool(tg::compare_manual(tape.E, {{tape.net_o, {number, -0.03810}}}));
  };
  BOOST_TEST(right(0.1385));  // 0.138499
  BOOST_TEST(right(0.1384));  // cut off
  BOOST_TEST(!right(0.1387));
  BOOST_TEST(!right(0.1383));
  BOOST_TEST(!bool(tg::compare_manual(tape.E, {{tape.net_o, {0.1385, -0.0381}}}, {.digits = 8})));
}

BOOST_AUTO_TEST_CASE(struct_of_gradients_is_compared_field_by_field) {
  Hand hand = three_layer();
  const Recorded tape(hand);
  Net slopes = gradient(tape.E, tape.net);
  BOOST_TEST(bool(tg::compare_manual(tape.E, tape.net, slopes)));
  slopes.hidden.weight = -slopes.hidden.weight;
  slopes.output.bias = {};
  const ManualReport report = tg::compare_manual(tape.E, tape.net, slopes);
  BOOST_TEST(report.steps.size() == 3u);
  BOOST_TEST(blames(report, "hidden.weight", Mistake::sign, ""));
}

BOOST_AUTO_TEST_CASE(float32_tapes_are_compared_as_well) {
  for (Hand hand : networks()) {
    hand.all();
    const Recorded tape(hand, tg::float32);
    BOOST_TEST(bool(tape.compare(hand, 4)), tape.compare(hand, 4));
    BOOST_TEST(bool(tg::compare_manual(tape.E, tape.net, gradient(tape.E, tape.net))));
    hand.delta_h = product(hand.delta_o, transposed(hand.w2));
    BOOST_TEST(blames(tape.compare(hand, 4), "net_h", Mistake::slope_missing, "'(net_h)"));
  }
}

BOOST_AUTO_TEST_CASE(tape_is_only_read_and_old_values_are_not_believed) {
  Hand hand = worked_example();
  const Recorded tape(hand);
  hand.x.v = {0.5, -1};
  hand.b1 = {1, 2, {0, 0}};
  tape.x.set(hand.x.array());
  tape.net.hidden.bias.set(hand.b1.v);
  hand.all();  // at the new numbers, to which the tape was not run
  hand.delta_h = product(hand.delta_o, transposed(hand.w2));
  const std::size_t size = tape.tape.size(), bytes = tape.tape.bytes();
  const ManualReport report = tape.compare(hand);
  BOOST_TEST(grades(report, output_names, Grade::right));
  BOOST_TEST(blames(report, "net_h", Mistake::slope_missing, ""));
  BOOST_TEST(tape.tape.size() == size);
  BOOST_TEST(tape.tape.bytes() == bytes);
  BOOST_TEST(tape.x.values() == hand.x.v);
  BOOST_TEST(says([&] { tape.E.item(); }, "was set"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_compared_is_refused) {
  const Recorded tape(worked_example());
  const Recorded other(worked_example());
  const tg::Tensor free = tape.net_o * 2.0;
  const auto refused = [&](const std::vector<tg::ManualNumbers>& numbers, std::string_view why,
                           const tg::ManualOptions& options = {}) {
    BOOST_TEST(says([&] { tg::compare_manual(tape.E, numbers, options); }, why));
    BOOST_TEST(says([&] { tg::compare_manual(tape.E, numbers, options); }, "compare_manual: "));
    BOOST_TEST(says([&] { tg::compare_manual(tape.E, numbers, options); }, "compare_manual_test"));
  };
  refused({}, "there are no numbers to compare");
  refused({{other.net_o, {0.1, 0.2}}}, "tape");
  refused({{tg::Tensor{}, {0.1, 0.2}}}, "");
  refused({{free, {0.1, 0.2}}}, "the first tensor does not depend on the second");
  refused({{tape.net_o, {std::numeric_limits<double>::quiet_NaN(), 0.2}}},
          "one of the numbers is nan");
  refused({{tape.net_o, {0.1, 0.2}, tg::ManualKind::updated}}, "only a leaf is updated");
  refused({{tape.net.hidden.bias, {0.1, 0.2}, tg::ManualKind::updated}},
          "only with a learning rate");
  refused({{tape.net_o, {0.1, 0.2}}}, "the learning rate is -1", {.learning_rate = -1});
  refused({{tape.net_o, {0.1, 0.2}}}, "the number of digits is -1", {.digits = -1});
  BOOST_TEST(says(
      [&] {
        tg::compare_manual(tape.out_o, {{tape.net_o, {0.1, 0.2}}});
      },
      "only one number has a gradient, this tensor has 2"));
  BOOST_TEST(says([&] { tg::ManualReport{}.step("w"); }, "no numbers of 'w'"));
  tg::Tape unset;
  const tg::Tensor x = unset.input(tg::Shape{2}).named("x"), y = sum(square(x));
  BOOST_TEST(says([&] { tg::compare_manual(y, {{x, {1, 2}}}); }, "compare_manual: "));
}

BOOST_AUTO_TEST_CASE(report_is_a_table_with_a_sentence_for_each_mistake) {
  Hand hand = worked_example();
  const Recorded tape(hand);
  hand.output_delta();
  hand.output_gradients();
  hand.delta_h = product(hand.delta_o, transposed(hand.w2));
  hand.hidden_gradients();
  const ManualReport report = tape.compare(hand, 4);
  std::string text = report.text();
  const std::size_t at = text.find(" (compare_manual_test.cpp");
  BOOST_TEST_REQUIRE(at != std::string::npos);
  text.erase(at, text.find(')', at) + 1 - at);
  BOOST_TEST(text ==
             "E by hand: 3 of 6 right, 2 carried over, 1 wrong\n"
             "  net_o          gradient (1, 2)  right to 4 digits\n"
             "  output.bias    gradient (2)     right to 4 digits\n"
             "  output.weight  gradient (2, 2)  right to 4 digits\n"
             "  net_h          gradient (1, 2)  wrong\n"
             "      the factor sigmoid'(net_h) is missing\n"
             "      [0,0] is 0.03635, should be 0.008771\n"
             "      [0,1] is 0.04137, should be 0.009954\n"
             "  hidden.bias    gradient (2)     carried over\n"
             "      follows from your net_h: this step itself is right\n"
             "  hidden.weight  gradient (2, 2)  carried over\n"
             "      follows from your net_h: this step itself is right\n");
  std::ostringstream stream;
  stream << report;
  BOOST_TEST(stream.str() == report.text());
  BOOST_TEST(fmt::format("{}", report) == report.text());
  BOOST_TEST(!report);
}

BOOST_AUTO_TEST_SUITE_END()
