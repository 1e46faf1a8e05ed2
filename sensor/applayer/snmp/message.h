// SNMP messages: version 1 (RFC 1157), 2c (RFC 3416), 3 (RFC 3412, user-based security RFC 3414),
// in BER.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace vong::snmp {

enum PduType : uint8_t {
  kGet,
  kGetNext,
  kResponse,
  kSet,
  kTrapV1,
  kGetBulk,
  kInform,
  kTrapV2,
  kReport
};

struct Trap {  // of version 1
  uint32_t type = 0;
  std::string enterprise;
  std::optional<std::array<uint8_t, 4>> address;
};

struct Message {
  uint32_t version = 0;  // 1, 2, 3
  std::optional<std::string> community, user;
  std::optional<uint32_t> pdu_type;  // none: encrypted
  bool encrypted = false;
  bool unknown_security_model = false;
  uint32_t error = 0;
  std::optional<Trap> trap;
  std::vector<std::string> variables;  // names as "1.3.6.1..."
};

enum class ParseStatus : uint8_t { kOk, kMalformed };

// One whole message.
[[nodiscard]] ParseStatus parse_message(Bytes data, Message& out);
// The version that a message's beginning claims, when it looks like one.
[[nodiscard]] std::optional<uint32_t> claimed_version(Bytes data);
// Bytes of the element at the beginning, header and all; nothing while its length is not known yet;
// 0 when it is no sequence.
[[nodiscard]] std::optional<size_t> message_bytes(Bytes data);

}  // namespace vong::snmp
