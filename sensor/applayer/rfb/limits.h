// Every maximum of RFB.
#pragma once

#include <cstddef>

namespace vong::rfb {

// A longer desktop name or failure reason than this ends the parsing of the flow.
inline constexpr size_t kMaxTextBytes = 4096;

}  // namespace vong::rfb
