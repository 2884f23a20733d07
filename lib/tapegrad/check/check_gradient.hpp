// Gradient checks of what is recorded on a tape, or of a function that records. No tolerance to
// set: the verdicts come from error bars, and a failing report names the op.
//
//   BOOST_TEST(tg::check_gradient(loss, net));                       // recorded, by a struct
//   BOOST_TEST(tg::check_gradient(loss, {w, b}));                    // by some tensors
//   BOOST_TEST(tg::check_gradient([](tg::Tensor x) { return sum(tanh(x)); }, {{0.5, -1.0}}));
//
// Everything happens on a float64 tape of the check's own: the user's tape is only read, random
// counters stand still, updates take no effect.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/array.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/check/check_options.hpp"
#include "tapegrad/check/report.hpp"
#include "tapegrad/tape/arity.hpp"
#include "tapegrad/tape/fields.hpp"
#include "tapegrad/tape/names.hpp"
#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

/// Checks dy/dx, of y as recorded, for some tensors x, leaves or computed. A y with several
/// elements is checked against a random cotangent, or the seed it is given. Throws Error if y
/// depends on none of them, or a leaf was never set.
Report check_gradients(const Differentiated& y, std::span<const Tensor> x,
                       const CheckOptions& options = {});

inline Report check_gradient(const Differentiated& y, const Tensor& x,
                             const CheckOptions& options = {}) {
  return check_gradients(y, {&x, 1}, options);
}
inline Report check_gradient(const Differentiated& y, std::initializer_list<Tensor> x,
                             const CheckOptions& options = {}) {
  return check_gradients(y, {x.begin(), x.size()}, options);
}
/// By all parameters and inputs of real numbers that y depends on.
Report check_gradient(const Differentiated& y, const CheckOptions& options = {});

bool is_parameter(const Tensor& field, Site at);

/// By the parameters of a struct.
template <class Struct>
requires(!std::same_as<Struct, Tensor> && !std::same_as<Struct, CheckOptions> &&
         std::is_class_v<Struct>) Report
    check_gradient(const Differentiated& y, const Struct& net, const CheckOptions& options = {}) {
  name_fields(net);
  std::vector<Tensor> parameters;
  visit_tensors(net, [&](const Tensor& field) {
    if (is_parameter(field, y.site())) parameters.push_back(field);
  });
  return check_gradients(y, parameters, options);
}

/// An argument of a function to be checked: its values, or a shape that is filled with random
/// normal numbers.
class CheckInput {
 public:
  template <Arithmetic T>
  CheckInput(T number) : array_(Array::from(number)) {}
  CheckInput(std::initializer_list<Values> parts) : array_(Array::from(Values(parts))) {}
  CheckInput(const Array& array) : array_(array) {}
  template <ArithmeticRange R>
  CheckInput(const R& range) : array_(Array::from(range)) {}
  template <std::same_as<Shape> S>
  CheckInput(const S& shape) : array_(Array::zeros(shape)), drawn_(true) {}

  /// The values, drawn from N(0, 1) if only the shape was given.
  Array array(Random& random) const;

 private:
  Array array_;
  bool drawn_ = false;
};

/// A function of tensors, whatever its type.
using Recorder = std::function<Tensor(std::span<const Tensor>)>;
template <class F, std::size_t... place>
Recorder recorder(const F& f, std::index_sequence<place...>) {
  return [&f](std::span<const Tensor> x) -> Tensor { return f(x[place]...); };
}
/// The arrays at which a function of `arity` tensors is checked. Throws Error for another number of
/// inputs.
std::vector<Array> input_arrays(std::span<const CheckInput> inputs, std::size_t arity,
                                Random& random, std::string_view check, Site at);
/// f(x), recorded on the tape of the x, this one. Throws Error also if it is a tensor of another
/// tape, or uses one.
Tensor record_function(const Recorder& f, const Recording& on, std::span<const Tensor> x,
                       std::string_view check, Site at);
Report check_recorder(const Recorder& f, std::size_t arity, std::span<const CheckInput> inputs,
                      const CheckOptions& options, Site at);

/// Checks a function of tensors, recorded at these inputs on a float64 tape of its own. That it
/// records the same at others is checked too: a value that was read and written into the recording
/// is found. A network has its parameters on a tape already: record y on that, and check y.
template <class F>
requires(!std::convertible_to<const F&, Differentiated>) Report
    check_gradient(const F& f, std::initializer_list<CheckInput> inputs,
                   const CheckOptions& options = {}, Site at = Site::here()) {
  constexpr std::size_t n = arity<const F>(std::index_sequence<>{});
  return check_recorder(recorder(f, std::make_index_sequence<n>{}), n,
                        {inputs.begin(), inputs.size()}, options, at);
}

}  // namespace tapegrad
