// The negative control: every op of the catalogue, spoilt in every way that applies, is found wrong
// and named by the check. A check of ops that are right, whatever their scale, raises no alarm.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "refusal.hpp"
#include "tapegrad/base/random.hpp"
#include "tapegrad/check/check_gradient.hpp"
#include "tapegrad/check/check_op.hpp"
#include "tapegrad/check/self_test.hpp"
#include "tapegrad/nn/linear.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
using tg::Op, tg::Shape, tg::Tape, tg::Tensor;

bool has_rule(const Op& op) {
  return op.vjp.flow() == tg::VjpRule::Flow::rule && op.kind != tg::Kind::effect;
}

BOOST_AUTO_TEST_SUITE(mutants)

BOOST_AUTO_TEST_CASE(every_op_of_the_catalogue_passes_its_check) {
  for (const Op* op : tg::catalogue()) BOOST_TEST_CONTEXT(op->name) {
      const tg::Report report = tg::check_op(*op);
      BOOST_TEST(report);
      if (has_rule(*op)) BOOST_TEST(report.count(tg::Verdict::pass) > 0);
    }
}

BOOST_AUTO_TEST_CASE(every_mutant_of_every_op_is_killed_and_its_op_named) {
  int killed = 0, total = 0;
  for (const Op* op : tg::catalogue()) {
    if (!has_rule(*op)) continue;
    const tg::SelfTest result = tg::self_test(*op);
    BOOST_TEST(result, op->name << ": " << result);
    killed += result.killed();
    total += result.total();
  }
  BOOST_TEST(killed == total);
  BOOST_TEST(total > 300);
  BOOST_TEST_MESSAGE(fmt::format("{} of {} mutants killed", killed, total));
}

struct Net {
  tg::Linear hidden, output;
};

BOOST_AUTO_TEST_CASE(every_mutant_in_a_network_is_killed_and_its_record_named) {
  Tape tape;
  tg::Random random{2};
  const Net net{tg::linear(tape, 2, 3, random), tg::linear(tape, 3, 2, random)};
  const Tensor x = tape.input(random.normal(0, 1, Shape{2, 2}));
  const Tensor t = tape.input(random.normal(0, 1, Shape{2, 2}));
  const Tensor hidden = tanh(net.hidden(x));
  const Tensor loss = mse_loss(net.output(hidden), t) + 0.1 * sum(hidden * hidden);
  const tg::SelfTest result =
      tg::self_test(loss, {net.hidden.weight, net.hidden.bias, net.output.weight, net.output.bias});
  BOOST_TEST(result, result);
  BOOST_TEST(result.total() > 40);
  BOOST_TEST(has(result.text(), fmt::format("{0} of {0} mutants killed", result.total())));
}

BOOST_AUTO_TEST_CASE(a_check_that_cannot_fail_says_so) {
  for (const Op* op : tg::catalogue())
    if (op->name == "sign") {
      const tg::SelfTest result = tg::self_test(*op);
      BOOST_TEST(!result);
      BOOST_TEST(has(result.text(), "cannot fail"));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
