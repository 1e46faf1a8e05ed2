// Every maximum of the S7comm room, with what happens when it is reached.
#pragma once

#include <cstddef>

namespace vong::s7comm {

// Open transactions of a flow; units are skipped while there are more.
inline constexpr size_t kMaxTransactions = 1024;
// Jobs whose answer is waited for; the oldest is given up.
inline constexpr size_t kMaxOpenJobs = 256;
// Bytes of one unit that comes in several parts (ISO 8073); a longer one is dropped, with an event.
inline constexpr size_t kMaxUnitBytes = 64 * 1024;
// Variables of a request that are kept; further ones are counted.
inline constexpr size_t kMaxItems = 64;

}  // namespace vong::s7comm
