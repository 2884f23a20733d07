// Shapes and places: ops that move, repeat, pick or surround elements, and einsum, against NumPy
// and PyTorch (tests/data/make_shapes.py). What the tests of the catalogue learn from a block alone
// is not repeated.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "reference.hpp"
#include "refusal.hpp"
#include "tapegrad/autodiff/gradient.hpp"
#include "tapegrad/base/creation.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tape.hpp"

namespace {

namespace tg = tapegrad;
using tg::Array, tg::Shape, tg::Tape, tg::Tensor;
using Numbers = std::vector<double>;
using Operands = std::vector<Tensor>;
using Function = std::function<Tensor(const Operands&)>;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// The calls that the names of the data stand for; any other name is an equation of einsum.
const std::map<std::string, std::function<Tensor(Tape&, const Operands&)>>& calls() {
  const auto of_one = [](auto f) { return [f](Tape&, const Operands& x) { return f(x[0]); }; };
  static const std::vector<std::int64_t> pick = {2, 0, 0, 1};
  static const Array table = Array::from({{1, 0, 3}, {1, 1, 0}});
  static const std::map<std::string, std::function<Tensor(Tape&, const Operands&)>> all = {
      {"flatten", of_one([](auto& x) { return flatten(x); })},
      {"flatten_middle", of_one([](auto& x) { return flatten(x, 1, -2); })},
      {"flatten_number", of_one([](auto& x) { return flatten(x); })},
      {"squeeze", of_one([](auto& x) { return squeeze(x); })},
      {"squeeze_last", of_one([](auto& x) { return squeeze(x, -2); })},
      {"squeeze_two", of_one([](auto& x) {
         return squeeze(x, {0, 2});
       })},
      {"unsqueeze", of_one([](auto& x) { return unsqueeze(x, 1); })},
      {"unsqueeze_last", of_one([](auto& x) { return unsqueeze(x, -1); })},
      {"tile", of_one([](auto& x) {
         return tile(x, {2, 3});
       })},
      {"tile_last", of_one([](auto& x) { return tile(x, {2}); })},
      {"tile_more_axes", of_one([](auto& x) {
         return tile(x, {2, 1, 2});
       })},
      {"tile_none", of_one([](auto& x) {
         return tile(x, {0, 2});
       })},
      {"tile_number", of_one([](auto& x) {
         return tile(x, {2, 2});
       })},
      {"slice_back", of_one([](auto& x) { return slice(x, 1, -1, -5, -1); })},
      {"slice_back_2", of_one([](auto& x) { return slice(x, 0, 4, 0, -2); })},
      {"slice_back_from_end", of_one([](auto& x) { return slice(x, 0, -2, -9, -1); })},
      {"slice_back_nothing", of_one([](auto& x) { return slice(x, 0, 1, 3, -1); })},
      {"slice_back_from_beyond", of_one([](auto& x) { return slice(x, 0, 9, 2, -3); })},
      {"flip", of_one([](auto& x) { return flip(x); })},
      {"flip_two", of_one([](auto& x) {
         return flip(x, {0, -1});
       })},
      {"select", of_one([](auto& x) { return select(x, 1, 1); })},
      {"select_last", of_one([](auto& x) { return select(x, -1, -2); })},
      {"index_select", of_one([](auto& x) { return index_select(x, 1, pick); })},
      {"index_select_last", of_one([](auto& x) {
         return index_select(x, -1, {2, 0, 0, 1});
       })},
      {"index_select_table",
       [](Tape& tape, const Operands& x) { return index_select(x[0], 1, tape.constant(table)); }},
      {"embedding",
       [](Tape& tape, const Operands& x) { return embedding(x[0], tape.constant(table)); }},
      {"tril", of_one([](auto& x) { return tril(x); })},
      {"tril_up", of_one([](auto& x) { return tril(x, 1); })},
      {"triu", of_one([](auto& x) { return triu(x); })},
      {"triu_down", of_one([](auto& x) { return triu(x, -1); })},
      {"pad",
       [](Tape&, const Operands& x) {
         return pad(x[0], {{1, 0}, {2, 1}}, x[1]);
       }},
      {"pad_one_axis",
       [](Tape&, const Operands& x) {
         return pad(x[0], {{}, {1, 2}, {}}, x[1]);
       }},
      {"pad_empty",
       [](Tape&, const Operands& x) {
         return pad(x[0], {{1, 1}, {0, 1}}, x[1]);
       }},
      {"dot", [](Tape&, const Operands& x) { return dot(x[0], x[1]); }},
      {"outer", [](Tape&, const Operands& x) { return outer(x[0], x[1]); }},
  };
  return all;
}

Tensor called(const ReferenceCase& c, Tape& tape, const Operands& x) {
  const auto found = calls().find(c.name);
  return found == calls().end() ? tg::einsum(c.name, x) : found->second(tape, x);
}

/// Numbers of a shape, all different: 1, 2, 3, ...
Tensor counting(Tape& tape, const Shape& shape) {
  return tape.parameter(tg::arange(1, static_cast<double>(shape.numel()) + 1), shape);
}

std::size_t records_of(const Tape& tape, std::string_view op) {
  const tg::Recording& recording = tape.recording();
  std::size_t count = 0;
  for (tg::Id id = 0; id < recording.size(); ++id)
    count += !recording.node(id).leaf() && recording.node(id).op->name == op;
  return count;
}

BOOST_AUTO_TEST_SUITE(shapes)

// ---------------------------------------------------------------- against NumPy and PyTorch

BOOST_AUTO_TEST_CASE(values_and_two_derivatives_equal_those_of_numpy_and_pytorch) {  // D1 to D8
  std::size_t equations = 0;
  for (const ReferenceCase& c : reference_cases("shapes.txt"))
    for (const tg::Precision precision : {tg::float64, tg::float32})
      BOOST_TEST_CONTEXT(c.name << " in " << tg::text(precision)) {
        equations += !calls().contains(c.name);
        Tape tape(precision);
        Operands x, u, g, h;
        for (std::size_t i = 0; c.has(fmt::format("x{}", i)); ++i) {
          x.push_back(tape.parameter(c[fmt::format("x{}", i)]));
          u.push_back(tape.constant(c[fmt::format("u{}", i)]));
        }
        const Tensor y = called(c, tape, x);
        BOOST_TEST(distance(y.array(), c["y"]) == 0);
        const Tensor weighted = sum(tape.constant(c["w"]) * square(y));
        g.resize(x.size());
        tg::gradients(weighted, x, g);
        Tensor s = sum(tape.constant(0.0) * x[0]);
        for (std::size_t i = 0; i < x.size(); ++i) {
          BOOST_TEST(distance(g[i].array(), c[fmt::format("g{}", i)]) == 0);
          s += sum(u[i] * g[i]);
        }
        h.resize(x.size());
        tg::gradients(s, x, h);
        for (std::size_t i = 0; i < x.size(); ++i)
          BOOST_TEST(distance(h[i].array(), c[fmt::format("h{}", i)]) == 0);
        // Each operand alone gets the same.
        for (std::size_t i = 0; i < x.size(); ++i)
          BOOST_TEST((gradient(weighted, x[i]).array() == g[i].array()));
      }
  BOOST_TEST(equations >= 2 * 50u);
}

BOOST_AUTO_TEST_CASE(a_replay_with_other_numbers_equals_recording_afresh) {
  for (const ReferenceCase& c : reference_cases("shapes.txt")) BOOST_TEST_CONTEXT(c.name) {
      Tape tape;
      Operands x;
      for (std::size_t i = 0; c.has(fmt::format("x{}", i)); ++i)
        x.push_back(tape.input(c[fmt::format("x{}", i)].shape()));
      const Tensor y = called(c, tape, x);
      for (std::size_t i = 0; i < x.size(); ++i) x[i].set(c[fmt::format("x{}", i)]);
      tape.replay(y);
      BOOST_TEST(distance(y.array(), c["y"]) == 0);
    }
}

// ---------------------------------------------------------------- shape

BOOST_AUTO_TEST_CASE(an_axis_that_is_not_1_is_not_squeezed) {
  Tape tape;
  const Tensor x = counting(tape, Shape{1, 3}).named("x");
  BOOST_TEST(says([&] { squeeze(x, 1); }, "squeeze: (1, 3): axis 1 has 3 elements"));
  BOOST_TEST(says([&] { squeeze(x, 1); }, line()));
  BOOST_TEST(says([&] { squeeze(x, 2); }, "there is no axis 2"));
  BOOST_TEST(says([&] { squeeze(sum(x), 0); }, "squeeze: ()"));
  BOOST_TEST((squeeze(sum(x)).shape() == Shape{}));
  BOOST_TEST((squeeze(tape.input(Shape{0, 1})).shape() == Shape{0}));
}

BOOST_AUTO_TEST_CASE(axes_out_of_range_are_refused_with_the_functions_name) {
  Tape tape;
  const Tensor x = counting(tape, Shape{2, 3});
  const std::size_t before = tape.size();
  BOOST_TEST(says([&] { flatten(x, 1, 0); }, "flatten: (2, 3): axis 1 comes behind axis 0"));
  BOOST_TEST(says([&] { flatten(x, 0, 2); }, "flatten: (2, 3): there is no axis 2"));
  BOOST_TEST(says([&] { unsqueeze(x, 3); }, "unsqueeze: (2, 3): there is no new axis 3"));
  BOOST_TEST(says([&] { unsqueeze(x, -4); }, "there is no new axis -4"));
  BOOST_TEST(says([&] { flip(x, 2); }, "flip: (2, 3): there is no axis 2"));
  BOOST_TEST(says([&] { flip(x, {0, -2}); }, "axis -2 is named twice"));
  BOOST_TEST(says([&] { select(x, 2, 0); }, "select: (2, 3): there is no axis 2"));
  BOOST_TEST(says([&] { select(x, 1, 3); }, "no place 3 on axis 1, whose extent is 3"));
  BOOST_TEST(says([&] { select(x, 1, -4); }, "no place -4"));
  BOOST_TEST(says([&] { select(tape.constant(1.0), 0, 0); }, "select: (): there is no axis 0"));
  BOOST_TEST(says([&] { index_select(x, 2, {0}); }, "index_select: (2, 3): there is no axis 2"));
  BOOST_TEST(says([&] { split(x, 1, 2); }, "split: (2, 3): there is no axis 2"));
  BOOST_TEST(says([&] { slice(x, 0, 0, 2, 0); }, "slice: (2, 3): the step is 0"));
  BOOST_TEST(says([&] { slice(x, 0, 0, 2, 0); }, line()));
  BOOST_TEST(says([&] { tril(sum(x)); }, "tril: (): there is no matrix"));
  BOOST_TEST(says([&] { triu(select(x, 0, 0)); }, "triu: (3): there is no matrix"));
  BOOST_TEST(tape.size() == before + 4);  // the operands: 1, sum, and two records of select
  const Tensor deep = tape.input(Shape{1, 1, 1, 1, 1, 1, 1});
  BOOST_TEST(says([&] { unsqueeze(deep, 0); }, "7 axes are the most"));
  BOOST_TEST(says([&] { index_select(deep, 0, tape.constant({{0}})); }, "too many axes"));
  BOOST_TEST(says([&] { tile(deep, {1, 1, 1, 1, 1, 1, 1, 2}); }, "8 axes are too many"));
}

BOOST_AUTO_TEST_CASE(a_shape_to_stretch_to_may_stand_in_braces) {
  Tape tape;
  const Tensor x = counting(tape, Shape{3});
  BOOST_TEST((broadcast_to(x, {2, 3}).array() == broadcast_to(x, Shape{2, 3}).array()));
  BOOST_TEST((broadcast_to(x, {3}).shape() == Shape{3}));
  BOOST_TEST(says([&] { broadcast_to(x, {2, 4}); }, "broadcast_to: (3): cannot be stretched"));
  BOOST_TEST(says([&] { broadcast_to(x, {-1, 3}); }, "broadcast_to: (3): (-1, 3) has the impos"));
  BOOST_TEST(says([&] { broadcast_to(x, {-1, 3}); }, line()));
  BOOST_TEST(says([&] { broadcast_to(x, {1, 1, 1, 1, 1, 1, 1, 3}); }, "8 axes"));
}

BOOST_AUTO_TEST_CASE(a_tile_of_impossible_size_is_refused_and_leaves_nothing) {
  Tape tape;
  const Tensor x = counting(tape, Shape{2});
  BOOST_TEST(says([&] { tile(x, {-1}); }, "tile: (2): -1 repeats"));
  BOOST_TEST(says([&] { tile(x, {2, std::int64_t{1} << 40}); }, line()));
  BOOST_TEST(tape.size() == 1u);
  BOOST_TEST((tile(x, {}).array() == x.array()));
  BOOST_TEST((tile(x, {1, 1}).shape() == Shape{1, 2}));
}

// ---------------------------------------------------------------- parts

BOOST_AUTO_TEST_CASE(parts_of_a_split_join_to_the_whole) {
  Tape tape;
  const Tensor x = counting(tape, Shape{2, 5});
  const auto joins = [&](const Operands& parts, std::size_t count) {
    BOOST_TEST(parts.size() == count);
    BOOST_TEST((tg::concat(parts, 1).array() == x.array()));
  };
  joins(split(x, 2, 1), 3);
  joins(split(x, 5, -1), 1);
  joins(split(x, 9, 1), 1);
  joins(split(x, {1, 0, 4}, 1), 3);
  joins(split(x, {5}, 1), 1);
  joins(split(x, std::vector<std::int64_t>{2, 3}, 1), 2);
  joins(chunk(x, 2, 1), 2);
  joins(chunk(x, 4, 1), 3);  // as in PyTorch: parts of ceil(5 / 4)
  joins(chunk(x, 7, 1), 5);
  BOOST_TEST((split(x, 2, 1)[2].shape() == Shape{2, 1}));
  BOOST_TEST((chunk(x, 2)[1].shape() == Shape{1, 5}));
  const Tensor none = tape.input(Shape{0, 2});
  BOOST_TEST(split(none, 3).size() == 1u);
  BOOST_TEST(chunk(none, 3).size() == 1u);
}

BOOST_AUTO_TEST_CASE(sizes_that_do_not_make_up_the_axis_are_refused) {
  Tape tape;
  const Tensor x = counting(tape, Shape{2, 5});
  for (const std::vector<std::int64_t>& sizes :
       {std::vector<std::int64_t>{2, 2}, {3, 3}, {-1, 6}, {6, -1}, {}})
    BOOST_TEST(says([&] { split(x, sizes, 1); }, "do not make up axis 1, which has 5"));
  BOOST_TEST(says([&] { split(x, {2, 2}, 1); }, "split: (2, 5): parts of 2, 2 elements"));
  BOOST_TEST(says([&] { split(x, {2, 2}, 1); }, line()));
  BOOST_TEST(says([&] { split(x, 0); }, "parts of 0 elements"));
  BOOST_TEST(says([&] { chunk(x, 0); }, "chunk: (2, 5): 0 parts"));
}

BOOST_AUTO_TEST_CASE(a_slice_backwards_stops_at_the_extremes) {
  Tape tape;
  const Tensor x = tape.input({1.0, 2.0, 3.0});
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  BOOST_TEST(slice(x, 0, most, least, -1).values() == Numbers({3, 2, 1}));
  BOOST_TEST(slice(x, 0, most, least, least).values() == Numbers({3}));
  BOOST_TEST(slice(x, 0, -1, 0, -1).values() == Numbers({3, 2}));
  BOOST_TEST(slice(tape.input(Shape{0, 2}), 0, most, least, -1).shape()[0] == 0);
}

BOOST_AUTO_TEST_CASE(a_reversed_axis_has_a_reversed_adjoint_without_zeros_to_fill) {
  Tape tape;
  const Tensor x = counting(tape, Shape{2, 3});
  const Tensor g = gradient(tg::seeded(flip(x, 1), counting(tape, Shape{2, 3})), x);
  BOOST_TEST(g.values() == Numbers({3, 2, 1, 6, 5, 4}));
  BOOST_TEST(records_of(tape, "place") == 0u);
}

BOOST_AUTO_TEST_CASE(large_moves_equal_plain_loops) {  // tiles and runs, beyond one tile
  Tape tape;
  const Shape shape{37, 5, 41};
  const Tensor x = counting(tape, shape);
  const Tensor turned = transpose(x), rolled = permute(x, {2, 0, 1}), swapped = transpose(x, 0, 1);
  const Tensor back = slice(x, 2, 40, -99, -3), rows = index_select(x, 1, {4, 0, 4});
  double wrong = 0;
  for (std::int64_t i = 0; i < 37; ++i)
    for (std::int64_t j = 0; j < 5; ++j)
      for (std::int64_t k = 0; k < 41; ++k) {
        const double value = x.at(i, j, k);
        wrong += turned.at(i, k, j) != value;
        wrong += rolled.at(k, i, j) != value;
        wrong += swapped.at(j, i, k) != value;
        if (k < 14) wrong += back.at(i, j, k) != x.at(i, j, 40 - 3 * k);
        if (j < 3) wrong += rows.at(i, j, k) != x.at(i, j == 1 ? 0 : 4, k);
      }
  BOOST_TEST(wrong == 0);
}

// ---------------------------------------------------------------- places

BOOST_AUTO_TEST_CASE(rows_of_a_table_that_are_used_twice_get_both_shares) {  // D6
  Tape tape;
  const Tensor rows = counting(tape, Shape{3, 2});
  const Tensor y = embedding(rows, tape.constant({0, 0, 1}));
  BOOST_TEST(gradient(sum(y), rows).values() == Numbers({2, 2, 1, 1, 0, 0}));
  BOOST_TEST((embedding(rows, tape.constant(2.0)).values() == Numbers({5, 6})));
  BOOST_TEST((embedding(rows, tape.input(Shape{4, 0})).shape() == Shape{4, 0, 2}));
}

BOOST_AUTO_TEST_CASE(a_selection_may_be_longer_than_what_it_selects_from) {
  Tape tape;
  const Tensor x = counting(tape, Shape{2, 3});
  std::vector<std::int64_t> index(200);
  for (std::size_t i = 0; i < index.size(); ++i) index[i] = static_cast<std::int64_t>(i * i % 3);
  const Tensor y = index_select(x, 1, index);
  double wrong = 0;
  for (std::int64_t i = 0; i < 200; ++i)
    for (std::int64_t row = 0; row < 2; ++row)
      wrong += y.at(row, i) != x.at(row, index[static_cast<std::size_t>(i)]);
  BOOST_TEST(wrong == 0);
  // i^2 is 0 modulo 3 for 67 of 200, else 1
  BOOST_TEST(gradient(sum(y), x).values() == Numbers({67, 133, 0, 67, 133, 0}));
}

BOOST_AUTO_TEST_CASE(an_index_outside_its_axis_is_refused_and_leaves_nothing) {
  Tape tape;
  const Tensor x = counting(tape, Shape{3, 2});
  const std::size_t before = tape.size();
  BOOST_TEST(says(
      [&] {
        index_select(x, 1, {0, 2});
      },
      "index 2 is not a place on axis 1, whose extent is 2"));
  BOOST_TEST(says([&] { index_select(x, 1, {0, 2}); }, line()));
  BOOST_TEST(says([&] { index_select(x, 0, {-1}); }, "index -1"));
  BOOST_TEST(says([&] { index_select(x, 0, 0.5); }, "index 0.5"));
  BOOST_TEST(says([&] { embedding(x, 3); }, "index 3 is not a place on axis 0"));
  BOOST_TEST(says([&] { embedding(x, not_a_number); }, "(in embedding)"));
  BOOST_TEST(tape.size() == before);
  BOOST_TEST(says([&] { embedding(select(x, 0, 0), 0); }, "embedding: (2) and (): the table"));
  Tape other;
  BOOST_TEST(says([&] { embedding(x, other.constant({0})); }, "operands from two tapes"));
}

// ---------------------------------------------------------------- constants around and instead

BOOST_AUTO_TEST_CASE(padding_takes_a_width_for_each_axis_and_no_negative_one) {
  Tape tape;
  const Tensor x = counting(tape, Shape{1, 2});
  BOOST_TEST(pad(x, {{0, 1}, {1, 0}}).values() == Numbers({0, 1, 2, 0, 0, 0}));
  BOOST_TEST(pad(x, {{0, 0}, {0, 1}}, -infinity).values() == Numbers({1, 2, -infinity}));
  BOOST_TEST(pad(tape.constant(4.0), {}).item() == 4);
  BOOST_TEST(says([&] { pad(x, {{1, 1}}); }, "widths are given for 1 axes of 2"));
  BOOST_TEST(says([&] { pad(x, {{1, -1}, {0, 0}}); }, "the width -1 is negative"));
  BOOST_TEST(says([&] { pad(x, {{1, -1}, {0, 0}}); }, line()));
  BOOST_TEST(says([&] { pad(x, {{0, 0}, {0, 1}}, select(x, 0, 0)); }, "must be one number"));
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t width : {std::int64_t{1} << 32, most - 1, most}) {
    BOOST_TEST(says([&] { pad(x, {{0, 0}, {width, width}}); }, "is beyond any extent"));
    BOOST_TEST(says([&] { pad(x, {{0, 0}, {width, width}}); }, line()));
  }
  BOOST_TEST(says([&] { pad(x, {{0, 0}, {0, most >> 31}}); }, line()));
}

