#include "sensor/applayer/formats/logon_token.h"

#include "base/byte_reader.h"
#include "sensor/applayer/formats/der.h"
#include "sensor/applayer/formats/text.h"

namespace vong::formats {
namespace {

constexpr std::string_view kNtlmSignature{"NTLMSSP\0", 8};
constexpr uint32_t kAuthenticate = 3;
constexpr uint32_t kNegotiateVersion = 0x02000000;
constexpr std::string_view kOidSpnego = "\x2b\x06\x01\x05\x05\x02";
constexpr std::string_view kOidKerberos = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
constexpr std::string_view kOidKerberosMicrosoft = "\x2a\x86\x48\x82\xf7\x12\x01\x02\x02";

struct NtlmField {
  uint16_t size = 0;
  uint32_t offset = 0;
};

NtlmField read_field(ByteReader& in) {
  NtlmField f;
  f.size = in.u16_le();
  in.skip(2);
  f.offset = in.u32_le();
  return f;
}

std::string field_text(Bytes message, const NtlmField& f, bool& warning) {
  if (f.size == 0) return {};
  if (f.offset > message.size() || f.size > message.size() - f.offset) {
    warning = true;
    return {};
  }
  return without_zeros(message.subspan(f.offset, f.size));
}

void ntlm(Bytes message, LogonToken& out) {
  ByteReader in(message);
  in.skip(kNtlmSignature.size());
  const uint32_t type = in.u32_le();
  if (!in.ok()) out.malformed_ntlm = true;
  if (!in.ok() || type != kAuthenticate) return;
  in.skip(16);  // both responses
  const NtlmField domain = read_field(in), user = read_field(in), host = read_field(in);
  in.skip(8);  // session key
  const uint32_t flags = in.u32_le();
  if (!in.ok()) {
    out.malformed_ntlm = true;
    return;
  }
  NtlmAuthentication a;
  a.domain = field_text(message, domain, a.warning);
  a.user = field_text(message, user, a.warning);
  a.host = field_text(message, host, a.warning);
  if ((flags & kNegotiateVersion) != 0) {
    const uint8_t major = in.u8(), minor = in.u8();
    const uint16_t build = in.u16_le();
    in.skip(3);
    const uint8_t revision = in.u8();
    if (in.ok())
      a.version = std::to_string(major) + "." + std::to_string(minor) + " build " +
                  std::to_string(build) + " rev " + std::to_string(revision);
  }
  out.ntlm = std::move(a);
}

// What stands in a mechanism's token: NTLMSSP, or Kerberos behind its GSS-API header.
void mechanism_token(Bytes token, LogonToken& out) {
  if (as_text(token).starts_with(kNtlmSignature)) return ntlm(token, out);
  const auto gss = first_der(token);
  if (!gss || !gss->is(DerClass::kApplication, 0)) return;
  ByteReader in(gss->content);
  const auto oid = read_der(in);
  if (!oid || !oid->is_universal(kDerOid)) return;
  const std::string_view name = as_text(oid->content);
  if (name != kOidKerberos && name != kOidKerberosMicrosoft) return;
  if (in.u16() != 0x0100) return;  // AP-REQ
  if (auto m = kerberos::parse(in.rest()); m && m->type == kerberos::kApReq)
    out.kerberos = std::move(m->ticket);
}

// NegTokenInit or NegTokenResp: both have the mechanism's token as [2].
void negotiation(Bytes data, LogonToken& out) {
  const auto choice = first_der(data);
  if (!choice || choice->tag_class != DerClass::kContext || choice->tag > 1) return;
  const auto body = der_sequence(choice->content);
  if (!body) return;
  ByteReader in(body->content);
  while (!in.empty()) {
    const auto e = read_der(in);
    if (!e) return;
    if (!e->is(DerClass::kContext, 2)) continue;
    const auto token = first_der(e->content);
    if (token && token->is_universal(kDerOctetString)) mechanism_token(token->content, out);
    return;
  }
}

}  // namespace

LogonToken parse_logon_token(Bytes blob) {
  LogonToken out;
  if (as_text(blob).starts_with(kNtlmSignature)) {
    ntlm(blob, out);
    return out;
  }
  const auto outer = first_der(blob);
  if (!outer) return out;
  if (outer->tag_class == DerClass::kContext) {
    negotiation(blob, out);
  } else if (outer->is(DerClass::kApplication, 0)) {
    ByteReader in(outer->content);
    const auto oid = read_der(in);
    if (!oid || !oid->is_universal(kDerOid)) return out;
    if (as_text(oid->content) == kOidSpnego)
      negotiation(in.rest(), out);
    else
      mechanism_token(blob, out);
  }
  return out;
}

}  // namespace vong::formats
