// Every op of the catalogue, checked without a line of code about any of them: shapes, kernels,
// broadcasting, precision, replay, first and second derivatives. What an op needs to be checked
// with stands in its own block. At the end, the product that all derivatives meet in: `times` and
// its cut.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/error.hpp"
#include "tapegrad/kernel/number_systems.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tape.hpp"
#include "tapegrad/tape/trial.hpp"

namespace {

namespace tg = tapegrad;
using tg::Array, tg::Kind, tg::Op, tg::Shape, tg::Tape, tg::Tensor;
using Flow = tg::VjpRule::Flow;
using Numbers = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// ---------------------------------------------------------------- what to check an op with

/// One call of one op.
struct Case {
  const Op* op;
  std::vector<Shape> shapes;
  std::vector<std::int64_t> attributes;
};

std::string text(const Case& c) {
  std::string result(c.op->name);
  for (const Shape& shape : c.shapes) result += " " + tg::text(shape);
  if (!c.attributes.empty()) result += " attributes " + tg::joined(c.attributes);
  return result;
}

/// Shapes to combine: each rank to 4, an extent of 1 in each place, empty ones. Three operands make
/// do with fewer, for all combinations are tried.
const std::vector<Shape>& patterns(std::size_t operands) {
  static const std::vector<Shape> all = {
      Shape{},           Shape{1},          Shape{3},          Shape{2, 3},       Shape{2, 1},
      Shape{1, 3},       Shape{0},          Shape{2, 0},       Shape{2, 1, 3},    Shape{1, 2, 1},
      Shape{2, 2, 2, 3}, Shape{1, 2, 2, 3}, Shape{2, 1, 2, 3}, Shape{2, 2, 1, 3}, Shape{2, 2, 2, 1},
      Shape{1, 2, 1, 3}, Shape{2, 1, 2, 1}, Shape{1, 1, 1, 1}, Shape{2, 0, 2, 3}};
  static const std::vector<Shape> few = {Shape{},        Shape{1},          Shape{3},
                                         Shape{2, 1},    Shape{0},          Shape{1, 0, 1},
                                         Shape{2, 1, 3}, Shape{1, 2, 1, 3}, Shape{2, 1, 2, 1}};
  return operands < 3 ? all : few;
}

/// Broadcasting, said a second time: align at the last axis; extents agree, or are 1 and stretch.
std::optional<Shape> common_shape(const std::vector<Shape>& shapes) {
  std::vector<std::int64_t> common;  // last axis first
  for (const Shape& shape : shapes)
    for (int back = 1; back <= shape.rank(); ++back) {
      const auto place = static_cast<std::size_t>(back - 1);
      if (place == common.size()) common.push_back(1);
      if (common[place] == 1)
        common[place] = shape[-back];
      else if (shape[-back] != 1 && shape[-back] != common[place])
        return {};
    }
  return Shape(std::vector<std::int64_t>(common.rbegin(), common.rend()));
}

/// Which element of an operand meets element k of the result.
std::size_t met(std::size_t k, const Shape& result, const Shape& operand) {
  std::size_t place = 0, stride = 1;
  for (int back = 1; back <= operand.rank(); ++back) {
    const auto at = k % static_cast<std::size_t>(result[-back]);
    k /= static_cast<std::size_t>(result[-back]);
    if (operand[-back] != 1) place += at * stride;
    stride *= static_cast<std::size_t>(operand[-back]);
  }
  return place;
}

bool guessed(const Op& op) { return op.kind == Kind::elementwise && op.examples == nullptr; }

/// All combinations of the patterns for an op's operands.
std::vector<Case> combinations(const Op& op) {
  std::vector<Case> result;
  const std::vector<Shape>& shapes = patterns(op.sample.count);
  const std::size_t n = shapes.size();
  std::size_t total = 1;
  for (std::size_t i = 0; i < op.sample.count; ++i) total *= n;
  for (std::size_t code = 0; code < total; ++code) {
    Case c{&op, {}, {}};
    for (std::size_t i = 0, rest = code; i < op.sample.count; ++i, rest /= n)
      c.shapes.push_back(shapes[rest % n]);
    result.push_back(std::move(c));
  }
  return result;
}

std::vector<Case> cases_of(const Op& op) {
  std::vector<Case> result;
  if (guessed(op)) {
    for (Case& c : combinations(op))
      if (common_shape(c.shapes)) result.push_back(std::move(c));
  } else if (op.examples != nullptr) {
    tg::Examples examples;
    op.examples(examples);
    for (auto& [shapes, attributes] : examples.cases) result.push_back({&op, shapes, attributes});
  }
  return result;
}

/// Calls f(case) for every case of every op, inside a context that says which.
void for_each_case(const std::function<void(const Case&)>& f) {
  for (const Op* op : tg::catalogue())
    for (const Case& c : cases_of(*op)) BOOST_TEST_CONTEXT(text(c)) {
        try {
          f(c);
        } catch (const tg::Error& error) {
          BOOST_ERROR(fmt::format("unexpected error: {}", error.what()));
        }
      }
}

/// Values from an op's domains, the same in every run and on every machine. They are floats, so
/// that both precisions start from the same numbers.
class Draw {
 public:
  Draw(const Case& c, unsigned variant) {
    for (char letter : text(c)) seed_ = (seed_ ^ static_cast<unsigned char>(letter)) * 16777619u;
    engine_.seed(seed_ + variant);
  }
  Array from(const tg::Domain& domain, const Shape& shape) {
    Numbers values(static_cast<std::size_t>(shape.numel()));
    for (double& x : values) {
      const double u = static_cast<double>(engine_()) / 4294967296.0;
      x = domain.low + u * (domain.high - domain.low);
      x = domain.whole ? std::floor(x) : static_cast<double>(static_cast<float>(x));
    }
    return Array(shape, values);
  }
  std::vector<Array> operands(const Case& c) {
    std::vector<Array> result;
    for (std::size_t i = 0; i < c.shapes.size(); ++i)
      result.push_back(from(c.op->sample[i], c.shapes[i]));
    return result;
  }

