#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/core/expectation.h"
#include "sensor/applayer/core/limits.h"
#include "sensor/applayer/ftp/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::ftp {
namespace {

using applayer::AppProto;
using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;

Conversation session() {
  Conversation c{&kFtpProtocol};
  c.server("220 (x)\r\n")
      .client("USER u\r\n")
      .server("331 pw?\r\n")
      .client("FEAT\r\n")
      .server("211-Features:\r\n MDTM\r\n211 End\r\n");
  c.client("PORT 192,168,0,13,234,22\r\n")
      .server("200 ok\r\n")
      .client("RETR dir/file.txt\r\n")
      .server("150 here\r\n226 done\r\n");
  return c;
}

const Transaction& nth(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

TEST(FtpParser, Contract) { applayer::contract::check_contract(session()); }

TEST(FtpParser, CommandsWithTheirReplies) {
  const auto o = run(session());
  ASSERT_EQ(o.transactions().size(), 5u);
  EXPECT_EQ(nth(o, 0).command, "");
  EXPECT_EQ(nth(o, 1).command, "USER");
  EXPECT_EQ(nth(o, 1).argument(), "u");
  EXPECT_EQ(nth(o, 2).command, "");
  EXPECT_EQ(nth(o, 2).replies.size(), 3u);
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"({"ftp":{"command":"PORT","command_data":"192,168,0,13,234,22","command_truncated":false,)"
          R"("completion_code":["200"],"reply":["ok"],"dynamic_port":59926,"mode":"active",)"
          R"("reply_received":"yes","reply_truncated":false}})"));
  EXPECT_THAT(o.records(), HasSubstr(R"("completion_code":["150","226"],"reply":["here","done"])"));
}

TEST(FtpParser, TransferIsAnnounced) {
  const auto o = run(session());
  ASSERT_EQ(o.parser->expected_flows.size(), 1u);
  const auto& e = o.parser->expected_flows[0];
  EXPECT_EQ(e.proto, AppProto::kFtpData);
  EXPECT_EQ(e.port, 59926);
  const auto* t = static_cast<const Transfer*>(e.data.get());
  EXPECT_EQ(t->command, "RETR");
  EXPECT_EQ(t->filename, "dir/file.txt");
}

TEST(FtpParser, PassivePorts) {
  for (const auto& [command, reply, port] :
       {std::tuple("PASV", "227 Entering Passive Mode (2,2,2,2,185,13).", 47373),
        std::tuple("EPSV", "229 Extended (|||6446|)", 6446)}) {
    Conversation c{&kFtpProtocol};
    c.client(std::string(command) + "\r\n")
        .server(std::string(reply) + "\r\n")
        .client("STOR a\r\n");
    const auto o = run(c);
    // The port as such, then what it is for.
    ASSERT_EQ(o.parser->expected_flows.size(), 2u) << command;
    for (const auto& expected : o.parser->expected_flows) EXPECT_EQ(expected.port, port);
  }
}

TEST(FtpParser, TransferWithoutAPortEndsTheParsing) {
  EXPECT_TRUE(run(Conversation{&kFtpProtocol}.client("RETR x\r\n")).failed);
}

TEST(FtpParser, LongCommandIsCut) {
  Conversation c{&kFtpProtocol};
  c.settings.set("app-layer.protocols.ftp.max-line-length", "100");
  c.client("SIZE " + std::string(500, 'a') + "\r\nPWD\r\n");
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_EQ(nth(o, 0).argument().size(), 95u);
  EXPECT_TRUE(nth(o, 0).command_truncated);
  EXPECT_THAT(nth(o, 0).events(), ElementsAre(kRequestCommandTooLong));
  EXPECT_EQ(nth(o, 1).command, "PWD");
}

TEST(FtpParser, OpenCommandsAreBounded) {
  Conversation c{&kFtpProtocol};
  c.settings.set("app-layer.protocols.ftp.max-tx", "3");
  c.client("PWD\r\nPWD\r\nPWD\r\nPWD\r\n");
  const auto o = run(c);
  EXPECT_TRUE(o.failed);
  EXPECT_EQ(o.transactions().size(), 3u);
  EXPECT_THAT(nth(o, 2).events(), ElementsAre(kTooManyTransactions));
}

