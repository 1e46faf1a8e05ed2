// ARP over Ethernet, RFC 826; RARP 903, InARP 2390.
//
//   hardware(2) protocol(2) hardware size(1) protocol size(1) operation(2) sender MAC(6) sender
//   IP(4) target MAC(6) target IP(4)
#include "sensor/decode/layers.h"

namespace vong::decode {

bool decode_arp(Context& c, Packet& p, Bytes bytes) {
  constexpr size_t kFixedBytes = 8, kEthernetIpv4Bytes = 28;
  constexpr uint16_t kEthernet = 1, kIpv4 = 0x0800;
  ++c.counters.arp;
  if (!c.enter_layer(p)) return false;
  if (bytes.size() < kFixedBytes) return c.invalid(p, PacketEvent::kArpPktTooSmall);
  const uint8_t* h = bytes.data();
  if (load_u16(h) != kEthernet) return c.invalid(p, PacketEvent::kArpUnsupportedHardware);
  if (load_u16(h + 2) != kIpv4) return c.invalid(p, PacketEvent::kArpUnsupportedProtocol);
  if (bytes.size() < kEthernetIpv4Bytes) return c.invalid(p, PacketEvent::kArpInvalidPkt);
  if (h[4] != 6) return c.invalid(p, PacketEvent::kArpInvalidHardwareSize);
  if (h[5] != 4) return c.invalid(p, PacketEvent::kArpInvalidProtocolSize);
  const uint16_t opcode = load_u16(h + 6);
  const bool known = (opcode >= 1 && opcode <= 4) || opcode == 8 || opcode == 9;
  if (!known) return c.invalid(p, PacketEvent::kArpUnsupportedOpcode);
  ArpFields& arp = p.arp.emplace();
  arp.hw_type = kEthernet;
  arp.proto_type = kIpv4;
  arp.opcode = opcode;
  arp.src_mac = bytes.subspan(8, 6);
  arp.src_ip = IpAddress::v4(h + 14);
  arp.dst_mac = bytes.subspan(18, 6);
  arp.dst_ip = IpAddress::v4(h + 24);
  p.arp_packet = bytes;
  return true;
}

}  // namespace vong::decode
