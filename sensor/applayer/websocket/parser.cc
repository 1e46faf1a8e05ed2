#include "sensor/applayer/websocket/parser.h"

#include <algorithm>

#include "base/byte_reader.h"

namespace vong::websocket {

using applayer::Input;
using applayer::ParseResult;

namespace {

constexpr uint8_t kControl = 0x8;  // opcodes of control frames, which may stand between fragments

std::string unmasked(Bytes payload, const std::optional<uint32_t>& mask) {
  std::string out(as_text(payload));
  if (!mask) return out;
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<char>(static_cast<uint8_t>(out[i]) ^
                               static_cast<uint8_t>(*mask >> (24 - 8 * (i % 4))));
  }
  return out;
}

struct Frame {
  uint8_t first = 0;
  std::optional<uint32_t> mask;
  uint64_t length = 0;
};

// False: its header is not there yet.
bool read_header(ByteReader& in, Frame& f) {
  f.first = in.u8();
  const uint8_t second = in.u8();
  f.length = second & 0x7f;
  if (f.length == 126)
    f.length = in.u16();
  else if (f.length == 127)
    f.length = in.u64();
  if ((second & 0x80) != 0) f.mask = in.u32();
  return in.ok();
}

}  // namespace

void WebsocketParser::join(Way& w, Transaction& tx) {
  if ((tx.opcode & kControl) != 0 || (tx.fin() && !w.fragmented)) return;
  if (!w.fragmented) {
    w.fragmented = true;
    w.compressed = (tx.flags & kCompressed) != 0;
    w.message.clear();
  }
  const size_t room =
      config_.payload_bytes_max - std::min(config_.payload_bytes_max, w.message.size());
  if (tx.payload.size() > room) tx.add_event(kReassemblyLimitReached);
  w.message.append(tx.payload, 0, room);
  if (!tx.fin()) return;
  w.fragmented = false;
  tx.payload = std::move(w.message);
  w.message = std::string();
}

void WebsocketParser::inflate(Way& w, Transaction& tx) {
  if (w.inflater == nullptr) w.inflater = std::make_unique<MessageInflater>();
  tx.payload = w.inflater->message(tx.payload, config_.payload_bytes_max);
}

void WebsocketParser::note_frames(Direction d, uint64_t offset, size_t header, uint64_t payload) {
  const auto length = static_cast<int64_t>(std::min<uint64_t>(payload, uint64_t{1} << 62));
  frames->add(d, kFrameHeader, offset, static_cast<int64_t>(header));
  frames->add(d, kFramePdu, offset, static_cast<int64_t>(header) + length);
  frames->add(d, kFrameData, offset + header, length);
}

ParseResult WebsocketParser::parse(Direction d, const Input& input) {
  Way& w = ways_[static_cast<size_t>(index(d))];
  size_t consumed = static_cast<size_t>(std::min<uint64_t>(w.skip, input.data.size()));
  w.skip -= consumed;
  while (consumed < input.data.size()) {
    ByteReader in(input.data.subspan(consumed));
    Frame f;
    if (!read_header(in, f)) return ParseResult::ok(input.end ? input.data.size() : consumed);
    const size_t header = in.position();
    const auto kept = static_cast<size_t>(std::min<uint64_t>(f.length, config_.payload_bytes_max));
    if (in.remaining() < kept) {
      if (input.end) return ParseResult::ok(input.data.size());
      return ParseResult::ok(consumed, in.position() + kept);
    }
    if (transactions.size() >= kTransactionsMax) return ParseResult::error();
    if (frames != nullptr) note_frames(d, input.offset + consumed, header, f.length);
    auto tx = std::make_unique<Transaction>();
    tx->flags = f.first & 0xf0;
    tx->opcode = f.first & 0x0f;
    tx->mask = f.mask;
    tx->payload = unmasked(in.bytes(kept), f.mask);
    tx->progress = {1, 1};
    tx->has_direction[static_cast<size_t>(index(opposite(d)))] = false;
    const bool in_fragments = w.fragmented && (tx->opcode & kControl) == 0;
    join(w, *tx);
    const bool compressed = in_fragments ? w.compressed : (tx->flags & kCompressed) != 0;
    if (compressed && tx->fin() && f.length == kept) inflate(w, *tx);
    consumed += in.position();
    if (f.length > kept) {
      tx->add_event(kSkipEndOfPayload);
      const uint64_t rest = f.length - kept;
      const size_t here =
          static_cast<size_t>(std::min<uint64_t>(rest, input.data.size() - consumed));
      consumed += here;
      w.skip = rest - here;
    }
    const uint64_t id = add(std::move(tx)).id;
    if (frames == nullptr) continue;
    for (const FrameKind kind : {kFrameHeader, kFramePdu, kFrameData}) frames->set_tx(d, kind, id);
  }
  return ParseResult::ok(consumed);
}

bool WebsocketParser::gap(Direction d, uint64_t size) {
  Way& w = ways_[static_cast<size_t>(index(d))];
  if (size > w.skip) return false;
  w.skip -= size;
  return true;
}

}  // namespace vong::websocket
