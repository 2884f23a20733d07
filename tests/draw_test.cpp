#include "tapegrad/inspect/draw.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
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

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t result = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
    ++result;
  return result;
}

struct TwoLayers {
  tg::Linear hidden, output;
};

// L = (a b + c) f, with slopes by hand.
struct Expression {
  explicit Expression(tg::Tape& tape)
      : a(tape.parameter(2).named("a")),
        b(tape.parameter(-3).named("b")),
        c(tape.parameter(10).named("c")),
        f(tape.parameter(-2).named("f")),
        e((a * b).named("e")),
        d((e + c).named("d")),
        L((d * f).named("L")) {}
  tg::Tensor a, b, c, f, e, d, L;
};

// The network found in most introductions: two inputs, hidden and output neurons, and a bias for
// each layer. Its numbers are published.
struct WorkedExample {
  struct Layer {
    tg::Tensor weight, bias;
    tg::Tensor operator()(const tg::Tensor& in) const { return matmul(in, weight) + bias; }
  };
  explicit WorkedExample(tg::Tape& tape)
      : hidden{tape.parameter({{.15, .25}, {.20, .30}}), tape.parameter(.35)},
        output{tape.parameter({{.40, .50}, {.45, .55}}), tape.parameter(.60)},
        x(tape.input({{.05, .10}}).named("x")),
        t(tape.input({{.01, .99}}).named("t")),
        net_h(hidden(x).named("net_h")),
        out_h(sigmoid(net_h).named("out_h")),
        net_o(output(out_h).named("net_o")),
        out_o(sigmoid(net_o).named("out_o")),
        E(half_squared_error(out_o, t).named("E")) {}
  Layer hidden, output;
  tg::Tensor x, t, net_h, out_h, net_o, out_o, E;
};

constexpr tg::DrawOptions all_numbers{.values = true, .gradients = true, .local_derivatives = true};

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
  edge [fontname="Helvetica", fontsize=10, fontcolor="#8250df", color="#8c959f", arrowsize=0.6];
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
  BOOST_TEST(contains(tg::draw(x / std::sqrt(2.0)), "<· / 1.414>"));
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

BOOST_AUTO_TEST_CASE(values_and_gradients_stand_in_boxes_and_local_derivatives_at_lines) {
  const Expression y(tape);
  const std::string dot = without_tooltips(tg::draw(y.L, all_numbers));
  BOOST_TEST(
      dot.substr(dot.find("  n0")) ==
      R"dot(  n0 [label=<a<br/><font point-size="10" color="#1f2328">2</font><br/><font point-size="10" color="#bc4c00">∂L  6</font>>, style=filled, color="#0969da", fillcolor="#ddf0ff"];
  n1 [label=<b<br/><font point-size="10" color="#1f2328">-3</font><br/><font point-size="10" color="#bc4c00">∂L  -4</font>>, style=filled, color="#0969da", fillcolor="#ddf0ff"];
  n2 [label=<c<br/><font point-size="10" color="#1f2328">10</font><br/><font point-size="10" color="#bc4c00">∂L  -2</font>>, style=filled, color="#0969da", fillcolor="#ddf0ff"];
  n3 [label=<f<br/><font point-size="10" color="#1f2328">-2</font><br/><font point-size="10" color="#bc4c00">∂L  4</font>>, style=filled, color="#0969da", fillcolor="#ddf0ff"];
  n4 [label=<multiply <b>e</b><br/><font point-size="10" color="#1f2328">-6</font><br/><font point-size="10" color="#bc4c00">∂L  -2</font>>];
  n5 [label=<add <b>d</b><br/><font point-size="10" color="#1f2328">4</font><br/><font point-size="10" color="#bc4c00">∂L  -2</font>>];
  n6 [label=<multiply <b>L</b><br/><font point-size="10" color="#1f2328">-8</font><br/><font point-size="10" color="#bc4c00">∂L  1</font>>, penwidth=2];
  n0 -> n4 [label=<-3>];
  n1 -> n4 [label=<2>];
  n4 -> n5 [weight=8, label=<1>];
  n2 -> n5 [label=<1>];
  n5 -> n6 [weight=8, label=<-2>];
  n3 -> n6 [label=<4>];
}
)dot");
}

