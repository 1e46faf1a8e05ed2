#include "sensor/applayer/http2/parser.h"

#include <algorithm>

#include "base/strings.h"
#include "sensor/applayer/http/parser.h"

namespace vong::http2 {

using applayer::Input;
using applayer::ParseResult;

namespace {

constexpr std::string_view kDnsType = "application/dns-message";

template <typename T, typename V>
void note(Http2Transaction& tx, std::vector<T>& list, V value) {
  if (list.size() >= kNotesMax) return tx.raise(Event::kTooManyFrames);
  list.push_back(static_cast<T>(value));
}

}  // namespace

Http2Parser::Http2Parser(const Config& config)
    : config_(config), ways_{Way(config.table_bytes_max), Way(config.table_bytes_max)} {
  way(Direction::kToClient).preface_over = true;
}

// ---------------------------------------------------------------- transactions

Http2Transaction* Http2Parser::find(uint32_t stream) {
  const auto known = by_stream_.find(stream);
  if (known == by_stream_.end()) return nullptr;
  const auto it = std::ranges::lower_bound(transactions, known->second, {},
                                           [](const auto& t) { return t->id; });
  if (it == transactions.end() || (*it)->id != known->second) return nullptr;
  return static_cast<Http2Transaction*>(it->get());
}

Http2Transaction* Http2Parser::make(uint32_t stream) {
  if (transactions.size() >= config_.streams_max) {
    static_cast<Http2Transaction&>(*transactions.back()).raise(Event::kTooManyStreams);
    return nullptr;
  }
  auto& tx = add(std::make_unique<Http2Transaction>());
  tx.stream_id = stream;
  if (stream == 0) {
    tx.advance(Direction::kToServer, kGlobal);
    tx.advance(Direction::kToClient, kGlobal);
    return &tx;
  }
  tx.advance(Direction::kToServer, kOpen);
  tx.advance(Direction::kToClient, kOpen);
  if (by_stream_.size() > 2 * transactions.size() + 64) {  // mostly streams that are gone
    by_stream_.clear();
    for (const auto& t : transactions)
      by_stream_[static_cast<Http2Transaction&>(*t).stream_id] = t->id;
  }
  by_stream_[stream] = tx.id;
  return &tx;
}

Http2Transaction* Http2Parser::transaction_of(uint32_t stream) {
  if (stream != 0) {
    if (Http2Transaction* tx = find(stream)) return tx;
  }
  return make(stream);
}

// ---------------------------------------------------------------- framing

// True: go on with what is left of `data`.
bool Http2Parser::take_preface(Direction d, Bytes& data, size_t& needed, bool end) {
  Way& w = way(d);
  if (w.preface_over) return true;
  const size_t n = std::min(data.size(), kClientPreface.size());
  const bool fits = as_text(data.first(n)) == kClientPreface.substr(0, n);
  if (fits && n < kClientPreface.size() && !end) {
    needed = kClientPreface.size();
    return false;
  }
  w.preface_over = true;
  if (fits && n == kClientPreface.size()) {
    data = data.subspan(n);
  } else if (!transactions.empty()) {
    static_cast<Http2Transaction&>(*transactions.back()).raise(Event::kInvalidClientMagic);
  }
  return true;
}

void Http2Parser::take_frame_rest(Direction d, Bytes& data) {
  Way& w = way(d);
  const auto n = static_cast<size_t>(std::min<uint64_t>(w.frame_left, data.size()));
  if (n == 0) return;
  w.frame_left -= n;
  Http2Transaction* tx = w.data_stream != 0 ? find(w.data_stream) : nullptr;
  if (tx != nullptr) {
    body(*tx, d, data.first(n));
    if (w.frame_left == 0)
      move_on(*tx, d,
              {0, FrameType::kData, static_cast<uint8_t>(w.data_ends_stream ? kEndStream : 0),
               false, w.data_stream});
  }
  data = data.subspan(n);
}

void Http2Parser::note_frames(Direction d, uint64_t offset, size_t payload) {
  frames->add(d, kFramePdu, offset, static_cast<int64_t>(kFrameHeaderBytes + payload));
  frames->add(d, kFrameHeader, offset, static_cast<int64_t>(kFrameHeaderBytes));
  if (payload > 0)
    frames->add(d, kFrameData, offset + kFrameHeaderBytes, static_cast<int64_t>(payload));
}

ParseResult Http2Parser::parse(Direction d, const Input& in) {
  Bytes data = in.data;
  size_t needed = 0;
  client_ = in.client;
  now_ = in.ts;
  if (!take_preface(d, data, needed, in.end)) return ParseResult::ok(0, needed);
  for (;;) {
    take_frame_rest(d, data);
    if (data.size() < kFrameHeaderBytes) break;
    const FrameHeader h = read_frame_header(data);
    const size_t size = kFrameHeaderBytes + h.length;
    const uint64_t at = in.offset + in.data.size() - data.size();
    if (data.size() < size) {
      if (h.length <= kWholeFrameBytesMax) {
        needed = size;
        break;
      }
      if (frames != nullptr) note_frames(d, at, h.length);
      data = data.subspan(kFrameHeaderBytes);
      if (!long_frame(d, h)) return ParseResult::error();
      continue;
    }
    if (frames != nullptr) note_frames(d, at, h.length);
    if (!frame(d, h, data.subspan(kFrameHeaderBytes, h.length))) return ParseResult::error();
    data = data.subspan(size);
  }
  if (in.end) return ParseResult::ok(in.data.size());
  return ParseResult::ok(in.data.size() - data.size(), needed != 0    ? needed
                                                       : data.empty() ? 0
                                                                      : kFrameHeaderBytes);
}

bool Http2Parser::gap(Direction d, uint64_t size) {
  Way& w = way(d);
  if (size > w.frame_left) return false;
  w.frame_left -= size;
  Http2Transaction* tx = w.data_stream != 0 ? find(w.data_stream) : nullptr;
  if (tx == nullptr) return true;
  Side& s = tx->side(d);
  s.body_bytes += size;
  s.decoder.reset();
  s.is_dns = false;
  if (s.files != nullptr) s.files->gap(size);
  if (s.range) s.range->gap(size);
  if (w.frame_left == 0)
    move_on(*tx, d,
            {0, FrameType::kData, static_cast<uint8_t>(w.data_ends_stream ? kEndStream : 0), false,
             w.data_stream});
  return true;
}

void Http2Parser::end() {
  for (const auto& t : transactions) {
    auto& tx = static_cast<Http2Transaction&>(*t);
    for (const Direction d : {Direction::kToServer, Direction::kToClient})
      finish_body(tx, d, false);
    tx.close();
  }
}

// A frame of which only the beginning is there and that is too long to wait for.
bool Http2Parser::long_frame(Direction d, const FrameHeader& h) {
  Http2Transaction* tx = transaction_of(h.stream_id);
  if (tx == nullptr) return false;
  tx->raise(Event::kLongFrameData);
  Way& w = way(d);
  w.frame_left = h.length;
  w.data_stream = h.type == FrameType::kData ? h.stream_id : 0;
  w.data_ends_stream = (h.flags & kEndStream) != 0;
  note(*tx, tx->side(d).frame_types, h.type);
  tx->updated[static_cast<size_t>(index(d))] = true;
  return true;
}

// ---------------------------------------------------------------- frames

bool Http2Parser::frame(Direction d, const FrameHeader& h, Bytes payload) {
  uint32_t stream = h.stream_id;
  const bool promise = h.type == FrameType::kPushPromise && d == Direction::kToClient;
  if (promise) {  // what it says is about the stream that it promises
    const auto inner = without_padding(payload, h.flags);
    ByteReader in(inner.value_or(Bytes()));
    const uint32_t promised = in.u32() & 0x7fff'ffff;
    if (in.ok()) stream = promised;
  } else if (h.type == FrameType::kContinuation && way(d).block_stream != 0) {
    stream = way(d).block_stream;
  }
  if (h.type == FrameType::kSettings && (h.flags & kAck) != 0 && h.length == 0)
    return true;  // says nothing
  Http2Transaction* tx = transaction_of(stream);
  if (tx == nullptr) return false;
  if (h.type == FrameType::kHeaders && tx->closed() && stream != 0)
    tx->raise(Event::kStreamIdReuse);
  tx->updated[static_cast<size_t>(index(d))] = true;
  note(*tx, tx->side(d).frame_types, h.type);
  switch (h.type) {
    case FrameType::kHeaders:
    case FrameType::kPushPromise:
    case FrameType::kContinuation:
      header_frame(*tx, d, h, payload);
      break;
    case FrameType::kData: {
      if (stream == 0) {
        tx->raise(Event::kDataStreamZero);
        break;
      }
      if (const auto inner = without_padding(payload, h.flags)) {
        body(*tx, d, *inner);
      } else {
        tx->raise(Event::kInvalidFrameData);
      }
      break;
    }
    default:
      note_frame(*tx, d, h, payload);
  }
  if (promise) tx->advance(d, kReserved);
  if (stream != 0) move_on(*tx, d, h);
  return true;
}

// Frames that are numbers and nothing else.
void Http2Parser::note_frame(Http2Transaction& tx, Direction d, const FrameHeader& h,
                             Bytes payload) {
  Side& s = tx.side(d);
  ByteReader in(payload);
  const auto sized = [&](size_t want) {
    if (payload.size() == want) return true;
    tx.raise(Event::kInvalidFrameLength);
    return payload.size() > want;
  };
  switch (h.type) {
    case FrameType::kPriority:
      if (!sized(5)) return;
      in.skip(4);
      return note(tx, s.priorities, in.u8());
    case FrameType::kRstStream:
      if (!sized(4)) return;
      note(tx, s.errors, in.u32());
      for (const Direction each : {Direction::kToServer, Direction::kToClient})
        finish_body(tx, each, false);
      if (tx.stream_id != 0) tx.close();
      return;
    case FrameType::kSettings: {
      if (payload.size() % 6 != 0) tx.raise(Event::kInvalidFrameLength);
      const auto settings = read_settings(payload, kNotesMax - s.settings.size());
      s.settings.insert(s.settings.end(), settings.begin(), settings.end());
      return;
    }
    case FrameType::kGoaway:
      if (payload.size() < 8) return tx.raise(Event::kInvalidFrameLength);
      in.skip(4);
      return note(tx, s.errors, in.u32());
    case FrameType::kWindowUpdate:
      if (!sized(4)) return;
      return note(tx, s.windows, in.u32() & 0x7fff'ffff);
    default:
      return;  // PING, and types that may be added: nothing to see
  }
}

void Http2Parser::header_frame(Http2Transaction& tx, Direction d, const FrameHeader& h,
                               Bytes payload) {
  if (h.type == FrameType::kContinuation) return continue_block(tx, d, h, payload);
  const auto inner = without_padding(payload, h.flags);
  if (!inner) return tx.raise(Event::kInvalidFrameData);
  ByteReader in(*inner);
  if (h.type == FrameType::kPushPromise) {
    in.skip(4);
  } else if ((h.flags & kHasPriority) != 0) {
    in.skip(4);
    const uint8_t weight = in.u8();
    if (in.ok()) note(tx, tx.side(d).priorities, weight);
  }
  if (!in.ok()) return tx.raise(Event::kInvalidFrameLength);
  Way& w = way(d);
  w.block.clear();  // one that was never finished cannot be any more
  w.block_stream = 0;
  if ((h.flags & kEndHeaders) != 0) return decode_block(tx, d, in.rest());
  w.block_stream = tx.stream_id;
  continue_block(tx, d, h, in.rest());
}

void Http2Parser::continue_block(Http2Transaction& tx, Direction d, const FrameHeader& h,
                                 Bytes fragment) {
  Way& w = way(d);
  if (w.block_stream == 0) return tx.raise(Event::kInvalidFrameData);
  const size_t room =
      config_.header_block_bytes_max - std::min(config_.header_block_bytes_max, w.block.size());
  if (fragment.size() > room) {
    tx.raise(Event::kReassemblyLimitReached);
    fragment = fragment.first(room);
  }
  w.block.append(as_text(fragment));
  if ((h.flags & kEndHeaders) == 0) return;
  const std::string block = std::move(w.block);
  w.block.clear();
  w.block_stream = 0;
  decode_block(tx, d, as_bytes(block));
}

void Http2Parser::decode_block(Http2Transaction& tx, Direction d, Bytes block) {
  Side& s = tx.side(d);
  Way& w = way(d);
  const size_t from = s.fields.size();
  w.block_bytes += block.size();
  const uint64_t flow_max = kFlowFieldBytesFree + kFlowFieldBytesPerByte * w.block_bytes;
  const uint64_t room = std::min<uint64_t>(kFieldBytesMax - s.field_bytes,
                                           flow_max - std::min(flow_max, w.field_bytes));
  const auto result = w.hpack.decode(block, kFieldsMax, static_cast<size_t>(room), s.fields);
  if (result.limited) tx.raise(Event::kReassemblyLimitReached);
  if (result.consumed < block.size()) tx.raise(Event::kExtraHeaderData);
  for (size_t i = from; i < s.fields.size(); ++i) {
    const Field& f = s.fields[i];
    s.field_bytes += f.name().size() + f.value().size();
    w.field_bytes += f.name().size() + f.value().size();
    switch (f.status) {
      case FieldStatus::kOk:
        break;
      case FieldStatus::kSizeUpdate:
        note(tx, s.size_updates, f.size_update);
        break;
      case FieldStatus::kOverflow:
        tx.raise(Event::kHeaderIntegerOverflow);
        break;
      case FieldStatus::kBadString:
      case FieldStatus::kNoSuchIndex:
        tx.raise(Event::kInvalidHeader);
        break;
    }
  }
  look_at_fields(tx, d, from);
  if (d == Direction::kToServer) read_dns_query_of_path(tx);
}

void look_at_fields(Http2Transaction& tx, Direction d, size_t from) {
  Side& s = tx.side(d);
  std::optional<std::string_view> authority, host;
  for (size_t i = from; i < s.fields.size(); ++i) {
    const Field& f = s.fields[i];
    if (f.status != FieldStatus::kOk) continue;
    if (equals_ignore_case(f.name(), ":authority")) {
      authority = f.value();
      if (f.value().find('@') != std::string_view::npos)
        tx.raise(Event::kUserinfoInUri);  // RFC 9113 section 8.3.1
    } else if (equals_ignore_case(f.name(), "host")) {
      host = f.value();
    } else if (f.name() == "content-type" && equals_ignore_case(f.value(), kDnsType)) {
      s.is_dns = true;
    }
  }
  if (authority && host && !equals_ignore_case(*authority, *host))
    tx.raise(Event::kAuthorityHostMismatch);
}

// Where the stream stands after this frame (RFC 9113 section 5.1).
void Http2Parser::move_on(Http2Transaction& tx, Direction d, const FrameHeader& h) {
  if (h.type != FrameType::kData && h.type != FrameType::kHeaders) return;
  const bool to_server = d == Direction::kToServer;
  if (!to_server) tx.advance(Direction::kToServer, kClientData);
  if ((h.flags & kEndStream) == 0) {
    if (h.type == FrameType::kData) tx.advance(d, to_server ? kClientData : kServerData);
    return;
  }
  finish_body(tx, d, true);
  tx.side(d).ended = true;
  tx.advance(d, to_server ? kClientDone : kServerDone);
  if (tx.side(opposite(d)).ended) tx.close();
}

// ---------------------------------------------------------------- upgrade

void Http2Parser::upgraded_from(const Parser& old, applayer::AppProto proto) {
  if (proto != applayer::AppProto::kHttp1) return;
  const auto* request = static_cast<const http::HttpParser&>(old).upgrade_request();
  if (request == nullptr) return;
  Http2Transaction* tx = transaction_of(1);
  if (tx == nullptr) return;
  Side& s = tx->side(Direction::kToServer);
  const auto field = [&](std::string_view name, std::string_view value) {
    if (s.fields.size() >= kFieldsMax ||
        name.size() + value.size() > kFieldBytesMax - s.field_bytes)
      return;
    Field f;
    f.shared_name = std::make_shared<const std::string>(name);
    f.shared_value = std::make_shared<const std::string>(value);
    s.field_bytes += name.size() + value.size();
    s.fields.push_back(std::move(f));
  };
  note(*tx, s.frame_types, FrameType::kHeaders);
  field(":method", request->method);
  field(":path", request->uri);
  std::string_view settings;
  for (const auto& [name, value] : request->headers) {
    if (equals_ignore_case(name, "http2-settings")) {
      settings = value;
    } else {
      field(equals_ignore_case(name, "host") ? ":authority" : std::string_view(name), value);
    }
  }
  s.ended = true;
  tx->advance(Direction::kToServer, kClientDone);
  if (settings.empty()) return;
  std::string decoded;
  const bool good = decode_base64url(settings, decoded);
  Http2Transaction* global = make(0);
  if (global == nullptr) return;
  if (!good || decoded.size() % 6 != 0) global->raise(Event::kInvalidHttp1Settings);
  global->side(Direction::kToServer).settings = read_settings(as_bytes(decoded), kNotesMax);
  note(*global, global->side(Direction::kToServer).frame_types, FrameType::kSettings);
}

}  // namespace vong::http2
