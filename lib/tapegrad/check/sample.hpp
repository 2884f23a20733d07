// Internal: which elements of a gradient are measured. All, if that is affordable; else random
// directions, a sample of the elements, and a search that narrows a failing direction down to the
// element.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "tapegrad/base/shape.hpp"
#include "tapegrad/check/slope.hpp"
#include "tapegrad/check/verdict.hpp"

namespace tapegrad {

/// A direction in which some neighbouring elements move: element first + i by weights[i] per unit.
struct Direction {
  std::size_t first = 0;
  std::span<const double> weights;

  bool single() const { return weights.size() == 1; }
};

/// Measures the slope along a direction, of which it is claimed to be `claimed`.
using Measure = std::function<Slopes(const Direction& direction, double claimed)>;

struct Sampling {
  std::uint32_t seed = 0;
  int max_evaluations = 50'000;
  int directions = 4;
  double epsilon = std::numeric_limits<double>::epsilon();  // of the analytic numbers
  /// How far each element moves per unit of a direction; none: 1.
  std::span<const double> scales = {};
};

struct SampledElement {
  std::size_t index = 0;  // in row-major order
  Judgement judgement;
};
struct SampledGradient {
  std::vector<SampledElement> elements;  // by ascending index
  std::vector<Judgement> directions;     // of all elements together
  bool complete = false;                 // every element was measured
  int evaluations = 0;
};

/// What makes a direction move all of x by about the same part: the size of each number, but no
/// less than a tenth of the usual size.
std::vector<double> direction_scales(std::span<const double> x);

/// Judges the elements of a gradient of this shape. Of a single element the slope by itself is
/// asked for, with weight 1; of a direction that per unit of it.
SampledGradient sample_elements(std::span<const double> analytic, const Shape& shape,
                                const Measure& measure, const Sampling& sampling);

/// The elements that stand for all: the first and last of each axis, the middle, the largest and
/// the smallest magnitudes, some at random. Ascending, at most `count`.
std::vector<std::size_t> representative_elements(std::span<const double> analytic,
                                                 const Shape& shape, std::size_t count,
                                                 std::uint32_t seed);

/// The index of an element: {1, 2} for 6 in shape (3, 4).
std::vector<std::int64_t> index_of(std::size_t element, const Shape& shape);

}  // namespace tapegrad
