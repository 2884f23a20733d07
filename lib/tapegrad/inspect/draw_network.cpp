#include "tapegrad/inspect/draw_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tapegrad/inspect/draw_layers.hpp"
#include "tapegrad/inspect/draw_numbers.hpp"
#include "tapegrad/inspect/draw_text.hpp"
#include "tapegrad/tape/recording.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view doing = "draw_network";

// In pixels.
constexpr double letter = 6.2, line_height = 13, margin = 20, header = 58;

std::string_view colour(double number) {
  return number > 0 ? "#0969da" : number < 0 ? "#cf222e" : "#8c959f";
}

double width_of(std::string_view text) {
  const auto letters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  });
  return letter * static_cast<double>(letters);
}

/// A picture of lines, circles and texts that grows with what is put into it.
class Svg {
 public:
  void add(std::string_view element) { elements_.append(element).append("\n"); }

  /// `more` are further attributes.
  void text(double x, double y, std::string_view anchor, std::string_view content,
            std::string_view more = "") {
    if (content.empty()) return;
    add(fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}{}>{}</text>", x, y,
                    anchor, more.empty() ? "" : " ", more, xml(content)));
    const double share = anchor == "start" ? 1 : anchor == "middle" ? 0.5 : 0;
    right_ = std::max(right_, x + share * width_of(content));
  }
  /// Makes room for a text over lines, centred at x and below y.
  void clear(double x, double y, double width, double height) {
    add(
        fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"3\" "
                    "fill=\"#ffffff\" fill-opacity=\"0.9\"/>",
                    x - width / 2 - 2, y, width + 4, height));
  }
  void reach(double right) { right_ = std::max(right_, right); }

  std::string document(double height) const {
    const double width = right_ + margin;
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
        "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"Helvetica, Arial, sans-serif\" "
        "font-size=\"11\" fill=\"#1f2328\">\n"
        "<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#ffffff\"/>\n{2}</svg>\n",
        width, height, elements_);
  }

 private:
  std::string elements_;
  double right_ = 0;
};

constexpr std::string_view grey = "fill=\"#57606a\"", orange = "fill=\"#bc4c00\"";

/// One place in a column.
struct Place {
  std::optional<std::size_t> neuron = {};  // none: those that are left out
  std::string upper = {}, lower = {};      // in it
  std::string beside = {};                 // its name
  std::string bias = {}, slope = {};       // below it
};

struct Column {
  std::string title, subtitle;
  std::vector<Place> places;
  double x = 0;
};

class NetworkPainter {
 public:
  NetworkPainter(const Recording& recording, Id output, const DrawNetworkOptions& options, Site at)
      : recording_(recording),
        output_(output),
        options_(options),
        layers_(find_layers(recording, output, options.sample, at)) {
    compute(at);
    add_input_column();
    for (const DrawnLayer& layer : layers_) add_column(layer);
    radius_ = options_.values ? 28 : 17;
  }

  std::string svg() {
    lay_out();
    for (std::size_t i = 0; i < layers_.size(); ++i) draw_lines(i);
    for (std::size_t i = 0; i < layers_.size(); ++i) draw_labels(i);
    for (const Column& column : columns_) draw_column(column);
    const double height = draw_legend();
    return svg_.document(height);
  }

 private:
  // ---- numbers

  void compute(Site at) {
    std::vector<Id> weights;
    for (const DrawnLayer& layer : layers_) {
      weights.push_back(layer.weight);
      if (layer.bias != Node::none) weights.push_back(layer.bias);
    }
    const bool run = options_.values || options_.gradients;
    numbers_.emplace(recording_, run ? std::span<const Id>(&output_, 1) : weights, at);
    if (options_.gradients) numbers_->differentiate(output_, weights, doing, at);
    for (const DrawnLayer& layer : layers_) {
      weights_.push_back(numbers_->values(layer.weight));
      shown_.push_back(options_.gradients ? slopes(layer.weight) : weights_.back());
      for (double v : shown_.back())
        if (std::isfinite(v)) largest_ = std::max(largest_, std::abs(v));
    }
  }
  Numbers slopes(Id id) const {
    if (numbers_->has_gradient(id)) return numbers_->gradient(id);
    return Numbers(static_cast<std::size_t>(recording_.node(id).shape.numel()), 0.0);
  }
  std::string number(double value) const { return brief_text(value, options_.digits); }
  std::string slope_text(double value) const {
    return fmt::format("∂{} {}", recording_.name(output_), number(value));
  }

