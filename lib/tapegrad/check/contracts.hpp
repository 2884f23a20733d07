// Internal: what every gradient keeps, whatever the function: the same bits twice, zero for a zero
// cotangent, linear in it; and what a check of it must not do: change an operand.
#pragma once

#include <string>
#include <vector>

#include "tapegrad/check/subject.hpp"

namespace tapegrad {

/// The contracts that are broken, a sentence each; none if all are kept.
std::vector<std::string> broken_contracts(const Subject& subject, Random& random);

}  // namespace tapegrad
