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
  if (order > 1) result += fmt::format(", order {}", order);
  return result;
}

Report::Report(Findings findings) : findings_(std::move(findings)) {
  digits_ = std::numeric_limits<double>::infinity();
  Verdict verdict = Verdict::pass;
  struct Zeros {
    bool all = true, but_for_rounding = true;
  };
  std::vector<Zeros> zeros;  // of each order
  for (const Element& element : findings_.elements) {
    const Judgement& judgement = element.judgement;
    ++counts_[static_cast<std::size_t>(judgement.verdict)];
    verdict = std::max(verdict, judgement.verdict);
    const bool passes = judgement.verdict == Verdict::pass;
    zeros.resize(std::max(zeros.size(), static_cast<std::size_t>(element.order)));
    if (judgement.analytic != 0) zeros.back().all = false;
    if (judgement.analytic != 0 && !(passes && std::isinf(judgement.digits)))
      zeros.back().but_for_rounding = false;
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
  } else {
    const auto zero =
        std::find_if(zeros.begin(), zeros.end(), [](const Zeros& z) { return z.all; });
    const auto first = static_cast<std::size_t>(zero - zeros.begin()) + 1;
    const auto warn = [&](std::size_t order, std::string_view what) {
      const std::string derivative =
          order == 1 ? "the gradient" : fmt::format("the derivative of order {}", order);
      findings_.warnings.insert(findings_.warnings.begin(), fmt::format("{} {}", derivative, what));
      verdict = Verdict::fail;
    };
    if (zero != zeros.end() && !findings_.expect_zero)
      warn(first, "is zero everywhere; if it should be, say .expect_zero = true");
    if (!zeros.back().but_for_rounding && findings_.expect_zero)
      warn(zeros.size(), "was expected to be zero everywhere, and is not");
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
