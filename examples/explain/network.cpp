#include "network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string_view>

namespace tg = tapegrad;

namespace {

// A reader of what is printed does not have this file, so no line of it is shown.
constexpr tg::Site nowhere{};
tg::Arg arg(const tg::Tensor& tensor) { return {tensor, nowhere}; }

// Levenshtein's: how many letters must be changed, added or left out.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (const char letter : a) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (letter == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

tg::Index index_of(std::size_t element, const tg::Shape& shape) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(shape.rank()));
  for (int axis = shape.rank(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(shape[axis]);
    places[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(element % extent);
    element /= extent;
  }
  return tg::Index{std::span<const std::int64_t>(places)};
}

std::runtime_error unknown(const Network& network, const std::string& name) {
  std::string list, nearest;
  std::size_t least = name.size() / 2 + 1;  // from what is farther away nobody meant to write it
  const auto consider = [&](const std::string& known) {
    if (distance(name, known) >= least) return;
    least = distance(name, known);
    nearest = fmt::format("; did you mean {}?", known);
  };
  for (const auto& [tensor, known] : network.tensors) {
    consider(known.whole);
    for (const std::string& element : known.elements) consider(element);
    list += fmt::format("\n  {} {}", known.whole, text(tensor.shape()));
    if (!known.elements.empty()) list += fmt::format(": {}", fmt::join(known.elements, " "));
  }
  return std::runtime_error(fmt::format("--weight: nothing is called '{}'{} There are{}", name,
                                        nearest.empty() ? "." : nearest, list));
}

}  // namespace

Network record(const Plan& plan) {
  const std::int64_t samples = plan.input.values.shape()[0],
                     targets = plan.target.values.shape()[0];
  if (samples != targets)
    throw std::runtime_error(fmt::format("the input has {}, the target {}",
                                         counted(static_cast<std::size_t>(samples), "sample"),
                                         targets));
  Network network;
  const auto named = [&](const tg::Tensor& tensor, Name name) {
    tensor.named(name.whole);
    // Names of elements are those of one sample.
    if (static_cast<std::int64_t>(name.elements.size()) != tensor.numel()) name.elements = {};
    if (!name.elements.empty())
      tg::name_elements(tensor, std::span<const std::string>(name.elements));
    network.tensors.push_back({tensor, name});
    return tensor;
  };
  tg::Tape& tape = network.tape;
  tg::Tensor x = named(tape.input(plan.input.values, nowhere), plan.input.name);
  tg::Tensor target = named(tape.input(plan.target.values, nowhere), plan.target.name);
  for (const Layer& layer : plan.layers) {
    tg::Linear linear;
    linear.weight = named(tape.parameter(layer.weight.values, nowhere), layer.weight.name);
    if (layer.bias) {
      const tg::Array& values = layer.bias->values;
      linear.bias = named(
          layer.trained_bias ? tape.parameter(values, nowhere) : tape.constant(values, nowhere),
          layer.bias->name);
    }
    x = named(linear(arg(x)), layer.net);
    if (layer.activation.apply != nullptr) x = named(layer.activation.apply(arg(x)), layer.out);
  }
  network.loss = plan.loss.apply(arg(x), arg(target)).named("E");
  return network;
}

Asked find(const Network& network, const std::string& name,
           const std::optional<std::vector<std::int64_t>>& index) {
  const auto one_already = [&] {
    return std::runtime_error(
        fmt::format("--weight {} is one element already: leave out --index", name));
  };
  // `hidden.weight[0,1]` is hidden.weight with the index 0,1.
  if (const std::size_t bracket = name.find('['); bracket != name.npos && name.ends_with(']')) {
    if (index) throw one_already();
    const std::string places = name.substr(bracket + 1, name.size() - bracket - 2);
    return find(network, name.substr(0, bracket), whole_numbers("--weight " + name, places));
  }
  for (const auto& [tensor, known] : network.tensors) {
    const tg::Shape shape = tensor.shape();
    const auto element = std::find(known.elements.begin(), known.elements.end(), name);
    if (element != known.elements.end()) {
      if (index) throw one_already();
      return {tensor, index_of(static_cast<std::size_t>(element - known.elements.begin()), shape)};
    }
    if (known.whole != name) continue;
    if (shape.rank() == 0 && index) throw one_already();
    if (shape.rank() != 0 && !index) return {tensor, {}};
    const auto places = index.value_or(std::vector<std::int64_t>{});
    const tg::Index place{std::span<const std::int64_t>(places)};
    if (!place.inside(shape))
      throw std::runtime_error(
          fmt::format("{} {} has no element {}: they are {} to {}", name, text(shape), text(place),
                      text(index_of(0, shape)),
                      text(index_of(static_cast<std::size_t>(shape.numel()) - 1, shape))));
    return {tensor, place};
  }
  throw unknown(network, name);
}
