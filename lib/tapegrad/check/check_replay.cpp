#include "tapegrad/check/check_replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <vector>

#include "tapegrad/check/subject.hpp"
#include "tapegrad/tape/needed.hpp"
#include "tapegrad/tape/trial.hpp"

namespace tapegrad {
namespace {

constexpr std::string_view doing = "check_replay";

struct Recorded {
  Tape tape;
  std::vector<Tensor> x;
  Tensor y;
  std::vector<Id> needed = {};  // by y, in order

  Recorded(const Recorder& f, std::span<const Array> values, Site at) : tape(float64, at) {
    for (const Array& array : values) x.push_back(tape.input(array, at));
    y = record_function(f, tape.recording(), x, doing, at);
    const Id last = tape.recording().id_of(y, doing, at);
    needed = tapegrad::needed(tape.recording(), {&last, 1});
  }
  std::size_t place(Id id) const {
    return static_cast<std::size_t>(std::lower_bound(needed.begin(), needed.end(), id) -
                                    needed.begin());
  }
};

/// The first record that uses a leaf.
Id user_of(const Recorded& r, Id leaf) {
  for (Id id : r.needed)
    for (Id operand : r.tape.recording().operands(id))
      if (operand == leaf) return id;
  return leaf;
}

Parting parting(const Recorded& r, Id id, std::string sentence) {
  const Recording& recording = r.tape.recording();
  const Node& n = recording.node(id);
  Parting p{.op = n.leaf() ? "" : std::string(n.op->name),
            .sentence = std::move(sentence),
            .at = n.site,
            .read_at = {}};
  for (const Note& note : recording.notes())
    if (note.before <= id + 1) p.read_at = note.site;
  return p;
}

bool close(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b)) ||
         std::abs(a - b) <= 1e-11 * std::max(std::abs(a), std::abs(b));
}

/// `once` was recorded elsewhere and is replayed at the inputs of `afresh`.
std::optional<Parting> compare(const Recorded& once, const Recorded& afresh, Site at) {
  const Recording& a = once.tape.recording();
  const Recording& b = afresh.tape.recording();
  std::vector<Id> free;
  for (const Tensor& x : once.x) free.push_back(a.id_of(x, doing, at));
  const Id last = once.needed.back();
  Trial<double> replayed(a, {&last, 1}, free, at);
  for (std::size_t i = 0; i < free.size(); ++i) {
    const std::vector<double> values = afresh.x[i].values();
    std::copy(values.begin(), values.end(), replayed.free(free[i]).begin());
  }
  replayed.run();
  const std::size_t count = std::min(once.needed.size(), afresh.needed.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Id id = once.needed[i], other = afresh.needed[i];
    const Node& n = a.node(id);
    const Node& m = b.node(other);
    const auto called = [](const Node& node) {
      return node.leaf() ? std::string("a leaf") : std::string(node.op->name);
    };
    if (n.leaf() != m.leaf() || (!n.leaf() && n.op->name != m.op->name))
      return parting(once, n.leaf() ? user_of(once, id) : id,
                     fmt::format("{} was recorded; afresh it is {}", called(n), called(m)));
    if (n.shape != m.shape)
      return parting(once, id,
                     fmt::format("{} of shape {} was recorded; afresh it is {}", called(n),
                                 text(n.shape), text(m.shape)));
    const auto u = a.attributes(id), v = b.attributes(other);
    if (!std::equal(u.begin(), u.end(), v.begin(), v.end()))
      return parting(once, id,
                     fmt::format("{} [{}] was recorded; afresh it is [{}]", called(n),
                                 joined(u, " "), joined(v, " ")));
    const auto from = a.operands(id), to = b.operands(other);
    if (from.size() != to.size())
      return parting(once, id,
                     fmt::format("{} of {} operands was recorded; afresh it has {}", called(n),
                                 from.size(), to.size()));
    for (std::size_t o = 0; o < from.size(); ++o)
      if (once.place(from[o]) != afresh.place(to[o]))
        return parting(once, id, fmt::format("operand {} of {} is another record", o, called(n)));
    const auto have = replayed.values(id);
    const std::vector<double> expected = b.handle(other).values();
    for (std::size_t e = 0; e < expected.size(); ++e) {
      if (close(have[e], expected[e])) continue;
      if (n.leaf())
        return parting(
            once, user_of(once, id),
            fmt::format("the constant {} was recorded; afresh it is {}", have[e], expected[e]));
      return parting(
          once, id,
          fmt::format("{} gives {} replayed, {} recorded afresh", called(n), have[e], expected[e]));
    }
  }
  if (once.needed.size() != afresh.needed.size())
    return parting(once, once.needed[count - 1],
                   fmt::format("{} records were made; afresh they are {}", once.needed.size(),
                               afresh.needed.size()));
  return {};
}

Array moved(const Array& array, bool whole, const Move& move, Random& random) {
  std::vector<double> values = array.values();
  if (whole) {
    std::rotate(values.begin(), values.begin() + (values.empty() ? 0 : 1), values.end());
    return Array(array.shape(), values);
  }
  double size = 0;
  for (double x : values) size = std::max(size, std::abs(x));
  for (double& x : values)
    x = move.factor * x + move.by * (size > 0 ? size : 1) * random.uniform(-1, 1);
  return Array(array.shape(), values);
}

}  // namespace

std::optional<Parting> find_parting(const Recorder& f, std::span<const Array> values,
                                    const Move& move, Random& random, Site at) {
  const Recorded once(f, values, at);
  const Recording& recording = once.tape.recording();
  std::vector<Array> others;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Id leaf = recording.id_of(once.x[i], doing, at);
    others.push_back(
        moved(values[i], whole_numbers(recording, leaf, recording.size()), move, random));
  }
  return compare(once, Recorded(f, others, at), at);
}

ReplayReport check_replay_of(const Recorder& f, std::size_t arity,
                             std::span<const CheckInput> inputs, const CheckOptions& options,
                             Site at) {
  require_sensible(options, doing, at);
  Random random{options.seed};
  const std::vector<Array> values = input_arrays(inputs, arity, random, doing, at);
  ReplayReport report;
  std::optional<Error> refused;
  for (const Move& move :
       {Move{1, 1e-3}, Move{1, 0.1}, Move{-1, 0.1}, Move{0.25, 0.1}, Move{4, 0.1}, Move{0, 1}}) {
    try {
      report.parting = find_parting(f, values, move, random, at);
    } catch (const Error& error) {
      refused = error;
      continue;
    }
    ++report.trials;
    if (report.parting) break;
  }
  if (report.trials == 0) throw *refused;
  return report;
}

std::string ReplayReport::text() const {
  if (!parting)
    return fmt::format(
        "replay check: PASS: a replay gives what recording afresh gives, at {} other "
        "inputs\n",
        trials);
  std::string result = fmt::format("replay check: FAIL: {}", parting->sentence);
  if (parting->at) result += fmt::format(" ({})", tapegrad::text(parting->at));
  result += "\n";
  if (parting->read_at)
    result +=
        fmt::format("  a value was looked at while recording, at {}: what followed is fixed\n",
                    tapegrad::text(parting->read_at));
  return result;
}

std::ostream& operator<<(std::ostream& out, const ReplayReport& report) {
  return out << report.text();
}

}  // namespace tapegrad
