#include "tapegrad/ops/external.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "tapegrad/kernel/move.hpp"
#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/ops.hpp"

namespace tapegrad {
namespace {

Shape shape_from_attributes(const Operands& x) { return Shape(x.attributes()); }

template <class T>
using Few = boost::container::small_vector<T, 8>;

std::span<const double> whole(const Input& input) {
  return {static_cast<const double*>(input.data), static_cast<std::size_t>(input.shape->numel())};
}

[[noreturn]] void not_in_this_precision(const Call&) {
  throw KernelError{"works on float64 tapes only"};
}

/// An external function with its two ops: forward, and all shares of the backward side by side.
struct Bound {
  External function;
  std::string backward_name;
  Op forward, backward;

  explicit Bound(External f)
      : function(std::move(f)),
        backward_name(function.name + " backward"),
        forward{.name = function.name,
                .notation = "{...}",
                .kind = Kind::contraction,
                .shape = shape_from_attributes,
                .forward = Kernel{.f32 = not_in_this_precision, .f64 = run_forward},
                .vjp = function.backward ? VjpRule(&Bound::rule) : VjpRule(&Bound::refuse_any),
                .sample = {uniform(-2, 2)},
                .context = this},
        backward{.name = backward_name,
                 .notation = "{...}",
                 .kind = Kind::contraction,
                 .shape = shape_from_attributes,
                 .forward = Kernel{.f32 = not_in_this_precision, .f64 = run_backward},
                 .vjp = &Bound::refuse_second,
                 .sample = {uniform(-2, 2)},
                 .context = this} {}
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

  static const Bound& of(const void* context) { return *static_cast<const Bound*>(context); }

  /// NaN shows what a function forgets to write.
  static void forget(const Call& c) {
    std::fill_n(c.to<double>(), c.count, std::numeric_limits<double>::quiet_NaN());
  }

  static void run_forward(const Call& c) {
    forget(c);
    Few<std::span<const double>> x;
    for (std::uint32_t i = 0; i < c.inputs; ++i) x.push_back(whole(c.in[i]));
    of(c.context).function.forward({x.data(), x.size()},
                                   {c.to<double>(), static_cast<std::size_t>(c.count)});
  }

  /// Operands: x..., y, ybar. The result: the shares one after the other.
  static void run_backward(const Call& c) {
    forget(c);
    Few<std::span<const double>> x;
    Few<std::span<double>> share;
    double* to = c.to<double>();
    for (std::uint32_t i = 0; i + 2 < c.inputs; ++i) {
      x.push_back(whole(c.in[i]));
      share.emplace_back(to, x.back().size());
      to += x.back().size();
    }
    of(c.context).function.backward({x.data(), x.size()}, whole(c.in[x.size()]),
                                    whole(c.in[x.size() + 1]), {share.data(), share.size()});
  }

  static void rule(Vjp& v) {
    std::vector<Arg> operands;
    std::int64_t total = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      operands.emplace_back(v.x(i));
      total += v.x(i).numel();
    }
    operands.emplace_back(v.y);
    operands.emplace_back(v.ybar);
    const Tensor shares = record(of(v.op().context).backward, operands, {&total, 1});
    std::int64_t start = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
      const std::int64_t n = v.x(i).numel();
      if (v.wants(i)) v.give(i, reshape(slice(shares, 0, start, start + n), v.x(i).shape()));
      start += n;
    }
  }

  static void refuse_any(Vjp& v) {
    throw Error(std::string(v.op().name), "is an external function without a backward", {}, {},
                "give it one, or stop the gradient with detach(...)");
  }
  static void refuse_second(Vjp& v) {
    throw Error(of(v.op().context).function.name,
                "is an external function: its backward cannot be differentiated again", {}, {},
                "a second derivative needs the function written in ops, or with_vjp(...)");
  }
};

/// A composite's rule, with its op.
struct Composite {
  std::string name;
  std::function<void(Vjp&)> function;
  Op op;

  Composite(std::string called, std::function<void(Vjp&)> rule)
      : name(std::move(called)),
        function(std::move(rule)),
        op{.name = name,
           .notation = "{...}",
           .kind = Kind::composite,
           .shape = [](const Operands& x) { return x[x.size() - 1]; },
           .forward = kernel<[]<class T>(const Call& c) {
             std::copy_n(c.from<T>(c.inputs - 1), c.count, c.to<T>());
           }>,
           .vjp = [](Vjp& v) { static_cast<const Composite*>(v.op().context)->function(v); },
           .sample = {uniform(-2, 2)},
           .context = this} {}
  Composite(const Composite&) = delete;
  Composite& operator=(const Composite&) = delete;
};

}  // namespace

Tensor external(const External& function, std::initializer_list<Arg> x, const Shape& shape) {
  const std::span<const Arg> operands(x.begin(), x.size());
  External named = function;
  if (named.name.empty()) named.name = "external";
  const std::string& name = named.name;
  Recording& recording = recording_of(name, operands);
  if (!function.forward) refuse(name, operands, {}, "the external function has no forward");
  if (recording.precision() == float32)
    refuse(name, operands, {}, "an external function works on float64 tapes only, this is float32",
           "make the tape with tg::float64");
  const Rollback rollback(recording);
  auto bound = std::make_shared<Bound>(named);
  recording.keep(bound);
  const std::vector<std::int64_t> extents(shape.begin(), shape.end());
  return record(bound->forward, operands, extents);
}

Tensor with_vjp(std::string name, const Arg& y, std::initializer_list<Arg> x,
                std::function<void(Vjp&)> rule) {
  std::vector<Arg> operands(x.begin(), x.end());
  operands.push_back(y);
  Recording& recording = recording_of(name, operands);
  if (!rule) refuse(name, operands, {}, "there is no rule: the function is empty");
  const Rollback rollback(recording);
  auto composite = std::make_shared<Composite>(std::move(name), std::move(rule));
  recording.keep(composite);
  // The line is that of the composite's own call, which y carries.
  std::vector<Arg> at_line;
  at_line.reserve(operands.size());
  for (const Arg& operand : operands)
    at_line.push_back(operand.is_number() ? Arg(operand.number(), y.site())
                                          : Arg(operand.tensor(), y.site()));
  return record(composite->op, at_line);
}

}  // namespace tapegrad
