// Cuts a rule or configuration file into logical lines: a line that ends in a backslash goes on in
// the next one, comments
// ('#', ';') and empty lines are passed over, a byte order mark and carriage returns are not text.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/network/diagnostic.h"

namespace vong::rules {

// One line break inside a logical line: from `offset` on, the text stands at `pos`.
struct LineStart {
  uint32_t offset = 0;
  SourcePos pos;
};

// Place in the file of `at`, which points into `text`, a text that begins at `begin`.
[[nodiscard]] SourcePos place_in(std::string_view text, SourcePos begin,
                                 std::span<const LineStart> line_starts, const char* at);

struct LogicalLine {
  std::string_view text;  // no spaces around, backslash line ends removed
  SourcePos pos;          // of the first character
  std::span<const LineStart> line_starts;
  bool is_comment = false;  // text is what follows the '#' (only when comments are asked for)
  bool cut_by_end = false;  // the file ends in a line that says it is continued

  [[nodiscard]] SourcePos pos_of(std::string_view part) const {
    return place_in(text, pos, line_starts, part.data());
  }
};

// Where continued lines are put together; owns that text.
struct JoinedLines {
  std::deque<std::string> texts;
  std::deque<std::vector<LineStart>> starts;
};

class LogicalLineReader {
 public:
  // `text` and `joined` must outlive every line that is handed out.
  LogicalLineReader(std::string_view text, JoinedLines& joined, bool with_comments = false);

  // The next line, nothing at the end of the file. A continued line is cut at a little over
  // kMaxRuleBytes.
  [[nodiscard]] std::optional<LogicalLine> next();

 private:
  std::string_view physical_line();
  LogicalLine join(std::string_view first, SourcePos pos);

  std::string_view rest_;
  JoinedLines& joined_;
  bool with_comments_;
  uint32_t line_ = 0;
};

}  // namespace vong::rules
