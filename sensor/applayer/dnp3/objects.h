// Object headers and points of a DNP3 message (IEEE 1815 clause 11 and annex A).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json_writer.h"

namespace vong::dnp3 {

enum class Kind : uint8_t {
  kBits,      // `size` bits of the current byte, lowest first
  kUnsigned,  // `size` bytes, little-endian
  kSigned,
  kFloat,    // 4 or 8 bytes
  kText,     // as long as field `length_of` says, or to the point's end
  kBinary,   // the same, as base64
  kPacked1,  // the whole object: one bit a point
  kPacked2,  // two bits a point
};

struct Field {
  std::string_view name;
  Kind kind = Kind::kUnsigned;
  uint8_t size = 0;    // bits, bytes; of text and binary: its fixed size or 0
  int length_of = -1;  // index of the field that says how long this one is; -1: to the end
};
using Layout = std::vector<Field>;

// Null: nothing is known about points of this group and variation. Static data.
[[nodiscard]] const Layout* layout_of(uint8_t group, uint8_t variation);

struct Object {
  uint8_t group = 0, variation = 0, qualifier = 0;
  uint32_t start = 0, stop = 0, count = 0;
  size_t points_at = 0;  // where its points stand in the message
  uint32_t points = 0;   // how many of them were decoded

  [[nodiscard]] uint8_t prefix_code() const { return qualifier >> 4 & 7; }
  [[nodiscard]] uint8_t range_code() const { return qualifier & 15; }
};

enum class DecodeResult : uint8_t {
  kOk,
  kMalformed,
  kUnknownObject,
  kTooManyPoints,
  kTooManyObjects
};

// All objects of `data` (a message behind its header). What was decoded before the damage is in
// `out`.
[[nodiscard]] DecodeResult decode_objects(Bytes data, size_t points_max, size_t objects_max,
                                          std::vector<Object>& out);
// "objects":[...], nothing when there are none. `data` as above.
void write_objects(const std::vector<Object>& objects, Bytes data, JsonWriter& out);

}  // namespace vong::dnp3
