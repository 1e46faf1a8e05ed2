// IPv4, RFC 791 3.1.
//
//   version+header length(1) tos(1) total length(2) id(2) flags+fragment offset(2) ttl(1)
//   protocol(1) checksum(2) source(4) destination(4) options
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

constexpr size_t kHeaderBytes = 20;

// https://www.iana.org/assignments/protocol-numbers
enum Protocol : uint8_t {
  kIcmp = 1,
  kIgmp = 2,
  kIpInIp = 4,
  kTcp = 6,
  kUdp = 17,
  kIpv6 = 41,
  kGre = 47,
  kEsp = 50,
  kAh = 51,
  kIcmpv6 = 58,
  kSctp = 132,
};

void decode_payload(Context& c, Packet& p) {
  const Bytes bytes = p.ip_payload;
  switch (p.ip.protocol) {
    case kTcp:
      decode_tcp(c, p, bytes);
      break;
    case kUdp:
      decode_udp(c, p, bytes);
      break;
    case kIcmp:
      decode_icmpv4(c, p, bytes);
      break;
    case kSctp:
      decode_sctp(c, p, bytes);
      break;
    case kGre:
      decode_gre(c, p, bytes);
      break;
    case kEsp:
      decode_esp(c, p, bytes);
      break;
    case kIgmp:
      decode_igmp(c, p, bytes);
      break;
    case kIpInIp:
      ++c.counters.ipv4_in_ipv4;
      decode_inner(c, p, TunnelKind::kIpInIp, bytes, decode_ipv4);
      break;
    case kIpv6:
      ++c.counters.ipv6_in_ipv4;
      decode_inner(c, p, TunnelKind::kIpInIp, bytes, decode_ipv6);
      break;
    case kAh:
      ++c.counters.ah;
      break;
    case kIcmpv6:
      c.invalid(p, PacketEvent::kIpv4Icmpv6);
      break;
    default:
      break;
  }
}

}  // namespace

bool decode_ipv4(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.ipv4;
  if (!c.enter_layer(p)) return false;
  if (bytes.size() < kHeaderBytes) return c.invalid(p, PacketEvent::kIpv4PktTooSmall);
  const uint8_t* h = bytes.data();
  if (h[0] >> 4 != 4) return c.invalid(p, PacketEvent::kIpv4WrongIpVersion);
  const size_t header_bytes = (h[0] & 0x0f) * 4u;
  if (header_bytes < kHeaderBytes) return c.invalid(p, PacketEvent::kIpv4HlenTooSmall);
  const size_t total_bytes = load_u16(h + 2);
  if (total_bytes < header_bytes) return c.invalid(p, PacketEvent::kIpv4IplenSmallerThanHlen);
  if (bytes.size() < total_bytes) return c.invalid(p, PacketEvent::kIpv4TruncPkt);

  const uint16_t fragment = load_u16(h + 6);
  p.ip.version = 4;
  p.ip.protocol = h[9];
  p.ip.ttl = h[8];
  p.ip.tos = h[1];
  p.ip.id = load_u16(h + 4);
  p.ip.reserved_bit = (fragment & 0x8000) != 0;
  p.ip.dont_fragment = (fragment & 0x4000) != 0;
  p.src = IpAddress::v4(h + 12);
  p.dst = IpAddress::v4(h + 16);
  p.ip_header = bytes.first(header_bytes);
  p.ip_payload = bytes.subspan(header_bytes, total_bytes - header_bytes);
  p.payload = p.ip_payload;
  if (header_bytes > kHeaderBytes) {
    p.ip.options = p.ip_header.subspan(kHeaderBytes);
    decode_ipv4_options(c, p, p.ip.options);
  }
  if ((fragment & 0x3fff) != 0) [[unlikely]] {
    p.ip.is_fragment = true;
    p.ip.more_fragments = (fragment & 0x2000) != 0;
    p.ip.fragment_offset_bytes = static_cast<uint16_t>((fragment & 0x1fff) * 8);
    if (c.defragmenter != nullptr && p.other_reading == 0)
      decode_defragmented(c, p, c.defragmenter->add_ipv4(p), decode_ipv4);
    return true;
  }
  decode_payload(c, p);
  return true;
}

}  // namespace vong::decode
