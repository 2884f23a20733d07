// Reflection: finds the tensors in a user's plain struct, and what they are called there. A struct
// may hold tensors; numbers, enums, strings and functions, which are skipped; and structs,
// std::array, vector, map, unordered_map, optional, pair, tuple, variant, unique_ptr and shared_ptr
// of all these, to any depth. Any other type does not compile, because its tensors would silently
// never be trained. Opt-ins:
//
//   template <>
//   inline constexpr bool tapegrad::holds_no_tensors<Clock> = true;  // skip the type
//
//   static constexpr auto fields() {  // public, in a class with private members or a base
//     return std::tuple{"weight", &Encoder::weight_, "bias", &Encoder::bias_};
//   }
//
// A struct has at most 100 fields; C arrays, references, bit-fields and anonymous unions are not
// among them. Nothing here allocates, except `each` for the names and an Error for its text.
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
#include "tapegrad/base/plain_struct.hpp"
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
concept Complete = requires {
  sizeof(T);
};
template <class T>
concept Empty = Complete<T> && std::is_empty_v<T>;
template <class T>
concept Aggregate = Complete<T> && std::is_aggregate_v<T> && !std::is_union_v<T>;

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
    if constexpr (holds_no_tensors<T> || is_number_or_enum<T> || std::is_null_pointer_v<T> ||
                  std::is_member_pointer_v<T> || Empty<T>) {
      return Kind::skipped;
    } else if constexpr (std::is_pointer_v<T>) {
      using Pointee = std::remove_cv_t<std::remove_pointer_t<T>>;
      return std::is_function_v<Pointee> || is_number_or_enum<Pointee> || holds_no_tensors<Pointee>
                 ? Kind::skipped
                 : Kind::pointer;
    } else if constexpr (std::is_array_v<T>) {
      return Kind::c_array;
    } else if constexpr (Listed<T>) {
      return Kind::listed;
    } else if constexpr (MapLike<T>) {
      return skipped_if_all_are<typename T::mapped_type>(Kind::map);
    } else if constexpr (OptionalLike<T>) {
      return skipped_if_all_are<typename T::value_type>(Kind::optional);
    } else if constexpr (PointerLike<T>) {
      return skipped_if_all_are<typename T::element_type>(Kind::optional);
    } else if constexpr (Aggregate<T>) {
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
        visit_fields<T>(way, std::make_index_sequence<Plain<Type>::count>(), tie_fields(object),
                        tie_fields(same)...);
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
  template <class Struct, std::size_t... i, class... Tied>
  void visit_fields(const Step* way, std::index_sequence<i...>, const Tied&... fields) const {
    (visit_field<Struct, i>(way, fields...), ...);
  }
  template <class Struct, std::size_t i, class Tied, class... Same>
  void visit_field(const Step* way, const Tied& fields, const Same&... same) const {
    using Field = std::remove_reference_t<std::tuple_element_t<i, Tied>>;
    if constexpr (kind<Field> == Kind::skipped) {
      return;
    } else if constexpr (std::is_const_v<Field> && !std::is_const_v<Struct>) {
      refuse<Struct, Kind::constant>();
    } else if constexpr (named) {
      const Step step{way, field_name<std::remove_const_t<Struct>, i>};
      visit(&step, std::get<i>(fields), std::get<i>(same)...);
    } else {
      visit(way, std::get<i>(fields), std::get<i>(same)...);
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
