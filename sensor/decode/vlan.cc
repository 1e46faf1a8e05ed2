// Tags between the Ethernet header and the network layer: 802.1Q and 802.1ad, 802.1ah, VN-Tag,
// FabricPath.
#include "sensor/decode/layers.h"

namespace vong::decode {

// priority(3 bits) drop eligible(1 bit) VLAN(12 bits), type(2)
bool decode_vlan(Context& c, Packet& p, Bytes bytes) {
  if (p.vlan_count == 0)
    ++c.counters.vlan;
  else if (p.vlan_count == 1)
    ++c.counters.vlan_qinq;
  else if (p.vlan_count == 2)
    ++c.counters.vlan_qinqinq;
  if (bytes.size() < 4) return c.invalid(p, PacketEvent::kVlanHeaderTooSmall);
  if (!c.enter_layer(p)) return false;
  if (p.vlan_count >= kMaxVlanTags) return c.invalid(p, PacketEvent::kVlanTooManyLayers);
  p.vlan_tci[p.vlan_count++] = load_u16(bytes.data());
  p.ether_type = load_u16(bytes.data() + 2);
  if (!decode_ether_type(c, p, p.ether_type, bytes.subspan(4)))
    c.invalid(p, PacketEvent::kVlanUnknownType);
  return true;
}

// flags and service(4) customer's destination(6) customer's source(6) type(2)
bool decode_ieee8021ah(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.ieee8021ah;
  if (bytes.size() < 18) return c.invalid(p, PacketEvent::kIeee8021ahHeaderTooSmall);
  if (!c.enter_layer(p)) return false;
  p.ether_type = load_u16(bytes.data() + 16);
  decode_ether_type(c, p, p.ether_type, bytes.subspan(18));
  return true;
}

// direction, pointer, destination, looped, source(4) type(2)
bool decode_vntag(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.vntag;
  if (bytes.size() < 6) return c.invalid(p, PacketEvent::kVntagHeaderTooSmall);
  if (!c.enter_layer(p)) return false;
  p.ether_type = load_u16(bytes.data() + 4);
  if (!decode_ether_type(c, p, p.ether_type, bytes.subspan(6)))
    c.invalid(p, PacketEvent::kVntagUnknownType);
  return true;
}

// The rest of the FabricPath tag(2), then the frame that it carries.
bool decode_dce(Context& c, Packet& p, Bytes bytes) {
  if (bytes.size() < 2) return c.invalid(p, PacketEvent::kDcePktTooSmall);
  return decode_ethernet(c, p, bytes.subspan(2));
}

}  // namespace vong::decode
