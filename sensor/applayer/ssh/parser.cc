#include "sensor/applayer/ssh/parser.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "sensor/applayer/core/digest.h"
#include "sensor/applayer/ssh/limits.h"

namespace vong::ssh {

using applayer::Input;
using applayer::ParseResult;

namespace {

enum MessageCode : uint8_t { kKexInit = 20, kNewKeys = 21 };
constexpr size_t kCookieBytes = 16;

}  // namespace

Transaction& SshParser::tx() {
  if (tx_ == nullptr) {
    auto made = std::make_unique<Transaction>();
    made->log_hassh = config_.hassh;
    tx_ = made.get();
    add(std::move(made));
  }
  return *tx_;
}

void SshParser::advance(Direction d, uint8_t progress) {
  uint8_t& p = tx().progress[static_cast<size_t>(index(d))];
  if (progress <= p) return;
  p = progress;
  tx().updated[static_cast<size_t>(index(d))] = true;
  const auto& other = streams_[index(opposite(d))];
  if (!config_.hassh && streams_[index(d)].banner_done && other.banner_done && p < kLogged) {
    for (uint8_t& each : tx().progress) each = std::max<uint8_t>(each, kLogged);
    tx().updated = {true, true};
  }
}

ParseResult SshParser::parse(Direction d, const Input& in) {
  if (over()) return ParseResult::done(in.data.size());
  if (in.data.empty() && tx_ == nullptr) return ParseResult::ok(0);
  Stream& s = streams_[index(d)];
  offset_ = in.offset;
  ParseResult r = s.banner_done ? records(d, in.data, 0) : banner(d, in.data, in.end);
  if (streams_[0].encrypted && streams_[1].encrypted) {
    no_payload_inspection = config_.encrypted != Config::Encrypted::kFull;
    if (config_.encrypted == Config::Encrypted::kBypass) {
      bypass_flow = true;
      r = ParseResult::done(in.data.size());
    }
  }
  if (in.end) advance(d, kFinished);
  return r;
}

ParseResult SshParser::banner(Direction d, Bytes data, bool end) {
  Stream& s = streams_[index(d)];
  const std::string_view text = as_text(data);
  const size_t newline = text.find('\n');
  if (newline == std::string_view::npos) {
    if (s.banner_rest) return ParseResult::ok(data.size());
    if (data.size() < kMaxBannerBytes) {
      if (end && !data.empty()) tx().add_event(kInvalidBanner);
      return ParseResult::ok(0);
    }
    tx().add_event(kLongBanner);
    take_banner(d, text.substr(0, kMaxBannerBytes));
    s.banner_rest = true;
    return ParseResult::ok(data.size());
  }
  if (!s.banner_rest) {
    std::string_view line = text.substr(0, newline);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() >= kMaxBannerBytes) tx().add_event(kLongBanner);
    take_banner(d, line.substr(0, kMaxBannerBytes));
  }
  s.banner_rest = false;
  if (!s.banner_done && !tx().sides[static_cast<size_t>(index(d))].protocol.empty())
    s.banner_done = true;
  if (s.banner_done) advance(d, kBannerDone);
  const size_t consumed = newline + 1;
  // A line that is no banner: servers may send some before it (RFC 4253 section 4.2).
  if (!s.banner_done) return ParseResult::ok(consumed);
  return records(d, data.subspan(consumed), consumed);
}

// SSH-protoversion-softwareversion SP comments
void SshParser::take_banner(Direction d, std::string_view line) {
  Side& side = tx().sides[static_cast<size_t>(index(d))];
  const size_t dash = line.starts_with("SSH-") ? line.find('-', 4) : std::string_view::npos;
  if (dash == std::string_view::npos || dash == 4) {
    tx().add_event(kInvalidBanner);
    return;
  }
  side.protocol = line.substr(4, dash - 4);
  line.remove_prefix(dash + 1);
  side.software = line.substr(0, line.find_first_of(" \r\n"));
}

ParseResult SshParser::records(Direction d, Bytes data, size_t consumed) {
  Stream& s = streams_[index(d)];
  while (!data.empty()) {
    if (s.encrypted) return ParseResult::ok(consumed + data.size());
    const auto skipped = static_cast<size_t>(std::min<uint64_t>(s.record_left, data.size()));
    s.record_left -= skipped;
    consumed += skipped;
    data = data.subspan(skipped);
    if (data.empty()) break;
    if (data.size() < kRecordHeaderBytes) return ParseResult::ok(consumed, kRecordHeaderBytes);
    ByteReader in(data);
    const uint32_t length = in.u32();
    in.skip(1);
    const uint8_t code = in.u8();
    if (length < 2) {
      tx().add_event(kInvalidRecord);
      return ParseResult::error();
    }
    if (frames != nullptr && code != kKexInit) note_frames(d, consumed, length);
    if (code == kNewKeys) {
      s.encrypted = true;
      s.record_left = 0;
      advance(d, kFinished);
      return ParseResult::ok(consumed + data.size());
    }
    const size_t total = 4 + static_cast<size_t>(length);
    if (code == kKexInit) {
      if (length > kMaxKeyExchangeBytes) {
        tx().add_event(kLongKexRecord);
      } else {
        if (data.size() < total) return ParseResult::ok(consumed, total);
        key_exchange(d, in.bytes(length - 2));
      }
      if (frames != nullptr) note_frames(d, consumed, length);
    }
    s.record_left = total;
  }
  return ParseResult::ok(consumed);
}

void SshParser::note_frames(Direction d, size_t consumed, uint32_t length) {
  const uint64_t at = offset_ + consumed;
  frames->add(d, kFrameRecordPdu, at, static_cast<int64_t>(length) + 4);
  frames->add(d, kFrameRecordHeader, at, kRecordHeaderBytes);
  if (length > 2)
    frames->add(d, kFrameRecordData, at + kRecordHeaderBytes, static_cast<int64_t>(length) - 2);
}

// KEXINIT (section 7.1): cookie(16), then ten name lists: key exchange, host keys, ciphers c2s,
// s2c, macs c2s, s2c, compression c2s, s2c, languages c2s, s2c.
void SshParser::key_exchange(Direction d, Bytes payload) {
  Side& side = tx().sides[static_cast<size_t>(index(d))];
  if (!side.hassh.empty()) return;
  ByteReader in(payload);
  in.skip(kCookieBytes);
  std::array<Bytes, 8> lists;
  for (Bytes& list : lists) list = in.bytes(in.u32());
  if (!in.ok()) return;
  const size_t way = d == Direction::kToServer ? 0 : 1;
  for (const size_t i : {size_t{0}, 2 + way, 4 + way, 6 + way}) {
    if (i != 0) side.hassh_string.push_back(';');
    side.hassh_string.append(as_text(lists[i]));
  }
  side.hassh = applayer::md5_hex(as_bytes(side.hassh_string));
  advance(d, kKeyExchangeSeen);
}

bool SshParser::gap(Direction d, uint64_t size) {
  if (over()) return true;
  Stream& s = streams_[index(d)];
  if (s.encrypted) return true;
  if (s.record_left < size) return false;
  s.record_left -= size;
  return true;
}

void SshParser::end() {
  if (tx_ == nullptr || over()) return;
  advance(Direction::kToServer, kFinished);
  advance(Direction::kToClient, kFinished);
}

}  // namespace vong::ssh
