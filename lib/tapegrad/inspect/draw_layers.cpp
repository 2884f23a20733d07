#include "tapegrad/inspect/draw_layers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tapegrad/check/bench.hpp"

namespace tapegrad {
namespace {

Array filled(const Shape& shape, double number) {
  return {shape, Numbers(static_cast<std::size_t>(shape.numel()), number)};
}

bool all(const Array& x, double number) {
  const Numbers values = x.values();
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == number; });
}

class Finder {
 public:
  Finder(const Recording& recording, Id output, std::int64_t sample, Site at)
      : recording_(recording), bench_(recording), output_(output), sample_(sample), at_(at) {
    below_.resize(output + 1);
    below_[output].needed = true;
    for (Id id = output + 1; id-- > 0;)
      if (below_[id].needed)
        for (Id operand : recording_.operands(id)) below_[operand].needed = true;
    for (Id id = 0; id <= output; ++id) {
      if (!below_[id].needed) continue;
      Below& b = below_[id];
      b.parameter = recording_.is(id, LeafKind::parameter);
      b.input = recording_.is(id, LeafKind::input);
      b.product = product(id);
      for (Id operand : recording_.operands(id)) {
        b.parameter = b.parameter || below_[operand].parameter;
        b.input = b.input || below_[operand].input;
        b.product = b.product || below_[operand].product;
      }
    }
  }

  std::vector<DrawnLayer> layers() {
    for (Id id = 0; id <= output_; ++id)
      if (below_[id].needed && product(id)) add_layer(id);
    if (layers_.empty())
      refuse(output_, "is computed by no product of neurons with a matrix of parameters");
    for (std::size_t i = 0; i + 1 < layers_.size(); ++i)
      connect(layers_[i], layers_[i + 1].data, layers_[i + 1].product);
    refuse_skips(layers_.back().product);
    finish(layers_.back());
    return std::move(layers_);
  }

 private:
  /// What a record is computed from.
  struct Below {
    bool needed = false, parameter = false, input = false, product = false;
  };

  bool product(Id id) const {
    return !recording_.node(id).leaf() && recording_.node(id).op->kind == Kind::contraction;
  }
  const Shape& shape(Id id) const { return recording_.node(id).shape; }
  /// Of parameters and given numbers alone.
  bool constant(Id id) const { return !below_[id].input && !below_[id].product; }
  bool weights(Id id) const { return below_[id].parameter && constant(id); }

  [[noreturn]] void refuse(Id id, std::string_view what) const {
    throw Error("draw_network", fmt::format("{} {}", recording_.label(id), what),
                {recording_.describe(id, "record")}, at_, "draw(y) draws records of any kind");
  }
  [[noreturn]] void refuse_product(Id id) const {
    refuse(id, "is no product that connects each neuron with all of the layer before");
  }

  // ---- one product

  void add_layer(Id id) {
    const auto operands = recording_.operands(id);
    if (operands.size() != 2) refuse_product(id);
    const auto matrix = [&](std::size_t i) {
      return shape(operands[i]).rank() == 2 && weights(operands[i]);
    };
    const std::size_t weight = matrix(1) ? 1 : 0;
    if (!matrix(weight)) refuse_product(id);
    DrawnLayer layer{.product = id, .data = operands[1 - weight], .weight = operands[weight]};
    for (const DrawnLayer& other : layers_)
      if (other.weight == layer.weight)
        refuse(id, fmt::format("uses {} a second time, as a recurrent network does",
                               recording_.label(layer.weight)));
    find_neurons(layer, weight);
    layer.net = layer.result = id;
    layers_.push_back(std::move(layer));
  }

