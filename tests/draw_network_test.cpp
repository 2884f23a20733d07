#include "tapegrad/inspect/draw_network.hpp"

#include <algorithm>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "tapegrad/tapegrad.hpp"

namespace tg = tapegrad;

namespace {

// What a picture consists of. Reading it fails if it is not well-formed.
struct Parsed {
  explicit Parsed(const std::string& svg) {
    std::istringstream in(svg);
    boost::property_tree::ptree root;
    boost::property_tree::read_xml(in, root);
    for (const auto& [tag, child] : root.get_child("svg")) {
      const auto name = child.get<std::string>("<xmlattr>.class", "");
      if (tag == "text") texts.push_back(child.get_value<std::string>());
      if (tag == "circle" && name == "neuron") ++neurons;
      if (tag == "line" && name == "weight") {
        colours.push_back(child.get<std::string>("<xmlattr>.stroke"));
        widths.push_back(child.get<double>("<xmlattr>.stroke-width"));
        tips.push_back(child.get<std::string>("title"));
      }
    }
  }
  bool says(const std::string& text) const {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
  }
  std::size_t times(const std::string& text) const {
    return static_cast<std::size_t>(std::count(texts.begin(), texts.end(), text));
  }
  std::size_t lines() const { return colours.size(); }

  std::vector<std::string> texts, colours, tips;
  std::vector<double> widths;
  std::size_t neurons = 0;
};

struct Fixture {
  tg::Tape tape;
  tg::Random random{1};

