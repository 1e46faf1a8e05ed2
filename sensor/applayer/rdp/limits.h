// Every maximum of RDP.
#pragma once

#include <cstddef>

namespace vong::rdp {

inline constexpr size_t kMaxChannels = 31;      // MS-RDPBCGR section 2.2.1.3.4
inline constexpr size_t kMaxCookieBytes = 512;  // the rest of a longer one is cut off
// A flow has some five transactions; more are not made.
inline constexpr size_t kMaxTransactions = 64;

}  // namespace vong::rdp
