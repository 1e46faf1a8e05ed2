#include "sensor/app/lookahead.h"

namespace vong::sensor {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17;

uint16_t u16(Bytes b, size_t at) { return static_cast<uint16_t>(b[at] << 8 | b[at + 1]); }

bool take_ports(Bytes transport, Ends& ends) {
  if ((ends.protocol != kTcp && ends.protocol != kUdp) || transport.size() < 4) return false;
  ends.sport = u16(transport, 0);
  ends.dport = u16(transport, 2);
  return true;
}

}  // namespace

std::optional<Ends> ends_of(const RawPacket& raw) {
  constexpr size_t kEthernetBytes = 14, kIpv4Bytes = 20, kIpv6Bytes = 40;
  if (raw.link_type != LinkType::kEthernet || raw.data.size() < kEthernetBytes + kIpv4Bytes + 4) return std::nullopt;
  const Bytes ip = raw.data.subspan(kEthernetBytes);
  Ends ends;
  switch (u16(raw.data, 12)) {
    case 0x0800: {
      const size_t header = size_t{4} * (ip[0] & 0x0f);
      const bool fragment = (u16(ip, 6) & 0x3fff) != 0;
      if (header < kIpv4Bytes || header > ip.size() || fragment) return std::nullopt;
      ends.protocol = ip[9];
      ends.src = IpAddress::v4(&ip[12]);
      ends.dst = IpAddress::v4(&ip[16]);
      if (!take_ports(ip.subspan(header), ends)) return std::nullopt;
      return ends;
    }
    case 0x86dd:
      if (ip.size() < kIpv6Bytes + 4) return std::nullopt;
      ends.protocol = ip[6];
      ends.src = IpAddress::v6(&ip[8]);
      ends.dst = IpAddress::v6(&ip[24]);
      if (!take_ports(ip.subspan(kIpv6Bytes), ends)) return std::nullopt;
      return ends;
    default: return std::nullopt;
  }
}

}  // namespace vong::sensor
