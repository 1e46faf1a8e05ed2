// Every maximum of SIP and SDP, with what happens when it is reached.
#pragma once

#include <cstddef>

namespace vong::sip {

// Start line and headers together: more is invalid data and ends the parsing of a stream.
inline constexpr size_t kMaxHeadBytes = 64 * 1024;
// Longer bodies of streams are read over, not kept.
inline constexpr size_t kMaxBodyBytes = 64 * 1024;
// Headers of a message, lines of an SDP body: the rest is read over.
inline constexpr size_t kMaxHeaders = 512;
inline constexpr size_t kMaxSdpLines = 1024;

}  // namespace vong::sip
