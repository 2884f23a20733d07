#include "tapegrad/inspect/draw.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tapegrad/inspect/draw_graph.hpp"
#include "tapegrad/inspect/draw_numbers.hpp"
#include "tapegrad/inspect/draw_text.hpp"
#include "tapegrad/tape/recording.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view doing = "draw";

/// The struct that two have in common: `net` of `net.hidden` and `net.output`.
std::string_view common_struct(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  while (!a.empty() && !(b.starts_with(a) && (b.size() == a.size() || b[a.size()] == '.')))
    a = struct_of(a);
  return a;
}

/// Chooses what is drawn of a tape, puts it into frames, and says what stands in each box.
class Painter {
 public:
  Painter(const Recording& recording, Id last, const DrawOptions& options, Site at)
      : recording_(recording), last_(last), options_(options), at_(at), needed_(last + 1, 0) {
    needed_[last_] = 1;
    need_operands();
    if (options_.backward) need_backward();
    choose();
  }

  Graph graph() {
    graph_.frames.resize(1);
    find_structs();
    for (Id id : chosen_)
      if (!recording_.node(id).leaf()) frame_of_[id] = frame_of_op(id);
    for (Id id : chosen_)
      if (recording_.node(id).leaf()) frame_of_[id] = frame_of_leaf(id);
    add_boxes();
    if (options_.values || options_.gradients || options_.local_derivatives) add_numbers();
    add_lines();
    for (std::size_t i = 1; i < graph_.frames.size(); ++i) add_title(i);
    return std::move(graph_);
  }

 private:
  bool swept(Id id) const { return (recording_.node(id).flags & Node::swept) != 0; }
  bool in_its_op(Id id) const {
    return id != last_ && recording_.is(id, LeafKind::constant) &&
           recording_.node(id).shape.numel() == 1 && recording_.name(id).empty();
  }

  // ---- what is drawn

  void need_operands() {
    for (auto id = static_cast<Id>(needed_.size()); id-- > 0;)
      if (needed_[id] != 0)
        for (Id operand : recording_.operands(id)) needed_[operand] = 1;
  }

  /// A sweep's records, if their origin is drawn.
  void need_backward() {
    needed_.resize(recording_.size(), 0);
    bool any = false;
    for (Id id = 0; id < recording_.size(); ++id) {
      if (!swept(id) || recording_.node(id).origin == Node::none) continue;
      if (needed_[recording_.node(id).origin] != 0) needed_[id] = 1;
      any = any || needed_[id] != 0;
    }
    if (!any)
      throw Error(std::string(doing), "no gradient was recorded of what is to be drawn",
                  {recording_.describe(last_, "of")}, at_,
                  "record it first, as in gradient(loss, net)");
    need_operands();
  }

  /// If there are too many: the first and the last ops, and what leaves they use.
  void choose() {
    std::vector<Id> ops;
    std::size_t total = 0;
    for (Id id = 0; id < needed_.size(); ++id) {
      if (needed_[id] == 0 || in_its_op(id)) continue;
      ++total;
      if (!recording_.node(id).leaf()) ops.push_back(id);
    }
    const bool all = total <= options_.limit;
    const std::size_t ends = all ? ops.size() : std::min(ops.size(), options_.limit / 4 + 1);
    std::vector<std::uint8_t> drawn(needed_.size(), 0);
    drawn[last_] = 1;
    std::size_t leaves = 0;
    const auto draw_op = [&](Id id) {
      drawn[id] = 1;
      for (Id operand : recording_.operands(id)) {
        if (!recording_.node(operand).leaf() || in_its_op(operand) || drawn[operand] != 0) continue;
        if (!all && leaves >= options_.limit / 2) continue;
        drawn[operand] = 1;
        ++leaves;
      }
    };
    for (std::size_t i = 0; i < ends; ++i) {
      draw_op(ops[i]);
      draw_op(ops[ops.size() - 1 - i]);
    }
    for (Id id = 0; id < needed_.size(); ++id)
      if (drawn[id] != 0) chosen_.push_back(id);
    left_out_ = total - chosen_.size();
    frame_of_.resize(needed_.size(), Graph::none);
    box_.resize(needed_.size(), Graph::none);
  }

