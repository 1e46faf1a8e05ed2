#include "sensor/app/share_out.h"

#include "base/byte_reader.h"

namespace vong::sensor {
namespace {

constexpr uint16_t kIpv4 = 0x0800, kIpv6 = 0x86DD, kMpls = 0x8847, kPppoe = 0x8864;
constexpr int kTagsMax = 4, kLabelsMax = 10;

bool is_vlan(uint16_t type) { return type == 0x8100 || type == 0x88A8 || type == 0x9100; }

// The IP header that an EtherType announces; empty: none.
Bytes ip_behind(uint16_t type, ByteReader& r) {
  for (int i = 0; i < kTagsMax && is_vlan(type); ++i) {
    r.skip(2);
    type = r.u16();
  }
  switch (type) {
    case kIpv4:
    case kIpv6:
      return r.rest();
    case kMpls:
      for (int i = 0; i < kLabelsMax; ++i) {
        if ((r.u32() >> 8 & 1) != 0) return r.rest();   // bottom of stack (RFC 3032)
      }
      return {};
    case kPppoe:
      r.skip(8);   // RFC 2516: six bytes, and PPP's protocol
      return r.rest();
    default:
      return {};
  }
}

Bytes ip_of(const RawPacket& raw) {
  ByteReader r(raw.data);
  switch (raw.link_type) {
    case LinkType::kEthernet: {
      r.skip(12);
      const uint16_t type = r.u16();
      return ip_behind(type, r);
    }
    case LinkType::kLinuxSll: {
      r.skip(14);
      const uint16_t type = r.u16();
      return ip_behind(type, r);
    }
    case LinkType::kLinuxSll2: {
      const uint16_t type = r.u16();
      r.skip(18);
      return ip_behind(type, r);
    }
    case LinkType::kRaw:
    case LinkType::kRawBsd:
    case LinkType::kRawOpenBsd:
    case LinkType::kIpv4:
    case LinkType::kIpv6:
      return raw.data;
    case LinkType::kNull:
    case LinkType::kLoop:
      r.skip(4);
      return r.rest();
    default:
      return {};
  }
}

uint64_t sum_of(Bytes address) {
  ByteReader r(address);
  uint64_t sum = 0;
  while (r.remaining() >= 4) sum = sum * 0x100000001B3u + r.u32();
  return sum;
}

}  // namespace

uint64_t address_pair_hash(const RawPacket& raw) {
  const Bytes ip = ip_of(raw);
  size_t at = 0, bytes = 0;
  if (ip.size() >= 20 && ip[0] >> 4 == 4) at = 12, bytes = 4;
  else if (ip.size() >= 40 && ip[0] >> 4 == 6) at = 8, bytes = 16;
  else return 0;
  const uint64_t src = sum_of(ip.subspan(at, bytes)), dst = sum_of(ip.subspan(at + bytes, bytes));
  uint64_t h = (src + dst) * 0x9E3779B97F4A7C15u ^ (src ^ dst) * 0xC2B2AE3D27D4EB4Fu;   // the same either way round
  h ^= h >> 32;
  return h * 0x9E3779B97F4A7C15u >> 16;
}

}  // namespace vong::sensor
