// What a frame's flow will be, guessed from its bytes before it is decoded, so that the flow's state is in the cache when its turn comes. A wrong
// guess costs time, nothing else.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ip_address.h"
#include "sensor/packet/types.h"

namespace vong::sensor {

struct Ends {
  IpAddress src, dst;
  uint16_t sport = 0, dport = 0;
  uint8_t protocol = 0;
};

// Of TCP and UDP straight in IPv4 or IPv6 in Ethernet, without tags; nothing of anything else.
[[nodiscard]] std::optional<Ends> ends_of(const RawPacket& raw);

}  // namespace vong::sensor
