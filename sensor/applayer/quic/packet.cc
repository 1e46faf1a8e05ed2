#include "sensor/applayer/quic/packet.h"

#include "base/byte_reader.h"
#include "sensor/applayer/quic/limits.h"

namespace vong::quic {
namespace {

constexpr uint8_t kLong = 0x80, kFixed = 0x40;
constexpr uint8_t kPublicVersion = 0x01, kPublicNonce = 0x04, kPublicId = 0x08;
constexpr size_t kShortIdBytes = 16;  // not told by the packet: the longest that is common
constexpr size_t kMessageHashBytes = 12;
constexpr uint32_t kQ043 = 0x51303433, kQ044 = 0x51303434, kQ046 = 0x51303436, kQ050 = 0x51303530;

bool take_varint(ByteReader& in, uint64_t& value) {
  const size_t n = read_varint(in.peek(), value);
  return n != 0 && in.skip(n);
}

PacketType long_type(uint8_t first, uint32_t version) {
  unsigned bits = first >> 4 & 3u;
  if (version == kVersion2) bits = (bits + 3) & 3;  // RFC 9369 section 3.2: shifted by one
  static constexpr PacketType kTypes[] = {PacketType::kInitial, PacketType::kZeroRtt,
                                          PacketType::kHandshake, PacketType::kRetry};
  return kTypes[bits];
}

// Q044 and Q045 number the types from the top.
PacketType old_long_type(uint8_t first) {
  switch (first & 0x7f) {
    case 0x7e:
      return PacketType::kRetry;
    case 0x7d:
      return PacketType::kHandshake;
    case 0x7c:
      return PacketType::kZeroRtt;
    default:
      return PacketType::kInitial;
  }
}

// Flags, connection or nonce, version, packet number; then frames. Next to the flag of a connection the nonce's is a part of the
// connection's length, as older versions have it.
bool read_public(ByteReader& in, PacketHeader& h) {
  static constexpr uint8_t kNumberBytes[] = {1, 2, 4, 6};
  if ((h.first & kPublicId) != 0) {
    h.destination_id = in.bytes(8);
  } else if ((h.first & kPublicNonce) != 0) {
    in.skip(32);
  }
  h.version_bytes = in.bytes(4);
  if (!in.ok()) return false;
  h.version = ByteReader(h.version_bytes).u32();
  in.skip(kNumberBytes[h.first >> 4 & 3]);
  // A version that is really Google's has the hash of a message that is not encrypted yet.
  if (is_google(h.version) && h.version <= kQ043) in.skip(kMessageHashBytes);
  h.type = PacketType::kInitial;
  h.payload_bytes = in.remaining();
  return in.ok();
}

// Q044 to Q046: lengths of the connections in one byte, packet number, hash; then frames.
bool read_google_long(ByteReader& in, PacketHeader& h) {
  const uint8_t lengths = in.u8();
  const auto length = [](unsigned nibble) { return nibble == 0 ? size_t{0} : size_t{nibble} + 3; };
  h.destination_id = in.bytes(length(lengths >> 4));
  in.skip(length(lengths & 15u));
  h.type = h.version < kQ046 ? old_long_type(h.first) : long_type(h.first, h.version);
  in.skip(h.version < kQ046 ? 4 : (h.first & 3u) + 1);
  if (h.type == PacketType::kInitial) in.skip(kMessageHashBytes);
  h.payload_bytes = in.remaining();
  return in.ok();
}

bool read_long(ByteReader& in, PacketHeader& h) {
  h.version_bytes = in.bytes(4);
  if (!in.ok()) return false;
  h.version = ByteReader(h.version_bytes).u32();
  if (h.version >= kQ044 && h.version < kQ050) return read_google_long(in, h);
  const size_t id_bytes = in.u8();
  if (id_bytes > kConnectionIdBytesMax) return false;
  h.destination_id = in.bytes(id_bytes);
  const size_t source_bytes = in.u8();
  if (source_bytes > kConnectionIdBytesMax) return false;
  in.skip(source_bytes);
  if (h.version == 0) {
    h.type = PacketType::kVersionNegotiation;
    in.skip(in.remaining());
    return in.ok();
  }
  if ((h.first & kFixed) == 0) return false;
  h.type = long_type(h.first, h.version);
  if (h.type == PacketType::kRetry) {
    in.skip(in.remaining());
    return in.ok();
  }
  uint64_t token = 0, length = 0;
  if (h.type == PacketType::kInitial) {
    if (!take_varint(in, token) || token > in.remaining()) return false;
    in.skip(static_cast<size_t>(token));
  }
  if (!take_varint(in, length) || length > in.remaining()) return false;
  h.payload_bytes = static_cast<size_t>(length);
  return in.ok();
}

}  // namespace

size_t read_varint(Bytes bytes, uint64_t& value) {
  if (bytes.empty()) return 0;
  const size_t n = size_t{1} << (bytes[0] >> 6);
  if (bytes.size() < n) return 0;
  value = bytes[0] & 0x3fu;
  for (size_t i = 1; i < n; ++i) value = value << 8 | bytes[i];
  return n;
}

std::optional<PacketHeader> read_packet_header(Bytes datagram) {
  ByteReader in(datagram);
  PacketHeader h;
  h.first = in.u8();
  if (!in.ok()) return std::nullopt;
  bool good = false;
  if ((h.first & kLong) != 0) {
    good = read_long(in, h);
  } else if ((h.first & kPublicVersion) != 0 && (h.first & kFixed) == 0) {
    good = read_public(in, h);
  } else {
    h.destination_id = in.bytes(kShortIdBytes);
    good = in.ok();
    h.payload_bytes = in.remaining();
  }
  if (!good) return std::nullopt;
  h.header_bytes = in.position();
  return h;
}

}  // namespace vong::quic
