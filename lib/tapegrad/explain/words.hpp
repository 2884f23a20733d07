// All fixed words of a derivation, in one table: another language is another table, and no code.
#pragma once

#include <string_view>

namespace tapegrad {

/// `{}` are filled in, in this order: a translation that needs another writes {1}, {0}. Between
/// backquotes stand formulas.
struct Words {
  // The sections' titles.
  std::string_view network = "The network";
  std::string_view forward = "Forward";
  std::string_view local = "Local derivatives";
  std::string_view paths = "The paths";
  std::string_view merged = "Backward: the same, merged";
  std::string_view matrices = "In matrices";
  std::string_view update = "The update";
  std::string_view check = "The check";
  std::string_view answers = "Answers";

  // The network.
  std::string_view asked = "Asked is `{}`: how fast `{}` changes with `{}`, which is {}.";
  std::string_view asked_of_all = "Asked is `{}` for every element of `{}`.";
  std::string_view asked_of_every = "Asked is how fast `{}` changes with each of {} parameters.";
  std::string_view symbol = "symbol", shape = "shape", what = "what it is", line = "line";
  std::string_view parameter = "parameter", input = "input", state = "state", constant = "constant";
  std::string_view more_rows = "and {} more";

  // Forward.
  std::string_view forward_of_element = "Each step on the way from `{}` to `{}`, in this order.";
  std::string_view forward_of_all = "Each step, in this order.";
  std::string_view sample =
      "`{}` acts in {} rows of `{}` (in a batch, each is a sample). The one that counts most is "
      "written out, row {}; the others are treated alike.";
  std::string_view left_out = "the number at the end of a sum stands for its other terms";
  std::string_view more_stages = "... {} more steps like these ...";

  // Local derivatives.
  std::string_view locals =
      "One for each step: how fast its result changes with what goes in, all else held fixed. The "
      "rule is that of the op: `y` is its result, `ybar` the adjoint of that, `x` or `x1`, `x2` "
      "what goes in.";
  std::string_view rule = "{}: `{}`";
  std::string_view cut = "counts as 0, for what follows does not depend on it at all";

  // The paths.
  std::string_view one_path = "One path leads from `{}` to `{}`. Along it, slopes multiply:";
  std::string_view many_paths =
      "{} paths lead from `{}` to `{}`. Along a path, slopes multiply; over paths, products add "
      "up.";
  std::string_view largest_paths = "The largest, with their shares of the whole:";
  std::string_view share = "`{}` %";
  std::string_view factors = "... {} more factors ...";
  std::string_view other_paths = "The other {} together: {}.";
  std::string_view sum_of_paths = "Added up:";
  std::string_view cancel =
      "They cancel: their magnitudes add up to {} times the magnitude of the sum.";
  std::string_view no_path = "No slope leads from `{}` to `{}` that is not 0: the derivative is 0.";
  std::string_view too_many_paths =
      "The steps are too large to follow each path by itself; the check below is made without.";

  // Merged.
  std::string_view deltas =
      "`{}` is short for `{}`, and so for every other quantity. From `{}` backwards, each is made "
      "of those after it, once, however many paths share it.";
  std::string_view deltas_alike = "The deltas of the other rows are found in the same way.";
  std::string_view saved =
      "To multiply the slopes of the steps path by path takes {} multiplications; merged, {}: that "
      "is back-propagation.";

  // In matrices.
  std::string_view matrix_form = "The same for all elements at once, as it was computed.";
  std::string_view marked = "The element asked for is marked.";

  // The update.
  std::string_view rate = "Gradient descent with the learning rate {} moves against the slope.";
  std::string_view predicted = "predicted change of `{}`", actual = "actual change",
                   difference = "second order and beyond";
  std::string_view this_alone = "`{}` alone", all_parameters = "all {} parameters";
  std::string_view what_moves = "what moves";
  std::string_view before_after = "`{}` is {} before and {} after all have moved.";

  // The check.
  std::string_view by = "computed by", value = "value", agrees = "digits as the tape's";
  std::string_view by_tape = "the tape, backwards";
  std::string_view by_paths = "the sum over all paths";
  std::string_view by_differences = "differences of `{}`, extrapolated";
  std::string_view by_forward_mode = "forward mode, from the kernels alone";
  std::string_view unknown = "not known";
  std::string_view lost = "lost in rounding";
  std::string_view kink = "a kink, from {} to {}";
  std::string_view along = "The derivative along one random direction of each:";

  std::string_view rounded =
      "An approximately-equal sign stands where the printed numbers are rounded and give another "
      "last digit; every result comes from full precision.";
};

inline constexpr Words english{};

}  // namespace tapegrad
