// All ways from one element to y: how many there are, the largest, and that they add up to the
// gradient.
#include "tapegrad/explain/paths.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "tapegrad/kernel/number_systems.hpp"
#include "tapegrad/tape/trial.hpp"
#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using tg::Shape;
using tg::Tape;
using tg::Tensor;
using Count = tg::Paths::Count;
using Numbers = std::vector<double>;

/// The paths from one element of x to y.
struct Followed {
  Followed(const Tensor& y, const Tensor& x, std::size_t element = 0, double limit = 4e8)
      : stages("follow", y, std::span<const Tensor>(&x, 1), tg::Site{}),
        paths(
            stages, stages.x()[0], element,
            [this](const tg::Stage& stage) -> tg::StageAlone& {
              auto& known = alone[stage.out()];
              if (known == nullptr) known = std::make_unique<tg::StageAlone>(stages, stage);
              return *known;
            },
            limit) {}

  std::map<tg::Id, std::unique_ptr<tg::StageAlone>> alone;
  tg::Stages stages;
  tg::Paths paths;
};

/// The products along all paths, followed one by one.
Numbers one_by_one(const tg::Paths& paths) {
  Numbers products;
  const auto end = static_cast<std::uint32_t>(paths.points().size() - 1);
  const std::function<void(std::uint32_t, double)> follow = [&](std::uint32_t at, double product) {
    if (at == end) return products.push_back(product);
    for (const std::uint32_t e : paths.from(at))
      follow(paths.edges()[e].to, product * paths.edges()[e].slope);
  };
  if (end > 0) follow(0, 1);
  std::stable_sort(products.begin(), products.end(),
                   [](double a, double b) { return std::abs(a) > std::abs(b); });
  return products;
}

/// dy/dx by forward mode, which knows no rule of any op.
double by_dual_numbers(const Tensor& y, const Tensor& x, std::size_t element) {
  const tg::Recording& recording = tg::Recording::of(y, "test", tg::Site{});
  const tg::Id out[] = {recording.id_of(y, "test", tg::Site{})};
  const tg::Id free[] = {recording.id_of(x, "test", tg::Site{})};
  tg::Trial<tg::Number> trial(recording, out, free, tg::Site{});
  tg::Number& at = trial.free(free[0])[element];
  at = tg::dual_numbers().dual(at, 1.0);
  trial.run();
  return static_cast<double>(tg::dual_numbers().derivative(trial.values(out[0])[0]));
}

/// A network at random: activations of all kinds, dead units, weights used twice, skip connections.
struct Any {
  explicit Any(std::uint32_t seed) : random{seed} {
    std::mt19937 choose{seed};
    const auto below = [&](int n) {
      return static_cast<std::int64_t>(choose() % static_cast<unsigned>(n));
    };
    const std::int64_t samples = 1 + below(4), depth = 1 + below(4);
    Tensor h = tape.input(random.uniform(-1, 1, Shape{samples, 1 + below(5)}));
    std::vector<Tensor> squares;  // weights that may be used again
    for (std::int64_t i = 0; i < depth; ++i) {
      const Tensor before = h;
      const std::int64_t in = h.shape()[1], out = 1 + below(5);
      Tensor w;
      for (const Tensor& known : squares)
        if (known.shape()[0] == in && below(2) == 0) w = known;
      if (!w.defined()) {
        w = tape.parameter(random.uniform(-1, 1, Shape{in, out}));
        parameters.push_back(w);
        if (in == out) squares.push_back(w);
      }
      h = matmul(h, w);
      if (below(2) == 0) {
        const Tensor b = tape.parameter(random.uniform(-1, 1, Shape{h.shape()[1]}));
        parameters.push_back(b);
        h = h + b;
      }
      switch (below(8)) {
        case 0:
          h = relu(h - 0.3);
          break;
        case 1:
          h = tanh(h);
          break;
        case 2:
          h = sigmoid(h);
          break;
        case 3:
          h = softplus(h);
          break;
        case 4:
          h = softmax(h, 1);
          break;
        case 5:
          h = leaky_relu(h, 0.1);
          break;
        case 6:
          h = square(h);
          break;
        default:
          break;
      }
      if (h.shape() == before.shape() && below(2) == 0) h = h + before;
    }
    const Tensor target = tape.input(random.uniform(0, 1, h.shape()));
    switch (below(5)) {
      case 0:
        y = half_squared_error(h, target);
        break;
      case 1:
        y = mse_loss(h, target);
        break;
      case 2:
        y = cross_entropy(h, target);
        break;
      case 3:
        y = binary_cross_entropy_with_logits(h, target);
        break;
      default:
        y = sum(h * target);
        break;
    }
    x = parameters[static_cast<std::size_t>(below(static_cast<int>(parameters.size())))];
    element = static_cast<std::size_t>(below(static_cast<int>(x.shape().numel())));
  }
  Tape tape;
  tg::Random random;
  std::vector<Tensor> parameters;
  Tensor y, x;
  std::size_t element = 0;
};

BOOST_AUTO_TEST_SUITE(paths)

