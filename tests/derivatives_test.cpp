// Derivatives beyond the gradient: products with Jacobians and Hessians, and the matrices
// themselves. Expected values are closed forms, forward-mode numbers of Boost.Math, or PyTorch's
// (data/make_derivatives.py).
#include <fmt/format.h>

#include <array>
#include <boost/math/differentiation/autodiff.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "reference.hpp"
#include "refusal.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
namespace tt = boost::test_tools;
using tg::Array, tg::Shape, tg::Tape, tg::Tensor;
using Numbers = std::vector<double>;

double dot(const Tensor& a, const Tensor& b) {
  const Numbers x = a.values(), y = b.values();
  long double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) total += static_cast<long double>(x[i]) * y[i];
  return static_cast<double>(total);
}

/// A row of numbers: the tensors of a struct one after the other.
template <class Struct>
Numbers flat(const Struct& net) {
  Numbers result;
  tg::visit_tensors(net, [&](const Tensor& t) {
    if (!t.defined()) return;
    const Numbers own = t.values();
    result.insert(result.end(), own.begin(), own.end());
  });
  return result;
}

/// The largest difference, relative to max(1, |b|).
double distance(const Tensor& a, const Numbers& b) {
  return ::distance(Array(Shape{a.numel()}, a.values()),
                    Array(Shape{static_cast<std::int64_t>(b.size())}, b));
}

struct Net {
  tg::Linear hidden, output;
  Tensor operator()(const Tensor& x) const { return sigmoid(output(tanh(hidden(x)))); }
};

struct Network {  // that of data/make_derivatives.py
  ReferenceCase expected = reference_cases("derivatives.txt").at(0);
  Tape tape;
  Net net, direction;
  Tensor y, loss;

  explicit Network(tg::Precision precision = tg::float64) : tape(precision) {
    tg::each(net, [&](std::string_view name, Tensor& field) {
      field = tape.parameter(expected[std::string(name)]);
    });
    std::size_t start = 0;
    const Numbers all = expected["direction"].values();
    tg::visit_pairs(direction, net, [&](Tensor& u, const Tensor& p) {
      const auto n = static_cast<std::size_t>(p.numel());
      u = tape.input(Array(p.shape(), Numbers(&all[start], &all[start] + n)));
      start += n;
    });
    y = net(tape.constant(expected["x"]));
    loss = mse_loss(y, tape.constant(expected["target"]));
  }
};

BOOST_AUTO_TEST_SUITE(derivatives)

// ---------------------------------------------------------------- closed forms

BOOST_AUTO_TEST_CASE(the_jacobian_of_a_linear_map_is_its_matrix_with_outputs_as_rows) {
  for (const Shape& shape : {Shape{2, 3}, Shape{3, 2}, Shape{1, 3}, Shape{3, 1}}) {
    Tape tape;
    const Tensor m = tape.constant({1, 2, 3, 4, 5, 6, 7, 8, 9});
    const Tensor a = reshape(slice(m, 0, 0, shape.numel()), shape);
    const Tensor x = tape.input(tg::Random{1}.normal(0, 1, Shape{shape[1]}));
    const Tensor j = jacobian(matmul(a, x), x);
    BOOST_TEST((j.shape() == shape));
    BOOST_TEST(j.values() == a.values(), tt::per_element());
  }
}

BOOST_AUTO_TEST_CASE(the_jacobian_of_softmax_is_diag_p_minus_p_pT) {
  Tape tape;
  const Tensor x = tape.input({0.5, -1, 2});
  const Tensor p = softmax(x, 0), j = jacobian(p, x);
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 3; ++k)
      BOOST_TEST(j.at(i, k) == p.at(i) * ((i == k) - p.at(k)), tt::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(a_jacobian_has_the_axes_of_y_and_then_those_of_x) {
  Tape tape;
  const Tensor a = tape.input({{1, 2}, {3, 4}, {5, 6}}), b = tape.input({{1, 2, 3}, {4, 5, 6}});
  const Tensor y = matmul(a, b);
  const auto [ja, jb] = jacobian(y, a, b);  // dy[i,l]/da[p,q] = [i = p] b[q,l]
  BOOST_REQUIRE((ja.shape() == Shape{3, 3, 3, 2}));
  BOOST_REQUIRE((jb.shape() == Shape{3, 3, 2, 3}));
  for (int i = 0; i < 3; ++i)
    for (int l = 0; l < 3; ++l)
      for (int q = 0; q < 2; ++q)
        for (int p = 0; p < 3; ++p) {
          BOOST_TEST(ja.at(i, l, p, q) == (i == p ? b.at(q, l) : 0.0));
          BOOST_TEST(jb.at(i, l, q, p) == (l == p ? a.at(i, q) : 0.0));
        }
}

BOOST_AUTO_TEST_CASE(rows_and_columns_give_the_same_jacobian) {
  Tape tape;
  const Tensor x = tape.input({0.3, -0.7}), y = tape.input({0.2, 0.9, 1.5});
  const Tensor z = reshape(x, {2, 1}) * sin(reshape(y, {1, 3})) + exp(reshape(x, {2, 1}));
  const Tensor by_columns = jacobian(z, x);  // 2 < 6
  const auto [by_rows, unused] = jacobian(z, x, tape.input({1, 2, 3, 4, 5}));
  BOOST_TEST(unused.values() == Numbers(30), tt::per_element());
  BOOST_TEST(distance(by_columns, by_rows.values()) < 1e-15);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 2; ++k) {
        const double expected = i == k ? std::sin(y.at(j)) + std::exp(x.at(i)) : 0;
        BOOST_TEST(by_columns.at(i, j, k) == expected, tt::tolerance(1e-14));
      }
}

