#include "base/ip_prefix_map.h"

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

}  // namespace
}  // namespace vong
