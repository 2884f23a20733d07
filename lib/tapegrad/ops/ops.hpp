// The vocabulary: one line per op. Operands are tensors or numbers; shapes follow NumPy's rules of
// broadcasting. Every op is recorded on the tape of its operands and throws Error, naming op,
// operands and the caller's line, if shapes do not fit, a tensor is stale, or a value is out of
// date.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tapegrad/base/shape.hpp"
#include "tapegrad/ops/window.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

class Tape;

// Arithmetic, elementwise.
Tensor operator+(const Arg& x, const Arg& y);
Tensor operator-(const Arg& x, const Arg& y);
Tensor operator*(const Arg& x, const Arg& y);
Tensor operator/(const Arg& x, const Arg& y);
Tensor operator-(const Arg& x);
Tensor operator+(const Arg& x);
/// `x += y` binds x to the sum, a new tensor: the old one and its other names stay as they were.
Tensor& operator+=(Tensor& x, const Arg& y);
Tensor& operator-=(Tensor& x, const Arg& y);
Tensor& operator*=(Tensor& x, const Arg& y);
Tensor& operator/=(Tensor& x, const Arg& y);

// Functions, applied to each element. Where nothing else is said, the slope at a singular point is
// the limit, if need be infinite: sqrt, log and asin do not hide their poles.
/// x^p. At x = 0 the slope is that of PyTorch: 0 for p = 0, 1 for p = 1, infinite for p < 1.
Tensor pow(const Arg& x, const Arg& p);
Tensor square(const Arg& x);
Tensor sqrt(const Arg& x);
Tensor rsqrt(const Arg& x);  // 1 / sqrt(x)
Tensor reciprocal(const Arg& x);
Tensor exp(const Arg& x);
Tensor expm1(const Arg& x);  // e^x - 1, exact for small x
Tensor log(const Arg& x);
Tensor log1p(const Arg& x);  // log(1 + x), exact for small x
Tensor log2(const Arg& x);
Tensor abs(const Arg& x);    // slope 0 at 0
Tensor sign(const Arg& x);   // slope 0
Tensor floor(const Arg& x);  // slope 0
Tensor erf(const Arg& x);
Tensor erfc(const Arg& x);  // 1 - erf(x), exact for large x
Tensor sin(const Arg& x);
Tensor cos(const Arg& x);
Tensor tan(const Arg& x);
Tensor asin(const Arg& x);
Tensor acos(const Arg& x);
Tensor atan(const Arg& x);
/// The angle of the point (x, y), from -pi to pi. At (0, 0), where all angles meet, the slopes are
/// NaN, as in PyTorch.
Tensor atan2(const Arg& y, const Arg& x);
/// sqrt(x^2 + y^2), without overflow. At (0, 0) both slopes are 0, as those of a norm; in PyTorch
/// they are NaN.
Tensor hypot(const Arg& x, const Arg& y);
Tensor sinh(const Arg& x);
Tensor cosh(const Arg& x);
Tensor tanh(const Arg& x);
Tensor maximum(const Arg& x, const Arg& y);  // a tie shares its slope evenly
Tensor minimum(const Arg& x, const Arg& y);  // a tie shares its slope evenly
/// min(max(x, low), high): slope 1 inside and on the bounds.
Tensor clamp(const Arg& x, const Arg& low, const Arg& high);
/// max(x, low), where on the bound x takes the whole slope.
Tensor clamp_min(const Arg& x, const Arg& low);
/// min(x, high), where on the bound x takes the whole slope.
Tensor clamp_max(const Arg& x, const Arg& high);

// Activation functions, applied to each element; none overflows for large x of either sign.
Tensor sigmoid(const Arg& x);     // 1 / (1 + e^-x)
Tensor logsigmoid(const Arg& x);  // log(1 / (1 + e^-x))
/// log(1 + e^x), exactly: no threshold turns it into x, as PyTorch's does at 20.
Tensor softplus(const Arg& x);
Tensor relu(const Arg& x);  // slope 0 at 0
Tensor leaky_relu(const Arg& x, const Arg& slope = 0.01);
/// x, but alpha (e^x - 1) where x <= 0. At 0 the slope is alpha.
Tensor elu(const Arg& x, const Arg& alpha = 1);
/// 1.0507 elu(x, 1.67326), which keeps mean 0 and variance 1 from layer to layer.
Tensor selu(const Arg& x);
/// x times the probability that a standard normal variable is below x.
Tensor gelu(const Arg& x);
/// The same by tanh: 1/2 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), as PyTorch's
/// approximate="tanh".
Tensor gelu_tanh(const Arg& x);
Tensor silu(const Arg& x);      // x sigmoid(x)
Tensor mish(const Arg& x);      // x tanh(softplus(x))
Tensor softsign(const Arg& x);  // x / (1 + |x|)
/// clamp with default bounds: slope 1 on them, too (PyTorch: 0).
Tensor hardtanh(const Arg& x, const Arg& low = -1, const Arg& high = 1);

