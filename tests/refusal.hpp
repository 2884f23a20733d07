// What tests ask of errors: that something is refused, and with which words.
#pragma once

#include <boost/test/tools/assertion_result.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "tapegrad/base/error.hpp"

/// The text of the Error that a call must throw.
inline std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const tapegrad::Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// For BOOST_TEST: whether the call throws an Error with this part in its text, shown if not.
inline boost::test_tools::assertion_result says(const std::function<void()>& call,
                                                std::string_view part) {
  const std::string text = refusal(call);
  boost::test_tools::assertion_result result(has(text, part));
  result.message() << "'" << part << "' is not in: " << text;
  return result;
}

/// The text of the line of this call.
inline std::string line(tapegrad::Site at = tapegrad::Site::here()) { return tapegrad::text(at); }