  // ---- frames

  /// The struct that the parameters used by a record have in common, or nothing if it uses none.
  std::optional<std::string_view> struct_used(Id id) const {
    std::optional<std::string_view> result;
    for (Id operand : recording_.operands(id)) {
      if (!recording_.is(operand, LeafKind::parameter) && !recording_.is(operand, LeafKind::state))
        continue;
      const std::string_view of = struct_of(recording_.name(operand));
      result = result ? common_struct(*result, of) : of;
    }
    return result;
  }

  /// Of each composite, the struct that all its records work for.
  void find_structs() {
    for (Id id : chosen_) {
      if (recording_.node(id).leaf() || swept(id)) continue;
      const auto used = struct_used(id);
      if (!used) continue;
      for (std::uint32_t f = recording_.node(id).frame; f != Node::none;
           f = recording_.frame(f).parent) {
        const auto [found, first] = structs_.try_emplace(f, *used);
        if (!first) found->second = common_struct(found->second, *used);
      }
    }
  }

  std::size_t add_frame(Graph::Frame frame, std::string_view of) {
    graph_.frames[frame.parent].frames.push_back(graph_.frames.size());
    graph_.frames.push_back(std::move(frame));
    struct_of_frame_.emplace_back(of);
    is_struct_.push_back(false);
    return graph_.frames.size() - 1;
  }

  /// The frame within another that a struct has, made if need be, one for each level.
  std::size_t frame_of_struct(std::size_t within, std::string_view of) {
    for (;;) {
      const std::string& outer = struct_of_frame_[within];
      if (outer == of || common_struct(outer, of) != outer) return within;
      const std::size_t begin = outer.empty() ? 0 : outer.size() + 1;
      const std::size_t end = std::min(of.find('.', begin), of.size());
      const std::string_view level = of.substr(0, end);
      const auto [found, first] = levels_.try_emplace({within, std::string(level)}, 0);
      if (first) {
        found->second = add_frame(
            {.title = std::string(of.substr(begin, end - begin)), .parent = within}, level);
        is_struct_.back() = true;
      }
      within = found->second;
    }
  }

  std::size_t frame_of_composite(std::uint32_t index) {
    if (index == Node::none) return 0;
    if (const auto found = composites_.find(index); found != composites_.end())
      return found->second;
    const Frame& frame = recording_.frame(index);
    std::size_t within = frame_of_composite(frame.parent);
    const auto of = structs_.find(index);
    if (of != structs_.end()) within = frame_of_struct(within, of->second);
    const std::string own = struct_of_frame_[within];
    return composites_[index] = add_frame(
               {.title = std::string(frame.name), .parent = within, .site = frame.site}, own);
  }

  std::size_t frame_of_op(Id id) {
    if (swept(id)) {
      if (gradient_ == 0) gradient_ = add_frame({.title = "gradient", .parent = 0}, "");
      return gradient_;
    }
    const std::size_t within = frame_of_composite(recording_.node(id).frame);
    const auto of = struct_used(id);
    return of ? frame_of_struct(within, *of) : within;
  }

  /// The innermost frame around all its users, or a struct within it; inputs stay outside.
  std::size_t frame_of_leaf(Id id) {
    if (recording_.is(id, LeafKind::input)) return 0;
    std::size_t result = Graph::none;
    const auto [begin, end] = users_of(id);
    for (const bool forward : {true, false})
      for (auto user = begin; user != end && (forward || result == Graph::none); ++user)
        if (swept(user->second) != forward)
          result = result == Graph::none ? frame_of_[user->second]
                                         : around(result, frame_of_[user->second]);
    if (result == Graph::none) return 0;
    return frame_of_struct(result, struct_of(recording_.name(id)));
  }

  using Uses = std::vector<std::pair<Id, Id>>;  // leaf, op
  std::pair<Uses::const_iterator, Uses::const_iterator> users_of(Id leaf) {
    if (uses_.empty()) {
      for (Id id : chosen_)
        for (Id operand : recording_.operands(id))
          if (recording_.node(operand).leaf()) uses_.emplace_back(operand, id);
      std::sort(uses_.begin(), uses_.end());
    }
    return {std::lower_bound(uses_.begin(), uses_.end(), std::pair<Id, Id>{leaf, 0}),
            std::lower_bound(uses_.begin(), uses_.end(), std::pair<Id, Id>{leaf + 1, 0})};
  }

