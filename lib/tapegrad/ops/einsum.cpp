// einsum: an equation of labels, read and lowered to diagonals, sums and products of matrices. No
// block of its own, so its derivatives are those of these.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/container/small_vector.hpp>
#include <boost/container/static_vector.hpp>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tapegrad/ops/blocks.hpp"
#include "tapegrad/ops/ops.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view einsum_name = "einsum";
constexpr std::string_view places[] = {"[0]", "[1]", "[2]", "[3]", "[4]", "[5]", "[6]", "[7]"};

// Labels of axes are letters, in a text as long as there are axes. The axes that an ellipsis stands
// for are labelled by digits, the last of them 0: so they meet from the right, as they broadcast.
using Labels = std::string;

bool has(const Labels& labels, char label) { return labels.find(label) != Labels::npos; }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Those labels that a condition holds for, in their order.
template <class Condition>
Labels those(const Labels& labels, Condition holds) {
  Labels result;
  std::copy_if(labels.begin(), labels.end(), std::back_inserter(result), holds);
  return result;
}

// ---- reading the equation

class EinsumEquation {
 public:
  EinsumEquation(std::string_view text, std::span<const Arg> operands)
      : text_(text), operands_(operands) {
    std::string rest = those(Labels(text), [](char c) { return c != ' '; });
    const std::size_t arrow = rest.find("->");
    const bool explicit_result = arrow != Labels::npos;
    const std::string wanted = explicit_result ? rest.substr(arrow + 2) : "";
    rest.resize(explicit_result ? arrow : rest.size());
    std::vector<std::string> written(1);
    for (char c : rest)
      if (c == ',')
        written.emplace_back();
      else
        written.back() += c;
    if (written.size() != operands.size())
      fail(fmt::format("written for {} operand{}, given {}", written.size(),
                       written.size() == 1 ? "" : "s", operands.size()));
    int stretching = 0;  // the most axes that an ellipsis stands for
    for (std::size_t i = 0; i < written.size(); ++i) {
      terms_.push_back(labels_of_operand(written[i], i));
      stretching = std::max(stretching,
                            static_cast<int>(std::count_if(terms_[i].begin(), terms_[i].end(),
                                                           [](char c) { return !is_letter(c); })));
    }
    result_ = explicit_result ? labels_of_result(wanted, stretching) : implicit(stretching);
    read_extents();
  }

  const std::vector<Labels>& terms() const { return terms_; }
  const Labels& result() const { return result_; }
  std::int64_t extent(char label) const { return *extents_[place_of(label)]; }

  Shape shape_of(const Labels& labels) const {
    if (labels.size() > Shape::max_rank)
      fail(fmt::format("a product of its operands has {} axes, {} are the most", labels.size(),
                       Shape::max_rank));
    boost::container::static_vector<std::int64_t, Shape::max_rank> extents;
    for (char label : labels) extents.push_back(extent(label));
    return Shape(extents);
  }

  [[noreturn]] void fail(std::string_view text, std::string hint = {}) const {
    refuse(einsum_name, operands_.first(std::min(operands_.size(), std::size(places))), places,
           fmt::format("\"{}\": {}", text_, text), std::move(hint));
  }

 private:
  /// The labels as they are written, with digits for an ellipsis of so many axes.
  Labels expand(const std::string& written, int axes) const {
    Labels labels = written;
    if (const std::size_t dots = labels.find("..."); dots != Labels::npos) {
      std::string digits;
      while (axes > 0) digits += static_cast<char>('0' + --axes);
      labels.replace(dots, 3, digits);
    }
    for (char c : written)
      if (!is_letter(c) && (c != '.' || has(labels, '.')))
        fail(fmt::format("'{}' is no label", c),
             "labels are letters; ... stands for axes without labels");
    return labels;
  }

  Labels labels_of_operand(const std::string& written, std::size_t i) const {
    const int rank = tapegrad::shape_of(einsum_name, operands_[i]).rank();
    const bool open = written.find("...") != Labels::npos;
    const int named = static_cast<int>(written.size()) - (open ? 3 : 0);
    Labels labels = expand(written, std::max(rank - named, 0));
    if (open ? named > rank : named != rank)
      fail(fmt::format("\"{}\" names {} ax{}, operand {} has {}", written, named,
                       named == 1 ? "is" : "es", i, rank));
    return labels;
  }

  Labels labels_of_result(const std::string& written, int stretching) const {
    Labels labels = expand(written, stretching);
    if (stretching > 0 && !has(labels, '0')) fail("the result leaves out the axes of ...");
    for (char label : labels) {
      if (std::count(labels.begin(), labels.end(), label) > 1)
        fail(fmt::format("the result names '{}' twice", label));
      if (std::none_of(terms_.begin(), terms_.end(),
                       [&](const Labels& term) { return has(term, label); }))
        fail(fmt::format("the result's label '{}' is in no operand", label));
    }
    return labels;
  }

  Labels implicit(int stretching) const {
    Labels all, once = expand("...", stretching);
    for (const Labels& term : terms_) all += term;
    std::sort(all.begin(), all.end());
    for (char label : all)
      if (is_letter(label) && std::count(all.begin(), all.end(), label) == 1) once += label;
    return once;
  }

