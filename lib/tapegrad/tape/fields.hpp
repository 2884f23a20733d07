// Reflection: finds the tensors in a user's plain struct, and what they are called there. A struct
// may hold tensors; numbers, enums, strings and functions, which are skipped; and structs,
// std::array, vector, map, unordered_map, optional, pair, tuple, variant, unique_ptr and shared_ptr
// of all these, to any depth. Any other type does not compile, because its tensors would silently
// never be trained. Opt-ins:
//
//   template <>
//   inline constexpr bool tapegrad::holds_no_tensors<Clock> = true;    // skip the type
//
//   static constexpr auto fields() {                                   // in a class, public: look
//   here
//     return std::tuple{"weight", &Encoder::weight_, "bias", &Encoder::bias_};
//   }
//
// Nothing here allocates, except `each` for the names and an Error for its text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tapegrad/base/error.hpp"
#include "tapegrad/base/site.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

class Random;
class Tape;

/// Specialise it to `true` for a type of yours that is neither looked into nor refused.
template <class T>
inline constexpr bool holds_no_tensors = false;
template <>
inline constexpr bool holds_no_tensors<Array> = true;
template <>
inline constexpr bool holds_no_tensors<Random> = true;
template <>
inline constexpr bool holds_no_tensors<Shape> = true;
template <>
inline constexpr bool holds_no_tensors<Tape> = true;