BOOST_AUTO_TEST_CASE(the_hessian_of_a_quadratic_form_is_a_plus_aT) {
  Tape tape;
  const Tensor a = tape.constant({{2, -1, 0.5}, {3, 1, 4}, {-2, 0, 7}});
  const Tensor x = tape.input({1, -2, 3}), u = tape.input({0.5, 4, -1});
  const Tensor y = sum(x * matmul(a, x));
  const Tensor both = a + transpose(a);
  BOOST_TEST(hessian(y, x).values() == both.values(), tt::per_element());
  BOOST_TEST(hvp(y, x, u).values() == matmul(both, u).values(), tt::per_element());
}

BOOST_AUTO_TEST_CASE(the_hessian_of_logistic_regression_is_xT_d_x) {
  Tape tape;
  tg::Random random{3};
  const Tensor x = tape.constant(random.normal(0, 1, Shape{6, 3}));
  const Tensor t = tape.constant({1, 0, 0, 1, 1, 0}), w = tape.parameter({0.3, -1, 0.5});
  const Tensor z = matmul(x, w), p = sigmoid(z);
  const Tensor loss = sum(softplus(z) - t * z);
  const Tensor expected = matmul(transpose(x), reshape(p * (1 - p), {6, 1}) * x);
  BOOST_TEST(distance(hessian(loss, w), expected.values()) < 1e-14);
}

