// What decoding counts; one per worker, read by telemetry and the stats record (stats.decoder.* of
// EVE).
#pragma once

#include <array>
#include <cstdint>

#include "sensor/packet/events.h"

namespace vong::decode {

struct DecodeCounters {
  uint64_t pkts = 0, bytes = 0, max_pkt_size = 0;  // frames; avg_pkt_size = bytes / pkts
  uint64_t invalid = 0;                            // packets with an unusable header
  uint64_t ethernet = 0, arp = 0, unknown_ethertype = 0, chdlc = 0, sll = 0, sll2 = 0, null = 0,
           raw = 0;
  uint64_t ppp = 0, pppoe = 0, vlan = 0, vlan_qinq = 0, vlan_qinqinq = 0, vntag = 0, ieee8021ah = 0,
           macsec = 0;
  uint64_t mpls = 0, nsh = 0;
  uint64_t ipv4 = 0, ipv6 = 0, ipv4_in_ipv4 = 0, ipv6_in_ipv4 = 0, ipv4_in_ipv6 = 0,
           ipv6_in_ipv6 = 0;
  uint64_t tcp = 0, udp = 0, sctp = 0, icmpv4 = 0, icmpv6 = 0, igmp = 0, esp = 0, ah = 0;
  uint64_t gre = 0, erspan = 0, vxlan = 0, geneve = 0, teredo = 0;
  uint64_t too_many_layers = 0;
  // Ours, not in EVE.
  uint64_t unknown_link_type = 0;  // frames of a link layer that nobody here reads
  uint64_t tunnels = 0;            // inner packets delivered
  uint64_t tunnels_refused =
      0;  // what looked like an inner packet and was none, or was beyond the caps
  uint64_t defragmented = 0;  // datagrams put together
  std::array<uint64_t, kPacketEventCount> events{};
};

}  // namespace vong::decode
