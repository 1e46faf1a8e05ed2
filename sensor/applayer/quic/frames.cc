#include "sensor/applayer/quic/frames.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "sensor/applayer/quic/limits.h"
#include "sensor/applayer/quic/packet.h"

namespace vong::quic {
namespace {

bool take(ByteReader& in, uint64_t& value) {
  const size_t n = read_varint(in.peek(), value);
  return n != 0 && in.skip(n);
}

// Ranges, and with `ecn` three counters behind them.
bool skip_ack(ByteReader& in, bool ecn) {
  uint64_t v = 0, ranges = 0;
  if (!take(in, v) || !take(in, v) || !take(in, ranges) || !take(in, v)) return false;
  if (ranges > in.remaining()) return false;  // each takes two bytes at least
  for (uint64_t i = 0; i < ranges * 2 + (ecn ? 3 : 0); ++i) {
    if (!take(in, v)) return false;
  }
  return true;
}

// "CHLO" count(2) padding(2), then count times tag(4) end(4), then the values; little-endian.
std::optional<Tags> read_tags(Bytes message) {
  ByteReader in(message);
  in.skip(4);
  const uint32_t count = in.u16_le();
  in.skip(2);
  if (!in.ok() || count > kTagsMax) return std::nullopt;
  ByteReader entries = in.sub(size_t{count} * 8);
  const Bytes values = in.peek();
  Tags tags;
  uint32_t from = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const Bytes name = entries.bytes(4);
    const uint32_t to = entries.u32_le();
    if (!entries.ok() || to < from || to > values.size()) return std::nullopt;
    tags.emplace_back(as_text(name), as_text(values.subspan(from, to - from)));
    from = to;
  }
  return tags;
}

// A frame without a length goes to the packet's end; what it carries is not read, as in the reference: real handshakes say how long
// they are, since padding follows them.
bool read_stream(ByteReader& in, uint8_t type, Frames& out) {
  constexpr uint8_t kHasLength = 0x20;
  const unsigned offset_bits = type >> 2 & 7u;
  in.skip((type & 3u) + 1 + (offset_bits == 0 ? 0 : offset_bits + 1));
  const bool has_length = (type & kHasLength) != 0;
  const Bytes data = in.bytes(has_length ? in.u16() : in.remaining());
  if (!in.ok()) return false;
  if (!has_length) return true;
  if (auto tags = read_tags(data); tags && !tags->empty()) out.tags.push_back(std::move(*tags));
  return true;
}

}  // namespace

std::optional<Frames> read_frames(Bytes payload) {
  ByteReader in(payload);
  Frames out;
  for (int i = 0; i < kFramesMax && !in.empty(); ++i) {
    const uint8_t type = in.u8();
    if ((type & 0x80) != 0) {
      if (!read_stream(in, type, out)) return std::nullopt;
      continue;
    }
    switch (type) {
      case 0:  // PADDING
        while (!in.empty() && in.peek_u8() == 0) in.skip(1);
        break;
      case 1:  // PING
        break;
      case 2:
      case 3:
        if (!skip_ack(in, type == 3)) return std::nullopt;
        break;
      case 6: {
        uint64_t offset = 0, size = 0;
        if (!take(in, offset) || !take(in, size) || size > in.remaining()) return std::nullopt;
        out.crypto.push_back({offset, in.bytes(static_cast<size_t>(size))});
        break;
      }
      default:
        return out;
    }
  }
  return out;
}

void CryptoStream::clear() {
  std::string().swap(joined_);
  waiting_.clear();
  waiting_bytes_ = 0;
}

bool CryptoStream::add(const CryptoPiece& piece) {
  if (piece.data.empty()) return true;
  if (piece.offset > kCryptoBytesMax || piece.data.size() > kCryptoBytesMax - piece.offset ||
      waiting_.size() >= kCryptoPiecesMax || waiting_bytes_ + piece.data.size() > kCryptoBytesMax) {
    clear();
    return false;
  }
  const auto at =
      std::ranges::lower_bound(waiting_, piece.offset, {}, [](const auto& w) { return w.first; });
  waiting_bytes_ += piece.data.size();
  waiting_.emplace(at, piece.offset, std::string(as_text(piece.data)));
  size_t used = 0;
  for (const auto& [offset, data] : waiting_) {
    if (offset > joined_.size()) break;
    if (offset + data.size() > joined_.size()) joined_.append(data, joined_.size() - offset);
    waiting_bytes_ -= data.size();
    ++used;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(used));
  return true;
}

}  // namespace vong::quic
