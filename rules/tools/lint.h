// What is wrong with rule files, told before a sensor has to: syntax, unknown words, values that
// mean nothing, sids that are used twice; on request also what makes a rule slow.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "rules/network/address_set.h"
#include "rules/network/class_config.h"
#include "rules/network/diagnostic.h"
#include "rules/network/rule_file.h"

namespace vong::rules_tools {

struct LintContext {
  rules::Variables variables = rules::Variables::defaults();
  const rules::ClassificationConfig* classes = nullptr;  // null: classtypes are not checked
  const rules::ReferenceConfig* references = nullptr;    // null: reference systems are not checked
  bool cost = false;                                     // also warn of slow rules
  // Words and protocols, in lower case, that the sensor knows beside those of the vocabulary; null: none.
  const std::set<std::string, std::less<>>* known = nullptr;
};

struct LintReport {
  std::vector<rules::Diagnostic> problems;  // by file in the order given, then by place
  uint64_t rules = 0;                       // that parsed
  uint64_t errors = 0;
  uint64_t warnings = 0;
  uint64_t not_shown = 0;  // over the cap on problems of a file
};

[[nodiscard]] LintReport lint(const std::vector<std::unique_ptr<rules::RuleFile>>& files,
                              const LintContext& context);

// One line each: "file:line:column: error: text (sid N)", or one JSON object.
[[nodiscard]] std::string problems_as_text(const LintReport& report);
[[nodiscard]] std::string problems_as_json(const LintReport& report);

}  // namespace vong::rules_tools
