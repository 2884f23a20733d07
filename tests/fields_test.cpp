#include "tapegrad/tape/fields.hpp"

#include <any>
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "tapegrad/base/random.hpp"
#include "tapegrad/tape/tape.hpp"

using tapegrad::count_tensors;
using tapegrad::each;
using tapegrad::Error;
using tapegrad::Tape;
using tapegrad::Tensor;
using tapegrad::visit_pairs;
using tapegrad::visit_tensors;

namespace fields_test {

struct Linear {
  Tensor weight, bias;
};
enum class Language { german = 2, french = -1 };

/// A class that lists its fields.
class Encoder {
 public:
  explicit Encoder(Tape& tape) : weight_(tape.parameter(1.0)) {
    layer_.weight = tape.parameter(2.0);
    layer_.bias = tape.parameter(3.0);
  }
  static constexpr auto fields() {
    return std::tuple{"weight", &Encoder::weight_, "layer", &Encoder::layer_};
  }

 private:
  Tensor weight_;
  Linear layer_;
};

/// A class that is said to hold none.
class Clock {
 public:
  explicit Clock(int ticks) : ticks_(ticks) {}
  int ticks() const { return ticks_; }

 private:
  int ticks_;
};

template <class T>
struct Both {
  T left, right;
};

struct Tree {
  Tensor value;
  std::vector<Tree> children;
  std::unique_ptr<Tree> parent;
};

struct Many {
  Tensor a0, a1, a2, a3, a4, a5, a6, a7, a8, a9;
  Tensor b0, b1, b2, b3, b4, b5, b6, b7, b8, b9;
  Tensor c0, c1, c2, c3, c4, c5, c6, c7, c8, c9;
};
struct Hundred {
  Tensor a0, a1, a2, a3, a4, a5, a6, a7, a8, a9;
  Tensor b0, b1, b2, b3, b4, b5, b6, b7, b8, b9;
  Tensor c0, c1, c2, c3, c4, c5, c6, c7, c8, c9;
  Tensor d0, d1, d2, d3, d4, d5, d6, d7, d8, d9;
  Tensor e0, e1, e2, e3, e4, e5, e6, e7, e8, e9;
  Tensor f0, f1, f2, f3, f4, f5, f6, f7, f8, f9;
  Tensor g0, g1, g2, g3, g4, g5, g6, g7, g8, g9;
  Tensor h0, h1, h2, h3, h4, h5, h6, h7, h8, h9;
  Tensor i0, i1, i2, i3, i4, i5, i6, i7, i8, i9;
  Tensor j0, j1, j2, j3, j4, j5, j6, j7, j8, j9;
};

}  // namespace fields_test

template <>
inline constexpr bool tapegrad::holds_no_tensors<fields_test::Clock> = true;
template <>
inline constexpr bool tapegrad::holds_no_tensors<std::any> = true;
template <>
inline constexpr bool tapegrad::holds_no_tensors<std::atomic<int>> = true;

namespace {

using namespace fields_test;

struct Hidden {
  Linear first_layer;
  std::optional<Tensor> scale2;
};

using Names = std::vector<std::string>;

template <class T>
Names names(T& object) {
  Names result;
  each(object, [&](std::string_view name, const Tensor&) { result.emplace_back(name); });
  return result;
}

/// The values, by visit_tensors; `each` must come by the same tensors.
template <class T>
std::vector<double> values(T& object) {
  std::vector<double> result, named;
  visit_tensors(object, [&](const Tensor& tensor) { result.push_back(tensor.item()); });
  each(object, [&](std::string_view, const Tensor& tensor) { named.push_back(tensor.item()); });
  BOOST_TEST(result == named, boost::test_tools::per_element());
  return result;
}

template <class A, class B>
std::string how_they_differ(A& a, B& b) {
  try {
    visit_pairs(a, b, [](const Tensor&, const Tensor&) {});
  } catch (const Error& error) {
    BOOST_TEST(std::string_view(error.site().file).ends_with("fields_test.cpp"));
    return error.text();
  }
  return "";
}

struct Leaves {
  Tape tape;
  double last = 0;
  Tensor leaf() { return tape.parameter(++last); }
  Linear linear() {
    const Tensor weight = leaf();
    return {weight, leaf()};
  }
};

#define TEST_NAMES(object, ...) \
  BOOST_TEST(names(object) == (Names{__VA_ARGS__}), boost::test_tools::per_element())
#define TEST_VALUES(object, ...) \
  BOOST_TEST(values(object) == (std::vector<double>{__VA_ARGS__}), boost::test_tools::per_element())

}  // namespace

