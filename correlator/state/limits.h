// Caps of the correlator's state. What goes first when a cap is reached stands with each.
#pragma once

#include <cstddef>

namespace vong::state {

inline constexpr size_t kKeysPerRuleMax = 1'000'000;  // the key that was quiet longest goes
inline constexpr size_t kKeyBytesMax = 1024;          // a longer group key is replaced by its hash
inline constexpr size_t kCountMax =
    10'000;  // events remembered per key; a rule that needs more is refused
inline constexpr size_t kDistinctMax = 1'000;     // distinct values remembered per key; likewise
inline constexpr size_t kEvidencePerKeyMax = 16;  // event references per key; the oldest goes
inline constexpr size_t kStepsMax = 64;           // rules in one temporal correlation
inline constexpr size_t kOrderedStepsMax = 16;    // rules in one temporal_ordered correlation

}  // namespace vong::state
