#include "sensor/applayer/http/parser.h"

#include <algorithm>

#include "sensor/applayer/http/limits.h"
#include "sensor/applayer/http/syntax.h"

namespace vong::http {

using applayer::Input;
using applayer::ParseResult;

HttpParser::HttpParser(const HttpConfig& config)
    : config_(config),
      server_(&config.defaults),
      request_body_(config, Direction::kToServer, next_file_id_),
      response_body_(config, Direction::kToClient, next_file_id_) {}

HttpTransaction* HttpParser::make_transaction() {
  if (transactions.size() >= server_->transactions_max) return nullptr;
  auto tx = std::make_unique<HttpTransaction>();
  tx->config = server_;
  return &add(std::move(tx));
}

HttpTransaction* HttpParser::transaction_by_id(uint64_t id) {
  const auto it =
      std::ranges::lower_bound(transactions, id, {}, [](const auto& t) { return t->id; });
  return it != transactions.end() && (*it)->id == id ? static_cast<HttpTransaction*>(it->get())
                                                     : nullptr;
}

ParseResult HttpParser::parse(Direction d, const Input& in) {
  if (transactions_made == 0) {  // the server's own configuration, before anything is read
    if (const ServerConfig* own = config_.servers.find(in.server)) server_ = own;
  }
  Cursor c{as_text(in.data), in.end};
  response_body_.at(in.client, in.ts);
  const auto position = [&] { return in.offset + in.data.size() - c.data.size(); };
  for (;;) {
    const State before = side(d).state;
    const uint64_t began = position();
    const Step result = step(d, c);
    if (frames != nullptr && side(d).state != before) note_frame(d, before, began, position());
    switch (result) {
      case Step::kGo:
        continue;
      case Step::kError:
        return ParseResult::error();
      case Step::kUpgrade:
        return ParseResult::upgrade(in.data.size() - c.data.size(), upgrade_to_);
      case Step::kMore:
        if (c.end) {
          stream_ended(d, c);
          return ParseResult::ok(in.data.size());
        }
        return ParseResult::ok(in.data.size() - c.data.size());
    }
  }
}

// A message is a frame, from its first line to the end of its body. The side has just left `before`, in a step that read
// [began, now).
void HttpParser::note_frame(Direction d, State before, uint64_t began, uint64_t now) {
  const Side& s = side(d);
  const uint8_t type = d == Direction::kToServer ? kFrameRequest : kFrameResponse;
  const auto between = [](State x) { return x == State::kIdle || x == State::kFinalize || x == State::kConnectWait || x == State::kTunnel; };
  if (between(before) && !between(s.state)) {
    frames->add(d, type, began, applayer::kUnknownLength, s.tx != nullptr ? std::optional<uint64_t>(s.tx->id) : std::nullopt);
  } else if (!between(before) && between(s.state)) {
    frames->end(d, type, now);
  }
}

HttpParser::Step HttpParser::step(Direction d, Cursor& c) {
  const bool request = d == Direction::kToServer;
  switch (side(d).state) {
    case State::kIdle:
      return request ? step_request_idle(c) : step_response_idle(c);
    case State::kStartLine:
      return request ? step_request_line(c) : step_response_line(c);
    case State::kProtocol:
      return step_request_protocol(c);
    case State::kHeaders:
    case State::kTrailers:
      return step_headers(d, c);
    case State::kBody:
    case State::kBodyToClose:
    case State::kChunkData:
      return step_body(d, c);
    case State::kChunkLine:
      return step_chunk_line(d, c);
    case State::kChunkEnd:
      return step_chunk_end(d, c);
    case State::kFinalize:
      return request ? step_request_finalize(c) : step_response_finalize(c);
    case State::kConnectWait:
      if (connect_ == Connect::kNone) return Step::kMore;
      side(d).state = connect_ == Connect::kAccepted ? State::kTunnel : State::kIdle;
      connect_ = Connect::kNone;
      return Step::kGo;
    case State::kTunnel:
      c.data = {};
      return Step::kMore;
  }
  return Step::kMore;
}

HttpParser::Step HttpParser::step_body(Direction d, Cursor& c) {
  Side& s = side(d);
  if (c.empty()) return Step::kMore;
  if (s.state == State::kBodyToClose) {
    body(d).feed(*s.tx, as_bytes(c.data));
    c.data = {};
    return Step::kMore;
  }
  const size_t n = static_cast<size_t>(std::min<uint64_t>(s.left, c.data.size()));
  body(d).feed(*s.tx, as_bytes(c.data.substr(0, n)));
  c.data.remove_prefix(n);
  s.left -= n;
  if (s.left == 0) s.state = s.state == State::kBody ? State::kFinalize : State::kChunkEnd;
  return Step::kGo;
}

HttpParser::Step HttpParser::step_chunk_end(Direction d, Cursor& c) {
  Side& s = side(d);
  if (c.empty()) return Step::kMore;
  const size_t lf = c.data.find('\n');
  const size_t n = lf == std::string_view::npos ? c.data.size() : lf + 1;
  s.tx->message(d).wire_bytes += n;
  c.data.remove_prefix(n);
  if (lf != std::string_view::npos) s.state = State::kChunkLine;
  return Step::kGo;
}

HttpParser::Step HttpParser::step_chunk_line(Direction d, Cursor& c) {
  Side& s = side(d);
  if (c.empty()) return Step::kMore;
  // What cannot become a size is no chunk: the rest is the body as it is. Decided on the first
  // bytes of the line.
  const size_t lf = c.data.find('\n', std::min(s.scanned, c.data.size()));
  const bool hopeless =
      !can_be_chunk_length(c.data.substr(0, std::min<size_t>({lf, c.data.size(), 64})));
  if (lf == std::string_view::npos && !hopeless) {
    s.scanned = c.data.size();
    if (c.data.size() > server_->field_bytes_max) return too_long(d);
    if (!c.end) return Step::kMore;
  }
  s.scanned = 0;
  const size_t n = lf == std::string_view::npos ? c.data.size() : lf + 1;
  const ChunkLength length = parse_chunk_length(c.data.substr(0, n));
  if (length.kind == ChunkLength::Kind::kInvalid || hopeless) {
    s.tx->raise(d == Direction::kToServer ? Event::kInvalidRequestChunkLen
                                          : Event::kInvalidResponseChunkLen);
    if (d == Direction::kToServer) return Step::kError;
    s.state = State::kBodyToClose;
    return Step::kGo;
  }
  if (length.extension && d == Direction::kToServer) s.tx->raise(Event::kRequestChunkExtension);
  s.tx->message(d).wire_bytes += n;
  c.data.remove_prefix(n);
  if (length.kind == ChunkLength::Kind::kEmptyLine) return Step::kGo;
  s.left = length.size;
  s.state = length.size > 0 ? State::kChunkData : State::kTrailers;
  if (length.size == 0) s.tx->advance(d, kTrailer);
  return Step::kGo;
}

bool HttpParser::gap(Direction d, uint64_t size) {
  Side& s = side(d);
  switch (s.state) {
    case State::kTunnel:
      return true;
    case State::kBodyToClose:
      s.body_whole = false;
      body(d).gap(*s.tx, size);
      return true;
    case State::kBody:
    case State::kChunkData: {
      const uint64_t n = std::min(size, s.left);
      s.body_whole = false;
      body(d).gap(*s.tx, n);
      s.left -= n;
      if (s.left > 0) return true;
      // The hole may take some of what follows with it: lines are found again by their look.
      if (s.state == State::kChunkData) {
        s.state = State::kChunkEnd;
        return n == size;
      }
      s.state = State::kFinalize;
      if (n < size) d == Direction::kToServer ? request_complete() : response_complete();
      return true;
    }
    case State::kFinalize:
      d == Direction::kToServer ? request_complete() : response_complete();
      return true;
    default:
      return false;
  }
}

// Nothing comes any more in this direction: what is open is closed with what there is.
void HttpParser::stream_ended(Direction d, Cursor& c) {
  Side& s = side(d);
  if (s.tx == nullptr) return;
  if (s.state == State::kHeaders || s.state == State::kTrailers) {
    if (!c.data.empty()) static_cast<void>(header_line(d, c.data));
    static_cast<void>(flush_pending(d));
    if (s.state == State::kHeaders && d == Direction::kToServer && s.tx->method.present())
      set_host(*s.tx);
  }
  c.data = {};
  d == Direction::kToServer ? request_complete() : response_complete();
  s.state = State::kTunnel;
}

void HttpParser::end() {
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    Side& s = side(d);
    if (s.tx == nullptr) continue;
    if (s.state == State::kBody || s.state == State::kChunkData) s.body_whole = false;
    Cursor nothing;
    stream_ended(d, nothing);
  }
  for (const auto& t : transactions) {
    auto& tx = static_cast<HttpTransaction&>(*t);
    tx.advance(Direction::kToServer, kComplete);
    tx.advance(Direction::kToClient, kComplete);
  }
}

}  // namespace vong::http
