// How the gradient checks of several libraries decide, and how this one does: what part of right
// derivatives they refuse, and what part of wrong ones they accept. Their rules are written here
// for one derivative in double; dynet and flashlight compute in float, and so do no better.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "tapegrad/base/random.hpp"
#include "tapegrad/check/verdict.hpp"

namespace {

namespace tg = tapegrad;

struct Smooth {
  double (*f)(double);
  double (*slope)(double);
};
double logistic(double x) { return 1 / (1 + std::exp(-x)); }
constexpr std::array<Smooth, 6> smooth = {{
    {[](double x) { return std::sin(x); }, [](double x) { return std::cos(x); }},
    {[](double x) { return std::exp(x); }, [](double x) { return std::exp(x); }},
    {[](double x) { return std::tanh(x); },
     [](double x) { return 1 / (std::cosh(x) * std::cosh(x)); }},
    {[](double x) { return x * x * x - 2 * x; }, [](double x) { return 3 * x * x - 2; }},
    {[](double x) { return logistic(x); },
     [](double x) { return logistic(x) * (1 - logistic(x)); }},
    {[](double x) { return std::log1p(x * x); }, [](double x) { return 2 * x / (1 + x * x); }},
}};

using Function = std::function<double(double)>;

double central(const Function& f, double x, double h) { return (f(x + h) - f(x - h)) / (2 * h); }
double forward(const Function& f, double x, double h) { return (f(x + h) - f(x)) / h; }
bool close(double a, double n, double absolute, double relative) {
  return std::abs(a - n) <= absolute + relative * std::abs(n);
}

struct Policy {
  const char* name;
  bool (*accepts)(const Function& f, double x, double analytic);
};
constexpr std::array<Policy, 7> policies = {{
    {"torch 1e-6 / 1e-5 / 1e-3",
     [](const Function& f, double x, double a) {
       return close(a, central(f, x, 1e-6), 1e-5, 1e-3);
     }},
    {"jax f64 1e-4 / 1e-5 / 1e-5",
     [](const Function& f, double x, double a) {
       return close(a, central(f, x, 1e-4), 1e-5, 1e-5);
     }},
    {"autograd 1e-6 / 1e-6 / 1e-6",
     [](const Function& f, double x, double a) {
       const double n = central(f, x, 1e-6), apart = std::abs(a - n);
       return apart < 1e-6 || apart / std::abs(a + n) < 1e-6;
     }},
    {"dynet 5e-3 / 0.01",
     [](const Function& f, double x, double a) {
       const double n = central(f, x, 5e-3), apart = std::abs(a - n);
       const double size = std::max(std::abs(a), std::abs(n));
       return apart <= 0.01 || apart / size <= 0.01;
     }},
    {"flashlight 1e-4 / abs 1e-5",
     [](const Function& f, double x, double a) { return close(a, central(f, x, 1e-4), 1e-5, 0); }},
    {"pytensor 1e-7 one-sided / 1e-4",
     [](const Function& f, double x, double a) {
       const double n = forward(f, x, 1e-7), apart = std::abs(a - n);
       return apart <= 1e-4 || apart / std::max(std::abs(a) + std::abs(n), 1e-8) <= 1e-4;
     }},
    {"tapegrad",
     [](const Function& f, double x, double a) {
       const tg::Slopes slopes = tg::measure_slopes([&](double h) { return f(x + h); },
                                                    {.scale = std::abs(x), .claimed = a, .x = x});
       return tg::judge(a, slopes).verdict < tg::Verdict::inconclusive;
     }},
}};

constexpr int draws = 1500;

// How often a policy accepts what `claim` makes of the right slope, in percent.
template <class Claim>
double accepted(const Policy& policy, const Claim& claim) {
  tg::Random random(20);
  int count = 0;
  for (int i = 0; i < draws; ++i) {
    const Smooth& function = smooth[static_cast<std::size_t>(i) % smooth.size()];
    const double scale = std::pow(10, random.uniform(-6, 6)), x = random.normal();
    const auto f = [&](double z) { return scale * function.f(z); };
    count += policy.accepts(f, x, claim(scale * function.slope(x), random));
  }
  return 100.0 * count / draws;
}

}  // namespace

int main() {
  fmt::print("| policy | right refused | wrong by 1-100 % accepted | wrong sign accepted |\n");
  fmt::print("|---|---|---|---|\n");
  for (const Policy& policy : policies) {
    const double right = accepted(policy, [](double slope, tg::Random&) { return slope; });
    const double wrong = accepted(policy, [](double slope, tg::Random& random) {
      const double off = std::pow(10, random.uniform(-2, 0));
      return slope * (random.random() < 0.5 ? 1 + off : 1 - off);
    });
    const double turned = accepted(policy, [](double slope, tg::Random&) { return -slope; });
    fmt::print("| {} | {:.1f} % | {:.1f} % | {:.1f} % |\n", policy.name, 100 - right, wrong,
               turned);
  }
}
