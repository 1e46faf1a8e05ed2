#include "exporters/spool/format.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "base/byte_reader.h"
#include "base/crc32c.h"
#include "exporters/spool/limits.h"

namespace vong::spool {
namespace {

constexpr uint8_t kRecordMagic[4] = {0xf5, 0x56, 0x52, 0xc1};  // the first byte is in no UTF-8 text
constexpr std::string_view kSegmentMagic = "VONGSPL1";
constexpr std::string_view kCursorMagic = "VONGCUR1";

// Fixed-size little-endian fields, one behind the other.
class Fields {
 public:
  explicit Fields(uint8_t* out) : out_(out) {}
  Fields& text(std::string_view s) {
    std::memcpy(out_, s.data(), s.size());
    out_ += s.size();
    return *this;
  }
  template <typename T>
  Fields& number(T value) {
    const auto bits = static_cast<std::make_unsigned_t<T>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) *out_++ = static_cast<uint8_t>(bits >> (8 * i));
    return *this;
  }

 private:
  uint8_t* out_;
};

}  // namespace

std::array<uint8_t, kSegmentHeaderBytes> encode(const SegmentHeader& h) {
  std::array<uint8_t, kSegmentHeaderBytes> out{};
  Fields(out.data())
      .text(kSegmentMagic)
      .number(h.spool_id)
      .number(h.number)
      .number(h.first_seq)
      .number(h.created_ns);
  Fields(out.data() + 44).number(crc32c(Bytes(out.data(), 44)));
  return out;
}

std::optional<SegmentHeader> decode_segment_header(Bytes bytes) {
  if (bytes.size() < kSegmentHeaderBytes || as_text(bytes.first(8)) != kSegmentMagic)
    return std::nullopt;
  ByteReader r(bytes.subspan(8));
  SegmentHeader h;
  h.spool_id = r.u64_le();
  h.number = r.u64_le();
  h.first_seq = r.u64_le();
  h.created_ns = static_cast<int64_t>(r.u64_le());
  r.skip(4);
  if (r.u32_le() != crc32c(bytes.first(44)) || h.first_seq == 0) return std::nullopt;
  return h;
}

std::array<uint8_t, kCursorSlotBytes> encode(const CursorSlot& s) {
  std::array<uint8_t, kCursorSlotBytes> out{};
  Fields(out.data())
      .text(kCursorMagic)
      .number(s.spool_id)
      .number(s.generation)
      .number(s.acknowledged)
      .number(s.base);
  Fields(out.data() + 60).number(crc32c(Bytes(out.data(), 60)));
  return out;
}

std::optional<CursorSlot> decode_cursor_slot(Bytes bytes) {
  if (bytes.size() < kCursorSlotBytes || as_text(bytes.first(8)) != kCursorMagic)
    return std::nullopt;
  ByteReader r(bytes.subspan(8));
  CursorSlot s;
  s.spool_id = r.u64_le();
  s.generation = r.u64_le();
  s.acknowledged = r.u64_le();
  s.base = static_cast<int64_t>(r.u64_le());
  r.skip(20);
  if (r.u32_le() != crc32c(bytes.first(60))) return std::nullopt;
  return s;
}

uint32_t checksum_seed(uint64_t spool_id) {
  uint8_t bytes[8];
  Fields(bytes).number(spool_id);
  return crc32c(bytes);
}

void append_record(std::string& out, uint32_t seed, const RecordHeader& h, Bytes payload) {
  uint8_t header[kRecordHeaderBytes];
  std::memcpy(header, kRecordMagic, sizeof kRecordMagic);
  Fields(header + 8)
      .number(static_cast<uint32_t>(payload.size()))
      .number(crc32c(payload, seed))
      .number(h.seq)
      .number(h.time_ns)
      .number(h.behind);
  Fields(header + 4).number(crc32c(Bytes(header + 8, kRecordHeaderBytes - 8), seed));
  out.append(reinterpret_cast<const char*>(header), sizeof header);
  out.append(as_text(payload));
}

std::optional<RecordHeader> decode_record_header(Bytes bytes, uint32_t seed) {
  if (bytes.size() < kRecordHeaderBytes ||
      std::memcmp(bytes.data(), kRecordMagic, sizeof kRecordMagic) != 0)
    return std::nullopt;
  ByteReader r(bytes.subspan(4, kRecordHeaderBytes - 4));
  if (r.u32_le() != crc32c(bytes.subspan(8, kRecordHeaderBytes - 8), seed)) return std::nullopt;
  RecordHeader h;
  h.size = r.u32_le();
  h.payload_crc = r.u32_le();
  h.seq = r.u64_le();
  h.time_ns = static_cast<int64_t>(r.u64_le());
  h.behind = r.u32_le();
  if (h.size > kMaxPayloadBytes || h.seq == 0) return std::nullopt;
  return h;
}

bool payload_is_whole(const RecordHeader& header, Bytes payload, uint32_t seed) {
  return crc32c(payload, seed) == header.payload_crc;
}

std::size_t find_record(Bytes bytes, std::size_t from, uint32_t seed) {
  while (from + kRecordHeaderBytes <= bytes.size()) {
    const void* hit = std::memchr(bytes.data() + from, kRecordMagic[0], bytes.size() - from);
    if (hit == nullptr) break;
    from = static_cast<std::size_t>(static_cast<const uint8_t*>(hit) - bytes.data());
    if (decode_record_header(bytes.subspan(from), seed)) return from;
    ++from;
  }
  return bytes.size();
}

std::string to_string(const SegmentName& name) {
  return fmt::format("seg-{:010}-{:016x}.spool", name.number, name.spool_id);
}

std::optional<SegmentName> parse_segment_name(std::string_view name) {
  constexpr std::string_view kPrefix = "seg-";
  constexpr std::string_view kSuffix = ".spool";
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  const std::size_t dash = name.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto number = [](std::string_view text, int base) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc() && end == text.data() + text.size() ? value : 0;
  };
  const SegmentName result{number(name.substr(0, dash), 10), number(name.substr(dash + 1), 16)};
  if (result.number == 0 || result.spool_id == 0) return std::nullopt;
  return result;
}

}  // namespace vong::spool
