// How the library behaves inside other people's C++: hostile macros, `using namespace std`, names
// of their own, containers, temporaries. Table L of the bugs that other libraries had.
#include <complex.h>        // L5: defines I
#include <sys/sysmacros.h>  // major, minor
#include <boost/test/unit_test.hpp>
#define DEBUG 1
#define ERROR 0
#define OK 0
#define verify(x) no
#define near
#define far
#include <functional>
#include <numeric>
#include <optional>
#include <tapegrad/tapegrad.hpp>
#include <type_traits>
#include <vector>

namespace {

using namespace std;  // NOLINT: L7
namespace tg = tapegrad;

// L7: names that the library uses too
struct Shape {
  int sides;
};
struct Tensor {
  double stress;
};
double sum(const vector<double>& v) { return accumulate(v.begin(), v.end(), 0.0); }
double relu(double x) { return x < 0 ? 0 : x; }

BOOST_AUTO_TEST_SUITE(language)

BOOST_AUTO_TEST_CASE(ops_are_found_beside_std_and_beside_the_users_own_names) {
  tg::Tape tape;
  const tg::Tensor x = tape.parameter({1.0, 2.0});
  const auto y = sum(exp(x) * log(x) + abs(sin(x)) - sqrt(x) + pow(x, 2) + tanh(x) + relu(x));
  const double at1 = 0 + abs(sin(1.0)) - 1 + 1 + tanh(1.0) + relu(1.0);
  const double at2 = exp(2.0) * log(2.0) + sin(2.0) - sqrt(2.0) + 4 + tanh(2.0) + relu(2.0);
  BOOST_TEST(y.item() == sum(vector{at1, at2}), boost::test_tools::tolerance(1e-14));
  BOOST_TEST(max(x).item() == 2.0);
  BOOST_TEST(maximum(x, 1.5).at(0) == 1.5);
  BOOST_TEST(Shape{3}.sides + Tensor{1}.stress == 4);
}

// L1
BOOST_AUTO_TEST_CASE(nested_calls_temporaries_and_lambdas_with_deduced_results_keep_their_values) {
  tg::Tape tape;
  const auto scaled = [](auto x) { return 2 * x; };
  const auto twice = [&](const auto& f, tg::Tensor x) { return f(f(x)); };
  const tg::Tensor x = tape.parameter(0.5);
  const auto y = twice(scaled, tanh(scaled(x)));
  BOOST_TEST(y.item() == 4 * tanh(1.0));
  BOOST_TEST(gradient(y, x).item() == 8 * (1 - tanh(1.0) * tanh(1.0)),
             boost::test_tools::tolerance(1e-15));
}

// L2
BOOST_AUTO_TEST_CASE(the_logistic_loss_by_hand_has_the_slope_of_its_closed_form) {
  tg::Tape tape;
  const tg::Tensor x = tape.parameter(0.3);
  const double slope = gradient(-x - 2 * log(1 + exp(-x)), x).item();
  BOOST_TEST(slope == -1 + 2 / (1 + exp(0.3)), boost::test_tools::tolerance(1e-15));
}

/// Of a call with a tensor, an axis and, if there is a third, what is given for keepdim.
template <class... More, class F>
constexpr bool takes(F) {
  return is_invocable_v<F, tg::Tensor, More...>;
}

BOOST_AUTO_TEST_CASE(keepdim_is_a_truth_value_and_nothing_else) {
  const auto check = [](auto f) {
    BOOST_TEST((takes<int, bool>(f)));
    BOOST_TEST((!takes<int, int>(f)));
    BOOST_TEST((!takes<int, double>(f)));
  };
  check([](auto... a) -> decltype(sum(a...)) { return {}; });
  check([](auto... a) -> decltype(mean(a...)) { return {}; });
  check([](auto... a) -> decltype(prod(a...)) { return {}; });
  check([](auto... a) -> decltype(max(a...)) { return {}; });
  check([](auto... a) -> decltype(min(a...)) { return {}; });
  check([](auto... a) -> decltype(logsumexp(a...)) { return {}; });
  check([](auto... a) -> decltype(var(a...)) { return {}; });
  check([](auto... a) -> decltype(tg::std(a...)) { return {}; });
  check([](auto... a) -> decltype(argmax(a...)) { return {}; });
  check([](auto... a) -> decltype(argmin(a...)) { return {}; });
  check([](auto... a) -> decltype(max_with_index(a...)) { return {}; });
  check([](auto... a) -> decltype(min_with_index(a...)) { return {}; });
  check([](auto x, auto... a) -> decltype(norm(x, 2, a...)) { return {}; });
}

BOOST_AUTO_TEST_CASE(an_axis_is_a_whole_number_and_no_truth_value) {
  const auto check = [](auto f) {
    BOOST_TEST(takes<int>(f));
    BOOST_TEST(takes<size_t>(f));
    BOOST_TEST(!takes<bool>(f));
    BOOST_TEST(!takes<double>(f));
  };
  check([](auto... a) -> decltype(sum(a...)) { return {}; });
  check([](auto... a) -> decltype(argmax(a...)) { return {}; });
  check([](auto... a) -> decltype(argmin(a...)) { return {}; });
  check([](auto... a) -> decltype(max_with_index(a...)) { return {}; });
  check([](auto... a) -> decltype(softmax(a...)) { return {}; });
  check([](auto... a) -> decltype(log_softmax(a...)) { return {}; });
  check([](auto... a) -> decltype(cumsum(a...)) { return {}; });
  check([](auto... a) -> decltype(unsqueeze(a...)) { return {}; });
}

// L3
BOOST_AUTO_TEST_CASE(literals_of_every_arithmetic_type_mix_with_tensors) {
  tg::Tape tape;
  const tg::Tensor x = tape.parameter(4.0);
  BOOST_TEST((x * 2).item() == 8.0);
  BOOST_TEST((2u * x).item() == 8.0);
  BOOST_TEST((2.0f / x).item() == 0.5);
  BOOST_TEST((x / 2L).item() == 2.0);
  BOOST_TEST(pow(x, 2).item() == 16.0);
  BOOST_TEST(pow(x, 2.f).item() == 16.0);
  BOOST_TEST(pow(2, x).item() == 16.0);
  BOOST_TEST((1 - x).item() == -3.0);
  BOOST_TEST((-x).item() == -4.0);
  BOOST_TEST((+x).item() == 4.0);
  BOOST_TEST((x - static_cast<short>(1)).item() == 3.0);
}

// L8
BOOST_AUTO_TEST_CASE(tensors_live_in_containers_optionals_captures_and_structured_bindings) {
  tg::Tape tape;
  vector<tg::Tensor> many;
  for (int i = 0; i < 100; ++i) many.push_back(tape.parameter(i));
  optional<tg::Tensor> last = many.back();
  const function<tg::Tensor()> product = [&many, last] { return many[2] * *last; };
  const auto [by_second, by_last] = gradient(product(), many[2], *last);
  BOOST_TEST(by_second.item() == 99.0);
  BOOST_TEST(by_last.item() == 2.0);
  BOOST_TEST(tg::stack(many, 0).shape()[0] == 100);
}

// B2, B3, B4
BOOST_AUTO_TEST_CASE(compound_assignment_rebinds_the_name_and_leaves_other_names_alone) {
  tg::Tape tape;
  const tg::Tensor leaf = tape.parameter(3.0);
  tg::Tensor a = leaf;
  const tg::Tensor b = a;
  a += 1;
  BOOST_TEST(a.item() == 4.0);
  BOOST_TEST(b.item() == 3.0);
  a = leaf;
  a *= a;
  BOOST_TEST(gradient(a, leaf).item() == 6.0);
  a = leaf;
  a /= +a;
  BOOST_TEST(gradient(a, leaf).item() == 0.0);
  a = leaf;
  a -= +a;
  BOOST_TEST(gradient(a, leaf).item() == 0.0);
}

// B1, B9
BOOST_AUTO_TEST_CASE(a_variable_that_is_assigned_again_keeps_the_values_of_each_round) {
  tg::Tape tape;
  const tg::Tensor leaf = tape.parameter(0.7);
  tg::Tensor a = leaf;
  a = a - 2 * a;
  BOOST_TEST(gradient(a, leaf).item() == -1.0);
  a = leaf;
  a = 2 * a - a;
  BOOST_TEST(gradient(a, leaf).item() == 1.0);
  a = leaf;
  double slope = 1, value = 0.7;
  for (int round = 0; round < 5; ++round) {
    a = tanh(a);
    value = tanh(value);
    slope *= 1 - value * value;
  }
  BOOST_TEST(gradient(a, leaf).item() == slope, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