TEST(FtpText, HostAndPort) {
  EXPECT_EQ(parse_host_port("PORT 10,0,0,1,1,2").port, 258);
  EXPECT_EQ(parse_host_port("10,0,0,1,1,2").ipv4, 0x0a000001u);
  EXPECT_EQ(parse_host_port("10,0,0,1,1").port, 0);
  EXPECT_EQ(parse_host_port("10,0,0,1,256,2").port, 0);
  EXPECT_EQ(parse_extended_port("|2|::1|5282|"), 5282);
  EXPECT_EQ(parse_extended_port("|||70000|"), 0);
  EXPECT_EQ(parse_extended_port("||"), 0);
}

TEST(FtpText, CommandsAreFoundInAnyCase) {
  EXPECT_EQ(find_command("retr x"), "RETR");
  EXPECT_EQ(find_command("auth tls"), "AUTH TLS");
  EXPECT_EQ(find_command("FEAT"), "");
}

TEST(FtpData, FileOfTheTransfer) {
  DataConfig config;
  FtpDataParser p(config);
  p.expected_as(std::make_shared<Transfer>(Transfer{"RETR", "f.txt"}));
  applayer::Input in;
  in.data = as_bytes(std::string_view("content"));
  (void)p.parse(Direction::kToClient, in);
  in.data = {};
  in.end = true;
  (void)p.parse(Direction::kToClient, in);
  auto& files = p.transactions.at(0)->files(Direction::kToClient)->files();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].name, "f.txt");
  EXPECT_EQ(files[0].size, 7u);
  EXPECT_EQ(files[0].state, applayer::FileState::kClosed);
}

TEST(FtpData, ListingIsNoFileAlsoBehindAGap) {
  DataConfig config;
  FtpDataParser p(config);
  applayer::Input in;
  in.data = as_bytes(std::string_view("-rw-r--r-- f.txt\r\n"));
  EXPECT_TRUE(p.gap(Direction::kToClient, 10));
  (void)p.parse(Direction::kToClient, in);
  p.end();
  for (const auto& tx : p.transactions) EXPECT_TRUE(tx->files(Direction::kToClient)->files().empty());
}

TEST(FtpData, Contract) {
  Conversation c{&kFtpDataProtocol};
  c.server("some bytes of a file").server("and more");
  applayer::contract::check_contract(c);
}

// ---------------------------------------------------------------- announced flows

const IpAddress kA = IpAddress::v4(0x0a000001), kB = IpAddress::v4(0x0a000002);
const Timestamp kNow = timestamp_from_ns(1'000'000'000'000);

TEST(ExpectationTable, IsTakenOnceWhicheverSideOpensTheFlow) {
  applayer::ExpectationTable t;
  t.add(kA, kB, {AppProto::kFtpData, 2020, nullptr}, kNow);
  EXPECT_FALSE(t.take(kA, kB, 2021, kNow).has_value());
  EXPECT_TRUE(t.take(kB, kA, 2020, kNow).has_value());
  EXPECT_FALSE(t.take(kA, kB, 2020, kNow).has_value());
  EXPECT_TRUE(t.empty());
}

TEST(ExpectationTable, IsForgottenAfterItsTime) {
  applayer::ExpectationTable t;
  t.add(kA, kB, {AppProto::kFtpData, 2020, nullptr}, kNow);
  EXPECT_FALSE(t.take(kA, kB, 2020, kNow + applayer::kExpectationTimeout + std::chrono::seconds(1))
                   .has_value());
}

TEST(ExpectationTable, IsBounded) {
  applayer::ExpectationTable t;
  for (uint32_t i = 0; i < applayer::kMaxExpectations + 100; ++i) {
    t.add(IpAddress::v4(i), kB, {AppProto::kFtpData, 1, nullptr}, kNow);
  }
  EXPECT_EQ(t.size(), applayer::kMaxExpectations);
  EXPECT_EQ(t.dropped(), 100u);
  EXPECT_FALSE(t.take(IpAddress::v4(uint32_t{0}), kB, 1, kNow).has_value());
}

}  // namespace
}  // namespace vong::ftp