  // ---- columns

  /// The record or, of a view without a name, what it shows.
  Id named(Id id) const {
    while (recording_.name(id).empty() && !recording_.node(id).leaf() &&
           recording_.node(id).op->kind == Kind::view)
      id = recording_.operands(id)[0];
    return id;
  }

  std::vector<Place> places(std::size_t neurons) const {
    const std::size_t limit = std::max<std::size_t>(options_.limit, 2);
    std::vector<Place> result;
    const bool all = neurons <= limit;
    const std::size_t first = all ? neurons : (limit + 1) / 2, last = all ? 0 : limit / 2;
    for (std::size_t i = 0; i < first; ++i) result.push_back({.neuron = i});
    if (!all)
      result.push_back({.beside = fmt::format("{} more", count_text(neurons - first - last))});
    for (std::size_t i = neurons - last; i < neurons; ++i) result.push_back({.neuron = i});
    return result;
  }

  static std::string counted(std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count_text(count), what, count == 1 ? "" : "s");
  }

  void add_input_column() {
    const DrawnLayer& first = layers_.front();
    const Id from = named(first.data);
    const std::string_view name = recording_.name(from);
    Column column{name.empty() ? "input" : std::string(name), counted(first.in, "input"),
                  places(first.in)};
    const Numbers values = options_.values ? numbers_->values(first.data) : Numbers{};
    for (Place& place : column.places) {
      if (!place.neuron) continue;
      const std::size_t element = first.from[*place.neuron];
      place.beside = element_text(recording_, from, element);
      if (options_.values) place.lower = number(values[element]);
    }
    columns_.push_back(std::move(column));
  }

  void add_column(const DrawnLayer& layer) {
    const std::string_view weight = recording_.name(named(layer.weight));
    const std::string_view owner = struct_of(weight);
    Column column{std::string(owner.empty() ? weight : owner), counted(layer.out, "neuron"),
                  places(layer.out)};
    for (const std::string& f : layer.functions) column.subtitle += ", " + f;
    const bool two = layer.net != layer.result;
    const Numbers net = options_.values ? numbers_->values(layer.net) : Numbers{},
                  result = options_.values ? numbers_->values(layer.result) : Numbers{},
                  bias = layer.bias == Node::none ? Numbers{} : numbers_->values(layer.bias),
                  slope = layer.bias == Node::none || !options_.gradients ? Numbers{}
                                                                          : slopes(layer.bias);
    for (Place& place : column.places) {
      if (!place.neuron) continue;
      const std::size_t element = layer.to[*place.neuron];
      place.beside = element_text(recording_, layer.result, element);
      if (options_.values) {
        if (two) place.upper = number(net[element]);
        place.lower = number(result[element]);
      }
      if (!options_.weights || bias.empty()) continue;
      const std::size_t of_bias = layer.bias_elements[*place.neuron];
      std::string_view name = recording_.element_name(layer.bias, of_bias);
      if (name.empty() && bias.size() == 1 && struct_of(recording_.name(layer.bias)).empty())
        name = recording_.name(layer.bias);
      place.bias = fmt::format("{} {}", name.empty() ? "bias" : name, number(bias[of_bias]));
      if (!slope.empty()) place.slope = slope_text(slope[of_bias]);
    }
    columns_.push_back(std::move(column));
  }

  // ---- places

  static std::size_t count(const Column& column) { return column.places.size(); }
  static double title_width(const Column& column) {
    constexpr double bold = 1.3;
    return std::max(bold * width_of(column.title), width_of(column.subtitle));
  }
  double top(const Column& column) const {
    return header + radius_ + gap_ / 2 * static_cast<double>(tallest_ - count(column));
  }
  double y(const Column& column, std::size_t place) const {
    return top(column) + gap_ * static_cast<double>(place);
  }

  /// At each line: the weight's name, its number, its gradient.
  std::vector<std::string> label(std::size_t index, std::size_t from, std::size_t to) const {
    const DrawnLayer& layer = layers_[index];
    const std::size_t element = layer.weight_element(from, to);
    std::string first(recording_.element_name(layer.weight, element));
    if (options_.weights) first += (first.empty() ? "" : " ") + number(weights_[index][element]);
    std::vector<std::string> result;
    if (!first.empty()) result.push_back(first);
    if (options_.weights && options_.gradients)
      result.push_back(slope_text(shown_[index][element]));
    return result;
  }
  bool labelled(std::size_t index) const {
    constexpr std::size_t most = 6;
    return count(columns_[index]) <= most && count(columns_[index + 1]) <= most &&
           layers_[index].in <= most && layers_[index].out <= most && !label(index, 0, 0).empty();
  }
  /// How far along their lines labels stand, from 0 to 1: there they are evenly spaced.
  double along(std::size_t index) const {
    return 1 / static_cast<double>(count(columns_[index + 1]) + 1);
  }

  void lay_out() {
    std::size_t below = 0;
    for (const Column& column : columns_) {
      tallest_ = std::max(tallest_, count(column));
      for (const Place& p : column.places) {
        const bool name_below = &column != &columns_.front() && &column != &columns_.back();
        below =
            std::max<std::size_t>(below, (name_below && !p.beside.empty() ? 1 : 0) +
                                             (p.bias.empty() ? 0 : 1) + (p.slope.empty() ? 0 : 1));
      }
    }
    below_ = line_height * static_cast<double>(below);
    gap_ = 2 * radius_ + 16 + below_;
    double x = margin + radius_;
    for (const Place& p : columns_[0].places)
      x = std::max(x, margin + radius_ + 8 + width_of(p.beside));
    x = std::max(x, margin + title_width(columns_[0]) / 2);
    columns_[0].x = x;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      double step = 150;
      // Titles need room.
      for (std::size_t c : {i, i + 1}) step = std::max(step, title_width(columns_[c]) + 16);
      if (labelled(i)) {
        double widest = 0;
        std::size_t lines = 0;
        for (std::size_t a = 0; a < layers_[i].in; ++a)
          for (std::size_t b = 0; b < layers_[i].out; ++b) {
            const auto texts = label(i, a, b);
            lines = texts.size();
            for (const std::string& t : texts) widest = std::max(widest, width_of(t));
          }
        gap_ = std::max(gap_, (line_height * static_cast<double>(lines) + 3) *
                                  static_cast<double>(count(columns_[i + 1]) + 1));
        step = std::max(step, (radius_ + 10 + widest / 2) / along(i));
      }
      columns_[i + 1].x = columns_[i].x + step;
    }
  }

  // ---- drawing

  template <class F>
  void each_line(std::size_t index, F f) {
    const Column &from = columns_[index], &to = columns_[index + 1];
    for (std::size_t a = 0; a < count(from); ++a)
      for (std::size_t b = 0; b < count(to); ++b)
        if (from.places[a].neuron && to.places[b].neuron)
          f(*from.places[a].neuron, *to.places[b].neuron, y(from, a), y(to, b));
  }

  void draw_lines(std::size_t index) {
    const DrawnLayer& layer = layers_[index];
    const Id named_weight = named(layer.weight);
    each_line(index, [&](std::size_t from, std::size_t to, double y0, double y1) {
      const std::size_t element = layer.weight_element(from, to);
      const double v = shown_[index][element];
      const double size = std::isfinite(v) && largest_ > 0 ? std::abs(v) / largest_ : 0;
      std::string tip = named_weight == layer.weight
                            ? element_text(recording_, layer.weight, element)
                            : std::string(recording_.name(named_weight));
      tip += (tip.empty() ? "" : " = ") + number(weights_[index][element]);
      if (options_.gradients) tip += ", " + slope_text(v);
      svg_.add(
          fmt::format("<line class=\"weight\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" "
                      "y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"{:.2f}\" "
                      "stroke-opacity=\"{:.2f}\"><title>{}</title></line>",
                      columns_[index].x, y0, columns_[index + 1].x, y1, colour(v), 0.6 + 3.4 * size,
                      0.3 + 0.7 * size, xml(tip)));
    });
  }

  void draw_labels(std::size_t index) {
    if (!labelled(index)) return;
    const double t = along(index), x0 = columns_[index].x, x1 = columns_[index + 1].x;
    each_line(index, [&](std::size_t from, std::size_t to, double y0, double y1) {
      const std::vector<std::string> texts = label(index, from, to);
      double widest = 0;
      for (const std::string& text : texts) widest = std::max(widest, width_of(text));
      const double x = x0 + t * (x1 - x0), height = line_height * static_cast<double>(texts.size());
      double y = y0 + t * (y1 - y0) - height / 2;
      svg_.clear(x, y, widest, height);
      for (std::size_t i = 0; i < texts.size(); ++i, y += line_height)
        svg_.text(x, y + 10, "middle", texts[i], i == 1 ? orange : "");
    });
  }

  void draw_column(const Column& column) {
    svg_.text(column.x, margin + 8, "middle", column.title,
              "font-size=\"13\" font-weight=\"bold\"");
    svg_.text(column.x, margin + 24, "middle", column.subtitle, grey);
    for (std::size_t i = 0; i < count(column); ++i) draw_place(column, i);
    svg_.reach(column.x + std::max(radius_, title_width(column) / 2));
  }

  void draw_place(const Column& column, std::size_t place) {
    const Place& p = column.places[place];
    const double cx = column.x, cy = y(column, place);
    if (!p.neuron) {
      for (const double dy : {-16.0, -9.0, -2.0})
        svg_.add(fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"1.8\" fill=\"#57606a\"/>", cx,
                             cy + dy));
      svg_.clear(cx, cy + 5, width_of(p.beside), line_height);
      return svg_.text(cx, cy + 15, "middle", p.beside, grey);
    }
    const bool input = &column == &columns_.front(), last = &column == &columns_.back();
    svg_.add(
        fmt::format("<circle class=\"neuron\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.0f}\" "
                    "fill=\"{}\" stroke=\"{}\" stroke-width=\"1.5\"/>",
                    cx, cy, radius_, input ? "#dcf7e3" : "#ffffff", input ? "#1a7f37" : "#57606a"));
    if (!p.upper.empty()) {
      svg_.add(
          fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" "
                      "stroke=\"#d0d7de\"/>",
                      cx - radius_ + 1, cy, cx + radius_ - 1, cy));
      svg_.text(cx, cy - 6, "middle", p.upper, grey);
    }
    svg_.text(cx, cy + (p.upper.empty() ? 4 : 14), "middle", p.lower);
    double top = cy + radius_ + 3;
    const auto below = [&](const std::string& text, std::string_view more) {
      if (text.empty()) return;
      svg_.clear(cx, top, width_of(text), line_height);
      svg_.text(cx, std::exchange(top, top + line_height) + 10, "middle", text, more);
    };
    if (input)
      svg_.text(cx - radius_ - 8, cy + 4, "end", p.beside);
    else if (last)
      svg_.text(cx + radius_ + 8, cy + 4, "start", p.beside);
    else
      below(p.beside, "");
    below(p.bias, grey);
    below(p.slope, orange);
  }

  /// What the picture does not say itself. Returns its height.
  double draw_legend() {
    double y = header + 2 * radius_ + gap_ * static_cast<double>(tallest_ - 1) + below_ + 28;
    const auto line = [&](const std::string& text) {
      svg_.text(margin, y, "start", text, grey);
      y += 15;
    };
    const std::string of = options_.gradients
                               ? fmt::format("gradient ∂{}/∂w", recording_.name(output_))
                               : std::string("weight");
    line(fmt::format("lines: blue where the {} is positive, red where negative; the widest has {}",
                     of, number(largest_)));
    if (options_.values) {
      const DrawnLayer& first = layers_.front();
      const auto samples =
          static_cast<std::size_t>(recording_.node(first.product).shape.numel()) / first.out;
      std::string text = "circles: what goes into a neuron above, what comes out below";
      if (samples > 1) text += fmt::format("; sample {} of 0 to {}", options_.sample, samples - 1);
      line(text);
    }
    return y - 15 + margin - 6;
  }

  const Recording& recording_;
  Id output_;
  const DrawNetworkOptions& options_;
  std::vector<DrawnLayer> layers_;
  std::optional<DrawnNumbers> numbers_;
  std::vector<Numbers> weights_, shown_;  // of each layer: the weight, and what its lines show
  double largest_ = 0;                    // of what is shown
  std::vector<Column> columns_;           // of neurons: the input, then one for each layer
  double radius_ = 0, gap_ = 0, below_ = 0;
  std::size_t tallest_ = 0;
  Svg svg_;
};

}  // namespace

std::string draw_network(const Tensor& output, const DrawNetworkOptions& options, Site at) {
  const Recording& recording = Recording::of(output, doing, at);
  return NetworkPainter(recording, recording.id_of(output, doing, at), options, at).svg();
}

}  // namespace tapegrad
