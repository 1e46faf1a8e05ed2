// Caps of the decode room.
#pragma once

#include <cstddef>

namespace vong::decode {

// Headers of one frame, tunnels and all (decoder.max-layers): the reference's default. The last one
// that is allowed is the one before.
inline constexpr int kDefaultMaxLayers = 16;
// Packets that can come out of one frame: itself, what it carries, and so on; each costs at least
// one layer.
inline constexpr size_t kMaxOwnPackets = 16;
// Besides: what hosts with other policies make of its fragments where they conflict, a packet a policy.
inline constexpr size_t kMaxOtherReadings = 6;
inline constexpr size_t kMaxPacketsPerFrame = kMaxOwnPackets + kMaxOtherReadings;
// VXLAN, GENEVE and Teredo ports that can be configured, each.
inline constexpr size_t kMaxTunnelPorts = 4;
// IPv6 extension headers in a row, of one packet.
inline constexpr int kMaxIpv6ExtensionHeaders = 32;
// MPLS labels in a stack.
inline constexpr int kMaxMplsLabels = 16;

}  // namespace vong::decode
