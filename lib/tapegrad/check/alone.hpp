// Internal: each op by itself. Its rule is compared with its own forward, at the operands it was
// recorded with, so every wrong op is found, even if the errors of two cancel. And the adjoint of
// each record is compared with the sum of what its consumers pass on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tapegrad/base/random.hpp"
#include "tapegrad/check/report.hpp"
#include "tapegrad/check/subject.hpp"

namespace tapegrad {

struct AloneResult {
  std::vector<OpFinding> bad;  // in the order of recording
  std::vector<Element> elements;
  int ops = 0;  // checked
  int kinks = 0, inconclusive = 0;
  int left_out = 0;  // beyond the budget
  double digits = 16;
  int evaluations = 0;
};

/// The ops between the x and the number of a subject.
AloneResult check_ops_alone(const Subject& subject, Random& random, int max_evaluations);

/// Adds what is found about one record. `label` is what the finding calls it.
void check_alone(const Subject& subject, Id record, const std::string& label, Random& random,
                 int max_evaluations, AloneResult& result);

struct BalanceResult {
  std::vector<OpFinding> bad;
  int records = 0;
  bool left_out = false;  // too many records
};

/// Whether each adjoint is the sum of its consumers' contributions.
BalanceResult check_balance(const Subject& subject);

}  // namespace tapegrad
