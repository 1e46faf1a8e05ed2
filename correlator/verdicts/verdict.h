// One analyst's word on one incident: the record of the topic vong.verdicts.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/timestamp.h"

namespace vong::verdicts {

struct Verdict {
  std::string incident_id;
  bool true_positive = false;
  Timestamp time{};    // when it was said
  std::string agency;  // who says it; empty: the national centre
};

// {"incident_id", "verdict": "true_positive" or "false_positive", "timestamp", "agency", "analyst",
// "note"}; the first three are needed, the last two are for people. The error is a phrase for the
// dead letter.
[[nodiscard]] Result<Verdict> read_verdict(std::string_view json);

}  // namespace vong::verdicts
