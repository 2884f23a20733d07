// Arrays made from a rule: filled, counted, one-hot. They live without a tape, and a tape takes
// them: `tape.parameter(tg::zeros(Shape{2, 3}))`. Random ones are drawn by Random.
#pragma once

#include <cstdint>

#include "tapegrad/base/array.hpp"
#include "tapegrad/base/precision.hpp"
#include "tapegrad/base/shape.hpp"
#include "tapegrad/base/site.hpp"

namespace tapegrad {

Array zeros(const Shape& shape, Precision precision = float64);
Array ones(const Shape& shape, Precision precision = float64);
Array full(const Shape& shape, double value, Precision precision = float64);

/// 1 where row and column agree, else 0. Throws Error for a negative extent.
Array eye(std::int64_t n, Precision precision = float64, Site at = Site::here());
Array eye(std::int64_t rows, std::int64_t columns, Precision precision = float64,
          Site at = Site::here());

/// 0, 1, 2, ... below stop.
Array arange(double stop, Precision precision = float64, Site at = Site::here());
/// start, start + step, ... without stop. A rounded step may be one too many or too few, as in
/// NumPy: linspace counts. Throws Error for a step of 0 and for what is not finite.
Array arange(double start, double stop, double step = 1, Precision precision = float64,
             Site at = Site::here());
/// n numbers at equal distances from start to stop, both included. Throws Error if n < 0.
Array linspace(double start, double stop, std::int64_t n, Precision precision = float64,
               Site at = Site::here());

/// A row of zeros with a 1 at the label, for each label: their shape + (classes). Throws Error for
/// a label that is not a whole number from 0 to classes - 1.
Array one_hot(const Values& labels, std::int64_t classes, Precision precision = float64,
              Site at = Site::here());

}  // namespace tapegrad
