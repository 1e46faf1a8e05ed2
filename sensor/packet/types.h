// Small types that travel with packets.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/timestamp.h"

namespace vong {

// Of a packet or of data, seen from the flow: to the server (the responder) or to the client (the initiator).
enum class Direction : uint8_t { kToServer = 0, kToClient = 1 };
inline constexpr int kDirections = 2;

[[nodiscard]] constexpr int index(Direction d) { return static_cast<int>(d); }
[[nodiscard]] constexpr Direction opposite(Direction d) {
  return d == Direction::kToServer ? Direction::kToClient : Direction::kToServer;
}

// LINKTYPE_ values of the pcap formats (https://www.tcpdump.org/linktypes.html).
enum class LinkType : uint16_t {
  kNull = 0, kEthernet = 1, kPpp = 9, kRaw = 101, kLoop = 108, kLinuxSll = 113, kPppEther = 51, kIpv4 = 228, kIpv6 = 229,
  kLinuxSll2 = 276, kRawBsd = 12, kRawOpenBsd = 14, kCiscoHdlc = 104,
};

// What capture hands over. `data` lives until the next call of the source.
struct RawPacket {
  Timestamp ts;
  Bytes data;              // as captured
  uint32_t wire_len = 0;   // on the wire; > data.size() when truncated by the snap length
  LinkType link_type = LinkType::kEthernet;
  uint16_t interface = 0;  // index into the sources' names
  uint64_t number = 0;     // 1-based count over the run: EVE's pcap_cnt
  uint16_t vlan_tci = 0;   // from the kernel's side data when the NIC took the tag off
  bool has_vlan_tci = false;
  bool cut_by_ring = false;         // shorter than on the wire because the capture ring's frames are (event afpacket.trunc_pkt)
  bool checksum_unready = false;    // sent by this machine, the card fills the transport checksum in: nothing to check
};

}  // namespace vong
