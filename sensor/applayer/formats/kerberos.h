// Kerberos messages (RFC 4120, section 5), the parts that are sent in the clear.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vong::formats::kerberos {

enum MessageType : uint8_t {
  kAsReq = 10,
  kAsRep = 11,
  kTgsReq = 12,
  kTgsRep = 13,
  kApReq = 14,
  kApRep = 15,
  kError = 30,
};

inline constexpr size_t kNamePartsMax = 64;

struct Principal {
  int32_t type = 0;
  std::vector<std::string> parts;

  // "krbtgt/EXAMPLE.ORG".
  [[nodiscard]] std::string text() const;
};

struct Ticket {
  std::string realm;
  Principal service;
  std::optional<int32_t> encryption;
};

struct Message {
  uint8_t type = 0;
  std::optional<std::string> realm;
  std::optional<Principal> client, service;
  std::vector<int32_t> encryptions;          // that a client offers
  std::optional<int32_t> encryption;         // of an answer's encrypted part
  std::optional<int32_t> ticket_encryption;  // of the ticket in an answer or an AP-REQ
  std::optional<int32_t> error_code;
  std::optional<Ticket> ticket;  // of an AP-REQ
};

// A whole message; nothing when it is none of the types above.
[[nodiscard]] std::optional<Message> parse(Bytes data);

}  // namespace vong::formats::kerberos
