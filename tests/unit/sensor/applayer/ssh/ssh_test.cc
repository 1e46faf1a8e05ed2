#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "sensor/applayer/ssh/limits.h"
#include "sensor/applayer/ssh/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::ssh {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string u32(size_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}
std::string list(const std::string& s) { return u32(s.size()) + s; }
std::string packet(int code, const std::string& body) {
  return u32(body.size() + 2) + '\0' + static_cast<char>(code) + body;
}
std::string kexinit() {
  std::string body(16, 'c');
  for (const char* s : {"kex1,kex2", "hostkey", "cipher-c2s", "cipher-s2c", "mac-c2s", "mac-s2c",
                        "none", "zlib", "", ""})
    body += list(s);
  return packet(20, body + std::string(5, '\0'));
}
const std::string kNewKeys = packet(21, "");

Conversation session() {
  Conversation c{&kSshProtocol};
  c.settings.set("app-layer.protocols.ssh.hassh", "yes");
  c.client("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").server("SSH-1.99-server\n");
  c.client(kexinit()).server(kexinit());
  c.client(packet(30, "xxxx") + kNewKeys + std::string(64, '\xff'))
      .server(kNewKeys + std::string(64, '\x01'));
  return c;
}

const Transaction& first(const applayer::contract::Outcome& o) {
  return static_cast<const Transaction&>(*o.transactions().at(0));
}
std::vector<applayer::EventId> events_of(const Conversation& c) { return first(run(c)).events(); }

TEST(SshParser, Contract) { applayer::contract::check_contract(session()); }

TEST(SshParser, FramesOfRecordsInTheClear) {
  const Config config;
  SshParser p(config);
  p.frames = std::make_unique<applayer::FrameSet>();
  const std::string bytes = "SSH-2.0-x\r\n" + packet(30, "xxxx") + kNewKeys + std::string(64, '\xff');
  applayer::Input in;
  in.data = as_bytes(bytes);
  (void)p.parse(Direction::kToServer, in);
  std::vector<std::array<int64_t, 3>> got;
  for (const applayer::Frame& f : p.frames->of(Direction::kToServer))
    got.push_back({f.type, static_cast<int64_t>(f.offset), f.length});
  EXPECT_THAT(got, ElementsAre(std::array<int64_t, 3>{kFrameRecordPdu, 11, 10}, std::array<int64_t, 3>{kFrameRecordHeader, 11, 6},
                               std::array<int64_t, 3>{kFrameRecordData, 17, 4}, std::array<int64_t, 3>{kFrameRecordPdu, 21, 6},
                               std::array<int64_t, 3>{kFrameRecordHeader, 21, 6}));
}

TEST(SshParser, BannersAndFingerprints) {
  const auto o = run(session());
  EXPECT_FALSE(o.failed);
  EXPECT_EQ(first(o).sides[0].protocol, "2.0");
  EXPECT_EQ(first(o).sides[0].software, "OpenSSH_9.2p1");
  EXPECT_EQ(first(o).sides[1].software, "server");
  EXPECT_EQ(first(o).sides[0].hassh_string, "kex1,kex2;cipher-c2s;mac-c2s;none");
  EXPECT_EQ(first(o).sides[1].hassh_string, "kex1,kex2;cipher-s2c;mac-s2c;zlib");
  EXPECT_EQ(first(o).sides[0].hassh.size(), 32u);
  EXPECT_THAT(first(o).events(), IsEmpty());
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("client":{"proto_version":"2.0","software_version":"OpenSSH_9.2p1","hassh":{"hash":)"));
}

TEST(SshParser, LoggedOnceBothBannersAreKnownWithoutFingerprints) {
  Config config;
  SshParser p(config);
  applayer::Input in;
  in.data = as_bytes(std::string_view("SSH-2.0-a\r\n"));
  (void)p.parse(Direction::kToServer, in);
  EXPECT_LT(p.transactions.at(0)->progress[0], kLogged);
  (void)p.parse(Direction::kToClient, in);
  EXPECT_EQ(p.transactions.at(0)->progress[0], kLogged);
  EXPECT_EQ(p.transactions.at(0)->progress[1], kLogged);
}

TEST(SshParser, NothingIsKeptOfPacketsThatNobodyNeeds) {
  Conversation c{&kSshProtocol};
  c.client("SSH-2.0-a\r\n" + u32(1 << 30) + std::string("\0\x32", 2) + std::string(5000, 'x'));
  const auto o = run_in_pieces(c, 100);
  EXPECT_LT(o.bytes_presented, 6000u);
}

TEST(SshEvents, Banners) {
  EXPECT_THAT(events_of(Conversation{&kSshProtocol}.client("SSH-\r\n")),
              ElementsAre(kInvalidBanner));
  EXPECT_THAT(
      events_of(Conversation{&kSshProtocol}.client("SSH-2.0-" + std::string(400, 'a') + "\r\n")),
      ElementsAre(kLongBanner));
  EXPECT_THAT(events_of(Conversation{&kSshProtocol}.client("SSH-2.0-x\r\n" + u32(1) + "ab")),
              ElementsAre(kInvalidRecord));
  EXPECT_THAT(events_of(Conversation{&kSshProtocol}.client(
                  "SSH-2.0-x\r\n" + u32(kMaxKeyExchangeBytes + 1) + std::string("\0\x14", 2))),
              ElementsAre(kLongKexRecord));
}

TEST(SshKeywords, Versions) {
  const auto o = run(session());
  const auto matches = [&](size_t which, std::string_view value, Direction d) {
    const auto parsed = kSshProtocol.matchers[which].parse(value);
    return parsed.has_value() && (*parsed)->match(first(o), d);
  };
  EXPECT_TRUE(matches(0, "2_compat", Direction::kToClient));
  EXPECT_FALSE(matches(0, "2.0", Direction::kToClient));
  EXPECT_TRUE(matches(1, "\"OpenSSH\"", Direction::kToServer));
}

}  // namespace
}  // namespace vong::ssh
