// How back-propagation arrives at a gradient: your network, your numbers, every step of the chain
// rule, read off the records that are executed. Nothing is known here of any op: the matrix form is
// made of notations, the element form by running an op's own kernel on symbols, local derivatives
// by running its own recorded rule on them. So an op of your own is explained without another line.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "tapegrad/base/index.hpp"
#include "tapegrad/base/site.hpp"
#include "tapegrad/check/check_gradient.hpp"
#include "tapegrad/explain/derivation.hpp"
#include "tapegrad/explain/words.hpp"
#include "tapegrad/tape/fields.hpp"
#include "tapegrad/tape/names.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

struct ExplainOptions {
  /// Significant digits of printed numbers, 1 to 17. Results are computed in full precision.
  int digits = 6;
  /// How many paths, and how many terms of a sum, are written out; the rest is put together in one.
  std::size_t top = 5;
  /// Adds the section about the update w - learning_rate * gradient.
  std::optional<double> learning_rate = {};
  /// In which language.
  const Words& words = english;
};

/// Derives dy/dx for one element of x: `explain(loss, net.hidden.weight, Index{0, 1})`. The
/// sections: the network; forward, each step on the way from the element to y; the local
/// derivatives, one for each op, with the rule they come from; the paths from the element to y,
/// with the product and the share of each; the same merged, each shared factor computed once; in
/// matrices; the update, if a learning rate is given; a check by four independent ways to compute
/// the same number. What it needs is computed anew, in float64 and in memory of its own, so it
/// works at any time and changes nothing. Throws Error if y has more than one element or does not
/// depend on x, x has no such element, or a leaf was never set.
Derivation explain(const Tensor& y, const Tensor& x, const Index& index,
                   const ExplainOptions& options = {}, Site at = Site::here());

/// For all of x at once, in matrix form.
Derivation explain(const Tensor& y, const Tensor& x, const ExplainOptions& options = {},
                   Site at = Site::here());

/// For every parameter that y depends on, in matrix form: the whole network.
Derivation explain(const Tensor& y, const ExplainOptions& options = {}, Site at = Site::here());

/// For some tensors, in matrix form. Throws Error if y depends on none of them.
Derivation explain(const Tensor& y, std::span<const Tensor> x, const ExplainOptions& options = {},
                   Site at = Site::here());

/// For the parameters of a struct, or of a part of one, named by its fields.
template <class Struct>
requires(!std::convertible_to<const Struct&, std::span<const Tensor>> &&
         !std::same_as<Struct, Tensor> && !std::same_as<Struct, ExplainOptions> &&
         std::is_class_v<Struct>) Derivation
    explain(const Tensor& y, const Struct& net, const ExplainOptions& options = {},
            Site at = Site::here()) {
  name_fields(net);
  std::vector<Tensor> parameters;
  visit_tensors(net, [&](const Tensor& field) {
    if (is_parameter(field, at)) parameters.push_back(field);
  });
  return explain(y, std::span<const Tensor>(parameters), options, at);
}

}  // namespace tapegrad
