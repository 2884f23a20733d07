// In which stages a reader takes a computation, and what they are called.
#include "tapegrad/explain/stages.hpp"

#include <boost/test/unit_test.hpp>
#include <span>
#include <string>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/explain/stage_alone.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using tg::Shape;
using tg::Stages;
using tg::Tape;
using tg::Tensor;
using Lines = std::vector<std::string>;

Stages stages_of(const Tensor& y, const Tensor& x) {
  return Stages("look", y, std::span<const Tensor>(&x, 1), tg::Site{});
}

/// `z1 = x w + b`, stage by stage.
Lines lines_of(const Stages& stages) {
  Lines lines;
  for (const tg::Stage& stage : stages.all()) {
    const tg::StageAlone alone(stages, stage);
    lines.push_back(stages.name(stage.out()) + " = " +
                    alone.formula([&](tg::Id id) { return stages.name(id); }, 6));
  }
  return lines;
}
Lines lines_of(const Tensor& y, const Tensor& x) { return lines_of(stages_of(y, x)); }

struct Program {
  Tape tape;
  tg::Random random{1};
  Tensor x = tape.input(random.uniform(-1, 1, Shape{2, 3})).named("x");
  Tensor w = tape.parameter(random.uniform(-1, 1, Shape{3, 3})).named("w");
  Tensor b = tape.parameter(random.uniform(-1, 1, Shape{3})).named("b");
};

