// What errors say. Each case is a mistake a user makes; its whole text is compared with the section
// of the same name in tests/data/errors.txt. After each mistake the tape is as it was before, and
// recording goes on.
//
// A line of this file is written there by what stands on it, errors_test.cpp:<w>, and here it is
// checked: `at("w", ...)` remembers its own line. The line of the mistake itself is <here>.
//
// To write the file anew, and read the difference with git:
//   TAPEGRAD_UPDATE=1 build/tests/tapegrad_tests --run_test=errors
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tapegrad/tapegrad.hpp"

namespace {

namespace tg = tapegrad;
using tg::Shape, tg::Tape, tg::Tensor;
using Numbers = std::vector<double>;

constexpr const char* golden_path = TAPEGRAD_TEST_DATA "/errors.txt";
constexpr const char* listing_path = TAPEGRAD_TEST_DATA "/listing.txt";

bool updating() { return std::getenv("TAPEGRAD_UPDATE") != nullptr; }

std::string content_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The sections of errors.txt: `[name]`, the text, an empty line.
using Sections = std::map<std::string, std::string>;

Sections read_sections() {
  Sections sections;
  std::ifstream file(golden_path);
  std::string* text = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("[") && line.ends_with("]"))
      text = &sections[line.substr(1, line.size() - 2)];
    else if (text != nullptr && !line.empty())
      *text += (text->empty() ? "" : "\n") + line;
  }
  return sections;
}

/// Holds what is expected, or, when updating, what was found, and writes it at the end.
struct Golden {
  static inline Sections sections;

  void setup() { sections = read_sections(); }
  void teardown() {
    if (!updating()) return;
    std::ofstream file(golden_path);
    for (const auto& [name, text] : sections) file << '[' << name << "]\n" << text << "\n\n";
  }
};

/// A user's program up to its mistake.
class Program {
 public:
  Tape tape;

  /// Remembers what the line of this call is called.
  template <class T>
  T at(std::string_view name, T value, tg::Site site = tg::Site::here()) {
    lines_[site.line] = name;
    return value;
  }

  /// Makes the mistake and compares what is said.
  template <class F>
  void mistake(const std::string& section, F call, tg::Site site = tg::Site::here()) {
    lines_[site.line] = "here";
    const std::string before = state();
    std::string said;
    try {
      call();
    } catch (const tg::Error& error) {
      said = error.what();
    }
    said = with_names_of_lines(said);
    if (updating()) Golden::sections[section] = said;
    BOOST_TEST(!said.empty(), section << ": nothing was said");
    BOOST_TEST(said == Golden::sections[section], section << "\n--- said\n"
                                                          << said << "\n--- expected\n"
                                                          << Golden::sections[section]);
    BOOST_TEST(state() == before, section << ": the tape is not as before");
    tape.limit(std::size_t{1} << 30);
    auto scope = tape.scope();
    const Tensor x = tape.input(3.0);
    BOOST_TEST((x * x + 0.125).item() == 9.125);
  }

 private:
  /// The size of the tape and all its values.
  std::string state() const {
    const tg::Recording& recording = tape.recording();
    std::string all = fmt::format("{} records, {} bytes\n", tape.size(), tape.bytes());
    for (tg::Id id = 0; id < recording.size(); ++id)
      all += fmt::format("{} {}\n", recording.label(id), recording.handle(id));
    return all;
  }

  std::string with_names_of_lines(const std::string& said) const {
    static const std::regex place("errors_test\\.cpp:([0-9]+)");
    std::string result;
    auto rest = said.begin();
    for (std::sregex_iterator found(said.begin(), said.end(), place), end; found != end; ++found) {
      const auto line = lines_.find(static_cast<std::uint32_t>(std::stoul((*found)[1])));
      result.append(rest, said.begin() + found->position());
      result += fmt::format("errors_test.cpp:<{}>", line == lines_.end() ? "?" : line->second);
      rest = said.begin() + found->position() + found->length();
    }
    return result.append(rest, said.end());
  }

  std::map<std::uint32_t, std::string> lines_;
};

struct Mlp {
  tg::Linear first, last;
  Tensor operator()(const Tensor& x) const { return last(relu(first(x))); }
};

struct NoParameters {
  double rate = 1;
};

struct Cached {
  Tensor weight, last_output;
};

