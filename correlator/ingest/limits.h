// Caps of the ways in.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::ingest {

inline constexpr size_t kReadBytes = 128u << 10;  // one read: stays in the CPU's cache
inline constexpr size_t kFilesMax = 100'000;    // below one folder
inline constexpr size_t kReorderBytesMax =
    256u << 20;  // held back for order; beyond: the oldest goes early, counted
inline constexpr size_t kSortRunBytes = 48u << 20;  // sorted in memory before a run goes to disk
inline constexpr size_t kSortRunsMax = 512;         // runs merged at once
inline constexpr size_t kDeadLetterRecordBytesMax =
    65'536;  // of a refused record kept in the dead letter

}  // namespace vong::ingest
