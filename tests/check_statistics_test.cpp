// How often a check of what is on a tape raises a false alarm, and how often it misses a mistake:
// small graphs at random, over twelve decades of scale.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tapegrad/base/random.hpp"
#include "tapegrad/check/check_gradient.hpp"
#include "tapegrad/check/mutant.hpp"
#include "tapegrad/check/op_cases.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
using tg::Op, tg::Shape, tg::Tensor;

template <class T>
const T& one_of(const std::vector<T>& all, tg::Random& random) {
  return all[static_cast<std::size_t>(random.randint(0, static_cast<std::int64_t>(all.size())))];
}

/// An op of the catalogue and the operands it is recorded with, none of them large.
struct Choice {
  const Op* op;
  std::vector<tg::OpCase> cases;
};

/// Elementwise ops of so many operands, or with 0 everything that computes.
std::vector<Choice> choices(std::size_t operands) {
  std::vector<Choice> result;
  for (const Op* op : tg::catalogue()) {
    if (op->vjp.flow() != tg::VjpRule::Flow::rule) continue;
    const bool elementwise = op->kind == tg::Kind::elementwise;
    if (!elementwise && op->kind != tg::Kind::reduction && op->kind != tg::Kind::contraction)
      continue;
    if (operands != 0 && (op->examples != nullptr || op->sample.count != operands)) continue;
    Choice choice{op, {}};
    for (const tg::OpCase& c : tg::cases_of(*op)) {
      std::int64_t least = 1, most = 0;
      for (const Shape& shape : c.shapes) {
        least = std::min(least, shape.numel());
        most = std::max(most, shape.numel());
      }
      if (least > 0 && most <= 6) choice.cases.push_back(c);
    }
    if (!choice.cases.empty()) result.push_back(std::move(choice));
  }
  return result;
}

const std::vector<Choice> unary = choices(1), binary = choices(2), any = choices(0);

/// A random function of random parameters, one and the same for one seed:
/// scale * sum(binary(any(unary(x), ...), ...)), the arguments brought into the domains of the ops.
class Graph {
 public:
  /// With another op in the place of the one that is recorded as number `place`.
  explicit Graph(std::uint32_t seed, std::size_t place = 0, const Op* instead = nullptr)
      : random_(seed), place_(place), instead_(instead) {
    const Choice& inner = one_of(any, random_);
    const tg::OpCase& c = one_of(inner.cases, random_);
    std::vector<tg::Arg> args;
    for (std::size_t i = 0; i < c.shapes.size(); ++i) {
      const tg::Domain& domain = inner.op->sample[i];
      if (domain.whole) {
        args.emplace_back(tape.input(drawn(domain, c.shapes[i], random_)));
      } else if (random_.random() < 0.5) {
        args.emplace_back(leaf(domain, c.shapes[i]));
      } else {
        const Op& op = *one_of(unary, random_).op;
        args.emplace_back(into(domain, step(op, {leaf(op.sample[0], c.shapes[i])})));
      }
    }
    const Tensor y = step(*inner.op, args, c.attributes);
    const Op& outer = *one_of(binary, random_).op;
    const bool shared = random_.random() < 0.5;
    const Tensor a = into(outer.sample[0], y);
    const Tensor b = shared ? into(outer.sample[1], y) : leaf(outer.sample[1], y.shape());
    loss = decades() * sum(step(outer, {a, b}));
  }

  tg::Tape tape{tg::float64};
  std::vector<const Op*> ops;
  std::vector<Tensor> x;
  Tensor loss;

 private:
  double decades() { return std::pow(10, random_.uniform(-6, 6)); }
  Tensor step(const Op& op, const std::vector<tg::Arg>& args,
              const std::vector<std::int64_t>& attributes = {}) {
    const bool replaced = instead_ != nullptr && ops.size() == place_;
    ops.push_back(&op);
    return record(replaced ? *instead_ : op, args, attributes);
  }
  /// A parameter of any size, times what brings it into a domain.
  Tensor leaf(const tg::Domain& domain, const Shape& shape) {
    const double scale = decades();
    x.push_back(tape.parameter(random_.uniform(scale * domain.low, scale * domain.high, shape)));
    return x.back() * (1 / scale);
  }
  static Tensor into(const tg::Domain& domain, const Tensor& t) {
    if (domain.low <= -1 && domain.high >= 1) return tanh(t);
    return 0.5 * (domain.low + domain.high) + 0.5 * (domain.high - domain.low) * tanh(t);
  }

  tg::Random random_;
  std::size_t place_;
  const Op* instead_;
};

/// Whether nothing depends on any parameter: max(x, y) may be y, and mean(y - mean(y)) is 0.
bool zero(const Graph& graph) {
  for (const Tensor& x : graph.x)
    for (const double g : gradient(graph.loss, x).values())
      if (g != 0) return false;
  return true;
}

/// Whether two graphs have the same gradients.
bool equivalent(const Graph& a, const Graph& b) {
  for (std::size_t k = 0; k < a.x.size(); ++k) {
    const std::vector<double> right = gradient(a.loss, a.x[k]).values();
    const std::vector<double> other = gradient(b.loss, b.x[k]).values();
    double scale = 0;
    for (const double g : right) scale = std::max(scale, std::abs(g));
    for (std::size_t i = 0; i < right.size(); ++i)
      if (!(std::abs(right[i] - other[i]) <= 1e-13 * scale)) return false;
  }
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(check_statistics)

BOOST_AUTO_TEST_CASE(of_ten_thousand_right_gradients_over_twelve_decades_all_pass) {
  int kinks = 0;
  for (std::uint32_t seed = 0; seed < 10'000; ++seed) {
    const Graph graph(seed);
    const tg::Report report = check_gradients(graph.loss, graph.x, {.expect_zero = zero(graph)});
    BOOST_TEST(report, "seed " << seed << ": " << report);
    kinks += report.count(tg::Verdict::kink);
  }
  BOOST_TEST(kinks == 0);
}

BOOST_AUTO_TEST_CASE(of_a_thousand_gradients_with_one_wrong_op_none_passes) {
  tg::Random random{1};
  int wrong = 0, equal = 0;
  for (std::uint32_t seed = 0; seed < 5'000 && wrong < 1'000; ++seed) {
    const Graph right(seed);
    const auto place =
        static_cast<std::size_t>(random.randint(0, static_cast<std::int64_t>(right.ops.size())));
    const Op& op = *right.ops[place];
    const auto operand =
        static_cast<std::size_t>(random.randint(0, static_cast<std::int64_t>(op.sample.count)));
    const auto mutation = tg::mutations[static_cast<std::size_t>(
        random.randint(0, static_cast<std::int64_t>(tg::mutations.size())))];
    const tg::Mutant mutant(op, mutation, operand);
    const Graph mutated(seed, place, &mutant);
    const tg::Report report = check_gradients(mutated.loss, mutated.x);
    if (mutant.spoilt() == 0) continue;
    if (report && equivalent(right, mutated)) {
      ++equal;
      continue;
    }
    ++wrong;
    BOOST_TEST(!report, "seed " << seed << ", " << text(mutation) << " of " << op.name
                                << " by operand " << operand << ": " << report);
  }
  BOOST_TEST(wrong == 1'000);
  BOOST_TEST(equal < 100);
}

BOOST_AUTO_TEST_SUITE_END()