void equal(const Lines& got, const Lines& wanted) {
  BOOST_TEST(got == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE(stages)

BOOST_AUTO_TEST_CASE(a_product_and_its_bias_are_one_stage_and_an_activation_another) {
  Program p;
  equal(lines_of(sum(tanh(matmul(p.x, p.w) + p.b)), p.w),
        {"z1 = x w + b", "a1 = tanh(z1)", "E = sum(a1)"});
  equal(lines_of(sum(tanh(p.b + matmul(p.x, p.w) + matmul(p.x, p.w) - 1.0)), p.w),
        {"z1 = b + x w + x w - 1", "a1 = tanh(z1)", "E = sum(a1)"});
}

BOOST_AUTO_TEST_CASE(what_a_composite_is_given_is_a_stage_of_its_own) {
  Program p;
  equal(lines_of(sum(layer_norm(matmul(p.x, p.w) + p.b, Shape{3}, p.b, p.b)), p.w),
        {"z1 = x w + b", "a1 = normalise(z1, 1e-05) * b + b", "E = sum(a1)"});
  const tg::Linear linear = tg::linear(p.tape, 3, 3, p.random);
  equal(lines_of(sum(tanh(linear(p.x) + matmul(p.x, p.w))), p.w),
        {"z1 = x W1 + b1 + x w", "a1 = tanh(z1)", "E = sum(a1)"});
}

BOOST_AUTO_TEST_CASE(a_library_composite_is_one_stage) {
  Program p;
  tg::Linear linear{p.w, p.b};
  const Tensor target = p.tape.input(tg::zeros(Shape{2, 3})).named("t");
  const Stages stages = stages_of(mse_loss(linear(p.x), target), p.w);
  equal(lines_of(stages), {"z1 = x w + b", "E = mean((z1 - t)^2)"});
  const auto makers = [](const Stages& all, std::size_t stage, std::size_t input) {
    return all.made_by(all.all()[stage], all.all()[stage].inputs[input]);
  };
  BOOST_TEST(makers(stages, 0, 0) == "linear");
  BOOST_TEST(makers(stages, 1, 0) == "mse_loss");
  const Stages of_ops = stages_of(sum(matmul(p.x, p.w) + p.b), p.w);
  BOOST_TEST(makers(of_ops, 0, 0) == "matmul, add");
  BOOST_TEST(makers(of_ops, 0, 2) == "add");
}

BOOST_AUTO_TEST_CASE(what_has_a_name_is_a_stage_of_its_own) {
  Program p;
  const Tensor product = matmul(p.x, p.w).named("product");
  equal(lines_of(sum(product + p.b), p.w), {"product = x w", "a1 = product + b", "E = sum(a1)"});
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_is_a_stage_of_its_own) {
  Program p;
  const Tensor product = matmul(p.x, p.w);
  equal(lines_of(sum(tanh(product + p.b)), product),
        {"z1 = x w", "a1 = z1 + b", "a2 = tanh(a1)", "E = sum(a2)"});
}

BOOST_AUTO_TEST_CASE(what_two_stages_read_is_a_stage_of_its_own) {
  Program p;
  const Tensor product = matmul(p.x, p.w);
  const Tensor left = tanh(product + p.b), right = sin(product + 1.0);  // recorded in this order
  equal(lines_of(sum(left * right), p.w),
        {"z1 = x w", "a1 = z1 + b", "a2 = tanh(a1)", "a3 = z1 + 1", "a4 = sin(a3)", "a5 = a2 * a4",
         "E = sum(a5)"});
}

BOOST_AUTO_TEST_CASE(what_computes_the_value_of_a_rule_of_ones_own_is_in_its_stage) {
  Program p;
  const Tensor z = matmul(p.x, p.w);
  const Tensor soft = tg::with_vjp("soft", log(1.0 + exp(z)), {z},
                                   [](tg::Vjp& v) { v.give(0, v.ybar * sigmoid(v.x(0))); });
  equal(lines_of(sum(soft), p.w), {"z1 = x w", "a1 = soft(z1)", "E = sum(a1)"});
}

BOOST_AUTO_TEST_CASE(leaves_are_named_by_what_they_are) {
  Tape tape;
  const Tensor a = tape.parameter({{1, 2}, {3, 4}}), b = tape.parameter({1, 2});
  const Tensor x = tape.input({{1, 2}}), s = tape.state({1, 2}), c = tape.constant({3, 4});
  const Stages stages = stages_of(sum((matmul(x, a) + b) * s * c * 2.0), a);
  Lines names;
  for (const tg::Id id : stages.leaves()) names.push_back(stages.name(id));
  equal(names, {"W1", "b1", "x1", "s1", "c1"});
}

BOOST_AUTO_TEST_CASE(automatic_names_avoid_those_of_the_user) {
  Tape tape;
  const Tensor w = tape.parameter({{1, 2}, {3, 4}}).named("z1"), b = tape.parameter({1, 2});
  tg::name_elements(b, {"E", "a1"});
  const Tensor x = tape.input({{1, 2}}).named("h"), h = tanh(matmul(x, w) + b).named("h");
  equal(lines_of(sum(sin(h)), w),
        {"z2 = h z1 + b1", "h_2 = tanh(z2)", "a2 = sin(h_2)", "a3 = sum(a2)"});
}

BOOST_AUTO_TEST_CASE(values_and_slopes_are_those_of_the_tape_in_float64) {
  Tape tape{tg::float32};
  const Tensor w = tape.parameter({0.1, 0.2}).named("w");
  const Tensor y = sum(square(w));
  const Stages stages = stages_of(y, w);
  const tg::Id x = stages.x()[0];
  BOOST_TEST(stages.value(x, 1) == double{0.2F});
  BOOST_TEST(stages.adjoint(x, 1) == 2 * double{0.2F});
  BOOST_TEST(stages.name(x, 1) == "w[1]");
  BOOST_TEST(stages.on_way(x));
}

BOOST_AUTO_TEST_CASE(no_derivative_flows_through_an_index_or_a_detach) {
  Program p;
  const Tensor index = p.tape.input({0, 2}).named("index");
  const Tensor u = p.tape.parameter(1.0).named("u");
  const Tensor y = sum(index_select(p.w, 0, index) * detach(sum(p.b) * u)) + u;
  const Stages stages = stages_of(y, p.w);
  for (const tg::Id id : stages.leaves()) BOOST_TEST(stages.on_way(id) == (stages.name(id) == "w"));
  BOOST_TEST(says([&] { stages_of(y, index); }, "no derivative"));
  BOOST_TEST(says([&] { stages_of(y, p.b); }, "no derivative"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
