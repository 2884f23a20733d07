#include "tapegrad/explain/explain.hpp"

#include <algorithm>
#include <cmath>

#include "tapegrad/check/sample.hpp"
#include "tapegrad/explain/explainer.hpp"

namespace tapegrad {
namespace {

constexpr std::size_t most_stages = 12;  // that are written out, half of them at either end

}  // namespace

Explainer::Explainer(const Tensor& y, std::span<const Tensor> x, const ExplainOptions& options,
                     Site at)
    : options_(options), words_(options.words), at_(at), stages_("explain", y, x, at) {
  if (options.digits < 1 || options.digits > 17)
    throw Error("explain", fmt::format("{} digits: from 1 to 17", options.digits), at);
  if (options.top < 1)
    throw Error("explain", "top is 0: at least one path must be written out", at);
  if (options.learning_rate && !std::isfinite(*options.learning_rate))
    throw Error("explain", "the learning rate is not finite", at);
}

Derivation Explainer::of_element(const Index& index) {
  x_ = stages_.x().front();
  const Shape shape = stages_.shape(x_);
  if (!index.inside(shape))
    throw Error("explain",
                fmt::format("there is no element {} in the shape {}", text(index), text(shape)),
                {stages_.original().describe(stages_.original(x_), "by")}, at_, {});
  element_ = index.element(shape);
  paths_.emplace(stages_, x_, element_,
                 [this](const Stage& stage) -> StageAlone& { return alone(stage); });
  d_.derivative = stages_.adjoint(x_, element_);
  choose_shown();
  choose_written();
  network(filled(words_.asked, derivative(stages_.name(x_, element_)), name(stages_.y()),
                 name(x_, element_), number(stages_.value(x_, element_))));
  forward();
  if (paths_->complete()) {
    locals();
    paths();
    merged();
  } else {
    say(section("paths", words_.paths), words_.too_many_paths);
  }
  matrices();
  if (options_.learning_rate) update();
  check();
  return std::move(d_);
}

Derivation Explainer::of_all() {
  if (stages_.x().size() == 1) {
    network(filled(words_.asked_of_all, derivative(stages_.name(stages_.x()[0])),
                   name(stages_.x()[0])));
  } else {
    std::int64_t count = 0;
    for (Id id : stages_.x()) count += stages_.shape(id).numel();
    network(filled(words_.asked_of_every, name(stages_.y()), count));
  }
  choose_written();
  forward_in_matrices();
  matrices();
  if (options_.learning_rate) update_of_all();
  check_of_all();
  return std::move(d_);
}

/// Chooses the elements that are written out: those through which most of the derivative flows. Of
/// a batch, only one sample.
void Explainer::choose_shown() {
  elements_[x_] = {element_};
  if (!paths_->complete()) return;
  const auto& points = paths_->points();
  std::vector<double> tangents(points.size(), 0);
  tangents[0] = 1;
  for (std::uint32_t p = 0; p < points.size(); ++p)
    for (const std::uint32_t e : paths_->from(p))
      tangents[paths_->edges()[e].to] += paths_->edges()[e].factor() * tangents[p];
  const auto flow = [&](std::uint32_t p) {
    return std::abs(tangents[p] * stages_.adjoint(points[p].id, points[p].element));
  };
  std::set<std::uint32_t> shown{0};
  for (std::uint32_t begin = 1; begin < points.size();) {
    std::uint32_t end = begin;
    std::vector<std::uint32_t> reached;
    for (; end < points.size() && points[end].id == points[begin].id; ++end) {
      const auto& to = paths_->to(end);
      if (std::any_of(to.begin(), to.end(),
                      [&](std::uint32_t e) { return shown.contains(paths_->edges()[e].from); }))
        reached.push_back(end);
    }
    const Id id = points[begin].id;
    const Shape shape = stages_.shape(id);
    begin = end;
    if (shape.rank() > 1 && shape[0] > 1) {
      const auto row = [&](std::uint32_t p) { return index_of(points[p].element, shape)[0]; };
      std::map<std::int64_t, double> flows;
      for (const std::uint32_t p : reached) flows[row(p)] += flow(p);
      const auto largest =
          std::max_element(flows.begin(), flows.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
      if (flows.size() > 1) {
        if (sample_note_.empty())
          sample_note_ =
              filled(words_.sample, name(x_, element_), flows.size(), name(id), largest->first);
        std::erase_if(reached, [&](std::uint32_t p) { return row(p) != largest->first; });
      }
    }
    std::stable_sort(reached.begin(), reached.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return flow(a) > flow(b); });
    if (reached.size() > options_.top) reached.resize(options_.top);
    std::sort(reached.begin(), reached.end());
    for (const std::uint32_t p : reached) {
      shown.insert(p);
      elements_[id].push_back(points[p].element);
    }
  }
  shown_.assign(shown.begin(), shown.end());
}

void Explainer::choose_written() {
  std::vector<Id> candidates;
  for (const Stage& stage : stages_.all()) {
    const bool on_way = !d_.derivative || elements_.contains(stage.out());
    if (on_way) candidates.push_back(stage.out());
  }
  for (std::size_t i = most_stages / 2; i + most_stages / 2 < candidates.size(); ++i)
    unwritten_.insert(candidates[i]);
}

void Explainer::network(const std::string& question) {
  Section& s = section("network", words_.network);
  s.lines.emplace_back(Sentence{question});
  Table table{.head = {std::string(words_.symbol), std::string(words_.shape),
                       std::string(words_.what), std::string(words_.line)}};
  const auto row = [&](Id id, std::string what) {
    const Site at = stages_.node(id).site;
    table.rows.push_back({fmt::format("`{}`", name(id)), text(stages_.shape(id)), std::move(what),
                          at ? text(at) : ""});
  };
  Rows rows{stages_.leaves().size() + stages_.all().size()};
  const auto shown = [&] {
    return rows.next([&](std::size_t others) {
      table.rows.push_back({"", "", filled(words_.more_rows, others), ""});
    });
  };
  for (Id id : stages_.leaves()) {
    if (!shown()) continue;
    const LeafKind kind = stages_.recording().leaf(id).kind;
    row(id, std::string(kind == LeafKind::parameter ? words_.parameter
                        : kind == LeafKind::input   ? words_.input
                        : kind == LeafKind::state   ? words_.state
                                                    : words_.constant));
  }
  for (const Stage& stage : stages_.all())
    if (shown())
      row(stage.out(), fmt::format("`{}`", alone(stage).formula(names(), options_.digits)));
  // Who runs a program of others has no line of his own.
  if (std::all_of(table.rows.begin(), table.rows.end(),
                  [](const auto& cells) { return cells.back().empty(); })) {
    table.head.pop_back();
    for (auto& cells : table.rows) cells.pop_back();
  }
  s.lines.emplace_back(std::move(table));
}

Derivation explain(const Tensor& y, const Tensor& x, const Index& index,
                   const ExplainOptions& options, Site at) {
  return Explainer(y, std::span<const Tensor>(&x, 1), options, at).of_element(index);
}

Derivation explain(const Tensor& y, const Tensor& x, const ExplainOptions& options, Site at) {
  return Explainer(y, std::span<const Tensor>(&x, 1), options, at).of_all();
}

Derivation explain(const Tensor& y, const ExplainOptions& options, Site at) {
  return Explainer(y, {}, options, at).of_all();
}

Derivation explain(const Tensor& y, std::span<const Tensor> x, const ExplainOptions& options,
                   Site at) {
  if (x.empty()) throw Error("explain", "no tensors to differentiate by", at);
  return Explainer(y, x, options, at).of_all();
}

}  // namespace tapegrad