BOOST_FIXTURE_TEST_SUITE(fields, Leaves)

BOOST_AUTO_TEST_CASE(fields_are_found_in_order_of_declaration_and_named_by_their_way) {
  struct Net {
    Linear hidden;
    Tensor scale;
    Linear output;
  };
  const Linear hidden = linear();
  const Tensor scale = leaf();
  Net net{hidden, scale, linear()};
  TEST_NAMES(net, "hidden.weight", "hidden.bias", "scale", "output.weight", "output.bias");
  TEST_VALUES(net, 1, 2, 3, 4, 5);
  BOOST_TEST(count_tensors(net) == 5u);
}

BOOST_AUTO_TEST_CASE(a_bare_tensor_is_visited_and_has_no_name) {
  Tensor x = leaf();
  TEST_NAMES(x, "");
  TEST_VALUES(x, 1);
}

BOOST_AUTO_TEST_CASE(the_tensors_of_the_object_itself_are_visited_not_copies) {
  Linear layer;
  visit_tensors(layer, [&](Tensor& t) { t = leaf(); });
  each(layer, [&](std::string_view, Tensor& t) { t.set(t.item() * 10); });
  TEST_VALUES(layer, 10, 20);
}

BOOST_AUTO_TEST_CASE(elements_go_by_number_and_whole_numbers_as_keys_too) {
  struct Net {
    std::vector<Linear> hidden;
    std::array<Tensor, 2> gates;
    std::map<int, Tensor> levels;
    std::map<Language, Tensor> languages;
  };
  Net net;
  net.hidden = {linear(), linear()};
  net.gates = {leaf(), leaf()};
  net.levels[7] = leaf();
  net.levels[-3] = leaf();
  net.languages[Language::german] = leaf();
  net.languages[Language::french] = leaf();
  TEST_NAMES(net, "hidden.0.weight", "hidden.0.bias", "hidden.1.weight", "hidden.1.bias", "gates.0",
             "gates.1", "levels.-3", "levels.7", "languages.-1", "languages.2");
  TEST_VALUES(net, 1, 2, 3, 4, 5, 6, 8, 7, 10, 9);
}

BOOST_AUTO_TEST_CASE(keys_of_a_map_are_names_and_a_hash_map_goes_by_ascending_key) {
  struct Net {
    std::map<std::string, Linear> heads;
    std::unordered_map<std::string, Tensor> words;
  };
  Net net;
  net.heads["right"] = linear();
  net.heads["left"] = linear();
  Names expected{"heads.left.weight", "heads.left.bias", "heads.right.weight", "heads.right.bias"};
  for (const char* word : {"z", "beta", "a", "gamma", "alpha", "y"}) net.words[word] = leaf();
  for (const char* word : {"a", "alpha", "beta", "gamma", "y", "z"})
    expected.push_back(std::string("words.") + word);
  BOOST_TEST(names(net) == expected, boost::test_tools::per_element());
  TEST_VALUES(net, 3, 4, 1, 2, 7, 9, 6, 8, 10, 5);
}

BOOST_AUTO_TEST_CASE(pairs_and_tuples_go_by_number) {
  std::pair<Tensor, Linear> pair{leaf(), linear()};
  TEST_NAMES(pair, "0", "1.weight", "1.bias");
  std::tuple<int, Tensor, std::string, Tensor> tuple{0, leaf(), "", leaf()};
  TEST_NAMES(tuple, "1", "3");
  TEST_VALUES(tuple, 4, 5);
}

