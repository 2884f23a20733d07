// What a kernel is given: pointers, steps, a count. Kernels know numbers only; they never see a
// tape and never allocate. This is the only floor with templates on the scalar type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tapegrad/base/shape.hpp"
#include "tapegrad/kernel/number.hpp"

namespace tapegrad {

/// One operand of a kernel, already advanced to the range it shall work on.
struct Input {
  const void* data;
  std::ptrdiff_t step;  // in elements, 0 or 1; for elementwise kernels only
  const Shape* shape;   // the whole operand's shape
};

/// One invocation of a kernel.
struct Call {
  void* out;
  std::int64_t count;  // elements of `out` to compute; for elementwise kernels a range of it
  const Input* in;
  const std::int64_t* attributes;
  const Shape* shape;  // the whole result's shape
  void* scratch;       // as many bytes as the op asked for
  std::uint32_t inputs;
  const void* context = nullptr;  // of an op that has one: a function of the user's

  template <class T>
  T* to() const {
    return static_cast<T*>(out);
  }
  template <class T>
  const T* from(std::size_t i) const {
    return static_cast<const T*>(in[i].data);
  }
};

/// Thrown by a kernel that meets a value it cannot use, such as an index outside its axis. Whoever
/// runs the record turns it into an Error that names the op, the operands and the line.
struct KernelError {
  std::string text;
};

using KernelFunction = void (*)(const Call&);

/// The same arithmetic for each precision of a tape, and for numbers of any arithmetic. One that
/// computes nothing (an alias) is empty.
struct Kernel {
  KernelFunction f32 = nullptr;
  KernelFunction f64 = nullptr;
  KernelFunction number = nullptr;
  std::uint32_t operands = 0;  // how many it reads; 0: any number
};

/// A kernel from a generic lambda: `kernel<[]<class T>(const Call& c) { ... }>`.
template <auto f>
inline constexpr Kernel kernel = {
    [](const Call& c) { f.template operator()<float>(c); },
    [](const Call& c) { f.template operator()<double>(c); },
    [](const Call& c) { f.template operator()<Number>(c); },
    0,
};

}  // namespace tapegrad
