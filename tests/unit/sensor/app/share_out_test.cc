#include "sensor/app/share_out.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/strings.h"

namespace vong::sensor {
namespace {

std::string ipv4(const std::string& src, const std::string& dst) {
  std::string ip(20, '\0');
  ip[0] = 0x45;
  return ip.replace(12, 4, src).replace(16, 4, dst) + "transport";
}

std::string ipv6(char src, char dst) {
  std::string ip(40, '\0');
  ip[0] = 0x60;
  ip[23] = src;
  ip[39] = dst;
  return ip + "transport";
}

uint64_t hash_of(const std::string& frame, LinkType type) {
  RawPacket raw;
  raw.data = as_bytes(frame);
  raw.link_type = type;
  return address_pair_hash(raw);
}

const std::string kA("\x0a\x00\x00\x01", 4), kB("\x0a\x00\x00\x02", 4), kC("\x0a\x00\x00\x03", 4);

std::string ethernet(const std::string& behind) { return std::string(12, '\x02') + behind; }

TEST(AddressPairHash, BothDirectionsAreOne) {
  EXPECT_EQ(hash_of(ipv4(kA, kB), LinkType::kRaw), hash_of(ipv4(kB, kA), LinkType::kRaw));
  EXPECT_EQ(hash_of(ipv6(1, 2), LinkType::kRaw), hash_of(ipv6(2, 1), LinkType::kRaw));
  EXPECT_NE(hash_of(ipv4(kA, kB), LinkType::kRaw), hash_of(ipv4(kA, kC), LinkType::kRaw));
  EXPECT_NE(hash_of(ipv6(1, 2), LinkType::kRaw), hash_of(ipv6(1, 3), LinkType::kRaw));
}

TEST(AddressPairHash, WhateverStandsBeforeTheIpHeader) {
  const std::string ip = ipv4(kA, kB);
  const uint64_t same = hash_of(ip, LinkType::kRaw);
  EXPECT_NE(same, 0U);
  EXPECT_EQ(hash_of(ethernet(std::string("\x08\x00", 2) + ip), LinkType::kEthernet), same);
  EXPECT_EQ(hash_of(ethernet(std::string("\x81\x00\x00\x05\x08\x00", 6) + ip), LinkType::kEthernet), same);
  EXPECT_EQ(hash_of(ethernet(std::string("\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00", 10) + ip), LinkType::kEthernet), same);
  EXPECT_EQ(hash_of(ethernet(std::string("\x88\x47\x00\x01\x00\x40\x00\x02\x01\x40", 10) + ip), LinkType::kEthernet), same);
  EXPECT_EQ(hash_of(ethernet(std::string("\x88\x64\x11\x00\x00\x01\x00\x40\x00\x21", 10) + ip), LinkType::kEthernet), same);
  EXPECT_EQ(hash_of(std::string(14, '\0') + std::string("\x08\x00", 2) + ip, LinkType::kLinuxSll), same);
  EXPECT_EQ(hash_of(std::string("\x08\x00", 2) + std::string(18, '\0') + ip, LinkType::kLinuxSll2), same);
  EXPECT_EQ(hash_of(std::string("\x02\x00\x00\x00", 4) + ip, LinkType::kNull), same);
}

TEST(AddressPairHash, WhatHasNoIpHeaderIsOne) {
  EXPECT_EQ(hash_of(ethernet(std::string("\x08\x06", 2) + "an ARP request it would be"), LinkType::kEthernet), 0U);
  const std::string whole = ethernet(std::string("\x08\x00", 2) + ipv4(kA, kB));
  for (size_t n = 0; n < 34; ++n) EXPECT_EQ(hash_of(whole.substr(0, n), LinkType::kEthernet), 0U) << n << " bytes";
  EXPECT_EQ(hash_of("", LinkType::kRaw), 0U);
}

TEST(AddressPairHash, SpreadsHosts) {
  std::set<uint64_t> of_four[4];
  for (int i = 0; i < 4000; ++i) {
    const std::string host{10, 1, static_cast<char>(i >> 8), static_cast<char>(i)};
    const uint64_t h = hash_of(ipv4(host, kB), LinkType::kRaw);
    of_four[h % 4].insert(h);
  }
  for (const auto& part : of_four) EXPECT_GT(part.size(), 800U);
}

}  // namespace
}  // namespace vong::sensor
