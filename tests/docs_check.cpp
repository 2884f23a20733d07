// Documents say what the code and the programs say.
//
//   docs_check [--update] SOURCE_DIRECTORY BUILD_DIRECTORY
//
// reads README.md and docs/**.md. A comment on a line of its own says where the fenced block after
// it comes from:
//
//   <!-- code: examples/foo.cpp region -->   the lines between `// [region]` and `// [/region]` of
//   the
//                                            file, or all of it if no region is named
//   <!-- output: examples/expected/foo.txt 3-7 -->   the file, or these lines of it
//   <!-- generated: examples/foo --list -->   what the built program prints; everything up to the
//   line
//   <!-- /generated -->                       here, or the one fenced block that stands there
//
// A block of C++ or CMake without such a comment is an error, as is a link to a file or a heading
// of ours that is not there, and a formula within a line that is not written $`...`$.
// --update writes the blocks anew.
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

Lines split(std::istream&& text) {
  Lines lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

bool blank(const std::string& line) { return line.find_first_not_of(' ') == std::string::npos; }

Lines without_outer_blanks(Lines lines) {
  while (!lines.empty() && blank(lines.back())) lines.pop_back();
  lines.erase(lines.begin(), std::find_if_not(lines.begin(), lines.end(), blank));
  return lines;
}

Lines without_common_indentation(Lines lines) {
  std::size_t common = std::string::npos;
  for (const std::string& line : lines) common = std::min(common, line.find_first_not_of(' '));
  for (std::string& line : lines) line.erase(0, std::min(common, line.size()));
  return lines;
}

/// What the headings of a page can be linked by, as code-hosting sites make it of their words.
std::set<std::string> anchors_of(const fs::path& file) {
  std::set<std::string> anchors;
  bool code = false;
  for (const std::string& line : split(std::ifstream{file})) {
    if (line.starts_with("```")) code = !code;
    const std::size_t level = line.find_first_not_of('#');
    if (code || level == 0 || level == std::string::npos || line[level] != ' ') continue;
    std::string words;
    for (const char c : line.substr(level + 1)) {
      const auto byte = static_cast<unsigned char>(c);
      if (std::isalnum(byte) != 0 || byte >= 0x80 || c == '-' || c == '_')
        words += static_cast<char>(std::tolower(byte));
      else if (c == ' ')
        words += '-';
    }
    std::string anchor = words;
    for (int n = 1; !anchors.insert(anchor).second; ++n) anchor = words + '-' + std::to_string(n);
  }
  return anchors;
}

/// One Markdown file: its lines, checked or rewritten from the top to the bottom.
class Document {
 public:
  Document(fs::path file, fs::path source, fs::path build, bool update)
      : file_(std::move(file)),
        source_(std::move(source)),
        build_(std::move(build)),
        update_(update),
        lines_(split(std::ifstream{file_})) {}

  /// Prints complaints and returns their number.
  int check() {
    while (here_ < lines_.size()) {
      const std::size_t start = here_;
      try {
        if (!directive() && !fenced()) {
          links();
          formulas();
        }
      } catch (const std::exception& problem) {
        complain(start, problem.what());
      }
      if (here_ == start) copy();
    }
    if (update_ && written_ != lines_) {
      std::ofstream out{file_};
      for (const std::string& line : written_) out << line << '\n';
    }
    return complaints_;
  }

 private:
  void complain(std::size_t line, const std::string& what) {
    std::cerr << fs::relative(file_, source_).string() << ':' << line + 1 << ": " << what << '\n';
    ++complaints_;
  }

  void copy() { written_.push_back(lines_[here_++]); }

  // Lines from `here_` to `end` should be `wanted`.
  void compare(std::size_t end, const Lines& wanted, const std::string& from) {
    const auto begin = lines_.begin() + static_cast<std::ptrdiff_t>(here_);
    const Lines found{begin, lines_.begin() + static_cast<std::ptrdiff_t>(end)};
    if (found != wanted && !update_) {
      const auto at = static_cast<std::size_t>(
          std::mismatch(found.begin(), found.end(), wanted.begin(), wanted.end()).first -
          found.begin());
      const auto quote = [](const Lines& lines, std::size_t i) {
        return i < lines.size() ? "  " + lines[i] : std::string{"  (the end)"};
      };
      complain(here_ + at, "differs from " + from + "\n  here:  " + quote(found, at) +
                               "\n  there: " + quote(wanted, at));
    }
    written_.insert(written_.end(), wanted.begin(), wanted.end());
    here_ = end;
  }

  // The line of the fence that closes the one at `open`.
  std::size_t closing(std::size_t open) const {
    const std::size_t indent = lines_[open].find_first_not_of(' ');
    const std::size_t end = lines_[open].find_first_not_of(lines_[open][indent], indent);
    const std::string fence =
        lines_[open].substr(indent, end == std::string::npos ? end : end - indent);
    for (std::size_t i = open + 1; i < lines_.size(); ++i) {
      const std::size_t at = lines_[i].find_first_not_of(' ');
      if (at != std::string::npos && lines_[i].compare(at, fence.size(), fence) == 0 &&
          lines_[i].find_first_not_of(fence[0], at) == std::string::npos)
        return i;
    }
    throw std::runtime_error("the block is not closed");
  }

  bool at_fence() const {
    static const std::regex fence{" *(```|~~~).*"};
    return here_ < lines_.size() && std::regex_match(lines_[here_], fence);
  }

  // Reads a fenced block that no comment announces, if there is one.
  bool fenced() {
    if (!at_fence()) return false;
    static const std::regex code{" *[`~]+ *(cpp|c\\+\\+|cc|cxx|hpp|cmake)( .*)?",
                                 std::regex::icase};
    if (std::regex_match(lines_[here_], code))
      complain(here_, "a block of code that comes from no file");
    for (const std::size_t end = closing(here_); here_ <= end;) copy();
    return true;
  }

  // Reads a fenced block, whose content should be `wanted`.
  void fenced(Lines wanted, const std::string& from) {
    if (!at_fence()) throw std::runtime_error("no fenced block follows this comment");
    const std::size_t end = closing(here_);
    const std::string indentation(lines_[here_].find_first_not_of(' '), ' ');
    for (std::string& line : wanted)
      if (!line.empty()) line.insert(0, indentation);
    copy();
    compare(end, wanted, from);
    copy();
  }

  bool directive() {
    static const std::regex form{" *<!-- (code|output|generated): (\\S+)( (.*\\S))? -->\\s*"};
    static const std::regex like{" *<!-- *(/?generated|\\w+ *:).*"};
    std::smatch match;
    if (!std::regex_match(lines_[here_], match, form)) {
      if (std::regex_match(lines_[here_], like))
        complain(here_, "this comment is not understood: " + lines_[here_]);
      return false;
    }
    const std::string kind = match[1], from = match[2], rest = match[4];
    copy();
    if (kind == "generated") {
      generated(from, rest);
      return true;
    }
    const Lines wanted = kind == "code" ? code(from, rest) : output(from, rest);
    while (here_ < lines_.size() && blank(lines_[here_])) copy();
    fenced(wanted, rest.empty() ? from : from + ' ' + rest);
    return true;
  }

  Lines file(const std::string& name) const {
    std::ifstream in{source_ / name};
    if (!in) throw std::runtime_error("there is no file " + name);
    return split(std::move(in));
  }

  Lines code(const std::string& name, const std::string& region) const {
    static const std::regex marker{" *(//|#) \\[(/?)([\\w-]+)\\]"};
    Lines lines;
    bool inside = region.empty(), seen = inside;
    for (const std::string& line : file(name)) {
      std::smatch match;
      if (!std::regex_match(line, match, marker)) {
        if (inside) lines.push_back(line);
      } else if (match[3] == region) {
        inside = match[2].length() == 0;
        seen = true;
      }
    }
    if (!seen) throw std::runtime_error("there is no // [" + region + "] in " + name);
    if (inside && !region.empty())
      throw std::runtime_error("there is no // [/" + region + "] in " + name);
    return without_common_indentation(without_outer_blanks(std::move(lines)));
  }

  Lines output(const std::string& name, const std::string& range) const {
    const Lines lines = file(name);
    if (range.empty()) return lines;
    static const std::regex form{"(\\d+)-(\\d+)"};
    std::smatch match;
    if (!std::regex_match(range, match, form))
      throw std::runtime_error("lines are written first-last, not " + range);
    const std::size_t first = std::stoul(match[1]), last = std::stoul(match[2]);
    if (first < 1 || first > last || last > lines.size())
      throw std::runtime_error(name + " has " + std::to_string(lines.size()) + " lines, not " +
                               range);
    return {lines.begin() + static_cast<std::ptrdiff_t>(first) - 1,
            lines.begin() + static_cast<std::ptrdiff_t>(last)};
  }

  void generated(const std::string& program, const std::string& arguments) {
    static const std::regex end_mark{" *<!-- /generated -->\\s*"};
    std::size_t end = here_;
    while (end < lines_.size() && !std::regex_match(lines_[end], end_mark)) ++end;
    if (end == lines_.size())
      throw std::runtime_error("there is no <!-- /generated --> after this");
    const Lines wanted = without_outer_blanks(printed(program, arguments));

    const auto skip = [&] {
      while (here_ < end && blank(lines_[here_])) copy();
    };
    skip();
    std::size_t last = end;
    while (last > here_ && blank(lines_[last - 1])) --last;
    if (at_fence() && closing(here_) + 1 == last)
      fenced(wanted, program);
    else
      compare(last, wanted, program);
    skip();
    copy();
  }

  Lines printed(const std::string& program, const std::string& arguments) const {
    const std::string command = "'" + (build_ / program).string() + "' " + arguments;
    if (!fs::exists(build_ / program)) throw std::runtime_error("there is no program " + program);
    std::FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) throw std::runtime_error("cannot run " + command);
    std::string text;
    std::array<char, 4096> buffer;
    while (const std::size_t read = std::fread(buffer.data(), 1, buffer.size(), pipe))
      text.append(buffer.data(), read);
    if (const int status = pclose(pipe); status != 0)
      throw std::runtime_error("exit status " + std::to_string(WEXITSTATUS(status)) + ": " +
                               command);
    return split(std::istringstream{text});
  }

  // Relative links of the line lead to files of the project.
  void links() {
    static const std::regex code_span{"`[^`]*`"};
    static const std::regex link{"\\]\\(<?([^)\\s>]+)[^)]*\\)|^ {0,3}\\[[^\\]]+\\]: +(\\S+)"};
    static const std::regex elsewhere{"[a-z][a-z+.-]*:.*"};
    const std::string text = std::regex_replace(lines_[here_], code_span, "``");
    for (std::sregex_iterator i{text.begin(), text.end(), link}, none; i != none; ++i) {
      const std::string target = (*i)[1].matched ? (*i)[1] : (*i)[2];
      if (std::regex_match(target, elsewhere)) continue;
      const std::size_t hash = std::min(target.find('#'), target.size());
      const fs::path path = hash == 0 ? file_ : file_.parent_path() / target.substr(0, hash);
      if (!fs::exists(path) ||
          (hash < target.size() && !anchors_of(path).contains(target.substr(hash + 1))))
        complain(here_, "the link leads nowhere: " + target);
    }
  }

  // Formulas within the line stand in $`...`$: between dollars alone, Markdown takes underscores
  // for its own.
  void formulas() {
    static const std::regex code_span{"\\$?`[^`]*`\\$?"};
    const std::string text = std::regex_replace(lines_[here_], code_span, "");
    if (text.find('$') != std::string::npos) complain(here_, "a formula is written $`...`$");
  }

  fs::path file_, source_, build_;
  bool update_;
  Lines lines_, written_;
  std::size_t here_ = 0;
  int complaints_ = 0;
};

}  // namespace

int main(int count, char** words) {
  std::vector<std::string> arguments(words + 1, words + count);
  const bool update = !arguments.empty() && arguments.front() == "--update";
  if (update) arguments.erase(arguments.begin());
  if (arguments.size() != 2) {
    std::cerr << "usage: docs_check [--update] SOURCE_DIRECTORY BUILD_DIRECTORY\n";
    return 2;
  }
  const fs::path source = arguments[0], build = arguments[1];

  std::vector<fs::path> files;
  std::error_code none_there;
  for (const auto& entry : fs::recursive_directory_iterator{source / "docs", none_there})
    if (entry.path().extension() == ".md") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  files.insert(files.begin(), source / "README.md");

  int complaints = 0;
  for (const fs::path& file : files) {
    if (!fs::exists(file)) {
      std::cerr << "there is no " << file.string() << '\n';
      ++complaints;
      continue;
    }
    complaints += Document{file, source, build, update}.check();
  }
  if (complaints == 0) return 0;
  std::cerr << complaints << " complaints; blocks that differ can be written anew: cmake --build "
            << build.string() << " --target update\n";
  return 1;
}
