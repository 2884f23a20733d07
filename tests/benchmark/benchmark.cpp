// Times the tape against its promises and against hand-written loops, all in one run. Prints a
// Markdown table, or puts it into the page named as its argument, between <!-- measured --> and
// <!-- /measured -->. Not a test: a noisy machine proves nothing.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <tapegrad/tapegrad.hpp>
#include <vector>

#include "plain_loops.hpp"
#include "plain_network.hpp"

namespace tg = tapegrad;

namespace {

/// The least time of as many repetitions as half a second has room for, in ns for each of `per_run`
/// items.
template <class F>
double nanoseconds(double per_run, F run) {
  using clock = std::chrono::steady_clock;
  double best = 1e300;
  const auto end = clock::now() + std::chrono::milliseconds(500);
  for (auto start = clock::now(); start < end; start = clock::now()) {
    run();
    const std::chrono::duration<double, std::nano> time = clock::now() - start;
    best = std::min(best, time.count() / per_run);
  }
  return best;
}

std::string report;

void row(const std::string& what, const std::string& measured, const std::string& promise) {
  report += fmt::format("| {} | {} | {} |\n", what, measured, promise);
}

constexpr int records = 2000;

/// A chain of 2,000 scalar records: half products, half sums.
tg::Tensor chain(tg::Tensor x, tg::Tensor w) {
  for (int i = 0; i < records / 2; ++i) x = x * w + w;
  return x;
}

void scalar_records() {
  tg::Tape tape;
  const tg::Tensor x = tape.parameter(0.5), w = tape.parameter(0.25);
  row("recording and running a scalar record, in a scope",
      fmt::format("{:.0f} ns", nanoseconds(records,
                                           [&] {
                                             auto scope = tape.scope();
                                             chain(x, w);
                                           })),
      "at most 80 ns");
  const std::size_t bytes = tape.bytes();
  const tg::Tensor y = chain(x, w);
  const double per_record = static_cast<double>(tape.bytes() - bytes) / records;
  tape.replay(y);
  row("replaying a scalar record",
      fmt::format("{:.1f} ns", nanoseconds(records, [&] { tape.replay(y); })), "at most 12 ns");
  row("memory of a scalar record with two operands", fmt::format("{:.0f} bytes", per_record), "");
  const double both = nanoseconds(records, [&] {
    auto scope = tape.scope();
    gradient(chain(x, w), w);
  });
  row("recording a scalar record and its gradient, in a scope", fmt::format("{:.0f} ns", both), "");
}

void three_layer_step() {
  tg::Random random{1};
  const tg::Array w0 = random.uniform(-1, 1, tg::Shape{3, 4}),
                  w1 = random.uniform(-1, 1, tg::Shape{4, 1});
  const std::vector<double> x{0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1}, y{0, 1, 1, 0, 0};
  constexpr int steps = 500;

  plain::Network hand(5, 3, 4, 1, w0.values(), w1.values());
  const auto plain_steps = [&] {
    for (int i = 0; i < steps; ++i) {
      hand.forward(x.data(), y.data());
      hand.backward(x.data(), y.data());
      hand.update(1.0);
    }
  };

  struct Net {
    tg::Linear hidden, output;
  };
  tg::Tape tape;
  const Net net{{tape.parameter(w0), {}}, {tape.parameter(w1), {}}};
  auto train = tg::compile(tape, [&](tg::Tensor in, tg::Tensor target) {
    const tg::Tensor loss =
        half_squared_error(sigmoid(net.output(sigmoid(net.hidden(in)))), target);
    return std::tuple{loss, gradient(loss, net)};
  });
  const tg::Array in(tg::Shape{5, 3}, x), target(tg::Shape{5, 1}, y);
  tg::Sgd sgd{.learning_rate = 1.0};
  const auto tape_steps = [&] {
    for (int i = 0; i < steps; ++i) {
      const auto& [loss, slope] = train(in, target);
      sgd.step(net, slope);
    }
  };
  tape_steps();
  const double by_hand = nanoseconds(steps, plain_steps), by_tape = nanoseconds(steps, tape_steps);
  row("a training step of the three-layer network, plain loops", fmt::format("{:.0f} ns", by_hand),
      "");
  row("the same step, replayed", fmt::format("{:.0f} ns", by_tape), "");
  row("ratio", fmt::format("{:.2f}", by_tape / by_hand), "at most 4");
}

/// Floating-point operations each nanosecond of a product and of a convolution that is as large.
void products() {
  tg::Random random{1};
  const auto normal = [&](tg::Tape& tape, const tg::Shape& shape) {
    return tape.input(random.normal(0, 1, shape));
  };
  tg::Tape tape;
  // Each: 2 * 256 * 288 * 1024 operations.
  const tg::Tensor c =
      matmul(normal(tape, tg::Shape{256, 288}), normal(tape, tg::Shape{288, 1024}));
  const tg::Tensor y = conv2d(normal(tape, tg::Shape{4, 32, 16, 16}),
                              normal(tape, tg::Shape{256, 32, 3, 3}), {.padding = 1});
  constexpr double operations = 2.0 * 256 * 288 * 1024;
  const double product = nanoseconds(operations, [&] { tape.replay(c); });
  const double convolution = nanoseconds(operations, [&] { tape.replay(y); });
  row("matmul, (256, 288) by (288, 1024), float64", fmt::format("{:.1f} GFLOP/s", 1 / product), "");
  row("conv2d with as many operations, 3 by 3, 32 to 256 channels",
      fmt::format("{:.1f} GFLOP/s", 1 / convolution), "");
}

void softmaxes() {
  tg::Random random{1};
  tg::Tape tape;
  const tg::Tensor x = tape.input(random.normal(0, 1, tg::Shape{512, 512}));
  for (int axis = 0; axis < 2; ++axis) {
    const tg::Tensor y = softmax(x, axis);
    row(fmt::format("an element of softmax along axis {} of (512, 512), float64", axis),
        fmt::format("{:.1f} ns", nanoseconds(512 * 512, [&] { tape.replay(y); })), "");
  }
}

/// Ops whose time is memory's, or that have many small things to do.
void ops_against_plain_loops() {
  tg::Random random{1};
  tg::Tape tape;
  const auto compare = [&](const char* what, const tg::Tensor& y, auto plain) {
    const double by_hand = nanoseconds(1, plain);
    row(fmt::format("{}, as a multiple of plain loops", what),
        fmt::format("{:.2f}", nanoseconds(1, [&] { tape.replay(y); }) / by_hand), "");
  };
  std::vector<double> out(1 << 20);
  const tg::Tensor square = tape.input(random.normal(0, 1, tg::Shape{1000, 1000}));
  const std::vector<double> x = square.values();
  compare("sum of (1000, 1000) along axis 0", sum(square, 0),
          [&] { plain::sum_rows(x.data(), 1000, 1000, out.data()); });
  const tg::Tensor logits =
      tape.input(tg::Array(tg::Shape{10000, 10}, {x.begin(), x.begin() + 100000}));
  compare("softmax of 10,000 rows of 10 classes", softmax(logits, 1),
          [&] { plain::softmax(x.data(), 10000, 10, out.data()); });
  const tg::Tensor table =
      tape.input(tg::Array(tg::Shape{10000, 64}, {x.begin(), x.begin() + 640000}));
  const std::vector<double> numbers =
      floor(tape.input(random.uniform(0, 10000, tg::Shape{4096}))).values();
  compare("embedding of 4,096 numbers, 64 wide", embedding(table, tape.input(numbers)),
          [&] { plain::copy_rows(x.data(), 64, numbers.data(), 4096, out.data()); });
}

/// A tanh network of 159 parameters, and a batch of four.
struct TanhNetwork {
  struct Net {
    tg::Linear first, second, third;
  };
  tg::Random random{1};
  tg::Tape tape;
  Net net{tg::linear(tape, 10, 10, random), tg::linear(tape, 10, 4, random),
          tg::linear(tape, 4, 1, random)};
  tg::Tensor x = tape.input(random.normal(0, 1, tg::Shape{4, 10}));
  tg::Tensor t = tape.input(random.normal(0, 1, tg::Shape{4, 1}));
  tg::Tensor loss = mse_loss(net.third(tanh(net.second(tanh(net.first(x))))), t);
};

void second_order() {
  TanhNetwork n;
  const tg::Tensor& w = n.net.first.weight;
  const tg::Tensor slope = gradient(n.loss, w);
  const tg::Tensor product = hvp(n.loss, w, n.tape.input(n.random.normal(0, 1, w.shape())));
  const double first = nanoseconds(1, [&] { n.tape.replay(slope); });
  const double second = nanoseconds(1, [&] { n.tape.replay(product); });
  row("a Hessian product, as a multiple of a gradient, 10-10-4-1 tanh network",
      fmt::format("{:.1f}", second / first), "");
}

void gradient_check() {
  const TanhNetwork n;
  int evaluations = 0;
  const double time =
      nanoseconds(1, [&] { evaluations = check_gradient(n.loss, n.net).evaluations(); });
  row("checking the gradient by all 159 parameters of that network, batch of 4",
      fmt::format("{:.1f} ms, {} evaluations", 1e-6 * time, evaluations), "under 300 ms");
}

/// Seconds of processor time that finished child processes have used.
double children_seconds() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// How much processor time a compiler takes for the header, alone in a file.
void include_time(const std::string& compiler, const std::string& include) {
  const std::string file = "include_time.cpp";
  std::ofstream(file) << "#include <tapegrad/tapegrad.hpp>\n";
  const std::string command =
      fmt::format("{} -std=c++20 -I{} -c {} -o include_time.o", compiler, include, file);
  double best = 1e300;
  for (int i = 0; i < 3; ++i) {
    const double before = children_seconds();
    if (std::system(command.c_str()) != 0) return;
    best = std::min(best, children_seconds() - before);
  }
  std::remove(file.c_str());
  std::remove("include_time.o");
  row("compiling an empty file that includes tapegrad", fmt::format("{:.2f} s", best),
      "under 1.5 s with g++ 12");
}

std::string machine() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "an unknown processor";
}

