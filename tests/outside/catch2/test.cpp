// [test]
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#include <tapegrad/tapegrad.hpp>

namespace tg = tapegrad;

TEST_CASE("right") {
  REQUIRE(tg::check_gradient([](tg::Tensor x) { return sum(tanh(x)); }, {{0.5, -1.0}}));
}
// [/test]

#include "../wrong_square.hpp"

TEST_CASE("wrong") {
  tg::Tape tape;
  const tg::Tensor w = tape.parameter({0.5, -1.5}).named("w");
  const tg::Tensor loss = sum(wrong_square(w));  // the line to be named
  const tg::Report report = tg::check_gradient(loss, w);
  REQUIRE(report);
}
