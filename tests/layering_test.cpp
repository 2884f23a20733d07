// Code looks one way: down. Reads the includes of lib/tapegrad and says who looks elsewhere.
#include <boost/test/tree/traverse.hpp>
#include <boost/test/tree/visitor.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
namespace ut = boost::unit_test;
const fs::path library = fs::path{TAPEGRAD_SOURCE_DIR} / "lib";

// Which floor a room is on. Rooms on one floor do not see each other.
const std::map<std::string, int> floors = {
    {"base", 0},  {"kernel", 1},  {"tape", 2},    {"ops", 3}, {"autodiff", 4},
    {"check", 5}, {"program", 6}, {"inspect", 6}, {"nn", 7},  {"explain", 7},
    {"optim", 8}, {"data", 8},    {"io", 8}};

// "tapegrad/tape/node.hpp" -> "tape"; the door and whatever else is in no room -> ""
std::string room_of(const std::string& file) {
  const std::size_t start = std::string{"tapegrad/"}.size(), end = file.find('/', start);
  return end == std::string::npos ? "" : file.substr(start, end - start);
}

// What is wrong with this line of this file (tapegrad/room/name), or nothing.
std::string complaint(const std::string& file, const std::string& line) {
  if (!line.starts_with("#include ")) return {};
  const std::size_t open = line.find_first_of("\"<"), close = line.find_last_of("\">");
  const std::string target = line.substr(open + 1, close - open - 1);
  if (!target.starts_with("tapegrad/"))
    return line[open] == '"' ? "write \"tapegrad/<room>/" + target + "\"" : "";
  if (target == "tapegrad/tapegrad.hpp") return "the door is for users";
  const std::string from = room_of(file), to = room_of(target);
  if (!floors.contains(to)) return "there is no room '" + to + "'";
  if (file == "tapegrad/tapegrad.hpp") return {};
  if (!floors.contains(from)) return "there is no room '" + from + "'";
  if (from == to || floors.at(from) > floors.at(to)) return {};
  const bool up = floors.at(from) < floors.at(to);
  return from + " must not look " + (up ? "up" : "sideways") + " to " + to;
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream in{file};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// All files of the library, as "tapegrad/room/name"
std::vector<std::string> files() {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator{library / "tapegrad"})
    if (entry.is_regular_file()) names.push_back(fs::relative(entry, library).generic_string());
  return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(layering)

BOOST_AUTO_TEST_CASE(every_file_includes_its_own_room_and_lower_ones_only) {
  for (const std::string& file : files()) {
    int number = 0;
    for (const std::string& line : lines_of(library / file)) {
      ++number;
      const std::string wrong = complaint(file, line);
      if (!wrong.empty()) BOOST_ERROR("lib/" << file << ":" << number << ": " << wrong);
    }
  }
}

BOOST_AUTO_TEST_CASE(looking_up_or_sideways_is_noticed) {
  const auto include = [](const std::string& file) { return "#include \"tapegrad/" + file + "\""; };
  BOOST_TEST(complaint("tapegrad/ops/x.hpp", include("ops/y.hpp")) == "");
  BOOST_TEST(complaint("tapegrad/ops/x.hpp", include("base/shape.hpp")) == "");
  BOOST_TEST(complaint("tapegrad/ops/x.hpp", "#include <vector>") == "");
  BOOST_TEST(complaint("tapegrad/tape/x.hpp", include("ops/y.hpp")) ==
             "tape must not look up to ops");
  BOOST_TEST(complaint("tapegrad/program/x.cpp", "#include <tapegrad/inspect/draw.hpp>") ==
             "program must not look sideways to inspect");
  BOOST_TEST(complaint("tapegrad/ops/x.hpp", "#include \"y.hpp\"") ==
             "write \"tapegrad/<room>/y.hpp\"");
  BOOST_TEST(complaint("tapegrad/optim/x.hpp", include("tapegrad.hpp")) == "the door is for users");
  BOOST_TEST(complaint("tapegrad/attic/x.hpp", include("base/shape.hpp")) ==
             "there is no room 'attic'");
}

BOOST_AUTO_TEST_CASE(the_door_includes_every_public_header) {
  std::set<std::string> behind_the_door;
  for (const std::string& line : lines_of(library / "tapegrad/tapegrad.hpp"))
    if (line.starts_with("#include \"")) behind_the_door.insert(line.substr(10, line.size() - 11));
  BOOST_TEST(!behind_the_door.empty());
  for (const std::string& file : files()) {
    if (!file.ends_with(".hpp") || file == "tapegrad/tapegrad.hpp") continue;
    const std::vector<std::string> lines = lines_of(library / file);
    const bool internal =
        room_of(file) == "kernel" || (!lines.empty() && lines.front().starts_with("// Internal:"));
    if (internal == behind_the_door.contains(file))
      BOOST_ERROR("lib/" << file
                         << (internal ? ":1: is internal, but tapegrad.hpp includes it"
                                      : ":1: is public, but tapegrad.hpp does not include it"));
  }
}

// ctest runs suites by the names of their files; a case outside them would never run.
BOOST_AUTO_TEST_CASE(every_suite_is_named_after_its_file) {
  struct : ut::test_tree_visitor {
    void visit(const ut::test_case& unit) override {
      const ut::test_unit* top = &unit;
      while (top->p_parent_id != ut::framework::master_test_suite().p_id)
        top = &ut::framework::get(top->p_parent_id, ut::TUT_SUITE);
      const std::string file{unit.p_file_name.begin(), unit.p_file_name.end()};
      BOOST_TEST(top->p_name.get() + "_test" == fs::path{file}.stem().string(),
                 file << ":" << unit.p_line_num << ": " << unit.full_name()
                      << " is not in the suite that has the name of the file");
    }
  } visitor;
  ut::traverse_test_tree(ut::framework::master_test_suite().p_id, visitor, true);
}

BOOST_AUTO_TEST_SUITE_END()
