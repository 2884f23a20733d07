// Arrays made from a rule, and questions about arrays. Expected numbers are NumPy's.
#include "tapegrad/base/creation.hpp"

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <limits>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/base/compare.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
namespace tt = boost::test_tools;
using tg::Array, tg::Shape, tg::float32, tg::float64;
using Numbers = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

BOOST_AUTO_TEST_SUITE(creation)

BOOST_AUTO_TEST_CASE(filled_arrays_have_the_shape_and_precision_asked_for) {
  BOOST_TEST((tg::zeros(Shape{2, 3}) == Array(Shape{2, 3}, Numbers(6))));
  BOOST_TEST((tg::ones(Shape{2}, float32) == Array(Shape{2}, std::vector<float>{1, 1})));
  BOOST_TEST((tg::full(Shape{}, 2.5) == Array(Shape{}, {2.5})));
  BOOST_TEST(tg::full(Shape{0, 3}, 1).numel() == 0);
  BOOST_TEST(says([] { tg::zeros(Shape{2, -1}); }, "(2, -1) has the impossible extent -1"));
  tg::Tape tape;
  const tg::Tensor weight = tape.parameter(tg::zeros(Shape{2, 3}));
  BOOST_TEST((weight.shape() == Shape{2, 3}));
}

BOOST_AUTO_TEST_CASE(eye_is_1_on_its_diagonal) {
  BOOST_TEST((tg::eye(2) == Array::from({{1, 0}, {0, 1}})));
  BOOST_TEST((tg::eye(2, 3) == Array::from({{1, 0, 0}, {0, 1, 0}})));
  BOOST_TEST((tg::eye(3, 2, float32).values() == Numbers({1, 0, 0, 1, 0, 0})));
  BOOST_TEST((tg::eye(0).shape() == Shape{0, 0}));
  BOOST_TEST((tg::eye(2, 0).shape() == Shape{2, 0}));
  BOOST_TEST((tg::eye(2, float32).precision() == float32));
  BOOST_TEST(says([] { tg::eye(-1); }, "eye: the number of rows is -1"));
  BOOST_TEST(says([] { tg::eye(1, -2); }, "the number of columns is -2"));
  BOOST_TEST(says([] { tg::eye(1, -2); }, line()));
}

BOOST_AUTO_TEST_CASE(arange_excludes_its_end) {
  BOOST_TEST(tg::arange(3).values() == Numbers({0, 1, 2}));
  BOOST_TEST(tg::arange(2.5).values() == Numbers({0, 1, 2}));
  BOOST_TEST(tg::arange(2, 5).values() == Numbers({2, 3, 4}));
  BOOST_TEST(tg::arange(1, 0, -0.25).values() == Numbers({1, 0.75, 0.5, 0.25}));
  BOOST_TEST(tg::arange(0, 1, 0.3).values() == Numbers({0, 0.3, 0.6, 0.9}),
             tt::tolerance(1e-15) << tt::per_element());
  BOOST_TEST((tg::arange(0).shape() == Shape{0}));
  BOOST_TEST((tg::arange(2, 1).shape() == Shape{0}));
  BOOST_TEST((tg::arange(-3).shape() == Shape{0}));
  BOOST_TEST((tg::arange(1, 2, -1).shape() == Shape{0}));
  BOOST_TEST((tg::arange(3, float32) == Array(Shape{3}, std::vector<float>{0, 1, 2})));
  BOOST_TEST(says([] { tg::arange(0, 1, 0); }, "arange: from 0 to 1 by 0: the step is 0"));
  BOOST_TEST(says([] { tg::arange(0, 1, 0); }, line()));
  BOOST_TEST(says([] { tg::arange(infinity); }, "not finite"));
  BOOST_TEST(says([] { tg::arange(not_a_number); }, "not finite"));
  BOOST_TEST(says([] { tg::arange(0, 1, 1e-12); }, "too many numbers"));
}

BOOST_AUTO_TEST_CASE(linspace_includes_both_ends_exactly) {
  BOOST_TEST(tg::linspace(0, 1, 5).values() == Numbers({0, 0.25, 0.5, 0.75, 1}));
  BOOST_TEST(tg::linspace(3, -1, 3).values() == Numbers({3, 1, -1}));
  BOOST_TEST(tg::linspace(2, 9, 1).values() == Numbers({2}));
  BOOST_TEST(tg::linspace(2, 9, 2).values() == Numbers({2, 9}));
  BOOST_TEST((tg::linspace(2, 9, 0).shape() == Shape{0}));
  BOOST_TEST(tg::linspace(0, 1, 50).at(-1) == 1);  // 49 steps of 1 / 49 are less
  BOOST_TEST(says([] { tg::linspace(0, 1, -1); }, "linspace: the number of elements is -1"));
  BOOST_TEST(says([] { tg::linspace(0, 1, -1); }, line()));
}

