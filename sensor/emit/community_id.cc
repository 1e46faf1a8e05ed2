#include <openssl/sha.h>

#include <array>
#include <cstring>
#include <utility>

#include "sensor/emit/eve_header.h"

namespace vong::emit {
namespace {

// The ICMP types that have a counterpart: the pair plays the part of ports. Others are one-way.
struct IcmpPair {
  uint8_t type, counterpart;
};
constexpr std::array<IcmpPair, 10> kIcmp4 = {
    {{8, 0}, {0, 8}, {13, 14}, {14, 13}, {15, 16}, {16, 15}, {10, 9}, {9, 10}, {17, 18}, {18, 17}}};
constexpr std::array<IcmpPair, 10> kIcmp6 = {{{128, 129},
                                              {129, 128},
                                              {133, 134},
                                              {134, 133},
                                              {135, 136},
                                              {136, 135},
                                              {130, 131},
                                              {131, 130},
                                              {144, 145},
                                              {145, 144}}};

// Source and destination "port" of an ICMP flow; false when it is one-way.
bool icmp_ports(bool v6, uint8_t type, uint8_t code, uint16_t& sport, uint16_t& dport) {
  sport = type;
  dport = code;
  for (const auto& pair : v6 ? kIcmp6 : kIcmp4) {
    if (pair.type == type) {
      dport = pair.counterpart;
      return true;
    }
  }
  return false;
}

}  // namespace

std::string community_id(const flow::FlowKey& key, uint8_t icmp_type, uint8_t icmp_code,
                         uint16_t seed) {
  uint16_t sport = key.sport, dport = key.dport;
  bool two_way = true;
  const bool has_ports = key.protocol == 6 || key.protocol == 17 || key.protocol == 132;
  const bool icmp = key.protocol == 1 || key.protocol == 58;
  if (icmp) two_way = icmp_ports(key.protocol == 58, icmp_type, icmp_code, sport, dport);
  Bytes src = key.src.bytes(), dst = key.dst.bytes();
  const int order = std::memcmp(src.data(), dst.data(), src.size());
  if (two_way && (order > 0 || (order == 0 && sport > dport))) {
    std::swap(src, dst);
    std::swap(sport, dport);
  }
  std::array<uint8_t, 2 + 16 + 16 + 2 + 4> input{};
  size_t n = 0;
  const auto put = [&](uint8_t b) { input[n++] = b; };
  put(static_cast<uint8_t>(seed >> 8));
  put(static_cast<uint8_t>(seed));
  for (const uint8_t b : src) put(b);
  for (const uint8_t b : dst) put(b);
  put(key.protocol);
  put(0);
  if (has_ports || icmp) {
    for (const uint16_t port : {sport, dport}) {
      put(static_cast<uint8_t>(port >> 8));
      put(static_cast<uint8_t>(port));
    }
  }
  std::array<uint8_t, SHA_DIGEST_LENGTH> digest;
  SHA1(input.data(), n, digest.data());
  std::string quoted;
  JsonWriter(quoted).base64(digest);
  return "1:" + quoted.substr(1, quoted.size() - 2);
}

}  // namespace vong::emit
