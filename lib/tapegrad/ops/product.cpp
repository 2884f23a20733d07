// Matrix products.
#include <fmt/format.h>

#include "tapegrad/kernel/elementwise.hpp"
#include "tapegrad/kernel/gemm.hpp"
#include "tapegrad/kernel/move.hpp"
#include "tapegrad/ops/bilinear.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/catalogue.hpp"
#include "tapegrad/ops/ops.hpp"
#include "tapegrad/ops/vjp.hpp"

#include <cmath>

namespace tapegrad {
namespace {

// Attributes of matmul: [0] left transposed, [1] right transposed, [2] Cut

constexpr std::string_view both_roles[] = {"left", "right"};

Shape batch_of(const Shape& s) {
  Shape batch = s;
  while (batch.rank() > s.rank() - 2) batch = batch.without_axis(batch.rank() - 1);
  return batch;
}

/// (m, k) x (k, n) behind equal or broadcast batch axes.
Product product_of(const Shape& a, const Shape& b, const std::int64_t* attributes) {
  const bool ta = attributes[0] != 0, tb = attributes[1] != 0;
  return {.m = a[ta ? -1 : -2],
          .n = b[tb ? -2 : -1],
          .k = a[ta ? -2 : -1],
          .left_transposed = ta,
          .right_transposed = tb};
}

Shape matmul_shape(const Operands& x) {
  const Product p = product_of(x[0], x[1], x.attributes().data());
  const std::int64_t right_rows = x[1][p.right_transposed ? -1 : -2];
  if (p.k != right_rows) {
    std::string hint;
    const auto turned = [&](std::size_t i) {
      Shape s = x[i];
      s.set(s.rank() - 1, x[i][-2]);
      s.set(s.rank() - 2, x[i][-1]);
      return fmt::format("transpose({}) gives {}", x.name(i), text(s));
    };
    if (p.k == p.n)
      hint = turned(1);
    else if (p.m == right_rows)
      hint = turned(0);
    x.fail(fmt::format("the left has {} column{}, the right {} row{}", p.k, p.k == 1 ? "" : "s",
                       right_rows, right_rows == 1 ? "" : "s"),
           hint);
  }
  const auto batch = broadcast(batch_of(x[0]), batch_of(x[1]));
  if (!batch) x.fail("the batch axes in front of the matrices do not broadcast");
  if (batch->rank() + 2 > Shape::max_rank) x.fail("too many axes");
  return batch->with_axis(batch->rank(), p.m).with_axis(batch->rank() + 1, p.n);
}

/// Memory for the right matrix with its rows and columns exchanged.
std::int64_t matmul_scratch(const Operands& x) {
  return x.attribute(1) != 0 ? x[1][-1] * x[1][-2] : 0;
}

Tensor product(const Arg& a, bool ta, const Arg& b, bool tb, Cut cut);

void matmul_examples(Examples& example) {
  for (std::int64_t cut : {none, left_adjoint, right_adjoint}) {
    example({Shape{2, 3}, Shape{3, 4}}, {0, 0, cut});
    example({Shape{3, 2}, Shape{3, 4}}, {1, 0, cut});
    example({Shape{2, 3}, Shape{4, 3}}, {0, 1, cut});
    example({Shape{3, 2}, Shape{4, 3}}, {1, 1, cut});
  }
  example({Shape{1, 1}, Shape{1, 1}}, {0, 0, none});
  example({Shape{1, 5}, Shape{5, 1}}, {0, 0, none});
  example({Shape{5, 1}, Shape{1, 9}}, {0, 0, none});
  example({Shape{5, 3}, Shape{3, 9}}, {0, 0, none});
  example({Shape{2, 0}, Shape{0, 3}}, {0, 0, none});
  example({Shape{0, 2}, Shape{2, 3}}, {0, 0, none});
  example({Shape{2, 2, 3}, Shape{3, 2}}, {0, 0, none});
  example({Shape{2, 3}, Shape{2, 3, 2}}, {0, 0, none});
  example({Shape{2, 1, 2, 3}, Shape{3, 3, 2}}, {0, 0, none});
}

std::string matmul_notation(const Operands& x) {
  return fmt::format("{{}}{} {{}}{}", x.attribute(0) != 0 ? "^T" : "",
                     x.attribute(1) != 0 ? "^T" : "");
}

constexpr Op matmul_op = {
    .name = "matmul",
    .notation = "{} {}",
    .kind = Kind::contraction,
    .shape = matmul_shape,
    .forward = kernel<[]<class T>(const Call& c) {
      const Product p = product_of(*c.in[0].shape, *c.in[1].shape, c.attributes);
      const auto one = [&](const T* a, const T* b, T* out) {
        multiply(p, a, b, out, static_cast<T*>(c.scratch));
        if (c.attributes[2] != none) cut_product(p, a, b, c.attributes[2] == left_adjoint, out);
      };
      if (c.shape->rank() == 2) return one(c.from<T>(0), c.from<T>(1), c.to<T>());
      const Shape batch = batch_of(*c.shape);
      const auto batch_strides = [&](const Shape& s, std::int64_t matrix) {
        const Shape own = batch_of(s);
        const Strides inner = strides(own);
        Strides result{};
        for (int axis = 0; axis < own.rank(); ++axis)
          result[static_cast<std::size_t>(axis + batch.rank() - own.rank())] =
              inner[static_cast<std::size_t>(axis)] * matrix;
        return result;
      };
      const Strides left = batch_strides(*c.in[0].shape, p.m * p.k);
      const Strides right = batch_strides(*c.in[1].shape, p.k * p.n);
      for_each_index(batch, left, [&](std::int64_t i, std::int64_t a) {
        // The right offset from the index itself: two operands, one walk.
        std::int64_t b = 0, rest = i;
        for (int axis = batch.rank() - 1; axis >= 0; --axis) {
          b += rest % batch[axis] * right[static_cast<std::size_t>(axis)];
          rest /= batch[axis];
        }
        one(c.from<T>(0) + a, c.from<T>(1) + b, c.to<T>() + i * p.m * p.n);
      });
    }>,
    .vjp =
        [](Vjp& v) {
          const bool ta = v.attribute(0) != 0, tb = v.attribute(1) != 0;
          const auto share_of_left = [&](const Arg& right) {
            return ta ? product(right, tb, v.ybar, true,
                                right_adjoint)  // (k, n) x (m, n)T -> (k, m)
                      : product(v.ybar, false, right, !tb,
                                left_adjoint);  // (m, n) x (k, n)T -> (m, k)
          };
          const auto share_of_right = [&](const Arg& left) {
            return tb ? product(v.ybar, true, left, ta, left_adjoint)  // (m, n)T x (m, k) -> (n, k)
                      : product(left, !ta, v.ybar, false,
                                right_adjoint);  // (m, k)T x (m, n) -> (k, n)
          };
          give_bilinear(v, v.attribute(2), share_of_left, share_of_right);
        },
    .sample = {uniform(-2, 2), uniform(-2, 2)},
    .examples = matmul_examples,
    .scratch = matmul_scratch,
    .notation_of = matmul_notation,
};

/// x where it is finite, else 0: what remains of a factor behind the cut.
constexpr Op finite_part_op = {
    .name = "finite_part",
    .notation = "finite({})",
    .kind = Kind::elementwise,
    .shape = same_as_operand,
    .forward = elementwise_kernel<[](auto x) {
      using std::isfinite;
      return isfinite(x) ? x : decltype(x)(0);
    }>,
    .vjp = [](Vjp& v) { v.give(0, where(equal(v.x(0), v.y), v.ybar, 0.0)); },
    .sample = {uniform(-2, 2)},
};

Tensor product(const Arg& a, bool ta, const Arg& b, bool tb, Cut cut) {
  return record(matmul_op, {a, b}, {ta, tb, cut});
}

/// Refuses what are not two vectors.
void require_vectors(std::string_view name, std::span<const Arg> both) {
  for (const Arg& x : both)
    if (shape_of(name, x).rank() != 1)
      refuse(name, both, both_roles, "both operands must be vectors");
}

constexpr const Op* family[] = {&matmul_op, &finite_part_op};

}  // namespace

Tensor finite_part(const Arg& x) { return record(finite_part_op, {x}); }

Tensor product(const Arg& x, bool x_transposed, const Arg& y, bool y_transposed) {
  return product(x, x_transposed, y, y_transposed, none);
}

Family product_family() { return family; }

Tensor matmul(const Arg& x, const Arg& y) {
  const Arg both[] = {x, y};
  if (x.is_number() || y.is_number())
    refuse(matmul_op.name, both, both_roles, "a number is not a matrix", "write x * y to scale");
  const Shape a = shape_of(matmul_op.name, x), b = shape_of(matmul_op.name, y);
  if (a.rank() == 0 || b.rank() == 0)
    refuse(matmul_op.name, both, both_roles, "a tensor of rank 0 is not a matrix",
           "write x * y to scale");
  if (a.rank() >= 2 && b.rank() >= 2) return product(x, false, y, false, none);
  require_one_tape(matmul_op.name, both);
  const FrameScope frame("matmul", x);
  if (a[-1] != b[b.rank() == 1 ? 0 : -2])
    refuse(matmul_op.name, both, both_roles,
           fmt::format("{} elements on the left meet {} on the right", a[-1],
                       b[b.rank() == 1 ? 0 : -2]));
  const Arg left = a.rank() == 1 ? Arg(reshape(x, {1, a[0]}), x.site()) : x;
  const Arg right = b.rank() == 1 ? Arg(reshape(y, {b[0], 1}), y.site()) : y;
  const Tensor result = product(left, false, right, false, none);
  Shape shape = result.shape();
  if (b.rank() == 1) shape = shape.without_axis(shape.rank() - 1);
  if (a.rank() == 1) shape = shape.without_axis(shape.rank() - (b.rank() == 1 ? 1 : 2));
  return reshape(result, shape);
}

Tensor dot(const Arg& x, const Arg& y) {
  const Arg both[] = {x, y};
  require_one_tape("dot", both);
  require_vectors("dot", both);
  const std::int64_t m = shape_of("dot", x)[0], n = shape_of("dot", y)[0];
  if (m != n)
    refuse("dot", both, both_roles,
           fmt::format("{} elements on the left meet {} on the right", m, n));
  const FrameScope frame("dot", x);
  const Tensor products = x * y;
  return sum(products);
}

Tensor outer(const Arg& x, const Arg& y) {
  const Arg both[] = {x, y};
  require_one_tape("outer", both);
  require_vectors("outer", both);
  const FrameScope frame("outer", x);
  const Tensor column = unsqueeze(x, 1);  // (m, 1) (n) -> (m, n)
  return column * y;
}

}  // namespace tapegrad