struct One {
  Tensor w;
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(Golden);

BOOST_AUTO_TEST_SUITE(errors)

// ---------------------------------------------------------------- shapes

BOOST_AUTO_TEST_CASE(shapes_that_do_not_fit) {
  Program p;
  const Tensor x = p.at("x", p.tape.input(Numbers(6), Shape{2, 3}).named("x"));
  const Tensor y = p.at("y", p.tape.parameter({1, 2, 3, 4}));
  p.mistake("add shapes that do not broadcast", [&] { return x + y; });
  const Tensor mask = p.at("mask", x > 0.0);
  p.mistake("where with three shapes", [&] { return where(mask, y, 1.0); });
  p.mistake("half_squared_error of different shapes", [&] { return half_squared_error(x, y); });
  const Tensor column = p.at("column", p.tape.input({{1}, {2}}));
  const Tensor flat = p.at("flat", p.tape.input({1, 2}));
  p.mistake("mse_loss whose target would broadcast", [&] { return mse_loss(column, flat); });
  p.mistake("reshape to another number of elements", [&] { return reshape(x, {4, 2}); });
  p.mistake("reshape that leaves a rest for -1", [&] { return reshape(x, {4, -1}); });
  p.mistake("broadcast_to what does not fit", [&] { return broadcast_to(x, Shape{4, 3, 2}); });
  p.mistake("concat of parts that differ elsewhere", [&] { return tg::concat({x, column}, 0); });
  p.mistake("stack of different shapes", [&] { return tg::stack({x, column}, 0); });
}

BOOST_AUTO_TEST_CASE(matrices_that_do_not_fit) {
  Program p;
  const Tensor x = p.at("x", p.tape.input(Shape{32, 784}).named("x"));
  const Tensor w = p.at("w", p.tape.parameter(Numbers(128 * 784), Shape{128, 784}).named("w"));
  p.mistake("matmul with a transposed weight", [&] { return matmul(x, w); });
  const Tensor odd = p.at("odd", p.tape.parameter(Numbers(15), Shape{3, 5}));
  p.mistake("matmul of matrices no transposition helps", [&] { return matmul(x, odd); });
  const Tensor v = p.at("v", p.tape.parameter({1, 2}));
  p.mistake("matmul of a matrix and a vector", [&] { return matmul(odd, v); });
  const Tensor number = p.at("number", p.tape.parameter(2.0));
  p.mistake("matmul with a tensor of rank 0", [&] { return matmul(odd, number); });
  p.mistake("matmul with a number", [&] { return matmul(2.0, odd); });
  const Tensor batch = p.at("batch", p.tape.input(Shape{2, 4, 3}));
  const Tensor other = p.at("other", p.tape.input(Shape{5, 3, 4}));
  p.mistake("matmul of batches that do not fit", [&] { return matmul(batch, other); });
}

BOOST_AUTO_TEST_CASE(axes_that_are_not_there) {
  Program p;
  const Tensor x = p.at("x", p.tape.input(Numbers(6), Shape{2, 3}).named("x"));
  p.mistake("sum over an axis beyond the last", [&] { return sum(x, 2); });
  p.mistake("sum over an axis twice", [&] { return sum(x, {0, -2}); });
  p.mistake("softmax over an axis before the first", [&] { return softmax(x, -3); });
  p.mistake("transpose of an axis that is not there", [&] { return transpose(x, 0, 5); });
  const Tensor v = p.at("v", sum(x, 0));
  p.mistake("transpose of a vector", [&] { return transpose(v); });
  p.mistake("permute with too few axes", [&] { return permute(x, {0}); });
  p.mistake("slice of an axis that is not there", [&] { return slice(x, 2, 0, 1); });
  p.mistake("max_with_index along no axis", [&] { return max_with_index(x, 4).values; });
  p.mistake("size of an axis that is not there", [&] { return x.size(2); });
  const Tensor none = p.at("none", p.tape.input(Numbers(), Shape{0, 3}));
  p.mistake("max of nothing", [&] { return max(none, 0); });
}

// ---------------------------------------------------------------- handles

BOOST_AUTO_TEST_CASE(tensors_that_cannot_be_used) {
  Program p;
  const Tensor x = p.at("x", p.tape.input(1.0).named("x"));
  Tensor stale, dead, none;
  {
    auto scope = p.tape.scope();
    stale = exp(x);
  }
  {
    Tape other;
    dead = other.parameter(1.0);
  }
  p.mistake("computing with a stale tensor", [&] { return x * stale; });
  p.mistake("reading a stale tensor", [&] { return stale.item(); });
  p.mistake("a default-constructed tensor", [&] { return x + none; });
  p.mistake("a default-constructed tensor in a reduction", [&] { return sum(none); });
  p.mistake("a default-constructed Linear", [&] { return tg::Linear{}(x); });
  p.mistake("a tensor whose tape is gone", [&] { return dead * 2.0; });
  p.mistake("softmax of a tensor whose tape is gone", [&] { return softmax(dead, 0); });
  Tape other = p.at("tape two", Tape{tg::float32});
  const Tensor y = p.at("y", other.parameter(1.0).named("y"));
  Tape mine = p.at("tape one", Tape{});
  const Tensor z = p.at("z", mine.input(1.0));
  p.mistake("operands of two tapes", [&] { return z + y; });
  p.mistake("numbers alone", [&] { return tg::exp(2.0); });
}

BOOST_AUTO_TEST_CASE(tapes_and_marks_that_cannot_be_used) {
  Program p;
  const tg::Mark early = p.tape.mark();
  p.at("x", p.tape.input(1.0));
  const tg::Mark late = p.tape.mark();
  p.tape.rewind(early);
  p.mistake("a mark that was rewound past", [&] { p.tape.rewind(late); });
  Tape other;
  p.mistake("the mark of another tape", [&] { p.tape.rewind(other.mark()); });
  const Tape moved = std::move(other);
  p.mistake("a tape that was moved from", [&] { return other.input(1.0); });
}

// ---------------------------------------------------------------- values

BOOST_AUTO_TEST_CASE(values_that_do_not_fit) {
  Program p;
  const Tensor x = p.at("x", p.tape.input(Numbers(6), Shape{2, 3}).named("x"));
  p.mistake("set with too few values", [&] { x.set({1, 2, 3}); });
  p.mistake("set with another shape", [&] { x.set({{1, 2}, {3, 4}, {5, 6}}); });
  const Tensor y = p.at("y", 2.0 * x);
  p.mistake("set of a computed tensor", [&] { y.set(1.0); });
  const Tensor c = p.at("c", p.tape.constant(1.0));
  p.mistake("set of a constant", [&] { c.set(2.0); });
  p.mistake("ragged values", [&] { return p.tape.parameter({{1, 2, 3}, {4, 5}}); });
  p.mistake("flat values of another count", [&] { return p.tape.input(Numbers(5), Shape{2, 3}); });
  p.mistake("item of many", [&] { return x.item(); });
  p.mistake("at outside", [&] { return x.at(0, 3); });
  p.mistake("at with too few positions", [&] { return x.at(1); });
  Tape narrow = p.at("narrow", Tape{tg::float32});
  const Tensor f = p.at("f", narrow.input(1.0));
  p.mistake("a span of the other precision", [&] { return f.span<double>().size(); });
}

BOOST_AUTO_TEST_CASE(inputs_without_values) {
  Program p;
  const Tensor x = p.at("x", p.tape.input(Shape{2}).named("x"));
  const Tensor y = p.at("y", sum(x * x));
  p.mistake("reading an unset input", [&] { return x.values(); });
  p.mistake("reading what depends on an unset input", [&] { return y.item(); });
  p.mistake("running what depends on an unset input", [&] { p.tape.replay(y); });
  auto run = program(y);
  p.mistake("a program whose input was never set", [&] { run.run(); });
  x.set({1, 2});
  p.mistake("reading what was not run since", [&] { return y.item(); });
}

// ---------------------------------------------------------------- time

BOOST_AUTO_TEST_CASE(values_of_another_time) {
  Program p;
  const One net{p.at("w", p.tape.parameter(2.0).named("w"))};
  const Tensor x = p.at("x", p.tape.input(3.0).named("x"));
  const Tensor loss = p.at("loss", square(net.w * x));
  const One grads = p.at("grads", gradient(loss, net));
  p.at("set", (x.set(4.0), 0));
  p.mistake("reading a value that is out of date", [&] { return loss.item(); });
  p.mistake("computing with a value that is out of date", [&] { return loss * 2.0; });
  p.mistake("a gradient of a value that is out of date", [&] { return gradient(loss, x); });
  tg::Sgd sgd{.learning_rate = 0.1};
  p.mistake("a step with gradients that are out of date", [&] { sgd.step(net, grads); });
  p.tape.replay(loss, grads.w);
  p.at("step", (sgd.step(net, grads), 0));
  p.mistake("computing after a step", [&] { return loss + 1.0; });
  p.mistake("a second step with the same gradients", [&] { sgd.step(net, grads); });
}

BOOST_AUTO_TEST_CASE(updates_that_cannot_be) {
  Program p;
  const Tensor x = p.at("x", p.tape.input(1.0).named("x"));
  const Tensor s = p.at("s", p.tape.state({1, 2}).named("s"));
  p.mistake("assign to an input", [&] { return assign(x, 2.0); });
  p.mistake("assign another shape", [&] { return assign(s, x); });
  const Tensor first = p.at("first", assign(s, s + 1.0));
  p.mistake("a second update before the first took effect", [&] { return assign(s, s); });
  p.tape.replay(first);
  const Tensor second = p.at("second", assign(s, s * 2.0));
  p.mistake("two updates of one leaf in one run", [&] { p.tape.replay(first, second); });
}

// ---------------------------------------------------------------- gradients

BOOST_AUTO_TEST_CASE(gradients_that_cannot_be) {
  Program p;
  const Tensor x = p.at("x", p.tape.parameter({1, 2, 3}).named("x"));
  const Tensor y = p.at("y", (x * x).named("y"));
  p.mistake("gradient of more than one number", [&] { return gradient(y, x); });
  const Tensor v = p.at("v", p.tape.constant({1, 2}));
  p.mistake("a seed of another shape", [&] { return gradient(seeded(y, v), x); });
  const Tensor other = p.at("other", p.tape.parameter(1.0).named("other"));
  const Tensor total = p.at("total", sum(y));
  p.mistake("a gradient by what does not matter", [&] { return gradient(total, other); });
  const Tensor cut = p.at("cut", sum(detach(x)));
  p.mistake("a gradient through a detach", [&] { return gradient(cut, x); });
  p.mistake("a gradient without parameters", [&] { return gradient(total, NoParameters{}); });
  const Cached cached{x, y};
  p.mistake("a struct that holds a computed tensor", [&] { return gradient(total, cached); });
}

BOOST_AUTO_TEST_CASE(an_error_inside_a_sweep_blames_the_expression) {
  Program p;
  p.tape.trap_non_finite();
  const Tensor x = p.at("x", p.tape.parameter({4, 0}).named("x"));
  const Tensor root = p.at("root", sqrt(x));
  const Tensor total = p.at("total", sum(root));
  p.mistake("an adjoint that is infinite", [&] { return gradient(total, x); });
  p.mistake("a value that is infinite", [&] { return log(x); });
  p.tape.trap_non_finite(false);
  const Tensor large = p.at("large", sum(broadcast_to(x, Shape{1000, 2})));
  p.tape.limit(p.tape.bytes());
  p.mistake("the limit inside a sweep", [&] { return gradient(large, x); });
}

BOOST_AUTO_TEST_CASE(a_wrong_rule_is_told_at_the_line_that_used_it) {
  Program p;
  const Tensor x = p.at("x", p.tape.parameter({4, 0}).named("x"));
  const auto summed = [](tg::Vjp& v) { v.give(0, sum(v.ybar)); };
  const Tensor halved = p.at("halved", tg::with_vjp("halved", x / 2, {x}, summed));
  const Tensor half = p.at("half", sum(halved));
  p.mistake("a rule that sums its share", [&] { return gradient(half, x); });
}

// ---------------------------------------------------------------- structs and optimisers

BOOST_AUTO_TEST_CASE(a_mistake_inside_a_layer_is_told_at_the_users_line) {
  Program p;
  tg::Random random{1};
  Mlp net;
  net.first = p.at("first", linear(p.tape, 3, 4, random));
  net.last = p.at("last", linear(p.tape, 5, 1, random));
  const Tensor x = p.at("x", p.tape.input({{1, 2, 3}}));
  const Tensor wide = p.at("wide", p.tape.input({{1, 2, 3, 4}}));
  p.mistake("an input too wide for an unnamed linear", [&] { return net.first(wide); });
  tg::name(net, "net");
  p.mistake("an input too wide for a named linear", [&] { return net.first(wide); });
  const Tensor h = p.at("h", relu(net.first(x)));
  p.mistake("layers that do not fit together", [&] { return net.last(h); });
  p.mistake("a linear without inputs", [&] { return linear(p.tape, 0, 4, random); });
}

BOOST_AUTO_TEST_CASE(steps_that_cannot_be) {
  Program p;
  const One net{p.at("w", p.tape.parameter(2.0).named("w"))};
  const Tensor loss = p.at("loss", square(net.w));
  const One grads = p.at("grads", gradient(loss, net));
  tg::Sgd sgd{.learning_rate = 0.1}, unset;
  p.mistake("a step with exchanged arguments", [&] { sgd.step(grads, net); });
  p.mistake("a step with the network in both places", [&] { sgd.step(net, net); });
  p.mistake("a step without gradients", [&] { sgd.step(net, One{}); });
  p.mistake("a step without parameters", [&] { sgd.step(NoParameters{}, NoParameters{}); });
  p.mistake("a step without a learning rate", [&] { unset.step(net, grads); });
  const Tensor two = p.at("two", p.tape.parameter({1, 2}).named("two"));
  p.mistake("a step with a gradient of another shape", [&] { sgd.step(net, One{two}); });
  const One other{p.at("other", p.tape.parameter(1.0).named("other"))};
  sgd.step(net, grads);
  p.mistake("a step of another network", [&] { sgd.step(other, net); });
  const auto kept = tg::snapshot(net);
  p.mistake("restore of another shape", [&] { tg::restore(One{two}, kept); });
}

BOOST_AUTO_TEST_CASE(a_mistake_inside_a_compiled_function) {
  Program p;
  const Tensor w = p.at("w", p.tape.parameter({1, 2, 3}).named("w"));
  auto f = tg::compile(p.tape, [&](Tensor x) { return p.at("inside", sum(x * w)); });
  BOOST_TEST(f({1, 1, 1}).item() == 6.0);
  auto g = tg::compile(p.tape, [&](Tensor x) { return p.at("g", sum(x)); }, {.max_shapes = 1});
  BOOST_TEST(g({1, 1, 1}).item() == 3.0);
  p.mistake("one shape more than a function may record", [&] { return g({1, 2}); });
  p.at("f", 0), p.mistake("an expression inside a compiled function", [&] { return f({1, 2}); });
}

// ---------------------------------------------------------------- composites

BOOST_AUTO_TEST_CASE(a_mistake_inside_a_composite_is_told_at_the_users_line) {
  Program p;
  const Tensor logits = p.at("logits", p.tape.input(Numbers(6), Shape{2, 3}).named("logits"));
  const Tensor three = p.at("three", p.tape.input({0, 1, 2}));
  const Tensor wrong = p.at("wrong", p.tape.input({0, 3}));
  p.mistake("cross_entropy with a label for no row", [&] { return cross_entropy(logits, three); });
  p.mistake("cross_entropy of a vector", [&] { return cross_entropy(three, three); });
  p.mistake("cross_entropy with no such class", [&] { return cross_entropy(logits, wrong); });
  p.mistake("log_softmax over an axis that is not there", [&] { return log_softmax(logits, 2); });
  const tg::CrossEntropyOptions smooth{.label_smoothing = 2};
  p.mistake("too much label smoothing", [&] { return cross_entropy(logits, wrong, smooth); });
  p.mistake("an eps below 0", [&] { return layer_norm(logits, {3}, 1, 0, -1e-5); });
  p.mistake("a target that is neither 1 nor -1", [&] { return hinge_loss(three, three); });
  const Tensor index = p.at("index", p.tape.input({{0.5}, {1}}));
  p.mistake("gather with a fraction for an index", [&] { return gather(logits, 1, index); });
  p.mistake("gather of whole rows", [&] { return gather(logits, 0, wrong); });
}

// ---------------------------------------------------------------- the limit

BOOST_AUTO_TEST_CASE(the_limit) {
  Program p;
  Tensor x = p.at("x", p.tape.parameter(1.0).named("x"));
  while (p.tape.size() < 128) x = p.at("loop", x + 1.0);  // the limit is looked at now
  const std::size_t full = p.tape.bytes();
  p.tape.limit(full);
  p.mistake("the limit, by one record more", [&] { return exp(x); });
  p.tape.limit(full);
  p.mistake("the limit, by a leaf", [&] { return p.tape.input(Numbers(1000)); });
  p.tape.limit(full);
  p.mistake("the limit, by a large result", [&] { return broadcast_to(x, Shape{100, 100}); });
}

// ---------------------------------------------------------------- all texts

BOOST_AUTO_TEST_CASE(no_error_names_a_file_of_the_library) {
  const std::string all = content_of(golden_path);
  static const std::regex place("[A-Za-z0-9_./-]+\\.[ch]pp");
  int count = 0;
  for (std::sregex_iterator found(all.begin(), all.end(), place), end; found != end; ++found) {
    BOOST_TEST(found->str() == "errors_test.cpp");
    ++count;
  }
  BOOST_TEST((count > 0 || updating()));
}

BOOST_AUTO_TEST_CASE(every_error_names_the_line_of_the_mistake_or_of_its_record) {
  for (const auto& [name, text] : read_sections()) {
    BOOST_TEST(text.find("  at ") != std::string::npos, name << " has no line");
    BOOST_TEST(text.find("<?>") == std::string::npos, name << " names an unknown line");
  }
}

BOOST_AUTO_TEST_CASE(every_golden_text_belongs_to_a_case) {
  const std::string source = content_of(TAPEGRAD_SOURCE_DIR "/tests/errors_test.cpp");
  for (const auto& [name, text] : read_sections())
    BOOST_TEST(source.find('"' + name + '"') != std::string::npos, name);
}

// PyTorch's users search for these words.
BOOST_AUTO_TEST_CASE(a_missing_seed_is_told_in_pytorchs_words) {
  Tape tape;
  const Tensor x = tape.parameter({1, 2});
  BOOST_CHECK_EXCEPTION(gradient(x, x), tg::Error, [](const tg::Error& error) {
    return error.text().find("can be implicitly created only for") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(an_error_holds_its_parts) {
  Tape tape;
  const Tensor x = tape.input({1, 2}).named("x"), y = tape.input({1, 2, 3});
  try {
    x - y;
    BOOST_ERROR("nothing was thrown");
  } catch (const tg::Error& error) {
    BOOST_TEST(error.op() == "subtract");
    BOOST_REQUIRE(error.operands().size() == 2u);
    BOOST_TEST(error.operands()[0].role == "left");
    BOOST_TEST(error.operands()[0].label == "%0 x");
    BOOST_TEST((error.operands()[1].shape == Shape{3}));
    BOOST_TEST(error.site().line > 0u);
    BOOST_TEST(!error.hint().empty());
  }
}

// ---------------------------------------------------------------- the listing

BOOST_AUTO_TEST_CASE(a_listing_shows_every_kind_of_record) {
  Tape tape;
  tg::Random random{1};
  const tg::Linear layer = linear(tape, 2, 1, random);
  tg::name(layer, "layer");
  const Tensor x = tape.input(Shape{1, 2}).named("x"), t = tape.input({{1}});
  x.set({{1, 2}});
  const Tensor running = tape.state(0.5), table = tape.constant({1, 2});
  Tensor y = layer(x);
  // On its own line: which operand is recorded first is the compiler's choice.
  const Tensor total = sum(table);
  if (y.item() > -100) y = y * 0.5 + total;
  const Tensor loss = half_squared_error(y, t).named("loss");
  assign(running, 0.9 * running);
  gradient(loss, layer);
  tape.input(Shape{3});

  const std::regex place("errors_test\\.cpp:[0-9]+"), bytes("[0-9]+ bytes");
  std::string listed = std::regex_replace(tg::text(tape), place, "errors_test.cpp:<line>");
  listed = std::regex_replace(listed, bytes, "<n> bytes");
  if (updating()) std::ofstream(listing_path) << listed;
  const std::string expected = content_of(listing_path);
  BOOST_TEST(listed == expected, "--- listed\n" << listed << "\n--- expected\n" << expected);
}

BOOST_AUTO_TEST_SUITE_END()
