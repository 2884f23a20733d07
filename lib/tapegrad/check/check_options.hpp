// What may be asked of a gradient check, on a tape or without one. No tolerances: see
// check/verdict.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/base/site.hpp"

namespace tapegrad {

enum class Inconclusive { reject, accept };

struct CheckOptions {
  /// The names of what is differentiated by, or the beginnings of their names; none means all.
  std::vector<std::string> wrt = {};
  /// 1 checks the gradient, 2 also the gradient of the gradient along a random direction, and so
  /// on; no order is looked at after a wrong one.
  int order = 1;
  /// Decides directions, cotangents and samples.
  std::uint32_t seed = 0;
  /// Of the function, at least 1. Up to here every element is checked; beyond, directions and a
  /// sample.
  int max_evaluations = 50'000;
  /// Whether what could be shown neither right nor wrong is let pass.
  Inconclusive inconclusive = Inconclusive::reject;
  /// The gradient, or what `order` asks for, is expected to be zero everywhere.
  bool expect_zero = false;

  /// Whether `wrt` asks for this name.
  bool wants(std::string_view name) const;
};

/// Throws Error for an order or a number of evaluations below 1.
void require_sensible(const CheckOptions& options, std::string_view doing, Site at);
/// Throws Error if `wrt` asks for what none of the names begins with.
void require_known(const CheckOptions& options, std::span<const std::string> names,
                   std::string_view doing, Site at);

}  // namespace tapegrad
