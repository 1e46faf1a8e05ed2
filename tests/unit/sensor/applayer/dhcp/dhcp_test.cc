#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/dhcp/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::dhcp {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string message(char opcode, const std::string& options) {
  std::string m({opcode, 1, 6, 0, 0, 0, 0x12, 0x34});
  m += std::string(4, '\0');
  m += std::string("\x0a\0\0\x05\x0a\0\0\x06\x0a\0\0\x01\0\0\0\0", 16);
  m += std::string("\xaa\xbb\xcc\0\x11\x22", 6) + std::string(10 + 192, '\0');
  m += "\x63\x82\x53\x63";
  return m + options;
}
const std::string kAckOptions(
    "\x35\x01\x05\x33\x04\0\0\x0e\x10\x03\x04\x0a\0\0\x01\x37\x03\x01\x1c\x06\x3d\x04\x01\xde\xad"
    "\x01\xff",
    27);

applayer::contract::Outcome run_one(const std::string& m) {
  return run(Conversation{&kDhcpProtocol}.datagrams().server(m));
}
const Transaction& first(const applayer::contract::Outcome& o) {
  return static_cast<const Transaction&>(*o.transactions().at(0));
}

TEST(DhcpParser, Contract) {
  Conversation c{&kDhcpProtocol};
  c.datagrams()
      .client(message(1, std::string("\x35\x01\x03\xff", 4)))
      .server(message(2, kAckOptions));
  applayer::contract::check_contract(c);
}

TEST(DhcpRecord, AcknowledgementsAreLoggedBriefly) {
  const auto o = run_one(message(2, kAckOptions));
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"(log dhcp {"dhcp":{"type":"reply","id":4660,"client_mac":"aa:bb:cc:00:11:22","assigned_ip":"10.0.0.6","dhcp_type":"ack"}})"));
  EXPECT_THAT(run_one(message(1, std::string("\x35\x01\x01\xff", 4))).records(),
              Not(HasSubstr("log dhcp {\"dhcp\"")));
}

TEST(DhcpRecord, ExtendedSaysEverything) {
  const auto o = run_one(message(2, kAckOptions));
  Settings options;
  options.set("extended", "yes");
  std::string json;
  JsonWriter w(json);
  w.open_object();
  EXPECT_TRUE(log_dhcp(first(o), {"dhcp", &options, Direction::kToClient}, w));
  w.close_object();
  EXPECT_THAT(
      json,
      HasSubstr(R"("client_ip":"10.0.0.5","relay_ip":"0.0.0.0","next_server_ip":"10.0.0.1")"));
  EXPECT_THAT(
      json,
      HasSubstr(
          R"("lease_time":3600,"routers":["10.0.0.1"],"params":["subnet_mask","dns_server"],"client_id":"de:ad:01")"));
}

TEST(DhcpEvents, Options) {
  EXPECT_THAT(first(run_one(message(2, std::string("\x35\x01\x05", 3)))).events(),
              ElementsAre(kTruncatedOptions));
  EXPECT_THAT(first(run_one(message(2, std::string("\x35\x09\x05", 3)))).events(),
              ElementsAre(kTruncatedOptions));
  EXPECT_THAT(first(run_one(message(2, std::string("\x33\x02\x05\x05\xff", 5)))).events(),
              ElementsAre(kMalformedOptions));
}

TEST(DhcpKeywords, Times) {
  const auto o = run_one(message(2, kAckOptions));
  EXPECT_EQ(first(o).number(kLeaseTime), 3600u);
  EXPECT_EQ(first(o).number(kRenewalTime), std::nullopt);
}

}  // namespace
}  // namespace vong::dhcp