 private:
  std::uint32_t seed_ = 2166136261u;
  std::mt19937 engine_;
};

// ---------------------------------------------------------------- one case on a tape

std::vector<tg::Arg> args(const std::vector<Tensor>& tensors) {
  std::vector<tg::Arg> result;
  for (const Tensor& tensor : tensors) result.push_back(tensor);
  return result;
}

/// A case, recorded: y = op(x...). An effect writes to its first operand, a state leaf.
struct Recorded {
  Tape tape;
  std::vector<Tensor> x;
  Tensor y;

  Recorded(const Case& c, const std::vector<Array>& values, tg::Precision precision = tg::float64)
      : tape(precision) {
    for (std::size_t i = 0; i < values.size(); ++i)
      x.push_back(i == 0 && c.op->kind == Kind::effect ? tape.state(values[i])
                                                       : tape.input(values[i]));
    y = tg::record(*c.op, args(x), c.attributes);
  }
  void set(const std::vector<Array>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) x[i].set(values[i]);
  }
};

/// The same with derivatives: gradient[i] is that of <v, y> by x[i], and second that of the sum of
/// all <u[i], gradient[i]>, by the operands that may be shifted and then by v.
struct Differentiated : Recorded {
  Tensor v;
  std::vector<Tensor> gradient;
  std::vector<Tensor> shifted;  // operands of real numbers, then v
  Tensor s;
  std::vector<Tensor> second;

  Differentiated(const Case& c, const std::vector<Array>& values, Draw draw,
                 tg::Precision precision = tg::float64)
      : Recorded(c, values, precision) {
    v = tape.input(draw.from(tg::uniform(-1, 1), y.shape()));
    gradient.resize(x.size());
    tg::gradients(tg::seeded(y, v), x, gradient);
    if (c.op->vjp.flow() != Flow::rule) return;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (c.op->sample[i].whole) continue;
      const Tensor term =
          sum(gradient[i] * tape.input(draw.from(tg::uniform(-1, 1), x[i].shape())));
      s = s.defined() ? s + term : term;
      shifted.push_back(x[i]);
    }
    shifted.push_back(v);
    second.resize(shifted.size());
    tg::gradients(s, shifted, second);
  }
};

bool differentiable(const Case& c) { return c.op->vjp.flow() != Flow::none; }
bool twice_differentiable(const Case& c) { return c.op->vjp.flow() == Flow::rule; }