BOOST_AUTO_TEST_CASE(the_same_graph_is_written_for_mermaid) {
  const Expression y(tape);
  tg::DrawOptions options = all_numbers;
  options.format = tg::Picture::mermaid;
  const std::string graph = tg::draw(y.L, options);
  BOOST_TEST(graph.substr(0, graph.find("  classDef")) == R"(flowchart LR
  n0["a<br/>2<br/>∂L  6"]:::parameter
  n1["b<br/>-3<br/>∂L  -4"]:::parameter
  n2["c<br/>10<br/>∂L  -2"]:::parameter
  n3["f<br/>-2<br/>∂L  4"]:::parameter
  n4("multiply e<br/>-6<br/>∂L  -2"):::op
  n5("add d<br/>4<br/>∂L  -2"):::op
  n6("multiply L<br/>-8<br/>∂L  1"):::op
  n0 -->|"-3"| n4
  n1 -->|"2"| n4
  n4 -->|"1"| n5
  n2 -->|"1"| n5
  n5 -->|"-2"| n6
  n3 -->|"4"| n6
)");
  BOOST_TEST(graph.ends_with("  class n6 output\n"));
}

BOOST_AUTO_TEST_CASE(frames_are_subgraphs_in_mermaid) {
  const TwoLayers net{tg::linear(tape, 2, 3, random), tg::linear(tape, 3, 1, random)};
  tg::name_fields(net);
  const tg::Tensor x = tape.input(tg::Shape{5, 2}).named("x");
  const std::string graph =
      tg::draw(net.output(tanh(net.hidden(x))), {.format = tg::Picture::mermaid});
  const std::string hidden = between(graph, "[\"hidden#58; linear\"]", "  end\n");
  BOOST_TEST(contains(hidden, "hidden.weight"));
  BOOST_TEST(count(graph, "  subgraph ") == 2);
  BOOST_TEST(count(graph, "  end\n") == 2);
}

BOOST_AUTO_TEST_CASE(what_mermaid_would_read_is_written_as_character_codes) {
  const tg::Tensor x = tape.parameter(2).named("a \"b\" <c> #35; %%d `e` *f* $g$ k:l é");
  const std::string graph = tg::draw(exp(x), {.format = tg::Picture::mermaid});
  BOOST_TEST(contains(graph,
                      "[\"a #34;b#34; #60;c#62; #35;35#59; #37;#37;d #96;e#96; #42;f#42; #36;g#36; "
                      "k#58;l é\"]"),
             graph);
}

BOOST_AUTO_TEST_CASE(numbers_of_the_worked_example_are_those_computed_by_hand) {
  const WorkedExample net(tape);
  const std::string dot = tg::draw(net.E, all_numbers);
  const auto box = [&](const std::string& name) {
    return between(dot, "<b>" + name + "</b>", ";");
  };
  BOOST_TEST(contains(box("net_h"), ">0.3775  0.3925<"));
  BOOST_TEST(contains(box("net_h"), ">∂E  0.008771  0.009954<"));  // delta_h
  BOOST_TEST(contains(box("out_h"), ">0.5933  0.5969<"));
  BOOST_TEST(contains(box("out_h"), ">∂E  0.03635  0.04137<"));
  BOOST_TEST(contains(box("net_o"), ">1.106  1.225<"));
  BOOST_TEST(contains(box("net_o"), ">∂E  0.1385  -0.0381<"));  // delta_o
  BOOST_TEST(contains(box("E"), ">0.2984<"));
  // dE/dw5, w7, w6, w8
  BOOST_TEST(contains(dot, ">∂E<br/>0.08217  -0.0226<br/>0.08267  -0.02274<"));
  // out (1 - out), out - t, and the matrix between out_h and net_o, a row for each neuron.
  BOOST_TEST(contains(dot, "label=<0.2413  0.2406>"));
  BOOST_TEST(contains(dot, "label=<0.1868  0.1755>"));
  BOOST_TEST(contains(dot, "label=<0.7414  -0.2171>"));
  BOOST_TEST(contains(dot, "label=<0.4  0.45<br/>0.5  0.55>"));
}

BOOST_AUTO_TEST_CASE(a_slope_of_an_elementwise_op_has_a_number_for_each_element_of_the_result) {
  const tg::Tensor x = tape.parameter({3, 4}), five = tape.parameter(5);
  const std::string dot = tg::draw(x * five, {.local_derivatives = true});
  BOOST_TEST(contains(dot, "n0 -> n2 [label=<5  5>]"));
  BOOST_TEST(contains(dot, "n1 -> n2 [label=<3  4>]"));
}

