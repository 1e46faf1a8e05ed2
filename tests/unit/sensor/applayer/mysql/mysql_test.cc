#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/mysql/protocol.h"

namespace vong::mysql {
namespace {

using applayer::ProbeVerdict;
using namespace std::string_literals;

ProbeVerdict probe(Direction d, const std::string& s) {
  return kMysqlProtocol.probe.probe(d, as_bytes(s));
}

TEST(MysqlProbe, ServersGreetingTells) {
  const std::string greeting = "\x4a\0\0\0\x0a"s + "8.0.36\0rest"s;
  EXPECT_EQ(probe(Direction::kToClient, greeting), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToClient, greeting.substr(0, 8)), ProbeVerdict::kMoreData);
  EXPECT_EQ(probe(Direction::kToServer, greeting), ProbeVerdict::kNo);
}

TEST(MysqlProbe, OtherBytesAreNone) {
  EXPECT_EQ(probe(Direction::kToClient, "\x4a\0\0\1\x0a"s + "8\0"s), ProbeVerdict::kNo);
  EXPECT_EQ(probe(Direction::kToClient, "\x4a\0\0\0\x0a\x01\0"s), ProbeVerdict::kNo);
  EXPECT_EQ(probe(Direction::kToClient, "220 mail ready\r\n"), ProbeVerdict::kNo);
}

TEST(MysqlProtocol, IsNotOnByItself) { EXPECT_FALSE(kMysqlProtocol.enabled_by_default); }

}  // namespace
}  // namespace vong::mysql
