// PPP (RFC 1661, HDLC framing RFC 1662) and PPP over Ethernet (RFC 2516).
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

// https://www.iana.org/assignments/ppp-numbers
enum Protocol : uint16_t {
  kIp = 0x0021,
  kVjCompressed = 0x002d,
  kVjUncompressed = 0x002f,
  kIpv6 = 0x0057,
  kMpls = 0x0281,
  kMplsMulticast = 0x0283,
};

// Assigned, but nothing that we read: OSI, XNS, DECnet, AppleTalk, IPX, bridging, ST-II, VINES,
// control protocols, LCP, PAP, LQR, CHAP.
bool known_but_unread(uint16_t protocol) {
  switch (protocol) {
    case 0x0023:
    case 0x0025:
    case 0x0027:
    case 0x0029:
    case 0x002b:
    case kVjCompressed:
    case 0x0031:
    case 0x0033:
    case 0x0035:
    case 0x003d:
    case 0x0201:
    case 0x0231:
    case 0x0233:
    case 0x0235:
    case kMpls:
    case kMplsMulticast:
    case 0x8021:
    case 0x8023:
    case 0x8025:
    case 0x8027:
    case 0x8029:
    case 0x802b:
    case 0x8031:
    case 0x8033:
    case 0x8035:
    case 0x8057:
    case 0x8281:
    case 0x80fd:
    case 0xc021:
    case 0xc023:
    case 0xc025:
    case 0xc223:
    case 0xc227:
      return true;
    default:
      return false;
  }
}

enum PppoeCode : uint8_t {
  kSession = 0x00,
  kPado = 0x07,
  kPadi = 0x09,
  kPadr = 0x19,
  kPads = 0x65,
  kPadt = 0xa7
};

}  // namespace

bool decode_ppp_protocol(Context& c, Packet& p, uint16_t protocol, Bytes bytes) {
  switch (protocol) {
    case kIp:
      if (bytes.size() < 20) return c.invalid(p, PacketEvent::kPppIp4PktTooSmall);
      decode_ipv4(c, p, bytes);
      return true;
    case kIpv6:
      if (bytes.size() < 40) return c.invalid(p, PacketEvent::kPppIp6PktTooSmall);
      decode_ipv6(c, p, bytes);
      return true;
    // RFC 1144: an ordinary TCP/IP packet, but for the connection's number where the protocol was.
    case kVjUncompressed:
      if (bytes.size() < 20) return c.invalid(p, PacketEvent::kPppVjuPktTooSmall);
      if (bytes[0] >> 4 == 4) decode_ipv4(c, p, bytes);
      return true;
    case kMpls:
    case kMplsMulticast:
      decode_mpls(c, p, bytes);
      return true;
    default:
      if (!known_but_unread(protocol)) return c.invalid(p, PacketEvent::kPppWrongType);
      p.events.set(PacketEvent::kPppUnsupProto);
      return true;
  }
}

// [address 0xff, control 0x03] protocol(2, or 1 when its first byte is odd)
bool decode_ppp(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.ppp;
  if (!c.enter_layer(p)) return false;
  size_t at = bytes.size() >= 2 && bytes[0] == 0xff && bytes[1] == 0x03 ? 2 : 0;
  if (bytes.size() < at + 2) return c.invalid(p, PacketEvent::kPppPktTooSmall);
  uint16_t protocol = bytes[at++];
  if (protocol % 2 == 0) protocol = static_cast<uint16_t>(protocol << 8 | bytes[at++]);
  return decode_ppp_protocol(c, p, protocol, bytes.subspan(at));
}

// version, type(1) code(1) session(2) length(2), then PPP without framing
bool decode_pppoe_session(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.pppoe;
  if (!c.enter_layer(p)) return false;
  if (bytes.size() < 8) return c.invalid(p, PacketEvent::kPppoePktTooSmall);
  if (bytes[1] != kSession) p.events.set(PacketEvent::kPppoeWrongCode);
  uint16_t protocol = bytes[6];
  size_t at = 7;
  if (protocol % 2 == 0) protocol = static_cast<uint16_t>(protocol << 8 | bytes[at++]);
  return decode_ppp_protocol(c, p, protocol, bytes.subspan(at));
}

// the same head, then tags: type(2) length(2) value
bool decode_pppoe_discovery(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.pppoe;
  if (!c.enter_layer(p)) return false;
  if (bytes.size() < 6) return c.invalid(p, PacketEvent::kPppoePktTooSmall);
  switch (bytes[1]) {
    case kPadi:
    case kPado:
    case kPadr:
    case kPads:
    case kPadt:
      break;
    default:
      p.events.set(PacketEvent::kPppoeWrongCode);
      return true;
  }
  const size_t length = load_u16(bytes.data() + 4);
  if (length > bytes.size() - 6) {
    p.events.set(PacketEvent::kPppoeMalformedTags);
    return true;
  }
  for (Bytes tags = bytes.subspan(6, length); tags.size() >= 4;) {
    const uint16_t type = load_u16(tags.data()), tag_bytes = load_u16(tags.data() + 2);
    if (type == 0) break;
    if (tag_bytes > tags.size() - 4) {
      p.events.set(PacketEvent::kPppoeMalformedTags);
      break;
    }
    tags = tags.subspan(4u + tag_bytes);
  }
  return true;
}

}  // namespace vong::decode
