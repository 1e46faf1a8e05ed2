#include "sensor/applayer/snmp/message.h"

#include "base/byte_reader.h"
#include "sensor/applayer/snmp/limits.h"

namespace vong::snmp {
namespace {

enum Tag : uint8_t {
  kInteger = 0x02,
  kOctetString = 0x04,
  kObjectId = 0x06,
  kSequence = 0x30,
  kIpAddress = 0x40,
  kPdu = 0xa0  // and those behind it: the kind of PDU in the low bits
};

struct Element {
  uint8_t tag = 0;
  Bytes content;
};

// Definite lengths only, as SNMP has them.
std::optional<size_t> read_length(ByteReader& in) {
  const uint8_t first = in.u8();
  if (first < 0x80) return first;
  const size_t n = first & 0x7f;
  if (n == 0 || n > 4) return std::nullopt;
  size_t length = 0;
  for (size_t i = 0; i < n; ++i) length = length << 8 | in.u8();
  return length;
}

std::optional<Element> read_element(ByteReader& in) {
  Element e;
  e.tag = in.u8();
  const auto length = read_length(in);
  if (!length) return std::nullopt;
  e.content = in.bytes(*length);
  if (!in.ok()) return std::nullopt;
  return e;
}

std::optional<Bytes> read(ByteReader& in, uint8_t tag) {
  const auto e = read_element(in);
  if (!e || e->tag != tag) return std::nullopt;
  return e->content;
}

// Numbers beyond 32 bits do not occur in the fields that are looked at.
std::optional<uint32_t> read_number(ByteReader& in) {
  const auto content = read(in, kInteger);
  if (!content || content->empty() || content->size() > 5) return std::nullopt;
  uint64_t value = 0;
  for (const uint8_t b : *content) value = value << 8 | b;
  return static_cast<uint32_t>(value);
}

std::optional<std::string> object_id(Bytes content) {
  if (content.empty() || content.size() > kMaxNameBytes) return std::nullopt;
  std::string out = std::to_string(content[0] / 40) + "." + std::to_string(content[0] % 40);
  uint64_t value = 0;
  bool open = false;
  for (const uint8_t b : content.subspan(1)) {
    if (value >> 56 != 0) return std::nullopt;
    value = value << 7 | (b & 0x7f);
    open = (b & 0x80) != 0;
    if (open) continue;
    out.append(".").append(std::to_string(value));
    value = 0;
  }
  if (open) return std::nullopt;
  return out;
}

bool read_variables(ByteReader& in, Message& m) {
  const auto list = read(in, kSequence);
  if (!list) return false;
  ByteReader variables(*list);
  while (!variables.empty()) {
    const auto binding = read(variables, kSequence);
    if (!binding) return false;
    ByteReader b(*binding);
    const auto name = read(b, kObjectId);
    if (!name || !read_element(b)) return false;
    auto text = object_id(*name);
    if (!text) return false;
    if (m.variables.size() < kMaxVariables) m.variables.push_back(std::move(*text));
  }
  return true;
}

bool read_trap(ByteReader in, Message& m) {
  const auto enterprise = read(in, kObjectId);
  const auto address = read(in, kIpAddress);
  const auto generic = read_number(in);
  const auto specific = read_number(in);
  const auto time = read_element(in);
  if (!enterprise || !address || !generic || !specific || !time) return false;
  auto name = object_id(*enterprise);
  if (!name) return false;
  Trap trap{*generic, std::move(*name), {}};
  if (address->size() == 4)
    trap.address = {(*address)[0], (*address)[1], (*address)[2], (*address)[3]};
  m.trap = std::move(trap);
  return read_variables(in, m);
}

bool read_pdu(ByteReader& in, Message& m) {
  const auto e = read_element(in);
  if (!e || (e->tag & 0xe0) != kPdu) return false;
  m.pdu_type = e->tag & 0x1f;
  if (*m.pdu_type > kReport) return false;
  ByteReader pdu(e->content);
  if (*m.pdu_type == kTrapV1) return read_trap(pdu, m);
  const auto request = read_number(pdu), error = read_number(pdu), at = read_number(pdu);
  if (!request || !error || !at) return false;
  if (*m.pdu_type != kGetBulk) m.error = *error;
  return read_variables(pdu, m);
}

// SEQUENCE { engine id, boots, time, user name, authentication, privacy }
bool read_user(Bytes parameters, Message& m) {
  ByteReader outer(parameters);
  const auto sequence = read(outer, kSequence);
  if (!sequence) return false;
  ByteReader in(*sequence);
  const bool before = read(in, kOctetString) && read_number(in) && read_number(in);
  const auto name = before ? read(in, kOctetString) : std::nullopt;
  if (!name) return false;
  m.user = as_text(*name);
  return true;
}

bool read_version3(ByteReader& in, Message& m) {
  constexpr uint32_t kUserBased = 3;
  const auto header = read(in, kSequence);
  if (!header) return false;
  ByteReader h(*header);
  const auto id = read_number(h), size = read_number(h);
  const auto flags = read(h, kOctetString);
  const auto model = read_number(h);
  const auto security = read(in, kOctetString);
  if (!id || !size || !flags || flags->size() != 1 || !model || !security) return false;
  if (*model == kUserBased) {
    if (!read_user(*security, m)) return false;
  } else {
    m.unknown_security_model = true;
  }
  const uint8_t tag = in.peek_u8();
  if (tag == kOctetString) {
    m.encrypted = true;
    return read(in, kOctetString).has_value();
  }
  const auto scoped = read(in, kSequence);
  if (!scoped) return false;
  ByteReader s(*scoped);
  if (!read(s, kOctetString) || !read(s, kOctetString)) return false;
  return read_pdu(s, m);
}

}  // namespace

std::optional<size_t> message_bytes(Bytes data) {
  ByteReader in(data);
  if (in.u8() != kSequence) return in.ok() ? std::optional<size_t>(0) : std::nullopt;
  const auto length = read_length(in);
  if (!in.ok()) return std::nullopt;
  return length ? in.position() + *length : 0;
}

std::optional<uint32_t> claimed_version(Bytes data) {
  ByteReader in(data);
  if (in.u8() != kSequence || !read_length(in) || !in.ok()) return std::nullopt;
  const auto version = read_number(in);
  if (!version || (*version > 1 && *version != 3)) return std::nullopt;
  const uint8_t next = in.peek_u8();
  if (next != (*version == 3 ? kSequence : kOctetString)) return std::nullopt;
  return *version == 3 ? 3 : *version + 1;
}

ParseStatus parse_message(Bytes data, Message& out) {
  ByteReader outer(data);
  const auto content = read(outer, kSequence);
  const auto version = content ? claimed_version(data) : std::nullopt;
  if (!version) return ParseStatus::kMalformed;
  out.version = *version;
  ByteReader in(*content);
  static_cast<void>(read_number(in));
  if (out.version == 3) return read_version3(in, out) ? ParseStatus::kOk : ParseStatus::kMalformed;
  const auto community = read(in, kOctetString);
  if (!community || !read_pdu(in, out)) return ParseStatus::kMalformed;
  out.community = as_text(*community);
  return ParseStatus::kOk;
}

}  // namespace vong::snmp
