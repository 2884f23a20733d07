// Internal: one sweep down the records, which every derivative is made of, and the way back to what
// was recorded before. What users ask for stands in gradient.hpp, products.hpp and jacobian.hpp.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// Who asks for a derivative: for errors.
struct Asking {
  Recording& recording;
  std::string_view doing;  // "gradient", "jvp"
  Site at;

  Id id_of(const Tensor& tensor) const { return recording.id_of(tensor, doing, at); }
};

/// Where a sweep starts: a record and its adjoint, of the same shape.
struct Start {
  Id y, adjoint;
};

/// Appends the adjoints of what is wanted: the answers, in its order; zeros for what is not
/// reached. False if none is reached.
bool sweep(const Asking& asking, std::span<const Start> starts, std::span<const Id> wanted,
           std::vector<Id>& answers);

/// The gradient of y with this seed, or Node::none: 1 for one number. Recorded once. Throws Error
/// if none is reached.
void find_gradient(const Asking& asking, Id y, Id seed, std::span<const Id> wanted,
                   std::vector<Id>& answers);

/// The same for users' tensors, with a seed or none.
void gradients(const Asking& asking, const Tensor& y, const Arg* seed, std::span<const Tensor> x,
               std::span<Tensor> answers);

/// The answers recorded before to this question (a literal), or nothing. They are run again if a
/// run of y alone left them behind.
std::span<const Id> recall(const Asking& asking, std::string_view question, Id y,
                           std::span<const Id> seeds, std::span<const Id> wanted);

/// The record of what is differentiated. Throws Error if its value is out of date.
Id differentiable(const Asking& asking, const Tensor& y);

/// The records of what is asked for. Throws Error if that is nothing.
void find_wanted(const Asking& asking, std::span<const Tensor> x, std::vector<Id>& wanted);

/// The record of a seed, tangent or direction. Throws Error if it has not the tensor's shape.
Id find_direction(const Asking& asking, std::string_view role, const Arg& direction, Id tensor);

/// Throws Error if y has no Hessian.
void require_one_number(const Asking& asking, Id y);

[[noreturn]] void refuse_unreached(const Asking& asking, Id y, std::span<const Id> wanted);

/// The transpose of a derivative: a seed s of its own, and g(s), the vjp of s, for each of the
/// wanted. g is linear in s, so the vjp of g by s is the jvp of y. Recorded once.
struct Transposed {
  Id seed;
  std::vector<Id> g;
};
Transposed transposed(const Asking& asking, Id y, std::span<const Id> wanted);

/// A record of its own, full of this number.
Tensor filled(const Asking& asking, double number, const Shape& shape);

/// Calls f. If it throws, the tape is as before, and the error names this line if it names none.
template <class F>
void record_or_forget(const Asking& asking, F f) {
  const Rollback rollback(asking.recording);
  try {
    f();
  } catch (const Error& error) {
    if (error.site()) throw;
    throw Error(error.op(), error.text(), error.operands(), asking.at, error.hint());
  }
}

}  // namespace tapegrad