  tg::Tensor weight(std::int64_t rows, std::int64_t columns) {
    return tape.parameter(random.uniform(-1, 1, tg::Shape{rows, columns}));
  }
  static void refuses(const tg::Tensor& y, const std::string& why) {
    BOOST_CHECK_EXCEPTION(tg::draw_network(y), tg::Error, [&](const tg::Error& error) {
      BOOST_TEST(error.op() == "draw_network");
      BOOST_TEST(error.text().find(why) != std::string::npos, error.text());
      BOOST_TEST(error.hint() == "draw(y) draws records of any kind");
      BOOST_TEST(text(error.site()).starts_with("draw_network_test.cpp:"));
      return true;
    });
  }
};

constexpr const char *blue = "#0969da", *red = "#cf222e";

// Two inputs, hidden and output neurons, one bias for each layer; its numbers are published.
struct WorkedExample {
  struct Layer {
    tg::Tensor weight, bias;
    tg::Tensor operator()(const tg::Tensor& in) const { return sigmoid(matmul(in, weight) + bias); }
  };
  explicit WorkedExample(tg::Tape& tape)
      : hidden{tape.parameter({{.15, .25}, {.20, .30}}).named("hidden.weight"),
               tape.parameter(.35).named("hidden.bias")},
        output{tape.parameter({{.40, .50}, {.45, .55}}).named("output.weight"),
               tape.parameter(.60).named("output.bias")},
        x(tape.input({{.05, .10}}).named("x")),
        t(tape.input({{.01, .99}}).named("t")),
        E(half_squared_error(output(hidden(x)), t).named("E")) {}
  Layer hidden, output;
  tg::Tensor x, t, E;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(draw_network, Fixture)

BOOST_AUTO_TEST_CASE(there_is_a_circle_for_each_neuron_and_a_line_for_each_weight) {
  const tg::Tensor x = tape.input(tg::Shape{5, 3}).named("x");
  const tg::Tensor y = tape.input(tg::Shape{5, 1}).named("y");
  const tg::Linear hidden = tg::linear(tape, 3, 4, random), output = tg::linear(tape, 4, 1, random);
  tg::name(hidden, "hidden");
  tg::name(output, "output");
  const tg::Tensor loss = half_squared_error(sigmoid(output(sigmoid(hidden(x)))), y);
  const Parsed picture(tg::draw_network(loss));
  BOOST_TEST(picture.neurons == 3 + 4 + 1);
  BOOST_TEST(picture.lines() == 3 * 4 + 4 * 1);
  for (const char* text :
       {"x", "3 inputs", "x[0,2]", "hidden", "4 neurons, sigmoid", "output", "1 neuron, sigmoid"})
    BOOST_TEST(picture.says(text), text);
}

BOOST_AUTO_TEST_CASE(numbers_of_the_worked_example_are_those_computed_by_hand) {
  const WorkedExample net(tape);
  const Parsed picture(
      tg::draw_network(net.E, {.values = true, .weights = true, .gradients = true}));
  for (const char* number :
       {"0.05",         "0.1",          "0.3775",       "0.5933",       "0.3925",     "0.5969",
        "1.106",        "0.7514",       "1.225",        "0.7729",       "0.15",       "0.2",
        "0.25",         "0.3",          "0.4",          "0.45",         "0.5",        "0.55",
        "∂E 0.0004386", "∂E 0.0008771", "∂E 0.0004977", "∂E 0.0009954", "∂E 0.08217", "∂E 0.08267",
        "∂E -0.0226",   "∂E -0.02274"})
    BOOST_TEST(picture.times(number) == 1, number);
  for (const char* shared : {"bias 0.35", "bias 0.6", "∂E 0.01873", "∂E 0.1004"})
    BOOST_TEST(picture.times(shared) == 2, shared);
}

BOOST_AUTO_TEST_CASE(lines_show_sign_and_magnitude_of_weights_or_of_their_gradients) {
  const WorkedExample net(tape);
  net.hidden.weight.set({-.15, .25, .20, .30});
  const Parsed weights(tg::draw_network(net.E)),
      slopes(tg::draw_network(net.E, {.gradients = true}));
  BOOST_TEST(
      weights.colours == (std::vector<std::string>{red, blue, blue, blue, blue, blue, blue, blue}),
      boost::test_tools::per_element());
  BOOST_TEST(weights.tips[1] == "hidden.weight[0,1] = 0.25");
  BOOST_TEST(weights.widths[7] == 4.0);  // 0.55, the largest
  BOOST_TEST(weights.widths[0] == 0.6 + 3.4 * 0.15 / 0.55, boost::test_tools::tolerance(0.01));
  // dE/dw of the first output neuron is positive, of the second negative.
  BOOST_TEST(std::vector(slopes.colours.begin() + 4, slopes.colours.end()) ==
                 (std::vector<std::string>{blue, red, blue, red}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(names_of_elements_stand_at_lines_and_neurons) {
  const WorkedExample net(tape);
  tg::name_elements(net.hidden.weight, {"w1", "w3", "w2", "w4"});
  tg::name_elements(net.x, {"i1", "i2"});
  tg::name_elements(net.hidden.bias, {"b1"});
  const Parsed bare(tg::draw_network(net.E)), numbers(tg::draw_network(net.E, {.weights = true}));
  for (const char* name : {"i1", "i2", "w1", "w2", "w3", "w4"}) BOOST_TEST(bare.says(name), name);
  for (const char* text : {"w1 0.15", "w2 0.2", "w3 0.25", "w4 0.3", "b1 0.35"})
    BOOST_TEST(numbers.says(text), text);
}

BOOST_AUTO_TEST_CASE(a_sample_of_a_batch_is_chosen_by_its_row) {
  const tg::Tensor x = tape.input({{1, 2}, {30, 40}}).named("x");
  const tg::Tensor y = matmul(x, tape.parameter({{1, 0, 1}, {0, 1, 1}}));
  const Parsed picture(tg::draw_network(y, {.values = true, .sample = 1}));
  for (const char* text : {"x[1,0]", "x[1,1]", "70"}) BOOST_TEST(picture.says(text), text);
  BOOST_TEST(picture.times("30") == 2);
  BOOST_CHECK_THROW(tg::draw_network(y, {.sample = 2}), tg::Error);
  BOOST_CHECK_THROW(tg::draw_network(y, {.sample = -1}), tg::Error);
}

BOOST_AUTO_TEST_CASE(samples_may_be_columns) {
  const tg::Tensor x = tape.input({{1, 10}, {2, 20}}).named("x");
  const tg::Tensor w = tape.parameter({{1, 0}, {0, 1}, {1, 1}}).named("w");
  const tg::Tensor y = matmul(w, x).named("y");
  const Parsed picture(tg::draw_network(y, {.values = true, .sample = 1}));
  BOOST_TEST(picture.neurons == 2 + 3);
  for (const char* text : {"x[0,1]", "x[1,1]", "y[2,1]", "30"})
    BOOST_TEST(picture.says(text), text);
  BOOST_TEST(picture.tips[2] == "w[2,0] = 1");  // from the first input to the last neuron
  BOOST_TEST(picture.tips[3] == "w[0,1] = 0");  // from the second to the first
}

BOOST_AUTO_TEST_CASE(square_and_transposed_weights_connect_what_they_multiply) {
  const tg::Tensor x = tape.input({{1, 10}, {2, 20}});
  const tg::Tensor w = tape.parameter({{1, 0}, {2, 1}});
  // (1, 10) w = (21, 10), and with the transposed (1, 12).
  const Parsed plain(tg::draw_network(matmul(x, w), {.values = true}));
  BOOST_TEST((plain.says("21") && plain.times("10") == 2));
  const Parsed turned(tg::draw_network(matmul(x, transpose(w)), {.values = true}));
  BOOST_TEST((turned.says("12") && turned.times("1") == 2));
  // From the first input a line to both, from the second to the second only: blue, grey, blue.
  BOOST_TEST(std::count(turned.colours.begin(), turned.colours.end(), blue) == 3);
  BOOST_TEST(turned.colours[2] == "#8c959f");
}

BOOST_AUTO_TEST_CASE(a_composed_activation_belongs_to_its_layer) {
  const tg::Tensor x = tape.input({{1, 2}}).named("x");
  const tg::Tensor net = matmul(x, weight(2, 3));
  const tg::Tensor y = matmul(net * sigmoid(net), weight(3, 1));
  const Parsed picture(tg::draw_network(y));
  BOOST_TEST(picture.neurons == 6);
  BOOST_TEST(picture.says("3 neurons, sigmoid, multiply"));
}

BOOST_AUTO_TEST_CASE(a_bias_may_be_a_given_number_for_the_whole_layer) {
  Fixture f;
  const tg::Tensor x = f.tape.input({{0.05, 0.10}}).named("x");
  const tg::Tensor w = f.tape.parameter({{0.15, 0.25}, {0.20, 0.30}}).named("w");
  const tg::Tensor b = f.tape.constant(0.35).named("b");
  const Parsed picture(
      tg::draw_network(sigmoid(matmul(x, w) + b), {.values = true, .weights = true}));
  BOOST_TEST(picture.says("0.3775"));  // 0.05 0.15 + 0.10 0.20 + 0.35
  BOOST_TEST(picture.says("2 neurons, sigmoid"));
  BOOST_TEST(picture.times("b 0.35") == 2);
}

BOOST_AUTO_TEST_CASE(what_is_multiplied_by_a_parameter_has_no_bias) {
  const tg::Tensor x = tape.input({{1, 2}});
  const tg::Tensor y = matmul(x, weight(2, 2)) * tape.parameter({3, 4});
  const Parsed picture(tg::draw_network(y, {.weights = true}));
  BOOST_TEST(picture.says("2 neurons, multiply"));
  BOOST_TEST(std::none_of(picture.texts.begin(), picture.texts.end(),
                          [](const std::string& text) { return text.starts_with("bias"); }));
}

BOOST_AUTO_TEST_CASE(what_is_compared_with_a_target_comes_after_the_output) {
  const tg::Tensor x = tape.input({{1, 2}});
  const tg::Tensor y = sigmoid(matmul(x, weight(2, 2))).named("y");
  for (const tg::Tensor& t : {tape.input({{0, 1}}), tape.constant({{0, 1}})}) {
    const Parsed picture(tg::draw_network(sum(square(y - t))));
    BOOST_TEST(picture.says("2 neurons, sigmoid"));
    BOOST_TEST(picture.says("y[0,1]"));
  }
}

BOOST_AUTO_TEST_CASE(of_large_layers_the_first_and_last_neurons_are_drawn) {
  const tg::Tensor x = tape.input(tg::Shape{64, 784}).named("pixels");
  const tg::Tensor labels = tape.input(tg::Shape{64}).named("labels");
  const tg::Linear first = tg::linear(tape, 784, 128, random),
                   last = tg::linear(tape, 128, 10, random);
  const Parsed picture(tg::draw_network(cross_entropy(last(relu(first(x))), labels)));
  BOOST_TEST(picture.neurons == 10 + 10 + 10);
  BOOST_TEST(picture.lines() == 200);
  for (const char* text :
       {"784 inputs", "774 more", "pixels[0,783]", "128 neurons, relu", "118 more", "10 neurons"})
    BOOST_TEST(picture.says(text), text);
  BOOST_TEST(Parsed(tg::draw_network(last(relu(first(x))), {.limit = 4})).neurons == 12);
}

BOOST_AUTO_TEST_CASE(names_are_escaped) {
  const tg::Tensor x = tape.input({{1, 2}}).named("<a> & \"b\" \x01");
  const Parsed picture(tg::draw_network(matmul(x, weight(2, 2).named("w < w"))));
  BOOST_TEST(picture.says("<a> & \"b\"  [0,1]"));
  BOOST_TEST(picture.says("w < w"));
}

BOOST_AUTO_TEST_CASE(numbers_that_are_not_finite_do_not_spoil_the_picture) {
  const tg::Tensor x = tape.input({{1, 2}});
  const double inf = std::numeric_limits<double>::infinity();
  const tg::Tensor w = tape.parameter({{inf, 1}, {std::numeric_limits<double>::quiet_NaN(), 2}});
  const std::string svg = tg::draw_network(matmul(x, w), {.weights = true});
  const Parsed picture(svg);
  BOOST_TEST(picture.says("nan"));
  BOOST_TEST(picture.widths[3] == 4.0);  // 2, the largest that is finite
  BOOST_TEST(svg.find("=\"nan") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(drawing_leaves_the_tape_as_it_was_and_reads_no_old_number) {
  const WorkedExample net(tape);
  const std::size_t size = tape.size();
  net.x.set({1, 2});
  const Parsed picture(tg::draw_network(net.E, {.values = true, .gradients = true}));
  BOOST_TEST(picture.says("0.9"));  // 0.15 + 2 * 0.20 + 0.35
  BOOST_TEST(tape.size() == size);
  BOOST_CHECK_THROW(net.E.item(), tg::Error);  // out of date still
}

BOOST_AUTO_TEST_CASE(weights_can_be_drawn_before_an_input_was_set_and_values_cannot) {
  const tg::Tensor x = tape.input(tg::Shape{1, 2}).named("x");
  const tg::Tensor y = matmul(x, weight(2, 3));
  BOOST_TEST(Parsed(tg::draw_network(y, {.weights = true})).lines() == 6);
  BOOST_CHECK_THROW(tg::draw_network(y, {.values = true}), tg::Error);
  BOOST_CHECK_THROW(tg::draw_network(y, {.gradients = true}), tg::Error);
}

BOOST_AUTO_TEST_CASE(what_are_no_layers_is_refused_with_a_reason) {
  const tg::Tensor x = tape.input({{1, 2}}).named("x");
  const tg::Tensor w = weight(2, 2).named("w"), v = weight(2, 2).named("v");
  const tg::Tensor h = tanh(matmul(x, w)).named("h");
  refuses(sum(x), "is computed by no product");
  refuses(matmul(h, w), "%1 w a second time, as a recurrent network does");
  refuses(matmul(h + x, v), "%0 x beside the layer before");
  refuses(matmul(matmul(h, v) + h, weight(2, 2)), "beside the layer before");
  refuses(sum(matmul(h, v) + h), "h beside the last layer");
  refuses(matmul(matmul(x, w), transpose(matmul(x, v))), "connects each neuron with all");
  const tg::Tensor image = tape.input(tg::Shape{1, 1, 5, 5});
  const tg::Tensor kernel = tape.parameter(random.uniform(-1, 1, tg::Shape{1, 1, 3, 3}));
  refuses(conv2d(image, kernel), "connects each neuron with all");
}

BOOST_AUTO_TEST_SUITE_END()
