// One YAML document to a rule. Everything that is wrong with it is a diagnostic; a rule with an
// error is not returned.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

// "30s", "5m", "1h", "7d", "2w", "1M" (30 days), "1y" (365 days).
[[nodiscard]] std::optional<Duration> parse_timespan(std::string_view text);

}  // namespace vong::sigma
