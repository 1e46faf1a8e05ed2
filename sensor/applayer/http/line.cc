// Lines and header fields of both directions (RFC 9112 2.2, 5).
#include <algorithm>

#include "base/strings.h"
#include "sensor/applayer/http/limits.h"
#include "sensor/applayer/http/parser.h"
#include "sensor/applayer/http/syntax.h"

namespace vong::http {
namespace {

// "\r\r\n" is none: browsers go on with the headers behind it.
bool is_empty_line(std::string_view line) {
  return line == "\r\n" || line == "\n" || line == "\r" || line == "\n\r" || line == "\r\n\r\n";
}

}  // namespace

HttpParser::Line HttpParser::take_line(Side& s, Cursor& c, std::string_view& line) {
  const size_t lf = c.data.find('\n', std::min(s.scanned, c.data.size()));
  if (lf == std::string_view::npos) {
    s.scanned = c.data.size();
    if (c.data.size() > server_->field_bytes_max) return Line::kTooLong;
    if (!c.end || c.data.empty()) return Line::kMore;
    line = c.data;  // the last line lacks its end
  } else {
    line = c.data.substr(0, lf + 1);
    if (line.size() > server_->field_bytes_max) return Line::kTooLong;
  }
  s.scanned = 0;
  c.data.remove_prefix(line.size());
  return Line::kTaken;
}

// Where a line of a response ends: behind LF, CR LF, LF CR, or a CR that nothing of these follows.
// npos: not in `data`.
HttpParser::Line HttpParser::take_response_line(Side& s, Cursor& c, std::string_view& line) {
  const std::string_view data = c.data;
  size_t at = std::min(s.scanned, data.size());
  const size_t lf = data.find('\n', at);
  size_t end = std::string_view::npos;
  for (size_t cr = data.substr(0, lf).find('\r', at); cr != std::string_view::npos;
       cr = data.substr(0, lf).find('\r', cr + 1)) {
    if (cr + 1 == data.size()) {  // what follows it decides
      if (c.end) break;
      s.scanned = cr;
      return data.size() > server_->field_bytes_max ? Line::kTooLong : Line::kMore;
    }
    if (data[cr + 1] == '\n') break;
    if (data[cr + 1] == '\r') continue;
    end = cr + 1;
    break;
  }
  bool lf_cr = false;
  if (end == std::string_view::npos) {
    if (lf == std::string_view::npos) return take_line(s, c, line);
    end = lf + 1;
    const bool cr_lf = lf > 0 && data[lf - 1] == '\r';
    if (!cr_lf && end < data.size() && data[end] == '\r') {
      ++end;
      lf_cr = true;
    } else if (cr_lf && lf == 1 && s.ended_lf_cr && data.substr(end).starts_with("\r\n")) {
      end += 2;  // LF CR CR LF CR LF are two line ends
    }
  }
  s.ended_lf_cr = lf_cr;
  s.scanned = 0;
  line = data.substr(0, end);
  if (line.size() > server_->field_bytes_max) return Line::kTooLong;
  c.data.remove_prefix(end);
  return Line::kTaken;
}

HttpParser::Step HttpParser::too_long(Direction d) {
  if (HttpTransaction* tx = side(d).tx) {
    tx->raise(d == Direction::kToServer ? Event::kRequestFieldTooLong
                                        : Event::kResponseFieldTooLong);
  }
  return Step::kError;
}

HttpParser::Step HttpParser::step_headers(Direction d, Cursor& c) {
  Side& s = side(d);
  const bool request = d == Direction::kToServer;
  Message& m = s.tx->message(d);
  for (;;) {
    const Cursor before = c;
    std::string_view line;
    switch (request ? take_line(s, c, line) : take_response_line(s, c, line)) {
      case Line::kTooLong:
        return too_long(d);
      case Line::kMore:
        return Step::kMore;
      case Line::kTaken:
        break;
    }
    bool ends = is_empty_line(line);
    // A response's line of one blank ends its headers, unless a line end follows at once.
    if (!request && line.size() == 2 && is_lws(line[0]) && line[1] == '\n') {
      if (c.empty() && !c.end) {
        c = before;
        return Step::kMore;
      }
      ends = !c.empty() && c.data[0] != '\n';
    }
    if (!ends) {
      if (header_line(d, line)) continue;
      s.tx->raise(request ? Event::kRequestTooManyHeaders : Event::kResponseTooManyHeaders);
      return Step::kError;
    }
    m.raw.append(line);
    if (!flush_pending(d)) return Step::kError;
    m.headers_end = static_cast<uint32_t>(m.raw.size());
    if (s.state == State::kTrailers) {
      s.state = State::kFinalize;
      return Step::kGo;
    }
    return request ? request_headers_done() : response_headers_done();
  }
}

// Keeps the line; it is read once the next one shows that it is whole.
bool HttpParser::header_line(Direction d, std::string_view line) {
  Side& s = side(d);
  Message& m = s.tx->message(d);
  if (m.raw.size() + line.size() > kHeadBytesMax || m.cooked.size() > kHeadBytesMax ||
      ++m.lines_seen > kHeadersLinesMax)
    return false;
  const std::string_view text = chomp(line);
  const Slice here{static_cast<uint32_t>(m.raw.size()), static_cast<uint32_t>(text.size()),
                   Slice::kRaw};
  m.raw.append(line);
  const bool folded = !text.empty() && is_folding(text[0]);
  if (!folded || !s.pending.present()) {
    if (!flush_pending(d)) return false;
    s.pending = here;
    if (folded) {
      s.tx->raise(d == Direction::kToServer ? Event::kInvalidRequestFieldFolding
                                            : Event::kInvalidResponseFieldFolding);
      if (d == Direction::kToClient) {
        size_t blanks = 0;
        while (blanks < text.size() && is_folding(text[blanks])) ++blanks;
        s.pending = {here.at + static_cast<uint32_t>(blanks),
                     here.size - static_cast<uint32_t>(blanks), Slice::kRaw};
      }
    }
    return true;
  }
  const std::string_view first = m.text(s.pending);
  if (d == Direction::kToClient && s.tx->response_version == Protocol::k11 &&
      text.find(':') != std::string_view::npos && first.find(':') != std::string_view::npos) {
    // Two names: taken as two fields.
    s.tx->raise(Event::kInvalidResponseFieldFolding);
    if (!flush_pending(d)) return false;
    size_t blanks = 0;
    while (blanks < text.size() && is_folding(text[blanks])) ++blanks;
    s.pending = {here.at + static_cast<uint32_t>(blanks), here.size - static_cast<uint32_t>(blanks),
                 Slice::kRaw};
    return true;
  }
  if (first.size() >= kFoldedBytesMax) return true;
  // The cooked text grows at its end: a long chain of continuations costs its length, not its
  // square.
  if (s.pending.where == Slice::kCooked && s.pending.at + s.pending.size == m.cooked.size()) {
    m.cooked.append(text);
    s.pending.size += static_cast<uint32_t>(text.size());
    return true;
  }
  std::string joined(first);
  joined.append(text);
  s.pending = m.cook(joined);
  return true;
}

bool HttpParser::flush_pending(Direction d) {
  Side& s = side(d);
  if (!s.pending.present()) return true;
  const Slice line = s.pending;
  s.pending = {};
  parse_header(d, line);
  return s.tx->message(d).headers.size() <= server_->headers_max;
}

void HttpParser::parse_header(Direction d, Slice line) {
  Side& s = side(d);
  const bool request = d == Direction::kToServer;
  const std::string_view text = s.tx->message(d).text(line);
  const Event invalid = request ? Event::kRequestHeaderInvalid : Event::kResponseHeaderInvalid;
  const auto part = [&](size_t from, size_t to) {
    return Slice{line.at + static_cast<uint32_t>(from), static_cast<uint32_t>(to - from),
                 line.where};
  };
  size_t colon = text.find(':');
  if (request) {  // NUL ends a request's name
    if (const size_t nul = text.substr(0, colon).find('\0'); nul != std::string_view::npos)
      colon = std::string_view::npos;
  }
  size_t value_from = 0, name_to = 0;
  if (colon == std::string_view::npos) {
    // A field with an empty name and the whole line as value.
    s.tx->raise(request ? Event::kRequestFieldMissingColon : Event::kResponseFieldMissingColon);
  } else {
    if (colon == 0) s.tx->raise(invalid);
    name_to = colon;
    const auto is_blank = [request](char c) { return request ? is_lws(c) : is_http_space(c); };
    while (name_to > 0 && is_blank(text[name_to - 1])) --name_to;
    if (name_to < colon) s.tx->raise(invalid);
    value_from = colon + 1;
  }
  while (value_from < text.size() && is_lws(text[value_from])) ++value_from;
  size_t value_to = text.size();
  while (value_to > value_from && is_lws(text[value_to - 1])) --value_to;
  if (!std::ranges::all_of(text.substr(0, name_to), is_token_char)) s.tx->raise(invalid);
  add_header(d, part(0, name_to), part(value_from, value_to));
}

// A second field of the same name is joined to the first with a comma (RFC 9110 5.3), but lengths
// are not.
void HttpParser::add_header(Direction d, Slice name, Slice value) {
  HttpTransaction& tx = *side(d).tx;
  Message& m = tx.message(d);
  const bool request = d == Direction::kToServer;
  Header* existing = m.find_same(m.text(name));
  if (existing == nullptr) {
    m.push(name, value);
    return;
  }
  if (existing->repeated) {
    if (m.repetitions >= kHeaderRepetitionsMax) return;
    ++m.repetitions;
  } else {
    tx.raise_again(request ? Event::kRequestHeaderRepetition : Event::kResponseHeaderRepetition);
    existing->repeated = true;
  }
  if (equals_ignore_case(m.text(name), "content-length")) {
    const auto a = parse_content_length(m.text(existing->value)),
               b = parse_content_length(m.text(value));
    if (a.value < 0 || b.value < 0 || a.value != b.value) {
      tx.raise(request ? Event::kDuplicateContentLengthFieldInRequest
                       : Event::kDuplicateContentLengthFieldInResponse);
    }
    return;
  }
  std::string joined(m.text(existing->value));
  joined.append(", ").append(m.text(value));
  existing->value = m.cook(joined);
}

}  // namespace vong::http
