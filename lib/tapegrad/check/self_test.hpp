// The negative control: ops are made wrong on purpose, one at a time, and a check must find each. A
// check that lets a mutant pass proves nothing.
//
//   BOOST_TEST(tg::self_test(my_op));
#pragma once

#include <initializer_list>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/text_formatter.hpp"
#include "tapegrad/check/check_options.hpp"
#include "tapegrad/check/mutant.hpp"

namespace tapegrad {

/// One mutant and what became of it.
struct MutantResult {
  std::string op;  // "multiply at net.cpp:12"
  Mutation mutation;
  int operand = 0;
  enum class Fate { killed, equivalent, survived } fate = Fate::killed;
  bool named = false;       // the report blamed the right op
  std::string reason = {};  // why it is equivalent, or how it survived
};

/// True if every mutant that differs from its original was killed, its op was named, and there was
/// at least one.
class SelfTest {
 public:
  explicit SelfTest(std::vector<MutantResult> mutants) : mutants_(std::move(mutants)) {}

  explicit operator bool() const;
  const std::vector<MutantResult>& mutants() const { return mutants_; }
  int killed() const;
  /// Those that differ from their original.
  int total() const;
  /// `63 of 63 mutants killed`, then those that survived and those that are equivalent.
  std::string text() const;

 private:
  std::vector<MutantResult> mutants_;
};
std::ostream& operator<<(std::ostream& out, const SelfTest& result);

/// Spoils an op's derivative in each way that applies, by each operand, and checks the mutant.
SelfTest self_test(const Op& op, const CheckOptions& options = {}, Site at = Site::here());
/// The same for each op between x and y, one at a time, in the check of the whole gradient.
SelfTest self_test(const Differentiated& y, std::initializer_list<Tensor> x,
                   const CheckOptions& options = {});

}  // namespace tapegrad

template <>
struct fmt::formatter<tapegrad::SelfTest> : tapegrad::TextFormatter<tapegrad::SelfTest> {};
