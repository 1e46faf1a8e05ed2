#include "rules/network/logical_lines.h"

#include <algorithm>

#include "rules/network/limits.h"
#include "rules/network/text.h"

namespace vong::rules {

SourcePos place_in(std::string_view text, SourcePos begin, std::span<const LineStart> line_starts,
                   const char* at) {
  if (at < text.data() || at > text.data() + text.size()) return begin;  // not a part of this line
  const size_t offset = static_cast<size_t>(at - text.data());
  size_t start_offset = 0;
  SourcePos start = begin;
  const auto after =
      std::upper_bound(line_starts.begin(), line_starts.end(), offset,
                       [](size_t value, const LineStart& line) { return value < line.offset; });
  if (after != line_starts.begin()) {
    start_offset = std::prev(after)->offset;
    start = std::prev(after)->pos;
  }
  const size_t columns = count_characters(text.substr(start_offset, offset - start_offset));
  return {start.line, static_cast<uint32_t>(start.column + columns)};
}

LogicalLineReader::LogicalLineReader(std::string_view text, JoinedLines& joined, bool with_comments)
    : rest_(text), joined_(joined), with_comments_(with_comments) {
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
}

std::string_view LogicalLineReader::physical_line() {
  ++line_;
  const size_t end = rest_.find('\n');
  const std::string_view line = rest_.substr(0, end);
  rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
  return line;
}

std::optional<LogicalLine> LogicalLineReader::next() {
  while (!rest_.empty()) {
    const std::string_view line = physical_line();
    std::string_view text = trim(line);
    if (text.empty() || text.front() == ';') continue;
    const bool is_comment = text.front() == '#';
    if (is_comment && !with_comments_) continue;
    if (is_comment)
      text = trim_left(text.substr(std::min(text.find_first_not_of('#'), text.size())));
    const std::string_view indent(line.data(), static_cast<size_t>(text.data() - line.data()));
    const SourcePos pos{line_, static_cast<uint32_t>(count_characters(indent) + 1)};
    if (!is_comment && text.back() == '\\') return join(text, pos);
    return LogicalLine{text, pos, {}, is_comment};
  }
  return {};
}

LogicalLine LogicalLineReader::join(std::string_view first, SourcePos pos) {
  std::string& whole = joined_.texts.emplace_back(first.substr(0, first.size() - 1));
  auto& starts = joined_.starts.emplace_back();
  bool more = true;
  while (more && !rest_.empty()) {
    const std::string_view line = trim_right(physical_line());
    more = line.ends_with('\\');
    if (whole.size() > kMaxRuleBytes) continue;
    starts.push_back({static_cast<uint32_t>(whole.size()), {line_, 1}});
    whole += line.substr(0, line.size() - (more ? 1 : 0));
  }
  whole.resize(trim_right(whole).size());
  return {whole, pos, starts, false, more};
}

}  // namespace vong::rules
