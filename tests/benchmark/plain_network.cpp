#include "plain_network.hpp"

#include <cmath>
#include <utility>

namespace plain {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// c (m, n) = a (m, k) b (k, n)
void multiply(const double* a, const double* b, double* c, std::size_t m, std::size_t k,
              std::size_t n) {
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) c[i * n + j] = 0;
    for (std::size_t q = 0; q < k; ++q)
      for (std::size_t j = 0; j < n; ++j) c[i * n + j] += a[i * k + q] * b[q * n + j];
  }
}

/// c (k, n) = aT b, a (m, k), b (m, n)
void multiply_left_transposed(const double* a, const double* b, double* c, std::size_t m,
                              std::size_t k, std::size_t n) {
  for (std::size_t i = 0; i < k * n; ++i) c[i] = 0;
  for (std::size_t r = 0; r < m; ++r)
    for (std::size_t i = 0; i < k; ++i)
      for (std::size_t j = 0; j < n; ++j) c[i * n + j] += a[r * k + i] * b[r * n + j];
}

}  // namespace

Network::Network(std::size_t rows_, std::size_t inputs_, std::size_t hidden_, std::size_t outputs_,
                 std::vector<double> w0_, std::vector<double> w1_)
    : rows(rows_),
      inputs(inputs_),
      hidden(hidden_),
      outputs(outputs_),
      w0(std::move(w0_)),
      w1(std::move(w1_)),
      l1(rows * hidden),
      l2(rows * outputs),
      l1_delta(rows * hidden),
      l2_delta(rows * outputs),
      g0(w0.size()),
      g1(w1.size()) {}

double Network::forward(const double* x, const double* y) {
  multiply(x, w0.data(), l1.data(), rows, inputs, hidden);
  for (double& v : l1) v = sigmoid(v);
  multiply(l1.data(), w1.data(), l2.data(), rows, hidden, outputs);
  for (double& v : l2) v = sigmoid(v);
  double loss = 0;
  for (std::size_t i = 0; i < l2.size(); ++i) loss += (y[i] - l2[i]) * (y[i] - l2[i]);
  return 0.5 * loss;
}

void Network::backward(const double* x, const double* y) {
  for (std::size_t i = 0; i < l2.size(); ++i) l2_delta[i] = (l2[i] - y[i]) * (l2[i] * (1 - l2[i]));
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t i = 0; i < hidden; ++i) {
      double sum = 0;  // l2_delta w1T
      for (std::size_t j = 0; j < outputs; ++j)
        sum += l2_delta[r * outputs + j] * w1[i * outputs + j];
      const double a = l1[r * hidden + i];
      l1_delta[r * hidden + i] = sum * (a * (1 - a));
    }
  multiply_left_transposed(l1.data(), l2_delta.data(), g1.data(), rows, hidden, outputs);
  multiply_left_transposed(x, l1_delta.data(), g0.data(), rows, inputs, hidden);
}

void Network::update(double learning_rate) {
  for (std::size_t i = 0; i < w0.size(); ++i) w0[i] -= learning_rate * g0[i];
  for (std::size_t i = 0; i < w1.size(); ++i) w1[i] -= learning_rate * g1[i];
}

}  // namespace plain
