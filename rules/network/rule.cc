#include "rules/network/rule.h"

#include <algorithm>
#include <cassert>

#include "rules/network/text.h"

namespace vong::rules {

std::string_view action_name(Action action) {
  switch (action) {
    case Action::kAlert:
      return "alert";
    case Action::kPass:
      return "pass";
    case Action::kDrop:
      return "drop";
    case Action::kReject:
      return "reject";
    case Action::kRejectSrc:
      return "rejectsrc";
    case Action::kRejectDst:
      return "rejectdst";
    case Action::kRejectBoth:
      return "rejectboth";
    case Action::kConfig:
      return "config";
    case Action::kAccept:
      return "accept";
  }
  return "alert";
}

std::string_view direction_text(Direction direction) {
  switch (direction) {
    case Direction::kToDestination:
      return "->";
    case Direction::kBoth:
      return "<>";
    case Direction::kTransaction:
      return "=>";
  }
  return "->";
}

SourcePos Rule::pos_of(const char* at) const {
  if (at < text.data() || at > text.data() + text.size()) return pos;  // not a part of this rule
  const size_t offset = static_cast<size_t>(at - text.data());
  size_t start_offset = 0;
  SourcePos start = pos;
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

const Option* Rule::find(std::string_view name) const {
  for (const Option& option : options) {
    if (equal_nocase(option.name, name)) return &option;
  }
  return nullptr;
}

}  // namespace vong::rules
