// Tunnels over UDP: VXLAN, GENEVE, Teredo. False: not that tunnel, the datagram is what it is.
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

enum Type : uint16_t { kIpv4 = 0x0800, kArp = 0x0806, kBridging = 0x6558, kIpv6 = 0x86dd };

}  // namespace

// flags(1): 0x08 = the network's number is valid; reserved(3) network(3) reserved(1), then an
// Ethernet frame
bool decode_vxlan(Context& c, Packet& p, Bytes bytes) {
  constexpr size_t kHeaderBytes = 8, kEthernetHeaderBytes = 14;
  if (bytes.size() < kHeaderBytes + kEthernetHeaderBytes) return false;
  if ((bytes[0] & 0x08) == 0) return false;
  const bool reserved_zero = load_u16(bytes.data() + 1) == 0 && bytes[3] == 0 && bytes[7] == 0;
  if (c.config.vxlan_reserved_bits_checked && !reserved_zero) return false;
  ++c.counters.vxlan;
  const Bytes frame = bytes.subspan(kHeaderBytes);
  if (!known_ether_type(load_u16(frame.data() + 12))) {
    p.events.set(PacketEvent::kVxlanUnknownPayloadType);
    return false;
  }
  return decode_inner(c, p, TunnelKind::kVxlan, frame, decode_ethernet);
}

// version(2 bits) options in words(6) o(1) c(1) reserved(6) type(2) network(3) reserved(1) options
bool decode_geneve(Context& c, Packet& p, Bytes bytes) {
  constexpr size_t kHeaderBytes = 8;
  if (bytes.size() < kHeaderBytes) return false;
  const size_t header = kHeaderBytes + (bytes[0] & 0x3f) * 4u;
  if (bytes[0] >> 6 != 0 || (bytes[1] & 0x3f) != 0 || bytes[7] != 0 || bytes.size() <= header)
    return false;
  ++c.counters.geneve;
  const Bytes inner = bytes.subspan(header);
  switch (load_u16(bytes.data() + 2)) {
    case kBridging:
      return decode_inner(c, p, TunnelKind::kGeneve, inner, decode_ethernet);
    case kIpv4:
      return decode_inner(c, p, TunnelKind::kGeneve, inner, decode_ipv4);
    case kIpv6:
      return decode_inner(c, p, TunnelKind::kGeneve, inner, decode_ipv6);
    case kArp:
      return decode_inner(c, p, TunnelKind::kGeneve, inner, decode_arp);
    default:
      p.events.set(PacketEvent::kGeneveUnknownPayloadType);
      return false;
  }
}

// [0, 1, id length(1), authentication length(1), id, authentication, nonce(8), confirmation(1)] [0,
// 0, port(2), address(4)] IPv6 packet. Nothing marks Teredo but that it fits: the IPv6 packet fills
// the datagram to its end and has nothing odd about it.
bool decode_teredo(Context& c, Packet& p, Bytes bytes) {
  constexpr size_t kIpv6HeaderBytes = 40, kOriginBytes = 8, kAuthenticationBytes = 13;
  if (bytes.size() >= kAuthenticationBytes && bytes[0] == 0 && bytes[1] == 1) {
    const size_t skip = kAuthenticationBytes + bytes[2] + bytes[3];
    if (bytes.size() < skip) return false;
    bytes = bytes.subspan(skip);
  }
  if (bytes.size() >= kOriginBytes && bytes[0] == 0 && bytes[1] == 0)
    bytes = bytes.subspan(kOriginBytes);
  if (bytes.size() < kIpv6HeaderBytes || bytes[0] >> 4 != 6) return false;
  if (load_u16(bytes.data() + 4) + kIpv6HeaderBytes != bytes.size()) return false;
  const uint8_t next = bytes[6];  // nothing, ICMPv6, TCP, UDP, hop-by-hop options are all that such
                                  // tunnels are seen to carry
  if (next != 59 && next != 58 && next != 6 && next != 17 && next != 0 && next != 44) return false;
  Packet* inner = c.open_inner(p, TunnelKind::kTeredo, bytes);
  if (inner == nullptr) return false;
  const bool good = decode_ipv6(c, *inner, bytes) && !inner->events.any();
  if (!c.close_inner(p, good)) return false;
  ++c.counters.teredo;
  return true;
}

}  // namespace vong::decode
