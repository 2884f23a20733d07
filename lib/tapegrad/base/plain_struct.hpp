// Internal: the fields of a plain struct, their number, references to them and their names, found
// by the initialisers that its braces take. Knows nothing of what the fields hold. Boost.PFR 2.0
// (Boost 1.81) does the same, but does not compile for a field such as
// std::vector<std::unique_ptr<Layer>>, takes references silently and miscounts C arrays; see
// docs/decisions/007-reflection-lives-in-tape.md.
#pragma once

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace tapegrad::reflection {

/// Each becomes whatever is initialised from it.
struct MovedFiller {
  template <class T>
  constexpr operator T&&() const&& noexcept;
  template <class T>
  constexpr operator T&&() const& noexcept;
};
struct PureFiller {  // also what can be neither copied nor moved
  template <class T>
  constexpr operator T() const noexcept;
};
struct NamedFiller {  // also a reference
  template <class T>
  constexpr operator T&() const&& noexcept;
  template <class T>
  constexpr operator T&() const& noexcept;
};
struct NoFiller {};
template <class Derived>
struct BaseFiller {
  template <class T>
  requires(std::is_base_of_v<T, Derived> && !std::is_same_v<T, Derived>) constexpr operator T()
      const noexcept;
};

template <class Filler, std::size_t>
using Repeat = Filler;
template <class T, class Filler, std::size_t... i>
constexpr bool takes(std::index_sequence<i...>) {
  return requires { T{Repeat<Filler, i>()...}; };
}
template <class T, class First, class Filler, std::size_t... i>
constexpr bool takes_first(std::index_sequence<i...>) {
  return requires { T{First(), Repeat<Filler, i>()...}; };
}
template <class T, class Filler, std::size_t... i, std::size_t... j>
constexpr bool takes_empty(std::index_sequence<i...>, std::index_sequence<j...>) {
  return requires { T{Repeat<Filler, i>()..., {}, Repeat<Filler, j>()...}; };
}

inline constexpr std::size_t max_fields = 100;
inline constexpr std::size_t uncounted = max_fields + 1;

/// The largest number of initialisers. Not every smaller number need do: what comes last may have
/// no default.
template <class T, class Filler, std::size_t n = 0, bool found = false>
constexpr std::size_t count_initialisers() {
  if constexpr (n > uncounted) {
    return uncounted;
  } else if constexpr (takes<T, Filler>(std::make_index_sequence<n>())) {
    return count_initialisers<T, Filler, n + 1, true>();
  } else if constexpr (found) {
    return n - 1;
  } else {
    return count_initialisers<T, Filler, n + 1, false>();
  }
}

/// Whether field i is an array of the C kind: its elements count one by one, but one {} does for
/// them all.
template <class T, class Filler, std::size_t n, std::size_t i, std::size_t after = n - i - 1>
constexpr bool is_c_array() {
  if constexpr (takes_empty<T, Filler>(std::make_index_sequence<i>(),
                                       std::make_index_sequence<after>())) {
    return after < n - i - 1;
  } else if constexpr (after == 0) {
    return false;
  } else {
    return is_c_array<T, Filler, n, i, after - 1>();
  }
}

/// The fields of a struct, if it is plain.
template <class T>
struct Plain {
  static constexpr std::size_t find_count() {
    constexpr std::size_t moved = count_initialisers<T, MovedFiller>();
    if constexpr (moved == uncounted ||
                  takes<T, PureFiller>(std::make_index_sequence<moved + 1>())) {
      return count_initialisers<T, PureFiller>();
    } else {
      return moved;
    }
  }
  static constexpr std::size_t count = find_count();
  using Filler = std::conditional_t<takes<T, MovedFiller>(std::make_index_sequence<count>()),
                                    MovedFiller, PureFiller>;
};

// Until structured bindings can be a pack (C++26) it takes a line for every number of fields, here
// ten at a time.
#define TAPEGRAD_1(x) x##0
#define TAPEGRAD_2(x) TAPEGRAD_1(x), x##1
#define TAPEGRAD_3(x) TAPEGRAD_2(x), x##2
#define TAPEGRAD_4(x) TAPEGRAD_3(x), x##3
#define TAPEGRAD_5(x) TAPEGRAD_4(x), x##4
#define TAPEGRAD_6(x) TAPEGRAD_5(x), x##5
#define TAPEGRAD_7(x) TAPEGRAD_6(x), x##6
#define TAPEGRAD_8(x) TAPEGRAD_7(x), x##7
#define TAPEGRAD_9(x) TAPEGRAD_8(x), x##8
#define TAPEGRAD_10(x) TAPEGRAD_9(x), x##9
#define TAPEGRAD_TIE(n, ...)      \
  if constexpr (count == (n)) {   \
    auto& [__VA_ARGS__] = object; \
    return std::tie(__VA_ARGS__); \
  } else
#define TAPEGRAD_TIE_TENS(n, x, ...)               \
  TAPEGRAD_TIE((n) + 1, __VA_ARGS__ TAPEGRAD_1(x)) \
  TAPEGRAD_TIE((n) + 2, __VA_ARGS__ TAPEGRAD_2(x)) \
  TAPEGRAD_TIE((n) + 3, __VA_ARGS__ TAPEGRAD_3(x)) \
  TAPEGRAD_TIE((n) + 4, __VA_ARGS__ TAPEGRAD_4(x)) \
  TAPEGRAD_TIE((n) + 5, __VA_ARGS__ TAPEGRAD_5(x)) \
  TAPEGRAD_TIE((n) + 6, __VA_ARGS__ TAPEGRAD_6(x)) \
  TAPEGRAD_TIE((n) + 7, __VA_ARGS__ TAPEGRAD_7(x)) \
  TAPEGRAD_TIE((n) + 8, __VA_ARGS__ TAPEGRAD_8(x)) \
  TAPEGRAD_TIE((n) + 9, __VA_ARGS__ TAPEGRAD_9(x)) \
  TAPEGRAD_TIE((n) + 10, __VA_ARGS__ TAPEGRAD_10(x))

#define TAPEGRAD_20 TAPEGRAD_10(a), TAPEGRAD_10(b),
#define TAPEGRAD_40 TAPEGRAD_20 TAPEGRAD_10(c), TAPEGRAD_10(d),
#define TAPEGRAD_60 TAPEGRAD_40 TAPEGRAD_10(e), TAPEGRAD_10(f),
#define TAPEGRAD_80 TAPEGRAD_60 TAPEGRAD_10(g), TAPEGRAD_10(h),

/// References to the fields of a plain struct.
template <class T>
constexpr auto tie_fields(T& object) {
  constexpr std::size_t count = Plain<std::remove_const_t<T>>::count;
  TAPEGRAD_TIE_TENS(0, a, )
  TAPEGRAD_TIE_TENS(10, b, TAPEGRAD_10(a), )
  TAPEGRAD_TIE_TENS(20, c, TAPEGRAD_20)
  TAPEGRAD_TIE_TENS(30, d, TAPEGRAD_20 TAPEGRAD_10(c), )
  TAPEGRAD_TIE_TENS(40, e, TAPEGRAD_40)
  TAPEGRAD_TIE_TENS(50, f, TAPEGRAD_40 TAPEGRAD_10(e), )
  TAPEGRAD_TIE_TENS(60, g, TAPEGRAD_60)
  TAPEGRAD_TIE_TENS(70, h, TAPEGRAD_60 TAPEGRAD_10(g), )
  TAPEGRAD_TIE_TENS(80, i, TAPEGRAD_80)
  TAPEGRAD_TIE_TENS(90, j, TAPEGRAD_80 TAPEGRAD_10(i), )
  return std::tuple<>();
}

#undef TAPEGRAD_1
#undef TAPEGRAD_2
#undef TAPEGRAD_3
#undef TAPEGRAD_4
#undef TAPEGRAD_5
#undef TAPEGRAD_6
#undef TAPEGRAD_7
#undef TAPEGRAD_8
#undef TAPEGRAD_9
#undef TAPEGRAD_10
#undef TAPEGRAD_20
#undef TAPEGRAD_40
#undef TAPEGRAD_60
#undef TAPEGRAD_80
#undef TAPEGRAD_TIE
#undef TAPEGRAD_TIE_TENS

// The name of a field, by the pointer to it: the compiler spells a template's arguments in
// __PRETTY_FUNCTION__. The object that holds the field is declared only. clang 14 takes such a
// pointer as an argument only inside a struct.

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif

template <class T>
struct Holder {
  T value;
};
template <class T>
extern const Holder<T> nowhere;

template <class T>
struct FieldPointer {
  const T* pointer;
};

/// g++: "... [with auto pointer = FieldPointer<Tensor>{(&
/// nowhere<Net>.Holder<Net>::value.Net::weight)}]", clang: "... [pointer =
/// FieldPointer<Tensor>{&nowhere.value.weight}]".
template <auto pointer>
constexpr const char* spelling() {
  return __PRETTY_FUNCTION__;
}

constexpr std::string_view last_word(std::string_view text) {
  text = text.substr(0, text.find_last_not_of(")}];", text.rfind('}')) + 1);
  return text.substr(text.find_last_of(".:>& (") + 1);
}

template <class T, std::size_t i>
constexpr auto pointer_to_field() {
  const auto& field = std::get<i>(tie_fields(nowhere<T>.value));
  return FieldPointer<std::remove_cvref_t<decltype(field)>>{&field};
}
template <class T, std::size_t i>
inline constexpr std::string_view field_name = last_word(spelling<pointer_to_field<T, i>()>());

/// Where a reference leads is not known to the compiler.
template <class T, std::size_t i>
concept Reference = !requires {
  typename std::bool_constant<(pointer_to_field<T, i>(), true)>;
};

#ifdef __clang__
#pragma clang diagnostic pop
#endif

template <class T, std::size_t... i>
constexpr bool has_c_array(std::index_sequence<i...>) {
  return (is_c_array<T, typename Plain<T>::Filler, sizeof...(i), i>() || ...);
}
template <class T, std::size_t... i>
constexpr bool has_reference(std::index_sequence<i...>) {
  return (Reference<T, i> || ...);
}
/// Whether the first initialiser is for a base. What takes anything, like std::any, is none.
template <class T, std::size_t after>
constexpr bool has_base() {
  using Filler = typename Plain<T>::Filler;
  constexpr std::make_index_sequence<after> rest;
  return takes_first<T, BaseFiller<T>, Filler>(rest) && !takes_first<T, NoFiller, Filler>(rest);
}

}  // namespace tapegrad::reflection
