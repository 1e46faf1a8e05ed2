#include "rules/network/rule.h"

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

const Option* Rule::find(std::string_view name) const {
  for (const Option& option : options) {
    if (equal_nocase(option.name, name)) return &option;
  }
  return nullptr;
}

}  // namespace vong::rules
