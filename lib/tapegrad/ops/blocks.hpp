// Internal: blocks and questions that several families of the vocabulary share. Users' names are in
// ops.hpp.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "tapegrad/tape/op.hpp"
#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

extern const Op sum_op;  // attributes: [0] keepdim, [1...] the axes, ascending

/// An adjoint times a local derivative, with the cut.
Tensor times(const Arg& adjoint, const Arg& local);
/// x, but 0 where `times` cuts its two operands.
Tensor cut(const Arg& x, const Arg& adjoint, const Arg& local);
/// x where it is finite, else 0.
Tensor finite_part(const Arg& x);
/// The reverse of a slice: x at start, start + step, ... of an axis of this extent, zeros
/// elsewhere.
Tensor place(const Arg& x, std::int64_t axis, std::int64_t start, std::int64_t step,
             std::int64_t extent);
/// The reverse of a gather: the sum, at each place of the shape, of the elements whose index names
/// it.
Tensor scatter_add(const Arg& x, const Arg& index, std::int64_t axis, const Shape& shape);
/// The reverse of an index_select.
Tensor index_add(const Arg& x, const Arg& index, std::int64_t axis, const Shape& shape);
/// The product of matrices of which each may be meant transposed, behind batch axes that broadcast.
Tensor product(const Arg& x, bool x_transposed, const Arg& y, bool y_transposed);

/// The op's notation, a function of its operands, with one more argument: `sum({}, axis 0)`. None
/// if it is empty.
std::string notation_with(const Operands& x, std::string_view argument);
/// The same with axes, unless they are all axes of operand 0.
std::string notation_along(const Operands& x, std::span<const std::int64_t> axes);
/// The same with the axis that attribute 0 names.
std::string notation_along_first(const Operands& x);

/// Throws Error if operands live on two tapes: before a composite records anything on one of them.
void require_one_tape(std::string_view name, std::span<const Arg> operands);

/// The shape of an operand. Throws Error, in the name of the op, for a tensor that cannot be used.
Shape shape_of(std::string_view name, const Arg& x);

/// Extents that a user lists. Throws Error, in the name of the op, if they make no shape.
Shape shape_from(std::string_view name, const Arg& x, std::span<const std::int64_t> extents);

/// The axis counted from the front. Throws Error with the op's name if the operand has no such
/// axis.
std::int64_t resolve_axis(std::string_view name, const Arg& x, std::int64_t axis);

/// The same for the place of a new axis: from -rank - 1 to rank.
int resolve_new_axis(std::string_view name, const Arg& x, std::int64_t axis);

/// What an error says about a number that is not between two bounds.
std::string out_of_range(std::string_view option, double value, double low, double high);
/// Throws Error, about x, unless a number is between two bounds. A tensor is not looked at.
void require_range(std::string_view name, const Arg& x, std::string_view option, const Arg& value,
                   double low, double high = std::numeric_limits<double>::infinity());

/// Throws Error about the operands of a call, found wrong before a block could say so.
[[noreturn]] void refuse(std::string_view name, std::span<const Arg> operands,
                         std::span<const std::string_view> roles, std::string text,
                         std::string hint = {});

}  // namespace tapegrad
