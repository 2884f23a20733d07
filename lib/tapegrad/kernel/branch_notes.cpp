// Which way a run went, choice by choice.
#include <cmath>
#include <limits>

#include "tapegrad/kernel/number_systems.hpp"

namespace tapegrad {
namespace {

double order_of(double x, double y) {
  return x < y ? -1 : x > y ? 1 : x == y ? 0 : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

bool Branch::same_way(const Branch& other) const {
  const bool no_way = std::isnan(outcome) && std::isnan(other.outcome);
  return by == other.by && (outcome == other.outcome || no_way);
}

Number BranchNotes::apply(Function f, const Number& x) const {
  const double at = content(x);
  if (f == Function::abs) log_.push_back({Branch::By::sign, order_of(at, 0), at, 0});
  if (f == Function::floor) log_.push_back({Branch::By::floor, std::floor(at), at, 0});
  return NumberSystemOf::apply(f, x);
}

std::partial_ordering BranchNotes::compare(const Number& x, const Number& y) const {
  const double a = content(x), b = content(y);
  log_.push_back({Branch::By::order, order_of(a, b), a, b});
  return a <=> b;
}

bool BranchNotes::equal(const Number& x, const Number& y) const {
  const double a = content(x), b = content(y);
  log_.push_back({Branch::By::equality, a == b ? 1.0 : 0.0, a, b});
  return a == b;
}

bool BranchNotes::finite(const Number& x) const {
  const double at = content(x);
  log_.push_back({Branch::By::finiteness, std::isfinite(at) ? 1.0 : 0.0, at, 0});
  return std::isfinite(at);
}

}  // namespace tapegrad
