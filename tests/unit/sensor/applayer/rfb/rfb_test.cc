#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/rfb/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::rfb {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kVersion38 = "RFB 003.008\n", kVersion33 = "RFB 003.003\n";
std::string desktop(const std::string& name) {
  std::string m(
      "\x03\x20\x02\x58\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00\x00\x00"
      "\x00",
      23);
  return m + static_cast<char>(name.size()) + name;
}

Conversation session() {
  Conversation c{&kRfbProtocol};
  c.server(kVersion38).client(kVersion38).server(std::string("\x02\x01\x02", 3)).client("\x02");
  c.server("0123456789abcdef").client("fedcba9876543210").server(std::string(4, '\0'));
  c.client(std::string(1, '\x01')).server(desktop("my desk") + "pixels").client("input");
  return c;
}
const Transaction& first(const applayer::contract::Outcome& o) {
  return static_cast<const Transaction&>(*o.transactions().at(0));
}

TEST(RfbParser, Contract) { applayer::contract::check_contract(session()); }

TEST(RfbParser, WholeHandshake) {
  const auto o = run(session());
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("authentication":{"security_type":2,"vnc":{"challenge":"30313233343536373839616263646566","response":"66656463626139383736353433323130"},"security_result":"OK"},"screen_shared":true,"framebuffer":{"width":800,"height":600,"name":"my desk")"));
  EXPECT_TRUE(first(o).events().empty());
  EXPECT_EQ(first(o).progress[1], 1);
}

TEST(RfbParser, Version33LetsTheServerChoose) {
  Conversation c{&kRfbProtocol};
  c.server(kVersion38)
      .client(kVersion33)
      .server(std::string("\0\0\0\x01", 4))
      .client(std::string(1, '\0'))
      .server(desktop("x"));
  const auto o = run(c);
  EXPECT_EQ(first(o).security_type, 1u);
  ASSERT_TRUE(first(o).framebuffer.has_value());
  EXPECT_EQ(first(o).framebuffer->name, "x");
}

TEST(RfbParser, WrongPassword) {
  Conversation c{&kRfbProtocol};
  c.server(kVersion38).client(kVersion38).server(std::string("\x01\x02", 2)).client("\x02");
  c.server("0123456789abcdef")
      .client("fedcba9876543210")
      .server(std::string("\0\0\0\x01\0\0\0\x02no", 10));
  EXPECT_THAT(run(c).records(), HasSubstr(R"("security_result":"FAIL")"));
}

TEST(RfbEvents, All) {
  Conversation start{&kRfbProtocol};
  start.server(kVersion38).client(kVersion38);
  Conversation apple = start, result = start;
  apple.server(std::string("\x01\x1e", 2)).client("\x1e");
  EXPECT_THAT(first(run(apple)).events(), ElementsAre(kUnimplementedSecurityType));
  result.server(std::string("\x01\x01", 2)).client("\x01").server(std::string("\0\0\0\x09", 4));
  EXPECT_THAT(first(run(result)).events(), ElementsAre(kUnknownSecurityResult));
  EXPECT_THAT(first(run(Conversation{&kRfbProtocol}.server("RFB 003/008\n"))).events(),
              ElementsAre(kMalformedMessage));
  EXPECT_THAT(first(run(Conversation{&kRfbProtocol}.client(kVersion38))).events(),
              ElementsAre(kConfusedState));
}

}  // namespace
}  // namespace vong::rfb
