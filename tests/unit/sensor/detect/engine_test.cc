// What the engine as a whole does: who matches when, how often, in which order.
#include <gmock/gmock.h>

#include "tests/unit/sensor/detect/fixture.h"

namespace vong::detect {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Engine = DetectTest;

TEST_F(Engine, ContentInTheBufferMatches) {
  EXPECT_TRUE(matches("content:\"abc\"", "xxabcxx"));
  EXPECT_FALSE(matches("content:\"abc\"", "xxabxcx"));
  EXPECT_FALSE(matches("content:\"abc\"", ""));
}

TEST_F(Engine, HeaderOfTheRuleMustFit) {
  load(
      "alert udp 10.0.0.1 any -> any 80 (content:\"a\"; sid:1;)\n"
      "alert udp 10.0.0.9 any -> any 80 (content:\"a\"; sid:2;)\n"
      "alert udp any any -> any ![80,443] (content:\"a\"; sid:3;)\n"
      "alert tcp any any -> any any (content:\"a\"; sid:4;)\n"
      "alert udp any 80 <> any any (content:\"a\"; sid:5;)\n"
      "alert ip any any -> any any (content:\"a\"; sid:6;)\n");
  EXPECT_THAT(sids(packet("a")), ElementsAre(1, 5, 6));
}

TEST_F(Engine, RulesWithoutPatternsAreAskedToo) {
  load("alert udp any any -> any any (dsize:3; sid:1;)\nalert udp any any -> any any (content:!\"x\"; sid:2;)");
  EXPECT_THAT(sids(packet("abc")), ElementsAre(1, 2));
  EXPECT_THAT(sids(packet("abx")), ElementsAre(1));
}

TEST_F(Engine, APatternCountsInPayloadsOfTheSizeThatIsAskedForOnly) {
  load(
      "alert udp any any -> any any (content:\"abcd\"; dsize:6; sid:1;)\n"
      "alert udp any any -> any any (content:\"abcd\"; dsize:<6; sid:2;)\n"
      "alert udp any any -> any any (content:\"abcd\"; dsize:>6; sid:3;)\n"
      "alert udp any any -> any any (content:\"abcd\"; dsize:5<>8; sid:4;)\n"
      "alert udp any any -> any any (content:\"abcd\"; dsize:!6; sid:5;)\n"
      "alert udp any any -> any any (content:\"abcd\"; dsize:3<>8; sid:6;)\n"
      "alert udp any any -> any any (content:\"abcd\"; dsize:>65534; sid:7;)\n");
  EXPECT_THAT(sids(packet("abcd")), ElementsAre(2, 5, 6));
  EXPECT_THAT(sids(packet("abcd1")), ElementsAre(2, 5, 6));
  EXPECT_THAT(sids(packet("abcd12")), ElementsAre(1, 4, 6));
  EXPECT_THAT(sids(packet("abcd123")), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(sids(packet("abcd1234")), ElementsAre(3, 5));
  const std::string longest = "abcd" + std::string(65535 - 4, '.');
  EXPECT_THAT(sids(packet(longest)), ElementsAre(3, 5, 7));
}

TEST_F(Engine, AddressRulesFireOncePerFlowDirection) {
  load("alert ip 10.0.0.0/8 any -> any any (sid:1;)\nalert ip any any -> 10.0.0.2 any (sid:2;)\nalert ip any any -> any any (sid:3;)");
  EXPECT_EQ(report_.counts.ip_only, 3u);
  EXPECT_THAT(sids(tcp("a")), ElementsAre(1, 2, 3));
  EXPECT_THAT(sids(tcp("b")), IsEmpty());
  EXPECT_THAT(sids(tcp("c", Direction::kToClient)), ElementsAre(1, 3));
  EXPECT_THAT(sids(packet("no flow: each packet")), ElementsAre(1, 2, 3));
}

TEST_F(Engine, StreamRulesSeeContentAcrossPackets) {
  load("alert tcp any any -> any any (content:\"abcdef\"; sid:1;)\nalert tcp-pkt any any -> any any (content:\"abcdef\"; sid:2;)");
  EXPECT_THAT(sids(tcp("xxabc")), IsEmpty());
  Packet p = tcp("defyy");
  const auto alerts = detector_->inspect(p);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].rule->sid, 1u);
  EXPECT_TRUE(alerts[0].stream_match);
}

