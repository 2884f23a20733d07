// A function of arrays that records itself at its first call, and is replayed afterwards: once for
// each combination of shapes, since shapes are part of a recording.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "tapegrad/tape/arity.hpp"
#include "tapegrad/tape/fields.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tape.hpp"

namespace tapegrad {

struct CompileOptions {
  /// How many combinations of shapes may be recorded. One more is an error: it is usually a shape
  /// that should have been padded.
  std::size_t max_shapes = 64;
};

/// The part of a recorded function that does not depend on its type.
class CompiledEntry {
 public:
  using Arguments = std::span<const Values* const>;

  bool fits(Arguments arguments) const;
  /// Whether it is still there: a rewind may have forgotten it.
  bool held_by(const Recording& recording) const;
  /// Sets the inputs and runs.
  void replay(Recording& recording, Arguments arguments, Site at);

  void begin(Recording& recording, Arguments arguments, Site at);
  const Tensor& input(std::size_t i) const { return inputs_[i]; }
  void output(const Tensor& tensor) { outputs_.push_back(tensor); }
  void end(Recording& recording, Site at);
  void abandon(Recording& recording);

 private:
  std::vector<Shape> shapes_;
  std::vector<Tensor> inputs_, outputs_;
  Mark before_;
  Id outer_run_ = 0;
  Plan plan_;
};

[[noreturn]] void refuse_another_shape(std::size_t max_shapes, CompiledEntry::Arguments arguments,
                                       Site at);

/// A compiled function of as many arguments as there are places.
template <class F, std::size_t... place>
class Compiled {
  template <std::size_t>
  using ValuesAt = Values;

 public:
  using Result = std::remove_cvref_t<std::invoke_result_t<F&, TensorAt<place>...>>;
  static_assert(!std::is_void_v<Result>,
                "tapegrad: a compiled function must return what it computes");

  Compiled(Recording::Ref tape, F function, CompileOptions options)
      : tape_(tape), function_(std::move(function)), options_(options) {}

  /// The function's result for these arguments: braces, numbers, vectors (of vectors) or Arrays.
  /// Its tensors show this call's values until the next call with the same shapes. Updates recorded
  /// by assign take effect. Throws Error as the function does while it records; then nothing of it
  /// stays on the tape.
  Result operator()(const ValuesAt<place>&... arguments, Site at = Site::here()) {
    const std::array<const Values*, sizeof...(place)> values{&arguments...};
    Recording& recording = Recording::of(tape_, "compile", at);
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& entry) { return entry->fits(values); });
    if (found != entries_.end() && (*found)->held_by(recording)) {
      (*found)->replay(recording, values, at);
      return (*found)->result;
    }
    std::erase_if(entries_, [&](const auto& entry) { return !entry->held_by(recording); });
    if (entries_.size() == options_.max_shapes)
      refuse_another_shape(options_.max_shapes, values, at);
    entries_.push_back(record(recording, values, at));
    return entries_.back()->result;
  }

  template <class... Argument>
  requires(std::same_as<Argument, Tensor> || ...) Result operator()(const Argument&...) {
    static_assert(always_false<Argument...>,
                  "tapegrad: a compiled function takes numbers: pass x.array(), or call the "
                  "function that was compiled");
  }

  /// The number of combinations of shapes recorded so far.
  std::size_t shapes() const { return entries_.size(); }

 private:
  struct Entry : CompiledEntry {
    Result result;
  };

  std::unique_ptr<Entry> record(Recording& recording, CompiledEntry::Arguments values, Site at) {
    auto entry = std::make_unique<Entry>();
    try {
      entry->begin(recording, values, at);
      entry->result = std::invoke(function_, entry->input(place)...);
      visit_tensors(entry->result, [&](const Tensor& t) { entry->output(t); });
      entry->end(recording, at);
    } catch (...) {
      entry->abandon(recording);
      throw;
    }
    return entry;
  }

  Recording::Ref tape_;
  F function_;
  CompileOptions options_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

/// Makes a function of tensors into one of arrays. It is recorded at its first call with given
/// shapes, then replayed. What it does besides recording (a print, a C++ branch) happens only while
/// it records.
template <class F>
auto compile(Tape& tape, F function, CompileOptions options = {}, Site at = Site::here()) {
  return [&]<std::size_t... place>(std::index_sequence<place...>) {
    return Compiled<F, place...>(tape.recording(at).ref(), std::move(function), options);
  }
  (std::make_index_sequence<arity<F>(std::index_sequence<>{})>{});
}

}  // namespace tapegrad