BOOST_AUTO_TEST_CASE(the_slope_of_a_padding_value_sees_no_numbers_inside) {
  Tape tape;
  const Tensor x = tape.parameter({not_a_number, infinity}), value = tape.parameter(1.0);
  const Tensor y = pad(x, {{1, 2}}, value);
  const Tensor seed = tape.constant({1.0, infinity, not_a_number, 10.0, 100.0});
  BOOST_TEST(gradient(tg::seeded(y, seed), value).item() == 111);
}

BOOST_AUTO_TEST_CASE(what_a_triangle_leaves_out_is_0_whatever_it_was) {
  Tape tape;
  const Tensor x = tape.parameter({{1.0, not_a_number}, {infinity, 2.0}});
  BOOST_TEST(triu(tril(x)).values() == Numbers({1, 0, 0, 2}));
  BOOST_TEST(tril(x, -2).values() == Numbers(4));
  BOOST_TEST(tril(x, std::numeric_limits<std::int64_t>::min()).values() == Numbers(4));
  BOOST_TEST(triu(x, std::numeric_limits<std::int64_t>::max()).values() == Numbers(4));
}

// ---------------------------------------------------------------- products

BOOST_AUTO_TEST_CASE(dot_and_outer_take_vectors) {
  Tape tape;
  const Tensor x = tape.parameter({1.0, 2.0}), m = counting(tape, Shape{2, 2});
  BOOST_TEST(says(
      [&] {
        dot(x, tape.constant({1, 2, 3}));
      },
      "dot: (2) and (3): 2 elements on the left meet 3 on the right"));
  BOOST_TEST(says([&] { dot(x, m); }, "dot: (2) and (2, 2): both operands must be vectors"));
  BOOST_TEST(says([&] { dot(x, 2.0); }, "both operands must be vectors"));
  BOOST_TEST(says([&] { outer(m, x); }, "outer: (2, 2) and (2)"));
  BOOST_TEST(says([&] { outer(m, x); }, line()));
  BOOST_TEST(dot(tape.input(Array::zeros(Shape{0})), tape.input(Array::zeros(Shape{0}))).item() ==
             0);
}

