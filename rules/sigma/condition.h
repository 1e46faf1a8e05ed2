// The condition line of a rule: and, or, not, parentheses, names, "1 of selection*", "all of them".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/sigma/rule.h"

namespace vong::sigma {

// A search identifier and the node that it stands for.
struct NamedNode {
  std::string name;
  uint32_t node;
};

// Adds the condition over `names` to `out` and gives its root; nothing after an error, which is in the diagnostics. `pos` is
// the place of the text's first character.
[[nodiscard]] std::optional<uint32_t> parse_condition(std::string_view text, SourcePos pos, const std::vector<NamedNode>& names,
                                                      Diagnostics& diagnostics, Expression& out);

}  // namespace vong::sigma