namespace reflection {

/// What a type is to the walk.
enum class Kind {
  tensor,
  skipped,
  plain,     // a plain struct
  listed,    // a class with fields()
  tuple,     // also a pair
  sequence,  // std::array, std::vector
  map,
  optional,  // also a smart pointer
  variant,
  // From here on: refused.
  pointer,
  c_array,
  reference,
  constant,
  base,
  key,
  many,
  other,
};

// <map>, <memory>, <optional> and <variant> are not included here: whoever has such a field has
// them. What is like them counts as one of them.
template <class T>
concept MapLike = requires(T map, const typename T::key_type& key) {
  typename T::mapped_type;
  map.at(key);  // a multimap has none
  map.find(key);
};
template <class T>
concept OptionalLike = requires(const T& maybe) {
  typename T::value_type;
  maybe.has_value();
  *maybe;
};
template <class T>
concept PointerLike = requires(const T& pointer) {
  typename T::element_type;
  pointer.get();
  *pointer;
  requires !std::is_array_v<typename T::element_type>;
};
template <class T>
concept VariantLike = requires(const T& variant) {
  variant.valueless_by_exception();
};
template <class>
inline constexpr std::size_t alternatives = 0;
template <template <class...> class Variant, class... T>
inline constexpr std::size_t alternatives<Variant<T...>> = sizeof...(T);
template <class T>
concept Listed = requires {
  T::fields();
};

template <class T>
inline constexpr bool is_number_or_enum = std::is_arithmetic_v<T> || std::is_enum_v<T>;

template <class T>
struct KindOf;
template <class T>
inline constexpr Kind kind = KindOf<std::remove_cv_t<T>>::value;
template <class... T>
constexpr Kind skipped_if_all_are(Kind otherwise) {
  return ((kind<T> == Kind::skipped) && ...) ? Kind::skipped : otherwise;
}

/// Not deep: a struct is plain whatever it holds, so that a struct may hold vectors of itself.
template <class T>
struct KindOf {
  static constexpr Kind find() {
    if constexpr (holds_no_tensors<T>) {
      return Kind::skipped;
    } else if constexpr (is_number_or_enum<T> || std::is_null_pointer_v<T> ||
                         std::is_member_pointer_v<T>) {
      return Kind::skipped;
    } else if constexpr (std::is_pointer_v<T>) {
      using Pointee = std::remove_cv_t<std::remove_pointer_t<T>>;
      return std::is_function_v<Pointee> || is_number_or_enum<Pointee> || holds_no_tensors<Pointee>
                 ? Kind::skipped
                 : Kind::pointer;
    } else if constexpr (std::is_array_v<T>) {
      return Kind::c_array;
    } else if constexpr (!requires { sizeof(T); }) {
      return Kind::other;
    } else if constexpr (Listed<T>) {
      return Kind::listed;
    } else if constexpr (MapLike<T>) {
      return skipped_if_all_are<typename T::mapped_type>(Kind::map);
    } else if constexpr (OptionalLike<T>) {
      return skipped_if_all_are<typename T::value_type>(Kind::optional);
    } else if constexpr (PointerLike<T>) {
      return skipped_if_all_are<typename T::element_type>(Kind::optional);
    } else if constexpr (std::is_empty_v<T>) {
      return Kind::skipped;
    } else if constexpr (std::is_aggregate_v<T> && !std::is_union_v<T>) {
      return Kind::plain;
    } else {
      return Kind::other;
    }
  }
  static constexpr Kind value = find();
};
template <>
struct KindOf<Tensor> {
  static constexpr Kind value = Kind::tensor;
};
template <class C, class Traits>
struct KindOf<std::basic_string_view<C, Traits>> {
  static constexpr Kind value = Kind::skipped;
};
template <class C, class Traits, class Allocator>
struct KindOf<std::basic_string<C, Traits, Allocator>> {
  static constexpr Kind value = Kind::skipped;
};
// std::function and its like.
template <template <class> class Function, class Result, class... Argument>
struct KindOf<Function<Result(Argument...)>> {
  static constexpr Kind value = Kind::skipped;
};
template <class T, std::size_t n>
struct KindOf<std::array<T, n>> {
  static constexpr Kind value = skipped_if_all_are<T>(Kind::sequence);
};
template <class T, class Allocator>
struct KindOf<std::vector<T, Allocator>> {
  static constexpr Kind value = skipped_if_all_are<T>(Kind::sequence);
};
template <class First, class Second>
struct KindOf<std::pair<First, Second>> {
  static constexpr Kind value = skipped_if_all_are<First, Second>(Kind::tuple);
};
template <class... T>
struct KindOf<std::tuple<T...>> {
  static constexpr Kind value = skipped_if_all_are<T...>(Kind::tuple);
};
template <template <class...> class Variant, class... T>
requires VariantLike<Variant<T...>>
struct KindOf<Variant<T...>> {
  static constexpr Kind value = skipped_if_all_are<T...>(Kind::variant);
};

// The fields of a plain struct, by the initialisers that its braces take. Boost.PFR 2.0 does the
// same, but neither compiles for a field like std::vector<std::unique_ptr<Layer>>, nor tells a
// reference or an array.

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

/// Kind::plain, or why not.
template <class T>
constexpr Kind find_plain_kind() {
  constexpr std::size_t count = Plain<T>::count;
  if constexpr (count == uncounted) {
    return count_initialisers<T, NamedFiller>() == uncounted ? Kind::many : Kind::reference;
  } else if constexpr (takes<T, NamedFiller>(std::make_index_sequence<count + 1>())) {
    return Kind::reference;
  } else if constexpr (count == 0) {
    return Kind::other;
  } else if constexpr (has_base<T, 0>() || has_base<T, count - 1>()) {
    return Kind::base;
  } else if constexpr (has_c_array<T>(std::make_index_sequence<count>())) {
    return Kind::c_array;
  } else if constexpr (std::is_move_assignable_v<T>) {
    return Kind::plain;
  } else {
    return has_reference<T>(std::make_index_sequence<count>()) ? Kind::reference : Kind::plain;
  }
}
template <class T>
inline constexpr Kind plain_kind = find_plain_kind<T>();

/// One level of the way down to a tensor. The levels lie on the stack, so that a name that nobody
/// asks for costs nothing.
struct Step {
  const Step* up;
  std::string_view name;
  std::int64_t number = 0;
  bool numbered = false;  // or else named
};
/// "hidden.0.weight".
void append(std::string& text, const Step* way);
/// Throws the Error of two objects that cannot be walked in step.
[[noreturn]] void differ(const Step* way, std::string_view how, Site at);
void agree(const Step* way, std::size_t size, std::size_t other_size, Site at);

/// Stops the compiler, with the type in sight.
template <class T, Kind kind>
constexpr void refuse() {
  static_assert(
      kind != Kind::pointer,
      "tapegrad cannot look into this type: a raw pointer may point to tensors that are not "
      "the struct's own; use std::unique_ptr, std::shared_ptr or std::optional, or "
      "specialise tapegrad::holds_no_tensors for it");
  static_assert(kind != Kind::c_array,
                "tapegrad cannot look into this type: write std::array instead of the C array");
  static_assert(kind != Kind::reference,
                "tapegrad cannot look into this type: it has a reference; hold the value, or a "
                "std::shared_ptr");
  static_assert(kind != Kind::constant,
                "tapegrad cannot look into this type: a field that holds tensors is const");
  static_assert(
      kind != Kind::base,
      "tapegrad cannot look into this type: it has a base; make the base a field, or give "
      "it a static fields() (see tapegrad/tape/fields.hpp)");
  static_assert(
      kind != Kind::key,
      "tapegrad cannot look into this type: a map's keys must be strings, whole numbers or "
      "enums, because they are names");
  static_assert(kind != Kind::many,
                "tapegrad cannot look into this type: more than 100 fields, or it cannot be made "
                "from braces");
  static_assert(
      kind != Kind::other,
      "tapegrad cannot look into this type: make it a plain struct (no constructors, bases "
      "or private members), give it a static fields() (see tapegrad/tape/fields.hpp), or "
      "specialise tapegrad::holds_no_tensors for it");
}

template <class Key>
Step step_to(const Step* way, const Key& key) {
  if constexpr (std::is_convertible_v<const Key&, std::string_view>) {
    return {way, key};
  } else if constexpr (is_number_or_enum<Key> && !std::is_floating_point_v<Key>) {
    return {way, {}, static_cast<std::int64_t>(key), true};
  } else {
    refuse<Key, Kind::key>();
    return {way, {}};
  }
}

/// Calls f(entry) by ascending key. A hash map's own order may be another one in its copy.
template <class Map, class F>
void for_each_entry(Map& map, F f) {
  if constexpr (requires { typename Map::hasher; }) {
    auto last = map.end();
    for (std::size_t i = 0; i < map.size(); ++i) {
      auto next = map.end();
      for (auto it = map.begin(); it != map.end(); ++it) {
        if ((last == map.end() || last->first < it->first) &&
            (next == map.end() || it->first < next->first)) {
          next = it;
        }
      }
      f(*next);
      last = next;
    }
  } else {
    for (auto& entry : map) f(entry);
  }
}

/// Goes through one object, or two in step. f(way, tensor...).
template <bool named, class F>
struct Walk {
  F& f;
  Site at;

