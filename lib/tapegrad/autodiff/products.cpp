#include "tapegrad/autodiff/products.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tapegrad/autodiff/sweep.hpp"
#include "tapegrad/base/random.hpp"

namespace tapegrad {
namespace {

/// Tensors and the directions they move in, each tensor once.
struct Moves {
  std::vector<Id> x, u;
  std::vector<std::size_t> place;  // of each listed tensor in x
};

Moves find_moves(const Asking& asking, std::string_view role, std::span<const Tensor> x,
                 std::span<const Arg> directions) {
  Recording& recording = asking.recording;
  if (x.size() != directions.size())
    throw Error(std::string(asking.doing),
                fmt::format("{} tensors and {} {}s", x.size(), directions.size(), role), asking.at);
  std::vector<Id> wanted;
  find_wanted(asking, x, wanted);
  Moves moves;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Id u = find_direction(asking, role, directions[i], wanted[i]);
    const auto found = std::find(moves.x.begin(), moves.x.end(), wanted[i]);
    const auto place = static_cast<std::size_t>(found - moves.x.begin());
    moves.place.push_back(place);
    if (found == moves.x.end()) {
      moves.x.push_back(wanted[i]);
      moves.u.push_back(u);
    } else if (moves.u[place] != u) {
      throw Error(std::string(asking.doing), fmt::format("one tensor with two {}s", role),
                  {recording.describe(wanted[i], "of"),
                   recording.describe(moves.u[place], std::string(role)),
                   recording.describe(u, std::string(role))},
                  asking.at, "a tensor in two places moves once: give it the same in both");
    }
  }
  return moves;
}

/// Starts at what is linear, with the directions as adjoints.
std::vector<Start> starts_at(std::span<const Id> g, std::span<const Id> u) {
  std::vector<Start> starts;
  for (std::size_t i = 0; i < g.size(); ++i) starts.push_back({g[i], u[i]});
  return starts;
}

}  // namespace

Transposed transposed(const Asking& asking, Id y, std::span<const Id> wanted) {
  Recording& recording = asking.recording;
  if (const auto known = recall(asking, "transposed", y, {}, wanted); !known.empty())
    return {known[0], {known.begin() + 1, known.end()}};
  // What comes of it does not depend on the numbers in s. But where an adjoint is exactly 0, the
  // cut hides a local derivative that is not finite: it must be 0 for every s only. Ones would
  // cancel in a centred y, zeros everywhere; so s is drawn.
  const Array numbers = Random{1}.uniform(1, 2, recording.node(y).shape);
  const Values values(numbers);
  Transposed t;
  t.seed = asking.id_of(recording.leaf(LeafKind::constant, values.shape(), &values, asking.at));
  recording.name(t.seed, "seed of jvp", Recording::Namer::maker);
  const Start start{y, t.seed};
  if (!sweep(asking, {&start, 1}, wanted, t.g)) refuse_unreached(asking, y, wanted);
  std::vector<Id> answers{t.seed};
  answers.insert(answers.end(), t.g.begin(), t.g.end());
  recording.remember("transposed", y, {}, wanted, answers);
  return t;
}

Tensor vjp(const Tensor& y, const Tensor& x, const Arg& seed) {
  Tensor answer;
  vjps(y, {&x, 1}, seed, {&answer, 1});
  return answer;
}

void vjps(const Tensor& y, std::span<const Tensor> x, const Arg& seed, std::span<Tensor> answers) {
  gradients({Recording::of(y, "vjp", seed.site()), "vjp", seed.site()}, y, &seed, x, answers);
}

Tensor jvp(const Tensor& y, const Tensor& x, const Arg& tangent) {
  return jvp(y, {&x, 1}, {&tangent, 1}, tangent.site());
}

Tensor jvp(const Tensor& y, std::span<const Tensor> x, std::span<const Arg> tangents, Site at) {
  const Asking asking{Recording::of(y, "jvp", at), "jvp", at};
  Recording& recording = asking.recording;
  std::vector<Id> answer;
  record_or_forget(asking, [&] {
    const Id of = differentiable(asking, y);
    const Moves moves = find_moves(asking, "tangent", x, tangents);
    if (const auto known = recall(asking, "jvp", of, moves.u, moves.x); !known.empty()) {
      answer.assign(known.begin(), known.end());
      return;
    }
    const Transposed t = transposed(asking, of, moves.x);
    sweep(asking, starts_at(t.g, moves.u), {&t.seed, 1}, answer);
    recording.remember("jvp", of, moves.u, moves.x, answer);
  });
  return recording.handle(answer[0]);
}

Tensor hvp(const Tensor& y, const Tensor& x, const Arg& direction) {
  Tensor answer;
  hvps(y, {&x, 1}, {&direction, 1}, {&answer, 1}, direction.site());
  return answer;
}

void hvps(const Tensor& y, std::span<const Tensor> x, std::span<const Arg> directions,
          std::span<Tensor> answers, Site at) {
  const Asking asking{Recording::of(y, "hvp", at), "hvp", at};
  Recording& recording = asking.recording;
  record_or_forget(asking, [&] {
    const Id of = differentiable(asking, y);
    require_one_number(asking, of);
    const Moves moves = find_moves(asking, "direction", x, directions);
    std::vector<Id> found;
    if (const auto known = recall(asking, "hvp", of, moves.u, moves.x); !known.empty()) {
      found.assign(known.begin(), known.end());
    } else {
      std::vector<Id> slope;
      find_gradient(asking, of, Node::none, moves.x, slope);
      sweep(asking, starts_at(slope, moves.u), moves.x, found);
      recording.remember("hvp", of, moves.u, moves.x, found);
    }
    for (std::size_t i = 0; i < x.size(); ++i) answers[i] = recording.handle(found[moves.place[i]]);
  });
}

}  // namespace tapegrad