BOOST_AUTO_TEST_CASE(the_hessian_of_rosenbrocks_function) {
  Tape tape;
  const Tensor x = tape.input(-1.2), y = tape.input(1.0);
  const auto h = hessian(square(1 - x) + 100 * square(y - square(x)), x, y);
  BOOST_TEST(h[0][0].item() == 1200 * 1.44 - 400 + 2, tt::tolerance(1e-14));
  BOOST_TEST(h[0][1].item() == 480.0, tt::tolerance(1e-14));
  BOOST_TEST(h[1][0].item() == 480.0, tt::tolerance(1e-14));
  BOOST_TEST(h[1][1].item() == 200.0, tt::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(blocks_of_a_hessian_have_the_axes_of_both_tensors) {
  Tape tape;
  const Tensor w = tape.input({{1, 2, 3}, {4, 5, 6}}), b = tape.input({0.5, -1});
  const auto h = hessian(sum(square(matmul(b, w))), w, b);
  BOOST_TEST((h[0][0].shape() == Shape{2, 3, 2, 3}));
  BOOST_TEST((h[0][1].shape() == Shape{2, 3, 2}));
  BOOST_TEST((h[1][1].shape() == Shape{2, 2}));
  // sum_j (b w_j)^2: by b, 2 w wT; by w[p,j] and w[q,k], 2 b_p b_q [j = k]
  const Tensor expected = 2 * matmul(w, transpose(w));
  BOOST_TEST(h[1][1].values() == expected.values(), tt::per_element());
  BOOST_TEST(h[0][0].at(0, 2, 1, 2) == 2 * 0.5 * -1);
  BOOST_TEST(h[0][0].at(0, 2, 1, 1) == 0.0);
  for (int p = 0; p < 2; ++p)
    for (int j = 0; j < 3; ++j)
      for (int q = 0; q < 2; ++q) BOOST_TEST(h[0][1].at(p, j, q) == h[1][0].at(q, p, j));
}

BOOST_AUTO_TEST_CASE(the_hessian_of_a_linear_function_is_zero) {
  Tape tape;
  const Tensor x = tape.input({1, 2}), z = tape.input(3.0);
  const Tensor y = sum(3 * x) + z * z;
  BOOST_TEST(hessian(sum(3 * x), x).values() == Numbers(4), tt::per_element());
  BOOST_TEST(hvp(sum(3 * x), x, x).values() == Numbers(2), tt::per_element());
  const auto h = hessian(y, x, z);
  BOOST_TEST(h[0][1].values() == Numbers(2), tt::per_element());
  BOOST_TEST(h[1][1].item() == 2.0);
}

BOOST_AUTO_TEST_CASE(a_jvp_of_what_is_piecewise_constant_is_zero) {
  Tape tape;
  const Tensor x = tape.input({1, -2});
  BOOST_TEST(jvp(sign(x), x, x).values() == Numbers(2), tt::per_element());
}

BOOST_AUTO_TEST_CASE(a_product_with_the_identity_is_the_direction_in_a_record_of_its_own) {
  Tape tape;
  const Tensor x = tape.input({1, 2}), u = tape.input({3, 4});
  for (const Tensor& same : {jvp(x, x, u), vjp(x, x, u), hvp(0.5 * sum(square(x)), x, u)}) {
    BOOST_TEST(same.values() == u.values(), tt::per_element());
    BOOST_TEST(!tg::Recording::same(same, u));
  }
}

// ---------------------------------------------------------------- any order

BOOST_AUTO_TEST_CASE(the_jacobian_of_a_jacobian_is_the_third_axis_of_derivatives) {
  Tape tape;
  const Tensor x = tape.input({0.5, 2});
  const Tensor x0 = slice(x, 0, 0, 1), x1 = slice(x, 0, 1, 2);
  const Tensor y = tg::concat({x0 * x0 * x1, exp(x0) * x1, x1 * x1 * x1}, 0);
  const Tensor jj = jacobian(jacobian(y, x), x);
  BOOST_REQUIRE((jj.shape() == Shape{3, 2, 2}));
  const double e = std::exp(0.5);
  const Numbers expected{4, 1, 1, 0, 2 * e, e, e, 0, 0, 0, 0, 12};
  BOOST_TEST(distance(jj, expected) < 1e-14);
}

BOOST_AUTO_TEST_CASE(the_jacobian_of_a_gradient_is_the_hessian) {
  Tape tape;
  const Tensor x = tape.input({0.5, -1, 2});
  const Tensor y = logsumexp(x * x);
  BOOST_TEST(distance(jacobian(gradient(y, x), x), hessian(y, x).values()) < 1e-15);
}

BOOST_AUTO_TEST_CASE(an_hvp_of_an_hvp_is_the_fourth_derivative_along_two_directions) {
  Tape tape;
  const Tensor x = tape.input({0.5, 2}), u = tape.input({1, -1}), v = tape.input({3, 0.5});
  const Tensor y = sum(pow(x, 5.0));
  const Tensor curvature = sum(u * hvp(y, x, u));  // sum 20 x^3 u^2
  const Tensor fourth = hvp(curvature, x, v);      // 120 x u^2 v
  BOOST_TEST(distance(fourth, {120 * 0.5 * 3, 120.0 * 2 * 0.5}) < 1e-13);
}

BOOST_AUTO_TEST_CASE(a_gradient_of_a_jvp_is_that_of_the_directional_derivative) {
  Tape tape;
  const Tensor x = tape.input({0.5, 2}), u = tape.input({3, -1});
  const Tensor along = jvp(x * x * x, x, u);  // 3 x^2 u
  const auto [gx, gu] = gradient(sum(along), x, u);
  BOOST_TEST(distance(gx, {6 * 0.5 * 3, 6.0 * 2 * -1}) < 1e-14);
  BOOST_TEST(distance(gu, {3 * 0.25, 3.0 * 4}) < 1e-14);
}

template <class F>
void compare_with_forward_mode(F f, double at) {
  const auto expected = f(boost::math::differentiation::make_fvar<double, 4>(at));
  Tape tape;
  const Tensor x = tape.input(at);
  Tensor by_gradient = f(x), by_jvp = by_gradient, by_jacobian = by_gradient;
  for (unsigned order = 1; order <= 4; ++order) {
    const double e = expected.derivative(order);
    by_gradient = gradient(by_gradient, x);
    BOOST_TEST(by_gradient.item() == e, tt::tolerance(1e-11));
    if (order > 3) break;
    by_jvp = jvp(by_jvp, x, 1.0);
    by_jacobian = jacobian(by_jacobian, x);
    BOOST_TEST(by_jvp.item() == e, tt::tolerance(1e-11));
    BOOST_TEST(by_jacobian.item() == e, tt::tolerance(1e-11));
    if (order == 2) BOOST_TEST(hessian(f(x), x).item() == e, tt::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_CASE(derivatives_up_to_the_fourth_agree_with_forward_mode) {
  compare_with_forward_mode([](auto x) { return exp(sin(x)) / (1.0 + x * x); }, 0.7);
  compare_with_forward_mode([](auto x) { return log(1.0 + exp(2.0 * x)) * tanh(x); }, -0.4);
  compare_with_forward_mode([](auto x) { return sqrt(1.0 + x * x) * cos(x * x); }, 0.9);
  compare_with_forward_mode([](auto x) { return pow(x, 3.5) - x / sqrt(x); }, 1.3);
}

// ---------------------------------------------------------------- v (J u) = (v J) u

/// <v, J u> by jvp and <J^T v, u> by vjp, relative to the largest term.
double disagreement(Tape& tape, const Tensor& y, const std::vector<Tensor>& x) {
  tg::Random random{5};
  const Tensor v = tape.input(random.normal(0, 1, y.shape()));
  std::vector<tg::Arg> u;
  for (const Tensor& each : x) u.push_back(tape.input(random.normal(0, 1, each.shape())));
  std::vector<Tensor> g(x.size());
  tg::vjps(y, x, v, g);
  const Tensor along = jvp(y, x, u, tg::Site::here());
  double backward = 0, scale = 1e-300;
  for (std::size_t i = 0; i < x.size(); ++i) {
    backward += dot(g[i], u[i].tensor());
    scale += dot(abs(g[i]), abs(u[i]));
  }
  return std::abs(dot(v, along) - backward) / (scale + dot(abs(v), abs(along)));
}

BOOST_AUTO_TEST_CASE(jvp_and_vjp_agree_for_every_op) {
  int checked = 0;
  for (const tg::Op* op : tg::catalogue()) {
    if (op->vjp.flow() != tg::VjpRule::Flow::rule) continue;
    tg::Examples examples;
    if (op->examples != nullptr)
      op->examples(examples);
    else
      examples.cases.push_back({std::vector<Shape>(op->sample.count, Shape{2, 3}), {}});
    for (const auto& [shapes, attributes] : examples.cases) {
      Tape tape;
      tg::Random random{11};
      std::vector<tg::Arg> args;
      std::vector<Tensor> moved;
      for (std::size_t i = 0; i < shapes.size(); ++i) {
        const auto [low, high, whole] = op->sample[i];
        Array values = random.uniform(low, high, shapes[i]);
        if (whole) {
          Numbers numbers = values.values();
          for (double& number : numbers) number = std::floor(number);
          values = Array(shapes[i], numbers);
        }
        const Tensor x = tape.input(values);
        args.push_back(x);
        if (!whole) moved.push_back(x);
      }
      const Tensor y = tg::record(*op, args, attributes);
      const double error = disagreement(tape, y, moved);
      BOOST_TEST(error <= 1e-14, op->name << " " << tg::text(y.shape()) << ": " << error);
      ++checked;
    }
  }
  BOOST_TEST(checked > 60);
}

BOOST_AUTO_TEST_CASE(jvp_and_vjp_agree_for_a_network) {
  Network n;
  BOOST_TEST(disagreement(n.tape, n.y,
                          {n.net.hidden.weight, n.net.hidden.bias, n.net.output.weight}) < 1e-14);
}

// ---------------------------------------------------------------- the cut

BOOST_AUTO_TEST_CASE(a_branch_not_taken_changes_no_product) {
  Tape tape;
  const Tensor x = tape.input({0, 4, -1}), u = tape.input({1, 1, 1});
  const Tensor y = where(x > 0, log(x) / sqrt(x), x * x);
  // by x: 2x where x <= 0, and (1 - log(x) / 2) / x^1.5 at 4
  const Numbers expected{0, (1 - std::log(4.0) / 2) / 8, -2};
  BOOST_TEST(distance(jvp(y, x, u), expected) < 1e-15);
  const Tensor j = jacobian(y, x);
  const Tensor h = hessian(sum(y), x);
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 3; ++k)
      BOOST_TEST(j.at(i, k) == (i == k ? expected[static_cast<std::size_t>(i)] : 0.0),
                 tt::tolerance(1e-15));
  BOOST_TEST(h.at(0, 0) == 2.0);
  BOOST_TEST(h.at(2, 2) == 2.0);
}

// The seed that a jvp is transposed with must hide nothing: adjoints of ones would cancel here.
BOOST_AUTO_TEST_CASE(a_jvp_shows_an_infinite_slope_that_a_centred_seed_would_cut) {
  Tape tape;
  const Tensor x = tape.input({0, 1, 4}), root = sqrt(x);
  const Tensor y = root - mean(root);
  const Tensor along = jvp(y, x, tape.constant({1, 0, 0}));
  for (double number : along.values()) BOOST_TEST(!std::isfinite(number));
  BOOST_TEST(jvp(y, x, tape.constant({0, 1, 0})).at(1) == 0.5 - 0.5 / 3, tt::tolerance(1e-15));
}

// ---------------------------------------------------------------- structs

BOOST_AUTO_TEST_CASE(products_and_matrices_of_a_network_are_those_of_pytorch) {
  const Network n;
  BOOST_TEST(distance(jvp(n.y, n.net, n.direction), n.expected["jvp"].values()) < 1e-14);
  BOOST_TEST(::distance(Array(Shape{17}, flat(hvp(n.loss, n.net, n.direction))),
                        n.expected["hvp"]) < 1e-14);
  const Tensor h = hessian(n.loss, n.net);
  BOOST_TEST(::distance(h.array(), n.expected["hessian"]) < 1e-14);
  const Net j = jacobian(n.y, n.net);
  BOOST_TEST((j.hidden.weight.shape() == Shape{4, 2, 2, 3}));
  const Numbers expected = n.expected["jacobian"].values();  // (4, 2, 17): W1 has 6 of 17
  const Numbers own = j.hidden.weight.values();
  for (std::size_t row = 0; row < 8; ++row)
    for (std::size_t i = 0; i < 6; ++i)
      BOOST_TEST(own[6 * row + i] == expected[17 * row + i], tt::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(float32_gives_the_same_to_its_digits) {
  const Network n(tg::float32);
  BOOST_TEST(distance(jvp(n.y, n.net, n.direction), n.expected["jvp"].values()) < 1e-5);
  BOOST_TEST(::distance(hessian(n.loss, n.net).array(), n.expected["hessian"]) < 1e-5);
}

BOOST_AUTO_TEST_CASE(a_vjp_by_a_struct_is_the_seeded_gradient) {
  const Network n;
  const Net a = vjp(n.y, n.net, n.y), b = gradient(seeded(n.y, n.y), n.net);
  BOOST_TEST(flat(a) == flat(b), tt::per_element());
}

struct Mixed {
  std::optional<Tensor> gain, none;
  std::vector<tg::Linear> layers;
  Tensor tied, again, moment;
};

BOOST_AUTO_TEST_CASE(a_struct_may_hold_optionals_vectors_states_and_a_tensor_twice) {
  Tape tape;
  const Tensor w = tape.parameter({2, 3});
  const Mixed net{.gain = tape.parameter(0.5),
                  .none = {},
                  .layers = {{.weight = tape.parameter({{1, 2}})}},
                  .tied = w,
                  .again = w,
                  .moment = tape.state(7.0)};
  const Tensor& m = net.layers[0].weight;
  const Tensor y = *net.gain * sum(square(net.tied)) * sum(net.again * reshape(m, {2}));
  // Over gain, m, w: the tensor in two places counts once, the state not at all.
  const Tensor h = hessian(y, net);
  BOOST_REQUIRE((h.shape() == Shape{5, 5}));
  const double square = 13, product = 8;
  const Numbers first_row{0, square * 2, square * 3, 4 * product + square,
                          6 * product + 2 * square};
  for (int i = 0; i < 5; ++i) {
    BOOST_TEST(h.at(0, i) == first_row[static_cast<std::size_t>(i)], tt::tolerance(1e-14));
    for (int j = 0; j < i; ++j) BOOST_TEST(h.at(i, j) == h.at(j, i), tt::tolerance(1e-14));
  }
  Mixed along = gradient(y, net);
  const Mixed turned = hvp(y, net, along);
  BOOST_TEST(tg::Recording::same(turned.tied, turned.again));
  BOOST_TEST(!turned.moment.defined());
  const Tensor flat_along =
      tg::concat({reshape(*along.gain, {1}), reshape(along.layers[0].weight, {2}), along.tied}, 0);
  const Numbers expected = matmul(h, flat_along).values();
  BOOST_TEST(turned.gain->item() == expected[0], tt::tolerance(1e-14));
  BOOST_TEST(turned.tied.at(0) == expected[3], tt::tolerance(1e-14));
  const Tensor slope = jvp(y, net, along);  // the slope along the gradient is its square
  BOOST_TEST(slope.item() == dot(flat_along, flat_along), tt::tolerance(1e-14));
  const Mixed j = jacobian(tg::concat({net.tied, net.again}, 0), net);
  BOOST_TEST((j.layers[0].weight.shape() == Shape{4, 1, 2}));
  BOOST_TEST(j.tied.values() == Numbers({1, 0, 0, 1, 1, 0, 0, 1}), tt::per_element());

  along.again = tape.constant({1, 1});
  BOOST_TEST(says([&] { jvp(y, net, along); }, "one tensor with two tangents"));
}

BOOST_AUTO_TEST_CASE(several_tensors_move_together) {
  Tape tape;
  const Tensor a = tape.input(2.0), b = tape.input({1, 3});
  const Tensor y = a * a * b, u = tape.input(5.0), v = tape.input({1, -1});
  // 2 a u b + a^2 v
  BOOST_TEST(jvp(y, {a, b}, {u, v}).values() == Numbers({24, 56}), tt::per_element());
  BOOST_TEST(jvp(y, {a, b}, {5.0, v}).values() == Numbers({24, 56}), tt::per_element());
  const auto [ga, gb] = vjp(y, {a, b}, v);
  BOOST_TEST(ga.item() == 2.0 * 2 * (1 - 3));
  BOOST_TEST(gb.values() == Numbers({4, -4}), tt::per_element());
  const auto [ha, hb] = hvp(sum(y), {a, b}, {u, v});
  BOOST_TEST(ha.item() == 2 * 4 * 5.0 + 2 * 2 * 0);
  BOOST_TEST(hb.values() == Numbers({20, 20}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(tensors_that_share_a_gradient_each_bring_their_direction) {
  Tape tape;
  const Tensor a = tape.input({1, 2}), b = tape.input({3, 4});
  const Tensor u = tape.input({1, 0}), v = tape.input({0, 5});
  const Tensor y = square(a + b);
  BOOST_TEST(jvp(y, {a, b}, {u, v}).values() == Numbers({8, 60}), tt::per_element());
  const auto [ha, hb] = hvp(sum(y), {a, b}, {u, v});
  BOOST_TEST(ha.values() == Numbers({2, 10}), tt::per_element());
  BOOST_TEST(hb.values() == Numbers({2, 10}), tt::per_element());
}

// ---------------------------------------------------------------- sizes

BOOST_AUTO_TEST_CASE(rank_zero_and_empty_tensors_have_jacobians) {
  Tape tape;
  const Tensor x = tape.input(3.0), none = tape.input(Array(Shape{0, 2}, {}));
  BOOST_TEST((jacobian(x * x, x).shape() == Shape{}));
  BOOST_TEST(jacobian(x * x, x).item() == 6.0);
  BOOST_TEST(jvp(x * x, x, 2.0).item() == 12.0);
  BOOST_TEST((jacobian(exp(none), none).shape() == Shape{0, 2, 0, 2}));
  BOOST_TEST((jacobian(none * x, x).shape() == Shape{0, 2}));
  BOOST_TEST((jacobian(sum(none), none).shape() == Shape{0, 2}));
  BOOST_TEST((jacobian(sum(none, 0), none).shape() == Shape{2, 0, 2}));
  BOOST_TEST((hessian(sum(none * none), none).shape() == Shape{0, 2, 0, 2}));
  BOOST_TEST((jvp(exp(none), none, none).shape() == Shape{0, 2}));
}

// ---------------------------------------------------------------- time and memory

BOOST_AUTO_TEST_CASE(products_and_matrices_follow_new_numbers_by_replay) {
  Tape tape;
  const Tensor x = tape.input({1, 2}), u = tape.input({1, 0});
  const Tensor y = x * x * x, total = sum(y);
  const Tensor j = jacobian(y, x), h = hessian(total, x), d = jvp(y, x, u), c = hvp(total, x, u);
  x.set({2, 5});
  u.set({0, 1});
  tape.replay(j, h, d, c);
  BOOST_TEST(j.values() == Numbers({12, 0, 0, 75}), tt::per_element());
  BOOST_TEST(h.values() == Numbers({12, 0, 0, 30}), tt::per_element());
  BOOST_TEST(d.values() == Numbers({0, 75}), tt::per_element());
  BOOST_TEST(c.values() == Numbers({0, 30}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(asking_again_returns_the_same_records_run_anew) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2}), u = tape.input({1, 0});
  const Tensor y = x * x * x, total = sum(y);
  const auto ask = [&] {
    return std::array{jvp(y, x, u),
                      hvp(total, x, u),
                      vjp(y, x, u),
                      jacobian(y, x),
                      hessian(total, x),
                      jacobian(y, x, u)[0],
                      hessian(total, std::tuple{x})};
  };
  const auto first = ask();
  const std::size_t size = tape.size(), bytes = tape.bytes();
  x.set({2, 5});
  tape.replay(y, total);  // leaves the others behind
  const auto again = ask();
  BOOST_TEST(tape.size() == size);
  BOOST_TEST(tape.bytes() == bytes);
  for (std::size_t i = 0; i < first.size(); ++i)
    BOOST_TEST(tg::Recording::same(first[i], again[i]), i);
  BOOST_TEST(again[0].values() == Numbers({12, 0}), tt::per_element());
  BOOST_TEST(again[1].values() == Numbers({12, 0}), tt::per_element());
  BOOST_TEST(again[6].values() == Numbers({12, 0, 0, 30}), tt::per_element());
}

BOOST_AUTO_TEST_CASE(another_tangent_needs_only_the_second_sweep) {
  Tape tape;
  const Tensor x = tape.input({1, 2}), y = tanh(x) * exp(x);
  const Tensor u = tape.input({1, 0}), v = tape.input({0, 1});
  const std::size_t before = tape.size();
  jvp(y, x, u);
  const std::size_t between = tape.size();
  jvp(y, x, v);
  BOOST_TEST(tape.size() - between < between - before);
}

BOOST_AUTO_TEST_CASE(a_training_loop_with_products_does_not_grow_the_tape) {
  Network n;
  tg::Sgd sgd{.learning_rate = 0.1};
  std::size_t size = 0;
  double last = 0;
  for (int i = 0; i < 5; ++i) {
    const Net g = gradient(n.loss, n.net);
    hvp(n.loss, n.net, n.direction);
    jvp(n.y, n.net, n.direction);
    hessian(n.loss, n.net);
    if (i == 0) size = n.tape.size();
    BOOST_TEST(n.tape.size() == size);
    if (i > 0) BOOST_TEST(n.loss.item() < last);
    last = n.loss.item();
    sgd.step(n.net, g);
    n.tape.replay(n.loss, n.y);
  }
}

BOOST_AUTO_TEST_CASE(a_compiled_function_may_return_products_and_matrices) {
  Tape tape;
  const Tensor w = tape.parameter({1, 2});
  auto look = tg::compile(tape, [&](Tensor x, Tensor u) {
    const Tensor y = sum(pow(w, 3.0) * x);
    return std::tuple{hvp(y, w, u), hessian(y, w), jvp(w * w, w, u)};
  });
  look({1, 1}, {1, 1});
  const std::size_t size = tape.size();
  const auto& [product, matrix, along] = look({2, 3}, {1, -1});
  BOOST_TEST(tape.size() == size);
  BOOST_TEST(distance(product, {6 * 1 * 2, 6.0 * 2 * 3 * -1}) < 1e-14);
  BOOST_TEST(distance(matrix, {12, 0, 0, 36}) < 1e-14);
  BOOST_TEST(distance(along, {2, -4}) < 1e-14);
}

BOOST_AUTO_TEST_CASE(what_is_recorded_before_its_inputs_are_set_is_computed_by_a_replay) {
  Tape tape;
  const Tensor x = tape.input(Shape{2}), u = tape.input(Shape{2});
  const Tensor y = x * x;
  const Tensor d = jvp(y, x, u), j = jacobian(y, x);
  x.set({1, 2});
  u.set({3, 4});
  tape.replay(d, j);
  BOOST_TEST(d.values() == Numbers({6, 16}), tt::per_element());
  BOOST_TEST(j.values() == Numbers({2, 0, 0, 4}), tt::per_element());
}

// ---------------------------------------------------------------- errors

/// Whether the call is refused in these words, at this line, and the tape is as before.
tt::assertion_result refused(const Tape& tape, const std::function<void()>& call,
                             std::initializer_list<std::string_view> parts,
                             tg::Site at = tg::Site::here()) {
  const std::size_t size = tape.size(), bytes = tape.bytes();
  std::string text = refusal(call);
  tt::assertion_result result(true);
  for (std::string_view part : parts)
    if (!has(text, part)) result = false;
  if (!has(text, tg::text(at))) result = false;
  if (tape.size() != size || tape.bytes() != bytes) {
    result = false;
    text += "\nand the tape has changed";
  }
  result.message() << "refused otherwise: " << text;
  return result;
}

BOOST_AUTO_TEST_CASE(errors_name_shapes_tensors_and_the_line) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2, 3}).named("x"), other = tape.parameter(1.0).named("other");
  const Tensor y = (x * x).named("y"), total = sum(y).named("total");
  const Tensor two = tape.constant({1, 2}).named("two");
  const Tensor apart = tape.parameter({1, 2}), stopped = detach(x);
  const auto no =
      [&](const std::function<void()>& call, std::initializer_list<std::string_view> parts,
          tg::Site at = tg::Site::here()) { BOOST_TEST(refused(tape, call, parts, at)); };
  no([&] { vjp(y, x, two); }, {"vjp: the seed has the shape (2), the tensor (3)", "y", "two"});
  no([&] { jvp(y, x, two); }, {"jvp: the tangent has the shape (2), the tensor (3)", "x", "two"});
  no([&] { jvp(y, x, 1.0); }, {"jvp: the tangent has the shape ()"});
  no([&] { jvp(y, {x, other}, {x, two}); }, {"jvp: the tangent has the shape (2), the tensor ()"});
  no([&] { hvp(total, x, two); }, {"hvp: the direction has the shape (2)", "x", "two"});
  no([&] { hvp(y, x, x); }, {"hvp: one number has a Hessian, this tensor has 3", "y"});
  no([&] { hessian(y, x); }, {"hessian: one number has a Hessian, this tensor has 3", "y"});
  no([&] { hessian(y, x, other); }, {"hessian: one number has a Hessian"});
  no([&] { vjp(y, other, y); }, {"vjp: the tensor depends on none", "y", "other"});
  no([&] { jvp(y, other, 1.0); }, {"jvp: the tensor depends on none", "y", "other"});
  no([&] { hvp(total, other, 1.0); }, {"hvp: the tensor depends on none"});
  no([&] { jacobian(y, other); }, {"jacobian: the tensor depends on none"});
  no([&] { jacobian(other, apart); }, {"jacobian: the tensor depends on none"});
  no([&] { hessian(total, other); }, {"hessian: the tensor depends on none"});
  no([&] { jacobian(x, y); }, {"are the arguments exchanged?"});
  no([&] { jacobian(stopped, x); }, {"jacobian: the tensor depends on none"});
  no([&] { jvp(y, x, Tensor{}); }, {"jvp", "undefined"});
}

BOOST_AUTO_TEST_CASE(too_many_axes_are_refused) {
  Tape tape;
  const Tensor x = tape.input(Array(Shape{1, 1, 1, 1}, {2.0}));
  const auto line_of_call = [&] { jacobian(x * x, x); };
  BOOST_TEST(says(line_of_call, "(1, 1, 1, 1) and (1, 1, 1, 1): together more than 7 axes"));
}

BOOST_AUTO_TEST_CASE(values_out_of_date_are_refused) {
  Tape tape;
  const Tensor x = tape.input({1, 2}).named("x"), u = tape.input({1, 1}).named("u");
  const Tensor y = x * x, total = sum(y), moved = 2 * u;
  u.set({3, 3});
  BOOST_TEST(refused(tape, [&] { jvp(y, x, moved); }, {"jvp", "u was set"}));
  BOOST_TEST(refused(tape, [&] { hvp(total, x, moved); }, {"hvp", "u was set"}));
  x.set({3, 3});
  BOOST_TEST(refused(tape, [&] { jvp(y, x, u); }, {"jvp", "x was set"}));
  BOOST_TEST(refused(tape, [&] { jacobian(y, x); }, {"jacobian", "x was set"}));
  BOOST_TEST(refused(tape, [&] { hessian(total, x); }, {"hessian", "x was set"}));
}

struct Pair {
  Tensor first;
  std::vector<Tensor> rest;
};

BOOST_AUTO_TEST_CASE(structs_that_do_not_fit_are_refused) {
  Tape tape;
  const Pair net{tape.parameter(1.0), {tape.parameter(2.0)}};
  const Tensor y = net.first * net.rest[0];
  const Pair shorter{tape.constant(1.0), {}}, hollow{tape.constant(1.0), {Tensor{}}};
  const Pair wrong{tape.constant(1.0), {tape.constant({1, 2})}};
  BOOST_TEST(refused(tape, [&] { jvp(y, net, shorter); }, {"differ in rest: sizes 1 and 0"}));
  BOOST_TEST(refused(tape, [&] { hvp(y, net, hollow); }, {"hvp", "holds no tensor", "rest.0"}));
  BOOST_TEST(refused(tape, [&] { hvp(y, net, wrong); }, {"hvp: the direction has the shape (2)"}));
  const Pair inputs{tape.input(1.0), {}};
  BOOST_TEST(
      refused(tape, [&] { hessian(y, inputs); }, {"hessian: the struct holds no parameters"}));
}

BOOST_AUTO_TEST_CASE(a_matrix_beyond_the_limit_is_refused_after_one_sweep) {
  Tape tape;
  const Tensor x = tape.input(tg::Random{1}.normal(0, 1, Shape{1000}));
  const Tensor y = tanh(x), total = sum(y);
  tape.limit(2'000'000);
  BOOST_TEST(refused(tape, [&] { jacobian(y, x); },
                     {"1000 sweeps of", "the tape's limit of 2000000 bytes", "jvp"}));
  BOOST_TEST(refused(tape, [&] { hessian(total, x); }, {"1000 sweeps of"}));
  const Tensor one = tape.input(0.5), wide = tanh(one * x);
  BOOST_TEST(refused(tape, [&] { jacobian(wide, x); }, {"1000 sweeps of"}));
  BOOST_TEST((jacobian(wide, one).shape() == Shape{1000}));  // by its only column
  BOOST_TEST((jvp(y, x, x).shape() == Shape{1000}));
}

BOOST_AUTO_TEST_CASE(a_sweep_inside_a_rule_is_refused_and_nothing_stays) {
  Tape tape;
  tape.trap_non_finite();
  const Tensor x = tape.input({0, 1});
  const Tensor y = sqrt(x);
  BOOST_TEST(refused(tape, [&] { jvp(y, x, x); }, {"the adjoint that"}, {__FILE__, __LINE__ - 1}));
}

// ---------------------------------------------------------------- names

BOOST_AUTO_TEST_CASE(a_part_that_was_met_first_is_named_by_the_whole_later) {
  Tape tape;
  tg::Random random{1};
  const Net net{tg::linear(tape, 2, 3, random), tg::linear(tape, 3, 1, random)};
  const Tensor loss = sum(net(tape.input({{1, 2}})));
  gradient(loss, net.output);
  BOOST_TEST(net.output.weight.name() == "weight");
  gradient(loss, net);
  BOOST_TEST(net.output.weight.name() == "output.weight");
  gradient(loss, net.output);  // the part again
  BOOST_TEST(net.output.weight.name() == "output.weight");
  const std::array whole{net};
  gradient(loss, whole);
  BOOST_TEST(net.output.weight.name() == "0.output.weight");
  const std::pair other{net.hidden.weight, net.output.weight};  // not a longer way
  gradient(loss, other);
  BOOST_TEST(net.output.weight.name() == "0.output.weight");
}

BOOST_AUTO_TEST_CASE(a_name_the_user_gave_stays) {
  Tape tape;
  tg::Random random{1};
  const Net net{tg::linear(tape, 2, 3, random), tg::linear(tape, 3, 1, random)};
  const Tensor loss = sum(net(tape.input({{1, 2}})));
  net.output.weight.named("weight");
  gradient(loss, net);
  BOOST_TEST(net.output.weight.name() == "weight");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
