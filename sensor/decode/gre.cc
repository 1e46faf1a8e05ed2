// Generic routing encapsulation: version 0, RFC 2784 with the fields of 1701 and 2890; version 1,
// RFC 2637 4.1 (PPTP).
//
//   C R K S s recursion(3)(1) A flags(4) version(3)(1) protocol(2), then as the bits say
//   version 0: checksum(2) offset(2) if C or R, key(4) if K, sequence(4) if S, routing entries if R
//   version 1: payload length(2) call id(2), sequence(4) if S, acknowledgment(4) if A
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

enum Flag : uint8_t {
  kChecksum = 0x80,
  kRouting = 0x40,
  kKey = 0x20,
  kSequence = 0x10,
  kStrictRoute = 0x08,
  kRecursion = 0x07
};
constexpr uint8_t kAcknowledgment = 0x80;

enum Protocol : uint16_t {
  kIpv4 = 0x0800,
  kArp = 0x0806,
  kErspan3 = 0x22eb,
  kBridging = 0x6558,
  kVlan = 0x8100,
  kIpv6 = 0x86dd,
  kPpp = 0x880b,
  kErspan = 0x88be,
  kMpls = 0x8847,
  kNsh = 0x894f,
};

bool inner_vlan(Context& c, Packet& p, Bytes bytes) { return decode_vlan(c, p, bytes); }

// Source route entries (RFC 1701): family(2) offset(1) length(1) routing information; an entry of
// zeros ends them. Their bytes are added to `at`; false when they do not fit.
bool skip_routing(Bytes bytes, size_t& at) {
  for (;;) {
    if (bytes.size() - at < 4) return false;
    const uint16_t family = load_u16(bytes.data() + at);
    const uint8_t length = bytes[at + 3];
    at += 4;
    if (family == 0 && length == 0) return true;
    if (bytes.size() - at < length) return false;
    at += length;
  }
}

bool header_v0(Context& c, Packet& p, Bytes bytes, size_t& at) {
  const uint8_t flags = bytes[0];
  if ((flags & kRecursion) != 0) return c.invalid(p, PacketEvent::kGreVersion0Recur);
  if ((bytes[1] & 0xf8) != 0) return c.invalid(p, PacketEvent::kGreVersion0Flags);
  at = 4;
  if ((flags & (kChecksum | kRouting)) != 0) at += 4;
  if ((flags & kKey) != 0) at += 4;
  if ((flags & kSequence) != 0) at += 4;
  if (at > bytes.size()) return c.invalid(p, PacketEvent::kGreVersion0HdrTooBig);
  if ((flags & kRouting) != 0 && !skip_routing(bytes, at))
    return c.invalid(p, PacketEvent::kGreVersion0MalformedSreHdr);
  return true;
}

bool header_v1(Context& c, Packet& p, Bytes bytes, size_t& at) {
  const uint8_t flags = bytes[0];
  if ((flags & kChecksum) != 0) return c.invalid(p, PacketEvent::kGreVersion1Chksum);
  if ((flags & kRouting) != 0) return c.invalid(p, PacketEvent::kGreVersion1Route);
  if ((flags & kStrictRoute) != 0) return c.invalid(p, PacketEvent::kGreVersion1Ssr);
  if ((flags & kRecursion) != 0) return c.invalid(p, PacketEvent::kGreVersion1Recur);
  if ((bytes[1] & 0x78) != 0) return c.invalid(p, PacketEvent::kGreVersion1Flags);
  if (load_u16(bytes.data() + 2) != kPpp)
    return c.invalid(p, PacketEvent::kGreVersion1WrongProtocol);
  if ((flags & kKey) == 0) return c.invalid(p, PacketEvent::kGreVersion1NoKey);
  at = 8;
  if ((flags & kSequence) != 0) at += 4;
  if ((bytes[1] & kAcknowledgment) != 0) at += 4;
  if (at > bytes.size()) return c.invalid(p, PacketEvent::kGreVersion1HdrTooBig);
  return true;
}

}  // namespace

bool decode_gre(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.gre;
  if (bytes.size() < 4) return c.invalid(p, PacketEvent::kGrePktTooSmall);
  if (!c.enter_layer(p)) return false;
  size_t at = 0;
  switch (bytes[1] & 0x07) {
    case 0:
      if (!header_v0(c, p, bytes, at)) return false;
      break;
    case 1:
      if (!header_v1(c, p, bytes, at)) return false;
      break;
    default:
      return c.invalid(p, PacketEvent::kGreWrongVersion);
  }
  p.transport_header = bytes.first(at);
  p.payload = bytes.subspan(at);
  if (p.payload.empty()) return true;  // PPTP: an acknowledgment alone
  switch (load_u16(bytes.data() + 2)) {
    case kIpv4:
      decode_inner(c, p, TunnelKind::kGre, p.payload, decode_ipv4);
      break;
    case kIpv6:
      decode_inner(c, p, TunnelKind::kGre, p.payload, decode_ipv6);
      break;
    case kPpp:
      decode_inner(c, p, TunnelKind::kGre, p.payload, decode_ppp);
      break;
    case kVlan:
      decode_inner(c, p, TunnelKind::kGre, p.payload, inner_vlan);
      break;
    case kBridging:
      decode_inner(c, p, TunnelKind::kGre, p.payload, decode_ethernet);
      break;
    case kArp:
      decode_inner(c, p, TunnelKind::kGre, p.payload, decode_arp);
      break;
    case kMpls:
      decode_inner(c, p, TunnelKind::kGre, p.payload, decode_mpls);
      break;
    case kNsh:
      decode_inner(c, p, TunnelKind::kGre, p.payload, decode_nsh);
      break;
    case kErspan:  // type I has no header of its own and no sequence number, type II has both
      decode_inner(c, p, TunnelKind::kErspan, p.payload,
                   bytes[0] == 0 ? decode_ethernet : decode_erspan);
      break;
    case kErspan3:
      decode_inner(c, p, TunnelKind::kErspan, p.payload, decode_erspan);
      break;
    default:
      break;
  }
  return true;
}

// Type II:  version 1(4 bits) VLAN(12) class, encapsulation, truncated, session(16) reserved(12)
// index(20) Type III: version 2(4 bits) VLAN(12) class, bad, truncated, session(16) timestamp(32)
// group(16) ... o(1): platform part(8 bytes)
bool decode_erspan(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.erspan;
  if (bytes.size() < 8) return c.invalid(p, PacketEvent::kErspanHeaderTooSmall);
  if (!c.enter_layer(p)) return false;
  size_t header = 8;
  switch (bytes[0] >> 4) {
    case 1:
      break;
    case 2:
      if (bytes.size() < 12) return c.invalid(p, PacketEvent::kErspanHeaderTooSmall);
      header = (bytes[11] & 1) != 0 ? 20 : 12;
      if (bytes.size() < header) return c.invalid(p, PacketEvent::kErspanHeaderTooSmall);
      break;
    default:
      return c.invalid(p, PacketEvent::kErspanUnsupportedVersion);
  }
  const uint16_t tag = load_u16(bytes.data()) & 0x0fff;
  if (tag != 0) {
    if (p.vlan_count >= kMaxVlanTags) return c.invalid(p, PacketEvent::kErspanTooManyVlanLayers);
    p.vlan_tci[p.vlan_count++] = tag;
  }
  return decode_ethernet(c, p, bytes.subspan(header));
}

}  // namespace vong::decode
