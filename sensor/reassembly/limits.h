// Named maxima of the reassembly room.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::reassembly {

// Buffer blocks: from 2^7 to 2^24 bytes. A region of a stream (contiguous addresses)
// never is larger than the last.
inline constexpr unsigned kSmallestBlockBits = 7;
inline constexpr unsigned kLargestBlockBits = 24;
// Free blocks kept for reuse, all classes together.
inline constexpr size_t kPooledBytesMax = size_t{8} << 20;
// A block that is used by half or less gives way to a smaller one, from this size on: most flows wait most of the time.
inline constexpr uint32_t kShrunkBlockBytes = 512;
// A segment farther than this from all data kept so far gets a region of its own (a hole costs no
// memory).
inline constexpr uint64_t kRegionGapBytes = 256 << 10;
// Segments whose boundaries are remembered per direction: those that overlap policies may still
// speak about.
inline constexpr size_t kMaxSegments = 4096;
// Gaps remembered per direction while raw inspection has not passed them; the oldest are merged
// beyond it.
inline constexpr size_t kMaxHoles = 64;
// Acknowledged bytes that wait for raw inspection; beyond it the oldest are given up (counted).
inline constexpr uint64_t kRawBacklogBytes = 1 << 20;
// Unacknowledged out-of-band bytes per direction, and all of a direction's life.
inline constexpr size_t kMaxUrgentAhead = 256;
inline constexpr uint32_t kMaxUrgentBytes = 65535;
// Bytes of a direction that are kept as other policies read them, from the unit in which segments conflict on; beyond it
// they are given up (counted).
inline constexpr uint64_t kMaxReadingBytes = 64 << 10;
// How often in a direction's life such readings are begun.
inline constexpr uint8_t kMaxReadingsBegun = 16;
// SACK blocks are not kept: only counted per packet.
inline constexpr size_t kMaxSackBlocks = 4;
// host-os-policy networks.
inline constexpr size_t kMaxOsPolicyNetworks = 65536;
// Handshakes told apart while both ends disagree (stream.max-syn-queued, stream.max-synack-queued
// cannot exceed it).
inline constexpr size_t kMaxQueuedHandshakes = 64;

}  // namespace vong::reassembly
