#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "sensor/applayer/websocket/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::websocket {
namespace {

using applayer::contract::Conversation;
using testing::HasSubstr;

std::string frame(uint8_t first, std::string payload, bool masked = false) {
  std::string out(1, static_cast<char>(first));
  const char mask_bit = masked ? '\x80' : '\0';
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(payload.size() | static_cast<uint8_t>(mask_bit)));
  } else {
    out.push_back(static_cast<char>(126 | static_cast<uint8_t>(mask_bit)));
    out.push_back(static_cast<char>(payload.size() >> 8));
    out.push_back(static_cast<char>(payload.size()));
  }
  if (masked) {
    const char key[] = {1, 2, 3, 4};
    out.append(key, 4);
    for (size_t i = 0; i < payload.size(); ++i)
      payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
  }
  return out + payload;
}

Conversation chat() {
  Conversation c{&kWebsocketProtocol};
  c.client(frame(0x81, "hello", true))
      .server(frame(0x01, "one "))
      .server(frame(0x89, "ping"))
      .server(frame(0x80, "two"));
  c.server(frame(0x82, std::string(300, 'b'))).client(frame(0x88, "", true));
  return c;
}

TEST(Websocket, Contract) {
  applayer::contract::ContractOptions o;
  o.transactions_max = kTransactionsMax;
  applayer::contract::check_contract(chat(), o);
}

TEST(Websocket, FramesAndMessages) {
  const auto o = run(chat());
  ASSERT_EQ(o.transactions().size(), 6u);
  EXPECT_THAT(o.records(), HasSubstr(">websocket.payload=\"hello\""));
  EXPECT_THAT(o.records(), HasSubstr("<websocket.payload=\"ping\""));
  EXPECT_THAT(o.records(), HasSubstr("<websocket.payload=\"one two\""));
  EXPECT_THAT(o.records(),
              HasSubstr(R"({"websocket":{"fin":true,"mask":16909060,"opcode":"text"}})"));
  EXPECT_THAT(o.records(), HasSubstr(R"("opcode":"connection_close")"));
}

TEST(Websocket, WindowLivesFromMessageToMessage) {
  z_stream z{};
  ASSERT_EQ(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Conversation c{&kWebsocketProtocol};
  for (int i = 0; i < 2; ++i) {
    std::string text = "the same words again", out(200, '\0');
    z.next_in = reinterpret_cast<Bytef*>(text.data());
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    ASSERT_EQ(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    out.resize(out.size() - z.avail_out - 4);
    c.server(frame(0xc1, out));
  }
  deflateEnd(&z);
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 2u);
  for (const auto& tx : o.transactions())
    EXPECT_EQ(static_cast<const Transaction&>(*tx).payload, "the same words again");
}

TEST(Websocket, EndOfLongPayloadIsSkipped) {
  Conversation c{&kWebsocketProtocol};
  c.settings.set("app-layer.protocols.websocket.max-payload-size", "100");
  c.server(frame(0x82, std::string(300, 'x')) + frame(0x81, "next"));
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_EQ(static_cast<const Transaction&>(*o.transactions()[0]).payload.size(), 100u);
  EXPECT_THAT(o.records(), HasSubstr("event skip_end_of_payload"));
  EXPECT_EQ(static_cast<const Transaction&>(*o.transactions()[1]).payload, "next");
}

TEST(Websocket, Flags) {
  const auto o = run(chat());
  const auto& def = kWebsocketProtocol.matchers[0];
  const auto fits = [&](std::string_view text, size_t i) {
    return (*def.parse(text))->match(*o.transactions()[i], Direction::kToClient);
  };
  EXPECT_TRUE(fits("fin", 0));
  EXPECT_FALSE(fits("fin", 1));
  EXPECT_TRUE(fits("fin,!comp", 0));
  EXPECT_TRUE(fits("&0x80", 0));
  EXPECT_FALSE(def.parse("none").has_value());
}

TEST(Websocket, FlagsAsANumber) {
  const auto o = run(chat());  // the first frame is whole, the second is not
  const auto& def = kWebsocketProtocol.matchers[0];
  const auto fits = [&](std::string_view text, size_t i = 0) {
    return (*def.parse(text))->match(*o.transactions()[i], Direction::kToClient);
  };
  EXPECT_TRUE(fits("128"));
  EXPECT_TRUE(fits("=0x80"));
  EXPECT_TRUE(fits("!64"));
  EXPECT_FALSE(fits("!=128"));
  EXPECT_TRUE(fits(">127"));
  EXPECT_FALSE(fits(">128"));
  EXPECT_TRUE(fits(">=128"));
  EXPECT_TRUE(fits("<= 128"));
  EXPECT_FALSE(fits("<128"));
  EXPECT_TRUE(fits("<128", 1));
  EXPECT_TRUE(fits("127-129"));
  EXPECT_FALSE(fits("128<>130"));
  EXPECT_TRUE(fits("!128-130"));
  EXPECT_TRUE(fits("&0xc0=0x80"));
  EXPECT_FALSE(fits("&0xc0!=0x80"));
  EXPECT_FALSE(fits("&0x40=0x40"));
  for (const char* bad : {"&0x40=0x80", "1-2", "300", ">", "-", "fin,comp,x"})
    EXPECT_FALSE(def.parse(bad).has_value()) << bad;
}

}  // namespace
}  // namespace vong::websocket
