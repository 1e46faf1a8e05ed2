#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/byte_reader.h"
#include "sensor/applayer/formats/dcerpc.h"
#include "sensor/applayer/formats/der.h"
#include "sensor/applayer/formats/kerberos.h"
#include "sensor/applayer/formats/logon_token.h"
#include "sensor/applayer/formats/text.h"

namespace vong::formats {
namespace {

using testing::ElementsAre;

std::string der(uint8_t tag, std::string_view content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() < 128) {
    out.push_back(static_cast<char>(content.size()));
  } else {
    out.push_back(static_cast<char>(0x82));
    out.push_back(static_cast<char>(content.size() >> 8));
    out.push_back(static_cast<char>(content.size()));
  }
  return out.append(content);
}

std::string field(uint8_t n, std::string_view content) {
  return der(static_cast<uint8_t>(0xa0 | n), content);
}
std::string integer(uint8_t v) { return der(2, std::string(1, static_cast<char>(v))); }
std::string name(std::initializer_list<std::string_view> parts) {
  std::string list;
  for (const auto p : parts) list += der(0x1b, p);
  return der(0x30, field(0, integer(1)) + field(1, der(0x30, list)));
}

std::string le(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> 8 * i));
  return out;
}

std::string wide(std::string_view text) {
  std::string out;
  for (const char c : text) out.append({c, '\0'});
  return out;
}

std::string ticket() {
  return der(0x61, der(0x30, field(0, integer(5)) + field(1, der(0x1b, "EXAMPLE.ORG")) +
                                 field(2, name({"cifs", "srv"})) +
                                 field(3, der(0x30, field(0, integer(18))))));
}

TEST(Text, UuidsAndGuids) {
  const std::string bytes = parse_uuid("00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(uuid_text(as_bytes(bytes)), "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(guid_text(as_bytes(bytes)), "33221100-5544-7766-9988-bbaaffeeddcc");
  EXPECT_EQ(parse_uuid("00112233-4455-6677-8899-aabbccddeefg"), "");
  EXPECT_EQ(parse_uuid("00112233x4455-6677-8899-aabbccddeeff"), "");
  EXPECT_EQ(guid_text(as_bytes("short")), "");
  EXPECT_EQ(without_zeros(as_bytes(wide("abc"))), "abc");
}

TEST(Der, LengthsOfAllForms) {
  EXPECT_EQ(first_der(as_bytes(der(4, std::string(300, 'x'))))->content.size(), 300u);
  EXPECT_FALSE(first_der(as_bytes(std::string("\x04\x05xy", 4))).has_value());  // cut off
  EXPECT_FALSE(first_der(as_bytes(std::string("\x04\x80xy", 4))).has_value());  // indefinite
  EXPECT_FALSE(first_der(as_bytes(std::string("\x04\x85\1\1\1\1\1", 7))).has_value());
  EXPECT_EQ(der_integer(as_bytes(std::string("\2\1\xff", 3))), -1);
  EXPECT_EQ(der_integer(as_bytes(std::string("\2\2\1\0", 4))), 256);
  EXPECT_FALSE(der_integer(as_bytes(std::string("\2\0", 2))).has_value());
}

TEST(Kerberos, RequestReplyAndError) {
  const std::string time = der(0x18, "20370913024805Z");
  const std::string body =
      der(0x30, field(0, der(3, std::string(5, '\0'))) + field(1, name({"user"})) +
                    field(2, der(0x1b, "EXAMPLE.ORG")) + field(3, name({"krbtgt", "EXAMPLE.ORG"})) +
                    field(5, time) + field(7, integer(1)) +
                    field(8, der(0x30, integer(18) + integer(23))));
  const auto request = kerberos::parse(as_bytes(
      der(0x6a, der(0x30, field(1, integer(5)) + field(2, integer(10)) + field(4, body)))));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->type, kerberos::kAsReq);
  EXPECT_EQ(request->client->text(), "user");
  EXPECT_EQ(request->service->text(), "krbtgt/EXAMPLE.ORG");
  EXPECT_THAT(request->encryptions, ElementsAre(18, 23));

  const auto reply = kerberos::parse(as_bytes(
      der(0x6d, der(0x30, field(0, integer(5)) + field(1, integer(13)) +
                              field(3, der(0x1b, "EXAMPLE.ORG")) + field(4, name({"user"})) +
                              field(5, ticket()) + field(6, der(0x30, field(0, integer(23))))))));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->encryption, 23);
  EXPECT_EQ(reply->ticket_encryption, 18);
  EXPECT_EQ(reply->service->text(), "cifs/srv");

  const auto error = kerberos::parse(as_bytes(
      der(0x7e, der(0x30, field(0, integer(5)) + field(1, integer(30)) + field(4, time) +
                              field(5, integer(0)) + field(6, integer(25)) +
                              field(9, der(0x1b, "EXAMPLE.ORG")) + field(10, name({"krbtgt"}))))));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_code, 25);
  EXPECT_FALSE(error->client);
  EXPECT_FALSE(kerberos::parse(as_bytes("no kerberos")));
}