/// x where the condition is not 0, else y.
Tensor where(const Arg& condition, const Arg& x, const Arg& y);

// Comparisons: 1 where true, else 0. There is no ==, which would be mistaken for a truth value.
Tensor operator<(const Arg& x, const Arg& y);
Tensor operator<=(const Arg& x, const Arg& y);
Tensor operator>(const Arg& x, const Arg& y);
Tensor operator>=(const Arg& x, const Arg& y);
Tensor equal(const Arg& x, const Arg& y);
Tensor not_equal(const Arg& x, const Arg& y);

// Reductions over all axes, or those given. Throw Error for an axis that is not there or is named
// twice.
Tensor sum(const Arg& x, const Axes& axes = {}, Keepdim keepdim = false);
Tensor mean(const Arg& x, const Axes& axes = {}, Keepdim keepdim = false);  // of nothing: NaN
/// The product; of nothing: 1. The slope by a factor is the product of all others, so that zeros
/// are no trouble for derivatives of any order.
Tensor prod(const Arg& x, const Axes& axes = {}, Keepdim keepdim = false);
/// The largest element; ties share the slope evenly. Throws Error for an empty axis.
Tensor max(const Arg& x, const Axes& axes = {}, Keepdim keepdim = false);
/// The smallest element, as max.
Tensor min(const Arg& x, const Axes& axes = {}, Keepdim keepdim = false);
/// log(sum of e^x), without overflow; of nothing: -infinity.
Tensor logsumexp(const Arg& x, const Axes& axes = {}, Keepdim keepdim = false);
/// The variance, sum of (x - mean)^2 / (n - ddof), by default that of a sample, as in PyTorch; ddof
/// = 0 is NumPy's. NaN if n <= ddof. Throws Error for ddof < 0.
Tensor var(const Arg& x, const Axes& axes = {}, Keepdim keepdim = false, std::int64_t ddof = 1);
/// The square root of the variance, without overflow. Where all are equal its slope is 0.
Tensor std(const Arg& x, const Axes& axes = {}, Keepdim keepdim = false, std::int64_t ddof = 1);
/// (sum of |x|^p)^(1/p), without overflow; for infinite p the largest |x|, where ties share the
/// slope. The slope of a vector of zeros is 0. Throws Error unless p > 0, and for infinite p and an
/// empty axis.
Tensor norm(const Arg& x, double p = 2, const Axes& axes = {}, Keepdim keepdim = false);
template <std::same_as<bool> B>
Tensor norm(const Arg&, B, const Axes& = {}, Keepdim = false) = delete;  // true is no p

/// The place of the largest element along an axis, or among all elements in row-major order: a
/// whole number without a slope. A tie goes to the first, and a NaN is the largest and the
/// smallest. Throws Error for an empty axis, and for more than 2^24 places in float32.
Tensor argmax(const Arg& x);
Tensor argmax(const Arg& x, Axis axis, Keepdim keepdim = false);
/// The place of the smallest element, as argmax.
Tensor argmin(const Arg& x);
Tensor argmin(const Arg& x, Axis axis, Keepdim keepdim = false);
struct WithIndex {
  Tensor values, index;
};
/// The largest element along an axis, and argmax. The slope of a tie goes to the first.
WithIndex max_with_index(const Arg& x, Axis axis, Keepdim keepdim = false);
/// The smallest element along an axis, and argmin.
WithIndex min_with_index(const Arg& x, Axis axis, Keepdim keepdim = false);

/// Running sums along an axis: y_i = x_0 + ... + x_i.
Tensor cumsum(const Arg& x, Axis axis);
/// e^x / sum of e^x along an axis.
Tensor softmax(const Arg& x, Axis axis);
/// log(softmax(x)), without overflow.
Tensor log_softmax(const Arg& x, Axis axis);

/// NumPy's product: (m, k) x (k, n) -> (m, n); a vector is a row on the left, a column on the
/// right; further axes in front are batches and broadcast.
Tensor matmul(const Arg& x, const Arg& y);
/// The sum of x_i y_i over two vectors.
Tensor dot(const Arg& x, const Arg& y);
/// All products x_i y_j of two vectors: (m), (n) -> (m, n).
Tensor outer(const Arg& x, const Arg& y);

