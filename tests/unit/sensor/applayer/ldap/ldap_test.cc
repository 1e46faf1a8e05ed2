#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/ldap/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::ldap {
namespace {

using applayer::AppProto;
using applayer::ProbeVerdict;
using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

std::string tlv(uint8_t tag, const std::string& content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() > 127) out.append("\x82").push_back(static_cast<char>(content.size() >> 8));
  out.push_back(static_cast<char>(content.size()));
  return out + content;
}
std::string octets(const std::string& s) { return tlv(4, s); }
std::string number(char v) { return tlv(2, std::string(1, v)); }
std::string enumerated(char v) { return tlv(10, std::string(1, v)); }
std::string message(char id, uint8_t op, const std::string& body) {
  return tlv(0x30, number(id) + tlv(op, body));
}
std::string result(char code, const std::string& text = "") {
  return enumerated(code) + octets("") + octets(text);
}
std::string search(char id) {
  return message(id, 0x63,
                 octets("dc=x") + enumerated(2) + enumerated(0) + number(10) + number(3) +
                     tlv(1, "\0"s) + tlv(0x87, "objectClass") +
                     tlv(0x30, octets("cn") + octets("mail")));
}
std::string entry(char id) {
  return message(id, 0x64,
                 octets("cn=a,dc=x") +
                     tlv(0x30, tlv(0x30, octets("cn") + tlv(0x31, octets("a") + octets("b")))));
}
std::string sasl_bind(char id) {
  return message(id, 0x60,
                 number(3) + octets("") + tlv(0xa3, octets("GSSAPI") + octets("\x01\xff")));
}

Conversation session() {
  Conversation c{&kLdapProtocol};
  c.client(message(1, 0x60, number(3) + octets("cn=admin") + tlv(0x80, "secret")));
  c.server(message(1, 0x61, result(0)));
  c.client(search(2)).server(entry(2) + entry(2) + message(2, 0x65, result(0)));
  c.client(message(
      3, 0x66,
      octets("cn=a") +
          tlv(0x30,
              tlv(0x30, enumerated(2) + tlv(0x30, octets("mail") + tlv(0x31, octets("m")))))));
  c.server(message(3, 0x67, result(50, "no")));
  c.client(message(4, 0x6e, octets("cn=a") + tlv(0x30, octets("sn") + octets("v"))));
  c.server(message(4, 0x6f, result(6)));
  c.client(message(5, 0x4a, "cn=a")).server(message(5, 0x6b, result(32)));
  c.client(message(6, 0x6c, octets("cn=a") + octets("cn=b") + tlv(1, "\xff")));
  c.server(message(6, 0x6d, result(0)));
  c.client(message(7, 0x50, "\x02")).client(message(8, 0x42, ""));
  return c;
}

