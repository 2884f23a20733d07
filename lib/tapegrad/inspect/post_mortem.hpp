// Internal: the three questions of why.hpp, asked of a flow.
#pragma once

#include "tapegrad/inspect/flow.hpp"

namespace tapegrad {

Why find_zero(const Flow& flow);
Why find_not_finite(const Flow& flow);
Why find_big(const Flow& flow);

/// The ops between a record and y that together change the adjoint most on its main way: downwards
/// or upwards. Precondition: the record is on the path, and not y.
struct Responsible {
  Why why;
  Id record;  // the first of them, seen from y
};
Responsible most_responsible(const Flow& flow, Id from, bool upwards);

}  // namespace tapegrad
