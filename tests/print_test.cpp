#include "tapegrad/base/print.hpp"

#include <fmt/format.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "tapegrad/base/error.hpp"

using namespace tapegrad;

namespace {

// One array of tests/data/print.txt, and NumPy's text of it. make_print.py says how they are
// written.
struct Example {
  std::string head;
  Array array;
  PrintOptions options;
  std::string expected;
};

template <class T, class Bits>
Array array_of(const Shape& shape, std::istringstream numbers) {
  std::vector<T> values;
  std::string kind;
  numbers >> kind;
  if (kind == "formula") {
    std::int64_t a = 0, b = 0, c = 0;
    numbers >> a >> b >> c;
    for (std::int64_t i = 0; i < shape.numel(); ++i)
      values.push_back(static_cast<T>(static_cast<double>(i * a + b) / static_cast<double>(c)));
  }
  for (std::string word; kind == "bits" && numbers >> word;) {
    Bits bits = 0;
    std::from_chars(word.data(), word.data() + word.size(), bits, 16);
    values.push_back(std::bit_cast<T>(bits));
  }
  return Array(shape, values);
}

std::vector<Example> numpy_examples() {
  std::vector<Example> examples;
  std::ifstream file(TAPEGRAD_TEST_DATA "/print.txt");
  for (std::string line; std::getline(file, line);) {
    Example& e = examples.emplace_back();
    e.head = line;
    std::istringstream head(line);
    std::string precision, word;
    std::vector<std::int64_t> extents;
    head >> precision >> word;
    while (head >> word && word != "options") extents.push_back(std::stoll(word));
    head >> e.options.precision >> e.options.threshold >> e.options.edge_items >>
        e.options.line_width;
    std::getline(file, line);
    const Shape shape(extents);
    e.array = precision == "float64"
                  ? array_of<double, std::uint64_t>(shape, std::istringstream(line))
                  : array_of<float, std::uint32_t>(shape, std::istringstream(line));
    while (std::getline(file, line) && !line.empty())
      e.expected += (e.expected.empty() ? "" : "\n") + line.substr(1);
  }
  return examples;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(print)

BOOST_AUTO_TEST_CASE(every_array_prints_as_numpy_prints_it) {
  const std::vector<Example> examples = numpy_examples();
  BOOST_TEST(examples.size() >= 700u);
  for (const Example& e : examples) {
    const std::string printed = text(e.array, e.options);
    BOOST_TEST(printed == e.expected, e.head << "\nprinted\n"
                                             << printed << "\nNumPy prints\n"
                                             << e.expected);
  }
}

BOOST_AUTO_TEST_CASE(spans_with_a_shape_print_like_arrays) {
  const std::vector<double> wide = {1, 2, 3, 4.5};
  const std::vector<float> narrow = {0.1f, 1, 2, 3};
  BOOST_TEST(text(wide, Shape{2, 2}) == "[[1.  2. ]\n [3.  4.5]]");
  BOOST_TEST(text(narrow, Shape{4}) == "[0.1 1.  2.  3. ]");
}

BOOST_AUTO_TEST_CASE(float_arrays_print_the_shortest_digits_of_a_float) {
  BOOST_TEST(text(Array::from({0.1, 0.2}, float32)) == "[0.1 0.2]");
  BOOST_TEST(text(Array::from(0.1, float32)) == "0.1");
}

BOOST_AUTO_TEST_CASE(arrays_go_to_streams) {
  std::ostringstream out;
  out << Array::from({{1, 2}, {3, 4}});
  BOOST_TEST(out.str() == "[[1. 2.]\n [3. 4.]]");
}

BOOST_AUTO_TEST_CASE(arrays_are_formatted_with_as_many_digits_as_asked) {
  const Array array = Array::from({1.0 / 3, 2});
  BOOST_TEST(fmt::format("{}", array) == "[0.33333333 2.        ]");
  BOOST_TEST(fmt::format("{:.4}", array) == "[0.3333 2.    ]");
  BOOST_TEST(fmt::format("{:.12}", array) == "[0.333333333333 2.            ]");
  BOOST_TEST(fmt::format("{:.0} and {}", array, 1) == "[0. 2.] and 1");
}

BOOST_AUTO_TEST_CASE(one_number_shows_all_digits_unless_fewer_are_asked) {
  const Array third = Array::from(1.0 / 3);
  BOOST_TEST(fmt::format("{}", third) == "0.3333333333333333");
  BOOST_TEST(fmt::format("{:.4}", third) == "0.3333");
  BOOST_TEST(fmt::format("{:.4}", Array::from(2)) == "2.0");
  BOOST_TEST(fmt::format("{:.2}", Array::from(1.2345e20)) == "1.23e+20");
}

BOOST_AUTO_TEST_CASE(unknown_formats_are_refused) {
  const Array array = Array::from({1, 2});
  for (const char* wrong : {"{:.}", "{:d}", "{:8}", "{:.4f}", "{:.1000}"})
    BOOST_CHECK_THROW((void)fmt::format(fmt::runtime(wrong), array), fmt::format_error);
}

BOOST_AUTO_TEST_SUITE_END()
