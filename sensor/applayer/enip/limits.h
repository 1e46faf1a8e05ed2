// Every maximum of EtherNet/IP.
#pragma once

#include <cstddef>

namespace vong::enip {

inline constexpr size_t kMaxItems = 16;     // of a common packet
inline constexpr size_t kMaxServices = 64;  // of a multiple service packet
inline constexpr size_t kMaxSegments = 16;  // of a path
// Open transactions of a flow; a message more is not kept and raises an event.
inline constexpr size_t kMaxTransactions = 256;

}  // namespace vong::enip
