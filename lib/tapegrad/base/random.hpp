// Where randomness comes from. Two sources, both the same on every machine and compiler (the
// standard distributions are not, so they are not used): `Random` draws one after the other and
// equals NumPy's legacy `numpy.random.RandomState` bit for bit, so that a run in NumPy can be
// repeated here; for initial values, shuffles, data. `CounterRandom` has no state: its i-th number
// is a function of key, counter and i; for operations that draw again at each replay, in any order
// and on any thread.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <random>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/base/array.hpp"
#include "tapegrad/base/shape.hpp"
#include "tapegrad/base/site.hpp"

namespace tapegrad {

/// A stream of numbers, equal to NumPy's `RandomState(seed)`. A copy goes on with the same numbers;
/// two that are equal will draw the same. A call that throws has drawn nothing.
class Random {
 public:
  explicit Random(std::uint32_t seed) : words_(seed) {}

  /// Uniform in [0, 1), a multiple of 2^-53; two words of 32 bits.
  double random();
  /// Uniform in [lo, hi). Throws Error if hi < lo or if hi - lo is not finite.
  double uniform(double lo, double hi, Site at = Site::here());
  /// Normal by the polar method, which makes two and keeps one for the next call. Throws Error
  /// unless deviation >= 0.
  double normal(double mean = 0, double deviation = 1, Site at = Site::here());
  /// A whole number in [lo, hi), each equally likely. Throws Error if hi <= lo.
  std::int64_t randint(std::int64_t lo, std::int64_t hi, Site at = Site::here());

  /// The same, one number per element in row-major order. The limits and errors are those above.
  Array random(const Shape& shape);
  Array uniform(double lo, double hi, const Shape& shape, Site at = Site::here());
  Array normal(double mean, double deviation, const Shape& shape, Site at = Site::here());
  /// Beyond 2^53 a double cannot hold every whole number: the values are rounded.
  Array randint(std::int64_t lo, std::int64_t hi, const Shape& shape, Site at = Site::here());

  /// The numbers 0 to n - 1 in random order. Throws Error if n < 0.
  std::vector<std::int64_t> permutation(std::int64_t n, Site at = Site::here());
  /// Puts the elements of a vector, span or array in random order.
  template <std::ranges::random_access_range Range>
  requires std::ranges::sized_range<Range> && std::permutable<std::ranges::iterator_t<Range>>
  void shuffle(Range&& values) {
    const auto first = std::ranges::begin(values);
    for (auto last = std::ranges::distance(values) - 1; last > 0; --last) {
      const auto other = static_cast<decltype(last)>(up_to(static_cast<std::uint64_t>(last)));
      std::ranges::iter_swap(first + last, first + other);
    }
  }

  /// Everything that decides the coming numbers, as one line of text for `from_state`.
  std::string state() const;
  /// The generator whose `state()` this was. Throws Error if it is not such a text.
  static Random from_state(std::string_view state, Site at = Site::here());

  friend bool operator==(const Random&, const Random&) = default;

 private:
  std::uint32_t word() { return static_cast<std::uint32_t>(words_()); }
  std::uint64_t up_to(std::uint64_t max);  // uniform in [0, max]
  double standard_normal();

  std::mt19937 words_;
  bool has_kept_ = false;
  double kept_ = 0;  // the second normal of a pair; 0 if there is none, so that == may compare it
};

/// Four random words for each counter and key: Philox4x32-10 of Salmon, Moraes, Dror and Shaw,
/// "Parallel random numbers: as easy as 1, 2, 3" (2011). For one key, different counters give
/// different words.
constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                              std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t even = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t odd = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(odd >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(odd),
               static_cast<std::uint32_t>(even >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(even)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// Numbers that may be asked for in any order. `key` says who draws (say, seed and operation),
/// `counter` which time (say, the replay); `uniform(i)` and `normal(i)` of one counter are made of
/// the same words, so use one of them.
struct CounterRandom {
  std::array<std::uint32_t, 2> key{};
  std::uint64_t counter = 0;

  /// The i-th number, uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform(std::uint64_t i) const { return pair(i / 2)[i % 2]; }
  /// The i-th number, normal with mean 0 and deviation 1 (Box and Muller 1958); at most 8.6 in
  /// magnitude.
  double normal(std::uint64_t i) const;

 private:
  // Uniform numbers 2 * block and 2 * block + 1.
  constexpr std::array<double, 2> pair(std::uint64_t block) const;
};

/// A double in [0, 1) from the upper 27 and 26 bits of two words, as NumPy makes it.
constexpr double unit_interval(std::uint32_t first, std::uint32_t second) {
  return ((first >> 5) * 0x1p26 + (second >> 6)) * 0x1p-53;  // every step is exact
}

constexpr std::array<double, 2> CounterRandom::pair(std::uint64_t block) const {
  const auto words =
      philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
              static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32)},
             key);
  return {unit_interval(words[0], words[1]), unit_interval(words[2], words[3])};
}

}  // namespace tapegrad