TEST_F(Engine, FlowDirectionAndStateRestrictARule) {
  load(
      "alert tcp any any -> any any (flow:to_server; content:\"a\"; sid:1;)\n"
      "alert tcp any any -> any any (flow:to_client; content:\"a\"; sid:2;)\n"
      "alert tcp any any -> any any (flow:established,to_server; content:\"a\"; sid:3;)\n"
      "alert tcp any any -> any any (flow:not_established; content:\"a\"; sid:4;)\n");
  EXPECT_THAT(sids(tcp("a")), ElementsAre(1, 3));
  Packet p = tcp("ba");
  p.flow_established = false;
  EXPECT_THAT(sids(p), ElementsAre(1, 4));
  EXPECT_THAT(sids(tcp("a", Direction::kToClient)), ElementsAre(2));
}

TEST_F(Engine, TransactionRuleFiresOnceAndWaitsForItsBuffers) {
  load("alert telnet any any -> any any (test.request; content:\"evil\"; test.names; content:\"bob\"; sid:1;)");
  TestTx& tx = use_test_protocol().tx();
  tx.request = "an evil request";
  EXPECT_THAT(sids(tcp("1")), IsEmpty()) << "progress 0: nothing to see yet";
  tx.progress[0] = 1;
  tx.updated[0] = true;
  EXPECT_THAT(sids(tcp("2")), IsEmpty()) << "one of two buffers";
  tx.names = {"alice", "bob"};
  tx.updated[0] = true;
  EXPECT_THAT(sids(tcp("3")), ElementsAre(1));
  tx.updated[0] = true;
  EXPECT_THAT(sids(tcp("4")), IsEmpty());
  tx.progress[0] = 2;
  tx.updated[0] = true;
  EXPECT_THAT(sids(tcp("5")), IsEmpty());
  EXPECT_TRUE(tx.inspected[0]);
  EXPECT_FALSE(tx.inspected[1]);
}

TEST_F(Engine, EachTransactionIsLookedAtByItself) {
  load("alert telnet any any -> any any (test.request; content:\"evil\"; sid:1;)");
  TestParser& parser = use_test_protocol();
  for (const char* text : {"evil", "good", "evil"}) {
    TestTx& tx = parser.tx();
    tx.request = text;
    tx.progress[0] = 2;
  }
  Packet p = tcp("x");
  std::vector<uint64_t> ids;
  for (const Alert& a : detector_->inspect(p)) ids.push_back(a.tx_id);
  EXPECT_THAT(ids, ElementsAre(0, 2));
}

TEST_F(Engine, RulesOfBothDirectionsNeedTheArrow) {
  EXPECT_NE(error_of("alert telnet any any -> any any (test.request; content:\"a\"; test.response; content:\"b\"; sid:1;)"), "");
  load("alert telnet any any => any any (test.request; content:\"ask\"; test.response; content:\"answer\"; sid:1;)");
  TestTx& tx = use_test_protocol().tx();
  tx.request = "ask";
  tx.progress[0] = 2;
  EXPECT_THAT(sids(tcp("x")), IsEmpty());
  tx.response = "answer";
  tx.progress[1] = 2;
  tx.updated[1] = true;
  EXPECT_THAT(sids(tcp("y", Direction::kToClient)), ElementsAre(1));
}

TEST_F(Engine, EventsOfTheProtocolMatch) {
  load("alert telnet any any -> any any (app-layer-event:telnet.worse; sid:1;)\nalert telnet any any -> any any (app-layer-event:telnet.odd; sid:2;)");
  TestTx& tx = use_test_protocol().tx();
  EXPECT_THAT(sids(tcp("x")), IsEmpty());
  tx.add_event(1);
  tx.updated[0] = true;
  EXPECT_THAT(sids(tcp("y")), ElementsAre(1));
}

TEST_F(Engine, NumbersOfTheProtocolMatch) {
  load("alert telnet any any -> any any (test.number:>3; sid:1;)\nalert telnet any any -> any any (test.number:update; sid:2;)");
  TestTx& tx = use_test_protocol().tx();
  tx.number = 5;
  tx.progress[0] = 1;
  EXPECT_THAT(sids(tcp("y")), ElementsAre(1, 2));
  EXPECT_NE(error_of("alert telnet any any -> any any (test.number:256; sid:1;)"), "");
}