BOOST_AUTO_TEST_CASE(optionals_pointers_and_variants_add_no_level_and_may_be_empty) {
  struct Net {
    std::optional<Linear> some, none;
    std::unique_ptr<Linear> owned, null;
    std::shared_ptr<Tensor> shared;
    std::variant<std::monostate, Linear, Tensor> choice, nothing;
  };
  Net net;
  net.some = linear();
  net.owned = std::make_unique<Linear>(linear());
  net.shared = std::make_shared<Tensor>(leaf());
  net.choice = leaf();
  TEST_NAMES(net, "some.weight", "some.bias", "owned.weight", "owned.bias", "shared", "choice");
  TEST_VALUES(net, 1, 2, 3, 4, 5, 6);
  net.choice = linear();
  BOOST_TEST(names(net).back() == "choice.bias");
}

BOOST_AUTO_TEST_CASE(containers_nest_to_any_depth) {
  struct Net {
    std::vector<std::unique_ptr<Linear>> layers;
    std::array<std::unique_ptr<Linear>, 2> two;
    std::optional<std::unique_ptr<Tensor>> maybe;
    std::map<std::string, std::vector<std::optional<std::pair<Tensor, std::variant<int, Tensor>>>>>
        deep;
  };
  Net net;
  net.layers.push_back(std::make_unique<Linear>(linear()));
  net.two[1] = std::make_unique<Linear>(linear());
  net.maybe = std::make_unique<Tensor>(leaf());
  net.deep["here"].emplace_back();
  net.deep["here"].emplace_back(std::pair{leaf(), leaf()});
  TEST_NAMES(net, "layers.0.weight", "layers.0.bias", "two.1.weight", "two.1.bias", "maybe",
             "deep.here.1.0", "deep.here.1.1");
  TEST_VALUES(net, 1, 2, 3, 4, 5, 6, 7);
}

BOOST_AUTO_TEST_CASE(a_struct_may_hold_structs_of_its_own_type) {
  Tree tree{leaf(), {}, nullptr};
  tree.children.push_back({leaf(), {}, nullptr});
  tree.children[0].children.push_back({leaf(), {}, nullptr});
  tree.parent = std::make_unique<Tree>(Tree{leaf(), {}, nullptr});
  TEST_NAMES(tree, "value", "children.0.value", "children.0.children.0.value", "parent.value");
}

BOOST_AUTO_TEST_CASE(what_holds_no_tensors_is_skipped) {
  static constexpr auto square = [](double x) { return x * x; };
  struct Net {
    int in = 3;
    const int out = 4;
    bool on = true;
    double rate = 0.5;
    Language language = Language::german;
    std::string title = "net";
    std::string_view view = "net";
    const char* text = "net";
    double* number = nullptr;
    Tensor (*plain_function)(const Tensor&) = nullptr;
    std::function<Tensor(const Tensor&)> function;
    int Clock::*member = nullptr;
    decltype(square) lambda = square;
    std::monostate empty;
    std::vector<double> numbers = {1, 2};
    std::vector<bool> flags = {true};
    std::map<double, std::string> strings = {{1.0, "one"}};
    std::variant<int, std::string> choice;
    Clock clock{1};
    std::any anything;
    Tape* tape = nullptr;
    tapegrad::Random random{1};
    tapegrad::Array data;
    Tensor weight;
  };
  Net net;
  net.weight = leaf();
  TEST_NAMES(net, "weight");
  TEST_VALUES(net, 1);
}

BOOST_AUTO_TEST_CASE(a_struct_with_a_field_that_cannot_be_moved_is_visited) {
  struct Net {
    std::atomic<int> steps;
    Tensor weight;
  };
  Net net{0, leaf()};
  TEST_NAMES(net, "weight");
}

