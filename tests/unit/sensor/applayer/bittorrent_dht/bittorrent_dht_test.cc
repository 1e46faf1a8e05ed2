#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/bittorrent_dht/limits.h"
#include "sensor/applayer/bittorrent_dht/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::bittorrent_dht {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kId(20, 'a');

std::string record(const std::string& datagram) {
  return run(Conversation{&kBittorrentDhtProtocol}.datagrams().client(datagram)).records();
}

bool malformed(const std::string& datagram) {
  Message m;
  return !parse_message(as_bytes(datagram), m);
}

TEST(DhtParser, Contract) {
  Conversation c{&kBittorrentDhtProtocol};
  c.datagrams().client("d1:ad2:id20:" + kId + "6:target20:" + kId +
                       "e1:q9:find_node1:t2:aa1:y1:qe");
  c.server("d1:rd2:id20:" + kId + "5:nodes26:" + kId + "\1\2\3\4\0\5" + "e1:t2:aa1:y1:re");
  applayer::contract::check_contract(c, {.transactions_max = 10'000});
}

TEST(DhtParser, Query) {
  EXPECT_THAT(
      record("d1:ad2:id20:" + kId +
             "12:implied_porti1e4:porti6881e5:token2:xye1:q13:"
             "announce_peer1:t2:aa1:v4:UT011:y1:qe"),
      HasSubstr(
          R"({"bittorrent_dht":{"transaction_id":"6161","client_version":"55543031","request_type":"announce_peer","request":{"id":"6161616161616161616161616161616161616161","token":"7879","implied_port":1,"port":6881}}})"));
}

TEST(DhtParser, ResponseWithNodesAndPeers) {
  using namespace std::string_literals;
  const auto text = record("d1:rd2:id20:" + kId + "5:nodes26:" + kId + "\1\2\3\4\0\5"s +
                           "6:valuesl6:\1\2\3\4\0\7"s + "ee1:t2:aa1:y1:re");
  EXPECT_THAT(text, HasSubstr(R"("ip":"1.2.3.4","port":5}])"));
  EXPECT_THAT(text, HasSubstr(R"("values":[{"ip":"1.2.3.4","port":7}])"));
}

TEST(DhtParser, Error) {
  EXPECT_THAT(record("d1:eli201e3:bade1:t2:aa1:y1:ee"),
              HasSubstr(R"("error":{"num":201,"msg":"bad"})"));
}

TEST(DhtParser, WhatIsMissingMakesItMalformed) {
  EXPECT_FALSE(malformed("d1:ad2:id20:" + kId + "e1:q4:ping1:t2:aa1:y1:qe"));
  EXPECT_TRUE(malformed("d1:ad2:id20:" + kId + "e1:q4:ping1:y1:qe"));
  EXPECT_TRUE(malformed("d1:ade1:q4:ping1:t2:aa1:y1:qe"));
  EXPECT_TRUE(malformed("d1:t2:aa1:y1:ee"));
  EXPECT_TRUE(malformed("d1:t99999999999999999999:aae"));
  const auto o = run(Conversation{&kBittorrentDhtProtocol}.datagrams().client("d1:t"));
  EXPECT_THAT(o.transactions().at(0)->events(), ElementsAre(kMalformedPacket));
}

TEST(DhtParser, NestingIsBounded) {
  const std::string deep =
      "d1:x" + std::string(kMaxDepth + 1, 'l') + std::string(kMaxDepth + 1, 'e') + "1:t2:aae";
  EXPECT_TRUE(malformed(deep));
  Message m;
  EXPECT_FALSE(parse_message(as_bytes("d1:xllleee1:t2:aae"), m));
  EXPECT_EQ(as_text(m.transaction_id), "aa");
}

}  // namespace
}  // namespace vong::bittorrent_dht
