// Caps on what a Sigma file may ask for. YAML from outside is hostile: alias bombs, deep nesting and endless lists end in a
// diagnostic, not in memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::sigma {

inline constexpr size_t kFileBytesMax = 4u << 20;
inline constexpr size_t kYamlDepthMax = 32;           // nested lists and maps
inline constexpr size_t kYamlNodesMax = 400'000;      // per file, copies made by aliases included
inline constexpr size_t kDocumentsMax = 20'000;       // rules in one file
inline constexpr size_t kValuesMax = 20'000;          // values in one list of a detection
inline constexpr size_t kTestsMax = 40'000;           // tests in one rule after its modifiers
inline constexpr size_t kConditionBytesMax = 16'384;  // text of one condition
inline constexpr size_t kConditionDepthMax = 64;      // parentheses and nots within each other
inline constexpr size_t kValueBytesMax = 16'384;      // one value
inline constexpr size_t kReferencesMax = 64;          // rules that one correlation refers to
inline constexpr size_t kGroupFieldsMax = 8;          // group-by fields of one correlation
inline constexpr int64_t kTimespanSecondsMax = 366 * 86'400;

}  // namespace vong::sigma
