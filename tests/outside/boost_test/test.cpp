// [test]
#define BOOST_TEST_MODULE gradients
#include <boost/test/unit_test.hpp>
#include <tapegrad/tapegrad.hpp>

namespace tg = tapegrad;

BOOST_AUTO_TEST_CASE(right) {
  BOOST_TEST(tg::check_gradient([](tg::Tensor x) { return sum(tanh(x)); }, {{0.5, -1.0}}));
}
// [/test]

#include "../wrong_square.hpp"

BOOST_AUTO_TEST_CASE(wrong) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter({0.5, -1.5}).named("w");
  const tg::Tensor loss = sum(wrong_square(w));  // the line to be named
  BOOST_TEST(tg::check_gradient(loss, w));
}
