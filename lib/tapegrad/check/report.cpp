// What elements, sections and ops say together. The words are found in report_text.cpp, the JSON in
// report_json.cpp.
#include "tapegrad/check/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

namespace tapegrad {

std::string Element::where() const {
  std::string result = leaf;
  if (!index.empty()) result += fmt::format("[{}]", fmt::join(index, ","));
  if (!along.empty()) result += " along " + along;
  return result;
}

Report::Report(Findings findings) : findings_(std::move(findings)) {
  digits_ = std::numeric_limits<double>::infinity();
  Verdict verdict = Verdict::pass;
  bool all_zero = true, zero_but_for_rounding = true;
  for (const Element& element : findings_.elements) {
    const Judgement& judgement = element.judgement;
    ++counts_[static_cast<std::size_t>(judgement.verdict)];
    verdict = std::max(verdict, judgement.verdict);
    const bool passes = judgement.verdict == Verdict::pass;
    if (judgement.analytic != 0) all_zero = false;
    if (judgement.analytic != 0 && !(passes && std::isinf(judgement.digits)))
      zero_but_for_rounding = false;
    if (passes) digits_ = std::min(digits_, judgement.digits);
    if (&element == &findings_.elements.front() || worse(judgement, worst_.judgement))
      worst_ = element;
  }
  for (const Section& section : findings_.sections) verdict = std::max(verdict, section.verdict);
  if (!findings_.bad_ops.empty()) verdict = Verdict::fail;

  // What all the elements say together.
  const bool nothing_to_measure = findings_.expect_zero && !findings_.sections.empty();
  if (findings_.elements.empty() && nothing_to_measure) {
    // an op without a derivative: the sections say it all
  } else if (findings_.elements.empty()) {
    findings_.warnings.insert(findings_.warnings.begin(), "nothing was checked");
    verdict = std::max(verdict, Verdict::inconclusive);
  } else if (all_zero && !findings_.expect_zero) {
    findings_.warnings.insert(findings_.warnings.begin(),
                              "the gradient is zero everywhere; if it should be, say "
                              ".expect_zero = true");
    verdict = Verdict::fail;
  } else if (!zero_but_for_rounding && findings_.expect_zero) {
    findings_.warnings.insert(findings_.warnings.begin(),
                              "the gradient was expected to be zero everywhere, and is not");
    verdict = Verdict::fail;
  }
  verdict_ = verdict;
  const bool accepts =
      findings_.inconclusive == Inconclusive::accept && !findings_.elements.empty();
  good_ = verdict < Verdict::inconclusive || (verdict == Verdict::inconclusive && accepts);
}

const OpFinding& Report::first_bad_op() const {
  static const OpFinding none;
  return findings_.bad_ops.empty() ? none : findings_.bad_ops.front();
}

const Diagnosis& Report::mistake() const {
  return findings_.bad_ops.empty() ? findings_.mistake : findings_.bad_ops.front().mistake;
}

std::vector<Oracle> Report::oracles() const {
  std::vector<Oracle> oracles;
  for (const Element& element : findings_.elements) {
    const std::string& name = element.judgement.oracle;
    const auto same = [&](const Oracle& oracle) { return oracle.name == name; };
    const auto known = std::find_if(oracles.begin(), oracles.end(), same);
    if (known == oracles.end())
      oracles.push_back({name, 1});
    else
      ++known->count;
  }
  return oracles;
}

std::ostream& operator<<(std::ostream& out, const Report& report) { return out << report.text(); }

}  // namespace tapegrad
