// Random against NumPy's RandomState (data/random.txt, made by data/make_random.py), CounterRandom
// against the known answers of Random123.
#include "tapegrad/base/random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <numeric>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/base/error.hpp"

namespace {  // also because POSIX has a function ::random

using tapegrad::Array;
using tapegrad::CounterRandom;
using tapegrad::Error;
using tapegrad::philox;
using tapegrad::Random;
using tapegrad::Shape;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class T>
T number(const std::string& digits) {
  if constexpr (std::is_same_v<T, double>) {
    return std::stod(digits);
  } else {
    return std::stoll(digits);
  }
}

// The order of the values matters, and each of their bits.
template <class T>
std::uint64_t checksum(const std::vector<T>& values) {
  std::uint64_t total = 0;
  for (const T value : values)
    total = total * 6364136223846793005u + std::bit_cast<std::uint64_t>(value) + 1;
  return total;
}

// Runs `draw(generator, arguments, count)` for each line of the file that is about `call`.
template <class T, class Draw>
void equals_numpy(const std::string& call, Draw draw) {
  std::ifstream file(TAPEGRAD_TEST_DATA "/random.txt");
  BOOST_TEST_REQUIRE(file.good(), TAPEGRAD_TEST_DATA "/random.txt cannot be read");
  int lines = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, argument_list, word;
    std::uint32_t seed = 0;
    std::size_t count = 0;
    std::uint64_t expected_checksum = 0;
    words >> name >> seed >> argument_list >> count >> expected_checksum;
    if (name != call) continue;
    ++lines;
    std::vector<T> arguments, expected;
    std::istringstream list(argument_list == "-" ? "" : argument_list);
    while (std::getline(list, word, ',')) arguments.push_back(number<T>(word));
    while (words >> word) expected.push_back(number<T>(word));

    BOOST_TEST_CONTEXT(call << " with seed " << seed << ", arguments " << argument_list) {
      Random generator(seed);
      const std::vector<T> drawn = draw(generator, arguments, count);
      BOOST_TEST_REQUIRE(drawn.size() == count);
      const std::size_t step = count == expected.size() ? 1 : 100;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        BOOST_TEST_CONTEXT("value " << i * step)
        BOOST_TEST_REQUIRE(drawn[i * step] == expected[i]);
      }
      BOOST_TEST(checksum(drawn) == expected_checksum);
    }
  }
  BOOST_TEST(lines > 0, "the file says nothing about " << call);
}

BOOST_AUTO_TEST_SUITE(random)

BOOST_AUTO_TEST_CASE(seed_1_begins_with_the_well_known_numbers) {
  Random generator(1);
  BOOST_TEST(generator.random() == 0.417022004702574);
  BOOST_TEST(generator.random() == 0.7203244934421581);
}

BOOST_AUTO_TEST_CASE(random_equals_numpy) {
  equals_numpy<double>("random", [](Random& generator, auto&, std::size_t count) {
    std::vector<double> drawn;
    while (drawn.size() < count) drawn.push_back(generator.random());
    return drawn;
  });
}

BOOST_AUTO_TEST_CASE(uniform_equals_numpy) {
  equals_numpy<double>("uniform", [](Random& generator, auto& limits, std::size_t count) {
    std::vector<double> drawn;
    while (drawn.size() < count) drawn.push_back(generator.uniform(limits[0], limits[1]));
    return drawn;
  });
}

BOOST_AUTO_TEST_CASE(normal_equals_numpy) {
  equals_numpy<double>("normal", [](Random& generator, auto& arguments, std::size_t count) {
    std::vector<double> drawn;
    while (drawn.size() < count) drawn.push_back(generator.normal(arguments[0], arguments[1]));
    return drawn;
  });
}

BOOST_AUTO_TEST_CASE(randint_equals_numpy_for_every_width) {
  equals_numpy<std::int64_t>("randint", [](Random& generator, auto& limits, std::size_t count) {
    std::vector<std::int64_t> drawn;
    while (drawn.size() < count) drawn.push_back(generator.randint(limits[0], limits[1]));
    return drawn;
  });
}

BOOST_AUTO_TEST_CASE(permutation_equals_numpy) {
  equals_numpy<std::int64_t>("permutation", [](Random& generator, auto& arguments, std::size_t) {
    return generator.permutation(arguments[0]);
  });
}

BOOST_AUTO_TEST_CASE(shuffle_equals_numpy) {
  equals_numpy<std::int64_t>("shuffle", [](Random& generator, auto&, std::size_t) {
    std::string letters = "shuffled";
    generator.shuffle(std::span(letters));
    return std::vector<std::int64_t>(letters.begin(), letters.end());
  });
}

