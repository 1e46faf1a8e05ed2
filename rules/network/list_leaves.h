// Takes a bracketed list with negations and variables apart; addresses and ports read their items
// from it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/network/value.h"
#include "rules/network/variables.h"

namespace vong::rules {

struct ListLeaf {
  std::string_view text;  // one item without '!' and brackets, trimmed
  std::string_view at;    // what to point at in the rule: the item, or the variable that brought it
  std::string_view
      variable;  // the innermost variable it came from, empty when written in the rule itself
  bool negated = false;  // an odd number of '!' stands before it, on the item or around it
};

// All items of `text`, at least one. Suricata reads lists flat: what counts is whether an item is
// negated in the end, not where it stands. Errors: empty items and lists, unbalanced brackets,
// unknown variables and those that name themselves, the caps of limits.h. Views point into `text`
// and `group`.
[[nodiscard]] Parsed<std::vector<ListLeaf>> list_leaves(std::string_view text,
                                                        const Variables::Group& group);

// The error of one leaf, naming the variable it came from.
[[nodiscard]] ValueError leaf_error(const ListLeaf& leaf, std::string message);

}  // namespace vong::rules
