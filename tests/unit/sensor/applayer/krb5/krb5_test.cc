#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/krb5/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::krb5 {
namespace {

using applayer::ProbeVerdict;
using applayer::contract::Conversation;
using testing::Contains;
using testing::HasSubstr;

std::string der(uint8_t tag, std::string_view content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() >= 128) out.push_back(static_cast<char>(0x81));
  out.push_back(static_cast<char>(content.size()));
  return out.append(content);
}
std::string field(uint8_t n, std::string_view c) { return der(static_cast<uint8_t>(0xa0 | n), c); }
std::string integer(uint8_t v) { return der(2, std::string(1, static_cast<char>(v))); }
std::string name(std::initializer_list<std::string_view> parts) {
  std::string list;
  for (const auto p : parts) list += der(0x1b, p);
  return der(0x30, field(0, integer(1)) + field(1, der(0x30, list)));
}

std::string time() { return der(0x18, "20370913024805Z"); }

std::string request(uint8_t type, std::string_view user, bool nonce = true) {
  const std::string body =
      der(0x30, field(0, der(3, std::string(5, '\0'))) + field(1, name({user})) +
                    field(2, der(0x1b, "EXAMPLE.ORG")) + field(3, name({"krbtgt", "EXAMPLE.ORG"})) +
                    field(5, time()) + (nonce ? field(7, integer(1)) : "") +
                    field(8, der(0x30, integer(18))));
  return der(0x60 | type,
             der(0x30, field(1, integer(5)) + field(2, integer(type)) + field(4, body)));
}

std::string reply(uint8_t encryption, uint8_t ticket_encryption) {
  const std::string ticket =
      der(0x61, der(0x30, field(1, der(0x1b, "EXAMPLE.ORG")) + field(2, name({"cifs", "srv"})) +
                              field(3, der(0x30, field(0, integer(ticket_encryption))))));
  return der(0x6b,
             der(0x30, field(0, integer(5)) + field(1, integer(11)) +
                           field(3, der(0x1b, "EXAMPLE.ORG")) + field(4, name({"user"})) +
                           field(5, ticket) + field(6, der(0x30, field(0, integer(encryption))))));
}

std::string error(uint8_t code) {
  return der(0x7e, der(0x30, field(0, integer(5)) + field(1, integer(30)) + field(4, time()) +
                                 field(5, integer(0)) + field(6, integer(code)) +
                                 field(9, der(0x1b, "EXAMPLE.ORG")) +
                                 field(10, name({"krbtgt", "EXAMPLE.ORG"}))));
}

std::string marked(std::string_view m) {
  return std::string("\0\0\0", 3) + static_cast<char>(m.size()) + std::string(m);
}

Conversation session() {
  return Conversation{&kKrb5Protocol}
      .client(marked(request(10, "user")))
      .server(marked(error(25)))
      .client(marked(request(10, "user")))
      .server(marked(reply(18, 23)));
}

const Transaction& nth(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

bool matches(std::string_view keyword, std::string_view value, const Transaction& tx) {
  for (const auto& m : kKrb5Protocol.matchers) {
    if (m.name == keyword) return (*m.parse(value))->match(tx, Direction::kToClient);
  }
  return false;
}

TEST(Krb5Parser, Contract) { applayer::contract::check_contract(session()); }

TEST(Krb5Parser, MessagesOneByOne) {
  const auto o = run(session());
  ASSERT_EQ(o.transactions().size(), 4u);
  EXPECT_THAT(
      o.records(),
      HasSubstr(R"({"msg_type":"KRB_AS_REQ","cname":"user","realm":"EXAMPLE.ORG",)"
                R"("sname":"krbtgt/EXAMPLE.ORG","encryption":"<none>","weak_encryption":false})"));
  EXPECT_THAT(o.records(),
              HasSubstr(R"({"msg_type":"KRB_ERROR","failed_request":"KRB_AS_REQ",)"
                        R"("error_code":"KDC_ERR_PREAUTH_REQUIRED","cname":"<empty>")"));
  EXPECT_THAT(o.records(),
              HasSubstr(R"("encryption":"aes256-cts-hmac-sha1-96","weak_encryption":false,)"
                        R"("ticket_encryption":"rc4-hmac","ticket_weak_encryption":true)"));
  EXPECT_FALSE(nth(o, 0).has_direction[1]);
  EXPECT_FALSE(nth(o, 1).has_direction[0]);
}

TEST(Krb5Parser, AMessageThatLacksAFieldItMustHaveIsNone) {
  const auto o = run(Conversation{&kKrb5Protocol}.client(marked(request(10, "user", false))));
  EXPECT_TRUE(o.failed);
  EXPECT_TRUE(o.transactions().empty());
}

TEST(Krb5Parser, KeywordsOnErrorsAndTickets) {
  const auto o = run(session());
  EXPECT_TRUE(matches("krb5_err_code", "25", nth(o, 1)));
  EXPECT_TRUE(matches("krb5_err_code", "!0", nth(o, 1)));
  EXPECT_FALSE(matches("krb5_err_code", "!0", nth(o, 0)));  // no error at all
  EXPECT_TRUE(matches("krb5.ticket_encryption", "weak", nth(o, 3)));
  EXPECT_FALSE(matches("krb5.ticket_encryption", "!weak", nth(o, 3)));
  EXPECT_TRUE(matches("krb5.ticket_encryption", "aes256-cts-hmac-sha1-96,rc4-hmac", nth(o, 3)));
  EXPECT_TRUE(matches("krb5.ticket_encryption", "-128, 23", nth(o, 3)));
  for (const auto& m : kKrb5Protocol.matchers) EXPECT_FALSE(m.parse("nonsense").has_value());
}

TEST(Krb5Parser, WeakEncryptionIsAnEvent) {
  Conversation c{&kKrb5Protocol};
  c.server(marked(reply(23, 18)));
  EXPECT_THAT(nth(run(c), 0).events(), Contains(kWeakEncryption));
}

TEST(Krb5Parser, Datagrams) {
  Conversation c{&kKrb5Protocol};
  c.datagrams().client(request(12, "user")).server(error(7));
  applayer::contract::check_contract(c);
  EXPECT_THAT(run(c).records(),
              HasSubstr(R"("failed_request":"KRB_TGS_REQ","error_code":"KDC_ERR_S_PRIN)"));
}

TEST(Krb5Parser, OtherBytesEndTheParsing) {
  EXPECT_TRUE(run(Conversation{&kKrb5Protocol}.client(marked("nothing of the kind"))).failed);
}

TEST(Krb5Probe, OwnMessagesOnly) {
  const auto probe = [](Direction d, std::string_view s) {
    return kKrb5Protocol.probe.probe(d, as_bytes(s));
  };
  EXPECT_EQ(probe(Direction::kToServer, marked(request(10, "u"))), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToClient, marked(request(10, "u"))), ProbeVerdict::kReversed);
  EXPECT_EQ(probe(Direction::kToServer, "GET / HTTP/1.1\r\n\r\n"), ProbeVerdict::kNo);
  EXPECT_EQ(probe(Direction::kToServer, "\0\0"), ProbeVerdict::kMoreData);
}

}  // namespace
}  // namespace vong::krb5