  template <class T, class... Same>
  void visit(const Step* way, T& object, Same&... same) const {
    using Type = std::remove_const_t<T>;
    constexpr Kind what = kind<Type>;
    if constexpr (what == Kind::tensor) {
      f(way, object, same...);
    } else if constexpr (what == Kind::plain) {
      constexpr Kind plain = plain_kind<Type>;
      if constexpr (plain == Kind::plain) {
        visit_fields(way, std::make_index_sequence<Plain<Type>::count>(), object, same...);
      } else {
        refuse<Type, plain>();
      }
    } else if constexpr (what == Kind::listed) {
      constexpr std::size_t size = std::tuple_size_v<decltype(Type::fields())>;
      static_assert(size % 2 == 0,
                    "fields() lists names and members: \"weight\", &Encoder::weight_");
      visit_listed(way, std::make_index_sequence<size / 2>(), object, same...);
    } else if constexpr (what == Kind::tuple) {
      visit_tuple(way, std::make_index_sequence<std::tuple_size_v<Type>>(), object, same...);
    } else if constexpr (what == Kind::sequence) {
      (agree(way, object.size(), same.size(), at), ...);
      for (std::size_t i = 0; i < object.size(); ++i) {
        const Step step{way, {}, static_cast<std::int64_t>(i), true};
        visit(&step, object[i], same[i]...);
      }
    } else if constexpr (what == Kind::map) {
      (agree(way, object.size(), same.size(), at), ...);
      for_each_entry(object, [&](auto& entry) {
        const Step step = step_to(way, entry.first);
        visit(&step, entry.second, find(&step, same, entry.first)...);
      });
    } else if constexpr (what == Kind::optional) {
      if ((... || (static_cast<bool>(object) != static_cast<bool>(same)))) {
        differ(way, "one is empty, the other is not", at);
      }
      if (object) visit(way, held<T>(*object), held<Same>(*same)...);
    } else if constexpr (what == Kind::variant) {
      if ((... || (object.index() != same.index())))
        differ(way, "they hold different alternatives", at);
      visit_variant(way, object, same...);
    } else if constexpr (what != Kind::skipped) {
      refuse<Type, what>();
    }
  }