  /// The innermost frame around two.
  std::size_t around(std::size_t a, std::size_t b) const {
    const auto depth = [&](std::size_t f) {
      std::size_t result = 0;
      for (; f != 0; f = graph_.frames[f].parent) ++result;
      return result;
    };
    while (a != b)
      (depth(a) > depth(b) ? a : b) = graph_.frames[depth(a) > depth(b) ? a : b].parent;
    return a;
  }

  /// A struct of which only one composite is drawn is one frame with it: `hidden: linear`.
  void add_title(std::size_t index) {
    if (!is_struct_[index]) return;
    Graph::Frame& outer = graph_.frames[index];
    if (!outer.boxes.empty() || outer.frames.size() != 1 || is_struct_[outer.frames[0]]) return;
    Graph::Frame& inner = graph_.frames[outer.frames[0]];
    outer.title += ": " + inner.title;
    outer.site = inner.site;
    outer.boxes = std::move(inner.boxes);
    outer.frames = std::vector(inner.frames);
    for (std::size_t f : outer.frames) graph_.frames[f].parent = index;
    inner.parent = Graph::none;
  }

  // ---- boxes

  /// The op's notation with its constants in it, as `1.0 - ·`, or its name if it has none.
  std::string op_text(Id id) const {
    const Op& op = *recording_.node(id).op;
    const std::span<const Id> operands = recording_.operands(id);
    bool constants = false;
    for (Id operand : operands) constants = constants || in_its_op(operand);
    const std::string_view notation = op.notation;
    std::size_t places = 0;
    for (std::size_t at = 0; (at = notation.find("{}", at)) != std::string_view::npos; at += 2)
      ++places;
    if (!constants || places != operands.size()) {
      std::string result(op.name);
      for (Id operand : operands)
        if (in_its_op(operand)) result += " " + constant_text(operand);
      return result;
    }
    std::string result;
    std::size_t from = 0;
    for (Id operand : operands) {
      const std::size_t to = notation.find("{}", from);
      result += notation.substr(from, to - from);
      result += in_its_op(operand) ? constant_text(operand) : "·";
      from = to + 2;
    }
    return result += notation.substr(from);
  }

  /// In few digits, if they do not determine it.
  std::string constant_text(Id id) const {
    const Tensor constant = recording_.handle(id);
    const std::string brief = brief_text(constant.item(), options_.digits);
    return std::strtod(brief.c_str(), nullptr) == constant.item() ? text(constant) : brief;
  }

  Graph::Look look(Id id) const {
    if (!recording_.node(id).leaf()) return swept(id) ? Graph::Look::backward : Graph::Look::op;
    switch (recording_.leaf(id).kind) {
      case LeafKind::parameter:
        return Graph::Look::parameter;
      case LeafKind::input:
        return Graph::Look::input;
      case LeafKind::state:
        return Graph::Look::state;
      case LeafKind::constant:
        break;
    }
    return Graph::Look::constant;
  }

  /// The name of a record; of an answer of a gradient without one, `∂E/∂w`.
  std::string name_of(Id id) const {
    std::string name(recording_.name(id));
    if (!name.empty() || !swept(id)) return name;
    const auto of = recording_.gradient_of(id);
    if (!of || recording_.name(of->y).empty() || recording_.name(of->by).empty()) return name;
    return fmt::format("∂{}/∂{}", recording_.name(of->y), recording_.name(of->by));
  }

