// UDP, RFC 768, and the tunnels that are told by its ports.
//
//   source port(2) destination port(2) length(2) checksum(2)
#include "sensor/decode/layers.h"

namespace vong::decode {
namespace {

constexpr size_t kHeaderBytes = 8;

bool decode_tunnel(Context& c, Packet& p) {
  const Config& config = c.config;
  if (config.teredo_enabled &&
      (config.teredo_ports.has(p.sport) || config.teredo_ports.has(p.dport)) &&
      decode_teredo(c, p, p.payload)) {
    return true;
  }
  if (config.geneve_enabled &&
      (config.geneve_ports.has(p.sport) || config.geneve_ports.has(p.dport)) &&
      decode_geneve(c, p, p.payload)) {
    return true;
  }
  return config.vxlan_enabled && config.vxlan_ports.has(p.dport) && decode_vxlan(c, p, p.payload);
}

}  // namespace

bool decode_udp(Context& c, Packet& p, Bytes bytes) {
  ++c.counters.udp;
  if (bytes.size() < kHeaderBytes) return c.invalid(p, PacketEvent::kUdpHlenTooSmall);
  const uint8_t* h = bytes.data();
  const uint16_t length = load_u16(h + 4);
  if (bytes.size() < length) return c.invalid(p, PacketEvent::kUdpPktTooSmall);
  if (length < kHeaderBytes) return c.invalid(p, PacketEvent::kUdpLenInvalid);
  p.is_udp = true;
  p.wants_flow = true;
  p.sport = load_u16(h);
  p.dport = load_u16(h + 2);
  p.udp_len = length;
  p.transport_header = bytes.first(kHeaderBytes);
  p.payload = bytes.subspan(kHeaderBytes, length - kHeaderBytes);
  decode_tunnel(c, p);
  return true;
}

}  // namespace vong::decode
