// What a check found, for a person and for a machine. A report is true if everything that was
// checked is right; it prints itself, so that any test framework shows it:
//
//   BOOST_TEST(report);   EXPECT_TRUE(report) << report;   REQUIRE(report);
//   fmt::print("{}", report);
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "tapegrad/base/site.hpp"
#include "tapegrad/base/text_formatter.hpp"
#include "tapegrad/check/check_options.hpp"
#include "tapegrad/check/mistake.hpp"
#include "tapegrad/check/verdict.hpp"

namespace tapegrad {

/// The judgement of one element of one leaf, or of many together along a direction.
struct Element {
  std::string leaf = {};                 // "hidden.weight"
  std::vector<std::int64_t> index = {};  // {1, 2}; empty for rank 0
  Judgement judgement = {};
  std::string along = {};  // not an element, but a direction: "random signs"
  int order = 1;           // of the derivative; above 1, of the one before along a random direction

  /// `hidden.weight[1,2]`, `hidden.weight along random signs, order 2`
  std::string where() const;
};

/// One of the checks a report consists of: "each op alone", pass, "12 ops".
struct Section {
  std::string name = {};
  Verdict verdict = Verdict::pass;
  std::string sentence = {};
};

/// An op whose derivative is wrong by itself.
struct OpFinding {
  std::string op = {};     // "multiply"
  std::string label = {};  // "%7 scaled"
  Site at = {};            // the user's line
  int operand = 0;         // by which it is differentiated
  std::string operand_name = {};
  Element worst = {};  // of the derivative by that operand
  int elements = 0;    // of it, compared
  Diagnosis mistake = {};
};

/// What certified how many: "differences" 159, "dual numbers" 4.
struct Oracle {
  std::string name = {};
  int count = 0;
};

/// What a check hands to its report.
struct Findings {
  std::string subject = {};             // "loss by hidden.weight (3, 4)"
  std::vector<Element> elements = {};   // and directions
  std::vector<Section> sections = {};   // in the order they are shown
  std::vector<OpFinding> bad_ops = {};  // the first is blamed
  Diagnosis mistake = {};               // of the whole gradient
  std::vector<std::string> warnings = {}, notes = {};
  std::string repeat = {};  // the call that does it again: "check_gradient(..., {.seed = 17})"
  int evaluations = 0;      // of the function
  Inconclusive inconclusive = Inconclusive::reject;
  bool expect_zero = false;
};

class Report {
 public:
  explicit Report(Findings findings);

  /// Everything passes or is an accepted kink. What is inconclusive does not, unless the options
  /// accept it. A gradient of nothing but zeros does not, unless it is expected to be.
  explicit operator bool() const { return good_; }
  Verdict verdict() const { return verdict_; }

  const std::vector<Element>& elements() const { return findings_.elements; }
  /// The element (or direction) with the worst verdict and there the greatest distance; one
  /// without a leaf if nothing was checked.
  const Element& worst() const { return worst_; }
  /// The first op found wrong by itself; one without a name if there is none.
  const OpFinding& first_bad_op() const;
  const std::vector<Section>& sections() const { return findings_.sections; }

  /// How many elements have this verdict.
  int count(Verdict verdict) const { return counts_[static_cast<std::size_t>(verdict)]; }
  /// To how many digits the least certain element that passed is certified.
  double digits() const { return digits_; }
  int evaluations() const { return findings_.evaluations; }
  std::vector<Oracle> oracles() const;
  const Diagnosis& mistake() const;
  const std::vector<std::string>& warnings() const { return findings_.warnings; }
  const std::vector<std::string>& notes() const { return findings_.notes; }
  const std::string& repeat() const { return findings_.repeat; }
  /// Everything that the check handed over.
  const Findings& findings() const { return findings_; }

  /// One line that says it all.
  std::string headline() const;
  /// At most 25 lines of at most 80 ASCII characters, each with its end; the first is the headline,
  /// which may be longer.
  std::string text() const;
  std::string to_markdown() const;
  /// Numbers that are not finite are texts: "inf".
  std::string to_json() const;

 private:
  std::string summary() const;
  std::string tally() const;
  std::vector<std::string> table() const;

  Findings findings_;
  Element worst_;
  std::array<int, 4> counts_{};
  double digits_ = 0;
  Verdict verdict_ = Verdict::inconclusive;
  bool good_ = false;
};

std::ostream& operator<<(std::ostream& out, const Report& report);

}  // namespace tapegrad

template <>
struct fmt::formatter<tapegrad::Report> : tapegrad::TextFormatter<tapegrad::Report> {};
