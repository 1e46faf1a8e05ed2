// What the engine makes of each rule, as text for its author: --engine-analysis.
#pragma once

#include <string>

#include "sensor/detect/rule_set.h"

namespace vong::detect {

// rules_analysis.txt: when a rule is asked, what it looks into, what it is searched for by, and what makes it costly. Rules in the order of the files,
// the tenants' behind the main file's.
[[nodiscard]] std::string rule_analysis(const RuleSet& rules);

// rules_fast_pattern.txt: the content by which each rule is searched for.
[[nodiscard]] std::string fast_pattern_analysis(const RuleSet& rules);

}  // namespace vong::detect
