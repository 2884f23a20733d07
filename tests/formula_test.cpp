#include "tapegrad/inspect/formula.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <cmath>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "refusal.hpp"
#include "tapegrad/check/op_cases.hpp"
#include "tapegrad/tapegrad.hpp"

namespace tg = tapegrad;
using tg::Tensor;

namespace {

struct Fixture {
  tg::Tape tape;
  Tensor a = tape.input(0.7).named("a"), b = tape.input(-1.3).named("b");
  Tensor c = tape.input(2.1).named("c"), d = tape.input(0.4).named("d");
  Tensor m = tape.input({{1, 2}, {3, 4}}).named("m"), n = tape.input({{5, 6}, {7, 8}}).named("n");
};

/// Reads what people read: + - * / with their usual precedence, a minus in front as tight as a
/// product, ^ tighter, and functions.
class Evaluator {
 public:
  Evaluator(std::string_view text, const std::map<std::string, double>& names)
      : rest_(text), names_(names) {}

  double value() {
    const double result = sum();
    if (!rest_.empty()) throw std::runtime_error("not read: " + std::string(rest_));
    return result;
  }

 private:
  bool take(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }
  double sum() {
    double result = product();
    while (true)
      if (take(" + "))
        result += product();
      else if (take(" - "))
        result -= product();
      else
        return result;
  }
  double product() {
    double result = take("-") ? -power() : power();
    while (true)
      if (take(" * "))
        result *= power();
      else if (take(" / "))
        result /= power();
      else
        return result;
  }
  double power() {
    const double base = single();
    return take("^") ? std::pow(base, single()) : base;
  }
  double single() {
    if (take("(")) {
      const double result = sum();
      if (!take(")")) throw std::runtime_error("no bracket: " + std::string(rest_));
      return result;
    }
    if (std::isdigit(static_cast<unsigned char>(rest_[0])) != 0) {
      std::size_t length = 0;
      const double result = std::stod(std::string(rest_), &length);
      rest_.remove_prefix(length);
      return result;
    }
    const std::size_t length = std::min(rest_.find_first_of(" ()^"), rest_.size());
    const std::string word(rest_.substr(0, length));
    rest_.remove_prefix(length);
    if (word == "sin") return std::sin(single());
    if (word == "tanh") return std::tanh(single());
    return names_.at(word);
  }

