// Rules in one form: single spaces, a space behind each ';', one rule a line. What a rule means is
// never touched: the order of options and every value stay as they are.
#pragma once

#include <string>

#include "rules/network/rule.h"
#include "rules/network/rule_file.h"

namespace vong::rules_tools {

[[nodiscard]] std::string format_rule(const rules::Rule& rule);

// The whole file with its comments and empty lines. Rules that do not parse stay as they are. Line
// ends become "\n". The file should have been read with ParseOptions::keep_disabled, or
// commented-out rules stay as they are too.
[[nodiscard]] std::string format_file(const rules::RuleFile& file);

}  // namespace vong::rules_tools
