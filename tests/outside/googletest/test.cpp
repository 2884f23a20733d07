#include <gtest/gtest.h>

#include "../wrong_square.hpp"

TEST(Gradients, Right) {
  const Right right;
  const tg::Report report = tg::check_gradient(right.loss, right.net);
  EXPECT_TRUE(report) << report;
}

TEST(Gradients, Wrong) {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter({0.5, -1.5}).named("w");
  const tg::Tensor loss = sum(wrong_square(w));  // the line to be named
  const tg::Report report = tg::check_gradient(loss, w);
  EXPECT_TRUE(report) << report;
}
