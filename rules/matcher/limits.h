// Caps of this room.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::matcher {

inline constexpr uint64_t kMaxCacheFileBytes = uint64_t{1} << 30;  // a larger one is not read
inline constexpr uint64_t kMaxCacheBytes = uint64_t{1}
                                           << 30;  // over it, files used longest ago are deleted
inline constexpr size_t kMaxCacheFiles = 4096;     // the same
inline constexpr unsigned kMaxCompileThreads = 64;

}  // namespace vong::matcher
