// Frames for tests, built from the inside out: ethernet(kIpv4, ipv4(6, tcp(...))). Lengths and IPv4
// checksums are right unless changed afterwards.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "sensor/decode/checksum.h"
#include "sensor/packet/types.h"

namespace vong::test {

using Buffer = std::vector<uint8_t>;

inline Buffer bytes(std::initializer_list<int> values) {
  Buffer b;
  for (int v : values) b.push_back(static_cast<uint8_t>(v));
  return b;
}
inline Buffer text(std::string_view s) { return Buffer(s.begin(), s.end()); }
inline Buffer fill(size_t n, char c) { return Buffer(n, static_cast<uint8_t>(c)); }
inline Buffer operator+(Buffer a, const Buffer& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline Buffer be16(unsigned v) {
  return bytes({static_cast<int>(v >> 8 & 255), static_cast<int>(v & 255)});
}
inline Buffer be32(uint32_t v) { return be16(v >> 16) + be16(v & 0xffff); }

inline constexpr unsigned kEtherIpv4 = 0x0800, kEtherIpv6 = 0x86dd, kEtherVlan = 0x8100,
                          kEtherQinq = 0x88a8;
inline constexpr uint8_t kProtoIcmp = 1, kProtoTcp = 6, kProtoUdp = 17, kProtoGre = 47;

inline Buffer ethernet(unsigned type, const Buffer& payload) {
  return bytes({2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}) + be16(type) + payload;
}
inline Buffer vlan(unsigned tci, unsigned type, const Buffer& payload) {
  return be16(tci) + be16(type) + payload;
}

struct Ipv4Options {
  uint16_t id = 1, fragment = 0;  // fragment: flags and offset as on the wire
  uint32_t src = 0x0a000001, dst = 0x0a000002;
  Buffer options;  // a multiple of four bytes
  uint8_t ttl = 64;
};
inline Buffer ipv4(uint8_t protocol, const Buffer& payload, const Ipv4Options& o = {}) {
  const size_t header = 20 + o.options.size();
  Buffer h = bytes({static_cast<int>(0x40 | header / 4), 0}) +
             be16(static_cast<unsigned>(header + payload.size())) + be16(o.id) + be16(o.fragment) +
             bytes({o.ttl, protocol, 0, 0}) + be32(o.src) + be32(o.dst) + o.options;
  const unsigned sum = static_cast<uint16_t>(~decode::ones_complement_sum(h));
  h[10] = static_cast<uint8_t>(sum >> 8);
  h[11] = static_cast<uint8_t>(sum);
  return h + payload;
}

inline Buffer ipv6_address(int last) {
  return bytes({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
}
inline Buffer ipv6(uint8_t next, const Buffer& payload, uint8_t hop_limit = 64) {
  return bytes({0x60, 0, 0, 0}) + be16(static_cast<unsigned>(payload.size())) +
         bytes({next, hop_limit}) + ipv6_address(1) + ipv6_address(2) + payload;
}
inline Buffer ipv6_fragment(uint8_t next, unsigned offset, bool more, uint32_t id,
                            const Buffer& payload) {
  return bytes({next, 0}) + be16(offset | (more ? 1u : 0u)) + be32(id) + payload;
}

inline Buffer tcp(unsigned sport, unsigned dport, uint8_t flags, const Buffer& payload = {},
                  const Buffer& options = {}, uint32_t seq = 1000, uint32_t ack = 0) {
  return be16(sport) + be16(dport) + be32(seq) + be32(ack) +
         bytes({static_cast<int>((20 + options.size()) / 4 << 4), flags}) + be16(8192) + be16(0) +
         be16(0) + options + payload;
}
inline Buffer udp(unsigned sport, unsigned dport, const Buffer& payload) {
  return be16(sport) + be16(dport) + be16(static_cast<unsigned>(8 + payload.size())) + be16(0) +
         payload;
}
inline Buffer icmp(uint8_t type, uint8_t code, const Buffer& rest) {
  return bytes({type, code, 0, 0}) + rest;
}

// The buffer must outlive the packet.
inline RawPacket raw(const Buffer& frame, LinkType link = LinkType::kEthernet) {
  RawPacket r;
  r.data = frame;
  r.wire_len = static_cast<uint32_t>(frame.size());
  r.link_type = link;
  r.number = 1;
  return r;
}
RawPacket raw(Buffer&& frame, LinkType link = LinkType::kEthernet) = delete;

}  // namespace vong::test
