#include "sensor/applayer/tls/hello.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "sensor/applayer/tls/limits.h"

namespace vong::tls {
namespace {

enum Extension : uint16_t {
  kServerName = 0,
  kSupportedGroups = 10,
  kPointFormats = 11,
  kSignatureAlgorithms = 13,
  kAlpn = 16,
  kSessionTicket = 35,
  kSupportedVersions = 43,
};

std::string text(Bytes b) { return std::string(as_text(b)); }

// A list of two-byte numbers; an odd byte at its end is dropped.
void numbers(ByteReader in, std::vector<uint16_t>& out) {
  while (in.remaining() >= 2) out.push_back(in.u16());
}

bool head(ByteReader& in, uint16_t& version, std::array<uint8_t, 32>& random) {
  version = in.u16();
  const Bytes r = in.bytes(random.size());
  if (!in.ok()) return false;
  std::copy(r.begin(), r.end(), random.begin());
  return true;
}

void server_name(ByteReader in, ClientHello& out) {
  if (in.empty()) return;
  ByteReader list = in.sub(in.u16());
  const uint8_t type = list.u8();
  const size_t size = list.u16();
  if (!list.ok() || size > list.remaining()) {
    out.issues |= kIssueSniLength;
    return;
  }
  if (type != 0) {
    out.issues |= kIssueSniType;
    return;
  }
  if (out.has_sni) {
    out.issues |= kIssueMultipleSni;
    return;
  }
  out.sni = text(list.bytes(size));
  out.has_sni = true;
}

void alpns(ByteReader in, std::vector<std::string>& out) {
  ByteReader list = in.sub(in.u16());
  while (!list.empty() && out.size() < kMaxAlpns) {
    const Bytes name = list.bytes(list.u8());
    if (!list.ok()) return;
    if (!name.empty()) out.push_back(text(name));
  }
}

void client_extension(uint16_t type, ByteReader in, ClientHello& out) {
  switch (type) {
    case kServerName:
      server_name(in, out);
      break;
    case kSupportedGroups:
      numbers(in.sub(in.u16()), out.groups);
      break;
    case kSignatureAlgorithms:
      numbers(in.sub(in.u16()), out.signature_algorithms);
      break;
    case kSupportedVersions:
      numbers(in.sub(in.u8()), out.versions);
      break;
    case kPointFormats: {
      const Bytes list = in.bytes(in.u8());
      out.point_formats.assign(list.begin(), list.end());
      break;
    }
    case kAlpn:
      alpns(in, out.alpns);
      break;
    case kSessionTicket:
      out.has_ticket = true;
      break;
    default:
      break;
  }
}

void server_extension(uint16_t type, ByteReader in, ServerHello& out) {
  if (type == kAlpn) alpns(in, out.alpns);
  if (type == kSupportedVersions && in.remaining() == 2) out.selected_version = in.u16();
}

template <typename Hello, typename Each>
void extensions(ByteReader& in, Hello& out, Each each) {
  if (in.empty()) return;
  ByteReader list = in.sub(in.u16());
  if (!in.ok()) out.issues |= kIssueLength;
  while (!list.empty()) {
    const uint16_t type = list.u16();
    ByteReader body = list.sub(list.u16());
    if (!list.ok()) {
      out.issues |= kIssueLength;
      return;
    }
    out.extensions.push_back(type);
    each(type, body, out);
  }
}

}  // namespace

uint16_t ClientHello::offered_version() const {
  uint16_t best = 0;
  for (const uint16_t v : versions) {
    if (!is_grease(v)) best = std::max(best, v);
  }
  return best != 0 ? best : version;
}

bool parse_client_hello(Bytes body, ClientHello& out) {
  ByteReader in(body);
  if (!head(in, out.version, out.random)) return false;
  out.session_id = text(in.bytes(in.u8()));
  if (!in.ok()) return false;
  numbers(in.sub(in.u16()), out.ciphers);
  in.skip(in.u8());  // compression methods
  if (!in.ok()) {
    out.issues |= kIssueLength;
    return true;
  }
  extensions(in, out, client_extension);
  return true;
}

bool parse_server_hello(Bytes body, ServerHello& out) {
  ByteReader in(body);
  if (!head(in, out.version, out.random)) return false;
  // TLS 1.3 up to draft 21 left out session id and compression method.
  const bool early_draft = (out.version > 0x7f00 && out.version < 0x7f16) || out.version == 0x0304;
  if (!early_draft) out.session_id = text(in.bytes(in.u8()));
  out.cipher = in.u16();
  if (!early_draft) in.skip(1);
  if (!in.ok()) {
    out.issues |= kIssueLength;
    return true;
  }
  extensions(in, out, server_extension);
  return true;
}

}  // namespace vong::tls
