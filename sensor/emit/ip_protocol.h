// Names of IP protocols, as records spell them.
#pragma once

#include <cstdint>
#include <string_view>

namespace vong::emit {

// "TCP", "IPv6-ICMP" ...: keywords of the IANA's registry of protocol numbers; empty for a number
// without one.
[[nodiscard]] std::string_view ip_protocol_name(uint8_t protocol);

}  // namespace vong::emit
