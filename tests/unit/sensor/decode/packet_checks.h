// What holds of every packet that comes out of the decoder, whatever went in. Used by the contract
// test and by the fuzz target.
#pragma once

#include <cstdlib>
#include <span>
#include <string>

#include "sensor/decode/checksum.h"
#include "sensor/packet/packet.h"

namespace vong::test {

inline bool lies_in(Bytes part, Bytes whole) {
  if (part.empty()) return true;
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

// Reads every byte, so that a sanitizer sees views that are out of bounds.
inline unsigned sum_of(Bytes b) {
  unsigned sum = 0;
  for (const uint8_t x : b) sum += x;
  return sum;
}

// Empty when all is well, else what is not.
inline std::string broken_promise(std::span<Packet* const> packets) {
  if (packets.empty()) return "no packet";
  if (packets.back()->outer != nullptr || packets.back()->tunnel_depth != 0)
    return "the frame is not the last";
  unsigned sum = 0;
  for (size_t i = 0; i < packets.size(); ++i) {
    Packet& p = *packets[i];
    // Other hosts' readings of a carrier's fragments stand between the receiver's and the carrier.
    size_t carrier = i + 1;
    while (carrier < packets.size() && packets[carrier]->other_reading != 0) ++carrier;
    if (carrier < packets.size() && p.outer != packets[carrier]) return "carrier does not follow";
    for (const Bytes view : {p.ip_header, p.ip_payload, p.transport_header, p.payload, p.ip.options,
                             p.tcp.options, p.tcp.sack, p.arp_packet}) {
      if (!lies_in(view, p.frame)) return "view outside the frame";
      sum += sum_of(view);
    }
    if (p.ethernet != nullptr && !lies_in({p.ethernet, 14}, p.frame))
      return "Ethernet header outside the frame";
    if (p.is_tcp + p.is_udp + p.is_sctp + p.is_icmp4 + p.is_icmp6 + p.is_esp > 1)
      return "two transports";
    if (p.wants_flow && p.ip.version == 0) return "flow without addresses";
    if (p.wants_flow && p.ip.is_fragment) return "flow of a fragment";
    if ((p.ip.version == 4) != p.src.is_v4() || (p.ip.version == 6) != p.src.is_v6())
      return "address family";
    if (p.vlan_count > kMaxVlanTags) return "too many VLAN tags";
    if (p.arp && (p.arp->src_mac.size() != 6 || p.arp->dst_mac.size() != 6))
      return "MAC addresses of ARP";
    sum += decode::verify_checksums(p);
  }
  volatile unsigned keep = sum;
  (void)keep;
  return {};
}

}  // namespace vong::test
