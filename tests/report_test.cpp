// The forms of a report, compared with tests/data/report/. To write those files anew, and read the
// difference with git:
//   TAPEGRAD_UPDATE=1 build/tests/tapegrad_tests --run_test=report
#include "tapegrad/check/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/src.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "tapegrad/check/check_replay.hpp"
#include "tapegrad/check/self_test.hpp"
#include "tapegrad/inspect/why.hpp"

using namespace tapegrad;

namespace {

Element passed(std::string leaf, std::int64_t i, double slope) {
  return {.leaf = std::move(leaf),
          .index = {i},
          .judgement = {.verdict = Verdict::pass,
                        .analytic = slope,
                        .numeric = slope,
                        .bar = 1e-11 * slope,
                        .digits = 11 - 0.1 * static_cast<double>(i)}};
}
const Element wrong = {.leaf = "w",
                       .index = {1, 2},
                       .judgement = {.verdict = Verdict::fail,
                                     .analytic = -0.0842,
                                     .numeric = 0.0842,
                                     .bar = 2e-12,
                                     .reason = "8.4e+10 error bars apart"}};
const Element kinked = {.leaf = "bias",
                        .index = {3},
                        .judgement = {.verdict = Verdict::kink,
                                      .analytic = 0,
                                      .numeric = 0.5,
                                      .bar = 1e-16,
                                      .below = 0,
                                      .above = 1,
                                      .reason = "a kink, between the slopes 0 below and 1 above"}};
const Element undecided = {
    .leaf = "weight",
    .index = {0, 7},
    .judgement = {
        .analytic = 9.3e-16,
        .numeric = 1.1e-15,
        .bar = 3e-16,
        .digits = 0.4,
        .reason = "the value changes by hardly more than its own rounding: measured 3 ulp"}};

// `count` elements of w that pass.
Findings passing(int count) {
  Findings findings = {.subject = "loss",
                       .repeat = "check_gradient(loss, {w}, {.seed = 17})",
                       .evaluations = 33 * count};
  for (int i = 0; i < count; ++i) findings.elements.push_back(passed("w", i, 0.5 + i));
  return findings;
}
Findings passing_but(const Element& element) {
  Findings findings = passing(11);
  findings.elements.push_back(element);
  return findings;
}

Findings bad_op() {
  Findings findings = passing_but(wrong);
  findings.sections = {
      {"whole gradient", Verdict::fail, "1 of 12 elements is wrong"},
      {"each op alone", Verdict::fail, "1 of 7 ops is wrong: multiply"},
      {"adjoint balance", Verdict::pass, "7 adjoints are the sums of their shares"},
      {"dependencies", Verdict::pass, "no value depends on a leaf behind the back of the tape"},
      {"contracts", Verdict::pass, "same numbers twice, zero for zero, linear"}};
  findings.bad_ops = {{.op = "multiply",
                       .label = "%7 scaled",
                       .at = {"model.cpp", 18},
                       .operand = 0,
                       .operand_name = "left",
                       .worst = wrong,
                       .mistake = {Mistake::sign, "the sign is wrong", -1}}};
  return findings;
}

Findings long_one() {
  Findings findings = bad_op();
  for (int i = 0; i < 40; ++i) {
    Element element = wrong;
    element.leaf = "encoder.layers.0.attention.query.weight";
    element.index = {i, 100 + i};
    findings.elements.push_back(element);
    findings.notes.push_back(
        "a note that is long enough to be broken, as it says one thing and "
        "then, after some thought, quite another");
  }
  return findings;
}

// What holds for every form.
void check_form(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    ++count;
    BOOST_TEST((count == 1 || line.size() <= 80), line);
    BOOST_TEST(std::all_of(line.begin(), line.end(), [](char c) { return c >= 32 && c < 127; }),
               line);
  }
  BOOST_TEST(count <= 25);
}

void compare(const std::string& file, const std::string& found) {
  const std::string path = std::string(TAPEGRAD_TEST_DATA) + "/report/" + file;
  if (std::getenv("TAPEGRAD_UPDATE") != nullptr) std::ofstream(path) << found;
  std::ifstream in(path);
  const std::string expected{std::istreambuf_iterator<char>(in), {}};
  BOOST_TEST(found == expected, file << " says\n" << expected << "\nbut now\n" << found);
}

void check_forms(const std::string& name, const Findings& findings) {
  const Report report(findings);
  check_form(report.text());
  compare(name + ".txt", report.text());
  compare(name + ".md", report.to_markdown());
  compare(name + ".json", report.to_json());
  boost::json::parse(report.to_json());  // throws unless it is JSON
}

}  // namespace

BOOST_AUTO_TEST_SUITE(report)

BOOST_AUTO_TEST_CASE(the_forms_are_those_written_down) {
  check_forms("pass", passing(12));
  check_forms("wrong_op", bad_op());
  Findings signs = passing_but(wrong);
  signs.mistake = {Mistake::one_element, "all right but element [1,2]: ratio -1", -1, 6};
  check_forms("wrong_element", signs);
  check_forms("kink", passing_but(kinked));
  check_forms("inconclusive", passing_but(undecided));
  check_forms("nothing", {.subject = "loss"});
  check_forms("long", long_one());
}

