// + - * / and their kin, comparisons, choices, and the product of an adjoint with a local
// derivative.
#include <cmath>
#include <limits>

#include "tapegrad/kernel/elementwise.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

namespace tapegrad {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

constexpr Op add_op = {
    .name = "add",
    .notation = "{} + {}",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto y) { return x + y; }>,
    .vjp =
        [](Vjp& v) {
          v.give(0, v.ybar);
          v.give(1, v.ybar);
        },
    .sample = {uniform(-2, 2), uniform(-2, 2)},
};

constexpr Op subtract_op = {
    .name = "subtract",
    .notation = "{} - {}",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto y) { return x - y; }>,
    .vjp =
        [](Vjp& v) {
          v.give(0, v.ybar);
          if (v.wants(1)) v.give(1, -v.ybar);
        },
    .sample = {uniform(-2, 2), uniform(-2, 2)},
};

constexpr Op multiply_op = {
    .name = "multiply",
    .notation = "{} * {}",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto y) { return x * y; }>,
    .vjp =
        [](Vjp& v) {
          if (v.wants(0)) v.give(0, v.ybar * v.x(1));
          if (v.wants(1)) v.give(1, v.ybar * v.x(0));
        },
    .sample = {uniform(-2, 2), uniform(-2, 2)},
};

constexpr Op divide_op = {
    .name = "divide",
    .notation = "{} / {}",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto y) { return x / y; }>,
    .vjp =
        [](Vjp& v) {
          if (v.wants(0)) v.give(0, v.ybar * (1.0 / v.x(1)));
          if (v.wants(1)) v.give(1, v.ybar * (-v.y / v.x(1)));
        },
    .sample = {uniform(-2, 2), uniform(0.5, 2)},
};

constexpr Op negate_op = {
    .name = "negate",
    .notation = "-{}",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) { return -x; }>,
    .vjp = [](Vjp& v) { v.give(0, -v.ybar); },
    .sample = {uniform(-2, 2)},
};

// ---- comparisons

template <auto compare>
constexpr Op comparison(std::string_view name, std::string_view notation) {
  return {
      .name = name,
      .notation = notation,
      .kind = Kind::elementwise,
      .shape = broadcast_operands,
      .forward = elementwise_kernel<[](auto x, auto y) {
        return compare(x, y) ? decltype(x)(1) : decltype(x)(0);
      }>,
      .vjp = zero_gradient,
      .sample = {whole(-2, 3), uniform(0.1, 0.9)},
  };
}

constexpr Op less_op = comparison<[](auto x, auto y) { return x < y; }>("less", "{} < {}");
constexpr Op less_equal_op =
    comparison<[](auto x, auto y) { return x <= y; }>("less_equal", "{} <= {}");
constexpr Op equal_op = comparison<[](auto x, auto y) { return x == y; }>("equal", "{} == {}");
constexpr Op not_equal_op =
    comparison<[](auto x, auto y) { return x != y; }>("not_equal", "{} != {}");

// ---- choices

constexpr Op where_op = {
    .name = "where",
    .notation = "where({}, {}, {})",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto c, auto x, auto y) { return c != 0 ? x : y; }>,
    .vjp =
        [](Vjp& v) {
          if (v.wants(1)) v.give(1, where(v.x(0), v.ybar, 0.0));
          if (v.wants(2)) v.give(2, where(v.x(0), 0.0, v.ybar));
        },
    .sample = {whole(0, 2), uniform(-2, 2), uniform(-2, 2)},
    .roles = {"condition", "x", "y"},
};

/// Half of the slope goes to each side of a tie.
Tensor share_of_larger(const Tensor& x, const Tensor& y) {
  const Tensor larger = x > y, tied = equal(x, y);
  return larger + 0.5 * tied;
}

constexpr Op maximum_op = {
    .name = "maximum",
    .notation = "max({}, {})",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto y) { return (x > y || x != x) ? x : y; }>,
    .vjp =
        [](Vjp& v) {
          if (v.wants(0)) v.give(0, v.ybar * share_of_larger(v.x(0), v.x(1)));
          if (v.wants(1)) v.give(1, v.ybar * share_of_larger(v.x(1), v.x(0)));
        },
    .sample = {uniform(-2, -0.1), uniform(0.1, 2)},
};

constexpr Op minimum_op = {
    .name = "minimum",
    .notation = "min({}, {})",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto y) { return x < y || x != x ? x : y; }>,
    .vjp =
        [](Vjp& v) {
          if (v.wants(0)) v.give(0, v.ybar * share_of_larger(v.x(1), v.x(0)));
          if (v.wants(1)) v.give(1, v.ybar * share_of_larger(v.x(0), v.x(1)));
        },
    .sample = {uniform(-2, -0.1), uniform(0.1, 2)},
};

