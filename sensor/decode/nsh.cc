// Network service header, RFC 8300 2.2.
//
//   version(2 bits) o(1) unused(1) ttl(6) length in words(6) unused(4) metadata type(4) next
//   protocol(8) service path(24) index(8)
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

enum NextProtocol : uint8_t {
  kIpv4 = 1,
  kIpv6 = 2,
  kEthernet = 3,
  kNsh = 4,
  kMpls = 5,
  kExperiment1 = 0xfe,
  kExperiment2 = 0xff
};

}  // namespace

bool decode_nsh(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.nsh;
  if (bytes.size() < 8) return c.invalid(p, PacketEvent::kNshHeaderTooSmall);
  if (!c.enter_layer(p)) return false;
  const uint16_t first = load_u16(bytes.data());
  const size_t length = (first & 0x3f) * 4u;
  const uint8_t metadata_type = bytes[2] & 0x0f, next = bytes[3];
  if (first >> 14 != 0) return c.invalid(p, PacketEvent::kNshUnsupportedVersion);
  if (length < 8 || length >= bytes.size()) return c.invalid(p, PacketEvent::kNshBadHeaderLength);
  switch (metadata_type) {
    case 0:
      return c.invalid(p, PacketEvent::kNshReservedType);
    case 1:
      if (length != 24) return c.invalid(p, PacketEvent::kNshBadHeaderLength);
      break;
    case 2:
      break;
    case 0xf:
      return true;  // for experiments
    default:
      return c.invalid(p, PacketEvent::kNshUnsupportedType);
  }
  bytes = bytes.subspan(length);
  switch (next) {
    case kIpv4:
      decode_ipv4(c, p, bytes);
      return true;
    case kIpv6:
      decode_ipv6(c, p, bytes);
      return true;
    case kEthernet:
      decode_ethernet(c, p, bytes);
      return true;
    case kNsh:
      decode_nsh(c, p, bytes);
      return true;
    case kMpls:
      decode_mpls(c, p, bytes);
      return true;
    case kExperiment1:
    case kExperiment2:
      return true;
    default:
      p.events.set(PacketEvent::kNshUnknownPayload);
      return true;
  }
}

}  // namespace vong::decode
