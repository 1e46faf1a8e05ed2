// LDAP messages (RFC 4511 section 4, BER with definite lengths):
//
//   LDAPMessage ::= SEQUENCE { messageID INTEGER, protocolOp [APPLICATION n] ..., controls [0]
//   OPTIONAL }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vong::ldap {

// The application tag's number.
enum class Op : uint8_t {
  kBindRequest = 0,
  kBindResponse = 1,
  kUnbindRequest = 2,
  kSearchRequest = 3,
  kSearchResultEntry = 4,
  kSearchResultDone = 5,
  kModifyRequest = 6,
  kModifyResponse = 7,
  kAddRequest = 8,
  kAddResponse = 9,
  kDelRequest = 10,
  kDelResponse = 11,
  kModDnRequest = 12,
  kModDnResponse = 13,
  kCompareRequest = 14,
  kCompareResponse = 15,
  kAbandonRequest = 16,
  kSearchResultReference = 19,
  kExtendedRequest = 23,
  kExtendedResponse = 24,
  kIntermediateResponse = 25,
};
struct OpName {
  std::string_view name;
  uint64_t value;
};
[[nodiscard]] const std::vector<OpName>& operations();
[[nodiscard]] std::string_view name_of(Op op);
[[nodiscard]] bool is_request(Op op);
// The response after which nothing more comes for a request.
[[nodiscard]] bool is_final(Op op);

[[nodiscard]] const std::vector<OpName>& result_codes();
[[nodiscard]] std::string result_name(uint32_t code);

inline constexpr uint32_t kSuccess = 0;
inline constexpr std::string_view kStartTlsOid = "1.3.6.1.4.1.1466.20037";

struct Attribute {
  std::string name;
  std::vector<std::string> values;
  uint8_t operation = 0;  // of a change: 0 add, 1 delete, 2 replace, 3 increment
};

// One message, whichever its operation; fields that an operation does not have stay empty.
struct Message {
  uint32_t id = 0;
  Op op = Op::kBindRequest;
  size_t size = 0;  // in bytes, as it came

  // Entry, base object or name of a request; base object of a result entry.
  std::string dn;
  // Bind.
  uint32_t version = 0;
  bool sasl = false;
  std::string mechanism;
  std::optional<std::string> credentials;  // of SASL; server's in the response
  // Search.
  uint32_t scope = 0, deref_alias = 0, size_limit = 0, time_limit = 0;
  bool types_only = false;
  // Search: names asked for. Entry, add: with values. Modify: changes. Compare: the one assertion.
  std::vector<Attribute> attributes;
  // Modify DN.
  std::string new_rdn;
  bool delete_old_rdn = false;
  std::optional<std::string> new_superior;
  // Extended, intermediate.
  std::optional<std::string> name, value;
  uint32_t abandoned_id = 0;
  // Results.
  bool has_result = false;
  uint32_t result_code = 0;
  std::string matched_dn, diagnostic;
};

enum class FrameStatus : uint8_t { kOk, kMoreData, kBad };
// How many bytes the message at the begin of `data` takes, its own header included.
[[nodiscard]] FrameStatus find_message(Bytes data, size_t& size);
// Message id and operation of a message that may be cut off; for detection.
[[nodiscard]] FrameStatus peek_message(Bytes data, uint32_t& id, Op& op);
// A whole message. False: malformed.
[[nodiscard]] bool parse_message(Bytes data, Message& m);

}  // namespace vong::ldap