const Transaction& nth(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

TEST(LdapParser, Contract) { applayer::contract::check_contract(session()); }

TEST(LdapParser, ContractOfDatagrams) {
  Conversation c{&kLdapProtocol};
  c.datagrams().client(search(1)).server(entry(1) + message(1, 0x65, result(0)));
  applayer::contract::check_contract(c);
}

TEST(LdapParser, RequestsWithTheirResponses) {
  const auto o = run(session());
  ASSERT_EQ(o.transactions().size(), 8u);
  EXPECT_EQ(nth(o, 1).responses.size(), 3u);
  EXPECT_EQ(nth(o, 7).request->op, Op::kUnbindRequest);
  const std::string all = o.records();
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("request":{"operation":"search_request","message_id":2,"search_request":{"base_object":"dc=x","scope":2,"deref_alias":0,"size_limit":10,"time_limit":3,"types_only":false,"attributes":["cn","mail"]}})"));
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("search_result_entry":{"base_object":"cn=a,dc=x","attributes":[{"type":"cn","values":["a","b"]}]})"));
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("modify_request":{"object":"cn=a","changes":[{"operation":"replace","modification":{"attribute_type":"mail","attribute_values":["m"]}}]})"));
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("modify_response":{"result_code":"insufficient_access_rights","matched_dn":"","message":"no"})"));
  EXPECT_THAT(all, HasSubstr(R"("result_code":"compare_true")"));
  EXPECT_THAT(all, HasSubstr(R"("del_request":{"dn":"cn=a"})"));
  EXPECT_THAT(
      all,
      HasSubstr(R"("mod_dn_request":{"entry":"cn=a","new_rdn":"cn=b","delete_old_rdn":true})"));
  EXPECT_THAT(all, HasSubstr(R"("abandon_request":{"message_id":2})"));
  EXPECT_THAT(all, testing::Not(HasSubstr("secret")));
}

TEST(LdapParser, NotificationsAndStrayResponses) {
  Conversation c{&kLdapProtocol};
  c.server(message(0, 0x78, result(52, "bye") + tlv(0x8a, "1.3.6.1.4.1.1466.20036")));
  c.server(message(9, 0x65, result(0)));
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_THAT(nth(o, 0).events(), ElementsAre());
  EXPECT_THAT(nth(o, 1).events(), ElementsAre(kRequestNotFound));
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("result_code":"unavailable","matched_dn":"","message":"bye","name":"1.3.6.1.4.1.1466.20036")"));
}

TEST(LdapParser, StartTlsHandsOver) {
  Conversation c{&kLdapProtocol};
  c.client(message(1, 0x77, tlv(0x80, std::string(kStartTlsOid))));
  c.server(message(1, 0x78, result(0)));
  const auto o = run(c);
  EXPECT_TRUE(o.upgraded);
  EXPECT_EQ(o.next, AppProto::kTls);
}

TEST(LdapParser, SealedMessagesAreLeftAlone) {
  Conversation c{&kLdapProtocol};
  c.client(sasl_bind(1)).server(message(1, 0x61, result(0)));
  c.client("\0\0\0\5abcde"s).server("\0\0\0\5abcde"s);
  const auto o = run(c);
  EXPECT_FALSE(o.failed);
  ASSERT_EQ(o.transactions().size(), 1u);
  EXPECT_THAT(nth(o, 0).events(), ElementsAre());
  EXPECT_THAT(o.records(), HasSubstr(R"("sasl":{"mechanism":"GSSAPI","credentials":"01ff"})"));
}

TEST(LdapParser, BrokenMessagesEndTheParsing) {
  for (const std::string& bad :
       {"\x31\x03\x02\x01\x01"s, tlv(0x30, number(1) + tlv(0x63, octets("x"))), "\x30\x80\x00\x00"s,
        "\x30\x84\x7f\xff\xff\xff"s}) {
    Conversation c{&kLdapProtocol};
    c.client(search(1)).client(bad);
    const auto o = run(c);
    EXPECT_TRUE(o.failed);
    EXPECT_THAT(nth(o, 0).events(), ElementsAre(kInvalidData));
  }
}

TEST(LdapParser, OpenRequestsAreBounded) {
  Conversation c{&kLdapProtocol};
  c.settings.set("app-layer.protocols.ldap.max-tx", "2");
  c.client(search(1)).client(search(2)).client(search(3));
  const auto o = run(c);
  EXPECT_THAT(nth(o, 0).events(), ElementsAre(kTooManyTransactions));
}

TEST(LdapKeywords, ResponsesByIndex) {
  const auto o = run(session());
  const auto fits = [&](std::string_view name, std::string_view value) {
    for (const auto& m : kLdapProtocol.matchers) {
      if (m.name != name) continue;
      auto parsed = m.parse(value);
      return parsed && (*parsed)->match(nth(o, 1), Direction::kToClient);
    }
    return false;
  };
  EXPECT_TRUE(fits("ldap.responses.operation", "search_result_done"));
  EXPECT_TRUE(fits("ldap.responses.operation", "search_result_done,-1"));
  EXPECT_TRUE(fits("ldap.responses.operation", "4,1"));
  EXPECT_FALSE(fits("ldap.responses.operation", "search_result_entry,all"));
  EXPECT_FALSE(fits("ldap.responses.operation", "search_result_entry,2"));
  EXPECT_FALSE(fits("ldap.responses.operation", "nothing"));
  EXPECT_TRUE(fits("ldap.responses.result_code", "success"));
  EXPECT_TRUE(fits("ldap.responses.result_code", "<1"));
  EXPECT_FALSE(fits("ldap.responses.result_code", "!success"));
}

TEST(LdapProbe, OperationTellsTheSide) {
  const auto probe = [](Direction d, const std::string& s) {
    return kLdapProtocol.probe.probe(d, as_bytes(s));
  };
  EXPECT_EQ(probe(Direction::kToServer, search(1)), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToServer, search(1).substr(0, 6)), ProbeVerdict::kMoreData);
  EXPECT_EQ(probe(Direction::kToServer, entry(1)), ProbeVerdict::kReversed);
  EXPECT_EQ(probe(Direction::kToServer, "\x16\x03\x01"s), ProbeVerdict::kNo);
}

}  // namespace
}  // namespace vong::ldap
