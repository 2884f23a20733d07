// Records run elsewhere: trials in memory of their own, transcripts on another tape.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/nn/linear.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/listing.hpp"
#include "tapegrad/tape/needed.hpp"
#include "tapegrad/tape/transcript.hpp"
#include "tapegrad/tape/trial.hpp"

namespace {

namespace tg = tapegrad;
using tg::Id, tg::Tape, tg::Tensor;

Id id_of(const Tensor& t, const Tape& tape) {
  return tape.recording().id_of(t, "test", tg::Site::here());
}
tg::Site here() { return tg::Site::here(); }

struct Small {
  Tape tape;
  Tensor w, x, hidden, y;
  Id wi, xi, hi, yi;
  explicit Small(tg::Precision precision = tg::float64) : tape(precision) {
    w = tape.parameter({{1.0, -2.0}, {0.5, 3.0}}).named("w");
    x = tape.input({{2.0, 1.0}, {0.0, -1.0}, {1.5, 0.25}}).named("x");
    hidden = reshape(tanh(matmul(x, w) + tape.constant({0.5, -0.5})), {6});
    y = sum(square(hidden) * tg::slice(hidden, 0, 0, 1));
    wi = id_of(w, tape), xi = id_of(x, tape), hi = id_of(hidden, tape), yi = id_of(y, tape);
  }
};

BOOST_AUTO_TEST_SUITE(trial)

BOOST_AUTO_TEST_CASE(what_outputs_need_is_found_in_order_and_ends_where_it_is_told_to) {
  Small s;
  const tg::Recording& recording = s.tape.recording();
  const Tensor other = exp(s.w);
  const Id otheri = id_of(other, s.tape);
  const std::vector<Id> y = tg::needed(recording, {&s.yi, 1});
  BOOST_TEST(std::is_sorted(y.begin(), y.end()));
  BOOST_TEST(y.front() == s.wi);
  BOOST_TEST(y.back() == s.yi);
  BOOST_TEST(y.size() == s.yi + 1u);  // nothing else was recorded before
  BOOST_TEST(tg::needed(recording, {&otheri, 1}) == (std::vector{s.wi, otheri}));
  BOOST_TEST(tg::needed(recording, std::vector{otheri, s.hi}, {&s.hi, 1}) ==
             (std::vector{s.wi, s.hi, otheri}));
  BOOST_TEST(tg::needed(recording, {}).empty());
}

BOOST_AUTO_TEST_CASE(a_trial_computes_what_the_tape_computes) {
  Small s;
  const tg::Trial<double> trial(s.tape.recording(), std::vector{s.yi, s.hi}, {}, here());
  BOOST_TEST(trial.values(s.yi)[0] == s.y.item());
  const auto hidden = trial.values(s.hi);
  BOOST_TEST(std::vector<double>(hidden.begin(), hidden.end()) == s.hidden.values());
  BOOST_TEST(trial.steps().empty());
}

BOOST_AUTO_TEST_CASE(a_free_leaf_takes_other_values_and_the_tape_keeps_its_own) {
  Small s;
  const std::vector<double> before = s.w.values();
  const double y = s.y.item();
  tg::Trial<double> trial(s.tape.recording(), std::vector{s.yi}, std::vector{s.wi}, here());
  trial.free(s.wi)[1] = 0.75;
  trial.run();
  BOOST_TEST(s.w.values() == before);
  BOOST_TEST(s.y.item() == y);
  s.w.set({{1.0, 0.75}, {0.5, 3.0}});
  s.tape.replay(s.y);
  BOOST_TEST(trial.values(s.yi)[0] == s.y.item());
  BOOST_TEST(trial.values(s.yi)[0] != y);
}

BOOST_AUTO_TEST_CASE(a_free_computed_record_stands_still_when_its_leaves_move) {
  Small s;
  tg::Trial<double> trial(s.tape.recording(), std::vector{s.yi}, std::vector{s.wi, s.hi}, here());
  const double y = s.y.item();
  BOOST_TEST(trial.values(s.yi)[0] == y);
  trial.free(s.wi)[0] = 100;
  trial.run();
  BOOST_TEST(trial.values(s.yi)[0] == y);
  for (double& h : trial.free(s.hi)) h = 2;
  trial.run();
  BOOST_TEST(trial.values(s.yi)[0] == 6 * 4 * 2);
}

BOOST_AUTO_TEST_CASE(a_trial_starts_from_the_leaves_even_if_the_tape_is_out_of_date) {
  Small s;
  s.x.set({{1.0, 1.0}, {1.0, 1.0}, {1.0, 1.0}});
  const tg::Trial<double> trial(s.tape.recording(), std::vector{s.yi}, {}, here());
  s.tape.replay(s.y);
  BOOST_TEST(trial.values(s.yi)[0] == s.y.item());
}

BOOST_AUTO_TEST_CASE(a_float32_tape_is_tried_in_float64) {
  Small narrow(tg::float32), wide;
  const tg::Trial<double> trial(narrow.tape.recording(), std::vector{narrow.yi}, {}, here());
  BOOST_TEST(trial.values(narrow.yi)[0] == wide.y.item());
}

BOOST_AUTO_TEST_CASE(numbers_without_a_system_are_doubles) {
  Small s;
  const tg::Trial<tg::Number> trial(s.tape.recording(), std::vector{s.yi}, {}, here());
  BOOST_TEST(static_cast<double>(trial.values(s.yi)[0]) == s.y.item());
}

BOOST_AUTO_TEST_CASE(updates_take_no_effect_in_a_trial) {
  Tape tape;
  const Tensor count = tape.state(3.0);
  const Tensor next = tg::assign(count, count + 1.0);
  const Id id = id_of(next, tape);
  const tg::Trial<double> trial(tape.recording(), std::vector{id}, {}, here());
  BOOST_TEST(trial.values(id)[0] == 4);
  BOOST_TEST(count.item() == 3);
}

BOOST_AUTO_TEST_CASE(a_transcript_has_the_same_values_names_and_lines) {
  Small s;
  const Tensor g = gradient(s.y, s.w);
  Tape copy;
  const tg::Transcript transcript(s.tape.recording(), std::vector{id_of(g, s.tape), s.yi}, copy,
                                  here());
  BOOST_TEST(transcript.copy(s.yi).item() == s.y.item());
  BOOST_TEST(transcript.copy(id_of(g, s.tape)).values() == g.values());
  BOOST_TEST(transcript.copy(s.wi).name() == "w");
  const auto& from = s.tape.recording();
  const auto& to = copy.recording();
  for (Id id : transcript.originals()) {
    const auto& a = from.node(id);
    const auto& b = to.node(id_of(transcript.copy(id), copy));
    BOOST_TEST(a.op == b.op);
    BOOST_TEST((a.site == b.site));
  }
  // and it is a recording like any other
  BOOST_TEST(gradient(transcript.copy(s.yi), transcript.copy(s.wi)).values() == g.values());
}

BOOST_AUTO_TEST_CASE(a_transcript_of_a_float32_tape_is_exact_in_float64) {
  Small narrow(tg::float32), wide;
  Tape copy;
  const tg::Transcript transcript(narrow.tape.recording(), std::vector{narrow.yi}, copy, here());
  BOOST_TEST(transcript.copy(narrow.yi).item() == wide.y.item());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
