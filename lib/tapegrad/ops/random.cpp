// Randomness on a tape. A run is a function of the leaves, so draws are one too: of a state leaf
// that counts the runs, and of a number that tells the draws of one run apart.
#include "tapegrad/base/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/container/static_vector.hpp>

#include "tapegrad/kernel/reduce.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"
#include "tapegrad/tape/tape.hpp"

namespace tapegrad {
namespace {

// ---- noise: [seed / 2^16, seed % 2^16, runs / 2^24, runs % 2^24], for in a float only whole
// numbers up to 2^24 are exact

constexpr std::int64_t most_of_a_digit = 1 << 24;

Shape shape_of_noise(const Operands& x) {
  if (x[0] != Shape{4}) x.fail("the noise must be made by tg::noise(tape, seed)");
  return x[0];
}

/// The words of a noise: seed, then the low and the high part of the number of runs.
template <class T>
std::array<std::uint32_t, 3> words(const T* noise) {
  std::array<std::uint64_t, 4> digits;
  for (std::size_t i = 0; i < 4; ++i) {
    const bool in_range = noise[i] >= 0 && noise[i] < T(most_of_a_digit);
    digits[i] = in_range ? static_cast<std::uint64_t>(static_cast<std::int64_t>(noise[i])) : 0;
    if (static_cast<T>(digits[i]) != noise[i])
      throw KernelError{fmt::format("the noise holds {}, no whole number from 0 to 2^24 - 1",
                                    static_cast<double>(noise[i]))};
  }
  const std::uint64_t runs = digits[2] << 24 | digits[3];
  return {static_cast<std::uint32_t>(digits[0] << 16 | digits[1]), static_cast<std::uint32_t>(runs),
          static_cast<std::uint32_t>(runs >> 32)};
}

constexpr Op next_noise_op = {
    .name = "next_noise",
    .notation = "next({})",
    .kind = Kind::source,
    .shape = shape_of_noise,
    .forward = kernel<[]<class T>(const Call& c) {
      T* next = c.to<T>();
      std::copy_n(c.from<T>(0), 4, next);
      next[3] += T(1);
      if (next[3] < T(most_of_a_digit)) return;
      next[3] = T(0);
      next[2] += T(1);
    }>,
    .vjp = no_gradient,
    .sample = {whole(0, 1 << 16)},
    .examples = [](Examples& example) { example({Shape{4}}); },
    .roles = {"noise"},
};

// Attributes: [0] which draw of the run, [1...] the extents
constexpr Op dropout_mask_op = {
    .name = "dropout_mask",
    .notation = "mask({}, {})",
    .kind = Kind::source,
    .shape =
        [](const Operands& x) {
          shape_of_noise(x);
          if (x[1].rank() != 0) x.fail("p must be one number");
          return Shape(x.attributes().subspan(1));
        },
    .forward = kernel<[]<class T>(const Call& c) {
      const auto [seed, low, high] = words(c.from<T>(0));
      const T p = *c.from<T>(1);
      if (!(p >= 0 && p <= 1)) throw KernelError{out_of_range("p", static_cast<double>(p), 0, 1)};
      const T kept = 1 / (1 - p);
      const auto draw = static_cast<std::uint32_t>(c.attributes[0]);
      for (std::int64_t start = 0; start < c.count; start += 4) {
        const auto drawn = philox({static_cast<std::uint32_t>(start / 4),
                                   static_cast<std::uint32_t>(start >> 34), low, high},
                                  {seed, draw});
        const std::int64_t n = std::min<std::int64_t>(4, c.count - start);
        for (std::int64_t i = 0; i < n; ++i)
          c.to<T>()[start + i] =
              Wide<T>(drawn[static_cast<std::size_t>(i)] * 0x1p-32) < Wide<T>(p) ? T(0) : kept;
      }
    }>,
    // What is kept is 1 / (1 - p), whose slope is its square; what is kept does not depend on p.
    .vjp = [](Vjp& v) { v.give(1, v.ybar * square(v.y)); },
    .sample = {whole(0, 1 << 16), uniform(0.2, 0.8)},
    .examples =
        [](Examples& example) {
          example({Shape{4}, Shape{}}, {1});
          example({Shape{4}, Shape{}}, {1, 7});
          example({Shape{4}, Shape{}}, {2, 3, 2});
          example({Shape{4}, Shape{}}, {3, 0});
        },
    .roles = {"noise", "p"},
};

constexpr const Op* family[] = {&next_noise_op, &dropout_mask_op};

/// The update by which the next run draws anew: one for all draws of the run being recorded.
Id update_of(const Tensor& noise, Site at) {
  Recording& recording = Recording::of(noise, "dropout", at);
  const Id leaf = recording.id_of(noise, "dropout", at);
  for (Id pending : recording.pending())
    if (recording.operands(pending)[0] == leaf && pending >= recording.run_begin()) return pending;
  const Tensor update = assign(noise, record(next_noise_op, {Arg(noise, at)}));
  return recording.id_of(update, "dropout", at);
}

/// The number of a draw among those of its run.
std::int64_t next_draw(const Recording& recording, Id noise, Id update) {
  for (Id id = recording.size(); id-- > update;)
    if (recording.node(id).op == &dropout_mask_op && recording.operands(id)[0] == noise)
      return recording.attributes(id)[0] + 1;
  return 0;
}

}  // namespace

Family random_family() { return family; }

Tensor noise(Tape& tape, std::uint32_t seed, Site at) {
  return tape.state({static_cast<double>(seed >> 16), static_cast<double>(seed & 0xFFFF), 0.0, 0.0},
                    at);
}

Tensor dropout(const Arg& x, const Arg& p, const Tensor& noise, bool training) {
  constexpr std::string_view name = "dropout";
  const Arg all[] = {x, p, Arg(noise, x.site())};
  require_range(name, x, "p", p, 0, 1);
  if (!training) return x.tensor();
  require_one_tape(name, all);
  const FrameScope frame(recording_of(name, all), name, x.site());
  const Shape shape = shape_of(name, x);
  const Recording& recording = recording_of(name, all);
  const Id leaf = recording.id_of(noise, name, x.site()), update = update_of(noise, x.site());
  boost::container::static_vector<std::int64_t, Shape::max_rank + 1> attributes{
      next_draw(recording, leaf, update)};
  attributes.insert(attributes.end(), shape.begin(), shape.end());
  const Arg operands[] = {all[2], p};
  return x * record(dropout_mask_op, operands, attributes);
}

}  // namespace tapegrad
