#include "tapegrad/inspect/draw.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <regex>
#include <string>

#include "tapegrad/tapegrad.hpp"

namespace tg = tapegrad;

namespace {

// Tooltips hold line numbers of this file.
std::string without_tooltips(const std::string& dot) {
  return std::regex_replace(dot, std::regex(",? *tooltip=\"[^\"]*\"(;\n)?"), "");
}

// What stands between two texts, the first of which must be there.
std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from);
  BOOST_TEST_REQUIRE(begin != std::string::npos, "there is no " << from << " in\n" << text);
  return text.substr(begin, text.find(to, begin) - begin);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct TwoLayers {
  tg::Linear hidden, output;
};

struct Fixture {
  tg::Tape tape;
  tg::Random random{1};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(draw, Fixture)

BOOST_AUTO_TEST_CASE(a_graph_goes_from_coloured_leaves_through_ops_to_the_output) {
  const tg::Tensor w = tape.parameter({1, 2}).named("w");
  const tg::Tensor x = tape.input({3, 4}).named("x");
  const tg::Tensor y = sum(w * x).named("y");
  BOOST_TEST(without_tooltips(tg::draw(y)) == R"dot(digraph tape {
  rankdir=LR; nodesep=0.2; ranksep=0.3;
  fontname="Helvetica"; fontsize=11; fontcolor="#57606a";
  node [fontname="Helvetica", fontsize=12, shape=box, style="rounded,filled", color="#8c959f", fillcolor="#ffffff", height=0.3, margin="0.1,0.05"];
  edge [color="#8c959f", arrowsize=0.6];
  n0 [label=<w<br/><font point-size="10" color="#57606a">(2)</font>>, style=filled, color="#0969da", fillcolor="#ddf0ff"];
  n1 [label=<x<br/><font point-size="10" color="#57606a">(2)</font>>, style=filled, color="#1a7f37", fillcolor="#dcf7e3"];
  n2 [label=<multiply<br/><font point-size="10" color="#57606a">(2)</font>>];
  n3 [label=<sum <b>y</b>>, penwidth=2];
  n0 -> n2;
  n1 -> n2;
  n2 -> n3 [weight=8];
}
)dot");
}

