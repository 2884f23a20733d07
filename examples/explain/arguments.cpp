#include "arguments.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <boost/program_options.hpp>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "plan.hpp"

namespace po = boost::program_options;

namespace {

const std::string formats = "text, markdown, latex, dot, svg";

po::options_description known_options() {
  constexpr unsigned columns = 100;
  po::options_description network("Which network", columns), question("What of it", columns),
      form("In which form", columns), all;
  const auto option = [](po::options_description& group, const char* name, auto* value,
                         const std::string& described) {
    group.add_options()(name, value, described.c_str());
  };
  const auto text = [](const char* what) { return po::value<std::string>()->value_name(what); };
  const auto whole = [] { return po::value<std::int64_t>()->value_name("N"); };
  option(network, "network", text("NAME"), "one of those below");
  option(network, "layers", text("SIZES"), "or layers of these sizes, the input first: 2,3,1");
  option(network, "activation", text("NAMES"),
         "one for each layer but the input, or one for all; sigmoid if none is given. "
         "With cross_entropy the last is none. There are " +
             activations_known());
  option(network, "loss", text("NAME"),
         "half_squared_error if none is given. There are " + losses_known());
  option(network, "seed", whole(), "of the weights that are drawn; 1 if none is given");
  option(network, "weights", text("FILE"), "the weights, as CSV, instead of drawn ones");
  option(network, "input", text("ROWS"),
         "a row of numbers for each sample: '0,1;1,0'; or @FILE, a line for each");
  option(network, "target", text("ROWS"),
         "likewise; for cross_entropy a class, counted from 0, or a share for each class");

  option(
      question, "weight", text("NAME"),
      "one weight, w5 or layer1.weight[0,1], or all in a tensor, layer1.weight; or anything else "
      "with a name, such as net_h1. Without this, the whole network");
  option(question, "index", text("PLACES"), "which element of the tensor, counted from 0: 0,1");
  option(question, "section", text("NAMES"),
         "some parts only: network, forward, local, paths, merged, matrices, update, check");
  option(question, "learning-rate", po::value<double>()->value_name("RATE"),
         "adds the part about the update");
  option(question, "top", whole(), "how many paths, and terms of a sum, are written out; else 5");
  option(question, "digits", whole(), "significant digits, 1 to 17; else 6, and 4 in pictures");
  option(question, "blanks", whole(), "an exercise: so many results are left out");
  option(question, "answers", po::bool_switch(),
         "what stands in the blanks, instead of the exercise");
  option(question, "blanks-seed", whole(), "which results are left out; 1 if none is given");

  option(form, "format", text("NAME")->default_value("text", ""),
         formats + "; the last two are pictures of the whole network");
  option(form, "document", po::bool_switch(), "LaTeX that compiles alone");
  option(form, "output", text("FILE"), "a file to write, which is replaced only if all goes well");
  option(form, "write-weights", text("FILE"),
         "writes the weights as CSV, to be edited, and nothing else; - prints them");
  option(form, "help", po::bool_switch(), "prints this text");
  return all.add(network).add(question).add(form);
}

constexpr std::string_view notes = R"(
Layers given by sizes are called layer1.weight, layer1.bias and so on; z1 goes into the activation
of the first, and a1 comes out. The input is x, the target y, the loss always E.

Examples:
  explain --network worked --weight w5 --learning-rate 0.5
  explain --network worked --weight w1 --section paths,merged --format markdown
  explain --network xor --weight hidden.weight --index 0,1
  explain --network worked --weight w1 --section forward,merged --blanks 4
  explain --network three-layer --format latex --document --output three.tex
  explain --layers 2,3,2 --activation tanh,none --loss cross_entropy --input 0.05,0.1 --target 1
  explain --network xor --format svg --output xor.svg

Weights of your own: write those of a network, edit the file, and read it.
  explain --layers 2,3,1 --write-weights w.csv
  explain --layers 2,3,1 --weights w.csv --input '0,1;1,1' --target '1;0'
The file holds, layer by layer, a line for each input of the layer, with a number for each of its
neurons; then a line with the biases, if there are any. Empty lines and lines that begin with #
count nothing.
)";

/// Complains if one of the options was given along with what the words name.
void exclude(const po::variables_map& values, const std::string& words,
             std::initializer_list<const char*> options) {
  for (const char* option : options)
    if (values.count(option) != 0 && !values[option].defaulted())
      throw std::invalid_argument(fmt::format("{}: leave out --{}", words, option));
}