/// Sums of products by labelled axes, as NumPy's einsum: `einsum("ij,jk->ik", a, b)`. A label that
/// the result does not name is summed over; one that is named twice in an operand means its
/// diagonal. `...` stands for axes without labels, which broadcast; so does an extent of 1. Without
/// `->` the result has the axes of `...`, then the labels that occur once, in alphabetical order.
/// Operands are multiplied two at a time, from the left, as matrices wherever labels are summed.
Tensor einsum(std::string_view equation, std::span<const Arg> operands);
Tensor einsum(std::string_view equation, std::span<const Tensor> operands, Site at = Site::here());
template <class... More>
requires(std::constructible_from<Arg, const More&, Site>&&...) Tensor
    einsum(std::string_view equation, const Arg& first, const More&... more) {
  const std::array<Arg, 1 + sizeof...(More)> operands{first, Arg(more, first.site())...};
  return einsum(equation, std::span<const Arg>(operands));
}

// Windows over images: (N, C, H, W), or (C, H, W) for one sample; see window.hpp for the options.
/// weight (out channels, C / groups, kh, kw), bias (out channels) -> (N, out channels, H', W') with
/// H' = (H + 2 padding - dilation (kh - 1) - 1) / stride + 1, rounded down. As in PyTorch the
/// kernel is not flipped. Throws Error if channels or groups disagree, or no window fits.
Tensor conv2d(const Arg& x, const Arg& weight, const Conv2dOptions& options = {});
Tensor conv2d(const Arg& x, const Arg& weight, const Arg& bias, const Conv2dOptions& options = {});
/// The same along one axis: x (N, C, L), weight (out channels, C / groups, k).
Tensor conv1d(const Arg& x, const Arg& weight, const Conv1dOptions& options = {});
Tensor conv1d(const Arg& x, const Arg& weight, const Arg& bias, const Conv1dOptions& options = {});
/// The largest element of each window; a tie gives its slope to the first in the order of rows.
Tensor max_pool2d(const Arg& x, const MaxPool2dOptions& options);
/// The mean of each window.
Tensor avg_pool2d(const Arg& x, const AvgPool2dOptions& options);

// Shape and place.
/// Two axes exchanged, if none is named the last two.
Tensor transpose(const Arg& x);
Tensor transpose(const Arg& x, Axis axis, Axis other);
/// For each axis of the result, which axis of x it is.
Tensor permute(const Arg& x, std::initializer_list<std::int64_t> axes);
Tensor permute(const Arg& x, std::span<const std::int64_t> axes);
/// The same elements in row-major order under another shape; one extent may be -1: what is left
/// over.
Tensor reshape(const Arg& x, std::initializer_list<std::int64_t> extents);
Tensor reshape(const Arg& x, const Shape& shape);
Tensor broadcast_to(const Arg& x, const Shape& shape);
Tensor broadcast_to(const Arg& x, std::initializer_list<std::int64_t> extents);
/// Axes start to end become one; a number becomes (1).
Tensor flatten(const Arg& x, Axis start = 0, Axis end = -1);
/// Without the axes of extent 1: all of them, or those given. As in NumPy, and other than in
/// PyTorch, a given axis of another extent is an error.
Tensor squeeze(const Arg& x, const Axes& axes = {});
/// With a new axis of extent 1 at this place, from -rank - 1 to rank.
Tensor unsqueeze(const Arg& x, Axis axis);
/// Repeats the whole along each axis; numbers belong to the last axes, as NumPy's tile has it.
Tensor tile(const Arg& x, std::initializer_list<std::int64_t> repeats);
/// Elements start, start + step, ... before stop, along one axis. Negative positions count from the
/// end, positions beyond the ends are drawn in, as in NumPy. With a negative step stop lies in
/// front of the last element taken: slice(x, 0, -1, -n - 1, -1) reverses n elements.
Tensor slice(const Arg& x, Axis axis, std::int64_t start, std::int64_t stop, std::int64_t step = 1);
/// In reverse order along all axes, or those given.
Tensor flip(const Arg& x, const Axes& axes = {});
/// The part at one place of an axis, without that axis. A negative index counts from the end.
Tensor select(const Arg& x, Axis axis, std::int64_t index);
/// Parts of `size` elements along an axis, the last one perhaps smaller; or of these sizes, which
/// must add up to the axis.
std::vector<Tensor> split(const Arg& x, std::int64_t size, Axis axis = 0);
std::vector<Tensor> split(const Arg& x, std::initializer_list<std::int64_t> sizes, Axis axis = 0);
std::vector<Tensor> split(const Arg& x, std::span<const std::int64_t> sizes, Axis axis = 0);
/// At most `count` parts of equal size, the last one perhaps smaller.
std::vector<Tensor> chunk(const Arg& x, std::int64_t count, Axis axis = 0);
/// Joins along an axis; the other extents must agree. Write tg::concat({a, b}, 0).
Tensor concat(std::initializer_list<Arg> parts, Axis axis);
Tensor concat(std::span<const Tensor> parts, Axis axis, Site at = Site::here());
/// Joins along a new axis.
Tensor stack(std::initializer_list<Arg> parts, Axis axis);
Tensor stack(std::span<const Tensor> parts, Axis axis, Site at = Site::here());
/// result[i][j] = x[index[i][j]][j] for axis 0, as PyTorch's gather. Throws Error for an index
/// outside the axis.
Tensor gather(const Arg& x, Axis axis, const Arg& index);
/// The parts at these places of an axis, in this order, repeated where the index repeats. The axes
/// of an index of any shape stand in the place of the axis, as in NumPy's take. A list becomes a
/// constant. Throws Error for an index outside the axis.
Tensor index_select(const Arg& x, Axis axis, const Arg& index);
Tensor index_select(const Arg& x, Axis axis, std::initializer_list<std::int64_t> index);
Tensor index_select(const Arg& x, Axis axis, std::span<const std::int64_t> index);
/// Rows of a table (rows, dim): an index of any shape -> its shape + (dim).
Tensor embedding(const Arg& table, const Arg& index);

