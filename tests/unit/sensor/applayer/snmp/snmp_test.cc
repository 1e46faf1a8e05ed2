#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/snmp/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::snmp {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;

std::string element(int tag, const std::string& content) {
  return std::string{static_cast<char>(tag), static_cast<char>(content.size())} + content;
}
std::string number(int n) { return element(2, std::string(1, static_cast<char>(n))); }
const std::string kName = element(6, "\x2b\x06\x01\x02\x81\x01");
std::string variables() { return element(0x30, element(0x30, kName + element(5, ""))); }
std::string pdu(int kind) {
  return element(0xa0 + kind, number(1) + number(0) + number(0) + variables());
}
std::string version2(int kind) {
  return element(0x30, number(1) + element(4, "public") + pdu(kind));
}
std::string version3(const std::string& data) {
  const std::string user = element(0x30, element(4, "engine") + number(1) + number(2) +
                                             element(4, "alice") + element(4, "") + element(4, ""));
  return element(0x30, number(3) +
                           element(0x30, number(7) + number(100) + element(4, "\x04") + number(3)) +
                           element(4, user) + data);
}

const Transaction& tx(const applayer::contract::Outcome& o, size_t i = 0) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}
Conversation datagram(const std::string& m) {
  return Conversation{&kSnmpProtocol}.datagrams().client(m);
}

TEST(SnmpParser, Contract) {
  applayer::contract::check_contract(
      Conversation{&kSnmpProtocol}.datagrams().client(version2(0)).server(version2(2)));
  Conversation stream{&kSnmpProtocol};
  stream.client(version2(0) + version2(1)).server(version2(2));
  applayer::contract::check_contract(stream);
}

TEST(SnmpParser, Version2) {
  const auto o = run(datagram(version2(1)));
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"({"version":2,"pdu_type":"get_next_request","vars":["1.3.6.1.2.129"],"community":"public"})"));
}

TEST(SnmpParser, Version3) {
  const std::string scoped = element(0x30, element(4, "engine") + element(4, "") + pdu(8));
  EXPECT_THAT(run(datagram(version3(scoped))).records(),
              HasSubstr(R"("pdu_type":"report","vars":["1.3.6.1.2.129"],"usm":"alice")"));
  EXPECT_THAT(run(datagram(version3(element(4, "secret")))).records(),
              HasSubstr(R"({"version":3,"pdu_type":"encrypted"})"));
}

TEST(SnmpParser, TrapOfVersion1) {
  const std::string trap =
      element(0xa4, element(6, "\x2b\x06") + element(0x40, "\x0a\x01\x02\x03") + number(2) +
                        number(0) + element(0x43, "\x05") + variables());
  const auto o = run(datagram(element(0x30, number(0) + element(4, "c") + trap)));
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("pdu_type":"trap_v1","trap_type":"link_down","trap_oid":"1.3.6","trap_address":"10.1.2.3")"));
}

TEST(SnmpEvents, VersionsMustNotChange) {
  const auto o = run(Conversation{&kSnmpProtocol}
                         .datagrams()
                         .client(version2(0))
                         .client(version3(element(4, "x"))));
  EXPECT_THAT(tx(o, 1).events(), ElementsAre(kVersionMismatch));
}

TEST(SnmpEvents, MalformedEndsTheFlow) {
  const auto o =
      run(Conversation{&kSnmpProtocol}.datagrams().client(version2(0)).client("0\x03\x02\x01\x01"));
  EXPECT_TRUE(o.failed);
  EXPECT_THAT(tx(o).events(), ElementsAre(kMalformedData));
}

TEST(SnmpDetection, LooksAtTheVersion) {
  const auto& probe = *kSnmpProtocol.probe.datagram_probe;
  EXPECT_EQ(probe(Direction::kToServer, as_bytes(version2(0))), applayer::ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToServer, as_bytes(std::string("0\x03\x02\x01\x07"))),
            applayer::ProbeVerdict::kNo);
}

}  // namespace
}  // namespace vong::snmp
