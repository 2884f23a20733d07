// Gradient checks without a tape: for derivatives written by hand, by other tools, or in kernels.
//
//   BOOST_TEST(tg::check_gradient(f, gradient_of_f, x));
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "tapegrad/base/precision.hpp"
#include "tapegrad/base/shape.hpp"
#include "tapegrad/base/site.hpp"
#include "tapegrad/check/check_options.hpp"
#include "tapegrad/check/report.hpp"

namespace tapegrad {

/// A function of numbers and its gradient, whatever precision they compute in.
struct PlainFunction {
  std::function<double(std::span<const double> x)> value;
  std::function<void(std::span<const double> x, std::span<double> g)> gradient;  // g arrives zero
  Precision precision = float64;
};
Report check_gradient(const PlainFunction& f, std::span<const double> x,
                      const CheckOptions& options, Site at);

/// One operand of a kernel to be checked, and the range its numbers are drawn from: choose it
/// inside the domain.
struct KernelOperand {
  Shape shape;
  double lo = -2, hi = 2;
  std::string name = {};  // else: "operand 0"
};
struct KernelShapes {
  std::vector<KernelOperand> operands;
  Shape result;
};

/// A kernel and its vector-Jacobian product. Results and adjoints arrive zero.
struct PlainKernel {
  using Operands = std::vector<std::vector<double>>;
  std::function<void(const Operands& x, std::span<double> y)> forward;
  std::function<void(const Operands& x, std::span<const double> ybar, Operands& xbar)> vjp;
  Precision precision = float64;
};
Report check_vjp(const PlainKernel& kernel, const KernelShapes& shapes, const CheckOptions& options,
                 Site at);

template <class T>
concept Real = std::same_as<T, float> || std::same_as<T, double>;

/// Checks the gradient of `T f(std::span<const T> x)`, which is written by
/// `void gradient(std::span<const T> x, std::span<T> g)` into g, at x: a vector, span, array
/// or, of doubles, braces. T is float or double. The function must not draw random numbers. Throws
/// Error if x is empty, and for an order but 1.
template <class F, class G, std::ranges::contiguous_range X = std::initializer_list<double>,
          Real T = std::remove_cv_t<std::ranges::range_value_t<X>>>
requires std::invocable<const F&, std::span<const T>> &&
    std::invocable<const G&, std::span<const T>, std::span<T>>
        Report check_gradient(const F& f, const G& gradient, const X& x,
                              const CheckOptions& options = {}, Site at = Site::here());

/// Checks a vector-Jacobian product: `forward(x, y)` computes y of the operands x,
/// `vjp(x, ybar, xbar)` the adjoints of the operands, where x is
/// `std::span<const std::span<const T>>`, y `std::span<T>`, ybar `std::span<const T>`, xbar
/// `std::span<const std::span<T>>`. Operands and ybar are drawn at random from the seed.
template <Real T = double, class F, class V>
Report check_vjp(const F& forward, const V& vjp, const KernelShapes& shapes,
                 const CheckOptions& options = {}, Site at = Site::here());

// Nothing but conversions from here on.

template <class F, class G, std::ranges::contiguous_range X, Real T>
requires std::invocable<const F&, std::span<const T>> &&
    std::invocable<const G&, std::span<const T>, std::span<T>>
        Report check_gradient(const F& f, const G& gradient, const X& x,
                              const CheckOptions& options, Site at) {
  using Numbers = std::vector<T>;
  const PlainFunction plain = {.value =
                                   [&](std::span<const double> at_x) {
                                     const Numbers numbers(at_x.begin(), at_x.end());
                                     return static_cast<double>(f(std::span<const T>(numbers)));
                                   },
                               .gradient =
                                   [&](std::span<const double> at_x, std::span<double> g) {
                                     const Numbers numbers(at_x.begin(), at_x.end());
                                     Numbers written(g.size());
                                     gradient(std::span<const T>(numbers), std::span<T>(written));
                                     std::copy(written.begin(), written.end(), g.begin());
                                   },
                               .precision = precision_of<T>};
  const std::vector<double> numbers(std::ranges::begin(x), std::ranges::end(x));
  return check_gradient(plain, numbers, options, at);
}

template <Real T, class F, class V>
Report check_vjp(const F& forward, const V& vjp, const KernelShapes& shapes,
                 const CheckOptions& options, Site at) {
  using Numbers = std::vector<std::vector<T>>;
  const auto converted = [](const PlainKernel::Operands& x) {
    Numbers numbers;
    for (const std::vector<double>& one : x) numbers.emplace_back(one.begin(), one.end());
    return numbers;
  };
  const PlainKernel plain = {
      .forward =
          [&](const PlainKernel::Operands& x, std::span<double> y) {
            const Numbers numbers = converted(x);
            const std::vector<std::span<const T>> operands(numbers.begin(), numbers.end());
            std::vector<T> written(y.size());
            forward(std::span<const std::span<const T>>(operands), std::span<T>(written));
            std::copy(written.begin(), written.end(), y.begin());
          },
      .vjp =
          [&](const PlainKernel::Operands& x, std::span<const double> ybar,
              PlainKernel::Operands& xbar) {
            const Numbers numbers = converted(x);
            Numbers written = converted(xbar);
            const std::vector<std::span<const T>> operands(numbers.begin(), numbers.end());
            const std::vector<std::span<T>> adjoints(written.begin(), written.end());
            const std::vector<T> seed(ybar.begin(), ybar.end());
            vjp(std::span<const std::span<const T>>(operands), std::span<const T>(seed),
                std::span<const std::span<T>>(adjoints));
            for (std::size_t i = 0; i < xbar.size(); ++i)
              xbar[i].assign(written[i].begin(), written[i].end());
          },
      .precision = precision_of<T>};
  return check_vjp(plain, shapes, options, at);
}

}  // namespace tapegrad
