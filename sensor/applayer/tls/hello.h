// ClientHello and ServerHello (RFC 8446 section 4.1, RFC 5246 section 7.4.1), read from the body of
// the handshake message. Also what QUIC carries in its CRYPTO frames: this header knows no records.
//
//   ClientHello: version(2) random(32) session_id<0..32> cipher_suites<2..> compression<1..>
//   extensions<0..> ServerHello: version(2) random(32) session_id<0..32> cipher_suite(2)
//   compression(1)      extensions<0..>
//
// Everything is copied out.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace vong::tls {

// What was wrong with a hello besides its being cut off.
enum HelloIssue : uint8_t {
  kIssueLength = 1,  // a length points outside of the message
  kIssueMultipleSni = 2,
  kIssueSniType = 4,  // not a host name
  kIssueSniLength = 8,
};

struct ClientHello {
  uint16_t version = 0;  // the field; real versions may stand in supported_versions
  std::array<uint8_t, 32> random{};
  std::string session_id;
  std::vector<uint16_t> ciphers, extensions;  // in order, GREASE included
  std::vector<uint16_t> groups, signature_algorithms, versions;
  std::vector<uint8_t> point_formats;
  std::vector<std::string> alpns;
  std::string sni;
  bool has_sni = false;
  bool has_ticket = false;  // the session ticket extension, be it empty
  uint8_t issues = 0;

  // The newest version on offer (GREASE aside).
  [[nodiscard]] uint16_t offered_version() const;
};

struct ServerHello {
  uint16_t version = 0;
  std::array<uint8_t, 32> random{};
  std::string session_id;
  uint16_t cipher = 0;
  std::vector<uint16_t> extensions;
  uint16_t selected_version = 0;  // supported_versions; 0 without it
  std::vector<std::string> alpns;
  uint8_t issues = 0;

  [[nodiscard]] uint16_t chosen_version() const {
    return selected_version != 0 ? selected_version : version;
  }
};

// False: too short for the fixed part. Broken extensions leave what was read before them, and an
// issue.
[[nodiscard]] bool parse_client_hello(Bytes body, ClientHello& out);
[[nodiscard]] bool parse_server_hello(Bytes body, ServerHello& out);

// Reserved values that clients scatter to keep servers tolerant (RFC 8701).
[[nodiscard]] constexpr bool is_grease(uint16_t v) {
  return (v & 0x0f0f) == 0x0a0a && (v >> 8) == (v & 0xff);
}

}  // namespace vong::tls
