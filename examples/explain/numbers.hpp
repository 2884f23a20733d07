// Numbers as a user of the command line gives them, and complaints that say where a wrong one
// stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

struct Row {
  std::vector<double> numbers;
  std::string where;  // "w.csv, line 3"
};

/// `0.05,0.1;0.2,0.3`, one row for each sample; or `@FILE`. `option` says whose value it is. Throws
/// std::runtime_error, as everything here.
std::vector<Row> numbers_given(const std::string& option, const std::string& value);

/// The lines of a CSV file but empty ones and those that begin with #.
std::vector<Row> numbers_of_file(const std::string& file);

/// `2,3,1`
std::vector<std::int64_t> whole_numbers(const std::string& option, const std::string& value);

/// `tanh,sigmoid`
std::vector<std::string> split(const std::string& text, char separator);

/// Throws unless the row holds `count` numbers, which `what` takes.
void require_count(const Row& row, std::size_t count, const std::string& what);

/// `1 number`, `2 numbers`
std::string counted(std::size_t count, const std::string& noun);
