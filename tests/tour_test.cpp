// Read this first: what tapegrad does, in the order one meets it. Each case is a sentence that is
// true.
#include <fmt/core.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <tapegrad/tapegrad.hpp>
#include <tuple>

namespace {

namespace tg = tapegrad;
namespace tt = boost::test_tools;

struct Net {  // a network is a plain struct: no base class, no registration
  tg::Linear hidden, output;
  tg::Tensor operator()(tg::Tensor x) const { return sigmoid(output(tanh(hidden(x)))); }
};

BOOST_AUTO_TEST_SUITE(tour)

BOOST_AUTO_TEST_CASE(an_expression_is_computed_as_it_is_recorded) {
  tg::Tape tape;
  const tg::Tensor x = tape.parameter(3.0);
  const tg::Tensor y = x * x;
  BOOST_TEST(y.item() == 9.0);
  BOOST_TEST(tape.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_gradient_is_a_tensor_and_has_gradients_of_its_own) {
  tg::Tape tape;
  const tg::Tensor x = tape.parameter(3.0);
  const tg::Tensor slope = gradient(x * x * x, x);
  BOOST_TEST(slope.item() == 27.0);
  BOOST_TEST(gradient(slope, x).item() == 18.0);
}

BOOST_AUTO_TEST_CASE(replay_after_changing_a_leaf_equals_recording_afresh) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(2.0), y = tanh(x) * x;
  x.set(0.5);
  tape.replay(y);
  BOOST_TEST(y.item() == std::tanh(0.5) * 0.5);
}

BOOST_AUTO_TEST_CASE(a_value_that_is_out_of_date_cannot_be_read) {
  tg::Tape tape;
  const tg::Tensor x = tape.input(2.0).named("x"), y = exp(x);
  x.set(0.0);
  BOOST_CHECK_THROW(y.item(), tg::Error);
  BOOST_TEST(fmt::format("{}", y).find("x was set at tour_test.cpp") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_error_names_op_shapes_names_and_the_users_line) {
  tg::Tape tape;
  const tg::Tensor a = tape.input(tg::Shape{2, 3}).named("a");
  const tg::Tensor b = tape.input(tg::Shape{2, 3}).named("b");
  try {
    matmul(a, b);
    BOOST_ERROR("a product of (2, 3) and (2, 3) was accepted");
  } catch (const tg::Error& error) {
    const std::string text = error.what();
    for (const char* part : {"matmul", "(2, 3) x (2, 3)", "%0 a", "%1 b",
                             "tour_test.cpp:", "transpose(b) gives (3, 2)"})
      BOOST_TEST(text.find(part) != std::string::npos, part << " is missing in\n" << text);
  }
}

BOOST_AUTO_TEST_CASE(a_plain_struct_learns) {
  tg::Tape tape;
  tg::Random random{1};
  const Net net{tg::linear(tape, 2, 4, random), tg::linear(tape, 4, 1, random)};
  auto train = tg::compile(tape, [&](tg::Tensor x, tg::Tensor y) {
    const tg::Tensor loss = mse_loss(net(x), y);
    return std::tuple{loss, gradient(loss, net)};
  });
  tg::Sgd sgd{.learning_rate = 2.0};
  double first = 0, last = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto& [loss, slope] = train({{0, 0}, {0, 1}, {1, 0}, {1, 1}}, {{0}, {1}, {1}, {0}});
    if (i == 0) first = loss.item();
    last = loss.item();
    sgd.step(net, slope);
  }
  BOOST_TEST(first > 0.2);
  BOOST_TEST(last < 0.01);
  BOOST_TEST(net.hidden.weight.name() == "hidden.weight");
}

BOOST_AUTO_TEST_CASE(copying_a_struct_copies_handles_and_a_clone_copies_values) {
  tg::Tape tape;
  tg::Random random{1};
  const tg::Linear layer = tg::linear(tape, 1, 1, random);
  const tg::Linear same = layer, own = tg::clone(layer, tape);
  const double before = layer.weight.at(0, 0);
  layer.weight.set({{5.0}});
  BOOST_TEST(same.weight.at(0, 0) == 5.0);
  BOOST_TEST(own.weight.at(0, 0) == before);
}

BOOST_AUTO_TEST_CASE(a_scope_forgets_what_was_recorded_in_it) {
  tg::Tape tape;
  const tg::Tensor x = tape.parameter(1.0);
  tg::Tensor y;
  {
    auto scope = tape.scope();
    y = exp(x);
  }
  BOOST_TEST(tape.size() == 1u);
  BOOST_TEST(!y.valid());
  BOOST_CHECK_THROW(y.item(), tg::Error);
}

BOOST_AUTO_TEST_CASE(precision_belongs_to_the_tape) {
  tg::Tape tape{tg::float32};
  const tg::Tensor x = tape.parameter(0.1);
  BOOST_TEST(x.item() == static_cast<double>(0.1f));
  BOOST_TEST(gradient(x * x, x).item() == 0.2, tt::tolerance(1e-7));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