/// How many elements to put before and after those of one axis.
struct Padding {
  std::int64_t before = 0, after = 0;
};
/// Surrounded by a value: `pad(x, {{1, 1}, {0, 2}})` gives widths for each axis, the first axis
/// first, as in NumPy (PyTorch begins with the last).
Tensor pad(const Arg& x, std::initializer_list<Padding> widths, const Arg& value = 0.0);
Tensor pad(const Arg& x, std::span<const Padding> widths, const Arg& value = 0.0);
/// Matrices (the last two axes) with zeros above a diagonal: the main one, or the one that lies
/// this many columns to its right.
Tensor tril(const Arg& x, std::int64_t diagonal = 0);
/// The same with zeros below the diagonal.
Tensor triu(const Arg& x, std::int64_t diagonal = 0);

/// The same values, through which no derivative flows.
Tensor detach(const Arg& x);
/// Records that a state or parameter leaf shall get this value. It takes effect at the end of the
/// run that the result is an output of (compile sees to that), or by tape.commit().
Tensor assign(const Tensor& leaf, const Arg& value);

struct BatchNormOptions {
  bool training = false;
  double momentum = 0.1;
  double eps = 1e-5;
};
/// (x - mean) / sqrt(variance + eps) for each channel, times weight plus bias. x has the shape
/// (N, C) or (N, C, ...), all others (C); weight and bias may be numbers. In training, mean and
/// variance are those of x, and the running ones are states that a recorded update moves towards
/// them, by the part `momentum` (the variance as its unbiased estimate); they may be left out:
/// Tensor{}. Otherwise the running ones are used. Which it is, is decided when it is recorded.
/// Throws Error in training for a channel of one value, and for a momentum outside [0, 1] or
/// eps < 0.
Tensor batch_norm(const Arg& x, const Tensor& running_mean, const Tensor& running_var,
                  const Arg& weight = 1.0, const Arg& bias = 0.0,
                  const BatchNormOptions& options = {});
/// (x - mean) / sqrt(variance + eps) over the last axes, whose extents are `normalized`, then times
/// weight plus bias, of the shape `normalized` or numbers. Throws Error for eps < 0.
Tensor layer_norm(const Arg& x, const Shape& normalized, const Arg& weight = 1.0,
                  const Arg& bias = 0.0, const Arg& eps = 1e-5);
Tensor layer_norm(const Arg& x, std::initializer_list<std::int64_t> normalized,
                  const Arg& weight = 1.0, const Arg& bias = 0.0, const Arg& eps = 1e-5);

