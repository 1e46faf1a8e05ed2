// Caps of what is remembered of verdicts. At each the oldest goes.
#pragma once

#include <cstddef>

namespace vong::verdicts {

inline constexpr size_t kIncidentsMax = 500'000;  // incidents that a verdict can still name
inline constexpr size_t kCountsMax =
    200'000;  // pairs of rule and agency; beyond: the nation's only
inline constexpr size_t kRecordBytesMax = 65'536;

}  // namespace vong::verdicts
