#include "base/ip_prefix_map.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace vong {
namespace {

IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(IpPrefixMap, LongestPrefixWins) {
  IpPrefixMap<int> map;
  EXPECT_TRUE(map.insert(*IpPrefix::parse("10.0.0.0/8"), 8));
  EXPECT_TRUE(map.insert(*IpPrefix::parse("10.1.0.0/16"), 16));
  EXPECT_TRUE(map.insert(*IpPrefix::parse("0.0.0.0/0"), 0));
  EXPECT_EQ(*map.find(address("10.1.2.3")), 16);
  EXPECT_EQ(*map.find(address("10.2.2.3")), 8);
  EXPECT_EQ(*map.find(address("11.2.2.3")), 0);
}

TEST(IpPrefixMap, FamiliesAreApart) {
  IpPrefixMap<int> map;
  map.insert(*IpPrefix::parse("0.0.0.0/0"), 4);
  EXPECT_EQ(map.find(address("2001:db8::1")), nullptr);
  map.insert(*IpPrefix::parse("2001:db8::/33"), 6);
  EXPECT_EQ(*map.find(address("2001:db8:7fff::1")), 6);
  EXPECT_EQ(map.find(address("2001:db8:8000::1")), nullptr);
}

TEST(IpPrefixMap, SamePrefixKeepsTheFirst) {
  IpPrefixMap<int> map;
  EXPECT_TRUE(map.insert(*IpPrefix::parse("10.9.9.9/8"), 1));
  EXPECT_FALSE(map.insert(*IpPrefix::parse("10.0.0.0/8"), 2));
  EXPECT_EQ(*map.find(address("10.1.1.1")), 1);
}

TEST(IpPrefix, RefusesWhatIsNotANetwork) {
  for (const char* bad : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "2001:db8::/129",
                          "10.0.0.0/8x", "10.0.0.0/-1"}) {
    EXPECT_FALSE(IpPrefix::parse(bad)) << bad;
  }
}

// The shortcut for dotted quads takes what inet_pton takes.
TEST(IpAddress, ReadsDottedQuadsAsInetPtonDoes) {
  const char* texts[] = {"0.0.0.0",   "255.255.255.255", "1.2.3.4",    "10.101.241.218",
                         "01.2.3.4",  "1.2.3.04",        "256.1.1.1",  "1.2.3",
                         "1.2.3.4.5", "1.2.3.",          ".1.2.3",     "1..2.3",
                         "1.2.3.4 ",  " 1.2.3.4",        "1.2.3.1000", "a.b.c.d",
                         "",          "1.2.3.-1",        "::1",        "::ffff:1.2.3.4"};
  for (const char* text : texts) {
    uint8_t raw[16];
    const bool v4 = inet_pton(AF_INET, text, raw) == 1;
    const bool v6 = inet_pton(AF_INET6, text, raw) == 1;
    const auto parsed = IpAddress::parse(text);
    EXPECT_EQ(parsed.has_value(), v4 || v6) << text;
    if (parsed) EXPECT_EQ(parsed->is_v4(), v4) << text;
    if (v4) EXPECT_EQ(parsed->to_string(), text);
  }
}

}  // namespace
}  // namespace vong
