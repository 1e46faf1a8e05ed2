// Caps of the capture room: what a hostile or damaged capture can make us hold.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::capture {

// Captured bytes of one packet; a record that claims more is damage. libpcap's own maximum.
inline constexpr uint32_t kMaxPacketBytes = 262'144;
// One pcapng block with its options; larger blocks are damage (packets are at most
// kMaxPacketBytes).
inline constexpr uint32_t kMaxBlockBytes = 16u << 20;
// Interfaces described in one section of a pcapng file; packets of interfaces beyond are damage.
inline constexpr size_t kMaxInterfaces = 4096;
// Bytes asked of the file at once. Small enough for the second-level cache, big enough that the
// system call costs nothing.
inline constexpr size_t kReadBytes = 1u << 18;
// Files taken from one directory tree, and how deep it may be.
inline constexpr size_t kMaxFiles = 1'000'000;
inline constexpr int kMaxDirectoryDepth = 64;
// Bytes of a live packet that libpcap or the ring hand over.
inline constexpr int kLiveSnapLengthBytes = 65'549;

}  // namespace vong::capture
