#include "plain_loops.hpp"

#include <algorithm>
#include <cmath>

namespace plain {

void sum_rows(const double* x, std::size_t rows, std::size_t columns, double* sums) {
  std::fill_n(sums, columns, 0.0);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) sums[j] += x[i * columns + j];
}

void softmax(const double* x, std::size_t rows, std::size_t classes, double* y) {
  for (std::size_t i = 0; i < rows; ++i, x += classes, y += classes) {
    const double largest = *std::max_element(x, x + classes);
    double sum = 0;
    for (std::size_t j = 0; j < classes; ++j) {
      y[j] = std::exp(x[j] - largest);
      sum += y[j];
    }
    for (std::size_t j = 0; j < classes; ++j) y[j] /= sum;
  }
}

void copy_rows(const double* table, std::size_t width, const double* numbers, std::size_t n,
               double* y) {
  for (std::size_t i = 0; i < n; ++i)
    std::copy_n(table + static_cast<std::size_t>(numbers[i]) * width, width, y + i * width);
}

}  // namespace plain