BOOST_AUTO_TEST_CASE(einsum_takes_numbers_spaces_and_any_number_of_operands) {
  Tape tape;
  const Tensor x = tape.parameter({1.0, 2.0, 3.0});
  BOOST_TEST(tg::einsum(" , i -> i ", 2, x).values() == Numbers({2, 4, 6}));
  BOOST_TEST(tg::einsum("i,,->i", x, 2.0, 3.0f).values() == Numbers({6, 12, 18}));
  BOOST_TEST(tg::einsum("i,i,i->", x, x, x).item() == 36);
  BOOST_TEST(tg::einsum("i , i", std::vector<Tensor>{x, x}).item() == 14);
  BOOST_TEST(tg::einsum("... -> ...", x).values() == x.values());
}

BOOST_AUTO_TEST_CASE(a_result_of_einsum_is_a_tensor_of_its_own) {
  Tape tape;
  const Tensor x = tape.parameter({1.0, 2.0}).named("x");
  const Tensor y = tg::einsum("i->i", x).named("y");
  BOOST_TEST(x.name() == "x");
  BOOST_TEST(y.name() == "y");
}

BOOST_AUTO_TEST_CASE(einsum_turns_no_operand_that_a_product_of_matrices_can_take_turned) {
  for (const char* equation : {"ij,jk->ik", "ji,jk->ik", "ij,kj->ik", "ji,kj->ik", "ij,jk->ki",
                               "ji,kj->ki", "bij,bkj->bik", "bji,bkj->bki"})
    BOOST_TEST_CONTEXT(equation) {
      Tape tape;
      const std::string_view text = equation;
      const Shape shape = text[2] == ',' ? Shape{2, 2} : Shape{2, 2, 2};
      const Tensor a = counting(tape, shape), b = counting(tape, shape);
      const Tensor y = tg::einsum(equation, a, b);
      BOOST_TEST(records_of(tape, "reshape") == 0u);
      gradient(sum(y), a, b);
      BOOST_TEST(records_of(tape, "matmul") == 3u);
      BOOST_TEST(records_of(tape, "permute") == 0u);
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_equation_is_refused_with_the_label_and_the_line) {
  Tape tape;
  const Tensor a = counting(tape, Shape{2, 3}).named("a"), b = counting(tape, Shape{4, 2});
  const std::size_t before = tape.size();
  const auto wrong = [&](const char* equation) {
    return refusal([&] { tg::einsum(equation, a, b); });
  };
  BOOST_TEST(has(wrong("ij,jk->ik"),
                 "einsum: (2, 3) and (4, 2): \"ij,jk->ik\": label 'j' has 3 "
                 "elements in operand 0 and 4 in operand 1"));
  BOOST_TEST(has(wrong("...j,j...->..."), "label 'j' has 3 elements in operand 0 and 4"));
  BOOST_TEST(
      has(wrong("...,..."), "an axis of ... has 2 elements in operand 0 and 4 in operand 1"));
  BOOST_TEST(has(wrong("ij,ki->il"), "the result's label 'l' is in no operand"));
  BOOST_TEST(has(wrong("ij,ki->ii"), "the result names 'i' twice"));
  BOOST_TEST(has(wrong("ij,k->i"), "\"k\" names 1 axis, operand 1 has 2"));
  BOOST_TEST(has(wrong("ij,...ikl->i"), "\"...ikl\" names 3 axes, operand 1 has 2"));
  BOOST_TEST(has(wrong("ij->i"), "written for 1 operand, given 2"));
  BOOST_TEST(has(wrong("ij,k1->i"), "'1' is no label"));
  BOOST_TEST(has(wrong("ij,k.->i"), "'.' is no label"));
  BOOST_TEST(has(wrong("ij,ki->i->j"), "'-' is no label"));
  BOOST_TEST(has(wrong("i...,...i->"), "the result leaves out the axes of ..."));
  BOOST_TEST(has(wrong("ii,ki->k"), "label 'i' has 2 and 3 elements in operand 0"));
  BOOST_TEST(says([&] { tg::einsum("ij,jk->ik", a, b); }, line()));
  BOOST_TEST(has(wrong("ij,jk->ik"), "a "));
  BOOST_TEST(says([&] { tg::einsum("->", 2.0); }, "numbers alone have no tape"));
  BOOST_TEST(says([&] { tg::einsum("", std::vector<Tensor>{}); }, "there are no operands"));
  const Tensor deep = tape.input(Shape{1, 1, 1, 1});
  BOOST_TEST(says([&] { tg::einsum("abcd,efgh->abcdefgh", deep, deep); },
                  "a product of its operands has 8 axes, 7 are the most"));
  BOOST_TEST(tape.size() == before + 1);
  Tape other;
  BOOST_TEST(says([&] { tg::einsum("ij,i->j", a, other.constant({1, 2})); }, "two tapes"));
  BOOST_TEST(other.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