  void read_extents() {
    std::array<std::size_t, 128> from{};  // the operand that gave a label its extent
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      const Shape shape = tapegrad::shape_of(einsum_name, operands_[i]);
      for (int axis = 0; axis < shape.rank(); ++axis) {
        const char label = terms_[i][static_cast<std::size_t>(axis)];
        const std::size_t place = place_of(label);
        std::optional<std::int64_t>& known = extents_[place];
        const bool again = terms_[i].find(label) != static_cast<std::size_t>(axis);
        const std::int64_t first = shape[static_cast<int>(terms_[i].find(label))];
        const std::int64_t extent = shape[axis];
        if (again && extent != first)
          fail(fmt::format("label '{}' has {} and {} elements in operand {}", label, first, extent,
                           i));
        if (known && known != 1 && extent != 1 && extent != known)
          fail(fmt::format("{} has {} elements in operand {} and {} in operand {}",
                           is_letter(label) ? fmt::format("label '{}'", label) : "an axis of ...",
                           *known, from[place], extent, i));
        if (!known || known == 1) known = extent, from[place] = i;
      }
    }
  }

  std::string_view text_;
  std::span<const Arg> operands_;
  std::vector<Labels> terms_;
  Labels result_;
  static std::size_t place_of(char label) { return static_cast<unsigned char>(label); }
  std::array<std::optional<std::int64_t>, 128> extents_;  // of each label, by its character
};

// ---- evaluating it

/// A tensor with labelled axes.
struct Term {
  Tensor value;
  Labels labels;
};

/// The same with its axes in another order, which lists each of them.
Term arranged(const Term& term, const Labels& order) {
  if (term.labels == order) return term;
  boost::container::static_vector<std::int64_t, Shape::max_rank> axes;
  for (char label : order) axes.push_back(static_cast<std::int64_t>(term.labels.find(label)));
  return {permute(term.value, axes), order};
}

/// A tensor under a shape, which it may have already: of a parameter a reshape would be a copy.
Tensor shaped(const Tensor& x, const Shape& shape) {
  return x.shape() == shape ? x : reshape(x, shape);
}

/// The diagonal of the first two axes that share a label, as the last axis: elements 0, n + 1, ...
/// of (..., n, n) seen as (..., n n).
Term with_diagonal(Term term, char label) {
  const std::size_t first = term.labels.find(label), second = term.labels.find(label, first + 1);
  boost::container::static_vector<std::int64_t, Shape::max_rank> order;
  Shape shape;
  const Shape whole = term.value.shape();
  for (std::size_t axis = 0; axis < term.labels.size(); ++axis) {
    if (axis == first || axis == second) continue;
    order.push_back(static_cast<std::int64_t>(axis));
    shape = shape.with_axis(shape.rank(), whole[static_cast<int>(axis)]);
  }
  order.push_back(static_cast<std::int64_t>(first));
  order.push_back(static_cast<std::int64_t>(second));
  if (!std::is_sorted(order.begin(), order.end())) term.value = permute(term.value, order);
  const std::int64_t n = whole[static_cast<int>(first)];
  const Tensor flat = reshape(term.value, shape.with_axis(shape.rank(), n * n));
  term.labels.erase(second, 1);
  term.labels.erase(first, 1);
  return {slice(flat, -1, 0, n * n, n + 1), term.labels + label};
}

/// An operand without repeated labels, and without axes of extent 1 that others stretch.
Term simplified(const EinsumEquation& equation, Term term) {
  for (std::size_t axis = 0; axis < term.labels.size();) {
    const char label = term.labels[axis];
    const bool repeated = term.labels.find(label, axis + 1) != Labels::npos;
    if (repeated) term = with_diagonal(std::move(term), label);
    axis = repeated ? 0 : axis + 1;
  }
  const Shape shape = term.value.shape();
  const Labels own = those(term.labels, [&](char label) {
    return equation.extent(label) == shape[static_cast<int>(term.labels.find(label))];
  });
  return {shaped(term.value, equation.shape_of(own)), own};
}

/// The sum over some axes of a term.
Term sum_over(const Term& term, const Labels& summed) {
  if (summed.empty()) return term;
  boost::container::static_vector<std::int64_t, Shape::max_rank + 1> attributes{0};  // no keepdim
  for (std::size_t axis = 0; axis < term.labels.size(); ++axis)
    if (has(summed, term.labels[axis])) attributes.push_back(static_cast<std::int64_t>(axis));
  const Arg value = term.value;
  return {record(sum_op, {&value, 1}, attributes),
          those(term.labels, [&](char label) { return !has(summed, label); })};
}