BOOST_AUTO_TEST_CASE(of_many_numbers_the_range_is_shown_and_of_a_huge_jacobian_its_extents) {
  const tg::Tensor x = tape.parameter({{1, 2, 3, 4}, {5, 6, 7, 8}});
  const std::string small = tg::draw(sum(x), {.values = true, .local_derivatives = true});
  BOOST_TEST(contains(small, ">from 1 to 8<"));
  BOOST_TEST(contains(small, "label=<all 1>"));
  const tg::Tensor a = tape.input(random.uniform(0, 1, tg::Shape{20, 2}));
  BOOST_TEST(contains(tg::draw(matmul(a, x), {.local_derivatives = true}), "label=<80 x 8>"));
}

BOOST_AUTO_TEST_CASE(numbers_have_as_many_digits_as_asked_for) {
  const tg::Tensor y = exp(tape.parameter(1));
  BOOST_TEST(contains(tg::draw(y, {.values = true, .digits = 2}), ">2.7<"));
  BOOST_TEST(contains(tg::draw(y, {.values = true, .digits = 9}), ">2.71828183<"));
}

BOOST_AUTO_TEST_CASE(what_no_derivative_reaches_has_no_gradient) {
  const tg::Tensor x = tape.parameter(2).named("x"), w = tape.parameter(3).named("w");
  const std::string dot = tg::draw((w * detach(exp(x))).named("y"), all_numbers);
  BOOST_TEST(!contains(between(dot, "<x<", ";"), "∂y"));
  BOOST_TEST(contains(between(dot, "<w<", ";"), "∂y  7.389"));
}

BOOST_AUTO_TEST_CASE(numbers_are_those_of_the_leaves_as_they_are_and_the_tape_stays_as_it_was) {
  const tg::Tensor x = tape.input({1, 2}).named("x");
  const tg::Tensor y = sum(square(x)).named("y");
  const tg::Tensor slope = gradient(y, x);
  const std::size_t size = tape.size();
  x.set({3, 4});
  const std::string dot = tg::draw(y, {.values = true, .gradients = true, .backward = true});
  BOOST_TEST(contains(dot, ">25<"));
  BOOST_TEST(contains(dot, ">∂y  6  8<"));
  BOOST_TEST(tape.size() == size);
  BOOST_CHECK_THROW(y.item(), tg::Error);  // out of date still
  tape.replay(y, slope);
  BOOST_TEST(y.item() == 25);
}

BOOST_AUTO_TEST_CASE(a_float32_tape_shows_its_own_numbers) {
  tg::Tape single(tg::float32);
  const tg::Tensor y = exp(single.parameter(1.0));
  BOOST_TEST(contains(tg::draw(y, {.values = true, .digits = 12}), ">2.71828174591<"));
}

BOOST_AUTO_TEST_CASE(backward_shows_what_a_gradient_added_and_which_record_each_belongs_to) {
  const tg::Tensor x = tape.parameter(2).named("x");
  const tg::Tensor y = exp(sin(x)).named("y");
  (void)gradient(y, x);
  BOOST_TEST(!contains(tg::draw(y), "gradient"));
  const std::string dot = tg::draw(y, {.backward = true});
  const std::string sweep = between(dot, "label=<gradient>", "}");
  BOOST_TEST(contains(sweep, "<b>∂y/∂x</b>"));
  BOOST_TEST(contains(sweep, "<cos>"));
  // 0 x, 1 sin, 2 exp; then 3 the seed, 4 its product with exp, 5 cos(x), 6 the product of both.
  BOOST_TEST(contains(dot, "  n2 -> n4 [minlen=0, style=dashed, arrowhead=none"));
  BOOST_TEST(contains(dot, "  n1 -> n5 [minlen=0"));
  BOOST_TEST(contains(dot, "  n1 -> n6 [minlen=0"));
  BOOST_TEST(contains(dot, "  n6 -> n4 [dir=back"));
}

BOOST_AUTO_TEST_CASE(backward_needs_a_gradient_that_was_recorded) {
  const tg::Tensor y = exp(tape.parameter(2)).named("y");
  BOOST_CHECK_EXCEPTION(tg::draw(y, {.backward = true}), tg::Error, [](const tg::Error& error) {
    BOOST_TEST(error.op() == "draw");
    BOOST_TEST(contains(error.text(), "no gradient was recorded"), error.text());
    return true;
  });
}

