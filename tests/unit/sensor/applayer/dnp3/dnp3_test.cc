#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/dnp3/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::dnp3 {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;

std::string with_checksum(std::string bytes) {
  const uint16_t crc = checksum(as_bytes(bytes));
  bytes.push_back(static_cast<char>(crc & 0xff));
  bytes.push_back(static_cast<char>(crc >> 8));
  return bytes;
}

// Addresses 3 (master) and 2; user data without checksums.
std::string frame(bool from_master, std::string_view user) {
  std::string head("\x05\x64", 2);
  head.push_back(static_cast<char>(5 + user.size()));
  head +=
      from_master ? std::string("\xc4\x02\x00\x03\x00", 5) : std::string("\x44\x03\x00\x02\x00", 5);
  std::string out = with_checksum(head);
  for (; !user.empty(); user.remove_prefix(std::min<size_t>(16, user.size())))
    out += with_checksum(std::string(user.substr(0, 16)));
  return out;
}
std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int v : values) out.push_back(static_cast<char>(v));
  return out;
}

// Select a relay: group 12 variation 1, one point with an index of two bytes.
const std::string kSelect =
    bytes({0xc0, 0xc7, 3, 12, 1, 0x28, 1, 0, 1, 0, 3, 1, 100, 0, 0, 0, 100, 0, 0, 0, 0});
const std::string kAnswer = bytes({0xc0, 0xc7, 129, 0x90, 0x02, 52, 2, 7, 1, 1, 0});

Conversation exchange() {
  Conversation c{&kDnp3Protocol};
  c.client(frame(true, kSelect)).server(frame(false, kAnswer));
  return c;
}
const Transaction& tx(const applayer::contract::Outcome& o, size_t i = 0) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

TEST(Dnp3Parser, Contract) {
  // Bytes of different messages of a side are told apart by their frames alone.
  applayer::contract::check_contract(exchange());
}

TEST(Dnp3Parser, RequestAndResponseAreTransactionsOfTheirOwn) {
  const auto o = run(exchange());
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_TRUE(tx(o, 0).complete);
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("type":"request","control":{"dir":true,"pri":true,"fcb":false,"fcv":false,"function_code":4},"src":3,"dst":2)"));
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("points":[{"prefix":1,"index":1,"op_type":3,"qu":0,"cr":0,"tcc":0,"count":1,"ontime":100,"offtime":100,"status_code":0,"reserved":0}])"));
  EXPECT_THAT(o.records(),
              HasSubstr(R"("indicators":["device_restart","need_time","object_unknown"])"));
  EXPECT_THAT(o.records(), HasSubstr(R"("delay_ms":1)"));
}

TEST(Dnp3Parser, SegmentsMakeOneMessage) {
  const std::string message = kSelect.substr(1);
  Conversation c{&kDnp3Protocol};
  c.client(frame(true, bytes({0x40}) + message.substr(0, 8)));
  c.client(frame(true, bytes({0x81}) + message.substr(8)));
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 1u);
  EXPECT_TRUE(tx(o).complete);
  EXPECT_EQ(tx(o).message, message);
}

TEST(Dnp3Parser, ASegmentOutOfSequenceIsLeftOut) {
  Conversation c{&kDnp3Protocol};
  c.client(frame(true, bytes({0x40}) + kSelect.substr(1, 8)));
  c.client(frame(true, bytes({0x85}) + kSelect.substr(9)));
  EXPECT_FALSE(tx(run(c)).done);
}

TEST(Dnp3Events, DamageToFramesStandsAtTheMessageBefore) {
  std::string bad = frame(true, kSelect);
  bad[12] = static_cast<char>(bad[12] ^ 1);
  EXPECT_THAT(
      tx(run(Conversation{&kDnp3Protocol}.client(frame(true, kSelect)).client(bad))).events(),
      ElementsAre(kBadTransportCrc));
  bad = frame(true, kSelect);
  bad[5] = static_cast<char>(bad[5] ^ 1);
  EXPECT_THAT(
      tx(run(Conversation{&kDnp3Protocol}.client(frame(true, kSelect)).client(bad))).events(),
      ElementsAre(kBadLinkCrc));
}

TEST(Dnp3Events, Objects) {
  const auto of_message = [](const std::string& m) {
    Conversation c{&kDnp3Protocol};
    c.settings.set("app-layer.protocols.dnp3.max-points", "10");
    c.client(frame(true, bytes({0xc0, 0xc0, 2}) + m));
    return tx(run(c)).events();
  };
  EXPECT_THAT(of_message(bytes({200, 1, 7, 1, 0})), ElementsAre(kUnknownObject));
  EXPECT_THAT(of_message(bytes({1, 1, 0, 0, 20, 0xff, 0xff, 0xff})), ElementsAre(kTooManyPoints));
  EXPECT_THAT(of_message(bytes({50, 1, 7, 1, 0})), ElementsAre(kMalformed));
}

TEST(Dnp3Events, MoreOpenMessagesThanAllowed) {
  Conversation c{&kDnp3Protocol};
  std::string many;
  for (int i = 0; i < 40; ++i) many += frame(true, kSelect);
  const auto o = run(c.client(many));
  ASSERT_EQ(o.transactions().size(), kMaxTransactions + 1);
  EXPECT_THAT(tx(o, kMaxTransactions).events(), ElementsAre(kFlooded));
}

TEST(Dnp3Events, TooLongAMessage) {
  Conversation c{&kDnp3Protocol};
  c.client(frame(true, bytes({0x40, 0xc0, 2}) + std::string(247, 'x')));
  for (int i = 1; i < 66; ++i) c.client(frame(true, bytes({i & 63}) + std::string(249, 'x')));
  EXPECT_THAT(tx(run(c)).events(), ElementsAre(kTooLongReassembly));
}

TEST(Dnp3Detection, DirectionIsInTheFrame) {
  const std::string f = frame(true, kSelect);
  EXPECT_EQ(probe(Direction::kToServer, as_bytes(f)), applayer::ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToClient, as_bytes(f)), applayer::ProbeVerdict::kReversed);
  EXPECT_EQ(probe(Direction::kToServer, as_bytes(std::string_view("GET / HTTP/1.1\r\n"))),
            applayer::ProbeVerdict::kNo);
}

TEST(Dnp3Keywords, IndicationsAndObjects) {
  const auto o = run(exchange());
  const auto matches = [&](size_t which, std::string_view value, size_t n) {
    const auto parsed = kDnp3Protocol.matchers[which].parse(value);
    return parsed.has_value() && (*parsed)->match(tx(o, n), Direction::kToClient);
  };
  EXPECT_TRUE(matches(0, "need_time,config_corrupt", 1));
  EXPECT_FALSE(matches(0, "config_corrupt", 1));
  EXPECT_FALSE(kDnp3Protocol.matchers[0].parse("nonsense").has_value());
  EXPECT_TRUE(matches(1, "12, 1", 0));
  EXPECT_FALSE(matches(1, "12,2", 0));
  EXPECT_FALSE(kDnp3Protocol.matchers[1].parse("12").has_value());
}

}  // namespace
}  // namespace vong::dnp3
