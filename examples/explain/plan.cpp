#include "plan.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>
#include <string_view>

namespace tg = tapegrad;

namespace {

template <class... A>
std::runtime_error complaint(fmt::format_string<A...> words, A&&... a) {
  return std::runtime_error(fmt::format(words, std::forward<A>(a)...));
}

constexpr Activation activations[] = {
    {"sigmoid", tg::sigmoid},
    {"tanh", tg::tanh},
    {"relu", tg::relu},
    {"leaky_relu", [](const tg::Arg& net) { return leaky_relu(net); }},
    {"elu", [](const tg::Arg& net) { return elu(net); }},
    {"gelu", tg::gelu},
    {"silu", tg::silu},
    {"softplus", tg::softplus},
    {"softmax", [](const tg::Arg& net) { return softmax(net, 1); }},
    {"none", nullptr},
};

constexpr Loss losses[] = {
    {"half_squared_error",
     [](const tg::Arg& output, const tg::Arg& target) {
       return half_squared_error(output, target);
     }},
    {"mse_loss",
     [](const tg::Arg& output, const tg::Arg& target) { return mse_loss(output, target); }},
    {"cross_entropy",
     [](const tg::Arg& output, const tg::Arg& target) { return cross_entropy(output, target); }},
    {"binary_cross_entropy",
     [](const tg::Arg& output, const tg::Arg& target) {
       return binary_cross_entropy(output, target);
     }},
};

template <class Table>
std::string names_of(const Table& table) {
  std::string result;
  for (const auto& entry : table) result += (result.empty() ? "" : ", ") + std::string(entry.name);
  return result;
}

template <class Table>
const auto& look_up(const Table& table, std::string_view name, std::string_view what) {
  for (const auto& entry : table)
    if (entry.name == name) return entry;
  throw complaint("there is no {} '{}'; there are {}", what, name, names_of(table));
}

const Activation& activation_called(std::string_view name) {
  return look_up(activations, name, "activation");
}
const Loss& loss_called(std::string_view name) { return look_up(losses, name, "loss"); }

// The 2-2-2 network that introductions work through by hand, with their names. They write one row
// per neuron, we one column: w1 and w3 leave the first input. They train the weights only, and
// have one bias for each layer.
Plan worked(std::uint32_t) {
  Plan plan;
  plan.layers = {
      {.weight = {{"W1", {"w1", "w3", "w2", "w4"}}, tg::Array::from({{0.15, 0.25}, {0.20, 0.30}})},
       .bias = Leaf{{"b1"}, tg::Array::from(0.35)},
       .activation = activation_called("sigmoid"),
       .net = {"net_h", {"net_h1", "net_h2"}},
       .out = {"out_h", {"out_h1", "out_h2"}},
       .trained_bias = false},
      {.weight = {{"W2", {"w5", "w7", "w6", "w8"}}, tg::Array::from({{0.40, 0.50}, {0.45, 0.55}})},
       .bias = Leaf{{"b2"}, tg::Array::from(0.60)},
       .activation = activation_called("sigmoid"),
       .net = {"net_o", {"net_o1", "net_o2"}},
       .out = {"out_o", {"out_o1", "out_o2"}},
       .trained_bias = false}};
  plan.loss = loss_called("half_squared_error");
  plan.input = {{"i", {"i1", "i2"}}, tg::Array::from({{0.05, 0.10}})};
  plan.target = {{"t", {"t1", "t2"}}, tg::Array::from({{0.01, 0.99}})};
  return plan;
}

// The classic first network, see three_layer_network.cpp: its names, and NumPy's random numbers.
Plan three_layer(std::uint32_t seed) {
  tg::Random random{seed};
  Plan plan;
  plan.layers = {{.weight = {{"w0"}, random.uniform(-1, 1, tg::Shape{3, 4})},
                  .bias = {},
                  .activation = activation_called("sigmoid"),
                  .net = {"z1"},
                  .out = {"l1"}},
                 {.weight = {{"w1"}, random.uniform(-1, 1, tg::Shape{4, 1})},
                  .bias = {},
                  .activation = activation_called("sigmoid"),
                  .net = {"z2"},
                  .out = {"l2"}}};
  plan.loss = loss_called("half_squared_error");
  plan.input = {{"x"}, tg::Array::from({{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {0, 0, 1}, {0, 0, 1}})};
  plan.target = {{"y"}, tg::Array::from({{0}, {1}, {1}, {0}, {0}})};
  return plan;
}

// Three hidden neurons and tanh, because two with sigmoids get stuck more often.
Plan exclusive_or(std::uint32_t seed) {
  Plan plan = layered_network({2, 3, 1}, {"tanh", "sigmoid"}, "half_squared_error", seed);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string layer = i == 0 ? "hidden" : "output";
    plan.layers[i].weight.name.whole = layer + ".weight";
    plan.layers[i].bias->name.whole = layer + ".bias";
  }
  plan.input.values = tg::Array::from({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  plan.target.values = tg::Array::from({{0}, {1}, {1}, {0}});
  return plan;
}

struct NamedNetwork {
  std::string_view name, described;
  Plan (*plan)(std::uint32_t seed);
  bool drawn;  // are its weights
};
constexpr NamedNetwork networks[] = {
    {"worked", "2-2-2, sigmoid, the numbers of the textbooks: i1, w1 to w8, net_h1, out_h1, ...",
     worked, false},
    {"three-layer", "3-4-1, sigmoid, no biases, five samples: x, w0, l1, w1, l2, y", three_layer,
     true},
    {"xor", "2-3-1, tanh and sigmoid, four samples: hidden.weight, output.bias, ...", exclusive_or,
     true}};

tg::Array rows_together(const std::vector<Row>& rows, std::size_t width, const std::string& what) {
  std::vector<double> numbers;
  for (const Row& row : rows) {
    require_count(row, width, what);
    numbers.insert(numbers.end(), row.numbers.begin(), row.numbers.end());
  }
  return {tg::Shape{static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(width)},
          numbers};
}

// One number for each sample: which class it is.
tg::Array labels(const std::vector<Row>& rows, std::size_t classes) {
  std::vector<double> numbers;
  for (const Row& row : rows) {
    require_count(row, 1, "a label");
    const double label = row.numbers[0];
    if (label != std::floor(label) || label < 0 || label >= static_cast<double>(classes))
      throw complaint("{}: {} is no class; those of {} are the whole numbers from 0 to {}",
                      row.where, label, counted(classes, "output"), classes - 1);
    numbers.push_back(label);
  }
  return {tg::Shape{static_cast<std::int64_t>(rows.size())}, numbers};
}

// `hidden.weight (2, 3)`
std::string described(const Leaf& leaf) {
  return leaf.name.whole + " " + text(leaf.values.shape());
}

// How many lines of CSV, and how many numbers in each. A bias is one line.
std::size_t lines_of(const Leaf& leaf) {
  return leaf.values.rank() == 2 ? static_cast<std::size_t>(leaf.values.shape()[0]) : 1;
}
std::size_t columns_of(const Leaf& leaf) {
  return static_cast<std::size_t>(leaf.values.numel()) / lines_of(leaf);
}

// In the order of the CSV. L: Leaf or const Leaf, as the plan.
template <class L>
std::vector<L*> weights_of(auto& plan) {
  std::vector<L*> leaves;
  for (auto& layer : plan.layers) {
    leaves.push_back(&layer.weight);
    if (layer.bias) leaves.push_back(&*layer.bias);
  }
  return leaves;
}

}  // namespace

std::string networks_known() {
  std::string result;
  for (const NamedNetwork& network : networks)
    result += fmt::format("  {:<13}{}\n", network.name, network.described);
  return result;
}
std::string activations_known() { return names_of(activations); }
std::string losses_known() { return names_of(losses); }

Plan named_network(const std::string& name, std::optional<std::uint32_t> seed) {
  const NamedNetwork& network = look_up(networks, name, "network");
  if (seed && !network.drawn)
    throw complaint("the weights of '{}' are given, not drawn: leave out --seed", name);
  return network.plan(seed.value_or(1));
}

Plan layered_network(const std::vector<std::int64_t>& sizes,
                     const std::vector<std::string>& activations_given, const std::string& loss,
                     std::uint32_t seed) {
  constexpr std::int64_t widest = 1000;  // more is no derivation that anybody reads
  if (sizes.size() < 2)
    throw complaint("--layers: at least two sizes, of the input and of the output: 2,1");
  for (const std::int64_t size : sizes)
    if (size < 1 || size > widest)
      throw complaint("--layers: {} neurons in a layer; from 1 to {}", size, widest);

  Plan plan;
  plan.loss = loss_called(loss);
  plan.input.name = {"x"};
  plan.target.name = {"y"};
  const std::size_t layers = sizes.size() - 1;
  const bool by_class = loss == "cross_entropy";
  std::vector<std::string> of_layers = activations_given;
  if (of_layers.size() == 1) {
    of_layers.assign(layers, activations_given[0]);
    if (by_class) of_layers.back() = "none";
  }
  for (const std::string& name : of_layers) activation_called(name);
  if (of_layers.size() != layers)
    throw complaint("--activation: one for each of the {} layers behind the input, given {}",
                    layers, of_layers.size());
  const std::string& last = of_layers.back();
  if (by_class && last != "none")
    throw complaint(
        "cross_entropy has a softmax inside and takes what goes into it: the last activation is "
        "none, not {}",
        last);
  if (loss == "binary_cross_entropy" && last != "sigmoid" && last != "softmax")
    throw complaint(
        "binary_cross_entropy takes probabilities: the last activation is sigmoid, not {}", last);
  if (by_class && sizes.back() < 2)
    throw complaint("cross_entropy needs an output for each class, so at least 2, given 1");

  tg::Tape tape;  // only to draw what tg::linear draws
  tg::Random random{seed};
  for (std::size_t i = 0; i < layers; ++i) {
    const tg::Linear linear = tg::linear(tape, sizes[i], sizes[i + 1], random);
    const std::string number = std::to_string(i + 1), layer = "layer" + number;
    plan.layers.push_back({.weight = {{layer + ".weight"}, linear.weight.array()},
                           .bias = Leaf{{layer + ".bias"}, linear.bias.array()},
                           .activation = activation_called(of_layers[i]),
                           .net = {"z" + number},
                           .out = {"a" + number}});
  }
  return plan;
}

void set_input(Plan& plan, const std::vector<Row>& rows) {
  const Leaf& first = plan.layers[0].weight;
  plan.input.values = rows_together(rows, lines_of(first), "a sample for " + described(first));
}

void set_target(Plan& plan, const std::vector<Row>& rows) {
  const Leaf& last = plan.layers.back().weight;
  plan.target.values =
      plan.loss.name == "cross_entropy" && rows[0].numbers.size() == 1
          ? labels(rows, columns_of(last))
          : rows_together(rows, columns_of(last), "a target of " + described(last));
}

void set_weights(Plan& plan, const std::string& file) {
  const std::vector<Row> rows = numbers_of_file(file);
  const std::vector<Leaf*> leaves = weights_of<Leaf>(plan);
  std::size_t next = 0;
  for (Leaf* leaf : leaves) {
    std::vector<double> numbers;
    for (std::size_t line = 0; line < lines_of(*leaf); ++line, ++next) {
      if (next == rows.size())
        throw complaint("{} ends too early: {} takes {} of {}, given {}", file, described(*leaf),
                        counted(lines_of(*leaf), "line"), counted(columns_of(*leaf), "number"),
                        line);
      require_count(rows[next], columns_of(*leaf), "a line of " + described(*leaf));
      numbers.insert(numbers.end(), rows[next].numbers.begin(), rows[next].numbers.end());
    }
    leaf->values = {leaf->values.shape(), numbers};
  }
  if (next < rows.size())
    throw complaint("{}: one line too many, the network ends with {} on the one before",
                    rows[next].where, leaves.back()->name.whole);
}

std::string weights_as_csv(const Plan& plan) {
  std::string result;
  for (const Leaf* leaf : weights_of<const Leaf>(plan)) {
    const std::size_t columns = columns_of(*leaf);
    result += "# " + described(*leaf);
    if (leaf->values.rank() == 2) result += ": a line for each input, a column for each neuron";
    const std::vector<double> numbers = leaf->values.values();
    for (std::size_t i = 0; i < numbers.size(); ++i)
      result += fmt::format("{}{}", i % columns == 0 ? "\n" : ",", numbers[i]);
    result += '\n';
  }
  return result;
}
