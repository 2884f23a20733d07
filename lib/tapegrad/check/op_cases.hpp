// Internal: what to check an op with: shapes and attributes from its block, operands from its
// domain.
#pragma once

#include <string>
#include <vector>

#include "tapegrad/base/random.hpp"
#include "tapegrad/check/check_options.hpp"
#include "tapegrad/check/report.hpp"
#include "tapegrad/check/subject.hpp"
#include "tapegrad/tape/op.hpp"

namespace tapegrad {

struct OpCase {
  std::vector<Shape> shapes;
  std::vector<std::int64_t> attributes = {};
};
/// `(2, 3) (3) [0 1]`
std::string text(const OpCase& c);

/// The op's examples, or patterns of broadcasting if it is elementwise. Throws Error if there is
/// nothing to go by.
std::vector<OpCase> cases_of(const Op& op, Site at = {});

/// Numbers of a domain.
Array drawn(const Domain& domain, const Shape& shape, Random& random);
/// The op, recorded at drawn operands.
Subject drawn(const Op& op, const OpCase& c, Random random);

/// As check_op, but ends as soon as a first derivative is wrong.
Report check_op_until_found(const Op& op, const CheckOptions& options, Site at);

}  // namespace tapegrad
