// What an op's time is compared with: the same numbers by plain loops, written as one would who
// knows the shapes. Knows nothing of tapegrad.
#pragma once

#include <cstddef>

namespace plain {

/// sums (columns) of x (rows, columns)
void sum_rows(const double* x, std::size_t rows, std::size_t columns, double* sums);
/// y (rows, classes): of each row of x the softmax
void softmax(const double* x, std::size_t rows, std::size_t classes, double* y);
/// y (n, width): the rows of table (..., width) whose numbers are listed
void copy_rows(const double* table, std::size_t width, const double* numbers, std::size_t n,
               double* y);

}  // namespace plain
