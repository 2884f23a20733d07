#include "tapegrad/autodiff/jacobian.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tapegrad/autodiff/sweep.hpp"
#include "tapegrad/ops/ops.hpp"

namespace tapegrad {
namespace {

using Parts = std::vector<Tensor>;

Shape shape_of(const Asking& asking, Id id) { return asking.recording.node(id).shape; }

Shape joined_shape(const Asking& asking, Id y, Id x) {
  Shape shape = shape_of(asking, y);
  const Shape behind = shape_of(asking, x);
  if (shape.rank() + behind.rank() > Shape::max_rank)
    throw Error(std::string(asking.doing),
                fmt::format("{} and {}: together more than {} axes", text(shape), text(behind),
                            Shape::max_rank),
                {asking.recording.describe(y, "of"), asking.recording.describe(x, "by")}, asking.at,
                "reshape(..., {-1}) before the tensors are used makes one axis of many");
  for (std::uint32_t extent : behind) shape = shape.with_axis(shape.rank(), extent);
  return shape;
}

/// Seeds for one element of a tensor after the other.
class OneHot {
 public:
  OneHot(const Asking& asking, Id tensor)
      : asking_(asking),
        shape_(shape_of(asking, tensor)),
        numbers_(static_cast<std::size_t>(shape_.numel())) {}

  Id operator()(std::size_t element) {
    numbers_[element] = 1;
    const Array numbers(shape_, numbers_);
    numbers_[element] = 0;
    const Values values(numbers);
    Recording& recording = asking_.recording;
    return asking_.id_of(recording.leaf(LeafKind::constant, shape_, &values, asking_.at));
  }

 private:
  const Asking& asking_;
  Shape shape_;
  std::vector<double> numbers_;
};

/// Refuses early what would go on for long, and then exceed the tape's limit: knows it by the first
/// of many sweeps.
class Foresight {
 public:
  Foresight(const Asking& asking, Id y, std::int64_t sweeps)
      : asking_(asking),
        y_(y),
        sweeps_(sweeps),
        records_(asking.recording.size()),
        bytes_(asking.recording.bytes()) {}

  void sweep_done() {
    if (std::exchange(known_, true)) return;
    const Recording& recording = asking_.recording;
    const std::size_t records = recording.size() - records_, bytes = recording.bytes() - bytes_;
    const double all = static_cast<double>(bytes) * static_cast<double>(sweeps_);
    if (static_cast<double>(bytes_) + all <= static_cast<double>(recording.limit())) return;
    throw Error(std::string(asking_.doing),
                fmt::format("{} sweeps of {} records and {} bytes each would exceed the tape's "
                            "limit of {} bytes",
                            sweeps_, records, bytes, recording.limit()),
                {recording.describe(y_, "of")}, asking_.at,
                "a product with the matrix takes two sweeps: vjp, jvp, hvp; tape.limit(bytes) sets "
                "another limit");
  }

 private:
  const Asking& asking_;
  Id y_;
  std::int64_t sweeps_;
  std::size_t records_, bytes_;
  bool known_ = false;
};

Tensor flat(const Asking& asking, Id id) {
  const Shape shape = shape_of(asking, id);
  const Tensor x = asking.recording.handle(id);
  return shape.rank() == 1 ? x : reshape(Arg(x, asking.at), Shape{shape.numel()});
}

Tensor join(const Asking& asking, const Parts& parts, std::int64_t axis) {
  return parts.size() == 1 ? parts[0] : concat(parts, axis, asking.at);
}

Tensor block_of(const Asking& asking, const Parts& parts, const Shape& shape) {
  if (shape.numel() == 0) return filled(asking, 0, shape);
  return reshape(Arg(join(asking, parts, 0), asking.at), shape);
}

/// The rows of the Jacobians of y by each of the wanted. False, and nothing recorded, if none is
/// reached. `sweeps` says how many are to come, these and others.
bool record_rows(const Asking& asking, Id y, std::span<const Id> wanted, std::int64_t sweeps,
                 std::vector<Parts>& rows) {
  Recording& recording = asking.recording;
  const Mark before = recording.mark();
  const auto count = static_cast<std::size_t>(shape_of(asking, y).numel());
  std::vector<Id> found;
  OneHot seed(asking, y);
  Foresight foresight(asking, y, sweeps);
  rows.assign(wanted.size(), {});
  for (std::size_t row = 0; row < count; ++row) {
    const Start start{y, seed(row)};
    if (!sweep(asking, {&start, 1}, wanted, found)) {
      recording.truncate(before);
      return false;
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) rows[i].push_back(flat(asking, found[i]));
    foresight.sweep_done();
  }
  return true;
}

/// The Jacobians, where x has fewer elements than y: a jvp for each element of x gives a column.
void record_columns(const Asking& asking, Id y, std::span<const Id> wanted, std::int64_t columns,
                    Parts& blocks) {
  const Transposed t = transposed(asking, y, wanted);
  Foresight foresight(asking, y, columns);
  std::vector<Id> column;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::int64_t rows = shape_of(asking, y).numel(),
                       own = shape_of(asking, wanted[i]).numel();
    OneHot tangent(asking, wanted[i]);
    Parts parts;
    for (std::int64_t j = 0; j < own; ++j) {
      const Start start{t.g[i], tangent(static_cast<std::size_t>(j))};
      sweep(asking, {&start, 1}, {&t.seed, 1}, column);
      parts.push_back(flat(asking, column[0]));
      foresight.sweep_done();
    }
    if (own > 1)
      parts.assign(1, transpose(Arg(block_of(asking, parts, Shape{own, rows}), asking.at)));
    blocks.push_back(block_of(asking, parts, joined_shape(asking, y, wanted[i])));
  }
}

std::vector<Id> ids(const Asking& asking, const Parts& tensors) {
  std::vector<Id> result;
  for (const Tensor& t : tensors) result.push_back(asking.id_of(t));
  return result;
}

/// The second derivatives of y, block by block: each of the shape of its two tensors, or a matrix.
std::vector<Id> record_hessian(const Asking& asking, Id y, std::span<const Id> wanted,
                               bool as_matrices) {
  const auto shape = [&](Id a, Id b) {
    return as_matrices ? Shape{shape_of(asking, a).numel(), shape_of(asking, b).numel()}
                       : joined_shape(asking, a, b);
  };
  std::int64_t sweeps = 0;
  for (Id a : wanted) {
    sweeps += shape_of(asking, a).numel();
    for (Id b : wanted) shape(a, b);
  }
  std::vector<Id> slope;
  find_gradient(asking, y, Node::none, wanted, slope);
  Parts blocks;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::vector<Parts> rows;
    const bool reached = record_rows(asking, slope[i], wanted, sweeps, rows);
    for (std::size_t j = 0; j < wanted.size(); ++j) {
      const Shape block = shape(wanted[i], wanted[j]);
      blocks.push_back(reached ? block_of(asking, rows[j], block) : filled(asking, 0, block));
    }
    sweeps -= shape_of(asking, wanted[i]).numel();
  }
  return ids(asking, blocks);
}

