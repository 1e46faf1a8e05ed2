// MPLS label stacks, RFC 3032, and Ethernet over them, RFC 4448 with the control word of RFC 4385.
//
//   label(20 bits) traffic class(3) bottom of stack(1) ttl(8), then no word on what the labels
//   carry: IP shows by its version, Ethernet with a control word by a zero there; Ethernet without
//   one only by looking like Ethernet.
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

constexpr size_t kShimBytes = 4, kControlWordBytes = 4, kEthernetHeaderBytes = 14;

enum Label : uint32_t {
  kIpv4Null = 0,
  kRouterAlert = 1,
  kIpv6Null = 2,
  kImplicitNull = 3,
  kFirstOrdinary = 16
};

bool looks_like_ethernet(Bytes bytes) {
  return bytes.size() >= kEthernetHeaderBytes && known_ether_type(load_u16(bytes.data() + 12));
}

// A version nibble of 4 or 6 can also be a MAC address's first digit.
bool looks_like_ipv4(Bytes bytes) {
  if (bytes.size() < 20) return false;
  const size_t header = (bytes[0] & 0x0f) * 4u, total = load_u16(bytes.data() + 2);
  return header >= 20 && total >= header && total <= bytes.size();
}
bool looks_like_ipv6(Bytes bytes) {
  return bytes.size() >= 40 && load_u16(bytes.data() + 4) + 40u <= bytes.size();
}

bool decode_payload(Context& c, Packet& p, uint32_t label, Bytes bytes) {
  if (bytes.empty()) return c.invalid(p, PacketEvent::kMplsPktTooSmall);
  switch (label) {
    case kIpv4Null:
      return decode_ipv4(c, p, bytes);
    case kIpv6Null:
      return decode_ipv6(c, p, bytes);
    case kRouterAlert:
      return c.invalid(p, PacketEvent::kMplsBadLabelRouterAlert);
    case kImplicitNull:
      return c.invalid(p, PacketEvent::kMplsBadLabelImplicitNull);
    default:
      break;
  }
  if (label < kFirstOrdinary) return c.invalid(p, PacketEvent::kMplsBadLabelReserved);
  const bool ethernet = looks_like_ethernet(bytes);
  switch (bytes[0] >> 4) {
    case 4:
      if (ethernet && !looks_like_ipv4(bytes)) return decode_ethernet(c, p, bytes);
      return decode_ipv4(c, p, bytes);
    case 6:
      if (ethernet && !looks_like_ipv6(bytes)) return decode_ethernet(c, p, bytes);
      return decode_ipv6(c, p, bytes);
    case 0:
      if (bytes.size() < kControlWordBytes + kEthernetHeaderBytes)
        return c.invalid(p, PacketEvent::kMplsPktTooSmall);
      if (ethernet && !looks_like_ethernet(bytes.subspan(kControlWordBytes)))
        return decode_ethernet(c, p, bytes);
      return decode_ethernet(c, p, bytes.subspan(kControlWordBytes));
    default:
      if (ethernet) return decode_ethernet(c, p, bytes);
      return c.invalid(p, PacketEvent::kMplsUnknownPayloadType);
  }
}

}  // namespace

bool decode_mpls(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.mpls;
  if (!c.enter_layer(p)) return false;
  for (int i = 0; i < kMaxMplsLabels; ++i) {
    if (bytes.size() < kShimBytes) return c.invalid(p, PacketEvent::kMplsHeaderTooSmall);
    const uint32_t shim = load_u32(bytes.data());
    if (!p.has_mpls) {
      p.has_mpls = true;
      p.mpls_label = shim >> 12;
    }
    bytes = bytes.subspan(kShimBytes);
    if ((shim & 0x100) != 0) {
      decode_payload(c, p, shim >> 12, bytes);
      return true;
    }
  }
  ++c.counters.too_many_layers;
  return c.invalid(p, PacketEvent::kTooManyLayers);
}

}  // namespace vong::decode