/// Replaces what stands between the marks of the page.
bool put_into(const char* page) {
  std::ifstream in(page);
  std::string content{std::istreambuf_iterator<char>(in), {}};
  const std::string begin = "<!-- measured -->\n", end = "<!-- /measured -->";
  const std::size_t from = content.find(begin), to = content.find(end);
  if (from == std::string::npos || to == std::string::npos) return false;
  content.replace(from + begin.size(), to - from - begin.size(), report);
  return static_cast<bool>(std::ofstream(page) << content);
}

#if defined(__clang__)
constexpr const char* compiler = "clang " __clang_version__;
#else
constexpr const char* compiler = "g++ " __VERSION__;
#endif

}  // namespace

int main(int argc, char** argv) {
  report = fmt::format("Measured on {} with {}, the least of many repetitions, in one run.\n\n",
                       machine(), compiler);
  report += "| what | measured | promised |\n|---|---|---|\n";
  scalar_records();
  three_layer_step();
  products();
  softmaxes();
  ops_against_plain_loops();
  second_order();
  gradient_check();
  include_time(TAPEGRAD_COMPILER, TAPEGRAD_INCLUDE);
  if (argc < 2) {
    fmt::print("{}", report);
  } else if (!put_into(argv[1])) {
    fmt::print(stderr, "benchmark: {} has no place for the numbers\n", argv[1]);
    return 1;
  }
}
