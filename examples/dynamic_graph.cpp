// A network whose shape depends on the data: a recurrent cell runs once per number of a sequence,
// and the sequences differ in length. C++ control flow records what it records; a scope forgets it
// again.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace tg = tapegrad;

namespace {

// h = tanh(w x + u h): what was seen earlier lives on in h.
struct Cell {
  tg::Tensor w, u;
  tg::Tensor operator()(double x, tg::Tensor h) const { return tanh(w * x + u * h); }
};

// What the cell is to find out: the same with w = 0.8 and u = 0.5.
double teacher(const std::vector<double>& sequence) {
  double h = 0;
  for (double x : sequence) h = std::tanh(0.8 * x + 0.5 * h);
  return h;
}

}  // namespace

int main() {
  const std::vector<std::vector<double>> sequences{
      {1}, {0.5, -1}, {-0.2, 0.4, 0.9}, {1, 1, -1, 1, 0.3}, {-1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}};

  tg::Tape tape;
  Cell cell{tape.parameter(0.1), tape.parameter(0.1)};
  tg::Tensor start = tape.constant(0);
  tg::Sgd sgd{.learning_rate = 0.2};

  fmt::print("{} records before training\n", tape.size());
  std::size_t most = 0;
  for (int epoch = 0; epoch <= 200; ++epoch) {
    double loss_sum = 0;
    for (const std::vector<double>& sequence : sequences) {
      // What is recorded from here on is forgotten at the closing brace. The parameters were made
      // before: they stay, with what they have learned.
      auto scope = tape.scope();
      tg::Tensor h = start;
      for (double x : sequence) h = cell(x, h);
      tg::Tensor loss = half_squared_error(h, tape.constant(teacher(sequence)));
      sgd.step(cell, gradient(loss, cell));
      loss_sum += loss.item();
      most = std::max(most, tape.size());
    }
    if (epoch % 50 == 0)
      fmt::print("epoch {:>3}  loss {:.8f}  w {:.4f}  u {:.4f}\n", epoch, loss_sum, cell.w.item(),
                 cell.u.item());
  }
  fmt::print("{} records after training, {} in the longest sequence\n", tape.size(), most);
}
