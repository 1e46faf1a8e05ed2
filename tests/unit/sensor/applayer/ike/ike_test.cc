#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/ike/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::ike {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string u16(size_t v) { return {static_cast<char>(v >> 8), static_cast<char>(v)}; }
std::string u32(size_t v) { return u16(v >> 16) + u16(v & 0xffff); }
std::string payload(int next, const std::string& body) {
  return std::string{static_cast<char>(next), 0} + u16(body.size() + 4) + body;
}
std::string message(int version, int first, int exchange, int flags, const std::string& rest,
                    bool answered = false) {
  return std::string("INITSPI!") + (answered ? std::string("RESPSPI!") : std::string(8, '\0')) +
         std::string{static_cast<char>(first), static_cast<char>(version),
                     static_cast<char>(exchange), static_cast<char>(flags)} +
         u32(0) + u32(28 + rest.size()) + rest;
}
// One proposal with one transform of version 1: AES, SHA, pre-shared key, group 2, 86400 seconds.
std::string sa_v1() {
  const std::string attributes = u16(0x8001) + u16(7) + u16(0x8002) + u16(2) + u16(0x8003) +
                                 u16(1) + u16(0x8004) + u16(2) + u16(0x800b) + u16(1) + u16(12) +
                                 u16(4) + u32(86400);
  const std::string transform = payload(0, std::string{1, 1, 0, 0} + attributes);
  return u32(1) + u32(1) + payload(0, std::string{1, 1, 0, 1} + transform);
}
std::string transform_v2(int type, int id) {
  return payload(3, std::string{static_cast<char>(type), 0} + u16(static_cast<size_t>(id)));
}
std::string sa_v2(const std::string& transforms, int protocol = 1) {
  return payload(0, std::string{1, static_cast<char>(protocol), 0, 4} + transforms);
}

Conversation main_mode() {
  Conversation c{&kIkeProtocol};
  c.datagrams();
  c.client(message(0x10, 1, 2, 0, payload(13, sa_v1()) + payload(0, "vendor")));
  c.server(message(0x10, 1, 2, 0, payload(0, sa_v1()), true));
  c.client(message(0x10, 4, 2, 0, payload(10, "client key") + payload(0, "client nonce"), true));
  c.server(message(0x10, 4, 2, 0, payload(10, "server key") + payload(0, "server nonce"), true));
  c.client(message(0x10, 5, 2, 1, "encrypted", true));
  return c;
}
const Transaction& tx(const applayer::contract::Outcome& o, size_t i = 0) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

TEST(IkeParser, Contract) { applayer::contract::check_contract(main_mode()); }

TEST(IkeParser, Version1RemembersTheExchange) {
  const auto o = run(main_mode());
  ASSERT_EQ(o.transactions().size(), 5u);
  std::string json;
  JsonWriter w(json);
  w.open_object();
  EXPECT_TRUE(write_ike(tx(o, 3), {}, w));
  w.close_object();
  EXPECT_THAT(
      json,
      HasSubstr(
          R"("alg_enc":"EncAesCbc","alg_enc_raw":7,"alg_hash":"HashSha","alg_hash_raw":2,"alg_auth":"AuthPreSharedKey")"));
  EXPECT_THAT(json, HasSubstr(R"("sa_life_duration":"Unknown","sa_life_duration_raw":86400)"));
  EXPECT_THAT(
      json,
      HasSubstr(
          R"("client":{"key_exchange_payload":"636c69656e74206b6579","key_exchange_payload_length":10)"));
  EXPECT_THAT(json,
              HasSubstr(R"("nonce_payload":"736572766572206e6f6e6365","nonce_payload_length":12)"));
  EXPECT_TRUE(tx(o, 4).payload_types.empty());
}

TEST(IkeParser, Version2NamesPayloadsAndNotifications) {
  Conversation c{&kIkeProtocol};
  c.datagrams().server(
      message(0x20, 41, 34, 0x20, payload(0, std::string(2, '\0') + u16(14)), true));
  const auto o = run(c);
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("role":"responder","payload":["Notify","NoNextPayload"],"ikev2":{"errors":1,"notify":["NO_PROPOSAL_CHOSEN"]})"));
}

TEST(IkeEvents, WeakProposals) {
  const auto events = [](const std::string& transforms, int protocol = 1) {
    Conversation c{&kIkeProtocol};
    c.datagrams().client(message(0x20, 33, 34, 8, payload(0, sa_v2(transforms, protocol))));
    return tx(run(c)).events();
  };
  const std::string aes = transform_v2(1, 12), prf = transform_v2(2, 5),
                    sha256 = transform_v2(3, 12), group14 = transform_v2(4, 14);
  EXPECT_THAT(events(aes + prf + sha256 + group14), ElementsAre());
  EXPECT_THAT(
      events(transform_v2(1, 3) + transform_v2(2, 1) + transform_v2(3, 1) + transform_v2(4, 2)),
      UnorderedElementsAre(kWeakCryptoEnc, kWeakCryptoPrf, kWeakCryptoAuth, kWeakCryptoDh));
  EXPECT_THAT(events(aes + prf), UnorderedElementsAre(kWeakCryptoNoDh, kWeakCryptoNoAuth));
  EXPECT_THAT(events(transform_v2(1, 20) + prf + group14), ElementsAre());
  EXPECT_THAT(events(sha256 + group14, 2), ElementsAre(kNoEncryption));
}

TEST(IkeKeywords, ChosenAttribute) {
  const auto o = run(main_mode());
  const auto parse = kIkeProtocol.matchers[0].parse;
  const auto aes = parse("alg_enc=7"), des = parse("alg_enc=1");
  ASSERT_TRUE(aes.has_value() && des.has_value());
  EXPECT_TRUE((*aes)->match(tx(o, 1), Direction::kToClient));
  EXPECT_FALSE((*des)->match(tx(o, 1), Direction::kToClient));
  EXPECT_FALSE(parse("alg_none=1").has_value());
  EXPECT_FALSE(parse("alg_enc=x").has_value());
}

}  // namespace
}  // namespace vong::ike
