// A derivation to be completed: some of its results are left out, for a class or for oneself, and
// stand on a sheet of answers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tapegrad/base/site.hpp"
#include "tapegrad/explain/derivation.hpp"
#include "tapegrad/explain/words.hpp"

namespace tapegrad {

struct ExerciseOptions {
  /// How many results are left out.
  std::size_t blanks = 5;
  /// Which ones: the same for the same seed.
  std::uint32_t seed = 1;
  /// In which language.
  const Words& words = english;
};

struct Exercise {
  /// The derivation with numbered blanks, without its check, which would give them away.
  Derivation sheet;
  /// One section, "answers": what stands in the blanks.
  Derivation answers;
};

/// `exercise(explain(loss, w, Index{0, 1}), {.blanks = 3})`. Left out are results of the numbers
/// before them, never what is given; wherever one is used later, its blank stands there too. A
/// result's sign stays. Part of a derivation will do: `exercise(d.section("forward"))`. Throws
/// Error for no blanks, and for more than there are results.
Exercise exercise(const Derivation& derivation, const ExerciseOptions& options = {},
                  Site at = Site::here());

}  // namespace tapegrad
