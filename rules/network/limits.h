// Caps on what a rule file may ask of us. Reaching one is a diagnostic, never a crash and never
// silence.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::rules {

inline constexpr size_t kMaxFileBytes = size_t{1}
                                        << 30;      // a rule file larger than this is refused whole
inline constexpr size_t kMaxRuleBytes = 64 * 1024;  // one rule, continuation lines joined
inline constexpr size_t kMaxRulesPerFile = 2'000'000;  // further rules are not read
inline constexpr size_t kMaxOptionsPerRule = 1024;
inline constexpr size_t kMaxContentBytes = 8192;  // decoded bytes of one content
inline constexpr size_t kMaxSubOptions = 256;     // parts of one comma-separated value
inline constexpr int kMaxListDepth = 16;          // brackets within brackets
inline constexpr int kMaxVariableDepth = 16;      // variables that name variables
inline constexpr size_t kMaxListItems =
    100'000;  // address or port items of one list, variables resolved
inline constexpr size_t kMaxDiagnosticsPerFile = 1000;  // the rest is counted in one last line
inline constexpr uint32_t kMaxNearestNameBytes = 64;    // longer words have no nearest known name

}  // namespace vong::rules
