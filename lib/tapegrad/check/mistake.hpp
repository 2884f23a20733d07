// What is probably wrong with a wrong gradient: the usual mistakes leave their traces in the
// numbers. Arrays only, so that a student's numbers can be read just as well as those of an op.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/base/array.hpp"

namespace tapegrad {

enum class Mistake {
  none,             // the numbers agree
  unknown,          // they differ, in no way known here
  not_finite,       // nan or infinite where the right ones are finite
  shape,            // another number of elements, and no reason found
  all_zero,         // no gradient arrived at all
  sign,             // the negative
  factor,           // a constant ratio: 2, 1/2, pi, 1.01
  count,            // a constant ratio that is a number of elements or its reciprocal: sum and mean
  transposed,       // the right numbers in transposed order
  permuted,         // the right rows in another order: shifted, reversed, shuffled
  not_reduced,      // the share of one index, not the sum over an axis
  not_accumulated,  // one of several contributions: `=` where `+=` was meant
  dropped,          // all contributions but one
  doubled,          // one contribution too many times
  offset,           // a constant difference
  missing,          // zero at some elements that should not be
  leaked,           // not zero at some elements that should be
  absolute,         // the magnitudes are right, some signs are not
  one_element,      // all are right but one
  // of a calculation by hand, found by doing it that way (see compare_manual.hpp):
  over_reduced,     // summed over more than it should be
  carried,          // what follows from a number that was wrong before
  slope_missing,    // a local derivative is left out
  slope_twice,      // a local derivative is there twice
  slope_elsewhere,  // a local derivative is taken at another place
  other_value,      // another tensor in the place of an operand
  one_path,         // the share of one path, not the sum over all
  moved,            // with weights that were updated already
  left_out,         // as if a leaf were zero in the forward pass
};
/// `sign`, `not reduced`.
std::string_view text(Mistake mistake);
std::ostream& operator<<(std::ostream& out, Mistake mistake);

/// One of several numbers that are added up to a gradient.
struct Contribution {
  std::string name;  // "by op multiply at net.cpp:12"
  std::vector<double> values;
};

struct Evidence {
  const Array& wrong;
  const Array& right;
  std::vector<double> bars = {};                 // of the right ones; none: they are exact
  std::vector<Contribution> contributions = {};  // those that `right` is the sum of
  const Array* before_sum = nullptr;             // what is summed over some axes to give `right`
  std::vector<std::int64_t> counts = {};  // numbers of elements that a mean may have divided by
  std::vector<std::size_t> sample = {};   // which elements they are, if they are not all
  Shape whole = {};                       // of all elements, if they are a sample
};

struct Diagnosis {
  Mistake mistake = Mistake::none;
  std::string sentence = {};  // "the sign is wrong"; empty for none
  double ratio = 1;           // wrong / right where that is constant, else nan
  std::int64_t element = -1;  // the one concerned, in row-major order, if it is one

  /// Something was recognised.
  explicit operator bool() const { return mistake != Mistake::none && mistake != Mistake::unknown; }
};

/// The simplest mistake that explains all the wrong numbers within the error bars.
Diagnosis diagnose(const Evidence& evidence);

}  // namespace tapegrad
