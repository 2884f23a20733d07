#include "tapegrad/tape/tensor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <variant>

#include "tapegrad/base/error.hpp"
#include "tapegrad/tape/recording.hpp"

namespace tapegrad {

bool Tensor::valid() const { return Recording::usable(*this); }

Shape Tensor::shape(Site at) const { return Recording::of(*this, "shape", at).node(id_).shape; }

int Tensor::rank(Site at) const { return shape(at).rank(); }

std::int64_t Tensor::numel(Site at) const { return shape(at).numel(); }

std::int64_t Tensor::size(Axis axis, Site at) const {
  const Recording& recording = Recording::of(*this, "size", at);
  const Shape& s = recording.node(id_).shape;
  if (axis < -s.rank() || axis >= s.rank())
    throw Error("size", fmt::format("there is no axis {} in {}", axis, text(s)),
                {recording.describe(id_, "of")}, at, {});
  return s[static_cast<int>(axis)];
}

Precision Tensor::precision(Site at) const {
  return Recording::of(*this, "precision", at).precision();
}

namespace {

template <class Read>
auto with_values(const Recording& recording, Id id, Read read) {
  const auto n = static_cast<std::size_t>(recording.node(id).shape.numel());
  const void* data = recording.address(id);
  return recording.precision() == float32
             ? read(std::span<const float>(static_cast<const float*>(data), n))
             : read(std::span<const double>(static_cast<const double*>(data), n));
}

Array array_of(const Recording& recording, Id id) {
  return with_values(recording, id, [&](auto v) {
    using T = std::remove_const_t<typename decltype(v)::element_type>;
    return Array(recording.node(id).shape, std::vector<T>(v.begin(), v.end()));
  });
}

}  // namespace

double Tensor::item(Site at) const {
  Recording& recording = Recording::of(*this, "item", at);
  if (const Shape& s = recording.node(id_).shape; s.numel() != 1)
    throw Error("item", fmt::format("{} elements, where one is wanted", s.numel()),
                {recording.describe(id_, "of")}, at, "at(i, j) reads one element, values() all");
  recording.require_readable(id_, "item", at);
  recording.note_read(id_, at);
  return with_values(recording, id_, [](auto v) { return static_cast<double>(v[0]); });
}

double Tensor::element(std::span<const std::int64_t> index, Site at) const {
  Recording& recording = Recording::of(*this, "at", at);
  recording.require_readable(id_, "at", at);
  const Shape& s = recording.node(id_).shape;
  bool inside = static_cast<int>(index.size()) == s.rank();
  std::int64_t place = 0;
  for (int axis = 0; inside && axis < s.rank(); ++axis) {
    std::int64_t i = index[static_cast<std::size_t>(axis)];
    if (i < 0) i += s[axis];
    inside = i >= 0 && i < s[axis];
    place = place * s[axis] + i;
  }
  if (!inside)
    throw Error("at", fmt::format("no element [{}] in shape {}", joined(index), text(s)),
                {recording.describe(id_, "of")}, at, {});
  recording.note_read(id_, at);
  return with_values(recording, id_, [&](auto v) {
    return static_cast<double>(v[static_cast<std::size_t>(place)]);
  });
}

double Tensor::at(std::int64_t i, Site at) const {
  const std::int64_t index[] = {i};
  return element(index, at);
}
double Tensor::at(std::int64_t i, std::int64_t j, Site at) const {
  const std::int64_t index[] = {i, j};
  return element(index, at);
}
double Tensor::at(std::int64_t i, std::int64_t j, std::int64_t k, Site at) const {
  const std::int64_t index[] = {i, j, k};
  return element(index, at);
}
double Tensor::at(std::int64_t i, std::int64_t j, std::int64_t k, std::int64_t l, Site at) const {
  const std::int64_t index[] = {i, j, k, l};
  return element(index, at);
}

std::vector<double> Tensor::values(Site at) const {
  Recording& recording = Recording::of(*this, "values", at);
  recording.require_readable(id_, "values", at);
  recording.note_read(id_, at);
  return with_values(recording, id_,
                     [](auto v) { return std::vector<double>(v.begin(), v.end()); });
}

Array Tensor::array(Site at) const {
  Recording& recording = Recording::of(*this, "array", at);
  recording.require_readable(id_, "array", at);
  recording.note_read(id_, at);
  return array_of(recording, id_);
}

const void* Tensor::data(Precision wanted, Site at) const {
  Recording& recording = Recording::of(*this, "span", at);
  if (wanted != recording.precision())
    throw Error("span",
                fmt::format("{} is not the number type of {}", text(wanted), recording.text()),
                {recording.describe(id_, "of")}, at, "values() converts");
  recording.require_readable(id_, "span", at);
  recording.note_read(id_, at);
  return recording.address(id_);
}

void Tensor::set(const Values& values, Site at) const {
  Recording::of(*this, "set", at).set(id_, values, at);
}

Tensor Tensor::named(std::string_view name, Site at) const {
  Recording::of(*this, "named", at).name(id_, name);
  return *this;
}

std::string Tensor::name(Site at) const {
  return std::string(Recording::of(*this, "name", at).name(id_));
}

namespace {

/// The values of a tensor, or why it has none. Looking at a tensor to print it is no decision: not
/// noted.
std::variant<Array, std::string> values_or_reason(const Tensor& tensor) {
  try {
    const Recording& recording = Recording::of(tensor, "print", Site{});
    const Id id = recording.id_of(tensor, "print", Site{});
    if (std::string reason = recording.unreadable(id); !reason.empty())
      return fmt::format("({})", reason);
    return array_of(recording, id);
  } catch (const Error& error) {
    return fmt::format("({})", error.text());
  }
}

}  // namespace

std::string text(const Tensor& tensor, const PrintOptions& options) {
  const auto shown = values_or_reason(tensor);
  if (const auto* reason = std::get_if<std::string>(&shown)) return *reason;
  return text(std::get<Array>(shown), options);
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << text(tensor); }

}  // namespace tapegrad

fmt::format_context::iterator fmt::formatter<tapegrad::Tensor>::format(
    const tapegrad::Tensor& tensor, fmt::format_context& context) const {
  const auto shown = tapegrad::values_or_reason(tensor);
  if (const auto* reason = std::get_if<std::string>(&shown))
    return std::copy(reason->begin(), reason->end(), context.out());
  return fmt::formatter<tapegrad::Array>::format(std::get<tapegrad::Array>(shown), context);
}