BOOST_AUTO_TEST_CASE(calls_of_all_kinds_in_turn_equal_numpy) {
  equals_numpy<double>("mixed", [](Random& generator, auto&, std::size_t count) {
    std::vector<double> drawn;
    for (int i = 0; drawn.size() < count; ++i) {
      drawn.push_back(generator.random());
      drawn.push_back(generator.normal(1.0, 0.5));
      drawn.push_back(static_cast<double>(generator.randint(0, 7)));
      drawn.push_back(static_cast<double>(generator.randint(3, 4)));
      drawn.push_back(static_cast<double>(generator.randint(0, std::int64_t{1} << 40)));
      drawn.push_back(generator.uniform(-1.0, 1.0));
      drawn.push_back(static_cast<double>(generator.permutation(5)[0]));
      if (i % 3 == 0) drawn.push_back(generator.normal());
    }
    return drawn;
  });
}

BOOST_AUTO_TEST_CASE(an_array_holds_what_single_calls_draw) {
  Random arrays(7), singles(7);
  const auto agree = [](const Array& array, auto draw) {
    BOOST_TEST((array.shape() == Shape{2, 3}));
    for (const double value : array.values()) BOOST_TEST(value == draw());
  };
  agree(arrays.random(Shape{2, 3}), [&] { return singles.random(); });
  agree(arrays.uniform(-1, 1, Shape{2, 3}), [&] { return singles.uniform(-1, 1); });
  agree(arrays.normal(5, 2, Shape{2, 3}), [&] { return singles.normal(5, 2); });
  agree(arrays.randint(-9, 9, Shape{2, 3}),
        [&] { return static_cast<double>(singles.randint(-9, 9)); });
  BOOST_TEST((arrays == singles));
}

BOOST_AUTO_TEST_CASE(an_array_of_an_odd_count_keeps_the_second_normal) {
  Random arrays(7), singles(7);
  arrays.normal(0, 1, Shape{3});
  for (int i = 0; i < 3; ++i) singles.normal();
  BOOST_TEST(arrays.normal() == singles.normal());
}

BOOST_AUTO_TEST_CASE(shuffle_takes_whatever_can_be_swapped) {
  std::vector<std::string> words = {"a", "b", "c", "d", "e"};
  int numbers[] = {0, 1, 2, 3, 4};
  Random(3).shuffle(words);
  Random(3).shuffle(numbers);
  const std::vector<std::int64_t> order = Random(3).permutation(5);
  for (std::size_t i = 0; i < 5; ++i) {
    BOOST_TEST(numbers[i] == order[i]);
    BOOST_TEST(words[i][0] == 'a' + order[i]);
  }
}

BOOST_AUTO_TEST_CASE(bad_arguments_are_refused_before_anything_is_drawn) {
  Random generator(5);
  const Random before = generator;
  const Shape none{0};
  BOOST_CHECK_THROW(generator.uniform(1, 0), Error);
  BOOST_CHECK_THROW(generator.uniform(0, infinity), Error);
  BOOST_CHECK_THROW(generator.uniform(nan, 1), Error);
  BOOST_CHECK_THROW(generator.uniform(-1.7e308, 1.7e308), Error);
  BOOST_CHECK_THROW(generator.uniform(1, 0, none), Error);
  BOOST_CHECK_THROW(generator.normal(0, -1), Error);
  BOOST_CHECK_THROW(generator.normal(0, nan), Error);
  BOOST_CHECK_THROW(generator.normal(0, -1, none), Error);
  BOOST_CHECK_THROW(generator.randint(3, 3), Error);
  BOOST_CHECK_THROW(generator.randint(3, 2), Error);
  BOOST_CHECK_THROW(generator.randint(3, 3, none), Error);
  BOOST_CHECK_THROW(generator.permutation(-1), Error);
  BOOST_TEST((generator == before));
}

BOOST_AUTO_TEST_CASE(a_refusal_names_the_argument_and_the_line_of_the_user) {
  Random generator(5);
  const auto line = static_cast<std::uint32_t>(__LINE__) + 1;
  const auto call = [&] { generator.randint(3, 3); };
  BOOST_CHECK_EXCEPTION(call(), Error, [&](const Error& error) {
    return error.op() == "randint" && error.text() == "no whole number lies in [3, 3)" &&
           error.site().line == line &&
           std::string_view(error.site().file).ends_with("random_test.cpp");
  });
}

BOOST_AUTO_TEST_CASE(a_copy_goes_on_with_the_same_numbers) {
  Random generator(5);
  generator.normal();  // one is kept
  Random copy = generator;
  BOOST_TEST((copy == generator));
  BOOST_TEST(copy.normal() == generator.normal());
  BOOST_TEST(copy.normal() == generator.normal());
  BOOST_TEST((copy == generator));
}

BOOST_AUTO_TEST_CASE(a_kept_normal_makes_generators_differ) {
  Random one(5), two(5);
  one.normal();
  two.normal();
  two.normal();  // the same words as `one`, but nothing kept
  BOOST_TEST((one != two));
  BOOST_TEST((Random(5) != Random(6)));
}