BOOST_AUTO_TEST_CASE(a_report_is_true_if_everything_passes_or_is_an_accepted_kink) {
  BOOST_TEST(Report(passing(3)));
  BOOST_TEST(Report(passing_but(kinked)));
  BOOST_TEST(!Report(passing_but(wrong)));
  BOOST_TEST(!Report(passing_but(undecided)));
  BOOST_TEST(!Report(Findings{}));
}

BOOST_AUTO_TEST_CASE(only_the_inconclusive_can_be_accepted) {
  Findings vague = passing_but(undecided), bad = passing_but(wrong), none;
  for (Findings* findings : {&vague, &bad, &none}) findings->inconclusive = Inconclusive::accept;
  BOOST_TEST(Report(vague));
  BOOST_TEST(Report(vague).verdict() == Verdict::inconclusive);
  BOOST_TEST(!Report(bad));
  BOOST_TEST(!Report(none));
}

BOOST_AUTO_TEST_CASE(a_failed_section_makes_a_report_false_though_all_elements_pass) {
  Findings findings = passing(3);
  findings.sections = {{"contracts", Verdict::fail, "called twice, it gives other numbers"}};
  BOOST_TEST(!Report(findings));
  BOOST_TEST(Report(findings).headline() ==
             "gradient check: FAIL: contracts: called twice, it gives other numbers");
}

BOOST_AUTO_TEST_CASE(errors_that_cancel_in_the_whole_are_blamed_on_the_op) {
  Findings findings = bad_op();
  findings.elements = passing(3).elements;
  const Report report(findings);
  BOOST_TEST(!report);
  BOOST_TEST(report.first_bad_op().op == "multiply");
  BOOST_TEST(report.mistake().mistake == Mistake::sign);
}

BOOST_AUTO_TEST_CASE(the_worst_is_the_farthest_of_the_wrong_ones) {
  Findings findings = passing_but(wrong);
  Element farther = wrong;
  farther.index = {0, 0};
  farther.judgement.analytic = 100;
  findings.elements.push_back(farther);
  findings.elements.push_back(undecided);
  BOOST_TEST(Report(findings).worst().where() == "w[0,0]");
  BOOST_TEST(Report(passing(12)).worst().where() == "w[11]");  // the least certain
  BOOST_TEST(Report(Findings{}).worst().leaf.empty());
}

BOOST_AUTO_TEST_CASE(oracles_say_what_certified_how_many) {
  Findings findings = passing(3);
  findings.elements[1].judgement.oracle = "dual numbers";
  const std::vector<Oracle> oracles = Report(findings).oracles();
  BOOST_TEST_REQUIRE(oracles.size() == 2u);
  BOOST_TEST(oracles[0].name == "differences");
  BOOST_TEST(oracles[0].count == 2);
  BOOST_TEST(Report(findings).headline() ==
             "gradient check: PASS: loss: 3 elements to at least 10.8 digits (99 evaluations; "
             "differences 2, dual numbers 1)");
}

BOOST_AUTO_TEST_CASE(numbers_that_are_not_finite_are_texts_in_json) {
  Element nan = wrong;
  nan.judgement.analytic = std::nan("");
  nan.leaf = "a \"quoted\"\\name\n";
  const auto json = boost::json::parse(Report(passing_but(nan)).to_json()).as_object();
  const auto& element = json.at("elements").as_array().at(11).as_object();
  BOOST_TEST(element.at("analytic").as_string() == "nan");
  BOOST_TEST(element.at("leaf").as_string() == "a \"quoted\"\\name\n");
  BOOST_TEST(json.at("fail").as_int64() == 1);
  BOOST_TEST(json.at("good").as_bool() == false);
}

BOOST_AUTO_TEST_CASE(names_in_any_script_are_printed_in_ascii) {
  Element element = wrong;
  element.leaf = "\xce\xb8_\xe9\x87\x8d";
  check_form(Report(passing_but(element)).text());
  BOOST_TEST(Report(passing_but(element)).headline().find("?_?[1,2]") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_direction_is_told_from_an_element) {
  Findings findings = passing(3);
  findings.elements.push_back(
      {.leaf = "w", .judgement = {.verdict = Verdict::pass, .digits = 9}, .along = "random signs"});
  BOOST_TEST(findings.elements.back().where() == "w along random signs");
  BOOST_TEST(Report(findings).headline().find(
                 "3 elements and 1 direction to at least 9.0 digits") != std::string::npos);
}

template <class T>
void check_text_of(const T& report) {
  std::ostringstream out;
  out << report;
  BOOST_TEST(out.str() == report.text());
  BOOST_TEST(fmt::format("{}", report) == report.text());
  BOOST_TEST(report.text().ends_with("\n"));
  BOOST_TEST(!report.text().ends_with("\n\n"));
}

BOOST_AUTO_TEST_CASE(reports_of_all_kinds_are_streamed_and_formatted_as_their_text_of_whole_lines) {
  check_text_of(Report(passing(3)));
  check_text_of(Report(passing_but(wrong)));
  check_text_of(SelfTest({}));
  check_text_of(ReplayReport{});
  const Site here = Site::here();
  check_text_of(ReplayReport{.parting = Parting{"add", "other", here, here}});
  check_text_of(Why{.sentence = "nothing"});
  check_text_of(Why{.cause = Cause::flat, .sentence = "flat", .more = {"more"}});
}

BOOST_AUTO_TEST_SUITE_END()
