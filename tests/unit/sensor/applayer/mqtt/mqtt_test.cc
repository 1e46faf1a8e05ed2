#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/mqtt/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::mqtt {
namespace {

using applayer::ProbeVerdict;
using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using namespace std::string_literals;

std::string text(std::string_view s) {
  return std::string{static_cast<char>(s.size() >> 8), static_cast<char>(s.size())} +
         std::string(s);
}

std::string packet(uint8_t first, std::string_view body) {
  std::string out(1, static_cast<char>(first));
  size_t n = body.size();
  do {
    out.push_back(static_cast<char>((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
    n >>= 7;
  } while (n > 0);
  return out.append(body);
}

std::string connect5() {
  return packet(
      0x10, text("MQTT") + "\5\xc2\0\x3c\3\x21\0\x14"s + text("me") + text("user") + text("pass"));
}
std::string connack5() { return packet(0x20, "\0\0\3\x22\0\x0a"s); }

Conversation session() {
  Conversation c{&kMqttProtocol};
  c.client(connect5()).server(connack5());
  c.client(packet(0x82, "\0\1\0"s + text("a/b") + "\1" + text("c") + "\0"s));
  c.server(packet(0x90, "\0\1\0\1\0"s));
  c.client(packet(0x34, text("t") + "\0\2\0"s + "payload"));
  c.server(packet(0x50, "\0\2"s)).client(packet(0x62, "\0\2"s)).server(packet(0x70, "\0\2"s));
  c.server(packet(0x30, text("t") + "\0news"s));
  c.client(packet(0xa2, "\0\3\0"s + text("c"))).server(packet(0xb0, "\0\3\0\x11"s));
  c.client(packet(0xc0, "")).server(packet(0xd0, "")).client(packet(0xe0, "\4\0"s));
  return c;
}

const Transaction& nth(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

TEST(MqttParser, Contract) { applayer::contract::check_contract(session()); }

TEST(MqttParser, ExchangesAreOneTransaction) {
  const auto o = run(session());
  ASSERT_EQ(o.transactions().size(), 8u);
  EXPECT_EQ(nth(o, 0).messages.size(), 2u);  // CONNECT, CONNACK
  EXPECT_EQ(nth(o, 1).messages.size(), 2u);
  EXPECT_EQ(nth(o, 2).messages.size(), 4u);  // PUBLISH, PUBREC, PUBREL, PUBCOMP
  EXPECT_EQ(nth(o, 3).messages.size(), 1u);
  for (const auto& tx : o.transactions()) EXPECT_THAT(tx->events(), ElementsAre());
}

TEST(MqttParser, Records) {
  const std::string all = run(session()).records();
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("connect":{"qos":0,"retain":false,"dup":false,"protocol_string":"MQTT","protocol_version":5,"flags":{"username":true,"password":true,"will_retain":false,"will":false,"clean_session":true},"client_id":"me","username":"user","password":"pass","properties":{"receive_maximum":20}})"));
  EXPECT_THAT(all, HasSubstr(R"("return_code":0,"properties":{"topic_alias_maximum":10}})"));
  EXPECT_THAT(all, HasSubstr(R"("topics":[{"topic":"a/b","qos":1},{"topic":"c","qos":0}])"));
  EXPECT_THAT(all, HasSubstr(R"("qos_granted":[1,0])"));
  EXPECT_THAT(all, HasSubstr(R"("reason_codes":[17])"));
  EXPECT_THAT(all,
              HasSubstr(R"("disconnect":{"qos":0,"retain":false,"dup":false,"reason_code":4})"));
}

TEST(MqttParser, AnswersWithoutTheirQuestions) {
  Conversation c{&kMqttProtocol};
  c.server(packet(0x20, "\0\0"s)).server(packet(0x90, "\0\1\0"s)).server(packet(0xb0, "\0\1"s));
  c.server(packet(0x40, "\0\1"s)).client(packet(0x30, text("t") + "x"));
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 5u);
  EXPECT_THAT(nth(o, 0).events(), ElementsAre(kMissingConnect));
  EXPECT_THAT(nth(o, 1).events(), ElementsAre(kMissingSubscribe, kUnintroducedMessage));
  EXPECT_THAT(nth(o, 2).events(), ElementsAre(kMissingUnsubscribe, kUnintroducedMessage));
  EXPECT_THAT(nth(o, 3).events(), ElementsAre(kMissingPublish, kUnintroducedMessage));
  EXPECT_THAT(nth(o, 4).events(), ElementsAre(kUnintroducedMessage));
}

TEST(MqttParser, SecondConnectAndUnassignedType) {
  Conversation c{&kMqttProtocol};
  c.client(connect5()).server(connack5()).client(connect5()).client(packet(0x00, ""));
  const auto o = run(c);
  EXPECT_THAT(nth(o, 1).events(), ElementsAre(kDoubleConnect));
  EXPECT_THAT(nth(o, 2).events(), ElementsAre(kUnassignedMessageType));
}

TEST(MqttParser, LengthsThatDoNotFitAreMalformed) {
  for (const std::string& bytes :
       {packet(0x10, text("MQTT") + "\5\2\0\x3c\x7f"s), packet(0x10, "\0\x50MQTT"s),
        "\x30\xff\xff\xff\xff\1"s, packet(0x82, "\0\1\0\x10t"s)}) {
    const auto o = run(Conversation{&kMqttProtocol}.client(bytes));
    EXPECT_TRUE(o.failed);
    EXPECT_THAT(o.transactions().back()->events(), ElementsAre(kMalformedTraffic));
  }
}

TEST(MqttParser, LongMessagesAreSkipped) {
  Conversation c{&kMqttProtocol};
  c.settings.set("app-layer.protocols.mqtt.max-msg-length", "100");
  c.client(packet(0x30, text("t") + std::string(500, 'x'))).client(packet(0xc0, ""));
  const auto o = run_in_pieces(c, 50);
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_THAT(o.records(), HasSubstr(R"("truncated":true,"skipped_length":506)"));
  EXPECT_EQ(nth(o, 1).messages.at(0).type(), Type::kPingreq);
}

TEST(MqttParser, WaitingExchangesAreBounded) {
  Conversation c{&kMqttProtocol};
  c.settings.set("app-layer.protocols.mqtt.max-tx", "2");
  for (int i = 0; i < 3; ++i)
    c.client(packet(0x32, text("t") + std::string{0, static_cast<char>(i)} + "x"));
  const auto o = run(c);
  EXPECT_THAT(nth(o, 0).events(), ElementsAre(kUnintroducedMessage, kTooManyTransactions));
  EXPECT_EQ(nth(o, 0).progress[0], kDone);
}

TEST(MqttRecord, PasswordsAndLongTextsAsConfigured) {
  const auto o = run(session());
  Settings s;
  s.set("passwords", "no");
  s.set("string-log-limit", "4");
  std::string json;
  JsonWriter out(json);
  out.open_object();
  EXPECT_TRUE(log_mqtt(nth(o, 0), {"mqtt", &s, Direction::kToServer}, out));
  EXPECT_TRUE(log_mqtt(nth(o, 1), {"mqtt", &s, Direction::kToServer}, out));
  EXPECT_TRUE(log_mqtt(nth(o, 2), {"mqtt", &s, Direction::kToServer}, out));
  out.close_object();
  EXPECT_THAT(json, Not(HasSubstr("pass\"")));
  EXPECT_THAT(json, HasSubstr(R"("message":"payl[truncated 3 additional bytes]")"));
  EXPECT_THAT(json, HasSubstr(R"("topics":[{"topic":"a/b","qos":1},{"topic":"c","qos":0}])"));
}

TEST(MqttKeywords, FlagLists) {
  const auto* def = &kMqttProtocol;
  const auto parse = [&](std::string_view name, std::string_view value) {
    for (const auto& m : def->matchers) {
      if (m.name == name) return m.parse(value);
    }
    return Result<std::unique_ptr<applayer::TransactionMatcher>>(nullptr);
  };
  const auto o = run(session());
  const auto fits = [&](std::string_view name, std::string_view value) {
    return parse(name, value).value()->match(nth(o, 0), Direction::kToServer);
  };
  EXPECT_TRUE(fits("mqtt.flags", "!retain, !dup"));
  EXPECT_FALSE(fits("mqtt.flags", "dup"));
  EXPECT_TRUE(fits("mqtt.connect.flags", "username,clean_session,!will"));
  EXPECT_FALSE(fits("mqtt.connect.flags", "will"));
  EXPECT_TRUE(fits("mqtt.connack.session_present", "no"));
  EXPECT_FALSE(parse("mqtt.flags", "will").has_value());
  EXPECT_FALSE(parse("mqtt.flags", "dup,!dup").has_value());
}

TEST(MqttProbe, FixedHeaderDecides) {
  const auto probe = [](Direction d, const std::string& bytes) {
    return kMqttProtocol.probe.probe(d, as_bytes(bytes));
  };
  EXPECT_EQ(probe(Direction::kToServer, connect5()), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToServer, connack5()), ProbeVerdict::kReversed);
  EXPECT_EQ(probe(Direction::kToServer, "\x20"), ProbeVerdict::kMoreData);
  EXPECT_EQ(probe(Direction::kToServer, "\x16\3\1\2"), ProbeVerdict::kNo);
  EXPECT_EQ(probe(Direction::kToClient, connack5()), ProbeVerdict::kYes);
}

}  // namespace
}  // namespace vong::mqtt