template <class T>
std::optional<T> given(const po::variables_map& values, const char* option) {
  return values.count(option) != 0 ? std::optional<T>(values[option].as<T>()) : std::nullopt;
}

std::optional<std::int64_t> whole_number(const po::variables_map& values, const char* option,
                                         std::int64_t from, std::int64_t to) {
  const auto number = given<std::int64_t>(values, option);
  if (number && (*number < from || *number > to))
    throw std::invalid_argument(
        fmt::format("--{} must be a whole number from {} to {}", option, from, to));
  return number;
}

void check_combination(const po::variables_map& values, const Arguments& arguments) {
  if (!arguments.network && !arguments.layers)
    throw std::invalid_argument(
        "--network or --layers must say which network; --help shows examples");
  if (arguments.network)
    exclude(values, "--network has layers, activations and a loss of its own",
            {"layers", "activation", "loss"});
  if (arguments.weights) exclude(values, "with --weights none are drawn", {"seed"});
  if (arguments.write_weights) {
    exclude(values, "--write-weights only writes the weights",
            {"input", "target", "weight", "index", "section", "learning-rate", "top", "digits",
             "blanks", "answers", "blanks-seed", "format", "document", "output"});
  } else if (arguments.layers && !(arguments.input && arguments.target)) {
    throw std::invalid_argument("--layers needs --input and --target");
  }
  if (arguments.index && !arguments.weight)
    throw std::invalid_argument("--index needs --weight: an element of which tensor?");
  if (arguments.picture())
    exclude(values, fmt::format("--format {} is a picture of the whole network", arguments.format),
            {"weight", "index", "section", "learning-rate", "top", "blanks"});
  if (arguments.section && !arguments.learning_rate &&
      ("," + *arguments.section + ",").find(",update,") != std::string::npos)
    throw std::invalid_argument("--section update needs --learning-rate");
  if (!arguments.blanks && (arguments.answers || arguments.blanks_seed))
    throw std::invalid_argument(
        fmt::format("--{} needs --blanks", arguments.answers ? "answers" : "blanks-seed"));
  if (arguments.document && arguments.format != "latex")
    throw std::invalid_argument("--document needs --format latex");
}

}  // namespace

std::string help() {
  return fmt::format(
      "Derives, for a network and its numbers, how back-propagation arrives at each gradient.\n{}\n"
      "Networks:\n{}{}",
      fmt::streamed(known_options()), networks_known(), notes);
}

Arguments parse(int argc, char** argv) {
  po::variables_map values;
  po::store(po::command_line_parser(argc, argv).options(known_options()).positional({}).run(),
            values);
  const auto text = [&](const char* option) { return given<std::string>(values, option); };
  Arguments arguments{
      .help = values["help"].as<bool>(),
      .network = text("network"),
      .layers = text("layers"),
      .activation = text("activation"),
      .loss = text("loss"),
      .weights = text("weights"),
      .input = text("input"),
      .target = text("target"),
      .seed = whole_number(values, "seed", 0, std::numeric_limits<std::uint32_t>::max()),
      .weight = text("weight"),
      .index = text("index"),
      .section = text("section"),
      .learning_rate = given<double>(values, "learning-rate"),
      .digits = whole_number(values, "digits", 1, 17),
      .top = whole_number(values, "top", 1, 1000),
      .blanks = whole_number(values, "blanks", 1, 1000),
      .blanks_seed =
          whole_number(values, "blanks-seed", 0, std::numeric_limits<std::uint32_t>::max()),
      .answers = values["answers"].as<bool>(),
      .format = values["format"].as<std::string>(),
      .document = values["document"].as<bool>(),
      .output = text("output"),
      .write_weights = text("write-weights")};
  if (arguments.help) return arguments;
  if (arguments.learning_rate &&
      !(*arguments.learning_rate > 0 && std::isfinite(*arguments.learning_rate)))
    throw std::invalid_argument("--learning-rate must be a number above 0");
  if ((", " + formats + ",").find(", " + arguments.format + ",") == std::string::npos)
    throw std::invalid_argument(
        fmt::format("there is no format '{}'; there are {}", arguments.format, formats));
  check_combination(values, arguments);
  return arguments;
}
