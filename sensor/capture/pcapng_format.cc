// pcapng, IETF draft-ietf-opsawg-pcapng: blocks of  type(4) total length(4) body ... total
// length(4), each padded to four bytes. Read are section headers (SHB: byte order, forgets all
// interfaces), interface descriptions (IDB: link type, snap length, time unit) and packets (EPB,
// SPB, and the obsolete OPB); every other block is skipped.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "sensor/capture/capture_format.h"
#include "sensor/capture/limits.h"

namespace vong::capture {
namespace {

constexpr uint32_t kSectionHeader = 0x0a0d0d0a, kInterface = 1, kObsoletePacket = 2,
                   kSimplePacket = 3, kEnhancedPacket = 6;
constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr size_t kBlockOverhead = 12;  // type, length, length again
constexpr uint16_t kOptionEnd = 0, kOptionTsResol = 9, kOptionTsOffset = 14;

__extension__ using Uint128 = unsigned __int128;

struct Interface {
  LinkType link_type = LinkType::kEthernet;
  uint32_t snap_length = kMaxPacketBytes;
  bool binary_resolution = false;  // units of 2^-exponent s, else 10^-exponent s
  uint8_t exponent = 6;
  int64_t offset_s = 0;
};

// Units since the epoch to nanoseconds. Every value gives some time: wrap-around is the file's own
// fault, never undefined.
Timestamp to_timestamp(const Interface& interface, uint64_t units) {
  uint64_t seconds, ns;
  if (interface.binary_resolution) {
    const unsigned e = interface.exponent;
    seconds = e < 64 ? units >> e : 0;
    const uint64_t fraction = e < 64 ? units & ((uint64_t{1} << e) - 1) : units;
    ns = e == 0 ? 0
                : static_cast<uint64_t>((static_cast<Uint128>(fraction) * 1'000'000'000) >>
                                        std::min(e, 127u));
  } else {
    static constexpr uint64_t kPowers[] = {1ull,
                                           10ull,
                                           100ull,
                                           1000ull,
                                           10000ull,
                                           100000ull,
                                           1000000ull,
                                           10000000ull,
                                           100000000ull,
                                           1000000000ull,
                                           10000000000ull,
                                           100000000000ull,
                                           1000000000000ull,
                                           10000000000000ull,
                                           100000000000000ull,
                                           1000000000000000ull,
                                           10000000000000000ull,
                                           100000000000000000ull,
                                           1000000000000000000ull,
                                           10000000000000000000ull};
    if (interface.exponent >= std::size(kPowers))
      return timestamp_from_ns(0);  // finer than 10^-19 s: no time to speak of
    const uint64_t per_second = kPowers[interface.exponent];
    seconds = units / per_second;
    const uint64_t fraction = units % per_second;
    ns = interface.exponent <= 9 ? fraction * kPowers[9 - interface.exponent]
                                 : fraction / kPowers[interface.exponent - 9];
  }
  const uint64_t total = (seconds + static_cast<uint64_t>(interface.offset_s)) * 1'000'000'000 + ns;
  return timestamp_from_ns(static_cast<int64_t>(total));
}

class PcapngFormat final : public CaptureFormat {
 public:
  RecordStatus next(FileFeed& feed, RawPacket& out, bool may_read) override {
    for (;;) {
      Bytes block;
      const RecordStatus status = next_block(feed, may_read, block);
      if (status != RecordStatus::kPacket) return status;
      const uint64_t at = feed.offset();
      feed.advance(block.size());
      const Bytes body = block.subspan(8, block.size() - kBlockOverhead);
      switch (u32(block.data())) {
        case kSectionHeader:
          interfaces_.clear();
          break;
        case kInterface:
          if (!add_interface(body))
            return damaged(fmt::format("bad interface description at byte {}", at));
          break;
        case kEnhancedPacket:
          return enhanced(body, at, out);
        case kObsoletePacket:
          return obsolete(body, at, out);
        case kSimplePacket:
          return simple(body, at, out);
        default:
          break;
      }
    }
  }

 private:
  uint16_t u16(const uint8_t* p) const {
    uint16_t v;
    std::memcpy(&v, p, sizeof v);
    return swap_ ? __builtin_bswap16(v) : v;
  }
  uint32_t u32(const uint8_t* p) const {
    uint32_t v;
    std::memcpy(&v, p, sizeof v);
    return swap_ ? __builtin_bswap32(v) : v;
  }

  // A whole block at the feed's position. kPacket: there is one.
  RecordStatus next_block(FileFeed& feed, bool may_read, Bytes& block) {
    Bytes bytes = may_read ? feed.peek(kBlockOverhead) : feed.buffered();
    if (bytes.size() < kBlockOverhead) {
      if (!may_read) return RecordStatus::kNeedData;
      if (bytes.empty()) return RecordStatus::kEnd;
      return damaged(fmt::format("ends inside a block header at byte {}", feed.offset()));
    }
    uint32_t magic;
    std::memcpy(&magic, bytes.data(), 4);
    if (magic == kSectionHeader) {  // the same in both byte orders
      std::memcpy(&magic, bytes.data() + 8, 4);
      if (magic != kByteOrderMagic && magic != __builtin_bswap32(kByteOrderMagic)) {
        return damaged(fmt::format("bad byte-order mark at byte {}", feed.offset() + 8));
      }
      swap_ = magic != kByteOrderMagic;
    }
    const uint32_t length = u32(bytes.data() + 4);
    if (length < kBlockOverhead || length % 4 != 0 || length > kMaxBlockBytes) {
      return damaged(
          fmt::format("block of impossible length {} at byte {}", length, feed.offset()));
    }
    if (bytes.size() < length) {
      if (!may_read) return RecordStatus::kNeedData;
      bytes = feed.peek(length);
      if (bytes.size() < length)
        return damaged(fmt::format("ends inside the block at byte {}", feed.offset()));
    }
    if (u32(bytes.data() + length - 4) != length) {
      return damaged(fmt::format("the two lengths of the block at byte {} differ", feed.offset()));
    }
    block = bytes.first(length);
    return RecordStatus::kPacket;
  }

  // linktype(2) reserved(2) snaplen(4) options
  bool add_interface(Bytes body) {
    if (body.size() < 8 || interfaces_.size() >= kMaxInterfaces) return false;
    Interface interface;
    interface.link_type = static_cast<LinkType>(u16(body.data()));
    const uint32_t snap = u32(body.data() + 4);
    if (snap != 0 && snap < kMaxPacketBytes) interface.snap_length = snap;
    for (Bytes options = body.subspan(8); options.size() >= 4;) {
      const uint16_t code = u16(options.data()), length = u16(options.data() + 2);
      if (code == kOptionEnd) break;
      options = options.subspan(4);
      if (length > options.size()) return false;
      if (code == kOptionTsResol && length >= 1) {
        interface.binary_resolution = (options[0] & 0x80) != 0;
        interface.exponent = options[0] & 0x7f;
      } else if (code == kOptionTsOffset && length >= 8) {
        uint64_t v;
        std::memcpy(&v, options.data(), 8);
        interface.offset_s = static_cast<int64_t>(swap_ ? __builtin_bswap64(v) : v);
      }
      options = options.subspan(std::min<size_t>(options.size(), (length + 3u) & ~3u));
    }
    interfaces_.push_back(interface);
    return true;
  }

  // interface(4) time high(4) time low(4) captured(4) on the wire(4) bytes
  RecordStatus enhanced(Bytes body, uint64_t at, RawPacket& out) {
    if (body.size() < 20) return damaged(fmt::format("packet block too short at byte {}", at));
    return packet(body.subspan(20), at, u32(body.data()), u32(body.data() + 4),
                  u32(body.data() + 8), u32(body.data() + 12), u32(body.data() + 16), out);
  }
  // interface(2) drops(2), then as enhanced
  RecordStatus obsolete(Bytes body, uint64_t at, RawPacket& out) {
    if (body.size() < 20) return damaged(fmt::format("packet block too short at byte {}", at));
    return packet(body.subspan(20), at, u16(body.data()), u32(body.data() + 4),
                  u32(body.data() + 8), u32(body.data() + 12), u32(body.data() + 16), out);
  }
  // on the wire(4) bytes; of interface 0, without time
  RecordStatus simple(Bytes body, uint64_t at, RawPacket& out) {
    if (body.size() < 4) return damaged(fmt::format("packet block too short at byte {}", at));
    const uint32_t wire = u32(body.data());
    const uint32_t snap = interfaces_.empty() ? kMaxPacketBytes : interfaces_[0].snap_length;
    const auto captured = static_cast<uint32_t>(std::min<size_t>({wire, snap, body.size() - 4}));
    return packet(body.subspan(4), at, 0, 0, 0, captured, wire, out);
  }

  RecordStatus packet(Bytes data, uint64_t at, uint32_t interface_index, uint32_t high,
                      uint32_t low, uint32_t captured, uint32_t wire, RawPacket& out) {
    if (interface_index >= interfaces_.size()) {
      return damaged(fmt::format("packet of interface {} at byte {}, {} are described",
                                 interface_index, at, interfaces_.size()));
    }
    if (captured > data.size() || captured > kMaxPacketBytes) {
      return damaged(
          fmt::format("packet of {} bytes at byte {} does not fit its block", captured, at));
    }
    const Interface& interface = interfaces_[interface_index];
    out.ts = to_timestamp(interface, uint64_t{high} << 32 | low);
    out.data = data.first(std::min(captured, interface.snap_length));
    out.wire_len = std::max(wire, captured);
    out.link_type = interface.link_type;
    out.interface = static_cast<uint16_t>(interface_index);
    return RecordStatus::kPacket;
  }

  bool swap_ = false;
  std::vector<Interface> interfaces_;
};

}  // namespace

std::unique_ptr<CaptureFormat> open_pcapng(FileFeed& feed, std::string& error) {
  const Bytes head = feed.peek(kBlockOverhead);
  uint32_t type;
  if (head.size() < 4) return nullptr;
  std::memcpy(&type, head.data(), 4);
  if (type != kSectionHeader) return nullptr;
  if (head.size() < kBlockOverhead) {
    error = "ends inside the pcapng section header";
    return nullptr;
  }
  return std::make_unique<PcapngFormat>();
}

}  // namespace vong::capture
