#include "numbers.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blank) + 1 - first);
}

template <class T>
bool parse(std::string_view text, T& number) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stopped == end;
}

Row row_of(const std::string& text, const std::string& where, std::string_view cell) {
  Row row{.numbers = {}, .where = where};
  for (const std::string& part : split(text, ',')) {
    double& number = row.numbers.emplace_back();
    if (!parse(part, number) || !std::isfinite(number))
      throw std::runtime_error(fmt::format("{}, {} {}: '{}' is not a number", where, cell,
                                           row.numbers.size(), trimmed(part)));
  }
  return row;
}

}  // namespace

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text)
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

std::vector<Row> numbers_given(const std::string& option, const std::string& value) {
  if (value.starts_with('@')) return numbers_of_file(value.substr(1));
  std::vector<Row> rows;
  for (const std::string& sample : split(value, ';'))
    rows.push_back(row_of(sample, fmt::format("{}, sample {}", option, rows.size() + 1), "number"));
  return rows;
}

std::vector<Row> numbers_of_file(const std::string& file) {
  const auto unreadable = [&](std::errc reason) {
    return std::runtime_error(
        fmt::format("cannot read {}: {}", file, std::make_error_code(reason).message()));
  };
  if (std::filesystem::is_directory(file)) throw unreadable(std::errc::is_a_directory);
  std::ifstream in(file);
  if (!in) throw unreadable(static_cast<std::errc>(errno));
  std::vector<Row> rows;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // spreadsheets begin with it
    if (number == 1 && line.starts_with(byte_order_mark)) line.erase(0, byte_order_mark.size());
    const std::string_view text = trimmed(line);
    if (text.empty() || text.starts_with('#')) continue;
    rows.push_back(row_of(line, fmt::format("{}, line {}", file, number), "column"));
  }
  if (rows.empty()) throw std::runtime_error(fmt::format("{} holds no numbers", file));
  return rows;
}

std::vector<std::int64_t> whole_numbers(const std::string& option, const std::string& value) {
  std::vector<std::int64_t> numbers;
  for (const std::string& part : split(value, ','))
    if (!parse(part, numbers.emplace_back()))
      throw std::runtime_error(fmt::format("{}: '{}' is not a whole number", option, part));
  return numbers;
}

void require_count(const Row& row, std::size_t count, const std::string& what) {
  if (row.numbers.size() == count) return;
  throw std::runtime_error(fmt::format("{}: {} takes {}, given {}", row.where, what,
                                       counted(count, "number"), row.numbers.size()));
}

std::string counted(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}
