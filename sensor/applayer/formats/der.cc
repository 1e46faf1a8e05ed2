#include "sensor/applayer/formats/der.h"

namespace vong::formats {

std::optional<DerElement> read_der(ByteReader& in) {
  const uint8_t first = in.u8();
  if (!in.ok()) return std::nullopt;
  DerElement e;
  e.tag_class = static_cast<DerClass>(first >> 6);
  e.constructed = (first & 0x20) != 0;
  e.tag = first & 0x1f;
  if (e.tag == 0x1f) {
    e.tag = 0;
    for (int i = 0; i < 4; ++i) {
      const uint8_t b = in.u8();
      e.tag = e.tag << 7 | (b & 0x7f);
      if ((b & 0x80) == 0) break;
      if (i == 3) return std::nullopt;
    }
  }
  uint64_t size = in.u8();
  if (size >= 0x80) {
    const uint64_t digits = size & 0x7f;
    if (digits == 0 || digits > 4) return std::nullopt;
    size = 0;
    for (uint64_t i = 0; i < digits; ++i) size = size << 8 | in.u8();
  }
  e.content = in.bytes(size);
  if (!in.ok()) return std::nullopt;
  return e;
}

std::optional<DerElement> first_der(Bytes data) {
  ByteReader in(data);
  return read_der(in);
}

std::optional<DerElement> der_sequence(Bytes data) {
  auto e = first_der(data);
  if (!e || !e->is_universal(kDerSequence)) return std::nullopt;
  return e;
}

std::optional<int64_t> der_integer(Bytes data) {
  const auto e = first_der(data);
  if (!e || !e->is_universal(kDerInteger) || e->content.empty() || e->content.size() > 8)
    return std::nullopt;
  uint64_t value = (e->content[0] & 0x80) != 0 ? ~uint64_t{0} : 0;
  for (const uint8_t b : e->content) value = value << 8 | b;
  return static_cast<int64_t>(value);
}

}  // namespace vong::formats