BOOST_AUTO_TEST_CASE(gradients_are_those_of_one_number) {
  const tg::Tensor y = exp(tape.parameter({1, 2})).named("y");
  BOOST_CHECK_EXCEPTION(tg::draw(y, {.gradients = true}), tg::Error, [](const tg::Error& error) {
    BOOST_TEST(error.op() == "draw");
    BOOST_TEST(contains(error.what(), "sum(y)"), error.what());
    return true;
  });
}

BOOST_AUTO_TEST_CASE(numbers_need_leaves_that_were_set) {
  const tg::Tensor y = exp(tape.input(tg::Shape{2}).named("pixels"));
  BOOST_CHECK_EXCEPTION(tg::draw(y, {.values = true}), tg::Error, [](const tg::Error& error) {
    BOOST_TEST(contains(error.what(), "pixels was never set"), error.what());
    return true;
  });
}

BOOST_AUTO_TEST_CASE(a_struct_within_a_struct_is_a_frame_within_a_frame) {
  struct Layer {
    tg::Tensor weight, bias;
  };
  struct Block {
    Layer in, out;
  };
  struct Net {
    Block block;
    tg::Tensor scale;
  };
  const auto layer = [&] {
    const tg::Tensor weight = tape.parameter({{1, 2}, {3, 4}});
    return Layer{weight, tape.parameter({0, 0})};
  };
  const Net net{{layer(), layer()}, tape.parameter(2)};
  tg::name_fields(net);
  const tg::Tensor x = tape.input({{1, 2}}).named("x");
  const tg::Tensor h = tanh(matmul(x, net.block.in.weight) + net.block.in.bias);
  const tg::Tensor y = net.scale * (matmul(h, net.block.out.weight) + net.block.out.bias);
  const std::string dot = tg::draw(y);
  const std::string block = between(dot, "label=<block>", "\n  }");
  const std::string inner = between(block, "label=<in>", "    }");
  for (const std::string part : {"<block.in.weight<", "<block.in.bias<", "<matmul<", "<add<"})
    BOOST_TEST(contains(inner, part), part << " is missing in\n" << inner);
  BOOST_TEST(contains(block, "label=<out>"));
  BOOST_TEST(!contains(block, "<tanh<"));
  BOOST_TEST(!contains(block, "<scale"));
}

BOOST_AUTO_TEST_CASE(a_layer_used_twice_is_one_frame_around_both_uses) {
  const tg::Linear layer = tg::linear(tape, 3, 3, random);
  tg::name(layer, "shared");
  const tg::Tensor x = tape.input(tg::Shape{5, 3});
  const std::string dot = tg::draw(tanh(layer(tanh(layer(x)))));
  const std::string frame = between(dot, "label=<shared>", "\n  }");
  BOOST_TEST(contains(frame, "<shared.weight<"));
  BOOST_TEST(count(frame, "label=<linear>") == 2);
}

BOOST_AUTO_TEST_CASE(of_a_huge_graph_the_ends_are_drawn_and_one_box_for_what_lies_between) {
  tg::Tensor y = tape.parameter(1).named("first");
  for (int i = 0; i < 50000; ++i) y = tanh(y);
  y.named("last");
  const std::string dot = tg::draw(y, {.values = true, .gradients = true, .limit = 20});
  BOOST_TEST(contains(dot, "<first<"));
  BOOST_TEST(contains(dot, "<b>last</b>"));
  // Of 50,001 boxes: six ops at each end, and the leaf of the first.
  BOOST_TEST(count(dot, " [label=<") == 14);
  BOOST_TEST(contains(dot, "[label=<and 49,988 more>"));
  BOOST_TEST(count(dot, " -> ") == 13);
}

BOOST_AUTO_TEST_CASE(an_op_of_very_many_leaves_is_drawn_with_some) {
  std::vector<tg::Tensor> parts;
  for (int i = 0; i < 200; ++i) parts.push_back(tape.parameter({i}));
  const std::string dot = tg::draw(tg::concat(parts, 0), {.limit = 100});
  BOOST_TEST(count(dot, " [label=<") == 52);
  BOOST_TEST(contains(dot, "[label=<and 150 more>"));
}

BOOST_AUTO_TEST_SUITE_END()
