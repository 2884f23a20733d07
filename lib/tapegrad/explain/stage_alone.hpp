// Internal: one stage of a derivation by itself, its inputs cut off from what computed them. What
// it does to numbers, forward and back, and what its kernels and rules make of symbols.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tapegrad/explain/stages.hpp"
#include "tapegrad/kernel/number.hpp"
#include "tapegrad/tape/tape.hpp"
#include "tapegrad/tape/transcript.hpp"
#include "tapegrad/tape/trial.hpp"

namespace tapegrad {

class StageAlone {
 public:
  StageAlone(const Stages& stages, const Stage& stage);

  const Stage& stage() const { return stage_; }
  /// The inputs through which derivatives flow.
  const std::vector<Id>& active() const { return active_; }
  /// Which of them an input is. Precondition: it is one.
  std::size_t place(Id input) const;

  /// Whether each element of the result depends on the same element of this active input, only.
  bool by_element(std::size_t active) const;
  /// Whether all its records are elementwise, so that one notation tells of each element.
  bool elementwise() const;
  /// For an elementwise stage: which element of an input belongs to one of the result.
  std::size_t element(Id input, std::size_t of_result) const;

  /// What it passes to the active inputs when the result has this adjoint.
  void run_back(std::span<const double> adjoint);
  std::span<const double> passed(std::size_t active) const;
  /// The same, to all inputs.
  std::vector<std::span<const double>> passed_to_all(std::span<const double> adjoint);
  /// How the result changes when an active input moves along a tangent. Nothing if the stage's
  /// rule cannot be differentiated, as that of external code.
  std::optional<std::span<const double>> run_forward(std::size_t active, std::size_t element);

  /// What an element of an input, or of the result, is in symbolic arithmetic.
  using SymbolOf = std::function<Number(Id, std::size_t)>;
  /// The result, of symbols. Empty if the stage cannot be computed with them.
  std::vector<Number> symbolic(const SymbolOf& symbol) const;
  /// What it passes to each active input, of symbols; the adjoint's are given.
  std::vector<std::vector<Number>> symbolic_back(const SymbolOf& symbol,
                                                 std::span<const Number> adjoint) const;

  /// The stage in one formula, or what it passes to an active input, in which its inputs and its
  /// result are called so.
  std::string formula(const std::function<std::string(Id)>& name, int digits) const;
  std::string rule(std::size_t active, const std::function<std::string(Id)>& name,
                   std::string_view adjoint, int digits) const;

 private:
  Id id(const Tensor& tensor) const;
  std::vector<Id> ids(std::span<const Tensor> tensors) const;
  Id copy(Id original) const { return id(transcript_->copy(original)); }
  void name_all(const std::function<std::string(Id)>& name) const;

  const Stages& stages_;
  const Stage& stage_;
  mutable Tape tape_{float64};
  std::optional<Transcript> transcript_;
  std::vector<Id> active_;
  Tensor seed_;
  std::vector<Tensor> shares_;
  std::vector<Tensor> tangents_;
  std::unique_ptr<Trial<double>> back_, back_to_all_;
  std::vector<Tensor> shares_of_all_;
  std::vector<std::unique_ptr<Trial<double>>> forward_;
  std::vector<Tensor> moved_;
};

}  // namespace tapegrad