Asking asking_for(std::string_view doing, const Arg& y) {
  return {recording_of(doing, {&y, 1}), doing, y.site()};
}

void hand_out(const Asking& asking, std::span<const Id> found, std::span<Tensor> answers) {
  for (std::size_t i = 0; i < found.size(); ++i) answers[i] = asking.recording.handle(found[i]);
}

}  // namespace

void require_one_number(const Asking& asking, Id y) {
  const Shape shape = shape_of(asking, y);
  if (shape.numel() == 1) return;
  throw Error(std::string(asking.doing),
              fmt::format("one number has a Hessian, this tensor has {}", shape.numel()),
              {asking.recording.describe(y, "of")}, asking.at,
              "reduce it, as in sum(y), or ask for jacobian(gradient(...), x)");
}

Tensor jacobian(const Arg& y, const Tensor& x) {
  Tensor answer;
  jacobians(y, {&x, 1}, {&answer, 1});
  return answer;
}

void jacobians(const Arg& of, std::span<const Tensor> x, std::span<Tensor> answers) {
  const Asking asking = asking_for("jacobian", of);
  Recording& recording = asking.recording;
  record_or_forget(asking, [&] {
    const Id y = differentiable(asking, of.tensor());
    std::vector<Id> wanted;
    find_wanted(asking, x, wanted);
    if (const auto known = recall(asking, "jacobian", y, {}, wanted); !known.empty())
      return hand_out(asking, known, answers);
    std::int64_t columns = 0;
    for (Id id : wanted) {
      joined_shape(asking, y, id);
      columns += shape_of(asking, id).numel();
    }
    Parts blocks;
    const std::int64_t rows = shape_of(asking, y).numel();
    if (columns < rows) {
      record_columns(asking, y, wanted, columns, blocks);
    } else {
      std::vector<Parts> parts;
      if (!record_rows(asking, y, wanted, rows, parts)) refuse_unreached(asking, y, wanted);
      for (std::size_t i = 0; i < wanted.size(); ++i)
        blocks.push_back(block_of(asking, parts[i], joined_shape(asking, y, wanted[i])));
    }
    const std::vector<Id> found = ids(asking, blocks);
    recording.remember("jacobian", y, {}, wanted, found);
    hand_out(asking, found, answers);
  });
}

Tensor hessian(const Arg& y, const Tensor& x) {
  Tensor answer;
  hessians(y, {&x, 1}, {&answer, 1});
  return answer;
}

void hessians(const Arg& of, std::span<const Tensor> x, std::span<Tensor> answers) {
  const Asking asking = asking_for("hessian", of);
  record_or_forget(asking, [&] {
    const Id y = differentiable(asking, of.tensor());
    require_one_number(asking, y);
    std::vector<Id> wanted;
    find_wanted(asking, x, wanted);
    if (const auto known = recall(asking, "hessian", y, {}, wanted); !known.empty())
      return hand_out(asking, known, answers);
    const std::vector<Id> found = record_hessian(asking, y, wanted, false);
    asking.recording.remember("hessian", y, {}, wanted, found);
    hand_out(asking, found, answers);
  });
}

Tensor hessian_matrix(const Arg& of, std::span<const Tensor> x) {
  const Asking asking = asking_for("hessian", of);
  Recording& recording = asking.recording;
  Tensor answer;
  record_or_forget(asking, [&] {
    const Id y = differentiable(asking, of.tensor());
    require_one_number(asking, y);
    std::vector<Id> listed, wanted;
    find_wanted(asking, x, listed);
    for (Id id : listed)
      if (std::find(wanted.begin(), wanted.end(), id) == wanted.end()) wanted.push_back(id);
    if (const auto known = recall(asking, "hessian matrix", y, {}, wanted); !known.empty())
      return hand_out(asking, known, {&answer, 1});
    const std::vector<Id> blocks = record_hessian(asking, y, wanted, true);
    Parts rows;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      Parts row;
      for (std::size_t j = 0; j < wanted.size(); ++j)
        row.push_back(recording.handle(blocks[i * wanted.size() + j]));
      rows.push_back(join(asking, row, 1));
    }
    answer = join(asking, rows, 0);
    const Id found = asking.id_of(answer);
    recording.remember("hessian matrix", y, {}, wanted, {&found, 1});
  });
  return answer;
}

}  // namespace tapegrad
