#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/sip/limits.h"
#include "sensor/applayer/sip/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::sip {
namespace {

using applayer::ProbeVerdict;
using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kSdp =
    "v=0\r\no=bob 1 2 IN IP4 192.0.2.1\r\ns=call\r\ni=info\r\nc=IN IP4 192.0.2.1\r\nb=AS:64\r\n"
    "t=0 0\r\nr=7d 1h\r\na=tool:x\r\nm=audio 49170 RTP/AVP 0\r\ni=voice\r\na=sendrecv\r\n"
    "m=video 51372 RTP/AVP 31\r\nc=IN IP4 192.0.2.2\r\n";

std::string invite() {
  return "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nv: SIP/2.0/UDP b\r\n"
         "f: <sip:al@example.org>\r\nTo: <sip:bob@example.org>\r\nUser-Agent: x\r\n  y\r\n"
         "Content-Type: application/sdp\r\nContent-Length: " +
         std::to_string(kSdp.size()) + "\r\n\r\n" + kSdp;
}
const std::string kOk = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\nl: 0\r\n\r\n";

Conversation stream() {
  Conversation c{&kSipProtocol};
  c.client(invite()).server("\r\n\r\n" + kOk).client("BYE sip:b SIP/2.0\r\nTo: b\r\n\r\n");
  return c;
}

const Transaction& nth(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

TEST(SipParser, ContractOfStreams) { applayer::contract::check_contract(stream()); }

TEST(SipParser, ContractOfDatagrams) {
  Conversation c{&kSipProtocol};
  c.datagrams().client(invite()).server(kOk);
  applayer::contract::check_contract(c, {.transactions_max = 10'000});
}

TEST(SipParser, RequestAndResponse) {
  const auto o = run(stream());
  ASSERT_EQ(o.transactions().size(), 3u);
  EXPECT_EQ(nth(o, 0).message.method, "INVITE");
  EXPECT_EQ(nth(o, 1).message.code, "200");
  EXPECT_EQ(nth(o, 1).message.reason, "OK");
  EXPECT_EQ(nth(o, 2).message.method, "BYE");
  EXPECT_FALSE(nth(o, 1).has_direction[index(Direction::kToServer)]);
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"({"sip":{"version":"SIP/2.0","code":"200","reason":"OK","response_line":"SIP/2.0 200 OK"}})"));
}

TEST(SipParser, CompactAndFoldedHeaders) {
  const std::string all = run(stream()).records();
  EXPECT_THAT(all, HasSubstr(">sip.via=\"SIP/2.0/UDP a\"\n >sip.via=\"SIP/2.0/UDP b\""));
  EXPECT_THAT(all, HasSubstr(">sip.from=\"<sip:al@example.org>\""));
  EXPECT_THAT(all, HasSubstr(">sip.user_agent=\"x y\""));
  EXPECT_THAT(all, HasSubstr("<sip.content_length=\"0\""));
}

TEST(SipParser, SessionDescription) {
  const std::string all = run(stream()).records();
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("sdp":{"version":0,"origin":"bob 1 2 IN IP4 192.0.2.1","session_name":"call","session_info":"info","connection_data":"IN IP4 192.0.2.1","bandwidths":["AS:64"],"time_descriptions":[{"time":"0 0","repeat_time":"7d 1h"}],"attributes":["tool:x"],"media_descriptions":[{"media":"audio 49170 RTP/AVP 0","media_info":"voice","attributes":["sendrecv"]},{"media":"video 51372 RTP/AVP 31","connection_data":"IN IP4 192.0.2.2"}]})"));
  EXPECT_THAT(all, HasSubstr(">sdp.attribute=\"tool:x\"\n >sdp.attribute=\"sendrecv\""));
  EXPECT_THAT(all, HasSubstr(">sdp.media.connection_data=\"IN IP4 192.0.2.2\""));
}

TEST(SipParser, DatagramsThatAreNoMessagesAreNoted) {
  Conversation c{&kSipProtocol};
  c.datagrams().client(invite()).client("garbage").client("BYE sip:b SIP/2.0\r\nTo: b\r\n");
  c.client("\r\n\r\n").server(kOk);
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_THAT(nth(o, 0).events(), ElementsAre(kInvalidData, kIncompleteData));
}

TEST(SipParser, HeadersWithoutEndAreGivenUp) {
  Conversation c{&kSipProtocol};
  c.client("BYE sip:b SIP/2.0\r\n" + std::string(kMaxHeadBytes, 'a'));
  EXPECT_TRUE(run_in_pieces(c, 1000).failed);
}

TEST(SipParser, LongBodiesAreReadOver) {
  Conversation c{&kSipProtocol};
  const std::string body(kMaxBodyBytes + 1, 'x');
  c.client("INFO sip:b SIP/2.0\r\nl: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  c.client("BYE sip:b SIP/2.0\r\nTo: b\r\n\r\n");
  const auto o = run_in_pieces(c, 1460);
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_EQ(nth(o, 1).message.method, "BYE");
}

TEST(SipProbe, WholeLineDecides) {
  const auto probe = [](Direction d, std::string_view s) {
    return kSipProtocol.probe.probe(d, as_bytes(s));
  };
  EXPECT_EQ(probe(Direction::kToServer, invite()), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToServer, "INVITE sip"), ProbeVerdict::kMoreData);
  EXPECT_EQ(probe(Direction::kToServer, "INFO / HTTP/1.1\r\n"), ProbeVerdict::kNo);
  EXPECT_EQ(probe(Direction::kToServer, "OPTIONS sip:b SIP/2.0\r\n"), ProbeVerdict::kNo);
  EXPECT_EQ(probe(Direction::kToClient, kOk), ProbeVerdict::kYes);
  EXPECT_EQ(kSipProtocol.probe.datagram_probe(Direction::kToServer, as_bytes(kOk)),
            ProbeVerdict::kReversed);
}

}  // namespace
}  // namespace vong::sip
