// [test]
#include <gtest/gtest.h>
#include <tapegrad/tapegrad.hpp>

namespace tg = tapegrad;

TEST(Gradients, Right) {
  const tg::Report report =
      tg::check_gradient([](tg::Tensor x) { return sum(tanh(x)); }, {{0.5, -1.0}});
  EXPECT_TRUE(report) << report;
}
// [/test]

#include "../wrong_square.hpp"

TEST(Gradients, Wrong) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter({0.5, -1.5}).named("w");
  const tg::Tensor loss = sum(wrong_square(w));  // the line to be named
  const tg::Report report = tg::check_gradient(loss, w);
  EXPECT_TRUE(report) << report;
}
