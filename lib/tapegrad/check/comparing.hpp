// Internal: compares numbers found by hand with the tape's, tensor by tensor in the order of the
// backward pass. compare_manual.cpp grades them, manual_mistakes.cpp finds what wrong ones look
// like.
#pragma once

#include <cmath>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tapegrad/check/compare_manual.hpp"
#include "tapegrad/check/hand_pass.hpp"
#include "tapegrad/check/subject.hpp"

namespace tapegrad {

class Comparing {
 public:
  Comparing(const Differentiated& y, std::span<const ManualNumbers> by_hand,
            const ManualOptions& options);
  ManualReport report();

 private:
  /// One tensor's numbers, as a gradient.
  struct Entry {
    Id id = 0;
    ManualKind kind = ManualKind::gradient;
    Shape shape = {};
    Array given = {};        // as they came
    Numbers right = {};      // in the tensor's order
    Numbers numbers = {};    // the same; none if there are too few or too many
    Numbers units = {};      // of their last digits
    Numbers tolerance = {};  // by how much right ones may be off
    Numbers before = {};     // given = before + scale * gradient
    double scale = 1;
    int digits = 0;
    bool transposed = false;  // rows and columns are exchanged in what was given

    /// The gradient as it would have been given.
    double as_given(double gradient, std::size_t i) const { return before[i] + scale * gradient; }
  };

  /// Adjoints to start from, and what comes of them. The last two are computed with those adjoints
  /// shifted by a unit of their last digits, up all, and up and down in turns.
  struct Base {
    HandPass::Held held = {};
    HandPass::Adjoints adjoints = {}, shifted[2] = {};

    /// How uncertain an adjoint is, because those it comes of were rounded.
    Numbers slack(Id id) const {
      Numbers result(adjoints[id].size());
      for (const HandPass::Adjoints& other : shifted)
        for (std::size_t i = 0; i < result.size() && !other.empty(); ++i)
          result[i] += std::abs(other[id][i] - adjoints[id][i]);
      return result;
    }
  };

  static Diagnosis found(Mistake mistake, std::string sentence, double ratio = 1) {
    return {.mistake = mistake, .sentence = std::move(sentence), .ratio = ratio};
  }

  // ---- grades

  Entry entry(const ManualNumbers& by_hand, std::size_t place, const Numbers& right, Site at);
  Base base(HandPass::Held held);
  std::vector<Id> sources(Id id) const;

  bool explained(const Entry& e, const Numbers& by, const Numbers& slack) const;
  double support(const Entry& e, const Numbers& against, const Numbers& slack) const;

  ManualStep judge(const Entry& e);
  std::vector<std::string> wrong_elements(const Entry& e) const;

  // ---- mistakes

  /// Agreement that chance gives once in a hundred times.
  static constexpr double least_support = 2;

  Diagnosis explain(const Entry& e, const Base& base);
  Diagnosis explain_shape(const Entry& e, const Base& base);
  Diagnosis simple(const Entry& e, const Base& base, bool likely);
  Diagnosis varied(const Entry& e, const Base& base);
  Diagnosis moved(const Entry& e, const Base& base);
  Diagnosis left_out(const Entry& e, const Base& base);
  Diagnosis twice_wrong(const Entry& e, const Base& base);
  std::string about_ratio(const Entry& e, double ratio) const;
  std::string axis_of(std::int64_t extent) const;

  ManualOptions options_;
  bool coarse_ = false;
  Subject subject_;
  HandPass pass_;
  std::vector<Variation> variations_;
  std::vector<Id> added_;
  std::vector<Entry> entries_;
  HandPass::Held given_;         // by the entries judged so far
  std::map<Id, Numbers> units_;  // of those
  std::set<Id> wrong_;           // among them
  std::string y_;
};

}  // namespace tapegrad
