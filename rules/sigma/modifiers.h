// The field line of a detection ("alert.signature|contains|all") and its values, to tests joined by
// and / or. Sigma specification, appendix of modifiers.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rules/sigma/rule.h"
#include "rules/yaml/yaml_tree.h"

namespace vong::sigma {

using yaml::YamlEntry;
using yaml::YamlNode;

// What %name% of the modifier expand stands for.
struct Placeholders {
  std::map<std::string, std::vector<std::string>, std::less<>> values;
  // Lists of indicators by name: too long to be written out, asked as a whole (TestOp::kList). A
  // name of both is the list's.
  std::vector<std::string> lists;
};

struct FieldContext {
  std::string_view service;  // for map_field
  const Placeholders* placeholders = nullptr;
  Diagnostics* diagnostics = nullptr;
};

// Adds the tests of one line to `out` and gives the node that joins them; nothing after an error,
// which is in the diagnostics. An empty field name ("|all" or a list without names) means the
// record's whole text.
[[nodiscard]] std::optional<uint32_t> add_field_tests(std::string_view field_and_modifiers,
                                                      SourcePos pos, const YamlNode& values,
                                                      const FieldContext& context, Expression& out);

// Joins nodes; one alone stays itself.
[[nodiscard]] uint32_t add_node(Expression& out, Expression::Kind kind,
                                std::vector<uint32_t> children);

}  // namespace vong::sigma
