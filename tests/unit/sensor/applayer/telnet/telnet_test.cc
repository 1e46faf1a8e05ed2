#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/telnet/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::telnet {
namespace {

using applayer::ProbeVerdict;
using applayer::contract::Conversation;
using namespace std::string_literals;

Piece piece(const std::string& s) { return next_piece(as_bytes(s)); }

TEST(TelnetParser, Contract) {
  Conversation c{&kTelnetProtocol};
  c.server("\xff\xfd\x18\xff\xfb\x01login: ").client("\xff\xfa\x18\0xterm\xff\xf0me\r\nls\r\n"s);
  applayer::contract::check_contract(c);
}

TEST(TelnetPieces, CommandsAndLines) {
  EXPECT_EQ(piece("\xff\xfd\x18rest").size, 3u);
  EXPECT_EQ(piece("\xff\xf1rest").size, 2u);
  EXPECT_EQ(piece("\xff\xfa\x18\1\xff\xffx\xff\xf0rest").size, 7u);
  EXPECT_EQ(piece("\xff\xfa\x18\1").size, 0u);
  EXPECT_EQ(piece("\xff").size, 0u);
  EXPECT_EQ(piece("ls\r\nmore").size, 4u);
  EXPECT_EQ(piece("lo\xff\xf1").size, 0u);
  EXPECT_EQ(piece("lo\xff\xf1gin\nx").size, 8u);
  EXPECT_EQ(piece("\xff\xfd\x18").kind, Kind::kControl);
  EXPECT_EQ(piece("x").kind, Kind::kData);
}

TEST(TelnetPieces, EndlessOnesAreCut) {
  EXPECT_EQ(piece("\xff\xfa" + std::string(9000, 'x')).size, 9002u);
  EXPECT_EQ(piece(std::string(9000, 'x')).size, 9000u);
}

TEST(TelnetProbe, NeedsACommand) {
  const auto probe = [](const std::string& s) {
    return kTelnetProtocol.probe.probe(Direction::kToClient, as_bytes(s));
  };
  EXPECT_EQ(probe("\xff\xfd\x18"), ProbeVerdict::kYes);
  EXPECT_EQ(probe("\xff"), ProbeVerdict::kMoreData);
  EXPECT_EQ(probe("\xff\x01"), ProbeVerdict::kNo);
  EXPECT_EQ(probe("login:"), ProbeVerdict::kNo);
}

}  // namespace
}  // namespace vong::telnet
