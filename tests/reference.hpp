// Reads the data that other libraries computed: see data/reference.py for the form.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tapegrad/base/array.hpp"

struct ReferenceCase {
  std::string name;
  std::map<std::string, tapegrad::Array> arrays;

  bool has(const std::string& key) const { return arrays.count(key) != 0; }
  const tapegrad::Array& operator[](const std::string& key) const {
    const auto found = arrays.find(key);
    if (found == arrays.end()) throw std::runtime_error("case " + name + " has no " + key);
    return found->second;
  }
};

/// The cases of tests/data/FILE, in order.
inline std::vector<ReferenceCase> reference_cases(const std::string& file) {
  std::ifstream in(TAPEGRAD_TEST_DATA "/" + file);
  if (!in) throw std::runtime_error("cannot read " + file);
  std::vector<ReferenceCase> cases;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string key, word;
    words >> key >> word;
    if (key == "case") {
      cases.push_back({word, {}});
      continue;
    }
    std::vector<std::int64_t> extents;
    std::istringstream shape(word == "-" ? "" : word);
    for (std::string extent; std::getline(shape, extent, 'x');)
      extents.push_back(std::stoll(extent));
    std::vector<double> values;
    while (words >> word) values.push_back(std::stod(word));  // also inf and nan
    cases.back().arrays.emplace(key, tapegrad::Array(tapegrad::Shape(extents), values));
  }
  if (cases.empty()) throw std::runtime_error(file + " holds no cases");
  return cases;
}

/// The largest |a - b| / max(1, |b|); infinity if shapes, NaNs or infinities differ.
inline double distance(const tapegrad::Array& a, const tapegrad::Array& b) {
  if (a.shape() != b.shape()) return INFINITY;
  const std::vector<double> x = a.values(), y = b.values();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    const double error = std::abs(x[i] - y[i]) / std::max(1.0, std::abs(y[i]));
    worst = error <= worst ? worst : std::isnan(error) ? INFINITY : error;
  }
  return worst;
}