  /// The elements of an operand that one element of the result is computed from.
  std::vector<std::size_t> elements(Id id, std::size_t operand, std::size_t of_result) {
    std::vector<Array> ones;
    for (Id x : recording_.operands(id)) ones.push_back(filled(shape(x), 1));
    Numbers one(static_cast<std::size_t>(shape(id).numel()), 0.0);
    one[of_result] = 1;
    const Numbers share = bench_.shares(id, ones, Array(shape(id), one))[operand].values();
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < share.size(); ++i)
      if (share[i] != 0) result.push_back(i);
    return result;
  }

  void find_neurons(DrawnLayer& layer, std::size_t weight) {
    const Id id = layer.product;
    const Shape &result = shape(id), &matrix = shape(layer.weight);
    if (result.numel() == 0 || matrix.numel() == 0) refuse_product(id);
    const auto rows = static_cast<std::size_t>(matrix[0]),
               columns = static_cast<std::size_t>(matrix[1]);
    const std::vector<std::size_t> first = elements(id, weight, 0);
    const auto is_line = [&](std::size_t count, std::size_t step) {
      if (first.size() != count) return false;
      for (std::size_t i = 0; i < count; ++i)
        if (first[i] != i * step) return false;
      return true;
    };
    if (is_line(rows, columns)) {  // a column for each neuron
      layer.in = rows;
      layer.out = columns;
    } else if (is_line(columns, 1)) {
      layer.out_first = true;
      layer.in = columns;
      layer.out = rows;
    } else {
      refuse_product(id);
    }
    const int axis = neuron_axis(layer, weight, first);
    const std::int64_t samples = result.numel() / static_cast<std::int64_t>(layer.out);
    if (sample_ < 0 || sample_ >= samples)
      throw Error("draw_network", fmt::format("sample {} of {}", sample_, samples),
                  {recording_.describe(id, "record")}, at_, "");
    std::size_t inner = 1;
    for (int a = axis + 1; a < result.rank(); ++a) inner *= static_cast<std::size_t>(result[a]);
    const auto s = static_cast<std::size_t>(sample_);
    const std::size_t begin = axis < 0 ? s : s / inner * inner * layer.out + s % inner;
    for (std::size_t i = 0; i < layer.out; ++i) layer.to.push_back(begin + i * inner);
    layer.from = elements(id, 1 - weight, begin);
    if (layer.from.size() != layer.in) refuse_product(id);
  }

  /// The axis of the result along which neurons lie: the one that changes the weights used; -1 if
  /// there is one neuron.
  int neuron_axis(const DrawnLayer& layer, std::size_t weight,
                  const std::vector<std::size_t>& first) {
    if (layer.out == 1) return -1;
    const Shape& result = shape(layer.product);
    std::size_t step = 1;
    for (int axis = result.rank() - 1; axis >= 0; --axis) {
      if (static_cast<std::size_t>(result[axis]) == layer.out &&
          elements(layer.product, weight, step) != first)
        return axis;
      step *= static_cast<std::size_t>(result[axis]);
    }
    refuse_product(layer.product);
  }

  // ---- what lies between

  /// From a layer's product to what the next is given.
  void connect(DrawnLayer& layer, Id data, Id next) {
    std::vector<Id> between;  // descending
    std::vector<std::uint8_t> seen(data + 1, 0);
    seen[data] = 1;
    for (Id id = data + 1; id-- > 0;) {
      if (seen[id] == 0 || id == layer.product) continue;
      if (recording_.is(id, LeafKind::input) || product(id))
        refuse(next, fmt::format("is given {} beside the layer before, {}", recording_.label(id),
                                 recording_.label(layer.product)));
      if (recording_.node(id).leaf() || constant(id)) continue;
      if (shape(id).numel() == shape(layer.product).numel()) between.push_back(id);
      for (Id operand : recording_.operands(id)) seen[operand] = 1;
    }
    if (seen[layer.product] == 0)
      refuse(next, fmt::format("does not follow {}", recording_.label(layer.product)));
    if (shape(data).numel() != shape(layer.product).numel())
      refuse(next, fmt::format("is given {} numbers where {} has {}", shape(data).numel(),
                               recording_.label(layer.product), shape(layer.product).numel()));
    describe(layer, {between.rbegin(), between.rend()});
  }

  /// What comes of the last product may be compared with what is given, but not be joined with what
  /// an earlier product gave.
  void refuse_skips(Id last) const {
    std::vector<bool> above(output_ + 1);
    above[last] = true;
    for (Id id = last + 1; id <= output_; ++id) {
      if (!below_[id].needed) continue;
      const auto operands = recording_.operands(id);
      above[id] = std::any_of(operands.begin(), operands.end(), [&](Id x) { return above[x]; });
      if (!above[id]) continue;
      for (Id x : operands)
        if (!above[x] && below_[x].product)
          refuse(id, fmt::format("is given {} beside the last layer, {}", recording_.label(x),
                                 recording_.label(last)));
    }
  }

  /// From the last product upwards, as long as it goes on by elements and nothing joins.
  void finish(DrawnLayer& layer) {
    std::vector<Id> between;
    Id last = layer.product;
    for (Id id = last + 1; id <= output_; ++id) {
      if (!below_[id].needed || !uses(id, last)) continue;
      for (Id later = id + 1; later <= output_; ++later)
        if (below_[later].needed && uses(later, last)) return describe(layer, between);
      const Kind kind = recording_.node(id).op->kind;
      const bool alone = shape(id).numel() == 1;
      if (shape(id).numel() != shape(last).numel() ||
          (alone && kind != Kind::elementwise && kind != Kind::view))
        break;
      for (Id operand : recording_.operands(id))
        if (operand != last && (!constant(operand) || target(operand)))
          return describe(layer, between);
      between.push_back(id);
      last = id;
    }
    describe(layer, between);
  }
  bool uses(Id id, Id operand) const {
    const auto operands = recording_.operands(id);
    return std::find(operands.begin(), operands.end(), operand) != operands.end();
  }
  /// Whether an operand is many given numbers, to be compared with.
  bool target(Id id) const {
    return recording_.is(id, LeafKind::constant) && shape(id).numel() > 1;
  }

  void describe(DrawnLayer& layer, const std::vector<Id>& between) {
    for (Id id : between) {
      layer.result = id;
      if (layer.bias == Node::none && layer.functions.empty() && adds_bias(layer, id)) continue;
      const Node& n = recording_.node(id);
      if (n.op->kind == Kind::view) continue;
      const bool composite =
          n.frame != Node::none && n.frame != recording_.node(layer.product).frame;
      const std::string name(composite ? recording_.frame(n.frame).name : n.op->name);
      if (layer.functions.empty() || layer.functions.back() != name)
        layer.functions.push_back(name);
    }
  }

  bool adds_bias(DrawnLayer& layer, Id id) {
    const auto operands = recording_.operands(id);
    if (recording_.node(id).op->kind != Kind::elementwise || operands.size() != 2) return false;
    const std::size_t bias = operands[0] == layer.net ? 1 : 0;
    if (operands[1 - bias] != layer.net || !constant(operands[bias])) return false;
    for (const auto& [x, b] : {std::pair{2.0, 0.0}, {-3.0, 0.0}, {0.0, 2.0}}) {
      std::vector<Array> tried(2);
      tried[bias] = filled(shape(operands[bias]), b);
      tried[1 - bias] = filled(shape(layer.net), x);
      if (!all(bench_.value(id, tried), x + b)) return false;
    }
    layer.bias = operands[bias];
    layer.net = id;
    for (std::size_t element : layer.to)
      layer.bias_elements.push_back(bench_.element(id, bias, element));
    return true;
  }

  const Recording& recording_;
  Bench bench_;
  Id output_;
  std::int64_t sample_;
  Site at_;
  std::vector<Below> below_;
  std::vector<DrawnLayer> layers_;
};

}  // namespace

std::vector<DrawnLayer> find_layers(const Recording& recording, Id output, std::int64_t sample,
                                    Site at) {
  return Finder(recording, output, sample, at).layers();
}

}  // namespace tapegrad
