// The user's struct in a derivative: its parameters as a list, and a struct of answers to them.
#pragma once

#include <concepts>
#include <span>
#include <string_view>
#include <vector>

#include "tapegrad/tape/fields.hpp"
#include "tapegrad/tape/names.hpp"
#include "tapegrad/tape/recording.hpp"
#include "tapegrad/tape/tensor.hpp"

namespace tapegrad {

/// A struct that is differentiated by, and not one tensor.
template <class T>
concept ParameterStruct = !std::same_as<T, Tensor>;

/// The parameters of a struct in order of declaration, named if they were not. If it is left by an
/// exception, what was recorded meanwhile is forgotten. Throws Error for a struct without
/// parameters, and for a field that holds a computed tensor.
class StructParameters {
 public:
  template <ParameterStruct Struct>
  StructParameters(const Tensor& y, std::string_view doing, Site at, const Struct& net)
      : StructParameters(y, doing, at) {
    name_fields(net);
    visit_tensors(net, [&](const Tensor& field) { collect(field); });
    require_some();
  }
  /// With a struct of directions: a tensor of the same shape for each parameter.
  template <ParameterStruct Struct>
  StructParameters(const Tensor& y, std::string_view doing, Site at, const Struct& net,
                   const Struct& directions)
      : StructParameters(y, doing, at) {
    name_fields(net);
    visit_pairs(
        net, directions,
        [&](const Tensor& field, const Tensor& direction) {
          if (collect(field)) point(field, direction);
        },
        at);
    require_some();
  }

  std::span<const Tensor> parameters() const { return recording_.sweep().collected; }
  std::span<const Arg> directions() const { return directions_; }
  /// Where the answers go, one for each parameter.
  std::span<Tensor> answers() { return recording_.sweep().answered; }
  /// The same struct with the answers in the places of the parameters; other leaves become
  /// undefined tensors.
  template <class Struct>
  Struct answered(const Struct& net) {
    Struct result = net;
    visit_pairs(result, net, [&](Tensor& answer, const Tensor& field) { place(answer, field); });
    return result;
  }

 private:
  StructParameters(const Tensor& y, std::string_view doing, Site at);
  /// Whether the field is a parameter.
  bool collect(const Tensor& field);
  void point(const Tensor& field, const Tensor& direction);
  void require_some();
  void place(Tensor& answer, const Tensor& field);

  Recording& recording_;
  std::string_view doing_;
  Site at_;
  Rollback rollback_;
  std::vector<Arg> directions_;
  std::size_t next_ = 0;
};

}  // namespace tapegrad
