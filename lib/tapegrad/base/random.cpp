#include "tapegrad/base/random.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>
#include <locale>
#include <numbers>
#include <numeric>
#include <sstream>
#include <utility>

#include "tapegrad/base/error.hpp"

// A product and a sum must not be fused into one rounding, or the last bit depends on -march.
#if defined(__clang__)
#pragma clang fp contract(off)
#else
#pragma GCC optimize("fp-contract=off")
#endif

namespace tapegrad {
namespace {

constexpr std::uint64_t largest_word = std::numeric_limits<std::uint32_t>::max();

void check_uniform(double lo, double hi, Site at) {
  if (hi < lo)
    throw Error("uniform", fmt::format("the range [{}, {}) ends before it begins", lo, hi), at);
  if (!std::isfinite(hi - lo))
    throw Error("uniform",
                fmt::format("the width of the range [{}, {}) is not a finite number", lo, hi), at);
}

void check_normal(double deviation, Site at) {
  if (!(deviation >= 0))
    throw Error("normal", fmt::format("the deviation is {}; it must not be below 0", deviation),
                at);
}

void check_randint(std::int64_t lo, std::int64_t hi, Site at) {
  if (hi <= lo)
    throw Error("randint", fmt::format("no whole number lies in [{}, {})", lo, hi), at,
                "the upper limit itself is never drawn");
}

template <class Draw>
Array fill(const Shape& shape, Draw draw) {
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (double& value : values) value = draw();
  return Array(shape, std::move(values));
}

}  // namespace

double Random::random() {
  const std::uint32_t first = word();
  const std::uint32_t second = word();
  return unit_interval(first, second);
}

double Random::uniform(double lo, double hi, Site at) {
  check_uniform(lo, hi, at);
  return lo + (hi - lo) * random();
}

double Random::normal(double mean, double deviation, Site at) {
  check_normal(deviation, at);
  return mean + deviation * standard_normal();
}

std::int64_t Random::randint(std::int64_t lo, std::int64_t hi, Site at) {
  check_randint(lo, hi, at);
  // Without sign, as the width may exceed 2^63.
  const auto start = static_cast<std::uint64_t>(lo);
  return static_cast<std::int64_t>(start + up_to(static_cast<std::uint64_t>(hi) - 1 - start));
}

Array Random::random(const Shape& shape) {
  return fill(shape, [&] { return random(); });
}

Array Random::uniform(double lo, double hi, const Shape& shape, Site at) {
  check_uniform(lo, hi, at);  // here too, for a shape without elements
  return fill(shape, [&] { return uniform(lo, hi, at); });
}

Array Random::normal(double mean, double deviation, const Shape& shape, Site at) {
  check_normal(deviation, at);
  return fill(shape, [&] { return normal(mean, deviation, at); });
}

Array Random::randint(std::int64_t lo, std::int64_t hi, const Shape& shape, Site at) {
  check_randint(lo, hi, at);
  return fill(shape, [&] { return static_cast<double>(randint(lo, hi, at)); });
}

std::vector<std::int64_t> Random::permutation(std::int64_t n, Site at) {
  if (n < 0) throw Error("permutation", fmt::format("{} elements cannot be ordered", n), at);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  shuffle(order);
  return order;
}

// NumPy keeps the lowest bits that can hold `max` and draws again while the number is too large. It
// takes one word if `max` fits in one, else two, the upper one first; nothing if there is no
// choice.
std::uint64_t Random::up_to(std::uint64_t max) {
  if (max == 0) return 0;
  const std::uint64_t mask = ~std::uint64_t{0} >> std::countl_zero(max);
  std::uint64_t value;
  do {
    value = word();
    if (max > largest_word) value = value << 32 | word();
    value &= mask;
  } while (value > max);
  return value;
}

double Random::standard_normal() {
  if (has_kept_) {
    has_kept_ = false;
    return std::exchange(kept_, 0.0);
  }
  double x, y, square;
  do {  // a point in the unit circle
    x = 2.0 * random() - 1.0;
    y = 2.0 * random() - 1.0;
    square = x * x + y * y;
  } while (square >= 1.0 || square == 0.0);
  const double stretch = std::sqrt(-2.0 * std::log(square) / square);
  has_kept_ = true;
  kept_ = stretch * x;
  return stretch * y;
}

// The words and the position as libstdc++ writes them, whether a normal is kept, and its bits.
std::string Random::state() const {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << words_ << ' ' << has_kept_ << ' ' << std::bit_cast<std::uint64_t>(kept_);
  return out.str();
}

Random Random::from_state(std::string_view state, Site at) {
  std::istringstream in{std::string(state)};
  in.imbue(std::locale::classic());
  Random restored(0);
  std::uint64_t bits = 0;
  in >> restored.words_ >> restored.has_kept_ >> bits;
  restored.kept_ = std::bit_cast<double>(bits);

  bool sound = !in.fail() && restored.state() == state;  // nothing missing, nothing more
  std::istringstream numbers{std::string(state)};
  numbers.imbue(std::locale::classic());
  std::uint64_t number = 0;
  for (std::size_t i = 0; sound && i < std::mt19937::state_size; ++i)
    sound = (numbers >> number) && number <= largest_word;
  sound = sound && (numbers >> number) && number <= std::mt19937::state_size;  // the position
  if (!sound) throw Error("from_state", "the text is not the state of a Random", at);
  return restored;
}

double CounterRandom::normal(std::uint64_t i) const {
  const auto [first, second] = pair(i / 2);
  const double radius = std::sqrt(-2.0 * std::log(1.0 - first));  // 1 - first is in (0, 1]
  const double angle = 2.0 * std::numbers::pi * second;
  return radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

}  // namespace tapegrad