std::string ntlm_authenticate(uint32_t offset_error = 0) {
  const std::string domain = wide("CORP"), user = wide("alice"), host = wide("PC1");
  const uint32_t at = 72;
  const auto f = [](size_t size, size_t offset) {
    return le(size, 2) + le(size, 2) + le(offset, 4);
  };
  std::string out = std::string("NTLMSSP\0", 8) + le(3, 4) + std::string(16, '\0');
  out += f(domain.size(), at + offset_error) + f(user.size(), at + domain.size()) +
         f(host.size(), at + domain.size() + user.size());
  out += f(0, 0) + le(0x02000001, 4) + le(10, 1) + le(0, 1) + le(19041, 2) + le(0, 3) + le(15, 1);
  return out + domain + user + host;
}

TEST(LogonToken, NtlmAloneAndInSpnego) {
  for (const std::string& blob :
       {ntlm_authenticate(),
        field(1, der(0x30, field(0, der(10, "\1")) + field(2, der(4, ntlm_authenticate()))))}) {
    const LogonToken t = parse_logon_token(as_bytes(blob));
    ASSERT_TRUE(t.ntlm);
    EXPECT_EQ(t.ntlm->domain, "CORP");
    EXPECT_EQ(t.ntlm->user, "alice");
    EXPECT_EQ(t.ntlm->host, "PC1");
    EXPECT_EQ(t.ntlm->version, "10.0 build 19041 rev 15");
    EXPECT_FALSE(t.ntlm->warning);
  }
  EXPECT_TRUE(parse_logon_token(as_bytes(ntlm_authenticate(9999))).ntlm->warning);
  EXPECT_TRUE(parse_logon_token(as_bytes(ntlm_authenticate().substr(0, 30))).malformed_ntlm);
}

TEST(LogonToken, KerberosTicketInSpnego) {
  const std::string ap_req = der(0x6e, der(0x30, field(0, integer(5)) + field(3, ticket())));
  const std::string token =
      der(0x60, der(6, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02") + std::string("\1\0", 2) + ap_req);
  const std::string blob = der(
      0x60, der(6, "\x2b\x06\x01\x05\x05\x02") +
                field(0, der(0x30, field(0, der(0x30, der(6, "x"))) + field(2, der(4, token)))));
  const LogonToken t = parse_logon_token(as_bytes(blob));
  ASSERT_TRUE(t.kerberos);
  EXPECT_EQ(t.kerberos->realm, "EXAMPLE.ORG");
  EXPECT_THAT(t.kerberos->service.parts, ElementsAre("cifs", "srv"));
  EXPECT_FALSE(t.ntlm);
}

TEST(LogonToken, AnyCutIsHarmless) {
  const std::string blob = field(1, der(0x30, field(2, der(4, ntlm_authenticate()))));
  for (size_t n = 0; n < blob.size(); ++n) {
    const std::string cut = blob.substr(0, n);
    EXPECT_FALSE(parse_logon_token(as_bytes(cut)).ntlm);
  }
}

}  // namespace
}  // namespace vong::formats
