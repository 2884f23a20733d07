// Whether a recording is the function: recorded once and replayed at other inputs, does it give
// what recording afresh there gives? Not so if a C++ branch looked at a value, or a number was read
// from a tensor and written into the recording.
//
//   BOOST_TEST(tg::check_replay([](tg::Tensor x) { return x * x.item(); }, {2.0}));  // fails
#pragma once

#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>

#include "tapegrad/base/text_formatter.hpp"
#include "tapegrad/check/check_gradient.hpp"

namespace tapegrad {

/// The first record at which a replay and a recording made afresh part.
struct Parting {
  std::string op;        // of the record, or of the one that uses a constant
  std::string sentence;  // "the constant 2 was recorded; afresh it is 2.5"
  Site at;               // the user's line
  Site read_at;          // where a value was looked at while recording, if one was
};

/// True if replay and recording agree.
struct ReplayReport {
  std::optional<Parting> parting = {};
  int trials = 0;  // at how many other inputs

  explicit operator bool() const { return !parting; }
  std::string text() const;
};
std::ostream& operator<<(std::ostream& out, const ReplayReport& report);

/// How inputs are changed: x becomes factor x + by times the size of x times a random number.
struct Move {
  double factor = 1, by = 0;
};
/// Records at `values` and again at moved ones; compares.
std::optional<Parting> find_parting(const Recorder& f, std::span<const Array> values,
                                    const Move& move, Random& random, Site at);

ReplayReport check_replay_of(const Recorder& f, std::size_t arity,
                             std::span<const CheckInput> inputs, const CheckOptions& options,
                             Site at);

/// Records the function at these inputs, replays it at others, near and far, and compares with
/// recordings made there. Inputs that are used as whole numbers are exchanged among each other.
/// Where the function throws Error, outside its domain, nothing is compared; if it throws at all
/// inputs, so does the check.
template <class F>
ReplayReport check_replay(const F& f, std::initializer_list<CheckInput> inputs,
                          const CheckOptions& options = {}, Site at = Site::here()) {
  constexpr std::size_t n = arity<const F>(std::index_sequence<>{});
  return check_replay_of(recorder(f, std::make_index_sequence<n>{}), n,
                         {inputs.begin(), inputs.size()}, options, at);
}

}  // namespace tapegrad

template <>
struct fmt::formatter<tapegrad::ReplayReport> : tapegrad::TextFormatter<tapegrad::ReplayReport> {};
