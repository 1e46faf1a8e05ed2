// Caps on what a Sigma rule may ask for; the caps on YAML itself are in rules/yaml.

#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::sigma {

inline constexpr size_t kValuesMax = 20'000;          // values in one list of a detection
inline constexpr size_t kTestsMax = 40'000;           // tests in one rule after its modifiers
inline constexpr size_t kConditionBytesMax = 16'384;  // text of one condition
inline constexpr size_t kConditionDepthMax = 64;      // parentheses and nots within each other
inline constexpr size_t kValueBytesMax = 16'384;      // one value
inline constexpr size_t kReferencesMax = 64;          // rules that one correlation refers to
inline constexpr size_t kGroupFieldsMax = 8;          // group-by fields of one correlation
inline constexpr int64_t kTimespanSecondsMax = 366 * 86'400;

}  // namespace vong::sigma
