// Every maximum of DHCP.
#pragma once

#include <cstddef>

namespace vong::dhcp {

// Options of one message that are kept; a datagram cannot hold many more than its size anyway.
inline constexpr size_t kMaxOptions = 512;
// Open transactions of a flow; the newest message is not parsed when there are more.
inline constexpr size_t kMaxTransactions = 1024;

}  // namespace vong::dhcp
