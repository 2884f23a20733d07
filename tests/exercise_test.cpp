// An exercise is the derivation it is made of: with its answers filled in, nothing else has
// changed; without them, nothing gives them away.
#include "tapegrad/explain/exercise.hpp"

#include <boost/test/unit_test.hpp>
#include <cctype>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using tg::Derivation;
using tg::Exercise;
using tg::Index;

struct Network {
  tg::Tape tape;
  tg::Tensor w = tape.parameter({{0.123457, -0.765432}, {0.551234, 0.210987}}).named("w");
  tg::Tensor x = tape.input({{1.23456, -0.345678}, {0.987654, 0.456789}}).named("x");
  tg::Tensor a = tanh(matmul(x, w)).named("a");
  tg::Tensor E = mean(square(a - 0.5)).named("E");
  Derivation d = tg::explain(E, w, Index{1, 0}, {.learning_rate = 0.25});
};

/// The numbers that are missing, in order.
std::vector<std::string> answers_of(const Exercise& exercise) {
  std::vector<std::string> result;
  const auto& section = exercise.answers.sections.at(0);
  BOOST_TEST(section.name == "answers");
  for (const tg::Paragraph& line : section.lines) {
    const std::string last = std::get<tg::Equation>(line).sides.back().formula;
    result.push_back(last.substr(last.starts_with('-') ? 1 : 0));
  }
  return result;
}

std::string blank(std::size_t place) { return fmt::format("__{}__", place + 1); }

/// Without what depends on the width of a column.
std::string squeezed(const std::string& page) {
  std::string result;
  for (const char c : page)
    if (std::isspace(static_cast<unsigned char>(c)) == 0 && c != '-') result += c;
  return result;
}

bool stands_in(const std::string& number, const std::string& page) {
  return std::regex_search(
      page, std::regex("(^|[^0-9.])" + std::regex_replace(number, std::regex("[.+]"), "\\$&") +
                       "([^0-9.]|$)"));
}

BOOST_AUTO_TEST_SUITE(exercise)

BOOST_AUTO_TEST_CASE(filled_in_it_is_the_derivation) {
  const Network network;
  Derivation whole = network.d;
  BOOST_TEST_REQUIRE(whole.sections.back().name == "check");
  whole.sections.pop_back();
  for (const std::uint32_t seed : {1u, 2u, 3u, 4u, 5u}) {
    const Exercise e = tg::exercise(network.d, {.blanks = 9, .seed = seed});
    std::string page = text(e.sheet);
    const std::vector<std::string> answers = answers_of(e);
    BOOST_TEST(answers.size() == 9U);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      BOOST_TEST(page.find(blank(i)) != std::string::npos, blank(i) << " is not in " << page);
      page = std::regex_replace(page, std::regex(blank(i)), answers[i]);
    }
    BOOST_TEST(squeezed(page) == squeezed(text(whole)));
  }
}

BOOST_AUTO_TEST_CASE(no_answer_stands_on_the_sheet_in_any_form) {
  const Network network;
  for (const std::uint32_t seed : {1u, 2u, 3u}) {
    const Exercise e = tg::exercise(network.d, {.blanks = 12, .seed = seed});
    for (const std::string& answer : answers_of(e))
      for (const std::string& page : {text(e.sheet), markdown(e.sheet), latex(e.sheet)})
        BOOST_TEST(!stands_in(answer, page), answer << " is in " << page);
  }
}

BOOST_AUTO_TEST_CASE(what_is_given_is_not_left_out) {
  const Network network;
  const std::set<std::string> given{"0.123457", "0.765432", "0.551234", "0.210987",
                                    "1.23456",  "0.345678", "0.987654", "0.456789"};
  std::set<std::string> left_out;
  for (std::uint32_t seed = 0; seed < 40; ++seed)
    for (const std::string& answer : answers_of(tg::exercise(network.d, {.seed = seed}))) {
      BOOST_TEST(!given.contains(answer), answer << " is given");
      left_out.insert(answer);
    }
  BOOST_TEST(left_out.size() > 10U);  // and everything else has its turn
}

BOOST_AUTO_TEST_CASE(blanks_are_numbered_in_the_order_of_the_sheet) {
  const Network network;
  const Exercise e = tg::exercise(network.d, {.blanks = 8, .seed = 7});
  const std::string page = text(e.sheet);
  for (std::size_t i = 1; i < 8; ++i) BOOST_TEST(page.find(blank(i - 1)) < page.find(blank(i)));
}

BOOST_AUTO_TEST_CASE(an_answer_says_what_it_is_of_and_has_its_sign) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(-0.5).named("w");
  const tg::Tensor E = (exp(w) - 1.0).named("E");  // exp(-1/2) - 1 = -0.393469...
  const Derivation d = tg::explain(E, w, Index{});
  const Exercise e = tg::exercise(d.section("forward"), {.blanks = 2});
  BOOST_TEST(text(e.answers) ==
             "Answers\n-------\n\n  a1 = __1__ = 0.606531\n  E  = -__2__ = -0.393469\n");
}

BOOST_AUTO_TEST_CASE(numbers_with_exponents_are_left_out_whole) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter(0.371234).named("w");
  const tg::Tensor E = (w * 1e-9).named("E");
  const Exercise e = tg::exercise(tg::explain(square(E), w, Index{}), {.blanks = 2});
  for (const std::string& answer : answers_of(e)) {
    BOOST_TEST(answer.find("e-") != std::string::npos, answer);
    BOOST_TEST(!stands_in(answer, text(e.sheet)), answer << " is in " << text(e.sheet));
  }
}

BOOST_AUTO_TEST_CASE(the_seed_decides) {
  const Network network;
  const auto sheet = [&](std::uint32_t seed) {
    return text(tg::exercise(network.d, {.seed = seed}).sheet);
  };
  BOOST_TEST(sheet(3) == sheet(3));
  BOOST_TEST(sheet(3) != sheet(4));
}

BOOST_AUTO_TEST_CASE(blanks_are_lines_to_write_on_in_markdown_and_latex) {
  const Network network;
  const Derivation sheet = tg::exercise(network.d, {.blanks = 1}).sheet;
  for (const std::string& page : {markdown(sheet), latex(sheet)})
    BOOST_TEST(page.find("\\underline{\\quad 1 \\quad}") != std::string::npos, page);
}

BOOST_AUTO_TEST_CASE(impossible_numbers_of_blanks_are_errors) {
  const Network network;
  const auto refused = [](const Derivation& d, std::size_t blanks, const std::string& part) {
    BOOST_TEST(says([&] { tg::exercise(d, {.blanks = blanks}); }, part));
  };
  refused(network.d, 0, "exercise: 0 blanks, but ");
  refused(network.d, 500, "exercise: 500 blanks, but ");
  refused(network.d, 500, "exercise_test.cpp");
  refused(network.d.section("network"), 5, "5 blanks, but 0 results that can be left out");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