BOOST_AUTO_TEST_CASE(a_restored_state_goes_on_with_the_same_numbers) {
  for (const int draws : {0, 1, 2, 623, 1000}) {
    Random generator(11);
    for (int i = 0; i < draws; ++i) generator.normal();
    Random restored = Random::from_state(generator.state());
    BOOST_TEST((restored == generator));
    BOOST_TEST(restored.normal() == generator.normal());
    BOOST_TEST(restored.random() == generator.random());
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_state_is_refused) {
  const std::string sound = Random(11).state();
  const std::string_view tail = " 624 0 0";
  BOOST_TEST_REQUIRE(sound.ends_with(tail));
  const std::string words = sound.substr(0, sound.size() - tail.size());
  BOOST_CHECK_THROW(Random::from_state(""), Error);
  BOOST_CHECK_THROW(Random::from_state("words"), Error);
  BOOST_CHECK_THROW(Random::from_state(words), Error);
  BOOST_CHECK_THROW(Random::from_state(sound + " 1"), Error);
  BOOST_CHECK_THROW(Random::from_state(words + " 625 0 0"), Error);
  BOOST_CHECK_THROW(Random::from_state(words + " 624 2 0"), Error);
  BOOST_CHECK_THROW(Random::from_state("4294967296" + sound.substr(sound.find(' '))), Error);
}

BOOST_AUTO_TEST_CASE(philox_gives_the_known_answers) {
  using Words = std::array<std::uint32_t, 4>;
  constexpr std::uint32_t ones = 0xffffffff;
  static_assert(philox({0, 0, 0, 0}, {0, 0}) ==
                Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  static_assert(philox({ones, ones, ones, ones}, {ones, ones}) ==
                Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  static_assert(
      philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
      Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

BOOST_AUTO_TEST_CASE(two_numbers_are_made_of_one_block_of_words) {
  constexpr CounterRandom numbers{.key = {1, 2}, .counter = 0x0000000400000003};
  constexpr std::uint64_t block = 0x0000000600000005;
  constexpr auto words = philox({5, 6, 3, 4}, {1, 2});
  static_assert(numbers.uniform(2 * block) == tapegrad::unit_interval(words[0], words[1]));
  static_assert(numbers.uniform(2 * block + 1) == tapegrad::unit_interval(words[2], words[3]));
  static_assert(tapegrad::unit_interval(0, 0) == 0.0);
  static_assert(tapegrad::unit_interval(0xffffffff, 0xffffffff) == 1 - 0x1p-53);
}

BOOST_AUTO_TEST_CASE(counted_numbers_do_not_depend_on_the_order_asked) {
  const CounterRandom numbers{.key = {1, 2}, .counter = 3};
  std::vector<double> forwards, backwards;
  for (std::uint64_t i = 0; i < 100; ++i) forwards.push_back(numbers.normal(i));
  for (std::uint64_t i = 100; i-- > 0;) backwards.push_back(numbers.normal(i));
  std::reverse(backwards.begin(), backwards.end());
  BOOST_TEST(forwards == backwards);
}

BOOST_AUTO_TEST_CASE(counted_numbers_differ_with_key_counter_and_index) {
  const std::uint64_t far = std::uint64_t{1} << 33;
  std::vector<double> drawn;
  for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, far})
    drawn.push_back(CounterRandom{}.uniform(i));
  drawn.push_back(CounterRandom{.key = {1, 0}}.uniform(0));
  drawn.push_back(CounterRandom{.key = {0, 1}}.uniform(0));
  drawn.push_back(CounterRandom{.counter = 1}.uniform(0));
  drawn.push_back(CounterRandom{.counter = far}.uniform(0));
  std::sort(drawn.begin(), drawn.end());
  BOOST_TEST((std::adjacent_find(drawn.begin(), drawn.end()) == drawn.end()));
}

// Means of powers over n draws, against their exact values; 5 standard errors of slack.
BOOST_AUTO_TEST_CASE(counted_numbers_have_the_moments_of_their_distributions) {
  const CounterRandom numbers{.key = {1, 2}};
  const int n = 100000;
  double uniform = 0, square = 0, normal = 0, variance = 0, fourth = 0, neighbours = 0;
  for (int i = 0; i < n; ++i) {
    const double u = numbers.uniform(static_cast<std::uint64_t>(i));
    const double x = numbers.normal(static_cast<std::uint64_t>(i));
    uniform += u / n;
    square += u * u / n;
    normal += x / n;
    variance += x * x / n;
    fourth += x * x * x * x / n;
    neighbours += x * numbers.normal(static_cast<std::uint64_t>(i) ^ 1) / n;
  }
  const auto near = [](double mean, double exact, double deviation) {
    return std::abs(mean - exact) < 5 * deviation / std::sqrt(n);
  };
  BOOST_TEST(near(uniform, 1.0 / 2, std::sqrt(1.0 / 12)), "mean of u is " << uniform);
  BOOST_TEST(near(square, 1.0 / 3, std::sqrt(4.0 / 45)), "mean of u^2 is " << square);
  BOOST_TEST(near(normal, 0, 1), "mean of x is " << normal);
  BOOST_TEST(near(variance, 1, std::sqrt(2)), "mean of x^2 is " << variance);
  BOOST_TEST(near(fourth, 3, std::sqrt(96)), "mean of x^4 is " << fourth);
  // Each pair is counted twice, so the deviation is that of n / 2 draws.
  BOOST_TEST(near(neighbours, 0, std::sqrt(2)), "mean of x x' is " << neighbours);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
