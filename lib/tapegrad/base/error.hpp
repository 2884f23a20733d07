// The one exception type. It carries what went wrong as fields; its text is composed from them in
// one place, so that no op types its own name and every message has the same form.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "tapegrad/base/shape.hpp"
#include "tapegrad/base/site.hpp"

namespace tapegrad {

/// A mistake in the user's program, or a bad file. After it the object it concerns is as before.
class Error : public std::exception {
 public:
  /// One tensor that took part.
  struct Operand {
    std::string role;   // "left", "index"; may be empty
    std::string label;  // "%3 first.weight"
    Shape shape;
    Site site;
  };

  /// `text` says what is wrong; `op` is the op or function that refuses, and may be empty.
  explicit Error(std::string op, std::string text, Site at = {}, std::string hint = {});
  Error(std::string op, std::string text, std::vector<Operand> operands, Site at, std::string hint);

  const char* what() const noexcept override { return what_.c_str(); }

  const std::string& op() const { return op_; }
  const std::string& text() const { return text_; }
  const std::string& hint() const { return hint_; }
  const std::vector<Operand>& operands() const { return operands_; }
  /// The user's line at which the call failed; empty if unknown.
  const Site& site() const { return at_; }

 private:
  void compose();

  std::string op_, text_, hint_;
  std::vector<Operand> operands_;
  Site at_;
  std::string what_;
};

}  // namespace tapegrad
