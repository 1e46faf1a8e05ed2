// What a rule does as a number, so that a rule set that is loaded again tells which of its rules
// are still the same: equal content gives equal numbers, wherever the rule stands and however its
// file is laid out. What only people read (description, author, references, false positives,
// status) does not count; what stands in incidents (id, title, level, tags) does.
#pragma once

#include <cstdint>
#include <span>

#include "rules/sigma/rule.h"

namespace vong::sigma {

[[nodiscard]] uint64_t content_print(const DetectionRule& rule);
// `targets`: the prints of the rules that it refers to, in the order of CorrelationRule::targets. A
// correlation changes with what it builds on.
[[nodiscard]] uint64_t content_print(const CorrelationRule& rule,
                                     std::span<const uint64_t> targets);

}  // namespace vong::sigma
