// The classic pcap format, IETF draft-ietf-opsawg-pcap: a 24-byte file header, then records.
//
//   file   magic(4) major(2) minor(2) thiszone(4) sigfigs(4) snaplen(4) linktype(4, upper bits: FCS
//   length) record seconds(4) fraction(4) captured length(4) length on the wire(4) bytes
//
// The magic gives byte order and the fraction's unit; a third magic (Kuznetsov's patch) has 8 more
// bytes in each record header.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "sensor/capture/capture_format.h"
#include "sensor/capture/limits.h"

namespace vong::capture {
namespace {

constexpr uint32_t kMagicMicros = 0xa1b2c3d4, kMagicNanos = 0xa1b23c4d, kMagicModified = 0xa1b2cd34;
constexpr size_t kFileHeaderBytes = 24, kRecordHeaderBytes = 16, kModifiedRecordHeaderBytes = 24;

uint32_t load_u32(const uint8_t* p, bool swap) {
  uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return swap ? __builtin_bswap32(v) : v;
}

class PcapFormat final : public CaptureFormat {
 public:
  PcapFormat(bool swap, uint32_t fraction_ns, size_t header_bytes, uint32_t snap_length,
             LinkType link_type)
      : swap_(swap),
        fraction_ns_(fraction_ns),
        header_bytes_(header_bytes),
        snap_length_(snap_length),
        link_type_(link_type) {}

  RecordStatus next(FileFeed& feed, RawPacket& out, bool may_read) override {
    Bytes bytes = may_read ? feed.peek(header_bytes_) : feed.buffered();
    if (bytes.size() < header_bytes_) {
      if (!may_read) return RecordStatus::kNeedData;
      if (bytes.empty()) return RecordStatus::kEnd;
      return damaged(fmt::format("ends inside a record header at byte {}", feed.offset()));
    }
    const uint32_t seconds = load_u32(bytes.data(), swap_);
    const uint32_t fraction = load_u32(bytes.data() + 4, swap_);
    const uint32_t captured = load_u32(bytes.data() + 8, swap_);
    const uint32_t wire = load_u32(bytes.data() + 12, swap_);
    if (captured > kMaxPacketBytes) {
      return damaged(fmt::format("record of {} bytes at byte {}, at most {} are possible", captured,
                                 feed.offset(), kMaxPacketBytes));
    }
    const size_t need = header_bytes_ + captured;
    if (bytes.size() < need) {
      if (!may_read) return RecordStatus::kNeedData;
      bytes = feed.peek(need);
      if (bytes.size() < need) {
        return damaged(fmt::format("ends inside the record at byte {}: {} of {} bytes",
                                   feed.offset(), bytes.size() - header_bytes_, captured));
      }
    }
    out.ts = timestamp_from_ns(int64_t{seconds} * 1'000'000'000 + int64_t{fraction} * fraction_ns_);
    out.data = bytes.subspan(header_bytes_, std::min(captured, snap_length_));
    out.wire_len = std::max(wire, captured);
    out.link_type = link_type_;
    out.interface = 0;
    feed.advance(need);
    return RecordStatus::kPacket;
  }

 private:
  const bool swap_;
  const uint32_t fraction_ns_;  // nanoseconds in one unit of the fraction
  const size_t header_bytes_;
  const uint32_t snap_length_;
  const LinkType link_type_;
};

}  // namespace

std::unique_ptr<CaptureFormat> open_pcap(FileFeed& feed, std::string& error) {
  const Bytes head = feed.peek(kFileHeaderBytes);
  if (head.size() < 4) return nullptr;
  bool swap = false;
  uint32_t magic = load_u32(head.data(), false);
  const auto known = [](uint32_t m) {
    return m == kMagicMicros || m == kMagicNanos || m == kMagicModified;
  };
  if (!known(magic)) {
    magic = load_u32(head.data(), true);
    swap = true;
  }
  if (!known(magic)) return nullptr;
  if (head.size() < kFileHeaderBytes) {
    error = fmt::format("ends inside the pcap file header ({} of {} bytes)", head.size(),
                        kFileHeaderBytes);
    return nullptr;
  }
  uint16_t major;
  std::memcpy(&major, head.data() + 4, 2);
  if (swap) major = __builtin_bswap16(major);
  if (major != 2) {
    error = fmt::format("pcap format version {} is unknown (2 is read)", major);
    return nullptr;
  }
  uint32_t snap_length = load_u32(head.data() + 16, swap);
  if (snap_length == 0 || snap_length > kMaxPacketBytes)
    snap_length = kMaxPacketBytes;  // 0, -1: no limit
  const uint32_t link = load_u32(head.data() + 20, swap);
  feed.advance(kFileHeaderBytes);
  return std::make_unique<PcapFormat>(
      swap, magic == kMagicNanos ? 1 : 1000,
      magic == kMagicModified ? kModifiedRecordHeaderBytes : kRecordHeaderBytes, snap_length,
      static_cast<LinkType>(link & 0xffff));
}

std::unique_ptr<CaptureFormat> open_capture_format(FileFeed& feed, std::string& error) {
  error.clear();
  if (auto format = open_pcap(feed, error); format || !error.empty()) return format;
  if (auto format = open_pcapng(feed, error); format || !error.empty()) return format;
  const Bytes head = feed.peek(4);
  if (feed.failed()) {
    error = fmt::format("cannot read: {}", std::strerror(feed.read_errno()));
  } else if (head.empty()) {
    error = "is empty";
  } else if (head.size() >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
    error = "is compressed with gzip; unpack it first";
  } else {
    error = "is neither pcap nor pcapng";
  }
  return nullptr;
}

}  // namespace vong::capture