/// Elementwise product along the axes of an order, then the sum over its last ones.
Term multiplied(const EinsumEquation& equation, const Term& a, const Term& b, const Labels& order,
                const Labels& summed) {
  const Labels all = order + summed;
  const Shape whole = equation.shape_of(all);
  const auto spread = [&](const Term& term) {
    const Term part = arranged(term, those(all, [&](char c) { return has(term.labels, c); }));
    if (all.ends_with(part.labels)) return part.value;  // broadcasting does the rest
    Shape shape = whole;
    for (std::size_t axis = 0; axis < all.size(); ++axis)
      if (!has(part.labels, all[axis])) shape.set(static_cast<int>(axis), 1);
    return shaped(part.value, shape);
  };
  const Tensor x = spread(a), y = spread(b);
  return sum_over({x * y, all}, summed);
}

/// A term seen as matrices (batch, rows, columns), or (batch, columns, rows) if that needs no copy.
struct Matrices {
  Tensor value;
  bool transposed;
};

Matrices matrices(const EinsumEquation& equation, const Term& term, const Labels& batch,
                  const Labels& rows, const Labels& columns) {
  const bool transposed =
      term.labels != batch + rows + columns && term.labels == batch + columns + rows;
  const Term part = transposed ? term : arranged(term, batch + rows + columns);
  const std::int64_t m = equation.shape_of(rows).numel(), n = equation.shape_of(columns).numel();
  const Shape matrix = transposed ? Shape{n, m} : Shape{m, n};
  return {shaped(part.value,
                 batch.empty() ? matrix : matrix.with_axis(0, equation.shape_of(batch).numel())),
          transposed};
}

/// The product of two terms, summed over the labels that they share and nobody else asks for.
Term contracted(const EinsumEquation& equation, Term a, Term b, const Labels& asked) {
  const auto both = [&](char label) { return has(a.labels, label) && has(b.labels, label); };
  const auto first_own = [&](const Term& term) {
    return std::find_if(asked.begin(), asked.end(),
                        [&](char label) { return has(term.labels, label) && !both(label); });
  };
  if (first_own(b) < first_own(a)) std::swap(a, b);  // so that the product has the order asked for
  const auto own = [&](const Term& term) {
    return those(term.labels, [&](char label) { return !both(label); });
  };
  const auto shared = [&](const Term& term, bool kept) {
    return those(term.labels, [&](char label) { return both(label) && has(asked, label) == kept; });
  };
  const Labels left = own(a), right = own(b);
  Labels batch = shared(a, true), summed = shared(a, false);
  if (summed.empty() || (left.empty() && right.empty())) {
    const Labels all = batch + left + right;
    const Labels order = those(asked, [&](char label) { return has(all, label); });
    return multiplied(equation, a, b, order, summed);
  }
  if (a.labels != batch + left + summed && a.labels != batch + summed + left)
    batch = shared(b, true), summed = shared(b, false);  // a is copied anyway, b perhaps not
  const Matrices x = matrices(equation, a, batch, left, summed);
  const Matrices y = matrices(equation, b, batch, summed, right);
  // (batch, left, summed) x (batch, summed, right) -> (batch, left, right)
  const Tensor result = product(x.value, x.transposed, y.value, y.transposed);
  const Labels labels = batch + left + right;
  return {shaped(result, equation.shape_of(labels)), labels};
}

/// The labels that the result and all terms but one ask for, each once, the result's first.
Labels asked_besides(std::size_t one, const Labels& result, const std::vector<Term>& terms) {
  Labels asked = result;
  for (std::size_t i = 0; i < terms.size(); ++i)
    for (char label : terms[i].labels)
      if (i != one && !has(asked, label)) asked += label;
  return asked;
}

}  // namespace

Tensor einsum(std::string_view text, std::span<const Arg> operands) {
  require_one_tape(einsum_name, operands);
  const EinsumEquation equation(text, operands);
  Recording& recording = recording_of(einsum_name, operands);
  const FrameScope frame(recording, einsum_name, operands[0].site());
  std::vector<Term> terms;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Arg& x = operands[i];
    const Tensor value = x.is_number() ? recording.number(x.number()) : x.tensor();
    terms.push_back(simplified(equation, {value, equation.terms()[i]}));
  }
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const Labels asked = asked_besides(i, equation.result(), terms);
    terms[i] = sum_over(terms[i], those(terms[i].labels, [&](char c) { return !has(asked, c); }));
  }
  while (terms.size() > 1) {
    auto next = std::find_if(terms.begin() + 1, terms.end(), [&](const Term& term) {
      return term.labels.find_first_of(terms[0].labels) != Labels::npos;
    });
    if (next == terms.end()) next = terms.begin() + 1;
    const Term other = std::move(*next);
    terms.erase(next);
    terms[0] = contracted(equation, terms[0], other, asked_besides(0, equation.result(), terms));
  }
  const Tensor result = arranged(terms[0], equation.result()).value;
  const Tensor& only = operands[0].tensor();  // a result is a tensor of its own
  return Recording::same(result, only) ? reshape(only, only.shape()) : result;
}

Tensor einsum(std::string_view equation, std::span<const Tensor> operands, Site at) {
  if (operands.empty()) throw Error(std::string(einsum_name), "there are no operands", at);
  boost::container::small_vector<Arg, 8> args;
  for (const Tensor& operand : operands) args.emplace_back(operand, at);
  return einsum(equation, std::span<const Arg>(args));
}

}  // namespace tapegrad
