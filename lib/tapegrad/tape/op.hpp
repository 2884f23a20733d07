// What an op is: one block that holds its name, notation, shape rule, kernel, derivative and the
// domain on which checking it makes sense. Nothing here knows a particular op.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tapegrad/base/shape.hpp"
#include "tapegrad/kernel/call.hpp"
#include "tapegrad/kernel/elementwise.hpp"  // so that a user's own block needs one header

namespace tapegrad {

struct Op;
class Recording;
class Vjp;  // what a derivative rule is given; see ops/vjp.hpp

using Id = std::uint32_t;  // a record's place on its tape

/// What a record does, as far as running it is concerned. A composite has the value of its last
/// operand, which was computed from the others, and a derivative rule for those.
enum class Kind : std::uint8_t {
  elementwise,
  reduction,
  contraction,
  view,
  source,
  effect,
  composite
};

/// The operands and attributes of a record, as its shape rule sees them.
class Operands {
 public:
  Operands(const Op& op, const Recording& recording, std::span<const Id> ids,
           std::span<const std::int64_t> attributes)
      : op_(op), recording_(recording), ids_(ids), attributes_(attributes) {}

  const Op& op() const { return op_; }
  std::size_t size() const { return ids_.size(); }
  const Shape& operator[](std::size_t i) const;
  std::span<const std::int64_t> attributes() const { return attributes_; }
  std::int64_t attribute(std::size_t i) const { return attributes_[i]; }
  /// The operand's name for a hint: the user's, or `%3`.
  std::string name(std::size_t i) const;
  /// Throws Error with the op, the operands, their lines, and this text.
  [[noreturn]] void fail(std::string text, std::string hint = {}) const;

 private:
  const Op& op_;
  const Recording& recording_;
  std::span<const Id> ids_;
  std::span<const std::int64_t> attributes_;
};

/// A function that a block must give: without a default constructor, leaving it out does not
/// compile.
template <class R, class... A>
class Rule {
 public:
  template <std::convertible_to<R (*)(A...)> F>
  constexpr Rule(F f) : function_(f) {}
  R operator()(A... a) const { return function_(a...); }

 private:
  R (*function_)(A...);
};

/// A required kernel; `no_kernel` for an op that moves nothing.
class Forward {
 public:
  constexpr Forward(Kernel kernel) : kernel_(kernel) {}
  KernelFunction f32() const { return kernel_.f32; }
  KernelFunction f64() const { return kernel_.f64; }
  KernelFunction number() const { return kernel_.number; }
  std::uint32_t operands() const { return kernel_.operands; }

 private:
  Kernel kernel_;
};
inline constexpr Kernel no_kernel{};

/// How adjoints pass through an op. Required; `no_gradient` and `zero_gradient` say that there is
/// no rule.
class VjpRule {
 public:
  enum class Flow : std::uint8_t { rule, zero, none };

  template <std::convertible_to<void (*)(Vjp&)> F>
  constexpr VjpRule(F rule) : rule_(rule), flow_(Flow::rule) {}
  constexpr explicit VjpRule(Flow flow) : flow_(flow) {}

  Flow flow() const { return flow_; }
  void operator()(Vjp& vjp) const { rule_(vjp); }

 private:
  void (*rule_)(Vjp&) = nullptr;
  Flow flow_;
};
/// The result does not depend on the operands as far as derivatives are concerned (detach, an
/// index).
inline constexpr VjpRule no_gradient{VjpRule::Flow::none};
/// The result is piecewise constant: its derivative is zero wherever it exists (a comparison,
/// sign).
inline constexpr VjpRule zero_gradient{VjpRule::Flow::zero};

/// Where an operand may be drawn from when the op is checked.
struct Domain {
  double low, high;
  bool whole = false;  // whole numbers from low to high - 1, never shifted by a check
};
constexpr Domain uniform(double low, double high) { return {low, high}; }
constexpr Domain whole(std::int64_t low, std::int64_t high) {
  return {static_cast<double>(low), static_cast<double>(high), true};
}

/// Collects calls with which an op that is not elementwise can be checked.
struct Examples {
  struct Case {
    std::vector<Shape> shapes;
    std::vector<std::int64_t> attributes;
  };
  std::vector<Case> cases;

  void operator()(std::initializer_list<Shape> shapes,
                  std::initializer_list<std::int64_t> attributes = {}) {
    cases.push_back({shapes, attributes});
  }
};

/// The operands' domains, one each; the last one stands for all further operands.
struct Sample {
  std::array<Domain, 4> domains{};
  std::size_t count = 0;

  constexpr Sample(std::initializer_list<Domain> list) {
    for (const Domain& d : list) domains[count++] = d;
  }
  const Domain& operator[](std::size_t i) const { return domains[i < count ? i : count - 1]; }
};

struct Op {
  std::string_view name;
  std::string_view
      notation;  // fmt text with one {} for each operand, e.g. "{} + {}"; "{...}" lists all
  Kind kind;
  Rule<Shape, const Operands&> shape;
  Forward forward;
  VjpRule vjp;
  Sample sample;
  /// Calls to check the op with, where shapes and attributes cannot be guessed from the kind.
  void (*examples)(Examples&) = nullptr;
  /// Names of the operands in errors; by default "left" and "right", or "operand".
  std::array<std::string_view, 4> roles = {};
  /// The element offset at which the result lies inside operand 0, or -1 if it must be copied.
  std::int64_t (*alias)(const Operands&) = nullptr;
  /// Scratch memory the kernel needs, in elements.
  std::int64_t (*scratch)(const Operands&) = nullptr;
  /// The notation of a call whose attributes a formula must show: "{}^T {}" for a product whose
  /// left matrix is meant transposed; "{}" for one that a formula need not show.
  std::string (*notation_of)(const Operands&) = nullptr;
  /// For kernel and rule of an op made at run time: what they need beside numbers.
  const void* context = nullptr;
};

/// Shape rule: the operand's shape.
inline Shape same_as_operand(const Operands& x) { return x[0]; }
/// Shape rule: NumPy's broadcasting over all operands. Throws Error if they disagree.
Shape broadcast_operands(const Operands& x);

}  // namespace tapegrad
