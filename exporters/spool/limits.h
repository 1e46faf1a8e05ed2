// Every maximum of the spool, in one place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::spool {

inline constexpr std::size_t kMaxPayloadBytes =
    1'000'000;  // a larger record is refused (too_large): brokers take 1 MiB
inline constexpr uint64_t kDefaultSpoolBytes = uint64_t{4} << 30;
inline constexpr uint64_t kMinSpoolBytes = uint64_t{16} << 20;
inline constexpr uint64_t kDefaultSegmentBytes = 64 << 20;  // a segment is closed when it is larger
inline constexpr std::size_t kDefaultGroupBytes = 4 << 20;  // that much waits at most for one fsync
inline constexpr std::size_t kMaxPendingBytes =
    16 << 20;  // that much is kept in memory while the disk fails; then disk_error
inline constexpr std::size_t kMaxSegments = 100'000;  // files in the directory; more is not a spool
inline constexpr std::size_t kReadChunkBytes = 256 << 10;

}  // namespace vong::spool
