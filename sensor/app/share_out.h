// Which of several workers gets a packet: both directions of a connection, its fragments and the
// other connections of the same two hosts go to one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sensor/packet/types.h"

namespace vong::sensor {

// The same number for all packets between two addresses, in either direction: of the outermost IP
// header behind Ethernet (with VLAN tags, MPLS labels, PPPoE), Linux cooked or raw headers. 0 for
// what has none.
[[nodiscard]] uint64_t address_pair_hash(const RawPacket& raw);

}  // namespace vong::sensor
