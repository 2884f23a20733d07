// Internal: writes a derivation, section by section: the parts that all sections are made of, and
// what is known before the first of them is written.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tapegrad/explain/explain.hpp"
#include "tapegrad/explain/paths.hpp"
#include "tapegrad/explain/stage_alone.hpp"
#include "tapegrad/explain/stages.hpp"
#include "tapegrad/kernel/symbols.hpp"

namespace tapegrad {

class Explainer {
 public:
  /// Throws Error as explain() does.
  Explainer(const Tensor& y, std::span<const Tensor> x, const ExplainOptions& options, Site at);

  Derivation of_element(const Index& index);
  Derivation of_all();

 private:
  using Kind = Quantity::Kind;
  using Section = Derivation::Section;

  // ---- parts of formulas

  std::string name(Id id) { return d_.quantity({Kind::value, stages_.name(id)}); }
  std::string name(Id id, std::size_t e) { return d_.quantity({Kind::value, stages_.name(id, e)}); }
  std::string delta(const std::string& of) { return d_.quantity({Kind::delta, of}); }
  std::string derivative(const std::string& by) {
    return derivative(stages_.name(stages_.y()), by);
  }
  std::string derivative(const std::string& of, const std::string& by) {
    return d_.quantity({Kind::derivative, by, of});
  }
  std::string number(double value) const;
  /// The same, as a factor: with brackets if it is negative.
  std::string factor(double value) const;
  /// The number that is printed for it.
  double printed(double value) const;
  /// A result, and whether the rounded numbers that stand in front of it give another one.
  Side result(double by_printed, double value);

  /// What the symbols of one formula stand for: numbered in the order in which terms shall stand.
  struct Symbols {
    struct Meaning {
      Id id;
      std::size_t element;
      bool delta;
    };
    std::vector<Meaning> meanings;
    Number make(const Meaning& meaning, double value) {
      meanings.push_back(meaning);
      return symbol(static_cast<std::uint32_t>(meanings.size() - 1), value);
    }
  };
  std::string meaning(const Symbols::Meaning& m);
  /// All elements of a stage's inputs and result as symbols.
  StageAlone::SymbolOf all_in(Symbols& symbols) const;
  /// Continues an equation: with symbols, with numbers, and the value.
  void append(Equation& equation, const Number& x, double value, const Symbols& symbols,
              std::string notation = {});
  std::string over_an_index(const Number& x, const Symbols& symbols);
  std::size_t length(const std::string& formula) const;
  /// The values of a tensor as a block of numbers, shortened around what is marked; nothing if it
  /// has more than two axes.
  void append_values(Equation& equation, const Shape& shape, std::span<const double> values,
                     std::optional<std::size_t> marked = {}) const;

  // ---- parts of sections

  Section& section(std::string_view name, std::string_view title) {
    return d_.sections.emplace_back(Section{std::string(name), std::string(title)});
  }
  template <class... A>
  static std::string filled(std::string_view words, const A&... a) {
    return fmt::format(fmt::runtime(words), a...);
  }
  template <class... A>
  static void say(Section& section, std::string_view words, const A&... a) {
    section.lines.emplace_back(Sentence{filled(words, a...)});
  }
  /// Of many rows, the first and the last are shown.
  struct Rows {
    static constexpr std::size_t most = 24;
    std::size_t count, done = 0;

    /// Whether the next one is shown; the first that is not tells how many are not.
    template <class F>
    bool next(const F& tell) {
      const std::size_t i = done++;
      const bool shown = count <= most || i < most / 2 || i >= count - most / 2;
      if (!shown && i == most / 2) tell(count - most);
      return shown;
    }
  };
  /// Valid until the next one is asked for.
  StageAlone& alone(const Stage& stage);
  std::function<std::string(Id)> names() {
    return [this](Id id) { return name(id); };
  }
  bool asked(Id id) const;
  /// Whether there is more than single numbers.
  bool tensors() const;
  /// Whether the stage of a result is written out; if not, says so, once in each gap.
  bool written(Id result, Section& section, bool& in_gap) const;

  // ---- the sections

  void network(const std::string& question);

  void forward();
  void forward_in_matrices();
  std::vector<Number> symbolic(const Stage& stage, const std::vector<std::size_t>& elements,
                               Symbols& symbols);

  void locals();
  void paths();
  void path(Section& section, const Paths::Path& path);
  void merged();
  Number sum_over_readers(std::uint32_t point, Symbols& symbols);

  void matrices();

  void update();
  void update_of_all();
  /// What is added to each element of some tensors.
  using Moves = std::vector<std::pair<Id, std::vector<double>>>;
  struct Descent {
    Moves moves = {};
    double predicted = 0;   // the change of y, to first order
    std::size_t count = 0;  // elements
  };
  Descent descent(std::span<const Id> ids) const;
  /// The value of y when tensors are moved.
  double moved(const Moves& moves) const;
  Table changes();
  void add_change(Table& table, std::string what, double predicted, double actual) const;

  void check();
  void check_of_all();
  /// The slope of y along a direction of a tensor, or why it cannot be told.
  struct Measured {
    std::optional<double> value = {};
    std::string reason = {};
  };
  Measured by_differences(Id id, const std::vector<double>& direction, double claimed) const;
  Measured by_forward_mode(Id id, const std::vector<double>& direction) const;

  // ---- what is written out

  void choose_shown();
  void choose_written();
  bool shown(Id id, std::size_t element) const;

  const ExplainOptions& options_;
  const Words& words_;
  Site at_;
  Stages stages_;
  Derivation d_;
  std::unordered_map<Id, std::unique_ptr<StageAlone>> alone_;
  std::set<Id> unwritten_;  // stages in the middle of a long chain

  // Of one element.
  Id x_ = 0;
  std::size_t element_ = 0;
  std::optional<Paths> paths_;
  std::vector<std::uint32_t> shown_;                 // points that are written out, ascending
  std::map<Id, std::vector<std::size_t>> elements_;  // the same, of each tensor
  std::string sample_note_;
};

}  // namespace tapegrad