  std::string_view rest_;
  const std::map<std::string, double>& names_;
};

/// A random expression.
Tensor drawn(tg::Random& random, std::span<const Tensor> leaves, int depth) {
  const auto one_of = [&](std::size_t count) {
    return static_cast<std::size_t>(random.uniform(0, static_cast<double>(count)));
  };
  if (depth == 0) return leaves[one_of(leaves.size())];
  const Tensor x = drawn(random, leaves, depth - 1);
  switch (one_of(9)) {
    case 0:
      return -x;
    case 1:
      return square(x);
    case 2:
      return sin(x);
    case 3:
      return tanh(x);
    case 4:
      return std::floor(random.uniform(-3, 3)) * x;
    default:
      break;
  }
  const Tensor y = drawn(random, leaves, depth - 1);
  switch (one_of(4)) {
    case 0:
      return x + y;
    case 1:
      return x - y;
    case 2:
      return x * y;
    default:
      return x / (2 + square(y));
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(formula, Fixture)

BOOST_AUTO_TEST_CASE(brackets_stand_where_precedence_needs_them) {
  BOOST_TEST(tg::formula(a - (b - c)) == "a - (b - c)");
  BOOST_TEST(tg::formula(a - b - c) == "a - b - c");
  BOOST_TEST(tg::formula(a - (b + c)) == "a - (b + c)");
  BOOST_TEST(tg::formula((a + b) * c) == "(a + b) * c");
  BOOST_TEST(tg::formula(a + b * c) == "a + b * c");
  BOOST_TEST(tg::formula(a / (b * c)) == "a / (b * c)");
  BOOST_TEST(tg::formula(a / b * c) == "a / b * c");
  BOOST_TEST(tg::formula(a / (b / c)) == "a / (b / c)");
  BOOST_TEST(tg::formula(square(a * b)) == "(a * b)^2");
  BOOST_TEST(tg::formula(a * square(b)) == "a * b^2");
  BOOST_TEST(tg::formula(pow(pow(a, b), c)) == "(a^b)^c");
  BOOST_TEST(tg::formula(pow(a, pow(b, c))) == "a^(b^c)");
  BOOST_TEST(tg::formula(pow(a, b - 1)) == "a^(b - 1)");
  BOOST_TEST(tg::formula(pow(a, 1.0)) == "a");
  BOOST_TEST(tg::formula(reciprocal(a * b)) == "1/(a * b)");
  BOOST_TEST(tg::formula(square(reciprocal(a))) == "(1/a)^2");
  BOOST_TEST(tg::formula(sin(a + b)) == "sin(a + b)");
  BOOST_TEST(tg::formula(square(sin(a))) == "sin(a)^2");
  BOOST_TEST(tg::formula(abs(a + b) * c) == "|a + b| * c");
  BOOST_TEST(tg::formula(c * (a < b)) == "c * (a < b)");
  BOOST_TEST(tg::formula(maximum(a - b, c)) == "max(a - b, c)");
}

BOOST_AUTO_TEST_CASE(what_is_associative_needs_no_brackets) {
  BOOST_TEST(tg::formula(a + (b + c)) == "a + b + c");
  BOOST_TEST(tg::formula(a + (b - c)) == "a + b - c");
  BOOST_TEST(tg::formula(a * (b * c)) == "a * b * c");
  BOOST_TEST(tg::formula(a * (b / c)) == "a * b / c");
}

BOOST_AUTO_TEST_CASE(a_minus_goes_to_the_front) {
  BOOST_TEST(tg::formula(-square(a)) == "-a^2");
  BOOST_TEST(tg::formula(square(-a)) == "(-a)^2");
  BOOST_TEST(tg::formula(a * -b) == "-a * b");
  BOOST_TEST(tg::formula(-a * -b) == "a * b");
  BOOST_TEST(tg::formula(a / -b) == "-a / b");
  BOOST_TEST(tg::formula(a + -b) == "a - b");
  BOOST_TEST(tg::formula(a - -b) == "a + b");
  BOOST_TEST(tg::formula(a + (-b + c)) == "a - b + c");
  BOOST_TEST(tg::formula(a - (-b + c)) == "a - (-b + c)");
  BOOST_TEST(tg::formula(c + (-a < b)) == "c + (-a < b)");
  BOOST_TEST(tg::formula(-(a + b)) == "-(a + b)");
  BOOST_TEST(tg::formula(-(a + b) * c) == "-(a + b) * c");
  BOOST_TEST(tg::formula(-(-a)) == "a");
  BOOST_TEST(tg::formula(sin(-a)) == "sin(-a)");
  BOOST_TEST(tg::formula(pow(a, -b)) == "a^(-b)");
  BOOST_TEST(tg::formula(-2 * a) == "-2 * a");
  BOOST_TEST(tg::formula(pow(-2, a)) == "(-2)^a");
  BOOST_TEST(tg::formula(half_squared_error(a, -b)) == "0.5 * sum((a - (-b))^2)");
}

BOOST_AUTO_TEST_CASE(numbers_are_put_together) {
  const Tensor two = tape.recording().number(2.0);
  BOOST_TEST(tg::formula(1 * a) == "a");
  BOOST_TEST(tg::formula(a * 1) == "a");
  BOOST_TEST(tg::formula(-1 * a) == "-a");
  BOOST_TEST(tg::formula(-1 * (a + b)) == "-(a + b)");
  BOOST_TEST(tg::formula(square(1 * (a + b))) == "(a + b)^2");
  BOOST_TEST(tg::formula(a + 0) == "a");
  BOOST_TEST(tg::formula(0 - a) == "-a");
  BOOST_TEST(tg::formula(a / 1) == "a");
  BOOST_TEST(tg::formula(two * 0.5 * a) == "a");
  BOOST_TEST(tg::formula(a * 0.5) == "0.5 * a");
  BOOST_TEST(tg::formula(a * (two - 5)) == "-3 * a");
  BOOST_TEST(tg::formula(a / 3.0 + 1.0 / 3) == "a / 3 + 0.333333");
  BOOST_TEST(tg::formula(a * (1 + 1e-9), {.digits = 10}) == "1.000000001 * a");
  BOOST_TEST(tg::formula(a * (1 + 1e-9)) == "1 * a");  // which is not a
}

BOOST_AUTO_TEST_CASE(attributes_show_where_a_formula_would_mislead) {
  BOOST_TEST(tg::formula(matmul(m, n)) == "m n");
  BOOST_TEST(tg::formula(gradient(tg::seeded(matmul(m, n), m), n)) == "m^T m");
  BOOST_TEST(tg::formula(matmul(m, transpose(n))) == "m n^T");
  BOOST_TEST(tg::formula(transpose(matmul(m, n))) == "(m n)^T");
  BOOST_TEST(tg::formula(matmul(matmul(m, n), m)) == "m n m");
  BOOST_TEST(tg::formula(matmul(m, matmul(n, m))) == "m (n m)");
  BOOST_TEST(tg::formula(matmul(m + n, n)) == "(m + n) n");
  BOOST_TEST(tg::formula(matmul(2 * m, -n)) == "(2 * m) (-n)");
  BOOST_TEST(tg::formula(a * matmul(m, n)) == "a * (m n)");
  BOOST_TEST(tg::formula(matmul(m, n) + b) == "m n + b");
  BOOST_TEST(tg::formula(b - matmul(m, n)) == "b - m n");
  BOOST_TEST(tg::formula(sum(m)) == "sum(m)");
  BOOST_TEST(tg::formula(sum(m, 1)) == "sum(m, axis 1)");
  const Tensor t = tape.input(tg::full(tg::Shape{2, 3, 4}, 1)).named("t");
  BOOST_TEST(tg::formula(mean(t, {0, 2})) == "mean(t, axes 0, 2)");
  BOOST_TEST(tg::formula(softmax(m, 0)) == "softmax(m, axis 0)");
  BOOST_TEST(tg::formula(permute(t, {2, 0, 1})) == "permute(t, axes 2, 0, 1)");
  BOOST_TEST(tg::formula(slice(m + n, 1, 0, 1)) == "(m + n)[:, 0:1]");
  BOOST_TEST(tg::formula(flip(m, 0)) == "m[1::-1]");
  BOOST_TEST(tg::formula(tg::concat({m, n, m}, 0)) == "concat(m, n, m, axis 0)");
  BOOST_TEST(tg::formula(tril(m, -1)) == "tril(m, diagonal -1)");
}

BOOST_AUTO_TEST_CASE(shapes_and_broadcasting_go_without_saying_beside_another_operand) {
  BOOST_TEST(tg::formula(reshape(m, {2, 1, 2})) == "m");
  BOOST_TEST(tg::formula(reshape(m, {4})) == "reshape(m)");
  BOOST_TEST(tg::formula(broadcast_to(a, tg::Shape{2, 2})) == "broadcast(a)");
  BOOST_TEST(tg::formula(broadcast_to(m, tg::Shape{2, 2})) == "m");
  BOOST_TEST(tg::formula(broadcast_to(a + b, tg::Shape{2, 2}) * m) == "(a + b) * m");
  BOOST_TEST(tg::formula(exp(broadcast_to(a, tg::Shape{2}))) == "exp(broadcast(a))");
}

BOOST_AUTO_TEST_CASE(a_product_with_a_reciprocal_is_a_quotient) {
  BOOST_TEST(tg::formula(a * (1 / b)) == "a / b");
  BOOST_TEST(tg::formula(a * reciprocal(b + c)) == "a / (b + c)");
  BOOST_TEST(tg::formula(a * rsqrt(b)) == "a / sqrt(b)");
  BOOST_TEST(tg::formula((a + b) * (1 / c * d)) == "(a + b) / c * d");
  BOOST_TEST(tg::formula(a * -(1 / b)) == "-a / b");
  BOOST_TEST(tg::formula(a * (10 / b)) == "a * 10 / b");
}

BOOST_AUTO_TEST_CASE(every_op_of_the_catalogue_writes_all_its_operands) {
  for (const tg::Op* op : tg::catalogue())
    for (const tg::OpCase& example : cases_of(*op)) BOOST_TEST_CONTEXT(op->name) {
        tg::Tape own;
        std::vector<tg::Arg> args;
        for (std::size_t i = 0; i < example.shapes.size(); ++i) {
          const tg::Array values =
              tg::full(example.shapes[i], op->sample[i].whole ? op->sample[i].low : 0.5);
          const Tensor x =
              op->kind == tg::Kind::effect && i == 0 ? own.state(values) : own.input(values);
          args.emplace_back(x.named("operand" + std::to_string(i)));
        }
        const std::string text = tg::formula(record(*op, args, example.attributes));
        for (std::size_t i = 0; i < example.shapes.size(); ++i)
          BOOST_TEST(has(text, "operand" + std::to_string(i)), text);
        BOOST_TEST(std::count(text.begin(), text.end(), '(') ==
                   std::count(text.begin(), text.end(), ')'));
      }
}

BOOST_AUTO_TEST_CASE(a_name_stands_for_what_it_names) {
  const Tensor net = (a * b).named("net");
  const Tensor y = tanh(net).named("y");
  BOOST_TEST(tg::formula(y) == "tanh(net)");
  BOOST_TEST(tg::formula(net) == "a * b");
  BOOST_TEST(tg::formula(gradient(y, a)) == "(1 - y^2) * b");
  BOOST_TEST(tg::formula(a) == "a");
}

BOOST_AUTO_TEST_CASE(a_leaf_without_a_name_is_its_number_or_its_record) {
  const Tensor x = tape.input(3.0);  // a number that may change
  BOOST_TEST(tg::formula(x * 2) == "2 * %6");
  BOOST_TEST(tg::formula(tape.constant(4.0) + a) == "4 + a");
  BOOST_TEST(tg::formula(tape.constant({1, 2})).starts_with("%"));
}

BOOST_AUTO_TEST_CASE(what_is_used_twice_is_written_twice) {
  const Tensor s = a + b;
  BOOST_TEST(tg::formula(s * s) == "(a + b) * (a + b)");
}

BOOST_AUTO_TEST_CASE(functions_made_at_run_time_are_written_by_their_names) {
  BOOST_TEST(tg::formula(tg::with_vjp("f", a * b, {a, b}, [](tg::Vjp&) {}) + c) == "f(a, b) + c");
}

BOOST_AUTO_TEST_CASE(a_formula_has_the_value_of_its_tensor) {
  const std::map<std::string, double> names{
      {"a", a.item()}, {"b", b.item()}, {"c", c.item()}, {"d", d.item()}};
  const std::vector<Tensor> leaves{
      a, b, c, d, tape.recording().number(-2.0), tape.recording().number(1.0)};
  tg::Random random{3};
  for (int round = 0; round < 300; ++round) {
    const Tensor x = drawn(random, leaves, 1 + round % 5);
    const std::string text = tg::formula(x, {.limit = 1000, .digits = 17});
    const double wanted = x.item(), found = Evaluator(text, names).value();
    if (!(std::abs(found - wanted) <= 1e-9 * (1 + std::abs(wanted))))
      BOOST_ERROR(text << " is " << found << ", its tensor " << wanted);
  }
}

BOOST_AUTO_TEST_CASE(a_deep_chain_ends_in_dots) {
  Tensor x = a;
  for (int i = 0; i < 20000; ++i) x = sin(x);
  BOOST_TEST(tg::formula(x, {.limit = 3}) == "sin(sin(sin(...)))");
  BOOST_TEST(tg::formula(x).size() == 200 * 5 + 3);
  BOOST_TEST(tg::formula(x, {.limit = 20000}).size() == 20000 * 5 + 1);
}

BOOST_AUTO_TEST_CASE(what_doubles_at_every_step_ends_in_dots) {
  Tensor x = a * b;
  for (int i = 0; i < 40; ++i) x = sin(x) + cos(x);
  BOOST_TEST(tg::formula(x).size() < 2000);
  BOOST_TEST(tg::formula(x, {.limit = 3}) == "sin(...) + cos(...)");
  BOOST_TEST(tg::formula(x, {.limit = 0}) == "...");
}

BOOST_AUTO_TEST_CASE(a_tensor_that_cannot_be_used_has_no_formula) {
  BOOST_TEST(says([] { tg::formula(Tensor{}); }, "formula"));
}

BOOST_AUTO_TEST_SUITE_END()
