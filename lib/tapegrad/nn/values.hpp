// The values of a struct of tensors, as opposed to its handles: kept, put back, copied. Copying the
// struct itself copies handles, and so names the same network twice.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tapegrad/base/array.hpp"
#include "tapegrad/tape/fields.hpp"
#include "tapegrad/tape/names.hpp"
#include "tapegrad/tape/tape.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// The values of a struct's leaves with the names of its fields, in order of declaration.
using Snapshot = std::vector<std::pair<std::string, Array>>;

/// Copies the values out. Throws Error if a leaf was never set.
template <class Struct>
Snapshot snapshot(const Struct& net, Site at = Site::here()) {
  Snapshot result;
  each(net, [&](std::string_view field, const Tensor& t) {
    if (t.defined()) result.emplace_back(std::string(field), t.array(at));
  });
  return result;
}

/// Throws Error, naming the field, if a value does not fit the leaf it is meant for.
void check_restore(std::string_view field, const Tensor& leaf, const Snapshot& snapshot,
                   std::size_t place, Site at);
/// Sets a leaf; a constant stays what it is.
void set_leaf(const Tensor& leaf, const Values& values, Site at);
void check_restored_all(const Snapshot& snapshot, std::size_t count, Site at);

/// Puts the values of a snapshot back. Throws Error, and changes nothing, if names or shapes
/// differ.
template <class Struct>
void restore(const Struct& net, const Snapshot& snapshot, Site at = Site::here()) {
  std::size_t place = 0;
  each(net, [&](std::string_view field, const Tensor& t) {
    if (t.defined()) check_restore(field, t, snapshot, place++, at);
  });
  check_restored_all(snapshot, place, at);
  place = 0;
  visit_tensors(net, [&](const Tensor& t) {
    if (t.defined()) set_leaf(t, snapshot[place++].second, at);
  });
}

/// Copies leaves one by one; the same leaf in two places stays one leaf.
class Cloning {
 public:
  Cloning(Tape& tape, Site at) : tape_(tape), at_(at), rollback_(tape.recording(at)) {}
  void check(const Tensor& leaf) const;
  void clone(Tensor& copy, const Tensor& leaf);

 private:
  Tape& tape_;
  Site at_;
  Rollback rollback_;
  std::vector<std::pair<Tensor, Tensor>> done_;
};

/// The same struct with leaves of its own, of the same kinds and values, on a tape that may be
/// another one and of another precision. Throws Error for a field that holds a computed tensor
/// or was never set.
template <class Struct>
Struct clone(const Struct& net, Tape& tape, Site at = Site::here()) {
  Struct result = net;
  Cloning cloning(tape, at);
  visit_tensors(net, [&](const Tensor& t) {
    if (t.defined()) cloning.check(t);
  });
  visit_pairs(result, net, [&](Tensor& copy, const Tensor& t) { cloning.clone(copy, t); });
  return result;
}

void check_copy(const Tensor& to, const Tensor& from, Site at);
void copy_value(const Tensor& to, const Tensor& from, Site at);

/// Sets the leaves of one struct to the values of another of the same kind, across tapes and
/// precisions. Throws Error, and changes nothing, if shapes differ.
template <class Struct>
void copy_values(const Struct& to, const Struct& from, Site at = Site::here()) {
  visit_pairs(to, from, [&](const Tensor& t, const Tensor& f) { check_copy(t, f, at); });
  visit_pairs(to, from, [&](const Tensor& t, const Tensor& f) { copy_value(t, f, at); });
}

}  // namespace tapegrad
