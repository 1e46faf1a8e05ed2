#pragma once

#include <cstddef>

namespace vong::content {

inline constexpr size_t kMaxEntries = 512;                 // of a container that are looked at
inline constexpr size_t kMaxEntryBytes = 4 << 20;          // of one entry, unpacked; the rest of it is left
inline constexpr size_t kMaxTextBytes = 1 << 20;           // of text taken out of one document
inline constexpr size_t kMaxUnpackedBytes = 8 << 20;       // of all entries of one document together

}  // namespace vong::content