BOOST_AUTO_TEST_CASE(paths_of_a_thousand_networks_add_up_to_the_gradient) {
  int dead = 0, many = 0;
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    Any any(seed);
    const Followed followed(any.y, any.x, any.element);
    BOOST_TEST_REQUIRE(followed.paths.complete());
    const double bound = 1e-12 * followed.paths.magnitude();
    const double tape = gradient(any.y, any.x).values()[any.element];
    const double forward = by_dual_numbers(any.y, any.x, any.element);
    BOOST_TEST(std::abs(followed.paths.sum() - tape) <= bound, "seed " << seed);
    BOOST_TEST(std::abs(followed.paths.sum() - forward) <= bound, "seed " << seed);
    BOOST_TEST(std::abs(followed.paths.sum()) <= followed.paths.magnitude() * (1 + 1e-12));
    dead += tape == 0 ? 1 : 0;
    many += followed.paths.count() > 10 ? 1 : 0;
  }
  BOOST_TEST(dead > 10);
  BOOST_TEST(many > 100);
}

BOOST_AUTO_TEST_CASE(counts_and_the_largest_are_those_found_by_following_each_path) {
  int compared = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const Any any(seed);
    const Followed followed(any.y, any.x, any.element);
    if (followed.paths.count() > 2000) continue;
    const Numbers all = one_by_one(followed.paths);
    BOOST_TEST(followed.paths.count() == all.size());
    for (const std::size_t k : {1U, 3U, 5U, 5000U}) {
      const auto largest = followed.paths.largest(k);
      BOOST_TEST_REQUIRE(largest.size() == std::min(k, all.size()));
      for (std::size_t i = 0; i < largest.size(); ++i) {
        BOOST_TEST(std::abs(largest[i].product) == std::abs(all[i]),
                   boost::test_tools::tolerance(1e-12));
        double product = 1;
        std::uint32_t at = 0;
        for (const std::uint32_t e : largest[i].edges) {
          BOOST_TEST(followed.paths.edges()[e].from == at);
          at = followed.paths.edges()[e].to;
          product *= followed.paths.edges()[e].slope;
        }
        BOOST_TEST(at + 1 == followed.paths.points().size());
        BOOST_TEST(product == largest[i].product);
      }
    }
    ++compared;
  }
  BOOST_TEST(compared > 150);
}

BOOST_AUTO_TEST_CASE(no_path_is_listed_twice) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    const Any any(seed);
    const Followed followed(any.y, any.x, any.element);
    auto largest = followed.paths.largest(20);
    std::sort(largest.begin(), largest.end(),
              [](const auto& a, const auto& b) { return a.edges < b.edges; });
    const auto twice =
        std::adjacent_find(largest.begin(), largest.end(),
                           [](const auto& a, const auto& b) { return a.edges == b.edges; });
    BOOST_TEST((twice == largest.end()));
  }
}

/// A network of these widths, one sample. The sum of squares is y.
struct Deep {
  explicit Deep(const std::vector<std::int64_t>& widths) {
    tg::Random random{4};
    Tensor h = tape.input(random.uniform(0.5, 1, Shape{1, widths[0]}));
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      weights.push_back(tape.parameter(random.uniform(-1, 1, Shape{widths[i], widths[i + 1]})));
      h = tanh(matmul(h, weights.back()));
    }
    y = sum(square(h));
  }
  Tape tape;
  std::vector<Tensor> weights;
  Tensor y;
};

BOOST_AUTO_TEST_CASE(a_layered_network_has_as_many_paths_as_the_product_of_its_later_widths) {
  const Deep deep({3, 5, 2, 4, 3});
  const Count counts[] = {2 * 4 * 3, 4 * 3, 3, 1};
  for (std::size_t i = 0; i < 4; ++i) {
    const Followed followed(deep.y, deep.weights[i]);
    BOOST_TEST(followed.paths.count() == counts[i]);
  }
}

BOOST_AUTO_TEST_CASE(two_hundred_layers_of_four_have_four_to_the_199_paths) {
  const Deep deep(std::vector<std::int64_t>(201, 4));
  const Followed followed(deep.y, deep.weights[0]);
  BOOST_TEST(followed.paths.count() == boost::multiprecision::pow(Count(4), 199));
  // From w: z, a, then two edges for each later layer, squares and sum: 402 edges, 401 products.
  BOOST_TEST(followed.paths.products_apart() == 401 * boost::multiprecision::pow(Count(4), 199));
  // Merged, an edge is one product; of the last layer's squares four are a sum.
  BOOST_TEST(followed.paths.products_merged() == 2U + 199U * (4 * 4 + 4) - 12U + 4U);
  BOOST_TEST(followed.paths.sum() == gradient(deep.y, deep.weights[0]).values()[0],
             boost::test_tools::tolerance(1e-10));
}

BOOST_AUTO_TEST_CASE(skip_connections_count_as_fibonacci) {
  Tape tape;
  const Tensor one = tape.input(1.0), x = tape.parameter(1.0);
  Tensor before = one, h = x;
  for (int n = 2; n <= 100; ++n) before = std::exchange(h, h * before);
  const Followed followed(h, x);
  BOOST_TEST(followed.paths.count() == Count("354224848179261915075"));
  BOOST_TEST(followed.paths.sum() == 354224848179261915075.0, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(gradient(h, x).item() == 354224848179261915075.0, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(a_cut_off_slope_counts_for_nothing) {
  Tape tape;
  const Tensor x = tape.parameter({0, 2});
  const Tensor y = sum(where(x > 0.0, log(x) / sqrt(x), x * x));
  BOOST_TEST(Followed(y, x, 0).paths.sum() == 0);
  BOOST_TEST(Followed(y, x, 1).paths.sum() == gradient(y, x).values()[1],
             boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(what_is_too_large_is_not_followed) {
  const Deep deep({3, 5, 2, 4, 3});
  const Followed followed(deep.y, deep.weights[0], 0, 20);
  BOOST_TEST(!followed.paths.complete());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
