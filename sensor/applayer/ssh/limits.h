// What an SSH session may cost before it is encrypted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::ssh {

inline constexpr size_t kMaxBannerBytes = 256;   // RFC 4253 section 4.2: 255 with CR LF
inline constexpr size_t kRecordHeaderBytes = 6;  // packet length, padding length, message code
inline constexpr size_t kMaxKeyExchangeBytes =
    65535;  // a KEXINIT that is put together for its fingerprint

}  // namespace vong::ssh
