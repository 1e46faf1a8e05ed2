// One YAML document to a rule. Everything that is wrong with it is a diagnostic; a rule with an
// error is not returned.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/sigma/modifiers.h"
#include "rules/sigma/rule.h"
#include "rules/yaml/yaml_tree.h"

namespace vong::sigma {

using yaml::YamlEntry;
using yaml::YamlNode;

[[nodiscard]] bool is_correlation(const YamlNode& document);
[[nodiscard]] std::optional<DetectionRule> parse_detection(const YamlNode& document,
                                                           const Placeholders& placeholders,
                                                           Diagnostics& diagnostics);
[[nodiscard]] std::optional<CorrelationRule> parse_correlation(const YamlNode& document,
                                                               Diagnostics& diagnostics);

// Sigma's filters: a condition that is joined to other people's rules, to keep their false positives
// away without editing them.
struct FilterRule {
  RuleHead head;
  std::string category, product, service;
  std::vector<std::pair<std::string, SourcePos>> rules;  // names or ids; empty: any
  YamlNode block;  // parsed anew for each rule, whose logsource decides what a field is called
};
[[nodiscard]] bool is_filter(const YamlNode& document);
[[nodiscard]] std::optional<FilterRule> parse_filter(const YamlNode& document,
                                                     const Placeholders& placeholders,
                                                     Diagnostics& diagnostics);
[[nodiscard]] bool covers(const FilterRule& filter, const DetectionRule& rule);  // by its logsource
void apply_filter(const FilterRule& filter, const Placeholders& placeholders, DetectionRule& rule);

// "30s", "5m", "1h", "7d", "2w", "1M" (30 days), "1y" (365 days).
[[nodiscard]] std::optional<Duration> parse_timespan(std::string_view text);

}  // namespace vong::sigma
