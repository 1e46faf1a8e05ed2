// Back from pseudonyms to what they stand for: only with a grant that the agency has signed, and
// never without a signed record of it. The pseudonyms are keyed hashes, so going back means trying
// what the agency can have: the addresses of its networks, its sensors, its identifier.
//
// Pure, except for the keys' files that callers have read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "correlator/enrich/registry.h"
#include "correlator/routing/router.h"

namespace vong::routing {

inline constexpr size_t kGrantBytesMax = 1u << 20;
inline constexpr size_t kGrantPseudonymsMax = 1'000;
inline constexpr uint64_t kAddressesTriedMax = 1u << 24;  // of an agency's IPv4 networks together

struct Grant {
  std::string agency, granted_to, reason;
  std::string valid_from, valid_until;  // as written: the signature is over these texts
  std::vector<std::string> pseudonyms;
  std::string signature;  // Ed25519, base64
};

// {"agency", "granted_to", "reason", "valid_from", "valid_until", "pseudonyms", "signature"}
[[nodiscard]] Result<Grant> read_grant(std::string_view json);
// What the agency signs: "vong-grant-1", then these fields and each pseudonym, a line each.
[[nodiscard]] std::string grant_text(const Grant& grant);
// Whether the agency has signed it (its row's grant-key) and it holds at `now`.
[[nodiscard]] Result<> check_grant(const Grant& grant, const enrich::Registry& registry,
                                   Timestamp now);

struct Unmasked {
  std::string pseudonym, value;  // value empty: nothing of the agency's has this pseudonym
};
[[nodiscard]] std::vector<Unmasked> unmask(const Grant& grant, const enrich::Registry& registry,
                                           const Router& router);

// The line of the record: who asked, under which grant, what was found (not the values), the
// SHA-256 of the line before, and the centre's Ed25519 signature over all of that. `signing_key`:
// PEM.
[[nodiscard]] Result<std::string> record_line(const Grant& grant,
                                              const std::vector<Unmasked>& found, Timestamp now,
                                              std::string_view previous_line,
                                              std::string_view signing_key);

[[nodiscard]] Result<std::string> sign(std::string_view private_key_pem, std::string_view text);
[[nodiscard]] bool verify(std::string_view public_key_base64, std::string_view text,
                          std::string_view signature_base64);

}  // namespace vong::routing
