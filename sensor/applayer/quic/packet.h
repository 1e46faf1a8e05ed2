// Packet headers of QUIC (RFC 9000 section 17, RFC 8999, RFC 9369) and of Google's versions before
// it (Q043 and older: public header; Q044 to Q046: long header without lengths).
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace vong::quic {

enum class PacketType : uint8_t {
  kInitial,
  kZeroRtt,
  kHandshake,
  kRetry,
  kVersionNegotiation,
  kShort
};

struct PacketHeader {
  PacketType type = PacketType::kShort;
  uint32_t version = 0;
  Bytes version_bytes;       // the four as they stand; empty in a short header
  Bytes destination_id;      // views into the datagram
  size_t header_bytes = 0;   // up to the packet number (IETF), up to the frames (Google's)
  size_t payload_bytes = 0;  // behind them: packet number and protected payload, or frames
  uint8_t first = 0;
};

inline constexpr uint32_t kVersion1 = 1, kVersion2 = 0x6b3343cf;

// "Q043" and its kind.
[[nodiscard]] constexpr bool is_google(uint32_t version) {
  return version >> 24 == 'Q' || version >> 24 == 'T';
}

// The packet at the beginning of `datagram`. Nothing: not a packet.
[[nodiscard]] std::optional<PacketHeader> read_packet_header(Bytes datagram);

// A variable-length integer at the beginning of `bytes` (section 16): its size, 0 when it is cut
// off.
[[nodiscard]] size_t read_varint(Bytes bytes, uint64_t& value);

}  // namespace vong::quic
