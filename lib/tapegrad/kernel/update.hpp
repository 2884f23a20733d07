// What optimisers do to a parameter: flat loops over values and their gradient.
#pragma once

#include <cstdint>

namespace tapegrad {

/// p -= rate * g
template <class T>
void descend(T* p, const T* g, T rate, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) p[i] -= rate * g[i];
}

}  // namespace tapegrad
