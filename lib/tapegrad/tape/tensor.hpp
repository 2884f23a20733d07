// The handle: which tape, which record. Sixteen bytes, copied freely, suspicious of the tape's
// past. And Arg, the door of every op: a tensor or a number, with the caller's line.
#pragma once

#include <fmt/core.h>

#include <concepts>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tapegrad/base/array.hpp"
#include "tapegrad/base/precision.hpp"
#include "tapegrad/base/print.hpp"
#include "tapegrad/base/shape.hpp"
#include "tapegrad/base/site.hpp"
#include "tapegrad/tape/registry.hpp"

namespace tapegrad {

template <class>
inline constexpr bool always_false = false;

/// A tensor recorded on a tape. Copying it copies the handle: both are the same tensor.
/// Every use throws Error if it is default-constructed, its tape is gone, or its record was
/// rewound.
class Tensor {
 public:
  Tensor() = default;

  /// Whether it was ever given a record. Says nothing about staleness.
  bool defined() const { return cell_ != 0; }
  /// Whether it may be used: defined, its tape alive, its record not rewound.
  bool valid() const;

  Shape shape(Site at = Site::here()) const;
  int rank(Site at = Site::here()) const;
  std::int64_t numel(Site at = Site::here()) const;
  /// The extent of one axis; negative axes count from the end. Throws Error if there is no such
  /// axis.
  std::int64_t size(Axis axis, Site at = Site::here()) const;
  Precision precision(Site at = Site::here()) const;

  /// The value of a tensor with one element. Throws Error for any other size, and, as all functions
  /// that look at values, if the value is out of date or was never computed.
  double item(Site at = Site::here()) const;
  /// One element; negative indices count from the end. Throws Error if it is outside the shape.
  double at(std::int64_t i, Site at = Site::here()) const;
  double at(std::int64_t i, std::int64_t j, Site at = Site::here()) const;
  double at(std::int64_t i, std::int64_t j, std::int64_t k, Site at = Site::here()) const;
  double at(std::int64_t i, std::int64_t j, std::int64_t k, std::int64_t l,
            Site at = Site::here()) const;
  /// All elements, row-major.
  std::vector<double> values(Site at = Site::here()) const;
  /// A copy of shape and values that needs no tape.
  Array array(Site at = Site::here()) const;
  /// The values where they lie, row-major. T must be the tape's number type (throws Error). The
  /// span shows later runs too, and must not be used after the tape is rewound past the tensor or
  /// destroyed.
  template <class T>
  requires std::same_as<T, float> || std::same_as<T, double> std::span<const T> span(
      Site at = Site::here())
  const {
    const auto n = static_cast<std::size_t>(numel(at));
    return {static_cast<const T*>(data(precision_of<T>, at)), n};
  }

  /// Sets a leaf to new values, as many as it has elements: a number, a span, an Array or braces.
  /// What depends on it is out of date until its next run. Throws Error for a computed tensor, or
  /// if the number of values differs.
  void set(const Values& values, Site at = Site::here()) const;
  template <std::same_as<Tensor> T>
  void set(const T&) const {
    static_assert(always_false<T>,
                  "tapegrad: set takes numbers: write w.set(y.array()) for the values that y has "
                  "now, or assign(w, y) for an update that is recorded");
  }

  /// Gives the tensor a name, for errors, listings and derivations. Returns the tensor.
  Tensor named(std::string_view name, Site at = Site::here()) const;
  /// The name it was given, or an empty text.
  std::string name(Site at = Site::here()) const;

  template <std::integral Int>
  Tensor operator[](Int) const {
    static_assert(always_false<Int>,
                  "tapegrad tensors have no []: write x.at(i, j) for the number, or "
                  "select(x, 0, i) for the part, a tensor");
    return {};
  }
  template <std::same_as<bool> B>
  explicit operator B() const {
    static_assert(
        always_false<B>,
        "a tapegrad tensor has no truth value: write .item(), as in if (loss.item() > 1)");
    return false;
  }

 private:
  friend class Recording;
  Tensor(std::uint32_t cell, std::uint32_t id, std::uint64_t born)
      : cell_(cell), id_(id), born_(born) {}
  const void* data(Precision wanted, Site at) const;
  double element(std::span<const std::int64_t> index, Site at) const;

  std::uint32_t cell_ = 0;
  std::uint32_t id_ = 0;
  std::uint64_t born_ = 0;
};
static_assert(sizeof(Tensor) == 16 && std::is_trivially_copyable_v<Tensor>);

/// Comparing tensors with == does not compile; the message says what to write.
template <class T>
requires std::same_as<T, Tensor> || std::is_arithmetic_v<T>
bool operator==(const Tensor&, const T&) {
  static_assert(always_false<T>,
                "tapegrad tensors have no ==: write equal(x, y) for each element, or compare "
                "x.item() or x.array()");
  return false;
}

/// The adjoint of a record, inside a derivative rule. Multiplying it by a local derivative is the
/// op `times`, which knows the cut: exactly 0 times a value that is not finite is 0.
class Adjoint {
 public:
  Adjoint() = default;
  explicit Adjoint(Tensor tensor) : tensor_(tensor) {}
  Tensor tensor() const { return tensor_; }

 private:
  Tensor tensor_;
};

/// A tensor or a number, at the door of every op, with the line of the call.
class Arg {
 public:
  Arg(const Tensor& tensor, Site at = Site::here()) : tensor_(tensor), site_(at) {}
  Arg(const Adjoint& adjoint, Site at = Site::here()) : tensor_(adjoint.tensor()), site_(at) {}
  template <class T>
  requires std::is_arithmetic_v<T> &&(!std::same_as<T, bool>)Arg(T number, Site at = Site::here())
      : number_(static_cast<double>(number)), is_number_(true), site_(at) {}

  bool is_number() const { return is_number_; }
  double number() const { return number_; }
  const Tensor& tensor() const { return tensor_; }
  const Site& site() const { return site_; }

 private:
  Tensor tensor_;
  double number_ = 0;
  bool is_number_ = false;
  Site site_;
};

/// The values in NumPy's layout; for a tensor that cannot be read, the reason in parentheses. Never
/// throws for want of a value.
std::string text(const Tensor& tensor, const PrintOptions& options = {});
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

}  // namespace tapegrad

/// As for an Array: `{}` prints in NumPy's layout, `{:.4}` with at most four digits after the
/// point.
template <>
struct fmt::formatter<tapegrad::Tensor> : fmt::formatter<tapegrad::Array> {
  fmt::format_context::iterator format(const tapegrad::Tensor& tensor,
                                       fmt::format_context& context) const;
};