BOOST_AUTO_TEST_CASE(a_struct_may_have_functions_defaults_and_static_members) {
  struct Net {
    Tensor weight{};
    Linear last = {};
    float slope = 0.1f;
    static int count() { return 3; }
    Tensor operator()(const Tensor&) const { return weight; }
    bool operator==(const Net&) const { return true; }
  };
  Net net{leaf(), linear()};
  TEST_NAMES(net, "weight", "last.weight", "last.bias");
}

BOOST_AUTO_TEST_CASE(names_are_found_in_local_hidden_and_templated_structs) {
  Hidden hidden{linear(), leaf()};
  TEST_NAMES(hidden, "first_layer.weight", "first_layer.bias", "scale2");
  Both<std::vector<Tensor>> both{{leaf()}, {leaf()}};
  TEST_NAMES(both, "left.0", "right.0");
  Both<Both<Hidden>> deep{};
  TEST_NAMES(deep, "left.left.first_layer.weight", "left.left.first_layer.bias",
             "left.right.first_layer.weight", "left.right.first_layer.bias",
             "right.left.first_layer.weight", "right.left.first_layer.bias",
             "right.right.first_layer.weight", "right.right.first_layer.bias");
  const auto lambda = [] {
    struct Inner {
      std::function<int(int)> f;
      Tensor größe;  // NOLINT(readability-identifier-naming)
    };
    return Inner{};
  };
  auto inner = lambda();
  TEST_NAMES(inner, "größe");
}

BOOST_AUTO_TEST_CASE(a_struct_may_have_thirty_or_a_hundred_fields) {
  Many many;
  visit_tensors(many, [&](Tensor& t) { t = leaf(); });
  BOOST_TEST(many.c9.item() == 30.0);
  const Names found = names(many);
  BOOST_TEST(found.size() == 30u);
  BOOST_TEST(found[0] == "a0");
  BOOST_TEST(found[10] == "b0");
  BOOST_TEST(found[29] == "c9");
  Hundred hundred;
  BOOST_TEST(count_tensors(hundred) == 100u);
  visit_tensors(hundred, [&](Tensor& t) { t = leaf(); });
  BOOST_TEST(hundred.j9.item() == 130.0);
}

BOOST_AUTO_TEST_CASE(a_class_may_list_its_fields) {
  struct Net {
    Encoder encoder;
    Tensor last;
  };
  Net net{Encoder(tape), leaf()};
  TEST_NAMES(net, "encoder.weight", "encoder.layer.weight", "encoder.layer.bias", "last");
  const Net& constant = net;
  TEST_VALUES(constant, 1, 2, 3, 1);
}

BOOST_AUTO_TEST_CASE(in_a_const_object_tensors_are_const_behind_pointers_too) {
  struct Net {
    Tensor weight;
    std::vector<Linear> layers;
    std::unique_ptr<Linear> owned;
    std::optional<Tensor> maybe;
    std::map<std::string, Tensor> named;
    std::variant<Tensor, int> choice;
  };
  Net net{leaf(), {linear()}, nullptr, leaf(), {{"x", leaf()}}, leaf()};
  net.owned = std::make_unique<Linear>(linear());
  const auto visit = [](auto& object, auto expected) {
    int count = 0;
    visit_tensors(object, [&](auto& tensor) {
      static_assert(std::is_same_v<decltype(tensor), decltype(expected.get())>);
      ++count;
    });
    return count;
  };
  BOOST_TEST(visit(net, std::ref(net.weight)) == 8);
  BOOST_TEST(visit(std::as_const(net), std::cref(net.weight)) == 8);
}

BOOST_AUTO_TEST_CASE(what_is_shared_is_visited_as_often_as_it_is_met) {
  const auto shared = std::make_shared<Linear>(linear());
  std::vector<std::shared_ptr<Linear>> tied{shared, shared};
  TEST_VALUES(tied, 1, 2, 1, 2);
}

