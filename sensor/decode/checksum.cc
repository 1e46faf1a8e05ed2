#include "sensor/decode/checksum.h"

#include <cstring>

namespace vong::decode {
namespace {

uint16_t fold(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

// RFC 9293 3.1, RFC 8200 8.1: addresses, length, protocol.
uint32_t pseudo_header_sum(const Packet& p, size_t length, uint8_t protocol) {
  uint32_t sum = protocol + static_cast<uint32_t>(length);
  sum += ones_complement_sum(p.src.bytes());
  sum += ones_complement_sum(p.dst.bytes());
  return sum;
}

}  // namespace

uint16_t ones_complement_sum(Bytes bytes, uint32_t start) {
  // RFC 1071 2(B): the sum may be made in any byte order and swapped at the end.
  uint64_t sum = 0;
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    sum += word & 0xffffffff;
    sum += word >> 32;
  }
  for (; left >= 2; left -= 2, at += 2) {
    uint16_t word;
    std::memcpy(&word, at, 2);
    sum += word;
  }
  if (left == 1) sum += *at;
  return fold(uint64_t{__builtin_bswap16(fold(sum))} + start);
}

bool ip_checksum_ok(const Packet& p) {
  return p.ip.version != 4 || p.is_defragmented || ones_complement_sum(p.ip_header) == 0xffff;
}

bool transport_checksum_ok(const Packet& p) {
  if (p.ip.is_fragment || p.transport_header.empty() || p.checksum_unready) return true;
  const size_t length = p.transport_header.size() + p.payload.size();
  const Bytes segment(p.transport_header.data(),
                      length);  // the payload follows its header in memory
  if (p.is_icmp4) return ones_complement_sum(segment) == 0xffff;
  if (p.is_udp && p.ip.version == 4 && segment[6] == 0 && segment[7] == 0) return true;
  if (p.is_tcp || p.is_udp || p.is_icmp6) {
    return ones_complement_sum(segment, pseudo_header_sum(p, length, p.ip.protocol)) == 0xffff;
  }
  return true;
}

bool verify_checksums(Packet& p) {
  p.checksum_bad_ip = !ip_checksum_ok(p);
  p.checksum_bad_transport = !transport_checksum_ok(p);
  return !p.checksum_bad_ip && !p.checksum_bad_transport;
}

}  // namespace vong::decode
