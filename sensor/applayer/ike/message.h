// IKE messages: version 1 (RFC 2408, 2409) and version 2 (RFC 7296). Header of 28 bytes, then
// payloads: next payload, flags, length (2), body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vong::ike {

inline constexpr size_t kHeaderBytes = 28;

struct Header {
  uint64_t init_spi = 0, resp_spi = 0;
  uint8_t next_payload = 0, version = 0, exchange = 0, flags = 0;
  uint32_t message_id = 0, length = 0;

  [[nodiscard]] uint8_t major() const { return version >> 4; }
  [[nodiscard]] uint8_t minor() const { return version & 15; }
  [[nodiscard]] bool encrypted() const { return (flags & 0x01) != 0; }     // version 1
  [[nodiscard]] bool by_initiator() const { return (flags & 0x08) != 0; }  // version 2
};
[[nodiscard]] bool parse_header(Bytes data, Header& out);

struct Payload {
  uint8_t type = 0;
  Bytes body;
};

// `types`: of all payloads, with what the last one names as its next. False: malformed; what came
// before is there. The bodies are views of `data` (what stands behind the header).
[[nodiscard]] bool parse_payloads(uint8_t first, Bytes data, std::vector<Payload>& out,
                                  std::vector<uint8_t>& types);

// ---------------------------------------------------------------- version 1

enum PayloadV1 : uint8_t { kSaV1 = 1, kKeyExchangeV1 = 4, kNonceV1 = 10, kVendorV1 = 13 };

// Of a transform of phase 1 (RFC 2409 appendix A).
struct Attribute {
  uint16_t type = 0;
  std::optional<uint32_t> number;  // none: longer than a number, `bytes` has it
  std::string bytes;
};
using Transform = std::vector<Attribute>;

struct SecurityAssociation {
  uint32_t domain_of_interpretation = 0;
  std::vector<Transform> transforms;  // of all proposals
};
[[nodiscard]] bool parse_sa_v1(Bytes body, SecurityAssociation& out);

// Keys of records and of ike.chosen_sa_attribute: "alg_enc" ...; "" for others.
[[nodiscard]] std::string_view attribute_name(uint16_t type);
[[nodiscard]] std::optional<uint16_t> attribute_by_name(std::string_view name);
[[nodiscard]] std::string_view attribute_value_name(const Attribute& a);  // "EncAesCbc", "Unknown"
[[nodiscard]] std::string_view exchange_name(uint8_t type);
[[nodiscard]] std::string payload_name_v1(uint8_t type);

// ---------------------------------------------------------------- version 2

enum PayloadV2 : uint8_t { kSaV2 = 33, kNotifyV2 = 41 };
enum TransformType : uint8_t { kEncryption = 1, kPrf = 2, kIntegrity = 3, kGroup = 4, kEsn = 5 };

struct TransformV2 {
  uint8_t type = 0;
  uint16_t id = 0;
};
struct ProposalV2 {
  uint8_t protocol = 0;  // 1 IKE, 2 AH, 3 ESP
  std::vector<TransformV2> transforms;
};
[[nodiscard]] bool parse_sa_v2(Bytes body, std::vector<ProposalV2>& out);

[[nodiscard]] std::string payload_name_v2(uint8_t type);
[[nodiscard]] std::string notify_name(uint16_t type);

}  // namespace vong::ike
