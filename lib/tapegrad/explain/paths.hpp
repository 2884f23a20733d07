// Internal: all ways by which one element reaches y, element by element. The chain rule: the
// derivative is the sum, over all paths, of the products of the slopes along them.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "tapegrad/explain/stage_alone.hpp"
#include "tapegrad/explain/stages.hpp"

namespace tapegrad {

class Paths {
 public:
  using Count = boost::multiprecision::cpp_int;
  /// An element of a tensor on the way. Points are numbered in an order of evaluation: the element
  /// itself is 0, y the last.
  struct Point {
    Id id;
    std::size_t element;
  };
  struct Edge {
    std::uint32_t from, to;
    double slope;  // d to / d from, all other inputs of the stage held fixed
    /// The cut: behind a derivative of zero, a slope that is not finite counts as zero.
    bool cut;
    double factor() const { return cut ? 0 : slope; }
  };
  struct Path {
    std::vector<std::uint32_t> edges;
    double product;
  };
  using Alone = std::function<StageAlone&(const Stage&)>;

  /// Where the stages are so large that finding the slopes takes more than `limit` multiplications,
  /// it stops: see complete().
  Paths(const Stages& stages, Id x, std::size_t element, const Alone& alone, double limit = 4e8);

  bool complete() const { return complete_; }
  const std::vector<Point>& points() const { return points_; }
  const std::vector<Edge>& edges() const { return edges_; }
  /// By the point they start from, by the point they end in.
  const std::vector<std::uint32_t>& from(std::uint32_t point) const { return from_[point]; }
  const std::vector<std::uint32_t>& to(std::uint32_t point) const { return to_[point]; }

  /// How many there are.
  const Count& count() const { return count_; }
  /// The sum of their products, added up from y backwards, and of the magnitudes of these.
  double sum() const { return sum_; }
  double magnitude() const { return magnitude_; }
  /// Multiplications that it takes to follow every path by itself, and to compute each shared
  /// factor once.
  const Count& products_apart() const { return products_apart_; }
  std::size_t products_merged() const { return products_merged_; }
  /// Those with the largest products, largest first; none if there are no paths.
  std::vector<Path> largest(std::size_t count) const;

 private:
  void find_edges(const Stages& stages, Id x, std::size_t element, const Alone& alone,
                  double limit);
  void drop_dead_ends(const Stages& stages);
  void add_up();

  bool complete_ = true;
  std::vector<Point> points_;
  std::vector<Edge> edges_;
  std::vector<std::vector<std::uint32_t>> from_, to_;
  Count count_ = 0, products_apart_ = 0;
  std::size_t products_merged_ = 0;
  double sum_ = 0, magnitude_ = 0;
};

}  // namespace tapegrad
