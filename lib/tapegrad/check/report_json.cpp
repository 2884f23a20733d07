// A report for machines.
#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "tapegrad/check/report.hpp"

namespace tapegrad {
namespace {

std::string json(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      result += c;
  }
  return result + '"';
}
std::string json(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : fmt::format("\"{}\"", value);
}
template <class Items, class Write>
std::string json(const Items& items, const Write& write) {
  std::vector<std::string> texts;
  texts.reserve(items.size());
  for (const auto& item : items) texts.push_back(write(item));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}
std::string json(const Judgement& judgement) {
  return fmt::format(
      R"("verdict": {}, "analytic": {}, "numeric": {}, "bar": {}, "ratio": {}, "digits": {}, )"
      R"("below": {}, "above": {}, "reason": {}, "oracle": {}, "evaluations": {})",
      json(text(judgement.verdict)), json(judgement.analytic), json(judgement.numeric),
      json(judgement.bar), json(judgement.ratio()), json(judgement.digits), json(judgement.below),
      json(judgement.above), json(judgement.reason), json(judgement.oracle), judgement.evaluations);
}
std::string json(const Element& element) {
  return fmt::format(R"({{"leaf": {}, "index": [{}], "along": {}, "order": {}, {}}})",
                     json(element.leaf), fmt::join(element.index, ", "), json(element.along),
                     element.order, json(element.judgement));
}
std::string json(const OpFinding& bad) {
  return fmt::format(R"({{"op": {}, "label": {}, "at": {}, "operand": {}, "operand_name": {}, )"
                     R"("mistake": {}, "sentence": {}, "worst": {}}})",
                     json(bad.op), json(bad.label), json(text(bad.at)), bad.operand,
                     json(bad.operand_name), json(text(bad.mistake.mistake)),
                     json(bad.mistake.sentence), json(bad.worst));
}

}  // namespace

std::string Report::to_json() const {
  const auto as_text = [](const std::string& text) { return json(text); };
  const auto section = [](const Section& one) {
    return fmt::format(R"({{"name": {}, "verdict": {}, "sentence": {}}})", json(one.name),
                       json(tapegrad::text(one.verdict)), json(one.sentence));
  };
  const auto oracle = [](const Oracle& one) {
    return fmt::format(R"({{"name": {}, "count": {}}})", json(one.name), one.count);
  };
  const auto item = [](const auto& one) { return json(one); };
  return fmt::format(
      "{{\"good\": {}, \"verdict\": {}, \"headline\": {}, \"subject\": {},\n"
      "\"pass\": {}, \"kink\": {}, \"inconclusive\": {}, \"fail\": {}, \"digits\": {}, "
      "\"evaluations\": {},\n\"mistake\": {}, \"sentence\": {},\n\"oracles\": {},\n"
      "\"sections\": {},\n\"bad_ops\": {},\n\"elements\": {},\n\"warnings\": {},\n\"notes\": {},\n"
      "\"repeat\": {}}}\n",
      good_, json(tapegrad::text(verdict_)), json(headline()), json(findings_.subject),
      count(Verdict::pass), count(Verdict::kink), count(Verdict::inconclusive),
      count(Verdict::fail), json(digits_), evaluations(), json(tapegrad::text(mistake().mistake)),
      json(mistake().sentence), json(oracles(), oracle), json(findings_.sections, section),
      json(findings_.bad_ops, item), json(findings_.elements, item),
      json(findings_.warnings, as_text), json(findings_.notes, as_text), json(findings_.repeat));
}

}  // namespace tapegrad