TEST_F(Engine, PassRulesTakeTheAlertsBehindThemAway) {
  load("alert udp any any -> any any (content:\"a\"; sid:1;)\npass udp any any -> any any (content:\"b\"; sid:2;)");
  EXPECT_THAT(sids(packet("a")), ElementsAre(1));
  EXPECT_THAT(sids(packet("ab")), IsEmpty());
}

TEST_F(Engine, PriorityThenPlaceInTheFileOrdersAlerts) {
  load(
      "alert udp any any -> any any (content:\"a\"; priority:3; sid:1;)\n"
      "alert udp any any -> any any (content:\"a\"; priority:1; sid:2;)\n"
      "drop udp any any -> any any (content:\"a\"; priority:9; sid:3;)\n"
      "alert udp any any -> any any (content:\"a\"; priority:1; sid:4;)\n");
  EXPECT_THAT(sids(packet("a")), ElementsAre(3, 2, 4, 1));
}

TEST_F(Engine, QueueOfAlertsIsCapped) {
  std::string rules;
  for (int i = 1; i <= 30; ++i) rules += "alert udp any any -> any any (content:\"a\"; sid:" + std::to_string(i) + ";)\n";
  load(rules);
  EXPECT_EQ(sids(packet("a")).size(), 15u);
  EXPECT_EQ(detector_->counters().alert_queue_overflow, 15u);
}

TEST_F(Engine, FlowbitsConnectRules) {
  load(
      "alert tcp any any -> any any (content:\"b\"; flowbits:isset,seen; sid:1;)\n"
      "alert tcp any any -> any any (content:\"a\"; flowbits:set,seen; flowbits:noalert; sid:2;)\n"
      "alert tcp any any -> any any (content:\"c\"; flowbits:isnotset,seen; sid:3;)\n");
  EXPECT_THAT(sids(tcp("b")), IsEmpty());
  EXPECT_THAT(sids(tcp("a")), IsEmpty()) << "b was told before the bit was set";
  EXPECT_THAT(sids(tcp("c")), IsEmpty());
  EXPECT_THAT(sids(tcp("ab")), ElementsAre(1)) << "the setter runs first";
}

TEST_F(Engine, ThresholdsCountByHost) {
  load("alert udp any any -> any any (content:\"a\"; threshold:type threshold,track by_src,count 3,seconds 60; sid:1;)");
  EXPECT_THAT(sids(packet("a")), IsEmpty());
  EXPECT_THAT(sids(packet("a")), IsEmpty());
  EXPECT_THAT(sids(packet("a")), ElementsAre(1));
  EXPECT_THAT(sids(packet("a")), IsEmpty());
  load("alert udp any any -> any any (content:\"a\"; threshold:type limit,track by_src,count 1,seconds 60; sid:1;)");
  EXPECT_THAT(sids(packet("a")), ElementsAre(1));
  EXPECT_THAT(sids(packet("a")), IsEmpty());
  now_ += std::chrono::seconds(61);
  EXPECT_THAT(sids(packet("a")), ElementsAre(1));
}

TEST_F(Engine, DetectionFilterLetsTheFirstMatchesGo) {
  load("alert udp any any -> any any (content:\"a\"; detection_filter:track by_src,count 2,seconds 60; sid:1;)");
  EXPECT_THAT(sids(packet("a")), IsEmpty());
  EXPECT_THAT(sids(packet("a")), IsEmpty());
  EXPECT_THAT(sids(packet("a")), ElementsAre(1));
  EXPECT_THAT(sids(packet("a")), ElementsAre(1));
}

TEST_F(Engine, HashSaysWhichRulesRun) {
  load("alert udp any any -> any any (content:\"a\"; sid:1;)");
  const std::string first = rules_->hash();
  load("alert udp any any -> any any (content:\"a\"; sid:1; rev:2;)");
  EXPECT_NE(rules_->hash(), first);
  load("alert udp any any -> any any (content:\"a\"; sid:1;)");
  EXPECT_EQ(rules_->hash(), first);
}

}  // namespace
}  // namespace vong::detect
