#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/dcerpc/parser.h"
#include "sensor/applayer/formats/text.h"
#include "tests/contract/parser_contract.h"

namespace vong::dcerpc {
namespace {

using applayer::ProbeVerdict;
using applayer::contract::Conversation;
using testing::HasSubstr;

constexpr std::string_view kSvcctl = "367abb81-9844-35f1-ad32-98f038001003";

std::string number(uint64_t value, int bytes, bool little) {
  std::string out;
  for (int i = 0; i < bytes; ++i)
    out.push_back(static_cast<char>(value >> 8 * (little ? i : bytes - 1 - i)));
  return out;
}

std::string uuid(std::string_view text, bool little) {
  std::string b = formats::parse_uuid(text);
  if (little) {
    std::reverse(b.begin(), b.begin() + 4);
    std::reverse(b.begin() + 4, b.begin() + 6);
    std::reverse(b.begin() + 6, b.begin() + 8);
  }
  return b;
}

std::string unit(uint8_t type, uint32_t call, std::string_view body, uint8_t flags = 3,
                 bool little = true) {
  std::string out{"\x05\x00", 2};
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(flags));
  out.push_back(static_cast<char>(little ? 0x10 : 0));
  out.append(3, '\0');
  out += number(16 + body.size(), 2, little) + number(0, 2, little) + number(call, 4, little);
  return out.append(body);
}

std::string bind(uint32_t call, bool little = true) {
  return unit(rpc::kBind, call,
              std::string(8, '\0') + std::string{"\1\0\0\0", 4} + number(0, 2, little) +
                  std::string{"\1\0", 2} + uuid(kSvcctl, little) + number(2, 2, little) +
                  number(0, 2, little) + std::string(20, '\0'),
              3, little);
}

std::string ack(uint32_t call, uint16_t result = 0, bool little = true) {
  return unit(rpc::kBindAck, call,
              std::string(8, '\0') + number(4, 2, little) + std::string("135\0", 4) +
                  std::string(2, '\0') + std::string{"\1\0\0\0", 4} + number(result, 2, little) +
                  number(0, 2, little) + std::string(20, '\0'),
              3, little);
}

std::string request(uint32_t call, uint16_t opnum, std::string_view stub, uint8_t flags = 3,
                    bool little = true) {
  return unit(
      rpc::kRequest, call,
      std::string(4, '\0') + number(0, 2, little) + number(opnum, 2, little) + std::string(stub),
      flags, little);
}

std::string response(uint32_t call, std::string_view stub, uint8_t flags = 3) {
  return unit(rpc::kResponse, call, std::string(8, '\0') + std::string(stub), flags);
}

Conversation session() {
  return Conversation{&kDcerpcProtocol}
      .client(bind(1))
      .server(ack(1))
      .client(request(2, 15, "hello ", 1) + request(2, 15, "world", 2))
      .server(response(2, "answer"));
}

const Transaction& nth(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

bool matches(std::string_view keyword, std::string_view value, const Transaction& tx) {
  for (const auto& m : kDcerpcProtocol.matchers) {
    if (m.name == keyword) return (*m.parse(value))->match(tx, Direction::kToServer);
  }
  return false;
}

TEST(DcerpcParser, Contract) { applayer::contract::check_contract(session()); }

TEST(DcerpcParser, BindAndCallWithTheirAnswers) {
  const auto o = run(session());
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_THAT(o.records(),
              HasSubstr(R"("request":"BIND","interfaces":[{"uuid":"367abb81-9844-35f1-ad32-)"
                        R"(98f038001003","version":"2.0","ack_result":0}],"response":"BINDACK",)"
                        R"("call_id":1,"rpc_version":"5.0")"));
  EXPECT_EQ(nth(o, 1).opnum, 15);
  EXPECT_EQ(nth(o, 1).stubs[0].data, "hello world");
  EXPECT_EQ(nth(o, 1).stubs[0].fragments, 2u);
  EXPECT_TRUE(nth(o, 1).stubs[1].data.ends_with("answer"));
}

TEST(DcerpcParser, BigEndianUnits) {
  Conversation c{&kDcerpcProtocol};
  c.client(bind(1, false)).server(ack(1, 0, false)).client(request(2, 258, "x", 3, false));
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_EQ(nth(o, 1).opnum, 258);
  EXPECT_TRUE(matches("dcerpc.iface", kSvcctl, nth(o, 1)));
}

TEST(DcerpcParser, InterfaceMustBeAccepted) {
  Conversation c{&kDcerpcProtocol};
  c.client(bind(1)).server(ack(1, 2)).client(request(2, 1, "x"));
  EXPECT_FALSE(matches("dcerpc.iface", kSvcctl, nth(run(c), 1)));
  const auto o = run(session());
  const std::string iface(kSvcctl);
  EXPECT_TRUE(matches("dcerpc.iface", iface, nth(o, 1)));
  EXPECT_TRUE(matches("dcerpc.iface", iface + ",=2", nth(o, 1)));
  EXPECT_TRUE(matches("dcerpc.iface", iface + ",<3,any_frag", nth(o, 1)));
  EXPECT_FALSE(matches("dcerpc.iface", iface + ",!2", nth(o, 1)));
  EXPECT_FALSE(matches("dcerpc.iface", iface, nth(o, 0)));  // a bind is no call
}

