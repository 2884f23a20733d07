// Explains a network on the command line, for people who do not write C++: which network, which
// weight, in which form. `explain --help` shows how. What it prints comes from tg::explain,
// tg::draw and tg::draw_network alone; here stand only options, networks and files.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "arguments.hpp"
#include "network.hpp"
#include "numbers.hpp"
#include "plan.hpp"

namespace tg = tapegrad;

namespace {

Plan plan_of(const Arguments& arguments) {
  Plan plan = arguments.network
                  ? named_network(*arguments.network, arguments.seed)
                  : layered_network(whole_numbers("--layers", *arguments.layers),
                                    split(arguments.activation.value_or("sigmoid"), ','),
                                    arguments.loss.value_or("half_squared_error"),
                                    arguments.seed.value_or(1));
  if (arguments.weights) set_weights(plan, *arguments.weights);
  if (arguments.input) set_input(plan, numbers_given("--input", *arguments.input));
  if (arguments.target) set_target(plan, numbers_given("--target", *arguments.target));
  return plan;
}

tg::Derivation only(const tg::Derivation& derivation, const std::string& sections) {
  tg::Derivation parts = derivation;
  parts.sections = {};
  parts.footnote = {};
  for (const std::string& name : split(sections, ',')) {
    if ((name == "local" || name == "paths" || name == "merged") && !derivation.derivative)
      throw std::runtime_error(fmt::format(
          "--section {} is of one weight: --weight w5, or --weight W1 --index 0,1", name));
    const tg::Derivation part = derivation.section(name);
    parts.sections.push_back(part.sections[0]);
    if (!part.footnote.empty()) parts.footnote = part.footnote;
  }
  return parts;
}

tg::Derivation derivation_of(const Network& network, const Arguments& arguments) {
  tg::ExplainOptions options{.learning_rate = arguments.learning_rate};
  if (arguments.digits) options.digits = static_cast<int>(*arguments.digits);
  if (arguments.top) options.top = static_cast<std::size_t>(*arguments.top);
  if (!arguments.weight) return tg::explain(network.loss, options);

  std::optional<std::vector<std::int64_t>> index;
  if (arguments.index) index = whole_numbers("--index", *arguments.index);
  const Asked asked = find(network, *arguments.weight, index);
  return asked.index ? tg::explain(network.loss, asked.tensor, *asked.index, options)
                     : tg::explain(network.loss, asked.tensor, options);
}

std::string explanation(const Arguments& arguments) {
  const Network network = record(plan_of(arguments));
  const int digits = static_cast<int>(arguments.digits.value_or(4));
  if (arguments.format == "dot")
    return draw(network.loss, {.values = true, .gradients = true, .digits = digits});
  if (arguments.format == "svg")
    return draw_network(network.loss,
                        {.values = true, .weights = true, .gradients = true, .digits = digits});
  tg::Derivation derivation = derivation_of(network, arguments);
  if (arguments.section) derivation = only(derivation, *arguments.section);
  if (arguments.blanks) {
    const tg::Exercise exercise =
        tg::exercise(derivation, {.blanks = static_cast<std::size_t>(*arguments.blanks),
                                  .seed = arguments.blanks_seed.value_or(1)});
    derivation = arguments.answers ? exercise.answers : exercise.sheet;
  }
  if (arguments.format == "markdown") return markdown(derivation);
  if (arguments.format == "latex") return latex(derivation, {.document = arguments.document});
  return text(derivation);
}

// A file is written beside the old one, which it replaces when it is whole.
void write(const std::string& text, const std::string& file) {
  namespace fs = std::filesystem;
  const bool there = fs::exists(file);
  const bool regular = !there || fs::is_regular_file(file);  // no terminal, no pipe
  const fs::path whole = there && regular ? fs::canonical(file) : fs::path(file);
  const fs::path part = regular ? fs::path(whole.string() + ".part") : whole;
  const auto put = [](const fs::path& path, std::ios::openmode mode, const std::string& content) {
    std::ofstream out(path, mode);
    out << content;
    out.close();
    if (out.fail()) throw std::system_error(errno, std::generic_category());
  };
  try {
    if (there && regular) put(whole, std::ios::app, "");  // may it be changed?
    put(part, std::ios::binary, text);
    if (!regular) return;
    if (there) fs::permissions(part, fs::status(whole).permissions());
    fs::rename(part, whole);
  } catch (const std::system_error& error) {
    std::error_code ignored;
    if (regular) fs::remove(part, ignored);
    throw std::runtime_error(fmt::format("cannot write {}: {}", file, error.code().message()));
  }
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw std::runtime_error("cannot write to the standard output");
}

}  // namespace

int main(int argc, char** argv) try {
  const Arguments arguments = parse(argc, argv);
  if (arguments.help) {
    print(help());
  } else if (arguments.write_weights) {
    const std::string csv = weights_as_csv(plan_of(arguments));
    *arguments.write_weights == "-" ? print(csv) : write(csv, *arguments.write_weights);
  } else {
    const std::string text = explanation(arguments);
    arguments.output ? write(text, *arguments.output) : print(text);
  }
} catch (const tg::Error& error) {
  fmt::print(stderr, "explain: {}{}{}\n", error.text(), error.hint().empty() ? "" : "; ",
             error.hint());
  return 2;
} catch (const std::exception& error) {
  fmt::print(stderr, "explain: {}\n", error.what());
  return 2;
}
