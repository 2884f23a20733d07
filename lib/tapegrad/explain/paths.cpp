#include "tapegrad/explain/paths.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

namespace tapegrad {
namespace {

constexpr std::uint32_t nowhere = static_cast<std::uint32_t>(-1);
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

Paths::Paths(const Stages& stages, Id x, std::size_t element, const Alone& alone, double limit) {
  find_edges(stages, x, element, alone, limit);
  if (!complete_) return;
  drop_dead_ends(stages);
  add_up();
}

void Paths::find_edges(const Stages& stages, Id x, std::size_t element, const Alone& alone,
                       double limit) {
  std::unordered_map<Id, std::map<std::size_t, std::uint32_t>> reached;
  points_.push_back({x, element});
  reached[x][element] = 0;
  double cost = 0;
  struct Found {
    std::uint32_t from;
    std::size_t to;
    double slope;
  };
  for (const Stage& stage : stages.all()) {
    if (!stages.on_way(stage.out()) || stage.out() == x) continue;
    std::size_t inputs = 0, size = static_cast<std::size_t>(stages.shape(stage.out()).numel());
    for (Id input : stage.inputs)
      if (const auto found = reached.find(input); found != reached.end())
        inputs += found->second.size();
    if (inputs == 0) continue;
    StageAlone& by_itself = alone(stage);
    std::vector<Found> found;
    const std::size_t results = size;
    for (Id input : stage.inputs) size += static_cast<std::size_t>(stages.shape(input).numel());
    std::vector<std::size_t> others;  // active inputs whose slopes are not found at once
    for (std::size_t i = 0; i < by_itself.active().size(); ++i) {
      const auto at = reached.find(by_itself.active()[i]);
      if (at == reached.end()) continue;
      if (!by_itself.by_element(i)) {
        others.push_back(i);
        continue;
      }
      by_itself.run_back(std::vector<double>(results, 1.0));
      for (const auto& [e, point] : at->second) found.push_back({point, e, by_itself.passed(i)[e]});
    }
    const auto by_rows = [&] {
      cost += static_cast<double>(results) * static_cast<double>(size);
      if (cost > limit) return;
      std::vector<double> seed(results, 0.0);
      for (std::size_t row = 0; row < results; ++row) {
        seed[row] = 1;
        by_itself.run_back(seed);
        seed[row] = 0;
        for (std::size_t i : others)
          for (const auto& [e, point] : reached[by_itself.active()[i]])
            if (const double slope = by_itself.passed(i)[e]; slope != 0)
              found.push_back({point, row, slope});
      }
    };
    const auto by_columns = [&] {
      cost += static_cast<double>(inputs) * static_cast<double>(size);
      if (cost > limit) return true;
      for (std::size_t i : others)
        for (const auto& [e, point] : reached[by_itself.active()[i]]) {
          const auto column = by_itself.run_forward(i, e);
          if (!column) return false;
          for (std::size_t to = 0; to < results; ++to)
            if ((*column)[to] != 0) found.push_back({point, to, (*column)[to]});
        }
      return true;
    };
    if (!others.empty()) {
      const std::size_t before = found.size();
      if (results <= inputs || !by_columns()) {
        found.resize(before);
        by_rows();
      }
    }
    if (cost > limit) {
      complete_ = false;
      return;
    }
    std::map<std::size_t, std::uint32_t>& places = reached[stage.out()];
    for (const Found& f : found) places.emplace(f.to, nowhere);
    for (auto& [e, point] : places) {
      point = static_cast<std::uint32_t>(points_.size());
      points_.push_back({stage.out(), e});
    }
    for (const Found& f : found) {
      const bool cut = !std::isfinite(f.slope) && stages.adjoint(stage.out(), f.to) == 0;
      edges_.push_back({f.from, places.at(f.to), f.slope, cut});
    }
  }
}

void Paths::drop_dead_ends(const Stages& stages) {
  std::vector<std::uint8_t> leads(points_.size(), 0);
  for (std::size_t i = 0; i < points_.size(); ++i) leads[i] = points_[i].id == stages.y();
  // Edges were found stage by stage, so those into a point stand behind those into its sources.
  for (std::size_t i = edges_.size(); i-- > 0;)
    if (leads[edges_[i].to] != 0) leads[edges_[i].from] = 1;
  leads[0] = 1;
  std::vector<std::uint32_t> places(points_.size(), nowhere);
  std::vector<Point> points;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (leads[i] == 0) continue;
    places[i] = static_cast<std::uint32_t>(points.size());
    points.push_back(points_[i]);
  }
  points_ = std::move(points);
  std::erase_if(edges_, [&](const Edge& e) { return places[e.to] == nowhere; });
  from_.resize(points_.size());
  to_.resize(points_.size());
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    Edge& e = edges_[i];
    e.from = places[e.from];
    e.to = places[e.to];
    from_[e.from].push_back(static_cast<std::uint32_t>(i));
    to_[e.to].push_back(static_cast<std::uint32_t>(i));
  }
}

void Paths::add_up() {
  const std::size_t n = points_.size();
  // Of the paths from each point to y: how many, how many edges in all, and their products.
  std::vector<Count> counts(n, 0), edges(n, 0);
  std::vector<double> sums(n, 0), magnitudes(n, 0);
  if (n > 1) {
    counts[n - 1] = 1;
    sums[n - 1] = magnitudes[n - 1] = 1;
  }
  for (std::size_t i = n - 1; i-- > 0;)
    for (const std::uint32_t e : from_[i]) {
      const std::uint32_t to = edges_[e].to;
      counts[i] += counts[to];
      edges[i] += edges[to] + counts[to];
      sums[i] += edges_[e].factor() * sums[to];
      magnitudes[i] += std::abs(edges_[e].factor()) * magnitudes[to];
    }
  products_merged_ = edges_.size() - (n > 1 ? to_[n - 1].size() : 0);
  count_ = counts[0];
  products_apart_ = edges[0] - counts[0];
  sum_ = sums[0];
  magnitude_ = magnitudes[0];
}

std::vector<Paths::Path> Paths::largest(std::size_t count) const {
  // Of each point, its best ways on to y: by the first edge, and which of the ways from there.
  struct Way {
    double size;  // the logarithm of the product's magnitude
    std::uint32_t edge, next;
  };
  const std::size_t n = points_.size();
  if (n == 1) return {};
  std::vector<std::vector<Way>> best(n);
  best[n - 1] = {{0, nowhere, 0}};
  const auto larger = [](const Way& a, const Way& b) { return a.size > b.size; };
  for (std::size_t i = n - 1; i-- > 0;) {
    for (const std::uint32_t e : from_[i]) {
      const std::vector<Way>& on = best[edges_[e].to];
      const double size = std::log(std::abs(edges_[e].factor()));
      for (std::uint32_t k = 0; k < on.size(); ++k)
        best[i].push_back({std::isnan(size + on[k].size) ? infinity : size + on[k].size, e, k});
    }
    std::stable_sort(best[i].begin(), best[i].end(), larger);
    if (best[i].size() > count) best[i].resize(count);
  }
  std::vector<Path> result;
  for (Way way : best[0]) {
    Path path{{}, 1};
    while (way.edge != nowhere) {
      path.edges.push_back(way.edge);
      path.product *= edges_[way.edge].factor();
      way = best[edges_[way.edge].to][way.next];
    }
    result.push_back(std::move(path));
  }
  return result;
}

}  // namespace tapegrad