bool same_bits(const Numbers& a, const Numbers& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

double dot(const Numbers& a, const Numbers& b) {
  long double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<long double>(a[i]) * b[i];
  return static_cast<double>(sum);
}

/// The derivative of f by the step of one number from x on, of fourth order.
double difference(double x, const std::function<double(double)>& f) {
  constexpr double h = 5e-4;
  const double near = f(x + h) - f(x - h), far = f(x + 2 * h) - f(x - 2 * h);
  return (8 * near - far) / (12 * h);
}

/// Compares a gradient of `value` by the leaf x with differences, and names the worst element.
void compare_with_differences(const Tensor& x, const Numbers& analytic, const std::string& what,
                              const std::function<double()>& value) {
  const Array original = x.array();
  const Numbers start = original.values();
  double worst = 0;
  std::string message;
  BOOST_TEST_REQUIRE(analytic.size() == start.size());
  for (std::size_t j = 0; j < start.size(); ++j) {
    const double numeric = difference(start[j], [&](double at) {
      Numbers moved = start;
      moved[j] = at;
      x.set(Array(original.shape(), moved));
      return value();
    });
    const double scale = std::max({1e-2, std::abs(analytic[j]), std::abs(numeric)});
    const double error = std::abs(analytic[j] - numeric) / scale;
    if (error <= 2e-8 || error < worst) continue;  // a NaN goes on
    worst = error;
    message = fmt::format("{} element {}: {} on the tape, {} by differences", what, j, analytic[j],
                          numeric);
  }
  x.set(original);
  if (!message.empty()) BOOST_ERROR(message);
}

void compare_in_float(const Tensor& narrow, const Tensor& wide, const std::string& what,
                      double tolerance) {
  const Numbers a = narrow.values(), b = wide.values();
  BOOST_TEST_REQUIRE(a.size() == b.size());
  double largest = 1;
  for (double number : b)
    if (std::isfinite(number)) largest = std::max(largest, std::abs(number));
  for (std::size_t j = 0; j < a.size(); ++j)
    if (a[j] != b[j] && !(std::abs(a[j] - b[j]) <= tolerance * largest))
      BOOST_ERROR(fmt::format("{} element {}: {} in float32, {} in float64", what, j, a[j], b[j]));
}

BOOST_AUTO_TEST_SUITE(catalogue)

// ---------------------------------------------------------------- blocks

BOOST_AUTO_TEST_CASE(every_block_is_complete) {
  BOOST_TEST(tg::catalogue().size() > 40u);
  std::set<std::string_view> names;
  for (const Op* op : tg::catalogue()) BOOST_TEST_CONTEXT(op->name) {
      BOOST_TEST(!op->name.empty());
      BOOST_TEST(names.insert(op->name).second, "the name is taken twice");
      BOOST_TEST(op->sample.count > 0u);
      const std::string notation(op->notation);
      const bool any_number = notation.find("{...}") != std::string::npos;
      std::size_t places = 0;
      for (std::size_t at = 0; (at = notation.find("{}", at)) != std::string::npos; at += 2)
        ++places;
      BOOST_TEST(places == (any_number ? 0 : op->sample.count));
      const std::vector<Case> cases = cases_of(*op);
      BOOST_TEST(!cases.empty(), "an op that is not elementwise needs .examples");
      for (const Case& c : cases)
        if (!any_number) BOOST_TEST(c.shapes.size() == op->sample.count);
      BOOST_TEST((op->forward.f32() == nullptr) == (op->forward.f64() == nullptr));
      if (op->forward.f64() == nullptr) BOOST_TEST((op->alias != nullptr), "nothing computes it");
      for (std::size_t i = 0; i < op->sample.count; ++i)
        BOOST_TEST(op->sample[i].low < op->sample[i].high);
    }
}

BOOST_AUTO_TEST_CASE(every_block_in_the_sources_is_in_the_catalogue) {
  const std::regex definition(R"(\bOp\s+(\w+)_op\s*=)");
  std::map<std::string, int> defined;
  for (const auto& entry :
       std::filesystem::directory_iterator(TAPEGRAD_SOURCE_DIR "/lib/tapegrad/ops")) {
    if (entry.path().extension() != ".cpp") continue;
    std::ifstream file(entry.path());
    const std::string source{std::istreambuf_iterator<char>(file), {}};
    for (std::sregex_iterator at(source.begin(), source.end(), definition), end; at != end; ++at)
      ++defined[(*at)[1]];
  }
  std::set<std::string> listed;
  for (const Op* op : tg::catalogue()) listed.emplace(op->name);
  for (const auto& [name, times] : defined) {
    BOOST_TEST(listed.count(name) == 1u, name << "_op is not in the catalogue under this name");
    BOOST_TEST(times == 1, name << "_op is defined twice");
  }
  for (const std::string& name : listed)
    BOOST_TEST(defined.count(name) == 1u, "there is no block " << name << "_op");
  BOOST_TEST(defined.size() == tg::catalogue().size());
}

// ---------------------------------------------------------------- values

BOOST_AUTO_TEST_CASE(elementwise_shapes_follow_the_rule_of_broadcasting_or_are_refused) {
  for (const Op* op : tg::catalogue()) {
    if (!guessed(*op)) continue;
    for (const Case& c : combinations(*op)) {
      Tape tape;
      std::vector<Tensor> x;
      for (const Shape& shape : c.shapes) x.push_back(tape.input(shape));
      const std::optional<Shape> expected = common_shape(c.shapes);
      const std::size_t size = tape.size();
      std::string error;
      try {
        const Tensor y = tg::record(*op, args(x), c.attributes);
        if (!expected || y.shape() != *expected)
          BOOST_ERROR(fmt::format("{} has the shape {}", text(c), tg::text(y.shape())));
        continue;
      } catch (const tg::Error& refused) {
        error = refused.what();
      }
      if (expected || error.find(op->name) == std::string::npos || tape.size() != size)
        BOOST_ERROR(fmt::format("{}: {}", text(c), error));
    }
  }
  BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(values_of_the_domains_are_finite) {
  for_each_case([](const Case& c) {
    const Recorded r(c, Draw(c, 0).operands(c));
    for (const Tensor& x : r.x)
      if (x.numel() == 0) return;  // of nothing, the largest is -infinity and the mean NaN
    for (double y : r.y.values()) BOOST_TEST(std::isfinite(y));
  });
}

/// Runs a record's kernel between guards, on memory filled with something.
template <class T>
std::vector<T> run_between_guards(const Recorded& r, T filling) {
  constexpr std::size_t guard = 16;
  const tg::Recording& recording = r.tape.recording();
  const tg::Id id = recording.id_of(r.y, "test", tg::Site::here());
  const Op& op = *recording.node(id).op;
  const auto operands = recording.operands(id);
  std::vector<tg::Input> in;
  for (tg::Id operand : operands) {
    const Shape& shape = recording.node(operand).shape;
    in.push_back({recording.address(operand), shape.numel() == 1 ? 0 : 1, &shape});
  }
  const tg::Operands described(op, recording, operands, recording.attributes(id));
  const auto n = static_cast<std::size_t>(r.y.numel());
  const auto m = op.scratch ? static_cast<std::size_t>(op.scratch(described)) : 0;
  std::vector<T> memory(n + 2 * guard, filling), scratch(m + 2 * guard, filling);
  (sizeof(T) == 4 ? op.forward.f32()
                  : op.forward.f64())({.out = memory.data() + guard,
                                       .count = r.y.numel(),
                                       .in = in.data(),
                                       .attributes = recording.attributes(id).data(),
                                       .shape = &recording.node(id).shape,
                                       .scratch = scratch.data() + guard,
                                       .inputs = static_cast<std::uint32_t>(in.size())});
  const auto untouched = [&](const std::vector<T>& around, std::size_t size) {
    for (std::size_t i = 0; i < guard; ++i)
      if (std::memcmp(&around[i], &filling, sizeof(T)) != 0 ||
          std::memcmp(&around[guard + size + i], &filling, sizeof(T)) != 0)
        return false;
    return true;
  };
  BOOST_TEST(untouched(memory, n), "the kernel writes outside its result");
  BOOST_TEST(untouched(scratch, m), "the kernel writes outside its scratch");
  return {memory.begin() + guard, memory.end() - guard};
}

template <class T>
void check_kernel(const Case& c, tg::Precision precision) {
  if (c.op->forward.f64() == nullptr) return;
  const Recorded r(c, Draw(c, 1).operands(c), precision);
  if (c.op->kind ==
      Kind::elementwise)  // one range: operands of the result's shape, or of one element
    for (const Tensor& x : r.x)
      if (x.shape() != r.y.shape() && x.numel() != 1) return;
  const std::vector<T> first = run_between_guards<T>(r, std::numeric_limits<T>::quiet_NaN());
  const std::vector<T> second = run_between_guards<T>(r, T(-7.5));
  const auto recorded = r.y.span<T>();
  const std::vector<T> expected(recorded.begin(), recorded.end());
  BOOST_TEST((first == expected), "the kernel leaves out elements of its result");
  BOOST_TEST((second == expected), "the kernel adds to what it finds in its result or its scratch");
}

BOOST_AUTO_TEST_CASE(a_kernel_writes_every_element_of_the_shape_and_no_other) {
  for_each_case([](const Case& c) {
    check_kernel<float>(c, tg::float32);
    check_kernel<double>(c, tg::float64);
  });
}

BOOST_AUTO_TEST_CASE(an_elementwise_op_computes_each_element_as_if_it_were_alone) {
  for_each_case([](const Case& c) {
    if (!guessed(*c.op)) return;
    const std::vector<Array> values = Draw(c, 2).operands(c);
    Recorded r(c, values);
    const Numbers together = r.y.values();
    BOOST_TEST_REQUIRE(together.size() == static_cast<std::size_t>(r.y.numel()));
    for (std::size_t k = 0; k < together.size(); ++k) {
      std::vector<tg::Arg> one;
      for (std::size_t i = 0; i < values.size(); ++i)
        one.push_back(r.tape.constant(values[i].values()[met(k, r.y.shape(), c.shapes[i])]));
      const double alone = tg::record(*c.op, one).item();
      if (together[k] != alone)
        BOOST_ERROR(fmt::format("element {} is {}, alone it is {}", k, together[k], alone));
    }
  });
}

BOOST_AUTO_TEST_CASE(a_number_is_an_operand_of_rank_0) {
  for_each_case([](const Case& c) {
    if (!guessed(*c.op) || c.shapes.size() < 2) return;
    for (std::size_t i = 0; i < c.shapes.size(); ++i) {
      if (c.shapes[i].rank() != 0) continue;
      const std::vector<Array> values = Draw(c, 3).operands(c);
      const Recorded r(c, values);
      std::vector<tg::Arg> with_number = args(r.x);
      with_number[i] = values[i].item();
      const Tensor y = tg::record(*c.op, with_number);
      BOOST_TEST((y.array() == r.y.array()), "operand " << i << " as a number");
    }
  });
}

BOOST_AUTO_TEST_CASE(float32_and_float64_agree_to_float_precision) {
  for_each_case([](const Case& c) {
    const std::vector<Array> values = Draw(c, 4).operands(c);
    if (!differentiable(c)) {
      const Recorded narrow(c, values, tg::float32), wide(c, values);
      compare_in_float(narrow.y, wide.y, "value", 2e-6);
      return;
    }
    const Differentiated narrow(c, values, Draw(c, 5), tg::float32), wide(c, values, Draw(c, 5));
    compare_in_float(narrow.y, wide.y, "value", 2e-6);
    for (std::size_t i = 0; i < wide.x.size(); ++i)
      compare_in_float(narrow.gradient[i], wide.gradient[i], fmt::format("gradient {}", i), 1e-5);
    for (std::size_t i = 0; i < wide.second.size(); ++i)
      compare_in_float(narrow.second[i], wide.second[i], fmt::format("second {}", i), 1e-4);
  });
}

BOOST_AUTO_TEST_CASE(replay_after_changing_the_leaves_equals_recording_afresh) {
  const auto compare = [](const Tensor& replayed, const Tensor& afresh, const std::string& what) {
    if (!same_bits(replayed.values(), afresh.values()))
      BOOST_ERROR(fmt::format("{}: {} replayed, {} afresh", what, replayed, afresh));
  };
  for_each_case([&](const Case& c) {
    const std::vector<Array> before = Draw(c, 6).operands(c), after = Draw(c, 7).operands(c);
    for (const tg::Precision precision : {tg::float32, tg::float64}) {
      if (!differentiable(c)) {
        Recorded r(c, before, precision);
        const Recorded afresh(c, after, precision);
        r.set(after);
        r.tape.replay(r.y);
        compare(r.y, afresh.y, "value");
        continue;
      }
      Differentiated r(c, before, Draw(c, 8), precision);
      const Differentiated afresh(c, after, Draw(c, 8), precision);
      r.set(after);
      std::vector<Tensor> all = r.gradient;
      all.insert(all.end(), r.second.begin(), r.second.end());
      all.push_back(r.y);
      r.tape.replay_all(all);
      compare(r.y, afresh.y, "value");
      for (std::size_t i = 0; i < r.x.size(); ++i)
        compare(r.gradient[i], afresh.gradient[i], fmt::format("gradient {}", i));
      for (std::size_t i = 0; i < r.second.size(); ++i)
        compare(r.second[i], afresh.second[i], fmt::format("second {}", i));
    }
  });
}

BOOST_AUTO_TEST_CASE(an_effect_gives_its_leaf_the_recorded_value_when_a_run_ends) {
  for_each_case([](const Case& c) {
    if (c.op->kind != Kind::effect) return;
    Recorded r(c, Draw(c, 9).operands(c));
    const Numbers before = r.x[0].values(), update = r.y.values();
    BOOST_TEST(before != update);
    r.tape.replay(r.y);
    BOOST_TEST(r.x[0].values() == update);
    BOOST_TEST(r.y.values() == update);
  });
}

// ---------------------------------------------------------------- other arithmetic

/// A case run again, its operands replaced by the numbers put(i, element) gives.
template <class Put>
std::vector<tg::Number> run_with(const Recorded& r, const tg::NumberSystem& system, Put put) {
  const tg::Recording& recording = r.tape.recording();
  const tg::Site here = tg::Site::here();
  const tg::Id y = recording.id_of(r.y, "test", here);
  const auto x = recording.operands(y);
  tg::Trial<tg::Number> trial(recording, std::vector{y}, x, here, &system);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::span<tg::Number> numbers = trial.free(x[i]);
    for (std::size_t j = 0; j < numbers.size(); ++j) numbers[j] = put(i, j);
  }
  trial.run();
  const auto result = trial.values(y);
  return {result.begin(), result.end()};
}

BOOST_AUTO_TEST_CASE(a_kernel_computes_in_every_arithmetic_what_it_computes_in_doubles) {
  std::vector<tg::Branch> log;
  const tg::BranchNotes notes(log);
  const std::map<std::string, const tg::NumberSystem*> systems = {
      {"fifty digits", &tg::fifty_digits()},
      {"dual numbers", &tg::dual_numbers()},
      {"complex numbers", &tg::complex_step()},
      {"noted doubles", &notes}};
  for_each_case([&](const Case& c) {
    const std::vector<Array> values = Draw(c, 26).operands(c);
    const Recorded r(c, values);
    const Numbers expected = r.y.values();
    double largest = 1;
    for (const double y : expected) largest = std::max(largest, std::abs(y));
    for (const auto& [name, system] : systems) {
      const tg::NumberSystem& in = *system;
      const auto y = run_with(
          r, in, [&](std::size_t i, std::size_t j) { return in.number(values[i].values()[j]); });
      for (std::size_t k = 0; k < y.size(); ++k) {
        const auto found = static_cast<double>(y[k]);
        if (found != expected[k] && !(std::abs(found - expected[k]) <= 1e-15 * largest))
          BOOST_ERROR(
              fmt::format("element {}: {} in {}, {} in doubles", k, found, name, expected[k]));
      }
    }
    log.clear();
  });
}

BOOST_AUTO_TEST_CASE(what_a_view_copies_keeps_all_its_digits) {
  const tg::Number beyond_double = tg::fifty_digits().number(1e-30);
  for_each_case([&](const Case& c) {
    if (c.op->kind != Kind::view) return;
    const std::vector<Array> values = Draw(c, 27).operands(c);
    const Recorded r(c, values);
    std::map<double, tg::Number> put;
    const auto y = run_with(r, tg::fifty_digits(), [&](std::size_t i, std::size_t j) {
      const double x = values[i].values()[j];
      return c.op->sample[i].whole ? tg::Number(x) : put[x] = x + beyond_double;
    });
    const Numbers in_doubles = r.y.values();
    for (std::size_t k = 0; k < y.size(); ++k) {
      const auto copied = put.find(in_doubles[k]);
      if (copied != put.end() && y[k] != copied->second)
        BOOST_ERROR(fmt::format("element {} has lost digits", k));
    }
  });
}

// ---------------------------------------------------------------- derivatives

BOOST_AUTO_TEST_CASE(first_derivatives_agree_with_differences) {
  for_each_case([](const Case& c) {
    if (!differentiable(c)) return;
    Differentiated r(c, Draw(c, 10).operands(c), Draw(c, 11));
    const Numbers v = r.v.values();
    std::vector<Numbers> analytic;
    for (const Tensor& g : r.gradient) analytic.push_back(g.values());
    for (std::size_t i = 0; i < r.x.size(); ++i) {
      if (c.op->sample[i].whole) continue;
      compare_with_differences(r.x[i], analytic[i], fmt::format("operand {}", i), [&] {
        r.tape.replay(r.y);
        return dot(v, r.y.values());
      });
    }
  });
}

BOOST_AUTO_TEST_CASE(first_derivatives_agree_with_forward_mode) {
  const std::map<std::string, const tg::DualSystem*> systems = {
      {"dual numbers", &tg::dual_numbers()},
      {"dual fifty digits", &tg::dual_fifty_digits()},
      {"complex step", &tg::complex_step()}};
  for_each_case([&](const Case& c) {
    if (!differentiable(c)) return;
    const std::vector<Array> values = Draw(c, 28).operands(c);
    const Differentiated r(c, values, Draw(c, 29));
    const Numbers v = r.v.values();
    Draw draw(c, 30);
    std::vector<Numbers> direction;
    double backward = 0, size = 1;
    for (std::size_t i = 0; i < values.size(); ++i) {
      direction.push_back(draw.from(tg::uniform(-1, 1), values[i].shape()).values());
      if (c.op->sample[i].whole) direction[i].assign(direction[i].size(), 0);
      const Numbers gradient = r.gradient[i].values();
      backward += dot(gradient, direction[i]);
      for (const double g : gradient) size += std::abs(g);
    }
    for (const auto& [name, system] : systems) {
      const tg::DualSystem& in = *system;
      const auto y = run_with(r, in, [&](std::size_t i, std::size_t j) {
        return in.dual(values[i].values()[j], direction[i][j]);
      });
      Numbers slopes;
      for (const tg::Number& at : y) slopes.push_back(static_cast<double>(in.derivative(at)));
      const double forward = dot(v, slopes);
      if (!(std::abs(forward - backward) <= 1e-14 * size))
        BOOST_ERROR(fmt::format("{} backward, {} forward in {}", backward, forward, name));
    }
  });
}

BOOST_AUTO_TEST_CASE(second_derivatives_agree_with_differences_of_the_first) {
  for_each_case([](const Case& c) {
    if (!twice_differentiable(c)) return;
    Differentiated r(c, Draw(c, 12).operands(c), Draw(c, 13));
    std::vector<Numbers> analytic;
    for (const Tensor& g : r.second) analytic.push_back(g.values());
    for (std::size_t i = 0; i < r.shifted.size(); ++i) {
      BOOST_TEST((r.second[i].shape() == r.shifted[i].shape()));
      const bool seed = i + 1 == r.shifted.size();
      compare_with_differences(r.shifted[i], analytic[i],
                               seed ? "the seed" : fmt::format("shifted operand {}", i), [&] {
                                 r.tape.replay(r.s);
                                 return r.s.item();
                               });
    }
  });
}

BOOST_AUTO_TEST_CASE(a_gradient_has_the_shape_of_its_operand) {
  for_each_case([](const Case& c) {
    if (!differentiable(c)) return;
    const Differentiated r(c, Draw(c, 14).operands(c), Draw(c, 15));
    for (std::size_t i = 0; i < r.x.size(); ++i) {
      BOOST_TEST((r.gradient[i].shape() == c.shapes[i]), "operand "
                                                             << i << " has a gradient of the shape "
                                                             << tg::text(r.gradient[i].shape()));
      BOOST_TEST(r.gradient[i].values().size() == static_cast<std::size_t>(c.shapes[i].numel()));
    }
  });
}

BOOST_AUTO_TEST_CASE(an_operand_asked_for_alone_gets_what_it_gets_among_all) {
  for_each_case([](const Case& c) {
    if (!differentiable(c)) return;
    const std::vector<Array> values = Draw(c, 16).operands(c);
    const Differentiated all(c, values, Draw(c, 17));
    for (std::size_t i = 0; i < values.size(); ++i) {
      Recorded r(c, values);
      const Tensor v = r.tape.input(Draw(c, 17).from(tg::uniform(-1, 1), r.y.shape()));
      const Numbers share = gradient(tg::seeded(r.y, v), r.x[i]).values();
      if (!same_bits(share, all.gradient[i].values()))
        BOOST_ERROR(fmt::format("operand {} gets other numbers alone", i));
    }
  });
}

BOOST_AUTO_TEST_CASE(whole_numbers_get_zeros) {
  for_each_case([](const Case& c) {
    if (!differentiable(c)) return;
    const Differentiated r(c, Draw(c, 18).operands(c), Draw(c, 19));
    for (std::size_t i = 0; i < r.x.size(); ++i)
      if (c.op->sample[i].whole)
        BOOST_TEST(r.gradient[i].values() == Numbers(r.gradient[i].values().size()));
  });
}

BOOST_AUTO_TEST_CASE(what_is_piecewise_constant_has_a_gradient_of_zeros) {
  for_each_case([](const Case& c) {
    if (c.op->vjp.flow() != Flow::zero) return;
    const Differentiated r(c, Draw(c, 20).operands(c), Draw(c, 21));
    for (const Tensor& g : r.gradient) BOOST_TEST(g.values() == Numbers(g.values().size()));
  });
}

BOOST_AUTO_TEST_CASE(what_stops_the_flow_leaves_nothing_to_ask_for) {
  for_each_case([](const Case& c) {
    if (differentiable(c)) return;
    Recorded r(c, Draw(c, 22).operands(c));
    for (const Tensor& x : r.x) {
      const Tensor beside = sum(r.y) + sum(x) * 3.0;
      BOOST_CHECK_THROW(gradient(sum(r.y), x), tg::Error);
      BOOST_TEST(gradient(beside, x).values() == Numbers(x.values().size(), 3.0));
    }
  });
}

BOOST_AUTO_TEST_CASE(a_seed_of_zeros_gives_zeros) {
  for_each_case([](const Case& c) {
    if (!differentiable(c)) return;
    const Recorded r(c, Draw(c, 23).operands(c));
    const Tensor v = broadcast_to(r.tape.recording().number(0.0), r.y.shape());
    std::vector<Tensor> g(r.x.size());
    tg::gradients(tg::seeded(r.y, v), r.x, g);
    for (std::size_t i = 0; i < g.size(); ++i)
      for (double number : g[i].values())
        if (number != 0) BOOST_ERROR(fmt::format("operand {} gets {}", i, number));
  });
}

// Second derivatives that vanish are records of zeros: asking for them is no error.
BOOST_AUTO_TEST_CASE(second_derivatives_of_piecewise_linear_functions_are_zeros) {
  Tape tape;
  const Tensor x = tape.input({-1.5, 0.0, 2.0}), other = tape.input({0.5, 0.0, 3.0});
  const std::vector<std::pair<std::string, Tensor>> functions = {
      {"relu", relu(x)},
      {"abs", abs(x)},
      {"maximum", maximum(x, other)},
      {"minimum", minimum(other, x)},
      {"clamp", clamp(x, -1, 1)},
      {"leaky_relu", leaky_relu(x)},
      {"max", max(x)},
      {"where", where(x > 0, x, 2 * x) * (x > 0)}};
  for (const auto& [name, y] : functions) BOOST_TEST_CONTEXT(name) {
      const Tensor first = gradient(sum(y), x);
      const Tensor second = gradient(sum(first), x);
      BOOST_TEST(second.values() == Numbers(3));
      BOOST_TEST((second.shape() == x.shape()));
    }
}

// ---------------------------------------------------------------- the cut

/// times(a, s) and its derivatives: value, by a, by s, by a and s, by a twice, by s twice.
struct TimesDerivatives {
  double value, a, s, as, sa, aa, ss;
  TimesDerivatives(double adjoint, double local) {
    Tape tape;
    const Tensor x = tape.input(adjoint), y = tape.input(local);
    const Tensor product = tg::times(x, y);
    const auto [ga, gs] = gradient(product, x, y);
    const auto [gaa, gas] = gradient(ga, x, y);
    const auto [gsa, gss] = gradient(gs, x, y);
    value = product.item();
    a = ga.item(), s = gs.item();
    aa = gaa.item(), as = gas.item(), sa = gsa.item(), ss = gss.item();
  }
};

BOOST_AUTO_TEST_CASE(behind_a_cut_everything_is_zero_to_second_order) {
  for (const double adjoint : {0.0, -0.0})
    for (const double local : {infinity, -infinity, not_a_number})
      BOOST_TEST_CONTEXT(adjoint << " times " << local) {
        const TimesDerivatives d(adjoint, local);
        BOOST_TEST(d.value == 0);
        BOOST_TEST(d.a == 0);
        BOOST_TEST(d.s == 0);
        BOOST_TEST(d.aa == 0);
        BOOST_TEST(d.as == 0);
        BOOST_TEST(d.sa == 0);
        BOOST_TEST(d.ss == 0);
      }
}

BOOST_AUTO_TEST_CASE(a_zero_adjoint_times_a_finite_derivative_is_a_product_like_any_other) {
  const TimesDerivatives d(0.0, 3.0);
  BOOST_TEST(d.value == 0);
  BOOST_TEST(d.a == 3);
  BOOST_TEST(d.s == 0);
  BOOST_TEST(d.as == 1);
  BOOST_TEST(d.sa == 1);
  BOOST_TEST(d.aa == 0);
  BOOST_TEST(d.ss == 0);
}

BOOST_AUTO_TEST_CASE(an_adjoint_that_is_not_zero_shows_what_is_not_finite) {  // E17
  BOOST_TEST(TimesDerivatives(2, infinity).value == infinity);
  BOOST_TEST(TimesDerivatives(-2, infinity).value == -infinity);
  BOOST_TEST(std::isnan(TimesDerivatives(1e-300, not_a_number).value));
  BOOST_TEST(std::isnan(TimesDerivatives(not_a_number, 2).value));
  BOOST_TEST(std::isnan(TimesDerivatives(not_a_number, infinity).value));
}

BOOST_AUTO_TEST_CASE(the_branch_not_taken_leaves_no_trace_at_its_singularity) {  // E9
  Tape tape;
  const Tensor x = tape.input(0.0);
  const Tensor y = where(x > 0, sqrt(x), 0.0);
  const Tensor first = gradient(y, x), second = gradient(first, x);
  BOOST_TEST(y.item() == 0);
  BOOST_TEST(first.item() == 0);
  BOOST_TEST(second.item() == 0);

  x.set(4.0);  // and on the other side, the same records give the derivatives of sqrt
  tape.replay(first, second);
  BOOST_TEST(first.item() == 0.25);
  BOOST_TEST(second.item() == -1.0 / 32);
}

BOOST_AUTO_TEST_CASE(the_branch_taken_keeps_its_derivatives_beside_a_singular_one) {
  Tape tape;
  const Tensor x = tape.input({0.0, -3.0, 4.0});
  const Tensor y = where(x > 0, log(x) / sqrt(x), x * x);
  const Tensor first = gradient(sum(y), x), second = gradient(sum(first), x);
  BOOST_TEST(first.at(0) == 0);
  BOOST_TEST(second.at(0) == 2);
  BOOST_TEST(first.at(1) == -6);
  BOOST_TEST(second.at(1) == 2);
  const double slope = (1 - std::log(4.0) / 2) / 8;     // (1 - log(x) / 2) x^(-3/2)
  const double bend = (0.75 * std::log(4.0) - 2) / 32;  // (3/4 log(x) - 2) x^(-5/2)
  BOOST_TEST(first.at(2) == slope, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(second.at(2) == bend, boost::test_tools::tolerance(1e-14));
}

// Where the adjoint of a layer is zero because the fit is perfect, its curvature is not.
BOOST_AUTO_TEST_CASE(the_hessian_at_a_perfect_fit_is_not_lost) {
  Tape tape;
  const Tensor w = tape.parameter({{1.0, -2.0}, {0.5, 3.0}});  // (in, out)
  const Tensor x = tape.input({{2.0, 1.0}});                   // one sample
  const Tensor target = tape.input({{2.5, -1.0}});             // x w, exactly
  const Tensor loss = half_squared_error(matmul(x, w), target);
  const Tensor g = gradient(loss, w);
  BOOST_TEST(loss.item() == 0);
  BOOST_TEST(g.values() == Numbers(4));
  // d2 loss / dw_ij dw_kl = x_i x_k [j = l]: the row of w_00 is x_0 x_k in the first column
  const Tensor row = gradient(sum(g * tape.constant({{1, 0}, {0, 0}})), w);
  BOOST_TEST(row.values() == Numbers({4, 0, 2, 0}));
  const Tensor mean_row = gradient(
      sum(gradient(mse_loss(matmul(x, w), target), w) * tape.constant({{0, 0}, {0, 1}})), w);
  BOOST_TEST(mean_row.values() == Numbers({0, 2, 0, 1}));
  const Tensor composed = 0.5 * sum(square(matmul(x, w) - target));
  const Tensor composed_row =
      gradient(sum(gradient(composed, w) * tape.constant({{1, 0}, {0, 0}})), w);
  BOOST_TEST(composed_row.values() == Numbers({4, 0, 2, 0}));
}

BOOST_AUTO_TEST_CASE(a_product_of_matrices_cuts_as_a_product_of_numbers_does) {
  Tape tape;
  const Tensor x = tape.input({{2.0, 1.0}});
  const Tensor w = tape.input({{3.0, infinity}, {5.0, not_a_number}});
  const Tensor y = matmul(x, w);  // (1, 2): 11, NaN
  BOOST_TEST(y.at(0, 0) == 11);
  BOOST_TEST(std::isnan(y.at(0, 1)));
  // Only the first column is looked at: the adjoint of the second is exactly zero.
  const Tensor seen = where(tape.constant({{1, 0}}), y, 0.0);
  const auto [gx, gw] = gradient(sum(square(seen)), x, w);  // 2 y_0 w_i0 and 2 y_0 x_i
  BOOST_TEST(gx.values() == Numbers({66, 110}));
  BOOST_TEST(gw.values() == Numbers({44, 0, 22, 0}));
  const auto [second_x, second_w] = gradient(sum(gx), x, w);
  // sum of gx = 2 (x_0 w_00 + x_1 w_10) (w_00 + w_10)
  BOOST_TEST(second_x.values() == Numbers({48, 80}));
  BOOST_TEST(second_w.values() == Numbers({2 * (2 * 8 + 11), 0, 2 * (1 * 8 + 11), 0}));
  // With another seed the infinity is seen.
  const Tensor visible = gradient(tg::seeded(y, tape.constant({{0, 1}})), x);
  BOOST_TEST(visible.at(0, 0) == infinity);
  BOOST_TEST(std::isnan(visible.at(0, 1)));
}

/// A product of matrices whose left or right operand is an adjoint, as the derivative of matmul
/// records it.
Tensor matmul_with_cut(const Tensor& a, bool a_turned, const Tensor& b, bool b_turned,
                       bool left_is_adjoint) {
  for (const Op* op : tg::catalogue())
    if (op->name == "matmul")
      return tg::record(*op, {a, b}, {a_turned, b_turned, left_is_adjoint ? 1 : 2});
  throw tg::Error("matmul", "is not in the catalogue");
}

/// The same, composed of `times` on single numbers and a sum.
Tensor composed_of_times(const Tensor& a, bool a_turned, const Tensor& b, bool b_turned,
                         bool left_is_adjoint) {
  const Tensor left = a_turned ? transpose(a) : a, right = b_turned ? transpose(b) : b;
  const Tensor x = reshape(left, {left.size(0), left.size(1), 1});
  const Tensor y = reshape(right, {1, right.size(0), right.size(1)});
  return sum(left_is_adjoint ? tg::times(x, y) : tg::times(y, x), 1);
}

void compare_with_composition(const Tensor& block, const Tensor& composed, const char* what) {
  BOOST_TEST_REQUIRE((block.shape() == composed.shape()));
  const Numbers x = block.values(), y = composed.values();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!(std::isnan(x[i]) && std::isnan(y[i])) && x[i] != y[i])
      BOOST_ERROR(fmt::format("{} element {}: {}, composed of times {}", what, i, x[i], y[i]));
}

BOOST_AUTO_TEST_CASE(a_product_of_matrices_cuts_in_every_transposition_on_both_sides) {
  const auto turned = [](const Array& m) {
    return Array(Shape{2, 2}, {m.at(0, 0), m.at(1, 0), m.at(0, 1), m.at(1, 1)});
  };
  for (const bool a_turned : {false, true})
    for (const bool b_turned : {false, true})
      for (const bool left_is_adjoint : {false, true})
        for (const double bad : {infinity, -infinity, not_a_number, 5.0})
          BOOST_TEST_CONTEXT(a_turned << b_turned << left_is_adjoint << " with " << bad) {
            Tape tape;
            const Array adjoint(Shape{2, 2}, {0.0, 2.0, 3.0, -1.0});
            const Array local(Shape{2, 2}, {bad, 4.0, 1.5, -2.0});
            const Array left = left_is_adjoint ? adjoint : local;
            const Array right = left_is_adjoint ? local : adjoint;
            const Tensor a = tape.input(a_turned ? turned(left) : left);
            const Tensor b = tape.input(b_turned ? turned(right) : right);
            const Tensor v = tape.input({{1.0, 2.0}, {0.5, -1.0}});
            const Tensor u = tape.input({{1.0, -2.0}, {3.0, 0.5}});
            const Tensor y = matmul_with_cut(a, a_turned, b, b_turned, left_is_adjoint);
            const Tensor z = composed_of_times(a, a_turned, b, b_turned, left_is_adjoint);
            compare_with_composition(y, z, "value");
            const auto [ya, yb] = gradient(tg::seeded(y, v), a, b);
            const auto [za, zb] = gradient(tg::seeded(z, v), a, b);
            compare_with_composition(ya, za, "by the left");
            compare_with_composition(yb, zb, "by the right");
            const auto [yab, yav] = gradient(tg::seeded(ya, u), b, v);
            const auto [zab, zav] = gradient(tg::seeded(za, u), b, v);
            compare_with_composition(yab, zab, "by the left and the right");
            compare_with_composition(yav, zav, "by the left and the seed");
            const auto [yba, ybv] = gradient(tg::seeded(yb, u), a, v);
            const auto [zba, zbv] = gradient(tg::seeded(zb, u), a, v);
            compare_with_composition(yba, zba, "by the right and the left");
            compare_with_composition(ybv, zbv, "by the right and the seed");
          }
}

BOOST_AUTO_TEST_CASE(forward_values_are_never_cut) {  // E17
  Tape tape;
  const Tensor zero = tape.input(0.0), large = tape.input(infinity);
  BOOST_TEST(std::isnan((zero * large).item()));
  const Tensor row = tape.input({{0.0, 1.0}}),
               column = tape.input(Array(Shape{2, 1}, {infinity, 1}));
  BOOST_TEST(std::isnan(matmul(row, column).item()));
  BOOST_TEST(std::isnan((zero / zero).item()));
}

BOOST_AUTO_TEST_CASE(a_nan_with_an_adjoint_that_is_not_zero_stays_visible) {  // E17
  Tape tape;
  const Tensor x = tape.input({-1.0, not_a_number, 4.0});
  const Tensor g = gradient(sum(sqrt(x)), x);
  BOOST_TEST(std::isnan(g.at(0)));
  BOOST_TEST(std::isnan(g.at(1)));
  BOOST_TEST(g.at(2) == 0.25);
  const Tensor product = gradient(sum(x * tape.constant({1.0, 1.0, not_a_number})), x);
  BOOST_TEST(product.at(0) == 1);
  BOOST_TEST(std::isnan(product.at(2)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
