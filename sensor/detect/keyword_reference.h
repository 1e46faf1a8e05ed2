// What --list-keywords prints and docs/rules/keywords.md holds: generated from the keyword table, the transforms and the protocols'
// tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sensor/detect/buffer_catalog.h"

namespace vong::detect {

[[nodiscard]] size_t keyword_count(const Catalog& catalog = Catalog::standard());
// One a line: "- name".
[[nodiscard]] std::string keyword_list(const Catalog& catalog = Catalog::standard());
// "name;what it does;value" a line, of all keywords or of `only`; nothing when there is no such keyword.
[[nodiscard]] std::string keyword_table(std::string_view only, const Catalog& catalog = Catalog::standard());
// What a rule may name as its protocol.
[[nodiscard]] std::vector<std::string_view> rule_protocols(const Catalog& catalog = Catalog::standard());
// The whole page.
[[nodiscard]] std::string keyword_reference_markdown(const Catalog& catalog = Catalog::standard());

}  // namespace vong::detect
