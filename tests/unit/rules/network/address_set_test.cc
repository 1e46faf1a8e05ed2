#include "rules/network/address_set.h"

#include <gtest/gtest.h>

#include <bitset>
#include <random>

#include "rules/network/limits.h"

namespace vong::rules {
namespace {

Variables test_variables() {
  Variables variables;
  variables.set_addresses("HOME", "[10.0.0.0/8,192.168.0.0/16]");
  variables.set_addresses("EXT", "!$HOME");
  variables.set_addresses("SOME", "[$HOME,!10.1.0.0/16]");
  variables.set_addresses("LOOP", "[$POOL]");
  variables.set_addresses("POOL", "[1.1.1.1,$LOOP]");
  variables.set_addresses("BAD", "[1.1.1.1,300.1.1.1]");
  variables.set_addresses("EMPTY", " ");
  variables.set_addresses("ANY", "any");
  variables.set_ports("HTTP", "[80,8080]");
  return variables;
}

const Variables kVariables = test_variables();

bool in(std::string_view list, const char* address) {
  const auto set = AddressSet::parse(list, kVariables);
  EXPECT_TRUE(set) << list << ": " << (set ? "" : set.error().message);
  return set && set->contains(*IpAddress::parse(address));
}

bool in_ports(std::string_view list, uint16_t port) {
  const auto set = PortSet::parse(list, kVariables);
  EXPECT_TRUE(set) << list << ": " << (set ? "" : set.error().message);
  return set && set->contains(port);
}

std::string address_problem(std::string_view list) {
  const auto set = AddressSet::parse(list, kVariables);
  if (set) return "no problem";
  return std::to_string(set.error().at.data() - list.data()) + ": " + set.error().message;
}

std::string port_problem(std::string_view list) {
  const auto set = PortSet::parse(list, kVariables);
  if (set) return "no problem";
  return std::to_string(set.error().at.data() - list.data()) + ": " + set.error().message;
}

TEST(AddressSet, AnyIsBothFamilies) {
  EXPECT_TRUE(in("any", "1.2.3.4"));
  EXPECT_TRUE(in("ANY", "2001:db8::1"));
  EXPECT_TRUE(AddressSet::parse("any", kVariables)->is_any());
  EXPECT_TRUE(AddressSet::parse("[0.0.0.0/0,::/0]", kVariables)->is_any());
  EXPECT_FALSE(AddressSet::parse("0.0.0.0/0", kVariables)->is_any());
  EXPECT_FALSE(AddressSet::parse("any", kVariables)->contains(IpAddress()) &&
               !AddressSet::parse("any", kVariables)->is_any());
}

TEST(AddressSet, EveryFormOfAnItem) {
  EXPECT_TRUE(in("1.2.3.4", "1.2.3.4"));
  EXPECT_FALSE(in("1.2.3.4", "1.2.3.5"));
  EXPECT_TRUE(in("10.1.2.3/8", "10.255.255.255"));
  EXPECT_FALSE(in("10.1.2.3/8", "11.0.0.0"));
  EXPECT_TRUE(in("10.0.0.0/255.255.0.0", "10.0.255.1"));
  EXPECT_FALSE(in("10.0.0.0/255.255.0.0", "10.1.0.0"));
  EXPECT_TRUE(in("1.1.1.1-1.1.1.9", "1.1.1.9"));
  EXPECT_FALSE(in("1.1.1.1 - 1.1.1.9", "1.1.1.10"));
  EXPECT_TRUE(in("2001:db8::/32", "2001:db8:ffff::1"));
  EXPECT_FALSE(in("2001:db8::/32", "2001:db9::"));
  EXPECT_TRUE(in("2001:db8::1-2001:db8::ff", "2001:db8::ff"));
  EXPECT_FALSE(in("2001:db8::1-2001:db8::ff", "2001:db8::100"));
  EXPECT_TRUE(in("::/0", "ffff::"));
  EXPECT_FALSE(in("::/0", "1.1.1.1"));
  EXPECT_TRUE(in("2001:db8::/65", "2001:db8::7fff:ffff:ffff:ffff"));
  EXPECT_FALSE(in("2001:db8::/65", "2001:db8:0:0:8000::"));
}

TEST(AddressSet, FamiliesNeverMix) {
  EXPECT_FALSE(in("::/0", "0.0.0.1"));
  EXPECT_FALSE(in("0.0.0.0/0", "::1"));
  EXPECT_FALSE(in("::102:304", "1.2.3.4"));
}

TEST(AddressSet, NegatedItemsAreTakenAway) {
  EXPECT_FALSE(in("!1.1.1.1", "1.1.1.1"));
  EXPECT_TRUE(in("!1.1.1.1", "1.1.1.2"));
  EXPECT_TRUE(in("!1.1.1.1", "::1"));
  EXPECT_TRUE(in("[10.0.0.0/8,!10.1.0.0/16]", "10.2.0.0"));
  EXPECT_FALSE(in("[!10.1.0.0/16, 10.0.0.0/8]", "10.1.0.0"));
  EXPECT_FALSE(in("[10.0.0.0/8,!10.1.0.0/16]", "1.1.1.1"));
  EXPECT_FALSE(in("![1.1.1.1,2.2.2.2]", "2.2.2.2"));
  EXPECT_TRUE(in("![1.1.1.1,2.2.2.2]", "3.3.3.3"));
}

TEST(AddressSet, NestingIsReadFlat) {
  // A '!' inside a '!' is none: 10.1.1.0/24 is wanted, and 10.1.0.0/16 then takes it away again.
  EXPECT_FALSE(in("[10.0.0.0/8,![10.1.0.0/16,!10.1.1.0/24]]", "10.1.1.1"));
  EXPECT_TRUE(in("![!1.1.1.1]", "1.1.1.1"));
  EXPECT_FALSE(in("![!1.1.1.1]", "1.1.1.2"));
  EXPECT_TRUE(in("[[[1.1.1.1]],2.2.2.2]", "1.1.1.1"));
}

TEST(AddressSet, VariablesAreResolved) {
  EXPECT_TRUE(in("$HOME", "192.168.1.1"));
  EXPECT_FALSE(in("!$HOME", "10.0.0.1"));
  EXPECT_TRUE(in("$EXT", "8.8.8.8"));
  EXPECT_FALSE(in("$EXT", "10.0.0.1"));
  EXPECT_TRUE(in("!$EXT", "10.0.0.1"));
  EXPECT_FALSE(in("[$SOME,1.1.1.1]", "10.1.0.5"));
  EXPECT_TRUE(in("[$SOME,1.1.1.1]", "1.1.1.1"));
}

TEST(AddressSet, EveryMistakeIsToldAtItsPlace) {
  EXPECT_EQ(address_problem("!any"), "0: no address is left in '!any'");
  EXPECT_EQ(address_problem("!$ANY"), "0: no address is left in '!$ANY'");
  EXPECT_EQ(address_problem("[10.0.0.0/8,!10.0.0.0/7]"),
            "0: no address is left in '[10.0.0.0/8,!10.0.0.0/7]'");
  EXPECT_EQ(
      address_problem("[1.1.1.1,1.2.3]"),
      "9: '1.2.3' is no IP address: any, an address, address/prefix length or first-last expected");
  EXPECT_EQ(address_problem("1.1.1.1/33"), "8: prefix length of 0 to 32 expected, not '33'");
  EXPECT_EQ(address_problem("::1/129"), "4: prefix length of 0 to 128 expected, not '129'");
  EXPECT_EQ(address_problem("1.1.1.1/"), "8: prefix length of 0 to 32 expected, not ''");
  EXPECT_EQ(address_problem("1.1.1.1/255.0.255.0"), "8: netmask '255.0.255.0' has gaps");
  EXPECT_EQ(address_problem("2.2.2.2-1.1.1.1"), "0: range '2.2.2.2-1.1.1.1' ends before it begins");
  EXPECT_EQ(address_problem("1.1.1.1-::1"), "0: range '1.1.1.1-::1' joins IPv4 and IPv6");
  EXPECT_EQ(address_problem("[]"), "1: empty item in a list");
  EXPECT_EQ(address_problem("[1.1.1.1,]"), "9: empty item in a list");
  EXPECT_EQ(address_problem("[1.1.1.1"), "0: '[' without ']'");
  EXPECT_EQ(address_problem("1.1.1.1]"), "7: ']' without '['");
  EXPECT_EQ(address_problem("[1.1.1.1]x"), "0: ',' expected after ']'");
  EXPECT_EQ(address_problem("!!1.1.1.1"), "1: '!' twice in a row");
  EXPECT_EQ(address_problem("$HOEM"), "0: unknown variable '$HOEM', did you mean 'HOME'?");
  EXPECT_EQ(address_problem("[1.1.1.1,$EMPTY]"), "9: variable $EMPTY is empty");
  EXPECT_EQ(address_problem("$LOOP"), "0: in variable $POOL: variable $LOOP names itself");
  EXPECT_EQ(address_problem("[2.2.2.2,$BAD]"),
            "9: in variable $BAD: '300.1.1.1' is no IP address: any, an address, address/prefix "
            "length or "
            "first-last expected");
}

TEST(AddressSet, DepthAndSizeAreCapped) {
  const std::string deep = std::string(1000, '[') + "1.1.1.1" + std::string(1000, ']');
  EXPECT_FALSE(AddressSet::parse(deep, kVariables));
  Variables bomb;  // every level doubles: 2^16 items would be 2^40 without a cap
  bomb.set_addresses("A0", "[1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8]");
  for (int i = 1; i < 15; ++i) {
    const std::string below = "$A" + std::to_string(i - 1);
    bomb.set_addresses("A" + std::to_string(i),
                       "[" + below + "," + below + "," + below + "," + below + "]");
  }
  EXPECT_FALSE(AddressSet::parse("$A14", bomb));
  Variables chain;
  chain.set_addresses("A0", "1.1.1.1");
  for (int i = 1; i < 40; ++i)
    chain.set_addresses("A" + std::to_string(i), "$A" + std::to_string(i - 1));
  EXPECT_TRUE(AddressSet::parse("$A10", chain));
  EXPECT_FALSE(AddressSet::parse("$A39", chain));
}

TEST(PortSet, EveryFormOfAnItem) {
  EXPECT_TRUE(in_ports("any", 0));
  EXPECT_TRUE(in_ports("80", 80));
  EXPECT_FALSE(in_ports("80", 81));
  EXPECT_TRUE(in_ports("80:90", 90));
  EXPECT_TRUE(in_ports(":1024", 0));
  EXPECT_FALSE(in_ports(":1024", 1025));
  EXPECT_TRUE(in_ports("1024:", 65535));
  EXPECT_FALSE(in_ports("![80,443]", 443));
  EXPECT_TRUE(in_ports("[80:100,!99]", 98));
  EXPECT_FALSE(in_ports("[80:100,!99]", 99));
  EXPECT_TRUE(in_ports("[$HTTP, 7547]", 8080));
  EXPECT_FALSE(in_ports("!$HTTP", 8080));
}

TEST(PortSet, EveryMistakeIsToldAtItsPlace) {
  EXPECT_EQ(port_problem("65536"), "0: '65536' is too large, the largest is 65535");
  EXPECT_EQ(port_problem("[80,x]"), "4: port of 0 to 65535 expected, not 'x'");
  EXPECT_EQ(port_problem("0x50"), "0: port of 0 to 65535 expected, not '0x50'");
  EXPECT_EQ(port_problem("90:80"), "0: port range '90:80' ends before it begins");
  EXPECT_EQ(port_problem(":"), "0: port expected before or after ':'");
  EXPECT_EQ(port_problem("!any"), "0: no port is left in '!any'");
  EXPECT_EQ(port_problem("[80,!80]"), "0: no port is left in '[80,!80]'");
  EXPECT_EQ(port_problem("$HTPT"), "0: unknown variable '$HTPT', did you mean 'HTTP'?");
}

// Random lists against the plainest possible meaning: a bit for every port.
TEST(PortSet, AgreesWithABitSetOnRandomLists) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::bitset<65536> with;
    std::bitset<65536> without;
    std::string list = "[";
    const size_t items = 1 + random() % 6;
    for (size_t i = 0; i < items; ++i) {
      // Few distinct ends, so that ranges touch, overlap and reach both ends.
      uint32_t low = random() % 8 * 9362;
      uint32_t high = random() % 8 * 9362 + random() % 2;
      low = std::min(low, 65535u);
      high = std::min(high, 65535u);
      if (low > high) std::swap(low, high);
      const bool negated = random() % 3 == 0;
      list += (i ? "," : "") + std::string(negated ? "!" : "") + std::to_string(low) + ":" +
              std::to_string(high);
      for (uint32_t p = low; p <= high; ++p) (negated ? without : with).set(p);
    }
    list += "]";
    if (with.none()) with.set();
    const auto expected = with & ~without;
    const auto set = PortSet::parse(list, kVariables);
    ASSERT_EQ(set.has_value(), expected.any()) << list;
    if (!set) continue;
    for (uint32_t p = 0; p < 65536; ++p) {
      ASSERT_EQ(set->contains(static_cast<uint16_t>(p)), expected[p]) << list << " port " << p;
    }
  }
}

