#include "telemetry/ledger/reasons.h"

#include <array>

namespace vong::ledger {
namespace {

constexpr std::array<std::string_view, kHops> kHopNames = {
    "interface", "kernel", "ring", "decode", "flow", "match", "emit", "file", "spool", "kafka"};

struct Row {
  std::string_view name;
  Kind kind;
};
constexpr std::array<Row, kReasons> kRows = {{
    {"inner", Kind::kAdded},
    {"backlog", Kind::kAdded},
    {"own", Kind::kAdded},
    {"canary", Kind::kAdded},
    {"interface_full", Kind::kDropped},
    {"ring_full", Kind::kDropped},
    {"shutdown", Kind::kDropped},
    {"shed", Kind::kDropped},
    {"full", Kind::kDropped},
    {"too_large", Kind::kDropped},
    {"disk_error", Kind::kDropped},
    {"rejected", Kind::kDropped},
    {"damaged", Kind::kDropped},
    {"closed", Kind::kDropped},
    {"outgoing_copy", Kind::kNotInspected},
    {"invalid_header", Kind::kNotInspected},
    {"bypass", Kind::kNotInspected},
    {"memory_cap", Kind::kNotInspected},
    {"stream_depth", Kind::kNotInspected},
    {"segment_limit", Kind::kNotInspected},
    {"bad_checksum", Kind::kNotInspected},
    {"out_of_state", Kind::kNotInspected},
    {"no_session", Kind::kNotInspected},
    {"overload", Kind::kNotInspected},
    {"snap_length", Kind::kNotInspected},
    {"policy", Kind::kNotInspected},
    {"pass_rule", Kind::kNotInspected},
    {"encrypted", Kind::kNotInspected},
    {"match_limit", Kind::kNotInspected},
    {"no_rules", Kind::kNotInspected},
}};
static_assert(static_cast<std::size_t>(Reason::kNoRules) + 1 == kReasons);
static_assert(static_cast<std::size_t>(Hop::kKafka) + 1 == kHops);

}  // namespace

std::string_view name_of(Hop hop) { return kHopNames[static_cast<std::size_t>(hop)]; }
std::string_view name_of(Reason reason) { return kRows[static_cast<std::size_t>(reason)].name; }
Kind kind_of(Reason reason) { return kRows[static_cast<std::size_t>(reason)].kind; }

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kAdded:
      return "added";
    case Kind::kDropped:
      return "dropped";
    case Kind::kNotInspected:
      return "not_inspected";
  }
  return "";
}

std::optional<Hop> hop_by_name(std::string_view name) {
  for (std::size_t i = 0; i < kHops; ++i) {
    if (kHopNames[i] == name) return static_cast<Hop>(i);
  }
  return std::nullopt;
}

std::optional<Reason> reason_by_name(std::string_view name) {
  for (std::size_t i = 0; i < kReasons; ++i) {
    if (kRows[i].name == name) return static_cast<Reason>(i);
  }
  return std::nullopt;
}

}  // namespace vong::ledger