TEST(DcerpcParser, InterfacesOfABindThatIsNoFirstFragmentCountOnlyWhereAnyFragmentDoes) {
  std::string later = bind(1);
  later[3] = 0;
  Conversation c{&kDcerpcProtocol};
  c.client(later).server(ack(1)).client(request(2, 15, "x"));
  const auto o = run(c);
  EXPECT_FALSE(matches("dcerpc.iface", kSvcctl, nth(o, 1)));
  EXPECT_TRUE(matches("dcerpc.iface", std::string(kSvcctl) + ",any_frag", nth(o, 1)));
}

TEST(DcerpcParser, OpnumListsAndRanges) {
  const auto o = run(session());
  EXPECT_TRUE(matches("dcerpc.opnum", "15", nth(o, 1)));
  EXPECT_TRUE(matches("dcerpc.opnum", "1,3, 12-16", nth(o, 1)));
  EXPECT_FALSE(matches("dcerpc.opnum", "16-20", nth(o, 1)));
  EXPECT_FALSE(rpc::parse_opnum_test("20-16").has_value());
  EXPECT_FALSE(rpc::parse_opnum_test("70000").has_value());
  EXPECT_FALSE(rpc::parse_interface_test("xyz").has_value());
}

TEST(DcerpcParser, AnswerWithoutCallIsToldAsLost) {
  Conversation c{&kDcerpcProtocol};
  c.server(response(7, "abc"));
  EXPECT_THAT(run(c).records(),
              HasSubstr(R"({"request":"REQUEST_LOST","response":"RESPONSE","res":{"frag_cnt":1,)"
                        R"("stub_data_size":11},"call_id":7)"));
}

TEST(DcerpcParser, GoesOnAfterAGap) {
  DcerpcParser p{Config{}};
  applayer::Input in;
  const std::string first = bind(1), broken = std::string("zz\5\0\1", 5) + request(3, 9, "s");
  in.data = as_bytes(first);
  (void)p.parse(Direction::kToServer, in);
  ASSERT_TRUE(p.gap(Direction::kToServer, 100));
  in.data = as_bytes(broken);
  EXPECT_EQ(p.parse(Direction::kToServer, in).consumed, broken.size());
  ASSERT_EQ(p.transactions.size(), 2u);
  EXPECT_EQ(static_cast<Transaction&>(*p.transactions[1]).opnum, 9);
}

TEST(DcerpcParser, OpenCallsAreBounded) {
  Conversation c{&kDcerpcProtocol};
  c.settings.set("app-layer.protocols.dcerpc.max-tx", "10");
  for (uint32_t i = 0; i < 50; ++i) c.client(request(i, 1, "x"));
  size_t open = 0;
  DcerpcParser p{Config{.transactions_max = 10}};
  applayer::Input in;
  for (const auto& s : c.steps) {
    in.data = as_bytes(s.bytes);
    (void)p.parse(Direction::kToServer, in);
  }
  for (const auto& tx : p.transactions)
    open += !static_cast<Transaction&>(*tx).done(Direction::kToClient);
  EXPECT_EQ(open, 10u);
}

std::string datagram(uint8_t type, std::string_view stub) {
  std::string out{"\4", 1};
  out.push_back(static_cast<char>(type));
  out += std::string{"\0\0\x10\0\0\0", 6} + std::string(16, '\0') + uuid(kSvcctl, true);
  out += std::string(16, 'a') + std::string(4, '\0') + number(2, 4, true) + number(5, 4, true);
  out += number(9, 2, true) + std::string(4, '\xff') + number(stub.size(), 2, true);
  out += std::string(4, '\0');
  return out.append(stub);
}

TEST(DcerpcDatagrams, CallAndAnswer) {
  Conversation c{&kDcerpcProtocol};
  c.datagrams();
  c.client(datagram(0, "abc")).server(datagram(2, "de"));
  applayer::contract::check_contract(c);
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 1u);
  EXPECT_EQ(nth(o, 0).opnum, 9);
  EXPECT_EQ(nth(o, 0).stubs[1].data, "de");
  EXPECT_TRUE(matches("dcerpc.iface", kSvcctl, nth(o, 0)));
  EXPECT_THAT(o.records(), HasSubstr(R"("seqnum":5,"rpc_version":"4.0")"));
}

TEST(DcerpcProbe, BothWaysAndWhatIsNot) {
  const auto probe = [](Direction d, std::string_view s) {
    return kDcerpcProtocol.probe.probe(d, as_bytes(s));
  };
  EXPECT_EQ(probe(Direction::kToServer, bind(1)), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToClient, bind(1)), ProbeVerdict::kReversed);
  EXPECT_EQ(probe(Direction::kToClient, ack(1)), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToServer, bind(1).substr(0, 9)), ProbeVerdict::kMoreData);
  EXPECT_EQ(probe(Direction::kToServer, "GET / HTTP/1.1\r\n"), ProbeVerdict::kNo);
  EXPECT_EQ(probe(Direction::kToServer, std::string("\5\0\0\3\xf0\0\0\0\x40\0\0\0\1\0\0\0", 16)),
            ProbeVerdict::kNo);   // no such representation
  EXPECT_EQ(probe(Direction::kToClient, std::string("\5\0\5\0\0\1\x7f\0\0\1\x1c\x4b\0\0\0\0", 16)),
            ProbeVerdict::kYes);   // SOCKS: taken for calls, as by the reference
  EXPECT_EQ(
      kDcerpcProtocol.probe.datagram_probe(Direction::kToServer, as_bytes(datagram(0, "abc"))),
      ProbeVerdict::kYes);
}

}  // namespace
}  // namespace vong::dcerpc
