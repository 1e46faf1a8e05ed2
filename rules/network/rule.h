// The syntax tree of one rule of Suricata 8's language: what was written, not what it means.
// Keywords and protocols are names here; sensor/detect gives them meaning.
//
//   action[:scope] protocol[:hook] source source_port direction destination destination_port
//   (option; name:value; ...)
//
// Every string_view points into the RuleFile that parsed the rule and lives as long as it does.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "rules/network/diagnostic.h"
#include "rules/network/logical_lines.h"

namespace vong::rules {

enum class Action : uint8_t {
  kAlert,
  kPass,
  kDrop,
  kReject,  // the same as kRejectSrc, told apart because it was written so
  kRejectSrc,
  kRejectDst,
  kRejectBoth,
  kConfig,
  kAccept,  // firewall mode of Suricata 8
};

// How far an action reaches, written after it: "drop:flow".
enum class ActionScope : uint8_t { kDefault, kPacket, kFlow, kTx, kHook };

enum class Direction : uint8_t {
  kToDestination,  // ->
  kBoth,           // <>
  kTransaction,    // =>  one rule over request and response of a transaction
};

// The word as written in a rule: "alert", "rejectboth".
[[nodiscard]] std::string_view action_name(Action action);
[[nodiscard]] std::string_view direction_text(Direction direction);

struct Option {
  std::string_view
      name;  // as written, no spaces around it; keywords are compared without regard to case
  std::string_view
      value;  // as written after ':', no spaces around it, quotes and escapes untouched
  bool has_value = false;  // "flow:;" has an empty value, "nocase;" has none
};

struct Rule {
  Action action = Action::kAlert;
  ActionScope scope = ActionScope::kDefault;
  Direction direction = Direction::kToDestination;
  bool enabled = true;  // false: stood behind a '#' (only with ParseOptions::keep_disabled)
  uint32_t sid = 0;     // 0 never happens in a rule that parsed
  uint32_t gid = 1;
  uint32_t rev = 0;
  uint32_t file = 0;  // index that the caller gave to the file
  SourcePos pos;      // of the action's first letter

  std::string_view protocol;  // as written, without the hook: "http", "tcp-pkt", "pkthdr"
  std::string_view hook;      // "request_line" of "http1:request_line", else empty
  std::string_view src, src_port, dst, dst_port;  // "any", "$HOME_NET", "![80,443]" ... as written
  std::vector<Option> options;                    // in order
  std::string_view text;  // the whole rule, backslash line ends removed; what EVE shows as the rule

  // Place in the file of any view into this rule (an option's name, a part of a value); its first
  // byte counts.
  [[nodiscard]] SourcePos pos_of(std::string_view part) const { return pos_of(part.data()); }
  [[nodiscard]] SourcePos pos_of(const char* at) const {
    return place_in(text, pos, line_starts, at);
  }
  // The first option of this name (lower case), nullptr when there is none.
  [[nodiscard]] const Option* find(std::string_view name) const;

  std::span<const LineStart> line_starts;  // sorted by offset; empty: all on the line of `pos`
};

}  // namespace vong::rules
