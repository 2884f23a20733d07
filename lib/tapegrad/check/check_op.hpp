// Checks of single ops, the library's and one's own.
//
//   BOOST_TEST(tg::check_op(my_op));
#pragma once

#include "tapegrad/check/check_options.hpp"
#include "tapegrad/check/report.hpp"
#include "tapegrad/tape/op.hpp"

namespace tapegrad {

/// Checks the derivatives of an op, first and second, by each operand, on operands drawn from its
/// `.sample`; that its shape rule is that of broadcasting, if it is elementwise; that its kernel
/// gives the same in other arithmetics; and the contracts of a gradient. The report names the case.
/// Throws Error if the block does not say what to check the op with, and for options that ask for
/// names or for higher orders.
Report check_op(const Op& op, const CheckOptions& options = {}, Site at = Site::here());

}  // namespace tapegrad