 private:
  template <std::size_t... i, class... Same>
  void visit_fields(const Step* way, std::index_sequence<i...>, Same&... same) const {
    (visit_field<i>(way, same...), ...);
  }
  template <std::size_t i, class T, class... Same>
  void visit_field(const Step* way, T& object, Same&... same) const {
    using Struct = std::remove_const_t<T>;
    using Field = std::remove_reference_t<std::tuple_element_t<i, decltype(tie_fields(object))>>;
    if constexpr (kind<Field> == Kind::skipped) {
      return;
    } else if constexpr (std::is_const_v<Field> && !std::is_const_v<T>) {
      refuse<Struct, Kind::constant>();
    } else if constexpr (named) {
      const Step step{way, field_name<Struct, i>};
      visit(&step, std::get<i>(tie_fields(object)), std::get<i>(tie_fields(same))...);
    } else {
      visit(way, std::get<i>(tie_fields(object)), std::get<i>(tie_fields(same))...);
    }
  }

  template <std::size_t... i, class T, class... Same>
  void visit_listed(const Step* way, std::index_sequence<i...>, T& object, Same&... same) const {
    constexpr auto list = T::fields();
    const auto visit_one = [&](std::string_view name, auto member) {
      const Step step{way, name};
      visit(&step, object.*member, same.*member...);
    };
    (visit_one(std::get<2 * i>(list), std::get<2 * i + 1>(list)), ...);
  }

  template <std::size_t... i, class... Same>
  void visit_tuple(const Step* way, std::index_sequence<i...>, Same&... same) const {
    (visit_element<i>(way, same...), ...);
  }
  template <std::size_t i, class... Same>
  void visit_element(const Step* way, Same&... same) const {
    const Step step{way, {}, i, true};
    visit(&step, std::get<i>(same)...);
  }

  template <std::size_t i = 0, class T, class... Same>
  void visit_variant(const Step* way, T& object, Same&... same) const {
    if constexpr (i < alternatives<std::remove_const_t<T>>) {
      if (object.index() != i) return visit_variant<i + 1>(way, object, same...);
      visit(way, *get_if<i>(&object), *get_if<i>(&same)...);
    }
  }

  /// A pointer is not const with its owner; what it holds is for us.
  template <class Owner, class T>
  static auto& held(T& object) {
    if constexpr (std::is_const_v<Owner>) {
      return std::as_const(object);
    } else {
      return object;
    }
  }
  template <class Map, class Key>
  auto& find(const Step* way, Map& map, const Key& key) const {
    const auto found = map.find(key);
    if (found == map.end()) differ(way, "only one has this key", at);
    return found->second;
  }
};

}  // namespace reflection

/// Whether there may be tensors in a T. Not deep: a struct may turn out to have none, or fields of
/// a type that is refused.
template <class T>
inline constexpr bool reflectable =
    reflection::kind<std::remove_reference_t<T>> !=
    reflection::Kind::skipped&& reflection::kind<std::remove_reference_t<T>> <
        reflection::Kind::pointer;

/// Calls f(tensor) for every tensor in the object, in order of declaration, of a hash map by key.
/// What is reached through two shared pointers is visited twice. In a const object the tensors are
/// const.
template <class T, class F>
void visit_tensors(T& object, F&& f) {
  const auto visit = [&](const reflection::Step*, auto& tensor) { f(tensor); };
  reflection::Walk<false, decltype(visit)>{visit, {}}.visit(nullptr, object);
}

/// Calls f(name, tensor) in the same order. The name is the way from the object: "hidden.0.weight",
/// where elements go by number or key; optionals, variants and pointers add nothing. It lives until
/// f returns.
template <class T, class F>
void each(T& object, F&& f) {
  std::string name;
  const auto visit = [&](const reflection::Step* way, auto& tensor) {
    name.clear();
    reflection::append(name, way);
    f(std::string_view(name), tensor);
  };
  reflection::Walk<true, decltype(visit)>{visit, {}}.visit(nullptr, object);
}

/// Calls f(tensor of a, tensor of b) in the same order, for two objects of one type. Throws Error
/// where they differ in the number of elements, in keys, in alternative or in being empty; f may
/// have been called.
template <class A, class B, class F>
void visit_pairs(A& a, B& b, F&& f, Site at = Site::here()) {
  static_assert(std::is_same_v<std::remove_const_t<A>, std::remove_const_t<B>>,
                "two objects are walked in step only if they have the same type");
  const auto visit = [&](const reflection::Step*, auto& x, auto& y) { f(x, y); };
  reflection::Walk<true, decltype(visit)>{visit, at}.visit(nullptr, a, b);
}

/// The number of tensors in the object.
template <class T>
std::size_t count_tensors(const T& object) {
  std::size_t count = 0;
  visit_tensors(object, [&](const Tensor&) { ++count; });
  return count;
}

}  // namespace tapegrad
