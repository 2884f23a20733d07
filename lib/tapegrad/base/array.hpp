// Numbers outside a tape. `Array` owns a shape and float or double values: what readers and
// snapshots return. `Values` is the door: the one type into which numbers, nested braces, spans,
// vectors and arrays turn when they are passed to the library. It knows no tensor, and does no
// arithmetic.
//
//   void set(const Values&);   set(3)   set({1, 2})   set({{1, 2}, {3, 4}})   set(vector)
//   set(vector_of_vectors)   set(array)
//
// A Values made from a range of numbers or an Array looks at its numbers and does not copy them, so
// it belongs in a parameter list: like a std::string_view, it must not outlive the full expression
// it is made in.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tapegrad/base/precision.hpp"
#include "tapegrad/base/shape.hpp"
#include "tapegrad/base/site.hpp"

namespace tapegrad {

/// The types of numbers that may be passed in: all of C++'s but bool and the characters of texts.
template <class T>
concept Arithmetic = std::is_arithmetic_v<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                     !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                     !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

/// Numbers side by side in memory: std::vector, std::array, std::span, C arrays and their like.
template <class R>
concept ArithmeticRange = requires(const R& range) {
  requires Arithmetic<std::remove_cvref_t<decltype(*std::data(range))>>;
  { std::size(range) } -> std::convertible_to<std::size_t>;
};

/// Ranges of such ranges, to any depth: std::vector<std::array<double, 2>> holds points.
template <class R>
constexpr bool nests_numbers() {
  if constexpr (requires(const R& range) { *std::data(range), std::size(range); }) {
    using Part = std::remove_cvref_t<decltype(*std::data(std::declval<const R&>()))>;
    return ArithmeticRange<Part> || nests_numbers<Part>();
  } else {
    return false;
  }
}
template <class R>
concept NestedRange = nests_numbers<R>();

class Array;

/// Numbers on their way into the library, with the shape their spelling gives them.
/// Each pair of braces is an axis: `{{0, 0, 1}, {0, 1, 1}}` is (2, 3), `{1}` is (1), `1` is ().
class Values {
 public:
  /// No numbers: shape (0).
  Values() : Values(std::initializer_list<Values>{}) {}
  /// One number: shape (). Stored inside, without heap memory.
  template <Arithmetic T>
  Values(T number) : numbers_(static_cast<double>(number)) {}
  template <std::same_as<bool> B>
  Values(B) = delete;  // a flag in the wrong place, not a 1
  /// One more axis. Throws Error if the parts differ in shape, or for more axes than a Shape holds.
  /// Around a single Values object compilers disagree whether braces are an axis: avoid that.
  Values(std::initializer_list<Values> parts, Site at = Site::here())
      : Values(std::span<const Values>(parts.begin(), parts.size()), at) {}
  /// The numbers of an array, which is looked at and not copied.
  Values(const Array& array);
  /// The numbers of a range: shape (n). They are looked at and not copied.
  template <ArithmeticRange R>
  Values(const R& range)
      : Values(
            Look{std::data(range), &conversions<std::remove_cvref_t<decltype(*std::data(range))>>},
            static_cast<std::size_t>(std::size(range))) {}

  /// The numbers of ranges in a range, copied: one axis for each level. Throws Error if the parts
  /// differ in shape.
  template <NestedRange R>
  Values(const R& parts, Site at = Site::here())
      : Values(std::span<const Values>(
                   std::vector<Values>(std::data(parts), std::data(parts) + std::size(parts))),
               at) {}

  const Shape& shape() const { return shape_; }
  std::int64_t numel() const { return shape_.numel(); }

  /// The same numbers in row-major order under another shape. Throws Error if the counts differ.
  Values reshaped(const Shape& shape, Site at = {}) const;

  /// Writes the numbers in row-major order. Precondition: to.size() == numel().
  void copy_to(std::span<double> to) const { copy(to); }
  void copy_to(std::span<float> to) const { copy(to); }

 private:
  // How to read numbers whose type is known only where the Values was made.
  struct Conversions {
    void (*to_double)(const void* from, std::span<double> to);
    void (*to_float)(const void* from, std::span<float> to);
  };
  template <class T, class To>
  static void convert(const void* from, std::span<To> to) {
    const T* number = static_cast<const T*>(from);
    for (To& slot : to) slot = static_cast<To>(*number++);
  }
  template <class T>
  static constexpr Conversions conversions = {&convert<T, double>, &convert<T, float>};

  struct Look {
    const void* first;
    const Conversions* how;
  };
  Values(Look look, std::size_t count);
  Values(std::span<const Values> parts, Site at);

  template <class To>
  void copy(std::span<To> to) const;

  Shape shape_;
  std::variant<double, Look, std::vector<double>> numbers_;
};

/// A shape and its values in row-major order, in one of the two precisions.
class Array {
 public:
  /// No values: shape (0), float64.
  Array() = default;
  /// Throws Error unless there are exactly as many values as the shape holds.
  Array(Shape shape, std::vector<double> values);
  /// The same in float32. A template, so that braces mean float64: `Array(Shape{2}, {1, 2})`.
  template <std::same_as<float> T>
  Array(Shape shape, std::vector<T> values) : shape_(shape), values_(std::move(values)) {
    check_count();
  }

  /// A copy of anything that turns into Values: `Array::from({{1, 2}, {3, 4}})`.
  static Array from(const Values& values, Precision precision = float64);
  static Array zeros(Shape shape, Precision precision = float64);

  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  std::int64_t numel() const { return shape_.numel(); }
  Precision precision() const { return values_.index() == 0 ? float64 : float32; }

  /// The only element. Throws Error unless there is exactly one.
  double item() const;
  /// One element. Negative indices count from the end; throws Error for an index outside the shape.
  template <std::integral... Int>
  double at(Int... index) const {
    return element(std::array<std::int64_t, sizeof...(Int)>{static_cast<std::int64_t>(index)...});
  }
  /// A copy of all values as doubles, in row-major order.
  std::vector<double> values() const;

  /// The values in place, in row-major order. T is float or double; throws Error if it is not this
  /// array's.
  template <class T>
  std::span<const T> span() const {
    check_precision(precision_of<T>);
    return std::get<std::vector<T>>(values_);
  }
  template <class T>
  std::span<T> span() {
    check_precision(precision_of<T>);
    return std::get<std::vector<T>>(values_);
  }

  /// The same shape, precision and values; a nan equals nothing.
  bool operator==(const Array&) const = default;

 private:
  double element(std::span<const std::int64_t> index) const;
  void check_count() const;
  void check_precision(Precision asked) const;

  Shape shape_{0};
  std::variant<std::vector<double>, std::vector<float>> values_;
};

}  // namespace tapegrad
