// Internal: how many tensors a function takes.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

template <std::size_t place>
using TensorAt = Tensor;

/// How many tensors a function takes: the least number, if several would do.
template <class F, std::size_t... place>
consteval std::size_t arity(std::index_sequence<place...>) {
  constexpr std::size_t most = 8;
  if constexpr (std::is_invocable_v<F&, TensorAt<place>...>)
    return sizeof...(place);
  else if constexpr (sizeof...(place) < most)
    return arity<F>(std::make_index_sequence<sizeof...(place) + 1>{});
  else
    static_assert(always_false<F>,
                  "tapegrad: this takes a function of up to 8 arguments of type tapegrad::Tensor");
}

}  // namespace tapegrad
