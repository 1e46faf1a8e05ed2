// Caps of defragmentation beside those that the configuration sets (DefragConfig).
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::reassembly {

// RFC 791, RFC 8200: of a datagram.
inline constexpr uint32_t kMaxDatagramBytes = 65'535;
// Memory is taken in pages of this size, so that one small fragment far behind does not cost a
// whole datagram.
inline constexpr uint32_t kFragmentPageBytes = 2048;
// Parts of one datagram that come from different fragments or are apart: offsets are multiples of
// eight, so this is the most there can be.
inline constexpr size_t kMaxPieces = 16'384;
// Fragments, and their bytes, of a datagram in which some overlap that are kept to read it under the other policies; beyond it these
// readings are given up (counted).
inline constexpr size_t kMaxLoggedFragments = 256;
inline constexpr size_t kMaxLoggedBytes = 128 << 10;
// Datagrams with conflicts of which the other readings are made, by second of packet time; those of further ones are given up.
inline constexpr uint32_t kMaxReadDatagramsPerSecond = 1000;
// What stood before the IP header in the frame and is put before the datagram too; more is left
// away.
inline constexpr size_t kMaxLinkPrefixBytes = 256;
// Trackers looked at for their time-out with each fragment.
inline constexpr int kExpiriesPerFragment = 2;
// defrag.host-config entries.
inline constexpr size_t kMaxHostTimeouts = 1024;

}  // namespace vong::reassembly
