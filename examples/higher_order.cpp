// A gradient is recorded on the same tape as what it is the gradient of. So it has a gradient
// itself, and that one too: derivatives of any order need nothing new.
#include <fmt/format.h>
#include <tapegrad/tapegrad.hpp>

#include <cmath>
#include <initializer_list>

namespace tg = tapegrad;

int main() {
  tg::Tape tape;

  // One number. With t = tanh(x) the derivatives have closed forms:
  // t' = 1 - t^2, t'' = -2 t t', t''' = -2 t'^2 - 2 t t''.
  tg::Tensor x = tape.input(0.5);
  tg::Tensor t0 = tanh(x);
  tg::Tensor t1 = gradient(t0, x);
  tg::Tensor t2 = gradient(t1, x);
  tg::Tensor t3 = gradient(t2, x);

  // All three are records like any others: set x anew, replay, and they hold for the new x.
  fmt::print("tanh      value      first     second      third\n");
  for (double at : {0.5, -1.25, 2.0}) {
    x.set(at);
    tape.replay(t0, t1, t2, t3);
    const double c0 = std::tanh(at), c1 = 1 - c0 * c0, c2 = -2 * c0 * c1;
    const double c3 = -2 * c1 * c1 - 2 * c0 * c2;
    fmt::print("tape {:>10.6f} {:>10.6f} {:>10.6f} {:>10.6f}   at x = {}\n", t0.item(), t1.item(),
               t2.item(), t3.item(), at);
    fmt::print("form {:>10.6f} {:>10.6f} {:>10.6f} {:>10.6f}\n", c0, c1, c2, c3);
  }

  // Many numbers. The gradient g of logsumexp(v) is p = softmax(v), a vector. A seed says which of
  // its elements to differentiate: row i of the Hessian is the gradient of g[i], p[i] ([i = j] -
  // p[j]).
  tg::Tensor v = tape.input({1, 2, 3});
  tg::Tensor g = gradient(logsumexp(v), v);
  tg::Tensor row = gradient(seeded(g, tape.constant({0, 1, 0})), v);
  const double p[] = {g.at(0), g.at(1), g.at(2)};
  fmt::print("\ngradient of logsumexp {:.6}\n", g);
  fmt::print("Hessian row 1, tape   {:.6}\n", row);
  fmt::print("Hessian row 1, form   {:.6}\n",
             tg::Array(tg::Shape{3}, {-p[1] * p[0], p[1] * (1 - p[1]), -p[1] * p[2]}));
}
