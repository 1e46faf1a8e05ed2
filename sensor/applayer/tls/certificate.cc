#include "sensor/applayer/tls/certificate.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "base/byte_reader.h"
#include "base/encode.h"
#include "base/ip_address.h"
#include "fmt/format.h"
#include "sensor/applayer/tls/limits.h"

namespace vong::tls {
namespace {

enum Tag : uint8_t {
  kInteger = 0x02,
  kOctetString = 0x04,
  kOid = 0x06,
  kUtf8String = 0x0c,
  kSequence = 0x30,
  kSet = 0x31,
  kNumericString = 0x12,
  kPrintableString = 0x13,
  kT61String = 0x14,
  kVideotexString = 0x15,
  kIa5String = 0x16,
  kUtcTime = 0x17,
  kGeneralizedTime = 0x18,
  kGraphicString = 0x19,
  kVisibleString = 0x1a,
  kGeneralString = 0x1b,
  kUniversalString = 0x1c,
  kBmpString = 0x1e,
  kContext0 = 0xa0,
  kContext3 = 0xa3,
};

struct Element {
  uint8_t tag = 0;
  Bytes body;
};

// The next element; false at the end and where lengths do not fit. Definite lengths of at most four
// bytes, one-byte tags: DER of certificates has no others.
bool next(ByteReader& in, Element& out) {
  if (in.empty()) return false;
  out.tag = in.u8();
  if ((out.tag & 0x1f) == 0x1f) return false;
  size_t size = in.u8();
  if (size >= 0x80) {
    const size_t count = size & 0x7f;
    if (count == 0 || count > 4) return false;
    size = 0;
    for (size_t i = 0; i < count; ++i) size = size << 8 | in.u8();
  }
  out.body = in.bytes(size);
  return in.ok();
}

bool expect(ByteReader& in, uint8_t tag, Element& out) { return next(in, out) && out.tag == tag; }

// ---------------------------------------------------------------- names

struct OidName {
  std::string_view oid;  // encoded
  std::string_view name;
};

// Attribute types of names. The first block has the short forms of RFC 4514; the others go by their
// full name.
constexpr OidName kAttributes[] = {
    {"\x55\x04\x03", "CN"},
    {"\x55\x04\x06", "C"},
    {"\x55\x04\x07", "L"},
    {"\x55\x04\x08", "ST"},
    {"\x55\x04\x0a", "O"},
    {"\x55\x04\x0b", "OU"},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "Email"},
    {"\x55\x04\x04", "surname"},
    {"\x55\x04\x05", "serialNumber"},
    {"\x55\x04\x09", "streetAddress"},
    {"\x55\x04\x0c", "title"},
    {"\x55\x04\x0d", "description"},
    {"\x55\x04\x0f", "businessCategory"},
    {"\x55\x04\x11", "postalCode"},
    {"\x55\x04\x12", "postOfficeBox"},
    {"\x55\x04\x14", "telephoneNumber"},
    {"\x55\x04\x29", "name"},
    {"\x55\x04\x2a", "givenName"},
    {"\x55\x04\x2b", "initials"},
    {"\x55\x04\x2c", "generationQualifier"},
    {"\x55\x04\x2d", "x500UniqueIdentifier"},
    {"\x55\x04\x2e", "dnQualifier"},
    {"\x55\x04\x41", "pseudonym"},
    {"\x55\x04\x61", "organizationIdentifier"},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "userId"},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", "unstructuredName"},
    {"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01", "jurisdictionOfIncorporationLocalityName"},
    {"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02",
     "jurisdictionOfIncorporationStateOrProvinceName"},
    {"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03", "jurisdictionOfIncorporationCountryName"},
};

std::string dotted(Bytes oid) {
  std::string out;
  uint64_t value = 0;
  for (const uint8_t b : oid) {
    value = (value & 0x01ffffffffffffff) << 7 | (b & 0x7f);
    if ((b & 0x80) != 0) continue;
    if (out.empty()) {
      const uint64_t first = std::min<uint64_t>(value / 40, 2);
      out = fmt::format("{}.{}", first, value - first * 40);
    } else {
      out += "." + std::to_string(value);
    }
    value = 0;
  }
  return out;
}

std::string attribute_name(Bytes oid) {
  for (const OidName& a : kAttributes) {
    if (a.oid == as_text(oid)) return std::string(a.name);
  }
  return "OID(" + dotted(oid) + ")";
}

std::optional<std::string> value_text(const Element& e) {
  switch (e.tag) {
    case kUtf8String:
    case kNumericString:
    case kPrintableString:
    case kT61String:
    case kVideotexString:
    case kIa5String:
    case kGraphicString:
    case kVisibleString:
    case kGeneralString:
      return std::string(as_text(e.body));
    case kBmpString: {
      std::string out;
      ByteReader in(e.body);
      while (in.remaining() >= 2) {
        const uint32_t c = in.u16();
        if (c < 0xd800 || c > 0xdbff || in.remaining() < 2)
          append_utf8(out, c);
        else
          append_utf8(out, 0x10000 + ((c - 0xd800) << 10) + ((in.u16() - 0xdc00u) & 0x3ff));
      }
      return out;
    }
    case kUniversalString: {
      std::string out;
      ByteReader in(e.body);
      while (in.remaining() >= 4) append_utf8(out, in.u32() & 0x1fffff);
      return out;
    }
    default:
      return std::nullopt;
  }
}

