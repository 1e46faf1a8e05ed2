// What the numbers of Kerberos are called in records and rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vong::krb5 {

[[nodiscard]] std::string message_name(uint8_t type);           // "KRB_AS_REQ"
[[nodiscard]] std::string error_name(int32_t code);             // "KDC_ERR_PREAUTH_REQUIRED"
[[nodiscard]] std::string encryption_name(int32_t encryption);  // "rc4-hmac"
[[nodiscard]] std::optional<int32_t> encryption_named(std::string_view name);

}  // namespace vong::krb5
