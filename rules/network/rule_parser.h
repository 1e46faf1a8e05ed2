// Text of one rule to its syntax tree. No I/O; used by RuleFile, and directly by tools that hold a
// single rule.
#pragma once

#include <string_view>

#include "rules/network/diagnostic.h"
#include "rules/network/rule.h"

namespace vong::rules {

// `rule.text`, `rule.pos` and `rule.line_starts` are set by the caller; the rest is filled in.
// Problems go to `diagnostics`; false when there was an error and the rule must not be used.
[[nodiscard]] bool parse_rule(Rule& rule, Diagnostics& diagnostics);

}  // namespace vong::rules