BOOST_AUTO_TEST_CASE(an_operand_used_twice_has_two_edges) {
  const tg::Tensor x = tape.parameter(3);
  const std::string dot = tg::draw(x * x);
  const std::size_t first = dot.find("n0 -> n1;");
  BOOST_TEST_REQUIRE(first != std::string::npos);
  BOOST_TEST(dot.find("n0 -> n1;", first + 1) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_four_kinds_of_leaves_look_different) {
  const tg::Tensor y =
      tape.parameter({1, 1}) + tape.input({1, 1}) + tape.state({1, 1}) + tape.constant({1, 1});
  const std::string dot = tg::draw(y);
  BOOST_TEST(contains(between(dot, "<parameter", ";"), "fillcolor=\"#ddf0ff\""));
  BOOST_TEST(contains(between(dot, "<input", ";"), "fillcolor=\"#dcf7e3\""));
  BOOST_TEST(contains(between(dot, "<state", ";"), "fillcolor=\"#fff5d6\""));
  BOOST_TEST(contains(between(dot, "<constant", ";"), "fillcolor=\"#f0f2f4\""));
}

BOOST_AUTO_TEST_CASE(constants_of_one_element_stand_in_their_op) {
  const tg::Tensor x = tape.parameter(2).named("x");
  const std::string dot = tg::draw(1 - clamp(0.5 * x, 0, 1));
  BOOST_TEST(contains(dot, "<0.5 * ·>"));
  BOOST_TEST(contains(dot, "<clamp(·, 0.0, 1.0)>"));
  BOOST_TEST(contains(dot, "<1.0 - ·>"));
  BOOST_TEST(!contains(dot, "<constant"));
  BOOST_TEST(!contains(dot, "<0.5>"));
}

BOOST_AUTO_TEST_CASE(a_constant_with_a_name_is_a_node) {
  const tg::Tensor x = tape.parameter(2);
  const std::string dot = tg::draw(x * tape.constant(9.81).named("g"));
  BOOST_TEST(contains(dot, "[label=<g>"));
  BOOST_TEST(contains(dot, "[label=<multiply>"));
}

BOOST_AUTO_TEST_CASE(a_constant_drawn_by_itself_is_a_node) {
  BOOST_TEST(contains(tg::draw(tape.constant(3)), "n0 [label=<constant>"));
}

BOOST_AUTO_TEST_CASE(what_the_output_does_not_need_is_left_out) {
  const tg::Tensor x = tape.parameter(2).named("x");
  const tg::Tensor y = exp(x);
  sin(y).named("elsewhere");
  const std::string dot = tg::draw(y);
  BOOST_TEST(contains(dot, "<exp>"));
  BOOST_TEST(!contains(dot, "elsewhere"));
}

BOOST_AUTO_TEST_CASE(names_with_quotes_backslashes_and_brackets_are_escaped) {
  const tg::Tensor x = tape.parameter(2).named("a \"b\" \\N <c> & d");
  BOOST_TEST(contains(tg::draw(exp(x)), "label=<a &quot;b&quot; &#92;&#92;N &lt;c&gt; &amp; d>"));
}

BOOST_AUTO_TEST_CASE(comparisons_do_not_open_a_tag) {
  const tg::Tensor x = tape.parameter(2).named("x");
  BOOST_TEST(contains(tg::draw(x < 3), "&lt; 3.0"));
}

BOOST_AUTO_TEST_CASE(a_layer_is_a_frame_around_its_parameters_and_ops) {
  const TwoLayers net{tg::linear(tape, 2, 3, random), tg::linear(tape, 3, 1, random)};
  tg::name_fields(net);
  const tg::Tensor x = tape.input(tg::Shape{5, 2}).named("x");
  const std::string dot = tg::draw(net.output(tanh(net.hidden(x))));
  const std::string hidden = between(dot, "label=<hidden: linear>", "}");
  const std::string output = between(dot, "label=<output: linear>", "}");
  for (const std::string part : {"<hidden.weight<", "<hidden.bias<", "<matmul<", "<add<"})
    BOOST_TEST(contains(hidden, part), part << " is missing in\n" << hidden);
  BOOST_TEST(contains(output, "<output.weight<"));
  BOOST_TEST(!contains(hidden, "<x<"));
  BOOST_TEST(!contains(hidden + output, "<tanh<"));
  BOOST_TEST(dot.find("hidden: linear") < dot.find("output: linear"));
}

BOOST_AUTO_TEST_CASE(a_parameter_of_two_layers_is_in_neither) {
  const tg::Linear layer = tg::linear(tape, 3, 3, random, {.bias = false});
  layer.weight.named("shared");
  const tg::Tensor x = tape.input(tg::Shape{5, 3});
  const std::string dot = tg::draw(layer(layer(x)));
  BOOST_TEST(dot.find("<shared<") < dot.find("subgraph"));
}

BOOST_AUTO_TEST_CASE(a_frame_within_a_frame_is_drawn_within_it) {
  const tg::Tensor x = tape.parameter({1, 2}).named("x");
  tg::Tensor y;
  {
    const tg::FrameScope outer("block", x);
    y = exp(x);
    const tg::FrameScope inner("head", x);
    y = sin(y);
  }
  const std::string dot = tg::draw(cos(y));
  const std::string outside = between(dot, "label=<block>", "label=<head>");
  const std::string inside = between(dot, "label=<head>", "}");
  BOOST_TEST(contains(outside, "<exp<"));
  BOOST_TEST(!contains(outside, "}"), "the outer frame is closed before the inner one opens");
  BOOST_TEST(contains(inside, "<sin<"));
  BOOST_TEST(contains(dot, "    }\n  }\n  n"));
}

BOOST_AUTO_TEST_CASE(the_records_of_a_gradient_are_a_frame) {
  const tg::Tensor x = tape.parameter(2).named("x");
  const tg::Tensor y = exp(sin(x));
  const std::string dot = tg::draw(gradient(y, x));
  const std::string before = dot.substr(0, dot.find("subgraph"));
  const std::string sweep = between(dot, "label=<gradient>", "}");
  BOOST_TEST(contains(before, "<x>"));
  BOOST_TEST(contains(before, "<sin>"));
  BOOST_TEST(contains(sweep, "<cos>"));
}

BOOST_AUTO_TEST_CASE(every_node_has_the_line_that_made_it) {
  const tg::Tensor x = tape.parameter(2);
  const int line = __LINE__ + 1;
  const tg::Tensor y = exp(x);
  BOOST_TEST(contains(between(tg::draw(y), "<exp>", ";"),
                      "tooltip=\"draw_test.cpp:" + std::to_string(line) + "\""));
}

BOOST_AUTO_TEST_CASE(drawing_leaves_the_tape_as_it_is_and_needs_no_values) {
  const tg::Tensor x = tape.input(tg::Shape{2});
  const tg::Tensor y = 2 * x;
  const std::size_t before = tape.size();
  tg::draw(y);
  BOOST_TEST(tape.size() == before);
  BOOST_CHECK_THROW(y.values(), tg::Error);  // still unset
}

BOOST_AUTO_TEST_CASE(a_stale_tensor_cannot_be_drawn) {
  tg::Tensor y;
  {
    const auto scope = tape.scope();
    y = exp(tape.parameter(1));
  }
  BOOST_CHECK_EXCEPTION(tg::draw(y), tg::Error, [](const tg::Error& error) {
    BOOST_TEST(error.op() == "draw");
    BOOST_TEST(contains(error.text(), "stale"), error.text());
    BOOST_TEST(text(error.site()).starts_with("draw_test.cpp:"), text(error.site()));
    return true;
  });
}

BOOST_AUTO_TEST_SUITE_END()
