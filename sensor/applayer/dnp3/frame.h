// The link layer of DNP3 (IEEE 1815 clause 9): frames with their checksums.
//
//   05 64 length control destination(2) source(2) crc(2), then user data in blocks of at most 16
//   bytes, each followed by its crc(2). Numbers are little-endian; length counts from control on,
//   without checksums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace vong::dnp3 {

inline constexpr size_t kLinkHeaderBytes = 10;
inline constexpr uint8_t kLinkMinLength = 5;  // control and both addresses

struct LinkHeader {
  uint8_t length = 0, control = 0;
  uint16_t destination = 0, source = 0;

  [[nodiscard]] bool from_master() const { return (control & 0x80) != 0; }
  [[nodiscard]] bool primary() const { return (control & 0x40) != 0; }
  [[nodiscard]] bool frame_count() const { return (control & 0x20) != 0; }
  [[nodiscard]] bool frame_count_valid() const { return (control & 0x10) != 0; }
  [[nodiscard]] uint8_t function() const { return control & 0x0f; }
  // Confirmed or unconfirmed user data; everything else is the link's own business.
  [[nodiscard]] bool carries_user_data() const {
    return primary() && (function() == 3 || function() == 4);
  }
};

// What stands in the first kLinkHeaderBytes of `data` (which must be there).
[[nodiscard]] LinkHeader read_link_header(Bytes data);
[[nodiscard]] bool has_start_bytes(Bytes data);  // 05 64
[[nodiscard]] bool header_checksum_ok(Bytes data);
// Of the whole frame; 0 when `length` is less than the smallest.
[[nodiscard]] size_t frame_bytes(uint8_t length);
// Appends the blocks without their checksums to `out`. False: a checksum is wrong (out is then
// partly filled).
[[nodiscard]] bool unpack_user_data(Bytes blocks, std::string& out);
[[nodiscard]] uint16_t checksum(Bytes data);

}  // namespace vong::dnp3
