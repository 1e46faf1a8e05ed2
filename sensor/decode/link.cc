// Link layers with little of their own: the dispatch by link type, raw IP, BSD loopback, Cisco
// HDLC, Linux cooked captures.
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

// Address families as the BSDs, macOS and Linux number them.
constexpr uint32_t kFamilyInet = 2, kFamilyInet6Linux = 10, kFamilyInet6NetBsd = 24,
                   kFamilyInet6FreeBsd = 28, kFamilyInet6Darwin = 30;

}  // namespace

bool decode_link(Context& c, Packet& p, Bytes bytes) {
  switch (p.link_type) {
    case LinkType::kEthernet:
      return decode_ethernet(c, p, bytes);
    case LinkType::kLinuxSll:
      return decode_sll(c, p, bytes);
    case LinkType::kLinuxSll2:
      return decode_sll2(c, p, bytes);
    case LinkType::kRaw:
    case LinkType::kRawBsd:
    case LinkType::kRawOpenBsd:
    case LinkType::kIpv4:
    case LinkType::kIpv6:
      return decode_raw_ip(c, p, bytes);
    case LinkType::kNull:
    case LinkType::kLoop:
      return decode_null(c, p, bytes);
    case LinkType::kPpp:
      return decode_ppp(c, p, bytes);
    case LinkType::kPppEther:
      return decode_pppoe_session(c, p, bytes);
    case LinkType::kCiscoHdlc:
      return decode_chdlc(c, p, bytes);
  }
  ++c.counters.unknown_link_type;
  return false;
}

bool decode_raw_ip(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.raw;
  if (!c.enter_layer(p)) return false;
  if (bytes.size() < 20) return c.invalid(p, PacketEvent::kIpv4PktTooSmall);
  switch (bytes[0] >> 4) {
    case 4:
      decode_ipv4(c, p, bytes);
      return true;
    case 6:
      decode_ipv6(c, p, bytes);
      return true;
    default:
      p.events.set(PacketEvent::kIprawInvalidIpVersion);
      return true;
  }
}

// family(4), then the packet. LINKTYPE_NULL is in the byte order of the machine that captured,
// which nobody knows: families are small, so the order shows.
bool decode_null(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.null;
  if (!c.enter_layer(p)) return false;
  if (bytes.size() < 4) return c.invalid(p, PacketEvent::kLtnullPktTooSmall);
  uint32_t family = load_u32(bytes.data());
  if (family > 0xffff) family = __builtin_bswap32(family);
  switch (family) {
    case kFamilyInet:
      decode_ipv4(c, p, bytes.subspan(4));
      return true;
    case kFamilyInet6Linux:
    case kFamilyInet6NetBsd:
    case kFamilyInet6FreeBsd:
    case kFamilyInet6Darwin:
      decode_ipv6(c, p, bytes.subspan(4));
      return true;
    default:
      p.events.set(PacketEvent::kLtnullUnsupportedType);
      return true;
  }
}

// address(1) control(1) protocol(2), an EtherType
bool decode_chdlc(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.chdlc;
  if (!c.enter_layer(p)) return false;
  if (bytes.size() < 4) return c.invalid(p, PacketEvent::kChdlcPktTooSmall);
  p.ether_type = load_u16(bytes.data() + 2);
  decode_ether_type(c, p, p.ether_type, bytes.subspan(4));
  return true;
}

// packet type(2) ARPHRD type(2) address length(2) address(8) protocol(2)
bool decode_sll(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.sll;
  if (!c.enter_layer(p)) return false;
  if (bytes.size() < 16) return c.invalid(p, PacketEvent::kSllPktTooSmall);
  p.ether_type = load_u16(bytes.data() + 14);
  decode_ether_type(c, p, p.ether_type, bytes.subspan(16));
  return true;
}

// protocol(2) reserved(2) interface(4) ARPHRD type(2) packet type(1) address length(1) address(8)
bool decode_sll2(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.sll2;
  if (!c.enter_layer(p)) return false;
  if (bytes.size() < 20) return c.invalid(p, PacketEvent::kSll2PktTooSmall);
  p.ether_type = load_u16(bytes.data());
  decode_ether_type(c, p, p.ether_type, bytes.subspan(20));
  return true;
}

}  // namespace vong::decode