BOOST_AUTO_TEST_CASE(pairs_are_visited_in_step) {
  struct Net {
    Linear first;
    std::vector<Tensor> list;
    std::unordered_map<int, Tensor> map;
    std::optional<Tensor> maybe;
    std::shared_ptr<Linear> shared;
    std::variant<int, Tensor> choice;
    std::pair<Tensor, int> pair;
  };
  Net net{linear(), {leaf(), leaf()}, {}, leaf(), std::make_shared<Linear>(linear()),
          leaf(),   {leaf(), 1}};
  net.map[1] = leaf();
  net.map[2] = leaf();
  Net twice = net;
  twice.shared = std::make_shared<Linear>();
  visit_pairs(net, twice, [&](const Tensor& a, Tensor& b) { b = tape.parameter(2 * a.item()); });
  std::size_t count = 0;
  visit_pairs(std::as_const(net), std::as_const(twice), [&](const Tensor& a, const Tensor& b) {
    BOOST_TEST(b.item() == 2 * a.item());
    ++count;
  });
  BOOST_TEST(count == 11u);
  Tensor x = leaf(), y = leaf();
  visit_pairs(x, y, [&](Tensor& a, Tensor& b) { std::swap(a, b); });
  BOOST_TEST(x.item() == last);
}

BOOST_AUTO_TEST_CASE(pairs_that_differ_in_size_are_an_error_that_says_where) {
  Both<std::vector<Tensor>> a{{}, {leaf()}}, b{{}, {leaf(), leaf()}};
  BOOST_TEST(how_they_differ(a, b) == "two objects differ in right: sizes 1 and 2");
  std::vector<Tensor> none, one{leaf()};
  BOOST_TEST(how_they_differ(none, one) == "two objects differ: sizes 0 and 1");
}

BOOST_AUTO_TEST_CASE(pairs_that_differ_in_keys_are_an_error) {
  std::map<std::string, Tensor> a{{"x", leaf()}}, b{{"y", leaf()}};
  BOOST_TEST(how_they_differ(a, b) == "two objects differ in x: only one has this key");
  b["x"];
  BOOST_TEST(how_they_differ(a, b) == "two objects differ: sizes 1 and 2");
  std::unordered_map<int, Tensor> c{{1, leaf()}}, d{{2, leaf()}};
  BOOST_TEST(how_they_differ(c, d) == "two objects differ in 1: only one has this key");
}

BOOST_AUTO_TEST_CASE(pairs_of_which_one_is_empty_are_an_error) {
  Both<std::optional<Tensor>> a{leaf(), leaf()}, b{leaf(), {}};
  const std::string text = "two objects differ in right: one is empty, the other is not";
  BOOST_TEST(how_they_differ(a, b) == text);
  BOOST_TEST(how_they_differ(b, a) == text);
  Both<std::unique_ptr<Tensor>> c, d;
  BOOST_TEST(how_they_differ(c, d) == "");
  d.right = std::make_unique<Tensor>();
  BOOST_TEST(how_they_differ(c, d) == text);
}

BOOST_AUTO_TEST_CASE(pairs_with_different_alternatives_are_an_error) {
  Both<std::variant<Tensor, Linear>> a{leaf(), leaf()}, b{leaf(), linear()};
  BOOST_TEST(how_they_differ(a, b) ==
             "two objects differ in right: they hold different alternatives");
}

BOOST_AUTO_TEST_CASE(only_what_may_hold_tensors_is_reflectable) {
  using tapegrad::reflectable;
  static_assert(reflectable<Tensor> && reflectable<const Linear&> && reflectable<Encoder>);
  static_assert(reflectable<std::vector<Linear>> && reflectable<std::unique_ptr<Tensor>>);
  static_assert(!reflectable<int> && !reflectable<std::vector<double>> && !reflectable<Clock>);
  static_assert(!reflectable<Tensor*> && !reflectable<Tape> && !reflectable<Tensor[3]>);
  static_assert(!reflectable<std::string> && !reflectable<std::function<void()>>);
  BOOST_TEST(reflectable<Tree>);
}

BOOST_AUTO_TEST_SUITE_END()