constexpr Op clamp_op = {
    .name = "clamp",
    .notation = "clamp({}, {}, {})",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto x, auto low, auto high) {
      const auto raised = x < low ? low : x;
      return (raised > high) ? high : raised;
    }>,
    .vjp =
        [](Vjp& v) {
          const Tensor x = v.x(0), low = v.x(1), high = v.x(2);
          if (v.wants(0)) {
            const Tensor above = x >= low, below = x <= high;
            v.give(0, v.ybar * (above * below));
          }
          if (v.wants(1)) {
            const Tensor raised = x < low, ordered = low <= high;
            v.give(1, v.ybar * (raised * ordered));
          }
          if (v.wants(2)) {
            const Tensor below = x <= high, ordered = low <= high;
            v.give(2, v.ybar * (1.0 - below * ordered));
          }
        },
    .sample = {uniform(-0.9, 0.9), uniform(-2, -1), uniform(1, 2)},
    .roles = {"x", "low", "high"},
};

// ---- the product of an adjoint with a local derivative (see docs/house.md, "The cut")

/// t, but 0 where the product of an adjoint and a local derivative is cut off: the adjoint is
/// exactly 0 and the local derivative is not finite. What is cut passes nothing on, whatever t is.
constexpr Op cut_op = {
    .name = "cut",
    .notation = "cut({}; {}, {})",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto t, auto a, auto s) {
      using std::isfinite;
      return a == 0 && !isfinite(s) ? decltype(t)(0) : t;
    }>,
    .vjp = [](Vjp& v) { v.give(0, cut(v.ybar, v.x(1), v.x(2))); },
    .sample = {uniform(-2, 2), uniform(-2, 2), uniform(-2, 2)},
    .roles = {"x", "adjoint", "local"},
};

constexpr Op times_op = {
    .name = "times",
    .notation = "{} * {}",
    .kind = Kind::elementwise,
    .shape = broadcast_operands,
    .forward = elementwise_kernel<[](auto a, auto s) {
      using std::isfinite;
      const auto product = a * s;  // always, so that there is no branch
      return a == 0 && !isfinite(s) ? decltype(a)(0) : product;
    }>,
    .vjp =
        [](Vjp& v) {
          if (v.wants(0)) v.give(0, cut(v.ybar * v.x(1), v.x(0), v.x(1)));
          if (v.wants(1)) v.give(1, cut(v.ybar * v.x(0), v.x(0), v.x(1)));
        },
    .sample = {uniform(-2, 2), uniform(-2, 2)},
    .roles = {"adjoint", "local"},
};

constexpr const Op* family[] = {&add_op,       &subtract_op, &multiply_op,   &divide_op,
                                &negate_op,    &less_op,     &less_equal_op, &equal_op,
                                &not_equal_op, &where_op,    &maximum_op,    &minimum_op,
                                &clamp_op,     &cut_op,      &times_op};

}  // namespace

Family arithmetic_family() { return family; }

Tensor operator+(const Arg& x, const Arg& y) { return record(add_op, {x, y}); }
Tensor operator-(const Arg& x, const Arg& y) { return record(subtract_op, {x, y}); }
Tensor operator*(const Arg& x, const Arg& y) { return record(multiply_op, {x, y}); }
Tensor operator/(const Arg& x, const Arg& y) { return record(divide_op, {x, y}); }
Tensor operator-(const Arg& x) { return record(negate_op, {x}); }
Tensor operator+(const Arg& x) { return x.tensor(); }
Tensor& operator+=(Tensor& x, const Arg& y) { return x = Arg(x, y.site()) + y; }
Tensor& operator-=(Tensor& x, const Arg& y) { return x = Arg(x, y.site()) - y; }
Tensor& operator*=(Tensor& x, const Arg& y) { return x = Arg(x, y.site()) * y; }
Tensor& operator/=(Tensor& x, const Arg& y) { return x = Arg(x, y.site()) / y; }
Tensor operator<(const Arg& x, const Arg& y) { return record(less_op, {x, y}); }
Tensor operator<=(const Arg& x, const Arg& y) { return record(less_equal_op, {x, y}); }
Tensor operator>(const Arg& x, const Arg& y) { return record(less_op, {y, x}); }
Tensor operator>=(const Arg& x, const Arg& y) { return record(less_equal_op, {y, x}); }
Tensor equal(const Arg& x, const Arg& y) { return record(equal_op, {x, y}); }
Tensor not_equal(const Arg& x, const Arg& y) { return record(not_equal_op, {x, y}); }
Tensor where(const Arg& condition, const Arg& x, const Arg& y) {
  return record(where_op, {condition, x, y});
}
Tensor maximum(const Arg& x, const Arg& y) { return record(maximum_op, {x, y}); }
Tensor minimum(const Arg& x, const Arg& y) { return record(minimum_op, {x, y}); }
Tensor clamp(const Arg& x, const Arg& low, const Arg& high) {
  return record(clamp_op, {x, low, high});
}
Tensor clamp_min(const Arg& x, const Arg& low) {
  const Arg both[] = {x, low};
  const FrameScope frame(recording_of("clamp_min", both), "clamp_min", x.site());
  return clamp(x, low, infinity);
}
Tensor clamp_max(const Arg& x, const Arg& high) {
  const Arg both[] = {x, high};
  const FrameScope frame(recording_of("clamp_max", both), "clamp_max", x.site());
  return clamp(x, -infinity, high);
}
Tensor cut(const Arg& x, const Arg& adjoint, const Arg& local) {
  return record(cut_op, {x, adjoint, local});
}
Tensor times(const Arg& adjoint, const Arg& local) { return record(times_op, {adjoint, local}); }

}  // namespace tapegrad