TEST(Ranges, NumbersOf128BitsCarry) {
  using Limits = RangeLimits<U128>;
  EXPECT_EQ(Limits::next({0, ~uint64_t{0}}), (U128{1, 0}));
  EXPECT_EQ(Limits::previous({1, 0}), (U128{0, ~uint64_t{0}}));
}

TEST(ListCache, EqualListsAreOneObject) {
  ListCache cache(kVariables);
  const auto a = *cache.addresses("[10.0.0.0/8,192.168.0.0/16]");
  EXPECT_EQ(*cache.addresses("$HOME"), a);
  EXPECT_EQ(*cache.addresses("!$EXT"), a);
  EXPECT_NE(*cache.addresses("$EXT"), a);
  EXPECT_EQ(cache.address_sets(), 2u);
  EXPECT_EQ(*cache.ports("[80,8080]"), *cache.ports("$HTTP"));
  EXPECT_EQ(cache.port_sets(), 1u);
  EXPECT_FALSE(cache.ports("x"));
}

TEST(Variables, DefaultsResolve) {
  const Variables variables = Variables::defaults();
  ListCache cache(variables);
  for (const auto& [name, value] : variables.addresses())
    EXPECT_TRUE(cache.addresses("$" + name)) << name;
  for (const auto& [name, value] : variables.ports()) EXPECT_TRUE(cache.ports("$" + name)) << name;
}

}  // namespace
}  // namespace vong::rules