// Name ::= SEQUENCE OF SET OF SEQUENCE { type OID, value }. Sets are joined by ", ", members of a
// set by " + ".
bool name_text(Bytes body, std::string& out) {
  ByteReader sets(body);
  while (!sets.empty()) {
    Element set;
    if (!expect(sets, kSet, set)) return false;
    ByteReader members(set.body);
    bool first = true;
    while (!members.empty()) {
      Element pair, type, value;
      if (!expect(members, kSequence, pair)) return false;
      ByteReader in(pair.body);
      if (!expect(in, kOid, type) || !next(in, value)) return false;
      const auto text = value_text(value);
      if (!text) return false;
      if (out.size() + text->size() > kMaxNameBytes) return true;
      if (!out.empty()) out.append(first ? ", " : " + ");
      out.append(attribute_name(type.body)).append("=").append(*text);
      first = false;
    }
  }
  return true;
}

// ---------------------------------------------------------------- times

std::optional<int> digits(std::string_view text, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// UTCTime YYMMDDhhmmssZ (50 and above are of the last century) or GeneralizedTime YYYYMMDDhhmmssZ (RFC 5280 section 4.1.2.5); no other
// zone and no fractions.
std::optional<int64_t> time_value(const Element& e) {
  const std::string_view text = as_text(e.body);
  const size_t at = e.tag == kUtcTime ? 2 : 4;
  if ((e.tag != kUtcTime && e.tag != kGeneralizedTime) || text.size() != at + 11 || text.back() != 'Z') return std::nullopt;
  auto year = digits(text, 0, at);
  if (year && e.tag == kUtcTime) *year += *year >= 50 ? 1900 : 2000;
  const auto month = digits(text, at, 2), day = digits(text, at + 2, 2), hour = digits(text, at + 4, 2),
             minute = digits(text, at + 6, 2), second = digits(text, at + 8, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * 86400LL + *hour * 3600 + *minute * 60 + *second;
}

// ---------------------------------------------------------------- extensions

constexpr std::string_view kSubjectAltName = "\x55\x1d\x11";

std::string general_name(const Element& e) {
  switch (e.tag) {
    case 0x81:
    case 0x82:
    case 0x86:
      return std::string(as_text(e.body));  // mail, DNS name, URI
    case 0x87:
      if (e.body.size() == 4) return IpAddress::v4(e.body.data()).to_string();
      if (e.body.size() == 16) return IpAddress::v6(e.body.data()).to_string();
      return {};
    case 0x88:
      return dotted(e.body);
    default:
      return {};
  }
}

bool alternative_names(Bytes octets, std::vector<std::string>& out) {
  ByteReader in(octets);
  Element list;
  if (!expect(in, kSequence, list)) return false;
  ByteReader names(list.body);
  while (!names.empty() && out.size() < kMaxAlternativeNames) {
    Element e;
    if (!next(names, e)) return false;
    std::string text = general_name(e);
    if (!text.empty()) out.push_back(std::move(text));
  }
  return true;
}

// SEQUENCE OF SEQUENCE { id OID, critical BOOLEAN OPTIONAL, value OCTET STRING }
bool extensions(Bytes body, Certificate& out) {
  ByteReader outer(body);
  Element list;
  if (!expect(outer, kSequence, list)) return false;
  ByteReader in(list.body);
  while (!in.empty()) {
    Element extension, id, value;
    if (!expect(in, kSequence, extension)) return false;
    ByteReader fields(extension.body);
    if (!expect(fields, kOid, id) || !next(fields, value)) return false;
    if (value.tag != kOctetString && !next(fields, value)) return false;
    if (value.tag != kOctetString) return false;
    if (as_text(id.body) == kSubjectAltName &&
        !alternative_names(value.body, out.alternative_names))
      return false;
  }
  return true;
}

std::string serial_text(Bytes body) {
  std::string out;
  for (const uint8_t b : body) {
    if (!out.empty()) out.push_back(':');
    fmt::format_to(std::back_inserter(out), "{:02X}", b);
  }
  return out;
}

}  // namespace

CertificateError parse_certificate(Bytes der, Certificate& out) {
  ByteReader top(der);
  Element certificate, tbs, e;
  if (!expect(top, kSequence, certificate)) return CertificateError::kInvalidDer;
  ByteReader outer(certificate.body);
  if (!expect(outer, kSequence, tbs)) return CertificateError::kInvalidDer;
  ByteReader in(tbs.body);
  if (!next(in, e)) return CertificateError::kInvalidVersion;
  if (e.tag == kContext0) {
    ByteReader version(e.body);
    Element number;
    if (!expect(version, kInteger, number)) return CertificateError::kInvalidVersion;
    if (!next(in, e)) return CertificateError::kInvalidSerial;
  }
  if (e.tag != kInteger || e.body.empty()) return CertificateError::kInvalidSerial;
  out.serial = serial_text(e.body);
  if (!expect(in, kSequence, e)) return CertificateError::kInvalidAlgorithm;
  if (!expect(in, kSequence, e) || !name_text(e.body, out.issuer))
    return CertificateError::kInvalidName;
  Element validity, before, after;
  if (!expect(in, kSequence, validity)) return CertificateError::kInvalidDate;
  ByteReader times(validity.body);
  if (!next(times, before) || !next(times, after)) return CertificateError::kInvalidDate;
  const auto from = time_value(before), until = time_value(after);
  if (!from || !until) return CertificateError::kInvalidDate;
  out.not_before_s = *from;
  out.not_after_s = *until;
  if (!expect(in, kSequence, e) || !name_text(e.body, out.subject))
    return CertificateError::kInvalidName;
  if (!expect(in, kSequence, e)) return CertificateError::kInvalidDer;  // public key
  while (!in.empty()) {
    if (!next(in, e)) return CertificateError::kInvalidDer;
    if (e.tag == kContext3 && !extensions(e.body, out)) return CertificateError::kInvalidExtensions;
  }
  return CertificateError::kNone;
}

std::string certificate_time(int64_t seconds) {
  const std::chrono::sys_seconds t{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(t - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace vong::tls
