#include "tapegrad/program/program.hpp"

#include <algorithm>

#include "tapegrad/tape/listing.hpp"

namespace tapegrad {

Program::Program(std::span<const Tensor> outputs, Site at) {
  if (outputs.empty()) throw Error("program", "no outputs: say which tensors to compute", at);
  Recording& recording = Recording::of(outputs[0], "program", at);
  std::vector<Id> ids;
  for (const Tensor& output : outputs) ids.push_back(recording.id_of(output, "program", at));
  tape_ = recording.ref();
  plan_ = recording.plan(ids, at);
}

void Program::run(Site at) {
  if (tape_.cell == 0) throw Error("program", "this program was never given outputs", at);
  Recording::of(tape_, "program", at).run(plan_, at);
}

std::string Program::text(Site at) const {
  const Recording& recording = Recording::of(tape_, "program", at);
  if (!recording.holds(plan_))
    throw Error("program", "an output was forgotten when the tape was rewound", at);
  std::vector<Id> ids = plan_.records();
  for (std::size_t i = 0, n = ids.size(); i < n; ++i)
    for (Id operand : recording.operands(ids[i]))
      if (recording.node(operand).leaf()) ids.push_back(operand);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return listing(recording, ids);
}

}  // namespace tapegrad
