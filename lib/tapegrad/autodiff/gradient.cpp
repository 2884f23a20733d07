#include "tapegrad/autodiff/gradient.hpp"

#include <fmt/format.h>

#include "tapegrad/autodiff/sweep.hpp"

namespace tapegrad {

void gradients(const Asking& asking, const Tensor& of, const Arg* direction,
               std::span<const Tensor> x, std::span<Tensor> answers) {
  Recording& recording = asking.recording;
  record_or_forget(asking, [&] {
    const Id y = differentiable(asking, of);
    std::vector<Id>&wanted = recording.sweep().wanted, &found = recording.sweep().answers;
    find_wanted(asking, x, wanted);
    Id seed = Node::none;
    if (direction != nullptr)
      seed = find_direction(asking, "seed", *direction, y);
    else if (const auto n = recording.node(y).shape.numel(); n != 1)
      throw Error(
          std::string(asking.doing),
          fmt::format(
              "a gradient can be implicitly created only for one number, this tensor has {}", n),
          {recording.describe(y, "of")}, asking.at,
          "reduce it, as in sum(y), or say what is asked for: gradient(seeded(y, v), x)");
    find_gradient(asking, y, seed, wanted, found);
    for (std::size_t i = 0; i < found.size(); ++i) answers[i] = recording.handle(found[i]);
  });
}

void gradients(const Differentiated& y, std::span<const Tensor> x, std::span<Tensor> answers) {
  constexpr std::string_view doing = "gradient";
  gradients({Recording::of(y.y(), doing, y.site()), doing, y.site()}, y.y(), y.seed(), x, answers);
}

Tensor gradient(const Differentiated& y, const Tensor& x) {
  Tensor answer;
  gradients(y, {&x, 1}, {&answer, 1});
  return answer;
}

}  // namespace tapegrad