BOOST_AUTO_TEST_CASE(one_hot_adds_an_axis_with_a_1_at_the_label) {
  BOOST_TEST((tg::one_hot({2, 0}, 3) == Array::from({{0, 0, 1}, {1, 0, 0}})));
  BOOST_TEST(tg::one_hot(1, 2).values() == Numbers({0, 1}));
  BOOST_TEST((tg::one_hot(1, 2).shape() == Shape{2}));
  BOOST_TEST((tg::one_hot({{0, 1, 1}}, 2, float32).shape() == Shape{1, 3, 2}));
  BOOST_TEST((tg::one_hot(std::vector<int>{}, 4).shape() == Shape{0, 4}));
  BOOST_TEST(says([] { tg::one_hot({0, 3}, 3); }, "one_hot: label 3, element 1 of shape (2)"));
  BOOST_TEST(says([] { tg::one_hot({0, 3}, 3); }, line()));
  BOOST_TEST(says([] { tg::one_hot(-1, 3); }, "label -1"));
  BOOST_TEST(says([] { tg::one_hot(0.5, 3); }, "label 0.5"));
  BOOST_TEST(says([] { tg::one_hot(not_a_number, 3); }, "label nan"));
  BOOST_TEST(says([] { tg::one_hot(0, -3); }, "the number of classes is -3"));
  BOOST_TEST(says([] { tg::one_hot(tg::zeros(Shape{1, 1, 1, 1, 1, 1, 1}), 2); }, "too many axes"));
}

BOOST_AUTO_TEST_CASE(close_is_what_numpy_calls_close) {
  BOOST_TEST(tg::allclose({1.0, 2.0}, {1.0 + 9e-6, 2.0}));
  BOOST_TEST(!tg::allclose({1.0, 2.0}, {1.0 + 1.2e-5, 2.0}));
  BOOST_TEST(tg::allclose(0.0, 1e-8));
  BOOST_TEST(!tg::allclose(0.0, 2e-8));
  BOOST_TEST(tg::allclose(1.0, 1.25, 0.2, 0));  // relative to the second
  BOOST_TEST(!tg::allclose(1.25, 1.0, 0.2, 0));
  BOOST_TEST(tg::allclose(infinity, infinity));
  BOOST_TEST(!tg::allclose(infinity, -infinity));
  BOOST_TEST(!tg::allclose(1.0, infinity));
  BOOST_TEST(!tg::allclose(infinity, 1.0, infinity));
  BOOST_TEST(!tg::allclose(not_a_number, not_a_number));
  BOOST_TEST(tg::allclose(tg::ones(Shape{2, 3}, float32), 1));
  BOOST_TEST(!tg::allclose(1, {1.0, 2.0}));
  BOOST_TEST(tg::allclose(tg::zeros(Shape{0, 3}), tg::zeros(Shape{0, 3})));
  BOOST_TEST(says([] { tg::allclose({1.0, 1.0}, {1.0}); }, "allclose: (2) and (1)"));
  BOOST_TEST(says([] { tg::allclose({1.0, 1.0}, {1.0}); }, line()));
}

BOOST_AUTO_TEST_CASE(the_largest_element_is_the_first_of_its_equals_or_a_nan) {  // F5
  BOOST_TEST(tg::argmax(Array::from({{1, 9}, {9, 3}})) == 1);
  BOOST_TEST(tg::argmax(Array::from(-2.0)) == 0);
  BOOST_TEST(tg::argmax(Array::from({1.0, not_a_number, infinity, not_a_number})) == 1);
  const Array x = Array::from({{1, 9, 3}, {7, 9, 8}});
  BOOST_TEST((tg::argmax(x, 0) == Array::from({1, 0, 1})));
  BOOST_TEST((tg::argmax(x, -1) == Array::from({1, 1})));
  BOOST_TEST((tg::argmax(tg::zeros(Shape{2, 3, 0}), 1).shape() == Shape{2, 0}));
  BOOST_TEST(says([] { tg::argmax(tg::zeros(Shape{0})); }, "argmax: (0): nothing has no largest"));
  BOOST_TEST(says([] { tg::argmax(tg::zeros(Shape{0, 2}), 0); }, "axis 0 is empty"));
  BOOST_TEST(says([] { tg::argmax(tg::zeros(Shape{2}), 1); }, "argmax: (2): there is no axis 1"));
  BOOST_TEST(says([] { tg::argmax(tg::zeros(Shape{2}), 1); }, line()));
}

BOOST_AUTO_TEST_CASE(a_shape_is_formatted_as_its_text) {
  BOOST_TEST(fmt::format("{} {} {}", Shape{}, Shape{3}, Shape{2, 3}) == "() (3) (2, 3)");
  BOOST_TEST(fmt::format("{:>8}|{:<8}|", Shape{2, 3}, Shape{4}) == "  (2, 3)|(4)     |");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
