#include "sensor/applayer/dnp3/frame.h"

#include <algorithm>
#include <array>

#include "base/byte_reader.h"

namespace vong::dnp3 {
namespace {

constexpr size_t kBlockBytes = 16, kChecksumBytes = 2;

// CRC-16/DNP: polynomial 0x3d65, reflected, inverted at the end.
constexpr std::array<uint16_t, 256> make_table() {
  std::array<uint16_t, 256> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    unsigned crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xa6bc : crc >> 1;
    table[i] = static_cast<uint16_t>(crc);
  }
  return table;
}
constexpr std::array<uint16_t, 256> kTable = make_table();

bool checksum_follows(Bytes data, size_t size) {
  const uint16_t expected = checksum(data.first(size));
  return data[size] == (expected & 0xff) && data[size + 1] == expected >> 8;
}

}  // namespace

uint16_t checksum(Bytes data) {
  unsigned crc = 0;
  for (const uint8_t b : data) crc = crc >> 8 ^ kTable[(crc ^ b) & 0xff];
  return static_cast<uint16_t>(~crc);
}

LinkHeader read_link_header(Bytes data) {
  ByteReader in(data);
  in.skip(2);
  LinkHeader h;
  h.length = in.u8();
  h.control = in.u8();
  h.destination = in.u16_le();
  h.source = in.u16_le();
  return h;
}

bool has_start_bytes(Bytes data) { return data.size() >= 2 && data[0] == 0x05 && data[1] == 0x64; }

bool header_checksum_ok(Bytes data) {
  return checksum_follows(data, kLinkHeaderBytes - kChecksumBytes);
}

size_t frame_bytes(uint8_t length) {
  if (length < kLinkMinLength) return 0;
  const size_t user = length - size_t{kLinkMinLength};
  return kLinkHeaderBytes + user + (user + kBlockBytes - 1) / kBlockBytes * kChecksumBytes;
}

bool unpack_user_data(Bytes blocks, std::string& out) {
  while (blocks.size() > kChecksumBytes) {
    const size_t size = std::min(blocks.size() - kChecksumBytes, kBlockBytes);
    if (!checksum_follows(blocks, size)) return false;
    out.append(as_text(blocks.first(size)));
    blocks = blocks.subspan(size + kChecksumBytes);
  }
  return blocks.empty();
}

}  // namespace vong::dnp3