  void add_boxes() {
    for (Id id : chosen_) {
      const Node& n = recording_.node(id);
      Graph::Box box{.look = look(id),
                     .number = id,
                     .text = n.leaf() ? std::string(text(recording_.leaf(id).kind)) : op_text(id),
                     .site = n.site,
                     .output = id == last_};
      if (std::string name = name_of(id); !name.empty())
        (n.leaf() ? box.text : box.name) = std::move(name);
      if (n.shape.rank() > 0) box.shape = text(n.shape);
      box_[id] = add_box(std::move(box), frame_of_[id]);
    }
    if (left_out_ > 0)
      more_ = add_box({.look = Graph::Look::more,
                       .number = recording_.size(),
                       .text = fmt::format("and {} more", count_text(left_out_))},
                      0);
  }
  std::size_t add_box(Graph::Box box, std::size_t frame) {
    graph_.frames[frame].boxes.push_back(graph_.boxes.size());
    graph_.boxes.push_back(std::move(box));
    return graph_.boxes.size() - 1;
  }

  void add_numbers() {
    numbers_.emplace(recording_, options_.backward ? chosen_ : std::vector<Id>{last_}, at_);
    if (options_.gradients) numbers_->differentiate(last_, chosen_, doing, at_);
    const std::string derivative = fmt::format("∂{}", recording_.name(last_));
    for (Id id : chosen_) {
      Graph::Box& box = graph_.boxes[box_[id]];
      const Shape& shape = recording_.node(id).shape;
      if (options_.values) box.value = numbers_text(numbers_->values(id), shape, options_.digits);
      if (!numbers_->has_gradient(id)) continue;
      const std::string text = numbers_text(numbers_->gradient(id), shape, options_.digits);
      const bool one_line = text.find('\n') == std::string::npos;
      box.gradient = fmt::format("{}{}{}", derivative, one_line ? "  " : "\n", text);
    }
  }

  // ---- lines

  void add_lines() {
    std::vector<std::uint8_t> to_more(needed_.size(), 0);
    for (Id id = 0; id < needed_.size(); ++id) {
      if (needed_[id] == 0) continue;
      const std::span<const Id> operands = recording_.operands(id);
      bool from_more = false;
      for (std::size_t i = 0; i < operands.size(); ++i) {
        const Id operand = operands[i];
        if (in_its_op(operand)) continue;
        const Graph::Way way = swept(operand)                    ? Graph::Way::backward
                               : swept(id)                       ? Graph::Way::to_backward
                               : recording_.node(operand).leaf() ? Graph::Way::leaf
                                                                 : Graph::Way::forward;
        if (box_[id] != Graph::none && box_[operand] != Graph::none) {
          Graph::Line line{box_[operand], box_[id], way};
          if (options_.local_derivatives && way != Graph::Way::to_backward)
            line.derivative = numbers_->local_derivative(id, i, options_.digits);
          graph_.lines.push_back(std::move(line));
        } else if (box_[id] != Graph::none) {
          if (!std::exchange(from_more, true)) graph_.lines.push_back({more_, box_[id], way});
        } else if (box_[operand] != Graph::none) {
          if (std::exchange(to_more[operand], 1) == 0)
            graph_.lines.push_back({box_[operand], more_, way});
        }
      }
      if (swept(id) && box_[id] != Graph::none)
        if (const Id origin = recording_.node(id).origin;
            origin != Node::none && box_[origin] != Graph::none)
          graph_.lines.push_back({box_[origin], box_[id], Graph::Way::made});
    }
  }

  const Recording& recording_;
  Id last_;
  const DrawOptions& options_;
  Site at_;
  std::vector<std::uint8_t> needed_;
  std::vector<Id> chosen_;
  std::size_t left_out_ = 0, more_ = Graph::none;
  Graph graph_;
  std::vector<std::size_t> frame_of_, box_;  // of each record
  Uses uses_;
  std::map<std::uint32_t, std::string_view> structs_;  // of each composite
  std::map<std::uint32_t, std::size_t> composites_;
  std::map<std::pair<std::size_t, std::string>, std::size_t> levels_;
  std::vector<std::string> struct_of_frame_{""};
  std::vector<bool> is_struct_{false};
  std::size_t gradient_ = 0;
  std::optional<DrawnNumbers> numbers_;
};

}  // namespace

std::string draw(const Tensor& output, const DrawOptions& options, Site at) {
  const Recording& recording = Recording::of(output, doing, at);
  const Graph graph = Painter(recording, recording.id_of(output, doing, at), options, at).graph();
  return options.format == Picture::dot ? graph.dot() : graph.mermaid();
}

}  // namespace tapegrad
