// Requests: start line, what the headers mean, where the message ends (RFC 9112 3, 6).
#include <algorithm>

#include "base/strings.h"
#include "sensor/applayer/http/limits.h"
#include "sensor/applayer/http/parser.h"
#include "sensor/applayer/http/syntax.h"
#include "sensor/applayer/http/uri.h"

namespace vong::http {

HttpParser::Step HttpParser::step_request_idle(Cursor& c) {
  if (c.empty()) return Step::kMore;
  Side& s = side(Direction::kToServer);
  HttpTransaction* tx = make_transaction();
  if (tx == nullptr) return Step::kError;
  s = Side();
  s.tx = tx;
  s.state = State::kStartLine;
  tx->advance(Direction::kToServer, kLine);
  return Step::kGo;
}

HttpParser::Step HttpParser::step_request_line(Cursor& c) {
  Side& s = side(Direction::kToServer);
  std::string_view line;
  switch (take_line(s, c, line)) {
    case Line::kTooLong:
      return too_long(Direction::kToServer);
    case Line::kMore:
      return Step::kMore;
    case Line::kTaken:
      break;
  }
  const std::string_view text = chomp(line);
  if (text.empty()) {  // empty lines before a request (RFC 9112 2.2)
    if (++s.ignored_lines > kIgnoredLinesMax) return Step::kError;
    return Step::kGo;
  }
  HttpTransaction& tx = *s.tx;
  tx.request.raw.append(line);
  tx.request.headers_at = tx.request.headers_end = static_cast<uint32_t>(tx.request.raw.size());
  tx.request.line = {0, static_cast<uint32_t>(text.size()), Slice::kRaw};
  read_request_line(tx, tx.request.text(tx.request.line));
  set_uri(tx);
  tx.updated[0] = true;
  s.state = tx.is_09 ? State::kProtocol : State::kHeaders;
  if (!tx.is_09) tx.advance(Direction::kToServer, kHeaders);
  return Step::kGo;
}

void HttpParser::read_request_line(HttpTransaction& tx, std::string_view line) {
  const auto slice = [](size_t from, size_t to) {
    return Slice{static_cast<uint32_t>(from), static_cast<uint32_t>(to - from), Slice::kRaw};
  };
  const size_t size = line.size();
  size_t at = 0;
  while (at < size && is_http_space(line[at])) ++at;
  if (at > 0) tx.raise(Event::kRequestLineLeadingWhitespace);
  size_t from = at;
  while (at < size && !is_http_space(line[at])) ++at;
  tx.method = slice(from, at);
  tx.method_kind = method_of(line.substr(from, at - from));
  const bool unknown = tx.method_kind == Method::kUnknown;

  bool bad_delimiter = false;
  for (; at < size && is_http_space(line[at]); ++at)
    bad_delimiter = bad_delimiter || line[at] != ' ';
  if (bad_delimiter) tx.raise(Event::kMethodDelimNonCompliant);
  if (at == size) {
    tx.is_09 = true;
    tx.request_protocol = Protocol::k09;
    if (unknown) {
      tx.raise(Event::kRequestLineUnknownMethod);
      tx.raise(Event::kRequestLineInvalid);
    }
    return;
  }
  // The target ends at a space; other white space ends it when there is no space at all.
  from = at;
  bad_delimiter = false;
  size_t to = from;
  if (server_->allow_space_uri) {
    size_t last = size;
    while (last > from && is_http_space(line[last - 1])) --last;
    size_t word = last;
    while (word > from && !is_http_space(line[word - 1])) --word;
    to = word > from ? word : last;
    while (to > from && is_http_space(line[to - 1])) --to;
    bad_delimiter = std::ranges::any_of(line.substr(from, last - from),
                                        [](char c) { return c != ' ' && is_http_space(c); });
  } else {
    while (to < size && line[to] != ' ') {
      bad_delimiter = bad_delimiter || is_http_space(line[to]);
      ++to;
    }
    if (bad_delimiter && to == size) {
      to = from;
      while (to < size && !is_http_space(line[to])) ++to;
    }
  }
  if (bad_delimiter) tx.raise(Event::kUriDelimNonCompliant);
  tx.uri = slice(from, to);
  at = to;
  while (at < size && is_http_space(line[at])) ++at;
  if (at == size) {
    tx.is_09 = true;
    tx.request_protocol = Protocol::k09;
    if (unknown) {
      tx.raise(Event::kRequestLineUnknownMethodNoProtocol);
      tx.raise(Event::kRequestLineInvalid);
    }
    return;
  }
  size_t end = size;
  while (end > at && is_http_space(line[end - 1])) --end;
  tx.protocol = slice(at, end);
  tx.request_protocol = protocol_of(line.substr(at, end - at));
  if (unknown && tx.request_protocol == Protocol::kInvalid)
    tx.raise(Event::kRequestLineUnknownMethodInvalidProtocol);
}

void HttpParser::set_uri(HttpTransaction& tx) {
  const std::string_view uri = tx.request.text(tx.uri);
  if (!tx.uri.present()) return;
  const UriParts parts =
      tx.method_kind == Method::kConnect ? parse_authority_form(uri) : parse_uri(uri);
  bool double_encoded = false;
  if (tx.method_kind == Method::kConnect) {
    tx.uri_normalized = std::string(uri);
  } else {
    tx.uri_normalized = normalize_uri(parts, *server_, tx.path, double_encoded);
  }
  if (double_encoded) tx.raise(Event::kDoubleEncodedUri);
  if (!UriParts::has(parts.host)) return;
  if (tx.method_kind == Method::kConnect &&
      !is_valid_host(parts.host)) {  // "CONNECT /": no host at all
    tx.raise_again(Event::kRequestUriHostInvalid, 3);
    return;
  }
  std::string_view host = parts.host;
  tx.host_raw = std::string(host);
  tx.host = to_lower(host);
  tx.has_host = tx.has_uri_host = true;
  // The reference reports it with the line, the headers and the end.
  if (!is_valid_host(host)) tx.raise_again(Event::kRequestUriHostInvalid, 3);
  if (UriParts::has(parts.port)) {
    tx.port = parse_port(parts.port);
    if (tx.port < 0) tx.raise(Event::kInvalidAuthorityPort);
  }
}

// A request line without protocol: HTTP/0.9 has nothing behind it. Something there means that the
// protocol is only missing.
HttpParser::Step HttpParser::step_request_protocol(Cursor& c) {
  Side& s = side(Direction::kToServer);
  const bool more = std::ranges::any_of(c.data, [](char b) { return !is_http_space(b); });
  if (more) {
    s.tx->raise(Event::kRequestLineMissingProtocol);
    s.tx->is_09 = false;
    s.state = State::kHeaders;
    s.tx->advance(Direction::kToServer, kHeaders);
    return Step::kGo;
  }
  s.state = State::kFinalize;
  return Step::kGo;
}

void HttpParser::set_host(HttpTransaction& tx) {
  const auto value = tx.request.value_of("host");
  if (!value) {
    if (tx.request_protocol == Protocol::k11) tx.raise(Event::kMissingHostHeader);
    return;
  }
  HostPort h = parse_host_port(*value);
  if (!h.valid) tx.raise_again(Event::kRequestHeaderHostInvalid, 2);
  if (!tx.has_uri_host) {
    tx.host_raw = std::string(*value);
    tx.host = std::move(h.host);
    tx.has_host = true;
    tx.port = h.port;
    return;
  }
  if (tx.host != h.host || (tx.port > 0 && h.port > 0 && tx.port != h.port))
    tx.raise(Event::kHostHeaderAmbiguous);
}

void HttpParser::check_authorization(HttpTransaction& tx) {
  const auto value = tx.request.value_of("authorization");
  if (!value) return;
  for (const std::string_view scheme : {"basic", "digest", "bearer"}) {
    if (starts_with_ignore_case(*value, scheme)) return;
  }
  tx.raise(Event::kRequestAuthUnrecognized);
}

HttpParser::Step HttpParser::request_headers_done() {
  Side& s = side(Direction::kToServer);
  HttpTransaction& tx = *s.tx;
  tx.updated[0] = true;
  set_host(tx);
  check_authorization(tx);
  const auto te = tx.request.value_of("transfer-encoding");
  const auto cl = tx.request.value_of("content-length");
  if (tx.method_kind == Method::kConnect) {
    request_complete();  // the transaction may be gone before the next byte comes
    s.state = State::kConnectWait;
    return Step::kGo;
  }
  request_body_.begin(tx);
  s.state = State::kFinalize;
  if (te) {
    if (contains_ignoring_nul(*te, "chunked")) {
      if (tx.request_protocol != Protocol::k11)
        tx.raise(Event::kInvalidTransferEncodingValueInRequest);
      s.state = State::kChunkLine;
    } else {
      tx.raise(Event::kInvalidTransferEncodingValueInRequest);
    }
  } else if (cl) {
    const ContentLength length = parse_content_length(*cl);
    if (length.value < 0) {
      tx.raise(Event::kInvalidContentLengthFieldInRequest);
    } else if (length.value > 0) {
      s.left = static_cast<uint64_t>(length.value);
      s.state = State::kBody;
    }
  }
  if (s.state != State::kFinalize) tx.advance(Direction::kToServer, kBody);
  return Step::kGo;
}

// The message is over. A line behind it that begins with no method is taken as more of its body.
HttpParser::Step HttpParser::step_request_finalize(Cursor& c) {
  Side& s = side(Direction::kToServer);
  if (c.empty()) {
    request_complete();
    return Step::kGo;
  }
  const size_t lf = c.data.find('\n', std::min(s.scanned, c.data.size()));
  const std::string_view line = c.data.substr(0, lf == std::string_view::npos ? lf : lf + 1);
  size_t from = 0;
  while (from < line.size() && is_http_space(line[from])) ++from;
  size_t to = from;
  while (to < line.size() && !is_http_space(line[to])) ++to;
  const bool decided =
      to < line.size() || lf != std::string_view::npos || c.end || line.size() > 64;
  if (!decided) {
    s.scanned = c.data.size();
    return Step::kMore;
  }
  s.scanned = 0;
  if (to == from || is_known_method(line.substr(from, to - from))) {
    request_complete();
    return Step::kGo;
  }
  s.tx->raise(Event::kRequestBodyUnexpected);
  s.tx->advance(Direction::kToServer, kBody);
  request_body_.feed(*s.tx, as_bytes(line));
  c.data.remove_prefix(line.size());
  return Step::kGo;
}

void HttpParser::request_complete() {
  Side& s = side(Direction::kToServer);
  if (s.tx == nullptr) return;
  HttpTransaction& tx = *s.tx;
  request_body_.finish(tx, s.body_whole);
  tx.advance(Direction::kToServer, kComplete);
  s.tx = nullptr;
  s.state = State::kIdle;
  s.scanned = 0;
}

}  // namespace vong::http
