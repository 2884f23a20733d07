// The catalogue: every block of the vocabulary, family by family. What is to hold for all ops is
// checked by walking it. One line per family, no registration.
#pragma once

#include <span>
#include <vector>

#include "tapegrad/tape/op.hpp"

namespace tapegrad {

using Family = std::span<const Op* const>;

Family arithmetic_family();
Family function_family();
Family trigonometry_family();
Family activation_family();
Family reduction_family();
Family statistics_family();
Family along_family();
Family product_family();
Family layout_family();
Family part_family();
Family index_family();
Family fill_family();
Family normalise_family();
Family random_family();
Family flow_family();
Family loss_family();
Family classification_family();
Family convolution_family();
Family pool_family();

/// All of them.
std::vector<const Op*> catalogue();

}  // namespace tapegrad
