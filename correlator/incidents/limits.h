// Caps of the incidents in memory.
#pragma once

#include <cstddef>

namespace vong::incidents {

inline constexpr size_t kOpenMax = 1'000'000;  // the one without news longest is closed early
inline constexpr size_t kEvidenceMax = 64;   // references per incident: the first 63 and the latest
inline constexpr size_t kTimelineMax = 64;   // steps per incident: the first 63 and the latest
inline constexpr size_t kAgenciesMax = 256;  // per incident
inline constexpr size_t kSensorsMax = 256;   // per incident
inline constexpr size_t kSystemsMax = 64;    // per incident
inline constexpr size_t kRelatedMax = 256;   // incidents that one campaign names

}  // namespace vong::incidents
