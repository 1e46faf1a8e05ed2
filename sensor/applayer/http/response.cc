// Responses: status line, how the body ends, upgrades (RFC 9112 4, 6.3; RFC 9110 7.8).
#include <algorithm>

#include "base/strings.h"
#include "sensor/applayer/http/limits.h"
#include "sensor/applayer/http/parser.h"
#include "sensor/applayer/http/syntax.h"

namespace vong::http {
namespace {

// Requests that nobody saw get this target, as the reference writes it.
constexpr std::string_view kUnseenUri = "/libhtp::request_uri_not_seen";

constexpr Direction kToClientSide = Direction::kToClient;

// `begin` (without a line end) holds nothing yet that a status line could not begin with.
bool may_become_status_line(std::string_view begin) {
  while (!begin.empty() && (is_http_space(begin.front()) || begin.front() == '\0'))
    begin.remove_prefix(1);
  return begin.size() < 4 && starts_with_ignore_case("http", begin);
}

}  // namespace

HttpParser::Step HttpParser::step_response_idle(Cursor& c) {
  if (c.empty()) return Step::kMore;
  Side& s = side(Direction::kToClient);
  Side& request = side(Direction::kToServer);
  HttpTransaction* tx = transaction_by_id(next_response_id_);
  if (tx != nullptr && tx->is_09 && c.data.size() < 5 && !c.end) return Step::kMore;
  if (tx == nullptr) {
    if (request.state == State::kFinalize) request_complete();
    tx = make_transaction();
    if (tx == nullptr) return Step::kError;
    tx->request_seen = false;
    tx->uri = tx->request.cook(kUnseenUri);
    tx->path = tx->uri_normalized = std::string(kUnseenUri);
    tx->raise(Event::kUnableToMatchResponseToRequest);
    tx->advance(Direction::kToServer, kComplete);
    next_response_id_ = tx->id;
  }
  ++next_response_id_;
  s = Side();
  s.tx = tx;
  if (tx->is_09 && tx->progress_of(Direction::kToServer) == kLine && request.tx == tx &&
      request.state == State::kFinalize) {
    request_complete();
  }
  if (request.tx == tx && request.state == State::kStartLine && !tx->method.present())
    tx->raise(Event::kRequestLineIncomplete);
  tx->advance(Direction::kToClient, kLine);
  s.state = State::kStartLine;
  // HTTP/0.9 answers with the bare body.
  if (tx->is_09 && looks_like_body(c.data.substr(0, 16))) {
    tx->advance(Direction::kToClient, kBody);
    response_body_.begin(*tx);
    s.state = State::kBodyToClose;
  }
  return Step::kGo;
}

// Takes one line of what is no status line as body. Decided on the line's first bytes, so that it
// does not matter how they were cut.
bool HttpParser::take_junk(Cursor& c) {
  Side& s = side(kToClientSide);
  const size_t lf = c.data.find('\n');
  const std::string_view line = c.data.substr(0, lf == std::string_view::npos ? lf : lf + 1);
  if (!s.in_junk_line && (!looks_like_body(line) || (lf == std::string_view::npos && !c.end &&
                                                     may_become_status_line(line)))) {
    return false;
  }
  if (s.tx->progress_of(kToClientSide) < kBody) {
    response_body_.begin(*s.tx);
    response_body_.plain();
    s.tx->advance(kToClientSide, kBody);
  }
  response_body_.feed(*s.tx, as_bytes(line));
  c.data.remove_prefix(line.size());
  s.in_junk_line = lf == std::string_view::npos;
  s.scanned = 0;
  return true;
}

HttpParser::Step HttpParser::step_response_line(Cursor& c) {
  Side& s = side(kToClientSide);
  HttpTransaction& tx = *s.tx;
  if (c.empty()) return Step::kMore;
  if (!s.in_junk_line &&
      (c.data[0] == '\n' || c.data.starts_with("\r\n"))) {  // empty lines before it
    c.data.remove_prefix(c.data[0] == '\n' ? 1 : 2);
    s.scanned = 0;
    return ++s.ignored_lines > kIgnoredLinesMax ? Step::kError : Step::kGo;
  }
  if (take_junk(c)) return Step::kGo;
  std::string_view line;
  switch (take_response_line(s, c, line)) {
    case Line::kTooLong:
      return too_long(kToClientSide);
    case Line::kMore:
      return Step::kMore;
    case Line::kTaken:
      break;
  }
  const std::string_view text = chomp(line);
  if (text.empty()) return Step::kGo;
  Message& m = tx.response;
  m.raw.append(line);
  m.line = {static_cast<uint32_t>(m.raw.size() - line.size()), static_cast<uint32_t>(text.size()),
            Slice::kRaw};
  m.headers_at = m.headers_end = static_cast<uint32_t>(m.raw.size());
  read_response_line(tx, m.text(m.line));
  s.state = State::kHeaders;
  tx.advance(Direction::kToClient, kHeaders);
  return Step::kGo;
}

void HttpParser::read_response_line(HttpTransaction& tx, std::string_view line) {
  const uint32_t base = tx.response.line.at;
  const auto slice = [base](size_t from, size_t to) {
    return Slice{base + static_cast<uint32_t>(from), static_cast<uint32_t>(to - from), Slice::kRaw};
  };
  tx.response_protocol = tx.status = tx.status_message = {};
  const size_t size = line.size();
  const auto skip_space = [&](size_t at) {
    while (at < size && is_http_space(line[at])) ++at;
    return at;
  };
  const auto skip_word = [&](size_t at) {
    while (at < size && !is_http_space(line[at])) ++at;
    return at;
  };
  size_t from = skip_space(0), to = skip_word(from);
  tx.response_protocol = slice(from, to);
  tx.response_version = protocol_of(line.substr(from, to - from));
  if (tx.response_version == Protocol::kInvalid) tx.raise(Event::kResponseLineInvalidProtocol);
  from = skip_space(to);
  to = skip_word(from);
  tx.status_code = -1;
  if (to > from) {
    tx.status = slice(from, to);
    tx.status_code = status_of(line.substr(from, to - from));
    from = skip_space(to);
    if (from < size) tx.status_message = slice(from, size);
  }
  if (tx.status_code < 0) tx.raise(Event::kResponseLineInvalidResponseStatus);
}

// The transaction may be gone when the other protocol's first bytes come.
void HttpParser::keep_upgrade_request(const HttpTransaction& tx) {
  if (!tx.method.present()) return;
  const Message& m = tx.request;
  UpgradeRequest& r = upgrade_request_.emplace();
  r.method = m.text(tx.method);
  r.uri = m.text(tx.uri);
  for (const Header& h : m.headers)
    r.headers.emplace_back(std::string(m.text(h.name)), std::string(m.text(h.value)));
}

HttpParser::Step HttpParser::response_headers_done() {
  Side& s = side(Direction::kToClient);
  HttpTransaction& tx = *s.tx;
  tx.updated[1] = true;
  const auto te = tx.response.value_of("transfer-encoding");
  const auto cl = tx.response.value_of("content-length");
  const int status = tx.status_code;
  if (tx.method_kind == Method::kConnect) {
    const bool accepted = status >= 200 && status <= 299;
    connect_ = accepted ? Connect::kAccepted : Connect::kRefused;
    if (accepted) {
      response_complete();
      upgrade_to_ = applayer::AppProto::kUnknown;
      return Step::kUpgrade;
    }
  }
  if (status == 101 && !te && !cl) {
    response_complete();
    const auto upgrade = tx.response.value_of("upgrade");
    upgrade_to_ = applayer::AppProto::kUnknown;
    if (upgrade && equals_ignore_case(*upgrade, "h2c")) {
      upgrade_to_ = applayer::AppProto::kHttp2;
      keep_upgrade_request(tx);
    } else if (upgrade && equals_ignore_case(*upgrade, "websocket")) {
      upgrade_to_ = applayer::AppProto::kWebsocket;
    }
    s.state = side(Direction::kToServer).state = State::kTunnel;
    return upgrade_to_ != applayer::AppProto::kUnknown ? Step::kUpgrade : Step::kGo;
  }
  if (status == 100 && !te && (!cl || parse_content_length(*cl).value <= 0)) {
    // Interim: the real response follows.
    if (tx.continues_seen > 0) tx.raise(Event::kContinueAlreadySeen);
    if (tx.continues_seen < 255) ++tx.continues_seen;
    tx.response.reset_head();
    tx.response_protocol = tx.status = tx.status_message = {};  // their text is gone
    s.state = State::kStartLine;
    s.pending = {};
    return ++s.ignored_lines > kIgnoredLinesMax ? Step::kError : Step::kGo;
  }
  // A client that waits with its body for a 100 does not send it after a refusal.
  Side& request = side(Direction::kToServer);
  if (status >= 400 && status <= 499 && request.tx == &tx && request.state == State::kBody &&
      tx.request.wire_bytes == 0) {
    const auto expect = tx.request.value_of("expect");
    if (expect && equals_ignore_case(*expect, "100-continue")) request.state = State::kFinalize;
  }
  response_body_.begin(tx);
  return choose_response_body(tx);
}

HttpParser::Step HttpParser::choose_response_body(HttpTransaction& tx) {
  Side& s = side(Direction::kToClient);
  const auto te = tx.response.value_of("transfer-encoding");
  const auto cl = tx.response.value_of("content-length");
  const int status = tx.status_code;
  s.state = State::kFinalize;
  if (tx.method_kind == Method::kHead) return Step::kGo;
  if ((status >= 100 && status <= 199) || status == 204 || status == 304) {
    if (!te && !cl) return Step::kGo;
    tx.raise(Event::kResponseBodyUnexpected);
  }
  if (te && contains_ignoring_nul(*te, "chunked")) {
    if (!equals_ignoring_nul(*te, "chunked")) tx.raise(Event::kResponseAbnormalTransferEncoding);
    if (tx.response_version != Protocol::k11) tx.raise(Event::kResponseChunkedOldProto);
    s.state = State::kChunkLine;
  } else if (cl) {
    const ContentLength length = parse_content_length(*cl);
    if (length.value < 0) {
      tx.raise(Event::kInvalidContentLengthFieldInResponse);
      return Step::kError;
    }
    if (length.value == 0) return Step::kGo;
    s.left = static_cast<uint64_t>(length.value);
    s.state = State::kBody;
  } else {
    const auto type = tx.response.value_of("content-type");
    if (type && contains_ignore_case(*type, "multipart/byteranges")) {
      tx.raise(Event::kResponseMultipartByteranges);
    }
    s.state = State::kBodyToClose;
  }
  tx.advance(Direction::kToClient, kBody);
  return Step::kGo;
}

// The message is over. What does not begin like a response is taken as more of its body.
HttpParser::Step HttpParser::step_response_finalize(Cursor& c) {
  Side& s = side(Direction::kToClient);
  if (c.empty()) {
    response_complete();
    return Step::kGo;
  }
  const size_t lf = c.data.find('\n', std::min(s.scanned, c.data.size()));
  const std::string_view line = c.data.substr(0, lf == std::string_view::npos ? lf : lf + 1);
  if (lf == std::string_view::npos && !c.end && line.size() < 5) {
    s.scanned = c.data.size();
    return Step::kMore;
  }
  s.scanned = 0;
  if (!looks_like_body(line)) {
    response_complete();
    return Step::kGo;
  }
  s.tx->raise(Event::kResponseBodyUnexpected);
  s.tx->advance(Direction::kToClient, kBody);
  response_body_.feed(*s.tx, as_bytes(line));
  c.data.remove_prefix(line.size());
  return Step::kGo;
}

void HttpParser::response_complete() {
  Side& s = side(Direction::kToClient);
  if (s.tx == nullptr) return;
  HttpTransaction& tx = *s.tx;
  response_body_.finish(tx, s.body_whole);
  tx.advance(Direction::kToClient, kComplete);
  s.tx = nullptr;
  s.state = State::kIdle;
  s.scanned = 0;
}

}  // namespace vong::http
