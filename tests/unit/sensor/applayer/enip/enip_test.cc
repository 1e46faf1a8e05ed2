#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "sensor/applayer/enip/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::enip {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int v : values) out.push_back(static_cast<char>(v));
  return out;
}
std::string message(int command, const std::string& payload, int status = 0) {
  return bytes({command, 0, static_cast<int>(payload.size()), 0, 1, 0, 0, 0, status, 0, 0, 0}) +
         "context!" + std::string(4, '\0') + payload;
}
std::string cip(const std::string& service) {
  return message(kSendRrData,
                 std::string(6, '\0') +
                     bytes({2, 0, 0, 0, 0, 0, 0xb2, 0, static_cast<int>(service.size()), 0}) +
                     service);
}
std::string identity() {
  const std::string body = bytes({1, 0}) + std::string(16, '\0') +
                           bytes({1, 0, 12, 0, 58, 0, 4, 3, 0x30, 0, 1, 2, 0, 0, 3}) + "PLC" +
                           bytes({3});
  return message(kListIdentity, bytes({1, 0, 12, 0, static_cast<int>(body.size()), 0}) + body);
}
const std::string kGetName = bytes({0x0e, 3, 0x20, 1, 0x24, 1, 0x30, 7});

Conversation session() {
  Conversation c{&kEnipProtocol};
  c.client(message(kRegisterSession, bytes({1, 0, 0, 0})))
      .server(message(kRegisterSession, bytes({1, 0, 0, 0})));
  c.client(message(kListIdentity, "")).server(identity());
  c.client(cip(kGetName)).server(cip(bytes({0x8e, 0, 5, 0})));
  return c;
}
const Transaction& tx(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

TEST(Enip, FramesOfMessages) {
  EnipParser p;
  p.frames = std::make_unique<applayer::FrameSet>();
  const std::string both = message(kListIdentity, "") + message(kRegisterSession, bytes({1, 0, 0, 0}));
  applayer::Input in;
  in.data = as_bytes(both);
  in.offset = 5;
  (void)p.parse(Direction::kToServer, in);
  std::vector<std::array<int64_t, 3>> got;
  for (const applayer::Frame& f : p.frames->of(Direction::kToServer))
    got.push_back({f.type, static_cast<int64_t>(f.offset), f.length});
  EXPECT_THAT(got, ElementsAre(std::array<int64_t, 3>{kFramePdu, 5, 24}, std::array<int64_t, 3>{kFrameHeader, 5, 24},
                               std::array<int64_t, 3>{kFramePdu, 29, 28}, std::array<int64_t, 3>{kFrameHeader, 29, 24},
                               std::array<int64_t, 3>{kFrameData, 53, 4}));
}

TEST(EnipParser, Contract) { applayer::contract::check_contract(session()); }

TEST(EnipParser, RequestsMeetTheirResponses) {
  const auto o = run(session());
  ASSERT_EQ(o.transactions().size(), 3u);
  EXPECT_THAT(o.records(), HasSubstr(R"("register_session":{"protocol_version":1,"options":0})"));
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("identity":{"protocol_version":1,"revision":"4.3","vendor_id":"Rockwell Automation/Allen-Bradley","device_type":"communications adapter","product_code":58,"status":48,"serial":513,"product_name":"PLC","state":3})"));
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("cip":{"service":"get_attr_single","path":[{"segment_type":"class_8bit","value":1},{"segment_type":"instance_8bit","value":1},{"segment_type":"attribute_8bit","value":7}],"class_name":"identity"})"));
  EXPECT_THAT(
      o.records(),
      HasSubstr(R"("cip":{"service":"get_attr_single","status":"path_destination_unknown"})"));
}

TEST(EnipParser, MultipleServicePacket) {
  const std::string two =
      bytes({0x0a, 2, 0x20, 2, 0x24, 1, 2, 0, 6, 0, 14, 0}) + kGetName + kGetName;
  const auto o = run(Conversation{&kEnipProtocol}.client(cip(two)));
  ASSERT_TRUE(tx(o, 0).request->cip.has_value());
  EXPECT_EQ(tx(o, 0).request->cip->multiple.size(), 2u);
  EXPECT_TRUE(tx(o, 0).events().empty());
}

TEST(EnipEvents, WhatDoesNotFit) {
  EXPECT_THAT(tx(run(Conversation{&kEnipProtocol}.client(cip(bytes({0x0e, 9, 0x20})))), 0).events(),
              ElementsAre(kInvalidPdu));
  EXPECT_TRUE(run(Conversation{&kEnipProtocol}.client(message(0x55, ""))).failed);
}

TEST(EnipKeywords, CipService) {
  const auto o = run(session());
  const auto matches = [&](std::string_view value) {
    const auto parsed = kEnipProtocol.matchers[0].parse(value);
    return parsed.has_value() && (*parsed)->match(tx(o, 2), Direction::kToServer);
  };
  EXPECT_TRUE(matches("14"));
  EXPECT_TRUE(matches("14,1,7"));
  EXPECT_FALSE(matches("14,2"));
  EXPECT_FALSE(kEnipProtocol.matchers[0].parse("300").has_value());
}

}  // namespace
}  // namespace vong::enip
