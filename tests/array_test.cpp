#include "tapegrad/base/array.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "tapegrad/base/error.hpp"

using namespace tapegrad;

namespace {

// What a function of the library sees of its argument.
std::string shape_of(const Values& values) { return text(values.shape()); }

std::vector<double> numbers_of(const Values& values) {
  std::vector<double> numbers(static_cast<std::size_t>(values.numel()));
  values.copy_to(numbers);
  return numbers;
}

std::vector<double> list(std::initializer_list<double> numbers) { return numbers; }

template <class F>
std::string message(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.op() + ": " + error.text();
  }
  return "no error";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(array)

BOOST_AUTO_TEST_CASE(each_pair_of_braces_is_an_axis) {
  BOOST_TEST(shape_of(3) == "()");
  BOOST_TEST(shape_of(2.5f) == "()");
  BOOST_TEST(shape_of({}) == "(0)");
  BOOST_TEST(shape_of({1.0}) == "(1)");
  BOOST_TEST(shape_of({1, 2}) == "(2)");
  BOOST_TEST(shape_of({{1, 2}}) == "(1, 2)");
  BOOST_TEST(shape_of({{0, 0, 1}, {0, 1, 1}}) == "(2, 3)");
  BOOST_TEST(shape_of({{1}, {2}}) == "(2, 1)");
  BOOST_TEST(shape_of({{{1}}}) == "(1, 1, 1)");
  BOOST_TEST(shape_of({{}, {}}) == "(2, 0)");
  BOOST_TEST(shape_of({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}) == "(2, 2, 2)");
  BOOST_TEST(shape_of({{{{{{{1}}}}}}}) == "(1, 1, 1, 1, 1, 1, 1)");
}

BOOST_AUTO_TEST_CASE(braces_keep_the_order_of_their_numbers_and_may_mix_types) {
  BOOST_TEST(numbers_of({{1, 2.5, 3u}, {4.5f, -5L, 6}}) == list({1, 2.5, 3, 4.5, -5, 6}));
  BOOST_TEST(numbers_of({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}) == list({1, 2, 3, 4, 5, 6, 7, 8}));
  const int x = 7;
  BOOST_TEST(numbers_of(x) == list({7}));
}

BOOST_AUTO_TEST_CASE(ranges_of_any_number_type_have_one_axis) {
  const std::vector<int> whole = {1, 2, 3};
  const std::array<float, 2> pair = {0.5f, 1.5f};
  const unsigned char bytes[] = {0, 255};
  const std::span<const float> span = pair;
  std::vector<double> real = {0.25};
  BOOST_TEST(shape_of(whole) == "(3)");
  BOOST_TEST(numbers_of(whole) == list({1, 2, 3}));
  BOOST_TEST(numbers_of(pair) == list({0.5, 1.5}));
  BOOST_TEST(numbers_of(bytes) == list({0, 255}));
  BOOST_TEST(numbers_of(span) == list({0.5, 1.5}));
  BOOST_TEST(numbers_of(real) == list({0.25}));
  BOOST_TEST(numbers_of(std::vector<long>{4, 5}) == list({4, 5}));
  BOOST_TEST(shape_of(std::span<const float>()) == "(0)");
}

BOOST_AUTO_TEST_CASE(ranges_in_ranges_have_an_axis_for_each_level) {
  const std::vector<std::vector<int>> rows = {{1, 2, 3}, {4, 5, 6}};
  const std::vector<std::array<float, 2>> points = {{0.5f, 1}, {2, 3}, {4, 5}};
  const double deep[1][2][2] = {{{1, 2}, {3, 4}}};
  BOOST_TEST(shape_of(rows) == "(2, 3)");
  BOOST_TEST(numbers_of(rows) == list({1, 2, 3, 4, 5, 6}));
  BOOST_TEST(shape_of(points) == "(3, 2)");
  BOOST_TEST(numbers_of(points) == list({0.5, 1, 2, 3, 4, 5}));
  BOOST_TEST(shape_of(deep) == "(1, 2, 2)");
  BOOST_TEST(numbers_of(deep) == list({1, 2, 3, 4}));
  BOOST_TEST(shape_of({rows, rows}) == "(2, 2, 3)");
  BOOST_TEST(shape_of(std::vector<std::vector<double>>()) == "(0)");
  const std::vector<std::vector<int>> ragged = {{1, 2, 3}, {4, 5}};
  BOOST_TEST(message([&] { const Values values = ragged; }) ==
             "values: row 1 has 2 values, row 0 has 3");
}

BOOST_AUTO_TEST_CASE(braces_around_ranges_and_arrays_stack_them) {
  const std::vector<int> first = {1, 2}, second = {3, 4};
  BOOST_TEST(shape_of({first}) == "(1, 2)");
  BOOST_TEST(shape_of({first, second}) == "(2, 2)");
  BOOST_TEST(numbers_of({first, second}) == list({1, 2, 3, 4}));
  const Array row(Shape{2}, {5, 6});
  BOOST_TEST(shape_of({row, first, {7, 8}}) == "(3, 2)");
  BOOST_TEST(numbers_of({row, first, {7, 8}}) == list({5, 6, 1, 2, 7, 8}));
}

BOOST_AUTO_TEST_CASE(values_of_an_array_have_its_shape_in_both_precisions) {
  const Array wide(Shape{2, 1}, std::vector<double>{0.1, 2});
  const Array narrow(Shape{1, 2}, std::vector<float>{0.1f, 2});
  BOOST_TEST(shape_of(wide) == "(2, 1)");
  BOOST_TEST(numbers_of(wide) == list({0.1, 2}));
  BOOST_TEST(shape_of(narrow) == "(1, 2)");
  BOOST_TEST(numbers_of(narrow) == list({0.1f, 2}));
}

BOOST_AUTO_TEST_CASE(values_look_at_ranges_and_arrays_without_copying) {
  std::vector<int> whole = {1, 2};
  Array array(Shape{2}, {3, 4});
  const Values of_range = whole, of_array = array, copy = of_range;
  whole[1] = 20;
  array.span<double>()[1] = 40;
  BOOST_TEST(numbers_of(of_range) == list({1, 20}));
  BOOST_TEST(numbers_of(copy) == list({1, 20}));
  BOOST_TEST(numbers_of(of_array) == list({3, 40}));
}

BOOST_AUTO_TEST_CASE(values_are_written_as_floats_too) {
  std::array<float, 3> to{};
  Values({0.1, 2, 1e300}).copy_to(to);
  BOOST_TEST(to[0] == 0.1f);
  BOOST_TEST(to[2] == std::numeric_limits<float>::infinity());
  Values(std::vector<double>{0.1, 2, 3}).copy_to(to);
  BOOST_TEST(to[0] == 0.1f);
  Values(0.1).copy_to(std::span(to).first(1));
  BOOST_TEST(to[0] == 0.1f);
}

BOOST_AUTO_TEST_CASE(ragged_braces_are_refused_by_row) {
  BOOST_TEST(message([] {
               shape_of({{1, 2, 3}, {4, 5}});
             }) == "values: row 1 has 2 values, row 0 has 3");
  BOOST_TEST(message([] {
               shape_of({{1, 2}, {3, 4}, {5}});
             }) == "values: row 2 has 1 value, row 0 has 2");
  BOOST_TEST(message([] {
               shape_of({{1, 2}, 3});
             }) == "values: row 1 is a number, row 0 has 2 values");
  BOOST_TEST(message([] {
               shape_of({{{1, 2}, {3, 4}}, {{5, 6}}});
             }) == "values: row 1 has the shape (1, 2), row 0 has the shape (2, 2)");
  BOOST_TEST(message([] { shape_of({{{{{{{{1}}}}}}}}); }) ==
             "shape: 8 axes are more than the 7 a tensor may have");
}

BOOST_AUTO_TEST_CASE(reshaped_values_keep_their_numbers_and_their_count) {
  const std::vector<int> whole = {1, 2, 3, 4, 5, 6};
  const Values table = Values(whole).reshaped(Shape{2, 3});
  BOOST_TEST(shape_of(table) == "(2, 3)");
  BOOST_TEST(numbers_of(table) == list({1, 2, 3, 4, 5, 6}));
  BOOST_TEST(shape_of(Values(5).reshaped(Shape{1, 1})) == "(1, 1)");
  BOOST_TEST(numbers_of(Values({1, 2}).reshaped(Shape{2, 1})) == list({1, 2}));
  BOOST_TEST(message([&] { Values(whole).reshaped(Shape{4}); }) ==
             "values: the shape (4) holds 4 values, 6 were given");
}

BOOST_AUTO_TEST_CASE(flags_characters_texts_and_shapes_are_not_values) {
  static_assert(!std::is_convertible_v<bool, Values>);
  static_assert(!std::is_convertible_v<char, Values>);
  static_assert(!std::is_convertible_v<const char*, Values>);
  static_assert(!std::is_convertible_v<const char(&)[4], Values>);
  static_assert(!std::is_convertible_v<std::string, Values>);
  static_assert(!std::is_convertible_v<std::vector<bool>, Values>);
  static_assert(!std::is_convertible_v<std::vector<std::vector<bool>>, Values>);
  static_assert(!std::is_convertible_v<std::vector<std::string>, Values>);
  static_assert(!std::is_convertible_v<std::array<bool, 2>, Values>);
  static_assert(!std::is_convertible_v<Shape, Values>);
  static_assert(std::is_convertible_v<std::vector<unsigned char>, Values>);
  BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(an_array_starts_empty_or_with_zeros) {
  BOOST_TEST(text(Array().shape()) == "(0)");
  BOOST_TEST(Array().numel() == 0);
  BOOST_TEST((Array().precision() == float64));
  const Array zeros = Array::zeros(Shape{2, 3}, float32);
  BOOST_TEST(zeros.rank() == 2);
  BOOST_TEST(zeros.values() == std::vector<double>(6));
  BOOST_TEST((zeros.precision() == float32));
  BOOST_TEST((Array::zeros(Shape{}).precision() == float64));
}

BOOST_AUTO_TEST_CASE(an_array_from_values_owns_a_copy) {
  std::vector<int> whole = {1, 2};
  const Array array = Array::from(whole);
  whole[0] = 10;
  BOOST_TEST(array.values() == list({1, 2}));
  BOOST_TEST((Array::from({{1, 2}, {3, 4}}) == Array(Shape{2, 2}, {1, 2, 3, 4})));
  const Array narrow = Array::from({0.1, 0.2}, float32);
  BOOST_TEST((narrow == Array(Shape{2}, std::vector<float>{0.1f, 0.2f})));
  BOOST_TEST((Array::from(narrow, float32) == narrow));
  BOOST_TEST(Array::from(2.5).item() == 2.5);
}

BOOST_AUTO_TEST_CASE(arrays_are_equal_when_shape_precision_and_values_are) {
  const Array array(Shape{2}, {1, 2});
  BOOST_TEST((array == Array(Shape{2}, {1, 2})));
  BOOST_TEST((array != Array(Shape{2}, {1, 3})));
  BOOST_TEST((array != Array(Shape{2, 1}, {1, 2})));
  BOOST_TEST((array != Array(Shape{2}, std::vector<float>{1, 2})));
}

BOOST_AUTO_TEST_CASE(indices_may_count_from_the_end) {
  const Array array(Shape{2, 3}, {0, 1, 2, 10, 11, 12});
  BOOST_TEST(array.at(1, 2) == 12);
  BOOST_TEST(array.at(0, 1) == 1);
  BOOST_TEST(array.at(-1, -3) == 10);
  BOOST_TEST(array.at(std::size_t{1}, short{1}) == 11);
  BOOST_TEST(Array::from(7).at() == 7);
}

BOOST_AUTO_TEST_CASE(an_index_outside_the_shape_is_refused_with_both) {
  const Array array(Shape{2, 3}, {0, 1, 2, 10, 11, 12});
  BOOST_TEST(message([&] { array.at(1, 3); }) ==
             "at: the index 3 of axis 1 is outside the shape (2, 3)");
  BOOST_TEST(message([&] { array.at(-3, 0); }) ==
             "at: the index -3 of axis 0 is outside the shape (2, 3)");
  BOOST_TEST(message([&] { array.at(1); }) == "at: 1 index for the shape (2, 3)");
  BOOST_TEST(message([&] { array.at(0, 0, 0); }) == "at: 3 indices for the shape (2, 3)");
  BOOST_TEST(message([] { Array().at(0); }) ==
             "at: the index 0 of axis 0 is outside the shape (0)");
}

BOOST_AUTO_TEST_CASE(wrong_counts_and_precisions_are_refused) {
  BOOST_TEST(message([] {
               Array(Shape{2, 2}, {1, 2, 3});
             }) == "array: the shape (2, 2) holds 4 values, 3 were given");
  BOOST_TEST(message([] { Array(Shape{}, std::vector<float>{}); }) ==
             "array: the shape () holds 1 values, 0 were given");
  BOOST_TEST(message([] {
               Array::from({1, 2}).item();
             }) == "item: exactly one element is needed, the shape is (2)");
  BOOST_TEST(message([] {
               Array::from({1, 2}).span<float>();
             }) == "span: the array is float64, not float32");
}

BOOST_AUTO_TEST_CASE(spans_write_through) {
  Array array = Array::zeros(Shape{2}, float32);
  array.span<float>()[1] = 3;
  BOOST_TEST(array.values() == list({0, 3}));
}

BOOST_AUTO_TEST_SUITE_END()
