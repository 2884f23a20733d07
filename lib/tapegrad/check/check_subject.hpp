// Internal: all checks of one subject, and the report of them.
#pragma once

#include <string>
#include <vector>

#include "tapegrad/check/report.hpp"
#include "tapegrad/check/subject.hpp"

namespace tapegrad {

/// What is known about a subject beside its records.
struct Circumstances {
  std::string what = {};               // "loss by w (2, 3)"
  std::string repeat = {};             // the call that does it again
  std::vector<Section> sections = {};  // of checks made elsewhere
  std::vector<std::string> warnings = {}, notes = {};
};

/// Derives the subject, order by order, and checks it. `random` decides cotangents and directions.
Report check_subject(Subject& subject, const CheckOptions& options, Random& random,
                     Circumstances circumstances);

}  // namespace tapegrad
