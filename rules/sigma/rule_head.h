// The keys that detection and correlation rules share: title, id, level, tags, and our own under
// "vong:".
#pragma once

#include <span>
#include <string_view>

#include "rules/sigma/rule.h"
#include "rules/yaml/yaml_tree.h"

namespace vong::sigma {

using yaml::YamlEntry;
using yaml::YamlNode;

// False after an error. Unknown top-level keys are custom attributes in Sigma and pass; a slip of a
// known one is warned about.
[[nodiscard]] bool parse_head(const YamlNode& document, Diagnostics& diagnostics, RuleHead& out);

// Helpers of all parsers of this room: a scalar's text, a list's or a scalar's texts; false after
// an error.
[[nodiscard]] bool read_text(const YamlNode& node, std::string_view what, Diagnostics& diagnostics,
                             std::string& out);
[[nodiscard]] bool read_texts(const YamlNode& node, std::string_view what, Diagnostics& diagnostics,
                              std::vector<std::string>& out);
[[nodiscard]] bool check_keys(const YamlNode& map, std::span<const std::string_view> known,
                              std::string_view what, Diagnostics& diagnostics);

}  // namespace vong::sigma
