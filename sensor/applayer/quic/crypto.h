// Protection of Initial packets: keys that everybody can derive from the first destination
// connection id (RFC 9001 section 5, RFC 9369 section 3.3). The one file of the room with OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "sensor/applayer/quic/packet.h"
#include "sensor/packet/types.h"

namespace vong::quic {

struct SideKeys {
  std::array<uint8_t, 16> key{}, header{};
  std::array<uint8_t, 12> iv{};
};
struct InitialKeys {
  std::array<SideKeys, kDirections> sides;  // by the direction they protect
};

// Nothing: a version whose Initial packets are not protected, or not known.
[[nodiscard]] std::optional<InitialKeys> initial_keys(uint32_t version, Bytes destination_id);

// The frames of the packet at the beginning of `packet`; its header gives where they are. Nothing:
// it was not protected with these keys.
[[nodiscard]] std::optional<std::string> decrypt(const SideKeys& keys, const PacketHeader& header,
                                                 Bytes packet);

}  // namespace vong::quic
