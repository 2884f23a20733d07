// Internal: running records elsewhere: in memory of its own, with other values for some of them, or
// in another arithmetic. The tape is only read: no value, no clock and no state of it changes, and
// updates never take effect. Checks and explanations are made of trials.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "tapegrad/kernel/number.hpp"
#include "tapegrad/tape/plan.hpp"
#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

/// T is double or Number, whatever the precision of the tape.
template <class T>
class Trial {
 public:
  /// Runs what the outputs need, from the leaves as they are. The records in `free`, leaves or not,
  /// keep the values they get in this run until somebody writes others. Numbers are of `system`.
  /// Throws Error if a leaf was never set.
  Trial(const Recording& recording, std::span<const Id> outputs, std::span<const Id> free, Site at,
        const NumberSystem* system = nullptr);

  /// The values of a free record, to be written.
  std::span<T> free(Id id) { return {at(id), count(id)}; }
  /// The values of a record that the outputs need, as of the last run.
  std::span<const T> values(Id id) const { return {at(id), count(id)}; }
  bool needs(Id id) const { return id < place_.size() && place_[id] != nowhere; }

  /// Computes anew what depends on the free records.
  void run() {
    for (const Step& step : dependent_) run(step);
  }
  /// The same up to a record. Those behind it keep their values.
  void run(Id last) {
    for (const Step& step : dependent_) {
      if (step.id > last) break;
      run(step);
    }
  }
  /// As run(); `before` is told of each record.
  void run(const std::function<void(const Step&)>& before);
  /// What a run computes, in order.
  std::span<const Step> steps() const { return dependent_; }

 private:
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  T* at(Id id) { return values_.data() + place_[id]; }
  const T* at(Id id) const { return values_.data() + place_[id]; }
  std::size_t count(Id id) const {
    return static_cast<std::size_t>(recording_.node(id).shape.numel());
  }
  std::vector<Id> lay_out(std::span<const Id> outputs, std::span<const Id> free);
  void load_leaf(Id id, Site at, const NumberSystem* system);
  Step bind(Id id);
  void run(const Step& step) const;

  const Recording& recording_;
  std::vector<std::size_t> place_;  // of each record's values, or nowhere
  std::vector<T> values_, scratch_;
  std::vector<Input> inputs_;
  std::size_t inputs_used_ = 0;
  std::vector<std::unique_ptr<Nest>> nests_;
  std::vector<Step> dependent_;
};

extern template class Trial<double>;
extern template class Trial<Number>;

}  // namespace tapegrad