/// A source of random draws: a state leaf that holds the seed and how many runs have drawn. Runs of
/// the same leaves draw the same; a draw records an update that lets the next run draw anew.
Tensor noise(Tape& tape, std::uint32_t seed, Site at = Site::here());
/// x with each element replaced by 0 with probability p, the others divided by 1 - p; x itself if
/// not training. Each call draws for itself, though several may share a noise. As with every update
/// (see assign), the next run draws anew if this one includes the update: in a compiled function it
/// does, otherwise after tape.commit(). Throws Error for p outside [0, 1].
Tensor dropout(const Arg& x, const Arg& p, const Tensor& noise, bool training = true);

// Losses: shapes must be equal, a target that would broadcast is an error. Arguments are in
// PyTorch's order, except that the reduction comes last.

/// What becomes of the losses of single elements or samples. `batch_mean` is the sum divided by the
/// first extent, the number of samples.
enum class Reduction : std::uint8_t { none, mean, sum, batch_mean };

/// 1/2 (prediction - target)^2, by default summed over everything: the loss of the textbook
/// derivation.
Tensor half_squared_error(const Arg& prediction, const Arg& target,
                          Reduction reduction = Reduction::sum);
/// (prediction - target)^2
Tensor mse_loss(const Arg& prediction, const Arg& target, Reduction reduction = Reduction::mean);
/// |prediction - target|, slope 0 at 0
Tensor l1_loss(const Arg& prediction, const Arg& target, Reduction reduction = Reduction::mean);
/// 1/2 d^2 for a difference |d| <= delta, delta (|d| - delta / 2) beyond. Throws Error for
/// delta < 0.
Tensor huber_loss(const Arg& prediction, const Arg& target, const Arg& delta = 1.0,
                  Reduction reduction = Reduction::mean);
/// max(0, 1 - target prediction) for targets 1 and -1; slope 0 where it becomes 0. Throws Error for
/// any other target.
Tensor hinge_loss(const Arg& prediction, const Arg& target, Reduction reduction = Reduction::mean);
/// Kullback and Leibler's divergence of a target distribution from a predicted one, target
/// (log target - prediction): the prediction is a *log*-probability, the target a probability. As
/// in PyTorch, `mean` divides by all elements; the divergence per sample is `batch_mean`.
Tensor kl_div(const Arg& prediction, const Arg& target, Reduction reduction = Reduction::mean);
/// The cosine of the angle between x and y along an axis; both lengths count as at least 1e-8.
Tensor cosine_similarity(const Arg& x, const Arg& y, Axis axis);
/// Of vectors along the last axis: 1 - cosine where the target is 1, max(0, cosine - margin) where
/// it is -1. Throws Error for any other target, and for a margin outside [-1, 1].
Tensor cosine_embedding_loss(const Arg& x, const Arg& y, const Arg& target, const Arg& margin = 0.0,
                             Reduction reduction = Reduction::mean);

/// -(target log(prediction) + (1 - target) log(1 - prediction)) of *probabilities*, with logarithms
/// of at least -100 and slopes of at most 1e12, as PyTorch. Throws Error for a prediction outside
/// [0, 1]. Targets may be probabilities too, and are not checked.
Tensor binary_cross_entropy(const Arg& prediction, const Arg& target,
                            Reduction reduction = Reduction::mean);
/// The same of logits, raw: of the prediction sigmoid(logits), but exact for any logit.
Tensor binary_cross_entropy_with_logits(const Arg& logits, const Arg& target,
                                        Reduction reduction = Reduction::mean);

struct CrossEntropyOptions {
  /// This much of each target, from 0 to 1, is spread evenly over all classes.
  double label_smoothing = 0;
  /// Samples with this label count nothing. (In PyTorch -100; here no label is special by itself.)
  std::optional<std::int64_t> ignore_index = {};
  Reduction reduction = Reduction::mean;
};
/// -log softmax(logits)[label] of each sample. logits (N, C) or (N, C, ...): raw. Probabilities,
/// the output of softmax, cannot be told from logits and give a wrong loss without an error.
/// The target is either labels (N) or (N, ...), whole numbers from 0 to C - 1, or probabilities
/// of the shape of the logits, which are not checked. Throws Error for a label that is no class.
Tensor cross_entropy(const Arg& logits, const Arg& target, Reduction reduction = Reduction::mean);
Tensor cross_entropy(const Arg& logits, const Arg& target, const CrossEntropyOptions& options);
/// -log_probabilities[label] of each sample: cross_entropy after a log_softmax. Shapes and errors
/// as there.
Tensor nll_loss(const Arg& log_probabilities, const Arg& labels,
                Reduction reduction = Reduction::mean);

}  // namespace tapegrad
